"""The label-free choice: agreement, level, reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests import tables
from tests.oracle.test_cluster import film, without_views
from videoclusternet.clustering import stability as module
from videoclusternet.clustering.choose import (
    ENOUGH,
    ENOUGH_TRACKS,
    UNADAPTED,
    calm,
    choose,
    level,
    measure,
    partition_of,
)
from videoclusternet.clustering.confidence import unsure_tracks
from videoclusternet.clustering.distance import Metric, normalise
from videoclusternet.clustering.paper_rounds import Partition
from videoclusternet.clustering.reading import OWN, Reading
from videoclusternet.clustering.spaces import spaces, subset
from videoclusternet.clustering.stability import (
    PLAIN,
    SCALES,
    SHARES,
    agreement,
    common_company,
    halves,
)
from videoclusternet.clustering.track_points import TrackPoints
from videoclusternet.clustering.whitening import Space

LEARNT = Reading("frozen+tracks+round-1", OWN)
COSINE = Metric("cosine")
MIDDLE = len(SCALES) // 2


def slow_agreement(a: list[int], b: list[int]) -> float:
    """Dice coefficient of everybody's companions above chance, with Python sets."""
    n = len(a)
    scores = []
    for i in range(n):
        mine = {j for j in range(n) if a[j] == a[i]} - {i}
        other = {j for j in range(n) if b[j] == b[i]} - {i}
        chance = len(mine) * len(other) / (n - 1)
        most = (len(mine) + len(other)) / 2 - chance
        scores.append((len(mine & other) - chance) / most if most > 1e-9 else 0.0)
    return sum(scores) / n


@pytest.mark.parametrize("seed", range(8))
def test_agreement_equals_the_slow_version(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 5, 30), rng.integers(0, 9, 30)
    b[:15] = a[:15]
    assert agreement(a, b) == pytest.approx(slow_agreement(a.tolist(), b.tolist()))
    assert agreement(a, b) == pytest.approx(agreement(b, a))


def test_agreement_of_extremes() -> None:
    some = np.repeat(np.arange(5), 4)
    alone, together = np.arange(20), np.zeros(20, dtype=int)
    assert agreement(some, some[::-1]) == pytest.approx(1)
    assert agreement(alone, alone) == 0
    assert agreement(together, together) == 0
    assert agreement(np.zeros(1, dtype=int), np.zeros(1, dtype=int)) == 0
    rng = np.random.default_rng(0)
    chance = [agreement(rng.integers(0, 4, 60), rng.integers(0, 4, 60)) for _ in range(50)]
    assert abs(np.mean(chance)) < 0.01


def test_halves_share_no_crop_but_lone_ones() -> None:
    track = film(0, tracks=40).track
    count = np.bincount(track)
    (one, first), (two, second) = halves(track, 40, np.random.default_rng(0), np.arange(40))
    assert len(one) == len(two) == 36
    both = np.intersect1d(first, second)
    assert (count[track[both]] == 1).all()
    assert np.array_equal(np.unique(track[first]), one)
    assert np.array_equal(np.unique(track[second]), two)


def test_in_each_half_is_a_track_with_views_where_there_are_any() -> None:
    """Few tracks of a film beside many exemplars: these are measured in units of the film's."""
    track, rng = np.arange(300), np.random.default_rng(0)
    for _ in range(20):
        for keep, rows in halves(track, 300, rng, np.array([7])):
            assert 7 in keep and len(np.unique(keep)) == 270 and (np.diff(keep) > 0).all()
            assert np.array_equal(rows, keep)
    assert all(len(keep) == 270 for keep, _ in halves(track, 300, rng, np.arange(0)))


def curve(height: Callable[[np.ndarray], np.ndarray], draws: int = 4) -> np.ndarray:
    return np.repeat(height(np.log(SCALES))[None], draws, axis=0)


def bump(at: float, height: float, width: float = 0.12) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: height * np.exp(-(((x - np.log(at)) / width) ** 2))


def test_level_is_the_finest_stable_peak_not_the_highest() -> None:
    people, groups = bump(0.8, 0.9), bump(1.8, 1.0)
    picked = level(curve(lambda x: np.maximum(people(x), groups(x))), tracks=300)
    assert SCALES[picked] == pytest.approx(0.8, rel=0.04)


