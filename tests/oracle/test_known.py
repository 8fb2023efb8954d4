"""People who are known, beside the tracks of a film: against a slow clustering of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests import tables
from tests.oracle.test_linkage import same, slow_join
from videoclusternet.clustering.average_linkage import APART, relative
from videoclusternet.clustering.choose import ENOUGH_TRACKS
from videoclusternet.clustering.confidence import WITH_COMPANY, evidence
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.find_cast import find_cast, find_known_cast
from videoclusternet.clustering.known import nearest, outcome
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.clustering.known.groups import Groups
from videoclusternet.clustering.known.nearest import nearest_people
from videoclusternet.clustering.known.suggested import Suggested
from videoclusternet.clustering.spaces import Adapted, raw_space
from videoclusternet.clustering.track_points import space_points
from videoclusternet.clustering.whitening import Space
from videoclusternet.config import ClusterConfig, QualityFilterConfig
from videoclusternet.errors import ContradictionError
from videoclusternet.events import no_progress
from videoclusternet.types import (
    Cast,
    Constraints,
    CropWeights,
    Embeddings,
    Merges,
    Reason,
    Tracks,
    Views,
)

WIDE = 8
EVERYBODY = QualityFilterConfig(enabled=False)
KNOWN = [[], [1], [3], [2, 1, 4], [1, 1, 1, 1, 5]]
"""Exemplars of each person: nobody, one by one exemplar, one, several."""
SLOWLY = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 12)]
"""Seeds that need not be tried each time."""
OVERLAPS = [(0, 1), (0, 2), (3, 7)]


@dataclass(frozen=True)
class Scene:
    """A film of tracks of a few people, some of whom are known."""

    tracks: Tracks
    embeddings: Embeddings
    views: Views
    people: Gallery

    def found(self, config: ClusterConfig, **more: Any) -> tuple[Cast, Merges, Suggested]:
        """Cluster it beside who is known."""
        faces = (self.tracks, self.embeddings, self.views, CropWeights.even(len(self.embeddings)))
        people = more.pop("people", self.people)
        cast, merges, _, suggested = find_known_cast(
            *faces, config, EVERYBODY, more.pop("seed", 0), people, **more
        )
        return cast, merges, suggested


def scene(
    seed: int, exemplars: Sequence[int], tracks: int = 14, noise: float = 0.5, overlap: bool = True
) -> Scene:
    """Draw tracks of four people; the first people of the gallery are among them."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(max(4, len(exemplars)), WIDE))
    who = rng.integers(0, 4, tracks)
    track = np.repeat(np.arange(tracks), rng.integers(1, 4, tracks))
    shift = rng.normal(size=(tracks, WIDE)) * noise
    base = centre[who][track] + shift[track] + rng.normal(size=(len(track), WIDE)) * noise / 2
    views = base[:, None] + rng.normal(size=(len(track), 4, WIDE)) * noise
    start = np.arange(tracks) * 100
    spans = [[n, start[n], start[n] + 20 + n] for n in range(tracks)]
    for one, other in OVERLAPS if overlap and tracks > 7 else ():
        if who[one] != who[other]:
            spans[other] = [spans[one][0], spans[one][1], spans[other][2] - spans[other][1]]
            spans[other][2] += spans[one][1]
    quality = np.full(len(track), 0.8)
    return Scene(
        tables.tracks([(a, b, c) for a, b, c in spans]),
        Embeddings(track, np.arange(len(track)), base, quality, tracks, "drawn"),
        tables.views_of_every(views, 2),
        gallery(rng, centre, exemplars, noise),
    )


def gallery(
    rng: np.random.Generator, centre: np.ndarray, exemplars: Sequence[int], noise: float
) -> Gallery:
    """Draw exemplars of people, as a library hands them out."""
    person = np.repeat(np.arange(len(exemplars)), exemplars)
    mean = centre[person] + rng.normal(size=(len(person), WIDE)) * noise
    length = np.linalg.norm(mean, axis=1)
    known = rng.uniform(0.05, 0.4, len(person))
    return Gallery(
        person=person,
        look=np.zeros(len(person)),
        mean=mean / length[:, None],
        length=length,
        threshold=np.where(np.arange(len(person)) % 3 == 2, np.nan, known),
        people=tuple(f"key {n}" for n in range(len(exemplars))),
        names=tuple(f"Name {n}" for n in range(len(exemplars))),
        films=(1,) * len(exemplars),
        weights="drawn",
    )


