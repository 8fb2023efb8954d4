"""What every way into the method offers: a film, its boxes, its crops, or their features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from videoclusternet.models.load import LazyDetector
from videoclusternet.runfolder.steps import Run
from videoclusternet.types import Crops, Embeddings, Faces, Tracks
from videoclusternet.types.clock import Tags

ModelKind = Literal["detector", "backbone", "shots"]


class Brought(NamedTuple):
    """What a source brings into a run.

    Attributes
    ----------
    tracks : Tracks
        T tracks that carry the number of the film.
    crops : Crops
        C crops of them.
    embeddings : Embeddings or None
        Of these crops, where they come described and without pictures.
    faces : Faces or None
        Where the tracks were found in a film: such may be no faces, or faces too small to tell.
        Given tracks are what somebody says they are.
    """

    tracks: Tracks
    crops: Crops
    embeddings: Embeddings | None = None
    faces: Faces | None = None


class Source(Protocol):
    """One film, or what somebody made of it.

    Attributes
    ----------
    path : str
        As the user gave it: names its part of a run.
    content : str
        Hash of what is clustered; a run folder belongs to it.
    names : tuple of str
        Of tracks that were given, in the order in which they are brought; empty where they
        are found.
    tags : Tags
        What the file of a film says of itself.
    needs : tuple of str
        Kinds of models that it needs.
    """

    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def content(self) -> str: ...  # noqa: D102
    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def tags(self) -> Tags: ...  # noqa: D102
    @property
    def needs(self) -> tuple[ModelKind, ...]: ...  # noqa: D102

    def bring(self, run: Run, number: int, detector: LazyDetector) -> Brought:
        """Bring tracks and crops into a run folder, by steps that are done only once.

        Parameters
        ----------
        run : Run
            Of this film.
        number : int
            Of the film among all.
        detector : LazyDetector
        """
        ...


def listed(paths: Sequence[Path | str] | Path | str) -> list[Path]:
    """Return one path or several as a list."""
    return [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]


Note = Callable[[str], None]
"""Tells the user something."""
