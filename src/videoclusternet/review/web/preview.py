"""A small copy of a film that every browser plays: H.264 in MP4, with the times of the film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from videoclusternet.errors import VideoError
from videoclusternet.events import Progress, no_progress
from videoclusternet.film.container import open_container
from videoclusternet.film.video import read_frames
from videoclusternet.runfolder.files import replacing
from videoclusternet.types import VideoInfo

WIDEST = 640
"""Longer side of a preview, px."""
CLOCK = Fraction(1, 90_000)
"""Unit of its times, s."""
OPTIONS = {"crf": "26", "preset": "veryfast", "g": "48"}
"""A key frame every other second: a click in the film is answered at once."""
EVERY = 24
"""Frames between two words about progress."""


def codecs(path: Path) -> tuple[str, str, str]:
    """Return the codec of a film's pictures, how their pixels are kept, and that of its sound.

    Raises
    ------
    VideoError
        When it cannot be opened, or has no pictures.
    """
    with open_container(path) as container:
        if not container.streams.video:
            raise VideoError(f"{path} has no pictures", "name a film file")
        stream = container.streams.video[0].codec_context
        sounds = [sound.codec_context.name for sound in container.streams.audio]
        return str(stream.name), str(stream.pix_fmt), str(sounds[0]) if sounds else ""


def write_preview(
    video: VideoInfo, where: Path, target: Path, progress: Progress = no_progress
) -> None:
    """Write the preview of a film; it is there whole or not at all.

    Parameters
    ----------
    video : VideoInfo
    where : Path
        Where the film lies now.
    target : Path
    progress : callable
        Told in frames.

    Raises
    ------
    VideoError
        When the film cannot be read.
    StoreError
        When the preview cannot be written.
    """
    scale = min(1.0, WIDEST / max(video.width, video.height))
    width, height = (max(2, round(side * scale / 2) * 2) for side in (video.width, video.height))
    with (
        replacing(target) as temporary,
        av.open(str(temporary), "w", format="mp4", options={"movflags": "faststart"}) as container,
    ):
        stream: Any = container.add_stream("libx264", rate=Fraction(video.rate))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base, stream.options = CLOCK, OPTIONS
        stream.codec_context.time_base = CLOCK
        for frame in _frames(replace(video, path=str(where)), width, height, progress):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    progress(video.frames, video.frames)


def _frames(
    video: VideoInfo, width: int, height: int, progress: Progress
) -> Iterator[av.VideoFrame]:
    times = video.times
    for frame in read_frames(video):
        if frame.number % EVERY == 0:
            progress(frame.number, video.frames)
        made = av.VideoFrame.from_ndarray(frame.picture(width, height), format="rgb24")
        made.pts, made.time_base = round(times[frame.number] / CLOCK), CLOCK
        yield made
