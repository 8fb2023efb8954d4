"""The small copy of a film that every browser plays."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.drawn import draw
from videoclusternet.errors import VideoError
from videoclusternet.film.video import open_video
from videoclusternet.review.web.media import Media
from videoclusternet.review.web.preview import WIDEST, codecs, write_preview


def uneven(path: Path, width: int = 960, height: int = 402) -> Path:
    """Write a film whose pictures last 1, 2, 3, 1, 2, 3 ... thirtieths of a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 30)
        at = 0
        for n in range(40):
            picture = np.zeros((height, width, 3), np.uint8)
            picture[:144, :192] = draw(("red",), 80 + n, n / 40)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 30)
            container.mux(stream.encode(frame))
            at += 1 + n % 3
        container.mux(stream.encode(None))
    return path


def test_a_preview_has_the_times_of_the_film(tmp_path: Path) -> None:
    film = uneven(tmp_path / "film.mkv")
    video = open_video(film)
    told: list[tuple[int, int]] = []
    write_preview(video, film, tmp_path / "preview.mp4", lambda *done: told.append(done))
    made = open_video(tmp_path / "preview.mp4")
    assert made.frames == video.frames == 40
    assert np.abs(made.times - video.times).max() < 0.002
    assert max(made.width, made.height) == WIDEST
    assert (made.width % 2, made.height % 2) == (0, 0)
    assert made.width / made.height == pytest.approx(960 / 402, rel=0.01)
    assert codecs(tmp_path / "preview.mp4") == ("h264", "yuv420p", "")
    assert told[-1] == (40, 40)


def test_a_small_film_is_not_made_larger(drawn_film: Path, tmp_path: Path) -> None:
    write_preview(open_video(drawn_film), drawn_film, tmp_path / "preview.mp4")
    made = open_video(tmp_path / "preview.mp4")
    assert (made.width, made.height) == (192, 144)


def test_what_cannot_be_read_leaves_nothing_behind(drawn_film: Path, tmp_path: Path) -> None:
    video = open_video(drawn_film)
    (tmp_path / "broken.mp4").write_bytes(b"no film at all")
    with pytest.raises(VideoError):
        write_preview(video, tmp_path / "broken.mp4", tmp_path / "preview.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.mp4"]


@pytest.mark.parametrize(
    ("name", "codec", "plays"),
    [
        ("a.mp4", "libx264", True),
        ("a.mov", "libx264", True),
        ("a.mkv", "libx264", False),
        ("a.mp4", "mpeg4", False),
        ("a.webm", "libvpx", True),
    ],
)
def test_what_browsers_play_is_known(name: str, codec: str, plays: bool, tmp_path: Path) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert Media(None)._played(path) is plays  # type: ignore[arg-type]


def test_what_is_no_film_is_not_played(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    assert not Media(None)._played(tmp_path / "a.mp4")  # type: ignore[arg-type]
