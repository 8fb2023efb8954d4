"""The label-free choice."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.oracle.test_cluster import film
from videoclusternet.choose import adjusted_rand, choose, partitions
from videoclusternet.similarity import Metric

NONE = np.empty((0, 2), dtype=int)


@pytest.mark.parametrize("seed", range(5))
def test_adjusted_rand_equals_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 4, 50), rng.integers(0, 6, 50)
    b[:20] = a[:20]
    assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b))
    assert adjusted_rand(a, a) == 1


def test_same_seed_same_choice() -> None:
    a, _ = choose(film(0, tracks=40), Metric("cosine"), NONE, 2, seed=5)
    b, _ = choose(film(0, tracks=40), Metric("cosine"), NONE, 2, seed=5)
    assert a.best == b.best and np.array_equal(a.stability, b.stability)


def test_clear_people_are_found_by_the_chosen_candidate() -> None:
    space = film(1, people=5, tracks=60, d=64, noise=0.3)
    choice, found = choose(space, Metric("cosine"), NONE, 3, seed=0)
    assert found[choice.names[choice.best]].clusters == 5
    assert choice.stability[choice.best] > 0.95
    assert set(choice.names) == set(dict(partitions(space, Metric("cosine"), NONE)))


def test_trivial_partitions_score_zero() -> None:
    rng = np.random.default_rng(0)
    space = film(1, people=40, tracks=40, d=256, noise=0.01)
    space.views[:] = space.clean[:, None] + rng.normal(size=space.views.shape) * 1e-4
    choice, found = choose(space, Metric("cosine"), NONE, 1, seed=0)
    for name, score in zip(choice.names, choice.stability, strict=True):
        if found[name].clusters > 36 or found[name].clusters == 1:
            assert score == 0
