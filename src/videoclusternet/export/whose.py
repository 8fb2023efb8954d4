"""What a run knows of those on a sheet: which character they are, their tracks, how sure."""

from __future__ import annotations

import numpy as np

from videoclusternet.export.sheet import Player, Sheet
from videoclusternet.result.appearances import Told, told_of
from videoclusternet.result.found import Found
from videoclusternet.types.arrays import Ints


def index_of(run: Found, player: Player) -> int | None:
    """Return the number in ``cast.character`` of a player, -1 for the Unknown.

    None for the answer to a question, which is nobody's.
    """
    index = player.number - 1
    if index < 0:
        return -1 if player.name == run.called(-1) else None
    return index if index in run.people and run.called(index) == player.name else None


def tracks_of(run: Found, player: Player) -> Ints:
    """Return the rows of the tracks of a player, int64; none for the answer to a question."""
    index = index_of(run, player)
    if index is None:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(run.cast.character == index)


def told(sheet: Sheet) -> list[Told]:
    """Return what is known of every appearance of a sheet, in its order."""
    known = {}
    for player in sheet.players:
        spans = [one.span for one in sheet.of(player)]
        known[player] = iter(told_of(sheet.run, tracks_of(sheet.run, player), spans))
    return [next(known[one.player]) for one in sheet.appearances]
