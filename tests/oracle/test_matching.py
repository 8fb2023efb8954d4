"""Coarse matching against scipy's Gaussian and a loop over tracks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from tests import tables
from videoclusternet.clustering import coarse_matching as matching
from videoclusternet.clustering.coarse_matching import LowRankGaussian, find_links, match_tracks
from videoclusternet.clustering.distance import group_mean, normalise
from videoclusternet.config import MatchConfig
from videoclusternet.types import Embeddings, Links, Views


@pytest.mark.parametrize("count", [9, 40])  # fewer points than dimensions, and more
def test_low_rank_gaussian_equals_scipy(count: int) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(count, 12))
    gaussian = LowRankGaussian.fit(points, jitter=0.1)
    covariance = np.cov(points.T) + gaussian.noise * np.eye(12)
    z = rng.normal(size=(5, 12))
    want = multivariate_normal(points.mean(0), covariance).logpdf(z)
    np.testing.assert_allclose(gaussian.log_density(z), want, rtol=1e-9)


def matched(
    clean: np.ndarray, views: np.ndarray, track: np.ndarray, tracks: int, config: MatchConfig
) -> Links:
    """Match tracks all of whose crops have views."""
    return match_tracks(group_mean(normalise(clean), track, tracks), views, track, config)


def test_isotropic_match_is_a_ring() -> None:
    rng = np.random.default_rng(1)
    people = rng.normal(size=(3, 8))
    track = np.repeat(np.arange(9), 4).astype("i4")
    person = np.arange(9) % 3
    clean = people[person[track]] + rng.normal(size=(36, 8)) * 0.05
    views = clean[:, None] + rng.normal(size=(36, 2, 8)) * 0.15
    links = matched(clean.astype("f4"), views.astype("f4"), track, 9, MatchConfig())

    def unit(x: np.ndarray) -> np.ndarray:
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    want = set()
    for j in range(9):
        cloud = unit(views[track == j]).reshape(-1, 8)
        own = np.sort(((cloud - cloud.mean(0)) ** 2).sum(1))
        ring = own[-int(np.ceil(0.25 * len(own))) :].mean()
        for i in range(9):
            mean = unit(clean[track == i]).mean(0)
            if i != j and ((mean - cloud.mean(0)) ** 2).sum() <= ring:
                want.add((i, j))
    got = set(zip(links.a.tolist(), links.b.tolist(), strict=True))
    assert got == want and len(got) > 3
    assert all(person[a] == person[b] for a, b in got)


def test_no_match_among_strangers() -> None:
    clean = np.eye(4, dtype="f4")[np.repeat(np.arange(4), 2)]
    links = matched(clean, clean[:, None], np.repeat(np.arange(4), 2), 4, MatchConfig())
    assert len(links) == 0


def crowd(seed: int, dim: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clean crops, global views and track of each crop: 12 tracks of 3 people."""
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(3, dim))
    track = np.repeat(np.arange(12), rng.integers(1, 5, 12)).astype("i4")
    clean = people[track % 3] + rng.normal(size=(len(track), dim)) * 0.1
    views = clean[:, None] + rng.normal(size=(len(track), 2, dim)) * 0.3
    return clean.astype("f4"), views.astype("f4"), track


