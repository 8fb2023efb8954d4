"""What all sources of a run brought, described."""

from __future__ import annotations

from dataclasses import dataclass

from videoclusternet.runfolder.crop_zip import CropPictures
from videoclusternet.types import CropWeights, Embeddings, Tracks, Views


@dataclass(frozen=True)
class Pooled:
    """The tracks of all films, and their crops in numbers.

    Attributes
    ----------
    tracks : Tracks
        T tracks.
    embeddings : Embeddings
        C crops, of tracks that can be told.
    views : Views
        Of these crops.
    weights : CropWeights
        Likewise.
    pictures : CropPictures
        Of all crops.
    """

    tracks: Tracks
    embeddings: Embeddings
    views: Views
    weights: CropWeights
    pictures: CropPictures
