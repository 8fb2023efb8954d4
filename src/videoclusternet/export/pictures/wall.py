"""The cast wall: the best face of everybody, large, with the name below, in one picture."""

from __future__ import annotations

import math
from collections.abc import Iterator

from videoclusternet.export.pictures.board import SOFT, Board
from videoclusternet.export.pictures.portraits import portraits
from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Sheet

SIDE, GAP, MARGIN, TEXT = 216, 20, 40, 54
"""px: of a face, between faces, around all, and of the lines below a face."""
WIDE = 1.5
"""Width to height of the grid, about."""


def write_wall(sheet: Sheet) -> Iterator[Piece]:
    """Write a PNG, everybody by number.

    Raises
    ------
    ConfigError
        When the run has no pictures.
    """
    people = portraits(sheet, 1)
    columns = max(1, math.ceil(math.sqrt(len(people) * WIDE)))
    rows = max(1, math.ceil(len(people) / columns))
    step, down = SIDE + GAP, SIDE + TEXT + GAP
    board = Board(2 * MARGIN + columns * step - GAP, 2 * MARGIN + rows * down - GAP)
    if not people:
        board.line("Nobody is on screen.", MARGIN, MARGIN, SIDE, 18, ink=SOFT)
    for place, one in enumerate(people):
        left, top = MARGIN + place % columns * step, MARGIN + place // columns * down
        for row in one.crops:
            board.face(sheet.run, row, left, top, SIDE)
        board.line(one.player.name, left, top + SIDE + 6, SIDE, 20, bold=True)
        board.line(one.facts[0], left, top + SIDE + 31, SIDE, 16, ink=SOFT)
    yield Piece(board.png())
