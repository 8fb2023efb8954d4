"""Learning rate and teacher momentum over a round (section 3.4, appendix B)."""

from __future__ import annotations

import math

from videoclusternet.config import AdaptConfig


def learning_rate(config: AdaptConfig, epochs: int, progress: float) -> float:
    """Return the learning rate: linear warm-up, then a half cosine [P].

    Parameters
    ----------
    config : AdaptConfig
        ``rate_start`` to ``rate`` over ``warmup`` epochs, then to ``rate_end``.
    epochs : int
        Epochs of the round.
    progress : float
        Epochs done, fractions included; 0 to ``epochs``.
    """
    warmup = min(config.warmup, epochs)
    if progress < warmup:
        return config.rate_start + (config.rate - config.rate_start) * progress / warmup
    rest = (progress - warmup) / max(epochs - warmup, 1e-9)
    return config.rate_end + (config.rate - config.rate_end) * (1 + math.cos(math.pi * rest)) / 2


def teacher_momentum(config: AdaptConfig, steps: int) -> float:
    """Return the teacher's momentum for one update.

    Per step it is ``config.momentum``; per epoch [P] the same pace in one move, that to
    the power of the steps of an epoch.
    """
    return config.momentum if config.update == "step" else config.momentum**steps
