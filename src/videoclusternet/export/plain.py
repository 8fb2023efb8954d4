"""Names as formats of lines hold them, and the files of a format that holds one film each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from videoclusternet.export.sheet import Appearance, Reel, Sheet

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet, whoever wrote it."""


def one_line(text: str) -> str:
    """Return a text without line breaks, tabs and other controls: each is a space, or none."""
    return " ".join(_BREAKS.sub(" ", text).split()) or "_"


def cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def film_by_film(sheet: Sheet) -> Iterator[tuple[str, Reel, list[Appearance]]]:
    """Return every film with its appearances, and the label of its file: none for the first."""
    for reel in sheet.reels:
        yield reel.name if reel.number else "", reel, sheet.of(reel=reel)
