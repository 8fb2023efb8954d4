"""FCPXML 1.10, for Final Cut Pro: one event with every film and a project for each timeline.

Times are seconds as exact fractions: of a clip in its film, from the film's start timecode; of a
clip on a timeline, from the timeline's.  They go on over midnight.  Final Cut gives markers no
colours and no length, so that each film lies in the event as well, with a range of keywords for
each appearance: its way to find somebody.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from fractions import Fraction
from urllib.parse import quote

from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import one_line
from videoclusternet.export.sheet import Appearance, Reel, Sheet
from videoclusternet.export.timelines.laid import Selects, place_of, selects_of
from videoclusternet.export.timelines.xml import add, document
from videoclusternet.types.clock import Clock

VERSION = "1.10"
"""Apple documents this one; Final Cut Pro reads it from 10.6 on, and all that are older."""
SAMPLE_RATES = {32000: "32k", 44100: "44.1k", 48000: "48k", 88200: "88.2k", 96000: "96k"}
"""Those that a sequence may have; else it is at 48 kHz."""


def write_fcpxml(sheet: Sheet) -> Iterator[Piece]:
    """Write all timelines as projects of one event."""
    root = ET.Element("fcpxml", version=VERSION)
    resources = add(root, "resources")
    for reel in sheet.reels:
        _resources(resources, reel)
    event = add(add(root, "library"), "event", name=one_line(sheet.title))
    for name in dict.fromkeys(keyword(one.name) for one in sheet.players):
        add(event, "keyword-collection", name=name)
    for reel, seen in sheet.films:
        clip = _clip(event, reel, 0, reel.length)
        for one in seen:
            add(clip, "keyword", **_ranged(one), value=keyword(one.player.name))
    for reel, seen in sheet.films:
        _master(event, reel, seen)
    for each in selects_of(sheet):
        _selects(event, each)
    yield Piece(document(root))


def keyword(name: str) -> str:
    """Return a name as one keyword: a comma would part it."""
    return one_line(name).replace(",", ";")


def _resources(resources: ET.Element, reel: Reel) -> None:
    """Add a film's format and its file."""
    width, height = reel.size
    size = {"width": str(width), "height": str(height)} if width else {}
    beat = _time(1 / reel.clock.rate)
    add(resources, "format", id=_format(reel), frameDuration=beat, **size)
    tags = reel.film.tags
    sound = {
        "hasAudio": "1",
        "audioSources": "1",
        "audioChannels": str(tags.channels),
        "audioRate": str(tags.sample_rate or 48000),
    }
    asset = add(
        resources,
        "asset",
        id=_asset(reel),
        name=one_line(reel.name),
        start=_at(reel.clock, 0),
        duration=_time(reel.clock.seconds(reel.length)),
        hasVideo="1",
        format=_format(reel),
        videoSources="1",
        **(sound if tags.channels else {}),
    )
    where = place_of(reel) or quote(one_line(reel.name), safe="")
    add(asset, "media-rep", kind="original-media", src=where)
    tape = add(asset, "metadata")
    add(tape, "md", key="com.apple.proapps.studio.reel", value=one_line(reel.tape))


def _master(event: ET.Element, reel: Reel, seen: Sequence[Appearance]) -> None:
    spine = _project(event, reel.name, reel.clock, reel, reel.length)
    clip = _clip(spine, reel, 0, reel.length, _at(reel.clock, 0))
    for one in seen:
        add(clip, "marker", **_ranged(one), value=one_line(one.player.name), note=_note(one))


def _selects(event: ET.Element, each: Selects) -> None:
    spine = _project(event, each.name, each.clock, each.clips[0].one.reel, each.length)
    for clip in each.clips:
        _clip(spine, clip.one.reel, clip.into, clip.out, _at(each.clock, clip.at))


def _project(event: ET.Element, name: str, clock: Clock, like: Reel, length: int) -> ET.Element:
    """Add a project with the format of a film, and return the spine that its clips lie on."""
    sequence = add(
        add(event, "project", name=one_line(name)),
        "sequence",
        format=_format(like),
        duration=_time(clock.seconds(length)),
        tcStart=_at(clock, 0),
        tcFormat=_counting(clock),
        audioLayout="mono" if like.film.tags.channels == 1 else "stereo",
        audioRate=SAMPLE_RATES.get(like.film.tags.sample_rate, "48k"),
    )
    return add(sequence, "spine")


def _clip(parent: ET.Element, reel: Reel, into: int, out: int, offset: str = "") -> ET.Element:
    placed = {"offset": offset} if offset else {}
    return add(
        parent,
        "asset-clip",
        ref=_asset(reel),
        **placed,
        name=one_line(reel.name),
        start=_at(reel.clock, into),
        duration=_time(reel.clock.seconds(out - into)),
        format=_format(reel),
        tcFormat=_counting(reel.clock),
    )


def _ranged(one: Appearance) -> dict[str, str]:
    clock = one.reel.clock
    return {"start": _at(clock, one.into), "duration": _time(clock.seconds(one.length))}


def _note(one: Appearance) -> str:
    return " - ".join(one.timecodes)


def _at(clock: Clock, frame: int) -> str:
    return _time(clock.seconds(clock.start + frame))


def _time(seconds: Fraction) -> str:
    return f"{seconds}s"


def _counting(clock: Clock) -> str:
    return "DF" if clock.drop else "NDF"


def _format(reel: Reel) -> str:
    return f"r{2 * reel.number + 1}"


def _asset(reel: Reel) -> str:
    return f"r{2 * reel.number + 2}"
