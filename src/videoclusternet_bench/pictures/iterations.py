"""Accuracy and number of clusters after each round of learning (the paper's Table 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from videoclusternet.config import Config
from videoclusternet.runfolder.steps import recorded_settings
from videoclusternet_bench.adapted_runs import rounds_of, scored_rounds
from videoclusternet_bench.pictures.shown import Shown
from videoclusternet_bench.runner import Row
from videoclusternet_bench.tables.drawing import (
    INK,
    MARKERS,
    PALE,
    as_label,
    new_figure,
    style,
    tidy,
)
from videoclusternet_bench.tables.grids import Grid

PANELS = (("bcubed_f", "B-cubed F"), ("wcp", "WCP"), ("pcr", "clusters / people"))


def by_round(shown: Sequence[Shown]) -> dict[str, list[Row]]:
    """Score every round of those whose model has learnt, the un-adapted model as round 0.

    Returns
    -------
    dict
        By title, the rows of :func:`videoclusternet_bench.adapted_runs.scored_rounds`.
    """
    found = {}
    for one in shown:
        if one.logged and rounds_of(one.result):
            people: list[str | None] = [None] * len(one.result.tracks)
            for track, name in zip(one.track.tolist(), one.person, strict=True):
                people[track] = name
            config = recorded_settings(one.result.folder, Config)
            found[one.title] = scored_rounds(one.result, people, config, unadapted=True)
    return found


def draw_rounds(found: Mapping[str, Sequence[Row]]) -> Figure:
    """Draw a line for each method in each of three panels."""
    figure = new_figure(8.5, 2.9)
    panels = figure.subplots(1, len(PANELS))
    for axes, (measure, said) in zip(panels, PANELS, strict=True):
        for i, (title, rows) in enumerate(found.items()):
            axes.plot(
                [row["round"] for row in rows],
                [row[measure] for row in rows],
                marker=MARKERS[i % len(MARKERS)],
                markersize=5,
                label=as_label(title),
                clip_on=False,
                **style(i),
            )
        if measure == "pcr":
            axes.axhline(1, color=PALE, linewidth=1.5, zorder=0)
        axes.set_title(said, fontsize=9, color=INK)
        axes.set_xlabel("round (0: the model as it came)", fontsize=8, color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelsize=8)
        tidy(axes)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def rounds_grid(found: Mapping[str, Sequence[Row]]) -> Grid:
    """Return the same as a table."""
    body = [
        [title, str(row["round"]), *(f"{row[measure]:.3f}" for measure, _ in PANELS)]
        for title, rows in found.items()
        for row in rows
    ]
    header = ["method", "round", *(said for _, said in PANELS)]
    return Grid("Round by round", header, body)
