"""What is known of a time on screen: how many face tracks it is of, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from videoclusternet.result.found import Found
from videoclusternet.types.arrays import Ints
from videoclusternet.types.span import Span


class Told(NamedTuple):
    """What is known of an appearance.

    Attributes
    ----------
    tracks : int
        Face tracks of it; 0 where it is the answer to a question.
    confidence : float or None
        Probability that a track of it shows this character, mean over the tracks; None where
        nothing is said of them.
    """

    tracks: int
    confidence: float | None


def told_of(run: Found, tracks: Ints, spans: Sequence[Span]) -> list[Told]:
    """Return what is known of each of these spans: tracks that begin in it.

    Parameters
    ----------
    run : Found
    tracks : int array
        Of one character, or the Unknown, of whom nothing is sure.
    spans : sequence of Span
    """
    table = {}
    for film in range(len(run.films)):
        mine = tracks[run.tracks.film[tracks] == film]
        mine = mine[np.argsort(run.tracks.first[mine], kind="stable")]
        sure = np.where(run.cast.character[mine] < 0, np.nan, run.cast.confidence[mine])
        table[film] = run.tracks.first[mine], np.cumsum([0.0, *sure])
    found = []
    for span in spans:
        firsts, sums = table[span.film]
        begin, end = np.searchsorted(firsts, (span.first, span.end)).tolist()
        mean = float(sums[end] - sums[begin]) / (end - begin) if end > begin else np.nan
        found.append(Told(end - begin, None if np.isnan(mean) else round(mean, 4)))
    return found
