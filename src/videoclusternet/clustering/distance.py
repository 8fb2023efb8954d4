r"""How far two faces, tracks or clusters are apart (Eq. 2) and the bilinear identity.

Every distance used here has the form

.. math:: D(x, y) = \alpha(x) + \beta(y) - P(x) \cdot Q(y),

so its mean over all pairs of two groups needs only the group means of
:math:`\alpha, \beta, P, Q` (METHOD 6, "bilinear identity"): no loop over pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import log_softmax

from videoclusternet.types.arrays import Array, Float32, Float64, Floats, Ints

COLUMNS = 64
"""Columns that are summed at a time."""
MetricName = Literal["cosine", "euclidean", "loss", "kl"]


@dataclass(frozen=True)
class Terms:
    """The four terms of a bilinear distance for n items (or n group means).

    Attributes
    ----------
    alpha, beta : float32, shape (n,)
    p, q : float32, shape (n, d)
    """

    alpha: Float32
    beta: Float32
    p: Float32
    q: Float32

    def __getitem__(self, rows: Any) -> Terms:
        p = self.p[rows]
        return Terms(self.alpha[rows], self.beta[rows], p, p if self.p is self.q else self.q[rows])

    def grouped(self, group: Array, groups: int) -> Terms:
        """Return the group means; ``group`` (n,) holds values below ``groups``."""
        alpha, beta, p = (group_mean(x, group, groups) for x in (self.alpha, self.beta, self.p))
        return Terms(alpha, beta, p, p if self.p is self.q else group_mean(self.q, group, groups))

    def distances(self, other: Terms) -> Float32:
        """Return the symmetrised mean distances, float32 (n, m), of rows to ``other``."""
        forward = self.alpha[:, None] + other.beta[None] - self.p @ other.q.T
        if self.p is self.q and other.p is other.q:
            return np.asarray(forward)
        backward = self.beta[:, None] + other.alpha[None] - self.q @ other.p.T
        return np.asarray((forward + backward) / 2)

    def own(self) -> Array:
        """Return D(x, x) for every row, (n,)."""
        return np.asarray(self.alpha + self.beta - np.einsum("nd,nd->n", self.p, self.q))


@dataclass(frozen=True)
class Metric:
    """A distance between embeddings.

    Attributes
    ----------
    name : {"cosine", "euclidean", "loss", "kl"}
        ``cosine`` 1 - cos; ``euclidean`` squared Euclidean; ``loss`` the training
        loss of Eq. 2 as a distance, cross-entropy of teacher and student softmax;
        ``kl`` that loss less the teacher's entropy, so that an uncertain track is not far
        from everybody alike (METHOD 6, "entropy makes the hubs").
    teacher_temperature, student_temperature : float
        Temperatures of ``loss`` and ``kl``.
    paired : bool
        Whether an embedding holds the teacher's output, centre taken off, and then the
        student's, for ``loss`` and ``kl``.  Without it both are the same vector.
    """

    name: MetricName = "cosine"
    teacher_temperature: float = 0.1
    student_temperature: float = 0.1
    paired: bool = False

    def terms(self, x: Floats) -> Terms:
        """Return the bilinear terms of embeddings.

        Parameters
        ----------
        x : float, shape (n, d), or (n, 2d) where ``paired``
            Embeddings, centred where the space asks for it.
        """
        x = np.asarray(x, dtype=np.float32)
        zero = np.zeros(len(x), dtype=np.float32)
        if self.name == "cosine":
            unit = normalise(x)
            return Terms(zero + 1, zero, unit, unit)
        if self.name == "euclidean":
            square = np.einsum("nd,nd->n", x, x)
            root = np.float32(np.sqrt(2)) * x
            return Terms(square, square, root, root)
        teacher, student = np.split(x, 2, axis=1) if self.paired else (x, x)
        log_p = log_softmax(teacher / np.float32(self.teacher_temperature), axis=1)
        p = np.exp(log_p)
        q = log_softmax(student / np.float32(self.student_temperature), axis=1)
        return Terms(np.einsum("nd,nd->n", p, log_p) if self.name == "kl" else zero, zero, p, q)


def concatenate(parts: Sequence[Terms]) -> Terms:
    """Put the terms of several sets of items end to end."""
    alpha, beta, p = (
        np.concatenate([getattr(t, x) for t in parts]) for x in ("alpha", "beta", "p")
    )
    same = all(t.p is t.q for t in parts)
    return Terms(alpha, beta, p, p if same else np.concatenate([t.q for t in parts]))


def normalise(x: Array) -> Array:
    """Scale rows to unit length; zero rows stay zero."""
    length = np.sqrt(np.einsum("...d,...d->...", x, x))[..., None]
    return np.asarray(x / np.maximum(length, 1e-12))


def group_sum(x: Floats, group: Ints, groups: int) -> Float64:
    """Sum of rows by group.

    Parameters
    ----------
    x : float, shape (n,) or (n, d)
    group : int, shape (n,)
        Group of each row, in any order.
    groups : int
        Number of groups.

    Returns
    -------
    float64, shape (groups,) or (groups, d)
    """
    if x.ndim == 1:
        return np.asarray(np.bincount(group, weights=x, minlength=groups), dtype=np.float64)
    rows = np.arange(len(x))
    select = csr_matrix((np.ones(len(x)), (group, rows)), shape=(groups, len(x)))
    out = np.empty((groups, x.shape[1]))
    # A few columns at a time: the product works on a copy in double precision.
    for start in range(0, x.shape[1], COLUMNS):
        out[:, start : start + COLUMNS] = select @ x[:, start : start + COLUMNS]
    return out


def group_mean(x: Array, group: Array, groups: int) -> Array:
    """Mean of rows by group, float32; groups without a row give NaN.  See `group_sum`."""
    count = np.bincount(group, minlength=groups)
    total = group_sum(x, group, groups)
    with np.errstate(invalid="ignore"):
        return np.asarray((total.T / count).T, dtype=np.float32)


def weighted_mean(x: Array, weight: Array, group: Array, groups: int) -> Float32:
    """Weighted mean of rows (n, d) by group, float32; groups without a row give NaN."""
    total = group_sum(x * weight[:, None], group, groups)
    with np.errstate(invalid="ignore"):
        return np.asarray((total.T / group_sum(weight, group, groups)).T, dtype=np.float32)


def mean_within(
    terms: Terms, group: Ints, groups: int, own: Floats | None = None, each: int = 1
) -> Float32:
    r"""Mean distance over distinct pairs inside each group (Eq. 5 of METHOD 6).

    :math:`(n^2 (\bar\alpha + \bar\beta - \bar P \cdot \bar Q) - \sum_x D(x,x)) / (n(n-1))`.

    Parameters
    ----------
    terms : Terms
        Terms of m items, or mean terms of m sets of ``each`` items.
    group : int, shape (m,)
        Group of each.
    groups : int
        Number of groups.
    own : float, shape (m,), optional
        Sum of D(x, x) over the items of each set; by default of single items.
    each : int

    Returns
    -------
    float32, shape (groups,)
        NaN for groups of fewer than two items.
    """
    n = each * np.bincount(group, minlength=groups).astype(np.float64)
    own = terms.own() if own is None else own
    pairs = n * n * terms.grouped(group, groups).own()
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (pairs - group_sum(own, group, groups)) / (n * (n - 1))
    return np.where(n > 1, mean, np.nan).astype(np.float32)
