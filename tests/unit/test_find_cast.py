"""From embeddings to the cast: who takes part, who is who, in what order, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests import tables
from videoclusternet.clustering.find_cast import find_cast
from videoclusternet.clustering.known import outcome as module
from videoclusternet.clustering.reading import Reading, check_choice, round_name, round_number
from videoclusternet.clustering.spaces import Adapted
from videoclusternet.config import ClusterConfig, QualityFilterConfig
from videoclusternet.engine.work import Work
from videoclusternet.errors import ConfigError, ContradictionError
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

PEOPLE = [0, 1, 2, 0, 1, 0, 2, 2]
"""Who each of eight tracks shows."""
OWN = ClusterConfig(choose="frozen/own", scale=1.0)
EVERYBODY = QualityFilterConfig(enabled=False)
MANY = [Reading("frozen", "own"), Reading("frozen", "or"), Reading("tracks", "mean")]
Found = tuple[Embeddings, Views]


def faces(
    people: Sequence[int], crops: int = 3, quality: Sequence[float] = (), seed: int = 0
) -> Found:
    """Embeddings of clear people: pictures of one are near each other, in every view."""
    rng = np.random.default_rng(seed)
    centre = np.eye(16)[: max(people, default=0) + 1]
    track = np.repeat(np.arange(len(people)), crops)
    base = centre[np.asarray(people, dtype=int)][track] + rng.normal(size=(len(track), 16)) * 0.05
    views = base[:, None] + rng.normal(size=(len(track), 4, 16)) * 0.15
    good = np.asarray(quality or np.full(len(people), 0.8), dtype=np.float32)
    embeddings = Embeddings(track, np.arange(len(track)), base, good[track], len(people), "test")
    return embeddings, tables.views_of_every(views, 2)


def one_after_another(people: Sequence[int], seconds: Sequence[int] = ()) -> Tracks:
    """A shot for each track, so that nobody meets."""
    long = seconds or [10] * len(people)
    start = np.cumsum([0, *long])
    return tables.tracks([(n, start[n], start[n + 1] - 1) for n in range(len(people))])


def cast_of(
    tracks: Tracks, found: Found, config: ClusterConfig = OWN, **more: Any
) -> tuple[Cast, Merges]:
    quality = more.pop("quality", EVERYBODY)
    cast, merges, candidates = find_cast(
        tracks, *found, CropWeights.even(len(found[0])), config, quality, **more
    )
    assert cast.chosen in candidates.names
    return cast, merges


def companies(character: Sequence[int] | np.ndarray) -> set[frozenset[int]]:
    """Tracks by character, whatever their numbers."""
    number = np.asarray(character)
    return {frozenset(np.flatnonzero(number == n).tolist()) for n in set(number.tolist()) - {-1}}


@pytest.mark.parametrize("config", [ClusterConfig(draws=3), OWN, *MANY], ids=str)
def test_clear_people_are_the_characters(config: ClusterConfig | Reading) -> None:
    config = ClusterConfig(choose=str(config), draws=3) if isinstance(config, Reading) else config
    cast, merges = cast_of(one_after_another(PEOPLE), faces(PEOPLE), config)
    assert companies(cast.character) == companies(PEOPLE)
    assert (cast.reason == Reason.OK).all() and (cast.confidence > 0.6).all()
    assert np.isfinite(cast.threshold).all()
    assert len(merges) >= len(PEOPLE) - 3


def test_characters_are_numbered_by_their_time_on_screen() -> None:
    long = [10, 90, 20, 10, 10, 10, 30, 20]  # of 0 are 30, of 1 100, of 2 70 frames
    cast, _ = cast_of(one_after_another(PEOPLE, long), faces(PEOPLE))
    assert [int(cast.character[PEOPLE.index(n)]) for n in range(3)] == [2, 0, 1]
    level, _ = cast_of(one_after_another([1, 0], [5, 5]), faces([1, 0]))
    assert level.character.tolist() == [0, 1]  # equal times keep the order of the tracks


@pytest.mark.parametrize("algorithm", ["vcn", "paper"])
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_tracks_does_not_matter(seed: int, algorithm: str) -> None:
    people = np.random.default_rng(seed).integers(0, 4, 12).tolist()
    embeddings, views = faces(people, seed=seed)
    order = np.random.default_rng(seed + 50).permutation(12)
    rows = np.concatenate([np.flatnonzero(embeddings.track == t) for t in order])
    moved = Embeddings(
        np.repeat(np.arange(12), 3), np.arange(36), embeddings.base[rows],
        embeddings.quality[rows], 12, "test",
    )  # fmt: skip
    choice = "frozen/or" if algorithm == "paper" else "frozen/own"
    config = ClusterConfig(algorithm=algorithm, choose=choice, scale=1.0)
    tracks = one_after_another(people)
    first, _ = cast_of(tracks, (embeddings, views), config)
    second, _ = cast_of(tracks, (moved, tables.views_of_every(views.base[rows], 2)), config)
    assert companies(first.character[order]) == companies(second.character)


def test_two_faces_of_one_picture_are_two_people_unless_that_is_switched_off() -> None:
    tracks = tables.tracks([(0, 0, 9), (0, 5, 14), (1, 15, 30)])
    for config, together in ((OWN, False), (OWN.model_copy(update={"cannot_link": False}), True)):
        cast, _ = cast_of(tracks, faces([0, 0, 0]), config)
        assert (cast.character[0] == cast.character[1]) == together
        assert cast.characters == (1 if together else 2)


@pytest.mark.parametrize("config", [OWN, ClusterConfig(choose="frozen/or"), ClusterConfig(draws=2)])
def test_what_is_known_of_tracks_overrules_their_faces(config: ClusterConfig) -> None:
    known = tables.known(8, apart=[[0, 3]], together=[[1, 2]])
    cast, merges = cast_of(one_after_another(PEOPLE), faces(PEOPLE), config, known=known)
    assert cast.character[1] == cast.character[2] and cast.character[0] != cast.character[3]
    assert (merges.a[0], merges.b[0], merges.round[0]) == (1, 2, 0)


def test_what_is_known_outweighs_the_pictures() -> None:
    tracks = tables.tracks([(0, 0, 9), (0, 5, 14)])
    cast, _ = cast_of(tracks, faces([0, 1]), known=tables.known(2, together=[[0, 1]]))
    assert cast.character.tolist() == [0, 0]
    with pytest.raises(ContradictionError, match="tracks 0 and 1"):
        tables.known(2, apart=[[0, 1]], together=[[0, 1]])
    with pytest.raises(ValueError, match="of 2 and of 3 tracks"):
        cast_of(tracks, faces([0, 1]), known=Constraints.none(3))


def test_every_track_that_takes_no_part_has_its_reason() -> None:
    flaw = [Reason.OK] * 10
    flaw[0] = Reason.SMALL
    people = [*PEOPLE, 0, 1]
    quality = [0.8, 0.81, 0.79, 0.8, 0.8, 0.82, 0.78, 0.8, 0.8, 0.1]
    embeddings, views = faces(people, quality=quality)
    seen = np.flatnonzero(embeddings.track != 8)  # track 8 has no picture
    some = Embeddings(
        embeddings.track[seen], embeddings.crop[seen], embeddings.base[seen],
        embeddings.quality[seen], 10, "test",
    )  # fmt: skip
    tracks = tables.tracks([(n, 10 * n, 10 * n + 9) for n in range(10)], flaw=flaw)
    cast, merges = cast_of(
        tracks,
        (some, tables.views_of_every(views.base[seen], 2)),
        quality=QualityFilterConfig(enabled=True),
    )
    reasons = {0: Reason.SMALL, 8: Reason.NO_PICTURE, 9: Reason.LOW_QUALITY}
    assert {t: Reason(cast.reason[t]) for t in np.flatnonzero(cast.character < 0)} == reasons
    out, inside = list(reasons), [1, 2, 3, 4, 5, 6, 7]
    assert np.isnan(cast.threshold[out]).all() and (cast.confidence[out] == 0).all()
    assert companies(cast.character[inside]) == companies([people[t] for t in inside])
    assert np.isnan(cast.quality[8]) and cast.quality[9] == pytest.approx(0.1)
    # The log speaks of tracks of the film, not of those that took part.
    assert {*merges.a.tolist(), *merges.b.tolist()} == set(inside)
    whole, _ = cast_of(tracks, (some, tables.views_of_every(views.base[seen], 2)))
    assert whole.reason[9] == Reason.OK and whole.character[9] == whole.character[1]


@pytest.mark.parametrize("reading", ["frozen/own", "frozen/mean", "frozen/null", "tracks/or"])
def test_the_log_of_merges_leads_to_the_cast(reading: str) -> None:
    people = np.random.default_rng(5).integers(0, 5, 20).tolist()
    config = ClusterConfig(choose=reading, scale=1.0)
    cast, merges = cast_of(one_after_another(people), faces(people), config)
    group = list(range(20))
    for a, b, far, limit in zip(merges.a, merges.b, merges.distance, merges.threshold, strict=True):
        assert far <= limit and group[a] != group[b]
        group = [group[a] if g == group[b] else g for g in group]
    assert companies(group) == companies(cast.character)


@pytest.mark.parametrize(
    "choice", ["stability", "frozen/own", "tracks/or+null", "frozen+tracks/own"]
)
def test_nobody_and_one_alone(choice: str) -> None:
    config = ClusterConfig(choose=choice)
    nobody, merges = cast_of(one_after_another([]), faces([]), config)
    assert len(nobody) == 0 and nobody.characters == 0 and len(merges) == 0
    alone, _ = cast_of(one_after_another([0]), faces([0]), config)
    assert alone.character.tolist() == [0] and np.isfinite(alone.threshold).all()
    small = tables.tracks([(0, 0, 9), (1, 10, 19)], flaw=Reason.SMALL)
    unknown, _ = cast_of(small, faces([0, 0]), config)
    assert unknown.character.tolist() == [-1, -1] and unknown.characters == 0


def test_equal_seeds_give_equal_casts_and_comparisons_are_counted() -> None:
    told: list[tuple[int, int]] = []
    tracks, found = one_after_another(PEOPLE), faces(PEOPLE)
    work = Work(lambda done, total: told.append((done, total)))
    config = ClusterConfig(draws=4)
    first, _ = cast_of(tracks, found, config, seed=7, work=work)
    second, _ = cast_of(tracks, found, config, seed=7)
    assert first.digest == second.digest
    assert told[:4] == [(n, 4) for n in range(1, 5)]


def adapted(people: Sequence[int], quality: Sequence[float] = ()) -> Adapted:
    embeddings, views = faces(people, quality=quality, seed=3)
    return Adapted(embeddings, views, np.zeros(16, np.float32), False)


def test_a_named_round_decides_who_takes_part_and_who_is_who() -> None:
    good = [0.8, 0.81, 0.79, 0.8, 0.8, 0.82, 0.78, 0.1]
    learnt = [0, 1, 1, 0, 1, 0, 1, 1]  # it sees two people in the three
    rounds = {"round-1": lambda: adapted(PEOPLE), "round-2": lambda: adapted(learnt, good)}
    for name in ("round-2", "adapted"):  # the last good one
        config = ClusterConfig(choose=f"{name}/own", scale=1.0)
        cast, _ = cast_of(
            one_after_another(PEOPLE), faces(PEOPLE), config,
            rounds=rounds, quality=QualityFilterConfig(enabled=True),
        )  # fmt: skip
        assert cast.chosen == "round-2/own" and cast.reason[7] == Reason.LOW_QUALITY
        assert companies(cast.character[:7]) == companies(learnt[:7])
    both = ClusterConfig(choose="frozen+adapted/own", scale=1.0)
    cast, _ = cast_of(one_after_another(PEOPLE), faces(PEOPLE), both, rounds=rounds)
    assert cast.chosen == "frozen+round-2/own"
    with pytest.raises(ConfigError, match="no good round-3") as told:
        cast_of(
            one_after_another(PEOPLE), faces(PEOPLE),
            ClusterConfig(choose="round-3/own"), rounds=rounds,
        )  # fmt: skip
    assert "round-1, round-2" in told.value.advice


def test_without_rounds_adapted_means_as_they_come() -> None:
    config = ClusterConfig(choose="adapted/own", scale=1.0)
    cast, _ = cast_of(one_after_another(PEOPLE), faces(PEOPLE), config)
    plain, _ = cast_of(one_after_another(PEOPLE), faces(PEOPLE))
    assert cast.digest == plain.digest


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"choose": "frozen"}, "no candidate 'frozen'"),
        ({"choose": "frozen/"}, "no candidate 'frozen/'"),
        ({"choose": "/own"}, "no candidate '/own'"),
        ({"choose": "frozen/own/or"}, "no candidate"),
        ({"choose": "round-/own"}, "no candidate"),
        ({"choose": "round-x/own"}, "no candidate"),
        ({"choose": "frozen+round-1/mean"}, "no candidate"),
        ({"choose": "frozen+/own"}, "no candidate"),
        ({"thresholds": "crops"}, "thresholds=crops is for cluster.algorithm=paper"),
        ({"algorithm": "paper"}, "needs a named rule"),
        ({"algorithm": "paper", "choose": "frozen/own"}, "needs a named rule"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused_at_once(
    settings: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        check_choice(ClusterConfig(**settings))


@pytest.mark.parametrize(
    "choice",
    [
        "stability",
        "frozen/and",
        "frozen+tracks/own",
        "adapted/or+null",
        "round-12/mean",
        "frozen+tracks+round-2/own",
    ],
)
def test_a_choice_that_can_be_made_passes(choice: str) -> None:
    check_choice(ClusterConfig(choose=choice))
    assert choice == "stability" or str(Reading.parse(choice)) == choice


def test_one_person_in_two_tracks_of_one_picture_is_two_who_look_alike() -> None:
    spans = [(0, 0, 9), (0, 5, 14), *((n, 20 * n, 20 * n + 9) for n in range(2, 8))]
    found = faces([0, 0, 1, 1, 2, 2, 1, 2])
    cast, _ = cast_of(tables.tracks(spans), found, ClusterConfig(choose="frozen/own", scale=1.0))
    a, b = sorted(cast.character[:2].tolist())
    assert cast.characters == 4 and cast.alike == ((a, b),)
    free = ClusterConfig(choose="frozen/own", scale=1.0, cannot_link=False)
    cast, _ = cast_of(tables.tracks(spans), found, free)
    assert cast.characters == 3 and cast.alike == ()


def test_rounds_have_names_that_are_read_back() -> None:
    assert [round_number(round_name(n)) for n in (1, 12)] == [1, 12]
    assert [round_number(n) for n in ("frozen", "round-", "round--1", "round-1.5", "3")] == [
        None
    ] * 5


def test_a_track_that_finds_other_company_each_time_is_unknown_and_probably_somebody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracks, found = one_after_another(PEOPLE), faces(PEOPLE)
    config = OWN.model_copy(update={"scale": 0.0, "draws": 2})
    sure, _ = cast_of(tracks, found, config)
    vague = np.isin(np.arange(8), [3, 6])  # one of person 0, one of person 2
    monkeypatch.setattr(module, "unsure_tracks", lambda company: vague)
    cast, _ = cast_of(tracks, found, config)
    assert np.flatnonzero(cast.reason == Reason.UNSURE).tolist() == [3, 6]
    assert (cast.character[vague] == -1).all() and (cast.probable[~vague] == -1).all()
    assert cast.probable[3] == cast.character[0] and cast.probable[6] == cast.character[2]
    assert sure.characters == cast.characters
    monkeypatch.setattr(module, "unsure_tracks", lambda company: np.array(PEOPLE) == 1)
    cast, _ = cast_of(tracks, found, config)
    # Somebody whom nothing tells from others is no character, and nobody is probably that.
    assert cast.characters == sure.characters - 1 and (cast.probable == -1).all()
    every, _ = cast_of(tracks, found, config.model_copy(update={"unsure": False}))
    np.testing.assert_array_equal(every.character, sure.character)
