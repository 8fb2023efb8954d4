"""Open films and read their frames by exact presentation time (the only user of PyAV).

A frame is identified by its time stamp, never by a counter: variable frame rates,
B-frames, edit lists and seeks all keep their numbers.  Frames come out as the viewer
sees them: rotation and sample aspect ratio applied, square pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from videoclusternet.errors import VideoError
from videoclusternet.types import VideoInfo
from videoclusternet.types.arrays import Array

BLOCK = 1 << 20
SEEK_AFTER = 300
"""Frames between two wanted ones beyond which a seek beats decoding on."""
CUT_OFF = 2.0
"""Seconds that the pictures may end before the film does by its header."""

Damage = Callable[[str], None]
"""Told in one line when a film ends early or a part of it cannot be decoded."""


def _ignore(message: str) -> None:
    """Say nothing about damage."""


def open_video(path: Path | str, on_damage: Damage = _ignore) -> VideoInfo:
    """Index a film without decoding it, but for one frame.

    Parameters
    ----------
    path : Path or str
    on_damage : callable
        Told when the file breaks off.

    Returns
    -------
    VideoInfo
        With the time stamp of every frame.

    Raises
    ------
    VideoError
        When the file is missing, is no film, has no picture or no decodable frame.
    """
    path = Path(path)
    if not path.exists():
        raise VideoError(f"no such film: {path}", "check the path")
    if path.is_dir():
        raise VideoError(f"{path} is a folder", "name a film file")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes)", "copy the film again")
    with _open(path) as container:
        stream = _picture_stream(container, path)
        stamps = _time_stamps(container, stream, path, on_damage)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        base = stream.time_base or Fraction(1, 1000)
        promised = (container.duration or 0) / av.time_base
        length = float((stamps[-1] - stamps[0]) * base)
        if promised - length > CUT_OFF:
            on_damage(
                f"{path.name} breaks off: pictures for {length:.0f} of {promised:.0f} s; "
                "using what is there"
            )
        ratio = stream.sample_aspect_ratio or Fraction(1)
    width, height = _display_size(_first_frame(path), ratio)
    return VideoInfo(
        path=str(path),
        content=content_hash(path),
        width=width,
        height=height,
        rate=str(Fraction(rate)),
        base=str(Fraction(base)),
        pts=np.array(stamps, dtype=np.int64),
    )


def content_hash(path: Path) -> str:
    """Hash the size and three blocks of 1 MiB (start, middle, end) of a file."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with open(path, "rb") as stream:
        for place in (0, max(0, size // 2 - BLOCK // 2), max(0, size - BLOCK)):
            stream.seek(place)
            digest.update(stream.read(BLOCK))
    return digest.hexdigest()


def read_frames(
    info: VideoInfo,
    frames: Sequence[int] | Array | None = None,
    on_damage: Damage = _ignore,
) -> Iterator[Frame]:
    """Decode some frames, or all, in order.

    Parameters
    ----------
    info : VideoInfo
    frames : ascending frame numbers, optional
        All frames by default.  Long gaps are skipped by seeking.
    on_damage : callable
        Told when the film ends before the last wanted frame.

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
    with _open(Path(info.path)) as container:
        stream = _picture_stream(container, Path(info.path))
        stream.thread_type = "AUTO"
        done = 0
        for run in np.split(wanted, np.flatnonzero(np.diff(wanted) > SEEK_AFTER) + 1):
            if run[0] > 0:
                container.seek(int(info.pts[run[0]]), stream=stream)
            for frame in _decode_run(container, stream, info, run):
                done += 1
                yield frame
    if done < len(wanted):
        on_damage(
            f"{Path(info.path).name}: {len(wanted) - done} of {len(wanted)} frames "
            "could not be decoded; going on without them"
        )


class Frame:
    """One decoded frame; its picture is converted on demand.

    Attributes
    ----------
    number : int
        Frame number.
    """

    def __init__(self, number: int, frame: Any) -> None:
        self.number = number
        self._frame = frame

    def picture(self, width: int, height: int) -> Array:
        """Return the display picture, uint8 RGB (height, width, 3), scaled to this size."""
        turned = _quarter_turns(self._frame)
        size = (height, width) if turned % 2 else (width, height)
        # One thread: PyAV would start some anew for every small picture, and wait for them.
        rgb = self._frame.reformat(
            width=size[0], height=size[1], format="rgb24", interpolation="AREA", threads=1
        ).to_ndarray()
        return np.ascontiguousarray(np.rot90(rgb, turned)) if turned else np.asarray(rgb)


def _open(path: Path) -> Any:
    try:
        return av.open(str(path), metadata_errors="ignore")
    except FileNotFoundError as error:
        raise VideoError(f"no such film: {path}", "check the path") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{path} cannot be opened as a film: {_reason(error)}",
            "it may be cut off, damaged or no film at all; copy or export it again",
        ) from error


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)


def _picture_stream(container: Any, path: Path) -> Any:
    pictures = [
        s
        for s in container.streams.video
        if not (s.disposition & av.stream.Disposition.attached_pic)
    ]
    if not pictures:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise VideoError(f"{path} has no picture, only {kinds}", "name a film with a video track")
    return pictures[0]


def _time_stamps(container: Any, stream: Any, path: Path, on_damage: Damage) -> list[int]:
    """Collect the time stamps of all packets that carry a shown frame."""
    stamps: set[int] = set()
    missing = 0
    try:
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:
                continue
            if packet.pts is None:
                missing += 1
            else:
                stamps.add(packet.pts)
    except (av.FFmpegError, OSError) as error:
        on_damage(f"{path.name} breaks off: {_reason(error)}; using what is there")
    if missing and missing > len(stamps):
        return _decoded_stamps(path)
    if not stamps:
        raise VideoError(f"{path} holds no frame", "copy or export it again")
    return sorted(stamps)


def _decoded_stamps(path: Path) -> list[int]:
    """Collect time stamps by decoding: for containers whose packets carry none."""
    stamps: list[int] = []
    with _open(path) as container:
        try:
            stamps += [f.pts for f in container.decode(video=0) if f.pts is not None]
        except (av.FFmpegError, OSError):
            if not stamps:
                raise VideoError(f"{path} cannot be decoded", "export it again") from None
    return sorted(set(stamps))


def _first_frame(path: Path) -> Any:
    with _open(path) as container:
        stream = _picture_stream(container, path)
        for frame in _decode(container, stream):
            return frame
    raise VideoError(f"{path} cannot be decoded", "copy or export it again")


def _quarter_turns(frame: Any) -> int:
    """Quarter turns counter-clockwise that bring a decoded frame upright."""
    turns: int = round(frame.rotation / 90)
    return turns % 4


def _display_size(frame: Any, ratio: Fraction) -> tuple[int, int]:
    """Width and height in square pixels, as the viewer sees them."""
    width = max(1, round(frame.width * (Fraction(ratio) if ratio > 0 else 1)))
    return (frame.height, width) if _quarter_turns(frame) % 2 else (width, frame.height)


def _decode_run(container: Any, stream: Any, info: VideoInfo, wanted: Array) -> Iterator[Frame]:
    """Decode on from here and yield the wanted frames; step over what is damaged."""
    last = int(info.pts[wanted[-1]])
    targets = {int(info.pts[n]): int(n) for n in wanted}
    for frame in _decode(container, stream):
        number = targets.get(frame.pts) if frame.pts is not None else None
        if number is not None:
            yield Frame(number, frame)
        if frame.pts is not None and frame.pts >= last:
            return


def _decode(container: Any, stream: Any) -> Iterator[Any]:
    """Decode packet by packet, so that one broken packet costs only its own frames."""
    packets = container.demux(stream)
    while True:
        try:
            frames = next(packets).decode()
        except StopIteration:
            return
        except av.error.InvalidDataError:
            # A generator that raised is finished: a broken *packet* raises in decode()
            # and the demuxer lives on, a broken *file* ends here with StopIteration.
            continue
        except (av.FFmpegError, OSError):
            return
        yield from frames
