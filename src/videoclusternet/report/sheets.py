"""Small pictures of faces, many on one JPEG: each is on the page once, wherever it is shown."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image

from videoclusternet.errors import StoreError
from videoclusternet.result.result import Result
from videoclusternet.runfolder.crop_zip import address
from videoclusternet.types.canvas import CANVAS

ACROSS = 16
"""Pictures in a row of a sheet, and rows: a browser decodes only sheets that it shows."""
QUALITY = 72
"""Of JPEG files."""


@dataclass(frozen=True)
class Picture:
    """Where a picture lies: the sheet's id on the page, its corner and side, px."""

    sheet: str
    x: int
    y: int
    side: int


@dataclass(frozen=True)
class Sheet:
    """A sheet as the page has it."""

    id: str
    width: int
    height: int
    data: str


class Sheets:
    """Pictures of one size.

    Parameters
    ----------
    result : Result
    name : str
        Ids of the sheets begin with it.
    side : int
        Of a picture, px; a multiple of 16, so that no block of a JPEG file shows two.
    """

    def __init__(self, result: Result, name: str, side: int) -> None:
        if side % 16:
            raise ValueError(f"side {side} is no multiple of 16")
        self._result, self._name, self.side = result, name, side
        self._rows: dict[int, int] = {}

    def add(self, row: int) -> Picture | None:
        """Return the place of a crop, row of the pooled crops; None for -1 or without pictures."""
        if row < 0 or not self._result.has_pictures:
            return None
        place = self._rows.setdefault(row, len(self._rows))
        sheet, inside = divmod(place, ACROSS * ACROSS)
        y, x = divmod(inside, ACROSS)
        return Picture(f"{self._name}{sheet}", x * self.side, y * self.side, self.side)

    def number(self, picture: Picture) -> int:
        """Return which of all pictures one is, from 0; a sheet holds ``ACROSS`` squared of them."""
        sheet = int(picture.sheet.removeprefix(self._name))
        inside = picture.y // self.side * ACROSS + picture.x // self.side
        return sheet * ACROSS * ACROSS + inside

    def made(self) -> list[Sheet]:
        """Draw all sheets.

        Raises
        ------
        StoreError
            When a picture is damaged.
        """
        rows = list(self._rows)
        each = ACROSS * ACROSS
        return [
            self._sheet(f"{self._name}{n // each}", rows[n : n + each])
            for n in range(0, len(rows), each)
        ]

    def _sheet(self, name: str, rows: list[int]) -> Sheet:
        across, down = min(len(rows), ACROSS), -(-len(rows) // ACROSS)
        canvas = Image.new("RGB", (across * self.side, down * self.side))
        for place, row in enumerate(rows):
            y, x = divmod(place, ACROSS)
            canvas.paste(self._small(row), (x * self.side, y * self.side))
        file = io.BytesIO()
        canvas.save(file, "JPEG", quality=QUALITY, optimize=True, subsampling="4:2:0")
        return Sheet(name, canvas.width, canvas.height, address(file.getvalue()))

    def _small(self, row: int) -> Image.Image:
        data = self._result.pictures.jpeg(row)
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
                if picture.size != (CANVAS, CANVAS):
                    raise ValueError("not of the size of a crop")
                picture.draft("RGB", (self.side, self.side))  # decodes no more than it must
                whole = picture.convert("RGB")
        except (OSError, ValueError, SyntaxError) as error:
            raise StoreError(
                f"{self._result.folder} is damaged: a face picture cannot be read",
                "restore it, or start a new run folder",
            ) from error
        return whole.resize((self.side, self.side), Image.Resampling.BILINEAR)
