"""Run folders whose tables are not of each other, though run.json has the right hashes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.attack.case import Case, Place
from tests.attack.material import QUICK, Material, copied
from videoclusternet.runfolder.manifest import manifest_text
from videoclusternet.runfolder.table_files import read_table, table_path, write_table
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    Embeddings,
    Faces,
    FrameScores,
    Merges,
    Motion,
    Shots,
    Table,
    Tracks,
    VideoInfo,
    Views,
)

TABLES: tuple[type[Table], ...] = (
    VideoInfo,
    FrameScores,
    Faces,
    Motion,
    Shots,
    Tracks,
    Crops,
    Embeddings,
    Views,
    Cast,
    Merges,
    Candidates,
)
_END = {"high": "max", "low": "min"}


def strangers(material: Material, rng: random.Random) -> Iterator[Case]:
    """Tables of other rows, columns and kinds, whose hash in run.json is right."""
    for kind in TABLES:
        for how in ("half", "twice", "none", "high", "low", "mixed"):
            yield Case(f"{kind.FILE} {how}", partial(_with_table, material, kind, how))
    for name in ("faces", "tracks", "crops", "cast", "video"):
        for change in ("no column", "text column", "repeated", "no metadata", "strange metadata"):
            yield Case(f"{name} {change}", partial(_with_parquet, material, name, change))


def _with_table(material: Material, kind: type[Table], how: str, place: Place) -> None:
    run = copied(material.film_run, place.folder / "run.vcn")
    path = table_path(run, kind)
    table = read_table(path, kind)
    arrays = {name: array.copy() for name, array in table.arrays().items()}
    ragged = {*kind.RAGGED, *kind.RAGGED.values()}
    for name, array in arrays.items():
        if name in ragged or not len(array) or (array.dtype == bool and how in _END):
            continue
        if how in ("half", "none"):
            arrays[name] = array[: len(array) // 2 if how == "half" else 0]
        elif how == "twice":
            arrays[name] = np.concatenate([array, array])
        elif how == "mixed":
            arrays[name] = array[
                np.random.default_rng(place.rng.getrandbits(32)).permutation(len(array))
            ]
        else:
            limits = np.finfo if array.dtype.kind == "f" else np.iinfo
            array.flat[0 if how == "low" else -1] = getattr(limits(array.dtype), _END[how])
    try:
        changed = kind.build(arrays, table.meta())
    except ValueError:
        return  # tables check themselves: the command could not read it
    write_table(path, changed)
    manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
    for step in manifest["steps"].values():
        if kind.FILE in step["tables"]:
            step["tables"][kind.FILE] = changed.digest
    (run / "run.json").write_text(manifest_text(manifest), encoding="utf-8")
    _use_all(place, material)


def _write_repeated(path: Path, frame: pa.Table) -> None:
    """Write a row 50 million times, piece by piece: children would inherit its memory."""
    piece = frame.slice(0, 1).take(pa.array(np.zeros(500_000, dtype=np.int64)))
    with pq.ParquetWriter(path, frame.schema, compression="zstd") as writer:
        for _ in range(100):
            writer.write_table(piece)


def _with_parquet(material: Material, name: str, change: str, place: Place) -> None:
    run = copied(material.film_run, place.folder / "run.vcn")
    path = run / f"{name}.parquet"
    with pq.ParquetFile(path) as file:
        frame = file.read()
    meta = frame.schema.metadata
    first = frame.column_names[0]
    rows = len(frame)
    if change == "no column":
        frame = frame.drop_columns([first])
    elif change == "text column":
        frame = frame.set_column(0, first, pa.array(["x"] * rows))
    elif change == "repeated":
        _write_repeated(path, frame)
        return _use_all(place, material)
    elif change == "no metadata":
        meta = {}
    else:
        meta = {b"vcn": b'{"path": 1e999, "tracks": {}, "chosen": [], "stride": "x"}'}
    pq.write_table(frame.replace_schema_metadata(meta), path, compression="zstd")
    _use_all(place, material)


def _use_all(place: Place, material: Material) -> None:
    """Read a run whose tables are strangers to each other in every way that there is."""
    codes = (0, 5)
    place.vcn("show", "run.vcn", codes=codes)
    place.vcn("show", "run.vcn", "--candidates", codes=codes)
    place.vcn("dataset", "from-run", "run.vcn", "set", codes=codes)
    place.vcn("cluster", material.film, "-o", "run.vcn", *QUICK, codes=codes)
