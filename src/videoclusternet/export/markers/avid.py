"""Avid Media Composer: what "Import Markers" in the window Markers reads.

A marker a line: user, timecode, track, colour, comment and frames, between tabs.
"""

from __future__ import annotations

from collections.abc import Iterator

from videoclusternet.export.markers.marks import Mark, marks_of
from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import film_by_film
from videoclusternet.export.sheet import Reel, Sheet

USER, TRACK = "vcn", "V1"


def write_avid(sheet: Sheet) -> Iterator[Piece]:
    """Write the markers of every film, at the timecode of the film."""
    for label, reel, appearances in film_by_film(sheet):
        yield Piece("".join(_line(mark, reel) for mark in marks_of(appearances)), label)


def _line(mark: Mark, reel: Reel) -> str:
    said = mark.each or mark.name
    cells = (USER, reel.clock.timecode(mark.into), TRACK, mark.colour.otio.lower(), said)
    return "\t".join([*cells, str(mark.length)]) + "\n"
