"""CSV, by pandas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from tests.readback.reader import Reader
from videoclusternet.export.sheet import Sheet


def read_csv(paths: list[Path]) -> list[Any]:
    frame = pd.read_csv(paths[0], keep_default_na=False, dtype={"film": str, "name": str})
    return [tuple(row) for row in frame.itertuples(index=False, name=None)]


def expect_csv(sheet: Sheet) -> list[Any]:
    return [
        (
            plain(one.reel.name),
            one.player.number,
            plain(one.player.name),
            one.span.first,
            one.span.end,
            round(one.span.start, 6),
            round(one.span.stop, 6),
            *one.timecodes,
        )
        for one in sheet.appearances
    ]


def plain(text: str) -> str:
    """A cell that a spreadsheet would take for a formula is text by its first letter."""
    return "'" + text if text[:1] in "=+-@\t\r" else text


READERS = {"csv": Reader(read_csv, expect_csv)}
