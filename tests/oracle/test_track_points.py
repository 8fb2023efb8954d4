"""What clustering knows of tracks: against loops over all pairs."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from tests import tables
from tests.oracle.test_cluster import film, without_views
from videoclusternet.clustering import track_points as module
from videoclusternet.clustering.distance import Metric, MetricName, normalise
from videoclusternet.clustering.paper_rounds import null_bound, renumber
from videoclusternet.clustering.spaces import Adapted, adapted_space, metric_of, raw_space, subset
from videoclusternet.clustering.track_points import (
    own_thresholds,
    space_points,
)
from videoclusternet.clustering.whitening import Seen
from videoclusternet.types import Embeddings, Views

STEADY = settings(derandomize=True, deadline=None, max_examples=60)
NAMES: tuple[MetricName, ...] = ("cosine", "euclidean", "loss", "kl")


def apart(name: MetricName, x: np.ndarray, y: np.ndarray) -> float:
    """Distance of two vectors, written down from its definition, mean of both directions."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    if name == "cosine":
        return 1 - float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    if name == "euclidean":
        return float(((x - y) ** 2).sum())
    p, q = (np.exp(v / 0.1 - np.max(v / 0.1)) for v in (x, y))
    p, q = p / p.sum(), q / q.sum()
    cross = [-float(one @ np.log(other)) for one, other in ((p, q), (q, p))]
    if name == "kl":
        cross = [c + float(one @ np.log(one)) for c, one in zip(cross, (p, q), strict=True)]
    return sum(cross) / 2


def mean_apart(name: MetricName, some: np.ndarray) -> float:
    return float(np.mean([apart(name, x, y) for x, y in combinations(some, 2)]))


@pytest.mark.parametrize("name", NAMES)
def test_a_threshold_is_the_mean_over_pairs_of_views_of_the_track(name: MetricName) -> None:
    space = film(1, tracks=7, d=5)
    got = space_points(space, Metric(name))
    for track in range(7):
        views = space.views[space.track == track].reshape(-1, 5)
        assert got.threshold[track] == pytest.approx(mean_apart(name, views), rel=2e-3)
        clean = space.clean[space.track == track]
        pictures = normalise(clean) if name == "cosine" else clean
        np.testing.assert_allclose(got.mean[track], pictures.mean(axis=0), atol=1e-5)
    assert got.pairs is None


@pytest.mark.parametrize("name", NAMES)
def test_without_views_all_have_the_median_between_two_tracks(name: MetricName) -> None:
    space = film(2, tracks=6, d=5)
    space = without_views(space)
    parts = [space.clean[space.track == track] for track in range(6)]
    between = [
        np.mean([apart(name, x, y) for x in a for y in b]) for a, b in combinations(parts, 2)
    ]
    got = space_points(space, Metric(name))
    assert got.threshold.tolist() == pytest.approx([np.median(between)] * 6, rel=2e-3)


def test_of_many_tracks_a_sample_tells_the_median(monkeypatch: pytest.MonkeyPatch) -> None:
    space = film(3, tracks=150, d=4)
    space = without_views(space)
    whole = space_points(space, Metric()).threshold[0]
    monkeypatch.setattr(module, "SAMPLE", 50)
    assert space_points(space, Metric()).threshold[0] == pytest.approx(whole, rel=0.1)


def test_one_track_without_views_has_a_threshold_too() -> None:
    space = film(4, tracks=1)
    space = without_views(space)
    assert space_points(space, Metric()).threshold.tolist() == [1.0]


