"""Joining in rounds against the cut of SciPy's whole dendrogram, and a slow average linkage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster

from tests import tables
from tests.oracle.test_cluster import film
from videoclusternet.clustering import average_linkage
from videoclusternet.clustering.average_linkage import (
    APART,
    Relative,
    cut,
    join,
    kept_apart,
    relative,
    together,
    tree,
)
from videoclusternet.clustering.distance import Metric, MetricName
from videoclusternet.clustering.paper_rounds import BLOCK
from videoclusternet.clustering.track_points import TrackPoints, space_points
from videoclusternet.types import Constraints

METRICS: list[MetricName] = ["cosine", "euclidean", "loss"]
KNOWN = [(0, 0), (1, 0), (12, 0), (0, 1), (0, 9), (12, 9)]
"""Pairs apart, and pairs together."""


def constraints_of(seed: int, tracks: int, apart: int, together: int) -> Constraints:
    """Draw distinct pairs a < b; none apart is of one group of those together."""
    rng = np.random.default_rng(seed)
    pairs = np.stack(np.triu_indices(tracks, 1), axis=1)
    one = rng.choice(pairs, together, replace=False)
    group = tables.known(tracks, together=one).group
    two = pairs[group[pairs[:, 0]] != group[pairs[:, 1]]]
    return tables.known(tracks, rng.choice(two, apart, replace=False), one)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two labellings are one partition."""
    return bool(np.array_equal(a[:, None] == a, b[:, None] == b))


def distances(tracks: Relative, apart: np.ndarray) -> np.ndarray:
    """All relative distances, pairs that must not meet at ``APART``."""
    full = tracks.block(slice(None)).astype(np.float64)
    full[apart[:, 0], apart[:, 1]] = full[apart[:, 1], apart[:, 0]] = APART
    return full


def slow_join(full: np.ndarray, scale: float, group: np.ndarray) -> np.ndarray:
    """Average linkage, one pair at a time, means taken over all pairs of tracks.

    It begins with the tracks of a group in one cluster.
    """
    clusters = [np.flatnonzero(group == g).tolist() for g in range(group.max() + 1)]
    while len(clusters) > 1:
        pairs = [
            (float(full[np.ix_(clusters[i], clusters[j])].mean()), i, j)
            for i in range(len(clusters))
            for j in range(i + 1, len(clusters))
        ]
        least, i, j = min(pairs)
        if least > scale:
            break
        clusters[i] += clusters.pop(j)
    label = np.empty(len(full), dtype=np.int64)
    for number, members in enumerate(clusters):
        label[members] = number
    return label


