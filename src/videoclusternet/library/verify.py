"""Whether a library is what was written: pages, references, embeddings, pictures, names."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator

import numpy as np

from videoclusternet.library.people import folded
from videoclusternet.outside.text import shown
from videoclusternet.runfolder.crop_zip import decoded
from videoclusternet.show.words import several

LONGEST = 1.01
"""Length of the mean of embeddings of unit length, at most: half precision rounds."""

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"


def problems(db: sqlite3.Connection) -> Iterator[str]:
    """Look everything over and name what is wrong, in a line each.

    Parameters
    ----------
    db : sqlite3.Connection
        Inside a transaction.
    """
    pages = [str(said) for (said,) in db.execute("PRAGMA integrity_check")]
    if pages != ["ok"]:
        yield from pages
        return  # what lies on damaged pages says nothing
    for table, row, other, _ in db.execute("PRAGMA foreign_key_check"):
        yield f"{table} {row} refers to a {other} that is not there"
    if kinds := list(_kinds(db)):
        yield from kinds
        return  # nor can they be reckoned with
    yield from _people(db)
    yield from _embeddings(db)
    yield from _pictures(db)


def _kinds(db: sqlite3.Connection) -> Iterator[str]:
    """Name columns that hold values of another kind than the tables are made for."""
    for (table,) in db.execute(_TABLES).fetchall():
        for _, column, kind, needed, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
            right = kind.lower() if needed else f"{kind.lower()}', 'null"
            said = f"SELECT count(*) FROM {table} WHERE typeof({column}) NOT IN ('{right}')"
            said += f" OR abs({column}) = 9e999" if kind == "REAL" else ""  # an endless one
            (count,) = db.execute(said).fetchone()
            if count:
                yield f"{table}.{column} is no {kind.lower()} in {several(count, 'row')}"


def _people(db: sqlite3.Connection) -> Iterator[str]:
    for number, key, name, fold, note in db.execute(
        "SELECT id, key, name, folded, note FROM person"
    ):
        texts = all(isinstance(value, str) for value in (key, name, fold, note))
        if not texts or not key or not name or folded(name) != fold:
            yield f"person {number} has no name or key that can be: {shown(name)}"


def _embeddings(db: sqlite3.Connection) -> Iterator[str]:
    rows = db.execute(
        "SELECT exemplar.id, width, mean FROM exemplar JOIN weights ON weights.id = weights "
        "LEFT JOIN embedding ON embedding.exemplar = exemplar.id ORDER BY exemplar.id"
    )
    for number, width, mean in rows:
        if not isinstance(mean, bytes) or len(mean) != 2 * width:
            yield f"exemplar {number} has no embedding of {width} values"
            continue
        length = float(np.linalg.norm(np.frombuffer(mean, dtype="<f2").astype(np.float32)))
        if not length <= LONGEST:  # nor is NaN
            yield f"the embedding of exemplar {number} is longer than any mean can be"


def _pictures(db: sqlite3.Connection) -> Iterator[str]:
    for number, digest, jpeg in db.execute("SELECT id, digest, jpeg FROM picture"):
        if not isinstance(jpeg, bytes) or hashlib.sha256(jpeg).hexdigest() != digest:
            yield f"picture {number} is not the one that was written"
        elif decoded(jpeg) is None:
            yield f"picture {number} cannot be read"
