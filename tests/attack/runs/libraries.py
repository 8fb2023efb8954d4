"""Libraries of people that are damaged, or of other programs and versions.

Whatever a library holds, each command reads it or says in one line why not; one that fails leaves
the file as it was, and nothing beside it.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from tests.attack.campaign import Family
from tests.attack.case import Case, Outcome, Place
from tests.attack.material import QUICK, Material, copied
from tests.attack.runs.folders import SPOILS, Spoil

Tamper = Callable[[sqlite3.Connection], object]
FILE = "people.db"
READS: tuple[tuple[str, ...], ...] = (
    ("list", "--json"),
    ("list", "--page", "page.html"),
    ("show", "Anna"),
    ("log",),
    ("export", "out.zip"),
    ("forget", "Anna", "--dry-run"),
    ("verify",),
)
WRITES: tuple[tuple[str, ...], ...] = (
    ("add", "run.vcn"),
    ("import", "clean.zip"),
    ("rename", "Anna", "Anne"),
    ("note", "Anne", "a note"),
    ("merge", "Anne", "Bo"),
    ("forget", "Anne", "--yes"),
)
BESIDE = (f"{FILE}-wal", f"{FILE}-shm")
"""SQLite's own."""
FILES = (
    b"p?mode=memory.db",
    b"p#1.db",
    b"p%00.db",
    b"\xff.db",
    b"a b\n.db",
    b":memory:",
    b"-x.db",
    "ö é.db".encode(),
)
"""Of libraries."""


def library(material: Material) -> Path:
    """Return a folder with a library, a run that is in it, and an export of it."""
    material.command("known.vcn", "cluster", material.film, "-o", "known.vcn", *QUICK)
    run = material.folder / "known.vcn"
    if not (run / "edits.jsonl").exists():
        place = Place(material.folder, random.Random(0))
        place.vcn("edit", run, "name", "1", "Anna", codes=(0,))
        place.vcn("edit", run, "name", "2", "Bo", codes=(0,))
        place.vcn("edit", run, "confirm", *(w for n in "0123" for w in ("--track", n)), codes=(0,))
        assert not place.faults, place.faults
    path = material.command(FILE, "library", "add", run, "--library", FILE)
    material.command("clean.zip", "library", "export", "clean.zip", "--library", FILE)
    return path


def laid_out(material: Material, place: Place) -> Path:
    """Copy the library, its run and its export into the folder of a case."""
    home = library(material).parent
    copied(home / "known.vcn", place.folder / "run.vcn")
    copied(home / "clean.zip", place.folder / "clean.zip")
    return copied(home / FILE, place.folder / FILE)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return the files of a folder, without SQLite's own beside the library."""
    found: dict[str, bytes | None] = {}
    for path in folder.iterdir():
        plain = path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 28
        if path.name not in BESIDE:
            found[path.name] = path.read_bytes() if plain else None
    return found


def library_says(place: Place, *words: str, file: str | bytes = FILE) -> Outcome:
    """Call a command of libraries; where it fails, the folder is as it was."""
    before = contents(place.folder)
    said = place.vcn("library", *words, "--library", file, codes=(0, 2, 5, 6))
    if said.code and "forgotten in part" not in said.err:
        wrong = {n for n, data in contents(place.folder).items() if before.get(n, 0) != data}
        wrong |= before.keys() - contents(place.folder).keys()
        place.must(not wrong, f"{words}: exit code {said.code}, changed: {sorted(wrong)}")
    return said


def used(
    material: Material,
    place: Place,
    reads: tuple[tuple[str, ...], ...] = READS,
    writes: tuple[tuple[str, ...], ...] = WRITES,
) -> None:
    """Read a library, find people by it, and change it."""
    for one in reads:
        library_says(place, *one)
    wanted = ("-o", "found.vcn", "--library", FILE, *QUICK)
    place.vcn("cluster-tracks", material.crops, *wanted, codes=(0, 5))
    for one in writes:
        library_says(place, *one)


def spoiled_files(material: Material, rng: random.Random) -> Iterator[Case]:
    """The file, in every way."""
    for spoil in SPOILS:
        for number in range(6 if spoil.__name__ in ("truncated", "flipped", "zeroed") else 1):

            def attack(place: Place, spoil: Spoil = spoil) -> None:
                spoil(laid_out(material, place), place.rng)
                used(material, place)

            yield Case(f"{spoil.__name__} {number}", attack)


def changed_pages(material: Material, rng: random.Random) -> Iterator[Case]:
    """A byte or two of what is in use: heads of rows, lengths, pointers."""
    data = library(material).read_bytes()
    full = [n for n in range(100, len(data)) if data[n]]
    for number in range(40):

        def attack(place: Place) -> None:
            path = laid_out(material, place)
            damaged = bytearray(data)
            for at in place.rng.sample(full, place.rng.randint(1, 3)):
                damaged[at] = place.rng.randrange(256)
            path.write_bytes(damaged)
            used(material, place)

        yield Case(f"bytes {number}", attack)


ODD: tuple[Any, ...] = (
    None, "", "text", "a\0b", "1", b"", b"\xff\xfe", b"12345678",
    -1, 0, 1, 2**31, 2**62, -(2**63), 0.5, -3.5, 1e300, float("inf"), -float("inf"),
)  # fmt: skip
"""In place of a value of a table."""


