"""Text that came from outside, as a terminal may show it.

Names of films, tracks and people may hold anything: an escape sequence would move the cursor,
a line break fake a line of ours, a byte that is no UTF-8 stop the program.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters, escape among them
    "\u2028\u2029"  # line breaks
    "\u202a-\u202e\u2066-\u2069"  # what turns the direction of a line
    "\ud800-\udfff]"  # bytes of names that are no UTF-8, and halves of characters
)
"""Characters that a terminal would act on, or could not be given."""
SHOWN = 60
"""Letters of a name or value that a message shows."""
BYTES = range(0xDC80, 0xDD00)
"""How Python keeps a byte of a name that is no UTF-8."""


def printable(text: object) -> str:
    r"""Return text in one line that a terminal only shows: an escape is written ``\\x1b``."""
    return UNSEEN.sub(lambda found: _escaped(found[0]), str(text))


def _escaped(letter: str) -> str:
    if ord(letter) in BYTES:
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")


def shown(value: object) -> str:
    """Return a value in quotes for a message, cut where it is long."""
    text = str(value)
    return repr(text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…")


def meant(name: str, known: Iterable[str], written: Callable[[str], str] = str) -> str:
    """Ask ``did you mean NAME?`` where a known name is close; empty where none is.

    Upper and lower case are one. Where no name is close, the first that begins so is meant.
    It is given as ``written`` says.
    """
    names = {one.casefold(): one for one in known}
    said = name[:SHOWN].casefold()
    close = difflib.get_close_matches(said, names, n=1)
    close += [one for one in names if said.strip() and one.startswith(said)]
    return f"did you mean {written(names[close[0]])}? " if close else ""


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return what names are sorted by: ``9.mp4`` comes before ``10.mp4``."""
    pieces = re.split(r"(\d+)", name)  # every second one is a number
    keys = [(1, int(one), "") if n % 2 else (0, 0, one) for n, one in enumerate(pieces)]
    return keys, name


def say(*lines: object, error: bool = False) -> None:
    """Print lines of text, each as one line whatever it holds."""
    stream = sys.stderr if error else sys.stdout
    for line in lines:
        print(printable(line), file=stream)


def json_line(value: Any) -> str:
    """Return a value as one line of JSON that a terminal only shows, and that reads back."""
    text = json.dumps(value, ensure_ascii=False)
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
