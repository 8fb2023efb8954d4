"""Track quality, the mean of its faces, and the outlier filter of Eq. 4 (section 3.6)."""

from __future__ import annotations

import numpy as np

from videoclusternet.clustering.distance import group_mean
from videoclusternet.types.arrays import Bools, Float32, Int32

GAUSSIAN = 1.4826
"""Standard deviation of a Gaussian in units of its median absolute deviation."""


def track_quality(quality: Float32, track: Int32, tracks: int) -> Float32:
    """Mean face quality of each track, float32 (T,); NaN without a crop.

    Parameters
    ----------
    quality : float32, shape (C,)
    track : int32, shape (C,), ascending
    tracks : int
    """
    return group_mean(quality, track, tracks)


def low_quality(quality: Float32, deviations: float = 2.7, spread: str = "mad") -> Bools:
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
