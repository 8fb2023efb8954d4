"""What to ask people next: the questions whose answers remove most expected errors come first.

An error is a track that is not where it belongs.  What an answer is expected to remove:

========= ====================================================================================
question  expected errors
========= ====================================================================================
same      two characters, one person? P(same) times the tracks of the smaller one
belongs   does this track belong here? 1 less the confidence.  Do these, that were joined to
          the rest as a group? P(two) times their number
is        does this Unknown track show the character that it probably shows? ``PROBABLE``
face      is this a face, though not surely one? ``FACE``
========= ====================================================================================

P(same) falls with the distance of the two characters, in units of the distance at which
clustering stopped to join, see :func:`likeness`; P(two) rises with what a merge took of the
distance that it was allowed, see :func:`doubt`.  A character asks about its likeliest larger
partner alone, and a track is asked about once, so that no track is counted twice.

Questions are asked a sheet at a time: so many pictures as the eye takes in, whoever they show.
One click says that all is as it is, and one more each that something is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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
PASSED, STEEPER, FEWER = 1.08, 13.3, -0.77
"""Log-odds of P(two) of two groups whose merge only just passed; how they change with the share of
the threshold that it took, and with the logarithm of the tracks of the smaller group: likewise,
over 620 merges of groups of two tracks and more, of which 19 joined two people."""
MET = 0.2
"""What is left of P(same) for two who are seen in one picture: a mirror, a double exposure."""
LEAST = 0.01
"""Expected errors below which nothing is asked about tracks."""
TOGETHER = 12
"""Pictures that are asked about at once: as many as the eye takes in."""
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
        None where an answer needs a further word: who it is.  Of several tracks either may be
        said of some, and the other of the others; that all leave, they do together.
    """

    kind: Kind
    characters: tuple[int, ...]
    tracks: tuple[int, ...]
    gain: float
    yes: Answer | None
    no: Answer | None

    @property
    def key(self) -> str:
        """What it is told by as long as it is the same question: a few letters."""
        said = f"{self.kind} {self.characters} {self.tracks}"
        return hashlib.blake2b(said.encode(), digest_size=5).hexdigest()

    @property
    def shown(self) -> tuple[int, ...]:
        """Tracks that are shown: of many some, evenly."""
        if len(self.tracks) <= TOGETHER:
            return self.tracks
        return tuple(self.tracks[i * len(self.tracks) // TOGETHER] for i in range(TOGETHER))

    @property
    def pictures(self) -> int:
        """How much of a sheet it takes."""
        return max(1, len(self.shown))

    @property
    def worth(self) -> float:
        """Expected errors that are removed for each picture that is looked at."""
        return self.gain / self.pictures


@dataclass(frozen=True)
class Group:
    """Tracks of a character that were joined to the rest of it as a group.

    Attributes
    ----------
    character : int
    tracks : tuple of int
        Those that are still there, and not settled.
    strain : float
        Share of its threshold that the merge took: 1 only just passed.
    size : int
        Tracks of the smaller side as it was joined.
    """

    character: int
    tracks: tuple[int, ...]
    strain: float
    size: int


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
    same : mapping of int to (int, float)
        Of characters, the likeliest larger partner that may be asked about, and P(same).
    groups : sequence of Group
    """

    character: Ints
    confidence: Floats
    reason: UInt8
    probable: Ints
    settled: Bools
    same: Mapping[int, tuple[int, float]]
    groups: Sequence[Group] = ()


def likeness(relative: Floats, size: Ints) -> Floats:
    """Return P(same) of characters: it falls with their distance and with their size.

    Parameters
    ----------
    relative : float, any shape
        Mean distance of their tracks, in units of the distance at which joining stopped.
    size : int, of that shape
        Tracks of the smaller one.
    """
    return _chance(STOPPED + STEEP * (np.asarray(relative) - 1) + SMALLER * np.log(size))


def doubt(strain: Floats, size: Ints) -> Floats:
    """Return P(two) of groups that were joined: it rises with the strain, and falls with size.

    Parameters
    ----------
    strain : float, any shape
        Share of its threshold that the merge took.
    size : int, of that shape
        Tracks of the smaller group.
    """
    return _chance(PASSED + STEEPER * (np.asarray(strain) - 1) + FEWER * np.log(size))


def _chance(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -50, 50))))


def questions(situation: Situation) -> list[Question]:
    """Return all questions, those worth most first; of groups and their tracks the worthier."""
    s = situation
    found = [*_same(s), *_tracks(s), *_groups(s), *_is(s), *_face(s)]
    found = sorted(found, key=lambda q: (-q.worth, -q.gain, q.kind, q.characters, q.tracks))
    asked: set[int] = set()
    kept = []
    for question in found:
        if asked.isdisjoint(question.tracks):
            asked.update(question.tracks)
            kept.append(question)
    return kept


def sheets(asked: Sequence[Question], room: int = TOGETHER) -> list[list[Question]]:
    """Lay questions out, each on the first sheet that has room for it.

    Who is to be made one with somebody larger is not compared with anybody smaller there: after
    the one answer the other would be of a character that there is not any more.

    Parameters
    ----------
    asked : sequence of Question
        Those worth most first.
    room : int
        Pictures of a sheet.
    """
    made: list[list[Question]] = []
    begin = 0
    for question in asked:
        for sheet in made[begin:]:
            if _fits(question, sheet, room):
                sheet.append(question)
                break
        else:
            made.append([question])
        while begin < len(made) and _room(made[begin], room) == 0:
            begin += 1
    return made


def _room(sheet: Sequence[Question], room: int) -> int:
    return room - sum(question.pictures for question in sheet)


def _fits(question: Question, sheet: Sequence[Question], room: int) -> bool:
    if question.pictures > _room(sheet, room):
        return False
    if question.kind != "same":
        return True
    large, small = question.characters
    pairs = [other.characters for other in sheet if other.kind == "same"]
    return all(large != below and small != above for above, below in pairs)


def left(laid: Sequence[Sequence[Question]]) -> int:
    """Return how many sheets have to be answered until less than one error is expected."""
    gains = [sum(question.gain for question in sheet) for sheet in laid]
    rest = sum(gains)
    for number, gain in enumerate(gains):
        if rest < ENOUGH:
            return number
        rest -= gain
    return len(laid)


def _same(s: Situation) -> list[Question]:
    size = np.bincount(s.character[s.character >= 0])
    found = []
    for small, (large, likely) in s.same.items():
        pair = (large + 1, small + 1)
        yes, no = Answer("merge", pair), Answer("apart", pair)
        found.append(Question("same", pair, (), likely * int(size[small]), yes, no))
    return found


def _tracks(s: Situation) -> list[Question]:
    doubtful = (s.character >= 0) & ~s.settled & (1 - s.confidence >= LEAST)
    size = np.bincount(s.character[s.character >= 0])
    found = []
    for track in np.flatnonzero(doubtful).tolist():
        if size[s.character[track]] == 1:
            continue  # with nobody else there, the question is whether it is somebody larger
        who, some = (int(s.character[track]) + 1,), (track,)
        yes, no = Answer("confirm", (), some), Answer("not", who, some)
        gain = float(1 - s.confidence[track])
        found.append(Question("belongs", who, some, gain, yes, no))
    return found


def _groups(s: Situation) -> list[Question]:
    """Ask about tracks that came together: if they do not belong, they leave together."""
    found = []
    strain = np.array([group.strain for group in s.groups], dtype=np.float64)
    size = np.array([group.size for group in s.groups], dtype=np.int64)
    for group, two in zip(s.groups, doubt(strain, size).tolist(), strict=True):
        who, some = (group.character + 1,), group.tracks
        gain = two * len(some)
        if gain >= LEAST:
            yes, no = Answer("confirm", (), some), Answer("split", who, some)
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
