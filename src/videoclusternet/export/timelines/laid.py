"""What every timeline format holds: each film with a marker an appearance, and selects.

A selects timeline has one rate.  The films of a run may have several: a character then has one
selects timeline for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from videoclusternet.export.sheet import Appearance, Player, Reel, Sheet
from videoclusternet.types.clock import Clock

FIRST = "01:00:00:00"
"""Where a selects timeline begins, as editing programs let theirs begin."""


@dataclass(frozen=True)
class Clip:
    """One select.

    Attributes
    ----------
    one : Appearance
    into, out : int
        Frames of its film's timeline, half-open, with handles.
    at : int
        Frame of the selects timeline at which it begins, from 0.
    """

    one: Appearance
    into: int
    out: int
    at: int

    @property
    def length(self) -> int:
        """Frames."""
        return self.out - self.into


@dataclass(frozen=True)
class Selects:
    """Appearances of one character in films of one rate, back to back.

    Attributes
    ----------
    player : Player
    name : str
        The player's; with the rate, where the run has several.
    clock : Clock
        Of this timeline.
    clips : tuple of Clip
    """

    player: Player
    name: str
    clock: Clock
    clips: tuple[Clip, ...]

    @property
    def length(self) -> int:
        """Frames."""
        return self.clips[-1].at + self.clips[-1].length


def selects_of(sheet: Sheet) -> list[Selects]:
    """Return the selects of every player, player by player."""
    mixed = len({rate_name(reel.clock) for reel in sheet.reels}) > 1
    found = []
    for player in sheet.players:
        groups: dict[tuple[Fraction, bool], list[Appearance]] = {}
        for one in sheet.of(player):
            groups.setdefault((one.reel.clock.rate, one.reel.clock.drop), []).append(one)
        for (rate, drop), some in groups.items():
            clock = Clock(rate, drop=drop)
            clock = replace(clock, start=clock.read(FIRST))
            name = f"{player.name} - {rate_name(clock)}" if mixed else player.name
            found.append(Selects(player, name, clock, tuple(_back_to_back(sheet, some))))
    return found


def rate_name(clock: Clock) -> str:
    """Return what people call a rate, such as ``29.97 fps DF``."""
    return f"{float(clock.rate):.5g} fps{' DF' if clock.drop else ''}"


def place_of(reel: Reel, host: str = "") -> str | None:
    """Return the place of a film's file as a URL, percent-encoded; None where it has none."""
    return reel.path.as_uri().replace("file://", f"file://{host}", 1) if reel.path else None


def _back_to_back(sheet: Sheet, some: list[Appearance]) -> Iterator[Clip]:
    at = 0
    for one in some:
        into, out = sheet.with_handles(one)
        yield Clip(one, into, out, at)
        at += out - into
