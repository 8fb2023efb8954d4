"""``edits.jsonl``: what people decided, one line each, only ever appended.

A line is on disk before it is acknowledged.  A last line that was torn by a crash was never
acknowledged: it is passed over, and gone with the next line.  Who writes holds a lock, and has
read all that others wrote before.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock

from videoclusternet.edits.base import Base
from videoclusternet.edits.edit import FORGET, Edit
from videoclusternet.errors import ConflictError, StoreError
from videoclusternet.runfolder import pending
from videoclusternet.runfolder.files import plain_file, present, sync_folder, writing

EDITS = "edits.jsonl"
FORMAT = 1
"""Of the log: every base says it."""
SETTLED = 2
"""Of a log in which somebody was forgotten; none is newer."""
PATIENCE = 10.0
"""Seconds to wait for another writer, each of which takes some milliseconds."""
MOST_BYTES = 1 << 30
"""Of the log."""
SEAL = b',"crc":"%08x"}'
"""End of a line: CRC-32 of what it would be without."""
Line = tuple[int, Base] | Edit
"""A base, with the number of its line, or an edit."""


class EditLog:
    """The log of one run folder, and how far it has been read.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    path : Path
    lines : int
        Lines that were read.
    torn : bool
        Whether the last line breaks off.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / EDITS
        self.lines = 0
        self.torn = False
        self._read = 0
        self._file = 0
        self._none = False

    def news(self) -> list[Line]:
        """Read the lines that came since the last time.

        Raises
        ------
        StoreError
            When the log cannot be read, is damaged, or of a newer version.
        """
        try:
            if not present(self.path) and not self._read:
                self._none = True
                return []
            about = plain_file(self.path, MOST_BYTES).stat()
            size, before, self._file = about.st_size, self._file, about.st_ino
            if before not in (0, self._file):
                raise self._another()
            if size < self._read:
                raise self._damaged("it is shorter than before")
            with self.path.open("rb") as stream:
                stream.seek(self._read)
                data = stream.read()
        except OSError as error:
            raise StoreError(
                f"cannot read {self.path}: {error.strerror or error}", "check the file"
            ) from error
        whole, _, rest = data.rpartition(b"\n")
        self.torn = bool(rest)
        lines = whole.split(b"\n") if whole else []
        found = [
            self._line(values if is_whole(line) else None)
            for line, values in zip(lines, self._values(lines), strict=True)
        ]
        if self._none and any(isinstance(one, Edit) and one.verb == FORGET for one in found):
            raise self._another()  # nobody had decided anything before
        self._read += len(data) - len(rest)
        return found

    def _values(self, lines: list[bytes]) -> list[Any]:
        """Parse lines: all at once, which is twice as fast, or one by one to tell which is bad."""
        try:
            found = json.loads(b"[" + b",".join(lines) + b"]")
        except (ValueError, RecursionError):
            found = []
        if len(found) != len(lines):
            found = []
            for line in lines:
                try:
                    found.append(json.loads(line))
                except (ValueError, RecursionError):
                    found.append(None)
        return list(found)

    def _line(self, values: Any) -> Line:
        number = self.lines + 1
        try:
            if values["id"] != number:
                raise ValueError("lines are missing")
            if values.get("verb") == "base":
                if values["format"] > SETTLED:
                    raise StoreError(
                        f"{self.path} has format {values['format']}; this program knows formats "
                        f"up to {SETTLED}",
                        "update videoclusternet",
                    )
                line: Line = (number, Base.recorded(values))
            else:
                line = Edit.recorded(values)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as e:
            raise self._damaged(f"line {number} cannot be read") from e
        self.lines = number
        return line

    def _another(self) -> StoreError:
        """Return the error for a log that is not the one that was read."""
        self._file = -1  # for ever
        return ConflictError(
            f"{self.path} was written anew, as when somebody is forgotten", "open the run again"
        )

    def _damaged(self, how: str) -> StoreError:
        return StoreError(
            f"{self.path} is damaged: {how}",
            "restore it; or move it away, to go on without what people decided",
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the log for one writer; others wait.

        Raises
        ------
        StoreError
            When the folder cannot be written, its run is still being computed, or another
            writer holds it for long.
        """
        folder = self.path.parent
        run = filelock.FileLock(folder / "lock")
        with writing(self.path):
            try:
                own = filelock.FileLock(folder / "edits.lock")
                own.acquire(timeout=PATIENCE)
            except filelock.Timeout:
                raise StoreError(
                    f"{self.path} is being written by somebody else", "try again"
                ) from None
        try:
            with writing(self.path):
                try:
                    run.acquire(timeout=0)
                except filelock.Timeout:
                    raise StoreError(
                        f"{folder} is still being computed", "wait until it is finished"
                    ) from None
            try:
                pending.finish(folder)
                yield
            finally:
                run.release()
        finally:
            own.release()

    def append(self, records: Sequence[dict[str, Any]]) -> None:
        """Write lines, all or none, and return when they are on disk; the log has to be held.

        Raises
        ------
        StoreError
            When it cannot be written.
        """
        data = b"".join(sealed(record) for record in records)
        with writing(self.path):
            fresh = not present(self.path)
            flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            number = os.open(self.path, flags | getattr(os, "O_BINARY", 0), 0o666)
            try:
                os.ftruncate(number, self._read)  # what a crash tore was never acknowledged
                os.lseek(number, self._read, os.SEEK_SET)
                try:
                    _write(number, data)
                    os.fsync(number)
                except OSError:
                    os.ftruncate(number, self._read)
                    raise
            finally:
                os.close(number)
            if fresh:
                sync_folder(self.path.parent)
        self._read += len(data)
        self.lines += len(records)
        self.torn = False


def sealed(record: dict[str, Any]) -> bytes:
    """Return a line of the log, with its checksum: a letter of a name may turn into another."""
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    return body[:-1] + SEAL % zlib.crc32(body) + b"\n"


def is_whole(line: bytes) -> bool:
    """Whether a line is as it was written."""
    size = len(SEAL % 0)
    return line[-size:] == SEAL % zlib.crc32(line[:-size] + b"}")


def _write(number: int, data: bytes) -> None:
    while data:
        data = data[os.write(number, data) :]
