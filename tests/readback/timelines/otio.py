"""OTIO, by OpenTimelineIO."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as oti

HOUR = 3600


def exact(rate: float) -> Fraction:
    return Fraction(rate).limit_denominator(1001)


def read(paths: list[Path]) -> list[Any]:
    (path,) = paths
    found: list[Any] = []
    whole = oti.adapters.read_from_file(str(path))  # what it holds lives no longer than it
    for timeline in whole:
        stack = timeline.tracks
        video, *audio = stack
        assert video.kind == "Video" and [one.kind for one in audio] == ["Audio"]
        assert [c.source_range for c in audio[0]] == [c.source_range for c in video]
        film = not video[0].metadata
        found += master(timeline) if film else selects(timeline)
    return found


def master(timeline: oti.schema.Timeline) -> list[Any]:
    (clip,) = timeline.tracks[0]
    media, start = clip.media_reference, timeline.global_start_time
    assert media.available_range == clip.source_range and media.name == timeline.name
    rate = exact(start.rate)
    assert clip.source_range.start_time == start
    ours = timeline.metadata["videoclusternet"]
    assert ours["rate"] == str(rate) and media.metadata["videoclusternet"]["reel"]
    length = int(clip.duration().value)
    place = getattr(media, "target_url", None)
    # OTIO itself has no flag for drop-frame, so that it stands in our metadata.
    drop = ours["drop_frame"]
    head = ("film", timeline.name, str(rate), drop, int(start.value), length, place)
    return [head, *(marker(timeline.name, one) for one in timeline.tracks.markers)]


def marker(film: str, one: oti.schema.Marker) -> tuple[Any, ...]:
    into, out = one.marked_range.start_time, one.marked_range.end_time_exclusive()
    return ("marker", film, one.name, int(into.value), int(out.value), one.color)


def selects(timeline: oti.schema.Timeline) -> list[Any]:
    track, begin = timeline.tracks[0], timeline.global_start_time
    base = round(begin.rate)
    assert int(begin.value) in (HOUR * base, HOUR * base - 108 * base // 30)
    found = []
    placed = track.range_of_all_children()
    for clip in track:
        first = clip.media_reference.available_range.start_time
        into = clip.source_range.start_time - first
        out = clip.source_range.end_time_exclusive() - first
        who = clip.metadata["videoclusternet"]
        assert timeline.name.startswith(who["name"]) and 0 <= who["in"] < who["out"]
        frames = (into.value, out.value, placed[clip].start_time.value)
        found.append(("select", timeline.name, clip.name, *map(int, frames)))
    return found
