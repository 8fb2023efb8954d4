"""Views for training, and fixed looks at crops, at the depth where a learner is entered.

Crops lie on the device as uint8 and views are made there.  Where the learner's first part
is frozen its values are kept: a pool of views of every crop, made once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from videoclusternet.adapt.heads import Learner
from videoclusternet.config import AdaptConfig, EmbedConfig
from videoclusternet.embed.degraded import degraded
from videoclusternet.embed.views import ViewPlan, clean_inputs, make_views, plan_views
from videoclusternet.events import Progress, no_progress
from videoclusternet.types.arrays import Array, Int64, Ints

SPREAD = 1_000_003
"""Keeps the seeds of pool and looks apart."""


class Supply(Protocol):
    """Where training gets its views from."""

    crops: int

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

    def degraded(self, anchor: Int64, part: Int64, seed: int) -> Tensor:
        """Return a degraded look of some crops of a batch, (B, ...); drawn as views are."""
        ...

    def plain(self, rows: Array) -> Tensor:
        """Return crops as they are, and perhaps mirrored, (B, 1 or 2, ...)."""
        ...

    def fixed(self, rows: Array) -> Tensor:
        """Return the fixed views (B, V, ...) of crops that are among those seen."""
        ...


class Fresh:
    """Makes every view anew from the pixels: for learners that are entered there.

    Parameters
    ----------
    pixels : uint8, shape (C, 144, 144, 3)
        On the device of the learner.
    learner : Learner
    plan : ViewPlan
        Of the fixed views of these C crops.
    mirror : bool
        Whether a mirrored crop stands beside the plain one.
    spoilt : uint8, shape (C, D, 144, 144, 3)
        Degraded looks of each, on any device: D may be 0.
    """

    def __init__(
        self, pixels: Tensor, learner: Learner, plan: ViewPlan, mirror: bool, spoilt: Tensor
    ) -> None:
        self._pixels, self._learner, self._plan, self._mirror = pixels, learner, plan, mirror
        self._spoilt = spoilt
        self.crops = len(pixels)

    def views(self, anchor: Array, partner: Array, part: Array, seed: int) -> Tensor:
        """One global and two local views of the anchor, as many of the partner [P]."""
        rows = np.concatenate([anchor, partner])
        both = np.concatenate([part, len(anchor) + part])
        return in_order(self.made(rows[both], plan_views(len(rows), 1, 2, seed)[both]))

    def degraded(self, anchor: Array, part: Array, seed: int) -> Tensor:
        """One of the looks of each."""
        chosen = self._spoilt[drawn(anchor, part, self._spoilt.shape[1], seed)]
        on = chosen.to(self._pixels.device)
        return self._entry(clean_inputs(on, self._learner.backbone))

    def spoilt(self) -> Tensor:
        """Return all degraded looks of all crops, (C, D, ...)."""
        on = self._spoilt.flatten(0, 1).to(self._pixels.device)
        flat = clean_inputs(on, self._learner.backbone)
        entered = self._entry(flat)
        return entered.view(*self._spoilt.shape[:2], *entered.shape[1:])

    def plain(self, rows: Array) -> Tensor:
        """Clean, and perhaps mirrored."""
        clean = clean_inputs(self._pixels[torch.as_tensor(rows)], self._learner.backbone)
        both = [clean, clean.flip(-1)][: 1 + self._mirror]
        return torch.stack([self._entry(x) for x in both], dim=1)

    def fixed(self, rows: Array) -> Tensor:
        """Return the planned views of some crops."""
        return self.made(rows, self._plan[rows])

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
    plain : float16, shape (C, 1 or 2, ...)
    fixed : float16, shape (S, V, ...)
        Of the crops that are seen.
    pool : float16, shape (C, N, ...)
        Global views, then local ones; or degraded looks.
    seen : int64, shape (S,), ascending
        Rows of the crops that are seen.
    globals_ : int
        Global views in the pool.
    device : torch.device
        Where drawn values go.
    """

    def __init__(
        self,
        plain: Tensor,
        fixed: Tensor,
        pool: Tensor,
        seen: Ints,
        globals_: int,
        device: torch.device,
    ) -> None:
        self._plain, self._fixed, self._pool, self._seen = plain, fixed, pool, seen
        self._globals, self._device = globals_, device
        self.crops = len(plain)

    def views(self, anchor: Array, partner: Array, part: Array, seed: int) -> Tensor:
        """One global and two local views of the anchor, as many of the partner [P]."""
        rng = np.random.default_rng(seed)
        take = np.concatenate([part, len(anchor) + part])
        rows = np.concatenate([anchor, partner])
        one = rng.integers(self._globals, size=(len(rows), 1))
        # Two different local views of a crop, where the pool has them.
        count = self._pool.shape[1] - self._globals
        first = rng.integers(count, size=(len(rows), 1))
        second = (first + rng.integers(1, max(count, 2), size=(len(rows), 1))) % count
        which = np.concatenate([one, self._globals + first, self._globals + second], axis=1)
        chosen = torch.as_tensor(rows[take, None]), torch.as_tensor(which[take])
        return in_order(self._given(self._pool[chosen]))

    def degraded(self, anchor: Array, part: Array, seed: int) -> Tensor:
        """One of the looks of each."""
        return self._given(self._pool[drawn(anchor, part, self._pool.shape[1], seed)])

    def plain(self, rows: Array) -> Tensor:
        """Return what is kept."""
        return self._given(self._plain[torch.as_tensor(rows)])

    def fixed(self, rows: Array) -> Tensor:
        """Return what is kept."""
        return self._given(self._fixed[torch.as_tensor(np.searchsorted(self._seen, rows))])

    def _given(self, values: Tensor) -> Tensor:
        return values.to(self._device).float()


