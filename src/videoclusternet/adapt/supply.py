"""Views for training, and fixed looks at every crop, at the depth where a learner is entered.

Crops lie on the device as uint8 and views are made there.  Where the learner's first part
is frozen its values are kept: a pool of views of every crop, made once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from videoclusternet.adapt.heads import Learner
from videoclusternet.config import AdaptConfig, EmbedConfig
from videoclusternet.embed.views import ViewPlan, clean_inputs, make_views, plan_views
from videoclusternet.events import Progress, no_progress
from videoclusternet.types.arrays import Array, Int64

SPREAD = 1_000_003
"""Keeps the seeds of pool and looks apart."""


class Supply(Protocol):
    """Where training gets its views from."""

    crops: int
    looks_each: int

    def views(self, anchor: Int64, partner: Int64, part: Int64, seed: int) -> Tensor:
        """Return six views of some pairs of a batch, (B, 6, ...): 2 global, then 4 local ones.

        Draws are made for the whole batch, so that its parts fit together whoever makes them.

        Parameters
        ----------
        anchor, partner : int64, shape (n,)
            Rows of crops: the pairs of the batch.
        part : int64, shape (B,)
            Which of the pairs.
        seed : int
            Of the batch.
        """
        ...

    def looks(self, rows: Array) -> Tensor:
        """Return the fixed looks at crops, (B, L, ...): clean, perhaps mirrored, and views."""
        ...


class Fresh:
    """Makes every view anew from the pixels: for learners that are entered there.

    Parameters
    ----------
    pixels : uint8, shape (C, 144, 144, 3)
        On the device of the learner.
    learner : Learner
    plan : ViewPlan
        Of the views among the looks, for these C crops.
    mirror : bool
        Whether a mirrored crop is among the looks.
    """

    def __init__(self, pixels: Tensor, learner: Learner, plan: ViewPlan, mirror: bool) -> None:
        self._pixels, self._learner, self._plan, self._mirror = pixels, learner, plan, mirror
        self.crops = len(pixels)
        self.looks_each = 1 + mirror + plan.area.shape[1]

    def views(self, anchor: Array, partner: Array, part: Array, seed: int) -> Tensor:
        """One global and two local views of the anchor, as many of the partner [P]."""
        rows = np.concatenate([anchor, partner])
        both = np.concatenate([part, len(anchor) + part])
        return in_order(self.made(rows[both], plan_views(len(rows), 1, 2, seed)[both]))

    def looks(self, rows: Array) -> Tensor:
        """Clean, mirrored, and the planned views of some crops."""
        clean = clean_inputs(self._pixels[torch.as_tensor(rows)], self._learner.backbone)
        plain = [clean, clean.flip(-1)] if self._mirror else [clean]
        entered = [self._entry(x)[:, None] for x in plain]
        return torch.cat([*entered, self.made(rows, self._plan[rows])], dim=1)

    def made(self, rows: Array, plan: ViewPlan) -> Tensor:
        """Return the planned views (n, V, ...) of some crops."""
        views = make_views(self._pixels[torch.as_tensor(rows)], plan, self._learner.backbone)
        entered = self._entry(views.flatten(0, 1))
        return entered.view(len(rows), -1, *entered.shape[1:])

    def _entry(self, pictures: Tensor) -> Tensor:
        return self._learner.entry(self._learner.backbone.normalise(pictures))


class Kept:
    """Draws views from a pool that was run through the frozen part once.

    Parameters
    ----------
    looks : float16, shape (C, L, ...)
    global_pool : float16, shape (C, P, ...)
    local_pool : float16, shape (C, Q, ...)
    device : torch.device
        Where drawn values go.
    """

    def __init__(
        self, looks: Tensor, global_pool: Tensor, local_pool: Tensor, device: torch.device
    ) -> None:
        self._looks, self._global, self._local = looks, global_pool, local_pool
        self._device = device
        self.crops, self.looks_each = looks.shape[:2]

    def views(self, anchor: Array, partner: Array, part: Array, seed: int) -> Tensor:
        """One global and two local views of the anchor, as many of the partner [P]."""
        rng = np.random.default_rng(seed)
        take = np.concatenate([part, len(anchor) + part])
        rows = np.concatenate([anchor, partner])
        one = rng.integers(self._global.shape[1], size=(len(rows), 1))
        # Two different local views of a crop, where the pool has them.
        count = self._local.shape[1]
        first = rng.integers(count, size=(len(rows), 1))
        second = (first + rng.integers(1, max(count, 2), size=(len(rows), 1))) % count
        two = np.concatenate([first, second], axis=1)
        drawn = [
            pool[torch.as_tensor(rows[take, None]), torch.as_tensor(which[take])]
            for pool, which in ((self._global, one), (self._local, two))
        ]
        return in_order(torch.cat(drawn, dim=1).to(self._device).float())

    def looks(self, rows: Array) -> Tensor:
        """Return what is kept."""
        return self._looks[torch.as_tensor(rows)].to(self._device).float()


def in_order(views: Tensor) -> Tensor:
    """From three views of anchors, then of partners, (2B, 3, ...), to (B, 6, ...).

    The global views come first, then the local ones of the anchor and of the partner.
    """
    a, b = views.chunk(2)
    return torch.cat([a[:, :1], b[:, :1], a[:, 1:], b[:, 1:]], dim=1)


@torch.no_grad()
def make_supply(
    pixels: Callable[[Array], Array],
    crops: int,
    learner: Learner,
    config: AdaptConfig,
    embed: EmbedConfig,
    seed: int,
    progress: Progress = no_progress,
) -> Supply:
    """Prepare the views of a film.

    Parameters
    ----------
    pixels : callable
        Gives the canvases, uint8 (n, 144, 144, 3), of n crops.
    crops : int
        Number of crops.
    learner : Learner
        Its frozen part is run.
    config : AdaptConfig
        ``pool``.
    embed : EmbedConfig
        Kinds and numbers of the looks: those of the frozen embeddings.
    seed : int
    progress : callable
        Told in crops.
    """
    device = learner.head.origin.device
    looks = plan_views(crops, embed.global_views, embed.local_views, seed)
    step = max(1, embed.batch // 8)
    blocks = [np.arange(i, min(i + step, crops)) for i in range(0, crops, step)]
    if learner.depth == "all":
        parts = [torch.from_numpy(pixels(rows)).to(device) for rows in blocks]
        return Fresh(torch.cat(parts), learner, looks, embed.mirror)
    pool = plan_views(crops, *config.pool, seed + SPREAD)
    kept: list[Tensor] = []
    for rows in blocks:
        picture, inside = torch.from_numpy(pixels(rows)).to(device), np.arange(len(rows))
        fresh = Fresh(picture, learner, looks[rows], embed.mirror)
        both = torch.cat([fresh.looks(inside), fresh.made(inside, pool[rows])], dim=1)
        kept.append(both.half().cpu())
        progress(int(rows[-1]) + 1, crops)
    each = 1 + embed.mirror + embed.global_views + embed.local_views
    whole, edge = torch.cat(kept), each + config.pool[0]
    return Kept(whole[:, :each], whole[:, each:edge], whole[:, edge:], device)
