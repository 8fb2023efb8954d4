"""Names as small pictures: white or black on a plate in the colour of the character (Pillow)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from videoclusternet.errors import ConfigError
from videoclusternet.export import palette
from videoclusternet.export.lettering import fitted, font_file, lacking, letters_of
from videoclusternet.types.arrays import UInt8

Rgb = tuple[int, int, int]
NOBODY: Rgb = (160, 160, 160)
BLACK: Rgb = (0, 0, 0)
WHITE: Rgb = (255, 255, 255)
LEAST, SHARE = 12, 30
"""Letters are so many px high at least, and one in so many of the picture's shorter side."""


def colour_of(index: int) -> Rgb:
    """Return the colour of a character, by its number in ``cast.character``; -1 is nobody."""
    return palette.colour_of(index + 1).rgb if index >= 0 else NOBODY


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
        path = font or font_file()
        self._size = max(LEAST, min(width, height) // SHARE)
        self._most = width
        try:
            self._font = ImageFont.truetype(str(path), self._size)
            self._letters = letters_of(path)
        except (OSError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"{path} cannot be used as a font: {error}", "name a TrueType or OpenType file"
            ) from error

    def draw(self, name: str, colour: Rgb) -> UInt8:
        """Draw a name on a plate, uint8 (h, w, 3), RGB, both sides even; long ones are cut."""
        pad = self._size // 4 + 1
        text = fitted(name, self._most - 2 * pad, self._font.getlength)
        left, _, right, _ = self._font.getbbox(text)
        above, below = self._font.getmetrics()
        width, height = round(right - left) + 2 * pad, above + below + pad
        plate = Image.new("RGB", (width + width % 2, height + height % 2), colour)
        ink = BLACK if _light(colour) else WHITE
        ImageDraw.Draw(plate).text((pad - left, pad // 2), text, fill=ink, font=self._font)
        return np.asarray(plate)

    def missing(self, name: str) -> str:
        """Return the letters of a name that the font does not have."""
        return lacking(name, self._letters)


def _light(colour: Rgb) -> bool:
    """Whether black is read more easily on a colour than white (WCAG 2: contrast)."""
    levels = np.array(colour) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    bright = float(linear @ np.array([0.2126, 0.7152, 0.0722]))
    return (bright + 0.05) / 0.05 > 1.05 / (bright + 0.05)
