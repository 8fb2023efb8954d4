"""A library as one zip file, to be handed on: JSON, arrays of NumPy, pictures; no pickle.

``library.json`` names people, face models, films and exemplars, and the sha256 of every other file:
``embeddings/0.npy`` and so on, float16 (n, d), one for each face model, row by row with its
exemplars, and ``pictures/SHA256.jpg``.  Folders of runs and the record stay at home.
"""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from videoclusternet.errors import ConfigError, LibraryError
from videoclusternet.library import people, record
from videoclusternet.library.adding.offered import Weights
from videoclusternet.library.adding.rows import insert, rechosen, row_of, weights_row
from videoclusternet.library.people import Row
from videoclusternet.outside.text import printable
from videoclusternet.runfolder.crop_zip import (
    MOST_CROP,
    ZIP_ERRORS,
    decoded,
    open_zip,
    read_entry,
)
from videoclusternet.runfolder.files import replacing
from videoclusternet.types.arrays import Float16

FORMAT = 1
HEAD = "library.json"
MOST = 2 << 30
"""Bytes of a file in the zip, at most."""
NUMBERS = ("look", "crops", "hand", "frame", "length", "threshold", "quality", "seconds")
TEXTS = ("anchor", "source", "author", "time")
COLUMNS = (*NUMBERS, *TEXTS)
"""Of an exemplar, as in the table."""
WHOLE = ("look", "crops", "hand", "frame")
OPEN = ("threshold", "quality", "frame", "seconds", "anchor")
"""Those that may be unknown."""
LARGEST = 2**31


class Brought(NamedTuple):
    """What an import did.

    Attributes
    ----------
    new, known : list of str
        Names of people that came, and of those that the library had by their key.
    exemplars : int
        Those that came.
    present : int
        Those that were there already.
    conflicts : list of (str, str)
        Name of a person that somebody else has here, and what it is called instead.
    forgotten : int
        People who were forgotten here: they do not come back.
    """

    new: list[str]
    known: list[str]
    exemplars: int
    present: int
    conflicts: list[tuple[str, str]]
    forgotten: int = 0


def write(db: sqlite3.Connection, path: Path, chosen: Sequence[Row]) -> tuple[int, int]:
    """Write people with their exemplars.

    Parameters
    ----------
    db : sqlite3.Connection
        Inside a transaction.
    path : Path
    chosen : sequence of Row

    Returns
    -------
    people, exemplars : int
    """
    place = {one.id: n for n, one in enumerate(chosen)}
    films: dict[str, str] = {}
    models, sums = [], {}
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:

        def add(name: str, data: bytes) -> None:
            if name not in sums:
                sums[name] = hashlib.sha256(data).hexdigest()
                archive.writestr(zipfile.ZipInfo(name), data)

        found = db.execute("SELECT id, digest, model, width FROM weights ORDER BY id").fetchall()
        for number, (weights, *said) in enumerate(found):
            rows, means = [], []
            for row, mean, content, film, digest, jpeg in _exemplars(db, weights, place):
                rows.append({**row, "person": place[row["person"]], "film": content})
                rows[-1]["picture"] = digest
                means.append(mean)
                if content is not None:
                    films[content] = film
                if digest is not None:
                    add(f"pictures/{digest}.jpg", jpeg)
            add(f"embeddings/{number}.npy", _npy(means, said[2]))
            models.append({**dict(zip(Weights._fields, said, strict=True)), "exemplars": rows})
        persons = [{"key": p.key, "name": p.name, "note": p.note} for p in chosen]
        head = {"format": FORMAT, "people": persons, "films": films, "models": models}
        text = json.dumps({**head, "sha256": sums}, ensure_ascii=False, allow_nan=False)
        archive.writestr(zipfile.ZipInfo(HEAD), text.encode())
    return len(chosen), sum(len(one["exemplars"]) for one in models)


def _exemplars(
    db: sqlite3.Connection, weights: int, people: Iterable[int]
) -> Iterable[tuple[dict[str, Any], bytes, str | None, str, str | None, bytes]]:
    columns = ", ".join(f"exemplar.{name}" for name in ("person", *COLUMNS))
    wanted = set(people)
    for row in db.execute(
        f"SELECT {columns}, mean, film.content, film.name, picture.digest, jpeg FROM exemplar "
        "JOIN embedding ON embedding.exemplar = exemplar.id "
        "LEFT JOIN film ON film.id = film LEFT JOIN picture ON picture.id = picture "
        "WHERE weights = ? ORDER BY exemplar.id",
        (weights,),
    ):
        if row[0] in wanted:
            names = ("person", *COLUMNS)
            yield dict(zip(names, row, strict=False)), *row[len(names) :]


