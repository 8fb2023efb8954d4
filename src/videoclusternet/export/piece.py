"""What a writer gives back: the content of one file, and how its name differs."""

from __future__ import annotations

from typing import NamedTuple


class Piece(NamedTuple):
    """One file.

    Attributes
    ----------
    content : str or bytes
        Text is written as UTF-8.
    label : str
        What tells it from the writer's other files; empty for the one that was asked for.  In a
        format that is a folder, the path inside, with ``/``.
    """

    content: str | bytes
    label: str = ""
