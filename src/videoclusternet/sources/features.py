"""Enter at embeddings: face tracks that somebody else described, without any picture.

A file ``NAME.npz`` holds ``features``, float (C, d), and ``track``, int (C,); it may hold
``frame``, int (C,), and ``model``, the name of what made the features.  No pickles.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoclusternet.clustering.find_cast import find_cast
from videoclusternet.config import Config
from videoclusternet.errors import DataError
from videoclusternet.events import Hook, silent
from videoclusternet.runfolder.result import Result, open_run
from videoclusternet.runfolder.steps import Run, check_films
from videoclusternet.sources.track_list import Listed, list_beside, read_list, tracks_table
from videoclusternet.types import Candidates, Cast, Crops, Embeddings, Links, Merges, Tracks
from videoclusternet.types.pool import pool_embeddings, pool_tracks

Array = NDArray[Any]
MODEL = "features"
"""Name of what made features that do not say it."""
NAME = re.compile(r"\w[\w.+-]{0,39}")
"""What a name may be: it becomes part of the name of a folder."""
LARGEST = 2**31 - 1
"""Largest track or frame; int32 holds it."""
ADVICE = "see docs/formats.md for the arrays that it must hold"


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

    features: Array
    track: Array
    frame: Array | None = None
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
    where: str, features: Array, track: Array, frame: Array | None = None, model: str = MODEL
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
        When shapes or types do not fit, a value is not finite, or a number is too large.
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
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(f"{where}: row {row} of features (track {track[row]}) is not finite")
    if not NAME.fullmatch(model):
        raise DataError(f"{where}: model is {model!r}", "write letters, digits and . _ + -")
    order = np.lexsort((np.arange(len(track)) if frame is None else frame, track))
    return Features(
        np.ascontiguousarray(features[order], dtype=np.float32),
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
        str(path), arrays["features"], arrays["track"], arrays.get("frame"), model_of(arrays)
    )


def read_npz(path: Path) -> dict[str, Array]:
    """Read the arrays of an npz file.

    Raises
    ------
    DataError
        When it cannot be read, or holds Python objects: those are never built.
    """
    try:
        with path.open("rb") as stream:
            file = np.load(stream, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise DataError(f"{path} is no npz file", ADVICE)
            return {name: file[name] for name in file.files}
    except OSError as error:
        raise DataError(f"cannot read {path}: {error}", "check the path") from error
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        if "pickle" in str(error).lower():
            raise DataError(
                f"{path} holds Python objects (a pickle), which are never loaded",
                "save it again as plain arrays: np.savez(NAME, features=..., track=...)",
            ) from None
        raise DataError(f"{path} is no npz file: {error}", ADVICE) from error


def model_of(arrays: dict[str, Array]) -> str:
    """Return the text of ``model``, where there is one."""
    return str(arrays["model"]) if "model" in arrays else MODEL


def write_features(path: Path, features: Features) -> None:
    """Write ``NAME.npz``; it reads back the same."""
    arrays: dict[str, Any] = {
        "features": features.features,
        "track": features.track.astype(np.int32),
        "model": np.array(features.model),
    }
    if features.frame is not None:
        arrays["frame"] = features.frame.astype(np.int32)
    np.savez(path, **arrays)


def enter_features(
    sources: Sequence[Path], output: Path, config: Config | None = None, hook: Hook = silent
) -> Result:
    """Make a run folder of given features: tracks, embeddings and a cast, without a picture.

    Without views no track has a threshold of its own: one distance for all of them is found
    by stability (:mod:`videoclusternet.clustering.stability`).

    Parameters
    ----------
    sources : sequence of Path
        ``NAME.npz``.  ``NAME_tracks.csv`` beside it may name the shot of each track, and its
        first and last frame.  Several are one run, as several films are.
    output : Path
        Run folder.
    config : Config, optional
        ``cluster``, ``track_quality`` and ``seed`` are used.
    hook : Hook

    Raises
    ------
    DataError
        When a file is malformed.
    """
    given = [(read_features(path), read_list(list_beside(path))) for path in sources]
    contents = [_content(features, known) for features, known in given]
    with Run.open(output, config or Config(), hook) as run:
        check_films(run.store, contents)
        run.describe(
            films=[
                {"path": str(path), "content": content, "tracks": features.names}
                for path, (features, _), content in zip(sources, given, contents, strict=True)
            ]
        )
        found = [
            _enter(film, i, features, known, content)
            for i, (film, (features, known), content) in enumerate(
                zip(run.films(sources), given, contents, strict=True)
            )
        ]
        tracks = pool_tracks([tracks for tracks, _ in found])
        embeddings = pool_embeddings([e for _, e in found], [len(e) for _, e in found])
        _cast(run, tracks, embeddings)
        return open_run(run.folder)


def _cast(run: Run, tracks: Tracks, embeddings: Embeddings) -> None:
    c, nothing = run.config, np.empty(0)
    run.step(
        "cast",
        (Cast, Merges, Candidates),
        lambda work: find_cast(
            tracks,
            embeddings,
            Links(nothing, nothing, nothing),
            c.cluster,
            c.track_quality,
            c.seed,
            work.progress,
        ),
        [tracks, embeddings, str(c.seed)],
        [c.cluster, c.track_quality],
        unit="comparisons",
        version=2,
    )


def _content(features: Features, known: dict[str, Listed]) -> str:
    return hashlib.sha256(f"{features.digest}{sorted(known.items())}".encode()).hexdigest()


def _enter(
    run: Run, number: int, features: Features, known: dict[str, Listed], content: str
) -> tuple[Tracks, Embeddings]:
    """Write the tables of one file into its run folder."""
    names, track = np.unique(features.track, return_inverse=True)
    tracks, *_ = run.step(
        "tracks",
        (Tracks,),
        lambda work: (features_tracks(features, number, known),),
        [content, str(number)],
    )
    run.step(
        "crops",
        (Crops,),
        lambda work: (
            Crops(
                track=track,
                frame=np.zeros(len(track)) if features.frame is None else features.frame,
                face=np.full(len(track), -1),
                checksum=np.zeros(len(track)),
                tracks=len(names),
            ),
        ),
        [content],
    )
    (embeddings,) = run.step(
        "embeddings",
        (Embeddings,),
        lambda work: (
            Embeddings(
                track=track,
                crop=np.arange(len(track)),
                base=features.features,
                views=np.empty((len(track), 0, features.features.shape[1])),
                quality=np.full(len(track), np.nan),
                global_views=0,
                tracks=len(names),
                model=features.model,
            ),
        ),
        [content],
    )
    return tracks, embeddings


def features_tracks(features: Features, number: int, known: dict[str, Listed]) -> Tracks:
    """Make the table of tracks; who may meet whom is known only where frames are.

    Parameters
    ----------
    features : Features
    number : int
        Of the film.
    known : dict
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
