"""Tables of heat: who appears with whom, and who in which part; in each cell stands its number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from videoclusternet.report.members import Member
from videoclusternet.report.together import Part, Together
from videoclusternet.result.described import Film
from videoclusternet.show.timeline import second_of
from videoclusternet.show.words import span
from videoclusternet.types.arrays import Float64

TONES = 5
"""Of heat, from pale to full; nothing has none."""
MINUTES = 600.0
"""A table in which something lasts longer counts in minutes, s."""


@dataclass(frozen=True)
class Cell:
    """A cell of a heat table: its tone from 0, what stands in it, what it says of itself."""

    tone: int
    text: str
    title: str


def unit_of(seconds: Float64) -> str:
    """Return in which unit a table counts: ``s`` or ``min``."""
    return "min" if seconds.max(initial=0) >= MINUTES else "s"


def tone(value: float, most: float) -> int:
    """Return how dark a value is, 0 for nothing; the eye tells small ones apart by their root."""
    return max(1, round(TONES * math.sqrt(min(value / most, 1.0)))) if value > 0 else 0


def cell_text(seconds: float, unit: str) -> str:
    """Write a time in two or three letters; what is there is never nothing."""
    value = seconds / 60 if unit == "min" else seconds
    if value <= 0:
        return ""
    if value < 0.05:
        return "0+"
    return f"{value:.1f}" if round(value, 1) < 10 else f"{value:.0f}"


def shared_cells(cast: Sequence[Member], found: Together) -> list[list[Cell]]:
    """Return the cells of who appears with whom; on the diagonal, how long one is alone."""
    count = len(cast)
    seconds = found.seconds[:count, :count] * (1 - np.eye(count))
    every = seconds + np.diag(found.alone[:count])
    unit, most = unit_of(every), float(seconds.max(initial=0)) or 1.0
    rows = []
    for a in range(count):
        row = []
        for b in range(count):
            text = cell_text(every[a, b], unit)
            if a == b:
                title = f"{cast[a].short} alone: {span(every[a, a])}" if text else ""
                row.append(Cell(-1, text, title))
            else:
                title = in_common(cast[a], cast[b], found) if found.shots[a, b] else ""
                row.append(Cell(tone(seconds[a, b], most), text, title))
        rows.append(row)
    return rows


def in_common(one: Member, other: Member, found: Together) -> str:
    """Say how long two are in one picture, and in how many shots both are seen."""
    seconds = float(found.seconds[one.place, other.place])
    shots = int(found.shots[one.place, other.place])
    time = f"{span(seconds)} together, " if seconds > 0 else "never at one time, "
    return f"{one.short} and {other.short}: {time}{shots} shot{'' if shots == 1 else 's'} in common"


def part_cells(
    films: Sequence[Film], cast: Sequence[Member], parts: Sequence[Part], time: Float64
) -> list[list[Cell]]:
    """Return the cells of who is on screen how long in each part."""
    unit, most = unit_of(time), float(time.max(initial=0)) or 1.0
    return [
        [
            Cell(
                tone(time[one.place, p], most),
                cell_text(time[one.place, p], unit),
                f"{one.short}, {second_of(films[part.film], part.start)} "
                f"to {second_of(films[part.film], part.stop)}: "
                f"{span(time[one.place, p])}"
                if time[one.place, p] > 0
                else "",
            )
            for p, part in enumerate(parts)
        ]
        for one in cast
    ]
