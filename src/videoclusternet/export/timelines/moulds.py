"""Objects of AAF cast again and again: as the first was written, but for a few numbers.

pyaaf2 takes .3 ms for an object.  Thousands of clips or markers differ only in where they begin
and how long they are: it writes one of each kind, and the others are cast from that.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from videoclusternet.export.timelines.compound import Storage

LENGTH, POSITION, STARTS, SAID = 0x0202, 0x0601, 0x1201, 0x5003
"""Properties by AAF's numbers: of all clips, of markers, of source clips, of tagged values."""
BYTES = {LENGTH: 8, POSITION: 8, STARTS: 8, SAID: 4}
"""Of the number with which each ends; that of a tagged value stands behind its type."""
PROPERTIES = "properties"
"""The stream of an object's properties: a head, a row for each, all values."""
Numbers = Mapping[int, int]


class Cast(NamedTuple):
    """One object of many.

    Attributes
    ----------
    model : int
        Which of the models it is like.
    numbers : mapping of int to int
        Its own, by property.
    inner : mapping of str to mapping
        Those of objects inside it, by name.
    """

    model: int
    numbers: Numbers
    inner: Mapping[str, Numbers] = {}


class Mould:
    """One object as pyaaf2 wrote it."""

    def __init__(self, model: Storage) -> None:
        stream = model.parts[PROPERTIES]
        assert isinstance(stream, bytes)
        self.model, self.stream, self.inner = model, stream, dict[str, Mould]()
        self.ends: dict[int, int] = {}
        (count,) = struct.unpack_from("<2xH", stream)
        at = 4 + 6 * count
        for number in range(count):
            which, _, size = struct.unpack_from("<HHH", stream, 4 + 6 * number)
            at += size
            self.ends[which] = at

    def cast(self, numbers: Numbers, inner: Mapping[str, Numbers]) -> Storage:
        """Return one more, with numbers of its own."""
        stream = bytearray(self.stream)
        for which, number in numbers.items():
            end, size = self.ends[which], BYTES[which]
            stream[end - size : end] = number.to_bytes(size, "little", signed=True)
        parts = {**self.model.parts, PROPERTIES: bytes(stream)}
        for name, those in inner.items():
            if name not in self.inner:
                self.inner[name] = Mould(self.model.at(name))
            parts[name] = self.inner[name].cast(those, {})
        return Storage(self.model.kind, parts)


def cast_all(row: Storage, name: str, casts: Sequence[Cast]) -> None:
    """Put many objects where a row has one of each kind.

    Parameters
    ----------
    row : Storage
        An object with a list of models.
    name : str
        Of the list.
    casts : sequence of Cast
        All that shall be in it, in order.
    """
    moulds: dict[int, Mould] = {}
    while f"{name}{{{len(moulds):x}}}" in row.parts:
        model = row.parts.pop(f"{name}{{{len(moulds):x}}}")
        assert isinstance(model, Storage)
        moulds[len(moulds)] = Mould(model)
    for place, (model_number, numbers, inner) in enumerate(casts):
        row.parts[f"{name}{{{place:x}}}"] = moulds[model_number].cast(numbers, inner)
    # How many there are, the next number, the last that is free, and the order.
    index = len(casts), len(casts), 0xFFFFFFFF, *range(len(casts))
    row.parts[f"{name} index"] = struct.pack(f"<{len(index)}I", *index)
