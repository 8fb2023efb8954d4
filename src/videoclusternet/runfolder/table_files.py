"""Tables on disk: Parquet, or safetensors for many numbers in a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors
import safetensors.numpy

from videoclusternet.errors import StoreError
from videoclusternet.runfolder import footers
from videoclusternet.runfolder.files import plain_file, replacing
from videoclusternet.types import Table
from videoclusternet.types.arrays import Array

T = TypeVar("T", bound=Table)
MOST_TABLE = 1 << 30
"""Bytes that a Parquet table may take in memory: far more than those of the longest film."""


def table_path(folder: Path, kind: type[Table]) -> Path:
    """Return the file of a table: safetensors for embeddings, Parquet for the others."""
    return folder / f"{kind.FILE}.{kind.SUFFIX}"


def write_table(path: Path, table: Table) -> None:
    """Write one table atomically.

    Raises
    ------
    StoreError
        When it cannot be written.
    """
    meta = json.dumps(table.meta(), sort_keys=True)
    with replacing(path) as temporary:
        if path.suffix == ".safetensors":
            data = safetensors.numpy.save(dict(table.arrays()), metadata={"meta": meta})
            temporary.write_bytes(data)
        else:
            columns = _columns(table)
            frame = pa.table(columns).replace_schema_metadata({"vcn": meta})
            with temporary.open("wb") as stream:
                pq.write_table(frame, stream, compression="zstd")
            footers.guard(temporary)


def read_table(path: Path, kind: type[T]) -> T:
    """Read one table.

    Raises
    ------
    StoreError
        When the file is missing or damaged.
    """
    try:
        plain_file(path)
        if path.suffix == ".safetensors":
            with safetensors.safe_open(path, framework="numpy") as file:
                meta = json.loads(file.metadata()["meta"])
                arrays = {name: file.get_tensor(name) for name in kind.COLUMNS}
            for array in arrays.values():
                array.setflags(write=False)  # read here: nobody else writes to it
        else:
            footers.check(path)
            # A relative path with a colon would be an address; `read_table` loads what reads
            # whole folders.
            with path.open("rb") as stream, pq.ParquetFile(stream) as file:
                _check_memory(file.metadata)
                _check_kinds(file.schema_arrow)
                frame = file.read()
            meta = json.loads(frame.schema.metadata[b"vcn"])
            arrays = _arrays(frame, kind)
        return kind.build(arrays, meta)
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        RecursionError,
        pa.ArrowException,
    ) as error:
        raise StoreError(
            f"{path} is damaged or missing", "restore it, or start a new run folder"
        ) from error
    except safetensors.SafetensorError as error:
        raise StoreError(f"{path} is damaged", "restore it, or start a new run folder") from error


def _check_memory(about: Any) -> None:
    """Raise ValueError before a small file fills the memory: repeated values take no room."""
    groups = [about.row_group(i) for i in range(about.num_row_groups)]
    values = sum(group.column(j).num_values for group in groups for j in range(group.num_columns))
    plain = sum(group.total_byte_size for group in groups)
    if max(8 * max(values, about.num_rows), plain) > MOST_TABLE:
        raise ValueError(f"{values} values are too many")


def _check_kinds(schema: Any) -> None:
    """Raise ValueError where a column is no numbers: texts can take any room."""
    for field in schema:
        kind = field.type
        if pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            kind = kind.value_type
        if not (pa.types.is_primitive(kind) and not pa.types.is_temporal(kind)):
            raise ValueError(f"{field.name} holds {field.type}")


def _columns(table: Table) -> dict[str, pa.Array]:
    columns: dict[str, pa.Array] = {}
    arrays = table.arrays()
    for name, array in arrays.items():
        if name in table.RAGGED.values():
            continue
        if name in table.RAGGED:
            offsets = _arrow(arrays[table.RAGGED[name]])
            columns[name] = pa.LargeListArray.from_arrays(offsets, _arrow(array))
        elif array.ndim > 1:
            width = int(np.prod(array.shape[1:]))
            columns[name] = pa.FixedSizeListArray.from_arrays(_arrow(array.ravel()), width)
        else:
            columns[name] = _arrow(array)
    return columns


def _arrow(array: Array) -> pa.Array:
    """Return numbers as Arrow holds them; ``pa.array`` would import pandas, a quarter second."""
    packed = array.dtype == bool  # eight to a byte
    data = np.packbits(array, bitorder="little") if packed else np.ascontiguousarray(array)
    kind = pa.from_numpy_dtype(array.dtype)
    return pa.Array.from_buffers(kind, len(array), [None, pa.py_buffer(data)])


def _numbers(column: pa.Array, dtype: str) -> Array:
    """Return numbers that Arrow holds as NumPy does, read-only."""
    kind = np.dtype(dtype)
    if column.type != pa.from_numpy_dtype(kind) or column.null_count:
        raise ValueError(f"it is {column.type} or misses a value")
    start, stop = column.offset, column.offset + len(column)
    data = column.buffers()[1] or b""
    if kind.kind == "b":
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        return np.asarray(bits[start:stop].astype(bool))
    return np.frombuffer(data, kind, stop)[start:]


def _arrays(frame: pa.Table, kind: type[Table]) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for name, (dtype, shape) in kind.COLUMNS.items():
        if name in kind.RAGGED.values():
            continue
        column = frame.column(name).combine_chunks()
        if column.null_count:
            raise ValueError(f"{name} misses a value")
        if name in kind.RAGGED:
            if not pa.types.is_large_list(column.type):
                raise ValueError(f"{name} is {column.type}")
            offsets = _numbers(column.offsets, "i8")
            arrays[kind.RAGGED[name]] = offsets - offsets[0]
            column = column.values.slice(offsets[0], offsets[-1] - offsets[0])
        elif len(shape) > 1:
            if not pa.types.is_fixed_size_list(column.type):
                raise ValueError(f"{name} is {column.type}")
            each = column.type.list_size
            column = column.values.slice(column.offset * each, len(column) * each)
        array = _numbers(column, dtype)
        arrays[name] = array.reshape(-1, *shape[1:]) if len(shape) > 1 else array
    return arrays
