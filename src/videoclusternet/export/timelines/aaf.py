"""AAF, for Avid Media Composer: films as master clips, a sequence for each timeline.

Written by pyaaf2, since OpenTimelineIO's adapter writes neither markers nor several sequences,
and calls 23.976 drop-frame.  Mobs (AAF's objects) are chained as Avid chains them: sequence ->
master clip -> file -> tape, which has the timecode.  They are named by what is in them: the same
film is the same master clip in each file, and a sequence that changed is another.

pyaaf2 makes one clip of each film and one marker of each character; all others are cast from
these (``moulds.py``), and the file is written in one go (``compound.py``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import aaf2

from videoclusternet.export.palette import colour_of
from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import one_line
from videoclusternet.export.sheet import Appearance, Player, Reel, Sheet
from videoclusternet.export.timelines.compound import Storage, compound_file
from videoclusternet.export.timelines.laid import place_of, selects_of
from videoclusternet.export.timelines.moulds import (
    LENGTH,
    POSITION,
    SAID,
    STARTS,
    Cast,
    cast_all,
)
from videoclusternet.types.clock import Clock

WHEN = datetime(2000, 1, 1)
"""When everything was made: files of the same cast are the same."""
LABEL = bytes.fromhex("060a2b340101010501010f1013000000")
"""How the id of a mob begins."""
SOUNDS = 2
"""Tracks of sound at most."""
TC, EVENTS = 100, 1000
"""Numbers of the slots of timecode and of markers."""
SAID_LENGTH = 3
"""Which of the things said of a marker is its length."""
Laid = tuple[Reel, int, int]
"""A clip: film, first frame, frames."""


def write_aaf(sheet: Sheet) -> Iterator[Piece]:
    """Write all timelines into one file."""
    with aaf2.open() as file:  # in memory
        writer = _Writer(file, sheet)
        writer.write()
        file.save()
        whole = _storage(file.cfb, file.cfb.root)
        for row, casts in writer.rows:
            cast_all(whole.at(row.dir.path()), row.components.index_name, casts)
        signature = file.cfb.class_id.bytes_le
    yield Piece(b"".join(compound_file(whole, signature)))


def _storage(disk: Any, entry: Any) -> Storage:
    """Return what pyaaf2 has written."""
    parts = {
        inner.name: _storage(disk, inner) if inner.isdir() else bytes(disk.open(inner).read())
        for inner in disk.listdir(entry)
    }
    return Storage(entry.class_id.bytes_le if entry.class_id else bytes(16), parts)


class _Writer:
    """Builds the mobs of one file."""

    def __init__(self, file: Any, sheet: Sheet) -> None:
        self.file, self.make, self.sheet = file, file.create, sheet
        self.masters = [self._film(reel) for reel in sheet.reels]
        self.rows: list[tuple[Any, list[Cast]]] = []

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
            self._clips(track, number, kind, laid)
            slot = self._slot(mob, rate, number, track)
            slot["PhysicalTrackNumber"].value = max(1, number - 1)
        return mob

    def _clips(self, track: Any, number: int, kind: str, laid: Sequence[Laid]) -> None:
        """Fill a track: a clip for each, or silence where a film has no such sound."""
        reels = list({reel.number: reel for reel, *_ in laid}.values())
        heard = {reel.number: number <= 1 + reel.film.tags.channels for reel in reels}
        track.components.value = [
            self._part_of(self.masters[reel.number], number, 0, 0, kind)
            if heard[reel.number]
            else self.make.Filler(kind, 0)
            for reel in reels
        ]
        model = {reel.number: place for place, reel in enumerate(reels)}
        casts = [
            Cast(
                model[reel.number],
                {LENGTH: lasts, STARTS: first} if heard[reel.number] else {LENGTH: lasts},
            )
            for reel, first, lasts in laid
        ]
        self.rows.append((track, casts))

    def _markers(self, mob: Any, clock: Clock, seen: Sequence[Appearance]) -> None:
        """Add markers to the picture, as Media Composer keeps them."""
        events = self.make.EventMobSlot()
        events["EditRate"].value = str(clock.rate)
        events["SlotID"].value = EVENTS
        events["PhysicalTrackNumber"].value = 1
        row = self.make.Sequence(media_kind="DescriptiveMetadata")
        model = {player: n for n, player in enumerate(dict.fromkeys(one.player for one in seen))}
        row.components.value = models = [self._marker(player) for player in model]
        said = f"{models[0]['CommentMarkerAttributeList'].index_name}{{{SAID_LENGTH}}}"
        casts = [
            Cast(
                model[one.player],
                {POSITION: one.into, LENGTH: one.length},
                {said: {SAID: one.length}},
            )
            for one in seen
        ]
        self.rows.append((row, casts))
        events.segment = row
        mob.slots.append(events)

    def _marker(self, player: Player) -> Any:
        """Make a marker of somebody, at no time yet."""
        marker, name = self.make.DescriptiveMarker(), one_line(player.name)
        colour = colour_of(player.number)
        marker["Position"].value = marker["Length"].value = 0
        marker["Comment"].value = name
        marker["DescribedSlots"].value = {1}
        parts = zip(("red", "green", "blue"), colour.rgb, strict=True)
        marker["CommentMarkerColor"].value = {part: 257 * value for part, value in parts}
        said: dict[str, str | int] = {
            "_ATN_CRM_COLOR": colour.otio.title(),
            "_ATN_CRM_COM": name,
            "_ATN_CRM_USER": name,
            "_ATN_CRM_LENGTH": 0,
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
