"""The contact sheet as PNG: a row of pictures for everybody, beside name, time and first place."""

from __future__ import annotations

from collections.abc import Iterator

from videoclusternet.export.pictures.board import SOFT, Board
from videoclusternet.export.pictures.portraits import Portrait, portraits
from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Sheet
from videoclusternet.show.words import several
from videoclusternet.types.canvas import CANVAS

PICTURES = 6
ROWS = 20
"""Characters of a picture; those after them get pictures of their own."""
MARGIN, GAP, TEXT, TOP = 40, 10, 300, 80
"""px: around all, between pictures, of the text beside them, and of the title."""
STEP = CANVAS + GAP


def write_contact(sheet: Sheet) -> Iterator[Piece]:
    """Write a PNG for every 20 characters: ``cast.png``, ``cast - 2.png``.

    Raises
    ------
    ConfigError
        When the run has no pictures.
    """
    people = portraits(sheet, PICTURES)
    count = max(1, -(-len(people) // ROWS))
    for page in range(count):
        some = people[page * ROWS : (page + 1) * ROWS]
        yield Piece(_page(sheet, some, page, count), str(page + 1) if page else "")


def summary(sheet: Sheet) -> str:
    """Say how many are on a sheet, in one line."""
    if not sheet.players:
        return "Nobody is on screen."
    named = sum(one.number > 0 for one in sheet.players)
    seen = [several(named, "character")] if named else []
    if named < len(sheet.players):
        seen.append("the Unknown")
    return f"{' and '.join(seen)}, {several(len(sheet.appearances), 'appearance')}"


def _page(sheet: Sheet, people: list[Portrait], page: int, count: int) -> bytes:
    width = 2 * MARGIN + TEXT + PICTURES * STEP - GAP
    board = Board(width, 2 * MARGIN + TOP + max(1, len(people)) * STEP - GAP)
    said = summary(sheet) + (f" · {page + 1} of {count}" if count > 1 else "")
    board.line(sheet.title, MARGIN, MARGIN - 6, width - 2 * MARGIN, 28, bold=True)
    board.line(said, MARGIN, MARGIN + 34, width - 2 * MARGIN, 18, ink=SOFT)
    for place, one in enumerate(people):
        top = MARGIN + TOP + place * STEP
        board.line(one.player.name, MARGIN, top, TEXT - 2 * GAP, 20, bold=True)
        for number, fact in enumerate(one.facts):
            board.line(fact, MARGIN, top + 30 + 22 * number, TEXT - 2 * GAP, 16, ink=SOFT)
        for column, row in enumerate(one.crops):
            board.face(sheet.run, row, MARGIN + TEXT + column * STEP, top, CANVAS)
    return board.png()
