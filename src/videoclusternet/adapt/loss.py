"""The training loss (Eq. 2), its pairs of views, and the moving centre (section 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

GLOBALS, LOCALS = 2, 4
"""Views of a pair of crops [P]: one global and two local ones of each crop."""


@dataclass(frozen=True)
class Pairs:
    """Which view teaches which: ordered pairs of the six views of a pair of crops.

    Attributes
    ----------
    teacher, student : int64, shape (P,)
        Views, the two global ones first.
    weight : float32, shape (P,)
        Sums to 1.
    """

    teacher: Tensor
    student: Tensor
    weight: Tensor


def view_pairs(
    average: Literal["terms", "kinds"] = "terms",
    teacher_views: Literal["all", "global"] = "all",
    device: torch.device | str = "cpu",
) -> Pairs:
    """List the pairs of Eq. 2: all within each kind of view (2 global, 12 local) [P].

    Parameters
    ----------
    average : {"terms", "kinds"}
        Mean over the 14 pairs, or of the means of the two kinds.
    teacher_views : {"all", "global"}
        ``global``: the teacher sees global views only and teaches every other view, as in
        DINO; 10 pairs.
    device : torch.device
    """
    views = range(GLOBALS + LOCALS)
    if teacher_views == "global":
        found = [(u, v) for u in range(GLOBALS) for v in views if u != v]
    else:
        found = [(u, v) for u in views for v in views if u != v and (u < GLOBALS) == (v < GLOBALS)]
    teacher, student = torch.tensor(found).T
    weight = torch.full((len(found),), 1 / len(found))
    if average == "kinds":
        kind = (student < GLOBALS).long()
        weight = 1 / (torch.bincount(kind, minlength=2)[kind] * len(torch.unique(kind)))
    return Pairs(teacher.to(device), student.to(device), weight.to(device))


def targets(output: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """Return p(x) = softmax((teacher output - centre) / tau_t) along the last axis (Eq. 2)."""
    return ((output.float() - centre) / temperature).softmax(dim=-1)


def pair_loss(p: Tensor, student: Tensor, pairs: Pairs, temperature: float) -> Tensor:
    r"""Mean over pairs of :math:`L(u, v) = -p(u) \cdot \log softmax(f_s(v) / \tau_s)` (Eq. 2).

    Parameters
    ----------
    p : float32, shape (B, V, O, d)
        The teacher's targets; no gradient.
    student : float, shape (B, V, O, d)
        The student's outputs.
    pairs : Pairs
        On the same device.
    temperature : float
        tau_s.

    Returns
    -------
    float32, shape (B,)
    """
    log_q = F.log_softmax(student.float() / temperature, dim=-1)
    each = -(p[:, pairs.teacher] * log_q[:, pairs.student]).sum(-1).mean(-1)
    return each @ pairs.weight


def move_centre(centre: Tensor, output_mean: Tensor, momentum: float) -> Tensor:
    """Return ``momentum * centre + (1 - momentum) * output_mean`` (section 3.4)."""
    return momentum * centre + (1 - momentum) * output_mean


def track_targets(whose: Tensor, means: Tensor, temperature: float) -> Tensor:
    r"""Return what some tracks say of all tracks: :math:`softmax_u(m_t \cdot m_u / \tau)` (ours).

    Parameters
    ----------
    whose : float32, shape (B, d)
        Mean directions of these tracks, at length 1.
    means : float32, shape (T, d)
        Of all.
    temperature : float

    Returns
    -------
    float32, shape (B, T)
    """
    return (whose @ means.T / temperature).softmax(dim=-1)


def look_loss(student: Tensor, p: Tensor, means: Tensor, temperature: float) -> Tensor:
    r"""Ask of a degraded look what its track says of all tracks (ours; after RKD and DINO).

    :math:`-\sum_u p_u \log softmax_u(z \cdot m_u / \tau)`, with z the student's output at length 1.
    The tracks' means do not move: what is learnt is to see a face through what spoils it.

    Parameters
    ----------
    student : float, shape (B, d)
    p : float32, shape (B, T)
        Rows of :func:`track_targets`.
    means : float32, shape (T, d)
    temperature : float

    Returns
    -------
    float32, shape (B,)
    """
    z = F.normalize(student.float(), dim=-1)
    return -(p * (z @ means.T / temperature).log_softmax(dim=-1)).sum(-1)
