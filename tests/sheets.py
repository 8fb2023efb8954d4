"""Sheets made by hand, for exports: films of any rate, names of any kind, spans of any length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from tests import tables
from videoclusternet.export.sheet import Choice, Player, Sheet, make_sheet
from videoclusternet.result.described import Film
from videoclusternet.result.result import Result
from videoclusternet.types import VideoInfo
from videoclusternet.types.clock import Tags

RATES = ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001")
"""Those that editing rooms know."""
NAMES = (
    'Anna "Annie" O\'Neill',
    "Smith, John; the elder",
    "<b>Bold</b> & Co",
    "😀 Emoji 👩‍👩‍👧",
    "שרה אמנו",
    "=SUM(A1:A9)",
    "pipe|colon:slash/back\\slash *",
    "  spaces  ",
    "long " * 60,
    "tab\tand\nline",
)
"""Names that break careless writers."""


def a_film(
    frames: int = 2400,
    rate: str = "24",
    name: str = "film",
    timecode: str = "",
    reel: str = "",
    video: VideoInfo | None = None,
) -> Film:
    """A film without tracks."""
    of = tables.tracks([])
    made = tables.film(of, with_video=video or tables.video(frames, rate))
    path = f"/footage/{name}.mov"
    assert made.video is not None
    tags = Tags(timecode, reel, channels=2, sample_rate=48000)
    return replace(made, name=name, video=replace(made.video, path=path), tags=tags)


def varying(frames: int = 600, seed: int = 0) -> VideoInfo:
    """A film whose frames last 10 to 90 ms, about 24 a second."""
    video = tables.video(frames)
    steps = np.random.default_rng(seed).integers(10, 91, frames)
    pts = np.cumsum(steps) - steps[0]
    rate = Fraction(1000 * frames, int(pts[-1] + steps[-1])).limit_denominator(1000)
    return replace(video, pts=pts, base="1/1000", end=int(pts[-1] + steps[-1]), rate=str(rate))


def a_run(films: Sequence[Film], folder: Path = Path("/runs/film.vcn")) -> Result:
    """A run over films, without tracks."""
    of = tables.tracks([])
    return replace(tables.result(films, of, tables.cast([])), folder=folder)


def a_sheet(
    films: Sequence[Film],
    spans: Mapping[str, Sequence[tuple[int, int, int]]],
    choice: Choice | None = None,
) -> Sheet:
    """A sheet of players by name, each with (film, first, end)."""
    groups = [
        (Player(number, name), [films[film].span(film, first, end) for film, first, end in some])
        for number, (name, some) in enumerate(spans.items(), 1)
    ]
    return make_sheet(a_run(films), groups, choice)


def drawn(
    film: Film, players: int, each: int, seed: int = 0, number: int = 0
) -> dict[str, list[tuple[int, int, int]]]:
    """Spans at random: many of one frame, the first frame and the last among them."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[tuple[int, int, int]]] = {}
    for player in range(players):
        first = rng.integers(0, film.frames, each)
        length = np.where(rng.random(each) < 0.3, 1, rng.integers(1, 80, each))
        end = np.minimum(first + length, film.frames)
        found[f"Character {player + 1}"] = [
            (number, int(a), int(b)) for a, b in zip(first, end, strict=True)
        ]
    found["Character 1"] += [(number, 0, 1), (number, film.frames - 1, film.frames)]
    return found
