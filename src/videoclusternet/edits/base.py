"""The clustering that edits were made on, described so that it can be found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Self

import numpy as np

from videoclusternet.edits.anchor import LARGEST, Anchor, film_keys
from videoclusternet.types import Faces, Tracks
from videoclusternet.types.arrays import Int32

GAPS = 1 << 16
"""Numbers of characters that may be missing: of those who were forgotten or made one."""
PLACES = 5
"""Places at which a track is remembered, its middle first."""


@dataclass(frozen=True)
class Origin:
    """One film of a run, as far as edits need it.

    Attributes
    ----------
    content : str
        Hash of the film.
    tracks : Tracks
    faces : Faces or None
        None where tracks were given as pictures or features.
    names : sequence of str
        Names that tracks were given with.
    """

    content: str
    tracks: Tracks
    faces: Faces | None
    names: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Base:
    """T tracks with their places and the characters that clustering found.

    Attributes
    ----------
    places : tuple of tuples of Anchor
        Of each track, its middle first.
    first, last : int32, shape (T,)
        First and last frame, both inclusive.
    character : int32, shape (T,)
        As clustered, -1 Unknown.
    """

    places: tuple[tuple[Anchor, ...], ...]
    first: Int32
    last: Int32
    character: Int32

    @classmethod
    def of(cls, films: Sequence[Origin], character: Int32) -> Self:
        """Describe the tracks of some films, end to end, and their characters."""
        keys = film_keys([film.content for film in films])
        places = [_places(key, film) for key, film in zip(keys, films, strict=True)]
        tracks = Tracks.concatenate([film.tracks for film in films])
        return cls(tuple(chain(*places)), tracks.first, tracks.last, character)

    def __len__(self) -> int:
        return len(self.places)

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Base):
            return True if self is other else NotImplemented
        same = (self.places, len(self)) == (other.places, len(other))
        arrays = ("first", "last", "character")
        return same and all(np.array_equal(getattr(self, a), getattr(other, a)) for a in arrays)

    @property
    def characters(self) -> int:
        """Number of characters that clustering found."""
        return int(self.character.max(initial=-1)) + 1

    @property
    def frames(self) -> Int32:
        """Length of each track in frames, int32 (T,)."""
        return np.asarray(self.last - self.first + 1)

    @cached_property
    def _rows(self) -> dict[Anchor, int]:
        return {places[0]: row for row, places in enumerate(self.places)}

    def row(self, anchor: Anchor) -> int:
        """Return the row of a track of this very base; -1 where there is none."""
        return self._rows.get(anchor, -1)

    def record(self) -> dict[str, Any]:
        """Return JSON-able values."""
        films = list(dict.fromkeys(places[0].film for places in self.places))
        number = {film: n for n, film in enumerate(films)}
        tracks = [
            [number[p[0].film], int(a), int(b), *(place.record()[1:] for place in p)]
            for p, a, b in zip(self.places, self.first, self.last, strict=True)
        ]
        return {"films": films, "placed": tracks, "character": self.character.tolist()}

    @classmethod
    def recorded(cls, values: Any) -> Self:
        """Read what :meth:`record` gave.

        Raises
        ------
        ValueError, TypeError, KeyError, IndexError
            When it is nothing of the kind.
        """
        films = values["films"]
        places = tuple(
            tuple(Anchor.recorded([films[film], *place]) for place in some)
            for film, _, _, *some in values["placed"]
        )
        spans = [(first, last) for _, first, last, *_ in values["placed"]]
        first, last = np.array(spans, dtype=np.int64).reshape(-1, 2).T
        character = np.array(values["character"], dtype=np.int64).reshape(-1)
        whole = (first >= 0) & (first <= last) & (last < LARGEST) & (character >= -1)
        # Of a track all places have a box, or it is known by its name.
        alike = all(len({bool(place.box) for place in some}) == 1 for some in places)
        if len(character) != len(places) or not alike or not whole.all():
            raise ValueError("no tracks")
        if character.max(initial=-1) >= len(places) + GAPS:
            raise ValueError("no characters")
        return cls(places, *(x.astype(np.int32) for x in (first, last, character)))


def _places(key: str, film: Origin) -> list[tuple[Anchor, ...]]:
    """Return where the tracks of a film are seen: evenly over their faces, the middle first."""
    names = film.names or [str(track) for track in range(len(film.tracks))]
    if film.faces is None:
        return [(Anchor(key, name=name),) for name in names]
    frames = film.faces.frame.tolist()
    boxes = np.rint(film.faces.box).astype(np.int64).tolist()
    share = np.array([0.5, *np.linspace(0, 1, PLACES)])
    found = []
    for track, name in enumerate(names):
        rows = film.tracks.faces_of(track)
        chosen = rows[np.rint(share * (len(rows) - 1)).astype(np.int64)] if len(rows) else []
        seen = dict.fromkeys(int(row) for row in chosen)
        places = [Anchor(key, frames[row], tuple(boxes[row])) for row in seen]
        found.append(tuple(places) or (Anchor(key, name=name),))
    return found
