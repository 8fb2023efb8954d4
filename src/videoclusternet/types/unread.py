"""What could not be read of a film: how many pictures, and where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np

from videoclusternet.types.arrays import Array, Floats
from videoclusternet.types.film import VideoInfo

ABSENT = -1
"""In place of a frame number: the file holds no such frame, though its times leave room for it."""
STEADY = 0.95
"""Share of the other steps between frames that are usual where a gap tells of missing frames."""
RARE = 0.1
"""Share of the steps that are wide at most: with more, it is the film that stands still."""
USUAL = (0.55, 1.6)
"""Usual steps in medians: pictures of telecine last 2 or 3 fields in turns."""
WIDE = 1.75
"""A step of more medians than this has room for a frame."""
KEYS = {"frame": int, "frames": int, "start": float, "stop": float}
"""Of a span in run.json."""


class Stretch(NamedTuple):
    """Frames one after another.

    Attributes
    ----------
    frame : int
        The first one, or :data:`ABSENT`.
    frames : int
        How many.
    start, stop : float
        From when to when, s from the start of the film.
    """

    frame: int
    frames: int
    start: float
    stop: float


@dataclass(frozen=True)
class Unread:
    """Frames that could not be read, or are missing: spans by time, none of them twice."""

    spans: tuple[Stretch, ...] = ()

    def __post_init__(self) -> None:
        """Make one of spans that overlap or follow each other, by the numbers of their frames."""
        known = sorted(Stretch(*span) for span in self.spans if span[0] != ABSENT)
        joined: list[Stretch] = []
        for span in known:
            last = joined[-1] if joined else None
            if last is None or span.frame > last.frame + last.frames:
                joined.append(span)
                continue
            more = span.frame + span.frames - last.frame - last.frames
            if more > 0:
                joined[-1] = Stretch(last.frame, last.frames + more, last.start, span.stop)
        absent = {Stretch(*span) for span in self.spans if span[0] == ABSENT}
        spans = tuple(sorted([*joined, *absent], key=lambda span: (span.start, span.frame)))
        object.__setattr__(self, "spans", spans)

    def __or__(self, other: Unread) -> Unread:
        return Unread(self.spans + other.spans)

    @property
    def count(self) -> int:
        """How many frames."""
        return sum(span.frames for span in self.spans)

    @property
    def absent(self) -> int:
        """How many of them the file does not hold."""
        return sum(span.frames for span in self.spans if span.frame == ABSENT)

    @classmethod
    def of_frames(cls, video: VideoInfo, frames: Sequence[int] | Array) -> Self:
        """Frames of a film by their numbers, int (n,) in any order."""
        numbers = np.unique(np.asarray(frames, dtype=np.int64))
        runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1) if len(numbers) else []
        return cls(tuple(_span(video, int(run[0]), len(run)) for run in runs))

    @classmethod
    def between(cls, times: Floats, lasts: Floats, most: float, numbered: bool = False) -> Self:
        """Find frames that are missing between those of a film with a steady rate.

        Parameters
        ----------
        times : float, shape (F,)
            When each frame begins, s, ascending.
        lasts : float, shape (F,)
            How long it is shown by the file, s; 0 where that is not known.
        most : float
            A longer gap, s, is no matter of frames.
        numbered : bool
            Whether the file counts frames, and leaves no number out: then every gap is one.
        """
        steps = np.diff(times)
        if not len(steps):
            return cls()
        usual = float(np.median(steps))
        steady = (steps > USUAL[0] * usual) & (steps < USUAL[1] * usual)
        wide = steps > WIDE * usual
        often = wide.mean() > RARE and wide.sum() > 1 and not numbered
        if wide.all() or steady[~wide].mean() < STEADY or often:
            return cls()
        wide &= (steps > 1.5 * lasts[:-1]) & (steps <= most)
        return cls(
            tuple(
                Stretch(
                    ABSENT,
                    round(float(steps[n]) / usual) - 1,
                    round(float(times[n]) + usual, 3),
                    round(float(times[n + 1]), 3),
                )
                for n in np.flatnonzero(wide)
            )
        )

    def record(self) -> list[dict[str, float]]:
        """Return the spans as run.json has them."""
        return [dict(zip(KEYS, span, strict=True)) for span in self.spans]

    @classmethod
    def recorded(cls, spans: Iterable[Mapping[str, Any]]) -> Self:
        """Read what :meth:`record` returned.

        Raises
        ------
        ValueError, TypeError, KeyError
            When it is something else.
        """
        found = []
        for span in spans:
            frame, count, start, stop = (kind(span[key]) for key, kind in KEYS.items())
            if not (frame >= ABSENT and count > 0 and 0 <= start <= stop < float("inf")):
                raise ValueError(f"{dict(span)} is no span")
            found.append(Stretch(frame, count, start, stop))
        return cls(tuple(found))


def _span(video: VideoInfo, first: int, count: int) -> Stretch:
    start, stop = video.seconds(first), video.seconds(first + count)
    return Stretch(first, count, round(max(start, 0.0), 3), round(max(stop, 0.0), 3))


@dataclass(frozen=True)
class Damage:
    """What is wrong with a film as it is opened: sentences, and frames that are missing."""

    notes: tuple[str, ...] = ()
    unread: Unread = field(default_factory=Unread)

    @property
    def digest(self) -> str:
        """Content hash, sha256."""
        said = [self.notes, self.unread.record()]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    @classmethod
    def of(cls, told: Iterable[str | Unread]) -> Self:
        """Sort what was told while a film was opened."""
        unread, notes = Unread(), []
        for one in told:
            if isinstance(one, Unread):
                unread |= one
            else:
                notes.append(one)
        return cls(tuple(notes), unread)
