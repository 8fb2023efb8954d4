"""Markers: Premiere's by pandas, those of Resolve and Avid line by line."""

from __future__ import annotations

import csv
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from tests.readback.reader import Reader
from tests.readback.text import plain
from videoclusternet.export.sheet import Reel, Sheet

TIMECODE = r"(\d\d:\d\d:\d\d[:;]\d{2,3})"
EVENT = re.compile(rf"(\d{{3,}})  001      V     C        {' '.join([TIMECODE] * 4)}  ")
COMMENT = re.compile(r"([^|]*) \|C:ResolveColor([A-Z][a-z]+) \|M:([^|]+) \|D:([1-9]\d*)")


def read_resolve(paths: list[Path]) -> list[Any]:
    found = []
    for film, path in enumerate(paths):
        for _, at, comment in events_of(path.read_text("utf-8")):
            note, _, name, frames = comment
            found.append((film, at[0], at[1], name, int(frames), note))
    return found


def events_of(text: str) -> list[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """Number, timecodes and marker of every event; nothing else may stand in the file."""
    head, *events = text.split("\n\n")
    assert re.fullmatch(r"TITLE: [^\n]+\nFCM: (NON-)?DROP FRAME", head.rstrip("\n")), head
    found = []
    for event in events:
        lines = event.strip("\n").split("\n")
        if lines == [""]:
            continue
        assert len(lines) == 2, lines
        line, comment = EVENT.fullmatch(lines[0]), COMMENT.fullmatch(lines[1])
        assert line and comment, lines
        found.append((int(line[1]), line.groups()[1:], comment.groups()))
    return found


def expect_resolve(sheet: Sheet) -> list[Any]:
    return [
        (
            reel.number,
            clock_of(reel, into),
            clock_of(reel, into + 1),
            ", ".join(name for name, _ in some).replace("|", "/"),
            max(length for _, length in some),
            f"with {several(some)}".replace("|", "/") if len(some) > 1 else "",
        )
        for reel, into, some in begins_of(sheet)
    ]


def begins_of(sheet: Sheet) -> list[tuple[Reel, int, list[tuple[str, int]]]]:
    """Who comes on screen at each frame of the timeline, and for how long."""
    rows = sorted(
        (
            one.reel.number,
            one.into,
            one.player.number,
            " ".join(one.player.name.split()),
            one.length,
        )
        for one in sheet.appearances
    )
    return [
        (sheet.reels[film], into, [(row[3], row[4]) for row in group])
        for (film, into), group in groupby(rows, key=lambda row: row[:2])
    ]


def several(some: list[tuple[str, int]]) -> str:
    """How long each of several is on screen; nothing for one."""
    each = [f"{name} ({n} frame{'s' if n > 1 else ''})" for name, n in some]
    return ", ".join(each) if len(some) > 1 else ""


def clock_of(reel: Reel, place: int) -> str:
    return reel.clock.timecode(place)


def read_avid(paths: list[Path]) -> list[Any]:
    found = []
    for film, path in enumerate(paths):
        for line in path.read_text("utf-8").split("\n")[:-1]:
            user, at, track, colour, comment, frames = line.split("\t")
            assert (user, track) == ("vcn", "V1") and colour in AVID
            found.append((film, at, comment, int(frames)))
    return found


AVID = {"red", "green", "blue", "cyan", "magenta", "yellow", "black", "white"}
"""Those that every version of Media Composer has."""


def expect_avid(sheet: Sheet) -> list[Any]:
    found = []
    for reel, into, some in begins_of(sheet):
        comment = several(some) or some[0][0]
        longest = max(length for _, length in some)
        found.append((reel.number, clock_of(reel, into), comment, longest))
    return found


def read_premiere(paths: list[Path]) -> list[Any]:
    found = []
    for film, path in enumerate(paths):
        table = pd.read_csv(
            path, sep="\t", encoding="utf-16", quoting=csv.QUOTE_NONE, dtype=str, na_filter=False
        )
        assert list(table.columns) == PREMIERE
        found += [(film, *row) for row in table.itertuples(index=False, name=None)]
    return found


PREMIERE = ["Marker Name", "Description", "In", "Out", "Duration", "Marker Type"]


def expect_premiere(sheet: Sheet) -> list[Any]:
    found = []
    for one in sheet.appearances:
        clock = one.reel.clock
        times = [*one.timecodes, clock.write(one.length)]
        if clock.drop:
            times = [time.replace(":", ";") for time in times]
        name = plain(" ".join(one.player.name.split()))
        said = f"Character {one.player.number}"
        found.append((one.reel.number, name, said, *times, "Comment"))
    return found


READERS = {
    "resolve-markers": Reader(read_resolve, expect_resolve),
    "avid-markers": Reader(read_avid, expect_avid),
    "premiere-markers": Reader(read_premiere, expect_premiere),
}
