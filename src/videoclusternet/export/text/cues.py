"""Who is on screen, as cues of subtitles: a new one whenever somebody comes or goes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from videoclusternet.export.sheet import Appearance, Player

SAFE = 1e-6
"""Of a unit: what a time as a float may fall short of a whole one."""


@dataclass(frozen=True)
class Cue:
    """The same people for a while.

    Attributes
    ----------
    start, stop : int
        Units from the start of the film.
    players : tuple of Player
        By number.
    """

    start: int
    stop: int
    players: tuple[Player, ...]


def cues_of(appearances: Iterable[Appearance], unit: int) -> list[Cue]:
    """Return the cues of a film: in order, none empty, no two at once.

    Times are rounded down, so that a cue is there when its first frame is shown, and gone when
    the first frame after it is: players compare the time of a frame with those of a cue.

    Parameters
    ----------
    appearances : iterable of Appearance
    unit : int
        Units a second: 1000 where a format has milliseconds.
    """
    changes: dict[int, Counter[Player]] = {}
    for one in appearances:
        start = _units(one.span.start, unit)
        stop = max(start + 1, _units(one.span.stop, unit))
        changes.setdefault(start, Counter())[one.player] += 1
        changes.setdefault(stop, Counter())[one.player] -= 1
    cues: list[Cue] = []
    present: Counter[Player] = Counter()
    players: tuple[Player, ...] = ()
    since = 0
    for time in sorted(changes):
        present.update(changes[time])
        now = tuple(sorted((p for p, n in present.items() if n), key=_order))
        if now == players:
            continue
        if players:
            cues.append(Cue(since, time, players))
        since, players = time, now
    return cues


def _units(seconds: float, unit: int) -> int:
    return max(0, math.floor(seconds * unit + SAFE))


def _order(player: Player) -> tuple[int, str]:
    """By number; the Unknown last."""
    return player.number or 1 << 30, player.name
