"""Training loss, centre, schedules and learned metrics against loops over the formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from videoclusternet.adapt.loss import (
    look_loss,
    move_centre,
    pair_loss,
    targets,
    track_targets,
    view_pairs,
)
from videoclusternet.adapt.schedule import learning_rate, teacher_momentum
from videoclusternet.clustering.distance import Metric, mean_within
from videoclusternet.config import AdaptConfig

Row = Sequence[float]
WITHIN_KINDS = [(0, 1), (1, 0)] + [(u, v) for u in range(2, 6) for v in range(2, 6) if u != v]
"""All ordered pairs of two global views, then of four local ones."""
TO_ALL = [(0, v) for v in (1, 2, 3, 4, 5)] + [(1, v) for v in (0, 2, 3, 4, 5)]
"""The global views teach all others."""


def softmax(row: Row, temperature: float) -> list[float]:
    highest = max(row)
    e = [math.exp((x - highest) / temperature) for x in row]
    return [x / sum(e) for x in e]


def cross(teacher: Row, student: Row, centre: Row, tt: float, ts: float) -> float:
    """Eq. 2 for one pair of views."""
    p = softmax([x - c for x, c in zip(teacher, centre, strict=True)], tt)
    q = softmax(student, ts)
    return -sum(a * math.log(b) for a, b in zip(p, q, strict=True))


def outputs(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# --- pairs of views --------------------------------------------------------------------


def test_pairs_of_the_paper() -> None:
    pairs = view_pairs()
    found = list(zip(pairs.teacher.tolist(), pairs.student.tolist(), strict=True))
    assert sorted(found) == sorted(WITHIN_KINDS) and len(found) == 14
    assert pairs.weight.tolist() == pytest.approx([1 / 14] * 14)


def test_pairs_from_global_views_only() -> None:
    pairs = view_pairs(teacher_views="global")
    found = list(zip(pairs.teacher.tolist(), pairs.student.tolist(), strict=True))
    assert sorted(found) == sorted(TO_ALL) and len(found) == 10
    assert pairs.weight.sum() == pytest.approx(1)


@pytest.mark.parametrize(("views", "local"), [("all", 12), ("global", 8)])
def test_mean_of_the_means_of_both_kinds(views: str, local: int) -> None:
    pairs = view_pairs("kinds", views)  # type: ignore[arg-type]
    for student, weight in zip(pairs.student.tolist(), pairs.weight.tolist(), strict=True):
        assert weight == pytest.approx(1 / 4 if student < 2 else 1 / (2 * local))
    assert pairs.weight.sum() == pytest.approx(1)


# --- Eq. 2 -----------------------------------------------------------------------------


@pytest.mark.parametrize(("tt", "ts"), [(0.04, 1.0), (0.1, 0.1)])
@pytest.mark.parametrize("average", ["terms", "kinds"])
def test_loss_equals_loops_over_views_and_outputs(tt: float, ts: float, average: str) -> None:
    teacher, student, centre = outputs(0, 3, 6, 2, 5), outputs(1, 3, 6, 2, 5), outputs(2, 2, 5)
    p = targets(torch.tensor(teacher), torch.tensor(centre), tt)
    fast = pair_loss(p, torch.tensor(student), view_pairs(average), ts)  # type: ignore[arg-type]
    for b in range(3):
        terms = [
            np.mean([cross(teacher[b, u, o], student[b, v, o], centre[o], tt, ts) for o in (0, 1)])
            for u, v in WITHIN_KINDS
        ]
        kinds = [np.mean(terms[:2]), np.mean(terms[2:])]
        want = np.mean(terms if average == "terms" else kinds)
        assert fast[b] == pytest.approx(want, rel=1e-5)


def test_targets_are_a_softmax_of_what_is_above_the_centre() -> None:
    output, centre = outputs(3, 4, 5), outputs(4, 5)
    fast = targets(torch.tensor(output), torch.tensor(centre), 0.04)
    for row, p in zip(output, fast, strict=True):
        assert p.tolist() == pytest.approx(softmax((row - centre).tolist(), 0.04), abs=1e-6)
    far = targets(torch.tensor([[9e4, -9e4]]), torch.zeros(2), 0.04)
    assert far.tolist() == [[1, 0]]


def test_gradient_is_that_of_the_formula() -> None:
    teacher, student, ts = outputs(5, 1, 6, 1, 4), outputs(6, 1, 6, 1, 4), 0.3
    leaf = torch.tensor(student, requires_grad=True)
    p = targets(torch.tensor(teacher), torch.zeros(1, 4), 0.2)
    pair_loss(p, leaf, view_pairs(), ts).sum().backward()
    want = np.zeros((6, 4))
    for u, v in WITHIN_KINDS:  # d/dz of -p . log softmax(z / t) is (softmax(z / t) - p) / t
        want[v] += (np.array(softmax(student[0, v, 0], ts)) - p[0, u, 0].numpy()) / ts / 14
    assert leaf.grad is not None
    np.testing.assert_allclose(leaf.grad[0, :, 0], want, atol=1e-6)


def test_centre_moves_by_a_tenth() -> None:
    centre, mean = outputs(7, 2, 5), outputs(8, 2, 5)
    moved = move_centre(torch.tensor(centre), torch.tensor(mean), 0.9)
    np.testing.assert_allclose(moved, 0.9 * centre + 0.1 * mean, rtol=1e-5)


def test_loss_is_the_metric_of_the_clustering() -> None:
    """What is trained and what is compared afterwards are one number."""
    teacher, student, centre = outputs(9, 6, 7), outputs(10, 6, 7), outputs(11, 7)
    terms = Metric("loss", 0.1, 0.2, paired=True).terms(np.hstack([teacher - centre, student]))
    distance = terms.distances(terms)
    within = mean_within(terms, np.array([0, 0, 1, 1, 1, 1]), 2)
    p = targets(torch.tensor(teacher)[None, :, None], torch.tensor(centre)[None], 0.1)
    views = torch.tensor(student)[None, :, None]
    loss = pair_loss(p, views, view_pairs(), 0.2)
    assert loss == pytest.approx(np.mean([distance[u, v] for u, v in WITHIN_KINDS]), rel=1e-5)
    assert loss == pytest.approx((2 * within[0] + 12 * within[1]) / 14, rel=1e-5)
    kinds = pair_loss(p, views, view_pairs("kinds"), 0.2)
    assert kinds == pytest.approx(within.mean(), rel=1e-5)


# --- degraded looks --------------------------------------------------------------------


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def slow_look_loss(x: np.ndarray, track: Sequence[int], means: np.ndarray, t: float) -> list[float]:
    losses = []
    for row, own in zip(unit(x.astype("f8")), track, strict=True):
        told = softmax([float(means[own] @ m) for m in means], t)
        said = softmax([float(row @ m) for m in means], t)
        losses.append(-sum(p * math.log(q) for p, q in zip(told, said, strict=True)))
    return losses


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_loss_of_looks_equals_loops(temperature: float) -> None:
    x, means, track = outputs(12, 9, 4), unit(outputs(3, 5, 4)), [0, 4, 1, 1, 1, 2, 0, 3, 3]
    m = torch.tensor(means)
    told = track_targets(m, m, temperature)
    assert told.sum(1).tolist() == pytest.approx([1.0] * 5)
    fast = look_loss(torch.tensor(x), told[track], m, temperature)
    assert fast.tolist() == pytest.approx(slow_look_loss(x, track, means, temperature), abs=1e-5)


def test_loss_of_looks_is_least_where_a_track_is_seen_through_them() -> None:
    """Nothing is better than to say what the track says: not even to be surer."""
    means = torch.eye(4)
    told = track_targets(means, means, 0.2)
    through, other = means, means[[1, 2, 3, 0]]
    losses = [look_loss(x, told, means, 0.2).sum() for x in (through, other)]
    entropy = -(told * told.log()).sum()
    assert losses[0] == pytest.approx(float(entropy), rel=1e-5)
    assert losses[1] > 3 * losses[0]


# --- learning rate and teacher ---------------------------------------------------------


def test_learning_rate_of_the_paper() -> None:
    config = AdaptConfig()
    rate = [learning_rate(config, 30, progress) for progress in (0, 2.5, 5, 17.5, 30)]
    assert rate == pytest.approx([5e-6, 5.25e-5, 1e-4, 5.5e-5, 1e-5])
    for done in np.linspace(0, 30, 61):
        if done < 5:
            want = 5e-6 + 9.5e-5 * done / 5
        else:
            want = 1e-5 + 9e-5 * (1 + math.cos(math.pi * (done - 5) / 25)) / 2
        assert learning_rate(config, 30, float(done)) == pytest.approx(want)


@pytest.mark.parametrize(("warmup", "epochs"), [(0, 4), (5, 5), (5, 3), (1, 1)])
def test_learning_rate_of_short_rounds(warmup: int, epochs: int) -> None:
    config = AdaptConfig(warmup=warmup)
    rates = [learning_rate(config, epochs, x) for x in np.linspace(0, epochs, 13)]
    assert rates[0] == pytest.approx(5e-6 if warmup else 1e-4)
    assert rates[-1] == pytest.approx(1e-5 if epochs > warmup else 1e-4)
    assert min(rates) >= 5e-6 and max(rates) <= 1e-4


def test_teacher_moves_per_epoch_as_far_as_in_all_its_steps() -> None:
    per_step = teacher_momentum(AdaptConfig(update="step", momentum=0.9), steps=7)
    per_epoch = teacher_momentum(AdaptConfig(update="epoch", momentum=0.9), steps=7)
    assert per_step == 0.9 and per_epoch == pytest.approx(0.9**7)
    teacher, student = 1.0, 3.0  # a student that waits
    once = per_epoch * teacher + (1 - per_epoch) * student
    for _ in range(7):
        teacher = per_step * teacher + (1 - per_step) * student
    assert once == pytest.approx(teacher)


# --- metrics of the clustering ---------------------------------------------------------


def divergence(a: Row, b: Row, tt: float, ts: float) -> float:
    p, q = softmax(a, tt), softmax(b, ts)
    return sum(x * math.log(x / y) for x, y in zip(p, q, strict=True))


@pytest.mark.parametrize(("tt", "ts"), [(0.1, 0.1), (0.3, 1.0)])
def test_kl_equals_loops_over_all_pairs(tt: float, ts: float) -> None:
    x = outputs(13, 8, 5) / 4
    group = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    terms = Metric("kl", tt, ts).terms(x).grouped(group, 3)
    fast = terms.distances(terms)
    for i in range(3):
        for j in range(3):
            pairs = [
                (divergence(a, b, tt, ts) + divergence(b, a, tt, ts)) / 2
                for a in x[group == i].tolist()
                for b in x[group == j].tolist()
            ]
            assert fast[i, j] == pytest.approx(np.mean(pairs), abs=1e-5)


def test_kl_is_zero_for_equals_and_never_below() -> None:
    x = outputs(14, 20, 5)
    terms = Metric("kl", 0.5, 0.5).terms(x)
    assert np.abs(terms.own()).max() < 1e-5
    assert terms.distances(terms).min() > -1e-5


def test_kl_is_the_loss_less_a_constant_of_each_row() -> None:
    """The entropy of the teacher's answer: it makes an uncertain face far from everybody."""
    x = outputs(15, 6, 5)
    loss, kl = (Metric(name, 0.3, 0.7).terms(x) for name in ("loss", "kl"))
    entropy = [-sum(p * math.log(p) for p in softmax(row, 0.3)) for row in x.tolist()]
    for y in range(6):
        one_way = [t.alpha + t.beta[y] - t.p @ t.q[y] for t in (loss, kl)]
        np.testing.assert_allclose(one_way[0] - one_way[1], entropy, atol=1e-5)


@pytest.mark.parametrize("name", ["loss", "kl"])
def test_paired_embeddings_hold_teacher_and_student(name: str) -> None:
    teacher, student = outputs(16, 5, 4), outputs(17, 5, 4)
    metric = Metric(name, 0.2, 0.6, paired=True)  # type: ignore[arg-type]
    terms = metric.terms(np.hstack([teacher, student]))
    fast = terms.distances(terms)
    one_way = cross if name == "loss" else lambda a, b, _, *t: divergence(a, b, *t)
    none = [0.0] * 4
    for i in range(5):
        for j in range(5):
            want = one_way(teacher[i].tolist(), student[j].tolist(), none, 0.2, 0.6)
            want += one_way(teacher[j].tolist(), student[i].tolist(), none, 0.2, 0.6)
            assert fast[i, j] == pytest.approx(want / 2, rel=1e-4)
    same = Metric(name, 0.2, 0.6).terms(teacher)  # type: ignore[arg-type]
    both = metric.terms(np.hstack([teacher, teacher]))
    np.testing.assert_allclose(same.distances(same), both.distances(both), rtol=1e-6)
