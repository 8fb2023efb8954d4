"""Names as small pictures: white or black on a plate in the colour of the character (Pillow)."""

from __future__ import annotations

import bisect
import unicodedata
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from videoclusternet.errors import ConfigError
from videoclusternet.outside.text import printable
from videoclusternet.types.arrays import UInt8

Rgb = tuple[int, int, int]
PALETTE: tuple[Rgb, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""Okabe and Ito's colours: told apart by all."""
NOBODY: Rgb = (160, 160, 160)
BLACK: Rgb = (0, 0, 0)
WHITE: Rgb = (255, 255, 255)
LEAST, SHARE = 12, 30
"""Letters are so many px high at least, and one in so many of the picture's shorter side."""
NO_LETTERS = ("Cc", "Cf", "Mn", "Zs")
"""Characters that need no letter of their own in a font: joiners, marks, spaces."""


def colour_of(number: int) -> Rgb:
    """Return the colour of a character, by its number from 0; -1 is nobody."""
    return PALETTE[number % len(PALETTE)] if number >= 0 else NOBODY


def default_font() -> Path:
    """Return DejaVu Sans, which matplotlib brings: Latin, Greek, Cyrillic, Hebrew, Arabic."""
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


class Labels:
    """Makes labels for pictures of one size.

    Parameters
    ----------
    width, height : int
        Of the pictures, px.
    font : Path, optional
        A TrueType or OpenType file.

    Raises
    ------
    ConfigError
        When that is no font.
    """

    def __init__(self, width: int, height: int, font: Path | None = None) -> None:
        path = font or default_font()
        self._size = max(LEAST, min(width, height) // SHARE)
        self._most = width
        try:
            self._font = ImageFont.truetype(str(path), self._size)
            self._letters = set(FT2Font(str(path)).get_charmap())
        except (OSError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"{path} cannot be used as a font: {error}", "name a TrueType or OpenType file"
            ) from error

    def draw(self, name: str, colour: Rgb) -> UInt8:
        """Draw a name on a plate, uint8 (h, w, 3), RGB, both sides even; long ones are cut."""
        pad = self._size // 4 + 1
        text = self._fitting(_line(name), self._most - 2 * pad)
        left, _, right, _ = self._font.getbbox(text)
        above, below = self._font.getmetrics()
        width, height = round(right - left) + 2 * pad, above + below + pad
        plate = Image.new("RGB", (width + width % 2, height + height % 2), colour)
        ink = BLACK if _light(colour) else WHITE
        ImageDraw.Draw(plate).text((pad - left, pad // 2), text, fill=ink, font=self._font)
        return np.asarray(plate)

    def missing(self, name: str) -> str:
        """Return the letters of a name that the font does not have."""
        return "".join(
            letter
            for letter in dict.fromkeys(_line(name))
            if ord(letter) not in self._letters and unicodedata.category(letter) not in NO_LETTERS
        )

    def _fitting(self, text: str, most: float) -> str:
        """Leave the end of a text out until it is no wider than so many px."""

        def width(count: int) -> float:
            return self._font.getlength(text[:count] + "…")

        if self._font.getlength(text) <= most:
            return text
        count = bisect.bisect_right(range(1, len(text)), most, key=width)
        return text[:count].rstrip() + "…"


def _line(name: str) -> str:
    return printable(" ".join(name.split()))


def _light(colour: Rgb) -> bool:
    """Whether black is read more easily on a colour than white (WCAG 2: contrast)."""
    levels = np.array(colour) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    bright = float(linear @ np.array([0.2126, 0.7152, 0.0722]))
    return (bright + 0.05) / 0.05 > 1.05 / (bright + 0.05)
