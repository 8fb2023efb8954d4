"""Avid log: one row a select, to import into a bin.  One file for each rate of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import one_line
from videoclusternet.export.sheet import Reel, Sheet
from videoclusternet.export.timelines.laid import Clip, rate_name
from videoclusternet.types.clock import Clock

COLUMNS = ("Name", "Tracks", "Start", "End", "Tape", "Source File", "Character", "In", "Out")
FORMATS = {486: "NTSC", 576: "PAL", 720: "720", 1080: "1080"}
"""What Avid calls a picture of so many lines; else CUSTOM."""


def write_ale(sheet: Sheet) -> Iterator[Piece]:
    """Write a log of all films of the first film's rate, and beside it of each other rate."""
    logs: dict[str, list[Clip]] = {}
    heads: dict[str, Reel] = {}
    for reel, seen in sheet.films:
        name = rate_name(reel.clock)
        heads.setdefault(name, reel)
        logs.setdefault(name, []).extend(Clip(one, *sheet.with_handles(one), 0) for one in seen)
    for number, (name, clips) in enumerate(logs.items()):
        yield Piece(_log(heads[name], clips), name if number else "")


def _log(head: Reel, clips: Sequence[Clip]) -> str:
    rows = ["\t".join(_row(clip)) for clip in clips]
    return "\n".join(
        [
            "Heading",
            "FIELD_DELIM\tTABS",
            f"VIDEO_FORMAT\t{FORMATS.get(head.size[1], 'CUSTOM')}",
            f"AUDIO_FORMAT\t{_khz(head)}khz",
            f"FPS\t{_fps(head.clock)}",
            "",
            "Column",
            "\t".join(COLUMNS),
            "",
            "Data",
            *rows,
            "",
        ]
    )


def _row(clip: Clip) -> tuple[str, ...]:
    one = clip.one
    reel = one.reel
    return (
        one_line(one.player.name),
        "V" + "".join(f"A{n + 1}" for n in range(reel.film.tags.channels)),
        reel.clock.timecode(clip.into),
        reel.clock.timecode(clip.out),
        one_line(reel.tape),
        one_line(reel.path.name if reel.path else reel.name),
        str(one.player.number),
        *one.timecodes,
    )


def _khz(reel: Reel) -> int:
    return round((reel.film.tags.sample_rate or 48000) / 1000)


def _fps(clock: Clock) -> str:
    """Return a rate as Avid writes it: 23.976, 25, 29.97."""
    return f"{float(clock.rate):.5g}"
