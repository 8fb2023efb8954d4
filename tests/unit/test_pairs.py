"""Partners of a track, and the pairs of crops of an epoch."""

from __future__ import annotations

import numpy as np
import pytest

from tests import tables
from videoclusternet.adapt.pairs import (
    Partners,
    draw_epoch,
    grouped,
    jaccard,
    linked,
    no_partners,
    pairs_together,
)

TRACK = np.repeat(np.arange(5), [3, 1, 4, 2, 2])
"""Crops of five tracks, the second of which has only one."""
ALL = np.ones(5, dtype=bool)


def listed(partners: Partners) -> list[list[int]]:
    return [sorted(partners.of(t).tolist()) for t in range(len(partners))]


def draw(
    partners: Partners,
    kept: np.ndarray = ALL,
    anchors: int = 0,
    own_share: float = 0.0,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return draw_epoch(TRACK, partners, kept, anchors, own_share, rng)


# --- partners --------------------------------------------------------------------------


def test_matches_make_partners_in_both_directions() -> None:
    partners = linked(np.array([0, 3, 0, 2]), np.array([2, 0, 3, 0]), 5)
    assert listed(partners) == [[2, 3], [], [0], [0], []]
    assert len(partners) == 5


def test_clusters_make_partners() -> None:
    partners = grouped(np.array([1, 0, 1, -1, 1]))
    assert listed(partners) == [[2, 4], [], [0, 4], [], [0, 2]]
    # Two tracks that are set aside are no company.
    assert listed(grouped(np.array([-1, -1, 0]))) == [[], [], []]


def test_nobody_has_partners_at_first() -> None:
    assert listed(no_partners(3)) == [[], [], []]
    nothing = np.empty(0, dtype=np.int32)
    assert listed(linked(nothing, nothing, 3)) == [[], [], []]
    assert len(grouped(nothing)) == len(no_partners(0)) == 0


def test_jaccard_index_of_the_pairs_of_two_rounds() -> None:
    one = linked(np.array([0, 1]), np.array([1, 2]), 4)
    two = linked(np.array([0, 2]), np.array([1, 3]), 4)
    assert jaccard(one, two) == pytest.approx(1 / 3)
    assert jaccard(one, one) == jaccard(no_partners(4), no_partners(4)) == 1
    assert jaccard(one, no_partners(4)) == 0


# --- pairs of an epoch -----------------------------------------------------------------


def test_every_kept_crop_is_an_anchor_once() -> None:
    kept = np.array([True, True, False, True, True])
    anchor, partner = draw(no_partners(5), kept)
    assert sorted(anchor.tolist()) == np.flatnonzero(TRACK != 2).tolist()
    assert not (TRACK[partner] == 2).any()
    assert anchor.tolist() != sorted(anchor.tolist())


def test_partner_is_another_crop_of_the_own_track() -> None:
    drawn = set()
    for seed in range(60):
        anchor, partner = draw(no_partners(5), seed=seed)
        assert np.array_equal(TRACK[anchor], TRACK[partner])
        lone = TRACK[anchor] == 1
        assert np.array_equal(anchor[lone], partner[lone])
        assert (anchor[~lone] != partner[~lone]).all()
        drawn |= set(zip(anchor.tolist(), partner.tolist(), strict=True))
    # Every other crop comes up: 3 * 2 + 1 + 4 * 3 + 2 * 1 + 2 * 1 pairs.
    assert len(drawn) == 23


def test_partner_is_a_crop_of_a_partner_track() -> None:
    partners = linked(np.array([0, 0]), np.array([2, 3]), 5)
    for seed in range(20):
        anchor, partner = draw(partners, seed=seed)
        for a, b in zip(TRACK[anchor].tolist(), TRACK[partner].tolist(), strict=True):
            assert b in (partners.of(a).tolist() or [a])


def test_partner_tracks_come_up_alike_however_many_crops_they_have() -> None:
    partners = linked(np.array([1, 1]), np.array([2, 3]), 5)  # four crops and two
    seen = np.zeros(len(TRACK), dtype=int)
    for seed in range(2000):
        anchor, partner = draw(partners, seed=seed)
        seen[partner[TRACK[anchor] == 1]] += 1
    # 2000 draws: four standard deviations are 89 for a track, 66 for a crop.
    assert np.abs(seen[TRACK == 2] - 250).max() < 66
    assert np.abs(seen[TRACK == 3] - 500).max() < 80
    assert abs(seen[TRACK == 2].sum() - 1000) < 90 and seen.sum() == 2000


def test_share_of_anchors_that_keep_to_their_track() -> None:
    partners = linked(np.array([2]), np.array([3]), 5)
    own = [
        TRACK[partner[TRACK[anchor] == 2]] == 2
        for anchor, partner in (draw(partners, own_share=0.3, seed=seed) for seed in range(1000))
    ]
    assert np.mean(own) == pytest.approx(0.3, abs=0.03)
    anchor, partner = draw(partners, own_share=1.0)
    assert np.array_equal(TRACK[anchor], TRACK[partner])


def test_anchors_of_a_track_are_limited_and_change() -> None:
    anchor, _ = draw(no_partners(5), anchors=2)
    assert np.bincount(TRACK[anchor]).tolist() == [2, 1, 2, 2, 2]
    some = {tuple(sorted(draw(no_partners(5), anchors=2, seed=s)[0].tolist())) for s in range(30)}
    assert len(some) > 5


def test_same_seed_same_pairs() -> None:
    partners = grouped(np.array([0, 0, 1, 1, 1]))
    one, two, other = (draw(partners, own_share=0.5, seed=s) for s in (3, 3, 4))
    assert np.array_equal(one, two) and not np.array_equal(one, other)


def test_nobody_kept_no_pair() -> None:
    anchor, partner = draw(no_partners(5), ~ALL)
    assert len(anchor) == len(partner) == 0


def test_pairs_together_are_of_tracks_that_take_part_and_closed() -> None:
    known = tables.known(7, together=[[0, 1], [1, 2], [4, 5]])
    a, b = pairs_together(known, np.array([0, 2, 3, 4, 6]))
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == [(0, 2)]
    a, b = pairs_together(known, np.arange(7))
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2), (4, 5)]
    assert [len(x) for x in pairs_together(tables.known(7), np.arange(7))] == [0, 0]
