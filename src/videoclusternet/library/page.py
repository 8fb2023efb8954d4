"""People of a library as one page of faces, look by look, without scripts or links off the page."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from videoclusternet.library.exemplars import Exemplar, exemplars, jpeg
from videoclusternet.library.people import Row
from videoclusternet.outside.text import printable
from videoclusternet.runfolder.crop_zip import address, smaller
from videoclusternet.runfolder.files import replacing
from videoclusternet.show.template import template_of
from videoclusternet.show.words import several, timecode

SIDE, QUALITY = 112, 85
"""Of the pictures on the page: px, and quality of JPEG."""
EACH = 3400
"""Bytes that a picture takes, about."""
MOST_BYTES = 64 << 20
"""Bytes that all pictures of a page take: the more people, the fewer of each."""


def write_page(db: sqlite3.Connection, people: Sequence[Row], path: Path) -> Path:
    """Write the faces of some people: of very many the first few of each, or none.

    Parameters
    ----------
    db : sqlite3.Connection
        Inside a transaction.
    people : sequence of Row
    path : Path
        Of the page.

    Raises
    ------
    StoreError
        When it cannot be written.
    """
    most = MOST_BYTES // EACH // max(len(people), 1)
    with replacing(path) as temporary:
        page = template_of("videoclusternet.library", "people.html.j2").render(
            title=printable(people[0].name) if len(people) == 1 else "A library of people",
            people=[_person(db, one, most) for one in people],
        )
        temporary.write_text(page, encoding="utf-8")
    return path


def _person(db: sqlite3.Connection, person: Row, most: int) -> dict[str, Any]:
    every = exemplars(db, person)
    shown = _first(every, most)
    models = {one.model for one in every}
    groups = groupby(shown, key=_look)
    return {
        "name": printable(person.name),
        "key": person.key,
        "note": printable(person.note),
        "count": several(len(every), "exemplar")
        + (f", {len(shown)} of them here" if len(shown) < len(every) else ""),
        "looks": [
            {
                "title": f"look {look}" + (f" of {printable(model)}" if len(models) > 1 else ""),
                "faces": [_face(db, one) for one in some],
            }
            for (model, look), some in groups
        ],
    }


def _look(one: Exemplar) -> tuple[str, int]:
    return one.model, one.look


def _first(every: Sequence[Exemplar], most: int) -> list[Exemplar]:
    """Return some exemplars in their order: the first of each look, then the second ones."""
    turns = [(turn, one) for _, look in groupby(every, _look) for turn, one in enumerate(look)]
    chosen = {one.number for _, one in sorted(turns, key=lambda each: each[0])[:most]}
    return [one for one in every if one.number in chosen]


def _face(db: sqlite3.Connection, one: Exemplar) -> dict[str, str]:
    picture = jpeg(db, one.number) if one.pictured else None
    return {
        "number": str(one.number),
        "picture": address(smaller(picture, SIDE, QUALITY)) if picture is not None else "",
        "where": printable(where(one)),
    }


def where(one: Exemplar) -> str:
    """Say where an exemplar is from: film and time, or the file of a photograph."""
    if not one.film:
        return one.source or "photograph"
    return f"{one.film} {timecode(one.seconds)}" if one.seconds is not None else one.film
