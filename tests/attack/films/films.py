"""The drawn film in every container that PyAV writes, and the clean result of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from tests.attack.material import QUICK, Material
from tests.drawn import SCENES, Array, draw
from videoclusternet.result.result import Result, open_run
from videoclusternet.types.unread import ABSENT


@dataclass(frozen=True)
class Form:
    """A container and what is in it.

    Attributes
    ----------
    suffix, codec : str
    options : mapping
        Of the encoder.
    muxer : mapping
        Options of the container.
    pixels : str
    size : (int, int)
    rate : int
        Frames per second.
    format : str, optional
        Name of the muxer, where the suffix does not tell it.
    length : bool
        Whether the file says how long it is: else its end can be cut off without a trace.
    times : bool
        Whether frames have stamps: else some can be taken out without a trace.
    """

    suffix: str
    codec: str
    options: Mapping[str, str] = field(default_factory=dict)
    muxer: Mapping[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    size: tuple[int, int] = (192, 144)
    rate: int = 24
    format: str | None = None
    length: bool = True
    times: bool = True


X264 = {"g": "12", "crf": "20", "preset": "veryfast", "threads": "1"}
MPEG = {"g": "12", "qmin": "2", "qmax": "4"}
VPX = {"g": "12", "crf": "8", "b": "2M", "deadline": "realtime", "cpu-used": "8"}
X265 = {"preset": "ultrafast", "x265-params": "keyint=12:log-level=none:pools=1"}
FORMS: dict[str, Form] = {
    "mp4": Form(".mp4", "libx264", X264),
    "mp4, index first": Form(".mp4", "libx264", X264, {"movflags": "faststart"}),
    "mp4, fragmented": Form(
        ".mp4", "libx264", X264, {"movflags": "frag_keyframe+empty_moov"}, length=False
    ),
    "mov": Form(".mov", "mpeg4", MPEG),
    "mkv": Form(".mkv", "libx264", X264),
    "mkv, hevc": Form(".mkv", "libx265", X265),
    "webm": Form(".webm", "libvpx", VPX),
    "avi": Form(".avi", "mpeg4", MPEG),
    "ts": Form(".ts", "libx264", X264, length=False),
    "ts, mpeg2": Form(".ts", "mpeg2video", MPEG, length=False),
    "mpg": Form(".mpg", "mpeg2video", MPEG, length=False),
    "flv": Form(".flv", "flv", MPEG),
    "wmv": Form(".wmv", "wmv2", MPEG, format="asf"),
    "ogg": Form(".ogg", "libvpx", VPX, length=False),
    "mxf": Form(".mxf", "mpeg2video", MPEG, rate=25, times=False),
    "nut": Form(".nut", "mpeg4", MPEG, length=False),
    "h264": Form(".h264", "libx264", X264, length=False, times=False),
    "hevc": Form(".hevc", "libx265", X265, length=False, times=False),
    "m4v": Form(".m4v", "mpeg4", MPEG, format="m4v", length=False, times=False),
    "mjpeg": Form(".mjpeg", "mjpeg", MPEG, pixels="yuvj420p", length=False, times=False),
    "dv": Form(".dv", "dvvideo", size=(720, 576), rate=25, length=False, times=False),
    "gif": Form(".gif", "gif", pixels="rgb8", rate=25, length=False, times=False),
    "y4m": Form(".y4m", "wrapped_avframe", format="yuv4mpegpipe", length=False, times=False),
}


def pictures(form: Form) -> Iterator[Array]:
    """Yield the frames of the usual drawn film: three shots of a second."""
    for number, people in enumerate(SCENES):
        for n in range(form.rate):
            picture = draw(people, 70 + 110 * (number % 2) + number, n / form.rate)
            if picture.shape[1::-1] != form.size:
                picture = cv2.resize(picture, form.size, interpolation=cv2.INTER_NEAREST)
            yield np.ascontiguousarray(picture)


def write(path: Path, form: Form) -> Path:
    """Write the film; bit by bit the same each time."""
    options = {"fflags": "+bitexact", **form.muxer}
    with av.open(str(path), "w", format=form.format, options=options) as container:
        stream: Any = container.add_stream(form.codec, rate=form.rate, options=dict(form.options))
        stream.width, stream.height = form.size
        stream.pix_fmt = form.pixels
        for number, picture in enumerate(pictures(form)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format=form.pixels)
            frame.pts, frame.time_base = number, Fraction(1, form.rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@dataclass(frozen=True)
class Seen:
    """What a run says of a film.

    Attributes
    ----------
    times : float64, shape (F,)
        Of its frames, s.
    tracks : tuple of (int, int, float, float)
        First and last frame of each, and their times.
    who : tuple of int
        Character of each.
    notes : tuple of str
    spans : tuple of (float, float)
        What could not be read, s.
    absent : int
        Frames that the file lacks, as the run says.
    """

    times: Array
    tracks: tuple[tuple[int, int, float, float], ...]
    who: tuple[int, ...]
    notes: tuple[str, ...]
    spans: tuple[tuple[float, float], ...]
    absent: int

    @classmethod
    def of(cls, run: Path) -> Seen:
        """Read a run: notes and spans straight from run.json, which is what programs read."""
        result: Result = open_run(run)
        (film,) = result.films
        video, t = film.video, film.tracks
        assert video is not None
        tracks = tuple(
            (int(a), int(b), video.seconds(int(a)), video.seconds(int(b)))
            for a, b in zip(t.first, t.last, strict=True)
        )
        every = json.loads((run / "run.json").read_text(encoding="utf-8"))["steps"]
        # What it says of the size of the picture is said of whole films as well.
        steps = [step for name, step in every.items() if name != "detector_size"]
        spans = [span for step in steps for span in step.get("unread", ())]
        return cls(
            np.asarray(video.times),
            tracks,
            tuple(result.cast.character.tolist()),
            tuple(note for step in steps for note in step["notes"]),
            tuple((span["start"], span["stop"]) for span in spans),
            sum(span["frames"] for span in spans if span["frame"] == ABSENT),
        )


@dataclass(frozen=True)
class Clean:
    """A whole film of a form, and what is right about it."""

    form: Form
    film: Path
    seen: Seen


def clean(material: Material, name: str) -> Clean:
    """Make a film, once in a campaign, and find its cast."""
    form = FORMS[name]
    film = material.folder / f"media {name}{form.suffix}"
    run = film.with_name(f"{film.name}.vcn")
    if not film.exists():
        write(film, form)
        material.command(run.name, "cluster", film, "-o", run.name, *QUICK)
    seen = Seen.of(run)
    cast = (3, 1) if name == "gif" else (4, 2)  # 256 colours, dithered: discs fall apart
    assert (len(seen.tracks), len(set(seen.who))) == cast, f"{name}: {seen}"
    assert not seen.notes and not seen.spans, f"{name}: {seen.notes} {seen.spans}"
    assert len(seen.times) == 3 * form.rate, f"{name}: {len(seen.times)} frames"
    return Clean(form, film, seen)
