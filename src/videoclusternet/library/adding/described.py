"""Single pictures as a face model sees them: each is a track of one crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoclusternet.clustering.distance import Metric, normalise
from videoclusternet.clustering.spaces import raw_space
from videoclusternet.clustering.track_points import own_thresholds
from videoclusternet.config import Config
from videoclusternet.embed.embed import embed_crops, embed_views
from videoclusternet.library.adding.offered import Weights
from videoclusternet.models.load import LazyBackbone
from videoclusternet.types import Crops, Tracks
from videoclusternet.types.arrays import Float16, Float32, Int64, UInt8


@dataclass(frozen=True)
class Described:
    """n pictures; see :class:`videoclusternet.library.adding.offered.Offered`.

    Attributes
    ----------
    mean : float16, shape (n, d)
    length, threshold, quality : float32, shape (n,)
    weights : Weights
    """

    mean: Float16
    length: Float32
    threshold: Float32
    quality: Float32
    weights: Weights


@dataclass(frozen=True)
class _Canvases:
    """Pictures that are at hand."""

    canvas: UInt8

    def pixels(self, rows: Int64) -> UInt8:
        """Return some of them."""
        return np.asarray(self.canvas[rows])


def described(canvas: UInt8, backbone: LazyBackbone, config: Config) -> Described:
    """Embed pictures and views of them, as crops of a film are.

    Parameters
    ----------
    canvas : uint8, shape (n, 144, 144, 3), n >= 1
        RGB.
    backbone : LazyBackbone
    config : Config
        ``embed`` and ``seed``.
    """
    n = len(canvas)
    row = np.arange(n, dtype=np.int32)
    crops = Crops(row, row, np.full(n, -1), np.zeros(n, np.uint32), n)
    zero = np.zeros(n, dtype=np.int32)
    start = np.zeros(n + 1, dtype=np.int64)
    tracks = Tracks(zero, zero, row, row, start, np.empty(0, np.int32), zero.astype(np.uint8))
    given = (crops, tracks, _Canvases(canvas), backbone, config.embed)
    embeddings, views = embed_crops(*given), embed_views(*given, config.seed)
    threshold = own_thresholds(raw_space(embeddings, views, row), Metric())
    base = embeddings.base
    return Described(
        mean=normalise(base).astype(np.float16),
        length=np.linalg.norm(base, axis=1).astype(np.float32),
        threshold=np.full(n, np.nan, np.float32) if threshold is None else threshold,
        quality=embeddings.quality,
        weights=Weights(backbone.digest, embeddings.model, base.shape[1]),
    )
