"""Open films and read their frames, each found again by the packet that holds it.

No counter and no seek is trusted: variable frame rates, B-frames, edit lists, stamps that
wrap and seeks that land late all keep their numbers.  Frames come out as the viewer sees
them: turned, mirrored and in square pixels.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from videoclusternet.errors import VideoError
from videoclusternet.film.container import (
    Upright,
    decode,
    display_size,
    is_pictures,
    list_pictures,
    marked_packets,
    open_container,
)
from videoclusternet.film.opening.index import index_film
from videoclusternet.outside.files import exists, is_file, opened, size_of
from videoclusternet.types import Unread, VideoInfo
from videoclusternet.types.arrays import Array, UInt8

BLOCK = 1 << 20
SEEK_AFTER = 300
"""Frames between two wanted ones beyond which a seek beats decoding on."""
MOST_RATE = 10_000
"""Frames per second: with more, a damaged header says so, and all that is counted in frames to a
second would be counted for ever."""
EARLIER = (0.0, 2.0, 10.0, 60.0)
"""Seconds before the wanted place to seek to, one after another, where a seek lands late."""


def _ignore(message: object) -> None:
    """Say nothing about damage."""


def open_video(
    path: Path | str,
    on_damage: Callable[[str | Unread], None] = _ignore,
    fps: Fraction | None = None,
) -> VideoInfo:
    """Index a film, a folder or a numbered pattern of pictures.

    Parameters
    ----------
    path : Path or str
        A file; a folder of pictures; or a pattern such as ``shot_%04d.png``.
    on_damage : callable
        Told in a line when the file breaks off or its times are strange, and which frames are
        missing in it.
    fps : Fraction, optional
        Frames per second of pictures, or of a stream without time stamps.

    Returns
    -------
    VideoInfo

    Raises
    ------
    VideoError
        When the file is missing, is no film, has no picture or no decodable frame.
    """
    path = Path(path)
    if is_pictures(path):
        return _open_pictures(path, fps)
    if not exists(path):
        raise VideoError(f"no such film: {path}", "check the path")
    if not is_file(path):
        raise VideoError(f"{path} is no file", "name a film file")
    if size_of(path, VideoError) == 0:
        raise VideoError(f"{path} is empty (0 bytes)", "copy the film again")
    index = index_film(path, fps, on_damage)
    _check_rate(index.rate, path)
    with open_container(path) as container:
        stream = container.streams[index.stream]
        ratio = stream.sample_aspect_ratio or Fraction(1)
        first = next(decode(stream, container.demux(stream)), None)
    if first is None:
        raise VideoError(f"{path} cannot be decoded", "copy or export it again")
    width, height = display_size(first, ratio)
    columns = asdict(index)
    stored = f"{content_hash(path)}:{columns.pop('crc'):08x}"
    columns |= {"rate": str(index.rate), "base": str(index.base)}
    info = VideoInfo(
        path=str(path),
        content=hashlib.sha256(stored.encode()).hexdigest(),
        width=width,
        height=height,
        **columns,
    )
    return info if _keys_are_whole(info) else replace(info, key=np.zeros(info.frames, bool))


def _keys_are_whole(info: VideoInfo) -> bool:
    """Try the second key frame: intra refresh marks frames at which a picture only begins."""
    keys = np.flatnonzero(info.key)
    if len(keys) < 2 or len(keys) == info.frames:
        return True
    number_of = dict(zip(info.mark.tolist(), range(info.frames), strict=True))
    with open_container(Path(info.path)) as container:
        stream = container.streams[info.stream]
        packets = _packets_from(container, stream, info, int(keys[1]), number_of)
        first = next(decode(stream, packets), None)
        return first is not None and number_of.get(first.pts) == keys[1]


def _open_pictures(path: Path, fps: Fraction | None) -> VideoInfo:
    """Take pictures for the frames of a film."""
    files = list_pictures(path)
    if fps is None:
        raise VideoError(f"{path}: pictures have no time", "say how many a second: --fps 24")
    _check_rate(fps, path)
    first = next((f for file in files for f in _picture_frame(file)), None)
    if first is None:
        raise VideoError(f"{path}: no picture can be read", "export them again")
    width, height = display_size(first, Fraction(1))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{content_hash(file)}\n".encode(errors="surrogateescape"))
    numbers = np.arange(len(files), dtype=np.int64)
    return VideoInfo(
        path=str(path),
        content=digest.hexdigest(),
        width=width,
        height=height,
        rate=str(fps),
        base=str(1 / fps),
        end=len(files),
        timed=False,
        stream=0,
        marked="count",
        pts=numbers,
        packet=numbers.astype(np.int32),
        key=np.ones(len(files), bool),
        seek=numbers,
        mark=numbers,
    )


def _check_rate(rate: Fraction, path: Path) -> None:
    """Refuse rates that no camera has.

    Raises
    ------
    VideoError
    """
    if not 0 < rate <= MOST_RATE:
        raise VideoError(
            f"{path} has {float(rate):.6g} frames a second, more than {MOST_RATE}",
            "export it again, or give another --fps to pictures",
        )


def content_hash(path: Path) -> str:
    """Hash the size and three blocks of 1 MiB (start, middle, end) of a file."""
    size = size_of(path, VideoError)
    digest = hashlib.sha256(str(size).encode())
    with opened(path, VideoError) as stream:
        for place in (0, max(0, size // 2 - BLOCK // 2), max(0, size - BLOCK)):
            stream.seek(place)
            digest.update(stream.read(BLOCK))
    return digest.hexdigest()


class _Projector:
    """Makes pictures of the frames of a film; what it needs for each size is made once."""

    def __init__(self) -> None:
        self._scalers: dict[tuple[int, int], Any] = defaultdict(VideoReformatter)
        self._upright: dict[int, Upright] = {}

    def __call__(self, frame: Any, width: int, height: int) -> UInt8:
        # The matrix of a frame is read once for each angle: whoever has asked PyAV for it holds a
        # frame in a circle, and its pixels stay until Python looks for circles, which may be never.
        if (angle := frame.rotation) not in self._upright:
            self._upright[angle] = Upright(frame)
        upright = self._upright[angle]
        size = (height, width) if upright.swap else (width, height)
        # One thread: PyAV would start some anew for every small picture, and wait for them.
        scaled: Any = self._scalers[size].reformat(
            frame, *size, format="rgb24", interpolation="AREA", threads=1
        )
        return upright(scaled.to_ndarray())


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame; its picture is converted on demand.

    Attributes
    ----------
    number, decoded, projector
        Frame number, FFmpeg's frame, and what makes pictures of all frames of one reading.
    """

    number: int
    decoded: Any
    projector: _Projector

    def picture(self, width: int, height: int) -> UInt8:
        """Return the display picture, uint8 RGB (height, width, 3), scaled to this size."""
        return self.projector(self.decoded, width, height)


