"""What to ask people next: the question whose clicks remove most expected errors comes first.

An error is a track that is not where it belongs.  What an answer is expected to remove:

========= ====================================================================================
question  expected errors
========= ====================================================================================
same      two characters, one person? P(same) times the tracks of the smaller one
belongs   which of these tracks do not belong here? 1 less the confidence, their sum
is        does this Unknown track show the character that it probably shows? ``PROBABLE``
face      is this a face, though not surely one? ``FACE``
========= ====================================================================================

P(same) falls with the distance of the two characters, in units of the distance at which
clustering stopped to join, see :func:`likeness`.  A character asks about its
likeliest larger partner alone, so that no track is counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from videoclusternet.types import Reason
from videoclusternet.types.arrays import Bools, Floats, Ints, UInt8

Kind = Literal["same", "belongs", "is", "face"]
PROBABLE = 0.5
"""Share of the Unknown tracks that do show whom they probably show: nothing more is known."""
FACE = 0.05
"""Share of the tracks that are not surely a face and are one."""
STOPPED, STEEP, SMALLER = -0.74, -13.5, -0.98
"""Log-odds of P(same) of a lone track at relative distance 1, where joining stopped; how they
change with the distance, and with the logarithm of the tracks of the smaller character: a logistic
regression over 2,683 pairs of characters of the labelled development sets, of which 22 showed one
person (``bench/likeness.py``)."""
MET = 0.2
"""What is left of P(same) for two who are seen in one picture: a mirror, a double exposure."""
LEAST = 0.01
"""Expected errors below which nothing is asked."""
TOGETHER = 12
"""Tracks of one character that are asked about at once: as many as the eye takes in."""
ENOUGH = 1.0
"""Expected errors below which no question is worth its while any more."""


@dataclass(frozen=True)
class Answer:
    """What an answer decides: a verb and what it touches, numbers as shown."""

    verb: str
    characters: tuple[int, ...] = ()
    tracks: tuple[int, ...] = ()
    to: int | str = 0


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    kind : str
    characters : tuple of int
        Numbers as shown.
    tracks : tuple of int
    gain : float
        Expected errors that an answer removes.
    yes, no : Answer or None
        None where an answer needs a further word: who it is.  Of several tracks ``no`` may
        be said of some, and ``yes`` of the others.
    """

    kind: Kind
    characters: tuple[int, ...]
    tracks: tuple[int, ...]
    gain: float
    yes: Answer | None
    no: Answer | None

    @property
    def worth(self) -> float:
        """Expected errors that a click removes: each track that does not belong takes one more."""
        return self.gain / (1 + self.gain) if self.kind == "belongs" else self.gain


@dataclass(frozen=True, eq=False)
class Situation:
    """A cast, as far as questions depend on it: T tracks.

    Attributes
    ----------
    character : int, shape (T,)
        -1 Unknown.
    confidence : float, shape (T,)
        Probability that a track is where it belongs.
    reason : uint8, shape (T,)
    probable : int, shape (T,)
        Character that an Unknown track probably shows, -1 for none.
    settled : bool, shape (T,)
        Tracks about which nothing is asked: people placed them, or settled their character.
    same : mapping of (int, int) to float
        P(same) of pairs of characters that may be asked about.
    """

    character: Ints
    confidence: Floats
    reason: UInt8
    probable: Ints
    settled: Bools
    same: Mapping[tuple[int, int], float]


def likeness(relative: Floats, size: Ints) -> Floats:
    """Return P(same) of characters: it falls with their distance and with their size.

    Parameters
    ----------
    relative : float, any shape
        Mean distance of their tracks, in units of the distance at which joining stopped.
    size : int, of that shape
        Tracks of the smaller one.
    """
    odds = STOPPED + STEEP * (np.asarray(relative, dtype=np.float64) - 1) + SMALLER * np.log(size)
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -50, 50))))


def questions(situation: Situation) -> list[Question]:
    """Return all questions, those that remove most errors first."""
    found = [*_same(situation), *_belongs(situation), *_is(situation), *_face(situation)]
    found = [question for question in found if question.gain >= LEAST]
    return sorted(found, key=lambda q: (-q.worth, q.kind, q.characters, q.tracks))


def left(asked: list[Question]) -> int:
    """Return how many of these have to be answered until less than one error is expected."""
    rest = sum(question.gain for question in asked)
    for number, question in enumerate(asked):
        if rest < ENOUGH:
            return number
        rest -= question.gain
    return len(asked)


def _same(s: Situation) -> list[Question]:
    size = np.bincount(s.character[s.character >= 0])
    best: dict[int, tuple[float, int]] = {}
    for (one, other), likely in s.same.items():
        small, large = sorted((one, other), key=lambda c: (size[c], -c))
        best[small] = max(best.get(small, (0.0, -1)), (likely, large))
    found = []
    for small, (likely, large) in best.items():
        pair = (large + 1, small + 1)
        yes, no = Answer("merge", pair), Answer("apart", pair)
        found.append(Question("same", pair, (), likely * int(size[small]), yes, no))
    return found


def _belongs(s: Situation) -> list[Question]:
    """Ask about several tracks of a character at once, the most doubtful first."""
    asked = np.flatnonzero((s.character >= 0) & ~s.settled & (1 - s.confidence >= LEAST))
    asked = asked[np.argsort(s.confidence[asked], kind="stable")]
    found = []
    for number in np.unique(s.character[asked]).tolist():
        tracks = asked[s.character[asked] == number]
        for begin in range(0, len(tracks), TOGETHER):
            some = tuple(tracks[begin : begin + TOGETHER].tolist())
            who, gain = (number + 1,), float((1 - s.confidence[list(some)]).sum())
            yes, no = Answer("confirm", (), some), Answer("not", who, some)
            found.append(Question("belongs", who, some, gain, yes, no))
    return found


def _is(s: Situation) -> list[Question]:
    found = []
    for track in np.flatnonzero((s.character < 0) & (s.probable >= 0) & ~s.settled).tolist():
        who = int(s.probable[track]) + 1
        yes, no = Answer("move", (), (track,), who), Answer("not", (who,), (track,))
        found.append(Question("is", (who,), (track,), PROBABLE, yes, no))
    return found


def _face(s: Situation) -> list[Question]:
    open_ = (s.character < 0) & (s.probable < 0) & (s.reason == Reason.NO_FACE) & ~s.settled
    return [
        Question("face", (), (track,), FACE, None, Answer("not-a-face", (), (track,)))
        for track in np.flatnonzero(open_).tolist()
    ]