def changed_values(material: Material, rng: random.Random) -> Iterator[Case]:
    """Values of other kinds in rows of the tables."""
    with closing(sqlite3.connect(library(material))) as db:
        columns = [
            (table, str(column[1]))
            for table in ("person", "weights", "film", "run", "credit", "picture", "exemplar")
            for column in db.execute(f"PRAGMA table_info({table})")
        ]
    columns += [("embedding", "mean"), ("forgetting", "run"), ("forgetting", "person")]
    for table, column in columns:
        for value in rng.sample(ODD, 4):

            def tamper(
                db: sqlite3.Connection, table: str = table, column: str = column, value: Any = value
            ) -> object:
                if table == "forgetting":
                    row = {"person": "x", "run": b"/nowhere", column: value}
                    return db.execute(
                        "INSERT INTO forgetting (person, run) VALUES (:person, :run)", row
                    )
                one = f"id = (SELECT max(id) FROM {table})" if table != "embedding" else "1"
                return db.execute(f"UPDATE {table} SET {column} = ? WHERE {one}", (value,))

            yield Case(f"{table}.{column} = {value!a}", partial(_with_tables, material, tamper))


def _with_tables(material: Material, tamper: Tamper, place: Place) -> None:
    path = laid_out(material, place)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        try:
            tamper(db)
        except sqlite3.IntegrityError:
            return  # not even SQLite takes it
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    used(material, place)


STRANGERS: dict[str, tuple[str, ...]] = {
    "another program": ("PRAGMA application_id = 7",),
    "nobody's": ("PRAGMA application_id = 0",),
    "newer": ("PRAGMA user_version = 99",),
    "older": ("PRAGMA user_version = 0",),
    "negative": ("PRAGMA user_version = -1",),
    "a table more": ("CREATE TABLE x (y)",),
    "a table less": ("DROP TABLE embedding",),
    "a view for a table": ("DROP TABLE film", "CREATE VIEW film AS SELECT 1 AS id"),
    "a trigger": (
        "CREATE TRIGGER t AFTER UPDATE ON person BEGIN DELETE FROM exemplar; END",
    ),
    "an index less": ("DROP INDEX record_of",),
    "nobody": ("DELETE FROM exemplar", "DELETE FROM person"),
    "no exemplar": ("DELETE FROM exemplar",),
    "no embedding": ("DELETE FROM embedding",),
    "references to nothing": ("UPDATE exemplar SET person = 99, film = 99, picture = 99",),
    "another width": ("UPDATE weights SET width = 7",),
    "UTF-16 names": ("UPDATE person SET name = CAST(x'ff00fe' AS TEXT)",),
    "rollback journal": ("PRAGMA journal_mode = DELETE",),
}  # fmt: skip
"""What other programs and other versions leave."""


def strangers(material: Material, rng: random.Random) -> Iterator[Case]:
    """Files of other programs and versions, and odd things beside the file."""
    for name, said in STRANGERS.items():

        def tamper(db: sqlite3.Connection, said: tuple[str, ...] = said) -> None:
            for one in said:
                db.execute(one)

        yield Case(name, partial(_with_tables, material, tamper))
    for end in ("-wal", "-shm", "-journal"):
        for what in ("noise", "folder", "pipe", "link", "log"):
            yield Case(f"{what} at {end}", partial(_beside, material, end, what))
    for text in ("SELECT 1", "SQLite format 3\0", "x" * 100_000):
        yield Case(f"{text[:12]!a}", partial(_of_text, material, text))
    for name in FILES:
        yield Case(f"called {name!a}", partial(_called, material, name))


def _beside(material: Material, end: str, what: str, place: Place) -> None:
    path = laid_out(material, place)
    other = path.with_name(path.name + end)
    other.unlink(missing_ok=True)
    if what == "noise":
        other.write_bytes(place.rng.randbytes(5000))
    elif what == "folder":
        other.mkdir()
    elif what == "pipe":
        os.mkfifo(other)
    elif what == "link":
        other.symlink_to("nowhere")
    else:  # of another library
        with closing(sqlite3.connect(place.folder / "x.db")) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("CREATE TABLE x (y)")
            other.write_bytes((place.folder / "x.db-wal").read_bytes())
        for left in place.folder.glob("x.db*"):
            left.unlink()
    for one in (*READS, *WRITES):  # what lies there is SQLite's: whole logs count
        place.vcn("library", *one, "--library", FILE, codes=(0, 2, 5))


def _of_text(material: Material, text: str, place: Place) -> None:
    laid_out(material, place).write_text(text)
    used(material, place)


def _called(material: Material, name: bytes, place: Place) -> None:
    laid_out(material, place).unlink()
    made = place.vcn("library", "import", "clean.zip", "--library", b"./" + name, codes=(0, 5))
    if made.code == 0:
        there = os.path.exists(os.fsencode(place.folder) + b"/" + name)
        place.must(there, f"{name!a} was made elsewhere")
        said = place.vcn("library", "list", "--library", b"./" + name, codes=(0,))
        place.must("Anna" in said.out, "nobody is in it")


FAMILY: Family = {
    "spoiled files": spoiled_files,
    "bytes": changed_pages,
    "values": changed_values,
    "strangers": strangers,
}
