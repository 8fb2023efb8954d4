"""Baselines that learn by gradient descent: TSiam, SSiam, JFAC, BCL."""

from __future__ import annotations

import argparse
import itertools
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from videoclusternet.bench.methods.base import Given, Method, Partition, Told
from videoclusternet.bench.methods.bcl import (
    BCL,
    BallNet,
    Balls,
    BclSettings,
    ball_loss,
    bcl,
    learn,
    load_bcl,
    some_means,
    with_checkpoint,
)
from videoclusternet.bench.methods.embedding_net import (
    Descent,
    Groups,
    Pairs,
    contrastive,
    descend,
    ward,
)
from videoclusternet.bench.methods.jfac import (
    JFAC,
    JfacSettings,
    infer,
    jfac,
    label_pairs,
    settle,
    unary,
)
from videoclusternet.bench.methods.ssiam import (
    SSIAM,
    SSiamSettings,
    ranked_pairs,
    ssiam,
    sure_pairs,
)
from videoclusternet.bench.methods.tsiam import TSIAM, TSiamSettings, opponents, track_pairs, tsiam
from videoclusternet.bench.metrics import score
from videoclusternet.errors import DataError, ModelError
from videoclusternet.types import Embeddings

Array = NDArray[Any]
WIDTH = 32
PEOPLE = 6
QUICK = Descent(rate=1e-2)
SHORT: dict[str, Partition] = {
    "tsiam": tsiam(TSiamSettings(epochs=2, hidden=8)),
    "ssiam": ssiam(SSiamSettings(epochs=2, hidden=8)),
    "jfac": jfac(JfacSettings(rounds=1, epochs=1, hidden=8)),
    "bcl": bcl(BclSettings(steps=4, widths=(8, 4))),
}
NAMES = sorted(SHORT)


def given(x: Array, track: Sequence[int] | Array, apart: Sequence[tuple[int, int]] = ()) -> Given:
    """A film of these embeddings (C, d)."""
    tracks, crops = int(np.max(track)) + 1, len(track)
    embeddings = Embeddings(
        track=np.asarray(track),
        crop=np.arange(crops),
        base=x,
        views=np.zeros((crops, 0, x.shape[1])),
        quality=np.ones(crops),
        global_views=0,
        tracks=tracks,
        model="toy",
    )
    return Given(embeddings, np.array(apart, dtype=int).reshape(-1, 2), np.arange(tracks), Path())


def film(
    seed: int,
    crops: int = 4,
    each: int = 8,
    people: int = PEOPLE,
    axes: int = 3,
    by_crop: float = 0.0,
    by_track: float = 0.0,
) -> tuple[Given, Array]:
    """People who differ in most directions, and noise in a few that all films share."""
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDTH, WIDTH)))[0]
    rng = np.random.default_rng(seed)
    who = rng.permutation(np.repeat(np.arange(people), each))
    track = np.repeat(np.arange(len(who)), crops)
    centre = np.zeros((people, WIDTH))
    centre[:, axes:] = rng.normal(size=(people, WIDTH - axes))
    x = (centre / np.linalg.norm(centre, axis=1, keepdims=True))[who][track]
    x[:, :axes] += by_crop * rng.normal(size=(len(track), axes)) / axes**0.5
    x[:, :axes] += by_track * rng.normal(size=(len(who), axes))[track] / axes**0.5
    x += 0.1 * rng.normal(size=x.shape) / WIDTH**0.5
    apart = [(i, i + 1) for i in range(0, len(who) - 1, 2) if who[i] != who[i + 1]]
    return given(5 * x @ basis.T, track, apart), who


def told(name: str, clusters: int = PEOPLE) -> Told:
    if name != "bcl":
        return Told(clusters=clusters)
    return Told(others=tuple(film(seed, crops=2, each=3) for seed in (101, 102)))


def couples(a: Array, b: Array) -> set[tuple[int, int]]:
    return set(zip(a.tolist(), b.tolist(), strict=True))


