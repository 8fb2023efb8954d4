"""Embeddings of crops, of their multi-crop views, and the SER-FIQ quality of each crop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoclusternet.config import EmbedConfig
from videoclusternet.embed.face_quality import face_quality
from videoclusternet.embed.views import ViewPlan, clean_inputs, make_views, plan_views
from videoclusternet.events import Progress, no_progress
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.types import Crops, Embeddings, Parts, Reason, Tracks

Array = NDArray[Any]
PART = 1000
"""Crops that a crash can cost."""


def embed_crops(
    crops: Crops,
    tracks: Tracks,
    pictures: Callable[[Array], Array],
    model: FaceModel,
    config: EmbedConfig,
    seed: int = 0,
    progress: Progress = no_progress,
    parts: Parts | None = None,
    clean: Embeddings | None = None,
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
    parts : Parts, optional
        Where finished parts are kept.
    clean : Embeddings, optional
        Of the same crops by the same model with views of another seed: only these are new.

    Returns
    -------
    Embeddings
        Of the chosen crops, in order.
    """
    rows = chosen_rows(crops, tracks, config.max_crops)
    plan = plan_views(len(rows), config.global_views, config.local_views, seed)
    film = _Film(crops, rows, pictures, plan, model, config, clean)
    done: list[Embeddings] = []
    for start in range(0, max(1, len(rows)), PART):
        part = slice(start, min(start + PART, len(rows)))
        name = f"{part.start:08d}-{part.stop:08d}"
        kept = parts.read(name, (Embeddings,)) if parts else None
        if kept is None:
            kept = (film.embed(part, lambda n: progress(n, len(rows))),)
            if parts:
                parts.write(name, kept)
        progress(part.stop, len(rows))
        done.append(kept[0])  # type: ignore[arg-type]
    arrays = {
        name: np.concatenate([part.arrays()[name] for part in done]) for name in Embeddings.COLUMNS
    }
    return Embeddings.build(arrays, done[0].meta())


@dataclass(frozen=True)
class _Film:
    """The chosen crops of a film, and how to look at them."""

    crops: Crops
    rows: Array
    pictures: Callable[[Array], Array]
    plan: ViewPlan
    model: FaceModel
    config: EmbedConfig
    clean: Embeddings | None

    def embed(self, part: slice, progress: Callable[[int], None]) -> Embeddings:
        """Embed some of the chosen crops, a batch at a time."""
        n, config, d = part.stop - part.start, self.config, self.model.dim
        base = np.empty((n, d), dtype=np.float32)
        quality = np.empty(n, dtype=np.float32)
        views = np.empty((n, config.global_views + config.local_views, d), dtype=np.float32)
        plain = 0 if self.clean is not None else 2 if config.mirror else 1
        step = max(1, config.batch // (plain + views.shape[1]))
        for start in range(part.start, part.stop, step):
            batch = slice(start, min(start + step, part.stop))
            here = slice(batch.start - part.start, batch.stop - part.start)
            canvas = self.pictures(self.rows[batch])
            *found, views[here] = _embed(canvas, self.plan[batch], self.model, plain)
            if self.clean is not None:
                found = [self.clean.base[batch], self.clean.quality[batch]]
            base[here], quality[here] = found
            progress(batch.stop)
        rows = self.rows[part]
        return Embeddings(
            track=self.crops.track[rows],
            crop=rows,
            base=base,
            views=views,
            quality=quality,
            global_views=config.global_views,
            tracks=self.crops.tracks,
            model=self.model.name,
        )


@torch.inference_mode()
def _embed(
    pixels: Array, plan: ViewPlan, model: FaceModel, plain: int
) -> tuple[Array, Array, Array]:
    """Embed n canvases in one pass: (n, d) clean, (n,) quality, (n, V, d) views.

    ``plain`` pictures of each are clean: none, one, or one and its mirror image.  Without
    any the first two results are empty.
    """
    n = len(pixels)
    canvas = torch.from_numpy(pixels).to(model.tail.weight.device)
    inputs = [make_views(canvas, plan, model).flatten(0, 1)]
    if plain:
        clean = clean_inputs(canvas, model)
        inputs = [*[clean, clean.flip(-1)][:plain], *inputs]
    hidden = model.trunk(model.normalise(torch.cat(inputs)))
    out = _array(model.tail(hidden))
    first = plain * n
    quality = _array(face_quality(hidden[:first][:n], model.tail.weight, model.tail.bias))
    base = out[:first].reshape(plain, n, -1).mean(axis=0) if plain else out[:0]
    return base, quality, out[first:].reshape(n, -1, model.dim)


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
