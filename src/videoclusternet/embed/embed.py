"""Embeddings of clean crops, of their multi-crop views, and the SER-FIQ quality of each crop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from videoclusternet.config import EmbedConfig
from videoclusternet.embed.face_quality import face_quality
from videoclusternet.embed.views import ViewPlan, clean_inputs, make_views, plan_views
from videoclusternet.engine.in_parts import even_parts, in_parts, split
from videoclusternet.engine.work import ALONE, Tell, Work
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.types import Crops, Embeddings, Reason, Tracks, Views
from videoclusternet.types.arrays import Array, Float32, Int64, Ints, UInt8

PART = 64
"""Crops at most that a crash can cost, and that a process takes at a time."""


class Pictures(Protocol):
    """Where the canvases of crops come from."""

    def pixels(self, rows: Int64) -> UInt8:
        """Return the canvases, uint8 (n, 144, 144, 3), of n rows of ``Crops``."""
        ...


def embed_crops(
    crops: Crops,
    tracks: Tracks,
    pictures: Pictures,
    backbone: Callable[[], FaceModel],
    config: EmbedConfig,
    work: Work = ALONE,
) -> Embeddings:
    """Embed clean crops with a frozen model.

    Parameters
    ----------
    crops : Crops
        Of all tracks.
    tracks : Tracks
        Tracks with a flaw are passed over.
    pictures : Pictures
        Of these crops.
    backbone : callable
        Loads the model, when there is something to embed.
    config : EmbedConfig
        Crops per track, mirror image and the batch size.
    work : Work
        Told in crops.

    Returns
    -------
    Embeddings
        Of the chosen crops, in order.
    """
    rows = chosen_rows(crops, tracks, config.max_crops)
    make = _Clean(crops, rows, pictures, backbone, config)
    parts = in_parts(even_parts(len(rows), PART), make, (Embeddings,), work)
    return Embeddings.concatenate([part for (part,) in parts])


def embed_views(
    crops: Crops,
    tracks: Tracks,
    pictures: Pictures,
    backbone: Callable[[], FaceModel],
    config: EmbedConfig,
    seed: int,
    work: Work = ALONE,
) -> Views:
    """Embed augmented views of some of the crops that :func:`embed_crops` chooses.

    Parameters
    ----------
    config : EmbedConfig
        Kinds and numbers of the views, of how many crops of a track, and the batch size.
    seed : int
        Seed of the views.

    Others as in :func:`embed_crops`.

    Returns
    -------
    Views
        Their rows are those of the embeddings.
    """
    rows = chosen_rows(crops, tracks, config.max_crops)
    seen = spread_rows(crops.track[rows], config.view_crops or config.max_crops)
    make = _Augmented(rows, seen, pictures, backbone, config, seed)
    parts = in_parts(even_parts(len(seen), PART), make, (Views,), work)
    return Views.concatenate([part for (part,) in parts])


@dataclass(frozen=True)
class _Clean:
    """Embeds some of the chosen crops."""

    crops: Crops
    rows: Int64
    pictures: Pictures
    backbone: Callable[[], FaceModel]
    config: EmbedConfig

    def __call__(self, part: range, tell: Tell) -> tuple[Embeddings]:
        """Embed a range of the chosen crops, a batch at a time."""
        model, copies = self.backbone(), 2 if self.config.mirror else 1
        base = np.empty((len(part), model.dim), dtype=np.float32)
        quality = np.empty(len(part), dtype=np.float32)
        for batch in filter(len, split(len(part), max(1, self.config.batch // copies))):
            here = slice(batch.start, batch.stop)
            canvas = self.pictures.pixels(self.rows[part.start : part.stop][here])
            base[here], quality[here] = _clean(canvas, model, copies)
            tell(batch.stop)
        rows = self.rows[part.start : part.stop]
        made = Embeddings(
            track=self.crops.track[rows],
            crop=rows.astype(np.int32),
            base=base,
            quality=quality,
            tracks=self.crops.tracks,
            model=model.name,
        )
        return (made,)


@dataclass(frozen=True)
class _Augmented:
    """Embeds the views of some of the chosen crops: of those at ``seen`` in ``rows``."""

    rows: Int64
    seen: Int64
    pictures: Pictures
    backbone: Callable[[], FaceModel]
    config: EmbedConfig
    seed: int

    def __call__(self, part: range, tell: Tell) -> tuple[Views]:
        """Embed the views of a range of these crops, a batch at a time."""
        model, config = self.backbone(), self.config
        each = config.global_views + config.local_views
        plan = _planned(len(self.rows), config.global_views, config.local_views, self.seed)
        base = np.empty((len(part), each, model.dim), dtype=np.float32)
        for batch in filter(len, split(len(part), max(1, config.batch // each))):
            rows = self.seen[part.start + batch.start : part.start + batch.stop]
            canvas = self.pictures.pixels(self.rows[rows])
            base[batch.start : batch.stop] = _augmented(canvas, plan[rows], model)
            tell(batch.stop)
        seen = self.seen[part.start : part.stop].astype(np.int32)
        return (Views(base, seen, config.global_views),)


@lru_cache(maxsize=1)
def _planned(crops: int, global_views: int, local_views: int, seed: int) -> ViewPlan:
    """Draw the plan once in a process: it is larger than what says how it is drawn."""
    return plan_views(crops, global_views, local_views, seed)


@torch.inference_mode()
def _clean(pixels: UInt8, model: FaceModel, copies: int) -> tuple[Float32, Float32]:
    """Embed n canvases, and with two ``copies`` their mirror images: (n, d), and (n,) quality."""
    canvas = torch.from_numpy(pixels).to(model.tail.weight.device)
    inputs = clean_inputs(canvas, model)
    both = [inputs, inputs.flip(-1)][:copies]
    hidden = model.trunk(model.normalise(torch.cat(both)))
    quality = face_quality(hidden[: len(pixels)], model.tail.weight, model.tail.bias)
    out = _array(model.tail(hidden)).reshape(copies, len(pixels), model.dim)
    return out.mean(axis=0), _array(quality)


@torch.inference_mode()
def _augmented(pixels: UInt8, plan: ViewPlan, model: FaceModel) -> Float32:
    """Embed the planned views of n canvases in one pass, (n, V, d)."""
    canvas = torch.from_numpy(pixels).to(model.tail.weight.device)
    views = make_views(canvas, plan, model).flatten(0, 1)
    out = _array(model.tail(model.trunk(model.normalise(views))))
    return out.reshape(len(pixels), -1, model.dim)


def _array(x: Tensor) -> Float32:
    return np.asarray(x.detach().float().cpu().numpy(), dtype=np.float32)


def chosen_rows(crops: Crops, tracks: Tracks, most: int) -> Int64:
    """Rows of ``crops`` to embed, int64: of tracks without a flaw, evenly spaced in time.

    Parameters
    ----------
    most : int
        Crops per track at most.
    """
    good = np.flatnonzero(tracks.flaw[crops.track] == Reason.OK)
    return good[spread_rows(crops.track[good], most)]


def spread_rows(track: Ints, most: int) -> Int64:
    """Choose rows of each track evenly spaced from its first to its last, one in the middle.

    Parameters
    ----------
    track : int, shape (n,), ascending
        Track of each row.
    most : int
        Rows of a track at most.

    Returns
    -------
    int64, shape (m,), ascending
    """
    first = np.unique(track, return_index=True)[1]
    stop = np.searchsorted(track, track[first], side="right")
    chosen: list[Array] = [
        np.unique(np.linspace(a, b - 1, min(most, b - a)).round())
        if most > 1
        else np.array([(a + b) // 2])
        for a, b in zip(first.tolist(), stop.tolist(), strict=True)
    ]
    return np.concatenate([np.empty(0), *chosen]).astype(np.int64)
