"""What a format must give back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videoclusternet.export.sheet import Sheet


@dataclass(frozen=True)
class Reader:
    """How one format is read back.

    Attributes
    ----------
    read : callable
        From all paths that were written, the one asked for first, to what they say: a list of
        tuples, such as (film, name, into, out), in any order.
    expect : callable
        From the sheet to the same list: frame by frame, without tolerance.
    nobody : bool
        Whether the format can say that nobody appears.
    slow : bool
        Whether reading takes long, so that the fast tests leave it out.
    """

    read: Callable[[list[Path]], list[Any]]
    expect: Callable[[Sheet], list[Any]]
    nobody: bool = True
    slow: bool = False
