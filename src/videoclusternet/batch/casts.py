"""``casts.parquet``: all casts of a batch in one table, a row for each character of each film."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from videoclusternet.batch.record import Record
from videoclusternet.batch.summary import Member, Summary
from videoclusternet.runfolder.beside import CASTS
from videoclusternet.runfolder.files import replacing

_KINDS = {
    "int": pa.int32(),
    "float": pa.float64(),
    "float | None": pa.float64(),
    "str": pa.string(),
    "bool": pa.bool_(),
}
SCHEMA = pa.schema(
    [("film", pa.string()), ("run", pa.string())]
    + [(field.name, _KINDS[str(field.type)]) for field in fields(Member)]
)
"""Columns: the film's path, its run folder, and what :class:`Member` has."""


def write_casts(folder: Path, films: Iterable[tuple[Record, Summary]]) -> Path:
    """Write the table into the folder of a batch and return its path.

    Raises
    ------
    StoreError
        When it cannot be written.
    """
    rows = [
        {"film": _text(record.film), "run": _text(record.run), **asdict(member)}
        for record, summary in films
        for member in summary.members
    ]
    for row in rows:
        row["name"] = _text(str(row["name"]))
    path = folder / CASTS
    with replacing(path) as temporary, temporary.open("wb") as stream:
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), stream, compression="zstd")
    return path


def _text(text: str) -> str:
    """Return a text that is UTF-8: names of files may not be."""
    return text.encode("utf-8", "replace").decode("utf-8")
