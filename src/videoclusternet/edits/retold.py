"""What holds of everybody but one person, said again over the cast as it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from videoclusternet.edits.anchor import Anchor
from videoclusternet.edits.edit import UNKNOWN, Edit
from videoclusternet.edits.state import State
from videoclusternet.types import Reason
from videoclusternet.types.arrays import Bools


def retold(state: State, done: Sequence[Edit], gone: Bools, row: int) -> list[Edit]:
    """Return the decisions that say of a cast, as it is shown, what people said of it.

    Characters keep their numbers, which are their keys from then on.  That a track was moved
    away from somebody is not said again: it is where it went.

    Parameters
    ----------
    state : State
        T tracks.
    done : sequence of Edit
        That made it; who said something, and when, is taken from them.
    gone : bool, shape (T,)
        Tracks of which nothing is said.
    row : int
        Character of whom nothing is said: row of ``state.people``.
    """
    told = _Told(state, done, gone, [one for one in state.living() if one != row])
    return [*told.names(), *told.tracks(), *told.denials(), *told.flags()]


@dataclass(frozen=True)
class _Told:
    state: State
    done: Sequence[Edit]
    gone: Bools
    rows: list[int]

    def names(self) -> Iterator[Edit]:
        """Names, notes and covers."""
        for row in self.rows:
            one, key = self.state.people[row], self._key(row)
            if one.name:
                verb = "recognise" if one.known else "name"
                said = Edit(verb, (key,), to=one.known, text=one.name, of=one.films, sure=one.sure)
                yield self._by(row, said)
            if one.note:
                yield self._by(row, Edit("note", (key,), text=one.note))
            track = -1 if one.cover is None else self.state.base.row(one.cover)
            if one.cover is not None and track >= 0 and self.state.person[track] == row:
                frame = str(one.frame) if one.frame >= 0 else ""
                yield self._by(row, Edit("cover", (key,), (one.cover,), frame))

    def tracks(self) -> Iterator[Edit]:
        """Where tracks belong that people placed."""
        state, hand = self.state, np.where(self.gone, 0, self.state.hand)
        for edit in np.unique(hand[hand > 0]).tolist():
            mine = hand == edit
            known, reason = state.person >= 0, state.reason
            for some, said in (
                (mine & known, Edit("confirm")),
                (mine & ~known & (reason == Reason.SET_ASIDE), Edit("move", to=UNKNOWN)),
                (mine & ~known & (reason == Reason.NOT_A_FACE), Edit("not-a-face")),
            ):
                if some.any():
                    tracks = self._anchors(np.flatnonzero(some).tolist())
                    yield self._signed(edit, said._replace(tracks=tracks))

    def denials(self) -> Iterator[Edit]:
        """Who is not whom."""
        for claim in self.state.claims():
            people = [self.state.now(person) for person in claim.people]
            if claim.kind not in ("two", "is not") or not set(people) <= set(self.rows):
                continue
            keys = tuple(map(self._key, people))
            tracks = self._anchors(t for t in claim.tracks if not self.gone[t])
            if claim.kind == "two" and len(set(keys)) == 2:
                yield self._signed(claim.edit, Edit("apart", keys))
            elif claim.kind == "is not" and tracks:
                yield self._signed(claim.edit, Edit("not", keys, tracks))

    def flags(self) -> Iterator[Edit]:
        """Locks, which would stand in the way of others, and whom nobody is to see."""
        for row in self.rows:
            one, key = self.state.people[row], self._key(row)
            for verb, so in (("hide", one.hidden), ("lock", one.locked)):
                if so:
                    yield self._by(row, Edit(verb, (key,)))

    def _key(self, row: int) -> str:
        return str(self.state.people[row].number)

    def _anchors(self, tracks: Iterable[int]) -> tuple[Anchor, ...]:
        return tuple(self.state.base.places[track][0] for track in tracks)

    def _by(self, row: int, edit: Edit) -> Edit:
        """Return an edit about a character with who said it last, and when."""
        for one in reversed(self.done):
            about = (self.state.said_of(key, one.base) for key in one.characters)
            if one.verb == edit.verb and row in about:
                return edit._replace(time=one.time, author=one.author)
        return edit

    def _signed(self, number: int, edit: Edit) -> Edit:
        of = next((one for one in self.done if one.id == number), edit)
        return edit._replace(time=of.time, author=of.author)
