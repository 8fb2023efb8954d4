"""How sure is a figure: intervals over seeds, and over the tracks of a set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student_t

from videoclusternet.types.arrays import Array, Float64

DRAWS = 1000


def over_seeds(values: Array) -> float:
    """Half width of the 95 % interval of a mean (Student's t); NaN for a single value."""
    n = len(values)
    if n < 2:
        return float("nan")
    return float(student_t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))


def plus_minus(values: Sequence[float] | Array, digits: int) -> str:
    """Return the mean over seeds, and half its 95 % interval where one shows, as text.

    Parameters
    ----------
    values : sequence of float
        One of each seed.
    digits : int
        Decimals.

    Returns
    -------
    str
        Empty without a value, or where one was not measured (NaN).
    """
    seeds = np.asarray(values, dtype=np.float64)
    if len(seeds) == 0 or not np.isfinite(seeds).all():
        return ""
    half = over_seeds(seeds)
    more = f" ± {half:.{digits}f}" if np.isfinite(half) and round(half, digits) > 0 else ""
    return f"{seeds.mean():.{digits}f}{more}"


def over_tracks(values: Float64, seed: int = 0, draws: int = DRAWS) -> tuple[float, float]:
    """95 % bootstrap interval of B-cubed F over tracks.

    Tracks are drawn with replacement, each with the precision and recall that it has in the
    whole partition: two copies of a track in one table would count as company for each
    other and flatter every method.

    Parameters
    ----------
    values : float64, shape (n, 2)
        Of :func:`videoclusternet_bench.metrics.scores.bcubed_by_track`.
    seed : int
        The same draws for all methods, so that they compare.
    draws : int

    Returns
    -------
    low, high : float
        NaN without a track.
    """
    n = len(values)
    if n == 0:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    weight = rng.multinomial(n, np.full(n, 1 / n), size=draws) / n
    precision, recall = weight @ values[:, 0], weight @ values[:, 1]
    low, high = np.quantile(2 * precision * recall / (precision + recall), [0.025, 0.975])
    return float(low), float(high)
