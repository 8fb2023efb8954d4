"""t-SNE of the tracks: true people beside found clusters (the paper's Figures 5, 8 to 10)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from videoclusternet.report.face_map import places
from videoclusternet.types.arrays import Array, Bools, Floats, Ints
from videoclusternet_bench.pictures.looks import GREY, LOOKS, look, short
from videoclusternet_bench.pictures.shown import Shown
from videoclusternet_bench.tables.drawing import INK, PALE, as_label

SIDE = 3.6
"""Of a panel, inches."""
RING: dict[str, Any] = {"marker": "o", "markerfacecolor": "none", "markeredgecolor": "black"}
NAMED = 49
"""People in the legend."""


@dataclass(frozen=True)
class Panel:
    """What stands in one panel.

    Attributes
    ----------
    title : str
    place : float, shape (n, 2)
    person : int, shape (n,)
        Whose look each track has; below 0 nobody's, see :func:`_look`.
    wrong : bool, shape (n,)
        Which are ringed.
    """

    title: str
    place: Floats
    person: Ints
    wrong: Bools


def panels_of(shown: Sequence[Shown]) -> list[Panel]:
    """List the panels: the true people, then each partition of tracks that lie the same."""
    found: dict[tuple[Any, ...], list[Panel]] = {}
    for one in shown:
        there = np.isfinite(one.means).all(axis=1)
        key = (one.result.folder, one.space, there.tobytes())
        if key not in found:
            place, nobody = places(one.means[there]), np.zeros(there.sum(), dtype=bool)
            found[key] = [Panel("true people", place, _true(one)[there], nobody)]
        wrong = one.matched.wrong
        title = f"{one.title}: {int(wrong.sum())} of {_known(one)} wrong"
        place = found[key][0].place
        found[key].append(Panel(title, place, _found(one)[there], wrong[there]))
    return [panel for some in found.values() for panel in some]


def draw_tsne(shown: Sequence[Shown]) -> Figure:
    """Draw the true people, and each partition of the same tracks beside them.

    A track has the look of its true person there, and that of the person whom its cluster is
    matched to here, so that a right track looks the same in all panels.

    Parameters
    ----------
    shown : sequence of Shown
        Of one place.
    """
    panels = panels_of(shown)
    columns = min(4, math.ceil(math.sqrt(len(panels))))
    rows = math.ceil(len(panels) / columns)
    handles = _handles(shown[0].matched.people)
    longest = max(len(str(handle.get_label())) for handle in handles)
    across = int(np.clip(columns * SIDE / (0.066 * longest + 0.42), 2, 3 * columns))
    lines = math.ceil(len(handles) / across)
    # Room for the legend is set aside by hand: below the panels, as wide as all.
    height = rows * (SIDE + 0.3) + 0.19 * lines + 0.3
    figure = Figure(figsize=(columns * SIDE, height))
    grid = figure.subplots(
        rows,
        columns,
        squeeze=False,
        gridspec_kw={
            "left": 0.01, "right": 0.99, "top": 1 - 0.28 / height,
            "bottom": (0.19 * lines + 0.2) / height, "wspace": 0.02, "hspace": 0.11,
        },
    )  # fmt: skip
    for axes, panel in itertools.zip_longest(grid.ravel(), panels):
        if panel is None:
            axes.set_axis_off()
        else:
            _draw(axes, panel)
    figure.legend(
        handles=handles,
        loc="lower center",
        ncols=across,
        frameon=False,
        fontsize=8,
        handletextpad=0.2,
        columnspacing=1.2,
    )
    return figure


def caption(shown: Sequence[Shown]) -> str:
    """Return what a reader must know of the picture."""
    spaces = dict.fromkeys(one.space for one in shown)
    of = " or ".join(spaces)
    if len(spaces) > 1:
        mine = [one.title for one in shown if one.space != "the model as it came"]
        of = f"the model as it came, but for {', '.join(mine)}: there as it was after learning"
    out = max(int((~np.isfinite(one.means).all(axis=1)).sum()) for one in shown)
    left_out = f" {out} tracks without an embedding are not in it." if out else ""
    return (
        "t-SNE of the tracks' mean embeddings (cosine), by true person and by found cluster, "
        "each with the look of the person it is matched to. "
        f"Wrong tracks are ringed. Embeddings of {of}.{left_out}"
    )


def _known(one: Shown) -> int:
    return int((one.matched.person >= 0).sum())


def _true(one: Shown) -> Array:
    """Person of each track; -2 where the truth does not know it."""
    return np.where(one.matched.person >= 0, one.matched.person, -2)


def _found(one: Shown) -> Array:
    """Person whom each track's cluster is matched to; -1 for no one, -3 for no cluster."""
    column = one.matched.column
    return np.where(column >= 0, np.append(one.matched.match, -1)[column], -3)


def _draw(axes: Any, panel: Panel) -> None:
    axes.set_title(as_label(panel.title, 120), fontsize=9, color=INK)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color(PALE)
    size = 5.5 if len(panel.place) < 400 else 4
    for i in np.unique(panel.person)[::-1]:  # the largest people last, on top
        x, y = panel.place[panel.person == i].T
        axes.plot(x, y, linestyle="", markersize=size, **_look(int(i)))
    if panel.wrong.any():
        x, y = panel.place[panel.wrong].T
        axes.plot(x, y, linestyle="", markersize=size + 4.5, markeredgewidth=0.9, **RING)
    axes.margins(0.05)


def _look(i: int) -> dict[str, Any]:
    """Look of a person, or of what is nobody's: -1, not known -2, Unknown -3."""
    if i >= 0:
        return {"markeredgewidth": 0, **look(i)}
    bare = {"color": GREY, "markeredgewidth": 1.2}
    return {**bare, "marker": {-1: "+", -2: ".", -3: "x"}[i]}


def _handles(people: Sequence[str]) -> list[Line2D]:
    def handle(label: str, **more: Any) -> Line2D:
        return Line2D([], [], linestyle="", markersize=6, label=label, **more)

    named = [handle(short(name, 16), **_look(i)) for i, name in enumerate(people[:NAMED])]
    rest = [handle(f"{len(people) - LOOKS} more", **_look(LOOKS))] if len(people) > LOOKS else []
    return [
        *named,
        *rest,
        handle("nobody's cluster", **_look(-1)),
        handle("Unknown", **_look(-3)),
        handle("wrong", **RING),
    ]
