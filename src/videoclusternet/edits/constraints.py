"""What people said, as constraints of a clustering to come."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from videoclusternet.edits.state import Claim, State
from videoclusternet.types import Constraints, Reason
from videoclusternet.types.arrays import Bools, Floats, Int32

HELD = 1e6
"""Worth of a track that a person has placed, above all others."""
_Pair = tuple[int, int]


def taken_out(state: State) -> Bools:
    """Mark tracks that people set aside, or said to be no face, bool (T,)."""
    return np.isin(state.reason, (Reason.SET_ASIDE, Reason.NOT_A_FACE))


def constraints_of(state: State, worth: Floats) -> Constraints:
    """Return what people said of pairs of tracks.

    Characters stay together as people see them: taken apart again, they would be joined
    otherwise wherever one track has left.  What was denied is denied of all that is left of a
    character.  Characters that are two, by name as well, are held apart by the tracks that stand
    for them, and a settled one from all others.

    That tracks are one person and two cannot be said: whoever says the second of it is refused,
    see :func:`videoclusternet.edits.verbs.apply`.

    Parameters
    ----------
    state : State
        T tracks.
    worth : float, shape (T,)
        How well each track stands for its character; NaN or less than 0 for one that takes no
        part in clustering.
    """
    stands = stands_for(state, worth)
    named = [row for row in state.living() if state.people[row].name and row in stands]
    apart = {(stands[one], stands[other]) for one, other in combinations(named, 2)}
    for claim in state.claims():
        apart |= _denied(state, claim, stands)
    together: set[_Pair] = set()
    for row in state.living():
        first, *others = state.rows(row).tolist()
        together |= {(first, other) for other in others}
        if state.people[row].locked:
            apart |= {(first, int(other)) for other in np.flatnonzero(state.person != row)}
    return Constraints(_array(apart), _array(together), len(state.base))


def stands_for(state: State, worth: Floats) -> dict[int, int]:
    """Return the track that stands for each character: one placed by hand, else the best."""
    value = np.where(np.isnan(worth), -1, worth) + HELD * ((state.hand > 0) & (worth >= 0))
    found = {}
    for row in state.living():
        tracks = state.rows(row)
        best = int(tracks[value[tracks].argmax()])
        if value[best] >= 0:
            found[row] = best
    return found


def _denied(state: State, claim: Claim, stands: dict[int, int]) -> set[_Pair]:
    people = [state.now(person) for person in claim.people]
    if claim.kind == "two" and all(person in stands for person in people):
        return {(stands[people[0]], stands[people[1]])}
    if claim.kind in ("is not", "left"):
        left = state.rows(people[0]).tolist()
        return {(track, other) for track in claim.tracks for other in left}
    return set()


def _array(pairs: set[_Pair]) -> Int32:
    ordered = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
    return np.array(sorted(ordered), dtype=np.int32).reshape(-1, 2)
