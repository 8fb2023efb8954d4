"""The results of studies as CSV, Markdown and plots."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.runfolder.files import replacing
from videoclusternet.types.arrays import Array, Float64
from videoclusternet_bench.metrics.intervals import over_seeds, plus_minus
from videoclusternet_bench.runner import Row
from videoclusternet_bench.studies import STUDIES
from videoclusternet_bench.tables.drawing import COLOURS, LINES, as_label, new_figure, save
from videoclusternet_bench.tables.grids import literal

COLUMNS = ("bcubed_f", "wcp", "pcr", "hac_f", "seconds_adapt")
HEADINGS = ("B-cubed F", "WCP", "PCR", "HAC F (oracle)", "s to adapt")


def write_study(rows: Sequence[Row], folder: Path) -> Path:
    """Write ``results.csv``, ``report.md`` and one picture per study.

    Parameters
    ----------
    rows : sequence of dict
        Of :func:`videoclusternet_bench.ablate.run_studies`.
    folder : Path

    Returns
    -------
    Path
        Of the report.
    """
    _write_csv(rows, folder / "results.csv")
    parts = ["# Studies\n", _preface(rows)]
    for name in dict.fromkeys(row["study"] for row in rows):
        mine = [row for row in rows if row["study"] == name]
        parts.append(f"## {STUDIES[name].title}\n\n{table(mine)}\n")
        if name == "profiles":
            parts.append(f"Seconds of each step (Table 10):\n\n{times(mine)}\n")
        if STUDIES[name].rounds:
            parts.append(f"Round by round:\n\n{rounds_table(mine)}\n")
        save(_plot(mine, STUDIES[name].rounds), folder, name)
        parts.append(f"![{STUDIES[name].title}]({name}.svg)\n")
    path = folder / "report.md"
    with replacing(path) as temporary:
        temporary.write_text("\n".join(parts), encoding="utf-8")
    return path


def _preface(rows: Sequence[Row]) -> str:
    sets, backbones, seeds = (
        sorted({row[key] for row in rows}) for key in ("set", "backbone", "seed")
    )
    return (
        f"Sets: {', '.join(sets)}. Backbones: {', '.join(backbones)}. Seeds: {len(seeds)}. "
        "Means over sets; with several seeds a 95 % interval of that mean (Student's t over "
        "seeds). HAC knows the best threshold in hindsight: it is a yardstick, not a method.\n"
    )


def means(rows: Sequence[Row], measure: str) -> Float64:
    """Return the mean over sets for each seed, float64 (seeds,); NaN where not measured."""
    seeds = sorted({row["seed"] for row in rows})
    values = [[row.get(measure, np.nan) for row in rows if row["seed"] == s] for s in seeds]
    return np.array([np.mean(v) for v in values], dtype=np.float64)


def table(rows: Sequence[Row]) -> str:
    """Return a Markdown table: a row per variant and backbone."""
    last = [row for row in rows if row["round"] == 0]
    lines = [
        f"| variant | backbone | {' | '.join(HEADINGS)} |",
        "|---|---|" + "---|" * len(HEADINGS),
    ]
    for variant in dict.fromkeys(row["variant"] for row in last):
        for backbone in dict.fromkeys(row["backbone"] for row in last):
            mine = [r for r in last if r["variant"] == variant and r["backbone"] == backbone]
            cells = [_cell(means(mine, column), column) for column in COLUMNS]
            lines.append(f"| {literal(variant)} | {literal(backbone)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(values: Array, column: str) -> str:
    return plus_minus(values, 0 if column.startswith("seconds") else 2 if column == "pcr" else 3)


def rounds_table(rows: Sequence[Row]) -> str:
    """Return a Markdown table of B-cubed F, WCP and PCR after each round."""
    lines = ["| variant | backbone | round | B-cubed F | WCP | PCR |", "|---|---|---|---|---|---|"]
    numbers = sorted({row["round"] for row in rows if row["round"]})
    for variant in dict.fromkeys(row["variant"] for row in rows):
        for backbone in dict.fromkeys(row["backbone"] for row in rows):
            for number in numbers:
                mine = [
                    r
                    for r in rows
                    if (r["variant"], r["backbone"], r["round"]) == (variant, backbone, number)
                ]
                if mine:
                    cells = [_cell(means(mine, c), c) for c in ("bcubed_f", "wcp", "pcr")]
                    lines.append(f"| {variant} | {backbone} | {number} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def times(rows: Sequence[Row]) -> str:
    """Return a Markdown table of the mean seconds of each step."""
    steps = list(dict.fromkeys(key for row in rows for key in row if key.startswith("seconds_")))
    lines = [
        f"| variant | backbone | {' | '.join(s.removeprefix('seconds_') for s in steps)} |",
        "|---|---|" + "---|" * len(steps),
    ]
    for variant in dict.fromkeys(row["variant"] for row in rows):
        for backbone in dict.fromkeys(row["backbone"] for row in rows):
            mine = [r for r in rows if r["variant"] == variant and r["backbone"] == backbone]
            cells = [f"{np.mean([r.get(s, np.nan) for r in mine]):.1f}" for s in steps]
            joined = " | ".join(cell.replace("nan", "") for cell in cells)
            lines.append(f"| {variant} | {backbone} | {joined} |")
    return "\n".join(lines) + "\n"


def _write_csv(rows: Sequence[Row], path: Path) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(rows)


def _plot(rows: Sequence[Row], by_round: bool) -> Any:
    """Draw B-cubed F: over rounds, or a bar per variant."""
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    figure = new_figure(7, 2.2 + 0.3 * len(variants))
    axes = figure.subplots()
    (_lines if by_round else _bars)(axes, rows, variants)
    axes.legend(fontsize="small")
    return figure


def _lines(axes: Any, rows: Sequence[Row], variants: Sequence[str]) -> None:
    backbones = list(dict.fromkeys(row["backbone"] for row in rows))
    for colour, variant in zip(itertools.cycle(COLOURS), variants, strict=False):
        for style, backbone in zip(itertools.cycle(LINES), backbones, strict=False):
            mine = [r for r in rows if (r["variant"], r["backbone"]) == (variant, backbone)]
            numbers = sorted({r["round"] for r in mine if r["round"]})
            by = [[r for r in mine if r["round"] == n] for n in numbers]
            f = [means(some, "bcubed_f").mean() for some in by]
            axes.plot(
                numbers, f, linestyle=style, color=colour, label=as_label(f"{variant}, {backbone}")
            )
    axes.set_xlabel("round")
    axes.set_ylabel("B-cubed F")


def _bars(axes: Any, rows: Sequence[Row], variants: Sequence[str]) -> None:
    backbones = list(dict.fromkeys(row["backbone"] for row in rows))
    last = [row for row in rows if row["round"] == 0]
    height = 0.8 / len(backbones)
    for i, backbone in enumerate(backbones):
        mine = [
            [r for r in last if (r["variant"], r["backbone"]) == (v, backbone)] for v in variants
        ]
        values = [means(some, "bcubed_f") for some in mine]
        half = np.nan_to_num([over_seeds(v) for v in values])
        place = np.arange(len(variants)) + i * height
        colour = COLOURS[i % len(COLOURS)]
        axes.barh(
            place,
            [v.mean() for v in values],
            height,
            xerr=half,
            color=colour,
            label=as_label(backbone),
        )
    axes.set_yticks(np.arange(len(variants)) + (len(backbones) - 1) * height / 2, variants)
    axes.invert_yaxis()
    axes.set_xlabel("B-cubed F")
