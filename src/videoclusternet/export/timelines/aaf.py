"""AAF, for Avid Media Composer: films as master clips, a sequence for each timeline.

Written by pyaaf2, since OpenTimelineIO's adapter writes neither markers nor several sequences,
and calls 23.976 drop-frame.  Mobs (AAF's objects) are chained as Avid chains them: sequence ->
master clip -> file -> tape, which has the timecode.  They are named by what is in them: the same
film is the same master clip in each file, and a sequence that changed is another.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import aaf2

from videoclusternet.export.palette import colour_of
from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import one_line
from videoclusternet.export.sheet import Appearance, Reel, Sheet
from videoclusternet.export.timelines.laid import place_of, selects_of
from videoclusternet.types.clock import Clock

WHEN = datetime(2000, 1, 1)
"""When everything was made: files of the same cast are the same."""
LABEL = bytes.fromhex("060a2b340101010501010f1013000000")
"""How the id of a mob begins."""
SOUNDS = 2
"""Tracks of sound at most."""
TC, EVENTS = 100, 1000
"""Numbers of the slots of timecode and of markers."""
Laid = tuple[Reel, int, int]
"""A clip: film, first frame, frames."""


def write_aaf(sheet: Sheet) -> Iterator[Piece]:
    """Write all timelines into one file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cast.aaf"
        with aaf2.open(str(path), "w") as file:
            _Writer(file, sheet).write()
        yield Piece(path.read_bytes())