def drawn(anchor: Array, part: Array, looks: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw one of its looks for each crop of a batch; crops and looks of a part, (B,) each."""
    which = np.random.default_rng(seed).integers(looks, size=len(anchor))
    return torch.as_tensor(anchor[part]), torch.as_tensor(which[part])


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
    seen: Ints,
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
    seen : int, ascending
        Rows of the crops that have fixed views.
    learner : Learner
        Its frozen part is run.
    config : AdaptConfig
        ``pool`` and ``looks``, of which the objective reads one.
    embed : EmbedConfig
        Kinds and numbers of the fixed views: those of the frozen embeddings.
    seed : int
    progress : callable
        Told in crops.
    """
    device = learner.head.origin.device
    plan = plan_views(crops, embed.global_views, embed.local_views, seed)
    looks = config.looks if config.objective == "looks" else 0
    step = max(1, embed.batch // 8)
    blocks = [np.arange(i, min(i + step, crops)) for i in range(0, crops, step)]

    def pictures(rows: Array) -> tuple[Tensor, Tensor]:
        canvases = pixels(rows)
        spoilt = degraded(canvases, rows, looks, seed + SPREAD)
        return torch.from_numpy(canvases).to(device), torch.from_numpy(spoilt)

    if learner.depth == "all":
        parts = [pictures(rows) for rows in _told(blocks, crops, progress)]
        clean, spoilt = (torch.cat(part) for part in zip(*parts, strict=True))
        return Fresh(clean, learner, plan, embed.mirror, spoilt)
    pool = plan_views(crops, *config.pool, seed + SPREAD)
    plain, fixed, pooled = list[Tensor](), list[Tensor](), list[Tensor]()
    for rows in _told(blocks, crops, progress):
        clean, spoilt = pictures(rows)
        here, inside = Fresh(clean, learner, plan[rows], embed.mirror, spoilt), np.arange(len(rows))
        plain.append(here.plain(inside).half().cpu())
        if len(few := inside[np.isin(rows, seen)]):
            fixed.append(here.fixed(few).half().cpu())
        made = here.spoilt() if looks else here.made(inside, pool[rows])
        pooled.append(made.half().cpu())
    whole = torch.cat(plain), torch.cat(fixed), torch.cat(pooled)
    return Kept(*whole, np.asarray(seen), config.pool[0], device)


def _told(blocks: list[Array], crops: int, progress: Progress) -> Iterator[Array]:
    """Go through blocks of rows, and tell when each is done."""
    for rows in blocks:
        yield rows
        progress(int(rows[-1]) + 1, crops)
