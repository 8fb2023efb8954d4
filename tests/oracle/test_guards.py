"""Health of a training against loops and numpy, on answers made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from videoclusternet.adapt.guards import Health, collapsed, effective_rank, measure

ZERO = torch.zeros(8)


def entropy(p: np.ndarray) -> float:
    return -sum(x * math.log(x) for x in p.tolist() if x > 0)


def test_measures_equal_loops() -> None:
    rng = np.random.default_rng(0)
    output, centre = rng.normal(size=(30, 8)), rng.normal(size=8)
    health = measure(torch.tensor(output), torch.tensor(centre), 0.5)
    e = np.exp((output - centre) / 0.5)
    p = e / e.sum(1, keepdims=True)
    winners = [int(row.argmax()) for row in p]
    assert health.entropy == pytest.approx(np.mean([entropy(row) for row in p]), rel=1e-5)
    assert health.mean_entropy == pytest.approx(entropy(p.mean(0)), rel=1e-5)
    assert health.top == max(winners.count(k) for k in range(8)) / 30
    values = np.linalg.svd(output - output.mean(0), compute_uv=False)
    assert health.rank == pytest.approx(math.exp(entropy(values / values.sum())), rel=1e-5)


def test_rank_counts_directions_whatever_their_length() -> None:
    rng = np.random.default_rng(1)
    for directions in (1, 3):
        x = np.zeros((60, 8))
        x[:, :directions], _ = np.linalg.qr(rng.normal(size=(60, directions)))
        x -= x.mean(0)
        u, _, vt = np.linalg.svd(x, full_matrices=False)
        even = u[:, :directions] @ vt[:directions]
        for scale in (1e-3, 1e3):
            shifted = torch.tensor(even * scale + 5)
            assert effective_rank(shifted) == pytest.approx(directions, rel=1e-6)
    assert effective_rank(torch.ones(4, 3)) == 0


def test_everybody_gets_the_same_answer() -> None:
    output = torch.zeros(20, 8)
    output[:, 3] = 1
    health = measure(output, ZERO, 0.04)
    assert health.entropy == pytest.approx(0, abs=1e-6)
    assert health.mean_entropy == pytest.approx(0, abs=1e-6)
    assert (health.rank, health.top) == (0, 1)


def test_everybody_gets_an_answer_of_his_own() -> None:
    health = measure(torch.eye(8), ZERO, 0.01)
    assert health.entropy == pytest.approx(0, abs=1e-6)
    assert health.mean_entropy == pytest.approx(math.log(8))
    assert health.rank == pytest.approx(7) and health.top == 1 / 8


def test_answers_that_say_nothing() -> None:
    rng = np.random.default_rng(2)
    health = measure(torch.tensor(rng.normal(size=(64, 8)) * 1e-6), ZERO, 0.1)
    assert health.entropy == pytest.approx(math.log(8))
    assert health.mean_entropy == pytest.approx(math.log(8))
    assert health.top < 0.5


GOOD = Health(entropy=0.5, mean_entropy=2.0, rank=7, top=0.2)


@pytest.mark.parametrize(
    ("now", "faces", "words"),
    [
        (GOOD, 100, ""),
        (replace(GOOD, mean_entropy=0.81), 100, ""),
        (replace(GOOD, entropy=1.84), 100, ""),
        (replace(GOOD, entropy=1.86), 100, "of its face fell from 1.50 to 0.14 nats"),
        (replace(GOOD, mean_entropy=0.79), 100, "the mean target fell from 2.00 to 0.79"),
        (replace(GOOD, mean_entropy=0.79), 2, "the mean target fell"),
        (replace(GOOD, top=0.5), 100, ""),
        (replace(GOOD, top=0.51), 100, "the strongest for 51% of the faces"),
        (replace(GOOD, top=0.51), 8, "the strongest for 51%"),
        (replace(GOOD, top=1.0), 7, ""),
    ],
)
def test_what_counts_as_collapse(now: Health, faces: int, words: str) -> None:
    why = collapsed(now, GOOD, faces)
    assert words in why and bool(why) == bool(words)


def test_collapse_in_both_directions() -> None:
    """Everybody the same answer; or a different one for everybody, but all next to nothing."""
    start = measure(torch.eye(8), ZERO, 0.5)
    same = torch.zeros(8, 8)
    same[:, 3] = 1
    assert "mean target fell" in collapsed(measure(same, ZERO, 0.1), start, 8)
    assert "tells of its face" in collapsed(measure(torch.eye(8) * 0.1, ZERO, 0.5), start, 8)
    assert collapsed(measure(torch.eye(8), ZERO, 0.1), start, 8) == ""


def test_a_teacher_that_told_nothing_at_first_is_no_collapse() -> None:
    nothing = measure(torch.ones(8, 8), ZERO, 0.5)
    little = measure(torch.ones(8, 8) + 0.1 * torch.eye(8), ZERO, 0.5)
    assert collapsed(nothing, nothing, 7) == collapsed(nothing, little, 7) == ""
    assert collapsed(measure(torch.eye(8), ZERO, 0.5), nothing, 8) == ""


def test_a_favourite_from_the_start_may_stay() -> None:
    start = replace(GOOD, top=0.7)
    assert collapsed(replace(GOOD, top=0.7), start, 100) == ""
    assert collapsed(replace(GOOD, top=0.71), start, 100)