@dataclass(frozen=True)
class Slow:
    """Distances of tracks and exemplars, one pair after the other, and who may not meet."""

    far: np.ndarray
    start: np.ndarray
    barred: set[tuple[int, int]]
    tracks: int

    @classmethod
    def of(cls, one: Scene) -> Slow:
        """Measure a scene; who is one from the beginning has one number in ``start``."""
        n = len(one.tracks)
        unit = [_unit(row) for row in one.embeddings.base.astype("f8")]
        own, point = [], []
        for track in range(n):
            rows = np.flatnonzero(one.embeddings.track == track)
            point.append(_unit(np.mean([unit[row] for row in rows], axis=0)))
            seen = [_unit(v) for v in one.views.base[rows].astype("f8").reshape(-1, WIDE)]
            pairs = [1 - a @ b for i, a in enumerate(seen) for b in seen[:i]]
            own.append(float(np.mean(pairs)))
        middle = float(np.median(own))
        for mean, threshold in zip(one.people.mean, one.people.threshold, strict=True):
            point.append(_unit(mean.astype("f8")))
            own.append(middle if np.isnan(threshold) else float(threshold))
        middle = float(np.median(own))
        unit_of = [np.sqrt(np.sqrt(a * middle)) for a in own]
        size = len(point)
        far = np.zeros((size, size))
        for i in range(size):
            for j in range(size):
                far[i, j] = (1 - point[i] @ point[j]) / (unit_of[i] * unit_of[j])
        start, person = list(range(n)), one.people.person.tolist()
        start += [n + who for who in person]
        barred = {(int(a), int(b)) for a, b in one.tracks.overlapping()}
        barred |= {
            (n + i, n + j) for i, a in enumerate(person) for j, b in enumerate(person) if a < b
        }
        return cls(far, np.array(start), barred, n)

    def joined(self, scale: float) -> np.ndarray:
        """Join up to a mean relative distance."""
        far = self.far.copy()
        for a, b in self.barred:
            far[a, b] = far[b, a] = APART
        return slow_join(far, scale, self.start)

    def scales(self) -> list[float]:
        """Scales between the heights at which something joins: nothing hangs on a last digit."""
        steps = np.linspace(0.3, 2.5, 16)
        sizes = [self.joined(s).max() for s in steps]
        return [
            float(a + b) / 2
            for a, b, x, y in zip(steps, steps[1:], sizes, sizes[1:], strict=False)
            if x == y
        ][::2]

    def whose(self, label: np.ndarray) -> dict[int, int]:
        """Find the person in each cluster that holds a track."""
        found = {}
        for row in range(self.tracks, len(label)):
            if label[row] in label[: self.tracks]:
                found[int(label[row])] = int(self.start[row] - self.tracks)
        return found

    def shown(self, label: np.ndarray, scale: float) -> np.ndarray:
        """How probably each track shows the person whom it joined, by the rule without company."""
        sure = np.zeros(self.tracks)
        apart = {(a, label[b]) for a, b in self.barred} | {(b, label[a]) for a, b in self.barred}
        for track in range(self.tracks):
            theirs = [r for r in range(self.tracks, len(label)) if label[r] == label[track]]
            if not theirs:
                continue
            own = max(np.mean([self.far[track, r] for r in theirs]) / scale, 0)
            near = [
                np.mean([self.far[track, r] for r in np.flatnonzero(label == c)]) / scale
                for c in set(label.tolist()) - {label[track]}
                if (track, c) not in apart
            ]
            odds = 6.63 - 11.56 * own + 4.97 * min(max(min(near, default=1.5), 0), 1.5)
            sure[track] = 1 / (1 + np.exp(-odds))
        return sure


def _unit(row: np.ndarray) -> np.ndarray:
    return np.asarray(row / np.linalg.norm(row))


def at(scale: float) -> ClusterConfig:
    return ClusterConfig(choose="frozen/own", scale=scale)


