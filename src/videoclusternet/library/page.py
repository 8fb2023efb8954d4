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


def write_page(db: sqlite3.Connection, people: Sequence[Row], path: Path) -> Path:
    """Write the faces of some people.

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
    with replacing(path) as temporary:
        page = template_of("videoclusternet.library", "people.html.j2").render(
            title=printable(people[0].name) if len(people) == 1 else "A library of people",
            people=[_person(db, one) for one in people],
        )
        temporary.write_text(page, encoding="utf-8")
    return path


def _person(db: sqlite3.Connection, person: Row) -> dict[str, Any]:
    every = exemplars(db, person)
    models = {one.model for one in every}
    groups = groupby(every, key=lambda one: (one.model, one.look))
    return {
        "name": printable(person.name),
        "key": person.key,
        "note": printable(person.note),
        "count": several(len(every), "exemplar"),
        "looks": [
            {
                "title": f"look {look}" + (f" of {printable(model)}" if len(models) > 1 else ""),
                "faces": [_face(db, one) for one in some],
            }
            for (model, look), some in groups
        ],
    }


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
