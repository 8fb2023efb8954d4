"""Queries against sets of frames, looked at one by one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoclusternet.errors import ConfigError
from videoclusternet.query.evaluate import Reach, Stage, evaluate
from videoclusternet.query.intervals import Intervals, intersection, union
from videoclusternet.query.language import And, Anybody, Node, Not, Or, Who

FRAMES = 24
NAMES = ("A", "B", "C", "D")
sets = st.sets(st.integers(0, FRAMES - 1))
ticks = st.lists(st.integers(1, 6), min_size=FRAMES, max_size=FRAMES).map(np.cumsum)
"""When the frames of a film of varying rate are shown."""


def intervals(frames: set[int]) -> Intervals:
    return Intervals.where(np.isin(np.arange(FRAMES), list(frames)))


def frames_of(found: Intervals) -> set[int]:
    assert all(a < b for a, b in found)
    assert all(a[1] < b[0] for a, b in pairwise(found))
    assert found.first.dtype == found.end.dtype == np.int64
    return {frame for first, end in found for frame in range(first, end)}


@given(st.lists(sets, min_size=1, max_size=5))
def test_sets_of_frames(some: list[set[int]]) -> None:
    found = [intervals(one) for one in some]
    assert [frames_of(one) for one in found] == some
    assert frames_of(union(found)) == set.union(*some)
    assert frames_of(intersection(found)) == set.intersection(*some)
    assert frames_of(found[0].outside(FRAMES)) == set(range(FRAMES)) - some[0]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-2, 8)), max_size=8))
def test_any_intervals_are_their_frames(some: list[tuple[int, int]]) -> None:
    first = np.array([a for a, _ in some], dtype=np.int32)
    end = first + np.array([n for _, n in some], dtype=np.int32)
    expected = {f for a, n in some for f in range(a, a + n)}
    assert frames_of(Intervals.of(first, end)) == expected


def test_no_set_and_no_frame() -> None:
    assert frames_of(union([])) == set()
    assert len(intervals(set())) == 0
    assert list(intervals(set()).outside(0)) == []


@given(sets, ticks, st.integers(0, 30))
def test_frames_that_come_soon_before_or_after(some: set[int], at: np.ndarray, reach: int) -> None:
    found, every = intervals(some), range(FRAMES)
    later = {f for f in every if any(g <= f and at[f] - at[g] <= reach for g in some)}
    sooner = {f for f in every if any(f <= g and at[g] - at[f] <= reach for g in some)}
    assert frames_of(found.later(at, reach)) == later
    assert frames_of(found.sooner(at, reach)) == sooner


def trees(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.one_of(some.map(And), some.map(Or), children.map(Not))


nodes = st.recursive(
    st.one_of(st.sampled_from(NAMES).map(Who), st.just(Anybody())), trees, max_leaves=6
)


def holds(node: Node, frame: int, so: Callable[[Node], set[int]], near: np.ndarray) -> bool:
    """Whether a query is so in a frame, by its definition.

    ``near`` says of two frames whether they lie within the reach of each other.
    """
    if isinstance(node, Not):
        return frame not in so(node.part)
    if isinstance(node, Or):
        return any(frame in so(part) for part in node.parts)
    if not isinstance(node, And):
        return frame in so(node)
    if any(frame in so(part.part) for part in node.parts if isinstance(part, Not)):
        return False
    here = [so(part) for part in node.parts if not isinstance(part, Not)]
    if not here:
        return True
    return any(
        frame in one and _gathered([frame], [o for o in here if o is not one], near) for one in here
    )


def _gathered(chosen: list[int], others: list[set[int]], near: np.ndarray) -> bool:
    """Whether a frame of each other set can be chosen, all of them near each other."""
    if not others:
        return True
    return any(
        _gathered([*chosen, frame], others[1:], near)
        for frame in others[0]
        if all(near[frame, c] for c in chosen)
    )


@settings(deadline=None)
@given(nodes, st.lists(sets, min_size=4, max_size=4), sets, ticks, st.integers(0, 12))
def test_queries_are_what_they_say(
    tree: Node, some: list[set[int]], anybody: set[int], at: np.ndarray, reach: int
) -> None:
    people = dict(zip(NAMES, some, strict=True))
    near = np.abs(at[:, None] - at) <= reach
    known: dict[int, set[int]] = {}

    def so(node: Node) -> set[int]:
        if isinstance(node, Who):
            return people[node.name]
        if isinstance(node, Anybody):
            return anybody
        if id(node) not in known:
            known[id(node)] = {f for f in range(FRAMES) if holds(node, f, so, near)}
        return set(known[id(node)])

    stage = Stage(at, {n: intervals(s) for n, s in people.items()}, intervals(anybody), reach)
    assert frames_of(evaluate(tree, stage)) == so(tree)


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("2", Reach(Fraction(2))),
        ("2s", Reach(Fraction(2))),
        (" 2.5 S", Reach(Fraction(5, 2))),
        (".1", Reach(Fraction(1, 10))),
        ("2.", Reach(Fraction(2))),
        ("500ms", Reach(Fraction(1, 2))),
        ("48f", Reach(Fraction(48), True)),
        ("0", Reach()),
    ],
)
def test_a_reach_is_exact(text: str, reach: Reach) -> None:
    assert Reach.read(text) == reach


@pytest.mark.parametrize(
    "text", ["", "s", "-1", "2 m", "1.5f", "1e3", "nan", "2s2", "9" * 5000, "٣"]
)
def test_what_is_no_reach_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="as 2, 2s, 500ms or 48f"):
        Reach.read(text)
