"""Whose pictures they are: the crops of each player of a sheet, and those that show it best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoclusternet.errors import ConfigError
from videoclusternet.export.sheet import Appearance, Player, Sheet
from videoclusternet.export.whose import index_of
from videoclusternet.result.found import Found
from videoclusternet.result.pictures import best_rows
from videoclusternet.show.words import several, span
from videoclusternet.types.arrays import Array, Ints
from videoclusternet.types.span import inside


@dataclass(frozen=True)
class Portrait:
    """One player in pictures.

    Attributes
    ----------
    player : Player
    crops : tuple of int
        Rows of the pooled crops, the best first.
    facts : tuple of str
        Screen time, number of appearances, and where the first begins.
    """

    player: Player
    crops: tuple[int, ...]
    facts: tuple[str, ...]


def portraits(sheet: Sheet, most: int) -> list[Portrait]:
    """Return everybody on a sheet, each in its best pictures, ``most`` at most.

    Raises
    ------
    ConfigError
        When the run has no pictures.
    """
    demand_pictures(sheet.run)
    return [_portrait(sheet, player, most) for player in sheet.players]


def demand_pictures(run: Found) -> None:
    """Raise a ConfigError when a run has no pictures."""
    if not run.has_pictures:
        raise ConfigError(
            f"{run.folder} has no pictures: it was made of features of tracks",
            "export its times instead, such as --to cast.csv",
        )


def crops_of(sheet: Sheet, player: Player) -> Ints:
    """Return the crops of a player that lie in its appearances, by film, frame and track.

    The answer to a question is nobody's: its crops are all that lie in it, but for the Unknown.

    Returns
    -------
    int array
        Rows of the pooled crops.
    """
    run = sheet.run
    character = run.cast.character[run.crop_track]
    index = index_of(run, player)
    mine = character >= 0 if index is None else character == index
    film, frame = run.tracks.film[run.crop_track], run.crop_frame
    rows = np.flatnonzero(mine & _inside(sheet.of(player), film, frame))
    return rows[np.lexsort((run.crop_track[rows], frame[rows], film[rows]))]


def _inside(appearances: list[Appearance], film: Array, frame: Array) -> Array:
    """Tell which frames lie in one of the appearances, which have none in common."""
    found = np.zeros(len(frame), dtype=bool)
    for number in {one.reel.number for one in appearances}:
        here = film == number
        spans = [one.span for one in appearances if one.reel.number == number]
        found[here] = inside(spans, frame[here])
    return found


def _portrait(sheet: Sheet, player: Player, most: int) -> Portrait:
    rows = crops_of(sheet, player)
    appearances = sheet.of(player)
    first = appearances[0]
    film = f"{first.reel.name} " if len(sheet.reels) > 1 else ""
    facts = (
        span(sum(one.span.seconds for one in appearances)),
        several(len(appearances), "appearance"),
        f"from {film}{first.timecodes[0]}",
    )
    return Portrait(player, tuple(_best(sheet.run, player, rows, most)), facts)


def _best(run: Found, player: Player, rows: Ints, most: int) -> list[int]:
    """Choose the crops that show a player best; the cover that people chose comes first."""
    index = index_of(run, player)
    # One more than are wanted: the cover may be of another time.
    tracks = np.unique(run.crop_track[rows])
    best = best_rows(run, -1 if index is None else index, tracks, most + 1)
    inside = set(rows.tolist())
    return [row for row in best if row in inside][:most] or rows[: most // 2 or 1].tolist()
