"""Where a face is in the picture, frame by frame: between the frames in which it was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoclusternet.result.characters import track_span
from videoclusternet.result.found import Found
from videoclusternet.types.arrays import Float64, Ints
from videoclusternet.types.boxes import between


@dataclass(frozen=True, eq=False)
class Trail:
    """The way of one box through the frames of a film.

    Attributes
    ----------
    first, end : int
        Frames in which it is there, half-open.
    frame : int, shape (n,)
        Frames in which it was found, ascending.
    box : float64, shape (n, 4)
        ``x1 y1 x2 y2`` there, px of the display frame.
    """

    first: int
    end: int
    frame: Ints
    box: Float64

    def at(self, frame: int) -> Float64:
        """Return the box in a frame, float64 (4,): as it was last, or will be first, outside."""
        return between(frame, self.frame, self.box)


def trail_of(run: Found, track: int) -> Trail | None:
    """Return the trail of a track over all of its time on screen; None where it has no boxes.

    The detector's stride is bridged, as in :func:`~videoclusternet.result.characters.track_span`.
    """
    film = run.film_of(track)
    rows = run.tracks.faces_of(track)
    if film.faces is None or not len(rows):
        return None
    span = track_span(run, track)
    box = film.faces.box[rows].astype(np.float64)
    return Trail(span.first, span.end, film.faces.frame[rows], box)
