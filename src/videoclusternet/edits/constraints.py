"""What people said, as constraints of a clustering to come."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np

from videoclusternet.edits.state import Claim, State
from videoclusternet.errors import ContradictionError
from videoclusternet.types import Constraints, Reason
from videoclusternet.types.arrays import Bools, Floats, Int32

HELD = 1e6
"""Worth of a track that a person has placed, above all others."""


@dataclass
class _Pairs:
    """Pairs of tracks, each with the edit that said so (0: that names differ)."""

    together: dict[tuple[int, int], int] = field(default_factory=dict)
    apart: dict[tuple[int, int], int] = field(default_factory=dict)

    def one(self, tracks: list[int], edit: int) -> None:
        for a, b in pairwise(tracks):
            self.together[min(a, b), max(a, b)] = edit

    def two(self, a: int, b: int, edit: int) -> None:
        if a != b:
            self.apart[min(a, b), max(a, b)] = edit


def taken_out(state: State) -> Bools:
    """Mark tracks that people set aside, or said to be no face, bool (T,)."""
    return np.isin(state.reason, (Reason.SET_ASIDE, Reason.NOT_A_FACE))


def constraints_of(state: State, worth: Floats) -> Constraints:
    """Return what people said of pairs of tracks.

    A character that people made of others, put tracks into or confirmed stays together as it
    is, and so does a settled one, which nothing else joins.  What was denied is denied of the
    track that stands for a character: the rest of it may be wrong as well.  Characters of
    different names are different people.

    Parameters
    ----------
    state : State
        T tracks.
    worth : float, shape (T,)
        How well each track stands for its character; NaN or less than 0 for one that takes no
        part in clustering.

    Raises
    ------
    ContradictionError
        When tracks are to be one person and two; names them and the edits.
    """
    stands = stands_for(state, worth)
    pairs = _Pairs()
    for claim in state.claims():
        if claim.kind in ("one", "is"):
            person = int(state.person[min(claim.tracks)])
            pairs.one(state.rows(person).tolist(), claim.edit)
        else:
            _denied(pairs, state, claim, stands)
    named = [row for row in state.living() if state.people[row].name and row in stands]
    for one, other in combinations(named, 2):
        pairs.two(stands[one], stands[other], 0)
    for row in state.living():
        if state.people[row].locked:
            _settled(pairs, state, row)
    _check(pairs)
    return Constraints(_array(pairs.apart), _array(pairs.together), len(state.base))


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


def _denied(pairs: _Pairs, state: State, claim: Claim, stands: dict[int, int]) -> None:
    people = [state.now(person) for person in claim.people]
    if not all(person in stands for person in people):  # nobody stands for it any more
        return
    tracks = [stands[people[-1]]] if claim.kind == "two" else sorted(claim.tracks)
    for track in tracks:
        if claim.kind != "left" or state.person[track] != people[0]:
            pairs.two(track, stands[people[0]], claim.edit)


def _settled(pairs: _Pairs, state: State, row: int) -> None:
    tracks = state.rows(row).tolist()
    pairs.one(tracks, state.people[row].edit)
    for other in np.flatnonzero(state.person != row).tolist():
        pairs.two(tracks[0], other, state.people[row].edit)


def _check(pairs: _Pairs) -> None:
    """Refuse what is one person and two."""
    near: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for (a, b), edit in pairs.together.items():
        near[a].append((b, edit))
        near[b].append((a, edit))
    for (a, b), edit in pairs.apart.items():
        if a in near and (chain := _chain(near, a, b)):
            said = ", ".join(str(one) for one in chain)
            two = f"two (edit {edit})" if edit else "two, as their names differ"
            raise ContradictionError(
                f"tracks {a} and {b} are said to be one person (edit {said}) and {two}",
                "undo one of them, or move one of the tracks",
            )


def _chain(near: dict[int, list[tuple[int, int]]], a: int, b: int) -> list[int]:
    """Return the edits that make two tracks one, through others; none where nothing does."""
    came: dict[int, tuple[int, int]] = {a: (a, 0)}
    queue = deque([a])
    while queue and b not in came:
        at = queue.popleft()
        for other, edit in near.get(at, ()):
            if other not in came:
                came[other] = (at, edit)
                queue.append(other)
    if b not in came:
        return []
    edits = []
    while b != a:
        b, edit = came[b]
        edits.append(edit)
    return sorted(set(edits))


def _array(pairs: dict[tuple[int, int], int]) -> Int32:
    return np.array(sorted(pairs), dtype=np.int32).reshape(-1, 2)
