"""Exemplars of one face model, read in one go for clustering."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np

from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.errors import LibraryError
from videoclusternet.types.arrays import Float16, Int64

BLOCK = 8192
"""Exemplars that are read at a time."""
WIDTH = 2
"""Bytes of a value."""
ENDLESS = 0x7C00
"""Bits that are all set in a value that is not finite: quicker asked than by NumPy."""


def gallery(db: sqlite3.Connection, path: Path, digest: str) -> Gallery:
    """Read the exemplars of one face model.

    Parameters
    ----------
    db : sqlite3.Connection
        Inside a transaction: what is read is one state.
    path : Path
        For messages.
    digest : str
        Of the un-adapted weights.

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
        "SELECT person, look, length, threshold FROM exemplar NOT INDEXED WHERE weights = ? "
        "ORDER BY id",
        (of,),
    )
    try:
        table = np.fromiter(rows, dtype=np.dtype(("f8", 4)))  # no threshold is NaN
    except (TypeError, ValueError):
        raise _damaged(path) from None
    person = table[:, 0].astype(np.int64)
    order = np.lexsort((table[:, 1], person))
    present, number = np.unique(person[order], return_inverse=True)
    keys, names = _who(db, present.tolist())
    mean = _embeddings(db, path, of, width, order)
    mean.setflags(write=False)  # nobody else has it: it need not be copied
    return Gallery(
        person=number.astype(np.int32),
        look=table[order, 1],
        mean=mean,
        length=table[order, 2],
        threshold=table[order, 3],
        people=keys,
        names=names,
        weights=digest,
    )


def _who(db: sqlite3.Connection, people: list[int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return keys and names of people, by their rows, ascending."""
    rows = db.execute("SELECT id, key, name FROM person ORDER BY id")
    wanted = set(people)
    found = [(key, name) for row, key, name in rows if row in wanted]
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


def _damaged(path: Path) -> LibraryError:
    return LibraryError(
        f"{path} is damaged: an embedding is not what was written", "see `vcn library verify`"
    )
