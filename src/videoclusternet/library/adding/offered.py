"""What a run offers to a library: its sure tracks of named characters, as a face model saw them.

Embeddings are those of the model as it is published, never of one that has learnt a film: the
same face gives the same values in every film.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from videoclusternet.clustering.distance import Metric, group_mean, normalise, weighted_mean
from videoclusternet.clustering.spaces import raw_space
from videoclusternet.clustering.track_points import own_thresholds
from videoclusternet.errors import StoreError
from videoclusternet.result.pictures import best_crops, crop_worth
from videoclusternet.result.result import Result
from videoclusternet.runfolder.folder import Store
from videoclusternet.types.arrays import Bools, Float16, Float32, Int64

SURE = 0.9
"""Confidence from which a track is sure without anybody's word; of those said to be .9 to .95
sure, .95 were right on labelled films (decision 18)."""


class Weights(NamedTuple):
    """The face model of a run.

    Attributes
    ----------
    digest : str
        Of its un-adapted weights; of given features the name of what made them.
    model : str
        Its name.
    width : int
        Values of an embedding.
    """

    digest: str
    model: str
    width: int


@dataclass(frozen=True)
class Offered:
    """n tracks of a run.

    Attributes
    ----------
    track : int64, shape (n,), ascending
    mean : float16, shape (n, d)
        Weighted mean of the unit-length embeddings of its crops.
    length : float32, shape (n,)
        Mean length of the embeddings as the model gave them.
    threshold : float32, shape (n,)
        Own threshold, NaN without views.
    crops : int64, shape (n,)
    quality : float32, shape (n,)
        Mean SER-FIQ of its crops, NaN where nothing told it.
    hand : bool, shape (n,)
        Whether a person said that it is where it belongs.
    row : int64, shape (n,)
        Its best crop, row of ``run.pictures``; -1 without pictures.
    """

    track: Int64
    mean: Float16
    length: Float32
    threshold: Float32
    crops: Int64
    quality: Float32
    hand: Bools
    row: Int64

    def __len__(self) -> int:
        return len(self.track)

    def take(self, rows: Bools) -> Offered:
        """Return some of them."""
        return Offered(*(getattr(self, one.name)[rows] for one in fields(self)))

    @property
    def worth(self) -> Float32:
        """What :func:`videoclusternet.library.adding.choose.choose` begins with, float32 (n,)."""
        return worth(self.quality, self.hand)


def worth(quality: Float32, hand: Bools) -> Float32:
    """How well tracks are seen, 0 to 1; one more for those that a person placed, float32 (n,)."""
    return (np.nan_to_num(quality) + hand).astype(np.float32)


def weights_of(run: Result) -> Weights:
    """Return the face model that made the embeddings of a run.

    Raises
    ------
    StoreError
        When its films are of several: it is unfinished.
    """
    made = run.embeddings
    found = {_digest(Store(film.folder), made.model) for film in run.films}
    if len(found) > 1:
        raise StoreError(f"{run.folder} is unfinished", "run `vcn cluster` again to finish")
    return Weights(found.pop(), made.model, made.base.shape[1])


def _digest(store: Store, model: str) -> str:
    """Return the hash of the model: the fourth of what embedding depends on."""
    inputs = store.manifest["steps"]["embeddings"]["inputs"]
    return str(inputs[3]) if len(inputs) > 3 else model


def sure(run: Result) -> Bools:
    """Mark tracks that may become exemplars, bool (T,).

    They have a character, an embedding, and a person's word or a high confidence.
    """
    cast, hand = run.cast, run.edits.state.hand > 0
    described = np.zeros(len(run.tracks), dtype=bool)
    described[run.embeddings.track] = True
    return np.asarray(described & (cast.character >= 0) & (hand | (cast.confidence >= SURE)))


def offered(run: Result, tracks: Int64) -> Offered:
    """Describe some tracks of a run.

    Parameters
    ----------
    run : Result
    tracks : int64, shape (n,), ascending
        Tracks that are :func:`sure`.
    """
    rows = np.flatnonzero(np.isin(run.embeddings.track, tracks))
    base = run.embeddings.base[rows]
    of, n = np.searchsorted(tracks, run.embeddings.track[rows]), len(tracks)
    space = raw_space(run.embeddings, run.views, tracks)
    threshold = own_thresholds(space, Metric()) if n else None
    crop = best_crops(run, crop_worth(run)) if n else np.empty(0, np.int64)
    return Offered(
        track=tracks,
        mean=weighted_mean(normalise(base), run.weights.weight[rows], of, n).astype(np.float16),
        length=group_mean(np.linalg.norm(base, axis=1), of, n).astype(np.float32),
        threshold=np.full(n, np.nan, np.float32) if threshold is None else threshold,
        crops=np.bincount(of, minlength=n),
        quality=run.cast.quality[tracks],
        hand=run.edits.state.hand[tracks] > 0,
        row=crop[tracks] if n else crop,
    )


def anchor_of(run: Result, track: int) -> str:
    """Return what a track is, whatever its number, as one text."""
    return json.dumps(run.edits.base.places[track][0].record(), ensure_ascii=False)


def digest_of(weights: Weights, anchors: list[str], found: Offered) -> str:
    """Return what tells whether a run offers the same as before."""
    said = hashlib.sha256(json.dumps([weights.digest, anchors]).encode())
    for values in (found.mean, found.hand):
        said.update(np.ascontiguousarray(values).tobytes())
    return said.hexdigest()
