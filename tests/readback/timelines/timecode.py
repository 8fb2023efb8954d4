"""Timecode, read the slow way: count every number of a day that is not left out."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache

from opentimelineio import opentime

SMPTE = {float(n) for n in (24, 25, 30, 50, 60)} | {n * 1000 / 1001 for n in (24, 30, 60)}
"""Rates at which OpenTimelineIO reads timecode."""


def frames(timecode: str, rate: Fraction) -> int:
    """Frames after 00:00:00:00; checked against OpenTimelineIO where that knows the rate."""
    found = re.fullmatch(r"(\d\d):(\d\d):(\d\d)([:;])(\d{2,3})", timecode)
    assert found, timecode
    hours, minutes, seconds, frame = (int(found[n]) for n in (1, 2, 3, 5))
    base, drop = round(rate), found[4] == ";"
    assert hours < 24 and minutes < 60 and seconds < 60 and frame < base, timecode
    minute = 60 * hours + minutes
    count = (60 * minute + seconds) * base + frame
    if drop:
        left_out = 2 * base // 30
        assert seconds or frame >= left_out or minutes % 10 == 0, timecode
        count -= left_out * sum(n % 10 > 0 for n in range(minute + 1))
    if float(rate) in SMPTE:
        assert opentime.from_timecode(timecode, float(rate)).value == count
    return count


@cache
def day(rate: Fraction, drop: bool) -> int:
    """Frames that a day of timecode has."""
    base = round(rate)
    last = f"23:59:59{';' if drop else ':'}{base - 1:02d}"
    return frames(last, rate) + 1
