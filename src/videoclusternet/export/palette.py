"""Colours of characters: the same in every format, told apart by the colour-blind.

The colours are those of Okabe and Ito without orange, for which Avid's list of colours in an EDL
has no name.
"""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """One colour, and the nearest that each program has for markers.

    Attributes
    ----------
    rgb : tuple of int
        Red, green, blue, 0 to 255.
    light : tuple of int
        The same for letters on a picture: of Tol's light scheme.
    otio : str
        Name in OpenTimelineIO, which is Avid's name in an EDL and in its list of markers as well.
    resolve : str
        Name in Resolve.
    premiere : int
        As Premiere keeps it, 0xAABBGGRR; 0 for its own green, which it writes by leaving it out.
    """

    rgb: tuple[int, int, int]
    light: tuple[int, int, int]
    otio: str
    resolve: str
    premiere: int


PALETTE = (
    Colour((0x00, 0x72, 0xB2), (0x77, 0xAA, 0xDD), "BLUE", "Blue", 0xFFFC8D42),
    Colour((0xD5, 0x5E, 0x00), (0xEE, 0x88, 0x66), "RED", "Red", 0xFF362CD2),
    Colour((0x00, 0x9E, 0x73), (0x44, 0xBB, 0x99), "GREEN", "Green", 0),
    Colour((0xF0, 0xE4, 0x42), (0xEE, 0xDD, 0x88), "YELLOW", "Yellow", 0xFF2BA1D0),
    Colour((0xCC, 0x79, 0xA7), (0xFF, 0xAA, 0xBB), "MAGENTA", "Fuchsia", 0xFFB18BAF),
    Colour((0x56, 0xB4, 0xE9), (0x99, 0xDD, 0xFF), "CYAN", "Cyan", 0xFFD6F419),
    Colour((0xC8, 0xC8, 0xC8), (0xDD, 0xDD, 0xDD), "WHITE", "Cream", 0xFFFFFFFF),
)


def colour_of(number: int) -> Colour:
    """Return the colour of a character by its number from 1; the Unknown, 0, are white."""
    return PALETTE[(number - 1) % len(PALETTE)]
