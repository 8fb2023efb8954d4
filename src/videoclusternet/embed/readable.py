"""How small a face may be and still be told: the film's large faces are shrunk to find out.

A face-ID model that cannot read a picture takes it for somebody else.  So some large faces
are shrunk to the sizes of the small ones and described again: as long as nearly all of them
still lie with their own track, or with those that they were nearest to before, faces of that
size can be told.  Where this ends depends on the model and on the film, and needs no label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from videoclusternet.clustering.distance import group_mean, group_sum, normalise
from videoclusternet.embed.embed import Pictures, spread_rows
from videoclusternet.embed.views import clean_inputs
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.types import Crops, Embeddings, Faces
from videoclusternet.types.arrays import Array, Float32, Floats, Int64, Ints, UInt8
from videoclusternet.types.canvas import CANVAS, CANVAS_TEMPLATE, similarity_transform

SIZES = (12.0, 14.0, 16.0, 18.0, 20.0, 24.0, 28.0)
"""Sizes that are tried: shorter side of the face's box, px."""
LARGE = 40.0
"""Size from which a face is large enough to stand for what can be told, px."""
MOST, EACH, FEW = 64, 3, 24
"""Faces that are shrunk at most, of one track at most, and at least: fewer tell nothing."""
NEAR = 0.03
"""Share of the film's tracks that count as the nearest of a face."""
ENOUGH = 0.75
"""Share of the shrunk faces that must still lie with these."""


@dataclass(frozen=True)
class Company:
    """Where the embeddings of a film lie, its own mean taken off.

    Attributes
    ----------
    unit : float32, shape (C, d)
        Of unit length.
    track : int, shape (C,)
    total : float32, shape (T, d)
        Sums over the crops of each track.
    centre : float32, shape (d,)
        Mean of the track means: what was taken off.
    """

    unit: Float32
    track: Ints
    total: Float32
    centre: Float32

    @classmethod
    def of(cls, base: Float32, track: Ints, tracks: int) -> Company:
        """Take the mean of track means off embeddings (C, d) and scale them to unit length."""
        centre = np.nanmean(group_mean(base, track, tracks), axis=0)
        unit = normalise(base - centre).astype(np.float32)
        return cls(unit, track, group_sum(unit, track, tracks).astype(np.float32), centre)

    def means(self) -> Float32:
        """Return the unit mean of each track, (T, d); zeros without a crop."""
        return normalise(self.total).astype(np.float32)

    def stays(self, rows: Ints, again: Float32) -> float:
        """Return the share of crops that, seen again, lie nearest to where they lay.

        Nearest to the other crops of their own track, or to one of the ``NEAR`` tracks that
        were nearest the first time: in a film many tracks show the same person.

        Parameters
        ----------
        rows : int, shape (n,)
            Crops, of tracks with several.
        again : float32, shape (n, d)
            Raw embeddings of other pictures of them.
        """
        there = np.unique(self.track)
        near = max(1, round(NEAR * len(there)))
        means = self.means()[there]
        own = np.searchsorted(there, self.track[rows])
        rest = normalise(self.total[self.track[rows]] - self.unit[rows])
        each = np.arange(len(rows))

        def cosines(x: Float32) -> Floats:
            cosine = x @ means.T
            cosine[each, own] = np.einsum("nd,nd->n", x, rest)
            return cosine

        before = np.argsort(-cosines(self.unit[rows]), axis=1, kind="stable")[:, :near]
        now = cosines(normalise(again - self.centre)).argmax(axis=1)
        return float(((now == own) | (before == now[:, None]).any(axis=1)).mean())


def least_size(
    faces: Faces, crops: Crops, embeddings: Embeddings, pictures: Pictures, model: FaceModel
) -> float:
    """Find the smallest faces that can be told, shorter side of the box in px.

    Parameters
    ----------
    faces : Faces
    crops : Crops
        Of these faces.
    embeddings : Embeddings
        Of these crops by this model.
    pictures : Pictures
    model : FaceModel

    Returns
    -------
    float
        One of ``SIZES``, ``LARGE`` where all of them are too small; NaN with too few large faces
        to find it.
    """
    side = faces.shorter[crops.face[embeddings.crop]]
    rows = large_faces(side, embeddings.track)
    if len(rows) < FEW:
        return float("nan")
    company = Company.of(embeddings.base, embeddings.track, embeddings.tracks)
    scale = _scale(faces.landmarks[crops.face[embeddings.crop[rows]]])
    canvas = pictures.pixels(embeddings.crop[rows].astype(np.int64))
    low, high = 0, len(SIZES)  # all sizes from `high` on can be told
    while low < high:
        middle = (low + high) // 2
        # px of the film become px of the canvas by `scale`.
        kept = np.minimum(1.0, SIZES[middle] / (side[rows] * scale))
        again = _embed(shrink(canvas, np.maximum(1, np.rint(CANVAS * kept)).astype(int)), model)
        if company.stays(rows, again) >= ENOUGH:
            high = middle
        else:
            low = middle + 1
    return SIZES[high] if high < len(SIZES) else LARGE


def large_faces(side: Floats, track: Ints) -> Int64:
    """Choose faces that stand for what can be told, evenly over tracks and time.

    Parameters
    ----------
    side : float, shape (C,)
        Size of each crop's face, px.
    track : int, shape (C,), ascending

    Returns
    -------
    int64, shape (n,)
        Rows of the crops: at most ``MOST``, of tracks with several crops.
    """
    count = np.bincount(track)
    able = np.flatnonzero((side >= LARGE) & (count[track] > 1))
    rows = able[spread_rows(track[able], EACH)]
    return rows[spread_rows(np.zeros_like(rows), MOST)]


def _scale(landmarks: Array) -> Floats:
    """Return how many px of the canvas one px of the film makes, (n,)."""
    maps = [similarity_transform(one.astype(np.float64), CANVAS_TEMPLATE) for one in landmarks]
    return np.sqrt(np.abs([np.linalg.det(one[:, :2]) for one in maps]))


def shrink(canvas: UInt8, side: Ints) -> UInt8:
    """Shrink canvases (n, 144, 144, 3), each to so many px a side, and enlarge them again."""
    made = np.empty_like(canvas)
    for i, small in enumerate(side):
        picture = torch.from_numpy(canvas[i]).permute(2, 0, 1)[None].float()
        small_picture = F.interpolate(picture, (int(small),) * 2, mode="area")
        again = F.interpolate(small_picture, (CANVAS, CANVAS), mode="bilinear", align_corners=False)
        made[i] = again[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    return made


@torch.inference_mode()
def _embed(canvas: UInt8, model: FaceModel) -> Float32:
    """Embed canvases, float32 (n, d)."""
    pixels = torch.from_numpy(canvas).to(model.tail.weight.device)
    return np.asarray(model(clean_inputs(pixels, model)).float().cpu().numpy(), dtype=np.float32)
