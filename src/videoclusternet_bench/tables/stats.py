"""What data sets are like, for people and for plotting: tables, pictures, one page.

FOLDER/stats.csv      a row per set, what the paper says of it beside
       crops.parquet  a row per face crop
       quality.svg, lightness.svg, blur.svg, the same as .png
       stats.md, stats.tex, stats.html
"""

from __future__ import annotations

import csv
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from videoclusternet.runfolder.files import replacing, writing
from videoclusternet.types.arrays import Array, Float64
from videoclusternet_bench.describe import Described, FaceMeasures
from videoclusternet_bench.tables.drawing import (
    INK,
    MARKERS,
    as_label,
    inline,
    new_figure,
    save,
    style,
    tidy,
)
from videoclusternet_bench.tables.grids import Grid

PAGE = "stats.html"
CROP_ZIP = "crops.parquet"
MOST_BINS = 24
STEPS = (1, 2, 2.5, 5, 10)
"""Widths of a bin, times a power of ten."""
MEASURES = ("tracks", "people", "seconds", "quality", "lightness", "blur", "crops")
HEADER = ("set", "model", "tracks", "people", "s", "quality", "lightness", "blur", "crops")
CSS = (
    "body{font:15px/1.5 system-ui,sans-serif;color:#222;margin:2rem auto;max-width:56rem;"
    "padding:0 1rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "td,th{padding:.25rem .6rem;border-bottom:1px solid #ccc;text-align:right}"
    "td:nth-child(-n+2),th:nth-child(-n+2){text-align:left}section{overflow-x:auto}"
    "figure{margin:2.5rem 0}figcaption{font-size:.9em;color:#555;max-width:44rem}"
)


@dataclass(frozen=True)
class Picture:
    """One plot: what of the faces it shows, and how it is called.

    Attributes
    ----------
    name : str
        Of its files.
    title, axis, caption : str
    unit : str
        What is counted.
    values : callable
        From the faces of a set to float32 (n,).
    """

    name: str
    title: str
    axis: str
    unit: str
    caption: str
    values: Callable[[FaceMeasures], Array]


PICTURES = (
    Picture(
        "quality",
        "Quality of the tracks",
        "SER-FIQ quality of a track (higher: easier to recognise)",
        "tracks",
        "SER-FIQ in closed form, mean over the crops of a track. Each model has its own scale.",
        lambda faces: faces.of_tracks,
    ),
    Picture(
        "lightness",
        "Lightness of the faces",
        "mean L of HLS of a face crop (0: black, 1: white)",
        "crops",
        "Half the sum of the largest and the least of red, green and blue, mean over the "
        "112 x 112 px of an aligned crop.",
        lambda faces: faces.lightness,
    ),
    Picture(
        "blur",
        "Blur of the faces",
        "SVD blur degree of a face crop (higher: more blurred)",
        "crops",
        "Share of the ten strongest of 112 singular values of the grey crop in the sum of all "
        "(Su, Lu and Tan, 2011).",
        lambda faces: faces.blur,
    ),
)


def write_stats(sets: Sequence[Described], folder: Path) -> Path:
    """Write tables, pictures and the page; pictures only where a set has some.

    Parameters
    ----------
    sets : sequence of Described
        Of :func:`videoclusternet_bench.describe.describe`.
    folder : Path
        Made where there is none.

    Returns
    -------
    Path
        Of the page.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    _write_csv(sets, folder / "stats.csv")
    _write_crops(sets, folder / CROP_ZIP)
    drawn = []
    for picture in PICTURES:
        figure = draw(sets, picture)
        if figure is None:  # an earlier call may have had other sets
            for ending in ("svg", "png"):
                (folder / f"{picture.name}.{ending}").unlink(missing_ok=True)
            continue
        vector, _ = save(figure, folder, picture.name)
        said = f"{picture.caption} Marks on the axis are means."
        caption = f"<figcaption>{html.escape(said)}</figcaption>"
        drawn.append(f"<figure>{inline(vector, picture.name, picture.title)}{caption}</figure>\n")
    table = grid(sets)
    texts = {
        "stats.md": table.markdown(),
        "stats.tex": table.latex(),
        PAGE: (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Data sets</title>'
            f"<style>{CSS}</style><h1>Data sets</h1>{table.html()}{''.join(drawn)}</html>\n"
        ),
    }
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder / PAGE


def grid(sets: Sequence[Described]) -> Grid:
    """Return the table of sets, the paper's row of a set below ours."""
    rows = []
    for one in sets:
        rows.append([one.name, one.model, *_cells([getattr(one, name) for name in MEASURES])])
        if (printed := one.printed) is not None:
            said = [getattr(printed, name, None) for name in MEASURES]
            rows.append([f"{one.name} (paper, {printed.table})", "", *_cells(said)])
    return Grid("Tracks and faces", HEADER, rows, note(sets))


def _cells(values: Sequence[float | None]) -> list[str]:
    """Text of a row of measures, with the decimals of the paper."""
    digits = (0, 0, 3, 4, 3, 3, 0)
    return [
        "" if value is None else f"{value:.{places}f}"
        for value, places in zip(values, digits, strict=True)
    ]


def note(sets: Sequence[Described]) -> str:
    """Say what the numbers of these sets mean."""
    texts = []
    if any(one.seconds is not None for one in sets):
        texts.append("s: mean length of a track.")
    assumed = [one.name for one in sets if one.seconds_from == "crops"]
    if assumed:
        texts.append(f"Half a second assumed for each crop: {', '.join(assumed)}.")
    if any(one.faces is not None for one in sets):
        texts.append("Quality: mean over tracks. Lightness, blur: means over crops.")
    if len({one.model for one in sets if one.model}) > 1:
        texts.append("Qualities by different models do not compare.")
    found = [one.name for one in sets if one.kind == "run"]
    if found:
        texts.append(f"People as found, not as labelled: {', '.join(found)}.")
    return " ".join(texts)


def draw(sets: Sequence[Described], picture: Picture) -> Any:
    """Draw the histograms of all sets over each other: what percentage falls into each bin.

    A mark on the axis is the mean of a set.

    Returns
    -------
    Figure or None
        None where no set has a face.
    """
    named = [(one, picture.values(one.faces)) for one in sets if one.faces is not None]
    named = [(one, values) for one, values in named if len(values)]
    if not named:
        return None
    bins = edges([values for _, values in named])
    figure = new_figure(7, 3.2 + 0.2 * len(named))
    axes = figure.subplots()
    tidy(axes)
    several = len({one.model for one, _ in named}) > 1 and picture.name == "quality"
    for i, (one, values) in enumerate(named):
        look, mean = style(i), float(values.mean(dtype=np.float64))
        whose = f"{one.name} by {one.model}" if several else one.name
        name = f"{as_label(whose)}: n = {len(values):,}, mean {mean:.4f}"
        axes.stairs(percent(values, bins), bins, linewidth=1.8, **look)
        look["marker"] = MARKERS[i % len(MARKERS)]
        axes.plot([mean], [0], linewidth=1.8, label=name, clip_on=False, zorder=3, **look)
    axes.set_xlim(bins[0], bins[-1])
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", integer=True, steps=[1, 2, 5, 10])
    axes.set_xlabel(picture.axis, color=INK)
    axes.set_ylabel(f"{picture.unit}, %", color=INK)
    axes.set_title(picture.title, loc="left", color=INK)
    figure.legend(loc="outside lower left", fontsize="small", frameon=False, handlelength=4.5)
    return figure


def edges(values: Sequence[Array]) -> Float64:
    """Return edges of bins that all sets share: round numbers, at most ``MOST_BINS`` bins.

    Parameters
    ----------
    values : sequence of float arrays
        Of one set each, not empty.

    Returns
    -------
    float64, shape (bins + 1,)
        Rising; every value lies between the first and the last.
    """
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    least = max(high - low, 1e-3) / (MOST_BINS - 2)  # the ends may need a bin more each
    power = 10.0 ** np.floor(np.log10(least))
    width = next(step * power for step in STEPS if step * power >= least)
    first, last = np.floor(low / width), np.floor(high / width) + 1
    first -= first * width > low  # the quotient is rounded
    return np.asarray(np.arange(first, last + 1) * width)


def percent(values: Array, bins: Array) -> Float64:
    """Return the percentage of values in each bin, float64 (bins,): 100 together."""
    return np.asarray(np.histogram(values, bins)[0] * 100 / len(values))


def as_dict(one: Described) -> dict[str, Any]:
    """Return a row of ``stats.csv``: what was counted and measured, and what the paper says."""
    own = {name: getattr(one, name) for name in MEASURES}
    printed = {} if one.printed is None else one.printed._asdict()
    said = {
        f"paper_{name}": printed.get(name) for name in ("tracks", "people", "seconds", "quality")
    }
    facts = {"set": one.name, "kind": one.kind, "model": one.model or None}
    return {**facts, **own, "seconds_from": one.seconds_from or None, **said}


def _write_csv(sets: Sequence[Described], path: Path) -> None:
    rows = [as_dict(one) for one in sets]
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _write_crops(sets: Sequence[Described], path: Path) -> None:
    tables = [_crop_table(one.name, one.faces) for one in sets if one.faces is not None]
    if not tables:
        path.unlink(missing_ok=True)
        return
    with replacing(path) as temporary:
        pq.write_table(pa.concat_tables(tables), temporary, compression="zstd")


def _crop_table(name: str, faces: FaceMeasures) -> pa.Table:
    columns = {column: pa.array(values) for column, values in vars(faces).items()}
    names = pa.array([name] * len(faces.track), pa.string())
    return pa.table({"set": names, **columns})
