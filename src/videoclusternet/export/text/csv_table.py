"""CSV: a row an appearance, for spreadsheets and notebooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import cell
from videoclusternet.export.sheet import Appearance, Sheet
from videoclusternet.export.whose import told
from videoclusternet.result.appearances import Told

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
    "tracks",
    "confidence",
)


def write_csv(sheet: Sheet) -> Iterator[Piece]:
    """Write a row an appearance; frames and timecodes are half-open: the end is the next frame."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(_row, sheet.appearances, told(sheet)))
    yield Piece(text.getvalue())


def _row(one: Appearance, known: Told) -> tuple[object, ...]:
    start, stop = one.timecodes
    return (
        cell(one.reel.name),
        one.player.number,
        cell(one.player.name),
        one.span.first,
        one.span.end,
        f"{one.span.start:.6f}",
        f"{one.span.stop:.6f}",
        start,
        stop,
        known.tracks,
        known.confidence,
    )
