"""What methods that learn an embedding share, and the pairs of TSiam and SSiam."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.toy_films import (
    QUICK,
    WIDTH,
    couples,
    film,
    given,
)
from videoclusternet_bench.methods.embedding_net import Groups, Pairs, contrastive, descend
from videoclusternet_bench.methods.ssiam import SSiamSettings, ranked_pairs, sure_pairs
from videoclusternet_bench.methods.tsiam import TSiamSettings, opponents, track_pairs

Array = NDArray[Any]


def test_contrastive_loss_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 20, 3)) * 0.5
    same = rng.random(20) < 0.5
    total = 0.0
    for i in range(20):
        d = np.sqrt(sum((a[i, k] - b[i, k]) ** 2 for k in range(3)))
        total += d**2 if same[i] else max(0.8 - d, 0) ** 2
    tensors = (torch.from_numpy(v) for v in (a, b, same))
    assert float(contrastive(*tensors, margin=0.8)) == pytest.approx(total / 20)


def test_a_pair_in_one_place_has_a_finite_gradient() -> None:
    a = torch.ones(2, 3, requires_grad=True)
    contrastive(a, torch.ones(2, 3), torch.tensor([True, False])).backward()  # type: ignore[no-untyped-call]
    assert a.grad is not None and torch.isfinite(a.grad).all()


def test_descent_passes_over_empty_batches() -> None:
    net = torch.nn.Linear(2, 2)
    before = net.weight.detach().clone()
    none = np.zeros(0, dtype=np.int64)
    descend(net, torch.ones(3, 2), [Pairs(none, none, none.astype(bool))], QUICK)
    assert torch.equal(net.weight, before)


def test_groups_draw_whom_they_should() -> None:
    group = np.array([2, 0, 2, 3, 0, 2, 3, 0, 5])
    groups, rng = Groups.of(group, 6), np.random.default_rng(0)
    items = np.tile(np.arange(len(group)), 60)
    member = groups.member(group[items], rng)
    another, outside = groups.another(items, rng), groups.outside(items, rng)
    assert (group[member] == group[items]).all() and (group[another] == group[items]).all()
    assert (group[outside] != group[items]).all()
    alone = group[items] == 5
    assert (another[alone] == items[alone]).all() and (another[~alone] != items[~alone]).all()
    for i in range(len(group)):
        mates = set(np.flatnonzero(group == group[i]))
        assert set(member[items == i]) == mates
        assert set(another[items == i]) == (mates - {i} or {i})
        assert set(outside[items == i]) == set(range(len(group))) - mates


def test_opponents_share_a_frame_or_are_farthest() -> None:
    one, _ = film(1)
    track, opponent = opponents(one, TSiamSettings(farthest=3))
    sure = {(a, b) for a, b in one.apart.tolist()} | {(b, a) for a, b in one.apart.tolist()}
    met = {a for a, _ in sure}
    assert 0 < len(met) < one.tracks
    for t in range(one.tracks):
        found = set(opponent[track == t].tolist())
        if t in met:
            assert found == {b for a, b in sure if a == t}
        else:
            distance = [float(np.sum((one.means[t] - mean) ** 2)) for mean in one.means]
            assert found == set(np.argsort(distance)[-3:].tolist())


@pytest.mark.parametrize(("tracks", "each"), [(3, 0), (4, 1), (11, 2)])
def test_without_tracks_apart_few_are_held_against_each(tracks: int, each: int) -> None:
    x = np.random.default_rng(0).normal(size=(tracks, WIDTH))
    track, opponent = opponents(given(x, np.arange(tracks)))
    assert np.bincount(track, minlength=tracks).tolist() == [each] * tracks
    assert (track != opponent).all()


def test_track_pairs_take_every_crop_once_an_epoch() -> None:
    one, _ = film(1, crops=3)
    settings = TSiamSettings(epochs=1, batch=20)
    batches = list(track_pairs(one, 0, settings))
    seen = np.concatenate([p.first[p.same] for p in batches])
    assert sorted(seen.tolist()) == list(range(len(one.track)))
    allowed = couples(*opponents(one, settings))
    for pairs in batches:
        first, second = one.track[pairs.first], one.track[pairs.second]
        assert (first[pairs.same] == second[pairs.same]).all()
        assert (pairs.first != pairs.second).all() and len(pairs.same) <= 20
        assert couples(first[~pairs.same], second[~pairs.same]) <= allowed
    again, other = (next(track_pairs(one, seed, settings)) for seed in (0, 1))
    assert np.array_equal(again.second, batches[0].second)
    assert not np.array_equal(other.second, batches[0].second)


def test_ranked_pairs_are_those_of_a_slow_search() -> None:
    x = film(1, crops=2, by_crop=1.0)[0].crops[:40]
    distance = np.array([[float(np.sum((a - b) ** 2)) for b in x] for a in x])
    near, far = [], []
    for i in range(len(x)):
        others = [j for j in range(len(x)) if j != i]
        j = min(others, key=lambda j: distance[i, j])
        near.append((-distance[i, j], i, j))
        j = max(others, key=lambda j: distance[i, j])
        far.append((distance[i, j], i, j))
    pairs = ranked_pairs(x, 10)
    expected = [v[1:] for v in sorted(near)[:10]] + [v[1:] for v in sorted(far)[:10]]
    assert pairs.same.tolist() == [True] * 10 + [False] * 10
    assert couples(pairs.first, pairs.second) == set(expected)
    assert pairs.first[0] == expected[0][0] or pairs.second[0] == expected[0][0]
    assert len(ranked_pairs(x[:1], 1).first) == 0


def test_sure_pairs_make_as_many_steps_as_there_are_batches() -> None:
    crops = film(1, crops=3)[0].crops
    settings = SSiamSettings(epochs=2, batch=32, draw=50)
    batches = list(sure_pairs(crops, 0, settings))
    assert len(batches) == 2 * -(-len(crops) // 32)
    assert all(len(p.first) == 32 and p.same.sum() == 16 for p in batches)
    assert len({tuple(p.first) for p in batches}) > 1
    assert max(len(np.unique(np.r_[p.first, p.second])) for p in batches) <= 50
