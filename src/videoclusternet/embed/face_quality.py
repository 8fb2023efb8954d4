"""Face quality by SER-FIQ in closed form (section 3.6)."""

from __future__ import annotations

import torch
from torch import Tensor


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
