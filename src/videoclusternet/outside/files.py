"""Files that a user names: looked at and opened without waiting, and read up to a limit.

A path may be anything: a pipe that nobody writes to, a folder, a name longer than the system
takes, a file that this user may not read.  Each ends in the error that its reader asks for.
"""

from __future__ import annotations

import errno
import io
import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from videoclusternet.errors import VcnError

LARGEST = 1 << 30
"""Bytes of a file of text or labels at most: the largest known has some megabytes."""


def exists(path: Path) -> bool:
    """Whether something lies there; a name that cannot be one is of nothing."""
    return os.path.exists(path)


def is_name(text: str) -> bool:
    """Whether the system could have a file of this name: JSON may hold what none has."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def is_file(path: Path) -> bool:
    """Whether a file lies there: no folder, no pipe, no device."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Whether a folder lies there."""
    return os.path.isdir(path)


def opened(path: Path, error: type[VcnError]) -> io.BufferedReader:
    """Open a regular file to be read.

    Raises
    ------
    error
        When it is missing, may not be read, or is a folder, a pipe or a device.
    """
    try:
        # Without the flag, opening a pipe waits until somebody writes to it.
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    except (OSError, ValueError) as reason:
        raise error(f"cannot read {path}: {said(reason)}", "check the path") from reason
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise error(f"cannot read {path}: it is no file of data", "check the path")
    return os.fdopen(number, "rb")


_BINARY = getattr(os, "O_BINARY", 0)  # of Windows


def size_of(path: Path, error: type[VcnError]) -> int:
    """Return the bytes of a regular file.

    Raises
    ------
    error
        As :func:`opened`.
    """
    with opened(path, error) as stream:
        return os.fstat(stream.fileno()).st_size


def read_bytes(path: Path, error: type[VcnError], largest: int = LARGEST) -> bytes:
    """Read a regular file whole.

    Raises
    ------
    error
        As :func:`opened`, and when it is larger than ``largest`` bytes.
    """
    with opened(path, error) as stream:
        try:
            size = os.fstat(stream.fileno()).st_size
            data = stream.read(min(size, largest) + 1)  # room is made for all of it at once
        except OSError as reason:
            raise error(f"cannot read {path}: {said(reason)}", "check the disk") from reason
    if len(data) > largest:
        raise error(f"{path} has more than {largest:,} bytes", "is it the right file?")
    return data


def read_text(path: Path, error: type[VcnError], largest: int = LARGEST) -> str:
    """Read a text file in UTF-8, with a byte order mark or without.

    Raises
    ------
    error
        As :func:`read_bytes`, and when it is no UTF-8.
    """
    try:
        return read_bytes(path, error, largest).decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise error(f"{path} is not a text file: {reason}", "save it as UTF-8") from reason


def opened_text(path: Path, error: type[VcnError]) -> TextIO:
    """Open a text file in UTF-8 as ``csv`` wants it, with a byte order mark or without.

    Reading on may raise UnicodeDecodeError.

    Raises
    ------
    error
        As :func:`opened`.
    """
    return io.TextIOWrapper(opened(path, error), encoding="utf-8-sig", newline="")


def read_json(path: Path, error: type[VcnError], largest: int = LARGEST) -> Any:
    """Read a JSON file in UTF-8, with a byte order mark or without.

    Raises
    ------
    error
        As :func:`read_text`, and when it is no JSON, or nested deeper than can be read.
    """
    text = read_text(path, error, largest)
    try:
        return json.loads(text)
    except RecursionError as reason:
        raise error(f"{path} is no JSON: too many brackets", "is it the right file?") from reason
    except ValueError as reason:  # also of too many digits
        raise error(f"{path} is no JSON: {reason}", "is it the right file?") from reason


def said(reason: Exception) -> str:
    """Return what the system says, without the path that the message names itself."""
    return str(getattr(reason, "strerror", None) or reason)


def opened_anew(path: Path, keep: bool = False) -> BinaryIO:
    """Open a file to be written, or to be gone on with.

    Raises
    ------
    OSError
        When it cannot be written, or something else than a file lies there.
    """
    if os.path.lexists(path) and not os.path.isfile(path):
        raise FileExistsError(errno.EEXIST, "it is no file of data", str(path))
    return open(path, "ab" if keep else "wb")
