"""The index of a film: which frames there are, in which order, and when each is shown.

One pass over the packets of the file.  Time stamps are taken as they are where they tell an
order; where they are missing, repeated or of no use (raw streams, AVI with B-frames), the
order is asked of the decoder.  Stamps that wrap or begin anew are counted on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

from videoclusternet.errors import VideoError
from videoclusternet.film.container import (
    NONE,
    Packets,
    collect_packets,
    decode,
    marked_packets,
    marks_of,
    open_container,
    picture_streams,
    watched,
)
from videoclusternet.film.opening.completeness import say_broken, say_joined
from videoclusternet.types import Unread
from videoclusternet.types.arrays import Bools, Int32, Int64

GAP = 10.0
"""Seconds without a picture that are worth a word."""
REORDER = 16
"""Frames that a codec may hold back at most to put them in order."""
WRAP = 1 << 33
"""Time stamps of transport and program streams have 33 bits."""
AGREE = 0.015
"""Rates that differ by less are one."""
_NO_TIMES = 0x80
"""AVFMT_NOTIMESTAMPS: stamps of raw streams are guesses of the reader."""

Tell = Callable[[str | Unread], None]


@dataclass(frozen=True)
class Index:
    """Frames in display order; the attributes are those of :class:`VideoInfo`."""

    stream: int
    rate: Fraction
    base: Fraction
    pts: Int64
    end: int
    timed: bool
    packet: Int32
    key: Bools
    seek: Int64
    mark: Int64
    marked: str
    crc: int


def index_film(path: Path, fps: Fraction | None, tell: Tell) -> Index:
    """Index a film.

    Parameters
    ----------
    path : Path
    fps : Fraction, optional
        Frames per second of a stream that has no time stamps.
    tell : callable
        Told in one line what is strange, once that the film breaks off, and which frames are
        missing in between.

    Raises
    ------
    VideoError
        When the file holds no frame, or a rate is given though it has its own.
    """
    with open_container(path) as container:
        found, reached, broken = collect_packets(container, path)
        streams = picture_streams(container, path)
        stream = watched(streams, {i: len(p.pts) for i, p in found.items()})
        packets = found[stream.index]
        if not packets.pts:
            raise VideoError(f"{path} holds no frame", "copy or export it again")
        say_broken(container, stream, len(packets.pts), reached, broken, path, tell)
        return _order(container, stream, packets, path, fps, tell)


@dataclass(frozen=True)
class _Shown:
    """Frames in display order: their packets (F,), when each begins (F,) and the last ends."""

    order: Int64
    stamps: Int64
    end: int
    base: Fraction
    rate: Fraction
    restarts: list[int]


def _order(
    container: Any, stream: Any, packets: Packets, path: Path, fps: Fraction | None, tell: Tell
) -> Index:
    pts, dts = np.array(packets.pts, np.int64), np.array(packets.dts, np.int64)
    mark, marked = marks_of(np.array(packets.pos, np.int64), pts, dts)
    clock = _clock(pts, dts)
    guessed = bool(container.format.flags & _NO_TIMES)
    timed = bool((clock != NONE).all()) and not (fps and guessed)
    if fps and timed:
        raise VideoError(
            f"{path} has its own time stamps",
            "leave out the frame rate: it is for pictures and streams without time",
        )
    discard = np.array(packets.discard, bool)
    if discard.all():
        raise VideoError(f"{path} shows no frame: its edit list hides all", "export it again")
    if _stamps_tell(container, stream, pts[~discard], dts[~discard]):
        shown = _by_stamps(stream, packets, pts, clock, ~discard)
    else:
        order = _decoded_order(path, stream.index, mark, marked)
        if not len(order):
            raise VideoError(f"{path} cannot be decoded", "copy or export it again")
        if timed:
            shown = _on_clock(stream, order, clock)
        else:
            shown = _at_rate(order, fps or _given_rate(stream))
    say_joined(path, 1 + len(shown.restarts), tell)
    zero = _zero(container, int(shown.stamps[0]), shown.base) if timed else 0
    _say_torn(np.array(packets.torn)[shown.order], shown, zero, path, tell)
    numbered = container.format.name == "ogg"
    _say_gaps(shown, zero, np.array(packets.duration)[shown.order], numbered, path, tell)
    return Index(
        stream=stream.index,
        rate=shown.rate,
        base=shown.base,
        pts=shown.stamps - zero,
        end=shown.end - zero,
        timed=timed,
        packet=shown.order.astype(np.int32),
        key=np.array(packets.key, bool)[shown.order],
        seek=np.where(dts != NONE, dts, np.where(pts != NONE, pts, -1))[shown.order],
        mark=mark[shown.order],
        marked=marked,
        crc=packets.crc,
    )


def _clock(pts: Int64, dts: Int64) -> Int64:
    """Return stamps that rise from packet to packet, so that a new beginning shows.

    Stamps of decoding, where most are there: Matroska has none for the first few packets of a
    film with frames out of order; those are counted back from the next.
    """
    there = np.flatnonzero(dts != NONE)
    if len(there) == len(dts) or len(there) < len(dts) / 2:
        return dts if len(there) == len(dts) else pts
    step = np.diff(dts[there]) / np.diff(there)
    usual = int(np.median(step[step > 0])) if (step > 0).any() else 1
    rows = np.arange(len(dts))
    next_one = there[np.minimum(np.searchsorted(there, rows), len(there) - 1)]
    return np.where(dts != NONE, dts, dts[next_one] + (rows - next_one) * usual)


def _by_stamps(stream: Any, packets: Packets, pts: Int64, clock: Int64, kept: Bools) -> _Shown:
    """Order frames by their presentation stamps."""
    base = _base(stream)
    segment, time, restarts = _count_on(pts, clock, base)
    order = np.lexsort((time, segment))
    order = order[kept[order]]
    stamps = _rising(time[order])
    rate = _rate(stream, stamps, base)
    last, frame = int(stamps[-1]), max(1, round(1 / rate / base))
    # What a file of joined ones says of a length is that of its first.
    end = last + frame if restarts else _end(stream, last, packets.duration[order[-1]] or frame)
    return _Shown(order, stamps, end, base, rate, restarts)


def _on_clock(stream: Any, order: Int64, clock: Int64) -> _Shown:
    """Give frames in the order of the decoder the times of the file's clock, one after another."""
    base = _base(stream)
    _, time, restarts = _count_on(clock, clock, base)
    stamps = _rising(np.sort(time[order]))
    rate = _rate(stream, stamps, base)
    end = int(stamps[-1]) + max(1, round(1 / rate / base))
    return _Shown(order, stamps, end, base, rate, restarts)


