"""The record of decisions: who added whom, when, from where.  It only grows, and holds no name."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from videoclusternet.result.edits import AUTHOR, user_name

VERBS = {
    "add": "exemplars were taken from a run",
    "withdraw": "exemplars of a run went: its corrections say that they show somebody else",
    "photo": "exemplars were taken from photographs",
    "rename": "it has another name",
    "merge": "it was made one with another person, who is gone",
    "split": "a part of it became another person",
    "note": "its note was changed",
    "import": "exemplars came from another library",
    "reembed": "its pictures were described by another face model",
    "forget": "everything of it was deleted",
}
"""What can be decided, and what it means."""


class Entry(NamedTuple):
    """One decision.

    Attributes
    ----------
    time : str
        When, in UTC.
    author : str
        Who: ``VCN_AUTHOR``, else the name of the user.
    verb : str
        One of ``VERBS``.
    person : str
        Key of the person.
    other : str
        Key of the other one, of merge and split.
    exemplars : int
        Exemplars that came or went.
    run : Path or None
        Folder of the run that they are of.
    source : str
        What else they are of: ``photo``, ``import``.
    name : str
        What the person is called now; empty for one who is gone.
    """

    time: str
    author: str
    verb: str
    person: str
    other: str
    exemplars: int
    run: Path | None
    source: str
    name: str


def now() -> str:
    """Return the time, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def author() -> str:
    """Return who decides."""
    return os.environ.get(AUTHOR, "") or user_name()


def write(
    db: sqlite3.Connection,
    verb: str,
    person: str,
    other: str = "",
    count: int = 0,
    run: int | None = None,
    source: str = "",
) -> None:
    """Write a decision down, in the transaction that carries it out; see :class:`Entry`."""
    assert verb in VERBS, verb
    db.execute(
        "INSERT INTO record (time, author, verb, person, other, count, run, source) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (now(), author(), verb, person, other, count, run, source),
    )


def read(db: sqlite3.Connection, person: str = "") -> list[Entry]:
    """Return all decisions in order, or those about the person of a key."""
    rows = db.execute(
        "SELECT time, author, verb, record.person, other, count, run.folder, source, "
        "coalesce(name, '') "
        "FROM record LEFT JOIN run ON run.id = record.run "
        "LEFT JOIN person ON person.key = record.person "
        "WHERE ?1 = '' OR record.person = ?1 OR other = ?1 ORDER BY record.id",
        (person,),
    )
    return [
        Entry(at, who, verb, key, other, n, Path(os.fsdecode(run)) if run else None, source, name)
        for at, who, verb, key, other, n, run, source, name in rows
    ]


def ever(db: sqlite3.Connection, keys: Iterable[str]) -> set[str]:
    """Return keys, and those of all who were made one with these people."""
    found = set(keys)
    new = found
    merged = "SELECT other FROM record WHERE verb = 'merge' AND person = ?"
    while new:
        new = {other for key in new for (other,) in db.execute(merged, (key,))} - found
        found |= new
    return found


def forgotten(db: sqlite3.Connection) -> set[str]:
    """Return the keys of everybody who was forgotten."""
    rows = db.execute("SELECT person FROM record WHERE verb = 'forget'").fetchall()
    return ever(db, [key for (key,) in rows])


def runs(db: sqlite3.Connection) -> list[Path]:
    """Return the folders of all runs that people were added from."""
    rows = db.execute("SELECT folder FROM run ORDER BY id")
    return [Path(os.fsdecode(folder)) for (folder,) in rows]
