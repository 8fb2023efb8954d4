"""Write a copy of a film with something drawn on its pictures: their times and sound stay (PyAV).

Every picture has the time stamp that it has in the film, exactly where the copy's form can hold
it: MP4 and MOV can, Matroska rounds to milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from videoclusternet.errors import ConfigError, StoreError, VideoError
from videoclusternet.events import Progress
from videoclusternet.export.render.picture import Colours, Picture, Upright420
from videoclusternet.export.render.sound import Sound
from videoclusternet.film.container import is_pictures, open_container, reason
from videoclusternet.film.video import Frame, read_frames
from videoclusternet.runfolder.files import replacing
from videoclusternet.types import Unread, VideoInfo

FORMS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Forms of the copy, by the ending of its name."""
CODECS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "20", "bf": "0"},
    "mpeg4": {"qmin": "2", "qmax": "4"},
}
"""Encoders, the best first, and what they are told.  No picture is stored out of order: in MP4 each
would last as long as the next that is stored, not as the next that is shown."""
COARSE = 60_000
"""Ticks a second at most of codecs other than H.264: MPEG-4 Part 2 counts to 65535."""
FINE = 48_000
"""Ticks a second at least, so that sound begins where it did."""
EVERY = 24
"""Frames between two words about progress."""
Paint = Callable[[int, Picture], None]
"""Draws on the picture of a frame, given its number."""


@dataclass(frozen=True)
class Copy:
    """What becomes of a film.

    Attributes
    ----------
    video : VideoInfo
        With the path at which the film lies now.
    target : Path
    timecode : str
        Of its first picture; empty where it has none.
    painter : callable
        Given how the film keeps its colours and the size of its copy, returns what draws.
    """

    video: VideoInfo
    target: Path
    timecode: str
    painter: Callable[[Colours, int, int], Paint]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the copy, px: even, as its codec wants them."""
        return self.video.width + self.video.width % 2, self.video.height + self.video.height % 2

    def write(
        self, progress: Progress, note: Callable[[str], None], lost: Callable[[Unread], None]
    ) -> None:
        """Write it; it is there whole or not at all.

        Parameters
        ----------
        progress : callable
            Told in frames.
        note : callable
            Told what is not as one would think.
        lost : callable
            Told which frames could not be read: the one before stays for longer.

        Raises
        ------
        ConfigError
            When nothing can be written in that form, or under that name.
        VideoError
            When the film cannot be read.
        StoreError
            When the copy cannot be written.
        """
        form = form_of(self.target)
        frames = read_frames(self.video, on_damage=lost)
        first = next(frames, None)
        if first is None:
            raise VideoError(f"{self.video.path}: no frame can be read", "copy or export it again")
        with replacing(self.target) as temporary, _muxing(self.target), ExitStack() as stack:
            out: Any = stack.enter_context(_created(temporary, form, Fraction(self.video.base)))
            colours = Colours.of(first.decoded)
            stream = self._pictures(out, colours, note)
            sound = self._sound(out, form, stack, note)
            upright = Upright420(*self.size, colours)
            paint = self.painter(colours, *self.size)
            for packet in self._encoded(first, frames, stream, upright, paint, progress):
                if sound is not None:
                    sound.until(packet.dts * Fraction(packet.time_base))
                out.mux(packet)
            if sound is not None:
                sound.until(None)
        progress(self.video.frames, self.video.frames)

    def _pictures(self, out: Any, colours: Colours, note: Callable[[str], None]) -> Any:
        """Add the stream of the pictures."""
        name = next(name for name in CODECS if _can_encode(name))
        ticks = Fraction(self.video.base).denominator
        if name != "libx264":
            note(f"this PyAV has no H.264 encoder: the film is written as {name}")
            ticks = min(ticks, COARSE)
        stream = out.add_stream(name, rate=self.video.fps, options=CODECS[name])
        codec = stream.codec_context
        codec.width, codec.height = self.size
        codec.pix_fmt = "yuv420p"
        codec.thread_type = "AUTO"
        codec.time_base = stream.time_base = Fraction(1, ticks)
        codec.gop_size = max(1, round(2 * self.video.fps))
        codec.color_range = 2 if colours.full else 1
        codec.colorspace = colours.matrix
        codec.color_primaries, codec.color_trc = colours.primaries, colours.transfer
        if self.timecode:
            stream.metadata["timecode"] = self.timecode
        return stream

    def _sound(
        self, out: Any, form: str, stack: ExitStack, note: Callable[[str], None]
    ) -> Sound | None:
        path = Path(self.video.path)
        if is_pictures(path):
            return None
        film = stack.enter_context(open_container(path))
        start = Fraction(film.start_time or 0, av.time_base) if self.video.timed else Fraction(0)
        return Sound(film, out, form, start, note)

    def _encoded(
        self, first: Frame, frames: Iterator[Frame], stream: Any, upright: Upright420,
        paint: Paint, progress: Progress,
    ) -> Iterator[Any]:  # fmt: skip
        """Give the packets of the pictures; the last lasts as long as in the film."""
        video, base = self.video, Fraction(self.video.base)
        tick = stream.codec_context.time_base
        frame: Frame | None = first
        shown = 0
        while frame is not None:
            if frame.number % EVERY == 0:
                progress(frame.number, video.frames)
            picture = upright(frame)
            paint(frame.number, picture)
            made = picture.as_frame()
            shown = frame.number
            made.pts, made.time_base = round(int(video.pts[shown]) * base / tick), tick
            yield from stream.encode(made)
            frame = next(frames, None)
        last = round(int(video.pts[shown]) * base / tick)
        end = round(video.end * base / tick)
        for packet in stream.encode(None):
            if packet.pts == last:
                packet.duration = end - last
            yield packet


def form_of(target: Path) -> str:
    """Return the form of a film by the ending of its name.

    Raises
    ------
    ConfigError
        When there is none, or the name holds bytes that are no text.
    """
    try:
        str(target).encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"no film can be called {target}", "choose another name") from error
    form = FORMS.get(target.suffix.lower())
    if form is None:
        raise ConfigError(
            f"no film ends in {target.suffix or 'nothing'}: {target}",
            f"name one that ends in {', '.join(FORMS)}",
        )
    return form


def _created(path: Path, form: str, base: Fraction) -> Any:
    options = {}
    if form != "matroska":
        # What begins late does so by a number of ticks of the whole film.
        ticks = base.denominator * -(-FINE // base.denominator)
        options = {"movflags": "faststart", "movie_timescale": str(ticks)}
    return av.open(f"file:{path}", "w", format=form, options=options)


@contextmanager
def _muxing(target: Path) -> Iterator[None]:
    """Turn what FFmpeg says of a form that holds no such film into an error with a way out."""
    try:
        yield
    except av.FFmpegError as error:
        if isinstance(error, OSError):  # of the disk
            raise
        raise StoreError(
            f"FFmpeg cannot write {target}: {reason(error)}", f"try another of {', '.join(FORMS)}"
        ) from error


def _can_encode(name: str) -> bool:
    try:
        return bool(av.Codec(name, "w"))
    except ValueError:
        return False
