"""What every timeline format must say, straight from the sheet.

``("film", name, rate, drop, start, frames, place)`` for each master timeline;
``("marker", film, who, in, out, colour)`` for each appearance;
``("select", timeline, film, in, out, at)`` for each clip of a selects timeline.
All but ``start`` in frames from the first picture, and from the beginning of the selects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from videoclusternet.export.sheet import Reel, Sheet

COLOURS = ("BLUE", "RED", "GREEN", "YELLOW", "MAGENTA", "CYAN", "WHITE")


def one_line(name: str) -> str:
    return " ".join(name.split())


def url(reel: Reel, host: str = "") -> str | None:
    return f"file://{host}{quote(str(reel.path))}" if reel.path else None


def as_it_is(sheet: Sheet) -> list[Any]:
    return timelines(sheet, str)


def in_one_line(sheet: Sheet) -> list[Any]:
    return timelines(sheet, one_line, "localhost")


def timelines(sheet: Sheet, say: Callable[[str], str], host: str = "") -> list[Any]:
    found: list[Any] = [
        (
            "film",
            say(reel.name),
            str(reel.clock.rate),
            reel.clock.drop,
            reel.clock.start,
            reel.length,
            url(reel, host),
        )
        for reel in sheet.reels
    ]
    found += [
        (
            "marker",
            say(one.reel.name),
            say(one.player.name),
            one.into,
            one.out,
            COLOURS[(one.player.number - 1) % 7],
        )
        for one in sheet.appearances
    ]
    return found + selects(sheet, say)


def selects(sheet: Sheet, say: Callable[[str], str]) -> list[Any]:
    """Back to back, by player and rate: slowly, one look at all of the sheet a player."""
    rates = {(reel.clock.rate, reel.clock.drop) for reel in sheet.reels}
    found = []
    for player in sheet.players:
        ends: Counter[str] = Counter()
        for one in sheet.of(player):
            clock = one.reel.clock
            rate = f" - {float(clock.rate):.5g} fps{' DF' * clock.drop}" if len(rates) > 1 else ""
            name = say(player.name + rate)
            into, out = sheet.with_handles(one)
            found.append(("select", name, say(one.reel.name), into, out, ends[name]))
            ends[name] += out - into
    return found
