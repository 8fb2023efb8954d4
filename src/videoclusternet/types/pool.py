"""Several films, one cast: their tables put end to end (episodes of a series)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from videoclusternet.types import Embeddings, Tracks


def pool_tracks(films: Sequence[Tracks]) -> Tracks:
    """Put the tracks of several films end to end; ``face`` stays a row of its own film."""
    if len(films) == 1:
        return films[0]
    shift = np.cumsum([0, *(len(t.face) for t in films[:-1])])
    starts = [t.start[:-1] + s for t, s in zip(films, shift, strict=True)]
    arrays = {
        name: np.concatenate([t.arrays()[name] for t in films])
        for name in Tracks.COLUMNS
        if name != "start"
    }
    total = [np.array([len(arrays["face"])])]
    return Tracks(**arrays, start=np.concatenate([*starts, *total]))


def pool_embeddings(films: Sequence[Embeddings], crops: Sequence[int]) -> Embeddings:
    """Put embeddings end to end; track and crop numbers count on.

    Parameters
    ----------
    films : sequence of Embeddings
        By one model.
    crops : sequence of int
        Number of crops of each film.
    """
    if len(films) == 1:
        return films[0]
    track_shift = np.cumsum([0, *(e.tracks for e in films[:-1])])
    crop_shift = np.cumsum([0, *crops[:-1]])
    arrays = {name: [e.arrays()[name] for e in films] for name in Embeddings.COLUMNS}
    arrays["track"] = [t + s for t, s in zip(arrays["track"], track_shift, strict=True)]
    arrays["crop"] = [c + s for c, s in zip(arrays["crop"], crop_shift, strict=True)]
    return Embeddings(
        **{name: np.concatenate(parts) for name, parts in arrays.items()},
        global_views=films[0].global_views,
        tracks=sum(e.tracks for e in films),
        model=films[0].model,
    )
