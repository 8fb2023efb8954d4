"""FCPXML, by a reader of its exact fractions; the adapter must find the same things by name.

The adapter counts times in floats at ``int(23.976)`` frames a second, so that it reads none
exactly, and it does not know where version 1.10 names the file.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as oti

from tests.readback.timelines.expected import one_line, timelines
from videoclusternet.export.sheet import Sheet


def seconds(element: ET.Element, name: str) -> Fraction:
    value = element.attrib[name]
    assert value.endswith("s"), value
    return Fraction(value[:-1])


class Film:
    """An asset with its format."""

    def __init__(self, asset: ET.Element, beat: Fraction) -> None:
        self.name, self.beat = asset.attrib["name"], beat
        self.first = seconds(asset, "start")
        self.length = self.frames(seconds(asset, "duration"))
        self.place = asset.find("media-rep").attrib["src"]  # type: ignore[union-attr]

    def frames(self, time: Fraction) -> int:
        count = time / self.beat
        assert count.denominator == 1, f"{time} s is no frame of {self.beat} s"
        return int(count)

    def span(self, ranged: ET.Element) -> tuple[int, int]:
        into = self.frames(seconds(ranged, "start") - self.first)
        return into, into + self.frames(seconds(ranged, "duration"))


def read(paths: list[Path]) -> list[Any]:
    (path,) = paths
    text = path.read_text(encoding="utf-8")
    root = ET.fromstring(text)
    beats = {one.attrib["id"]: seconds(one, "frameDuration") for one in root.iter("format")}
    films = {one.attrib["id"]: Film(one, beats[one.attrib["format"]]) for one in root.iter("asset")}
    (event,) = root.findall("./library/event")
    projects = event.findall("project")
    found: list[Any] = []
    for project in projects[: len(films)]:
        found += master(project, films)
    for project in projects[len(films) :]:
        found += selects(project, films)
    for clip in event.findall("asset-clip"):
        film = films[clip.attrib["ref"]]
        found += [("keyword", film.name, k.attrib["value"], *film.span(k)) for k in clip]
    compare(text, projects)
    return found


def master(project: ET.Element, films: dict[str, Film]) -> list[Any]:
    (sequence,) = project
    (clip,) = sequence.find("spine")  # type: ignore[misc]
    film = films[clip.attrib["ref"]]
    start = seconds(sequence, "tcStart")
    assert film.span(clip) == (0, film.length) and seconds(clip, "offset") == start == film.first
    drop = {"DF": True, "NDF": False}[sequence.attrib["tcFormat"]]
    rate = str(1 / film.beat)
    head = ("film", film.name, rate, drop, film.frames(start), film.length, film.place)
    return [head, *(("marker", film.name, m.attrib["value"], *film.span(m)) for m in clip)]


def selects(project: ET.Element, films: dict[str, Film]) -> list[Any]:
    (sequence,) = project
    begin = seconds(sequence, "tcStart")
    found = []
    for clip in sequence.find("spine"):  # type: ignore[union-attr]
        film = films[clip.attrib["ref"]]
        at = film.frames(seconds(clip, "offset") - begin)
        found.append(("select", project.attrib["name"], film.name, *film.span(clip), at))
    return found


def compare(text: str, projects: list[ET.Element]) -> None:
    """The adapter finds projects, clips and markers, each by name and in order."""
    whole = oti.adapters.read_from_string(text, "fcpx_xml")
    for ours, theirs in zip(projects, whole, strict=True):
        clips = [one for one in theirs.tracks[0] if isinstance(one, oti.schema.Clip)]
        assert [one.name for one in clips] == [
            one.attrib["name"] for one in ours.iter("asset-clip")
        ]
        said = [one.attrib["value"] for one in ours.iter("marker")]
        assert [mark.name for one in clips for mark in one.markers] == said


def expect(sheet: Sheet) -> list[Any]:
    """No colours, which Final Cut's markers lack; a keyword for each marker, without commas."""
    rows = timelines(sheet, one_line)
    marks = [row[:-1] for row in rows if row[0] == "marker"]
    words = [("keyword", film, who.replace(",", ";"), a, b) for _, film, who, a, b in marks]
    return [row for row in rows if row[0] != "marker"] + marks + words
