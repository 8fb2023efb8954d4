"""The file of a library: opened, read and written whole or not at all, with errors in words."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from videoclusternet.errors import LibraryError, VcnError
from videoclusternet.library import schema
from videoclusternet.library.verify import problems
from videoclusternet.outside.files import exists, is_file, is_folder, is_name, said

WAIT = 10.0
"""Seconds that a writer waits for another one."""
VARIABLE = "VCN_LIBRARY"
"""Variable of the environment that names the library."""
ANEW = 1 << 30
"""Bytes up to which a file is written anew when somebody is forgotten: in as much memory."""
FILE = "library.db"
BESIDE = ("-wal", "-shm", "-journal")
"""Ends of the names of what SQLite writes beside a file."""
_KEPT = "nothing was changed"
_SAID = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What SQLite says, also of damage in words that are no text."""
_STRANGE = (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError)
"""What values of another kind than were written lead to."""


def default_path() -> Path:
    """Return where the library of this user lies: ``VCN_LIBRARY``, else in the data folder."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "videoclusternet" / FILE


class Database:
    """An open file; see :func:`connected`.

    Attributes
    ----------
    path : Path
    writable : bool
    """

    def __init__(self, path: Path, db: sqlite3.Connection, writable: bool) -> None:
        self.path, self.writable = path, writable
        self._db = db

    def close(self) -> None:
        """Close the file; what was written moves from the write-ahead log into it."""
        with suppress(sqlite3.Error):  # what it says is in the log, and read from there
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read one state of the library, whatever others write meanwhile.

        Raises
        ------
        LibraryError
            When it is damaged or cannot be read.
        """
        with self._within("BEGIN") as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Change the library: all that is done inside is there afterwards, or nothing of it.

        Raises
        ------
        LibraryError
            When it is read-only, somebody else is writing for long, there is no room, or it is
            damaged.
        """
        if not self.writable:
            raise _read_only(self.path)
        with self._within("BEGIN IMMEDIATE") as db:
            yield db

    def wipe(self) -> bool:
        """Have nothing of what was deleted in the file or beside it; whether that could be done.

        Deleted rows are overwritten as they go.  What is left are copies of them in the
        write-ahead log, and in pages that were moved: the file is written anew where it is not
        too large to be held in memory, and the log emptied.
        """
        try:
            with speaking(self.path):
                self._emptied()
                if self.path.stat().st_size <= ANEW:
                    self._db.execute("VACUUM")
                return self._emptied()
        except LibraryError:
            return False  # somebody else reads or writes, or there is no room: it is tried again
        except OSError:
            return False

    def _emptied(self) -> bool:
        """Empty the write-ahead log; whether nobody who reads an earlier state kept it."""
        (busy, *_) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    @contextmanager
    def _within(self, begin: str) -> Iterator[sqlite3.Connection]:
        with speaking(self.path):
            self._db.execute(begin)
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:  # of a full disk SQLite has ended it by itself
                    self._db.execute("ROLLBACK")
                self.blame(error)
                raise

    def blame(self, error: BaseException | None) -> None:
        """Where an error is not ours and the file holds values that nobody wrote, say so.

        Raises
        ------
        LibraryError
            When it does.
        """
        if isinstance(error, _STRANGE) and not isinstance(error, VcnError):
            with speaking(self.path):
                for wrong in problems(self._db):
                    raise LibraryError(f"{self.path} is damaged: {wrong}", _RESTORE) from error


def connected(path: Path, create: bool = False, write: bool = True, wait: float = WAIT) -> Database:
    """Open the file of a library.

    Parameters
    ----------
    path : Path
    create : bool
        Whether to make one where there is none.
    write : bool
        Whether it may be changed; what cannot be written is opened to be read all the same.
    wait : float
        Seconds to wait for somebody else who writes.

    Raises
    ------
    LibraryError
        When it is missing, no library, of a newer format, damaged, or cannot be made.
    """
    _look(path, create)
    db, writable = _connection(path, write, wait)
    try:
        with speaking(path):
            for said_of in ("trusted_schema = OFF", "cell_size_check = ON", "foreign_keys = ON"):
                db.execute(f"PRAGMA {said_of}")
            db.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
            db.execute("PRAGMA temp_store = MEMORY")  # nobody's face in a temporary file
            if _is_empty(db):
                if not create:
                    raise _missing(path)
                _begin(db, wait)
            _check(path, db)
    except BaseException:
        db.close()
        raise
    return Database(path, db, writable)


def _look(path: Path, create: bool) -> None:
    """Refuse what is no file, and make an empty one that only this user may read."""
    if not is_name(str(path)):
        raise LibraryError("the library cannot have this name", "choose another --library")
    if is_folder(path):
        raise LibraryError(f"{path} is a folder, not a library", "name a file in it")
    for end in BESIDE:  # SQLite would wait for who writes to a pipe
        other = path.with_name(path.name + end)
        if exists(other) and not is_file(other):
            raise LibraryError(f"{other} is no file of a library", "take it away")
    if exists(path):
        if not is_file(path):
            raise LibraryError(f"{path} is no file, so no library", "choose another --library")
        return
    if not create:
        raise _missing(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise LibraryError(
            f"cannot make {path}: {said(error)}", "make room, or choose another --library"
        ) from error


def _missing(path: Path) -> LibraryError:
    return LibraryError(
        f"there is no library at {path}", "`vcn library add RUN` makes one, or name another"
    )


def _read_only(path: Path) -> LibraryError:
    return LibraryError(f"{path} is read-only: {_KEPT}", "check its permissions and its folder's")


def _connection(path: Path, write: bool, wait: float) -> tuple[sqlite3.Connection, bool]:
    """Connect, and where the folder cannot be written, to the file alone.

    Returns
    -------
    connection, and whether it can write
    """
    path = Path(os.path.realpath(path))  # its log lies beside the file, not beside a link to it
    address = "file://" + quote(os.fsencode(path))
    modes = ["rw", "ro"] if write else ["ro"]
    if not _holds(path.with_name(path.name + "-wal")):
        modes.append("ro&immutable=1")  # without a log beside it, the file is all there is
    while True:
        mode = modes.pop(0)
        db = sqlite3.connect(f"{address}?mode={mode}", timeout=wait, isolation_level=None, uri=True)
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except _SAID as error:
            db.close()
            refused = _code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            if not (modes and refused):
                raise told(path, error) from error
        else:
            return db, mode == "rw" and os.access(path, os.W_OK)


def _holds(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _is_empty(db: sqlite3.Connection) -> bool:
    return _number(db, "application_id") == 0 and not schema.said(db)


def _begin(db: sqlite3.Connection, wait: float) -> None:
    """Make a library of an empty file; of several at once the first one does."""
    until = time.monotonic() + wait
    while True:
        try:
            db.execute(f"PRAGMA page_size = {schema.PAGE}")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")
            break
        except sqlite3.OperationalError as error:
            # SQLite does not wait when it is the mode that changes.
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)
    try:
        if _is_empty(db):
            schema.make(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _check(path: Path, db: sqlite3.Connection) -> None:
    if _number(db, "application_id") != schema.APPLICATION:
        raise LibraryError(
            f"{path} is a file of another program, not a library of people",
            "choose another --library",
        )
    version = _number(db, "user_version")
    if version > schema.FORMAT:
        raise LibraryError(
            f"{path} has format {version}; this program knows formats up to {schema.FORMAT}",
            "update videoclusternet",
        )
    if version != schema.FORMAT or not schema.is_ours(db):
        raise LibraryError(f"{path} is damaged: its tables are not those of a library", _RESTORE)


def _number(db: sqlite3.Connection, pragma: str) -> int:
    return int(db.execute(f"PRAGMA {pragma}").fetchone()[0])


_RESTORE = "keep a copy, then restore it, or `vcn library import` an export into a new one"


@contextmanager
def speaking(path: Path) -> Iterator[None]:
    """Turn what SQLite says into an error that says what to do."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a defect of ours
    except _SAID as error:
        raise told(path, error) from error


def told(path: Path, error: Exception) -> LibraryError:
    """Return the error that says what SQLite means."""
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LibraryError(
            f"{path} is in use: somebody else is writing to it; {_KEPT}", "try again when they end"
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return _read_only(path)
    if code == sqlite3.SQLITE_CANTOPEN:
        return LibraryError(f"cannot open {path}: {error}", "check its permissions")
    if code == sqlite3.SQLITE_FULL:
        return LibraryError(f"no room to write {path}: {_KEPT}", "make room, then try again")
    if code == sqlite3.SQLITE_IOERR:
        return LibraryError(
            f"cannot read or write {path}: {error}; {_KEPT}", "check the disk and its room"
        )
    if code == sqlite3.SQLITE_NOTADB:
        return LibraryError(f"{path} is no library of people", "choose another --library")
    return LibraryError(f"{path} is damaged: {error}", _RESTORE)


def _code(error: Exception) -> int:
    """Return the kind of an error; what Python says itself has none and is of damage."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)) & 0xFF
