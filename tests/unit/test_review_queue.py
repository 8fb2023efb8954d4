"""What is asked first, how many questions are left, and what answers decide."""

from __future__ import annotations

import shutil
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
    Situation,
    left,
    likeness,
    questions,
)
from videoclusternet.review.situation import Nearness, situation
from videoclusternet.types import Reason


def case(
    character: list[int],
    confidence: list[float],
    same: dict[tuple[int, int], float] | None = None,
    **other: Any,
) -> Situation:
    n = len(character)
    given = {
        "reason": np.zeros(n, np.uint8),
        "probable": np.full(n, -1),
        "settled": np.zeros(n, bool),
        **{name: np.asarray(values) for name, values in other.items()},
    }
    return Situation(np.array(character), np.array(confidence), same=same or {}, **given)


def test_the_answer_that_removes_most_errors_is_asked_for_first() -> None:
    situation = case(
        [0, 0, 0, 1, 1, 2], [0.9, 0.2, 1.0, 1.0, 0.95, 0.6], {(0, 1): 0.3, (1, 2): 0.9}
    )
    asked = questions(situation)
    assert [(q.kind, q.characters, q.tracks) for q in asked] == [
        ("same", (2, 3), ()),
        ("same", (1, 2), ()),
        ("belongs", (1,), (1, 0)),
        ("belongs", (3,), (5,)),
        ("belongs", (2,), (4,)),
    ]
    assert [q.gain for q in asked] == pytest.approx([0.9, 0.6, 0.9, 0.4, 0.05])
    # Each track that does not belong is a click more.
    assert [q.worth for q in asked] == pytest.approx([0.9, 0.6, 0.9 / 1.9, 0.4 / 1.4, 0.05 / 1.05])


def test_so_many_tracks_as_the_eye_takes_in_are_asked_about_at_once() -> None:
    sure = np.linspace(0.9, 0.5, TOGETHER + 3)
    first, rest = questions(case([0] * len(sure), sure.tolist()))
    doubtful = np.argsort(sure, kind="stable").tolist()
    assert first.tracks == tuple(doubtful[:TOGETHER]) and rest.tracks == tuple(doubtful[TOGETHER:])
    assert first.yes == Answer("confirm", (), first.tracks)
    assert first.no == Answer("not", (1,), first.tracks)


def test_answers_are_decisions() -> None:
    unknown = {"reason": [0, 0, Reason.UNSURE, Reason.NO_FACE], "probable": [-1, -1, 1, -1]}
    asked = {
        q.kind: q for q in questions(case([0, 1, -1, -1], [1, 0.5, 0, 0], {(0, 1): 0.5}, **unknown))
    }
    assert asked["same"].yes == Answer("merge", (1, 2))
    assert asked["same"].no == Answer("apart", (1, 2))
    assert asked["belongs"].yes == Answer("confirm", (), (1,))
    assert asked["belongs"].no == Answer("not", (2,), (1,))
    assert asked["is"].yes == Answer("move", (), (2,), 2)
    assert asked["is"].no == Answer("not", (2,), (2,))
    assert asked["face"].yes is None
    assert asked["face"].no == Answer("not-a-face", (), (3,))
    assert (asked["is"].gain, asked["face"].gain) == (PROBABLE, FACE)


def test_a_character_asks_about_its_likeliest_partner_alone() -> None:
    asked = questions(case([0, 0, 1, 1, 2], [1] * 5, {(0, 2): 0.2, (1, 2): 0.6, (0, 1): 0.1}))
    assert [(q.characters, q.gain) for q in asked] == [((2, 3), 0.6), ((1, 2), pytest.approx(0.2))]


def test_what_is_settled_is_not_asked() -> None:
    asked = questions(
        case([0, 0, -1], [0.1, 0.1, 0], settled=[True, False, True], probable=[-1, -1, 0])
    )
    assert [q.tracks for q in asked] == [(1,)]


def test_it_ends_when_less_than_one_error_is_expected() -> None:
    asked = questions(case(list(range(6)), [0.1, 0.2, 0.4, 0.7, 0.8, 1.0]))
    total = sum(q.gain for q in asked)
    assert total == pytest.approx(2.8)
    number = left(asked)
    rest = [sum(q.gain for q in asked[n:]) for n in range(len(asked) + 1)]
    assert rest[number] < ENOUGH <= rest[number - 1]
    assert number == 3
    assert left(asked[number:]) == 0
    assert left([]) == 0


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
    assert list(found.same) == [halves(run)]
    assert 0.001 < next(iter(found.same.values())) < 0.5


def test_what_was_said_is_not_asked_again(run: Result) -> None:
    near = Nearness.of(run)
    one, other = (number + 1 for number in halves(run))
    for say, take_back in (
        (lambda: run.edits.apart(one, other), True),
        (lambda: run.edits.lock(one), True),
        (lambda: run.edits.hide(other), True),
        (lambda: run.edits.merge(one, other), True),
    ):
        assert len(situation(run, near).same) == 1
        say()
        assert situation(run, near).same == {}
        if take_back:
            run.edits.undo()
    run.edits.confirm([5])
    assert situation(run, near).settled.tolist() == [t == 5 for t in range(8)]
    run.edits.undo()
    run.edits.name(one, "Anna")
    assert len(situation(run, near).same) == 1
    run.edits.name(other, "Bea")
    assert situation(run, near).same == {}


def test_a_track_that_was_denied_keeps_its_characters_two(run: Result) -> None:
    near = Nearness.of(run)
    number = int(np.bincount(run.cast.character).argmax())
    track = int(np.flatnonzero(run.cast.character == number)[0])
    run.edits.move([track], "new")
    fresh = int(run.cast.character[track])
    numbers, far = near.between(run.cast.character)
    place = numbers.tolist().index
    assert far[place(number), place(fresh)] < 1, "only what was said keeps them apart"
    assert (number, fresh) not in situation(run, near).same


def test_two_in_one_picture_are_hardly_the_same() -> None:
    near = Nearness(None, np.empty(0, int), 1.0, np.empty((0, 2), np.int32))
    numbers, far = near.between(np.array([0, 1]))
    assert len(numbers) == 0 and far.shape == (0, 0)
    assert 0 < MET < 1


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
    said = page.get("queue")
    asked = questions(situation(run, Nearness.of(run)))
    assert [(q["kind"], q["tracks"]) for q in said["questions"]] == [
        (q.kind, list(q.tracks)) for q in asked
    ]
    assert said["left"] == left(asked)
    first = said["questions"][0]
    page.say(**{key: value for key, value in first["yes"].items() if value})
    assert len(page.get("queue")["questions"]) < len(asked)


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