def test_level_passes_over_a_peak_that_is_not_stable_enough() -> None:
    noise, people = bump(0.6, 0.7), bump(1.3, 1.0)
    picked = level(curve(lambda x: np.maximum(noise(x), people(x))), tracks=300)
    assert SCALES[picked] == pytest.approx(1.3, rel=0.04)


def test_level_stays_at_one_without_structure() -> None:
    assert level(curve(bump(1.9, 0.4)), tracks=300) == MIDDLE
    assert level(curve(lambda x: np.zeros_like(x)), tracks=2) == MIDDLE


def test_few_tracks_hold_the_level_near_one() -> None:
    values = curve(bump(1.9, 0.9))
    assert SCALES[level(values, tracks=1000)] > 1.8
    assert level(values, tracks=6) == MIDDLE


def test_level_of_a_reading_without_scales() -> None:
    assert level(np.full((4, 1), 0.3), tracks=50) == 0


def test_embeddings_as_they_come_are_kept_where_they_are_stable() -> None:
    first, other = UNADAPTED
    assert calm({first: ENOUGH, other: 1.0}) == first
    assert calm({first: ENOUGH - 0.01, other: 0.1}) == other
    assert calm({first: 0.0}) == first


def test_what_was_learnt_is_read_besides_where_it_is_as_calm() -> None:
    first, other = UNADAPTED
    assert calm({first: 0.5, other: 0.6, LEARNT: 0.6}) == LEARNT
    assert calm({first: 0.5, other: 0.6, LEARNT: 0.59}) == other
    assert calm({first: ENOUGH, other: 0.6, LEARNT: 1.0}) == first


@pytest.mark.parametrize("noise", [0.2, 1.2])
def test_rounds_are_read_besides_on_hard_films_alone(noise: float) -> None:
    raw = film(0, people=5, tracks=50, d=32, noise=noise)
    rounds = {"round-1": raw, "round-2": raw}
    choice = choose(raw, rounds, COSINE, tables.known(raw.tracks), 2, seed=0)
    hard = choice.stability[0] < ENOUGH
    learnt = (LEARNT, Reading("frozen+tracks+round-2", "own"))
    assert hard == (noise > 1)
    assert choice.names == ((*UNADAPTED, *learnt) if hard else UNADAPTED[:1])


@pytest.mark.parametrize(("noise", "hard"), [(0.2, False), (1.2, True)])
def test_only_a_film_that_is_hard_to_read_is_read_by_its_own_tracks(
    noise: float, hard: bool
) -> None:
    raw = film(0, people=5, tracks=50, d=32, noise=noise)
    choice = choose(raw, {}, COSINE, tables.known(raw.tracks), 2, seed=0)
    assert choice.names == (UNADAPTED if hard else UNADAPTED[:1])
    assert choice.best == hard and (choice.stability[0] < ENOUGH) == hard


def test_few_tracks_do_not_tell_how_to_read_a_film() -> None:
    raw = film(0, people=5, tracks=ENOUGH_TRACKS - 1, d=32, noise=2.0)
    choice = choose(raw, {}, COSINE, tables.known(raw.tracks), 2, seed=0)
    assert choice.stability[0] < ENOUGH and choice.names == UNADAPTED[:1]


def blurred(seed: int) -> tuple[Space, np.ndarray]:
    """People who differ in some directions, seen under a light that moves them all in one."""
    rng = np.random.default_rng(seed)
    d, person = 24, np.repeat(np.arange(6), 15)
    track = np.repeat(np.arange(90), 6).astype(np.int32)
    light = np.zeros(d)
    light[:3] = 4.0
    clean = rng.normal(size=(6, d))[person[track]] + rng.normal(size=(len(track), d)) * 0.4
    clean += rng.normal(size=(len(track), d)) * light + rng.normal(size=(90, d))[track] * light
    views = clean[:, None] + rng.normal(size=(len(track), 4, d)) * 0.5
    return Space.plain("blurred", clean.astype("f4"), views.astype("f4"), track, 90, 2), person


