"""The sound of a film for its copy: as it is where the copy's form takes it, else as AAC (PyAV)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av

COPIED = {
    "mp4": frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"}),
    "mov": frozenset(
        {"aac", "ac3", "alac", "eac3", "mp3"}
        | {
            f"pcm_{kind}{end}"
            for kind in ("s16", "s24", "s32", "f32", "f64")
            for end in ("le", "be")
        }
    ),
}
"""Sounds that are copied into a form: those that players of it play.  Matroska takes what FFmpeg
lets in."""
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Samples a second that AAC knows."""
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1(wide)"}
"""How AAC lays out so many channels; all others become two."""
EACH = 64_000
"""Bits a second of every channel."""
BACK = Fraction(1)
"""Seconds by which stamps fall back where files were joined, and begin anew."""


class _Track:
    """One sound on its way into the copy.

    Parameters
    ----------
    made : stream
        Of the copy.
    zero : Fraction
        What the film calls 0, s.
    copied : bool
        Whether its packets stay as they are.
    hides : bool
        Whether the copy can hold sound before its beginning, for decoders to start with.
    """

    def __init__(self, made: Any, zero: Fraction, copied: bool, hides: bool) -> None:
        self._made, self._zero, self._copied, self._hides = made, zero, copied, hides
        self._last: Fraction | None = None
        self._end = Fraction(0)
        self._resamplers: dict[tuple[Any, ...], Any] = {}

    def take(self, packet: Any) -> Iterator[tuple[Fraction, Any]]:
        """Give what becomes of a packet, with its time in the copy, s."""
        if not self._copied:
            yield from self._encoded(packet)
        elif packet.is_discard and not self._hides:
            return
        elif (stamp := packet.dts if packet.pts is None else packet.pts) is not None:
            base = Fraction(packet.time_base)
            # Sound is never stored out of order; a form with one time for a packet keeps the other.
            packet.pts = packet.dts = stamp - self._shift(stamp, base)
            if self._rises(packet.pts * base, (packet.duration or 0) * base):
                packet.stream = self._made
                yield packet.pts * base, packet

    def _encoded(self, packet: Any) -> Iterator[tuple[Fraction, Any]]:
        try:
            frames = packet.decode()
        except av.FFmpegError:  # a damaged packet costs its own sound
            return
        for frame in frames:
            if frame.pts is None:
                continue
            base = Fraction(frame.time_base)
            frame.pts -= self._shift(frame.pts, base)
            start = frame.pts * base
            if self._rises(start, Fraction(frame.samples, frame.sample_rate)):
                for even in self._resampler(frame).resample(frame):
                    yield from ((start, made) for made in self._made.encode(even))

    def _resampler(self, frame: Any) -> Any:
        """Return what brings a frame into the one form of the copy: broadcasts change theirs."""
        key = (frame.format.name, frame.layout.name, frame.sample_rate)
        if key not in self._resamplers:
            codec = self._made.codec_context
            self._resamplers[key] = av.AudioResampler(codec.format, codec.layout, codec.sample_rate)
        return self._resamplers[key]

    def rest(self) -> Iterator[Any]:
        """Give what the encoder holds back."""
        if self._resamplers:
            yield from self._made.encode(None)

    def _shift(self, stamp: int, base: Fraction) -> int:
        """Return what to take off a stamp; where stamps begin anew, sound goes on."""
        if self._last is not None and stamp * base - self._zero < self._last - BACK:
            self._zero = stamp * base - self._end
        return round(self._zero / base)

    def _rises(self, start: Fraction, lasts: Fraction) -> bool:
        """Whether it comes after all before: what damage puts elsewhere is left out."""
        if self._last is not None and start <= self._last:
            return False
        self._last, self._end = start, start + lasts
        return True


class Sound:
    """All sounds of a film, given to its copy up to the time that its pictures have reached.

    Parameters
    ----------
    film : container
        Read by nobody else.
    copy : container
    form : str
        Of the copy: ``mp4``, ``mov``, ``matroska``.
    zero : Fraction
        What the film calls 0, s.
    note : callable
        Told what is not kept as it is.
    """

    def __init__(
        self, film: Any, copy: Any, form: str, zero: Fraction, note: Callable[[str], None]
    ) -> None:
        self._copy = copy
        takes = COPIED.get(form) or copy.supported_codecs
        self._tracks: dict[int, _Track] = {}
        for stream in film.streams.audio:
            if stream.codec_context is None:
                note("a sound was left out: its codec is unknown")
                continue
            made, copied = _added(copy, stream, takes)
            if not copied:
                note(f"sound as AAC: {form} takes no {stream.codec_context.codec.name}")
            if language := stream.metadata.get("language"):
                made.metadata["language"] = language
            self._tracks[stream.index] = _Track(made, zero, copied, form != "matroska")
        self._packets = self._read(film)
        self._next = next(self._packets, None)

    def until(self, seconds: Fraction | None) -> None:
        """Write all sound before a time of the copy; all that is left for None."""
        while self._next is not None and (seconds is None or self._next[0] <= seconds):
            self._copy.mux(self._next[1])
            self._next = next(self._packets, None)
        if seconds is None:
            for track in self._tracks.values():
                for packet in track.rest():
                    self._copy.mux(packet)

    def _read(self, film: Any) -> Iterator[tuple[Fraction, Any]]:
        if not self._tracks:
            return
        packets = film.demux([film.streams[index] for index in self._tracks])
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError, OSError):
                return  # what is broken off, its pictures say
            yield from self._tracks[packet.stream.index].take(packet)


def _added(copy: Any, stream: Any, takes: frozenset[str]) -> tuple[Any, bool]:
    """Add a stream for a sound; tell whether it is copied."""
    codec = stream.codec_context
    if codec.codec.canonical_name in takes:
        return copy.add_stream_from_template(stream), True
    rate = codec.sample_rate if codec.sample_rate in RATES else 48000
    made = copy.add_stream("aac", rate=rate)
    channels = codec.channels if codec.channels in LAYOUTS else 2
    made.codec_context.bit_rate = EACH * channels
    made.codec_context.layout = LAYOUTS[channels]
    return made, False
