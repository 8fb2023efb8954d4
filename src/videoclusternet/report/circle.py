"""Who appears with whom, as a circle: neighbours share much, lines are as thick as their time."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from videoclusternet.report.heat import in_common
from videoclusternet.report.members import Member
from videoclusternet.report.together import Together
from videoclusternet.types.arrays import Float64

RING = 205
"""Radius of the circle."""
DISC = 26
"""Radius of the largest picture on it."""
LINES = 60
"""Pairs that a line joins, the longest together: more are a tangle."""
LETTER, WIDE = 11.0, 15.0
"""Width of a letter of a name, and of one as wide as high: capitals that go on and on fit."""


@dataclass(frozen=True)
class Node:
    """A member on the circle: place, turn of its name in degrees, scale of its picture."""

    member: Member
    x: float
    y: float
    turn: float
    ends: bool
    scale: float


@dataclass(frozen=True)
class Edge:
    """Two who appear together: path, width, and what it says of itself."""

    path: str
    width: float
    title: str


def pairs_of(cast: Sequence[Member], found: Together, most: int) -> list[tuple[Member, Member]]:
    """Return the pairs that are on screen together longest, at most so many."""
    a, b = np.triu_indices(len(cast), 1)
    shared = found.seconds[a, b]
    best = np.argsort(-shared, kind="stable")[:most]
    return [(cast[a[i]], cast[b[i]]) for i in best.tolist() if shared[i] > 0]


def graph(cast: Sequence[Member], found: Together) -> tuple[int, list[Node], list[Edge]]:
    """Set members on a circle, each beside whom it is seen with most.

    Returns
    -------
    side : int
        Of the drawing, in the middle of which the circle is.
    nodes : list of Node
    edges : list of Edge
        The thickest last.
    """
    longest = max((_width(one.short) for one in cast), default=0.0)
    side = round(2 * (RING + DISC + 12 + longest))
    order = _around(found.seconds[: len(cast), : len(cast)])
    most = max((one.character.seconds for one in cast), default=0.0) or 1.0
    nodes: dict[int, Node] = {}
    for step, place in enumerate(order):
        turn = 360 * step / len(order) - 90
        x, y = (side / 2 + RING * f(math.radians(turn)) for f in (math.cos, math.sin))
        scale = max(0.45, math.sqrt(cast[place].character.seconds / most))
        scale *= min(1.0, math.pi * RING / len(order) / DISC)
        ends = 90 < turn % 360 < 270  # on the left side names are turned to be read
        nodes[place] = Node(cast[place], x, y, turn + (180 if ends else 0), ends, scale)
    return side, [nodes[place] for place in order], _edges(cast, found, nodes, side / 2)


def _width(name: str) -> float:
    """Return how wide a name is at most, about."""
    return sum(WIDE if unicodedata.east_asian_width(one) in "WF" else LETTER for one in name)


def _edges(
    cast: Sequence[Member], found: Together, nodes: dict[int, Node], centre: float
) -> list[Edge]:
    pairs = pairs_of(cast, found, LINES)
    longest = max((found.seconds[a.place, b.place] for a, b in pairs), default=1.0)
    edges = []
    for a, b in reversed(pairs):
        one, other = nodes[a.place], nodes[b.place]
        middle = [(0.35 * (p + q) / 2 + 0.65 * centre) for p, q in _axes(one, other)]
        path = (
            f"M{one.x:.1f} {one.y:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {other.x:.1f} {other.y:.1f}"
        )
        width = 0.5 + 11.5 * math.sqrt(found.seconds[a.place, b.place] / longest)
        edges.append(Edge(path, width, in_common(a, b, found)))
    return edges


def _axes(one: Node, other: Node) -> tuple[tuple[float, float], tuple[float, float]]:
    return (one.x, other.x), (one.y, other.y)


def _around(seconds: Float64) -> list[int]:
    """Return an order in which neighbours share much: always the one nearest to the last."""
    left = list(range(len(seconds)))
    order = left[:1]
    left = left[1:]
    while left:
        nearest = max(left, key=lambda one: (seconds[order[-1], one], -one))
        left.remove(nearest)
        order.append(nearest)
    return order
