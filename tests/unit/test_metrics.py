"""Metrics against scikit-learn, against the definitions, and by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import pair_confusion_matrix

from videoclusternet_bench.methods.hac import hac, oracle_hac
from videoclusternet_bench.metrics.scores import (
    Scores,
    bcubed,
    bcubed_by_track,
    contingency,
    f_measure,
    pairwise,
    score,
)

STEADY = settings(derandomize=True, deadline=None, max_examples=60)
labels = st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 4)), min_size=1, max_size=25)
"""Character and cluster of some tracks, Unknown among them."""


def columns(rows: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [a for a, _ in rows], [b for _, b in rows]


def slow_bcubed(truth: list[int], cluster: list[int]) -> tuple[float, float]:
    """Bagga and Baldwin's definition, track by track."""
    n = len(truth)
    precision = recall = 0.0
    for i in range(n):
        mates = [j for j in range(n) if cluster[j] == cluster[i]]
        kin = [j for j in range(n) if truth[j] == truth[i]]
        both = len(set(mates) & set(kin))
        precision += both / len(mates) / n
        recall += both / len(kin) / n
    return precision, recall


def test_one_case_by_hand() -> None:
    # Cluster 0: A A A B; cluster 1: B B; cluster 2: C; two tracks of A Unknown.
    truth = ["A", "A", "A", "B", "B", "B", "C", "A", "A"]
    got = score(truth, [0, 0, 0, 0, 1, 1, 2, -1, -1])
    assert got.wcp == pytest.approx((3 + 2 + 1) / 7)
    assert got.pcr == pytest.approx(3 / 3)
    assert got.bcubed_precision == pytest.approx((3 * 3 / 4 + 1 / 4 + 2 * 1 + 1) / 7)
    assert got.bcubed_recall == pytest.approx((3 * 1 + 1 / 3 + 2 * 2 / 3 + 1) / 7)
    assert got.bcubed_f == pytest.approx(f_measure(got.bcubed_precision, got.bcubed_recall))
    # Pairs: 3 + 1 right of the 6 + 1 found and the 3 + 3 true ones.
    assert got.pairwise_f == pytest.approx(f_measure(4 / 7, 4 / 6))
    assert (got.clusters, got.characters, got.tracks) == (3, 3, 9)
    assert got.unknown_share == pytest.approx(2 / 9)
    # Dagger: the two Unknown tracks count as errors.
    assert got.wcp_dagger == pytest.approx(6 / 9)
    precision = (3 * 3 / 4 + 1 / 4 + 2 * 1 + 1) / 9
    recall = (3 * 3 / 5 + 1 / 3 + 2 * 2 / 3 + 1) / 9
    assert got.bcubed_f_dagger == pytest.approx(f_measure(precision, recall))
    # Three names, one B out of the first cluster, two Unknown tracks to place.
    assert got.clicks == 3 + 1 + 2 and got.count_error == 0


def test_star_leaves_unknown_tracks_out_and_dagger_does_not() -> None:
    truth, cluster = ["A", "A", "B", "B"], [0, 0, 1, -1]
    got = score(truth, cluster)
    assert got.wcp == got.bcubed_f == got.nmi == got.ari == got.pairwise_f == 1
    assert got.wcp_dagger == pytest.approx(0.75)
    # Precision 3/4; recall: two whole A tracks, one B track that finds half of B.
    assert got.bcubed_f_dagger == pytest.approx(f_measure(3 / 4, (1 + 1 + 0.5) / 4))


def test_without_unknown_star_and_dagger_are_one() -> None:
    rng = np.random.default_rng(0)
    got = score(rng.integers(0, 4, 30), rng.integers(0, 4, 30))
    assert got.wcp_dagger == pytest.approx(got.wcp)
    assert got.bcubed_f_dagger == pytest.approx(got.bcubed_f)
    assert got.unknown_share == 0


