"""Who is taken for whom: people by found clusters, right ones on the diagonal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from videoclusternet.types.arrays import Array, Bools, Ints
from videoclusternet_bench.pictures.looks import WRONG, short
from videoclusternet_bench.pictures.shown import Shown
from videoclusternet_bench.tables.drawing import INK, PALE, as_label

MOST = 40
"""Rows and columns; the smallest beyond share the last one."""
CELL = 0.3
"""Inches."""
MAP = "Blues"
"""Light to dark in one hue: read by all, and in grey."""


@dataclass(frozen=True)
class Confusion:
    """A table to be drawn.

    Attributes
    ----------
    count : int, shape (R, C)
        Tracks.
    rows, columns : tuple of str
    right : bool, shape (R, C)
        Where all tracks are in the cluster matched to their person.
    part : bool, shape (R, C)
        Where none is in a cluster of somebody else: right, split off or Unknown.
    """

    count: Ints
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    right: Bools
    part: Bools


def confusion(shown: Shown, most: int = MOST) -> Confusion:
    """Count people by clusters.

    Rows are people, those with a cluster first, columns their clusters in the same order,
    then those of nobody, largest first, and Unknown.  Beyond ``most``, small ones that are
    matched to nobody, then the smallest, share one row or column.

    Parameters
    ----------
    shown : Shown
    most : int
        Rows and columns at most.
    """
    m = shown.matched
    mine = np.flatnonzero(m.table.any(axis=0))
    first = [int(p) for p in m.match[mine] if p >= 0]
    order = np.array([*first, *(p for p in range(len(m.people)) if p not in first)], dtype=int)
    rows = [f"{m.people[p]} ({int(m.table[p].sum() + m.unknown[p])})" for p in order]
    columns = [f"{int(m.clusters[k]) + 1}" for k in mine]
    count = m.table[order][:, mine]
    right = count * (m.match[mine] == order[:, None])
    part = count * (m.owner[mine] == order[:, None])
    lost = int(m.unknown.any())
    if lost:
        columns.append("Unknown")
        unknown = m.unknown[order]
        more = (unknown, np.zeros_like(unknown), unknown)
        count, right, part = (
            np.column_stack(pair) for pair in zip((count, right, part), more, strict=True)
        )
    layers = np.stack([count, right, part])
    layers, rows = _collapsed(layers, rows, most, "people")
    turned, columns = _collapsed(layers.swapaxes(1, 2), columns, most, "clusters", lost)
    count, right, part = turned.swapaxes(1, 2)
    return Confusion(count, tuple(rows), tuple(columns), right == count, part == count)


def _collapsed(
    layers: Array, names: list[str], most: int, what: str, stay: int = 0
) -> tuple[Array, list[str]]:
    """Let all rows (axis 1) beyond ``most`` share one; some at the end stay as they are."""
    stop = len(names) - stay
    if stop <= most:
        return layers, names
    keep = most - 1
    shared = layers[:, keep:stop].sum(axis=1, keepdims=True)
    layers = np.concatenate([layers[:, :keep], shared, layers[:, stop:]], axis=1)
    return layers, [*names[:keep], f"others ({stop - keep} {what})", *names[stop:]]


def draw_confusion(shown: Shown) -> Figure:
    """Draw it: shade says how large a share of the person, numbers count tracks."""
    from matplotlib import colormaps

    table = confusion(shown)
    rows, columns = table.count.shape
    label = 0.075 * max((len(short(r, 24)) for r in table.rows), default=1) + 0.35
    foot = 0.075 * max((len(c) for c in table.columns), default=1) + 0.55
    width = max(columns * CELL + label + 0.1, 4.0)
    height = rows * CELL + foot + 0.35
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes(
        (label / width, foot / height, columns * CELL / width, rows * CELL / height)
    )
    share = table.count / np.maximum(table.count.sum(axis=1, keepdims=True), 1)
    shades = colormaps[MAP]
    for r, c in np.argwhere(table.count > 0):
        right = bool(table.right[r, c])
        shade = shades(0.12 + 0.75 * share[r, c])
        axes.add_patch(Rectangle((c, r), 1, 1, facecolor=shade, edgecolor="white"))
        if not right:
            mark = "" if table.part[r, c] else "/////"
            axes.add_patch(
                Rectangle(
                    (c + 0.07, r + 0.07), 0.86, 0.86,
                    fill=False, edgecolor=WRONG, linewidth=1.4, hatch=mark,
                )
            )  # fmt: skip
        ring = {"boxstyle": "circle,pad=0.1", "facecolor": shade, "edgecolor": "none"}
        axes.text(
            c + 0.5, r + 0.5, str(int(table.count[r, c])),
            ha="center", va="center", fontsize=7.5,
            color="white" if share[r, c] > 0.55 else INK,
            fontweight="normal" if right else "bold",
            bbox=None if right else ring,
        )  # fmt: skip
    _frame(axes, table)
    axes.set_title(as_label(shown.title, 120), fontsize=9, color=INK, loc="left")
    return figure


def _frame(axes: Any, table: Confusion) -> None:
    rows, columns = table.count.shape
    axes.set_xlim(0, max(columns, 1))
    axes.set_ylim(max(rows, 1), 0)
    axes.set_xticks(np.arange(columns) + 0.5, table.columns, rotation=90, fontsize=7.5)
    axes.set_yticks(np.arange(rows) + 0.5, [short(r, 24) for r in table.rows], fontsize=7.5)
    axes.set_xticks(np.arange(columns + 1), minor=True)
    axes.set_yticks(np.arange(rows + 1), minor=True)
    axes.grid(which="minor", color=PALE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, colors=INK)
    axes.set_xlabel("found cluster", fontsize=8, color=INK)
    for side in axes.spines.values():
        side.set_color(PALE)
