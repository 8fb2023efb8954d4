"""Names in pictures: a font that has most alphabets, and lines cut to a width."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Container, Iterable
from importlib.util import find_spec
from pathlib import Path

from videoclusternet.outside.text import printable

NO_LETTERS = ("Cc", "Cf", "Mn", "Zs")
"""Characters that need no letter of their own in a font: joiners, marks, spaces."""
SURELY = 0x250
"""Below this all is Latin, which DejaVu Sans has: matplotlib need not be loaded."""


def font_file(bold: bool = False) -> Path:
    """Return the file of DejaVu Sans: Latin, Greek, Cyrillic, Hebrew, Arabic; no emoji, no Chinese.

    It comes with matplotlib, which is not imported for it.
    """
    home = find_spec("matplotlib")
    assert home is not None and home.origin is not None, "a dependency"
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Path(home.origin).parent / "mpl-data" / "fonts" / "ttf" / name


def letters_of(font: Path) -> set[int]:
    """Return the characters that a font has letters for.

    Raises
    ------
    OSError, RuntimeError, ValueError
        When it is no font.
    """
    from matplotlib.ft2font import FT2Font

    return set(FT2Font(str(font)).get_charmap())


def lacking(name: str, letters: Container[int]) -> str:
    """Return what a name holds that letters are wanted for and not there, each once."""
    return "".join(
        letter
        for letter in dict.fromkeys(fitted(name, math.inf, len))
        if ord(letter) not in letters and unicodedata.category(letter) not in NO_LETTERS
    )


def unlettered(names: Iterable[str]) -> list[str]:
    """Return the names that DejaVu Sans, bold, cannot write as a whole."""
    odd = [name for name in names if any(ord(letter) >= SURELY for letter in name)]
    letters = letters_of(font_file(bold=True)) if odd else set()
    return [name for name in odd if lacking(name, letters)]


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
