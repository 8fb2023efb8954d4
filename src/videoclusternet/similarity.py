r"""How far two faces, tracks or clusters are apart (Eq. 2) and the bilinear identity.

Every distance used here has the form

.. math:: D(x, y) = \alpha(x) + \beta(y) - P(x) \cdot Q(y),

so its mean over all pairs of two groups needs only the group means of
:math:`\alpha, \beta, P, Q` (METHOD 6, "bilinear identity"): no loop over pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

Array = NDArray[Any]
MetricName = Literal["cosine", "euclidean", "loss"]


@dataclass(frozen=True)
class Terms:
    """The four terms of a bilinear distance for n items (or n group means).

    Attributes
    ----------
    alpha, beta : float32, shape (n,)
    p, q : float32, shape (n, d)
    """

    alpha: Array
    beta: Array
    p: Array
    q: Array

    def __getitem__(self, rows: Any) -> Terms:
        return Terms(self.alpha[rows], self.beta[rows], self.p[rows], self.q[rows])

    def grouped(self, group: Array, groups: int) -> Terms:
        """Return the group means; ``group`` (n,) ascending, values below ``groups``."""
        return Terms(
            *(group_mean(x, group, groups) for x in (self.alpha, self.beta, self.p, self.q))
        )

    def distances(self, other: Terms) -> Array:
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
    name : {"cosine", "euclidean", "loss"}
        ``cosine`` 1 - cos; ``euclidean`` squared Euclidean; ``loss`` the training
        loss of Eq. 2 as a distance, cross-entropy of teacher and student softmax.
    teacher_temperature, student_temperature : float
        Temperatures of ``loss``.
    """

    name: MetricName = "cosine"
    teacher_temperature: float = 0.1
    student_temperature: float = 0.1

    def terms(self, x: Array) -> Terms:
        """Return the bilinear terms of embeddings.

        Parameters
        ----------
        x : float, shape (n, d)
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
        return Terms(
            zero,
            zero,
            softmax(x / np.float32(self.teacher_temperature), axis=1),
            log_softmax(x / np.float32(self.student_temperature), axis=1),
        )


def normalise(x: Array) -> Array:
    """Scale rows to unit length; zero rows stay zero."""
    length = np.sqrt(np.einsum("...d,...d->...", x, x))[..., None]
    return np.asarray(x / np.maximum(length, 1e-12))


def group_mean(x: Array, group: Array, groups: int) -> Array:
    """Mean of rows by group.

    Parameters
    ----------
    x : float, shape (n,) or (n, d)
    group : int, shape (n,)
        Group of each row, ascending; groups without a row give NaN.
    groups : int
        Number of groups.

    Returns
    -------
    float32, shape (groups,) or (groups, d)
    """
    count = np.bincount(group, minlength=groups)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    filled = count > 0
    out = np.full((groups, *x.shape[1:]), np.nan, dtype=np.float32)
    if filled.any():
        # reduceat sums runs; the runs of empty groups are left out beforehand.
        total = np.add.reduceat(x, start[filled], axis=0, dtype=np.float64)
        out[filled] = total / count[filled].reshape(-1, *[1] * (x.ndim - 1))
    return out


def mean_within(terms: Terms, group: Array, groups: int) -> Array:
    r"""Mean distance over distinct pairs inside each group (Eq. 5 of METHOD 6).

    :math:`(n^2 (\bar\alpha + \bar\beta - \bar P \cdot \bar Q) - \sum_x D(x,x)) / (n(n-1))`.

    Parameters
    ----------
    terms : Terms
        Terms of n items.
    group : int, shape (n,)
        Group of each item, ascending.
    groups : int
        Number of groups.

    Returns
    -------
    float32, shape (groups,)
        NaN for groups of fewer than two items.
    """
    n = np.bincount(group, minlength=groups).astype(np.float64)
    own = np.bincount(group, weights=terms.own(), minlength=groups)
    pairs = n * n * terms.grouped(group, groups).own()
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (pairs - own) / (n * (n - 1))
    return np.where(n > 1, mean, np.nan).astype(np.float32)
