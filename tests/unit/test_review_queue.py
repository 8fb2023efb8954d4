"""What is asked first, how many questions are left, and what answers decide."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tables
from tests.asking import Page
from tests.shaky import halves, shaky
from videoclusternet import Result, open_run
from videoclusternet.review.queue import (
    ENOUGH,
    FACE,
    MET,
    PROBABLE,
    TOGETHER,
    Answer,
    Group,
    Question,
    Situation,
    doubt,
    left,
    likeness,
    questions,
    sheets,
)
from videoclusternet.review.situation import Nearness, groups_of, situation
from videoclusternet.types import Merges, Reason


def case(
    character: list[int],
    confidence: list[float],
    same: dict[int, tuple[int, float]] | None = None,
    groups: tuple[Group, ...] = (),
    **other: Any,
) -> Situation:
    n = len(character)
    given = {
        "reason": np.zeros(n, np.uint8),
        "probable": np.full(n, -1),
        "settled": np.zeros(n, bool),
        **{name: np.asarray(values) for name, values in other.items()},
    }
    return Situation(
        np.array(character), np.array(confidence), same=same or {}, groups=groups, **given
    )


def test_the_answer_that_removes_most_errors_is_asked_for_first() -> None:
    situation = case(
        [0, 0, 0, 1, 1, 2], [0.9, 0.2, 1.0, 1.0, 0.95, 0.6], {1: (0, 0.3), 2: (1, 0.9)}
    )
    asked = questions(situation)
    assert [(q.kind, q.characters, q.tracks) for q in asked] == [
        ("same", (2, 3), ()),
        ("belongs", (1,), (1,)),
        ("same", (1, 2), ()),
        ("belongs", (1,), (0,)),
        ("belongs", (2,), (4,)),
    ]
    assert [q.gain for q in asked] == pytest.approx([0.9, 0.8, 0.6, 0.1, 0.05])


def test_a_lone_track_has_nobody_to_belong_to() -> None:
    assert questions(case([0, 0, 1], [1.0, 1.0, 0.2])) == []


def test_of_a_group_and_its_tracks_the_worthier_is_asked_about() -> None:
    sure = [1.0, 1.0, 1.0, 0.98, 0.97, 0.1]
    weak, firm = Group(0, (3, 4), 0.97, 2), Group(0, (1, 2), 0.3, 2)
    asked = questions(case([0] * 6, sure, groups=(weak, firm)))
    assert [q.tracks for q in asked] == [(5,), (3, 4)]
    two = float(doubt(np.array(0.97), np.array(2)))
    assert asked[1].gain == pytest.approx(2 * two) and 0.03 < two < 1
    assert asked[1].yes == Answer("confirm", (), (3, 4))
    assert asked[1].no == Answer("split", (1,), (3, 4))
    sure[4] = 0.01  # one of them is more doubtful than both together
    alone = questions(case([0] * 6, sure, groups=(weak, firm)))
    assert [q.tracks for q in alone] == [(4,), (5,), (3,)]


def test_of_a_large_group_some_are_shown() -> None:
    tracks = tuple(range(5, 45))
    (asked,) = questions(case([0] * 50, [1.0] * 50, groups=(Group(0, tracks, 0.99, 40),)))
    assert asked.tracks == tracks and asked.pictures == len(asked.shown) == TOGETHER
    assert list(asked.shown) == sorted(set(asked.shown)) and set(asked.shown) <= set(tracks)


def asked_of(kind: str, worth: float, pictures: int, characters: tuple[int, ...]) -> Question:
    tracks = tuple(range(int(1000 * worth), int(1000 * worth) + pictures))
    some = () if kind == "same" else tracks
    return Question(kind, characters, some, worth * pictures, None, None)  # type: ignore[arg-type]


def test_a_sheet_holds_so_many_pictures_as_the_eye_takes_in() -> None:
    rng = np.random.default_rng(3)
    asked = [
        asked_of("belongs", worth, int(rng.integers(1, 6)), (1,))
        for worth in np.linspace(0.9, 0.01, 40)
    ]
    laid = sheets(asked)
    assert sorted(id(q) for sheet in laid for q in sheet) == sorted(map(id, asked))
    full = [sum(q.pictures for q in sheet) for sheet in laid]
    assert max(full) == TOGETHER
    # Each lies on the first sheet that has room for it.
    room: list[int] = []
    for question in asked:
        place = next((i for i, left in enumerate(room) if left >= question.pictures), len(room))
        if place == len(room):
            room.append(TOGETHER)
        room[place] -= question.pictures
        assert question in laid[place]


def test_who_may_go_to_somebody_larger_is_not_compared_with_a_smaller_one_there() -> None:
    pairs = [(1, 4), (4, 6), (1, 5), (2, 4), (5, 7)]
    asked = [asked_of("same", 0.5 - i / 10, 1, pair) for i, pair in enumerate(pairs)]
    laid = [[q.characters for q in sheet] for sheet in sheets(asked)]
    assert laid == [[(1, 4), (1, 5), (2, 4)], [(4, 6), (5, 7)]]


def test_answers_are_decisions() -> None:
    unknown = {
        "reason": [0, 0, 0, 0, Reason.UNSURE, Reason.NO_FACE],
        "probable": [-1, -1, -1, -1, 1, -1],
    }
    asked = {
        q.kind: q
        for q in questions(
            case([0, 1, 1, 1, -1, -1], [1, 0.5, 1, 1, 0, 0], {1: (0, 0.5)}, **unknown)
        )
    }
    assert asked["same"].yes == Answer("merge", (1, 2))
    assert asked["same"].no == Answer("apart", (1, 2))
    assert asked["belongs"].yes == Answer("confirm", (), (1,))
    assert asked["belongs"].no == Answer("not", (2,), (1,))
    assert asked["is"].yes == Answer("move", (), (4,), 2)
    assert asked["is"].no == Answer("not", (2,), (4,))
    assert asked["face"].yes is None
    assert asked["face"].no == Answer("not-a-face", (), (5,))
    assert (asked["is"].gain, asked["face"].gain) == (PROBABLE, FACE)


def test_what_is_settled_is_not_asked() -> None:
    asked = questions(
        case([0, 0, -1], [0.1, 0.1, 0], settled=[True, False, True], probable=[-1, -1, 0])
    )
    assert [q.tracks for q in asked] == [(1,)]


def test_it_ends_when_less_than_one_error_is_expected() -> None:
    # Thirty doubtful tracks make three sheets, of 6, 1.2 and .3 expected errors.
    sure = [0.5] * 12 + [0.9] * 12 + [0.95] * 6
    laid = sheets(questions(case([0] * 30, sure)))
    gains = [sum(q.gain for q in sheet) for sheet in laid]
    assert gains == pytest.approx([6, 1.2, 0.3])
    assert left(laid) == 2
    assert sum(gains[2:]) < ENOUGH <= sum(gains[1:])
    assert left(laid[2:]) == 0
    assert left([]) == 0


def test_doubt_rises_with_the_strain() -> None:
    strain = np.linspace(0, 1.2, 200)
    assert (np.diff(doubt(strain, np.full(200, 2))) >= 0).all()
    assert doubt(np.array(1.0), np.array(1)) == pytest.approx(0.746, abs=1e-3)
    assert doubt(np.array(0.5), np.array(2)) < 0.01


def test_likeness_falls_with_distance() -> None:
    far = np.linspace(0, 6, 200)
    likely = likeness(far, np.ones(200, dtype=int))
    assert (np.diff(likely) <= 0).all()
    assert likeness(np.array(1.0), np.array(1)) == pytest.approx(0.323, abs=1e-3)
    assert likeness(np.array(1.0), np.array(8)) < 0.06
    assert likeness(np.array([0.0, 6.0]), np.ones(2, dtype=int)) == pytest.approx([1, 0], abs=1e-3)


@pytest.fixture(scope="module")
def shaky_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shaky(tmp_path_factory.mktemp("shaky"))


@pytest.fixture
def run(shaky_run: Path, tmp_path: Path) -> Result:
    return open_run(shutil.copytree(shaky_run, tmp_path / "run"))


def test_distances_are_those_that_joined(run: Result) -> None:
    near = Nearness.of(run)
    numbers, far = near.between(np.arange(len(run.tracks)))
    merges = run.merges
    a, b = int(merges.a[0]), int(merges.b[0])  # later ones are between clusters
    assert far[a, b] * near.scale == pytest.approx(float(merges.distance[0]), rel=0.05)
    _, clusters = near.between(run.cast.character)
    inside = merges.distance.max() / near.scale
    off = clusters[~np.eye(len(clusters), dtype=bool)]
    assert inside <= 1 < off.min()
    assert numbers.tolist() == list(range(len(run.tracks)))


def test_characters_that_almost_joined_are_asked_about(run: Result) -> None:
    found = situation(run, Nearness.of(run))
    large, small = halves(run)
    partner, likely = found.same[small]
    assert partner == large
    assert 0.001 < likely < 0.5
    assert likely == max(chance for _, chance in found.same.values())


def pairs(run: Result, near: Nearness) -> set[tuple[int, int]]:
    """Return the pairs that are asked about, the larger first."""
    return {(large, small) for small, (large, _) in situation(run, near).same.items()}


def test_a_character_asks_about_its_likeliest_larger_partner_alone(run: Result) -> None:
    near = Nearness.of(run)
    numbers, far = near.between(run.cast.character)
    size = np.bincount(run.cast.character)
    met = {tuple(sorted(pair)) for pair in run.cast.character[near.met].tolist()}
    expected = {}
    for i, small in enumerate(numbers.tolist()):
        chances = {}
        for j, large in enumerate(numbers.tolist()):
            if (size[large], -large) > (size[small], -small):
                likely = float(likeness(far[i, j], np.array(size[small])))
                seen = (min(small, large), max(small, large)) in met
                chances[large] = likely * (MET if seen else 1)
        if chances:
            best = max(chances, key=lambda large: chances[large])
            expected[small] = (best, pytest.approx(chances[best]))
    assert situation(run, near).same == expected


def test_what_was_said_is_not_asked_again(run: Result) -> None:
    near = Nearness.of(run)
    pair = halves(run)
    one, other = (number + 1 for number in pair)
    for say, take_back in (
        (lambda: run.edits.apart(one, other), True),
        (lambda: run.edits.lock(one), True),
        (lambda: run.edits.hide(other), True),
        (lambda: run.edits.merge(one, other), True),
    ):
        assert pair in pairs(run, near)
        say()
        assert pair not in pairs(run, near)
        if take_back:
            run.edits.undo()
    run.edits.confirm([5])
    assert situation(run, near).settled.tolist() == [t == 5 for t in range(8)]
    run.edits.undo()
    run.edits.name(one, "Anna")
    assert pair in pairs(run, near)
    run.edits.name(other, "Bea")
    assert pair not in pairs(run, near)


def test_groups_are_smaller_sides_of_merges_that_are_there_still() -> None:
    rng = np.random.default_rng(7)
    together: dict[int, set[int]] = {track: {track} for track in range(30)}
    rows, expected = [], []
    character = rng.integers(-1, 3, 30)  # as after many moves: all over the place
    settled = rng.random(30) < 0.2
    for _ in range(24):
        roots = sorted({min(some) for some in together.values()})
        a, b = (int(track) for track in rng.choice(roots, 2, replace=False))
        small = min(together[b], together[a], key=len)
        rows.append((a, b, float(rng.uniform(0.1, 1)), 1.0))
        there = Counter(int(character[t]) for t in small if character[t] >= 0)
        most = max(sorted(there), key=lambda c: there[c], default=-1)
        asked = tuple(t for t in sorted(small) if character[t] == most and not settled[t])
        outside = [t for t in range(30) if character[t] == most and t not in small]
        if len(small) > 1 and most >= 0 and len(asked) > 1 and outside:
            expected.append((most, asked, pytest.approx(rows[-1][2]), len(small)))
        one = together[a] | together[b]
        together.update({track: one for track in one})
    a, b, distance, threshold = (np.array(column) for column in zip(*rows, strict=True))
    merges = Merges(np.ones(24, np.int32), a, b, distance, threshold)
    found = groups_of(merges, character, settled)
    assert len(expected) >= 3
    assert [(g.character, g.tracks, g.strain, g.size) for g in found] == expected


def test_a_track_that_was_denied_keeps_its_characters_two(run: Result) -> None:
    near = Nearness.of(run)
    number = int(np.bincount(run.cast.character).argmax())
    track = int(np.flatnonzero(run.cast.character == number)[0])
    run.edits.move([track], "new")
    fresh = int(run.cast.character[track])
    numbers, far = near.between(run.cast.character)
    place = numbers.tolist().index
    assert far[place(number), place(fresh)] < 1, "only what was said keeps them apart"
    assert (number, fresh) not in pairs(run, near)


def test_nobody_is_near_where_no_track_can_be_compared() -> None:
    near = Nearness(None, np.empty(0, int), 1.0, np.empty((0, 2), np.int32))
    numbers, far = near.between(np.array([0, 1]))
    assert len(numbers) == 0 and far.shape == (0, 0)


def test_two_in_one_picture_are_hardly_the_same(run: Result) -> None:
    near = Nearness.of(run)
    large, small = halves(run)
    _, likely = situation(run, near).same[small]
    tracks = [np.flatnonzero(run.cast.character == number)[0] for number in (large, small)]
    together = replace(near, met=np.array([tracks], dtype=np.int32))
    assert situation(run, together).same[small] == (large, pytest.approx(MET * likely))


def test_probable_tracks_are_asked_about_until_denied(run: Result) -> None:
    cast = tables.cast(run.cast.character.tolist())
    character = cast.character.copy()
    character[7] = -1
    probable = np.where(np.arange(8) == 7, run.cast.character[1], -1)
    reason = np.where(np.arange(8) == 7, Reason.UNSURE, Reason.OK)
    changed = type(run.cast)(
        character, reason, cast.quality, cast.threshold, cast.confidence, probable, "frozen/own"
    )
    object.__setattr__(run, "clustering", changed)
    run.__dict__.pop("edits")
    near = Nearness.of(run)
    asked = [q for q in questions(situation(run, near)) if q.kind == "is"]
    assert [(q.characters, q.tracks) for q in asked] == [((int(probable[7]) + 1,), (7,))]
    run.edits.not_this(int(probable[7]) + 1, [7])
    assert [q for q in questions(situation(run, near)) if q.kind == "is"] == []


def test_the_page_is_asked_in_the_same_order(run: Result) -> None:
    page = Page(run.folder)
    said = page.post("queue", {})
    laid = sheets(questions(situation(run, Nearness.of(run))))
    assert [[(q["kind"], q["tracks"], q["shown"]) for q in sheet] for sheet in said["sheets"]] == [
        [(q.kind, list(q.tracks), list(q.shown)) for q in sheet] for sheet in laid
    ]
    assert said["left"] == left(laid)
    first = said["sheets"][0][0]
    page.say(**{key: value for key, value in first["yes"].items() if value})
    again = page.post("queue", {})["sheets"]
    assert sum(map(len, again)) < sum(map(len, said["sheets"]))


def test_what_is_skipped_leaves_room_on_the_sheets_for_others(run: Result) -> None:
    page = Page(run.folder)
    said = page.post("queue", {})
    every = [question for sheet in said["sheets"] for question in sheet]
    keys = [question["key"] for question in every]
    assert len(set(keys)) == len(keys) > 2
    skipped, gains = keys[::2], [question["gain"] for question in every[1::2]]
    again = page.post("queue", {"skipped": skipped})
    assert {q["key"] for sheet in again["sheets"] for q in sheet} == set(keys[1::2])
    assert again["expected"] == pytest.approx(sum(gains), abs=0.01)
    none = page.post("queue", {"skipped": keys})
    assert (none["sheets"], none["left"], none["expected"]) == ([], 0, 0)
    page.post("queue", {"skipped": ["x" * 17]}, 422)


def test_who_is_nearest_to_one_that_was_taken_out_is_doubted(run: Result) -> None:
    near = Nearness.of(run)
    character = run.cast.character
    number = int(np.bincount(character[character >= 0]).argmax())
    tracks = np.flatnonzero(character == number)
    assert len(tracks) > 2 and near.relative is not None
    far = near.relative.block(slice(None))
    place = {int(track): row for row, track in enumerate(near.rows)}
    run.edits.not_this(number + 1, int(tracks[0]))
    left = [int(track) for track in tracks[1:]]
    found = situation(run, near).confidence
    for track in left:
        others = min(far[place[track], place[other]] for other in left if other != track)
        doubted = far[place[track], place[int(tracks[0])]] < others
        usual = run.cast.confidence[track]
        assert found[track] == pytest.approx(min(usual, 0.5) if doubted else usual)
