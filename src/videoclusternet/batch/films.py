"""Which films a batch is of: lists, folders that are searched, and films by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from videoclusternet.errors import ConfigError
from videoclusternet.outside.files import is_file, is_folder, read_text, said

_NAMES = """
3g2 3gp asf avi divx dv f4v flv h264 h265 hevc ivf m1v m2t m2ts m2v m4v mjpg mkv mod mov mp4 mpe
mpeg mpg mts mxf nut ogm ogv qt rm rmvb tod ts vob webm wmv y4m
"""
ENDINGS = frozenset(f".{name}" for name in _NAMES.split())
"""Endings of the names of films, in small letters."""
RUNS = ".vcn"
"""Of run folders: what lies in them is no film."""
MOST_BYTES = 64 << 20
"""Bytes of a list at most: a million films with long paths."""


def find_films(named: Sequence[Path]) -> list[Path]:
    """Return the films that are meant, as absolute paths, each once, in the order they are named.

    Parameters
    ----------
    named : sequence of Path
        Folders are searched for files that end as films do, by name, and then the folders in
        them; what is hidden, linked folders and run folders are passed over.  A file that ends as
        films do is a film.  Any other is a list: a path on each line, relative to the folder of
        the list; empty lines, and those that begin with ``#``, say nothing.  What a list names is
        taken as it is: a file of any name, a folder of pictures, something that is not there.

    Raises
    ------
    ConfigError
        When a list or folder cannot be read, or there is no film.
    """
    films = dict.fromkeys(path for one in named for path in _films_of(one))
    if not films:
        raise ConfigError(
            f"no film in {', '.join(map(str, named)) or 'nothing'}",
            "name films, a folder of them (.mp4, .mkv, .mov, ...), or a list",
        )
    return list(films)


def _films_of(named: Path) -> Iterator[Path]:
    if is_folder(named):
        yield from _searched(named)
    elif named.suffix.lower() in ENDINGS:
        if not is_file(named):
            raise ConfigError(f"no film {named}", "check the path")
        yield absolute(named)
    else:
        lines = read_text(named, ConfigError, MOST_BYTES).splitlines()
        for number, line in enumerate(map(str.strip, lines), 1):
            if "\0" in line:
                raise ConfigError(f"{named} is no list of films: line {number} is no path")
            if line and not line.startswith("#"):
                yield absolute(named.parent / line)


def _searched(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise ConfigError(f"cannot read {error.filename}: {said(error)}", "check its rights")

    for place, inner, names in os.walk(folder, onerror=refuse):
        inner[:] = sorted(n for n in inner if not n.startswith(".") and not n.endswith(RUNS))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in ENDINGS:
                yield absolute(Path(place, name))


def absolute(path: Path) -> Path:
    """Return a path from the root, without ``..``; links stay."""
    return Path(os.path.abspath(path))
