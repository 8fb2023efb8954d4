"""Intervals: over seeds against SciPy, over tracks against resampling one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from videoclusternet_bench.metrics import measure
from videoclusternet_bench.metrics.intervals import over_seeds, over_tracks
from videoclusternet_bench.metrics.measure import measured
from videoclusternet_bench.metrics.scores import bcubed_by_track, score


def test_seeds_give_the_interval_of_their_mean() -> None:
    values = np.array([0.91, 0.95, 0.94])
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    assert over_seeds(values) == pytest.approx((high - low) / 2)
    assert over_seeds(np.array([1.0, 2.0, 3.0])) == pytest.approx(4.3027 / np.sqrt(3), rel=1e-4)
    assert np.isnan(over_seeds(values[:1]))


def test_tracks_give_the_interval_of_resampled_means() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, 120)
    cluster = np.where(rng.random(120) < 0.8, truth, rng.integers(0, 5, 120))
    each = bcubed_by_track(truth, cluster)
    slow = []
    for _ in range(4000):
        p, r = each[rng.integers(0, 120, 120)].mean(0)
        slow.append(2 * p * r / (p + r))
    low, high = over_tracks(each, draws=4000)
    assert low == pytest.approx(np.quantile(slow, 0.025), abs=0.01)
    assert high == pytest.approx(np.quantile(slow, 0.975), abs=0.01)
    assert low < score(truth, cluster).bcubed_f < high
    assert over_tracks(each) == over_tracks(each)


def test_no_track_no_interval_and_no_error_none_either() -> None:
    assert np.isnan(over_tracks(np.zeros((0, 2)))).all()
    assert over_tracks(np.ones((30, 2))) == pytest.approx((1, 1))


def test_a_call_is_measured() -> None:
    held, seconds, peak = measured(lambda: np.ones(16 * 2**20))  # 128 MiB
    assert held.sum() == 16 * 2**20 and 0 < seconds < 60
    assert np.isnan(peak) or peak > 128


def test_where_a_peak_cannot_be_forgotten_it_is_the_highest_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "RESET", tmp_path / "no" / "clear_refs")
    _, _, first = measured(lambda: np.ones(16 * 2**20))
    _, _, second = measured(lambda: None)
    assert np.isnan(first) or second >= first > 128
