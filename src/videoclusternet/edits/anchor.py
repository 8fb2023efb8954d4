"""What a track is, whatever its number: a face at a place in a picture of a film."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

FILM = 16
"""Digits of a film's content hash that tell films apart."""
LARGEST = 2**31
"""Above every frame number and place in a picture."""


class Anchor(NamedTuple):
    """One place where a track is seen; of tracks given without a film, its name.

    Attributes
    ----------
    film : str
        First digits of the film's content hash, and ``#2`` and so on where it is there again.
    frame : int
        Frame number; -1 for a track that is known by its name.
    box : tuple of int
        ``x1 y1 x2 y2`` in px, rounded; empty for a track that is known by its name.
    name : str
        That name.
    """

    film: str
    frame: int = -1
    box: tuple[int, ...] = ()
    name: str = ""

    def record(self) -> list[Any]:
        """Return JSON-able values: film, frame and box, or film and name."""
        return [self.film, self.frame, *self.box] if self.box else [self.film, self.name]

    @classmethod
    def recorded(cls, values: Any) -> Self:
        """Read what :meth:`record` gave.

        Raises
        ------
        ValueError
            When it is nothing of the kind.
        """
        if isinstance(values, list) and len(values) in (2, 6) and isinstance(values[0], str):
            film, *place = values
            if len(place) == 1 and isinstance(place[0], str):
                return cls(film, name=place[0])
            if {*map(type, place)} == {int} and min(place) > -LARGEST and max(place) < LARGEST:
                return cls(film, place[0], tuple(place[1:]))
        raise ValueError("no track")


def film_keys(contents: list[str]) -> list[str]:
    """Return what tells the films of a run apart, by their content hashes."""
    keys: list[str] = []
    for number, content in enumerate(contents):
        again = contents[:number].count(content)
        keys.append(content[:FILM] + (f"#{again + 1}" if again else ""))
    return keys
