"""FCP7 XML, by OpenTimelineIO's adapter; drop-frame, which it leaves out, from the XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import opentimelineio as oti

from tests.readback.timelines.expected import COLOURS
from tests.readback.timelines.otio import HOUR, exact

RGB = {
    ("0", "114", "178"): "BLUE",
    ("213", "94", "0"): "RED",
    ("0", "158", "115"): "GREEN",
    ("240", "228", "66"): "YELLOW",
    ("204", "121", "167"): "MAGENTA",
    ("86", "180", "233"): "CYAN",
    ("200", "200", "200"): "WHITE",
}
assert set(RGB.values()) == set(COLOURS)


def read(paths: list[Path]) -> list[Any]:
    (path,) = paths
    text = path.read_text(encoding="utf-8")
    whole = oti.adapters.read_from_string(text, "fcp_xml")
    sequences = [whole] if isinstance(whole, oti.schema.Timeline) else list(whole)
    plain = ET.fromstring(text).findall("./project/children/sequence")
    films = len(ET.fromstring(text).findall(".//file/rate"))
    found: list[Any] = []
    for number, (timeline, said) in enumerate(zip(sequences, plain, strict=True)):
        drop = {"DF": True, "NDF": False}[said.findtext("timecode/displayformat", "")]
        assert int(said.findtext("duration", "")) == timeline.duration().value
        found += master(timeline, drop) if number < films else selects(timeline)
    return found


def master(timeline: oti.schema.Timeline, drop: bool) -> list[Any]:
    start = timeline.global_start_time
    (clip,) = timeline.tracks[0]
    media = clip.media_reference
    assert media.available_range == clip.source_range and clip.source_range.start_time == start
    frames = int(start.value), int(clip.duration().value)
    place = getattr(media, "target_url", None)
    found: list[Any] = [("film", timeline.name, str(exact(start.rate)), drop, *frames, place)]
    for one in timeline.tracks.markers:
        shown = one.metadata["fcp_xml"]["color"]
        colour = RGB[shown["red"], shown["green"], shown["blue"]]
        into, out = one.marked_range.start_time, one.marked_range.end_time_exclusive()
        found.append(("marker", timeline.name, one.name, int(into.value), int(out.value), colour))
    return found


def selects(timeline: oti.schema.Timeline) -> list[Any]:
    begin = timeline.global_start_time
    base = round(begin.rate)
    assert int(begin.value) in (HOUR * base, HOUR * base - 108 * base // 30)
    track = timeline.tracks[0]
    assert all(one.kind == "Audio" and len(one) == len(track) for one in timeline.tracks[1:])
    placed = track.range_of_all_children()
    found = []
    for clip in track:
        first = clip.media_reference.available_range.start_time
        into = clip.source_range.start_time - first
        out = clip.source_range.end_time_exclusive() - first
        frames = (into.value, out.value, placed[clip].start_time.value)
        found.append(("select", timeline.name, clip.name, *map(round, frames)))
    return found
