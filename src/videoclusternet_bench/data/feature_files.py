"""Features of face tracks as other people keep them: npz, MATLAB, a file for each track."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from videoclusternet.errors import DataError
from videoclusternet.outside.files import is_folder
from videoclusternet.sources.array_files import ADVICE, read_npy, read_npz
from videoclusternet.sources.features import MODEL, Features, checked, model_of
from videoclusternet.types.arrays import Array
from videoclusternet_bench.data.mat_files import read_mat

PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".tar")
FEATURES = (".npz", ".npy", ".mat", *PICKLES)
"""How files of features end; some of them are refused."""
LARGEST = 2**53
"""Whole number up to which doubles tell all apart."""
DIGITS = 9
"""Longest track number; int32 holds it."""


def read_any(path: Path, model: str | None = None) -> Features:
    """Read features of numbered tracks.

    Parameters
    ----------
    path : Path
        An ``.npz`` or ``.mat`` file with ``features`` and ``track`` (and ``frame``, ``model``);
        an ``.npz`` file with an array (n, d) for each track, named by its number; or a
        folder of ``<track>.npy``, the form of BallClustering_ICCV2019.
    model : str, optional
        What made them; counts more than what the file says.

    Raises
    ------
    DataError
        When it is in no such form, is far larger than its file, or holds a pickle.
    """
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        raise DataError(
            f"{path} is a pickle, which can run any code and is never loaded",
            "save its arrays where it was made: np.savez(NAME, features=..., track=...)",
        )
    if suffix == ".npy":
        raise DataError(
            f"{path} does not say which track a row belongs to",
            "give a folder of <track>.npy, or np.savez(NAME, features=..., track=...)",
        )
    if is_folder(path):
        arrays = {number: read_npy(file) for number, file in track_files(path).items()}
        return _by_track(path, arrays, model or MODEL)
    named = read_mat(path) if suffix == ".mat" else read_npz(path)
    made = model or model_of(path, named)
    if {"features", "track"} <= named.keys():
        frame = named.get("frame")
        parts = named["features"], _flat(named["track"]), None if frame is None else _flat(frame)
        return checked(str(path), *parts, made)
    tracks = {int(name): array for name, array in named.items() if _is_number(name)}
    if not tracks:
        names = ", ".join(named) or "nothing"
        raise DataError(f"{path} holds {names}, not features and track", ADVICE)
    return _by_track(path, tracks, made)


def track_files(folder: Path) -> dict[int, Path]:
    """Return the files ``<track>.npy`` of a folder by the number of the track.

    Raises
    ------
    DataError
        When two are of the same track.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.glob("*.npy")):
        if _is_number(path.stem) and found.setdefault(int(path.stem), path) != path:
            other = found[int(path.stem)].name
            raise DataError(f"{folder}: {other} and {path.name} are the same track")
    return found


def _by_track(path: Path, arrays: Mapping[int, Array], model: str) -> Features:
    """Put features (n, d) or (d,) of each track end to end."""
    rows = {number: np.atleast_2d(array) for number, array in sorted(arrays.items())}
    if not rows:
        raise DataError(f"{path} holds no <track>.npy", ADVICE)
    width = next(iter(rows.values())).shape[-1]
    for number, array in rows.items():
        if array.ndim != 2 or array.shape[1] != width or not len(array) or array.dtype.kind != "f":
            said = f"{array.dtype} of shape {arrays[number].shape}"
            raise DataError(f"{path}, track {number}: {said}, not floats of {width} columns")
    track = np.repeat(list(rows), [len(array) for array in rows.values()])
    return checked(str(path), np.concatenate(list(rows.values())), track, None, model)


def _flat(numbers: Array) -> Array:
    """Return numbers as MATLAB keeps them, a row or column of doubles, as whole ones."""
    flat = numbers.reshape(-1) if numbers.ndim == 2 and 1 in numbers.shape else numbers
    whole = flat.dtype.kind == "f" and (np.abs(flat.astype(np.float64)) <= LARGEST).all()
    if whole and (flat == flat.round()).all():
        return flat.astype(np.int64)
    return flat


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) <= DIGITS
