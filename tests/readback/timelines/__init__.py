"""Timelines, by OpenTimelineIO and its adapters; by small readers where those fall short."""

from __future__ import annotations

from tests.readback.reader import Reader
from tests.readback.timelines import aaf, ale, edl, fcp7, fcpxml, otio
from tests.readback.timelines.expected import as_it_is, in_one_line

READERS = {
    "otio": Reader(otio.read, as_it_is),
    "edl": Reader(edl.read, edl.expect),
    "fcpxml": Reader(fcpxml.read, fcpxml.expect),
    "fcp7": Reader(fcp7.read, in_one_line),
    "ale": Reader(ale.read, ale.expect),
    "aaf": Reader(aaf.read, aaf.expect, slow=True),
}
