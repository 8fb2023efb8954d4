"""Frames by exact time: variable rates, rotation, aspect, seeks, late starts, damage."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type as SideData

from videoclusternet.errors import VideoError
from videoclusternet.film.video import content_hash, open_video, read_frames
from videoclusternet.types import Damage, Unread

STEP = 7
"""Frame n has the grey level 20 + STEP * (n % 32)."""


def write(
    path: Path,
    stamps: Sequence[int],
    base: Fraction = Fraction(1, 1000),
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    ratio: Fraction | None = None,
    **options: str,
) -> Path:
    """Write a film whose frames tell their number by their grey level; a white left edge."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = base
        if ratio is not None:
            stream.codec_context.sample_aspect_ratio = ratio
        for number, stamp in enumerate(stamps):
            picture = np.full((size[1], size[0], 3), 20 + STEP * (number % 32), np.uint8)
            picture[:, : size[0] // 4] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = stamp, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def number_of(picture: Any) -> int:
    """Read the number of a frame (modulo 32) from its picture."""
    height, width = picture.shape[:2]
    return round((float(np.median(picture[height // 2, width // 2])) - 20) / STEP)


def test_constant_rate(tmp_path: Path) -> None:
    info = open_video(write(tmp_path / "f.mp4", range(0, 1200, 40)))
    assert (info.frames, info.width, info.height, info.rate) == (30, 64, 48, "25")
    np.testing.assert_allclose(info.times, np.arange(30) / 25)
    assert info.seconds(29) == pytest.approx(1.16) and info.seconds(30) == pytest.approx(1.2)
    numbers = [(f.number, number_of(f.picture(64, 48))) for f in read_frames(info)]
    assert numbers == [(n, n) for n in range(30)]


@pytest.mark.parametrize("name", ["f.mp4", "f.mkv"])
def test_variable_rate_keeps_every_time(tmp_path: Path, name: str) -> None:
    stamps = np.cumsum([0, 40, 40, 15, 500, 40, 33, 1000, 40, 40, 7, 90])
    info = open_video(write(tmp_path / name, stamps.tolist()))
    assert info.frames == 12
    np.testing.assert_allclose(info.times, stamps / 1000, atol=1e-9)
    assert [number_of(f.picture(64, 48)) for f in read_frames(info, [0, 4, 7, 11])] == [0, 4, 7, 11]


@pytest.mark.parametrize("start", [0, 1075, 3_600_000])
def test_late_start_counts_from_the_first_picture(tmp_path: Path, start: int) -> None:
    info = open_video(write(tmp_path / "f.mkv", range(start, start + 800, 40)))
    assert info.frames == 20 and info.pts[0] == 0
    assert info.times[0] == 0 and info.seconds(19) == pytest.approx(0.76)
    assert [f.number for f in read_frames(info)] == list(range(20))


def test_frames_that_are_stored_out_of_order_come_in_order(tmp_path: Path) -> None:
    path = write(tmp_path / "f.mp4", range(0, 1240, 40), bf="3", b_strategy="0", g="100")
    with av.open(str(path)) as container:
        stored = [p.pts for p in container.demux(video=0) if p.pts is not None]
    assert stored != sorted(stored), "the film has no B-frames"
    info = open_video(path)
    assert [number_of(f.picture(64, 48)) for f in read_frames(info)] == list(range(31))


@pytest.mark.parametrize("bf", ["0", "3"])
def test_chosen_frames_far_apart_are_found_by_seeking(tmp_path: Path, bf: str) -> None:
    stamps = range(0, 40 * 1500, 40)
    info = open_video(write(tmp_path / "f.mp4", stamps, g="50", bf=bf, preset="ultrafast"))
    wanted = [3, 4, 350, 1200, 1203, 1499]
    found = [(f.number, number_of(f.picture(64, 48))) for f in read_frames(info, wanted)]
    assert found == [(n, n % 32) for n in wanted]
    later = [f.number for f in read_frames(info, np.arange(1210, 1230))]
    assert later == list(range(1210, 1230))
    assert list(read_frames(info, [])) == []


def turn(path: Path, degrees: int) -> Path:
    """Write the display rotation into the track header of an MP4 file."""
    one = 0x10000
    cos, sin = {90: (0, one), 180: (-one, 0), 270: (0, -one)}[degrees]
    data = path.read_bytes()
    old = np.array([one, 0, 0, 0, one, 0, 0, 0, 0x40000000], ">i4").tobytes()
    new = np.array([cos, sin, 0, -sin, cos, 0, 0, 0, 0x40000000], ">i4").tobytes()
    place = data.index(old, data.index(b"tkhd"))
    path.write_bytes(data[:place] + new + data[place + len(old) :])
    return path


@pytest.mark.parametrize(
    ("degrees", "size", "edge"),
    [(90, (48, 64), "top"), (180, (64, 48), "right"), (270, (48, 64), "bottom")],
)
def test_rotation_shows_the_picture_upright(
    tmp_path: Path, degrees: int, size: tuple[int, int], edge: str
) -> None:
    """A film turned clockwise by its header: the white left edge goes round."""
    info = open_video(turn(write(tmp_path / "f.mp4", range(0, 400, 40)), degrees))
    assert (info.width, info.height) == size
    frames = list(read_frames(info))
    assert len(frames) == 10
    picture = frames[5].picture(*size)
    assert picture.shape == (size[1], size[0], 3)
    bright = {
        "top": picture[:8],
        "bottom": picture[-8:],
        "left": picture[:, :8],
        "right": picture[:, -8:],
    }
    assert max(bright, key=lambda side: float(bright[side].mean())) == edge
    assert frames[5].picture(size[0] // 2, size[1] // 2).shape == (size[1] // 2, size[0] // 2, 3)


@pytest.mark.parametrize(
    "matrix",
    [m for a in (1, -1) for b in (1, -1) for m in ((a, 0, 0, b), (0, a, b, 0))],
)
def test_all_eight_display_matrices(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Each picks where a mark at the top left goes: (x, y) -> (a x + c y, b x + d y)."""
    path = tmp_path / "f.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = np.full((48, 64, 3), 60, np.uint8)
        picture[:16, :16] = 255
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    a, b, c, d = matrix
    data = path.read_bytes()
    old = np.array([1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30], ">i4").tobytes()
    new = (np.array([a, b, 0, c, d, 0, 0, 0, 0], ">i4") << 16).astype(">i4")
    new[8] = 1 << 30
    place = data.index(old, data.index(b"tkhd"))
    path.write_bytes(data[:place] + new.tobytes() + data[place + len(old) :])
    info = open_video(path)
    width, height = (64, 48) if a else (48, 64)
    assert (info.width, info.height) == (width, height)
    (frame,) = read_frames(info, [1])
    seen = frame.picture(width, height)
    # From the middle, the mark lies at (-1, -1) before and here after.
    x, y = -(a + c), -(b + d)
    corner = seen[:16] if y < 0 else seen[-16:]
    corner = corner[:, :16] if x < 0 else corner[:, -16:]
    assert corner.mean() > 200 and seen.mean() < 120


@pytest.mark.parametrize(
    ("ratio", "width"), [(Fraction(16, 11), 93), (Fraction(1, 2), 32), (Fraction(14720, 14719), 64)]
)
def test_aspect_ratio_gives_square_pixels(tmp_path: Path, ratio: Fraction, width: int) -> None:
    info = open_video(write(tmp_path / "f.mp4", range(0, 400, 40), ratio=ratio))
    assert (info.width, info.height) == (width, 48)
    (frame,) = read_frames(info, [3])
    picture = frame.picture(info.width, info.height)
    assert picture.shape == (48, width, 3)
    # The white edge takes a quarter of the width, as before.
    white = int((picture[24, :, 0] > 200).sum())
    assert abs(white - width / 4) <= 1


def test_rotation_and_aspect_together(tmp_path: Path) -> None:
    path = write(tmp_path / "f.mp4", range(0, 400, 40), ratio=Fraction(2))
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == 2
    info = open_video(turn(path, 90))
    assert (info.width, info.height) == (48, 128)
    (frame,) = read_frames(info, [3])
    assert frame.picture(48, 128).shape == (128, 48, 3)


def test_frames_that_were_seen_are_let_go_at_once(tmp_path: Path) -> None:
    """No frame may wait for the garbage collector, which does not know how large it is."""
    path = turn(write(tmp_path / "f.mp4", range(0, 2000, 40)), 90)
    gc.collect()
    gc.disable()
    try:
        before = living_frames()
        for frame in read_frames(open_video(path)):  # fifty
            frame.picture(32, 24)
        del frame
        assert living_frames() - before <= 2  # the first of each reading, whose matrix was asked
    finally:
        gc.enable()


def living_frames() -> int:
    return sum(type(one) is av.VideoFrame for one in gc.get_objects())


def test_odd_size(tmp_path: Path) -> None:
    path = tmp_path / "f.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 33, 21, "yuvj444p"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((21, 33, 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
    info = open_video(path)
    assert (info.width, info.height, info.frames) == (33, 21, 3)
    assert [f.picture(33, 21).shape for f in read_frames(info)] == [(21, 33, 3)] * 3


def test_damage_in_the_middle_costs_only_what_is_damaged(tmp_path: Path) -> None:
    path = write(tmp_path / "f.mp4", range(0, 4000, 40), g="10", bf="0")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat")
    middle = start + (data.index(b"moov") - start) // 2
    data[middle : middle + 300] = np.random.default_rng(0).bytes(300)
    path.write_bytes(data)
    notes: list[str | Unread] = []
    info = open_video(path, notes.append)
    assert info.frames == 100 and notes == [Unread()]
    lost: list[Unread] = []
    found = [f.number for f in read_frames(info, on_damage=lost.append)]
    assert 80 <= len(found) < 100 and found == sorted(found)
    assert found[0] == 0 and found[-1] == 99
    missing = sorted(set(range(100)) - set(found))
    assert lost == [Unread.of_frames(info, missing)] and lost[0].count == len(missing)


def test_stream_that_breaks_off_is_used_up_to_there(tmp_path: Path) -> None:
    path = write(tmp_path / "f.mkv", range(0, 10_000, 40), g="10")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    told: list[str | Unread] = []
    info = open_video(path, told.append)
    notes = Damage.of(told).notes
    assert 60 < info.frames < 200
    assert len(notes) == 1 and "f.mkv breaks off" in notes[0]
    found = [f.number for f in read_frames(info)]
    assert len(found) >= info.frames - 1


def test_whole_film_is_not_called_broken(tmp_path: Path) -> None:
    notes: list[str | Unread] = []
    for name in ("f.mp4", "f.mkv", "f.avi", "f.ts"):
        codec = "mpeg4" if name == "f.avi" else "libx264"
        base = Fraction(1, 25) if name == "f.avi" else Fraction(1, 1000)
        stamps = range(100) if name == "f.avi" else range(0, 4000, 40)
        info = open_video(write(tmp_path / name, stamps, base, codec=codec, bf="0"), notes.append)
        assert info.frames == 100, name
        assert len(list(read_frames(info, on_damage=notes.append))) == 100, name
    assert Damage.of(notes) == Damage()


def test_film_that_vanishes(tmp_path: Path) -> None:
    path = write(tmp_path / "f.mp4", range(0, 400, 40))
    info = open_video(path)
    path.unlink()
    with pytest.raises(VideoError, match="no such film"):
        list(read_frames(info))


def test_content_hash_sees_length_start_middle_and_end(tmp_path: Path) -> None:
    size = 5 << 20
    hashes = set()
    for place in (None, 0, size // 2, size - 1):
        data = bytearray(size)
        if place is not None:
            data[place] = 1
        (tmp_path / "f").write_bytes(data)
        hashes.add(content_hash(tmp_path / "f"))
    (tmp_path / "f").write_bytes(bytes(size + 1))
    hashes.add(content_hash(tmp_path / "f"))
    assert len(hashes) == 5


def test_no_hash_in_which_ctrl_c_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV looks side data up by the hash of its kind, and drops an interrupt that comes in it."""
    info = open_video(write(tmp_path / "f.mp4", range(0, 400, 40)))
    hashed: list[Any] = []
    plain = SideData.__hash__

    def hash_of(kind: Any) -> int:
        hashed.append(kind)
        return plain(kind)

    monkeypatch.setattr(SideData, "__hash__", hash_of)
    assert len(list(read_frames(info))) == 10
    assert SideData.DISPLAYMATRIX not in hashed
