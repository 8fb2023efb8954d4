"""What all tables have in common: checked columns, metadata, a content hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Reason(IntEnum):
    """Why a track is Unknown; ``OK`` tracks belong to a character."""

    OK = 0
    SMALL = 1
    BLURRED = 2
    LOW_QUALITY = 3
    NO_PICTURE = 4


@dataclass(frozen=True, eq=False)
class Table:
    """Base of all tables: checks columns against ``COLUMNS`` and hashes content.

    ``COLUMNS`` maps each array attribute to ``(dtype, shape)`` where a shape entry
    is an int, a letter (equal letters must have equal length) or ``"X+1"``.
    Attributes that are not arrays are metadata and must be JSON-able.
    """

    FILE: ClassVar[str] = ""
    """Name of the table's file in a run folder, without suffix."""
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

    @property
    def digest(self) -> str:
        """Content hash (sha256, hexadecimal) over columns and metadata."""
        h = hashlib.sha256(type(self).__name__.encode())
        h.update(json.dumps(self.meta(), sort_keys=True).encode())
        for name, array in self.arrays().items():
            h.update(f"{name}{array.dtype.str}{array.shape}".encode())
            h.update(array.data if array.size else b"")
        return h.hexdigest()


class Parts(Protocol):
    """Where finished parts of a step are kept."""

    def read(self, name: str, kinds: Sequence[type[Table]]) -> tuple[Table, ...] | None:
        """Return the tables of a part, or None when it is not finished."""
        ...

    def write(self, name: str, tables: Sequence[Table]) -> None:
        """Keep the tables of a finished part."""
        ...


def _check_size(where: str, have: int, want: int | str, sizes: dict[str, int]) -> None:
    if isinstance(want, str):
        letter, plus, extra = want.partition("+")
        base = have - (int(extra) if plus else 0)
        want_size = sizes.setdefault(letter, base)
        if base != want_size:
            raise ValueError(f"{where}: axis {letter} is {base}, elsewhere {want_size}")
    elif have != want:
        raise ValueError(f"{where}: axis of length {have}, not {want}")
