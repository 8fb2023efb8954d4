"""Embeddings of crops, of their multi-crop views, and the SER-FIQ quality of each crop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoclusternet.config import EmbedConfig
from videoclusternet.events import Progress, no_progress
from videoclusternet.models.face_model import FaceModel
from videoclusternet.track_quality import face_quality
from videoclusternet.types import Crops, Embeddings, Reason, Tracks
from videoclusternet.views import ViewPlan, clean_inputs, make_views, plan_views

Array = NDArray[Any]


def embed_crops(
    crops: Crops,
    tracks: Tracks,
    pictures: Callable[[Array], Array],
    model: FaceModel,
    config: EmbedConfig,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Embeddings:
    """Embed crops and views with a frozen model.

    Parameters
    ----------
    crops : Crops
        Of all tracks.
    tracks : Tracks
        Tracks with a flaw are passed over.
    pictures : callable
        Gives the canvases, uint8 (n, 144, 144, 3), of n rows of ``crops``.
    model : FaceModel
    config : EmbedConfig
        Numbers of views, crops per track and the batch size.
    seed : int
        Seed of the views.
    progress : callable
        Told in crops.

    Returns
    -------
    Embeddings
        Of the chosen crops, in order.
    """
    rows = chosen_rows(crops, tracks, config.max_crops)
    views = config.global_views + config.local_views
    clean_views = 2 if config.mirror else 1
    base = np.empty((len(rows), model.dim), dtype=np.float32)
    seen = np.empty((len(rows), views, model.dim), dtype=np.float32)
    quality = np.empty(len(rows), dtype=np.float32)
    plan = plan_views(len(rows), config.global_views, config.local_views, seed)
    step = max(1, config.batch // (clean_views + views))
    for start in range(0, len(rows), step):
        part = slice(start, min(start + step, len(rows)))
        base[part], seen[part], quality[part] = _embed(
            pictures(rows[part]), plan[part], model, config.mirror
        )
        progress(part.stop, len(rows))
    return Embeddings(
        track=crops.track[rows],
        crop=rows,
        base=base,
        views=seen,
        quality=quality,
        global_views=config.global_views,
        tracks=crops.tracks,
        model=model.name,
    )


@torch.inference_mode()
def _embed(
    pixels: Array, plan: ViewPlan, model: FaceModel, mirror: bool
) -> tuple[Array, Array, Array]:
    """Embed n canvases: (n, d) clean, (n, V, d) views, (n,) quality, in one pass."""
    n = len(pixels)
    canvas = torch.from_numpy(pixels).to(model.tail.weight.device)
    clean = clean_inputs(canvas, model)
    plain = [clean, clean.flip(-1)] if mirror else [clean]
    augmented = make_views(canvas, plan, model).flatten(0, 1)
    hidden = model.trunk(model.normalise(torch.cat([*plain, augmented])))
    out = _array(model.tail(hidden))
    first = len(plain) * n
    quality = _array(face_quality(hidden[:n], model.tail.weight, model.tail.bias))
    base = out[:first].reshape(len(plain), n, -1).mean(axis=0)
    return base, out[first:].reshape(n, -1, model.dim), quality


def _array(x: Tensor) -> Array:
    return x.detach().float().cpu().numpy()


def chosen_rows(crops: Crops, tracks: Tracks, most: int) -> Array:
    """Rows of ``crops`` to embed, int64: of tracks without a flaw, evenly spaced in time.

    Parameters
    ----------
    most : int
        Crops per track at most.
    """
    first = np.searchsorted(crops.track, np.arange(crops.tracks))
    stop = np.searchsorted(crops.track, np.arange(crops.tracks), side="right")
    chosen = [
        np.unique(np.linspace(first[t], stop[t] - 1, min(most, stop[t] - first[t])).round())
        for t in np.flatnonzero((tracks.flaw == Reason.OK) & (stop > first))
    ]
    return np.concatenate([np.empty(0), *chosen]).astype(np.int64)
