"""Whether a file holds the film that it promises, and all of it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from videoclusternet.errors import VideoError
from videoclusternet.outside.files import size_of
from videoclusternet.outside.lengths import films_inside, promised_bytes

MICROSECONDS = 1_000_000
"""In which containers say their start and their length."""
CUT_OFF = 0.5
"""Seconds that pictures and sound may end before the film does by its header: of whole files it
is exact, or a frame off."""
HIDDEN = 0.5
"""Share of the frames of an MP4 file that its edit list may hide without a word."""
LEFT_OUT = 3
"""Frames that a whole AVI file may lack at its end."""

Tell = Callable[[str], None]


def say_broken(
    container: Any, stream: Any, count: int, reached: float, broken: str, path: Path, tell: Tell
) -> None:
    """Compare what the header promises with what there is, and say once what is not.

    Parameters
    ----------
    container, stream : of PyAV
    count : int
        Pictures of the stream.
    reached : float
        How far any stream reaches, s.
    broken : str
        Why reading ended before the end; empty where it did not.
    path : Path
    tell : callable

    Raises
    ------
    VideoError
        When the file has vanished.
    """
    said = [broken] if broken else _short(container, stream, count, reached)
    there, whole = size_of(path, VideoError), promised_bytes(path)
    if there < whole and not said:
        said.append(f"{there} of {whole} bytes are there")
    if said:
        tell(f"{path.name} breaks off: {', '.join(said)}; using what is there")


def _short(container: Any, stream: Any, count: int, reached: float) -> list[str]:
    """Say by how much a film is shorter than its header says, in seconds or in frames."""
    kind = container.format.name
    have = reached - (container.start_time or 0) / MICROSECONDS
    promised = (container.duration or 0) / MICROSECONDS
    slack = CUT_OFF
    if kind == "avi":
        # Its header counts slots of its clock; a slot without a picture shows the one before.
        promised, have = float(stream.frames * stream.time_base), reached
        slack = LEFT_OUT * have / count
    elif kind == "asf":
        # All streams have the length of the file, and FFmpeg adds when the last of them begins.
        promised = max(float((s.duration or 0) * (s.time_base or 0)) for s in container.streams)
    if reached and promised - have > slack:
        return [f"{max(have, 0):.1f} of {promised:.1f} s are there"]
    # MP4 and MOV count frames that an edit list hides; of a scene cut out of a film it may hide
    # some, and lying times hide nearly all.
    least = stream.frames if "mov" not in kind else stream.frames * HIDDEN
    if count < least and kind != "avi":
        return [f"{count} of {stream.frames} frames are there"]
    return []


def say_joined(path: Path, read: int, tell: Tell) -> None:
    """Say where whole films follow each other in a file whose reader stops after some of them.

    Parameters
    ----------
    path : Path
    read : int
        How many of them were read.
    tell : callable
    """
    inside = films_inside(path)
    if inside > read:
        only = "only the first is" if read == 1 else f"only the first {read} are"
        tell(
            f"{path.name}: {inside} films are joined in this file, and {only} read; "
            "cut them apart, or join them as their format asks for"
        )
