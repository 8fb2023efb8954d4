"""A new clustering of the same tracks, taken over by the characters that people know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoclusternet.edits.state import State
from videoclusternet.types.arrays import Bools, Floats, Ints


def regrouped(state: State, label: Ints, time: Floats) -> tuple[str, ...]:
    """Give each cluster to a character, or make a new one of it.

    Characters are whole in a cluster.  Where several are, it goes to the one that people named,
    else to one that they said something of, else to the one that is longest on screen; the
    others become part of it.

    Parameters
    ----------
    state : State
        T tracks.
    label : int, shape (T,)
        Cluster of each track, -1 for those that are in none: they stay with a character that
        people know.
    time : float, shape (T,)
        Screen time of the tracks.

    Returns
    -------
    tuple of str
        Key of the character of each track, ``+1`` and so on for new ones, empty for Unknown.
    """
    known = touched(state)
    seconds = {row: float(time[state.rows(row)].sum()) for row in state.living()}
    key = []
    for cluster in range(int(label.max(initial=-1)) + 1):
        here = np.unique(state.person[(label == cluster) & (state.person >= 0)]).tolist()
        best = max(here, key=lambda row: _rank(state, row, known, seconds), default=-1)
        key.append(state.people[best].key if best >= 0 else f"+{cluster + 1}")
    people = [one.key if seen else "" for one, seen in zip(state.people, known, strict=True)]
    return tuple(
        key[cluster] if cluster >= 0 else people[person] if person >= 0 else ""
        for cluster, person in zip(label.tolist(), state.person.tolist(), strict=True)
    )


@dataclass(frozen=True)
class Difference:
    """What two states of the same tracks differ in.

    Attributes
    ----------
    moved : list of (int, str, str)
        Tracks, whose they were and whose they are now.
    appeared, gone : list of str
        Characters that there are only after, only before.
    """

    moved: list[tuple[int, str, str]]
    appeared: list[str]
    gone: list[str]

    @classmethod
    def between(cls, before: State, after: State) -> Difference:
        """Compare two states of one base."""
        was = {before.people[row].key: before.people[row].label for row in before.living()}
        now = {after.people[row].key: after.people[row].label for row in after.living()}
        moved = [
            (track, _label(before, one), _label(after, other))
            for track, (one, other) in enumerate(
                zip(before.person.tolist(), after.person.tolist(), strict=True)
            )
            if _key(before, one) != _key(after, other)
        ]
        appeared = [label for key, label in now.items() if key not in was]
        return cls(moved, appeared, [label for key, label in was.items() if key not in now])

    def __bool__(self) -> bool:
        return bool(self.moved)


def _rank(
    state: State, row: int, known: Bools, time: dict[int, float]
) -> tuple[bool, bool, float, int]:
    """Return what decides whose a cluster is."""
    one = state.people[row]
    return bool(one.name), bool(known[row]), time[row], -one.number


def _key(state: State, person: int) -> str:
    return state.people[person].key if person >= 0 else ""


def _label(state: State, person: int) -> str:
    return state.people[person].label if person >= 0 else "Unknown"


def touched(state: State) -> Bools:
    """Mark characters of which people said something, bool, one for each of ``people``."""
    said = {state.now(person) for claim in state.claims() for person in claim.people}
    said |= {int(state.person[track]) for c in state.claims() for track in c.tracks}
    marks = [bool(p.edit) or row in said for row, p in enumerate(state.people)]
    return np.array(marks, dtype=bool)
