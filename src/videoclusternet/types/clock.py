"""Exact time in an editing room: which frame of a timeline shows a frame of a film; timecode.

Timecode counts frames and calls them hours, minutes and seconds (SMPTE ST 12-1).  At 29.97 and
59.94 frames a second, whose hour has 3.6 s fewer, drop-frame leaves out the first two (four)
*numbers* of each minute but every tenth, so that an hour on the display is an hour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from videoclusternet.errors import ConfigError
from videoclusternet.types.film import VideoInfo

DAY = 24 * 60 * 60
NTSC = Fraction(1000, 1001)
STANDARD = tuple(
    sorted(
        [Fraction(n) for n in (24, 25, 30, 48, 50, 60, 100, 120)]
        + [n * NTSC for n in (24, 30, 48, 60, 120)]
    )
)
"""Frame rates of editing programs."""
ALIKE = 4e-4
"""A rate that is off a standard one by a smaller share is written carelessly: 23.98, 29.97."""
CONSTANT = 0.75
"""Frames that times may be off an even rate."""
STEADY = 0.25
"""Frames that a step from frame to frame may be off one, besides a tick of the time stamps."""
_TIMECODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")


@dataclass(frozen=True)
class Tags:
    """What a film's file says of itself.

    Attributes
    ----------
    timecode : str
        Of the first picture, such as ``01:00:00:00``; ``;`` before the frames is drop-frame.
        Empty where the file has none.
    reel : str
        Name of the tape or the camera's card; empty likewise.
    channels, sample_rate : int
        Of the first sound; 0 without.
    """

    timecode: str = ""
    reel: str = ""
    channels: int = 0
    sample_rate: int = 0


@dataclass(frozen=True)
class Clock:
    """Counts the frames of a timeline that holds a film from its first picture on.

    Attributes
    ----------
    rate : Fraction
        Frames of the timeline a second.
    start : int
        Timecode of the first picture, in frames after 00:00:00:00.
    drop : bool
        Whether timecodes are drop-frame.
    video : VideoInfo or None
        Times of a film of varying rate; None where frame after frame follows at ``rate``.
    """

    rate: Fraction
    start: int = 0
    drop: bool = False
    video: VideoInfo | None = None

    @classmethod
    def of(cls, video: VideoInfo, timecode: str = "") -> Clock:
        """Return the clock of a film.

        Parameters
        ----------
        video : VideoInfo
        timecode : str
            Of the first picture.  Without one it is 00:00:00:00, drop-frame where there is such.

        Raises
        ------
        ConfigError
            When that is no timecode at this film's rate.
        """
        constant = _is_constant(video)
        rate = _standard(video.fps) if constant else _underlying(video)
        drop = ";" in timecode or "," in timecode if timecode else _can_drop(rate)
        clock = cls(rate, 0, drop, None if constant else video)
        return cls(rate, clock.read(timecode) if timecode else 0, drop, clock.video)

    @property
    def base(self) -> int:
        """Frames that a second of timecode has."""
        return max(1, round(self.rate))

    @property
    def day(self) -> int:
        """Frames after which timecode begins anew at 00:00:00:00."""
        return DAY * self.base - (self._dropped * 9 * 6 * 24 if self.drop else 0)

    @property
    def _dropped(self) -> int:
        """Numbers that drop-frame leaves out in a minute."""
        return 2 * self.base // 30

    def place(self, frame: int) -> int:
        """Return the frame of the timeline at which a frame of the film begins, from 0.

        Parameters
        ----------
        frame : int
            Of the film; their number itself is the end of the last one.
        """
        if self.video is None:
            return frame
        ticks = self.video.end if frame >= self.video.frames else int(self.video.pts[frame])
        exact = (ticks - int(self.video.pts[0])) * self._tick * self.rate
        return int(exact + Fraction(1, 2))

    def extent(self, first: int, end: int) -> tuple[int, int]:
        """Return in and out on the timeline of frames of the film, both half-open.

        Where frames follow each other faster than the timeline counts, one frame is shown.
        """
        into = self.place(first)
        return into, max(into + 1, self.place(end))

    @cached_property
    def _tick(self) -> Fraction:
        return Fraction(self.video.base) if self.video else 1 / self.rate

    def seconds(self, place: int) -> Fraction:
        """Return how long a number of frames of the timeline lasts, s."""
        return place / self.rate

    def timecode(self, place: int) -> str:
        """Return the timecode of a frame of the timeline; after 23:59:59 comes 00:00:00."""
        return self.write(self.start + place)

    def write(self, count: int) -> str:
        """Return the timecode so many frames after 00:00:00:00."""
        count %= self.day
        if self.drop:
            ten = 600 * self.base - 9 * self._dropped
            tens, rest = divmod(count, ten)
            minute = max(0, rest - self._dropped) // (60 * self.base - self._dropped)
            count += self._dropped * (9 * tens + minute)
        seconds, frames = divmod(count, self.base)
        digits = max(2, len(str(self.base - 1)))
        mark = ";" if self.drop else ":"
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        return f"{clock}{mark}{frames:0{digits}d}"

    def read(self, timecode: str) -> int:
        """Return how many frames after 00:00:00:00 a timecode is.

        Raises
        ------
        ConfigError
            When it is none, or drop-frame leaves it out.
        """
        found = _TIMECODE.fullmatch(timecode.strip())
        if found is None:
            raise ConfigError(f"{timecode!r} is no timecode", "write it as 01:00:00:00")
        hours, minutes, seconds, frames = (int(found[i]) for i in (1, 2, 3, 5))
        if hours > 23 or minutes > 59 or seconds > 59 or frames >= self.base:
            raise ConfigError(
                f"{timecode} is no timecode at {float(self.rate):.5g} frames a second",
                f"up to 23:59:59:{self.base - 1:02d}",
            )
        if self.drop and not _can_drop(self.rate):
            raise ConfigError(
                f"{timecode}: no drop-frame at {float(self.rate):.5g} frames a second",
                "only at 29.97 and 59.94: write it with : before the frames",
            )
        minute = 60 * hours + minutes
        count = (60 * minute + seconds) * self.base + frames
        if not self.drop:
            return count
        if minutes % 10 and seconds == 0 and frames < self._dropped:
            raise ConfigError(f"{timecode}: drop-frame leaves this one out", "take the next")
        return count - self._dropped * (minute - minute // 10)


def _nearest(rate: Fraction) -> Fraction:
    return min(STANDARD, key=lambda one: abs(one - rate) / one)


def _standard(rate: Fraction) -> Fraction:
    """Return the standard rate that is meant, else the rate itself."""
    nearest = _nearest(rate)
    return nearest if abs(nearest - rate) <= ALIKE * nearest else rate


def _underlying(video: VideoInfo) -> Fraction:
    """Return the lowest standard rate on whose frames all times lie, else the nearest to nominal.

    Frames that were left out, or stand longer, are of such a rate; a recording of a screen or
    of a telephone may be of none.
    """
    ticks = video.pts - video.pts[0]
    for rate in STANDARD:
        a_tick = float(rate * Fraction(video.base))
        places = ticks * a_tick
        if np.abs(places - places.round()).max() <= 1.5 * a_tick < 0.25:
            return rate
    return _nearest(video.fps)


def _can_drop(rate: Fraction) -> bool:
    return rate in (30 * NTSC, 60 * NTSC)


def _is_constant(video: VideoInfo) -> bool:
    """Whether the frames follow each other at the nominal rate."""
    if video.frames < 2:
        return True
    frame = float(1 / (video.fps * Fraction(video.base)))
    off = (video.pts - video.pts[0]) / frame - np.arange(video.frames)
    steps = np.abs(np.diff(video.pts) - frame)
    return bool(np.abs(off).max() < CONSTANT and steps.max() <= STEADY * frame + 1)
