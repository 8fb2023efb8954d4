"""``cast.html``: the cast sheet, one self-contained page without scripts or links."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videoclusternet.outside.text import printable
from videoclusternet.result.characters import Character, characters, track_span
from videoclusternet.result.pictures import cover_crop, telling_crops
from videoclusternet.result.result import Result
from videoclusternet.runfolder.files import replacing
from videoclusternet.show.hints import hints, sure_faces, why_unknown
from videoclusternet.show.template import template_of
from videoclusternet.show.timeline import Line, axis, lines, shots_of, track_name
from videoclusternet.show.words import REASONS, several, share, span, timecode
from videoclusternet.types import Reason
from videoclusternet.types.arrays import Ints
from videoclusternet.types.span import Span

PAGE = "cast.html"
PICTURES = 6
UNKNOWN_PICTURES = 60


@dataclass(frozen=True)
class _Face:
    picture: str
    track: str
    shot: int
    film: str
    when: str
    reason: str = ""


@dataclass(frozen=True)
class _Row:
    track: str
    shot: int
    film: str
    start: str
    length: str
    confidence: str


@dataclass(frozen=True)
class _Card:
    name: str
    note: str
    faces: list[_Face]
    seconds: str
    share: str
    shots: str
    tracks: str
    when: str
    wrong: str
    lines: list[Line]
    rows: list[_Row]


def write_page(result: Result) -> Path:
    """Write the page into the run folder and return its path."""
    cast = characters(result)
    known = [c for c in cast if c.index >= 0 and not c.hidden]
    hidden = [c for c in cast if c.hidden]
    unknown = np.flatnonzero(result.cast.character < 0)
    total = sum(film.duration for film in result.films)
    page = template_of("videoclusternet.show", "cast.html.j2").render(
        title=", ".join(printable(film.name) for film in result.films),
        summary=_summary(result, len(known), len(hidden), len(unknown), total),
        hints=[(printable(h.text), printable(h.command)) for h in hints(result, names_only=True)],
        faceless=not cast and not sure_faces(result),
        axes=[axis(film) for film in result.films],
        cards=[_card(result, character, total) for character in known],
        unknown=[_unknown(result, track) for track in unknown[:UNKNOWN_PICTURES].tolist()],
        unknown_total=several(len(unknown), "track"),
        unknown_why=why_unknown(result, unknown),
        unknown_lines=lines(result, unknown),
        more=max(0, len(unknown) - UNKNOWN_PICTURES),
        chosen=result.cast.chosen,
        stride=max((film.faces.stride for film in result.films if film.faces), default=1),
    )
    path = result.folder / PAGE
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _summary(result: Result, known: int, hidden: int, unknown: int, total: float) -> list[str]:
    """Length, characters, tracks, hidden, Unknown and shots, as the line below the title."""
    shots = sum(len(film.shots) for film in result.films if film.shots is not None)
    return [
        span(total),
        *([several(shots, "shot")] if shots else []),
        f"{several(known, 'character')} in {several(len(result.tracks) - unknown, 'track')}",
        *([f"{hidden} hidden"] if hidden else []),
        f"{unknown} Unknown",
    ]


def _card(result: Result, character: Character, total: float) -> _Card:
    tracks = character.tracks
    rows = telling_crops(result, tracks, PICTURES)
    if (cover := cover_crop(result, character.index)) >= 0:
        rows = [cover, *(row for row in rows if row != cover)][:PICTURES]
    return _Card(
        note=printable(result.people[character.index].note),
        name=printable(character.name),
        faces=[_face(result, row, int(result.crop_track[row])) for row in rows],
        seconds=span(character.seconds),
        share=share(character.seconds, total),
        shots=several(shots_of(result, tracks), "shot"),
        tracks=several(len(tracks), "track"),
        when=_from_to(result, character.spans[0], character.spans[-1]),
        wrong=f"{character.expected_wrong:.1f}",
        lines=lines(result, tracks),
        rows=_rows(result, tracks),
    )


def _rows(result: Result, tracks: Ints) -> list[_Row]:
    """Every track of a character, in order of time."""
    rows = []
    for track in tracks.tolist():
        seen = track_span(result, track)
        rows.append(
            _Row(
                track_name(result, track),
                int(result.tracks.shot[track]),
                _film(result, seen.film),
                timecode(seen.start),
                span(seen.stop - seen.start),
                f"{result.cast.confidence[track]:.2f}",
            )
        )
    return rows


def _face(result: Result, row: int, track: int, reason: str = "") -> _Face:
    seen = track_span(result, track)
    picture = _picture(result, row) if row >= 0 else ""
    return _Face(
        picture,
        track_name(result, track),
        int(result.tracks.shot[track]),
        _film(result, seen.film),
        timecode(seen.start),
        reason,
    )


def _unknown(result: Result, track: int) -> _Face:
    rows = np.flatnonzero(result.crop_track == track)
    middle = int(rows[len(rows) // 2]) if len(rows) else -1
    said = REASONS[Reason(int(result.cast.reason[track]))]
    probable = int(result.cast.probable[track])
    if probable >= 0:
        said += f", probably {printable(result.called(probable))}"
    return _face(result, middle, track, said)


def _from_to(result: Result, first: Span, last: Span) -> str:
    """First and last moment; a film is named once."""
    begin, end = _film(result, first.film), _film(result, last.film)
    words = [begin, timecode(first.start), "to", "" if end == begin else end, timecode(last.stop)]
    return " ".join(word for word in words if word)


def _film(result: Result, film: int) -> str:
    """Name of a film where there are several."""
    return printable(result.films[film].name) if len(result.films) > 1 else ""


def _picture(result: Result, row: int) -> str:
    data = base64.b64encode(result.pictures.jpeg(row)).decode()
    return f"data:image/jpeg;base64,{data}"
