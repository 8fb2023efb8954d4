"""Embeddings of crops, of their multi-crop views, and the SER-FIQ quality of each crop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from videoclusternet.config import EmbedConfig
from videoclusternet.events import Progress, no_progress
from videoclusternet.models.face_model import FaceModel
from videoclusternet.track_quality import face_quality
from videoclusternet.types import Crops, Embeddings, Reason, Tracks
from videoclusternet.views import clean_inputs, make_views, plan_views

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
    weight = model.tail.weight.detach().cpu().numpy()
    bias = None if model.tail.bias is None else model.tail.bias.detach().cpu().numpy()
    device = model.tail.weight.device
    step = max(1, config.batch // (clean_views + views))
    with torch.inference_mode():
        for start in range(0, len(rows), step):
            part = slice(start, min(start + step, len(rows)))
            pixels = torch.from_numpy(pictures(rows[part])).to(device)
            clean = clean_inputs(pixels, model)
            augmented = make_views(pixels, plan[part], model).flatten(0, 1)
            plain = [clean, clean.flip(-1)] if config.mirror else [clean]
            hidden = model.trunk(model.normalise(torch.cat([*plain, augmented])))
            out = model.tail(hidden).float().cpu().numpy()
            n = part.stop - part.start
            base[part] = out[: clean_views * n].reshape(clean_views, n, -1).mean(axis=0)
            seen[part] = out[clean_views * n :].reshape(n, views, -1)
            quality[part] = face_quality(hidden[:n].float().cpu().numpy(), weight, bias)
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
