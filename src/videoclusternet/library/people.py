"""People of a library: found by name or key, listed, renamed, made one, taken apart."""

from __future__ import annotations

import re
import secrets
import sqlite3
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from videoclusternet.edits.verbs import checked_name, cleaned, cleaned_name
from videoclusternet.errors import ConfigError, NoPersonError
from videoclusternet.library import record
from videoclusternet.outside.names import as_seen
from videoclusternet.outside.text import meant, shown


class Known(NamedTuple):
    """A person of a library.

    Attributes
    ----------
    key : str
        Stays the same whatever the person is called; never used again.
    name, note : str
    looks : int
        Groups of exemplars that look alike, of the face model that knows most of them.
    exemplars : int
        Of all face models.
    films : int
        Films that they are of.
    """

    key: str
    name: str
    note: str
    looks: int = 0
    exemplars: int = 0
    films: int = 0


class Row(NamedTuple):
    """A person's row of the table."""

    id: int
    key: str
    name: str
    note: str


def named(text: str) -> str:
    """Return a name as it is kept.

    Raises
    ------
    ConfigError
        When it cannot be one.
    """
    name = checked_name(cleaned_name(text))
    if not name:
        raise ConfigError("a person of the library has a name", "give one")
    return name


def folded(name: str) -> str:
    """Return what two names share that are one: case and form of letters, and what is not seen."""
    return unicodedata.normalize("NFKC", as_seen(name)).casefold()


def find(db: sqlite3.Connection, person: str) -> Row:
    """Return a person, by name or key.

    Raises
    ------
    NoPersonError
        When there is none; the nearest name is suggested.
    """
    columns = "SELECT id, key, name, note FROM person WHERE key = ?"
    row = db.execute(columns, (str(person),)).fetchone() or called(db, person)
    if row is None:  # a key comes first: whoever is called like it hides nobody
        names = [name for (name,) in db.execute("SELECT name FROM person ORDER BY folded")]
        raise NoPersonError(
            f"the library knows nobody called {shown(person)}",
            f"{meant(str(person), names)}see `vcn library list`",
        )
    return Row(*row)


def called(db: sqlite3.Connection, name: str) -> Row | None:
    """Return the person of a name, whatever its case; None where there is none."""
    columns = "SELECT id, key, name, note FROM person WHERE folded = ?"
    row = db.execute(columns, (folded(" ".join(str(name).split())),)).fetchone()
    return Row(*row) if row else None


KEY = re.compile(r"[0-9a-f]{10}")
"""What a key looks like."""


def add(db: sqlite3.Connection, name: str, note: str = "", key: str = "") -> Row:
    """Make a person of a checked name that nobody has."""
    key = key or new_key(db)
    added = db.execute(
        "INSERT INTO person (key, name, folded, note) VALUES (?, ?, ?, ?)",
        (key, name, folded(name), note),
    )
    return Row(int(added.lastrowid or 0), key, name, note)


def new_key(db: sqlite3.Connection) -> str:
    """Return a key that nobody has or had."""
    while True:
        key = secrets.token_hex(5)
        said = "SELECT 1 FROM person WHERE key = ?1 UNION SELECT 1 FROM record WHERE person = ?1"
        if db.execute(said, (key,)).fetchone() is None:
            return key


def listed(db: sqlite3.Connection) -> list[Known]:
    """Return everybody, by name."""
    rows = db.execute(
        "SELECT key, name, note, coalesce(max(looks), 0), coalesce(sum(exemplars), 0), "
        "(SELECT count(DISTINCT film) FROM exemplar WHERE exemplar.person = person.id) "
        "FROM person LEFT JOIN (SELECT person AS of, count(DISTINCT look) AS looks, "
        "count(*) AS exemplars FROM exemplar GROUP BY person, weights) ON of = person.id "
        "GROUP BY person.id ORDER BY folded"
    )
    return [Known(*row) for row in rows]


def rename(db: sqlite3.Connection, person: str, name: str) -> Row:
    """Call a person by another name.

    Raises
    ------
    ConfigError
        When somebody else has it.
    """
    row, name = find(db, person), named(name)
    other = called(db, name)
    if other is not None and other.id != row.id:
        raise ConfigError(
            f"{shown(other.name)} is somebody else in the library",
            f"`vcn library merge` makes {shown(other.name)} and {shown(row.name)} one",
        )
    change = "UPDATE person SET name = ?, folded = ? WHERE id = ?"
    db.execute(change, (name, folded(name), row.id))
    record.write(db, "rename", row.key)
    return row._replace(name=name)


