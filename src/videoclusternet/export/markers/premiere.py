"""Adobe Premiere Pro: the table that "Export > Markers" writes, which scripts and panels import.

Cells between tabs in UTF-16, whatever the ending says.  It holds no colours.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import cell, film_by_film, one_line
from videoclusternet.export.sheet import Appearance, Sheet

COLUMNS = ("Marker Name", "Description", "In", "Out", "Duration", "Marker Type")


def write_premiere(sheet: Sheet) -> Iterator[Piece]:
    """Write a row an appearance for every film, at the timecode of the film."""
    for label, _, appearances in film_by_film(sheet):
        rows = [COLUMNS, *(_row(one) for one in appearances)]
        text = "".join("\t".join(row) + "\r\n" for row in rows)
        yield Piece(codecs.BOM_UTF16_LE + text.encode("utf-16-le"), label)


def _row(one: Appearance) -> tuple[str, ...]:
    clock = one.reel.clock
    times = [*one.timecodes, clock.write(one.length)]
    name = cell(one_line(one.player.name))
    if clock.drop:  # Premiere has semicolons all through
        times = [time.replace(":", ";") for time in times]
    return (name, f"Character {one.player.number}", *times, "Comment")
