"""Embeddings of every crop, of its multi-crop views, and its SER-FIQ quality."""

from __future__ import annotations

import numpy as np
import torch

from videoclusternet.config import EmbedConfig
from videoclusternet.events import Progress, no_progress
from videoclusternet.models.face_model import FaceModel
from videoclusternet.track_quality import face_quality
from videoclusternet.types import Crops, Embeddings
from videoclusternet.views import clean_inputs, make_views, plan_views


def embed_crops(
    crops: Crops,
    model: FaceModel,
    config: EmbedConfig,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Embeddings:
    """Embed crops and views with a frozen model.

    Parameters
    ----------
    crops : Crops
        C aligned canvases.
    model : FaceModel
    config : EmbedConfig
        Numbers of views and the batch size.
    seed : int
        Seed of the views.
    progress : callable
        Told after every batch.

    Returns
    -------
    Embeddings
        Rows as in ``crops``.
    """
    views = config.global_views + config.local_views
    base = np.empty((len(crops), model.dim), dtype=np.float32)
    seen = np.empty((len(crops), views, model.dim), dtype=np.float32)
    quality = np.empty(len(crops), dtype=np.float32)
    plan = plan_views(len(crops), config.global_views, config.local_views, seed)
    weight = model.tail.weight.detach().cpu().numpy()
    bias = None if model.tail.bias is None else model.tail.bias.detach().cpu().numpy()
    device = model.tail.weight.device
    step = max(1, config.batch // (1 + views))
    with torch.inference_mode():
        for start in range(0, len(crops), step):
            rows = slice(start, min(start + step, len(crops)))
            pixels = torch.from_numpy(crops.pixels[rows].copy()).to(device)
            clean = clean_inputs(pixels, model)
            augmented = make_views(pixels, plan[rows], model).flatten(0, 1)
            hidden = model.trunk(model.normalise(torch.cat([clean, augmented])))
            out = model.tail(hidden).float().cpu().numpy()
            n = rows.stop - rows.start
            base[rows] = out[:n]
            seen[rows] = out[n:].reshape(n, views, -1)
            quality[rows] = face_quality(hidden[:n].float().cpu().numpy(), weight, bias)
            progress(rows.stop, len(crops))
    return Embeddings(
        track=crops.track,
        base=base,
        views=seen,
        quality=quality,
        global_views=config.global_views,
        tracks=crops.tracks,
        model=model.name,
    )
