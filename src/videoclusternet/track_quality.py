"""Track quality by SER-FIQ in closed form, and the outlier filter of Eq. 4 (section 3.6)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoclusternet.similarity import group_mean

Array = NDArray[Any]
GAUSSIAN = 1.4826
"""Standard deviation of a Gaussian in units of its median absolute deviation."""


def face_quality(x: Tensor, weight: Tensor, bias: Tensor | None, dropout: float = 0.5) -> Tensor:
    r"""SER-FIQ face quality without sampling (METHOD 4).

    Dropout with probability p before a linear layer gives outputs of mean
    :math:`\mu = Wx + b` and total variance :math:`V = p/(1-p) \sum_k x_k^2 |W_k|^2`.
    The part along :math:`\mu`, :math:`p/(1-p) \sum_k x_k^2 (W_k \cdot \hat\mu)^2`, only
    changes the length, so it is taken off.  Two such outputs, scaled to unit length, have
    a cosine of about :math:`|\mu|^2 / (|\mu|^2 + V)`, so their distance is
    :math:`D = \sqrt{2 - 2\cos}` and the quality :math:`q = 2 / (1 + e^D)`.

    Parameters
    ----------
    x : float, shape (n, k)
        Inputs of the model's last linear layer; the work is done on their device.
    weight : float, shape (d, k)
    bias : float, shape (d,), or None
    dropout : float
        Probability p of dropping an input.

    Returns
    -------
    float32, shape (n,)
        0 to 1, higher is better.
    """
    x, weight = x.float(), weight.float()
    mu = x @ weight.T if bias is None else x @ weight.T + bias.float()
    signal = mu.square().sum(1)
    along = (mu / signal.clamp(min=1e-12).sqrt()[:, None]) @ weight
    spread = weight.square().sum(0) - along.square()
    variance = dropout / (1 - dropout) * (x.square() * spread).sum(1)
    cosine = signal / (signal + variance).clamp(min=1e-12)
    distance = (2 - 2 * cosine).clamp(min=0).sqrt()
    return torch.as_tensor(2 / (1 + distance.exp()))


def track_quality(quality: Array, track: Array, tracks: int) -> Array:
    """Mean face quality of each track, float32 (T,); NaN without a crop.

    Parameters
    ----------
    quality : float32, shape (C,)
    track : int32, shape (C,), ascending
    tracks : int
    """
    return group_mean(quality, track, tracks)


def low_quality(quality: Array, deviations: float = 2.7, spread: str = "mad") -> Array:
    """Mark tracks of outlying low quality (Eq. 4).

    ``mad`` is the paper's: ``quality < mean - deviations * MAD`` with the raw median
    absolute deviation, which sets 3.4 % of a Gaussian aside.  ``sigma`` scales the MAD to
    the standard deviation of a Gaussian and measures from the median: where all tracks are
    good, none is set aside, and one outlier at the top does not drag the mean along.

    Parameters
    ----------
    quality : float32, shape (T,)
        Track qualities; NaN is ignored and never marked.
    deviations : float
        [P] 2.7.
    spread : {"mad", "sigma"}
        [P] mad.

    Returns
    -------
    bool, shape (T,)
    """
    known = quality[np.isfinite(quality)].astype(np.float64)
    if len(known) == 0:
        return np.zeros(len(quality), dtype=bool)
    median = float(np.median(known))
    mad = float(np.median(np.abs(known - median)))
    if spread == "mad":
        return np.asarray(quality < known.mean() - deviations * mad)
    return np.asarray(quality < median - deviations * GAUSSIAN * mad)
