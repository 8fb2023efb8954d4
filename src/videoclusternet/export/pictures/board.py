"""Pictures drawn by Pillow: faces and lines of text on white paper."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

from videoclusternet.export.lettering import fitted, font_file
from videoclusternet.result.found import Found

INK, SOFT, PAPER = "#1c1d21", "#5f636d", "#ffffff"
PACKED = 3
"""zlib level of a PNG: 6 takes two to three times as long for 6 to 8 % fewer bytes."""


class Board:
    """White paper to put faces and text on.

    Parameters
    ----------
    width, height : int
        px.
    """

    def __init__(self, width: int, height: int) -> None:
        self._image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._fonts: dict[tuple[int, bool], ImageFont.FreeTypeFont] = {}

    def face(self, run: Found, row: int, left: int, top: int, side: int) -> None:
        """Put a crop there, ``side`` px wide.

        Raises
        ------
        StoreError
            When it cannot be read.
        """
        picture = Image.fromarray(run.pictures.pixels([row])[0])
        if picture.width != side:
            picture = picture.resize((side, side), Image.Resampling.LANCZOS)
        self._image.paste(picture, (left, top))

    def line(
        self,
        text: str,
        left: int,
        top: int,
        most: int,
        size: int,
        bold: bool = False,
        ink: str = INK,
    ) -> None:
        """Write one line there, cut to ``most`` px."""
        font = self._font(size, bold)
        self._draw.text((left, top), fitted(text, most, font.getlength), fill=ink, font=font)

    def png(self) -> bytes:
        """Return the picture as a PNG file."""
        made = io.BytesIO()
        self._image.save(made, "PNG", compress_level=PACKED)
        return made.getvalue()

    def _font(self, size: int, bold: bool) -> ImageFont.FreeTypeFont:
        if (size, bold) not in self._fonts:
            self._fonts[size, bold] = ImageFont.truetype(str(font_file(bold)), size)
        return self._fonts[size, bold]
