"""Names as files hold them, and the files of a format that holds one film each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from videoclusternet.export.sheet import Appearance, Reel, Sheet

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
_NONE = re.compile("[\x00\ufffe\uffff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet, whoever wrote it."""


def valid(text: str) -> str:
    """Return a text without zeros, at which C ends it, and what is half a character or none."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _NONE.sub("\ufffd", whole)


def one_line(text: str) -> str:
    """Return a valid text without line breaks, tabs and other controls: never an empty one."""
    return " ".join(valid(_CONTROLS.sub(" ", text)).split()) or "_"


def cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def film_by_film(sheet: Sheet) -> Iterator[tuple[str, Reel, list[Appearance]]]:
    """Yield every film with its appearances, and the label of its file: none for the first."""
    for reel, seen in sheet.films:
        yield reel.name if reel.number else "", reel, seen
