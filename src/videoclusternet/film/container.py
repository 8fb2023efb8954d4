"""Films as files or pictures: opened, the stream that people watch, its decoder (PyAV)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData

from videoclusternet.errors import VideoError
from videoclusternet.outside.files import exists, is_folder
from videoclusternet.outside.text import natural
from videoclusternet.types.arrays import Int64, UInt8

SUFFIXES = frozenset(
    ".bmp .dpx .exr .jpeg .jpg .jp2 .png .ppm .tga .tif .tiff .webp".split()  # noqa: SIM905
)
_NUMBER = re.compile(r"%0?(\d*)d")
STILLS = 10
"""A stream with so many times fewer pictures than another is a still that is shown again."""
NONE = np.iinfo(np.int64).min
"""An absent time stamp."""
SHARE = 1 << 10
"""Packets that may share one place of the file: a program stream packs several together."""
LISTS = frozenset(
    "applehttp avisynth concat dash dvdvideo hls imf rtp rtsp sap sdp vapoursynth vobsub "  # noqa: SIM905
    "webm_dash_manifest".split()
)
"""Formats that name other files, or addresses: a film is one file, and no other is looked at."""
OPTIONS = {
    # What a file names reaches no network, and a % in a name is no pattern.
    "protocol_whitelist": "file,crypto,data",
    "format_whitelist": ",".join(
        sorted(name for name in av.formats_available if LISTS.isdisjoint(name.split(",")))
    ),
    "pattern_type": "none",
}
_COVER = (
    av.stream.Disposition.attached_pic
    | av.stream.Disposition.still_image
    | av.stream.Disposition.timed_thumbnails
)


@dataclass
class Packets:
    """The packets of one stream in the order of the file, which is that of decoding."""

    pts: list[int] = field(default_factory=list)
    dts: list[int] = field(default_factory=list)
    pos: list[int] = field(default_factory=list)
    duration: list[int] = field(default_factory=list)
    key: list[bool] = field(default_factory=list)
    discard: list[bool] = field(default_factory=list)
    torn: list[bool] = field(default_factory=list)
    crc: int = 0

    def add(self, packet: Any) -> None:
        """Note one packet."""
        self.pts.append(NONE if packet.pts is None else packet.pts)
        self.dts.append(NONE if packet.dts is None else packet.dts)
        self.pos.append(-1 if packet.pos is None else packet.pos)
        self.duration.append(packet.duration or 0)
        self.key.append(packet.is_keyframe)
        self.discard.append(packet.is_discard)
        self.torn.append(packet.is_corrupt)
        self.crc = zlib.crc32(packet, self.crc)


@contextmanager
def open_container(path: Path) -> Iterator[Any]:
    """Open a file as a film.

    Parameters
    ----------
    path : Path
        Never taken for an address, whatever its name looks like.

    Raises
    ------
    VideoError
        When it is missing or cannot be opened.
    """
    with ExitStack() as stack:
        name: Any = f"file:{path}"
        try:
            try:
                name.encode()
            except UnicodeEncodeError:  # FFmpeg takes no such name
                name = stack.enter_context(open(path, "rb"))
            container = av.open(name, metadata_errors="ignore", options=OPTIONS)
        except FileNotFoundError as error:
            raise VideoError(f"no such film: {path}", "check the path") from error
        except (av.FFmpegError, OSError, ValueError) as error:
            raise VideoError(
                f"{path} cannot be opened as a film: {reason(error)}",
                "it may be cut off, damaged or no film at all; copy or export it again",
            ) from error
        yield stack.enter_context(container)


def reason(error: BaseException) -> str:
    """Say in a few words why FFmpeg failed."""
    return str(getattr(error, "strerror", None) or error)


def picture_streams(container: Any, path: Path) -> list[Any]:
    """Return the video streams that are no cover, still or attachment.

    Raises
    ------
    VideoError
        When there is none.
    """
    streams = [s for s in container.streams.video if not s.disposition & _COVER]
    if streams and not any(s.codec_context for s in streams):
        raise VideoError(f"{path} cannot be decoded: its codec is unknown", "export it again")
    streams = [s for s in streams if s.codec_context]
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise VideoError(f"{path} has no picture, only {kinds}", "name a film with a video track")
    return streams


def collect_packets(container: Any, path: Path) -> tuple[dict[int, Packets], float, str]:
    """Collect the packets of all that may be the film.

    Returns
    -------
    dict of Packets
        By index of the stream.
    float
        How far any stream reaches, s.
    str
        Why reading ended before the end; empty where it did not.
    """
    found = {s.index: Packets() for s in picture_streams(container, path)}
    reached, broken = 0.0, ""
    try:
        for packet in container.demux():
            if packet.size == 0 or _is_header(packet):
                continue
            if packet.stream_index in found:
                found[packet.stream_index].add(packet)
            if packet.pts is not None and packet.time_base:
                ends = (packet.pts + (packet.duration or 0)) * packet.time_base
                reached = max(reached, float(ends))
    except (av.FFmpegError, OSError) as error:
        broken = reason(error)
    return found, reached, broken


def _is_header(packet: Any) -> bool:
    """Whether a packet of Theora holds no picture: where films are joined, headers come again."""
    context = packet.stream.codec_context
    return bool(context and context.name == "theora" and bytes(packet)[0] & 0x80)


def watched(streams: list[Any], packets: dict[int, int]) -> Any:
    """Choose what a player shows: the default stream, else the largest that moves.

    Parameters
    ----------
    streams : list of streams
    packets : dict
        Number of packets by index of the stream.  A few beside many are stills.
    """
    least = max(2, max(packets.values(), default=0) // STILLS)
    moving = [s for s in streams if packets.get(s.index, 0) >= least] or streams
    default = [s for s in moving if s.disposition & av.stream.Disposition.default]
    return max(default or moving, key=lambda s: (_area(s), -s.index))


def _area(stream: Any) -> int:
    codec = stream.codec_context
    return int(codec.width * codec.height) if codec else 0


def decode(stream: Any, packets: Iterator[Any]) -> Iterator[Any]:
    """Decode packet by packet, so that one broken packet costs only its own frames.

    Parameters
    ----------
    stream : video stream
    packets : iterator of packets
        The time stamp of each is found again in its frame.
    """
    # Threads of the Theora decoder take no headers but the first: those of a joined film.
    stream.thread_type = "NONE" if stream.codec_context.name == "theora" else "AUTO"
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError, OSError):
            return  # a broken file; after a broken packet the demuxer goes on
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        yield from frames


def marks_of(pos: Int64, pts: Int64, dts: Int64) -> tuple[Int64, str]:
    """Find what tells a packet from all others after a seek: its place in the file, or a stamp."""
    if len(pos) and pos[0] >= 0:
        place = pos[np.maximum.accumulate(np.where(pos >= 0, np.arange(len(pos)), 0))]
        begin = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
        nth = np.arange(len(pos)) - np.repeat(begin, np.diff(np.append(begin, len(pos))))
        values = place * SHARE + nth
        if nth.max() < SHARE and len(np.unique(values)) == len(values):
            return values, "pos" if not nth.any() else "shared pos"
    for kind, values in (("pts", pts), ("dts", dts)):
        if (values != NONE).all() and len(np.unique(values)) == len(values):
            return values, kind
    return np.arange(len(pos), dtype=np.int64), "count"


def marked_packets(packets: Iterator[Any], marked: str, sought: bool = False) -> Iterator[Any]:
    """Write each packet's mark in place of its time stamp, which its frame will carry.

    Parameters
    ----------
    packets : iterator of packets
    marked : str
        As in :class:`VideoInfo`.
    sought : bool
        The packets follow a seek: of the first that share a place, some may have been passed
        over, so they are left out.
    """
    place, nth, groups = -1, 0, 0
    for number, packet in enumerate(packets):
        if packet.size and marked in ("pos", "shared pos"):
            pos = place if packet.pos is None or packet.pos < 0 else packet.pos
            place, nth, groups = (pos, 0, groups + 1) if pos != place else (pos, nth + 1, groups)
            if sought and marked == "shared pos" and groups < 2:
                continue
            packet.pts = place * SHARE + nth
        elif packet.size:
            packet.pts = number if marked == "count" else getattr(packet, marked)
        yield packet


class Upright:
    """How a decoded frame has to be turned and mirrored to be seen as a player shows it.

    One of eight: ``swap`` exchanges rows and columns, then each axis may be mirrored.

    Parameters
    ----------
    frame : av.VideoFrame
        Its display matrix maps (x, y) to (a x + c y, b x + d y).
    """

    def __init__(self, frame: Any) -> None:
        a, b, c, d = _matrix(frame)
        self.swap = abs(b) + abs(c) > abs(a) + abs(d)
        self.mirror_x = (c if self.swap else a) < 0
        self.mirror_y = (b if self.swap else d) < 0

    def __call__(self, picture: UInt8) -> UInt8:
        """Turn a picture, uint8 (H, W, 3), or one plane of it, (H, W)."""
        if self.swap:
            picture = picture.swapaxes(0, 1)
        if self.mirror_x:
            picture = picture[:, ::-1]
        return np.ascontiguousarray(picture[::-1] if self.mirror_y else picture)


def display_size(frame: Any, ratio: Fraction) -> tuple[int, int]:
    """Width and height in square pixels, as the viewer sees them."""
    width = max(1, round(frame.width * (Fraction(ratio) if ratio > 0 else 1)))
    return (frame.height, width) if Upright(frame).swap else (width, frame.height)


def _matrix(frame: Any) -> tuple[int, int, int, int]:
    # Looked up by its kind, a Ctrl-C in between would be lost: PyAV drops what the hash raises.
    data = next((d for d in frame.side_data if d.type is SideData.DISPLAYMATRIX), None)
    if data is None:
        return 1, 0, 0, 1
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    return a, b, c, d


def is_pictures(path: Path) -> bool:
    """Whether a path names many pictures: a folder, or a pattern that is no file itself."""
    return is_folder(path) or bool(_NUMBER.search(path.name) and not exists(path))


def list_pictures(path: Path) -> list[Path]:
    """List pictures in the order of the numbers in their names.

    Parameters
    ----------
    path : Path
        A folder; or a pattern with one number, such as ``shot_%04d.png``.

    Returns
    -------
    list of Path
        In a folder: all files that end like a picture; ``2.png`` comes before ``10.png``.

    Raises
    ------
    VideoError
        When there is none, or a number of the pattern is missing.
    """
    if path.is_dir():
        files = [f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file()]
        if not files:
            raise VideoError(f"{path} is a folder without pictures", "name a film file")
        return sorted(files, key=lambda file: natural(file.name))
    return _numbered(path)


def _numbered(path: Path) -> list[Path]:
    """Files of a pattern; their numbers must follow each other."""
    match = _NUMBER.search(path.name)
    assert match is not None
    before, after = path.name[: match.start()], path.name[match.end() :]
    digits = int(match.group(1) or 1)
    form = re.compile(rf"{re.escape(before)}(\d{{{digits},}}){re.escape(after)}")
    folder = path.parent
    found = {
        int(m.group(1)): f
        for f in (folder.iterdir() if folder.is_dir() else ())
        if (m := form.fullmatch(f.name)) and f.is_file()
    }
    if not found:
        raise VideoError(f"no picture fits {path}", "check the path and the number's digits")
    first, last = min(found), max(found)
    missing = [n for n in range(first, last + 1) if n not in found]
    if missing:
        raise VideoError(
            f"{path}: number {missing[0]} is missing between {first} and {last}"
            + (f", and {len(missing) - 1} more" if len(missing) > 1 else ""),
            "bring the missing pictures, or name the folder to take them as they come",
        )
    return [found[n] for n in sorted(found)]