def pairwise_f(truth: Array, found: Array) -> float:
    return score(truth, found).pairwise_f


# --- contract


@pytest.mark.parametrize("method", [TSIAM, SSIAM, JFAC, BCL], ids=lambda m: m.name)
def test_what_they_declare(method: Method) -> None:
    assert method.trains and method.threshold is None and method.source
    assert method.needs == ("other films" if method is BCL else "clusters")


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_tells_all_and_nothing_else_changes(name: str) -> None:
    tracks, who = film(1, crops=3, by_crop=0.5)
    before = [tracks.embeddings.digest, tracks.apart.copy(), tracks.crops.copy()]
    others = told(name).others
    known = [label.copy() for _, label in others]
    torch_state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1]
    found = SHORT[name](tracks, told(name), 7)
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert tracks.embeddings.digest == before[0]
    assert np.array_equal(tracks.apart, before[1]) and np.array_equal(tracks.crops, before[2])
    assert all(np.array_equal(a, b) for (_, a), b in zip(others, known, strict=True))
    assert found.shape == (tracks.tracks,) and found.dtype.kind == "i" and found.min() >= 0
    torch.rand(3)  # whatever the state of others
    assert np.array_equal(found, SHORT[name](tracks, told(name), 7))
    # The labels of the film itself are nothing to them.
    asked = Told(clusters=told(name).clusters, labels=who, others=others)
    assert np.array_equal(found, SHORT[name](tracks, asked, 7))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("clusters", [1, 2, 5])
@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize("tracks", [1, 2, 3, 4])
def test_small_films(name: str, tracks: int, crops: int, clusters: int) -> None:
    x = np.random.default_rng(tracks).normal(size=(tracks * crops, WIDTH))
    for apart in ([], [(0, 1)] if tracks > 1 else []):
        one = given(x, np.repeat(np.arange(tracks), crops), apart)
        found = SHORT[name](one, told(name, clusters), 0)
        assert found.shape == (tracks,) and found.dtype.kind == "i"
        if name != "bcl":
            assert len(np.unique(found)) == min(clusters, tracks)


@pytest.mark.parametrize("name", NAMES)
def test_tracks_that_are_all_equal(name: str) -> None:
    one = given(np.ones((10, WIDTH)), np.repeat(np.arange(5), 2), [(0, 1)])
    assert SHORT[name](one, told(name, 3), 0).shape == (5,)


@pytest.mark.parametrize("name", ["tsiam", "ssiam", "jfac"])
def test_they_find_people_who_are_easy_to_tell_apart(name: str) -> None:
    tracks, who = film(3, by_crop=0.3)
    assert pairwise_f(who, SHORT[name](tracks, told(name), 0)) == 1


# --- what they gain by learning


def better(
    partition: Partition, least: float, crops: int = 4, by_crop: float = 0, by_track: float = 0
) -> None:
    """Compare with Ward's linkage of the embeddings as they are, on three films."""
    films = [film(seed, crops=crops, by_crop=by_crop, by_track=by_track) for seed in (1, 2, 4)]
    plain = [pairwise_f(who, ward(one.means, PEOPLE)) for one, who in films]
    ours = [pairwise_f(who, partition(one, Told(clusters=PEOPLE), 0)) for one, who in films]
    assert np.mean(ours) > np.mean(plain) + 0.05, (ours, plain)
    assert np.mean(ours) > least, (ours, plain)


def test_tsiam_learns_what_varies_within_tracks() -> None:
    settings = TSiamSettings(epochs=50, hidden=32, descent=QUICK)
    better(tsiam(settings), 0.9, by_crop=3.0, crops=6)


def test_ssiam_learns_from_neighbours() -> None:
    settings = SSiamSettings(epochs=150, hidden=32, descent=QUICK)
    better(ssiam(settings), 0.7, by_crop=1.0, by_track=1.0)


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