class _Writer:
    """Builds the mobs of one file."""

    def __init__(self, file: Any, sheet: Sheet) -> None:
        self.file, self.make, self.sheet = file, file.create, sheet
        self.masters = [self._film(reel) for reel in sheet.reels]

    def write(self) -> None:
        """Add all sequences."""
        for reel, seen in self.sheet.films:
            sequence = self._sequence(reel.name, reel.clock, [(reel, 0, reel.length)], seen)
            if seen:
                self._markers(sequence, reel.clock, seen)
        for each in selects_of(self.sheet):
            laid = [(clip.one.reel, clip.into, clip.length) for clip in each.clips]
            self._sequence(each.name, each.clock, laid)
        made = self.file.header["IdentificationList"].value[0]
        made["CompanyName"].value = made["ProductName"].value = "VideoClusterNet"
        made["GenerationAUID"].value = aaf2.auid.AUID(bytes_le=LABEL)
        made["Date"].value = self.file.header["LastModified"].value = WHEN

    def _film(self, reel: Reel) -> Any:
        """Add tape, files and master clip of a film; return the last."""
        rate = str(reel.clock.rate)
        what = (str(reel.path), rate, reel.clock.start, reel.clock.drop, reel.length)
        tape = self._mob("SourceMob", reel.tape, "tape", *what)
        tape.descriptor = self.make.TapeDescriptor()
        master = self._mob("MasterMob", reel.name, *what)
        files = [self._picture(reel)]
        files += [self._sound(reel) for _ in range(min(SOUNDS, reel.film.tags.channels))]
        for number, descriptor in enumerate(files, 1):
            kind = "sound" if number > 1 else "picture"
            file = self._mob("SourceMob", reel.name, number, *what)
            file.descriptor = descriptor
            empty = self.make.SourceClip(length=reel.length, media_kind=kind)
            self._slot(tape, rate, number, empty)
            self._slot(file, rate, 1, self._part_of(tape, number, 0, reel.length, kind))
            self._slot(master, rate, number, self._part_of(file, 1, 0, reel.length, kind))
        self._timecode(tape, reel.clock, reel.length)
        return master

    def _picture(self, reel: Reel) -> Any:
        """Describe the file's pictures, as far as AAF insists."""
        width, height = reel.size
        described = self.make.CDCIDescriptor()
        for key, value in {
            "ComponentWidth": 8,
            "HorizontalSubsampling": 2,
            "ImageAspectRatio": f"{width or 16}/{height or 9}",
            "StoredWidth": width or 1920,
            "StoredHeight": height or 1080,
            "FrameLayout": "FullFrame",
            "VideoLineMap": [42, 0],
            "SampleRate": str(reel.clock.rate),
            "Length": reel.length,
        }.items():
            described[key].value = value
        return self._located(described, reel)

    def _sound(self, reel: Reel) -> Any:
        beat = reel.film.tags.sample_rate or 48000
        described = self.make.PCMDescriptor()
        for key, value in {
            "AudioSamplingRate": beat,
            "SampleRate": beat,
            "Channels": 1,
            "QuantizationBits": 16,
            "BlockAlign": 2,
            "AverageBPS": 2 * beat,
            "Length": int(reel.clock.seconds(reel.length) * beat),
        }.items():
            described[key].value = value
        return self._located(described, reel)

    def _located(self, described: Any, reel: Reel) -> Any:
        where = place_of(reel)
        if where:
            locator = self.make.NetworkLocator()
            locator["URLString"].value = where
            described["Locator"].append(locator)
        return described

    def _sequence(
        self, name: str, clock: Clock, laid: Sequence[Laid], seen: Sequence[Appearance] = ()
    ) -> Any:
        """Add a sequence of clips, back to back."""
        rate = str(clock.rate)
        clips = [(reel.number, first, length) for reel, first, length in laid]
        marks = [(one.into, one.out, one.player) for one in seen]
        place = len(self.file.content.mobs)  # two characters may have one name, always together
        what = (place, rate, clock.start, clock.drop, clips, marks)
        mob = self._mob("CompositionMob", name, *what)
        mob.usage = "Usage_TopLevel"
        length = sum(length for *_, length in laid)
        self._timecode(mob, clock, length)
        sounds = min(SOUNDS, max(reel.film.tags.channels for reel, *_ in laid))
        for number in range(1, sounds + 2):
            kind = "sound" if number > 1 else "picture"
            track = self.make.Sequence(media_kind=kind, length=length)
            track.components.value = [
                self._part_of(self.masters[reel.number], number, first, lasts, kind)
                if number <= 1 + reel.film.tags.channels
                else self.make.Filler(kind, lasts)
                for reel, first, lasts in laid
            ]
            slot = self._slot(mob, rate, number, track)
            slot["PhysicalTrackNumber"].value = max(1, number - 1)
        return mob

    def _markers(self, mob: Any, clock: Clock, seen: Sequence[Appearance]) -> None:
        """Add markers to the picture, as Media Composer keeps them."""
        events = self.make.EventMobSlot()
        events["EditRate"].value = str(clock.rate)
        events["SlotID"].value = EVENTS
        events["PhysicalTrackNumber"].value = 1
        row = self.make.Sequence(media_kind="DescriptiveMetadata")
        row.components.value = [self._marker(one) for one in seen]
        events.segment = row
        mob.slots.append(events)

    def _marker(self, one: Appearance) -> Any:
        marker, name = self.make.DescriptiveMarker(), one_line(one.player.name)
        colour = colour_of(one.player.number)
        marker["Position"].value = one.into
        marker["Length"].value = one.length
        marker["Comment"].value = name
        marker["DescribedSlots"].value = {1}
        parts = zip(("red", "green", "blue"), colour.rgb, strict=True)
        marker["CommentMarkerColor"].value = {part: 257 * value for part, value in parts}
        said: dict[str, str | int] = {
            "_ATN_CRM_COLOR": colour.otio.title(),
            "_ATN_CRM_COM": name,
            "_ATN_CRM_USER": name,
            "_ATN_CRM_LENGTH": one.length,
        }
        marker["CommentMarkerAttributeList"].value = [
            self.make.TaggedValue(key, value) for key, value in said.items()
        ]
        return marker

    def _mob(self, kind: str, name: str, *what: object) -> Any:
        """Add a mob whose id says what is in it."""
        mob = getattr(self.make, kind)(one_line(name))
        key = uuid.uuid5(uuid.NAMESPACE_URL, repr((kind, name, *what)))
        mob.mob_id = aaf2.mobid.MobID(bytes_le=LABEL + key.bytes_le)
        mob["CreationTime"].value = mob["LastModified"].value = WHEN
        self.file.content.mobs.append(mob)
        return mob

    def _slot(self, mob: Any, rate: str, number: int, segment: Any) -> Any:
        slot = self.make.TimelineMobSlot(number, edit_rate=rate)
        slot.segment = segment
        mob.slots.append(slot)
        return slot

    def _timecode(self, mob: Any, clock: Clock, length: int) -> None:
        counted = self.make.Timecode(clock.base, clock.drop, length)
        counted.start = clock.start
        slot = self._slot(mob, str(clock.rate), TC, counted)
        slot["PhysicalTrackNumber"].value = 1

    def _part_of(self, mob: Any, slot: int, first: int, length: int, kind: str) -> Any:
        return self.make.SourceClip(first, length, mob.mob_id, slot, kind)