def read_frames(
    info: VideoInfo,
    frames: Sequence[int] | Array | None = None,
    on_damage: Callable[[Unread], None] = _ignore,
) -> Iterator[Frame]:
    """Decode some frames, or all, in order.

    Parameters
    ----------
    info : VideoInfo
    frames : ascending frame numbers, optional
        All frames by default.  Long gaps are skipped by seeking.
    on_damage : callable
        Told once, after the last frame, which wanted ones cannot be decoded, or only with errors.

    Yields
    ------
    Frame
        Pictures are converted only when asked for.

    Raises
    ------
    VideoError
        When the film has vanished since it was opened.
    """
    wanted = np.arange(info.frames) if frames is None else np.asarray(frames, dtype=np.int64)
    if len(wanted) == 0:
        return
    came: list[int] = []
    for frame in _read(info, wanted):
        came.append(frame.number)
        yield frame
    if len(came) < len(wanted):
        on_damage(Unread.of_frames(info, np.setdiff1d(wanted, came)))


def _read(info: VideoInfo, wanted: Array) -> Iterator[Frame]:
    path = Path(info.path)
    if is_pictures(path):
        yield from _read_pictures(info, path, wanted)
        return
    number_of = dict(zip(info.mark.tolist(), range(info.frames), strict=True))
    for run in np.split(wanted, np.flatnonzero(np.diff(wanted) > SEEK_AFTER) + 1):
        with open_container(path) as container:
            stream = container.streams[info.stream]
            packets = _packets_from(container, stream, info, info.entry(int(run[0])), number_of)
            yield from _decode_run(decode(stream, packets), number_of, run)