def test_bcl_finds_people_it_has_not_seen_and_how_many() -> None:
    others = [film(100 + i, people=20, each=4, by_crop=1, by_track=1) for i in range(3)]
    partition = bcl(BclSettings(steps=800, rate=3e-3))
    for seed in (1, 2):
        one, who = film(seed, by_crop=1, by_track=1)
        found = partition(one, Told(others=tuple(others)), 0)
        assert pairwise_f(who, ward(one.means, PEOPLE)) < pairwise_f(who, found)
        assert pairwise_f(who, found) > 0.9 and found.max() + 1 == PEOPLE


# --- losses and pairs


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


# --- JFAC


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


# --- BCL


def slow_ball_loss(z: Array, person: Array, b: float) -> float:
    people = sorted(set(person.tolist()))
    centre = {}
    for k in people:
        mean = sum(z[i] for i in range(len(z)) if person[i] == k) / (person == k).sum()
        centre[k] = mean / np.sqrt((mean**2).sum())
    inner = outer = 0.0
    for i in range(len(z)):
        d = {k: float(((z[i] - centre[k]) ** 2).sum()) for k in people}
        inner += max(d.pop(int(person[i])) - b, 0) / len(z)
        outer += max(9 * b + 0.05 - min(d.values()), 0) / len(z) if d else 0.0
    return 4 * inner + outer


@pytest.mark.parametrize("people", [1, 2, 5])
def test_ball_loss_is_the_formula(people: int) -> None:
    rng = np.random.default_rng(people)
    z = rng.normal(size=(24, 3))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    person = 3 * rng.permutation(np.arange(24) % people) + 7
    b = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    loss = ball_loss(torch.from_numpy(z), torch.from_numpy(person), b)
    assert loss.item() == pytest.approx(slow_ball_loss(z, person, 0.2))
    loss.backward()  # type: ignore[no-untyped-call]
    assert b.grad is not None and torch.isfinite(b.grad)


def identity(width: int) -> BallNet:
    net = BallNet((width, width))
    net.load_state_dict(
        {"linears.0.weight": torch.eye(width), "linears.0.bias": torch.zeros(width)}
    )
    return net


def test_balls_that_hold_are_found() -> None:
    # On a circle: within sqrt(b) of three centres that are farther than 4 sqrt(b) apart.
    rng = np.random.default_rng(0)
    b = 0.09
    person = rng.integers(3, size=40)
    angle = person * 2 * np.pi / 3 + rng.uniform(-1, 1, size=40) * 2 * np.arcsin(b**0.5 / 2)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    assert pairwise_f(person, Balls(identity(2), b).partition(x)) == 1
    assert Balls(identity(2), 2.0).partition(x).max() == 0
    assert Balls(identity(2), b).partition(x[:1]).tolist() == [0]
    assert Balls(identity(2), b).width == 2


def test_means_are_of_some_crops_of_every_track() -> None:
    one, _ = film(1, crops=3, by_crop=1.0)
    rng = np.random.default_rng(0)
    assert np.allclose(some_means(one, 1.0, rng), one.means, atol=1e-6)
    assert np.allclose(some_means(one, 0.0, rng), one.means, atol=1e-6)
    half = some_means(one, 0.5, rng)
    assert np.isfinite(half).all() and not np.allclose(half, one.means, atol=1e-3)


def test_bcl_leaves_out_whom_the_truth_does_not_know() -> None:
    tracks, who = film(1, crops=2, each=3)
    settings = BclSettings(steps=5, widths=(8, 4), keep=1.0)
    unknown = np.where(who == 2, -1, who)
    kept = np.flatnonzero(unknown >= 0)
    rows = np.flatnonzero(np.isin(tracks.track, kept))
    only = given(tracks.crops[rows], np.searchsorted(kept, tracks.track[rows]))
    # Fewer tracks draw other random numbers, but all of them are in each step.
    one, other = learn([(tracks, unknown)], 0, settings), learn([(only, who[kept])], 0, settings)
    assert one.radius == pytest.approx(other.radius, abs=1e-4)