def _npy(means: list[bytes], width: int) -> bytes:
    made = io.BytesIO()
    values = np.frombuffer(b"".join(means), dtype="<f2").reshape(-1, width)
    np.lib.format.write_array(made, values, allow_pickle=False)
    return made.getvalue()


class Read(NamedTuple):
    """What a zip file holds, checked."""

    people: list[dict[str, str]]
    films: dict[str, str]
    models: list[tuple[Weights, list[dict[str, Any]], Float16]]
    pictures: Mapping[str, bytes]


def read(path: Path) -> Read:
    """Read what :func:`write` wrote.

    Raises
    ------
    LibraryError
        When it is no such file, damaged, or of a newer format.
    """
    try:
        with open_zip(path) as archive:
            return _read(archive)
    except LibraryError:
        raise
    except (*ZIP_ERRORS, ConfigError, TypeError, AttributeError, RecursionError) as error:
        said = error.message if isinstance(error, ConfigError) else error
        raise LibraryError(
            f"{path} is no export of a library, or damaged: {printable(said)}",
            "export it again; nothing was taken in",
        ) from error


def _read(archive: zipfile.ZipFile) -> Read:
    if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
        raise ValueError("a file in it is compressed")  # and might fill the memory
    head = json.loads(read_entry(archive, HEAD, MOST))
    if type(head["format"]) is not int or head["format"] < 1:
        raise ValueError("it has no format")
    if head["format"] > FORMAT:
        raise LibraryError(
            f"the export has format {head['format']}; this program knows formats up to {FORMAT}",
            "update videoclusternet",
        )
    sums = head["sha256"]

    def entry(name: str, most: int) -> bytes:
        data = read_entry(archive, name, most)
        if hashlib.sha256(data).hexdigest() != sums[name]:
            raise ValueError(f"{name} is not what was written")
        return data

    persons = [_person_of(one) for one in head["people"]]
    films = {_text(content): _text(name) for content, name in head["films"].items()}
    pictures: dict[str, bytes] = {}
    models = []
    for number, model in enumerate(head["models"]):
        weights = Weights(_text(model["digest"]), _text(model["model"]), _whole(model["width"]))
        rows = [_row(one, len(persons), films) for one in model["exemplars"]]
        values = _values(entry(f"embeddings/{number}.npy", MOST), len(rows), weights.width)
        models.append((weights, rows, values))
        for digest in {row["picture"] for row in rows} - {None, *pictures}:
            pictures[digest] = entry(f"pictures/{digest}.jpg", MOST_CROP)
            if hashlib.sha256(pictures[digest]).hexdigest() != digest:
                raise ValueError("a picture is not the one that was written")
            if decoded(pictures[digest]) is None:
                raise ValueError("a picture cannot be read")
    return Read(persons, films, models, pictures)


def _person_of(one: Any) -> dict[str, str]:
    """Check a person."""
    if not people.KEY.fullmatch(_text(one["key"])):
        raise ValueError("a person has no key that can be")
    name, note = people.named(_text(one["name"])), _text(one["note"])
    return {"key": one["key"], "name": name, "note": note}


def _row(one: Any, persons: int, films: Mapping[str, str]) -> dict[str, Any]:
    """Check an exemplar."""
    row = {name: one[name] for name in ("person", "film", "picture", *COLUMNS)}
    for name in ("person", *NUMBERS):
        value = row[name]
        if name in OPEN and value is None:
            continue
        if name in WHOLE or name == "person":
            _whole(value)
        elif type(value) not in (int, float) or not abs(value) < LARGEST:
            raise ValueError(f"{name} is no number")
    for name in (*TEXTS, "film", "picture"):
        if row[name] is not None or name not in (*OPEN, "film", "picture"):
            _text(row[name])
    if row["person"] >= persons or not (row["film"] is None or row["film"] in films):
        raise ValueError("an exemplar is of nobody, or of no film")
    return row


