"""Who is on screen with whom, and how much of each part of the film."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from videoclusternet.result.characters import Character
from videoclusternet.result.result import Result
from videoclusternet.types.arrays import Float64, Int64

PARTS = 20
"""Parts of equal length that a film falls into; several films share them out."""


@dataclass(frozen=True, eq=False)
class Together:
    """What K characters share.

    Attributes
    ----------
    seconds : float64, shape (K, K)
        Time during which both are on screen, s; on the diagonal a character's own.
    alone : float64, shape (K,)
        Time during which nobody else of these is, s.
    shots : int64, shape (K, K)
        Shots in which both are seen, at one time or not; on the diagonal a character's own.
    """

    seconds: Float64
    alone: Float64
    shots: Int64


@dataclass(frozen=True)
class Part:
    """A part of a film, ``start`` to ``stop`` in seconds of it."""

    film: int
    start: float
    stop: float


def together(result: Result, cast: Sequence[Character]) -> Together:
    """Measure what characters share.

    Between two moments at which anybody comes or goes the same people are on screen: with these
    stretches as rows and people as columns, all of it is one product of matrices.
    """
    count = len(cast)
    seconds, alone = np.zeros((count, count)), np.zeros(count)
    for film in range(len(result.films)):
        there, lasts = _stretches(result, cast, film)
        shared = there.T @ (there * lasts[:, None])
        seconds += shared
        alone += (there * (there.sum(axis=1, keepdims=True) == 1)).T @ lasts
    seen = _in_shots(result, cast)
    return Together(seconds, alone, (seen.T @ seen).round().astype(np.int64))


def _stretches(result: Result, cast: Sequence[Character], film: int) -> tuple[Float64, Float64]:
    """Return who is there, 0 or 1, float64 (n, K), and how long each stretch lasts, s."""
    spans = [(k, span) for k, one in enumerate(cast) for span in one.spans if span.film == film]
    if not spans:
        return np.zeros((0, len(cast))), np.zeros(0)
    first, end = (np.array([getattr(s, name) for _, s in spans]) for name in ("first", "end"))
    who = np.array([k for k, _ in spans])
    edges = np.unique(np.concatenate([first, end]))
    change = np.zeros((len(edges), len(cast)))
    np.add.at(change, (np.searchsorted(edges, first), who), 1)
    np.add.at(change, (np.searchsorted(edges, end), who), -1)
    times = np.array([result.films[film].seconds(frame) for frame in edges.tolist()])
    return np.cumsum(change, axis=0)[:-1], np.diff(times)


def _in_shots(result: Result, cast: Sequence[Character]) -> Float64:
    """Return who is seen in which shot of all films, 0 or 1, float64 (shots, K)."""
    places = np.stack([result.tracks.film, result.tracks.shot], axis=1)
    _, shot = np.unique(places, axis=0, return_inverse=True)
    shot = shot.reshape(-1)
    seen = np.zeros((int(shot.max(initial=-1)) + 1, len(cast)))
    for k, one in enumerate(cast):
        seen[shot[one.tracks], k] = 1
    return seen


def parts_of(result: Result) -> list[Part]:
    """Divide films into parts: about :data:`PARTS` in all, one for each film at least."""
    each = max(1, round(PARTS / len(result.films)))
    found = []
    for number, film in enumerate(result.films):
        edges = np.linspace(0, film.duration, each + 1).tolist()
        found += [Part(number, *edge) for edge in itertools.pairwise(edges)]
    return found


def screen_time(cast: Sequence[Character], parts: Sequence[Part]) -> Float64:
    """Return how long each of K characters is on screen in each of P parts, s, float64 (K, P)."""
    film, start, stop = (
        np.array([getattr(part, name) for part in parts]) for name in ("film", "start", "stop")
    )
    found = np.zeros((len(cast), len(parts)))
    for k, one in enumerate(cast):
        of, begin, end = (
            np.array([getattr(span, name) for span in one.spans])[:, None]
            for name in ("film", "start", "stop")
        )
        shared = np.minimum(end, stop) - np.maximum(begin, start)
        found[k] = np.where(of == film, np.maximum(shared, 0), 0).sum(axis=0)
    return found
