"""What a run knows of those on a sheet: which character they are, their tracks, how sure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from videoclusternet.export.sheet import Player, Sheet
from videoclusternet.result.found import Found
from videoclusternet.types.arrays import Array, Ints


class Told(NamedTuple):
    """What is known of an appearance.

    Attributes
    ----------
    tracks : int
        Face tracks of it; 0 where it is the answer to a question.
    confidence : float or None
        Probability that a track of it shows this character, mean over the tracks; None where
        nothing is said of them.
    """

    tracks: int
    confidence: float | None


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
    run = sheet.run
    tables: dict[tuple[Player, int], tuple[Array, Array]] = {}
    for player in sheet.players:
        tracks = tracks_of(run, player)
        sure = np.nan if index_of(run, player) == -1 else run.cast.confidence
        for film in range(len(sheet.reels)):
            mine = tracks[run.tracks.film[tracks] == film]
            mine = mine[np.argsort(run.tracks.first[mine], kind="stable")]
            each = np.broadcast_to(sure, len(run.tracks))[mine]
            tables[player, film] = run.tracks.first[mine], np.cumsum([0.0, *each])
    found = []
    for one in sheet.appearances:
        firsts, sums = tables[one.player, one.reel.number]
        begin, end = np.searchsorted(firsts, (one.span.first, one.span.end)).tolist()
        mean = float(sums[end] - sums[begin]) / (end - begin) if end > begin else np.nan
        found.append(Told(end - begin, None if np.isnan(mean) else round(mean, 4)))
    return found
