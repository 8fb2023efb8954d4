"""JSON: films, characters and appearances, as ``cast.schema.json`` beside this file describes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Appearance, Player, Reel, Sheet
from videoclusternet.export.whose import index_of, told, tracks_of
from videoclusternet.result.appearances import Told

SCHEMA = "urn:videoclusternet:cast:1"
"""``$id`` of the schema; its number rises when a reader of earlier files would err."""


def write_json(sheet: Sheet) -> Iterator[Piece]:
    """Write all of a sheet; absent is null, frames are half-open, rates are fractions."""
    content = {
        "$schema": SCHEMA,
        "title": sheet.title,
        "films": [_film(reel) for reel in sheet.reels],
        "characters": [_character(sheet, player) for player in sheet.players],
        "appearances": list(map(_appearance, sheet.appearances, told(sheet))),
    }
    yield Piece(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _film(reel: Reel) -> dict[str, Any]:
    film, clock, (width, height) = reel.film, reel.clock, reel.size
    return {
        "number": reel.number,
        "name": reel.name,
        "reel": reel.tape,
        "path": None if reel.path is None else str(reel.path),
        "content": film.content or (film.video.content if film.video else None),
        "rate": str(clock.rate),
        "varying_rate": clock.video is not None,
        "start_timecode": clock.timecode(0),
        "drop_frame": clock.drop,
        "frames": film.frames,
        "seconds": film.duration,
        "timeline_frames": reel.length,
        "width": width or None,
        "height": height or None,
    }


def _character(sheet: Sheet, player: Player) -> dict[str, Any]:
    run, index = sheet.run, index_of(sheet.run, player)
    known = index is not None and index >= 0
    tracks = len(tracks_of(run, player))
    wrong = float(run.cast.expected_wrong[index]) if known else None
    return {
        "number": player.number,
        "name": player.name,
        "hidden": known and run.people[index or 0].hidden,
        "tracks": tracks,
        "confidence": None if wrong is None else round(1 - wrong / tracks, 4),
        "expected_wrong": None if wrong is None else round(wrong, 4),
        "seconds": sum(one.span.seconds for one in sheet.of(player)),
    }


def _appearance(one: Appearance, known: Told) -> dict[str, Any]:
    start, stop = one.timecodes
    return {
        "film": one.reel.number,
        "character": one.player.number,
        "name": one.player.name,
        "first_frame": one.span.first,
        "end_frame": one.span.end,
        "start_seconds": one.span.start,
        "stop_seconds": one.span.stop,
        "timeline_in": one.into,
        "timeline_out": one.out,
        "start_timecode": start,
        "stop_timecode": stop,
        "tracks": known.tracks,
        "confidence": known.confidence,
    }