@pytest.mark.parametrize("exemplars", KNOWN, ids=str)
@pytest.mark.parametrize("seed", [0, *SLOWLY])
def test_tracks_join_people_as_in_a_slow_clustering_of_both(
    seed: int, exemplars: list[int]
) -> None:
    one = scene(seed, exemplars)
    slow = Slow.of(one)
    scales = slow.scales()
    assert len(scales) > 2
    for scale in scales:
        label = slow.joined(scale)
        cast, merges, suggested = one.found(at(scale))
        assert same(cast.character, label[: len(one.tracks)])
        assert (cast.reason == Reason.OK).all() and len(cast.character) == len(one.tracks)
        whose, sure = slow.whose(label), slow.shown(label, scale)
        want = {
            int(cast.character[np.flatnonzero(label[: slow.tracks] == c)[0]]): person
            for c, person in whose.items()
        }
        got = dict(zip(suggested.character.tolist(), suggested.people, strict=True))
        assert got == {c: f"key {person}" for c, person in want.items()}
        for number, found in zip(suggested.character, suggested.sure, strict=True):
            assert found == pytest.approx(sure[cast.character == number].mean(), abs=2e-3)
        assert connected(cast, merges)


def connected(cast: Cast, merges: Merges) -> bool:
    """Whether the merges alone make the characters: what `vcn why` walks along.

    Tracks that are Unknown stand where they probably belong.
    """
    label = np.arange(len(cast.character))
    for a, b in zip(merges.a.tolist(), merges.b.tolist(), strict=True):
        label[label == label[b]] = label[a]
    whole = np.where(cast.character < 0, cast.probable, cast.character)
    return same(label[whole >= 0], whole[whole >= 0])


def test_the_cases_hold_what_they_are_about() -> None:
    """Tracks that joined somebody, that joined nobody, and people who are not there."""
    met, strangers, away, apart = 0, 0, 0, 0
    for seed in range(2):
        one = scene(seed, [2, 1, 4])
        slow = Slow.of(one)
        apart += len(one.tracks.overlapping())
        for scale in slow.scales():
            label = slow.joined(scale)
            whose = slow.whose(label)
            met += len(whose)
            away += 3 - len(whose)
            strangers += len(set(label[: slow.tracks].tolist()) - set(whose))
    assert min(met, strangers, away, apart) > 3


def test_where_nobody_is_known_the_cast_is_that_of_the_film_alone() -> None:
    one = scene(1, [])
    faces = (one.tracks, one.embeddings, one.views, CropWeights.even(len(one.embeddings)))
    for config in (at(1.0), ClusterConfig(draws=3)):
        plain = find_cast(*faces, config, EVERYBODY)
        for people in (None, one.people):
            found = find_known_cast(*faces, config, EVERYBODY, 0, people)
            assert [t.digest for t in found[:3]] == [t.digest for t in plain]
            assert len(found[3]) == 0


def test_people_far_from_everybody_change_nothing_but_who_is_known() -> None:
    one = scene(2, [3, 3], noise=0.1)
    away = replace(one.people, mean=-one.people.mean.astype("f4"))
    slow = Slow.of(replace(one, people=away))
    cast, _, suggested = one.found(at(0.8), people=away)
    assert same(cast.character, slow.joined(0.8)[:14])
    assert len(suggested) == 0


@pytest.mark.parametrize("choose", ["frozen/own", "stability", "frozen+tracks/own", "frozen/or"])
@pytest.mark.parametrize("tracks", [0, 1, 2])
@pytest.mark.parametrize("exemplars", [[1], [2, 3]], ids=str)
def test_no_track_one_and_two(choose: str, tracks: int, exemplars: list[int]) -> None:
    one = scene(3, exemplars, tracks=tracks, noise=0.1)
    cast, merges, suggested = one.found(ClusterConfig(choose=choose, draws=3))
    assert len(cast.character) == tracks and len(suggested) <= cast.characters
    assert connected(cast, merges)


def test_one_track_is_the_one_whom_it_looks_like() -> None:
    one = scene(3, [2, 3], tracks=1, noise=0.05)
    as_seen = one.embeddings.base.mean(axis=0)
    people = replace(
        one.people,
        mean=np.concatenate([one.people.mean[:2].astype("f4") * -1, [as_seen / 4] * 3]),
    )
    cast, _, suggested = one.found(at(1.0), people=people)
    assert cast.character.tolist() == [0] and suggested.people == ("key 1",)
    assert suggested.sure[0] > 0.9
    nobody = replace(people, mean=-people.mean.astype("f4"))
    assert len(one.found(at(1.0), people=nobody)[2]) == 0


