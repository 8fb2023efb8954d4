"""How good the material is, how sure the cast, and what was set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from videoclusternet.report.members import Member
from videoclusternet.result.characters import track_span
from videoclusternet.result.result import Result
from videoclusternet.show.words import REASONS, span
from videoclusternet.types.arrays import Bools, Floats, Ints

SIZES = (0, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Edges of the bars of face sizes, px."""
SURE = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90)
"""Edges of the bars of confidence, percent."""
MOST_DOUBTED = 16
"""Tracks that are shown as least sure."""
DOUBTED = 0.9
"""Only those that are less sure than this."""
MOST_ASIDE = 8
"""Pictures of a reason."""


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram; heights in percent of the highest."""

    label: str
    title: str
    known: float
    unknown: float


@dataclass(frozen=True)
class Aside:
    """Tracks that were set aside for one reason."""

    words: str
    tracks: int
    time: str
    share: float
    shown: list[int]


def histogram(values: Floats, known: Bools, edges: Sequence[float], form: str) -> list[Bar]:
    """Count values between edges, those of characters and those of the Unknown.

    Parameters
    ----------
    values : float, shape (n,)
        Those that are not finite are left out; those beyond the last edge are in the last bar.
    known : bool, shape (n,)
    edges : sequence of float
        Where bars begin.
    form : str
        How an edge is written, such as ``{:g}``.
    """
    finite = np.isfinite(values)
    place = np.clip(np.searchsorted(edges, values[finite], side="right") - 1, 0, len(edges) - 1)
    counts = [
        np.bincount(place[which], minlength=len(edges)) for which in (known[finite], ~known[finite])
    ]
    most = max(int((counts[0] + counts[1]).max(initial=0)), 1)
    bars = []
    for n, begin in enumerate(edges):
        said, end = form.format(begin), edges[n + 1] if n + 1 < len(edges) else None
        where = f"{said} to {form.format(end)}" if end is not None else f"from {said}"
        ours, unknown = int(counts[0][n]), int(counts[1][n])
        title = f"{where}: {ours} of characters, {unknown} Unknown"
        bars.append(Bar(said, title, 100 * ours / most, 100 * unknown / most))
    return bars


def doubted(result: Result, cast: Sequence[Member]) -> list[int]:
    """Return the tracks of these characters that are least sure to be theirs."""
    tracks = np.concatenate([one.character.tracks for one in cast] or [np.empty(0, dtype=int)])
    confidence = result.cast.confidence[tracks]
    order = np.lexsort((tracks, confidence))
    return [int(tracks[i]) for i in order if confidence[i] < DOUBTED][:MOST_DOUBTED]


def set_aside(result: Result) -> list[Aside]:
    """Return what was set aside, by reason, the most frequent first."""
    unknown = np.flatnonzero(result.cast.character < 0)
    groups = {
        words: unknown[result.cast.reason[unknown] == reason] for reason, words in REASONS.items()
    }
    most = max((len(tracks) for tracks in groups.values()), default=0)
    found = [_aside(result, words, tracks, most) for words, tracks in groups.items() if len(tracks)]
    return sorted(found, key=lambda one: -one.tracks)


def _aside(result: Result, words: str, tracks: Ints, most: int) -> Aside:
    seconds = np.array([track_span(result, track).seconds for track in tracks.tolist()])
    longest = np.argsort(-seconds, kind="stable")[:MOST_ASIDE]
    return Aside(
        words=words,
        tracks=len(tracks),
        time=span(float(seconds.sum())),
        share=100 * len(tracks) / most,
        shown=tracks[longest].tolist(),
    )
