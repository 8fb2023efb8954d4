"""Time on screen: frames of a film, with the moments at which they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from videoclusternet.types.arrays import Bools, Ints


@dataclass(frozen=True, order=True)
class Span:
    """Frames of one film, one after another.

    Attributes
    ----------
    film : int
        Number of the film.
    first : int
        The first frame.
    end : int
        The first frame after them.
    start, stop : float
        When the first frame is shown, and when the last one ends, s from the film's start.
    """

    film: int
    first: int
    end: int
    start: float = field(compare=False)
    stop: float = field(compare=False)

    @property
    def frames(self) -> int:
        """How many frames."""
        return self.end - self.first

    @property
    def seconds(self) -> float:
        """How long they last, s."""
        return self.stop - self.start


def join_spans(spans: Iterable[Span], gap: float = 0.0) -> list[Span]:
    """Join spans that overlap or touch.

    Parameters
    ----------
    spans : iterable of Span
    gap : float
        Spans that are no more than so many seconds apart are one as well.

    Returns
    -------
    list of Span
        By film and frame, without a frame in common.
    """
    joined: list[Span] = []
    for span in sorted(spans):
        last = joined[-1] if joined else None
        if last is None or last.film != span.film or not _near(last, span, gap):
            joined.append(span)
        elif span.end > last.end:
            joined[-1] = Span(last.film, last.first, span.end, last.start, span.stop)
    return joined


def inside(spans: Iterable[Span], frame: Ints) -> Bools:
    """Tell which frames lie in spans of their film.

    Parameters
    ----------
    spans : iterable of Span
        Of one film, without a frame in common.
    frame : int, shape (n,)

    Returns
    -------
    bool, shape (n,)
    """
    first, end = np.array(sorted((one.first, one.end) for one in spans)).reshape(-1, 2).T
    place = np.searchsorted(first, frame, side="right") - 1
    return np.asarray((place >= 0) & (frame < np.append(end, 0)[place]))


def _near(one: Span, later: Span, gap: float) -> bool:
    return later.first <= one.end or (gap > 0 and later.start - one.stop <= gap)