@pytest.mark.parametrize("name", METRICS)
def test_relative_distance_is_in_units_of_the_shrunk_thresholds(name: MetricName) -> None:
    metric = Metric(name)
    points = space_points(film(0), metric)
    terms = metric.terms(points.mean)
    plain = terms.distances(terms)
    own = np.sqrt(points.threshold * np.median(points.threshold))
    want = plain / np.sqrt(own[:, None] * own[None])
    off = ~np.eye(len(want), dtype=bool)
    got = relative(points, metric).block(slice(None))
    np.testing.assert_allclose(got[off], want[off], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", METRICS)
def test_sums_over_clusters_give_the_mean_over_pairs(name: MetricName) -> None:
    metric = Metric(name)
    tracks = relative(space_points(film(1), metric), metric)
    label = np.random.default_rng(0).integers(0, 5, len(tracks))
    full, merged = tracks.block(slice(None)), tracks.merged(label).block(slice(None))
    for i in range(5):
        for j in range(5):
            want = full[np.ix_(label == i, label == j)].mean()
            assert merged[i, j] == pytest.approx(want, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(("apart", "together"), KNOWN)
@pytest.mark.parametrize(("seed", "block"), [(0, BLOCK), (1, BLOCK), (1, 9), (2, 16), (3, 2)])
def test_rounds_equal_the_cut_of_the_dendrogram(
    name: MetricName,
    apart: int,
    together: int,
    seed: int,
    block: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where there are so many that not all are looked at again in each round."""
    monkeypatch.setattr(average_linkage, "BLOCK", block)
    metric = Metric(name)
    tracks = relative(space_points(film(seed, tracks=40), metric), metric)
    known = constraints_of(seed, 40, apart, together)
    dendrogram = tree(tracks.block(slice(None)), known)
    sizes = set()
    for scale in np.quantile(dendrogram[dendrogram[:, 2] > 0, 2], [0.02, 0.2, 0.4, 0.6, 0.8, 0.95]):
        # Half way to the next height: nothing is decided by the last digit.
        above = dendrogram[dendrogram[:, 2] > scale, 2]
        scale = float((scale + above.min()) / 2) if len(above) else float(scale * 1.01)
        if scale >= APART / 40**2:
            continue
        joined = join(tracks, scale, known)
        assert same(joined.label, cut(dendrogram, np.array([scale]))[0])
        assert len(joined.merges) == 40 - joined.clusters
        assert all(joined.label[a] != joined.label[b] for a, b in known.apart)
        assert all(joined.label[a] == joined.label[b] for a, b in known.together)
        sizes.add(joined.clusters)
    assert len(sizes) > 3


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(("apart", "together"), [(0, 0), (6, 0), (0, 5), (6, 5)])
def test_dendrogram_and_rounds_equal_the_slow_version(
    name: MetricName, apart: int, together: int
) -> None:
    metric = Metric(name)
    tracks = relative(space_points(film(5, tracks=18), metric), metric)
    known = constraints_of(5, 18, apart, together)
    full, dendrogram = distances(tracks, known.apart), tree(tracks.block(slice(None)), known)
    heights = dendrogram[dendrogram[:, 2] < APART / 18**2, 2]
    heights = heights[heights > 0]
    assert len(heights) >= 8
    for low, high in pairwise(heights):
        scale = (low + high) / 2
        if high - low > 1e-5:
            slow = slow_join(full, scale, known.group)
            assert same(cut(dendrogram, np.array([scale]))[0], slow)
            assert same(join(tracks, scale, known).label, slow)


@pytest.mark.parametrize("tracks", [2, 3, 40])
def test_cuts_equal_those_of_scipy(tracks: int) -> None:
    metric = Metric("cosine")
    far = relative(space_points(film(3, tracks=tracks), metric), metric).block(slice(None))
    dendrogram = tree(far, tables.known(tracks))
    heights = dendrogram[:, 2]
    scales = np.concatenate([[0.0], heights, heights * 1.001, [9.0]])
    for scale, label in zip(scales, cut(dendrogram, scales), strict=True):
        assert same(label, fcluster(dendrogram, scale, "distance"))
        assert set(label) == set(range(label.max() + 1))


def test_everything_joins_at_a_large_scale_unless_it_must_not() -> None:
    metric = Metric("cosine")
    tracks = relative(space_points(film(2), metric), metric)
    nothing = tables.known(len(tracks))
    assert join(tracks, 1e6, nothing).clusters == 1
    split = join(tracks, 1e6, tables.known(len(tracks), [[0, 1], [1, 2], [0, 2]]))
    assert split.clusters == 3 and len(set(split.label[:3].tolist())) == 3
    assert join(tracks, 0.0, nothing).clusters == len(tracks)


def test_clusters_that_only_a_known_pair_keeps_apart() -> None:
    """Slowly: mean distance over all pairs of tracks of two clusters, where a pair is known."""
    metric, rng = Metric("cosine"), np.random.default_rng(0)
    found = 0
    for seed in range(6):
        tracks = relative(space_points(film(seed, tracks=30), metric), metric)
        apart = np.sort(rng.choice(30, (25, 2)), axis=1)
        apart = apart[apart[:, 0] != apart[:, 1]].astype(np.int32)
        label = join(tracks, 0.9, tables.known(30, apart.tolist())).label
        far = tracks.block(slice(None))
        slow = {
            (a, b)
            for a, b in {tuple(sorted(label[list(pair)].tolist())) for pair in apart}
            if far[np.ix_(label == a, label == b)].mean() <= 0.9
        }
        fast = kept_apart(tracks, label, 0.9, apart)
        assert {tuple(pair) for pair in fast.tolist()} == slow
        found += len(slow)
    assert found > 3


def test_order_of_tracks_does_not_matter() -> None:
    metric = Metric("cosine")
    tracks = relative(space_points(film(3, tracks=30), metric), metric)
    order = np.random.default_rng(0).permutation(30)
    shuffled = Relative(tracks.a[order], tracks.b[order], tracks.size[order])
    for scale in (0.6, 1.0, 1.6):
        here, there = (join(one, scale, tables.known(30)) for one in (tracks, shuffled))
        assert same(here.label[order], there.label)


def test_merge_log_tells_the_whole_partition() -> None:
    metric = Metric("cosine")
    tracks = relative(space_points(film(4, tracks=30), metric), metric)
    joined = join(tracks, 1.0, tables.known(30))
    label = np.arange(30)
    for merge in joined.merges:
        assert merge.a < merge.b and merge.distance <= merge.threshold == 1.0
        # Clusters are named by their lowest track.
        assert label[merge.a] == merge.a and label[merge.b] == merge.b
        label[label == merge.b] = merge.a
    assert same(label, joined.label) and 1 < joined.clusters < 30


def test_what_must_meet_is_in_the_log_before_all_else() -> None:
    metric = Metric("cosine")
    tracks = relative(space_points(film(4, tracks=30), metric), metric)
    known = tables.known(30, together=[[7, 3], [3, 12], [20, 21]])
    merges = join(tracks, 0.1, known).merges
    assert [(m.round, m.a, m.b) for m in merges[:3]] == [(0, 3, 7), (0, 3, 12), (0, 20, 21)]
    full = tracks.block(slice(None))
    for merge in merges[:3]:
        assert merge.distance == pytest.approx(full[merge.a, merge.b], rel=1e-4)
        assert merge.threshold == np.inf
    assert all(m.round > 0 for m in merges[3:])


def test_one_track_and_none() -> None:
    one = Relative(np.ones((1, 3), "f4"), np.ones((1, 3), "f4"), np.ones(1, "f4"))
    assert join(one, 1.0, tables.known(1)).label.tolist() == [0]
    none = Relative(np.empty((0, 3), "f4"), np.empty((0, 3), "f4"), np.empty(0, "f4"))
    assert join(none, 1.0, tables.known(0)).clusters == 0


@pytest.mark.parametrize("seed", range(20))
def test_exact_duplicates_are_joined(seed: int) -> None:
    """Equal distances: rounding must not leave pairs that nobody is nearest to."""
    rng = np.random.default_rng(seed)
    person = rng.integers(0, 3, 120)
    mean = rng.normal(size=(3, 40)).astype(np.float32)[person]
    points = TrackPoints(mean, np.full(120, 0.3, dtype=np.float32))
    tracks = relative(points, Metric("euclidean"))
    assert same(join(tracks, 0.5, tables.known(120)).label, person)


@pytest.mark.parametrize("name", METRICS)
def test_distances_in_several_spaces_are_averaged_and_stay_so_when_tracks_join(
    name: MetricName,
) -> None:
    metric = Metric(name)
    parts = [relative(space_points(film(seed), metric), metric) for seed in (0, 7)]
    label = np.arange(24) % 5
    got = together(parts)
    for a, b in ((got, parts), (got.merged(label), [p.merged(label) for p in parts])):
        want = np.mean([p.block(slice(None)) for p in b], axis=0)
        np.testing.assert_allclose(a.block(slice(None)), want, rtol=1e-4, atol=1e-4)