@pytest.mark.parametrize("label", [None, [0, 0, 0, -1], [-1] * 4])
def test_bcl_without_two_labelled_people(label: list[int] | None) -> None:
    x = np.random.default_rng(0).normal(size=(4, WIDTH))
    one = given(x, np.arange(4))
    others = () if label is None else ((one, np.array(label)),)
    with pytest.raises(DataError, match="learns from other films"):
        bcl()(one, Told(others=others), 0)


# --- the public checkpoint's form


def checkpoint(widths: Sequence[int] = (WIDTH, 16, 8), bias: float = -1.0) -> dict[str, Any]:
    """Tensors as the authors' program writes them, for smaller layers."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        net = BallNet(widths)
    optimizer = torch.optim.Adam(net.parameters())
    return {
        "epoch": 127,
        "args": argparse.Namespace(l2norm=True, mlp_dims=list(widths[1:])),
        "model_state": net.state_dict(),
        "criterion_state": OrderedDict({"ctrd.h_bias": torch.tensor(bias)}),
        "optimizer_state": optimizer.state_dict(),
    }


@pytest.mark.parametrize("new", [True, False], ids=["zip", "before 1.6"])
def test_a_checkpoint_is_read(tmp_path: Path, new: bool) -> None:
    held, path = checkpoint(), tmp_path / "x.pth.tar"
    torch.save(held, path, _use_new_zipfile_serialization=new)
    balls = load_bcl(path)
    assert balls.radius == pytest.approx(float(F.softplus(torch.tensor(-1.0))))
    assert balls.width == WIDTH
    one, _ = film(1, crops=2)
    mean = np.stack([one.embeddings.base[one.track == t].mean(0) for t in range(one.tracks)])
    x = mean
    for n in range(2):  # the network, slowly
        weight, bias = (held["model_state"][f"linears.{n}.{k}"].numpy() for k in ("weight", "bias"))
        x = (x if n == 0 else np.maximum(x, 0)) @ weight.T + bias
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    points = balls.net(torch.from_numpy(mean)).detach().numpy()
    assert np.allclose(points, x, atol=1e-5)
    found = with_checkpoint(path)(one, Told(), 0)
    assert np.array_equal(found, balls.partition(mean))
    assert found.max() > 0
    with pytest.raises(ModelError, match="of 32 numbers, not 5"):
        with_checkpoint(path)(given(np.ones((2, 5)), [0, 1]), Told(), 0)


class Other:
    """An object of a training."""


@pytest.mark.parametrize("new", [True, False])
def test_objects_of_a_checkpoint_are_refused(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "x.pth.tar"
    torch.save({**checkpoint(), "x": Other()}, path, _use_new_zipfile_serialization=new)
    with pytest.raises(ModelError, match="Python objects, which are not read") as caught:
        load_bcl(path)
    assert "weights_only=False" in caught.value.advice and str(path) in caught.value.advice


@pytest.mark.parametrize(
    "change",
    [
        {"model_state": None},
        {"model_state": {}},
        {"model_state": {"linears.0.weight": 3}},
        {"model_state": {"linears.0.weight": torch.ones(2, 3)}},
        {"model_state": {"linears.0.weight": torch.ones(2, 3), "linears.0.bias": torch.ones(3)}},
        {"model_state": {"linears.0.weight": torch.tensor(1.0), "linears.0.bias": torch.ones(3)}},
        {"criterion_state": {}},
        {"criterion_state": {"ctrd.h_bias": torch.ones(2)}},
        {"criterion_state": {"ctrd.h_bias": 0.1}},
    ],
)
def test_other_files_are_told(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "x.pth.tar"
    torch.save({**checkpoint(), **change}, path)
    with pytest.raises(ModelError, match="does not hold BCL weights"):
        load_bcl(path)


@pytest.mark.parametrize("content", [b"", b"text" * 99, b"PK\x03\x04", None])
def test_damaged_or_absent_files_are_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.pth.tar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match="does not hold BCL weights"):
        load_bcl(path)
    torch.save([1, 2], path)
    with pytest.raises(ModelError, match="does not hold BCL weights"):
        load_bcl(path)