def test_a_film_of_which_no_track_can_be_judged() -> None:
    one = scene(0, [2, 1])
    gone = replace(one.tracks, flaw=np.full(len(one.tracks), Reason.SMALL))
    cast, merges, suggested = replace(one, tracks=gone).found(at(1.0))
    assert cast.characters == 0 and len(merges) == 0 and len(suggested) == 0


def test_tracks_that_are_set_aside_are_passed_over_in_the_numbers() -> None:
    one = scene(1, [2, 1, 4], overlap=False)
    flaw = np.where(np.arange(14) % 4 == 1, Reason.BLURRED, Reason.OK)
    cast, merges, suggested = replace(one, tracks=replace(one.tracks, flaw=flaw)).found(at(0.9))
    kept = np.flatnonzero(flaw == Reason.OK)
    rows = np.isin(one.embeddings.track, kept)
    place = np.searchsorted(kept, one.embeddings.track[rows])
    fewer = Scene(
        tables.tracks([(n, 100 * n, 100 * n + 20 + int(kept[n])) for n in range(len(kept))]),
        Embeddings(place, np.arange(rows.sum()), one.embeddings.base[rows],
                   one.embeddings.quality[rows], len(kept), "drawn"),
        tables.views_of_every(one.views.base[rows], 2),
        one.people,
    )  # fmt: skip
    alone, _, known = fewer.found(at(0.9))
    assert cast.character[kept].tolist() == alone.character.tolist()
    assert (cast.character[flaw != Reason.OK] == -1).all()
    assert known.people == suggested.people and len(known) > 0
    assert set(merges.a.tolist()) | set(merges.b.tolist()) <= set(kept.tolist())


def test_features_without_views() -> None:
    """Given features have no views: all have one threshold, that of people counts for nothing."""
    one = scene(2, [2, 3], noise=0.1)
    bare = replace(one, views=Views.none(WIDE))
    cast, merges, suggested = bare.found(ClusterConfig(draws=3))
    assert connected(cast, merges) and suggested.people == ("key 1",)
    other = replace(bare.people, threshold=np.full(5, np.nan))
    again, _, same_people = bare.found(ClusterConfig(draws=3), people=other)
    assert again.digest == cast.digest and same_people.digest == suggested.digest


def test_views_that_are_all_alike() -> None:
    """A film of stills: its own thresholds are 0, and tell nothing of how far apart people are."""
    one = scene(2, [2, 3], noise=0.1)
    alike = np.broadcast_to(np.eye(WIDE)[0], (len(one.embeddings), 4, WIDE))
    still = tables.views_of_every(alike, 2)
    cast, merges, suggested = replace(one, views=still).found(ClusterConfig(draws=3))
    assert connected(cast, merges) and np.isfinite(suggested.sure).all()


def test_what_is_known_of_the_film_holds_beside_people() -> None:
    one = scene(1, [2, 1, 4], overlap=False)
    free, _, _ = one.found(at(1.0))
    label = free.character
    a, b = (int(n) for n in np.flatnonzero(label == np.bincount(label).argmax())[:2])
    c = int(np.flatnonzero(label != label[a])[0])
    bound = tables.known(14, [(a, b)], [(a, c)])
    cast, merges, suggested = one.found(at(1.0), known=bound)
    assert cast.character[a] != cast.character[b] and cast.character[a] == cast.character[c]
    assert connected(cast, merges) and len(set(suggested.people)) == len(suggested)


def test_what_is_said_in_two_ways_is_refused() -> None:
    one = scene(1, [2, 1])
    with pytest.raises(ContradictionError, match="tracks 3 and 4 are said to be one person and"):
        one.found(at(1.0), known=Constraints(
            np.array([[3, 4]]), np.array([[3, 5], [5, 4]]), 14))  # fmt: skip


# Two stages: characters are found as ever, then ask who they are.


def learnt(one: Scene) -> dict[str, Any]:
    """A round of adaptation that sees the film as it came."""
    made = Adapted(one.embeddings, one.views, np.zeros(WIDE, np.float32), False)
    return {"round-1": lambda: made}


PAPER = ClusterConfig(algorithm="paper", choose="frozen/or", draws=3)
LEARNT = ClusterConfig(choose="round-1/own", scale=0.7, draws=3)


