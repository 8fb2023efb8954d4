"""One round of training: the loss, its centre, the moving teacher (section 3.4, appendix B)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from videoclusternet.adapt.guards import PROBE, Health, collapsed, measure
from videoclusternet.adapt.heads import Learner
from videoclusternet.adapt.loss import (
    GLOBALS,
    LOCALS,
    look_loss,
    move_centre,
    pair_loss,
    targets,
    track_targets,
    view_pairs,
)
from videoclusternet.adapt.pairs import Partners, draw_epoch
from videoclusternet.adapt.ranks import Ranks
from videoclusternet.adapt.schedule import learning_rate, teacher_momentum
from videoclusternet.adapt.supply import Supply
from videoclusternet.config import AdaptConfig
from videoclusternet.events import Progress, no_progress
from videoclusternet.types.arrays import Array, Bools, Float32, Ints


@dataclass
class Training:
    """What moves while training.

    Attributes
    ----------
    student, teacher : Learner
    centre : float32, shape (O, d)
        Running mean of the teacher's outputs; starts at 0 [P].
    start : Health or None
        Health before the first round.
    """

    student: Learner
    teacher: Learner
    centre: Tensor
    start: Health | None = None


@dataclass(frozen=True)
class Company:
    """Who belongs together in this round.

    Attributes
    ----------
    track : int, shape (C,)
        Track of each crop, ascending.
    partners : Partners
    kept : bool, shape (T,)
        Tracks that take part.
    means : float32, shape (T, d)
        Mean direction of each track at the start of the round, at length 1; 0 for tracks that
        take no part.
    """

    track: Ints
    partners: Partners
    kept: Bools
    means: Float32


@dataclass(frozen=True)
class Epoch:
    """Log of one epoch: mean loss, last learning rate, health of the teacher."""

    round: int
    epoch: int
    loss: float
    rate: float
    health: Health


class Collapse(Exception):
    """The training has collapsed; the message says how."""


class Trainer:
    """Trains one round.

    Parameters
    ----------
    training : Training
        Moves in place.
    supply : Supply
        Views of the crops.
    company : Company
    config : AdaptConfig
    ranks : Ranks
    """

    def __init__(
        self,
        training: Training,
        supply: Supply,
        company: Company,
        config: AdaptConfig,
        ranks: Ranks,
    ) -> None:
        self.training, self.supply, self.company = training, supply, company
        self.config, self.ranks = config, ranks
        self.device: torch.device = training.centre.device
        self.pairs = view_pairs(config.average, config.teacher_views, self.device)
        self._means = torch.from_numpy(company.means[company.kept]).to(self.device)
        self._number = np.cumsum(company.kept) - 1  # of each track among those that are kept
        self._probe = probe(company.track, company.kept)

    def round(self, number: int, seed: int, progress: Progress = no_progress) -> Iterator[Epoch]:
        """Train epoch by epoch.

        Parameters
        ----------
        number : int
            Of the round, from 1; the first has its own length and warm-up of the head.
        seed : int
            With the numbers of round and epoch it determines every draw.
        progress : callable
            Told in pairs of crops.

        Yields
        ------
        Epoch

        Raises
        ------
        Collapse
            When a guard strikes (METHOD 8).
        """
        config, company = self.config, self.company
        epochs = config.epochs if number == 1 else config.later_epochs
        frozen = min(config.head_epochs, epochs) if number == 1 and config.head != "none" else 0
        if self.training.start is None:
            self.training.start = self._health()
        for epoch in range(epochs):
            if epoch in (0, frozen):
                self._begin(base=epoch >= frozen)
            rng = np.random.default_rng([seed, number, epoch])
            anchor, partner = draw_epoch(
                company.track, company.partners, company.kept, config.anchors,
                config.own_share, rng,
            )  # fmt: skip
            steps = max(1, -(-len(anchor) // config.batch))
            total = 0.0
            for step in range(steps):
                rows = slice(step * config.batch, (step + 1) * config.batch)
                self._rate = learning_rate(config, epochs, epoch + step / steps)
                drawn = int(rng.integers(2**31))
                total += self._step(anchor[rows], partner[rows], drawn) * len(anchor[rows])
                if config.update == "step":
                    self._follow(teacher_momentum(config, steps))
                done = epoch * len(anchor) + min(rows.stop, len(anchor))
                progress(done, epochs * len(anchor))
            if config.update == "epoch":
                self._follow(teacher_momentum(config, steps))
            health = self._health()
            yield Epoch(number, epoch, total / len(anchor), self._rate, health)
            why = collapsed(health, self.training.start, len(self._probe))
            if config.guard and why:
                raise Collapse(why)

    def _begin(self, base: bool) -> None:
        """Make the optimiser of a phase: head only, or everything that is trainable."""
        student, config = self.training.student, self.config
        student.requires_grad_(False)
        trained = [*student.head_parameters(), *(student.base_parameters() if base else ())]
        for parameter in trained:
            parameter.requires_grad_(True)
        groups: dict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
        for parameter in trained:
            # A step that suits one network wipes out another whose weights are smaller.
            size = parameter.detach().square().mean().sqrt().item() if config.relative else 1.0
            groups[config.decay if parameter.ndim > 1 else 0.0, size].append(parameter)
        self._optimiser = torch.optim.AdamW(
            [
                {"params": some, "weight_decay": decay, "size": size}
                for (decay, size), some in groups.items()
            ],
            lr=config.rate,
            fused=self.device.type == "cuda",  # one kernel a group, not ten a tensor
        )
        self._network: nn.Module = self.ranks.wrap(student)
        if config.compile:
            self._network.compile()
        half = precision(config, self.device.type) == torch.float16
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=half)
        self._begun = {p: p.detach().clone() for p in trained} if config.hold else {}

    def _step(self, anchor: Array, partner: Array, seed: int) -> float:
        """Take one step of the optimiser and move the centre; return the mean loss."""
        config, training = self.config, self.training
        mine = self.ranks.share(np.arange(len(anchor)))
        # A process without a pair takes part all the same, for the exchange of gradients.
        weight = self.ranks.world / len(anchor) if len(mine) else 0.0
        mine = mine if len(mine) else np.zeros(1, dtype=np.int64)
        parts = [part for part in np.array_split(mine, config.accumulate) if len(part)]
        self._optimiser.zero_grad(set_to_none=True)
        outputs, losses = torch.zeros_like(training.centre), torch.zeros((), device=self.device)
        for part in parts:
            with self._unsynced(part is parts[-1]):
                each, output = self._losses(anchor, partner, part, seed)
                # Gradients are averaged over processes: together the mean over all pairs.
                self._scaler.scale(each.sum() * weight).backward()  # type: ignore[no-untyped-call]
            outputs += output * (weight > 0)
            losses += each.detach().sum() * (weight > 0)
        self._move()
        if config.centre and config.objective == "eq2":
            mean = self.ranks.total(outputs) / (len(anchor) * (GLOBALS + LOCALS))
            training.centre = move_centre(training.centre, mean, config.centre_momentum)
        return float(self.ranks.total(losses)) / len(anchor)

    def _losses(
        self, anchor: Array, partner: Array, part: Array, seed: int
    ) -> tuple[Tensor, Tensor]:
        """Return the loss of each pair (B,) and the sum of the teacher's outputs (O, d)."""
        config = self.config
        if config.objective == "looks":  # nothing is taught: the teacher only follows
            looks = self.supply.degraded(anchor, part, seed)
            with autocast(config, self.device.type):  # the networks only, not the loss
                seen = self._network(looks)[:, 0]
            whose = self._means[self._number[self.company.track[partner[part]]]]
            told = track_targets(whose, self._means, config.teacher_temperature)
            loss = look_loss(seen, told, self._means, config.student_temperature)
            return loss, torch.zeros_like(self.training.centre)
        views = self.supply.views(anchor, partner, part, seed)
        shape = views.shape[:2]
        with autocast(config, self.device.type):
            student = self._network(views.flatten(0, 1)).unflatten(0, shape)
        with torch.no_grad(), autocast(config, self.device.type):
            output = self.training.teacher(views.flatten(0, 1)).unflatten(0, shape).float()
        p = targets(output, self.training.centre, config.teacher_temperature)
        loss = pair_loss(p, student, self.pairs, config.student_temperature)
        return loss, output.flatten(0, 1).sum(0)

    def _move(self) -> None:
        """Clip each gradient, take the step, and pull the weights back where asked to."""
        config = self.config
        self._scaler.unscale_(self._optimiser)
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * group["size"]
            for parameter in group["params"] if config.clip else ():
                nn.utils.clip_grad_norm_([parameter], config.clip)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        with torch.no_grad():
            for parameter, begun in self._begun.items():
                parameter.lerp_(begun, min(1.0, self._rate * config.hold))

    @torch.no_grad()
    def _follow(self, momentum: float) -> None:
        """Move the teacher: theta_t <- m theta_t + (1 - m) theta_s [P]."""
        student = self.training.student
        moving = {id(p) for p in (*student.base_parameters(), *student.head_parameters())}
        every = zip(self.training.teacher.parameters(), student.parameters(), strict=True)
        ours, theirs = zip(*(pair for pair in every if id(pair[1]) in moving), strict=True)
        average = get_ema_multi_avg_fn(momentum)  # type: ignore[no-untyped-call]
        average(list(ours), list(theirs), 0)  # few kernels for all tensors
        buffers = zip(self.training.teacher.buffers(), student.buffers(), strict=True)
        for our_buffer, their_buffer in buffers:
            our_buffer.copy_(their_buffer)

    def _unsynced(self, last: bool) -> AbstractContextManager[Any]:
        """Exchange gradients only with the last part of a step."""
        if self.ranks.world == 1 or last:
            return nullcontext()
        return self._network.no_sync()  # type: ignore[no-any-return, operator]

    @torch.no_grad()
    def _health(self) -> Health:
        """Measure the teacher on clean crops, a few at a time."""
        teacher = self.training.teacher
        blocks = np.array_split(self._probe, max(1, len(self._probe) // self.config.batch))
        found = [teacher(self.supply.plain(rows)[:, 0])[:, 0].float() for rows in blocks]
        centre = self.training.centre[0]
        return measure(torch.cat(found), centre, self.config.teacher_temperature)


def probe(track: Ints, kept: Bools) -> Array:
    """Return the rows of the crops that guards watch: the middle ones of even kept tracks.

    Parameters
    ----------
    track : int, shape (C,), ascending
    kept : bool, shape (T,)
    """
    present = np.flatnonzero(kept & (np.bincount(track, minlength=len(kept)) > 0))
    few = present[np.linspace(0, len(present) - 1, min(PROBE, len(present))).round().astype(int)]
    first, stop = (np.searchsorted(track, few, side=side) for side in ("left", "right"))
    return np.asarray((first + stop - 1) // 2)


def precision(config: AdaptConfig, device: str) -> torch.dtype:
    """Return the type that networks compute in."""
    if config.precision != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[
            config.precision
        ]
    good = device == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if good else torch.float32


def autocast(config: AdaptConfig, device: str) -> AbstractContextManager[Any]:
    """Compute in the chosen precision inside."""
    dtype = precision(config, device)
    return torch.autocast(device, dtype) if dtype != torch.float32 else nullcontext()
