"""``batch.jsonl``: what became of each film, a line for every change; only the driver writes it.

The first line says the format.  A film's last line holds.  Who begins writes the file anew with one
line a film, and then only appends, so that it can be read at any moment and after any kill: a last
line that breaks off is passed over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import filelock

from videoclusternet.errors import StoreError
from videoclusternet.runfolder.beside import RECORDS
from videoclusternet.runfolder.files import plain_file, present, replacing, writing

LOCK = "lock"
FORMAT = 1
MOST_BYTES = 1 << 30
"""Of the file."""
PATIENCE = 2.0
"""Seconds to wait for the lock: who only looks whether somebody holds it is gone at once."""
State = Literal["waiting", "running", "done", "failed", "timed out", "killed"]
STATES: tuple[State, ...] = get_args(State)
ENDED: tuple[State, ...] = ("done", "failed", "timed out", "killed")


@dataclass(frozen=True)
class Record:
    """A film of a batch.

    Attributes
    ----------
    film : str
        Its path, absolute.
    run : str
        Name of its run folder, in the folder of the batch.
    state : str
        ``waiting``, ``running``, ``done``; ``failed``: it cannot be clustered; ``timed out``: it
        gave no sign of life; ``killed``: its worker was.
    code : int or None
        How its worker ended: an exit code of ``vcn``, or a signal as a negative number.
    reason : str
        Why it is not done.
    tries : int
        Workers that it was given.
    seconds : float
        That the last one took.
    size, changed : int
        Of its file as it was then: bytes, and when it was changed, ns; -1 for what is no file.
    settings : str
        Hash of the settings.
    where : str
        Machine that did it.
    time : str
        When it came to this state, UTC.
    """

    film: str
    run: str
    state: State = "waiting"
    code: int | None = None
    reason: str = ""
    tries: int = 0
    seconds: float = 0.0
    size: int = -1
    changed: int = -1
    settings: str = ""
    where: str = ""
    time: str = ""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Record:
        """Take a line; keys of later versions are passed over.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it is none.
        """
        kinds: dict[str, Any] = {name: type(one) for name, one in asdict(cls("", "")).items()}
        kinds |= {"code": int | None, "seconds": float | int}
        taken = {name: values[name] for name in kinds if name in values}
        for name, value in taken.items():
            if isinstance(value, bool) or not isinstance(value, kinds[name]):
                raise TypeError(f"{name} is {value!r}")
        made = cls(**{"film": values["film"], "run": values["run"], **taken})
        if made.state not in STATES or Path(made.run).name != made.run or made.run[:1] == ".":
            raise ValueError(f"{made.run!r} is {made.state!r}")
        return made


def now() -> str:
    """Return the time of day, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_records(folder: Path) -> dict[str, Record]:
    """Return the films of a batch by their paths, as they are now.

    Raises
    ------
    StoreError
        When there is no batch, or it is damaged or of a newer format.
    """
    path = folder / RECORDS
    try:
        lines = plain_file(path, MOST_BYTES).read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        raise StoreError(f"{folder} holds no batch (no {RECORDS})", "check the path") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}", "check it") from error
    records: dict[str, Record] = {}
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
            if number == 1:
                _check_format(path, values["format"])
                continue
            record = Record.read(values)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise StoreError(
                f"{path} is damaged: line {number}", "restore it, or choose another folder with -o"
            ) from error
        records[record.film] = record
    return records


def _check_format(path: Path, version: Any) -> None:
    if type(version) is not int:
        raise TypeError("the format is a number")
    if version > FORMAT:
        raise StoreError(
            f"{path} has format {version}; this program knows formats up to {FORMAT}",
            "update videoclusternet",
        )


class Journal:
    """The records of a batch that this process drives.

    Attributes
    ----------
    records : dict of str to Record
        By the path of the film.
    """

    def __init__(self, folder: Path, records: dict[str, Record]) -> None:
        self.folder, self.records = folder, records

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Journal]:
        """Hold the folder of a batch, which is made where there is none.

        Raises
        ------
        StoreError
            When another process holds it, it is something else, or cannot be written.
        """
        with writing(folder):
            if folder.is_dir() and not present(folder / RECORDS):
                strange = {p.name for p in folder.iterdir()} - {LOCK, f".{RECORDS}.tmp"}
                if strange:
                    raise StoreError(
                        f"{folder} is not empty and no batch", "choose another folder with -o"
                    )
            folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(folder / LOCK)
            try:
                lock.acquire(timeout=PATIENCE)
            except filelock.Timeout:
                raise StoreError(
                    f"{folder} is in use by another batch", "wait for it, or choose another folder"
                ) from None
        try:
            records = read_records(folder) if present(folder / RECORDS) else {}
            journal = cls(folder, records)
            yield journal
        finally:
            lock.release()

    def begin(self, records: Mapping[str, Record]) -> None:
        """Write the file anew, with these films."""
        self.records = dict(records)
        path = self.folder / RECORDS
        lines = [{"format": FORMAT}, *map(asdict, self.records.values())]
        with replacing(path) as temporary:
            temporary.write_bytes(b"".join(map(_line, lines)))

    def add(self, record: Record) -> None:
        """Note what became of a film; it is on disk when this returns.

        Raises
        ------
        StoreError
        """
        self.records[record.film] = record
        path = self.folder / RECORDS
        with writing(path), path.open("ab") as stream:
            stream.write(_line(asdict(record)))
            stream.flush()
            os.fsync(stream.fileno())


def _line(values: Mapping[str, Any]) -> bytes:
    # Escaped, a path that is no UTF-8 comes back as it was.
    return json.dumps(values).encode("ascii") + b"\n"


def is_driven(folder: Path) -> bool:
    """Whether a process drives a batch now, as far as this machine can tell."""
    try:
        if not present(folder / LOCK):
            return False
        lock = filelock.FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    except OSError:  # may not be written: nobody else of this user can drive it either
        return False
    lock.release()
    return False
