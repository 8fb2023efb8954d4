"""AAF, by OpenTimelineIO's adapter; drop-frame, which it leaves out, by pyaaf2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aaf2
import opentimelineio as oti

from tests.readback.timelines.expected import COLOURS, one_line, timelines
from tests.readback.timelines.otio import exact
from videoclusternet.export.sheet import Sheet


def read(paths: list[Path]) -> list[Any]:
    (path,) = paths
    whole = oti.adapters.read_from_file(str(path))
    sequences = [whole] if isinstance(whole, oti.schema.Timeline) else list(whole)
    drops, films = facts(path)
    found: list[Any] = []
    for number, (timeline, drop) in enumerate(zip(sequences, drops, strict=True)):
        found += master(timeline, drop) if number < films else selects(timeline, found)
    return found


def facts(path: Path) -> tuple[list[bool], int]:
    """Whether each sequence is drop-frame, and how many films there are."""
    with aaf2.open(str(path)) as file:
        mobs = [mob.mob_id for mob in file.content.mobs]
        assert len(set(map(str, mobs))) == len(mobs)
        drops = [bool(mob.slot_at(100).segment.drop) for mob in file.content.toplevel()]
        masters = list(file.content.mastermobs())
        for mob in masters:
            tape = mob.slots[0].segment.mob.slots[0].segment.mob
            assert tape.slot_at(100).segment.length == mob.slots[0].segment.length
    return drops, len(masters)


def master(timeline: oti.schema.Timeline, drop: bool) -> list[Any]:
    (clip,) = timeline.tracks[0]
    span, start = clip.source_range, timeline.global_start_time
    media = clip.media_reference
    assert media.available_range == span and span.start_time == start
    place = getattr(media, "target_url", None)
    frames = int(start.value), int(span.duration.value)
    found: list[Any] = [("film", timeline.name, str(exact(start.rate)), drop, *frames, place)]
    for one in clip.markers:
        into = one.marked_range.start_time - start
        out = one.marked_range.end_time_exclusive() - start
        assert one.color in COLOURS
        colour = one.metadata["AAF"]["CommentMarkerAttributeList"]["_ATN_CRM_COLOR"].upper()
        found.append(("marker", timeline.name, one.name, int(into.value), int(out.value), colour))
    return found


def selects(timeline: oti.schema.Timeline, known: list[Any]) -> list[Any]:
    starts = {row[1]: row[4] for row in known if row[0] == "film"}
    track, begin = timeline.tracks[0], timeline.global_start_time
    base = round(begin.rate)
    assert int(begin.value) in (3600 * base, 3600 * base - 108 * base // 30)
    assert all(len(one) == len(track) for one in timeline.tracks)
    placed = track.range_of_all_children()
    found = []
    for clip in track:
        span, at = clip.source_range, int(placed[clip].start_time.value)
        into = int(span.start_time.value) - starts[clip.name]
        out = into + int(span.duration.value)
        found.append(("select", timeline.name, clip.name, into, out, at))
    return found


def expect(sheet: Sheet) -> list[Any]:
    return timelines(sheet, one_line)
