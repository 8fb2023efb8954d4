"""A drawn film whose cast is almost right: somebody is two characters, and only just."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.drawn import FakeModels, draw_film
from videoclusternet import Result, cluster_film
from videoclusternet.config import Config
from videoclusternet.runfolder.folder import Store
from videoclusternet.types import Candidates, Cast, Merges

SCENES = (("red",), ("blue",), ("green",), ("red", "blue"), ("red", "green"), ("blue",))
COLOURS = ("red", "blue", "green", "red", "blue", "red", "green", "blue")
"""Of the eight tracks."""
SURE = (0.99, 0.99, 0.99, 0.99, 0.5, 0.1, 0.4, 0.99)
"""Likewise: two questions are worth asking, about tracks 5 and 6."""


def clustered(folder: Path, scale: float = 1.0) -> Result:
    """Cluster the film up to a relative distance; at 1 its cast is right."""
    film = folder / "film.mp4"
    if not film.exists():
        draw_film(film, SCENES)
    choice = ("cluster.choose=frozen/own", f"cluster.scale={scale}")
    config = Config.load(settings=(*choice, "track_quality.enabled=false"))
    with pytest.MonkeyPatch.context() as patch:
        FakeModels(patch)
        return cluster_film(film, folder / "run", config)


def shaky(folder: Path) -> Path:
    """Cluster the film so that the very last merge is left out; returns the run.

    Its tracks are as sure as :data:`SURE` says.
    """
    right = clustered(folder)
    result = clustered(folder, 0.97 * float(right.merges.distance.max()))
    assert (right.cast.characters, result.cast.characters) == (3, 4)
    doubt(result.folder, SURE)
    return result.folder


def doubt(folder: Path, sure: Sequence[float]) -> None:
    """Make the tracks of a run as sure as they are to be."""
    store = Store(folder)
    cast, *others = store.load("cast", (Cast, Merges, Candidates))
    said = dict(store.manifest["steps"]["cast"])
    fingerprint, _ = said.pop("fingerprint"), said.pop("tables")
    changed = replace(cast, confidence=np.array(sure, dtype=np.float32))
    store.save("cast", fingerprint, (changed, *others), said)


def halves(result: Result) -> tuple[int, int]:
    """Return the two characters that are one person, the larger first."""
    of: dict[str, set[int]] = {}
    for colour, character in zip(COLOURS, result.cast.character.tolist(), strict=True):
        of.setdefault(colour, set()).add(character)
    ((one, other),) = (sorted(found) for found in of.values() if len(found) == 2)
    return one, other
