"""People who are forgotten: in the library at once, then in each run that they are known from.

One transaction deletes the person and writes down, by key, what is left to be done: to write the
file anew, and in which runs which tracks showed the person, as hashes.  An ended process leaves
the person there, or a list that the next one finishes.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from videoclusternet.errors import ConfigError, LibraryError, VcnError
from videoclusternet.forget.log import unnamed
from videoclusternet.forget.run import Forgotten, looked_up
from videoclusternet.forget.run import forget as forget_in
from videoclusternet.library import people, record
from videoclusternet.library.adding.offered import anchor_of
from videoclusternet.library.database import Database
from videoclusternet.library.people import Row, folded
from videoclusternet.outside.files import exists, is_folder, said
from videoclusternet.result.result import Result, open_run
from videoclusternet.runfolder.manifest import MANIFEST


class InRun(NamedTuple):
    """A run that a person is known from.

    Attributes
    ----------
    folder : Path
    went : tuple of Forgotten
        What goes there: of a character, or none.
    problem : str
        Why it cannot be looked into, or nothing.
    tracks : tuple of tuple of str
        Hashes of the tracks of each; where it cannot be looked into, of those in the library.
    listed : bool
        Whether the library lists it; else it was looked for.
    """

    folder: Path
    went: tuple[Forgotten, ...]
    problem: str
    tracks: tuple[tuple[str, ...], ...]
    listed: bool = True


class Plan(NamedTuple):
    """What goes with a person.

    Attributes
    ----------
    key, name : str
    exemplars, pictures : int
        Of the library.
    runs : tuple of InRun
    """

    key: str
    name: str
    exemplars: int
    pictures: int
    runs: tuple[InRun, ...]


class Left(NamedTuple):
    """What is left to be done.

    Attributes
    ----------
    key : str
        Of the person.
    folder : Path or None
        Of a run; None for the file of the library.
    problem : str
    """

    key: str
    folder: Path | None
    problem: str


def planned(db: sqlite3.Connection, person: str, folders: Sequence[Path] = ()) -> Plan:
    """Return what goes with a person, by name or key: what its runs hold is looked up there.

    Parameters
    ----------
    db : Connection
    person : str
    folders : sequence of Path
        Of runs that the library may not list: those that it only recognised people in.

    Raises
    ------
    NoPersonError
        When there is none.
    ConfigError
        When a folder is none, or cannot be searched.
    """
    row = people.find(db, person)
    counted = "SELECT count(*), count(DISTINCT picture) FROM exemplar WHERE person = ?"
    exemplars, pictures = db.execute(counted, (row.id,)).fetchone()
    runs = [_in_run(db, row, run, Path(os.fsdecode(at))) for run, at in _runs(db, row)]
    listed = {os.path.realpath(run.folder) for run in runs}
    for at in sorted({path for folder in folders for path in _searched(folder)} - listed):
        found = _in_run(db, row, UNLISTED, Path(at))
        if found.went or found.problem:
            runs.append(found._replace(listed=False, tracks=found.tracks if found.went else ()))
    return Plan(row.key, row.name, exemplars, pictures, tuple(runs))


def forget(
    database: Database,
    person: str,
    expected: Plan | None = None,
    folders: Sequence[Path] = (),
) -> tuple[Plan, list[Left]]:
    """Forget a person: in the library, then in the runs; of others see :func:`planned`.

    Returns
    -------
    Plan, list of Left
        What went, and what is left to be done.

    Raises
    ------
    NoPersonError
        When there is none.
    LibraryError
        When the library has changed since ``expected``, or cannot be written: nothing is changed.
    """
    with database.reading() as db:
        plan = planned(db, person, folders)
    if expected is not None and expected != plan:
        raise LibraryError(f"{database.path} or a run has changed meanwhile", "look at it again")
    with database.writing() as db:
        for (at,) in db.execute("SELECT run FROM forgetting WHERE run IS NOT NULL"):
            os.fsdecode(at)  # what is left of others can be gone on with, or nobody goes
        row = people.find(db, plan.key)
        here = tuple(Path(os.fsdecode(at)) for _, at in _runs(db, row))
        if row.name != plan.name or here != tuple(run.folder for run in plan.runs if run.listed):
            raise LibraryError(f"{database.path} has changed meanwhile", "look at it again")
        _delete(db, row, plan)
    left = resume(database)
    lost = [run for run in plan.runs if run.problem and not any(run.tracks)]
    return plan, left + [Left(plan.key, run.folder, f"{run.problem}: {_BY_HAND}") for run in lost]


_BY_HAND = "the library does not know the tracks, so `vcn forget RUN NAME` has to be told"


def resume(database: Database, gone: Sequence[Path] = ()) -> list[Left]:
    """Go on with what is left to be done, and return what still is.

    Parameters
    ----------
    database : Database
    gone : sequence of Path
        Folders of runs that are no more: nothing is left to be done there.

    Raises
    ------
    ConfigError
        When nothing is left to be done in one of these, or there is a run after all.
    LibraryError
        When the library cannot be written.
    """
    for folder in gone:
        _give_up(database, folder)
    left = [] if wipe(database) else [Left("", None, "somebody else has it open")]
    with database.reading() as db:
        said = "SELECT id, person, run, tracks FROM forgetting WHERE run IS NOT NULL ORDER BY id"
        tasks = db.execute(said).fetchall()
    for task, key, run, tracks in tasks:
        folder = Path(os.fsdecode(run))
        try:
            result = open_run(folder)
            for index in _holder(result, frozenset(tracks.split())):
                forget_in(folder, index + 1, record.author())
        except VcnError as error:
            left.append(Left(key, folder, error.message))
        else:
            with database.writing() as db:
                db.execute("DELETE FROM forgetting WHERE id = ?", (task,))
    return left


def _give_up(database: Database, folder: Path) -> None:
    if exists(folder / MANIFEST):
        raise ConfigError(f"{folder} is there", "say --resume alone")
    with database.writing() as db:
        said = (os.fsencode(folder), os.fsencode(os.path.realpath(folder)))
        deleted = db.execute("DELETE FROM forgetting WHERE run IN (?, ?)", said)
        if not deleted.rowcount:
            raise ConfigError(f"nothing is left to be forgotten in {folder}", "see --resume")


def unfinished(db: sqlite3.Connection) -> int:
    """Return how much is left to be done."""
    return int(db.execute("SELECT count(*) FROM forgetting").fetchone()[0])


def wipe(database: Database) -> bool:
    """Write the file anew if somebody was forgotten; whether nothing of that is left to do."""
    if not database.writable:
        return True
    said = "FROM forgetting WHERE run IS NULL"
    with database.reading() as db:
        (last,) = db.execute(f"SELECT max(id) {said}").fetchone()
    if last is None:
        return True
    if not database.wipe():
        return False
    with database.writing() as db:
        db.execute(f"DELETE {said} AND id <= ?", (last,))
    return True


def _delete(db: sqlite3.Connection, row: Row, plan: Plan) -> None:
    """Delete a person, and write down what is left to be done."""
    db.execute("DELETE FROM exemplar WHERE person = ?", (row.id,))
    db.execute("DELETE FROM person WHERE id = ?", (row.id,))
    for other, note in db.execute("SELECT id, note FROM person WHERE note <> ''").fetchall():
        if (text := unnamed(note, row.name)) != note:
            db.execute("UPDATE person SET note = ? WHERE id = ?", (text, other))
    add = "INSERT INTO forgetting (person, run, tracks) VALUES (?, ?, ?)"
    db.execute(add, (row.key, None, ""))
    for run in plan.runs:
        for tracks in filter(None, run.tracks):
            db.execute(add, (row.key, os.fsencode(run.folder), " ".join(tracks)))
    record.write(db, "forget", row.key, count=plan.exemplars)


def _runs(db: sqlite3.Connection, row: Row) -> list[tuple[int, bytes]]:
    """Return the runs that a person was ever added from, those of people made one with it too."""
    keys = record.ever(db, [row.key])
    said = (
        "SELECT id, folder FROM run WHERE id IN (SELECT run FROM credit WHERE person = ?1 "
        "UNION SELECT run FROM exemplar WHERE person = ?1 UNION SELECT run FROM record "
        "WHERE person IN (SELECT value FROM json_each(?2))) ORDER BY id"
    )
    return db.execute(said, (row.id, json.dumps(sorted(keys)))).fetchall()


UNLISTED = 0
"""In place of the row of a run."""


def _searched(folder: Path) -> Iterator[str]:
    """Yield the run folders in a folder, itself among them."""

    def refuse(error: OSError) -> None:
        raise ConfigError(f"cannot read {error.filename}: {said(error)}", "check its rights")

    if not is_folder(folder):
        raise ConfigError(f"no folder {folder}", "name a folder that run folders lie in")
    for place, inner, names in os.walk(folder, onerror=refuse):
        if MANIFEST in names:  # what lies in it are its own films
            inner.clear()
            yield os.path.realpath(place)


def _in_run(db: sqlite3.Connection, row: Row, run: int, folder: Path) -> InRun:
    """Look into a run for the characters that are a person."""
    # Of all runs: a film may have two, and a track is in the library once.
    anchors = "SELECT anchor FROM exemplar WHERE person = ? AND anchor IS NOT NULL"
    stands = {_hash(anchor) for (anchor,) in db.execute(anchors, (row.id,))}
    credits = "SELECT folded, person FROM credit WHERE run = ?"
    credited = {name: who for name, who in db.execute(credits, (run,))}
    names = {name for name, who in credited.items() if who == row.id}
    if folded(row.name) not in credited:  # no other person is called so there
        names.add(folded(row.name))
    keys = record.ever(db, [row.key])
    try:
        result = open_run(folder)
        people_of = result.people.items()
        named = (n for n, p in people_of if p.name and (folded(p.name) in names or p.known in keys))
        found = sorted({*named, *_holder(result, stands)})
        went = tuple(looked_up(result, index + 1) for index in found)
        return InRun(folder, went, "", tuple(_tracks(result, index) for index in found))
    except VcnError as error:
        return InRun(folder, (), error.message, (tuple(sorted(stands)),))


def _holder(result: Result, tracks: Collection[str]) -> Iterator[int]:
    """Yield the character that more than half of some tracks show, where there is one."""
    if not tracks:
        return
    hashes = [_hash(anchor_of(result, track)) for track in range(len(result.tracks))]
    shows = result.cast.character[[one in tracks for one in hashes]]
    for index in np.unique(shows[shows >= 0]).tolist():
        if (shows == index).sum() > len(shows) / 2:
            yield index


def _tracks(result: Result, index: int) -> tuple[str, ...]:
    rows = np.flatnonzero(result.cast.character == index).tolist()
    return tuple(sorted(_hash(anchor_of(result, track)) for track in rows))


def _hash(anchor: str) -> str:
    """Return what tells a track, and neither its name nor its place."""
    return hashlib.sha256(anchor.encode()).hexdigest()