@pytest.mark.parametrize("config", [PAPER, LEARNT, ClusterConfig(draws=3)], ids=str)
@pytest.mark.parametrize("seed", [0, *SLOWLY])
def test_characters_that_were_found_without_people_ask_as_wholes(
    config: ClusterConfig, seed: int
) -> None:
    one = scene(seed, [3, 4, 2], noise=0.25)
    rounds = None if config is PAPER else learnt(one)
    alone, _, _ = one.found(config, people=None, rounds=rounds)
    cast, merges, suggested = one.found(config, rounds=rounds)
    for character in range(alone.characters):
        inside = cast.character[alone.character == character]
        assert len(set(inside.tolist())) == 1 and inside[0] >= 0  # it only ever grows
    assert connected(cast, merges)
    assert len(suggested) > 0 and ((suggested.sure > 0) & (suggested.sure <= 1)).all()
    for a, b in one.tracks.overlapping():
        assert cast.character[a] != cast.character[b] or cast.character[a] == -1
    assert cast.chosen == alone.chosen


def test_a_person_who_is_two_characters_makes_them_one() -> None:
    """What the letter of the paper leaves in pieces is one where both are the same known person."""
    one = scene(5, [6], tracks=9, noise=0.2, overlap=False)
    strict = ClusterConfig(algorithm="paper", choose="frozen/and", draws=3)
    alone, _, _ = one.found(strict, people=None)
    cast, merges, suggested = one.found(strict)
    assert cast.characters < alone.characters and len(suggested) == 1
    assert connected(cast, merges)


# Of whom is asked.


def slow_nearest(people: Gallery, means: np.ndarray, near: int) -> set[str]:
    """Sort everybody by the nearest exemplar, for each track."""
    found: set[str] = set()
    for mean in means:
        best: dict[int, float] = {}
        for person, exemplar in zip(people.person.tolist(), people.mean, strict=True):
            cosine = _unit(mean.astype("f8")) @ _unit(exemplar.astype("f8"))
            best[person] = max(best.get(person, -2), cosine)
        order = sorted(best, key=lambda person: -best[person])
        found |= {people.people[person] for person in order[:near]}
    return found


