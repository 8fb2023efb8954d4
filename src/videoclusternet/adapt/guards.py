"""Is the training healthy?  Label-free measures, and when to go back (METHOD 8).

Self-distillation can collapse in two ways: everybody gets the same answer (the entropy of
the mean target falls, one output wins everywhere), or the targets say nothing (their
entropy stays at the highest).  Both show in a fixed sample of faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from videoclusternet.adapt.loss import targets

PROBE = 512
"""Faces that are watched at most."""
LEAST_ENTROPY = 0.4
"""Share of its value at the start below which the entropy of the mean target is a collapse."""
LEAST_TOLD = 0.1
"""Share of its value at the start below which what a target tells of its face is a collapse:
the entropy of the mean target less that of the targets (their mutual information)."""
TELLING = 0.01
"""Nats; a teacher that told less than this at first cannot fall.  The paper's begins so."""
MOST_TOP = 0.5
"""Share of faces with the same strongest output above which it is a collapse."""


@dataclass(frozen=True)
class Health:
    """How the teacher answers a sample of faces.

    Attributes
    ----------
    entropy : float
        Mean entropy of the targets, nats; 0 is one-hot.
    mean_entropy : float
        Entropy of the mean target: low when all faces get the same answer.
    rank : float
        Effective rank of the centred outputs: how many directions are in use.
    top : float
        Share of the faces whose strongest output is the commonest one.
    """

    entropy: float
    mean_entropy: float
    rank: float
    top: float


def measure(output: Tensor, centre: Tensor, temperature: float) -> Health:
    """Measure the health of a teacher.

    Parameters
    ----------
    output : float, shape (n, d)
        Its raw outputs for different tracks.
    centre : float, shape (d,)
    temperature : float
        tau_t.
    """
    p = targets(output, centre, temperature).double()
    mean = p.mean(0)
    winners = torch.bincount(p.argmax(1), minlength=p.shape[1])
    return Health(
        entropy=float(_entropy(p).mean()),
        mean_entropy=float(_entropy(mean)),
        rank=effective_rank(output),
        top=float(winners.max()) / len(p),
    )


def _entropy(p: Tensor) -> Tensor:
    return torch.as_tensor(-torch.special.xlogy(p, p).sum(-1))


def effective_rank(x: Tensor) -> float:
    """Exponential of the entropy of the singular values of centred rows (Roy, Vetterli 2007)."""
    values = torch.linalg.svdvals((x - x.mean(0)).double())
    total = float(values.sum())
    return float(torch.exp(_entropy(values / total))) if total > 1e-12 else 0.0


def collapsed(now: Health, start: Health, faces: int) -> str:
    """Say what is wrong, or nothing.

    Parameters
    ----------
    now, start : Health
        At the end of an epoch, and before the training.
    faces : int
        Faces that were measured; of few, one output may well win half.
    """
    if now.mean_entropy < LEAST_ENTROPY * start.mean_entropy:
        fell = f"from {start.mean_entropy:.2f} to {now.mean_entropy:.2f}"
        return f"the entropy of the mean target fell {fell}"
    told, first = (health.mean_entropy - health.entropy for health in (now, start))
    if first > TELLING and told < LEAST_TOLD * first:
        return f"what a target tells of its face fell from {first:.2f} to {told:.2f} nats"
    if faces >= 8 and now.top > max(MOST_TOP, start.top):
        return f"one output is the strongest for {now.top:.0%} of the faces"
    return ""
