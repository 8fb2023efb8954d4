"""CMX3600: the oldest edit list, which every program reads.  One file a timeline.

It holds no rate, one timecode a day, reels of eight letters, 999 events.  Timecodes go back to
00:00:00:00 after midnight.  Markers are Avid's ``* LOC:`` lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from videoclusternet.export.palette import colour_of
from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import film_by_film, one_line
from videoclusternet.export.sheet import Appearance, Reel, Sheet
from videoclusternet.export.timelines.laid import Selects, selects_of
from videoclusternet.types.clock import Clock

REEL, TITLE, EVENTS = 8, 70, 999
"""Letters of a reel and of a title, and events of a list, at most."""
RESERVED = ("AX", "BL", "BLACK", "BARS", "")
"""Reels that are none: whatever else, black, colour bars."""


def write_edl(sheet: Sheet) -> Iterator[Piece]:
    """Write the film with its markers, and beside it the selects of each player."""
    tapes = _tapes(sheet.reels)
    for label, reel, seen in film_by_film(sheet):
        lines = _head(reel.name, reel.clock) + _master(reel, seen, tapes[reel.number])
        yield Piece(_text(lines), label)
    for each in selects_of(sheet):
        for first in range(0, len(each.clips), EVENTS):
            label = f"{each.name} {first // EVENTS + 1}" if first else each.name
            lines = _head(label, each.clock) + _selects(each, first, tapes)
            yield Piece(_text(lines), label)


def _head(title: str, clock: Clock) -> list[str]:
    return [
        f"TITLE: {one_line(title)[:TITLE].strip()}",
        f"FCM: {'' if clock.drop else 'NON-'}DROP FRAME",
        "",
    ]


def _master(reel: Reel, seen: Sequence[Appearance], tape: str) -> list[str]:
    clock = reel.clock
    ends = clock.timecode(0), clock.timecode(reel.length)
    markers = [
        f"* LOC: {one.timecodes[0]} {colour_of(one.player.number).otio:<7} "
        f"{one_line(one.player.name)} [{clock.write(one.length)}]"
        for one in seen
    ]
    return [*_event(1, reel, tape, (*ends, *ends)), f"* FRAME RATE: {clock.rate}", *markers]


def _selects(each: Selects, first: int, tapes: Sequence[str]) -> list[str]:
    clips = each.clips[first : first + EVENTS]
    lines = []
    for number, clip in enumerate(clips, 1):
        reel, at = clip.one.reel, clip.at - clips[0].at
        times = (
            reel.clock.timecode(clip.into),
            reel.clock.timecode(clip.out),
            each.clock.timecode(at),
            each.clock.timecode(at + clip.length),
        )
        lines += _event(number, reel, tapes[reel.number], times)
        if number == 1:
            lines.append(f"* FRAME RATE: {each.clock.rate}")
        lines.append(f"* COMMENT: {one_line(each.player.name)}")
    return lines


def _event(number: int, reel: Reel, tape: str, times: Sequence[str]) -> list[str]:
    channels = ("V", "B", "AA/V")[min(2, reel.film.tags.channels)]
    return [
        f"{number:03d}  {tape:<{REEL}} {channels:<5} C        {' '.join(times)}",
        f"* FROM CLIP NAME: {one_line(reel.name)}",
        f"* SOURCE FILE: {one_line(reel.tape)}",
    ]


def _tapes(reels: Sequence[Reel]) -> list[str]:
    """Return reel names as an edit list can hold them, by film, each another."""
    taken: list[str] = []
    for reel in reels:
        name = re.sub("[^A-Z0-9_]", "_", reel.tape.upper())[:REEL]
        tape = name
        if tape in RESERVED or not tape.strip("_"):
            tape = f"REEL{reel.number + 1}"
        number = 1
        while tape in taken:
            number += 1
            tape = f"{name[: REEL - len(str(number))]}{number}"
        taken.append(tape)
    return taken


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
