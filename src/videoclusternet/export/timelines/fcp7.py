"""Final Cut Pro 7's XML (xmeml 5), for Premiere and Resolve: a sequence for each timeline.

Frames count from the film's first picture and from the sequence's beginning, so that midnight
is nothing special; timecodes stand beside them.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from fractions import Fraction

from videoclusternet.errors import ConfigError
from videoclusternet.export.palette import colour_of
from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import one_line
from videoclusternet.export.sheet import Appearance, Reel, Sheet
from videoclusternet.export.timelines.laid import place_of, selects_of
from videoclusternet.export.timelines.xml import add, document
from videoclusternet.types.clock import NTSC, Clock

SOUNDS = 2
"""Tracks of sound that a sequence has at most; the file says how many the film has."""
Laid = tuple[Reel, int, int, int]
"""A clip: film, its first frame and the one after its last, and where it begins."""


def write_fcp7(sheet: Sheet) -> Iterator[Piece]:
    """Write a sequence for each film, then one for the selects of each player."""
    root = ET.Element("xmeml", version="5")
    project = add(root, "project")
    add(project, "name", one_line(sheet.title))
    book = _Book(add(project, "children"))
    for reel, seen in sheet.films:
        sequence = book.sequence(reel.name, reel.clock, [(reel, 0, reel.length, 0)])
        for one in seen:
            _marker(sequence, one)
    for each in selects_of(sheet):
        laid = [(clip.one.reel, clip.into, clip.out, clip.at) for clip in each.clips]
        book.sequence(each.name, each.clock, laid)
    yield Piece(document(root))


class _Book:
    """Writes sequences into a project; a file is described where it is met first."""

    def __init__(self, children: ET.Element) -> None:
        self.children = children
        self.described: set[int] = set()
        self.sequences = 0

    def sequence(self, name: str, clock: Clock, laid: Sequence[Laid]) -> ET.Element:
        """Add a sequence of clips and return it."""
        self.sequences += 1
        key, like = f"sequence-{self.sequences}", laid[0][0]
        sounds = min(SOUNDS, max(reel.film.tags.channels for reel, *_ in laid))
        sequence = add(self.children, "sequence", id=key)
        add(sequence, "name", one_line(name))
        add(sequence, "duration", laid[-1][3] + laid[-1][2] - laid[-1][1])
        _rate(sequence, clock)
        _timecode(sequence, clock)
        media = add(sequence, "media")
        video = add(media, "video")
        _picture(add(video, "format"), like)
        tracks = [add(video, "track")]
        if sounds:
            audio = add(media, "audio")
            add(audio, "numOutputChannels", sounds)
            _hearing(add(audio, "format"), like)
            tracks += [add(audio, "track") for _ in range(sounds)]
        for place, clip in enumerate(laid, 1):
            heard = min(sounds, clip[0].film.tags.channels)
            keys = [f"{key}-{place}-{n}" for n in range(1 + heard)]
            for number, track in enumerate(tracks[: 1 + heard]):
                self._item(track, number, clip, keys, place)
        return sequence

    def _item(
        self, track: ET.Element, number: int, laid: Laid, keys: Sequence[str], place: int
    ) -> None:
        """Add one clip to a track: of the picture for 0, else of a channel of the sound."""
        reel, into, out, at = laid
        item = add(track, "clipitem", id=keys[number])
        add(item, "masterclipid", f"masterclip-{reel.number + 1}")
        add(item, "name", one_line(reel.name))
        add(item, "duration", reel.length)
        _rate(item, reel.clock)
        for tag, frame in (("start", at), ("end", at + out - into), ("in", into), ("out", out)):
            add(item, tag, frame)
        self._file(item, reel)
        if number:
            source = add(item, "sourcetrack")
            add(source, "mediatype", "audio")
            add(source, "trackindex", number)
        for other, key in enumerate(keys if len(keys) > 1 else ()):
            link = add(item, "link")
            add(link, "linkclipref", key)
            add(link, "mediatype", "audio" if other else "video")
            add(link, "trackindex", max(1, other))
            add(link, "clipindex", place)

    def _file(self, item: ET.Element, reel: Reel) -> None:
        file = add(item, "file", id=f"file-{reel.number + 1}")
        if reel.number in self.described:
            return
        self.described.add(reel.number)
        add(file, "name", one_line(reel.path.name if reel.path else reel.name))
        where = place_of(reel, "localhost")
        if where:
            add(file, "pathurl", where)
        _rate(file, reel.clock)
        add(file, "duration", reel.length)
        add(add(_timecode(file, reel.clock), "reel"), "name", one_line(reel.tape))
        media = add(file, "media")
        _picture(add(media, "video"), reel)
        if reel.film.tags.channels:
            audio = add(media, "audio")
            _hearing(audio, reel)
            add(audio, "channelcount", reel.film.tags.channels)


def _marker(sequence: ET.Element, one: Appearance) -> None:
    marker = add(sequence, "marker")
    add(marker, "comment", " - ".join(one.timecodes))
    add(marker, "name", one_line(one.player.name))
    add(marker, "in", one.into)
    add(marker, "out", one.out)
    colour = colour_of(one.player.number)
    shown = add(marker, "color")
    for tag, value in zip(("alpha", "red", "green", "blue"), (0, *colour.rgb), strict=True):
        add(shown, tag, value)
    if colour.premiere:
        add(marker, "pproColor", colour.premiere)


def _rate(parent: ET.Element, clock: Clock) -> None:
    base, ntsc = _counted(clock.rate)
    rate = add(parent, "rate")
    add(rate, "timebase", base)
    add(rate, "ntsc", "TRUE" if ntsc else "FALSE")


def _counted(rate: Fraction) -> tuple[int, bool]:
    """Return the whole number of frames a second, and whether they take 1001/1000 of it."""
    base = round(rate)
    if rate not in (base, base * NTSC):
        raise ConfigError(
            f"FCP7 XML has no {float(rate):.5g} frames a second",
            "take .otio or .fcpxml, which have every rate",
        )
    return base, rate != base


def _timecode(parent: ET.Element, clock: Clock) -> ET.Element:
    timecode = add(parent, "timecode")
    _rate(timecode, clock)
    add(timecode, "string", clock.timecode(0))
    add(timecode, "frame", clock.start)
    add(timecode, "displayformat", "DF" if clock.drop else "NDF")
    return timecode


def _picture(parent: ET.Element, reel: Reel) -> None:
    shape = add(parent, "samplecharacteristics")
    _rate(shape, reel.clock)
    width, height = reel.size
    if width:
        add(shape, "width", width)
        add(shape, "height", height)
    add(shape, "anamorphic", "FALSE")
    add(shape, "pixelaspectratio", "square")
    add(shape, "fielddominance", "none")


def _hearing(parent: ET.Element, reel: Reel) -> None:
    shape = add(parent, "samplecharacteristics")
    add(shape, "depth", 16)
    add(shape, "samplerate", reel.film.tags.sample_rate or 48000)
