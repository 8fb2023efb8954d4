"""AAF with every object made by pyaaf2, one by one, against the file that is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aaf2
import pytest
from aaf2 import properties

from tests.sheets import NAMES, a_film, a_sheet, drawn
from videoclusternet.export.palette import colour_of
from videoclusternet.export.plain import one_line
from videoclusternet.export.sheet import Appearance, Choice, Sheet
from videoclusternet.export.timelines.aaf import EVENTS, Laid, _Writer
from videoclusternet.export.write import export
from videoclusternet.types.clock import Clock

STRONG = (
    properties.StrongRefProperty,
    properties.StrongRefVectorProperty,
    properties.StrongRefSetProperty,
)


class OneByOne(_Writer):
    """What the writer leaves to casts, made the plain way."""

    def _clips(self, track: Any, number: int, kind: str, laid: Sequence[Laid]) -> None:
        track.components.value = [
            self._part_of(self.masters[reel.number], number, first, lasts, kind)
            if number <= 1 + reel.film.tags.channels
            else self.make.Filler(kind, lasts)
            for reel, first, lasts in laid
        ]

    def _markers(self, mob: Any, clock: Clock, seen: Sequence[Appearance]) -> None:
        events = self.make.EventMobSlot()
        events["EditRate"].value = str(clock.rate)
        events["SlotID"].value = EVENTS
        events["PhysicalTrackNumber"].value = 1
        row = self.make.Sequence(media_kind="DescriptiveMetadata")
        row.components.value = [self._made(one) for one in seen]
        events.segment = row
        mob.slots.append(events)

    def _made(self, one: Appearance) -> Any:
        marker, name = self.make.DescriptiveMarker(), one_line(one.player.name)
        colour = colour_of(one.player.number)
        marker["Position"].value = one.into
        marker["Length"].value = one.length
        marker["Comment"].value = name
        marker["DescribedSlots"].value = {1}
        red, green, blue = (257 * part for part in colour.rgb)
        marker["CommentMarkerColor"].value = {"red": red, "green": green, "blue": blue}
        marker["CommentMarkerAttributeList"].value = [
            self.make.TaggedValue("_ATN_CRM_COLOR", colour.otio.title()),
            self.make.TaggedValue("_ATN_CRM_COM", name),
            self.make.TaggedValue("_ATN_CRM_USER", name),
            self.make.TaggedValue("_ATN_CRM_LENGTH", one.length),
        ]
        return marker


def one_by_one(sheet: Sheet, path: Path) -> Path:
    with aaf2.open(str(path), "w") as file:
        OneByOne(file, sheet).write()
    return path


def objects_of(path: Path) -> list[Any]:
    """Every object: its place, its class, and all properties, as values and as bytes."""
    with aaf2.open(str(path)) as file:
        file.cfb.validate_directory_structure()
        found = [file.weakref_table, file.cfb.class_id]
        waiting = [file.root]
        while waiting:
            one = waiting.pop()
            rows = {}
            for said in one.properties():
                inner: list[Any] = []
                if isinstance(said, STRONG):
                    value = said.value
                    inner = [value] if isinstance(said, STRONG[0]) else list(value)
                    waiting += inner
                elif isinstance(said, properties.WeakRefProperty):
                    inner = [said.weakref_index, said.ref]
                elif isinstance(said, properties.WeakRefArrayProperty):
                    inner = list(said.references)
                else:
                    inner = [said.value] if one is not file.metadict else []
                places = [getattr(each, "dir", each) for each in inner]
                told = [each.path() if hasattr(each, "path") else repr(each) for each in places]
                rows[said.pid] = (said.format, bytes(said.data), told)
            found.append((one.dir.path(), str(one.class_id), rows))
    return found


def streams_of(path: Path) -> dict[str, bytes]:
    """Every stream of the file, index streams too."""
    with aaf2.open(str(path)) as file:
        return {
            one.path(): bytes(file.cfb.open(one).read())
            for _, _, streams in file.cfb.walk()
            for one in streams
        }


def heard(number: int, channels: int) -> Any:
    film = a_film(900, "25", f"film {number}", "10:00:00:00")
    return replace(film, tags=replace(film.tags, channels=channels))


def of_all_sounds() -> Sheet:
    """Films of one rate with 0, 1, 2 and 6 channels: selects over all of them have gaps."""
    films = [heard(number, channels) for number, channels in enumerate((0, 1, 2, 6))]
    rows = [(n, 30 * k, 30 * k + 7 + k) for k in range(4) for n in range(4)]
    return a_sheet(films, {"Anna": rows, "Ben": rows[1:7], "Cleo": rows[:1]}, Choice(handles=0.5))


def of_odd_names() -> Sheet:
    spans = {name: [(0, 9 * n, 9 * n + 5 + n)] * 2 for n, name in enumerate((*NAMES, "Ann", " "))}
    return a_sheet([a_film(name='a "film", <odd> & 😀', timecode="23:59:50:00")], spans)


def of_nobody_in_one() -> Sheet:
    films = [a_film(90, "24"), a_film(200_000, "30000/1001", "long", "00:59:50;00")]
    return a_sheet(films, {"Anna": [(1, 199_991, 200_000), (1, 0, 199_980)]})


def of_many() -> Sheet:
    """Lists that no small stream holds."""
    film = a_film(9000, "24000/1001", timecode="01:00:00:00")
    return a_sheet(
        [film], {"Anna": [(0, 7 * n, 7 * n + 3) for n in range(1200)], "Ben": [(0, 1, 2)]}
    )


SHEETS = {
    "sounds": of_all_sounds,
    "names": of_odd_names,
    "nobody in one": of_nobody_in_one,
    "nobody": lambda: a_sheet([a_film()], {}),
    "at random": lambda: a_sheet([a_film()], drawn(a_film(), 4, 9)),
    "many": of_many,
}
QUICK = ("sounds", "names")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in SHEETS]
)
def test_every_object_is_as_pyaaf2_makes_it(name: str, tmp_path: Path) -> None:
    sheet = SHEETS[name]()
    (path,) = export(sheet, tmp_path / "cast.aaf")
    plain = one_by_one(sheet, tmp_path / "plain.aaf")
    assert objects_of(path) == objects_of(plain)
    assert streams_of(path) == streams_of(plain)
