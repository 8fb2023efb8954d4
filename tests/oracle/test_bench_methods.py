"""Methods and intervals of the bench, and what they are made of: against loops and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoclusternet.adapt.pairs import draw_epoch, grouped, jaccard, linked
from videoclusternet.adapt.ranks import ALONE, Ranks, joined
from videoclusternet.errors import ConfigError
from videoclusternet_bench.methods.graph import chinese_whispers
from videoclusternet_bench.methods.hac import cut_at, hac
from videoclusternet_bench.methods.registry import chosen_methods
from videoclusternet_bench.metrics.intervals import plus_minus

STEADY = settings(derandomize=True, deadline=None, max_examples=60)


def graph(nodes: int, seed: int, below: float = 0.0) -> np.ndarray:
    """Symmetric weights, half of them at or below zero."""
    weight = np.random.default_rng(seed).uniform(-1, 1, (nodes, nodes))
    weight = (weight + weight.T) / 2
    return np.where(weight > 0, weight, below * weight)


@STEADY
@given(st.integers(1, 12), st.integers(0, 10**6))
def test_whispers_equal_a_loop_over_neighbours(nodes: int, seed: int) -> None:
    weight = graph(nodes, seed)
    label = list(range(nodes))
    rng = np.random.default_rng(seed)
    for _ in range(100):
        before = list(label)
        for i in rng.permutation(nodes):
            sums: dict[int, float] = {}
            for j in range(nodes):
                if j != i and weight[i, j] > 0:
                    sums[label[j]] = sums.get(label[j], 0.0) + weight[i, j]
            if sums:
                label[i] = min(sums, key=lambda k: (-sums[k], k))
        if label == before:
            break
    got = chinese_whispers(weight, seed)
    assert got.tolist() == np.unique(label, return_inverse=True)[1].tolist()


@STEADY
@given(st.integers(1, 12), st.integers(0, 10**6))
def test_whoever_is_unlike_another_is_no_neighbour(nodes: int, seed: int) -> None:
    # A threshold above 1 lets pairs through whose similarity is below zero.
    with_edges_below = chinese_whispers(graph(nodes, seed, below=1.0), seed)
    assert with_edges_below.tolist() == chinese_whispers(graph(nodes, seed), seed).tolist()


def slow_average_linkage(distance: np.ndarray, stop: float) -> list[set[int]]:
    """Join the two clusters of least mean distance until it exceeds the threshold."""
    clusters = [{n} for n in range(len(distance))]
    while len(clusters) > 1:
        pairs = [(a, b) for i, a in enumerate(clusters) for b in clusters[:i]]
        far = [np.mean([distance[x, y] for x in a for y in b]) for a, b in pairs]
        least = int(np.argmin(far))
        if far[least] > stop:
            break
        a, b = pairs[least]
        clusters = [c for c in clusters if c is not a and c is not b] + [a | b]
    return clusters


@pytest.mark.parametrize("seed", range(4))
def test_hierarchical_clustering_equals_the_slow_version(seed: int) -> None:
    rng = np.random.default_rng(seed)
    track = np.sort(np.concatenate([np.arange(12), rng.integers(0, 12, 20)]))
    crops = rng.normal(size=(32, 4)) + 2 * np.eye(4)[track % 4]
    unit = crops / np.linalg.norm(crops, axis=1, keepdims=True)
    means = np.array([unit[track == t].mean(0) for t in range(12)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    distance = 1 - means @ means.T
    stops = np.array([0.05, 0.2, 0.5, 1.1])
    for stop, label in zip(stops, hac(crops.astype("f4"), track, 12, stops), strict=True):
        got = {frozenset(np.flatnonzero(label == k).tolist()) for k in set(label.tolist())}
        assert got == {frozenset(c) for c in slow_average_linkage(distance, stop)}
    assert len(set(cut_at(means, 5).tolist())) == 5


@pytest.mark.parametrize("value", ["nan", "inf", "-0.1", "2.5", "1e999"])
def test_a_threshold_that_is_no_distance_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="a cosine distance is from 0 to 2"):
        chosen_methods(f"hac={value}")
    (method,) = chosen_methods("hac=0.35")
    assert method.threshold == 0.35


@pytest.mark.parametrize(
    ("values", "digits", "want"),
    [
        ([], 2, ""),
        ([0.5, float("nan")], 2, ""),
        ([0.12345], 3, "0.123"),
        ([0.5, 0.5, 0.5], 2, "0.50"),
        ([0.4, 0.6], 1, "0.5 ± 1.3"),
        ([1.0, 2.0, 3.0], 2, "2.00 ± 2.48"),
        ([0.9000, 0.9001], 2, "0.90"),  # what would be printed as ± 0.00 is left out
    ],
)
def test_mean_and_half_width_as_they_are_printed(
    values: list[float], digits: int, want: str
) -> None:
    assert plus_minus(values, digits) == want


@STEADY
@given(st.integers(1, 5), st.lists(st.integers(0, 99), max_size=17))
def test_shares_of_all_processes_are_the_batch(world: int, batch: list[int]) -> None:
    shares = [Ranks(rank, world).share(np.array(batch)).tolist() for rank in range(world)]
    assert sorted(n for share in shares for n in share) == sorted(batch)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert [Ranks(rank, world).first for rank in range(world)] == [True] + [False] * (world - 1)


def test_a_process_alone_joins_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "1")
    with joined("cpu") as ranks:
        assert ranks == ALONE and ranks.first
        ranks.wait()  # for nobody


@STEADY
@given(st.lists(st.integers(-1, 4), min_size=1, max_size=12), st.data())
def test_partners_of_two_rounds_share_what_sets_share(
    before: list[int], data: st.DataObject
) -> None:
    after = data.draw(st.lists(st.integers(-1, 4), min_size=len(before), max_size=len(before)))

    def pairs(label: list[int]) -> set[tuple[int, int]]:
        n = range(len(label))
        return {(i, j) for i in n for j in n if i != j and label[i] == label[j] >= 0}

    one, two = pairs(before), pairs(after)
    want = len(one & two) / len(one | two) if one | two else 1.0
    assert jaccard(grouped(np.array(before)), grouped(np.array(after))) == pytest.approx(want)


@STEADY
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda p: p[0] != p[1])),
    st.lists(st.integers(1, 3), min_size=6, max_size=6),
    st.sets(st.integers(0, 5), min_size=1),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.integers(0, 1000),
)
def test_an_epoch_pairs_kept_crops_with_crops_of_partners(
    links: list[tuple[int, int]], count: list[int], kept: set[int], own: float, seed: int
) -> None:
    a, b = (np.array([p[i] for p in links if set(p) <= kept], dtype=int) for i in (0, 1))
    partners, track = linked(a, b, 6), np.repeat(np.arange(6), count)
    taking_part = np.isin(np.arange(6), sorted(kept))
    rng = np.random.default_rng(seed)
    anchor, other = draw_epoch(track, partners, taking_part, 0, own, rng)
    assert sorted(anchor.tolist()) == np.flatnonzero(taking_part[track]).tolist()
    friends = {t: {*b[a == t].tolist(), *a[b == t].tolist()} for t in range(6)}
    for one, two in zip(anchor.tolist(), other.tolist(), strict=True):
        mine, its = int(track[one]), int(track[two])
        allowed = friends[mine] if own == 0 else friends[mine] | {mine}
        allowed = {mine} if own == 1 or not friends[mine] else allowed
        assert its in allowed
        assert one != two or count[mine] == 1  # a lone crop is paired with itself
