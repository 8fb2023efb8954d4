"""Data sets are written beside their place: a call that is ended leaves no half of one there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from videoclusternet.errors import StoreError
from videoclusternet.runfolder.files import writing

UNFINISHED = ".set.tmp"
"""What a folder that was there holds while a set is moved into it."""

ELSEWHERE = "choose another folder"


@contextmanager
def new_set(folder: Path, advice: str = ELSEWHERE) -> Iterator[Path]:
    """Give a folder to write in, which is or goes into ``folder`` when all is written.

    Parameters
    ----------
    folder : Path
        New, or empty; or what an ended call left.
    advice : str
        What to do where it holds something else.

    Raises
    ------
    StoreError
        When it holds something else, or cannot be written.
    """
    with writing(folder):
        if not os.path.lexists(folder):
            place = folder.resolve()
            with _made(place.with_name(f".{place.name}.tmp")) as new:
                yield new
                new.rename(place)
            return
        unfinished = (folder / UNFINISHED).is_dir()
        if any(folder.iterdir()) and not unfinished:
            raise StoreError(f"{folder} is not empty", advice)
        with _made(folder / UNFINISHED) as new:
            yield new
            names = _files(new)
            others = [name for name in _files(folder) if name.parts[0] != UNFINISHED]
            if strange := sorted({*others} - {*names}):
                raise StoreError(f"{folder} is not empty: it holds {strange[0]}", advice)
            _move(new, folder, names)


@contextmanager
def renewed_set(folder: Path, stale: Iterable[Path]) -> Iterator[Path]:
    """Give a folder to write in, which goes into the folder of an earlier set.

    Parameters
    ----------
    folder : Path
    stale : iterable of Path
        Files of the earlier set, relative: gone before a new one comes, so that they never
        stand beside files that do not belong to them.  Other files stay.

    Raises
    ------
    StoreError
        When it cannot be written.
    """
    with writing(folder), _made(folder / UNFINISHED) as new:
        yield new
        for name in stale:
            (folder / name).unlink(missing_ok=True)
        _move(new, folder, _files(new))


@contextmanager
def _made(new: Path) -> Iterator[Path]:
    """Make a folder that is gone at the end, moved or not."""
    if new.is_symlink():
        new.unlink()
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder, relative; those that say who is who come last."""
    found = [path for path in folder.rglob("*") if not path.is_dir()]
    lists = {".csv", ".json", ".xml"}
    found.sort(key=lambda path: (path.suffix in lists, len(path.parts), path))
    return [path.relative_to(folder) for path in found]


def _move(new: Path, folder: Path, names: Iterable[Path]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(new / name, folder / name)