def _decode_run(decoded: Iterator[Any], number_of: dict[int, int], run: Array) -> Iterator[Frame]:
    """Yield the wanted frames; step over what is damaged."""
    targets, last, before = set(run.tolist()), int(run[-1]), -1
    projector = _Projector()
    for frame in decoded:
        number = number_of.get(frame.pts, -1)
        # What is damaged may come out of order; whoever reads counts on rising numbers.
        if number in targets and number > before and not frame.is_corrupt:
            before = number
            yield Frame(number, frame, projector)
        if number >= last:
            return


def _packets_from(
    container: Any, stream: Any, info: VideoInfo, entry: int, number_of: dict[int, int]
) -> Iterator[Any]:
    """Packets from that of a frame on, wherever seeks land."""
    if entry < 0 or info.packet[entry] == 0:
        yield from marked_packets(container.demux(stream), info.marked)
        return
    found = False
    for packet in _sought(container, stream, info, entry, number_of):
        # What comes before cannot be decoded, or need not be.
        found = found or packet.pts == info.mark[entry]
        if found:
            yield packet


def _sought(
    container: Any, stream: Any, info: VideoInfo, entry: int, number_of: dict[int, int]
) -> Iterator[Any]:
    """Seek to a frame's packet or before it, and see that it is so."""
    per_second = 1 / Fraction(stream.time_base)
    seekable = info.marked != "count" and info.seek[entry] >= 0
    for early in EARLIER if seekable else ():
        target = int(info.seek[entry] - early * per_second)
        try:
            container.seek(max(target, 0), stream=stream)
        except (av.FFmpegError, OSError):
            break
        held: list[Any] = []
        packets = marked_packets(container.demux(stream), info.marked, sought=True)
        for packet in packets:
            held.append(packet)
            number = number_of.get(packet.pts) if packet.size else -1
            if number is None:
                continue  # one that shows nothing: the next will tell
            if number >= 0 and info.packet[number] <= info.packet[entry]:
                return _chain(held, packets)
            break
    return _anew(info)


def _chain(held: list[Any], packets: Iterator[Any]) -> Iterator[Any]:
    yield from held
    yield from packets


def _anew(info: VideoInfo) -> Iterator[Any]:
    """All packets of the file: the way that is left where no seek lands before the place."""
    with open_container(Path(info.path)) as container:
        yield from marked_packets(container.demux(container.streams[info.stream]), info.marked)


def _read_pictures(info: VideoInfo, path: Path, wanted: Array) -> Iterator[Frame]:
    files = list_pictures(path)
    if len(files) != info.frames:
        raise VideoError(f"{path} has changed: {len(files)} pictures, not {info.frames}", "")
    for number in wanted.tolist():
        for frame in _picture_frame(files[number]):
            yield Frame(number, frame, _Projector())


def _picture_frame(path: Path) -> Iterator[Any]:
    """Yield the picture of a file, or nothing where it cannot be read."""
    try:
        with open_container(path) as container:
            stream = container.streams.video[0]
            yield from list(decode(stream, container.demux(stream)))[:1]
    except (VideoError, IndexError):
        return
