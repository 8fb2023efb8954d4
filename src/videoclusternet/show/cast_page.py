"""``cast.html``: the cast sheet, one self-contained page without scripts or links off the page.

Every appearance has an address on it, ``#track-12``: its picture, or its row in the table.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from videoclusternet.outside.text import printable
from videoclusternet.result.characters import Character, characters, track_span
from videoclusternet.result.pictures import best_rows
from videoclusternet.result.result import Result
from videoclusternet.runfolder.files import replacing
from videoclusternet.show.hints import hints, sure_faces, why_unknown
from videoclusternet.show.template import template_of
from videoclusternet.show.thumbnails import thumbnails
from videoclusternet.show.timeline import Line, axis, film_name, lines, moment, shots_of, track_name
from videoclusternet.show.words import REASONS, several, share, span, surely
from videoclusternet.types import Reason
from videoclusternet.types.span import Span

PAGE = "cast.html"
PICTURES = 6
UNKNOWN_PICTURES = 60
DOUBTED = 6
"""Tracks that a card names as the least sure, at most."""
DOUBTFUL = 3
"""Characters that the top names as the least sure, at most."""
WRONG = 0.5
"""Tracks that are likely wrong from which it is worth a word."""


@dataclass(frozen=True)
class _Track:
    """An appearance; its picture is a row of the pooled crops, -1 for none."""

    number: int
    name: str
    shot: int
    film: str
    start: str
    length: str
    confidence: str
    reason: str
    picture: int = -1


@dataclass(frozen=True)
class _Card:
    number: int
    name: str
    note: str
    faces: list[_Track]
    seconds: str
    share: str
    shots: str
    tracks: str
    when: str
    known: str
    sure: str
    wrong: str
    doubted: list[_Track]
    alike: list[tuple[int, str]]
    lines: list[Line]
    rows: list[_Track]


def write_page(result: Result) -> Path:
    """Write the page into the run folder and return its path."""
    cast = characters(result)
    known = [c for c in cast if c.index >= 0 and not c.hidden]
    hidden = [c for c in cast if c.hidden]
    unknown = np.flatnonzero(result.cast.character < 0)
    total = sum(film.duration for film in result.films)
    cards = [_card(result, character, total) for character in known]
    strangers = [_track(result, track) for track in unknown.tolist()]
    faces = [_with_picture(result, one) for one in strangers[:UNKNOWN_PICTURES]]
    shown = [one.picture for one in (*faces, *(face for card in cards for face in card.faces))]
    page = template_of("videoclusternet.show", "cast.html.j2").render(
        title=", ".join(printable(film.name) for film in result.films),
        summary=_summary(result, known, len(hidden), len(unknown), total),
        hints=[(printable(h.text), printable(h.command)) for h in hints(result, names_only=True)],
        doubts=_doubts(known),
        review=_review(result),
        faceless=not cast and not sure_faces(result),
        axes=[axis(film) for film in result.films],
        pictures=thumbnails(result, shown),
        cards=cards,
        unknown=faces,
        unknown_rows=strangers[UNKNOWN_PICTURES:],
        unknown_total=several(len(unknown), "track"),
        unknown_why=why_unknown(result, unknown),
        unknown_lines=lines(result, unknown),
        recognised=_recognised(result),
        chosen=result.cast.chosen,
        stride=max((film.faces.stride for film in result.films if film.faces), default=1),
    )
    path = result.folder / PAGE
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _summary(
    result: Result, known: Sequence[Character], hidden: int, unknown: int, total: float
) -> list[str]:
    """Length, shots, characters, tracks, known, hidden, Unknown: the line below the title."""
    shots = sum(len(film.shots) for film in result.films if film.shots is not None)
    return [
        span(total),
        *([several(shots, "shot")] if shots else []),
        f"{several(len(known), 'character')} in {several(_tracks(known), 'track')}",
        *([f"{people} known to the library"] if (people := _recognised(result)) else []),
        *([f"{hidden} hidden"] if hidden else []),
        f"{unknown} Unknown",
    ]


def _recognised(result: Result) -> int:
    """Count the characters that are in sight and that a library knows."""
    people = result.people.values()
    return sum(bool(one.known) and not one.hidden for one in people)


def _doubts(known: Sequence[Character]) -> tuple[str, list[tuple[int, str]]]:
    """Return how many tracks are likely wrong in all, and whose are most of them."""
    wrong = sum(one.expected_wrong for one in known)
    least = sorted(known, key=lambda one: -one.expected_wrong)[:DOUBTFUL]
    named = [(one.number, printable(one.name)) for one in least if one.expected_wrong >= WRONG]
    return f"{wrong:.1f} of {several(_tracks(known), 'track')}", named


def _tracks(known: Sequence[Character]) -> int:
    return sum(len(one.tracks) for one in known)


def _review(result: Result) -> str:
    """Return the command that opens the run to be corrected: a page may be handed on."""
    name = result.folder.resolve().name
    return printable(shlex.join(["vcn", "review", f"./{name}" if name.startswith("-") else name]))


def _card(result: Result, character: Character, total: float) -> _Card:
    tracks, person = character.tracks, result.people[character.index]
    shown = _shown(result, character)
    rows = [_track(result, track, shown.get(track, -1)) for track in tracks.tolist()]
    of = {row.number: row for row in rows}
    return _Card(
        number=character.number,
        note=printable(person.note),
        name=printable(character.name),
        faces=[of[track] for track in shown],
        seconds=span(character.seconds),
        share=share(character.seconds, total),
        shots=several(shots_of(result, tracks), "shot"),
        tracks=several(len(tracks), "track"),
        when=_from_to(result, character.spans[0], character.spans[-1]),
        known=character.kind if _recognised(result) else "",
        sure=surely(person.sure) if person.known else "",
        wrong=f"{character.expected_wrong:.1f}",
        doubted=[of[track] for track in _least_sure(result, character)],
        alike=_alike(result, character.index),
        lines=lines(result, tracks),
        rows=rows,
    )


def _shown(result: Result, character: Character) -> dict[int, int]:
    """Return the crops that show a character best, by track: one of each at most."""
    found: dict[int, int] = {}
    # One more than are shown: the cover may be of the same track as another.
    for row in best_rows(result, character.index, character.tracks, PICTURES + 1):
        found.setdefault(int(result.crop_track[row]), row)
    return dict(list(found.items())[:PICTURES])


def _least_sure(result: Result, character: Character) -> list[int]:
    """Return as many tracks as are likely wrong, the least sure first."""
    wrong = character.expected_wrong
    count = min(int(np.ceil(wrong)), DOUBTED) if wrong >= WRONG else 0
    order = np.argsort(result.cast.confidence[character.tracks], kind="stable")
    return [int(track) for track in character.tracks[order[:count]]]


def _alike(result: Result, index: int) -> list[tuple[int, str]]:
    """Return number and name of the characters whom the face model does not tell from one."""
    pairs = [pair for pair in result.cast.alike if index in pair]
    others = [other for pair in pairs for other in pair if other != index]
    shown = result.shown
    return [(one + 1, printable(result.called(one))) for one in others if one in shown]


def _track(result: Result, track: int, picture: int = -1) -> _Track:
    seen = track_span(result, track)
    return _Track(
        number=track,
        name=track_name(result, track),
        shot=int(result.tracks.shot[track]),
        film=film_name(result, seen.film),
        start=moment(result.films[seen.film], seen.first),
        length=span(seen.seconds),
        confidence=surely(float(result.cast.confidence[track])),
        reason=_reason(result, track),
        picture=picture,
    )


def _reason(result: Result, track: int) -> str:
    """Say why a track is Unknown, and who it probably shows; empty for one that is not."""
    reason, probable = (int(of[track]) for of in (result.cast.reason, result.cast.probable))
    said = REASONS[Reason(reason)] if reason != Reason.OK else ""
    return f"{said}, probably {printable(result.called(probable))}" if probable >= 0 else said


def _with_picture(result: Result, one: _Track) -> _Track:
    """Give an Unknown track the middle one of its crops."""
    rows = np.flatnonzero(result.crop_track == one.number)
    return replace(one, picture=int(rows[len(rows) // 2])) if len(rows) else one


def _from_to(result: Result, first: Span, last: Span) -> str:
    """First and last moment; a film is named once."""
    begin, end = film_name(result, first.film), film_name(result, last.film)
    begins = moment(result.films[first.film], first.first)
    ends = moment(result.films[last.film], last.end)
    return " ".join(w for w in (begin, begins, "to", "" if end == begin else end, ends) if w)
