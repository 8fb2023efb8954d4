"""Labelled sets: what is clustered, and where its truth lies."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from videoclusternet.annotations.box_forms import companions, find_form, holds_boxes, read_boxes_of
from videoclusternet.annotations.boxes import FILM, TRACKS, read_facts
from videoclusternet.errors import ConfigError, DataError
from videoclusternet.film.video import content_hash, open_video
from videoclusternet.outside.files import exists, is_file, is_folder, opened
from videoclusternet.runfolder.manifest import MANIFEST

FILMS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v")
Form = Literal["crops", "film", "boxes", "features"]
"""Aligned crops; a film whose tracks are found; a film with given boxes; given embeddings."""

FILES = ("crops", "features")
"""Forms of which many lie in one folder; the others have a folder each."""


@dataclass(frozen=True)
class LabelledSet:
    """One film or set of tracks with truth, or several with one cast.

    Attributes
    ----------
    name : str
    sources : tuple of Path
        Films, zip files or folders of aligned crops, or files of embeddings.
    truths : tuple of Path
        Of each source, what :func:`videoclusternet_bench.data.truth.read_truth` reads.  The
        same label in two of them is the same person.
    form : str
        What the sources are: see :data:`Form`.
    """

    name: str
    sources: tuple[Path, ...]
    truths: tuple[Path, ...]
    form: Form

    def content(self) -> str:
        """Return a hash of what it holds, labels included: sha256, hexadecimal."""
        digest = hashlib.sha256(os.fsencode(self.name))
        for source, truth in zip(self.sources, self.truths, strict=True):
            if self.form == "boxes":  # films may be long: known by their content hash
                digest.update(bytes.fromhex(content_hash(source)))
            for path in self._small(source, truth):
                with opened(path, DataError) as stream:
                    digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()

    @property
    def bytes(self) -> int:
        """Size of its sources: roughly how long it takes."""
        files = (p for s in self.sources for p in (s.rglob("*") if is_folder(s) else [s]))
        return sum(path.stat().st_size for path in files if is_file(path))

    def _small(self, source: Path, truth: Path) -> list[Path]:
        """Files that are hashed whole."""
        if self.form == "boxes":
            return companions(truth)
        if is_folder(source):
            return [*sorted(p for p in source.rglob("*") if is_file(p)), truth]
        return [source, *(sorted(truth.glob("*.csv")) if is_folder(truth) else [truth])]


def combined(sets: Sequence[LabelledSet], name: str) -> LabelledSet:
    """Make one set of several, clustered jointly: the same label is the same person.

    Raises
    ------
    ConfigError
        When the name is none of a folder.
    DataError
        When the sets are of several forms.
    """
    if not name or Path(name).name != name:
        raise ConfigError(f"{name!r} cannot name a set", "it becomes part of a folder's name")
    forms = sorted({one.form for one in sets})
    if len(forms) != 1:
        raise DataError(f"sets of {' and '.join(forms)} cannot be one", "combine sets of one form")
    return LabelledSet(
        name,
        tuple(source for one in sets for source in one.sources),
        tuple(truth for one in sets for truth in one.truths),
        sets[0].form,
    )


def labelled_sets(path: Path) -> list[LabelledSet]:
    """Find the labelled sets in a place: zip files first, the smallest first; then folders.

    Parameters
    ----------
    path : Path
        ``NAME.zip``, ``NAME.npz`` or a folder ``NAME`` of crops ``<track>/<frame>.jpg``, with
        ``NAME_tracks.csv`` beside it; a file of labelled
        boxes, or the folder that holds it, with their film; a folder with one film,
        ``shots.csv`` and ``truth.csv``; or a folder of such files and folders.

    Raises
    ------
    DataError
        When there is none, or a part is missing or malformed.
    """
    if not exists(path):
        raise DataError(f"no such file or folder: {path}", "check the path")
    if is_file(path):
        return [_of_file(path)]
    if exists(_list_of(path)):
        return [_listed(path, "crops")]
    found = [*_of_folder(path)]
    if all(one.form in FILES for one in found):
        for folder in sorted(p for p in path.iterdir() if is_folder(p)):
            if not exists(_list_of(folder)):
                found += _of_folder(folder)
            elif folder.name not in {one.name for one in found}:  # the zip file of it, unpacked
                found.append(_listed(folder, "crops"))
    if not found:
        raise DataError(
            f"{path} holds no labelled set",
            "expected NAME.zip, NAME.npz or a folder NAME with NAME_tracks.csv, or a film with "
            "shots.csv and truth.csv, or with labelled boxes",
        )
    return found


def _of_file(path: Path) -> LabelledSet:
    if path.suffix.lower() == ".npz":
        return _listed(path, "features")
    return _listed(path, "crops") if path.suffix.lower() == ".zip" else _boxes(path)


def _of_folder(path: Path) -> Iterator[LabelledSet]:
    """Yield the set that a folder is, or else the sets that lie in it."""
    if exists(path / MANIFEST):  # a run folder: its crops are no data set
        return
    zips = sorted(path.glob("*.zip"), key=lambda p: (p.stat().st_size, p.name))
    files = [*zips, *sorted(path.glob("*.npz"))]
    if exists(path / "truth.csv"):
        film = _only_film(path, "truth.csv")
        yield LabelledSet(path.resolve().name, (film,), (path,), "film")
    elif not files and _holds_boxes(path):
        yield _boxes(path)
    else:
        yield from map(_of_file, files)


def _holds_boxes(path: Path) -> bool:
    # Crops may have a list of tracks of the same name: boxes come with their film.
    known = is_file(path / FILM) or _films(path) or not is_file(path / TRACKS)
    return holds_boxes(path) and bool(known)


def _list_of(path: Path) -> Path:
    """Where the labels of crops or features are: of a file, or of a folder of crops."""
    path = path.resolve() if is_folder(path) else path
    return path.with_name(f"{path.name if is_folder(path) else path.stem}_tracks.csv")


def _listed(path: Path, form: Form) -> LabelledSet:
    truth = _list_of(path)
    if not exists(truth):
        raise DataError(f"{path} has no labels", f"expected {truth.name} beside it")
    return LabelledSet(truth.name.removesuffix("_tracks.csv"), (path,), (truth,), form)


def _boxes(path: Path) -> LabelledSet:
    """Take boxes with their film; what is malformed shows now, not after an hour."""
    file = find_form(path).file
    folder = _home(file)
    film = film_beside(file) or _only_film(folder, file.name)
    read_boxes_of(file, open_video(film))
    usual = is_folder(path) or file.name in (TRACKS, "gt.txt")
    name = folder.resolve().name if usual else file.stem
    return LabelledSet(name, (film,), (file,), "boxes")


def film_beside(file: Path) -> Path | None:
    """Return the film that a file of boxes names or that lies alone beside it, if there is one."""
    films = _films(_home(file))
    return _named_film(file.with_name(FILM)) or (films[0] if len(films) == 1 else None)


def _home(file: Path) -> Path:
    return file.parent.parent if file.parent.name == "gt" else file.parent


def _named_film(facts: Path) -> Path | None:
    if not is_file(facts):
        return None
    film = facts.parent / read_facts(facts).video
    return film if is_file(film) else None


def _films(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in FILMS)


def _only_film(folder: Path, beside: str) -> Path:
    films = _films(folder)
    if len(films) != 1:
        raise DataError(f"{folder} holds {len(films)} films beside {beside}", "one is needed")
    return films[0]
