"""Whether the tables of a run speak of each other's rows.

Their hashes may be right all the same.
"""

from __future__ import annotations

import numpy as np

from videoclusternet.edits.base import GAPS
from videoclusternet.result.described import Described, Film, below, strangers
from videoclusternet.types import Cast, Reason

NEVER = 2**31
"""Above every frame."""


def check_film(film: Film, number: int) -> None:
    """Check that the tables of a film speak of each other's rows.

    Raises
    ------
    StoreError
        When one of them is of another run: its hash in run.json may be right all the same.
    """
    tracks, crops = film.tracks, film.crops
    fits = [
        (tracks.film == number).all(),
        len(film.track_names) in (0, len(tracks)),
        crops.tracks == len(tracks),
        below(tracks.first, NEVER),
        below(crops.frame, NEVER),
    ]
    if film.video is not None and film.shots is not None and film.faces is not None:
        frames = film.video.frames
        fits += [
            below(tracks.last, frames),
            below(film.shots.stop, frames + 1),
            below(tracks.shot, len(film.shots)),
            below(film.faces.frame, frames),
            below(tracks.face, len(film.faces)),
            below(crops.face, len(film.faces)),
        ]
    if not all(fits):
        raise strangers(film.folder)


def check_cast(found: Described, cast: Cast, gaps: bool = False) -> None:
    """Check that a cast is one of the tracks of a run; else as :func:`check_film`.

    Parameters
    ----------
    found : Described
    cast : Cast
    gaps : bool
        Whether numbers of characters may be missing: of those who were forgotten.
    """
    numbers = np.unique(cast.character[cast.character >= 0])
    most = int(numbers.max(initial=-1)) < len(cast) + GAPS
    whole = most if gaps else np.array_equal(numbers, np.arange(len(numbers)))
    if len(cast) != len(found.tracks) or not whole or not below(cast.reason, len(Reason)):
        raise strangers(found.folder)
