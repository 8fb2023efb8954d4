"""The cast that everybody sees: a clustering, with what people said over it."""

from __future__ import annotations

import numpy as np

from videoclusternet.edits.state import State
from videoclusternet.types import Cast, Reason
from videoclusternet.types.arrays import Int32, Int64


def shown_cast(state: State, found: Cast) -> Cast:
    """Lay a state over the clustering that it is about.

    Parameters
    ----------
    state : State
        T tracks.
    found : Cast
        The clustering, or a later one of the same tracks that the state took over.

    Returns
    -------
    Cast
        Characters by their number less 1.  A track that people placed is sure.
    """
    number = np.array([person.number - 1 for person in state.people] + [-1], dtype=np.int32)
    person = state.person
    unknown = person < 0
    reason = np.where(state.reason > 0, state.reason, found.reason)
    reason[unknown & (reason == Reason.OK)] = Reason.UNPLACED
    reason[~unknown] = Reason.OK
    became = number[_became(state, found)]
    character = number[person]
    probable = np.where(unknown & (found.probable >= 0), became[found.probable], -1)
    sure = np.where(state.hand > 0, np.float32(1), found.confidence)
    return Cast(
        character=character,
        reason=reason,
        quality=found.quality,
        threshold=np.where(unknown, np.float32(np.nan), found.threshold),
        confidence=np.where(unknown, np.float32(0), sure),
        probable=np.where(np.isin(probable, character), probable, -1),
        chosen=found.chosen,
        alike=_alike(state, found, became),
    )


def _became(state: State, found: Cast) -> Int64:
    """Return the person that most tracks of each character found are now, -1 for nobody."""
    last = int(max(found.character.max(initial=-1), found.probable.max(initial=-1)))
    became = np.full(last + 2, -1, dtype=np.int64)
    for character in range(last + 1):
        now = state.person[(found.character == character) & (state.person >= 0)]
        if len(now):
            became[character] = np.bincount(now).argmax()
    return became


def _alike(state: State, found: Cast, became: Int32) -> tuple[tuple[int, int], ...]:
    """Return pairs that look alike, without those of which people said who they are."""
    named = {person.number - 1 for person in state.people if person.name}
    pairs = {tuple(sorted((int(became[a]), int(became[b])))) for a, b in found.alike}
    living = {state.people[row].number - 1 for row in state.living()}
    return tuple(
        (a, b) for a, b in sorted(pairs) if a != b and {a, b} <= living and not {a, b} <= named
    )
