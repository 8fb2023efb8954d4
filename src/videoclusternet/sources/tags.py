"""What a film's file says of itself: start timecode, reel, sound (PyAV)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import av

from videoclusternet.errors import VideoError
from videoclusternet.film.container import is_pictures, open_container
from videoclusternet.types.clock import Tags
from videoclusternet.types.film import VideoInfo

TIMECODES = ("timecode", "TIMECODE", "time_code")
REELS = ("reel_name", "REEL_NAME", "reel", "com.apple.proapps.reel", "material_package_name")
LONGEST = 200
"""Letters of a name that are kept: a file may say anything."""


def read_tags(video: VideoInfo) -> Tags:
    """Read what the file of a film says of itself: MP4 and MOV (tmcd track), MXF, MKV, AVI, DV.

    Parameters
    ----------
    video : VideoInfo

    Returns
    -------
    Tags
        Empty for pictures, and where the file says nothing.
    """
    path = Path(video.path)
    if is_pictures(path):
        return Tags()
    try:
        with open_container(path) as container:
            said = list(_said(container, video.stream))
            sound = next((s for s in container.streams.audio if s.codec_context), None)
            return Tags(
                timecode=_first(said, TIMECODES),
                reel=_first(said, REELS),
                channels=sound.codec_context.channels if sound else 0,
                sample_rate=(sound.codec_context.sample_rate or 0) if sound else 0,
            )
    except (VideoError, av.FFmpegError):  # what it is of, is read by others
        return Tags()


def _said(container: Any, stream: int) -> Iterator[Mapping[str, str]]:
    """Metadata in the order in which it is believed: of the picture, its timecode, the file."""
    yield container.streams[stream].metadata
    yield from (one.metadata for one in container.streams if one.type == "data")
    yield container.metadata


def _first(said: list[Mapping[str, str]], names: tuple[str, ...]) -> str:
    found = (metadata[name] for metadata in said for name in names if metadata.get(name))
    return str(next(found, "")).strip()[:LONGEST]
