"""Labelled sets: what is clustered, and where its truth lies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from videoclusternet.errors import DataError

FILMS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v")


@dataclass(frozen=True)
class LabelledSet:
    """One film or set of tracks with truth.

    Attributes
    ----------
    name : str
    source : Path
        A film, or a zip file of aligned crops.
    truth : Path
        What :func:`videoclusternet.bench.truth.read_truth` reads.
    film : bool
        Whether ``source`` is a film.
    """

    name: str
    source: Path
    truth: Path
    film: bool

    def content(self) -> str:
        """Return a hash of what it holds, labels included: sha256, hexadecimal."""
        labels = sorted(self.truth.glob("*.csv")) if self.truth.is_dir() else [self.truth]
        digest = hashlib.sha256(self.name.encode())
        for path in (self.source, *labels):
            with open(path, "rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()


def labelled_sets(path: Path) -> list[LabelledSet]:
    """Find the labelled sets in a place, the smallest first.

    Parameters
    ----------
    path : Path
        ``NAME.zip`` with ``NAME_tracks.csv`` beside it, a folder of such pairs, or a folder
        with one film, ``shots.csv`` and ``truth.csv``.

    Raises
    ------
    DataError
        When there is none, or a part is missing.
    """
    if not path.exists():
        raise DataError(f"no such file or folder: {path}", "check the path")
    if path.is_file():
        return [_crops(path)]
    if (path / "truth.csv").exists():
        films = sorted(p for p in path.iterdir() if p.suffix.lower() in FILMS)
        if len(films) != 1:
            raise DataError(f"{path} holds {len(films)} films beside truth.csv", "one is needed")
        return [LabelledSet(path.name, films[0], path, True)]
    zips = sorted(path.glob("*.zip"), key=lambda p: (p.stat().st_size, p.name))
    if not zips:
        raise DataError(
            f"{path} holds no labelled set",
            "expected NAME.zip with NAME_tracks.csv, or a film with shots.csv and truth.csv",
        )
    return [_crops(file) for file in zips]


def _crops(file: Path) -> LabelledSet:
    truth = file.with_name(f"{file.stem}_tracks.csv")
    if not truth.exists():
        raise DataError(f"{file} has no labels", f"expected {truth.name} beside it")
    return LabelledSet(file.stem, file, truth, False)
