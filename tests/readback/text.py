"""CSV and Parquet by pandas, JSON by jsonschema, subtitles by pysubs2."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable
from fractions import Fraction
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pysubs2

from tests.readback.reader import Reader
from videoclusternet.export.sheet import Reel, Sheet


def read_csv(paths: list[Path]) -> list[Any]:
    kept = ["film", "name", "start_timecode", "stop_timecode"]
    frame = pd.read_csv(paths[0], dtype=dict.fromkeys(kept, str), na_filter=False)
    frame["confidence"] = frame["confidence"].map(str)
    return [tuple(row) for row in frame.itertuples(index=False, name=None)]


def expect_csv(sheet: Sheet) -> list[Any]:
    return [
        (
            plain(one.reel.name),
            one.player.number,
            plain(one.player.name),
            one.span.first,
            one.span.end,
            round(one.span.start, 6),
            round(one.span.stop, 6),
            *one.timecodes,
            0,
            "",
        )
        for one in sheet.appearances
    ]


def plain(text: str) -> str:
    """A cell that a spreadsheet would take for a formula is text by its first letter."""
    return "'" + text if text[:1] in "=+-@\t\r" else text


def read_parquet(paths: list[Path]) -> list[Any]:
    frame = pd.read_parquet(paths[0])
    kinds = [str(kind) for kind in frame.dtypes]
    assert [kind for kind in kinds if kind in ("int32", "float64")] == [
        *("int32", "int32", "int32", "float64", "float64", "int32", "float64")
    ]
    assert frame["confidence"].isna().all()
    return [row[:-1] for row in frame.itertuples(index=False, name=None)]


def expect_parquet(sheet: Sheet) -> list[Any]:
    return [
        (
            one.reel.name,
            one.player.number,
            one.player.name,
            one.span.first,
            one.span.end,
            one.span.start,
            one.span.stop,
            *one.timecodes,
            0,
        )
        for one in sheet.appearances
    ]


SCHEMA = json.loads(files("videoclusternet.export.text").joinpath("cast.schema.json").read_text())
CHECKER = jsonschema.Draft202012Validator(SCHEMA)


def read_json(paths: list[Path]) -> list[Any]:
    """Checked by the schema; appearances, with what the film and the character say."""
    content = json.loads(paths[0].read_text("utf-8"))
    CHECKER.validate(content)
    films, characters = content["films"], content["characters"]
    people = {one["number"]: one["name"] for one in characters}
    rows = []
    for one in content["appearances"]:
        film = films[one["film"]]
        rate = Fraction(film["rate"])
        assert one["name"] == people[one["character"]]
        times = one["start_seconds"], one["stop_seconds"], one["start_timecode"]
        places = one["timeline_in"] / rate, one["timeline_out"] / rate
        frames = one["first_frame"], one["end_frame"]
        rows.append((film["name"], one["name"], *frames, *times, one["stop_timecode"], *places))
    facts = [
        (film["number"], film["start_timecode"], film["drop_frame"], film["width"], film["frames"])
        for film in films
    ]
    return [*rows, *facts, *((one["name"], round(one["seconds"], 6)) for one in characters)]


def expect_json(sheet: Sheet) -> list[Any]:
    rows: list[Any] = []
    for one in sheet.appearances:
        rate, span = one.reel.clock.rate, one.span
        name = (one.reel.name, one.player.name)
        start, stop = one.timecodes
        frames, seconds = (span.first, span.end), (span.start, span.stop)
        rows.append((*name, *frames, *seconds, start, stop, one.into / rate, one.out / rate))
    for reel in sheet.reels:
        clock = reel.clock
        rows.append((reel.number, clock.timecode(0), clock.drop, reel.size[0], reel.film.frames))
    for player in sheet.players:
        spans = [one.span for one in sheet.appearances if one.player == player]
        rows.append((player.name, round(sum(span.stop - span.start for span in spans), 6)))
    return rows


def reader_of_subtitles(
    format: str, unit: int, written: Callable[[str], str], undo: Callable[[str], str] = str
) -> Reader:
    """Cues by pysubs2, against the people of every frame.

    Parameters
    ----------
    format : str
        As pysubs2 calls it.
    unit : int
        Units of time a second.
    written : callable
        From a name in one line to what the format makes of it.
    undo : callable
        From the text of a cue as it is read to names.
    """

    def read(paths: list[Path]) -> list[Any]:
        return [
            (film, event.start, event.end, undo(event.plaintext))
            for film, path in enumerate(paths)
            for event in pysubs2.load(str(path), format_=format, **_whole(format))
        ]

    def expect(sheet: Sheet) -> list[Any]:
        return [
            (reel.number, start, stop, ", ".join(written(" ".join(n.split())) for n in names))
            for reel in sheet.reels
            for start, stop, names in people_of_frames(sheet, reel, unit)
        ]

    return Reader(read, expect)


def _whole(format: str) -> dict[str, bool]:
    return {} if format == "ass" else {"keep_html_tags": True}


def people_of_frames(sheet: Sheet, reel: Reel, unit: int) -> list[tuple[int, int, tuple[str, ...]]]:
    """Who is on screen frame by frame; frames with the same people are one, times in ms."""
    film = reel.film
    assert film.video is not None
    present: list[set[tuple[int, str]]] = [set() for _ in range(film.frames)]
    for one in (one for one in sheet.appearances if one.reel == reel):
        for frame in range(one.span.first, one.span.end):
            present[frame].add((one.player.number, one.player.name))
    found = []
    for people, group in groupby(range(film.frames), key=lambda frame: sorted(present[frame])):
        frames = list(group)
        if people:
            start, stop = (_floor(reel, frame, unit) for frame in (frames[0], frames[-1] + 1))
            found.append((start, stop, tuple(name for _, name in people)))
    return found


def _floor(reel: Reel, frame: int, unit: int) -> int:
    """Time of a frame in ms, rounded down to the unit of the format, by exact fractions."""
    video = reel.film.video
    assert video is not None
    ticks = video.end if frame == video.frames else int(video.pts[frame])
    return math.floor(ticks * Fraction(video.base) * unit) * 1000 // unit


def no_braces(name: str) -> str:
    for letter, other in zip("{}\\", "()/", strict=True):
        name = name.replace(letter, other)
    return name


def no_tags(name: str) -> str:
    return no_braces(name).replace("<", "\u2039").replace(">", "\u203a")


READERS = {
    "csv": Reader(read_csv, expect_csv),
    "parquet": Reader(read_parquet, expect_parquet),
    "json": Reader(read_json, expect_json),
    "webvtt": reader_of_subtitles("vtt", 1000, str, html.unescape),
    "srt": reader_of_subtitles("srt", 1000, no_tags),
    "ass": reader_of_subtitles("ass", 100, no_braces),
}
