"""JFAC: labels by a random field, and finetuning, in turns."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.toy_films import (
    PEOPLE,
    WIDTH,
    better,
    film,
    given,
    pairwise_f,
    told,
)
from videoclusternet_bench.methods.jfac import JfacSettings, infer, jfac, label_pairs, settle, unary

Array = NDArray[Any]


def test_unary_is_minus_the_log_density() -> None:
    rng = np.random.default_rng(0)
    track = np.repeat(np.arange(6), 3)
    label, x = np.array([0, 1, 1, 2, 0, 1]), rng.normal(size=(18, 4))
    got = unary(x, track, label, 3, 5.0)
    own = label[track]
    mean = [x[own == k].mean(0) for k in range(3)]
    common = np.mean([(x[i] - mean[own[i]]) ** 2 for i in range(18)], axis=0) + 1e-6
    expected = np.zeros((6, 3))
    for i, k in itertools.product(range(18), range(3)):
        mine = x[own == k]
        variance = (((mine - mean[k]) ** 2).sum(0) + 5.0 * common) / (len(mine) + 5.0)
        for axis in range(4):
            error = (x[i, axis] - mean[k][axis]) ** 2 / variance[axis]
            expected[track[i], k] += 0.5 * (error + np.log(variance[axis]))
    assert np.allclose(got, expected, atol=1e-4)


def test_settling_parts_tracks_apart_and_lowers_the_energy() -> None:
    rng = np.random.default_rng(0)
    cost, label = rng.normal(size=(12, 3)), rng.permutation(np.repeat(np.arange(3), 4))
    apart = np.array([(0, 1), (1, 2), (2, 0), (3, 4), (5, 0)])
    weight = np.ptp(cost) + 1

    def energy(of: Array) -> float:
        clashes = sum(of[a] == of[b] for a, b in apart)
        return float(sum(cost[t, of[t]] for t in range(12)) + weight * clashes)

    before = label.copy()
    new = settle(cost, apart, label, np.arange(12))
    assert np.array_equal(label, before)
    assert energy(new) < energy(label)
    for _ in range(3):
        new = settle(cost, apart, new, np.arange(12))
    assert all(new[a] != new[b] for a, b in apart)
    for t, k in itertools.product(range(12), range(3)):  # no single change is better
        moved = new.copy()
        moved[t] = k
        assert energy(moved) >= energy(new) - 1e-9


def test_a_label_keeps_its_last_track() -> None:
    cost = np.array([[0.0, 5.0], [0.0, 5.0], [0.0, 5.0]])
    none = np.zeros((0, 2), dtype=int)
    assert settle(cost, none, np.array([0, 1, 1]), np.arange(3)).tolist() == [0, 0, 1]


def test_labels_of_tracks_apart_differ_even_where_they_look_alike() -> None:
    x = np.repeat(np.eye(3, WIDTH), 6, axis=0) + 0.01 * np.random.default_rng(0).normal(
        size=(18, WIDTH)
    )
    one = given(x, np.repeat(np.arange(6), 3), [(0, 1)])
    label = infer(one.crops, one, 3, 0, JfacSettings())
    assert label[0] != label[1] and label[2] == label[3] and label[4] == label[5]


def test_label_pairs_follow_the_labels_and_tracks_apart() -> None:
    one, who = film(1, crops=3)
    label = (who + 1) % PEOPLE
    pairs = list(label_pairs(one, label, np.random.default_rng(0), JfacSettings(epochs=4)))
    own = label[one.track]
    apart = {frozenset(p) for p in one.apart.tolist()}
    beside = 0
    for first, second, same in pairs:
        assert np.array_equal(own[first] == own[second], same)
        a, b = one.track[first[~same]], one.track[second[~same]]
        beside += sum(frozenset(p) in apart for p in zip(a.tolist(), b.tolist(), strict=True))
    # Half of the cases in which there is somebody beside, and now and then by chance.
    crops = np.isin(one.track, one.apart).sum()
    assert 0.4 < beside / (4 * crops) < 0.7


def test_jfac_finds_all() -> None:
    better(jfac(), 0.99, by_crop=1.0, by_track=1.0)


def test_jfac_gains_by_finetuning() -> None:
    gain = []
    for seed in (2, 4, 5):
        one, who = film(seed, by_crop=0.5, by_track=1.2)
        before, after = (
            pairwise_f(who, jfac(JfacSettings(rounds=rounds))(one, told("jfac"), 0))
            for rounds in (0, 3)
        )
        gain.append(after - before)
    assert np.mean(gain) > 0.1, gain
