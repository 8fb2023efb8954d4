"""EDL, by a reader of its lines; what the adapter can read must be what was read.

The adapter knows no rates but SMPTE's, no markers in drop-frame, no midnight, and gives markers
no length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as oti

from tests.readback.timelines.expected import one_line, timelines
from tests.readback.timelines.timecode import SMPTE, day, frames
from videoclusternet.export.sheet import Sheet

EVENT = re.compile(r"(\d{3})  ([A-Z0-9_]{1,8}) +(V|B|AA/V) +C        (\S+) (\S+) (\S+) (\S+)")
MARKER = re.compile(r"(\S+) ([A-Z]+) +(.*) \[(\S+)\]")


@dataclass
class Event:
    """A line of the list with its comments; source and record as timecodes."""

    reel: str
    source: tuple[str, str]
    record: tuple[str, str]
    comments: dict[str, list[str]] = field(default_factory=dict)

    def said(self, key: str) -> str:
        return self.comments[key][0]


@dataclass
class List:
    """One file."""

    drop: bool
    events: list[Event]

    @property
    def rate(self) -> Fraction:
        return Fraction(self.events[0].said("FRAME RATE"))

    def span(self, times: tuple[str, str], start: int = 0) -> tuple[int, int]:
        """In and out from ``start`` on, over midnight."""
        for timecode in times:
            assert (";" in timecode) == self.drop
        whole = day(self.rate, self.drop)
        into, out = (frames(time, self.rate) for time in times)
        return (into - start) % whole, (into - start) % whole + (out - into) % whole


def parse(text: str) -> List:
    title, mode, empty, *lines = text.splitlines()
    assert title.startswith("TITLE: ") and len(title) <= 7 + 70 and empty == ""
    assert mode in ("FCM: DROP FRAME", "FCM: NON-DROP FRAME")
    events: list[Event] = []
    for line in lines:
        if line.startswith("* "):
            key, _, value = line[2:].partition(": ")
            events[-1].comments.setdefault(key, []).append(value)
            continue
        found = EVENT.fullmatch(line)
        assert found and int(found[1]) == len(events) + 1, line
        events.append(Event(found[2], (found[4], found[5]), (found[6], found[7])))
    return List(mode == "FCM: DROP FRAME", events)


def read(paths: list[Path]) -> list[Any]:
    lists = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        lists.append(parse(text))
        compare(lists[-1], text)
    starts: dict[str, int] = {}
    found: list[Any] = []
    for one in lists:
        if "COMMENT" not in one.events[0].comments:
            found += master(one, starts)
    ends: dict[str, int] = {}
    for path, one in zip(paths, lists, strict=True):
        if "COMMENT" in one.events[0].comments:
            found += selects(one, path.stem, starts, ends)
    return found


def master(one: List, starts: dict[str, int]) -> list[Any]:
    (event,) = one.events
    assert event.source == event.record
    name, start = event.said("FROM CLIP NAME"), frames(event.source[0], one.rate)
    starts[name] = start
    length = one.span(event.source, start)[1]
    found: list[Any] = [("film", name, str(one.rate), one.drop, start, length, None)]
    for said in event.comments.get("LOC", []):
        match = MARKER.fullmatch(said)
        assert match, said
        begin, colour, who, lasts = match.groups()
        into = one.span((begin, begin), start)[0]
        out = into + frames(lasts, one.rate)
        found.append(("marker", name, who, into, out, colour))
    return found


def selects(one: List, stem: str, starts: dict[str, int], ends: dict[str, int]) -> list[Any]:
    found = []
    begin = end = frames(one.events[0].record[0], one.rate)
    assert re.fullmatch("01:00:00[:;]0+", one.events[0].record[0])
    who = one.events[0].said("COMMENT")
    for event in one.events:
        name = event.said("FROM CLIP NAME")
        into, out = one.span(event.source, starts[name])
        at, over = one.span(event.record)
        assert at == end and over - at == out - into and event.said("COMMENT") == who
        end = over
        # Where films have several rates, the name of the file says which.
        rate = re.search(r" - [\d.]+ fps( DF)?", stem)
        title = who + (rate[0] if rate else "")
        found.append(("select", title, name, into, out, ends.get(title, 0) + at - begin))
    ends[title] = ends.get(title, 0) + end - begin
    return found


def compare(one: List, text: str) -> None:
    """The adapter reads the same clips and markers, where it can."""
    over = any(event.source[0] > event.source[1] for event in one.events)
    if over or float(one.rate) not in SMPTE:
        return
    timeline = oti.adapters.read_from_string(text, "cmx_3600", rate=float(one.rate))
    (video,) = (track for track in timeline.tracks if track.name == "V")
    for event, clip in zip(one.events, video, strict=True):
        span = clip.source_range
        ours = tuple(frames(time, one.rate) for time in event.source)
        assert ours == (span.start_time.value, span.end_time_exclusive().value)
        assert clip.name == event.said("FROM CLIP NAME")
        assert clip.metadata["cmx_3600"]["reel"] == event.reel
        if not one.drop:
            ours_too = [MARKER.fullmatch(said).groups() for said in event.comments.get("LOC", [])]
            theirs = [(m.marked_range.start_time.value, m.color, m.name) for m in clip.markers]
            assert theirs == [
                (frames(time, one.rate), colour, f"{who} [{lasts}]")
                for time, colour, who, lasts in ours_too
            ]


def expect(sheet: Sheet) -> list[Any]:
    """No place of the file; a film of a day or more is none."""
    return [(*row[:-1], None) if row[0] == "film" else row for row in timelines(sheet, one_line)]
