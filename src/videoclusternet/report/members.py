"""The cast as a report shows it: longest on screen first, each with a look of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from videoclusternet.outside.text import printable
from videoclusternet.report.sheets import Picture, Sheets
from videoclusternet.result.characters import Character
from videoclusternet.result.pictures import best_rows
from videoclusternet.result.result import Result
from videoclusternet.show.words import shorten

COLOURS, SHAPES = 7, 7
"""Each pair of both is one character's: 49 are told apart, by shape alone as well as by colour."""
PICTURES = 4
"""Of a character."""
SHORT = 20
"""Letters of a name where there is little room."""


@dataclass(frozen=True)
class Member:
    """A character of the cast.

    Attributes
    ----------
    place : int
        By time on screen, from 0.
    character : Character
    name, short : str
        As text; the latter cut in its middle where it is long.
    note : str
    pictures : list of Picture
        The one that stands for it first; none where there are no pictures.
    """

    place: int
    character: Character
    name: str
    short: str
    note: str
    pictures: list[Picture]

    @property
    def colour(self) -> int:
        """Number of its colour; -1 for the grey of those that come after all pairs are given."""
        return self.place % COLOURS if self.place < COLOURS * SHAPES else -1

    @property
    def shape(self) -> int:
        """Number of its shape: neighbours differ in both."""
        return (self.place + self.place // COLOURS) % SHAPES if self.colour >= 0 else -1


def members(result: Result, cast: Sequence[Character], sheets: Sheets) -> list[Member]:
    """Put the characters that are shown in order, with their pictures."""
    shown = [one for one in cast if one.index >= 0 and not one.hidden]
    shown.sort(key=lambda one: -one.seconds)
    return [_member(result, place, one, sheets) for place, one in enumerate(shown)]


def _member(result: Result, place: int, one: Character, sheets: Sheets) -> Member:
    rows = best_rows(result, one.index, one.tracks, PICTURES) if result.has_pictures else []
    name = printable(one.name)
    return Member(
        place=place,
        character=one,
        name=name,
        short=shorten(name, SHORT),
        note=printable(result.people[one.index].note),
        pictures=[picture for row in rows if (picture := sheets.add(row))],
    )
