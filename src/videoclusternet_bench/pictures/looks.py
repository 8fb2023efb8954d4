"""How a person looks in a picture: a colour and a shape, each pair given once."""

from __future__ import annotations

from typing import Any

from videoclusternet_bench.tables.drawing import COLOURS, MARKERS, as_label

GREY = "#999999"
WRONG = COLOURS[1]
"""Of frames round what is wrong; always with a cross or a word besides."""
LOOKS = len(COLOURS) * len(MARKERS)
"""How many people can be told apart; the rest is grey."""


def look(i: int) -> dict[str, Any]:
    """Return colour and marker of the person in place ``i``, as keywords for a line.

    Neighbours differ in both, and no pair comes twice.
    """
    if not 0 <= i < LOOKS:
        return {"color": GREY, "marker": "."}
    shape = (i + i // len(COLOURS)) % len(MARKERS)
    return {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[shape]}


def short(name: str, most: int) -> str:
    """Cut a long name short."""
    return as_label(name, most)
