"""Parquet: the same rows as the CSV, typed, with seconds as they are."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Sheet
from videoclusternet.export.text.csv_table import COLUMNS
from videoclusternet.export.whose import told

_TEXT = ("film", "name", "start_timecode", "stop_timecode")
_REAL = ("start_seconds", "stop_seconds", "confidence")


def write_parquet(sheet: Sheet) -> Iterator[Piece]:
    """Write a row an appearance: texts, int32 and float64; confidence may be null."""
    rows = [
        (
            _text(one.reel.name),
            one.player.number,
            _text(one.player.name),
            one.span.first,
            one.span.end,
            one.span.start,
            one.span.stop,
            *one.timecodes,
            *known,
        )
        for one, known in zip(sheet.appearances, told(sheet), strict=True)
    ]
    columns = zip(*rows, strict=True) if rows else ((),) * len(COLUMNS)
    arrays = [pa.array(values, _kind(name)) for name, values in zip(COLUMNS, columns, strict=True)]
    stream = io.BytesIO()
    pq.write_table(pa.table(arrays, names=list(COLUMNS)), stream, compression="zstd")
    yield Piece(stream.getvalue())


def _kind(name: str) -> pa.DataType:
    if name in _TEXT:
        return pa.string()
    return pa.float64() if name in _REAL else pa.int32()


def _text(text: str) -> str:
    """Return a text that is UTF-8: names of files may not be."""
    return text.encode("utf-8", "replace").decode("utf-8")
