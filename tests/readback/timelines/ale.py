"""ALE, by a reader of its lines; what the adapter can read must be what was read.

The adapter knows no rates but SMPTE's, and no midnight.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as oti

from tests.readback.timelines.expected import one_line
from tests.readback.timelines.timecode import SMPTE
from videoclusternet.export.sheet import Sheet
from videoclusternet.types.clock import STANDARD


def read(paths: list[Path]) -> list[Any]:
    found: list[Any] = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        head, _, rest = text.partition("\nColumn\n")
        names, _, rows = rest.partition("\n\nData\n")
        heading = dict(line.split("\t") for line in head.splitlines()[1:] if line)
        assert heading["FIELD_DELIM"] == "TABS" and heading["AUDIO_FORMAT"] == "48khz"
        columns = names.split("\t")
        table = [dict(zip(columns, row.split("\t"), strict=True)) for row in rows.splitlines()]
        compare(text, heading["FPS"], table)
        found += [(*row.values(), heading["FPS"]) for row in table]
    return found


def compare(text: str, fps: str, table: list[dict[str, str]]) -> None:
    rate = nearest(fps)
    if float(rate) not in SMPTE or any(row["Start"] > row["End"] for row in table):
        return
    clips = oti.adapters.read_from_string(text, "ale")
    for row, clip in zip(table, clips, strict=True):
        span = clip.source_range
        ours = [oti.opentime.from_timecode(row[key], float(rate)) for key in ("Start", "End")]
        assert clip.name == row["Name"] and span.start_time.rate == float(rate)
        assert ours == [span.start_time, span.end_time_exclusive()]
        assert clip.media_reference.target_url == row["Source File"]


def nearest(fps: str) -> Fraction:
    return min((*STANDARD, Fraction(15)), key=lambda rate: abs(rate - Fraction(fps)))


def expect(sheet: Sheet) -> list[Any]:
    rows = []
    for one in sheet.appearances:
        clock = one.reel.clock
        into, out = sheet.with_handles(one)
        rows.append(
            (
                one_line(one.player.name),
                "VA1A2",
                clock.timecode(into),
                clock.timecode(out),
                one_line(one.reel.tape),
                one_line(one.reel.path.name),
                str(one.player.number),
                *one.timecodes,
                f"{float(clock.rate):.5g}",
            )
        )
    return rows
