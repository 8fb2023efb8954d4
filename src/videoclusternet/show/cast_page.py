"""``cast.html``: the cast sheet, one self-contained page without scripts or links."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np

from videoclusternet.runfolder.files import replacing
from videoclusternet.runfolder.result import Result
from videoclusternet.show.summary import (
    REASONS,
    Character,
    characters,
    duration,
    telling_crops,
    timecode,
    track_span,
)
from videoclusternet.types import Reason

PAGE = "cast.html"
PICTURES = 6
UNKNOWN_PICTURES = 60


@dataclass(frozen=True)
class _Bar:
    left: float
    width: float
    title: str


@dataclass(frozen=True)
class _Card:
    name: str
    pictures: list[str]
    seconds: str
    share: float
    tracks: int
    shots: int
    first: str
    last: str
    confidence: float
    lines: list[tuple[str, list[_Bar]]]


@dataclass(frozen=True)
class _UnknownTrack:
    picture: str
    when: str
    reason: str


def write_page(result: Result) -> Path:
    """Write the page into the run folder and return its path."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("videoclusternet.show"), autoescape=True, trim_blocks=True
    )
    cast = characters(result)
    known = [c for c in cast if c.number >= 0]
    unknown = [c for c in cast if c.number < 0]
    total = sum(duration(film) for film in result.films)
    page = environment.get_template("cast.html.j2").render(
        title=", ".join(film.name for film in result.films),
        length=timecode(total),
        cards=[_card(result, character, total) for character in known],
        unknown=_unknown(result, unknown[0]) if unknown else [],
        unknown_total=len(unknown[0].tracks) if unknown else 0,
        tracks=len(result.tracks),
        chosen=result.cast.chosen,
        stride=max((film.faces.stride for film in result.films if film.faces), default=1),
    )
    path = result.folder / PAGE
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _card(result: Result, character: Character, total: float) -> _Card:
    tracks = character.tracks
    first, last = character.spans[0], character.spans[-1]
    shots = {(int(result.tracks.film[t]), int(result.tracks.shot[t])) for t in tracks}
    return _Card(
        name=character.name,
        pictures=[_picture(result, row) for row in telling_crops(result, tracks, PICTURES)],
        seconds=_seconds(character.seconds),
        share=100 * character.seconds / max(total, 1e-9),
        tracks=len(tracks),
        shots=len(shots),
        first=_when(result, first.film, first.start),
        last=_when(result, last.film, last.stop),
        confidence=character.confidence,
        lines=_lines(result, character),
    )


def _lines(result: Result, character: Character) -> list[tuple[str, list[_Bar]]]:
    """One timeline for each film in which a character appears."""
    lines = []
    for number, film in enumerate(result.films):
        whole = max(duration(film), 1e-9)
        bars = [
            _Bar(
                100 * span.start / whole,
                max(100 * (span.stop - span.start) / whole, 0.15),
                f"{timecode(span.start)} to {timecode(span.stop)}",
            )
            for span in character.spans
            if span.film == number
        ]
        if bars:
            lines.append((film.name if len(result.films) > 1 else "", bars))
    return lines


def _unknown(result: Result, character: Character) -> list[_UnknownTrack]:
    shown = []
    for track in character.tracks[:UNKNOWN_PICTURES]:
        rows = np.flatnonzero(result.crop_track == track)
        span = track_span(result, int(track))
        shown.append(
            _UnknownTrack(
                _picture(result, int(rows[len(rows) // 2])) if len(rows) else "",
                _when(result, span.film, span.start),
                REASONS[Reason(int(result.cast.reason[track]))],
            )
        )
    return shown


def _when(result: Result, film: int, seconds: float) -> str:
    name = f"{result.films[film].name} " if len(result.films) > 1 else ""
    return name + timecode(seconds)


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"


def _picture(result: Result, row: int) -> str:
    data = base64.b64encode(result.pictures.jpeg(row)).decode()
    return f"data:image/jpeg;base64,{data}"
