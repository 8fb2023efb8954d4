"""``report.html``: one page that holds everything in it, and asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.engine.processes import one_thread
from videoclusternet.outside.text import printable
from videoclusternet.report import made, quality
from videoclusternet.report.circle import DISC, graph, pairs_of
from videoclusternet.report.face_map import SIZE
from videoclusternet.report.faces import Thumbnails, face_map, glyph
from videoclusternet.report.heat import part_cells, shared_cells, unit_of
from videoclusternet.report.members import PICTURES, Member, members
from videoclusternet.report.sheets import Sheets
from videoclusternet.report.together import Part, Together, parts_of, screen_time, together
from videoclusternet.result.characters import Character, characters
from videoclusternet.result.result import Result
from videoclusternet.runfolder.files import replacing
from videoclusternet.show.hints import face_sizes, hints, sure_faces
from videoclusternet.show.template import template_of
from videoclusternet.show.timeline import Line, axis, film_name, lines, second_of, shots_of, time_of
from videoclusternet.show.words import several, share, shorten, span

PAGE = "report.html"
PACKAGE = "videoclusternet.report"
LARGE = 80
"""Side of the pictures of the cast, px."""
LETTER, GAP, CELL = 7, 6, 32
"""Width of a letter over a part of the film, room behind the last, least width of a part, px."""
CIRCLE = 24
"""Characters among whom it is shown who appears with whom: more names are not to be read."""
PAIRS = 12
"""Pairs in the list of those who appear together longest."""
WRONG = 12
"""Characters in the list of those with the most wrong tracks."""


def write_report(result: Result, path: Path | None = None) -> Path:
    """Write the report of a run and return its path.

    Parameters
    ----------
    result : Result
    path : Path, optional
        By default ``report.html`` in the run folder.

    Raises
    ------
    StoreError
        When it cannot be written, or a picture is damaged.
    """
    target = path or result.folder / PAGE
    with replacing(target) as temporary, one_thread():  # what cannot be written is said at once
        page = template_of(PACKAGE, "report.html.j2").render(_page(result))
        temporary.write_text(page, encoding="utf-8")
    return target


def _page(result: Result) -> dict[str, Any]:
    """Return all that the template is given."""
    cast = characters(result)
    large, small = Sheets(result, "a", LARGE), Thumbnails(result)
    shown = members(result, cast, large)
    found: dict[str, Any] = {
        **_head(result, cast, shown),
        **_in_time(result, shown),
        **_shared(result, shown),
        "map": face_map(result, shown, small),
        "map_size": SIZE,
        **_quality(result, shown, small),
        **_made(result),
    }
    found["sheets"] = [*large.made(), *small.sheets.made()]
    return found


def _inline(name: str) -> tuple[str, str]:
    """Return a style or script that stands in the page, and how its policy allows it."""
    text = template_of(PACKAGE, name).render()
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return text, f"'sha256-{digest}'"


def _head(result: Result, cast: Sequence[Character], shown: Sequence[Member]) -> dict[str, Any]:
    style, allowed_style = _inline("report.css")
    script, allowed_script = _inline("report.js")
    total = sum(film.duration for film in result.films)
    shots = sum(len(film.shots) for film in result.films if film.shots is not None)
    unknown = int((result.cast.character < 0).sum())
    hidden = sum(one.hidden for one in cast)
    decided = len(result.edits.done)
    summary = [
        span(total),
        *([several(shots, "shot")] if shots else []),
        several(len(shown), "character"),
        several(len(result.tracks), "track"),
        *([f"{hidden} hidden"] if hidden else []),
        f"{unknown} Unknown",
        *([several(decided, "decision") + " of people"] if decided else []),
    ]
    longest = max((one.character.seconds for one in shown), default=0.0) or 1.0
    return {
        "style": style,
        "script": script,
        "policy": f"default-src 'none'; img-src data:; style-src {allowed_style}; "
        f"script-src {allowed_script}; base-uri 'none'; form-action 'none'",
        "title": ", ".join(printable(film.name) for film in result.films),
        "summary": summary,
        "hints": [(printable(h.text), printable(h.command)) for h in hints(result, True)],
        "faceless": not len(result.tracks) and not sure_faces(result),
        "cast": [_card(result, one, total, longest) for one in shown],
        "pictures": PICTURES,
        "glyph": glyph,
    }


@dataclass(frozen=True)
class _Card:
    """A character in the list of the cast."""

    member: Member
    number: int
    seconds: str
    share: str
    bar: float
    tracks: str
    shots: str
    first: str
    last: str
    wrong: str


def _card(result: Result, one: Member, total: float, longest: float) -> _Card:
    c = one.character
    return _Card(
        member=one,
        number=c.number,
        seconds=span(c.seconds),
        share=share(c.seconds, total),
        bar=100 * c.seconds / longest,
        tracks=several(len(c.tracks), "track"),
        shots=several(shots_of(result, c.tracks), "shot"),
        first=time_of(result, c.spans[0].film, c.spans[0].first),
        last=time_of(result, c.spans[-1].film, c.spans[-1].end),
        wrong=f"{c.expected_wrong:.1f}",
    )


@dataclass(frozen=True)
class _Reach:
    """From the first appearance to the last: places in percent of all films, end to end."""

    card: int
    left: float
    right: float


def _in_time(result: Result, shown: Sequence[Member]) -> dict[str, Any]:
    """Lanes by film, first and last appearance, time by part."""
    by_film: list[list[tuple[Member, Line]]] = [[] for _ in result.films]
    for one in shown:
        for line in lines(result, one.character.tracks):
            by_film[line.film].append((one, line))
    parts = parts_of(result)
    time = screen_time([one.character for one in shown], parts)
    before = np.cumsum([0.0, *(film.duration for film in result.films)])
    whole = float(before[-1]) or 1.0
    reaches = []
    for one in shown:
        first, last = one.character.spans[0], one.character.spans[-1]
        left, right = before[first.film] + first.start, before[last.film] + last.stop
        reaches.append(_Reach(one.place, 100 * left / whole, 100 * right / whole))
    return {
        "films": [printable(film.name) for film in result.films],
        "axes": [axis(film) for film in result.films],
        "lanes": by_film,
        "reaches": sorted(reaches, key=lambda one: (one.left, one.card)),
        "parts": heads_of(result, parts),
        "part_cells": part_cells(result.films, shown, parts, time),
        "part_unit": unit_of(time),
    }


def heads_of(result: Result, parts: Sequence[Part]) -> list[tuple[str, str]]:
    """Return what stands over each part, where there is room, and where it begins in full.

    The first part of a film has its name, where there are several; every fourth its time.
    """
    heads, free, of_film = [], 0.0, 0
    for number, part in enumerate(parts):
        begins = number == 0 or parts[number - 1].film != part.film
        of_film = 0 if begins else of_film + 1
        time = second_of(result.films[part.film], part.start)
        film = shorten(film_name(result, part.film))
        head = (film if begins else "") or (time if of_film % 4 == 0 else "")
        if head and number >= free:
            free = number + (LETTER * len(head) + GAP) / CELL
        else:
            head = ""
        heads.append((head, f"{film} {time}".strip()))
    return heads


def _shared(result: Result, shown: Sequence[Member]) -> dict[str, Any]:
    found: Together = together(result, [one.character for one in shown])
    few = shown[:CIRCLE]
    side, nodes, edges = graph(few, found)
    pairs = pairs_of(shown, found, PAIRS)
    most = max((found.seconds[a.place, b.place] for a, b in pairs), default=1.0)
    return {
        "few": few,
        "shared_cells": shared_cells(few, found),
        "shared_unit": unit_of(found.seconds[: len(few), : len(few)] * (1 - np.eye(len(few)))),
        "nodes": nodes,
        "edges": edges,
        "circle": (side, DISC),
        "pairs": [
            (
                a,
                b,
                100 * found.seconds[a.place, b.place] / most,
                span(found.seconds[a.place, b.place]),
                several(int(found.shots[a.place, b.place]), "shot"),
            )
            for a, b in pairs
        ],
    }


def _quality(result: Result, shown: Sequence[Member], small: Thumbnails) -> dict[str, Any]:
    unknown = result.cast.character < 0
    known = np.zeros(len(unknown), dtype=bool)
    known[np.concatenate([one.character.tracks for one in shown] or [np.empty(0, int)])] = True
    seen = known | unknown  # without those of hidden characters
    sizes = np.where(seen, face_sizes(result), np.nan)
    sure = np.where(known, result.cast.confidence, np.nan)
    worst = sorted(shown, key=lambda one: -one.character.expected_wrong)[:WRONG]
    most = max((one.character.expected_wrong for one in worst), default=0.0) or 1.0
    return {
        "sizes": quality.histogram(sizes, known, quality.SIZES, "{:g}"),
        "sized": int(np.isfinite(sizes).sum()),
        "sures": quality.histogram(100 * sure, known, quality.SURE, "{:g}"),
        "wrong": [
            (
                one,
                100 * one.character.expected_wrong / most,
                f"{one.character.expected_wrong:.1f} of {len(one.character.tracks)}",
            )
            for one in worst
        ],
        "doubted": [small.face(track) for track in quality.doubted(result, shown)],
        "aside": [
            (one, [small.face(track) for track in one.shown]) for one in quality.set_aside(result)
        ],
        "unknown_total": several(int(unknown.sum()), "track"),
    }


def _made(result: Result) -> dict[str, Any]:
    settings = made.settings(result)
    return {
        "facts": [(printable(film.name), made.film_facts(film)) for film in result.films],
        "models": made.models_of(result),
        "changed": [one for one in settings if one.changed],
        "settings": settings,
        "steps": made.steps(result),
        "versions": made.versions(result),
        "state": made.decided(result),
        "chosen": printable(result.cast.chosen),
    }