@pytest.mark.parametrize("block", [1, 3, 7, 20, 10_000])
@pytest.mark.parametrize(("tracks", "exemplars"), [
    (1, [4] * 30), (3, [1, 7, 2] * 12), (40, [3] * 12), (2, [9] * 40), (5, [3, 4]), (4, [60]),
])  # fmt: skip
def test_the_people_nearest_to_each_track_are_asked_about(
    block: int, tracks: int, exemplars: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the exemplars of somebody lie on both sides of a border between blocks."""
    monkeypatch.setattr(nearest, "BLOCK", block)
    monkeypatch.setattr(nearest, "FEW", 5)
    rng = np.random.default_rng(len(exemplars) + tracks)
    centre = rng.normal(size=(len(exemplars), WIDE))
    people = gallery(rng, centre, exemplars, 0.3)
    means = rng.normal(size=(tracks, WIDE)).astype("f4")
    got = nearest_people(people, means)
    assert set(got.people) == slow_nearest(people, means, nearest.NEAR)
    rows = np.isin(people.person, [people.people.index(key) for key in got.people])
    np.testing.assert_array_equal(got.mean, people.mean[rows])  # all of theirs, in their order
    np.testing.assert_array_equal(got.threshold, people.threshold[rows])
    assert [got.people[p] for p in got.person] == [people.people[p] for p in people.person[rows]]
    assert got.names == tuple(key.replace("key", "Name") for key in got.people)


def test_of_few_everybody_is_asked_about() -> None:
    people = scene(0, [2, 3]).people
    assert nearest_people(people, np.ones((1, WIDE), "f4")) is people


def test_without_tracks_nobody_of_many_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "FEW", 1)
    none = nearest_people(scene(0, [2, 3]).people, np.empty((0, WIDE), "f4"))
    assert len(none) == 0 and none.people == ()


# How sure it is.


def test_how_surely_tracks_show_somebody_equals_a_loop_with_company() -> None:
    one, metric = scene(6, [2, 3]), Metric("cosine")
    raw = raw_space(one.embeddings, one.views, np.arange(14))
    groups = Groups.of(raw, Constraints.of_overlaps(one.tracks), one.people, metric)
    far = relative(space_points(groups.space, metric), metric)
    slow, rng = Slow.of(one), np.random.default_rng(0)
    np.testing.assert_allclose(far.block(slice(None)), slow.far, atol=2e-3)
    label, company = slow.joined(1.2), rng.uniform(-0.2, 1, 19).astype("f4")
    got = groups.shown(far, label, 1.2, company)
    all_found = evidence(far, label, 1.2, groups.held.apart, company)
    assert (got > 0).any()
    for track in range(14):
        theirs = [row for row in range(14, 19) if label[row] == label[track]]
        if not theirs:
            assert got[track] == 0
            continue
        own = max(float(np.mean([slow.far[track, row] for row in theirs])) / 1.2, 0)
        odds = np.dot(WITH_COMPANY, (1, own, all_found.other[track], all_found.company[track]))
        assert got[track] == pytest.approx(1 / (1 + np.exp(-odds)), abs=2e-3)


def test_groups_say_who_is_one_and_who_is_two() -> None:
    one = scene(1, [2, 1, 4])
    raw = raw_space(one.embeddings, one.views, np.arange(14))
    met = Constraints.of_overlaps(one.tracks)
    groups = Groups.of(raw, met, one.people, Metric("cosine"))
    assert groups.tracks == 14 and groups.space.tracks == 21 and groups.stands.tolist() == [
        14, 16, 17]  # fmt: skip
    group = groups.held.group
    for i in range(7):
        for j in range(7):
            alike = one.people.person[i] == one.people.person[j]
            assert (group[14 + i] == group[14 + j]) == alike
    barred = {tuple(sorted(group[list(pair)].tolist())) for pair in groups.held.apart}
    for a, b in ((14, 16), (14, 17), (16, 17)):
        assert tuple(sorted((int(group[a]), int(group[b])))) in barred
    assert len(groups.film.together) == 0 and len(groups.film.apart) == len(met.apart)
    # A threshold that is not known is the film's own median.
    own = space_points(groups.space, Metric("cosine")).threshold
    np.testing.assert_allclose(own[14:][np.isfinite(one.people.threshold)],
                               one.people.threshold[np.isfinite(one.people.threshold)],
                               rtol=1e-4)  # fmt: skip
    assert own[16] == pytest.approx(np.median(own[:14]), rel=1e-4)


@pytest.mark.parametrize(
    ("beside", "alone", "tracks"),
    [(1.2, 0.8, ENOUGH_TRACKS), (0.7, 0.9, ENOUGH_TRACKS), (1.2, 0.8, ENOUGH_TRACKS - 1)],
)
def test_beside_people_a_film_is_never_read_more_coarsely_than_alone(
    beside: float, alone: float, tracks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless it has few tracks, which say little."""
    one, metric, asked = scene(2, [2, 1], tracks), Metric("cosine"), []
    raw = raw_space(one.embeddings, one.views, np.arange(len(one.tracks)))
    met = Constraints.of_overlaps(one.tracks)
    real = outcome.choose

    def chosen(space: Space, extra: Any, metric: Metric, known: Constraints, *rest: Any) -> Any:
        asked.append((space.tracks, known))
        scale = alone if space.tracks == raw.tracks else beside
        return real(space, extra, metric, known, rest[0], rest[1], scale)

    monkeypatch.setattr(outcome, "choose", chosen)
    groups = Groups.of(raw, met, one.people, metric)
    find = partial(outcome.find_clusters, extra={}, asked=None, metric=metric, seed=0,
                   progress=no_progress)  # fmt: skip
    found = find(groups, config=ClusterConfig(draws=2))
    enough = tracks == ENOUGH_TRACKS
    # Nothing is known of the exemplars when it is asked how the film is to be read.
    assert [n for n, _ in asked] == ([tracks + 3, tracks] if enough else [tracks + 3])
    assert all(len(known.apart) == len(met.apart) for _, known in asked)
    assert all(len(known.together) == 0 for _, known in asked)
    # Distances beside people are in units of the median of all thresholds.
    own = [np.median(space_points(space, metric).threshold) for space in (raw, groups.space)]
    taken = min(beside, alone * np.sqrt(own[0] / own[1])) if enough else beside
    assert float(found.choice.scale[found.choice.best]) == pytest.approx(taken)
    asked.clear()
    find(Groups.of(raw, met, None, metric), config=ClusterConfig(draws=2))
    find(groups, config=ClusterConfig(draws=2, scale=1.1))
    assert len(asked) == 2  # without people, or where the scale is given, it is asked once