def test_a_character_that_is_all_unknown_still_counts() -> None:
    got = score(["A", "A", "B"], [0, 0, -1])
    assert got.characters == 2 and got.clusters == 1 and got.pcr == 0.5
    assert got.bcubed_f == 1
    assert got.bcubed_f_dagger == pytest.approx(f_measure(2 / 3, 2 / 3))


@pytest.mark.parametrize("seed", range(6))
def test_equals_scikit_learn_and_the_definitions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, cluster = rng.integers(0, 5, 60), rng.integers(0, 3 + seed, 60)
    cluster[:25] = truth[:25]
    got = score(truth, cluster)
    assert got.nmi == pytest.approx(normalized_mutual_info_score(truth, cluster))
    assert got.ari == pytest.approx(adjusted_rand_score(truth, cluster))
    (_, wrong), (missed, right) = pair_confusion_matrix(truth, cluster)
    assert got.pairwise_f == pytest.approx(2 * right / (2 * right + wrong + missed))
    precision, recall = slow_bcubed(truth.tolist(), cluster.tolist())
    assert got.bcubed_precision == pytest.approx(precision)
    assert got.bcubed_recall == pytest.approx(recall)
    pure = sum(np.bincount(truth[cluster == k]).max() for k in np.unique(cluster))
    assert got.wcp == pytest.approx(pure / 60)
    assert got.pcr == pytest.approx(len(np.unique(cluster)) / len(np.unique(truth)))


@pytest.mark.parametrize("seed", range(3))
def test_pairs_equal_a_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, cluster = rng.integers(0, 4, 20), rng.integers(0, 4, 20)
    pairs = list(combinations(range(20), 2))
    found = {p for p in pairs if cluster[p[0]] == cluster[p[1]]}
    true = {p for p in pairs if truth[p[0]] == truth[p[1]]}
    precision, recall = pairwise(contingency(truth, cluster))
    assert precision == pytest.approx(len(found & true) / len(found))
    assert recall == pytest.approx(len(found & true) / len(true))


def test_perfect_partition_scores_one_everywhere() -> None:
    got = score(["x", "y", "x", "z"], [7, 2, 7, 0])
    for name in ("wcp", "pcr", "bcubed_f", "nmi", "ari", "pairwise_f", "bcubed_f_dagger"):
        assert getattr(got, name) == pytest.approx(1)


def test_everything_together_is_told_by_purity_and_precision() -> None:
    got = score(["A", "A", "A", "B"], [0, 0, 0, 0])
    assert got.wcp == 0.75 and got.bcubed_recall == 1 and got.pcr == 0.5
    assert got.bcubed_precision == pytest.approx(3 / 4 * 3 / 4 + 1 / 4 * 1 / 4)
    assert got.nmi == got.ari == 0


@pytest.mark.parametrize(("truth", "cluster"), [([], []), (["A", "B"], [-1, -1])])
def test_nothing_to_compare_gives_zeros(truth: list[str], cluster: list[int]) -> None:
    got = score(truth, cluster)
    assert got.wcp == got.bcubed_f == got.nmi == got.ari == got.bcubed_f_dagger == 0
    assert got.tracks == len(truth) and got.unknown_share == (1.0 if truth else 0.0)


def test_any_hashable_names_will_do() -> None:
    names = [("s01", 1), ("s01", 2), ("s01", 1), None]
    assert score(names, [0, 1, 0, 2]) == score(["a", "b", "a", "c"], [0, 1, 0, 2])
    assert score([1, "1"], [0, 1]).characters == 2


@STEADY
@given(labels, st.permutations(range(5)), st.permutations(range(5)))
def test_names_do_not_matter(
    rows: list[tuple[int, int]], people: list[int], clusters: list[int]
) -> None:
    truth, cluster = columns(rows)
    renamed = score([people[t] for t in truth], [clusters[c] if c >= 0 else -1 for c in cluster])
    assert_close(renamed, score(truth, cluster))


