"""Where a character would come apart, against an obvious oracle."""

from __future__ import annotations

import numpy as np
import pytest

from videoclusternet.review.splits import MOST, Split, splits
from videoclusternet.types import Merges


def log(*rows: tuple[int, int, float, float]) -> Merges:
    a, b, distance, threshold = (np.array(column) for column in zip(*rows, strict=True))
    return Merges(np.arange(1, len(rows) + 1), a, b, distance, threshold)


def oracle(
    merges: Merges, tracks: list[int], count: int
) -> list[tuple[list[int], list[int], float]]:
    """Replay the log with sets; every merge between tracks of the character, the weakest first."""
    group = {track: {track} for track in range(count)}
    found = []
    for row, (a, b) in enumerate(zip(merges.a.tolist(), merges.b.tolist(), strict=True)):
        one, two = group[a] & set(tracks), group[b] & set(tracks)
        if one and two and merges.distance[row] > 0:
            strain = float(merges.distance[row]) / float(merges.threshold[row])
            found.append((-strain, -row, one, two))
        both = group[a] | group[b]
        for track in both:
            group[track] = both
    result = []
    for _, row, one, two in sorted(found, key=lambda f: f[:2])[:MOST]:
        small = min((two, one), key=len)
        rest = set(tracks) - small
        leave, stay = sorted((small, rest), key=len)
        result.append((sorted(stay), sorted(leave), float(merges.distance[-row])))
    return result


def test_the_weakest_link_comes_first() -> None:
    merges = log((0, 1, 0.2, 1), (2, 3, 0.3, 1), (0, 2, 0.9, 1), (0, 4, 0.5, 1))
    first, *others = splits(merges, np.arange(5), 5)
    assert first == Split([0, 1, 4], [2, 3], (0, 2), pytest.approx(0.9), 1.0)
    assert [split.leave for split in others] == [[4], [3], [1]]


def test_each_merge_is_weighed_by_its_own_threshold() -> None:
    merges = log((0, 1, 0.4, 0.5), (0, 2, 0.6, 1.0))
    assert [split.leave for split in splits(merges, np.arange(3), 3)] == [[1], [2]]


def test_what_was_taken_out_or_put_in_by_hand_plays_no_part() -> None:
    merges = log((0, 1, 0.2, 1), (0, 2, 0.9, 1), (3, 4, 0.1, 1))
    assert [s.leave for s in splits(merges, np.array([0, 1]), 5)] == [[1]]
    (split,) = splits(merges, np.array([0, 1, 4]), 5)
    assert (split.stay, split.leave) == ([0, 4], [1])
    assert splits(merges, np.array([0, 3]), 5) == []
    assert splits(merges, np.array([2]), 5) == []


def test_tracks_that_had_to_meet_are_not_taken_apart() -> None:
    merges = log((0, 1, 0.0, np.inf), (0, 2, 0.5, 1))
    assert [s.leave for s in splits(merges, np.arange(3), 3)] == [[2]]


@pytest.mark.parametrize("seed", range(20))
def test_against_a_slow_replay(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 24
    root, rows = list(range(count)), []
    for _ in range(20):
        a, b = sorted(rng.choice(sorted(set(root)), 2, replace=False).tolist())
        root = [a if r == b else r for r in root]
        rows.append((a, b, float(rng.uniform(0.01, 1)), float(rng.uniform(0.5, 1.5))))
    merges = log(*rows)
    tracks = np.sort(rng.choice(count, rng.integers(1, count + 1), replace=False))
    found = splits(merges, tracks, count)
    wanted = oracle(merges, tracks.tolist(), count)
    assert len(found) == len(wanted)
    for split, (stay, leave, distance) in zip(found, wanted, strict=True):
        assert split.distance == pytest.approx(distance)
        if len(stay) != len(leave):
            assert (split.stay, split.leave) == (stay, leave)
        assert sorted([*split.stay, *split.leave]) == tracks.tolist()
