"""What all tables have in common: checked columns, metadata, a content hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from videoclusternet.types.arrays import Array


class Reason(IntEnum):
    """Why a track is Unknown; ``OK`` tracks belong to a character.  From 8 on, people said so."""

    OK = 0
    SMALL = 1
    BLURRED = 2
    LOW_QUALITY = 3
    NO_PICTURE = 4
    UNREADABLE = 5
    NO_FACE = 6
    UNSURE = 7
    SET_ASIDE = 8
    NOT_A_FACE = 9
    UNPLACED = 10
    FORGOTTEN = 11


@dataclass(frozen=True, eq=False)
class Table:
    """Base of all tables: checks columns against ``COLUMNS`` and hashes content.

    ``COLUMNS`` maps each array attribute to ``(dtype, shape)`` where a shape entry
    is an int, a letter (equal letters must have equal length) or ``"X+1"``.
    Attributes that are not arrays are metadata and must be JSON-able.
    """

    FILE: ClassVar[str] = ""
    """Name of the table's file in a run folder, without suffix."""
    SUFFIX: ClassVar[str] = "parquet"
    """What kind of file it is: ``parquet``, or ``safetensors`` for many numbers in a row."""
    COLUMNS: ClassVar[Mapping[str, tuple[str, tuple[int | str, ...]]]] = {}
    RAGGED: ClassVar[Mapping[str, str]] = {}
    """Columns that hold one list per row, and the column with the offsets of these lists."""

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        for name, (dtype, shape) in self.COLUMNS.items():
            given = getattr(self, name)
            array = np.ascontiguousarray(given, dtype=dtype)
            if array.ndim != len(shape):
                raise ValueError(f"{type(self).__name__}.{name}: {array.ndim} axes, not {shape}")
            for have, want in zip(array.shape, shape, strict=True):
                _check_size(f"{type(self).__name__}.{name}", have, want, sizes)
            if array.flags.writeable and np.may_share_memory(array, given):
                array = array.copy()
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        self.check()

    def check(self) -> None:
        """Raise ``ValueError`` when an invariant of this table is broken."""

    def arrays(self) -> dict[str, Array]:
        """Return the array columns by name."""
        return {name: getattr(self, name) for name in self.COLUMNS}

    def meta(self) -> dict[str, Any]:
        """Return the attributes that are not arrays, as JSON-able values."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in self.COLUMNS}

    @classmethod
    def build(cls, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> Self:
        """Make a table from what ``arrays`` and ``meta`` returned."""
        return cls(**arrays, **meta)

    @classmethod
    def empty(cls, sizes: Mapping[str, int] | None = None, **meta: Any) -> Self:
        """Return a table without rows.

        Parameters
        ----------
        sizes : mapping, optional
            Length of axes by their letter, such as ``{"d": 512}``; others are 0.
        **meta
            Attributes that are not arrays and have no default.
        """
        arrays = {}
        for name, (dtype, shape) in cls.COLUMNS.items():
            wanted = [(sizes or {}).get(n, 0) if isinstance(n, str) else n for n in shape]
            more = [int(n.partition("+")[2] or 0) if isinstance(n, str) else 0 for n in shape]
            arrays[name] = np.zeros([n + m for n, m in zip(wanted, more, strict=True)], dtype)
        return cls.build(arrays, meta)

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Put the rows of tables end to end; offsets of lists count on.

        Row numbers that a column holds (of another table) stay as they are.

        Parameters
        ----------
        parts : sequence of tables
            At least one; of equal metadata.

        Raises
        ------
        ValueError
            When they differ in what is not a column.
        """
        first, *others = parts
        if any(part.meta() != first.meta() for part in others):
            raise ValueError(f"{cls.__name__}: tables of different metadata cannot be one")
        if not others:
            return first
        arrays = {name: np.concatenate([p.arrays()[name] for p in parts]) for name in cls.COLUMNS}
        for values, offsets in cls.RAGGED.items():
            ends = np.cumsum([0, *(len(getattr(part, values)) for part in parts)])
            begins = [getattr(p, offsets)[:-1] + e for p, e in zip(parts, ends, strict=False)]
            arrays[offsets] = np.concatenate([*begins, ends[-1:]])
        for array in arrays.values():
            array.setflags(write=False)  # made here: nobody else writes to it
        return cls.build(arrays, first.meta())

    def take(self, rows: slice | Array) -> Self:
        """Return some rows, in the order of ``rows``: int (n,), bool, or a slice."""
        arrays = self.arrays()
        lists = set(self.RAGGED) | set(self.RAGGED.values())
        taken = {name: array[rows] for name, array in arrays.items() if name not in lists}
        for values, offsets in self.RAGGED.items():
            start = arrays[offsets]
            chosen = np.arange(len(start) - 1)[rows]
            pieces = [arrays[values][start[i] : start[i + 1]] for i in chosen]
            taken[values] = np.concatenate([arrays[values][:0], *pieces])
            taken[offsets] = np.cumsum([0, *map(len, pieces)])
        return self.build(taken, self.meta())

    def __reduce__(self) -> Any:
        # From another process: checked and read-only again.
        return type(self).build, (self.arrays(), self.meta())

    @cached_property
    def digest(self) -> str:
        """Content hash (sha256, hexadecimal) over columns and metadata."""
        h = hashlib.sha256(type(self).__name__.encode())
        h.update(json.dumps(self.meta(), sort_keys=True).encode())
        for name, array in self.arrays().items():
            h.update(f"{name}{array.dtype.str}{array.shape}".encode())
            h.update(array.data if array.size else b"")
        return h.hexdigest()


def _check_size(where: str, have: int, want: int | str, sizes: dict[str, int]) -> None:
    if isinstance(want, str):
        letter, plus, extra = want.partition("+")
        base = have - (int(extra) if plus else 0)
        want_size = sizes.setdefault(letter, base)
        if base != want_size:
            raise ValueError(f"{where}: axis {letter} is {base}, elsewhere {want_size}")
    elif have != want:
        raise ValueError(f"{where}: axis of length {have}, not {want}")