@STEADY
@given(labels, st.randoms(use_true_random=False))
def test_order_of_tracks_does_not_matter(rows: list[tuple[int, int]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_close(score(*columns(shuffled)), score(*columns(rows)))


def assert_close(a: Scores, b: Scores) -> None:
    for name, value in vars(a).items():
        assert value == pytest.approx(getattr(b, name), abs=1e-9), name


@STEADY
@given(labels)
def test_fractions_stay_between_zero_and_one(rows: list[tuple[int, int]]) -> None:
    got = score(*columns(rows))
    for name, value in vars(got).items():
        if name not in ("pcr", "ari", "clusters", "characters", "tracks", "clicks", "count_error"):
            assert -1e-9 <= value <= 1 + 1e-9, name
    assert got.bcubed_f_dagger <= got.bcubed_f + 1e-9 and got.wcp_dagger <= got.wcp + 1e-9


@STEADY
@given(labels)
def test_mean_over_tracks_is_bcubed(rows: list[tuple[int, int]]) -> None:
    truth, cluster = columns(rows)
    each, got = bcubed_by_track(truth, cluster), score(truth, cluster)
    assert len(each) == sum(c >= 0 for c in cluster)
    if len(each):
        assert each.mean(0) == pytest.approx([got.bcubed_precision, got.bcubed_recall])


@STEADY
@given(labels)
def test_purity_is_that_of_ball_cluster_learning(rows: list[tuple[int, int]]) -> None:
    # Tapaswi et al. 2019: the share of the largest class, weighted by the cluster's size.
    truth, cluster = columns([(t, c) for t, c in rows if c >= 0])
    weighted = 0.0
    for k in set(cluster):
        inside = [t for t, c in zip(truth, cluster, strict=True) if c == k]
        purity = max(inside.count(t) for t in inside) / len(inside)
        weighted += len(inside) / len(cluster) * purity
    assert score(truth, cluster).wcp == pytest.approx(weighted)


@STEADY
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_singletons_are_pure(truth: list[int]) -> None:
    got = score(truth, range(len(truth)))
    assert got.wcp == 1 and got.bcubed_precision == pytest.approx(1)
    assert got.pcr == pytest.approx(len(truth) / len(set(truth)))


@STEADY
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30))
def test_joining_two_pure_clusters_of_a_person_never_lowers_recall(
    rows: list[tuple[int, int]],
) -> None:
    # Every cluster is pure: it carries the name of its person.
    truth = [a for a, _ in rows]
    cluster = [4 * a + b for a, b in rows]
    before = score(truth, cluster)
    for person in set(truth):
        mine = sorted({c for t, c in zip(truth, cluster, strict=True) if t == person})
        for one, two in combinations(mine, 2):
            after = score(truth, [one if c == two else c for c in cluster])
            assert after.bcubed_recall > before.bcubed_recall
            assert after.bcubed_precision == pytest.approx(1)
            assert after.clusters == before.clusters - 1


def test_empty_table_has_no_agreement() -> None:
    assert bcubed(np.zeros((0, 0))) == (0, 0)
    assert f_measure(0, 0) == 0


def test_hac_baseline_finds_clear_people() -> None:
    rng = np.random.default_rng(0)
    person = np.arange(12) % 3
    track = np.repeat(np.arange(12), 4)
    x = rng.normal(size=(3, 16))[person[track]] + rng.normal(size=(48, 16)) * 0.1
    none, all_, some = hac(x, track, 12, np.array([1e-9, 3.0, 0.3]))
    assert len(set(none)) == 12 and len(set(all_)) == 1
    assert score(person, some).bcubed_f == 1
    threshold, best = oracle_hac(x, track, person)
    assert score(person, best).bcubed_f == 1 and 0.02 <= threshold < 1.2
    assert [len(cut) for cut in hac(x[:1], np.zeros(1, int), 1, np.array([0.5]))] == [1]
