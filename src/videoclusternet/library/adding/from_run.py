"""Named characters of a finished run become people of the library, or are known by it already."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from videoclusternet.errors import ConfigError
from videoclusternet.library import people, record
from videoclusternet.library.adding.choose import Pool, choose
from videoclusternet.library.adding.offered import (
    Offered,
    Weights,
    anchor_of,
    digest_of,
    offered,
    sure,
    weights_of,
)
from videoclusternet.library.adding.rows import (
    held_by,
    insert,
    number_or_none,
    renumbered,
    row_of,
    weights_row,
)
from videoclusternet.library.database import Database
from videoclusternet.library.people import Row, close_gaps, folded
from videoclusternet.outside.files import exists
from videoclusternet.outside.text import printable, shown
from videoclusternet.result.result import Result
from videoclusternet.runfolder.manifest import MANIFEST


class Change(NamedTuple):
    """What adding did to a person.

    Attributes
    ----------
    key, name : str
    new : bool
        Whether the library did not know this person.
    added, gone : int
        Exemplars that came, and that went: others cover the person better, or corrections say
        that they show somebody else.
    exemplars : int
        Those that there are now.
    elsewhere : int
        Tracks that show somebody else by the library.
    """

    key: str
    name: str
    new: bool
    added: int
    gone: int
    exemplars: int
    elsewhere: int


@dataclass(frozen=True)
class Added:
    """What was taken from a run.

    Attributes
    ----------
    folder : Path
    model : str
        Face model of the run.
    people : tuple of Change
    unnamed : int
        Characters that were left out as they have no name.
    unsure : tuple of str
        Names of those without a track that is sure.
    """

    folder: Path
    model: str
    people: tuple[Change, ...]
    unnamed: int
    unsure: tuple[str, ...]


class Found(NamedTuple):
    """A named character of the run: all its tracks, and what is offered of them."""

    name: str
    anchors: frozenset[str]
    of: Offered
    anchor: list[str]


def add_run(database: Database, run: Result, characters: Sequence[str | int] = ()) -> Added:
    """Take the sure tracks of named characters into the library.

    The same run again changes nothing; after corrections, what no longer shows a person goes.

    Parameters
    ----------
    database : Database
    run : Result
    characters : sequence of str or int, optional
        Names or numbers of those that are added; by default all that have a name.

    Raises
    ------
    ConfigError
        When one of them is not there or has no name.
    LibraryError
        When the library cannot be written; then it is as before.
    """
    weights, wanted = weights_of(run), _wanted(run, characters)
    found = _found(run, wanted)
    held = {one.name for one in found}
    with database.writing() as db:
        adding = _Adding(db, run, weights)
        adding.take_over()
        adding.withdraw(found, None if not characters else {folded(name) for name in held})
        changes = [adding.take(one) for one in found]
        adding.sweep()
    return Added(
        folder=run.folder,
        model=weights.model,
        people=tuple(change for change in changes if change.exemplars or change.gone),
        unnamed=sum(not run.people[number].name for number in run.shown),
        unsure=tuple(one.name for one in found if not len(one.of)),
    )


def _wanted(run: Result, characters: Sequence[str | int]) -> list[int]:
    if not characters:
        return [number for number in run.shown if run.people[number].name]
    numbers = list(dict.fromkeys(run.index_of(one) for one in characters))
    for number in numbers:
        if number < 0 or not run.people[number].name:
            raise ConfigError(
                f"{shown(run.called(number))} has no name",
                f"give one: vcn edit name {run.folder} {number + 1} NAME",
            )
    return numbers


def _found(run: Result, numbers: Sequence[int]) -> list[Found]:
    character = run.cast.character
    every = offered(run, np.flatnonzero(sure(run) & np.isin(character, numbers)))
    found = []
    for number in numbers:
        anchors = frozenset(anchor_of(run, int(t)) for t in np.flatnonzero(character == number))
        of = every.take(character[every.track] == number)
        own = [anchor_of(run, int(track)) for track in of.track]
        found.append(Found(people.named(run.people[number].name), anchors, of, own))
    return found


class _Adding:
    """One run on its way into the library, inside one transaction."""

    def __init__(self, db: sqlite3.Connection, run: Result, weights: Weights) -> None:
        self._db, self._source = db, run
        self._author, self._time = record.author(), record.now()
        self._run = row_of(db, "run", folder=os.fsencode(run.folder.resolve()))
        self._model, self._weights = weights, weights_row(db, weights)
        self._gone: dict[int, int] = {}

    def take_over(self) -> None:
        """Take over what came from this run when it lay elsewhere, where none is any more."""
        rows = self._db.execute("SELECT id, folder FROM run WHERE id <> ?", (self._run,))
        left = [n for n, at in rows if not exists(Path(os.fsdecode(at)) / MANIFEST)]
        run = self._source
        own = {anchor_of(run, track) for track in range(len(run.tracks))} if left else set()
        for number in left:
            said = "SELECT anchor FROM exemplar WHERE run = ?"
            anchors = {anchor for (anchor,) in self._db.execute(said, (number,))}
            if anchors and anchors <= own:
                for table in ("exemplar", "credit"):  # that it lay there stays on record
                    change = f"UPDATE OR IGNORE {table} SET run = ? WHERE run = ?"
                    self._db.execute(change, (self._run, number))

    def withdraw(self, found: Sequence[Found], only: set[str] | None) -> None:
        """Delete exemplars of this run that its characters do not hold any more."""
        holds = {folded(one.name): one.anchors for one in found}
        rows = self._db.execute(
            "SELECT exemplar.id, exemplar.person, exemplar.anchor, credit.folded FROM exemplar "
            "JOIN credit ON credit.id = exemplar.credit WHERE exemplar.run = ?",
            (self._run,),
        )
        nobody: frozenset[str] = frozenset()
        for exemplar, person, anchor, name in rows.fetchall():
            if (only is None or name in only) and anchor not in holds.get(name, nobody):
                self._db.execute("DELETE FROM exemplar WHERE id = ?", (exemplar,))
                self._gone[person] = self._gone.get(person, 0) + 1
        for person, count in self._gone.items():
            (key,) = self._one("SELECT key FROM person WHERE id = ?", person)
            record.write(self._db, "withdraw", key, count=count, run=self._run)
            close_gaps(self._db, person)
        for credit, name in self._db.execute(
            "SELECT id, folded FROM credit WHERE run = ?", (self._run,)
        ).fetchall():
            if only is None and name not in holds:
                self._db.execute("DELETE FROM credit WHERE id = ?", (credit,))

    def take(self, one: Found) -> Change:
        """Take what a character offers, unless it was offered before."""
        name, known = one.name, people.called(self._db, one.name)
        credit = self._db.execute(
            "SELECT credit.id, digest, person.id, key, name, note FROM credit "
            "JOIN person ON person.id = person WHERE run = ? AND credit.folded = ?",
            (self._run, folded(name)),
        ).fetchone()
        digest = digest_of(self._model, one.anchor, one.of)
        if credit is not None:
            number, before, person = credit[0], credit[1], Row(*credit[2:])
            new = False
        elif not len(one.of):  # nobody is made of nothing
            return Change("", name, False, 0, 0, 0, 0)
        else:
            new = known is None
            person = known or people.add(self._db, name)
            number, before = self._credit(person, name), ""
        gone = self._gone.get(person.id, 0)
        came, elsewhere = 0, 0
        if before != digest:
            came, replaced, elsewhere = self._choose(one, person, number)
            gone += replaced
            self._db.execute("UPDATE credit SET digest = ? WHERE id = ?", (digest, number))
            if new or came or replaced:
                record.write(self._db, "add", person.key, count=came, run=self._run)
        (count,) = self._one("SELECT count(*) FROM exemplar WHERE person = ?", person.id)
        return Change(person.key, person.name, new, came, gone, count, elsewhere)

    def sweep(self) -> None:
        """Forget a run of which nobody is."""
        self._db.execute(
            "DELETE FROM run WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM credit WHERE run = ?1) "
            "AND NOT EXISTS (SELECT 1 FROM exemplar WHERE run = ?1) "
            "AND NOT EXISTS (SELECT 1 FROM record WHERE run = ?1)",
            (self._run,),
        )

    def _choose(self, one: Found, person: Row, credit: int) -> tuple[int, int, int]:
        """Choose among what there is and what is offered.

        Returns
        -------
        came, gone, elsewhere : int
        """
        old = held_by(self._db, person.id, self._weights, self._model.width)
        taken = self._taken(one.anchor)
        rows = np.flatnonzero([anchor not in taken for anchor in one.anchor])
        look = choose(
            Pool(
                mean=np.concatenate([old.mean, one.of.mean[rows]]),
                threshold=np.concatenate([old.threshold, one.of.threshold[rows]]),
                worth=np.concatenate([old.worth, one.of.worth[rows]]),
                fixed=np.concatenate([old.fixed, np.zeros(len(rows), bool)]),
            )
        )
        gone = renumbered(self._db, old.ids, look[: len(old.ids)])
        chosen = look[len(old.ids) :]
        for row, of in zip(rows.tolist(), chosen.tolist(), strict=True):
            if of >= 0:
                self._insert(one, row, person.id, of, credit)
        close_gaps(self._db, person.id)
        elsewhere = sum(of != person.id for of in taken.values())
        return int((chosen >= 0).sum()), gone, elsewhere

    def _taken(self, anchors: Sequence[str]) -> Mapping[str, int]:
        """Return whom tracks show that are in the library already."""
        said = "SELECT person FROM exemplar WHERE weights = ? AND anchor = ?"
        found = {a: self._db.execute(said, (self._weights, a)).fetchone() for a in anchors}
        return {anchor: row[0] for anchor, row in found.items() if row is not None}

    def _insert(self, one: Found, row: int, person: int, look: int, credit: int) -> None:
        run, of, track = self._source, one.of, int(one.of.track[row])
        film, crop = run.film_of(track), int(of.row[row])
        middle = (int(run.tracks.first[track]) + int(run.tracks.last[track])) // 2
        frame = int(run.crop_frame[crop]) if crop >= 0 else middle
        insert(
            self._db,
            of.mean[row].astype("<f2").tobytes(),
            run.pictures.jpeg(crop) if crop >= 0 else None,
            person=person,
            weights=self._weights,
            look=look,
            length=float(of.length[row]),
            threshold=number_or_none(of.threshold[row]),
            crops=int(of.crops[row]),
            quality=number_or_none(of.quality[row]),
            hand=int(of.hand[row]),
            film=row_of(self._db, "film", content=film.content, name=printable(film.name)),
            frame=frame,
            seconds=film.seconds(frame),
            run=self._run,
            credit=credit,
            anchor=one.anchor[row],
            author=self._author,
            time=self._time,
        )

    def _credit(self, person: Row, name: str) -> int:
        made = self._db.execute(
            "INSERT INTO credit (run, folded, person) VALUES (?, ?, ?)",
            (self._run, folded(name), person.id),
        )
        return int(made.lastrowid or 0)

    def _one(self, said: str, *values: object) -> tuple[Any, ...]:
        return tuple(self._db.execute(said, values).fetchone())
