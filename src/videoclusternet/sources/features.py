"""Enter at embeddings: face tracks that somebody else described, without any picture.

A file ``NAME.npz`` holds ``features``, float (C, d), and ``track``, int (C,); it may hold
``frame``, int (C,), and ``model``, the name of what made the features.  No pickles.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.errors import DataError
from videoclusternet.models.load import LazyDetector
from videoclusternet.runfolder.steps import Run, Step
from videoclusternet.sources.array_files import ADVICE, read_npz
from videoclusternet.sources.source import Brought, ModelKind
from videoclusternet.sources.track_list import Listed, list_beside, read_list, tracks_table
from videoclusternet.types import Crops, Embeddings, Tracks
from videoclusternet.types.arrays import Array, Float32, Floats, Int32, Int64, Ints
from videoclusternet.types.clock import Tags

MODEL = "features"
"""Name of what made features that do not say it."""
NAME = re.compile(r"\w[\w.+-]{0,39}")
"""What a name may be: it becomes part of the name of a folder."""
LARGEST = 2**31 - 1
"""Largest track or frame; int32 holds it."""


@dataclass(frozen=True, eq=False)
class Features:
    """Features of C faces of T tracks, sorted by track and frame.

    Attributes
    ----------
    features : float32, shape (C, d)
    track : int64, shape (C,)
        Number of the track of each, ascending; numbers may have gaps.
    frame : int64, shape (C,), or None
        Frame of each, from 0.
    model : str
        What made them.
    """

    features: Float32
    track: Int64
    frame: Int64 | None = None
    model: str = MODEL

    @property
    def names(self) -> list[str]:
        """Numbers of the tracks as text, ascending by value."""
        return [str(number) for number in np.unique(self.track)]

    @property
    def digest(self) -> str:
        """Content hash: sha256, hexadecimal."""
        digest = hashlib.sha256(self.model.encode())
        for array in (self.features, self.track, self.frame):
            digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def checked(
    where: str, features: Floats, track: Ints, frame: Ints | None = None, model: str = MODEL
) -> Features:
    """Check features and bring them into order.

    Parameters
    ----------
    where : str
        For messages.
    features : float, shape (C, d)
    track : int, shape (C,)
    frame : int, shape (C,), optional
    model : str

    Raises
    ------
    DataError
        When shapes or types do not fit, a value is not finite in float32, or a number is too
        large.
    """
    if features.ndim != 2 or not features.size or features.dtype.kind != "f":
        raise DataError(f"{where}: features are {_said(features)}, not a table of floats", ADVICE)
    for name, values in (("track", track), ("frame", frame)):
        if values is None:
            continue
        if values.shape != (len(features),) or values.dtype.kind not in "iu":
            raise DataError(
                f"{where}: {name} is {_said(values)}, not one whole number for each of the "
                f"{len(features)} features",
                ADVICE,
            )
        if values.min() < 0 or values.max() > LARGEST:
            raise DataError(f"{where}: {name} goes from {values.min()} to {values.max()}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
        single = features.astype(np.float32)
    finite = np.isfinite(single).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(f"{where}: row {row} of features (track {track[row]}) is not finite")
    if not NAME.fullmatch(model):
        raise DataError(f"{where}: model is {model!r}", "write letters, digits and . _ + -")
    order = np.lexsort((np.arange(len(track)) if frame is None else frame, track))
    return Features(
        np.ascontiguousarray(single[order]),
        track[order].astype(np.int64),
        None if frame is None else frame[order].astype(np.int64),
        model,
    )


def _said(array: Array) -> str:
    return f"{array.dtype} of shape {array.shape}"


def read_features(path: Path) -> Features:
    """Read ``NAME.npz``.

    Raises
    ------
    DataError
        When it is missing, no such file, or malformed.
    """
    arrays = read_npz(path)
    for name in ("features", "track"):
        if name not in arrays:
            raise DataError(f"{path} holds no array {name!r}", ADVICE)
    return checked(
        str(path), arrays["features"], arrays["track"], arrays.get("frame"), model_of(path, arrays)
    )


def model_of(path: Path, arrays: Mapping[str, Array]) -> str:
    """Return the text of ``model``, where there is one.

    Raises
    ------
    DataError
        When it is no text; ``path`` is for the message.
    """
    found = arrays.get("model")
    if found is None:
        return MODEL
    if found.size != 1 or found.dtype.kind != "U":
        raise DataError(f"{path}: model is {_said(found)}, not one text", ADVICE)
    try:
        # NumPy itself makes a text of numbers that are no characters.
        little = found.astype(found.dtype.newbyteorder("<"))
        return little.tobytes().decode("utf-32-le").rstrip("\0")
    except ValueError as error:
        raise DataError(f"{path}: model is no text") from error


def write_features(path: Path, features: Features) -> None:
    """Write ``NAME.npz``; it reads back the same."""
    arrays: dict[str, Any] = {
        "features": features.features,
        "track": features.track.astype(np.int32),
        "model": np.array(features.model),
    }
    if features.frame is not None:
        arrays["frame"] = features.frame.astype(np.int32)
    with path.open("wb") as stream:  # to a path NumPy may add an ending
        np.savez(stream, **arrays)


@dataclass(frozen=True)
class FeatureSource:
    """Features of given tracks: nothing is looked at.

    Without views no track has a threshold of its own: one distance for all of them is found
    by stability (:mod:`videoclusternet.clustering.stability`).

    Attributes
    ----------
    path : str
    features : Features
    listed : mapping
        Of :func:`videoclusternet.sources.track_list.read_list`.
    """

    path: str
    features: Features
    listed: Mapping[str, Listed]
    needs: tuple[ModelKind, ...] = ()
    tags: Tags = field(default_factory=Tags)

    @classmethod
    def open(cls, source: Path) -> FeatureSource:
        """Read features, and the list of tracks where one lies beside them.

        Parameters
        ----------
        source : Path
            ``NAME.npz``.  ``NAME_tracks.csv`` beside it may name the shot of each track, and
            its first and last frame.

        Raises
        ------
        DataError
            When a file is malformed.
        """
        return cls(str(source), read_features(source), read_list(list_beside(source)))

    @cached_property
    def content(self) -> str:
        """Hash of the features and the list."""
        said = f"{self.features.digest}{sorted(self.listed.items())}"
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def digest(self) -> str:
        """Its content."""
        return self.content

    @property
    def names(self) -> tuple[str, ...]:
        """Numbers of the tracks as text."""
        return tuple(self.features.names)

    def bring(self, run: Run, number: int, detector: LazyDetector) -> Brought:
        """Bring tracks and embeddings into a run folder; there is no picture of the crops."""
        tracks = run.do(TRACKS, self, number)
        return Brought(tracks, run.do(CROPS, self), run.do(EMBEDDINGS, self))


def _tracks(given: FeatureSource, number: int) -> Tracks:
    return features_tracks(given.features, number, given.listed)


def _crops(given: FeatureSource) -> Crops:
    features, track = given.features, _rows(given.features)
    frame = np.zeros_like(track) if features.frame is None else features.frame.astype(np.int32)
    return Crops(
        track=track,
        frame=frame,
        face=np.full(len(track), -1, dtype=np.int32),
        checksum=np.zeros(len(track), dtype=np.uint32),
        tracks=len(features.names),
    )


def _embeddings(given: FeatureSource) -> Embeddings:
    track = _rows(given.features)
    return Embeddings(
        track=track,
        crop=np.arange(len(track), dtype=np.int32),
        base=given.features.features,
        quality=np.full(len(track), np.nan, dtype=np.float32),
        tracks=len(given.features.names),
        model=given.features.model,
    )


def _rows(features: Features) -> Int32:
    """Row of the track of each feature, from 0 without gaps."""
    return np.unique(features.track, return_inverse=True)[1].astype(np.int32)


TRACKS = Step("tracks", _tracks, (Tracks,))
CROPS = Step("crops", _crops, (Crops,))
EMBEDDINGS = Step("embeddings", _embeddings, (Embeddings,))


def features_tracks(features: Features, number: int, known: Mapping[str, Listed]) -> Tracks:
    """Make the table of tracks; who may meet whom is known only where frames are.

    Parameters
    ----------
    features : Features
    number : int
        Of the film.
    known : mapping
        Of :func:`videoclusternet.sources.track_list.read_list`.
    """
    first = np.searchsorted(features.track, np.unique(features.track))
    last = np.append(first[1:], len(features.track)) - 1
    names = features.names
    if features.frame is not None:
        low, high = features.frame[first], features.frame[last]
    else:
        known = {name: one for name, one in known.items() if one.reach is not None}
        starts = [one.reach[0] if (one := known.get(n)) and one.reach else 0 for n in names]
        low = high = np.array(starts, dtype=np.int64)
    tracks = tracks_table(names, low, high, known, each=1)
    return replace(tracks, film=np.full(len(names), number))
