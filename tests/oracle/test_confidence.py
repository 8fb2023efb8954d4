"""How probable it is that a track belongs where it is: against loops, and against labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.oracle.test_cluster import film, without_views
from tests.tables import cast
from videoclusternet import Config, cluster_tracks
from videoclusternet.clustering import confidence as module
from videoclusternet.clustering.average_linkage import Relative, join, relative
from videoclusternet.clustering.confidence import (
    FAR,
    WITH_COMPANY,
    WITHOUT_COMPANY,
    Weights,
    confidence,
    evidence,
)
from videoclusternet.clustering.distance import Metric, MetricName
from videoclusternet.clustering.paper_rounds import renumber
from videoclusternet.clustering.track_points import space_points
from videoclusternet.types import Constraints
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.metrics.calibration import (
    calibration_error,
    reliability,
    right_tracks,
)

NOBODY = np.empty((0, 2), dtype=np.int32)


def tracks_of(seed: int, name: MetricName = "cosine", tracks: int = 15) -> Relative:
    metric = Metric(name)
    return relative(space_points(film(seed, tracks=tracks, d=6), metric), metric)


def slow_evidence(
    tracks: Relative, label: np.ndarray, scale: float, apart: np.ndarray, company: np.ndarray
) -> list[tuple[float, float, float, bool]]:
    """One track after the other, all distances one by one."""
    n = len(label)
    far = [[float(tracks.a[i] @ tracks.b[j]) / scale for j in range(n)] for i in range(n)]
    barred = {(int(i), int(label[j])) for a, b in apart for i, j in ((a, b), (b, a))}
    rows = []
    for i in range(n):
        mates = [far[i][j] for j in range(n) if label[j] == label[i] and j != i]
        others = [
            np.mean([far[i][j] for j in range(n) if label[j] == c])
            for c in set(label.tolist()) - {label[i]}
            if (i, c) not in barred
        ]
        alone = not mates
        never = np.isnan(company[i])
        again = 1.0 if never else 0.0 if alone else float(company[i])
        near = min(min(others, default=FAR), FAR)
        rows.append((np.mean(mates) if mates else 1.0, near, again, alone and not others))
    return rows


@pytest.mark.parametrize("name", ["cosine", "euclidean", "kl"])
@pytest.mark.parametrize("seed", range(3))
def test_evidence_equals_the_slow_version(
    name: MetricName, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", 4)
    rng = np.random.default_rng(seed)
    tracks, label = tracks_of(seed, name), renumber(rng.integers(0, 6, 15))
    apart = np.array([(i, j) for i in range(15) for j in range(i) if label[i] != label[j]])[::3]
    company = np.where(rng.random(15) < 0.2, np.nan, rng.uniform(-0.2, 1, 15)).astype("f4")
    got = evidence(tracks, label, 0.8, apart, company)
    want = np.array(slow_evidence(tracks, label, 0.8, apart, company))
    for found, slow in zip(got, want.T, strict=True):
        np.testing.assert_allclose(found, slow, rtol=2e-3, atol=1e-4)
    assert (np.bincount(label) == 1).any() and (want[:, 1] < FAR).any()
    odds = 5.14 - 8.44 * want[:, 0] + 2.43 * want[:, 1] + 2.38 * want[:, 2]
    np.testing.assert_allclose(
        confidence(tracks, label, 0.8, apart, company),
        np.where(want[:, 3], 1, 1 / (1 + np.exp(-odds))),
        atol=2e-3,
    )


@pytest.mark.parametrize("weights", [WITH_COMPANY, WITHOUT_COMPANY])
def test_nearer_own_farther_others_and_more_company_never_make_it_less_probable(
    weights: Weights,
) -> None:
    rng = np.random.default_rng(0)
    own, other = rng.uniform(0, 1.5, 500), rng.uniform(0, FAR, 500)
    company = rng.uniform(-0.2, 1, 500)
    here = weights.probability(own, other, company)
    assert (here > 0).all() and (here < 1).all()
    assert (weights.probability(own - 0.1, other, company) > here).all()
    assert (weights.probability(own, other + 0.1, company) > here).all()
    assert (weights.probability(own, other, company + 0.1) >= here).all()


def test_a_track_that_drifts_to_others_loses_its_place_in_its_character() -> None:
    """Two people; one track of the first moves over to the second, and stays in its character."""
    angle = [np.linspace(0, 0.2, 5), np.linspace(1.4, 1.6, 5)]
    label = np.repeat([0, 1], [6, 5])
    metric, last = Metric("euclidean"), []
    for moved in np.linspace(0.1, 1.5, 8):
        at = np.concatenate([angle[0], [moved], angle[1]])
        mean = np.stack([np.cos(at), np.sin(at)], axis=1).astype("f4")
        points = space_points(film(0, tracks=11, d=2), metric)
        flat = type(points)(mean, np.full(11, 1.0, dtype="f4"))
        last.append(confidence(relative(flat, metric), label, 1.0, NOBODY)[5])
    assert (np.diff(last) < 0).all() and last[0] > 0.99 and last[-1] < 0.1


def test_a_lone_track_is_doubted_by_how_near_the_next_character_is() -> None:
    mean = np.array([[1, 0], [1, 0.1], [0.9, 0.6], [-1, 0.2]], dtype="f4")
    points = space_points(film(0, tracks=4, d=2), Metric())
    flat = type(points)(mean, np.full(4, 0.2, dtype="f4"))
    label, far = np.array([0, 0, 1, 2]), relative(flat, Metric())
    got = confidence(far, label, 0.5, NOBODY, np.full(4, np.nan, dtype="f4"))
    assert got[2] < got[3] and got[:2].min() > 0.95
    # Who finds company in the draws is less surely somebody alone.
    some = np.array([1, 1, 0.9, np.nan], dtype="f4")
    assert confidence(far, label, 0.5, NOBODY, some)[2] < got[2]
    # Who was seen beside everybody else is surely somebody else.
    seen = confidence(far, label, 0.5, np.array([(0, 2), (2, 3)]))
    assert seen[2] == 1 and 0 < seen[3] < 1


@pytest.mark.parametrize("company", [None, np.full(9, np.nan, dtype="f4")])
def test_all_in_one_and_nobody(company: np.ndarray | None) -> None:
    """One character has no neighbour: its tracks are judged by how near they are to each other."""
    tracks = tracks_of(1, tracks=9)
    got = confidence(tracks, np.zeros(9, dtype=int), 1.0, NOBODY, company)
    own = evidence(tracks, np.zeros(9, dtype=int), 1.0, NOBODY).own
    assert ((got > 0) & (got < 1)).all() and (np.argsort(got) == np.argsort(-own)).all()
    none = Relative(tracks.a[:0], tracks.b[:0], tracks.size[:0])
    assert len(confidence(none, np.empty(0, dtype=int), 1.0, NOBODY)) == 0
    one = Relative(tracks.a[:1], tracks.b[:1], tracks.size[:1])
    assert confidence(one, np.zeros(1, dtype=int), 1.0, NOBODY).tolist() == [1]


def test_without_views_clear_people_are_sure() -> None:
    space = without_views(film(2, noise=0.05))
    far = relative(space_points(space, Metric()), Metric())
    partition = join(far, 0.4, Constraints.none(space.tracks))
    got = confidence(far, partition.label, 0.4, NOBODY)
    assert partition.clusters == 4 and got.min() > 0.9


def test_expected_wrong_is_the_sum_of_doubts() -> None:
    found = cast([0, 1, -1, 0, 1, 1], [0.9, 0.5, 0, 1, 0.75, 0.25])
    np.testing.assert_allclose(found.expected_wrong, [0.1, 1.5], atol=1e-6)
    assert cast([-1]).expected_wrong.tolist() == [] and cast([]).expected_wrong.tolist() == []


def test_which_tracks_are_right() -> None:
    labels = ["a", "a", "b", None, "b", "b", "c", "a", "d", "d", "b"]
    character = np.array([0, 0, 0, 0, 1, 1, 2, 3, 4, 5, -1])
    right = right_tracks(labels, character)
    #       mixed: a has most | false face | b again | lone c | a is 0 | d twice alone | Unknown
    assert right.tolist() == [True, True, False, False, True, True, True, False, True, True, False]
    assert right_tracks(["b", "a"], np.array([0, 0])).tolist() == [True, False]
    assert right_tracks([], np.empty(0, dtype=int)).tolist() == []


def test_calibration_error_of_honest_and_of_boastful_probabilities() -> None:
    rng = np.random.default_rng(0)
    said = rng.uniform(0.3, 1, 30_000)
    right = rng.random(30_000) < said
    assert calibration_error(said, right) < 0.015
    boast = np.sqrt(said)
    assert calibration_error(boast, right) == pytest.approx((boast - said).mean(), abs=0.015)
    rows = reliability(said, right, 10)
    assert [b.tracks for b in rows] == [3000] * 10
    assert sorted(b.said for b in rows) == [b.said for b in rows]
    by_hand = calibration_error(np.array([0.2, 0.4, 0.9, 0.7]), np.array([0, 1, 1, 1], bool), 2)
    assert by_hand == pytest.approx((abs(0.3 - 0.5) + abs(0.8 - 1)) / 2)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("unsure", [True, False])
def test_on_a_held_out_set_probabilities_are_what_they_say(
    unsure: bool, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By weights of a fit without any set of photos, see ``bench/confidence.py``."""
    monkeypatch.setattr(module, "WITH_COMPANY", Weights(5.17, -7.35, 1.66, 1.53))
    folder = shared_data / "phototracks_dev"
    config = Config.load("instant", settings=[f"cluster.unsure={str(unsure).lower()}"])
    result = cluster_tracks(folder / "medium.zip", tmp_path / "run", config)
    labels = read_truth(folder / "medium_tracks.csv", result).label
    known = result.cast.character >= 0
    right = right_tracks(labels, result.cast.character)[known]
    said = result.cast.confidence[known]
    assert calibration_error(said, right) < 0.05  # .028 and .026 were measured
    assert (~right).sum() > 0 and roc_auc_score(right, said) > 0.9  # .98 and .99
