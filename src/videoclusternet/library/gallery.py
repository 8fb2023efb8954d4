"""Exemplars of one face model, read in one go for clustering."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from pathlib import Path

import numpy as np

from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.clustering.known.nearest import some_of
from videoclusternet.errors import LibraryError
from videoclusternet.types.arrays import Float16, Int64

BLOCK = 8192
"""Exemplars that are read at a time."""
WIDTH = 2
"""Bytes of a value."""
ENDLESS = 0x7C00
"""Bits that are all set in a value that is not finite: quicker asked than by NumPy."""


def gallery(
    db: sqlite3.Connection, path: Path, digest: str, without: Collection[str] = ()
) -> Gallery:
    """Read the exemplars of one face model.

    Parameters
    ----------
    db : sqlite3.Connection
        Inside a transaction: what is read is one state.
    path : Path
        For messages.
    digest : str
        Of the un-adapted weights.
    without : collection of str
        Content of films whose exemplars are left out.

    Returns
    -------
    Gallery
        Without people where this model has described nobody.

    Raises
    ------
    LibraryError
        When an embedding is damaged.
    """
    found = db.execute("SELECT id, width FROM weights WHERE digest = ?", (digest,)).fetchone()
    of, width = found or (-1, 1)
    rows = db.execute(
        "SELECT person, look, length, threshold, coalesce(film, -1) FROM exemplar NOT INDEXED "
        "WHERE weights = ? ORDER BY id",
        (of,),
    )
    try:
        table = np.fromiter(rows, dtype=np.dtype(("f8", 5)))  # no threshold is NaN
    except (TypeError, ValueError):
        raise _damaged(path) from None
    person = table[:, 0].astype(np.int64)
    order = np.lexsort((table[:, 1], person))
    present, number = np.unique(person[order], return_inverse=True)
    keys, names = _who(db, path, present.tolist())
    mean = _embeddings(db, path, of, width, order)
    mean.setflags(write=False)  # nobody else has it: it need not be copied
    film = table[order, 4].astype(np.int64)
    listed = db.execute("SELECT id, content FROM film")
    away = np.isin(film, [one for one, content in listed if content in without])
    pairs = np.unique(np.stack([number, film], axis=1)[(film >= 0) & ~away], axis=0)
    every = Gallery(
        person=number.astype(np.int32),
        look=table[order, 1],
        mean=mean,
        length=table[order, 2],
        threshold=table[order, 3],
        people=keys,
        names=names,
        films=tuple(np.bincount(pairs[:, 0], minlength=len(keys)).tolist()),
        weights=digest,
    )
    return some_of(every, ~away) if away.any() else every


def _who(
    db: sqlite3.Connection, path: Path, people: list[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return keys and names of people, by their rows, ascending."""
    rows = db.execute("SELECT id, key, name FROM person ORDER BY id")
    wanted = set(people)
    found = [(key, name) for row, key, name in rows if row in wanted]
    if not all(isinstance(value, str) for one in found for value in one):
        raise _damaged(path, "a name")
    return tuple(key for key, _ in found), tuple(name for _, name in found)


def _embeddings(
    db: sqlite3.Connection, path: Path, weights: int, width: int, order: Int64
) -> Float16:
    """Read embeddings in the order of the file, each to its place, float16 (E, width)."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    out = np.empty((len(order), width), dtype=np.float16)
    rows = db.execute(
        "SELECT mean FROM exemplar NOT INDEXED "  # by an index, all would be sorted first
        "CROSS JOIN embedding ON embedding.exemplar = exemplar.id "
        "WHERE weights = ? ORDER BY exemplar.id",
        (weights,),
    )
    start = 0
    while block := rows.fetchmany(BLOCK):
        try:
            data = b"".join([mean for (mean,) in block])
            values = np.frombuffer(data, dtype="<f2").reshape(len(block), -1)
            fits = {len(mean) for (mean,) in block} == {WIDTH * width}
        except (TypeError, ValueError):
            raise _damaged(path) from None
        stop = start + len(block)
        if not fits or stop > len(order) or (values.view("<u2") & ENDLESS == ENDLESS).any():
            raise _damaged(path)
        out[place[start:stop]] = values
        start = stop
    if start != len(order):
        raise _damaged(path)
    return out


def _damaged(path: Path, what: str = "an embedding") -> LibraryError:
    return LibraryError(
        f"{path} is damaged: {what} is not what was written", "see `vcn library verify`"
    )
