"""Pairs that must and must not meet: groups, restriction, contradiction, against loops."""

from __future__ import annotations

import numpy as np
import pytest

from tests import tables
from videoclusternet.errors import ConfigError, ContradictionError
from videoclusternet.types import Constraints
from videoclusternet.types.constraints import distinct


def closure(count: int, pairs: list[tuple[int, int]]) -> list[set[int]]:
    """Groups by Warshall's loop over all triples."""
    one = np.eye(count, dtype=bool)
    for a, b in pairs:
        one[a, b] = one[b, a] = True
    for k in range(count):
        for i in range(count):
            for j in range(count):
                one[i, j] |= one[i, k] and one[k, j]
    return [set(np.flatnonzero(row).tolist()) for row in one]


def drawn(seed: int, count: int = 14) -> Constraints:
    rng = np.random.default_rng(seed)
    together = rng.choice(count, (5, 2))
    groups = closure(count, [(int(a), int(b)) for a, b in together])
    pairs = [(a, b) for a in range(count) for b in range(a) if b not in groups[a]]
    apart = rng.choice(np.array(pairs), 6, replace=False)
    return tables.known(count, apart, together)


@pytest.mark.parametrize("seed", range(10))
def test_groups_equal_the_closure(seed: int) -> None:
    known = drawn(seed)
    groups = closure(14, [(int(a), int(b)) for a, b in known.together])
    for track in range(14):
        assert set(np.flatnonzero(known.group == known.group[track]).tolist()) == groups[track]
    first = [int(np.flatnonzero(known.group == g)[0]) for g in range(known.group.max() + 1)]
    assert first == sorted(first)


@pytest.mark.parametrize("seed", range(10))
def test_what_follows_over_tracks_that_are_left_out_still_holds(seed: int) -> None:
    known = drawn(seed)
    keep = np.sort(np.random.default_rng(seed + 99).choice(14, 8, replace=False))
    few = known.inside(keep)
    assert few.tracks == 8

    def apart(constraints: Constraints, a: int, b: int) -> bool:
        one, other = constraints.group[a], constraints.group[b]
        pairs = np.sort(constraints.group[constraints.apart], axis=1)
        return bool((pairs == sorted((one, other))).all(axis=1).any())

    for i, a in enumerate(keep.tolist()):
        for j, b in enumerate(keep.tolist()):
            assert (few.group[i] == few.group[j]) == (known.group[a] == known.group[b])
            assert apart(few, i, j) == apart(known, a, b)


def test_a_contradiction_names_the_two() -> None:
    with pytest.raises(ContradictionError, match="tracks 4 and 1 are said to be one") as told:
        tables.known(6, apart=[[0, 5], [4, 1]], together=[[1, 2], [2, 4]])
    assert isinstance(told.value, ConfigError)
    one, other = tables.known(6, apart=[[0, 5]]), tables.known(6, together=[[5, 0]])
    with pytest.raises(ContradictionError, match="tracks 0 and 5"):
        one.and_those(other)


def test_overlapping_tracks_are_two_people() -> None:
    tracks = tables.tracks([(0, 0, 9), (0, 5, 12), (1, 13, 20), (1, 30, 40)])
    met = Constraints.of_overlaps(tracks)
    assert met.apart.tolist() == tracks.overlapping().tolist() == [[0, 1]]
    assert met.tracks == 4 and not len(met.together)
    both = met.and_those(tables.known(4, [[2, 3]], [[0, 2]]))
    assert both.apart.tolist() == [[0, 1], [2, 3]] and both.together.tolist() == [[0, 2]]


def test_a_track_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="out of range"):
        tables.known(3, [[0, 3]])


def test_nothing_is_known() -> None:
    none = Constraints.none(3)
    assert none.group.tolist() == [0, 1, 2] and none.inside(np.array([0, 2])).tracks == 2
    assert Constraints.none(0).group.tolist() == []


@pytest.mark.parametrize("count", [0, 1, 40])
def test_distinct_pairs_equal_a_set_of_them(count: int) -> None:
    pairs = np.random.default_rng(count).integers(0, 5, (count, 2)).astype(np.int32)
    found = [tuple(pair) for pair in distinct(pairs).tolist()]
    assert found == sorted({(min(pair), max(pair)) for pair in pairs.tolist()})