@pytest.mark.parametrize("name", NAMES)
def test_blocks_of_views_leave_no_seam(name: MetricName, monkeypatch: pytest.MonkeyPatch) -> None:
    want = own_thresholds(film(5, tracks=12), Metric(name))
    monkeypatch.setattr(module, "BLOCK", 4)
    got = own_thresholds(film(5, tracks=12), Metric(name))
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_points_of_some_crops_are_those_of_a_film_of_these_crops(name: MetricName) -> None:
    space = film(6, tracks=10)
    keep = np.array([1, 4, 5, 9])
    rows = np.flatnonzero(np.isin(space.track, keep))[::2]
    rows = np.union1d(rows, [np.flatnonzero(space.track == t)[0] for t in keep])
    got = space_points(subset(space, keep, rows), Metric(name))
    whole = space_points(space, Metric(name))
    for number, t in enumerate(keep):
        clean = space.clean[rows[space.track[rows] == t]]
        pictures = normalise(clean) if name == "cosine" else clean
        np.testing.assert_allclose(got.mean[number], pictures.mean(axis=0), atol=1e-5)
    # Thresholds are of the tracks, whichever of their crops are there.
    np.testing.assert_allclose(got.threshold, whole.threshold[keep], rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_views_of_a_part_are_not_looked_at_again(name: MetricName) -> None:
    whole = film(6, tracks=10)
    seen = ~np.isin(whole.view_track, [4, 6])  # of these two nobody made views
    whole = replace(whole, views=whole.views.some(seen), view_track=whole.view_track[seen])
    whole = replace(whole, given=np.where(np.arange(10) == 4, 2, np.nan).astype(np.float32))
    keep = np.array([1, 4, 5, 6, 9])
    rows = np.flatnonzero(np.isin(whole.track, keep))
    want = own_thresholds(subset(whole, keep, rows), Metric(name))
    own_thresholds(whole, Metric(name))
    few = subset(whole, keep, rows)
    blind = replace(few, views=Seen(np.full_like(few.views.array(), np.nan)))
    blind.within.update(few.within)
    got = own_thresholds(blind, Metric(name))
    assert got is not None and want is not None
    assert got.tolist() == want.tolist()
    middle = np.median(got[[0, 2, 4]])  # of these tracks, not of the whole film
    assert got[[1, 3]].tolist() == pytest.approx([2 * middle, middle])


def test_the_null_bound_is_a_quantile_of_the_farther_half() -> None:
    points = space_points(film(9, people=20, tracks=20, d=12), Metric())
    terms = Metric().terms(points.mean)
    between = sorted(apart("cosine", a, b) for a, b in combinations(points.mean, 2))
    middle = np.median(between)
    spread = np.sqrt(np.mean([(d - middle) ** 2 for d in between if d >= middle]))
    assert null_bound(terms) == pytest.approx(norm.ppf(1 / 190, middle, spread), rel=1e-3)
    assert null_bound(terms[:2]) == -np.inf  # of a single pair nothing can be said


@STEADY
@given(st.lists(st.integers(0, 9), max_size=20))
def test_clusters_are_numbered_in_the_order_of_their_lowest_track(label: list[int]) -> None:
    got = renumber(np.array(label, dtype=int)).tolist()
    seen: dict[int, int] = {}
    assert got == [seen.setdefault(old, len(seen)) for old in label]


def learnt(paired: bool) -> Adapted:
    """A round of adaptation over three tracks of two crops: teacher, and student where paired."""
    rng = np.random.default_rng(0)
    d = 8 if paired else 4
    base = rng.normal(size=(6, d)).astype(np.float32)
    embeddings = Embeddings(
        np.repeat(np.arange(3), 2), np.arange(6), base, np.ones(6, np.float32), 3, "test"
    )
    views = tables.views_of_every(rng.normal(size=(6, 5, d)).astype(np.float32), 2)
    return Adapted(embeddings, views, np.arange(4, dtype=np.float32), paired)


@pytest.mark.parametrize("name", ["loss", "kl"])
def test_eq2_reads_the_teacher_less_its_centre_and_the_student_as_it_is(name: MetricName) -> None:
    metric = Metric(name)
    space = adapted_space(learnt(True), "round-1", np.array([0, 2]), metric)
    rows = [0, 1, 4, 5]
    base = learnt(True).embeddings.base[rows]
    np.testing.assert_array_equal(space.clean[:, :4], base[:, :4] - np.arange(4, dtype="f4"))
    np.testing.assert_array_equal(space.clean[:, 4:], base[:, 4:])
    views = learnt(True).views.base[rows]
    np.testing.assert_array_equal(space.views[..., :4], views[..., :4] - np.arange(4, dtype="f4"))
    assert space.paired and metric_of(metric, space).paired
    assert space.track.tolist() == [0, 0, 1, 1]


def test_other_metrics_read_the_teacher_alone() -> None:
    space = adapted_space(learnt(True), "round-1", np.arange(3), Metric("cosine"))
    np.testing.assert_array_equal(space.clean, learnt(True).embeddings.base[:, :4])
    np.testing.assert_array_equal(space.views, learnt(True).views.base[..., :4])
    assert not space.paired and not metric_of(Metric("kl", paired=True), space).paired
    single = adapted_space(learnt(False), "round-1", np.arange(3), Metric("loss"))
    np.testing.assert_array_equal(single.clean, learnt(False).embeddings.base)


def test_a_space_holds_the_crops_of_the_tracks_that_are_kept() -> None:
    given = learnt(False)
    space = raw_space(given.embeddings, given.views, np.array([1, 2]))
    assert space.name == "frozen" and space.tracks == 2 and space.global_views == 2
    np.testing.assert_array_equal(space.clean, given.embeddings.base[2:])
    assert space.track.tolist() == [0, 0, 1, 1]


def test_views_of_one_crop_a_track_are_enough_and_a_track_may_have_none() -> None:
    given = learnt(False)
    some = Views(given.views.base[[1, 5]], np.array([1, 5]), 2)
    space = raw_space(given.embeddings, some, np.arange(3))
    assert space.view_track.tolist() == [0, 2] and len(space.clean) == 6
    got = space_points(space, Metric()).threshold
    want = [mean_apart("cosine", views) for views in some.base]
    np.testing.assert_allclose(got, [want[0], np.mean(want), want[1]], rtol=1e-4)
    few = raw_space(given.embeddings, some, np.array([1, 2]))
    assert few.view_track.tolist() == [1]


def test_crops_count_by_their_weight() -> None:
    given = learnt(False)
    weight = np.array([1, 3, 2, 2, 1, 0.5], np.float32)
    space = raw_space(given.embeddings, given.views, np.array([0, 2]), weight=weight)
    unit = normalise(given.embeddings.base)
    got = space_points(space, Metric()).mean
    want = [(unit[0] + 3 * unit[1]) / 4, (unit[4] + 0.5 * unit[5]) / 1.5]
    np.testing.assert_allclose(got, want, atol=1e-6)
