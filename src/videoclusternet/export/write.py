"""Write a sheet: all of its files, or none."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from videoclusternet.errors import ConfigError
from videoclusternet.export.formats import find_format
from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Sheet
from videoclusternet.runfolder.files import present, writing
from videoclusternet.runfolder.manifest import MANIFEST

MARK = ".vcn-export"
"""A file in every folder that is written: one without it is somebody else's."""
LONGEST = 120
"""Bytes of a label in the name of a file; file systems end at 255."""
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


def export(
    sheet: Sheet, to: Path | str, format: str | None = None, force: bool = False
) -> list[Path]:
    """Write a sheet in a format.

    Parameters
    ----------
    sheet : Sheet
    to : path
        File or folder.  Further files of a format lie beside it: ``cast - Anna.edl``.
    format : str, optional
        Name of the format, where the ending does not say it.
    force : bool
        Take the place of what is there.

    Returns
    -------
    list of Path
        What was written, the file that was asked for first.

    Raises
    ------
    ConfigError
        When the format is unknown, or something is there already.
    StoreError
        When it cannot be written; nothing is there then that was not before.
    """
    to = Path(to)
    chosen = find_format(to, format)
    pieces = chosen.writer()(sheet)
    films = [reel.path for reel in sheet.reels if reel.path is not None]
    return (
        _write_folder(pieces, to, force)
        if not chosen.suffix
        else _write_files(pieces, to, films, force)
    )


def _write_files(pieces: Iterator[Piece], to: Path, films: list[Path], force: bool) -> list[Path]:
    """Write every file under a temporary name, then all of them get theirs."""
    refuse(to, force, films)  # before a folder is made for it
    with writing(to), tempfile.TemporaryDirectory(dir=_home(to), prefix=".vcn-") as folder:
        made: dict[Path, Path] = {}
        for number, piece in enumerate(pieces):
            target = beside(to, piece.label, made)
            refuse(target, force, films)
            if target.is_dir():
                raise ConfigError(f"{target} is a folder", "name a file")
            made[target] = Path(folder) / str(number)
            _put(made[target], piece.content)
        for target, path in made.items():
            os.replace(path, target)
    return list(made)


def _write_folder(pieces: Iterator[Piece], to: Path, force: bool) -> list[Path]:
    """Write a folder beside its place, then put it there."""
    if to.is_dir() and not (to / MARK).exists() and any(to.iterdir()):
        raise ConfigError(f"{to} holds other things", "name a folder that is not there yet")
    refuse(to, force or (to.is_dir() and not any(to.iterdir())))
    with writing(to), tempfile.TemporaryDirectory(dir=_home(to), prefix=".vcn-") as folder:
        new = Path(folder) / "new"
        new.mkdir()
        for piece in pieces:
            path = new / piece.label
            path.parent.mkdir(parents=True, exist_ok=True)
            _put(path, piece.content)
        (new / MARK).touch()
        if to.is_dir() and not to.is_symlink():
            shutil.move(to, Path(folder) / "old")
        os.replace(new, to)
    return [to]


def _home(to: Path) -> Path:
    """Return the folder that a path lies in, made where it is missing."""
    to.absolute().parent.mkdir(parents=True, exist_ok=True)
    return to.absolute().parent


def refuse(target: Path, force: bool, films: Iterable[Path] = ()) -> None:
    """Refuse to write over what is there, unless forced; over films and into run folders always.

    Raises
    ------
    ConfigError
        Then.
    """
    if any(present(folder / MANIFEST) for folder in target.absolute().parents):
        raise ConfigError(f"{target} lies in a run folder", "choose another place")
    if not present(target):
        return
    if any(one.exists() and target.exists() and target.samefile(one) for one in films):
        raise ConfigError(f"{target} is the film itself", "choose another name")
    if not force:
        raise ConfigError(f"{target} is there already", "choose another name, or add --force")


def _put(path: Path, content: str | bytes) -> None:
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    path.write_bytes(data)


def beside(to: Path, label: str, taken: Container[Path]) -> Path:
    """Return the name of a further file; one of a name that is taken is counted."""
    if not label:
        return to
    name = safe_name(label)
    path, number = to.with_name(f"{to.stem} - {name}{to.suffix}"), 1
    while path in taken:
        number += 1
        path = to.with_name(f"{to.stem} - {name} {number}{to.suffix}")
    return path


def left_over(to: Path, made: Container[Path]) -> list[Path]:
    """Return files that are named like further ones of an export, and are not of this one.

    After a rename, ``cast - OLD NAME.edl`` is one: nobody deletes what may be somebody's work.
    """
    begins, ends = f"{to.stem} - ", to.suffix
    return sorted(
        path
        for path in to.parent.iterdir()
        if path.name.startswith(begins)
        and path.suffix == ends
        and path not in made
        and path.is_file()
    )


def safe_name(text: str) -> str:
    """Return a text as part of the name of a file, on any system."""
    name = _UNSAFE.sub("_", text).strip(" .") or "_"
    return name.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore").strip(" .") or "_"