@pytest.mark.parametrize("seed", range(3))
def test_a_films_own_tracks_tell_what_is_light_and_what_is_a_person(seed: int) -> None:
    space, person = blurred(seed)
    known, found = tables.known(90), {}
    choice = choose(space, {}, COSINE, known, 4, seed=0)
    assert choice.best == 1
    for name, scale in zip(choice.names, choice.scale.tolist(), strict=True):
        partition, _ = partition_of(spaces(space), name, scale, COSINE, known)
        found[name] = agreement(partition.label, person)
    assert found[UNADAPTED[1]] > found[UNADAPTED[0]] + 0.1


def test_same_seed_same_choice() -> None:
    a, b = (choose(film(0, tracks=40), {}, COSINE, tables.known(40), 2, seed=5) for _ in range(2))
    assert a.best == b.best and np.array_equal(a.stability, b.stability)
    assert np.array_equal(a.scale, b.scale, equal_nan=True)


def test_clear_people_are_found() -> None:
    space = film(1, people=5, tracks=60, d=64, noise=0.3)
    choice = choose(space, {}, COSINE, tables.known(space.tracks), 3, seed=0)
    assert choice.names == UNADAPTED[:1]
    assert choice.characters[choice.best] == 5
    assert choice.stability[choice.best] > 0.95


def nested(seed: int) -> tuple[Space, np.ndarray]:
    """Eight people in two groups that differ far more than the people in them."""
    rng = np.random.default_rng(seed)
    group = rng.normal(size=(2, 48)) * 3
    centres = group[np.arange(8) % 2] + rng.normal(size=(8, 48))
    person = np.repeat(np.arange(8), 12)
    track = np.repeat(np.arange(96), 3).astype(np.int32)
    shift = rng.normal(size=(96, 48)) * 0.25
    clean = centres[person[track]] + shift[track] + rng.normal(size=(len(track), 48)) * 0.15
    views = clean[:, None] + rng.normal(size=(len(track), 6, 48)) * 0.3
    return Space.plain("nested", clean.astype("f4"), views.astype("f4"), track, 96, 2), person


@pytest.mark.parametrize("seed", range(3))
def test_people_are_found_inside_groups_that_are_more_stable(seed: int) -> None:
    space, person = nested(seed)
    choice = choose(space, {}, COSINE, tables.known(space.tracks), 4, seed=0)
    best, scale = choice.names[choice.best], float(choice.scale[choice.best])
    partition, _ = partition_of(spaces(space), best, scale, COSINE, tables.known(96))
    assert agreement(partition.label, person) == pytest.approx(1)


def test_a_given_scale_is_kept() -> None:
    names = (*UNADAPTED, Reading("tracks", "mean"))
    choice = measure(film(2, tracks=30), {}, names, COSINE, tables.known(30), 2, 0, scale=1.25)
    own = [reading.scaled for reading in names]
    assert np.allclose(choice.scale[own], 1.25)
    assert np.isnan(choice.scale[np.logical_not(own)]).all()


def of_raw(space: Space, scale: float) -> tuple[Partition, TrackPoints]:
    return partition_of({"frozen": space}, UNADAPTED[0], scale, COSINE, tables.known(space.tracks))


@pytest.mark.parametrize("stretch", [1.0, 0.3])
def test_without_views_people_are_found_at_a_distance(stretch: float) -> None:
    """A model that finds everybody alike needs another threshold, and gets it."""
    space, person = nested(0)
    alike = np.full(space.clean.shape[1], (1 / stretch - 1) * 4)
    blind = without_views(replace(space, clean=(space.clean + alike).astype("f4")))
    choice = choose(blind, {}, COSINE, tables.known(blind.tracks), 4, seed=0)
    assert choice.names == UNADAPTED[:1] and choice.stability[0] > 0.9
    partition, points = of_raw(blind, float(choice.scale[0]))
    assert agreement(partition.label, person) == pytest.approx(1)
    # The threshold is one distance, between the nearest of two people and the farthest of one.
    (threshold,) = np.unique(points.threshold)
    distance = 1 - normalise(points.mean) @ normalise(points.mean).T
    assert distance[person[:, None] == person].mean() < threshold
    assert threshold < distance[person[:, None] != person].mean()


