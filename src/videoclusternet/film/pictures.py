"""Films that are pictures in a folder, or a numbered pattern of pictures."""

from __future__ import annotations

import re
from pathlib import Path

from videoclusternet.errors import VideoError

SUFFIXES = frozenset(
    ".bmp .dpx .exr .jpeg .jpg .jp2 .png .ppm .tga .tif .tiff .webp".split()  # noqa: SIM905
)
_NUMBER = re.compile(r"%0?(\d*)d")


def is_pictures(path: Path) -> bool:
    """Whether a path names many pictures: a folder, or a pattern that is no file itself."""
    return path.is_dir() or bool(_NUMBER.search(path.name) and not path.exists())


def list_pictures(path: Path) -> list[Path]:
    """List pictures in the order of the numbers in their names.

    Parameters
    ----------
    path : Path
        A folder; or a pattern with one number, such as ``shot_%04d.png``.

    Returns
    -------
    list of Path
        In a folder: all files that end like a picture; ``2.png`` comes before ``10.png``.

    Raises
    ------
    VideoError
        When there is none, or a number of the pattern is missing.
    """
    if path.is_dir():
        files = [f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file()]
        if not files:
            raise VideoError(f"{path} is a folder without pictures", "name a film file")
        return sorted(files, key=_natural)
    return _numbered(path)


def _natural(file: Path) -> tuple[list[tuple[int, int, str]], str]:
    pieces = re.split(r"(\d+)", file.name)
    return [(1, int(p), "") if p.isdigit() else (0, 0, p) for p in pieces], file.name


def _numbered(path: Path) -> list[Path]:
    """Files of a pattern; their numbers must follow each other."""
    match = _NUMBER.search(path.name)
    assert match is not None
    before, after = path.name[: match.start()], path.name[match.end() :]
    digits = int(match.group(1) or 1)
    form = re.compile(rf"{re.escape(before)}(\d{{{digits},}}){re.escape(after)}")
    folder = path.parent
    found = {
        int(m.group(1)): f
        for f in (folder.iterdir() if folder.is_dir() else ())
        if (m := form.fullmatch(f.name))
    }
    if not found:
        raise VideoError(f"no picture fits {path}", "check the path and the number's digits")
    first, last = min(found), max(found)
    missing = [n for n in range(first, last + 1) if n not in found]
    if missing:
        raise VideoError(
            f"{path}: number {missing[0]} is missing between {first} and {last}"
            + (f", and {len(missing) - 1} more" if len(missing) > 1 else ""),
            "bring the missing pictures, or name the folder to take them as they come",
        )
    return [found[n] for n in sorted(found)]
