"""OpenTimelineIO: all timelines in one collection, for Resolve, RV, and whatever reads OTIO.

Frames count from the start timecode and go on over midnight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import opentimelineio as oti

from videoclusternet.export.palette import colour_of
from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import valid
from videoclusternet.export.sheet import Appearance, Player, Reel, Sheet
from videoclusternet.export.timelines.laid import Clip, place_of, selects_of
from videoclusternet.types.clock import Clock

OURS = "videoclusternet"
"""Key of what is ours in OTIO's metadata."""
Files = Sequence[oti.core.MediaReference]
"""Of every film; a clip has a copy."""


def write_otio(sheet: Sheet) -> Iterator[Piece]:
    """Write a master timeline for each film, then the selects of every player."""
    files = [_media(reel) for reel in sheet.reels]
    timelines = [_master(reel, seen, files) for reel, seen in sheet.films]
    for each in selects_of(sheet):
        laid = [(c.one.reel, c.into, c.length, _about(each.player, c)) for c in each.clips]
        timelines.append(_timeline(each.name, each.clock, laid, files))
    whole = oti.schema.SerializableCollection(name=valid(sheet.title), children=timelines)
    yield Piece(whole.to_json_string(indent=1))


def _master(reel: Reel, seen: Sequence[Appearance], files: Files) -> oti.schema.Timeline:
    timeline = _timeline(reel.name, reel.clock, [(reel, 0, reel.length, {})], files)
    timeline.tracks.markers.extend([_marker(one) for one in seen])
    return timeline


def _timeline(
    name: str,
    clock: Clock,
    clips: Sequence[tuple[Reel, int, int, dict[str, Any]]],
    files: Files,
) -> oti.schema.Timeline:
    """Return a timeline of clips (film, first frame, frames, what is ours), with their sound."""
    start = oti.opentime.RationalTime(clock.start, float(clock.rate))
    about = {OURS: {"rate": str(clock.rate), "drop_frame": clock.drop}}
    timeline = oti.schema.Timeline(name=valid(name), global_start_time=start, metadata=about)
    kinds = [oti.schema.TrackKind.Video]
    if any(reel.film.tags.channels for reel, *_ in clips):
        kinds.append(oti.schema.TrackKind.Audio)
    for kind in kinds:
        track = oti.schema.Track(name=kind[0] + "1", kind=kind)
        track.extend(
            [
                oti.schema.Clip(
                    name=valid(reel.name),
                    media_reference=files[reel.number].clone(),
                    source_range=_range(reel.clock.rate, reel.clock.start + first, length),
                    metadata={OURS: whose} if whose else {},
                )
                for reel, first, length, whose in clips
            ]
        )
        timeline.tracks.append(track)
    return timeline


def _media(reel: Reel) -> oti.core.MediaReference:
    where = place_of(reel)
    given = {
        "available_range": _range(reel.clock.rate, reel.clock.start, reel.length),
        "metadata": {OURS: {"reel": valid(reel.tape)}},
    }
    media = (
        oti.schema.ExternalReference(target_url=where, **given)
        if where
        else oti.schema.MissingReference(**given)
    )
    media.name = valid(reel.name)
    return media


def _marker(one: Appearance) -> oti.schema.Marker:
    return oti.schema.Marker(
        name=valid(one.player.name),
        marked_range=_range(one.reel.clock.rate, one.into, one.length),
        color=colour_of(one.player.number).otio,
        metadata={OURS: {"character": one.player.number}},
    )


def _about(player: Player, clip: Clip) -> dict[str, Any]:
    """Say who is on screen, and where in the select: frames before and after are handles."""
    into, out = clip.one.into - clip.into, clip.one.out - clip.into
    return {"character": player.number, "name": valid(player.name), "in": into, "out": out}


def _range(rate: Fraction, first: int, length: int) -> oti.opentime.TimeRange:
    beat = float(rate)
    return oti.opentime.TimeRange(
        oti.opentime.RationalTime(first, beat), oti.opentime.RationalTime(length, beat)
    )