def test_one_picture_a_track_is_enough_without_views() -> None:
    space, person = nested(1)
    rows = np.flatnonzero(np.diff(space.track, prepend=-1))
    lone = without_views(subset(space, np.arange(96), rows))
    choice = choose(lone, {}, COSINE, tables.known(lone.tracks), 4, seed=0)
    partition, _ = of_raw(lone, float(choice.scale[0]))
    assert agreement(partition.label, person) > 0.9


def test_without_views_and_structure_next_to_nothing_is_joined() -> None:
    assert level(np.zeros((4, len(SHARES))), 40, PLAIN) == 0
    # No scale is expected, however few tracks there are.
    peak = np.exp(-((np.log(SHARES / 0.1) / 0.2) ** 2))[None]
    assert SHARES[level(peak, 6, PLAIN)] == pytest.approx(0.1, rel=0.04)


def test_a_long_film_is_judged_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 30)
    seen: list[int] = []
    real = module.tree
    monkeypatch.setattr(module, "tree", lambda r, c: seen.append(len(r)) or real(r, c))
    choose(film(1, people=5, tracks=60, d=64, noise=0.3), {}, COSINE, tables.known(60), 2, seed=0)
    assert max(seen) == 30


def test_labels_play_no_part() -> None:
    """Renaming and reordering what is given changes nothing but the order."""
    space = film(3, people=5, tracks=40, d=32, noise=0.4)
    known = tables.known(40, [[0, 1], [4, 9]], [[2, 3], [11, 30]])
    turned = tables.known(40, [[9, 4], [0, 1]], [[30, 11], [2, 3]])
    choice = choose(space, {}, COSINE, known, 2, seed=1)
    again = choose(space, {}, COSINE, turned, 2, seed=1)
    assert np.array_equal(choice.stability, again.stability)


def test_what_must_meet_meets_in_every_draw() -> None:
    """Two people who are one to somebody who knows: halves and the whole film obey."""
    space, person = nested(0)
    one, other = np.flatnonzero(person == 0), np.flatnonzero(person == 1)
    together = np.stack([one, other], axis=1)  # each track of one with one of the other
    known = tables.known(96, [[one[0], 40]], [*together, [one[0], one[1]]])
    choice = choose(space, {}, COSINE, known, 3, seed=0)
    reading, scale = choice.names[choice.best], float(choice.scale[choice.best])
    partition, _ = partition_of(spaces(space), reading, scale, COSINE, known)
    assert (partition.label[one] == partition.label[other]).all()
    assert partition.label[one[0]] != partition.label[40]


def test_common_company_is_of_each_item_and_says_nothing_of_the_lonely() -> None:
    a, b = [0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 2, 3]
    got = common_company(np.array(a), np.array(b))
    np.testing.assert_allclose(got[:3], 1.0)
    assert got[3] == got[4] == pytest.approx(0.0, abs=1e-9) and np.isnan(got[5])
    assert agreement(np.array(a), np.array(b)) == pytest.approx(3 / 6)
    assert np.isnan(common_company(np.zeros(4, int), np.zeros(4, int))).all()


@pytest.mark.parametrize("most", [1000, 40])
def test_a_track_between_two_people_finds_other_company_each_time(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its crops show the one or the other; of a long film samples are looked at."""
    monkeypatch.setattr(module, "LARGEST", most)
    rng = np.random.default_rng(0)
    people = np.linalg.qr(rng.normal(size=(24, 24)))[0][:4] * 3
    person, each = np.repeat(np.arange(4), 15), 6
    track = np.repeat(np.arange(60), each).astype("i4")
    clean = people[person][track] + rng.normal(size=(360, 24)) * 0.2
    both = track == 7
    clean[both] = people[rng.integers(0, 4, each)] + rng.normal(size=(each, 24)) * 0.2
    views = clean[:, None] + rng.normal(size=(360, 4, 24)) * 0.5
    space = Space.plain("mixed", clean.astype("f4"), views.astype("f4"), track, 60, 2)
    choice = choose(space, {}, COSINE, tables.known(60), 24, seed=0)
    company = choice.company[choice.best]
    others = np.delete(company, 7)
    assert not company[7] > 0.6 and np.nanmean(others) > 0.9
    assert np.isfinite(others).all() and not unsure_tracks(others).any()
