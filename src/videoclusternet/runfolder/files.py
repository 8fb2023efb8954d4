"""Files that come from elsewhere: what is no plain file of a sane size is not opened."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videoclusternet.errors import StoreError

TEMPORARY = ".*.tmp"
"""Names of what is being written."""


def present(path: Path) -> bool:
    """Whether there is something of this name, a broken link included.

    Raises
    ------
    OSError
        When nobody can say: the folder may not be read, or the name is too long.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def plain_file(path: Path, most: int | None = None) -> Path:
    """Return a path if a plain file lies there: a pipe would be waited for without end.

    Parameters
    ----------
    path : Path
        Or a link to a file.
    most : int, optional
        Bytes that it may have.

    Raises
    ------
    OSError
        When it is missing, something else, or too large.
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path} is no file")
    if most is not None and found.st_size > most:
        raise OSError(f"{path} has {found.st_size} bytes, more than {most}")
    return path


def new_beside(path: Path) -> Path:
    """Make the empty file ``.NAME.tmp`` that will take a name once it is written.

    What an ended process left of that name goes.  No link is followed, wherever the folder
    comes from: the file is a new one.

    Raises
    ------
    OSError
    """
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(temporary, flags, 0o666))
    return temporary


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write into an error that says what to do."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}",
            "make room or choose another place; what was finished is kept",
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write to a temporary name beside ``path``, then rename: all or nothing.

    What is there and no file, a folder or a device, keeps its place.
    """
    with writing(path):
        if os.path.exists(path) and not os.path.isfile(path):
            raise FileExistsError(errno.EEXIST, "it is no file of data", str(path))
        temporary = new_beside(path)
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the content of a file on disk before anything that comes after it.

    Raises
    ------
    OSError
    """
    with path.open("rb+") as stream:  # Windows flushes only what may be written
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk as well; Windows knows no such thing.

    Raises
    ------
    OSError
    """
    if os.name == "nt":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def sweep(folder: Path) -> None:
    """Delete what ended processes were writing in a folder and in the folders in it."""
    inner = [p for p in folder.iterdir() if p.is_dir() and not p.is_symlink()]
    for place in (folder, *inner):
        for path in place.glob(TEMPORARY):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