def annotate(db: sqlite3.Connection, person: str, note: str) -> Row:
    """Write something down about a person, or nothing."""
    row, note = find(db, person), cleaned(note)
    db.execute("UPDATE person SET note = ? WHERE id = ?", (note, row.id))
    record.write(db, "note", row.key)
    return row._replace(note=note)


def merge(db: sqlite3.Connection, person: str, others: Iterable[str]) -> Row:
    """Make people one: the first keeps key and name, their looks lie side by side.

    Raises
    ------
    ConfigError
        When fewer than two people are named.
    """
    first = find(db, person)
    rows = {row.id: row for row in (find(db, other) for other in others) if row.id != first.id}
    if not rows:
        raise ConfigError("there is nobody to merge with", "name two people or more")
    for other in rows.values():
        counted = "SELECT count(*) FROM exemplar WHERE person = ?"
        (count,) = db.execute(counted, (other.id,)).fetchone()
        shift = "SELECT coalesce(max(look) + 1, 0) FROM exemplar WHERE person = ?"
        (after,) = db.execute(shift, (first.id,)).fetchone()
        db.execute(
            "UPDATE exemplar SET person = ?, look = look + ? WHERE person = ?",
            (first.id, after, other.id),
        )
        db.execute("UPDATE credit SET person = ? WHERE person = ?", (first.id, other.id))
        db.execute("DELETE FROM person WHERE id = ?", (other.id,))
        first = first._replace(note="; ".join(filter(None, (first.note, other.note))))
        record.write(db, "merge", first.key, other.key, count)
    db.execute("UPDATE person SET note = ? WHERE id = ?", (first.note, first.id))
    close_gaps(db, first.id)
    return first


def split(
    db: sqlite3.Connection,
    person: str,
    name: str,
    looks: Iterable[int] = (),
    exemplars: Iterable[int] = (),
) -> Row:
    """Make some looks or exemplars of a person somebody of their own.

    Parameters
    ----------
    db : sqlite3.Connection
    person : str
    name : str
        Of the new person.
    looks, exemplars : iterable of int
        Numbers as ``vcn library show`` prints them.

    Raises
    ------
    ConfigError
        When there is no such look or exemplar, somebody has the name, or nothing would be left.
    """
    row, name = find(db, person), named(name)
    if (other := called(db, name)) is not None:
        raise ConfigError(f"{shown(other.name)} is in the library already", "use another name")
    every = db.execute("SELECT id, look FROM exemplar WHERE person = ?", (row.id,)).fetchall()
    wanted, apart = set(exemplars), set(looks)
    strange = (wanted - {one for one, _ in every}) | (apart - {look + 1 for _, look in every})
    if strange:
        raise ConfigError(
            f"{shown(row.name)} has no look or exemplar {min(strange)}",
            "see `vcn library show` for the numbers",
        )
    moved = [one for one, look in every if one in wanted or look + 1 in apart]
    if not 0 < len(moved) < len(every):
        raise ConfigError("both need an exemplar at least", "name some, not all")
    made = add(db, name)
    change = "UPDATE exemplar SET person = ? WHERE id = ?"
    db.executemany(change, [(made.id, one) for one in moved])
    for one in (row, made):
        close_gaps(db, one.id)
    record.write(db, "split", row.key, made.key, len(moved))
    return made


def close_gaps(db: sqlite3.Connection, person: int) -> None:
    """Count the looks of a person anew, from 0 without gaps, of each face model."""
    every = "SELECT DISTINCT weights, look FROM exemplar WHERE person = ? ORDER BY weights, look"
    numbers: dict[int, int] = {}
    for weights, look in db.execute(every, (person,)).fetchall():
        number = numbers.get(weights, 0)
        numbers[weights] = number + 1
        if number != look:
            db.execute(
                "UPDATE exemplar SET look = ? WHERE person = ? AND weights = ? AND look = ?",
                (number, person, weights, look),
            )
