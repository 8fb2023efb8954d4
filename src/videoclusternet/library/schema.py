"""How a library lies in its file: tables, what says that it is one, and of which format."""

from __future__ import annotations

import sqlite3

APPLICATION = 0x56434E4C
"""What the head of the file says of whose it is: ``VCNL``."""
FORMAT = 1
"""Of the tables; a newer one is refused."""
PAGE = 8192
"""Bytes of a page: seven embeddings of 512 values."""

TABLES = (
    # A key is never used again, also not of somebody who was forgotten.
    """CREATE TABLE person (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        folded TEXT NOT NULL UNIQUE,
        note TEXT NOT NULL DEFAULT ''
    )""",
    """CREATE TABLE weights (
        id INTEGER PRIMARY KEY,
        digest TEXT NOT NULL UNIQUE,
        model TEXT NOT NULL,
        width INTEGER NOT NULL CHECK (width BETWEEN 1 AND 65536)
    )""",
    "CREATE TABLE film (id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE, name TEXT NOT NULL)",
    "CREATE TABLE run (id INTEGER PRIMARY KEY, folder BLOB NOT NULL UNIQUE)",
    # In that run, the character of this name is that person.
    """CREATE TABLE credit (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        folded TEXT NOT NULL,
        person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
        digest TEXT NOT NULL DEFAULT '',
        UNIQUE (run, folded)
    )""",
    "CREATE INDEX credit_of ON credit (person)",
    """CREATE TABLE picture (
        id INTEGER PRIMARY KEY,
        digest TEXT NOT NULL UNIQUE,
        jpeg BLOB NOT NULL
    )""",
    # ``anchor`` is the track; of a photograph there is none, ``source`` is its file.
    """CREATE TABLE exemplar (
        id INTEGER PRIMARY KEY,
        person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
        weights INTEGER NOT NULL REFERENCES weights,
        look INTEGER NOT NULL CHECK (look >= 0),
        length REAL NOT NULL,
        threshold REAL,
        crops INTEGER NOT NULL,
        quality REAL,
        hand INTEGER NOT NULL DEFAULT 0,
        picture INTEGER REFERENCES picture,
        film INTEGER REFERENCES film,
        frame INTEGER,
        seconds REAL,
        run INTEGER REFERENCES run ON DELETE SET NULL,
        credit INTEGER REFERENCES credit ON DELETE SET NULL,
        anchor TEXT,
        source TEXT NOT NULL DEFAULT '',
        author TEXT NOT NULL,
        time TEXT NOT NULL,
        UNIQUE (anchor, weights)
    )""",
    "CREATE INDEX exemplar_of ON exemplar (person, weights, look)",
    "CREATE INDEX exemplar_picture ON exemplar (picture)",
    "CREATE INDEX exemplar_film ON exemplar (film)",
    "CREATE INDEX exemplar_run ON exemplar (run)",
    "CREATE INDEX exemplar_credit ON exemplar (credit)",
    # Apart from the rest, so that a million of them are read in one go: float16, little endian.
    """CREATE TABLE embedding (
        exemplar INTEGER PRIMARY KEY REFERENCES exemplar ON DELETE CASCADE,
        mean BLOB NOT NULL
    )""",
    # Pictures and films that nobody refers to any more go, whoever deletes.
    """CREATE TRIGGER picture_goes AFTER DELETE ON exemplar
        WHEN NOT EXISTS (SELECT 1 FROM exemplar WHERE picture = old.picture)
        BEGIN DELETE FROM picture WHERE id = old.picture; END""",
    """CREATE TRIGGER film_goes AFTER DELETE ON exemplar
        WHEN NOT EXISTS (SELECT 1 FROM exemplar WHERE film = old.film)
        BEGIN DELETE FROM film WHERE id = old.film; END""",
    # Of whom runs still hold something, by key, and by hashes of the tracks that showed them;
    # without a run it is this file that still has to be written anew.
    """CREATE TABLE forgetting (
        id INTEGER PRIMARY KEY,
        person TEXT NOT NULL,
        run BLOB,
        tracks TEXT NOT NULL DEFAULT ''
    )""",
    # Who decided what, by keys: no name is in it, so nothing of it need ever be changed.
    """CREATE TABLE record (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time TEXT NOT NULL,
        author TEXT NOT NULL,
        verb TEXT NOT NULL,
        person TEXT NOT NULL,
        other TEXT NOT NULL DEFAULT '',
        count INTEGER NOT NULL DEFAULT 0,
        run INTEGER,
        source TEXT NOT NULL DEFAULT ''
    )""",
    "CREATE INDEX record_of ON record (person)",
    """CREATE TRIGGER record_stays BEFORE UPDATE ON record
        BEGIN SELECT raise(ABORT, 'the record only grows'); END""",
    """CREATE TRIGGER record_keeps BEFORE DELETE ON record
        BEGIN SELECT raise(ABORT, 'the record only grows'); END""",
)


def make(db: sqlite3.Connection) -> None:
    """Make the tables, inside a transaction: a file holds all of them or none."""
    for table in TABLES:
        db.execute(table)
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    db.execute(f"PRAGMA user_version = {FORMAT}")


def said(db: sqlite3.Connection) -> list[str]:
    """Return the statements that a file was made of, without those that SQLite adds."""
    rows = db.execute("SELECT sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    return sorted(sql or "" for (sql,) in rows)


def is_ours(db: sqlite3.Connection) -> bool:
    """Whether the tables are those of this format: a file from elsewhere may hold any trigger."""
    return said(db) == sorted(TABLES)