def _at_rate(order: Int64, rate: Fraction) -> _Shown:
    """Show frames that have no time at a steady rate."""
    return _Shown(order, np.arange(len(order)), len(order), 1 / rate, rate, [])


def _base(stream: Any) -> Fraction:
    return Fraction(stream.time_base or Fraction(1, 1000))


def _stamps_tell(container: Any, stream: Any, pts: Int64, dts: Int64) -> bool:
    """Whether presentation stamps give the order: they are there, and the file keeps them.

    Some MXF and ASF files call the stamps of decoding those of presentation: they never fall,
    although the codec puts frames in another order.
    """
    if (pts == NONE).any():
        return False
    guessed = container.format.name == "avi" or container.format.flags & _NO_TIMES
    copied = len(pts) > 2 and not ((np.diff(pts) < 0) & (np.diff(dts) >= 0)).any()
    return not ((guessed or copied) and stream.codec_context.has_b_frames)


def _decoded_order(path: Path, stream: int, mark: Int64, marked: str) -> Int64:
    """Packets in the order in which the decoder shows them, without filters that cost time."""
    place = {int(value): n for n, value in enumerate(mark)}
    with open_container(path) as container:
        chosen = container.streams[stream]
        chosen.codec_context.options = {"skip_loop_filter": "all", "skip_idct": "all"}
        frames = decode(chosen, marked_packets(container.demux(chosen), marked))
        shown = [place[f.pts] for f in frames if f.pts in place]
    return np.array(list(dict.fromkeys(shown)), dtype=np.int64)


