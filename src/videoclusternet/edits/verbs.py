"""What each decision does to a clustering: one function a verb."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations

import numpy as np

from videoclusternet.edits.edit import MOST_TEXT, NEW, UNKNOWN, Edit
from videoclusternet.edits.state import Person, State
from videoclusternet.errors import ConfigError, ContradictionError
from videoclusternet.outside.names import as_seen
from videoclusternet.outside.text import shown
from videoclusternet.types import Reason

NUMBERED = re.compile(r"Character \d+", re.IGNORECASE)
"""What characters without a name are shown as."""


def apply(state: State, edit: Edit) -> None:
    """Change a state as an edit says.

    Raises
    ------
    ConfigError
        When it cannot be done; the state may then be half changed.
    ContradictionError
        When it was said before that this is not so.
    """
    _DO[edit.verb](state, edit)


def cleaned(text: str) -> str:
    """Return a name or note as it is kept: without space around it.

    Raises
    ------
    ConfigError
        When it is too long, or holds what is no text.
    """
    if not isinstance(text, str):
        raise ConfigError(f"{shown(text)} is no text", "give a name in letters")
    text = " ".join(text.split())
    if len(text) > MOST_TEXT:
        raise ConfigError(f"{shown(text)} has {len(text)} letters", f"use at most {MOST_TEXT}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"{shown(text)} is no text", "use letters of Unicode") from error
    return text


def cleaned_name(text: str) -> str:
    """Return a name as it is kept: also without what nobody sees.

    Raises
    ------
    ConfigError
        Likewise.
    """
    return cleaned(as_seen(cleaned(text)))


def checked_name(text: str) -> str:
    """Return a cleaned name that can be one.

    Raises
    ------
    ConfigError
        When it would be taken for something else.
    """
    if text.isdecimal() or text.casefold() in (UNKNOWN, NEW) or NUMBERED.fullmatch(text):
        raise ConfigError(
            f"{shown(text)} would be taken for a number or for nobody", "use another name"
        )
    return text


def _name(state: State, edit: Edit) -> None:
    (person,) = _people(state, edit, 1)
    text = checked_name(edit.text)
    same = state.called(text)
    if text and same not in (-1, person):
        _unite(state, [same, person], edit)
    else:
        if text != state.people[person].name:
            state.people[person].take_over(Person("", 0))
        state.call(person, text)
        state.people[person].edit = edit.id if text else 0


def _recognise(state: State, edit: Edit) -> None:
    (person,) = _people(state, edit, 1)
    text, one = checked_name(edit.text), state.people[person]
    if one.name or not text:
        raise ConfigError(f"{one.label} has a name", "nothing to do")
    same = state.called(text)
    if same >= 0:
        _unite(state, [same, person], edit)
        return
    _unlocked(state, person)
    state.call(person, text)
    one.edit, one.known, one.films, one.sure = edit.id, edit.to, edit.of, edit.sure


def _merge(state: State, edit: Edit) -> None:
    _unite(state, _people(state, edit, 2), edit)


def _unite(state: State, people: list[int], edit: Edit) -> None:
    for person in people:
        _unlocked(state, person)
        _agrees(state, person, people)
    state.unite(people, edit.id)


def _agrees(state: State, person: int, people: list[int]) -> None:
    """Refuse to make characters one of which it was said that they are not."""
    who = state.people[person].label
    for claim in state.denied(person):
        if claim.kind == "two":
            met = {state.now(one) for one in claim.people} & set(people)
            if len(met) == 2:
                (other,) = met - {person}
                raise ContradictionError(
                    f"{who} and {state.people[other].label} were said to be two people (edit "
                    f"{claim.edit}), and are to be made one",
                    "undo the one or the other",
                )
            continue
        for track in claim.tracks:
            if int(state.person[track]) != person and int(state.person[track]) in people:
                raise ContradictionError(
                    f"track {track} was said not to show {who} (edit {claim.edit}), and is to be "
                    "made one with it",
                    f"move track {track} to {who} first, or somewhere else",
                )


def _move(state: State, edit: Edit) -> None:
    tracks = _tracks(state, edit)
    if edit.to == UNKNOWN:
        _leave(state, tracks)
        state.place(tracks, -1, edit.id, Reason.SET_ASIDE)
        return
    target = state.add(f"e{edit.id}") if edit.to == NEW else state.find(edit.to)
    _unlocked(state, target)
    _put(state, tracks, target, edit)


def _split(state: State, edit: Edit) -> None:
    (person,) = _people(state, edit, 1)
    tracks = _tracks(state, edit)
    label = state.people[person].label
    for track in tracks:
        if state.person[track] != person:
            raise ConfigError(f"track {track} is not in {label}", "see `vcn show`")
    if len(tracks) == len(state.rows(person)):
        raise ConfigError(f"these are all tracks of {label}", "leave one of them where it is")
    _put(state, tracks, state.add(f"e{edit.id}"), edit)


def _put(state: State, tracks: list[int], target: int, edit: Edit) -> None:
    """Say that tracks show a character, and not those that they were taken for."""
    _leave(state, [track for track in tracks if state.person[track] != target])
    before = {track: int(state.person[track]) for track in tracks}
    state.place(tracks, target, edit.id)
    for person in sorted({p for p in before.values() if p not in (target, -1)}):
        left = {track for track, p in before.items() if p == person}
        state.claim("left" if edit.verb == "move" else "is not", edit.id, left, (person,))
    state.claim("is", edit.id, tracks, (target,))


def _leave(state: State, tracks: list[int]) -> None:
    for person in {int(state.person[track]) for track in tracks} - {-1}:
        _unlocked(state, person)


def _not(state: State, edit: Edit) -> None:
    (person,) = _people(state, edit, 1)
    tracks = _tracks(state, edit)
    inside = [track for track in tracks if state.person[track] == person]
    _leave(state, inside)
    state.place(inside, -1, edit.id, Reason.UNPLACED, by_hand=False)
    state.claim("is not", edit.id, tracks, (person,))


def _not_a_face(state: State, edit: Edit) -> None:
    tracks = _tracks(state, edit)
    _leave(state, tracks)
    state.place(tracks, -1, edit.id, Reason.NOT_A_FACE)


def _confirm(state: State, edit: Edit) -> None:
    tracks = _tracks(state, edit)
    for track in tracks:
        if state.person[track] < 0:
            raise ConfigError(f"track {track} is Unknown", "move it to a character")
    for person in np.unique(state.person[tracks]).tolist():
        here = [track for track in tracks if state.person[track] == person]
        state.claim("is", edit.id, here, (person,))
    state.hand[tracks] = edit.id


def _apart(state: State, edit: Edit) -> None:
    for pair in combinations(_people(state, edit, 2), 2):
        state.claim("two", edit.id, people=pair)


def _set(**values: bool) -> Callable[[State, Edit], None]:
    def change(state: State, edit: Edit) -> None:
        people = [state.people[person] for person in _people(state, edit, 1)]
        for name, value in values.items():
            if all(getattr(person, name) == value for person in people):
                who = people[0].label
                raise ConfigError(f"{who} is {'' if value else 'not '}{name}", "nothing to do")
            for person in people:
                setattr(person, name, value)
                person.edit = edit.id if value else person.edit

    return change


def _cover(state: State, edit: Edit) -> None:
    (person,) = _people(state, edit, 1)
    (track,) = _tracks(state, edit)
    if state.person[track] != person:
        raise ConfigError(f"track {track} is not in {state.people[person].label}", "see `vcn show`")
    state.people[person].cover = edit.tracks[0]
    state.people[person].frame = frame_of(edit.to)


def frame_of(text: str) -> int:
    """Return the frame that a cover is to be near, -1 where none is said.

    Raises
    ------
    ConfigError
        When it is no number of a frame.
    """
    if text and not (text.isdecimal() and len(text) < 10):
        raise ConfigError(f"there is no frame {shown(text)}", "frames are numbered from 0")
    return int(text) if text else -1


def _note(state: State, edit: Edit) -> None:
    (person,) = _people(state, edit, 1)
    state.people[person].note = edit.text
    state.people[person].edit = edit.id


def _recluster(state: State, edit: Edit) -> None:
    if len(edit.placed) != len(state.base):
        raise ConfigError(f"edit {edit.id} is of other tracks", "cluster again")
    if any(key and key[0] != "+" and state.key(key) < 0 for key in edit.placed):
        raise ConfigError(f"edit {edit.id} is of other characters", "cluster again")
    _absorb(state, edit)
    row = {"": -1}
    for key in dict.fromkeys(edit.placed):
        if key:
            fresh = key.startswith("+")
            row[key] = state.add(f"e{edit.id}.{key[1:]}") if fresh else state.now(state.key(key))
    state.person[:] = [row[key] for key in edit.placed]
    state.reason[state.person >= 0] = 0


def _absorb(state: State, edit: Edit) -> None:
    """Let what was said of characters that became part of others be said of these."""
    key = np.array(edit.placed)
    for person in state.living():
        went = set(key[state.rows(person)].tolist()) - {"", state.people[person].key}
        stays = state.people[person].key in edit.placed
        if len(went) == 1 and not stays and (other := state.key(went.pop())) >= 0:
            state.unite([state.now(other), person], edit.id)


def _people(state: State, edit: Edit, least: int) -> list[int]:
    people = list(dict.fromkeys(map(state.find, edit.characters)))
    if len(people) < least:
        raise ConfigError(
            f"{edit.verb} needs {'two different characters' if least > 1 else 'a character'}",
            f"see `vcn edit RUN {edit.verb} --help`",
        )
    return people


def _tracks(state: State, edit: Edit) -> list[int]:
    tracks = sorted(set(map(state.row, edit.tracks)))
    if not tracks:
        raise ConfigError(f"{edit.verb} needs a track", f"see `vcn edit RUN {edit.verb} --help`")
    return tracks


def _unlocked(state: State, person: int) -> None:
    one = state.people[person]
    if one.locked:
        raise ConfigError(f"{one.label} is locked", f"unlock {one.number} first")


_DO: dict[str, Callable[[State, Edit], None]] = {
    "name": _name,
    "merge": _merge,
    "move": _move,
    "split": _split,
    "not": _not,
    "not-a-face": _not_a_face,
    "confirm": _confirm,
    "apart": _apart,
    "lock": _set(locked=True),
    "unlock": _set(locked=False),
    "hide": _set(hidden=True),
    "unhide": _set(hidden=False),
    "cover": _cover,
    "note": _note,
    "recognise": _recognise,
    "recluster": _recluster,
}