def pairs(links: Links) -> set[tuple[int, int]]:
    return set(zip(links.a.tolist(), links.b.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_full_covariance_equals_a_loop_over_densities(seed: int) -> None:
    # In many dimensions a full covariance matches nobody: own points are its boundary.
    clean, views, track = crowd(seed, dim=2)
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (clean, views)]
    want = {}
    for j in range(12):
        cloud = unit[1][track == j].reshape(-1, 2).astype("f8")
        gaussian = LowRankGaussian.fit(cloud)
        covariance = np.cov(cloud.T) + gaussian.noise * np.eye(2)
        normal = multivariate_normal(cloud.mean(0), covariance)
        own = np.sort(normal.logpdf(cloud))
        threshold = own[: int(np.ceil(0.5 * len(own)))].mean()
        for i in range(12):
            mean = unit[0][track == i].astype("f8").mean(0)
            if i != j and normal.logpdf(mean) >= threshold:
                want[i, j] = normal.logpdf(mean) - threshold
    found = matched(clean, views, track, 12, MatchConfig(covariance="full", quantile=0.5))
    assert pairs(found) == set(want) and want
    for a, b, margin in zip(found.a.tolist(), found.b.tolist(), found.margin, strict=True):
        assert margin == pytest.approx(want[a, b], rel=1e-3, abs=1e-3)


def test_margin_of_a_ring_is_a_difference_of_log_densities() -> None:
    clean, views, track = crowd(5)
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (clean, views)]
    found = matched(clean, views, track, 12, MatchConfig(quantile=0.1))
    for a, b, margin in zip(found.a.tolist(), found.b.tolist(), found.margin, strict=True):
        cloud = unit[1][track == b].reshape(-1, 6).astype("f8")
        variance = ((cloud - cloud.mean(0)) ** 2).mean()
        normal = multivariate_normal(cloud.mean(0), variance * np.eye(6))
        own = np.sort(normal.logpdf(cloud))
        threshold = own[: int(np.ceil(0.1 * len(own)))].mean()
        mean = unit[0][track == a].astype("f8").mean(0)
        assert margin == pytest.approx(normal.logpdf(mean) - threshold, abs=1e-3)
    assert len(found) > 3


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clean, views, track = crowd(4)
    whole = matched(clean, views, track, 12, MatchConfig(quantile=0.1))
    monkeypatch.setattr(matching, "BLOCK", 5)
    parts = matched(clean, views, track, 12, MatchConfig(quantile=0.1))
    assert pairs(parts) == pairs(whole) and len(whole) > 3
    np.testing.assert_allclose(parts.margin, whole.margin, rtol=1e-4, atol=1e-4)


def test_a_track_without_a_crop_or_with_one_view_is_matched_by_nobody() -> None:
    clean = np.ones((3, 4), "f4")
    links = matched(clean, clean[:, None], np.array([0, 2, 2]), 4, MatchConfig())
    assert not {(0, 1), (1, 0), (2, 0), (0, 3)} & pairs(links)


def embedded(seed: int) -> tuple[Embeddings, Views]:
    """A crowd as a weak model sees it: far from the origin, local views elsewhere."""
    clean, views, track = crowd(seed)
    local = views - 4.0
    embeddings = Embeddings(
        track=track,
        crop=np.arange(len(track)),
        base=clean + 3,
        quality=np.full(len(track), 0.7),
        tracks=12,
        model="crowd",
    )
    return embeddings, tables.views_of_every(np.concatenate([views + 3, local], axis=1), 2)


@pytest.mark.parametrize("centred", [True, False])
def test_links_are_found_between_kept_tracks(centred: bool) -> None:
    (found, seen), keep = embedded(6), np.array([0, 2, 3, 5, 6, 9, 11])
    rows = np.isin(found.track, keep)
    clean, views, track = found.base[rows], seen.base[rows, :2], found.track[rows]
    if centred:
        clean = clean - np.mean([clean[track == t].mean(0) for t in keep], axis=0)
        views = views - np.mean([views[track == t].mean((0, 1)) for t in keep], axis=0)
    config = MatchConfig(centred=centred)
    want = matched(clean, views, np.searchsorted(keep, track), len(keep), config)
    links = find_links(found, seen, config, keep)
    assert pairs(links) == {(keep[a], keep[b]) for a, b in pairs(want)} and len(links)
    np.testing.assert_allclose(links.margin, want.margin, rtol=1e-3, atol=1e-4)


def test_nobody_kept_nobody_matched() -> None:
    assert len(find_links(*embedded(8), MatchConfig(), np.empty(0, dtype=int))) == 0
    assert len(find_links(*embedded(8), MatchConfig(), np.array([4]))) == 0
