"""Exemplars of a person, as people look at them: when, of which film, and their pictures."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from videoclusternet.library.people import Row


class Exemplar(NamedTuple):
    """What stands for a person: a track of a film, or a photograph.

    Attributes
    ----------
    number : int
        Of the library; stays while it is there.
    look : int
        From 1, of those of its face model.
    model : str
        Face model that described it.
    film : str
        Name of its film; empty for a photograph.
    frame : int or None
    seconds : float or None
        When the frame is shown, s from the film's start.
    crops : int
        Pictures of which its embedding is the mean.
    quality : float or None
        Mean SER-FIQ of these, 0 to 1.
    hand : bool
        Whether a person said that it shows this one.
    source : str
        File of a photograph.
    author, time : str
        Who took it into the library, and when, in UTC.
    pictured : bool
        Whether it has a picture.
    """

    number: int
    look: int
    model: str
    film: str
    frame: int | None
    seconds: float | None
    crops: int
    quality: float | None
    hand: bool
    source: str
    author: str
    time: str
    pictured: bool


def exemplars(db: sqlite3.Connection, person: Row) -> list[Exemplar]:
    """Return the exemplars of a person, look by look, of one face model after another."""
    rows = db.execute(
        "SELECT exemplar.id, look + 1, model, coalesce(film.name, ''), frame, seconds, crops, "
        "quality, hand, source, author, time, picture IS NOT NULL FROM exemplar "
        "JOIN weights ON weights.id = weights LEFT JOIN film ON film.id = film "
        "WHERE person = ? ORDER BY model, weights, look, exemplar.id",
        (person.id,),
    )
    found = (Exemplar(*row) for row in rows)
    return [one._replace(hand=bool(one.hand), pictured=bool(one.pictured)) for one in found]


def jpeg(db: sqlite3.Connection, number: int) -> bytes | None:
    """Return the picture of an exemplar, a JPEG file; None where it has none."""
    row = db.execute(
        "SELECT jpeg FROM exemplar JOIN picture ON picture.id = picture WHERE exemplar.id = ?",
        (number,),
    ).fetchone()
    return row[0] if row else None
