"""What people said as constraints, and a new clustering taken over by known characters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.test_edits import a_run
from videoclusternet.edits.constraints import constraints_of, stands_for, taken_out
from videoclusternet.edits.edit import Edit
from videoclusternet.edits.regroup import Difference, regrouped
from videoclusternet.edits.state import State
from videoclusternet.edits.verbs import apply
from videoclusternet.errors import ContradictionError
from videoclusternet.result.result import Result

WORTH = np.array([0.1, 0.9, 0.2, 0.3, 0.8, 0.1, 0.5, 0.6, -1.0])
"""Tracks 1, 4 and 7 stand for the three characters; track 8 takes no part."""


@pytest.fixture
def run(tmp_path: Path) -> Result:
    return a_run(tmp_path)


def said(run: Result) -> tuple[set[tuple[int, ...]], set[tuple[int, ...]]]:
    """Groups that are together, with two tracks or more, and pairs apart."""
    found = constraints_of(run.edits.state, WORTH)
    groups = [tuple(np.flatnonzero(found.group == g).tolist()) for g in np.unique(found.group)]
    apart = {tuple(sorted(pair)) for pair in found.apart.tolist()}
    return {group for group in groups if len(group) > 1}, apart


def test_characters_stay_together_as_people_see_them(run: Result) -> None:
    assert said(run) == ({(0, 1, 2), (3, 4, 5), (6, 7)}, set())
    assert stands_for(run.edits.state, WORTH) == {0: 1, 1: 4, 2: 7}
    assert not taken_out(run.edits.state).any()
    run.edits.name(1, "Anna")
    run.edits.name(3, "Anna")
    assert said(run) == ({(0, 1, 2, 6, 7), (3, 4, 5)}, set())


def test_what_was_moved_split_or_denied_is_apart_from_all_that_is_left(run: Result) -> None:
    run.edits.move(3, 1)
    assert said(run) == ({(0, 1, 2, 3), (4, 5), (6, 7)}, {(3, 4), (3, 5)})
    run.edits.split(3, 7)
    run.edits.not_this(1, 0)
    together, apart = said(run)
    assert together == {(1, 2, 3), (4, 5)}
    assert apart == {(3, 4), (3, 5), (6, 7), (0, 1), (0, 2), (0, 3)}


def test_two_people_are_held_apart_by_who_stands_for_them(run: Result) -> None:
    run.edits.apart(2, 3)
    assert said(run)[1] == {(4, 7)}
    run.edits.name(1, "Anna")
    run.edits.name(2, "Ben")
    assert said(run)[1] == {(4, 7), (1, 4)}
    run.edits.confirm(0)  # placed by hand, it stands for Character 1
    assert said(run)[1] == {(4, 7), (0, 4)}


def test_a_locked_character_takes_nobody(run: Result) -> None:
    run.edits.lock(3)
    assert said(run)[1] == {(other, 6) for other in range(6)} | {(6, 8)}


def test_what_was_set_aside_is_out(run: Result) -> None:
    run.edits.not_a_face(0)
    run.edits.move(1, "unknown")
    run.edits.not_this(1, 2)
    assert np.flatnonzero(taken_out(run.edits.state)).tolist() == [0, 1]


def test_a_cluster_is_whoevers_tracks_it_holds(run: Result) -> None:
    state = run.edits.state
    label = np.array([1, 1, 1, 0, 0, 0, 2, 2, 3])
    assert regrouped(state, label, np.ones(9)) == ("1",) * 3 + ("2",) * 3 + ("3", "3", "+4")


def test_characters_that_join_become_the_known_one_else_the_longest(run: Result) -> None:
    label, time = np.array([0] * 8 + [-1]), np.array([1.0] * 6 + [9, 9, 1])
    assert set(regrouped(run.edits.state, label, time)) == {"3", ""}
    run.edits.confirm(5)
    assert set(regrouped(run.edits.state, label, time)) == {"2", ""}
    run.edits.name(1, "Anna")
    assert set(regrouped(run.edits.state, label, time)) == {"1", ""}


def test_known_characters_keep_tracks_that_are_in_no_cluster(run: Result) -> None:
    run.edits.name(1, "Anna")
    label = np.array([-1, 0, 0, -1, 1, 1, 2, 2, -1])
    placed = regrouped(run.edits.state, label, np.ones(9))
    assert placed[0] == "1" and placed[3] == ""


def test_what_was_said_of_an_absorbed_character_is_said_of_the_other(run: Result) -> None:
    run.edits.note(3, "tall")
    run.edits.apart(2, 3)
    state = run.edits.tried(Edit("recluster", placed=("1",) * 3 + ("2",) * 3 + ("1", "1", "")))
    assert state.people[0].note == "tall"
    with pytest.raises(ContradictionError, match="two people"):
        apply(state, Edit("merge", ("1", "2")))
    found = constraints_of(state, WORTH)
    assert {tuple(pair) for pair in found.apart.tolist()} == {(1, 4)}


def test_a_difference_says_who_moved_came_and_went(run: Result) -> None:
    run.edits.name(1, "Anna")
    before: State = run.edits.state
    run.edits.move([6, 7], "Anna")
    run.edits.move(0, "new")
    run.edits.not_a_face(5)
    found = Difference.between(before, run.edits.state)
    assert found.moved == [
        (0, "Anna", "Character 4"),
        (5, "Character 2", "Unknown"),
        (6, "Character 3", "Anna"),
        (7, "Character 3", "Anna"),
    ]
    assert (found.appeared, found.gone) == (["Character 4"], ["Character 3"])
    assert found and not Difference.between(before, before)
