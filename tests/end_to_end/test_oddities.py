"""Films rebuilt from public bug reports: frames, rate and times as players and ffprobe see them."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Vcn
from videoclusternet.errors import VideoError
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.types import Damage, Unread

DATA = Path(__file__).parents[3] / "shared" / "data"
if not DATA.is_dir():
    pytest.skip("the evaluation films are not here", allow_module_level=True)

ODD = DATA / "oddities"
FILMS = sorted(
    f
    for folder in (ODD, DATA / "clips", DATA / "clips" / "faults")
    for f in folder.iterdir()
    if f.is_file() and f.suffix not in (".md", ".csv")
)


@pytest.mark.parametrize(
    ("name", "frames", "rate", "first", "end"),
    [
        ("audio_longer.mp4", 108, "24", 0, 4.5),
        ("dv_60000fps.dv", 6, "25", 0, 0.24),
        ("h264_5fps.avi", 23, "5", 0, 4.6),
        ("h264_bframes.avi", 108, "24", 0, 4.5),
        ("raw_h264.h264", 108, "24", 0, 4.5),
        ("ts_concatenated.ts", 216, "24", 0, 9.0),
        ("ts_seek_crops.ts", 478, "24", 0, 19.917),
        ("two_video_streams_default_second.mkv", 108, "24", 0, 4.499),
        ("video_starts_late.mp4", 108, "24", 3, 7.5),
    ],
)
def test_odd_films_are_read_whole(
    name: str, frames: int, rate: str, first: float, end: float
) -> None:
    told: list[str | Unread] = []
    info = open_video(ODD / name, told.append)
    assert (info.frames, info.rate) == (frames, rate)
    assert (info.times[0], info.seconds(frames)) == pytest.approx((first, end), abs=0.001)
    assert [f.number for f in read_frames(info, on_damage=told.append)] == list(range(frames))
    anew = f"{name}: time stamps begin anew after 4.5 s; counted on from there"
    assert Damage.of(told) == Damage((anew,) if name == "ts_concatenated.ts" else ())


def test_every_frame_of_a_transport_stream_is_found_alone() -> None:
    info = open_video(ODD / "ts_seek_crops.ts")
    for number in range(0, info.frames, 25):
        assert [f.number for f in read_frames(info, [number])] == [number]


def probe(path: Path) -> list[dict[str, Any]]:
    """What ffprobe says of the video streams of a file, and of the file."""
    command = ["ffprobe", "-v", "quiet", "-of", "json", "-count_frames", "-count_packets"]
    done = subprocess.run(
        [*command, "-select_streams", "v", "-show_streams", "-show_format", str(path)],
        capture_output=True,
        check=False,
    )
    said = json.loads(done.stdout or "{}")
    return [s | {"format": said["format"]} for s in said.get("streams", [])]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe (package ffmpeg) is not here")
@pytest.mark.parametrize("path", FILMS, ids=lambda p: p.name)
def test_figures_agree_with_ffprobe(path: Path) -> None:
    found = probe(path)
    default = [s for s in found if s["disposition"]["default"]] or found
    if not found:
        with pytest.raises(VideoError):
            open_video(path)
        return
    said = default[0]
    info = open_video(path)
    packets, decoded = int(said["nb_read_packets"]), int(said["nb_read_frames"])
    assert decoded <= info.frames <= packets
    assert info.rate in (said["avg_frame_rate"].removesuffix("/1"),
                         said["r_frame_rate"].removesuffix("/1"))  # fmt: skip
    begins = float(said.get("start_time", 0)) - float(said["format"].get("start_time", 0))
    assert info.times[0] == pytest.approx(max(begins, 0), abs=0.5 / Fraction(info.rate))
    if path.name in ("ts_concatenated.ts", "truncated_middle.mp4"):
        return  # ffprobe tells the length of the first part, and of what the header promises
    if "duration" in said:
        length = info.seconds(info.frames) - info.times[0]
        assert length == pytest.approx(float(said["duration"]), abs=0.002)


BOTH = [(0.0, 2.5), (2.5, 4.5)]
"""When the two people of the demo film are seen in its first shots, seconds."""
CASTS = {
    "audio_longer.mp4": BOTH,
    "black_and_white_cut.mp4": BOTH,
    "dv_60000fps.dv": [(0.0, 0.24)],
    "fps5_cuts.mp4": [(0.0, 6.6), (2.6, 9.0)],
    "h264_5fps.avi": [(0.0, 2.6), (2.6, 4.6)],
    "h264_bframes.avi": BOTH,
    "photo.jpg": [],
    "raw_h264.h264": BOTH,
    "ts_concatenated.ts": [(0.0, 7.0), (2.5, 9.0)],
    "ts_seek_crops.ts": [(0.0, 2.5), (16.5, 17.917)],
    "two_video_streams_default_second.mkv": BOTH,
    "vflip_display_matrix.mp4": BOTH,
    "video_starts_late.mp4": [(3.0, 5.5), (5.5, 7.5)],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASTS)
def test_odd_films_have_the_right_cast(name: str, tmp_path: Path, vcn: Vcn) -> None:
    run = tmp_path / "run.vcn"
    done = vcn("cluster", ODD / name, "-o", run, "--set", "processes=1", "-q")
    assert done.code == 0 and ("begin anew" in done.err or done.err == "")
    cast = json.loads(vcn("show", run, "--json").out)
    found = [(c["spans"][0]["start"], c["spans"][-1]["stop"]) for c in cast]
    assert np.ravel(found) == pytest.approx(np.ravel(CASTS[name]), abs=0.26)
    said = vcn("show", run).out
    assert "Unknown" not in said and "breaks off" not in said
    if name == "photo.jpg":
        assert "1 face found, but one picture makes no track" in said
