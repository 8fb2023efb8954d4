"""What is a face, and what of the faces can be told, of tracks that were found in a film.

A detector finds faces in lamps and flowers, and faces of ten pixels that nobody can tell.
Whatever is compared nevertheless makes characters that are none, and draws others together.
Two questions are asked of a track, in this order, and answered by the film and its models:

*Can it be told?*  Faces smaller than what the face-ID model reads are too small to tell
(:mod:`videoclusternet.embed.readable`).

*Is it a face?*  Surely, where the detector says so with a score that its false faces do not
reach, and for long enough to be cut out twice.  Others are believed when they are recognised:
when one of the sure faces is as near to them as sure faces are to each other, or nearer than
chance would have it.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from videoclusternet.clustering.track_quality import GAUSSIAN
from videoclusternet.config import JudgeConfig
from videoclusternet.embed.embed import Pictures
from videoclusternet.embed.readable import SIZES, Company, least_size
from videoclusternet.engine.work import ALONE, Work
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.types import Crops, CropWeights, Embeddings, Faces, Judgement, Reason, Tracks
from videoclusternet.types.arrays import Bools, Float32, Floats

BEST = 0.9
"""Quantile of the scores of a track that speaks for it: one face seen well is enough, and a
long track has not more luck than a short one."""
CERTAIN = 0.99
"""Score from which a face is sure however short it was seen."""
FEW, MANY = 5, 20
"""Sure faces that a film needs for others to be compared with them, and for what chance does to
be told from them: of few people each is unlike all others."""
LONELY = 0.2
"""Share of the sure faces that may be further from all others than a believed one."""
SHARPER = 4
"""Power of the detector's score that weighs a crop."""


def judge_tracks(
    tracks: Tracks,
    faces: Faces,
    crops: Crops,
    embeddings: Embeddings,
    pictures: Pictures,
    backbone: Callable[[], FaceModel],
    sure_score: float,
    usual_least: float,
    config: JudgeConfig,
    work: Work = ALONE,
) -> tuple[Judgement, CropWeights]:
    """Judge the tracks of a film.

    Parameters
    ----------
    tracks, faces : Tracks, Faces
        T tracks; one with a flaw keeps it.
    crops, embeddings, pictures : Crops, Embeddings, Pictures
        Of tracks without a flaw.
    backbone : callable
        Loads the model that described them, when the film has small faces.
    sure_score, usual_least : float
        Score from which what the detector finds is a face; smallest face that can be told, px,
        where the film does not say it.
    config : JudgeConfig
        Goes before both where it says something.

    Returns
    -------
    Judgement
    CropWeights
        Of the crops of tracks that can be told.
    """
    size = _of_tracks(tracks, faces.shorter, 0.5)
    score = _of_tracks(tracks, faces.score, BEST)
    sure_score = config.sure_score or sure_score
    long = np.bincount(crops.track, minlength=len(tracks)) > 1
    sure = (score >= CERTAIN) | ((score >= sure_score) & long)
    reason = tracks.flaw.copy()
    asked = (reason == Reason.OK) & np.isin(np.arange(len(tracks)), embeddings.track)
    least, measured, least_company = config.least_size, False, -1.0
    company = np.full(len(tracks), np.nan, dtype=np.float32)
    if config.enabled:
        if not least and (size[asked] < SIZES[-1]).any():
            found = least_size(faces, crops, embeddings, pictures, backbone())
            measured = not np.isnan(found)
            least = found if measured else usual_least
        reason[asked & (size < least)] = Reason.UNREADABLE
        asked &= size >= least
        company, least_company = find_company(embeddings, asked, sure)
        reason[asked & ~sure & (company < least_company)] = Reason.NO_FACE
    work.progress(len(tracks), len(tracks))
    kept = embeddings.crop[reason[embeddings.track] == Reason.OK]
    weights = CropWeights(faces.score[crops.face[kept]].clip(0, 1) ** SHARPER)
    signals = (reason, size, score, sure, company)
    return Judgement(*signals, least, measured, sure_score, least_company), weights


def find_company(embeddings: Embeddings, asked: Bools, sure: Bools) -> tuple[Float32, float]:
    """Find the nearest sure face of every track, and how near it must be.

    Believed is what lies as near to a sure face as four in five of the sure ones do to
    another.  Where a film shows people so well that this asks too much, it is what lies nearer
    than any two strangers among ``MANY`` sure ones would by chance: most pairs are strangers, so
    the lower half of all cosines tells how theirs are spread (null model of METHOD 6).

    Parameters
    ----------
    embeddings : Embeddings
    asked : bool, shape (T,)
        Tracks that take part.
    sure : bool, shape (T,)

    Returns
    -------
    float32, shape (T,)
        Cosine to the nearest sure face other than itself; NaN for tracks that take no part, and
        for all where fewer than ``FEW`` are sure.
    float
        Least cosine; -1 where nothing was compared.
    """
    company = np.full(len(asked), np.nan, dtype=np.float32)
    known = np.flatnonzero(asked & sure)
    if len(known) < FEW:
        return company, -1.0
    rows = asked[embeddings.track]
    mean = Company.of(embeddings.base[rows], embeddings.track[rows], len(asked)).means()
    cosine = mean @ mean[known].T
    pairs = cosine[known][np.triu_indices(len(known), 1)]
    cosine[known, np.arange(len(known))] = -np.inf
    nearest = cosine.max(axis=1)
    company[asked] = nearest[asked]
    usual = float(np.quantile(nearest[known], LONELY))
    return company, min(usual, strangers(pairs)) if len(known) >= MANY else usual


def strangers(cosine: Floats) -> float:
    """Return the cosine that one pair of strangers is expected to exceed by chance.

    Among all pairs of tracks, most of which are strangers.

    Parameters
    ----------
    cosine : float, shape (P,)
    """
    middle = float(np.median(cosine))
    spread = GAUSSIAN * float(np.median(middle - cosine[cosine <= middle]))
    return middle + spread * NormalDist().inv_cdf(1 - 1 / (len(cosine) + 1))


def _of_tracks(tracks: Tracks, value: Floats, quantile: float) -> Float32:
    """Return a quantile of a value over the faces of each track, float32 (T,)."""
    found = [np.quantile(value[tracks.faces_of(t)], quantile) for t in range(len(tracks))]
    return np.array(found, dtype=np.float32)