def _count_on(pts: Int64, clock: Int64, base: Fraction) -> tuple[Int64, Int64, list[int]]:
    """Count stamps on where they wrap or begin anew.

    Returns
    -------
    segment : int64, shape (P,)
        Rises by one wherever stamps begin anew.
    time : int64, shape (P,)
        Presentation stamps that go on.
    restarts : list of int
        Packets at which they began anew.
    """
    step = np.diff(clock)
    usual = int(np.median(step[step > 0])) if (step > 0).any() else 1
    # Decoding stamps rise; presentation stamps fall back by what the codec reorders.
    slack = usual * (REORDER if clock is pts else 2)
    segment, time = np.zeros(len(pts), np.int64), pts.copy()
    restarts: list[int] = []
    for n in np.flatnonzero(step < -slack) + 1:
        if base == Fraction(1, 90000) and -step[n - 1] > WRAP // 2:
            time[n:] += WRAP
        else:
            segment[n:] += 1
            restarts.append(int(n))
    for begin, stop in pairwise([*restarts, len(pts)]):
        # What is shown last may be stored before what is shown first of the next.
        time[begin:] += time[:begin].max() + usual - time[begin:stop].min()
    return segment, time, restarts


def _rising(stamps: Int64) -> Int64:
    """Make stamps rise strictly: frames of one stamp follow each other by a tick."""
    steps = np.arange(len(stamps), dtype=np.int64)
    return np.asarray(np.maximum.accumulate(stamps - steps) + steps)


def _given_rate(stream: Any) -> Fraction:
    return Fraction(stream.guessed_rate or stream.base_rate or stream.average_rate or 25)


def _rate(stream: Any, stamps: Int64, base: Fraction) -> Fraction:
    """Frames per second: what the file says where its stamps agree, else what they say."""
    if len(stamps) < 2:
        return _given_rate(stream)
    whole = (len(stamps) - 1) / (int(stamps[-1] - stamps[0]) * base)
    usual = 1 / (Fraction(round(float(np.median(np.diff(stamps))))) * base)
    for seen in (whole, usual):
        for said in (stream.average_rate, stream.guessed_rate, stream.base_rate):
            if said and abs(said / seen - 1) <= AGREE:
                return Fraction(said)
    return whole.limit_denominator(1001)


def _zero(container: Any, first: int, base: Fraction) -> int:
    """Find the stamp that players call 0: the film's start, where sound may come first."""
    if container.start_time is None:
        return first
    start = Fraction(container.start_time, av.time_base) / base
    return min(first, round(start)) if abs(first - start) >= 1 else first


def _end(stream: Any, last: int, duration: int) -> int:
    """Return when the last frame ends, in ticks: not after its stream."""
    end = last + duration
    if stream.duration and stream.start_time is not None:
        end = min(end, int(stream.start_time + stream.duration))
    return max(end, last + 1)


def _say_torn(torn: Bools, shown: _Shown, zero: int, path: Path, tell: Tell) -> None:
    """Say that parts of packets are missing by the stream's own count; torn is bool (F,).

    Their frames are read all the same: where files were joined, the count begins anew and
    nothing is missing; but no decoder says what it made up.
    """
    # The reader is a few packets ahead of the one that it calls incomplete.
    begun = np.isin(shown.order, [n + k for n in shown.restarts for k in range(-3, 1)])
    found = np.flatnonzero(torn & ~begun)
    if len(found):
        at = float((shown.stamps[found[0]] - zero) * shown.base)
        what = "1 picture" if len(found) == 1 else f"{len(found)} pictures"
        first = "at" if len(found) == 1 else "the first at"
        tell(f"{path.name}: {what} may be incomplete, {first} {at:.1f} s")


def _say_gaps(
    shown: _Shown, zero: int, duration: Int64, numbered: bool, path: Path, tell: Tell
) -> None:
    """Say where time stamps begin anew, and where no picture is shown for long."""
    stamps, base, order, restarts = shown.stamps, shown.base, shown.order, shown.restarts
    if restarts:
        place = np.argsort(order)[np.searchsorted(np.sort(order), restarts[0])]
        at = float((stamps[place] - stamps[0]) * base)
        tell(
            f"{path.name}: time stamps begin anew after {at:.1f} s"
            + (f" and {len(restarts) - 1} more times" if len(restarts) > 1 else "")
            + "; counted on from there"
        )
    times, lasts = (stamps - zero) * float(base), duration * float(base)
    tell(Unread.between(times, lasts, GAP, numbered))
    gaps = np.diff(times)
    wide = np.flatnonzero((gaps > GAP) & (gaps > 1.5 * lasts[:-1]))
    if len(wide):
        longest = wide[np.argmax(gaps[wide])]
        at = float(times[longest] - times[0])
        tell(
            f"{path.name}: no pictures for {gaps[longest]:.0f} s after {at:.1f} s"
            + (f", and at {len(wide) - 1} other places" if len(wide) > 1 else "")
        )
