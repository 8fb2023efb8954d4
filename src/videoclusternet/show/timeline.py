"""The line below a character: where in a film its tracks are, between cuts, over a time axis."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from videoclusternet.outside.text import printable
from videoclusternet.result.characters import track_span
from videoclusternet.result.described import Film
from videoclusternet.result.result import Result
from videoclusternet.show.words import shorten, span, timecode
from videoclusternet.types.arrays import Array, Ints
from videoclusternet.types.clock import DAY, Clock

WIDTH = 1000
"""Length of a film on the drawing; the page stretches it."""
THIN = 2.0
"""Least width of a bar: what is there is seen."""
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
"""Distances between the marks of an axis, s."""
MARKS = 6
"""About as many marks have room on a narrow screen."""
CUTS = 400
"""Most cuts that are drawn: more are a grey surface."""


@dataclass(frozen=True)
class Bar:
    """One track on the line, by its number; ``left`` and ``width`` of :data:`WIDTH`."""

    track: int
    left: float
    width: float
    title: str


@dataclass(frozen=True)
class Line:
    """The tracks of one character in one film.

    Attributes
    ----------
    film : int
    name : str
        Of the film, where there are several.
    bars : list of Bar
    """

    film: int
    name: str
    bars: list[Bar]


@dataclass(frozen=True)
class Axis:
    """What all lines of a film share.

    Attributes
    ----------
    marks : list of (float, str)
        Place in percent, and the time.
    cuts : list of float
        Places of cuts, of :data:`WIDTH`; none where they are too many to be told apart.
    """

    marks: list[tuple[float, str]]
    cuts: list[float]


def axis(film: Film) -> Axis:
    """Return time marks and cuts of a film."""
    whole = max(film.duration, 1e-9)
    step = next((s for s in STEPS if whole / s <= MARKS), STEPS[-1] * math.ceil(whole / 7200))
    if film.is_timed:
        begin = film.seconds(0)  # sound may come before the picture
        places = _marks(film.clock, film.clock.place(film.frames), step)
        seconds = [(begin + float(film.clock.seconds(place)), said) for place, said in places]
        marks = [(100 * time / whole, said) for time, said in seconds]
    else:
        marks = [(100 * t / whole, timecode(t)) for t in np.arange(0, whole, step).tolist()]
    starts = film.shots.start[1:].tolist() if film.shots is not None else []
    cuts = [WIDTH * film.seconds(frame) / whole for frame in starts]
    return Axis(marks, cuts if len(cuts) <= CUTS else [])


def _marks(clock: Clock, length: int, step: int) -> list[tuple[int, str]]:
    """Return the frames with round timecodes in a film of so many; its start without any."""
    start = clock.timecode(0)
    hours, minutes, seconds = (int(part) for part in start[:8].split(":"))
    second = 3600 * hours + 60 * minutes + seconds + (int(start[9:]) > 0)
    second += -second % step
    marks = []
    while (place := (_frame_of(clock, second) - clock.start) % clock.day) < length:
        marks.append((place, clock.timecode(place)[:8]))
        second += step
    return marks or [(0, start)]


def _frame_of(clock: Clock, second: int) -> int:
    """Return the first frame whose timecode says this second of the day."""
    shown = timecode(second % DAY).zfill(8)
    left_out = clock.drop and shown.endswith(":00") and shown[4] != "0"
    return clock.read(f"{shown}{';' if clock.drop else ':'}{2 * clock.base // 30 * left_out:02d}")


def moment(film: Film, frame: int) -> str:
    """Write when a frame is shown: by the film's timecode where it has one, else ``h:mm:ss``."""
    if film.is_timed:
        return film.clock.timecode(film.clock.place(frame))
    return timecode(film.seconds(frame))


def film_name(result: Result, film: int) -> str:
    """Name of a film where there are several; empty for the only one."""
    return printable(result.films[film].name) if len(result.films) > 1 else ""


def time_of(result: Result, film: int, frame: int) -> str:
    """Write when a frame is shown, after the film's name in short where there are several."""
    return f"{shorten(film_name(result, film))} {moment(result.films[film], frame)}".strip()


def second_of(film: Film, seconds: float) -> str:
    """Write a time of a film to the second, by its timecode where it has one."""
    if not film.is_timed:
        return timecode(seconds)
    frame = bisect_right(range(film.frames), seconds, key=film.seconds) - 1
    return moment(film, max(0, frame))[:8]


def lines(result: Result, tracks: Ints) -> list[Line]:
    """Return the line of these tracks in each film in which they are."""
    found = []
    for number, film in enumerate(result.films):
        whole = max(film.duration, 1e-9)
        bars = []
        for track in tracks[result.tracks.film[tracks] == number].tolist():
            seen = track_span(result, track)
            width = max(WIDTH * (seen.stop - seen.start) / whole, THIN)
            left = min(WIDTH * seen.start / whole, WIDTH - width)
            bars.append(Bar(track, left, width, describe(result, track)))
        if bars:
            found.append(Line(number, film_name(result, number), bars))
    return found


def describe(result: Result, track: int) -> str:
    """Say which track this is, where and for how long."""
    seen = track_span(result, track)
    return (
        f"track {track_name(result, track)}, shot {int(result.tracks.shot[track])}: "
        f"{moment(result.films[seen.film], seen.first)} for {span(seen.seconds)}"
    )


def track_name(result: Result, track: int) -> str:
    """Return the number of a track, with the name that it was given with."""
    names = result.film_of(track).track_names
    first = int(np.searchsorted(result.tracks.film, result.tracks.film[track]))
    given = names[track - first] if names else ""
    return f"{track} ({printable(given)})" if given and given != str(track) else str(track)


def shots_of(result: Result, tracks: Array) -> int:
    """Count the shots in which these tracks are."""
    places = np.stack([result.tracks.film[tracks], result.tracks.shot[tracks]], axis=1)
    return len(np.unique(places, axis=0))
