"""Tracks as faces: small pictures with what is known of each, and the map of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from videoclusternet.clustering.distance import normalise, weighted_mean
from videoclusternet.outside.text import printable
from videoclusternet.report.face_map import Label, labels, map_places
from videoclusternet.report.members import Member
from videoclusternet.report.sheets import Picture, Sheets
from videoclusternet.result.characters import track_span
from videoclusternet.result.pictures import best_crops, crop_worth
from videoclusternet.result.result import Result
from videoclusternet.show.timeline import time_of, track_name
from videoclusternet.show.words import REASONS, shorten, span, surely
from videoclusternet.types import Reason
from videoclusternet.types.arrays import Int64, Ints

SIDES = ((1000, 64), (5000, 48), (10**9, 32))
"""Up to so many tracks, a picture has this side, px."""
MOST = 8000
"""Pictures on the map: of more tracks the longest have one."""
SHAPES = (
    "m-{r} 0a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0-{d} 0z",  # disc
    "m-{s}-{s}h{e}v{e}h-{e}z",  # square
    "m0-{t}l{t} {u}h-{v}z",  # triangle
    "m0-{t}l{t} {t}l-{t} {t}l-{t}-{t}z",  # diamond
    "m0 {t}l{t}-{u}h-{v}z",  # triangle on its point
    "m-{q}-{t}h{p}v{o}h{o}v{p}h-{o}v{o}h-{p}v-{o}h-{o}v-{p}h{o}z",  # plus
    "m0-{q}l{o}-{o}l{q} {q}l-{o} {o}l{o} {o}l-{q} {q}l-{o}-{o}l-{o} {o}l-{q}-{q}"
    "l{o}-{o}l-{o}-{o}l{q}-{q}z",  # cross
)
"""Paths from the middle of a dot, by radius."""


@dataclass(frozen=True)
class Face:
    """A track in a list of faces: who it is taken for, when, and what is uncertain."""

    track: str
    picture: Picture | None
    who: str
    when: str
    doubt: str


@dataclass(frozen=True)
class Dot:
    """A track on the map; ``picture`` counts the small pictures, -1 for none."""

    path: str
    member: int
    colour: int
    picture: int
    title: str


@dataclass(frozen=True)
class Map:
    """All that is on the map; ``side`` of its pictures."""

    dots: list[Dot]
    labels: list[Label]
    side: int
    unknown: bool


class Thumbnails:
    """Small pictures of tracks, each drawn once.

    Parameters
    ----------
    result : Result
    """

    def __init__(self, result: Result) -> None:
        self._result = result
        side = next(side for most, side in SIDES if len(result.tracks) <= most)
        self.sheets = Sheets(result, "b", side)

    @cached_property
    def _best(self) -> Int64:
        return best_crops(self._result, crop_worth(self._result))

    def picture(self, track: int) -> Picture | None:
        """Return the picture of a track; None where there is none."""
        return self.sheets.add(int(self._best[track])) if self._result.has_pictures else None

    def face(self, track: int) -> Face:
        """Return a track with its picture and words."""
        result = self._result
        character = int(result.cast.character[track])
        sure = surely(float(result.cast.confidence[track]))
        return Face(
            track=track_name(result, track),
            picture=self.picture(track),
            who=shorten(printable(result.called(character)), 24) if character >= 0 else "",
            when=when(result, track),
            doubt=f"{sure} sure" if character >= 0 else _probably(result, track),
        )


def _probably(result: Result, track: int) -> str:
    """Say who an Unknown track probably shows; nothing of hidden characters."""
    probable = int(result.cast.probable[track])
    if probable < 0 or probable not in result.people or result.people[probable].hidden:
        return ""
    return f"probably {shorten(printable(result.called(probable)), 24)}"


def when(result: Result, track: int) -> str:
    """Say when a track is on screen, with the film where there are several."""
    seen = track_span(result, track)
    return f"{time_of(result, seen.film, seen.first)}, {span(seen.seconds)}"


def face_map(result: Result, cast: Sequence[Member], small: Thumbnails) -> Map:
    """Draw the tracks that the face-ID model has described, those of hidden characters left out."""
    embeddings = result.embeddings
    owner = np.full(len(result.tracks), -2)  # of hidden characters
    owner[result.cast.character < 0] = -1
    for one in cast:
        owner[one.character.tracks] = one.place
    tracks = np.intersect1d(np.unique(embeddings.track), np.flatnonzero(owner > -2))
    if len(tracks) == 0:
        return Map([], [], small.sheets.side, False)
    unit = normalise(embeddings.base)
    means = weighted_mean(unit, result.weights.weight, embeddings.track, len(result.tracks))
    where = map_places(np.nan_to_num(means[tracks]))
    # A character's pictures lie side by side, and its dots; smaller ones are drawn over larger.
    order = np.lexsort((tracks, owner[tracks]))
    tracks, where = tracks[order], where[order]
    radius = 5.5 if len(tracks) < 400 else 4.5 if len(tracks) < 1500 else 3.5
    with_picture = _longest(result, tracks)
    dots = []
    for track, (x, y) in zip(tracks.tolist(), where.tolist(), strict=True):
        picture = small.picture(track) if track in with_picture else None
        whose = cast[owner[track]] if owner[track] >= 0 else None
        dots.append(
            Dot(
                path=f"M{x:.1f} {y:.1f}{glyph(whose.shape if whose else -2, radius)}",
                member=int(owner[track]),
                colour=whose.colour if whose else -2,
                picture=small.sheets.number(picture) if picture else -1,
                title=_title(result, track, whose),
            )
        )
    found = labels(cast, where, owner[tracks].tolist())
    return Map(dots, found, small.sheets.side, bool((owner[tracks] == -1).any()))


def _longest(result: Result, tracks: Ints) -> set[int]:
    """Return the tracks that have a picture on the map."""
    if len(tracks) <= MOST:
        return set(tracks.tolist())
    lasts = result.tracks.last[tracks] - result.tracks.first[tracks]
    return set(tracks[np.argsort(-lasts, kind="stable")[:MOST]].tolist())


def _title(result: Result, track: int, one: Member | None) -> str:
    if one is None:
        reason = REASONS[Reason(int(result.cast.reason[track]))]
        said = ", ".join(s for s in (f"Unknown, {reason}", _probably(result, track)) if s)
    else:
        said = f"{one.short}, {surely(float(result.cast.confidence[track]))} sure"
    return f"{said}; {when(result, track)}; track {track_name(result, track)}"


def glyph(shape: int, radius: float) -> str:
    """Return the path of a shape around a point: -1 a small dot, -2 a ring (for the Unknown)."""
    r = radius * {-1: 0.6, -2: 0.7}.get(shape, 1.0)
    sizes = {
        "r": r, "d": 2 * r, "s": 0.88 * r, "e": 1.76 * r, "t": 1.25 * r, "u": 2.05 * r,
        "v": 2.5 * r, "q": 0.42 * r, "p": 0.84 * r, "o": 0.83 * r,
    }  # fmt: skip
    rounded = {name: f"{size:.1f}".removesuffix(".0") for name, size in sizes.items()}
    return SHAPES[max(shape, 0)].format(**rounded)
