"""The bilinear identity against loops over all crop pairs."""

from __future__ import annotations

import numpy as np
import pytest

from videoclusternet.similarity import Metric, MetricName, group_mean, mean_within


def slow(name: MetricName, x: np.ndarray, y: np.ndarray, tt: float, ts: float) -> float:
    """Distance of two single embeddings, written as one would on paper, symmetrised."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    if name == "cosine":
        return float(1 - x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    if name == "euclidean":
        return float(((x - y) ** 2).sum())

    def loss(a: np.ndarray, b: np.ndarray) -> float:
        p = np.exp(a / tt - (a / tt).max())
        z = b / ts
        log_q = z - z.max() - np.log(np.exp(z - z.max()).sum())
        return float(-(p / p.sum()) @ log_q)

    return (loss(x, y) + loss(y, x)) / 2


METRICS: list[tuple[MetricName, float, float]] = [
    ("cosine", 1, 1),
    ("euclidean", 1, 1),
    ("loss", 0.1, 0.1),
    ("loss", 0.04, 1.0),
]


@pytest.mark.parametrize(("name", "tt", "ts"), METRICS)
@pytest.mark.parametrize("d", [3, 128])
def test_group_distances_equal_pair_loops(name: MetricName, tt: float, ts: float, d: int) -> None:
    rng = np.random.default_rng(d)
    group = np.sort(np.concatenate([np.arange(5), rng.integers(0, 5, 17)]))
    x = rng.normal(size=(len(group), d)).astype(np.float32)
    metric = Metric(name, tt, ts)
    terms = metric.terms(x)
    fast = terms.grouped(group, 5).distances(terms.grouped(group, 5))
    scale = max(1.0, float(np.abs(fast).max()))
    for i in range(5):
        for j in range(5):
            pairs = [slow(name, a, b, tt, ts) for a in x[group == i] for b in x[group == j]]
            assert fast[i, j] == pytest.approx(np.mean(pairs), abs=1e-6 * scale)


@pytest.mark.parametrize(("name", "tt", "ts"), METRICS)
def test_within_distances_equal_pair_loops(name: MetricName, tt: float, ts: float) -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2, 4], [2, 5, 1, 9])
    x = rng.normal(size=(len(group), 16)).astype(np.float32)
    fast = mean_within(Metric(name, tt, ts).terms(x), group, 5)
    assert np.isnan(fast[[2, 3]]).all()
    for i in (0, 1, 4):
        members = x[group == i]
        pairs = [
            slow(name, a, b, tt, ts)
            for u, a in enumerate(members)
            for v, b in enumerate(members)
            if u != v
        ]
        assert fast[i] == pytest.approx(np.mean(pairs), rel=1e-6, abs=1e-6)


def test_group_mean_leaves_empty_groups_unknown() -> None:
    mean = group_mean(np.array([[1.0], [3.0], [5.0]]), np.array([1, 1, 3]), 5)
    assert mean[:, 0].tolist()[1] == 2 and mean[3, 0] == 5
    assert np.isnan(mean[[0, 2, 4]]).all()
