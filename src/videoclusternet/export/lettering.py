"""Names in pictures: a font that has most alphabets, and lines cut to a width."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from videoclusternet.outside.text import printable


def font_file(bold: bool = False) -> Path:
    """Return the file of DejaVu Sans: Latin, Greek, Cyrillic, Hebrew, Arabic; no emoji, no Chinese.

    It comes with matplotlib, which is not imported for it.
    """
    home = find_spec("matplotlib")
    assert home is not None and home.origin is not None, "a dependency"
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Path(home.origin).parent / "mpl-data" / "fonts" / "ttf" / name


def fitted(text: str, most: float, length: Callable[[str], float]) -> str:
    """Return a text as one line that is no wider than ``most``, with an ellipsis where it is cut.

    Parameters
    ----------
    text : str
    most : float
        Width that there is, in any unit.
    length : callable
        Width of a text in that unit; longer texts are wider.
    """
    text = printable(" ".join(text.split()))
    if length(text) <= most:
        return text
    fits = bisect_right(range(len(text)), most, key=lambda end: length(f"{text[:end]}…"))
    return f"{text[: max(0, fits - 1)].rstrip()}…"
