"""DaVinci Resolve: what "Timelines > Import > Timeline Markers from EDL" reads.

Every marker is an event of one frame, and a line of comment ``NOTE |C:COLOUR |M:NAME |D:FRAMES``.
A note that begins with a digit would be taken for an event, one that begins with ``*`` for
a comment of another kind: ours begin with a word.
"""

from __future__ import annotations

from collections.abc import Iterator

from videoclusternet.export.markers.marks import Mark, marks_of
from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import film_by_film, one_line
from videoclusternet.export.sheet import Reel, Sheet


def write_resolve(sheet: Sheet) -> Iterator[Piece]:
    """Write the markers of every film, at the timecode of the film."""
    for label, reel, appearances in film_by_film(sheet):
        mode = "DROP FRAME" if reel.clock.drop else "NON-DROP FRAME"
        head = f"TITLE: {one_line(reel.name)}\nFCM: {mode}\n"
        events = (
            _event(number, mark, reel) for number, mark in enumerate(marks_of(appearances), 1)
        )
        yield Piece("\n".join([head, *events]), label)


def _event(number: int, mark: Mark, reel: Reel) -> str:
    at = " ".join(reel.clock.timecode(place) for place in (mark.into, mark.into + 1))
    note = _field(f"with {mark.each}") if mark.each else ""
    said = f"{note} |C:ResolveColor{mark.colour.resolve} |M:{_field(mark.name)}"
    return f"{number:03d}  001      V     C        {at} {at}  \n{said} |D:{mark.length}\n"


def _field(text: str) -> str:
    """Leave out what begins the next field."""
    return text.replace("|", "/")
