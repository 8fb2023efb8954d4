"""Labelled boxes in the form of CVAT's export "CVAT for video 1.1": one XML file."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from videoclusternet.annotations.boxes import (
    DECIMALS,
    FILM,
    BoxRow,
    FilmFacts,
    LabelledBoxes,
    collect,
    read_facts,
)
from videoclusternet.annotations.fields import number, size, whole
from videoclusternet.errors import DataError
from videoclusternet.outside.files import is_file, opened, said

NAMING = ("name", "identity")
"""Attributes of a CVAT box that hold the person, where the label is only ``face``."""
CHUNK = 1 << 16


class _NoDoctype(ET.TreeBuilder):
    """A tree builder that refuses declarations: entities could grow without end."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Refuse before anything declared in it is used."""
        raise DataError("it has a DOCTYPE", "annotation tools write none: export it again")


def read_cvat(path: Path, fps: Fraction | None = None) -> LabelledBoxes:
    """Read the XML file of CVAT's export "CVAT for video 1.1".

    The person of a track is the attribute ``name`` or ``identity`` of its boxes, where any
    box of the file has one; else the label of the track.  Boxes with ``outside="1"`` are
    not there.  Frames are those of the film, from 0.

    Parameters
    ----------
    path : Path
    fps : Fraction, optional
        Frames per second; the file does not say it.  Not needed with ``dataset.json``
        beside it, which then also says name, size and length of the film.

    Raises
    ------
    DataError
        When it is malformed; names the track and the frame.
    """
    root = _parse(path)
    if root.tag != "annotations":
        raise DataError(f"{path} is no CVAT file: its root is {root.tag!r}")
    if root.find("image") is not None:
        raise DataError(f"{path} is of images", "export it as CVAT for video 1.1")
    film = _cvat_film(path, root, fps)
    named = any(
        attribute.get("name") in NAMING for attribute in root.iterfind("track/box/attribute")
    )
    return collect(path, film, _cvat_rows(path, root, named))


def _parse(path: Path) -> ET.Element:
    parser = ET.XMLParser(target=_NoDoctype())
    stream = opened(path, DataError)
    try:
        with stream:
            while chunk := stream.read(CHUNK):
                parser.feed(chunk)
        root: ET.Element = parser.close()
    except OSError as error:
        raise DataError(f"cannot read {path}: {said(error)}", "check the disk") from error
    except DataError as error:
        raise DataError(f"{path} is refused: {error.message}", error.advice) from error
    except (ET.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{path} is no XML: {error}") from error
    return root


def _cvat_film(path: Path, root: ET.Element, fps: Fraction | None) -> FilmFacts:
    """Facts of the film from ``dataset.json`` beside the file, else from its own head."""
    if is_file(path.with_name(FILM)):
        return read_facts(path.with_name(FILM))
    sizes = root.findall("meta//original_size")
    if len(sizes) != 1:
        raise DataError(f"{path}: {len(sizes)} films are described in it", "export one task")
    if fps is None:
        raise DataError(f"{path} does not say the frame rate", f"give --fps, or {FILM} beside it")
    source = (root.findtext("meta//source") or root.findtext("meta//name") or "").strip()
    return FilmFacts(
        video=source or path.stem,
        fps=fps,
        width=size(sizes[0].findtext("width"), f"{path}, original_size", "width"),
        height=size(sizes[0].findtext("height"), f"{path}, original_size", "height"),
    )


def _cvat_rows(path: Path, root: ET.Element, named: bool) -> Iterator[BoxRow]:
    seen: set[str] = set()
    for i, element in enumerate(root.iterfind("track")):
        track = element.get("id", "").strip()
        place = f"{path}, track {track or f'number {i + 1}'}"
        if not track:
            raise DataError(f"{place}: id is missing")
        if track in seen:
            raise DataError(f"{place}: this track appears twice")
        seen.add(track)
        for shape in element:
            if shape.tag != "box":
                raise DataError(f"{place}: a {shape.tag}, where only boxes are read")
            where = f"{place}, frame {shape.get('frame', '(missing)')}"
            if shape.get("outside", "0").strip() != "0":
                continue
            if number(shape.get("rotation", "0"), where, "rotation"):
                raise DataError(f"{where}: the box is rotated", "draw it upright")
            left, top, right, bottom = (
                number(shape.get(key), where, key) for key in ("xtl", "ytl", "xbr", "ybr")
            )
            frame = whole(shape.get("frame"), where, "frame")
            label = _person(shape, where) if named else element.get("label", "").strip()
            width, height = round(right - left, DECIMALS), round(bottom - top, DECIMALS)
            yield BoxRow(where, track, frame, (left, top, width, height), label)


def _person(shape: ET.Element, where: str) -> str:
    texts = [(a.text or "").strip() for a in shape.iterfind("attribute") if a.get("name") in NAMING]
    people = {text for text in texts if text}
    if len(people) > 1:
        raise DataError(f"{where}: the box is {' and '.join(map(repr, sorted(people)))}")
    return people.pop() if people else ""
