"""Exemplars as rows: read of a person, put in, numbered by look."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from videoclusternet.errors import StoreError
from videoclusternet.library.adding.choose import Pool, choose
from videoclusternet.library.adding.offered import Weights, worth
from videoclusternet.outside.text import shown
from videoclusternet.types.arrays import Bools, Float16, Float32


class Held(NamedTuple):
    """Exemplars of a person, of one face model, by their number.

    Attributes
    ----------
    ids : list of int
    mean : float16, shape (n, d)
    threshold : float32, shape (n,)
    worth : float32, shape (n,)
    fixed : bool, shape (n,)
        Those of photographs.
    """

    ids: list[int]
    mean: Float16
    threshold: Float32
    worth: Float32
    fixed: Bools


def held_by(db: sqlite3.Connection, person: int, weights: int, width: int) -> Held:
    """Read the exemplars of a person; ``width`` is that of the model's embeddings."""
    rows = db.execute(
        "SELECT id, mean, threshold, quality, hand, anchor IS NULL FROM exemplar "
        "JOIN embedding ON embedding.exemplar = exemplar.id "
        "WHERE person = ? AND weights = ? ORDER BY id",
        (person, weights),
    ).fetchall()
    numbers = np.array([row[2:] for row in rows], dtype=np.float32).reshape(-1, 4)
    mean = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f2")
    return Held(
        ids=[row[0] for row in rows],
        mean=mean.reshape(len(rows), width),
        threshold=numbers[:, 0],
        worth=worth(numbers[:, 1], numbers[:, 2] > 0),
        fixed=numbers[:, 3] > 0,
    )


def renumbered(db: sqlite3.Connection, ids: Iterable[int], look: Iterable[int]) -> int:
    """Put exemplars into looks and delete those of none (-1); return how many these are."""
    gone = 0
    for exemplar, of in zip(ids, look, strict=True):
        if of < 0:
            db.execute("DELETE FROM exemplar WHERE id = ?", (exemplar,))
            gone += 1
        else:
            change = "UPDATE exemplar SET look = ?1 WHERE id = ?2 AND look <> ?1"
            db.execute(change, (int(of), exemplar))
    return gone


def rechosen(db: sqlite3.Connection, person: int, weights: int, width: int) -> int:
    """Choose anew among the exemplars of a person, of one model; return how many went."""
    held = held_by(db, person, weights, width)
    return renumbered(db, held.ids, choose(Pool(*held[1:])).tolist())


def insert(db: sqlite3.Connection, mean: bytes, jpeg: bytes | None, **columns: object) -> int:
    """Put an exemplar in and return its number.

    Parameters
    ----------
    db : sqlite3.Connection
    mean : bytes
        Of float16, little endian.
    jpeg : bytes or None
        Its picture.
    **columns
        Of the table ``exemplar``.
    """
    if jpeg is not None:
        digest = hashlib.sha256(jpeg).hexdigest()
        columns["picture"] = row_of(db, "picture", digest=digest, jpeg=jpeg)
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    made = db.execute(f"INSERT INTO exemplar ({names}) VALUES ({marks})", (*columns.values(),))
    number = int(made.lastrowid or 0)
    db.execute("INSERT INTO embedding (exemplar, mean) VALUES (?, ?)", (number, mean))
    return number


def row_of(db: sqlite3.Connection, table: str, **columns: object) -> int:
    """Return the row of something that is told by its first column; put in if it is new."""
    key, value = next(iter(columns.items()))
    row = db.execute(f"SELECT id FROM {table} WHERE {key} = ?", (value,)).fetchone()
    if row is not None:
        return int(row[0])
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    made = db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", (*columns.values(),))
    return int(made.lastrowid or 0)


def weights_row(db: sqlite3.Connection, weights: Weights) -> int:
    """Return the row of a face model.

    Raises
    ------
    StoreError
        When what has the same name gave embeddings of another width.
    """
    row = row_of(db, "weights", digest=weights.digest, model=weights.model, width=weights.width)
    (width,) = db.execute("SELECT width FROM weights WHERE id = ?", (row,)).fetchone()
    if width != weights.width:
        raise StoreError(
            f"the library knows {shown(weights.model)} with {width} values, "
            f"this run has {weights.width}",
            "give the two models two names",
        )
    return row


def number_or_none(value: float) -> float | None:
    """Return a number as SQLite keeps it, which knows no NaN."""
    return float(value) if np.isfinite(value) else None
