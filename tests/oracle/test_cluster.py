"""Clustering against a slow, obvious implementation over all pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests import tables
from videoclusternet.clustering.distance import Metric, MetricName
from videoclusternet.clustering.paper_rounds import (
    RULES,
    Rule,
    agglomerate,
    null_bound,
    pair_threshold,
)
from videoclusternet.clustering.track_points import TrackPoints, space_points
from videoclusternet.clustering.whitening import Space
from videoclusternet.types import Constraints


def film(seed: int, people: int = 4, tracks: int = 24, d: int = 16, noise: float = 0.5) -> Space:
    """Random tracks of some people: 1-5 crops each, 6 views a crop."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, d))
    person = rng.integers(0, people, tracks)
    count = rng.integers(1, 6, tracks)
    track = np.repeat(np.arange(tracks), count).astype(np.int32)
    shift = rng.normal(size=(tracks, d)) * noise
    clean = centres[person[track]] + shift[track] + rng.normal(size=(len(track), d)) * noise / 2
    views = clean[:, None] + rng.normal(size=(len(track), 6, d)) * noise * 1.5
    return Space.plain("test", clean.astype("f4"), views.astype("f4"), track, tracks, 2)


def without_views(space: Space) -> Space:
    """The same embeddings as given features: nothing is known of views."""
    return replace(space, views=space.views[:0], view_track=space.view_track[:0], global_views=0)


def slow_clusters(points: TrackPoints, metric: Metric, rule: Rule, known: Constraints) -> list[set]:
    """First-neighbour rounds with Python sets and one pair at a time."""
    conflicts = {(int(a), int(b)) for a, b in known.apart}
    groups = range(known.group.max() + 1)
    clusters = [set(np.flatnonzero(known.group == g).tolist()) for g in groups]
    while len(clusters) > 1:
        mean = np.stack([points.mean[sorted(c)].astype("f8").mean(0) for c in clusters])
        own = [points.threshold[sorted(c)].mean() for c in clusters]
        terms = metric.terms(mean)
        n = len(clusters)
        distance = np.array(
            [[terms[[i]].distances(terms[[j]])[0, 0] for j in range(n)] for i in range(n)]
        )
        bound = null_bound(terms)
        margin = np.full((n, n), -np.inf)
        for i in range(n):
            for j in range(n):
                enemies = any(
                    (min(a, b), max(a, b)) in conflicts for a in clusters[i] for b in clusters[j]
                )
                if i != j and not enemies:
                    limit = {
                        "or": max(own[i], own[j]),
                        "mean": (own[i] + own[j]) / 2,
                        "or+null": min(max(own[i], own[j]), bound),
                        "null": bound,
                    }[rule]
                    margin[i, j] = limit - distance[i, j]
        edges = [(margin[i].max(), i, int(margin[i].argmax())) for i in range(n)]
        joined, changed = [set(c) for c in clusters], False
        for width, i, j in sorted(edges, key=lambda e: -e[0]):
            if width <= 0:
                continue
            a = next(c for c in joined if clusters[i] <= c)
            b = next(c for c in joined if clusters[j] <= c)
            if a is b or any((min(x, y), max(x, y)) in conflicts for x in a for y in b):
                continue
            joined.remove(b)
            a |= b
            changed = True
        if not changed:
            break
        clusters = sorted(joined, key=min)
    return clusters


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["cosine", "euclidean", "loss"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("together", [0, 5])
def test_rounds_equal_the_slow_version(
    rule: Rule, name: MetricName, seed: int, together: int
) -> None:
    metric = Metric(name)
    points = space_points(film(seed), metric)
    rng = np.random.default_rng(seed)
    pairs = np.sort(
        rng.choice(24, (6, 2), replace=False) if seed else np.empty((0, 2), int), axis=1
    )
    one = rng.choice(24, (together, 2), replace=False)
    group = tables.known(24, together=one).group
    pairs = pairs[group[pairs[:, 0]] != group[pairs[:, 1]]]
    known = tables.known(24, pairs, one)
    fast = agglomerate(points, metric, rule, known)
    slow = slow_clusters(points, metric, rule, known)
    assert [set(np.flatnonzero(fast.label == c).tolist()) for c in range(fast.clusters)] == slow
    assert len(fast.merges) == 24 - fast.clusters
    for a, b in pairs:
        assert fast.label[a] != fast.label[b]
    assert (fast.label[one[:, 0]] == fast.label[one[:, 1]]).all()


@pytest.mark.parametrize("name", ["cosine", "euclidean", "loss"])
def test_paper_first_round_is_the_closure_over_crop_pairs(name: MetricName) -> None:
    space, metric = film(7, noise=0.2), Metric(name)
    points = space_points(space, metric, "crops")
    # A loop over crop pairs, as the paper writes the potential.
    single = metric.terms(space.clean)
    pair = single.distances(single)
    n = space.tracks
    distance = np.array(
        [
            [pair[np.ix_(space.track == i, space.track == j)].mean() for j in range(n)]
            for i in range(n)
        ]
    )
    group = np.arange(n)
    for i in range(n):
        for j in range(n):
            if i != j and distance[i, j] < max(points.threshold[i], points.threshold[j]):
                group[group == group[j]] = group[i]
    result = agglomerate(points, metric, "or", algorithm="paper")
    first = [(m.a, m.b) for m in result.merges if m.round == 1]
    mine = np.arange(n)
    for a, b in first:
        mine[mine == mine[b]] = mine[a]
    assert np.array_equal(mine[:, None] == mine, group[:, None] == group)


def test_order_of_tracks_does_not_matter() -> None:
    space, metric = film(3), Metric("cosine")
    points = space_points(space, metric)
    label = agglomerate(points, metric).label
    order = np.random.default_rng(1).permutation(space.tracks)
    shuffled = agglomerate(TrackPoints(points.mean[order], points.threshold[order]), metric).label
    assert np.array_equal(shuffled[:, None] == shuffled, label[order][:, None] == label[order])


def test_merge_log_explains_every_join() -> None:
    space, metric = film(5), Metric("cosine")
    result = agglomerate(space_points(space, metric), metric)
    label = np.arange(space.tracks)
    for merge in result.merges:
        assert merge.distance < merge.threshold
        label[label == label[merge.b]] = label[merge.a]
    assert np.array_equal(label[:, None] == label, result.label[:, None] == result.label)


def test_pair_threshold_rules() -> None:
    a, b = np.array([[0.2]]), np.array([[0.5]])
    assert pair_threshold(a, b, "or", 0.1)[0, 0] == 0.5
    assert pair_threshold(a, b, "mean", 0.1)[0, 0] == pytest.approx(0.35)
    assert pair_threshold(a, b, "or+null", 0.1)[0, 0] == pytest.approx(0.1)
    assert pair_threshold(a, b, "null", 0.1)[0, 0] == pytest.approx(0.1)


def test_one_track_is_one_cluster() -> None:
    points = TrackPoints(np.ones((1, 4), "f4"), np.array([0.3], "f4"))
    assert agglomerate(points, Metric("cosine")).label.tolist() == [0]


def test_single_crop_takes_its_threshold_from_views() -> None:
    space = film(2)
    lone = np.flatnonzero(np.bincount(space.track) == 1)
    assert len(lone)
    crops = space_points(space, Metric("cosine"), "crops").threshold
    views = space_points(space, Metric("cosine"), "views").threshold
    assert np.array_equal(crops[lone], views[lone]) and np.isfinite(crops).all()
    assert not np.array_equal(crops, views)