def _values(data: bytes, rows: int, width: int) -> Float16:
    stream = io.BytesIO(data)
    np.lib.format.read_magic(stream)
    shape, by_columns, kind = np.lib.format.read_array_header_1_0(stream)
    if shape != (rows, width) or kind != np.float16 or by_columns:  # before room is made for them
        raise ValueError("embeddings are not those of the exemplars")
    values = np.frombuffer(data, kind, offset=stream.tell()).reshape(shape)
    with np.errstate(over="ignore"):
        length = np.linalg.norm(values.astype(np.float32), axis=1)
    if not (length < 2).all():
        raise ValueError("an embedding is no mean of unit-length ones")
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < LARGEST:
        raise TypeError("not a whole number")
    return value


def take_in(db: sqlite3.Connection, found: Read) -> Brought:
    """Take in what was read: people of the same key are one.

    Parameters
    ----------
    db : sqlite3.Connection
        Inside a transaction that writes.
    found : Read
    """
    brought = Brought([], [], 0, 0, [])
    gone = record.forgotten(db)
    wanted = [(n, one) for n, one in enumerate(found.people) if one["key"] not in gone]
    held = {n: _person(db, one, brought) for n, one in wanted}
    rows = list(held.values())
    came = dict.fromkeys((row.key for row in rows), 0)
    present = 0
    for weights, exemplars, means in found.models:
        of = weights_row(db, weights)
        touched = set()
        for one, mean in zip(exemplars, means, strict=True):
            if (person := held.get(one["person"])) is None:
                continue
            if _is_there(db, of, person.id, one):
                present += 1
                continue
            columns = {name: one[name] for name in COLUMNS}
            if one["film"] is not None:
                film = found.films[one["film"]]
                columns["film"] = row_of(db, "film", content=one["film"], name=film)
            jpeg = None if one["picture"] is None else found.pictures[one["picture"]]
            mean_bytes = mean.astype("<f2").tobytes()
            insert(db, mean_bytes, jpeg, person=person.id, weights=of, **columns)
            came[person.key] += 1
            touched.add(person)
        for person in touched:
            if person.name in brought.known:
                rechosen(db, person.id, of, weights.width)
    _unmake(db, [row for row in rows if not came[row.key]], found, brought)
    for key, count in came.items():
        if count or any(row.key == key and row.name in brought.new for row in rows):
            record.write(db, "import", key, count=count, source="import")
    lost = len(found.people) - len(held)
    return brought._replace(exemplars=sum(came.values()), present=present, forgotten=lost)


def _unmake(db: sqlite3.Connection, nothing: Iterable[Row], found: Read, brought: Brought) -> None:
    """Take back new people all of whose exemplars somebody has here: nobody is made of nothing."""
    of = {found.people[one["person"]]["key"] for _, every, _ in found.models for one in every}
    for row in nothing:
        if row.name in brought.new and row.key in of:
            db.execute("DELETE FROM person WHERE id = ?", (row.id,))
            brought.new.remove(row.name)
            brought.conflicts[:] = [pair for pair in brought.conflicts if pair[1] != row.name]


def _person(db: sqlite3.Connection, one: Mapping[str, str], brought: Brought) -> Row:
    """Return the person of a key, made where there is none."""
    key, name = one["key"], one["name"]
    columns = "SELECT id, key, name, note FROM person WHERE key = ?"
    if row := db.execute(columns, (key,)).fetchone():
        known = Row(*row)
        brought.known.append(known.name)
        return known
    free, number = name, 1
    while people.called(db, free) is not None:
        number += 1
        free = f"{name} ({number})"
    if free != name:
        brought.conflicts.append((name, free))
    brought.new.append(free)
    return people.add(db, free, one["note"], key)


def _is_there(db: sqlite3.Connection, weights: int, person: int, one: Mapping[str, Any]) -> bool:
    """Whether the library has this exemplar: the same track, or the same photograph of it."""
    if one["anchor"] is not None:
        said = "SELECT 1 FROM exemplar WHERE anchor = ? AND weights = ?"
        return db.execute(said, (one["anchor"], weights)).fetchone() is not None
    said = (
        "SELECT 1 FROM exemplar JOIN picture ON picture.id = picture "
        "WHERE digest = ? AND weights = ? AND person = ?"
    )
    return db.execute(said, (one["picture"], weights, person)).fetchone() is not None
