"""CSV: a row an appearance, for spreadsheets and notebooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Appearance, Sheet

COLUMNS = (
    "film",
    "character",
    "name",
    "first_frame",
    "end_frame",
    "start_seconds",
    "stop_seconds",
    "start_timecode",
    "stop_timecode",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet, whoever wrote it."""


def write_csv(sheet: Sheet) -> Iterator[Piece]:
    """Write a row an appearance; frames and timecodes are half-open: the end is the next frame."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(one) for one in sheet.appearances)
    yield Piece(text.getvalue())


def _row(one: Appearance) -> tuple[object, ...]:
    start, stop = one.timecodes
    return (
        _cell(one.reel.name),
        one.player.number,
        _cell(one.player.name),
        one.span.first,
        one.span.end,
        f"{one.span.start:.6f}",
        f"{one.span.stop:.6f}",
        start,
        stop,
    )


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
