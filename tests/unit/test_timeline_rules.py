"""The rules of FCPXML and of FCP7 XML that their readers insist on, written out.

Apple's document types may not be copied ("All rights reserved"), so that they are no part of
this project: what they ask of the elements that are written is said here again.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from tests.contract.test_exports import SHEETS
from videoclusternet.export.write import export

CONTENT = {
    "fcpxml": "resources library ",
    "resources": "(format asset )+",
    "asset": "media-rep (metadata )?",
    "metadata": "(md )+",
    "library": "event ",
    "event": "(keyword-collection )*(asset-clip )+(project )+",
    "project": "sequence ",
    "sequence": "spine ",
    "spine": "(asset-clip )+",
    "asset-clip": "(marker )*|(keyword )*",
}
"""What lies in an element, in which order; in all others, nothing."""
ATTRIBUTES = {
    "fcpxml": "version",
    "format": "id frameDuration width height",
    "asset": "id name start duration hasVideo format hasAudio videoSources audioSources "
    "audioChannels audioRate",
    "media-rep": "kind src",
    "md": "key value",
    "event": "name",
    "keyword-collection": "name",
    "project": "name",
    "sequence": "format duration tcStart tcFormat audioLayout audioRate",
    "asset-clip": "ref offset name start duration format tcFormat",
    "marker": "start duration value note",
    "keyword": "start duration value",
}
"""Attributes that an element may have."""
NEEDED = {
    "format": "id",
    "asset": "id",
    "media-rep": "src",
    "md": "key",
    "sequence": "format",
    "asset-clip": "ref",
    "marker": "start value",
    "keyword": "start value",
}
"""And those that it must."""
AUDIO_RATES = ("32k", "44.1k", "48k", "88.2k", "96k", "176.4k", "192k")
DROP = (Fraction(1001, 30000), Fraction(1001, 60000))
sheets = pytest.mark.parametrize("name", SHEETS)


def written(name: str, suffix: str, folder: Path) -> ET.Element:
    (path,) = export(SHEETS[name](), folder / f"cast{suffix}")
    text = path.read_text(encoding="utf-8")
    root = ET.fromstring(text)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root.tag}>\n<{root.tag} version="'
    assert text.startswith(head)
    return root


def in_order(element: ET.Element) -> bool:
    children = "".join(f"{child.tag} " for child in element)
    return re.fullmatch(CONTENT.get(element.tag, ""), children) is not None


def time(element: ET.Element, name: str, default: str = "") -> Fraction:
    value = element.get(name, default)
    found = re.fullmatch(r"(\d+)(?:/(\d+))?s", value)
    assert found, f"{name}={value!r}"
    assert int(found[1]) < 2**63 and int(found[2] or 1) < 2**31
    return Fraction(int(found[1]), int(found[2] or 1))


@sheets
def test_fcpxml_elements_are_where_they_may_be(name: str, tmp_path: Path) -> None:
    root = written(name, ".fcpxml", tmp_path)
    assert root.get("version") == "1.10"
    for element in root.iter():
        assert in_order(element), element.tag
        assert set(element.attrib) <= set(ATTRIBUTES.get(element.tag, "").split())
        assert set(element.attrib) >= set(NEEDED.get(element.tag, "").split())
        assert not (element.text or "").strip()


@sheets
def test_fcpxml_references_are_met(name: str, tmp_path: Path) -> None:
    root = written(name, ".fcpxml", tmp_path)
    kinds = {one.attrib["id"]: one.tag for one in root.iter() if "id" in one.attrib}
    assert len(kinds) == sum("id" in one.attrib for one in root.iter())
    for element in root.iter():
        assert kinds.get(element.get("format", ""), "format") == "format"
        assert kinds.get(element.get("ref", ""), "asset") == "asset"
        for key in ("format", "ref"):
            assert element.get(key) is None or element.get(key) in kinds
    for file in root.iter("media-rep"):
        assert re.fullmatch(r"file:///[A-Za-z0-9._~!$&'()*+,;=:@/%-]+", file.attrib["src"])


@sheets
def test_fcpxml_times_are_frames_inside_their_parents(name: str, tmp_path: Path) -> None:
    root = written(name, ".fcpxml", tmp_path)
    beats = {one.attrib["id"]: time(one, "frameDuration") for one in root.iter("format")}
    assets = {one.attrib["id"]: one for one in root.iter("asset")}
    for sequence in root.iter("sequence"):
        beat = beats[sequence.attrib["format"]]
        at = begin = time(sequence, "tcStart")
        assert sequence.get("tcFormat") in (("DF", "NDF") if beat in DROP else ("NDF",))
        assert sequence.get("audioRate") in AUDIO_RATES
        for clip in sequence[0]:
            assert clip.attrib["format"] == assets[clip.attrib["ref"]].attrib["format"]
            assert time(clip, "offset") == at and beats[clip.attrib["format"]] == beat
            at += time(clip, "duration")
        assert at == begin + time(sequence, "duration") and at > begin
        assert (begin / beat).denominator == 1
    for clip in root.iter("asset-clip"):
        beat, asset = beats[clip.attrib["format"]], assets[clip.attrib["ref"]]
        assert inside(clip, asset, beat)
        assert all(inside(mark, clip, beat) for mark in clip)


def inside(one: ET.Element, parent: ET.Element, beat: Fraction) -> bool:
    start, lasts = time(one, "start"), time(one, "duration")
    first, whole = time(parent, "start"), time(parent, "duration")
    even = all((value / beat).denominator == 1 for value in (start, lasts, first, whole))
    return even and lasts > 0 and first <= start and start + lasts <= first + whole


# --- FCP7 XML ----------------------------------------------------------------------------


@sheets
def test_fcp7_sequences_hold_together(name: str, tmp_path: Path) -> None:
    root = written(name, ".xml", tmp_path)
    assert root.get("version") == "5"
    assert [one.tag for one in root.find("project")] == ["name", "children"]  # type: ignore[union-attr]
    files = {one.attrib["id"]: one for one in root.iter("file") if len(one)}
    assert [one.attrib["id"] for one in root.iter("file") if len(one)] == list(files)
    for key in ("sequence", "clipitem"):
        ids = [one.attrib["id"] for one in root.iter(key)]
        assert len(set(ids)) == len(ids)
    for sequence in root.findall("project/children/sequence"):
        parts = [one.tag for one in sequence if one.tag != "marker"]
        assert parts == ["name", "duration", "rate", "timecode", "media"]
        assert sequence.find("media/video/format/samplecharacteristics/width") is not None
        assert timed(sequence.find("timecode"), rate_of(sequence))  # type: ignore[arg-type]
        for problem in problems(sequence, files):
            pytest.fail(problem)


def rate_of(element: ET.Element) -> tuple[str, str]:
    return element.findtext("rate/timebase", ""), element.findtext("rate/ntsc", "")


def timed(timecode: ET.Element, rate: tuple[str, str]) -> bool:
    """Whether a timecode counts at this rate, drop-frame where there is such."""
    mark = {"DF": ";", "NDF": ":"}[timecode.findtext("displayformat", "")]
    drops = mark == ";" and rate not in (("30", "TRUE"), ("60", "TRUE"))
    return rate_of(timecode) == rate and timecode.findtext("string", "")[8] == mark and not drops


def problems(sequence: ET.Element, files: dict[str, ET.Element]) -> Iterator[str]:
    length = int(sequence.findtext("duration", ""))
    here = {one.attrib["id"] for one in sequence.iter("clipitem")}
    for track in sequence.iter("track"):
        at = 0
        for item in track:
            file = files[item.find("file").attrib["id"]]  # type: ignore[union-attr]
            start, end, into, out = (
                int(item.findtext(key, "")) for key in ("start", "end", "in", "out")
            )
            if start != at or end - start != out - into or end <= start:
                yield f"{item.attrib['id']} lies at {start}, not {at}, or changes speed"
            if not 0 <= into < out <= int(file.findtext("duration", "")):
                yield f"{item.attrib['id']} is not inside its file"
            if not rate_of(item) == rate_of(file) == rate_of(sequence):
                yield f"{item.attrib['id']} has another rate"
            links = {link.findtext("linkclipref") for link in item.iter("link")}
            if not links <= here or (links and item.attrib["id"] not in links):
                yield f"{item.attrib['id']} is linked to what is not there"
            at = end
        if at != length:
            yield f"a track ends at {at}, its sequence at {length}"
    for marker in sequence.findall("marker"):
        into, out = (int(marker.findtext(key, "")) for key in ("in", "out"))
        if not 0 <= into < out <= length:
            yield "a marker lies outside"


def test_a_rule_that_is_broken_is_noticed(tmp_path: Path) -> None:
    root = written("one character", ".fcpxml", tmp_path)
    clip = root.find(".//spine/asset-clip")
    assert clip is not None
    beat = Fraction(1, 24)
    assert inside(clip[0], clip, beat)
    clip[0].set("start", "1/7s")
    assert not inside(clip[0], clip, beat)
    assert in_order(root.find("library/event"))  # type: ignore[arg-type]
    root.find("library/event").insert(0, ET.Element("project"))  # type: ignore[union-attr]
    assert not in_order(root.find("library/event"))  # type: ignore[arg-type]
