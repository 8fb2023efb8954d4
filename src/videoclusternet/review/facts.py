"""What a run says of its tracks once and for all: films, times, pictures, boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from videoclusternet.result.described import NOMINAL, Film
from videoclusternet.result.pictures import best_crops, crop_worth
from videoclusternet.result.result import Result
from videoclusternet.show.words import REASONS
from videoclusternet.types.arrays import Float64, Int64

LONGEST = 120.0
"""Seconds of boxes that are given at once."""


@dataclass(frozen=True, eq=False)
class Facts:
    """T tracks with C crops, as the page needs them.

    Attributes
    ----------
    start, stop : float64, shape (T,)
        When a track is on screen, s from the start of its film.
    crop, crops : int64, shape (T,)
        First crop of a track and how many it has; they lie one after another.
    best : int64, shape (T,)
        The crop that shows it best, -1 where there is none.
    worth : float64, shape (C,)
        How well a crop shows its character: 0 to 1.
    frame : int64, shape (C,)
        Frame that a crop was cut from.
    """

    start: Float64
    stop: Float64
    crop: Int64
    crops: Int64
    best: Int64
    worth: Float64
    frame: Int64

    @classmethod
    def of(cls, result: Result) -> Facts:
        """Read them from a run."""
        start, stop = spans(result)
        tracks = np.arange(len(result.tracks))
        crop_track = result.crop_track
        frame = result.crop_frame
        if not result.has_pictures:
            none = np.zeros(len(tracks), dtype=np.int64)
            return cls(start, stop, none, none, none - 1, np.zeros(len(frame)), frame)
        first = np.searchsorted(crop_track, tracks, side="left")
        crops = np.searchsorted(crop_track, tracks, side="right") - first
        worth = crop_worth(result)
        return cls(start, stop, first, crops, best_crops(result, worth), worth, frame)

    def cover(self, tracks: Int64) -> int:
        """Return the crop that shows a character best; -1 where there is none."""
        best = self.best[tracks]
        best = best[best >= 0]
        return int(best[self.worth[best].argmax()]) if len(best) else -1

    def near(self, track: int, frame: int) -> int:
        """Return the crop of a track nearest to a frame; its best one for a negative frame."""
        first, crops = int(self.crop[track]), int(self.crops[track])
        if frame < 0 or crops == 0:
            return int(self.best[track])
        return first + int(np.abs(self.frame[first : first + crops] - frame).argmin())


def spans(result: Result) -> tuple[Float64, Float64]:
    """Return when every track is on screen, as ``result.characters.track_span`` does for one."""
    start, stop = result.tracks.first / NOMINAL, result.ends / NOMINAL
    for number, film in enumerate(result.films):
        if film.video is not None:
            own = result.tracks.film == number
            times = np.append(film.video.times, film.video.seconds(film.video.frames))
            start[own], stop[own] = times[result.tracks.first[own]], times[result.ends[own]]
    return start, stop


def as_json(result: Result, facts: Facts) -> dict[str, Any]:
    """Return what never changes while the page is open; tracks column by column."""
    return {
        "run": result.folder.resolve().name,
        "films": [_film(film) for film in result.films],
        "tracks": {
            "film": result.tracks.film.tolist(),
            "shot": result.tracks.shot.tolist(),
            "start": _rounded(facts.start),
            "stop": _rounded(facts.stop),
            "crop": facts.crop.tolist(),
            "crops": facts.crops.tolist(),
            "best": facts.best.tolist(),
            "name": _names(result),
        },
        "reasons": {int(reason): words for reason, words in REASONS.items()},
    }


def _film(film: Film) -> dict[str, Any]:
    cuts: list[int] = [] if film.shots is None else film.shots.start[1:].tolist()
    return {
        "name": film.name,
        "seconds": round(film.duration, 3),
        "width": film.video.width if film.video else 0,
        "height": film.video.height if film.video else 0,
        "cuts": [round(film.seconds(frame), 3) for frame in cuts],
    }


def _names(result: Result) -> list[str]:
    """Return the names that tracks were given with; none for tracks found in films."""
    if not any(film.track_names for film in result.films):
        return []
    named = [film.track_names or [""] * len(film.tracks) for film in result.films]
    return [name for names in named for name in names]


def boxes(result: Result, film: int, start: float, stop: float) -> list[dict[str, Any]]:
    """Return where the tracks of a film are in its picture, in a part of it.

    Parameters
    ----------
    result : Result
    film : int
    start, stop : float
        Part of the film, s; at most :data:`LONGEST` of it.

    Returns
    -------
    list
        For each track its number, times in s, and ``x1 y1 x2 y2`` in px at each of them.
    """
    there = result.films[film]
    if there.video is None or there.faces is None:
        return []
    stop = min(stop, start + LONGEST)
    first, last = (_frame(there, when) for when in (start, stop))
    tracks, times = result.tracks, there.video.times
    some = (tracks.film == film) & (tracks.first <= last) & (tracks.last >= first)
    found = []
    for track in np.flatnonzero(some).tolist():
        faces = tracks.faces_of(track)
        frames = there.faces.frame[faces]
        # One face before and one after: between them the page interpolates.
        low = max(int(np.searchsorted(frames, first)) - 1, 0)
        faces = faces[low : int(np.searchsorted(frames, last, side="right")) + 1]
        found.append(
            {
                "track": track,
                "times": _rounded(times[there.faces.frame[faces]]),
                "boxes": np.rint(there.faces.box[faces]).astype(int).tolist(),
            }
        )
    return found


def _frame(film: Film, seconds: float) -> int:
    assert film.video is not None
    return max(int(np.searchsorted(film.video.times, seconds, side="right")) - 1, 0)


def _rounded(x: Float64) -> list[float]:
    rounded: list[float] = np.round(x, 3).tolist()
    return rounded
