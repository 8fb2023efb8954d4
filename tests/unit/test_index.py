"""Films whose time stamps, order or streams are odd, all made here; and pictures as films."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.unit.test_video import number_of, write
from videoclusternet.errors import VideoError
from videoclusternet.film.container import collect_packets
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.types import Damage, Unread, VideoInfo

TICKS = Fraction(1, 90000)


def film(path: Path, frames: int = 60, first: int = 0, codec: str = "libx264", **more: str) -> Path:
    """A film of 25 frames a second with B-frames and a key frame every 12."""
    stamps = range(first, first + 3600 * frames, 3600)
    options = {"g": "12", "bf": "2", "b_strategy": "0", "sc_threshold": "0"} | more
    base = Fraction(1, 25) if codec != "libx264" or path.suffix in (".avi", ".h264") else TICKS
    return write(path, [s // 3600 for s in stamps] if base != TICKS else stamps, base, codec=codec,
                 **options)  # fmt: skip


def seen(info: VideoInfo, frames: Any = None) -> list[tuple[int, int]]:
    """Return the numbers of frames and what their pictures say."""
    return [(f.number, number_of(f.picture(64, 48))) for f in read_frames(info, frames)]


def expect(info: VideoInfo, frames: int, rate: str = "25", restart: int = 10**9) -> None:
    """All frames in order, and each alone, wherever a seek to it lands."""
    assert (info.frames, info.rate) == (frames, rate)
    whole = [(n, n % restart % 32) for n in range(frames)]
    assert seen(info) == whole
    for n in range(0, frames, 7):
        assert seen(info, [n]) == [whole[n]]


@pytest.mark.parametrize("suffix", [".ts", ".mkv", ".mp4", ".avi", ".h264", ".flv", ".mov"])
def test_frames_come_in_order_and_are_found_alone(tmp_path: Path, suffix: str) -> None:
    info = open_video(film(tmp_path / f"f{suffix}"))
    expect(info, 60)
    np.testing.assert_allclose(info.times, np.arange(60) / 25, atol=0.001)
    assert info.seconds(60) == pytest.approx(2.4, abs=0.002)


@pytest.mark.parametrize("suffix", [".vob", ".m2v", ".mpg", ".ts"])
def test_mpeg2_in_program_streams_and_raw(tmp_path: Path, suffix: str) -> None:
    # Several pictures share a pack, and only some carry a stamp.
    path = film(tmp_path / f"f{suffix}", codec="mpeg2video", qscale="2", flags="+qscale")
    expect(open_video(path), 60)


@pytest.mark.parametrize(("bf", "suffix"), [("0", ".avi"), ("2", ".avi"), ("2", ".m4v")])
def test_mpeg4_with_and_without_b_frames(tmp_path: Path, bf: str, suffix: str) -> None:
    expect(open_video(film(tmp_path / f"f{suffix}", codec="mpeg4", bf=bf, qmin="1", qmax="2")), 60)


def test_joined_files_count_on_and_say_so(tmp_path: Path) -> None:
    one = film(tmp_path / "one.ts").read_bytes()
    (tmp_path / "joined.ts").write_bytes(one + one)
    told: list[str | Unread] = []
    info = open_video(tmp_path / "joined.ts", told.append)
    expect(info, 120, restart=60)
    np.testing.assert_allclose(np.diff(info.times), 0.04, atol=1e-6)
    said = "joined.ts: time stamps begin anew after 2.4 s; counted on from there"
    assert Damage.of(told) == Damage((said,))


def test_stamps_that_wrap_go_on(tmp_path: Path) -> None:
    info = open_video(film(tmp_path / "f.ts", first=(1 << 33) - 40 * 3600))
    expect(info, 60)
    np.testing.assert_allclose(np.diff(info.times), 0.04, atol=1e-6)


def test_a_long_gap_is_said(tmp_path: Path) -> None:
    early, late = film(tmp_path / "a.ts"), film(tmp_path / "b.ts", first=90000 * 60)
    (tmp_path / "gap.ts").write_bytes(early.read_bytes() + late.read_bytes())
    told: list[str | Unread] = []
    info = open_video(tmp_path / "gap.ts", told.append)
    expect(info, 120, restart=60)
    assert Damage.of(told) == Damage(("gap.ts: no pictures for 58 s after 2.4 s",))


def test_intra_refresh_is_read_from_its_start(tmp_path: Path) -> None:
    # Frames marked as key frames, at which a picture only begins to be renewed.
    options = {"x264-params": "intra-refresh=1:keyint=12"}
    expect(open_video(film(tmp_path / "f.ts", **options)), 60)


def test_raw_stream_takes_a_rate_and_a_timed_one_refuses_it(tmp_path: Path) -> None:
    raw = open_video(film(tmp_path / "f.h264"), fps=Fraction(24000, 1001))
    assert raw.rate == "24000/1001" and raw.seconds(60) == pytest.approx(60 * 1001 / 24000)
    with pytest.raises(VideoError, match="has its own time stamps"):
        open_video(film(tmp_path / "f.mp4"), fps=Fraction(24))


def streams(path: Path, sizes: list[int], frames: list[int], default: int | None) -> Path:
    """Write a file of several video streams."""
    with av.open(str(path), "w") as container:
        made = []
        for number, size in enumerate(sizes):
            stream: Any = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = size, size, "yuv420p"
            if number == default:
                stream.disposition = av.stream.Disposition.default
            made.append(stream)
        for stream, size, count in zip(made, sizes, frames, strict=True):
            for _ in range(count):
                picture = np.full((size, size, 3), 99, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("sizes", "frames", "default", "width"),
    [([32, 64], [20, 20], None, 64), ([64, 32], [20, 20], 1, 32), ([64, 32], [1, 20], 0, 32)],
    ids=["the largest", "the default", "never a still"],
)
def test_the_stream_that_people_watch(
    tmp_path: Path, sizes: list[int], frames: list[int], default: int | None, width: int
) -> None:
    info = open_video(streams(tmp_path / "f.mkv", sizes, frames, default))
    assert (info.width, info.frames) == (width, 20)
    assert len(list(read_frames(info))) == 20


def test_names_that_look_like_addresses(tmp_path: Path) -> None:
    whole = film(tmp_path / "f.mkv", 5).read_bytes()
    for name in ("S01E02:pilot.mkv", "http:x.mkv", "-f.mkv", "100%d.mkv", "a?b#c.mkv"):
        (tmp_path / name).write_bytes(whole)
        assert len(list(read_frames(open_video(tmp_path / name)))) == 5
    odd = Path(str(tmp_path) + "/" + b"caf\xe9.mkv".decode(errors="surrogateescape"))
    odd.write_bytes(whole)
    assert len(list(read_frames(open_video(odd)))) == 5


def test_a_change_in_place_is_another_film(tmp_path: Path) -> None:
    path = write(tmp_path / "f.mkv", range(0, 4000, 40), codec="mpeg4")
    before = open_video(path)
    assert open_video(path).digest == before.digest
    with av.open(str(path)) as container:
        place = [p.pos for p in container.demux(video=0) if p.size][50]
    data = bytearray(path.read_bytes())
    data[place + 40] ^= 1
    path.write_bytes(data)
    assert open_video(path).digest != before.digest


def pictures(folder: Path, numbers: list[int], form: str = "p{:03d}.png") -> Path:
    """Write pictures that tell their number."""
    folder.mkdir()
    for place, number in enumerate(numbers):
        grey = np.full((48, 64, 3), 20 + 7 * (place % 32), np.uint8)
        with av.open(str(folder / form.format(number)), "w", format="image2") as out:
            stream: Any = out.add_stream("png", rate=1)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
            out.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            out.mux(stream.encode(None))
    return folder


def test_a_folder_and_a_pattern_of_pictures(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "shots", [8, 9, 10, 11], "p{}.png")
    (folder / "notes.txt").write_text("no picture")
    for path in (folder, folder / "p%d.png"):
        info = open_video(path, fps=Fraction(8))
        expect(info, 4, "8")
        assert info.seconds(4) == 0.5
    with pytest.raises(VideoError, match="pictures have no time"):
        open_video(folder)
    (folder / "p9.png").write_bytes(b"no picture")
    lost: list[Unread] = []
    video = open_video(folder, fps=Fraction(8))
    read = read_frames(video, on_damage=lost.append)
    assert [f.number for f in read] == [0, 2, 3]
    assert lost == [Unread.of_frames(video, [1])]
    assert lost[0].record() == [{"frame": 1, "frames": 1, "start": 0.125, "stop": 0.25}]


def test_pictures_that_are_missing_or_change(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "shots", [1, 2, 4])
    with pytest.raises(VideoError, match="number 3 is missing between 1 and 4"):
        open_video(folder / "p%03d.png", fps=Fraction(24))
    with pytest.raises(VideoError, match="no picture fits"):
        open_video(folder / "q%03d.png", fps=Fraction(24))
    info = open_video(folder, fps=Fraction(24))
    (folder / "p002.png").unlink()
    with pytest.raises(VideoError, match="has changed"):
        list(read_frames(info))
    (tmp_path / "empty").mkdir()
    with pytest.raises(VideoError, match="folder without pictures"):
        open_video(tmp_path / "empty", fps=Fraction(24))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nother.ts\n#EXT-X-ENDLIST\n"),
        ("l.ffconcat", "ffconcat version 1.0\nfile other.ts\n"),
        ("l.mp4", "ffconcat version 1.0\nfile other.ts\n"),
    ],
)
def test_a_list_of_films_is_none(tmp_path: Path, name: str, text: str) -> None:
    film(tmp_path / "other.ts")
    (tmp_path / name).write_text(text)
    with pytest.raises(VideoError, match="cannot be opened as a film"):
        open_video(tmp_path / name)


def test_rates_that_no_camera_has(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "shots", [1, 2])
    with pytest.raises(VideoError, match=r"has 1e\+09 frames a second, more than 10000"):
        open_video(folder, fps=Fraction(10**9))
    path = film(tmp_path / "f.avi", codec="mpeg4", bf="0")
    data = bytearray(path.read_bytes())
    at = data.index(b"strh") + 32
    data[at : at + 4] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(VideoError, match="frames a second"):
        open_video(path)


def test_an_edit_list_that_hides_all(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4")
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 16
    data[at : at + 4] = (2**31 - 1).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(VideoError, match="shows no frame"):
        open_video(path)


def test_frames_that_are_missing_in_the_file_are_told(tmp_path: Path) -> None:
    path = film(tmp_path / "f.ts", bf="0")
    with av.open(str(path)) as source, av.open(str(tmp_path / "g.ts"), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size and number not in (20, 21, 22, 40):
                packet.stream = stream
                out.mux(packet)
    told: list[str | Unread] = []
    info = open_video(tmp_path / "g.ts", told.append)
    damage = Damage.of(told)
    assert info.frames == 56 and damage.notes == () and damage.unread.absent == 4
    spans = [(span.start, span.stop) for span in damage.unread.spans]
    assert np.allclose(spans, [(0.8, 0.92), (1.6, 1.64)], atol=0.002)


def test_torn_packets_are_said(tmp_path: Path) -> None:
    stamps = range(0, 60 * 3600, 3600)
    path = write(tmp_path / "f.ts", stamps, TICKS, (1280, 720), bf="0", g="12", qp="0")
    data = path.read_bytes()
    packets = [data[n : n + 188] for n in range(0, len(data), 188)]
    inner = [
        n
        for n, packet in enumerate(packets)
        if packet[1:3] == b"\x01\x00" and n > len(packets) // 2
    ]
    assert inner, "no packet goes on with a picture"
    path.write_bytes(b"".join(packets[: inner[0]] + packets[inner[0] + 1 :]))
    told: list[str | Unread] = []
    open_video(path, told.append)
    (said,) = Damage.of(told).notes
    assert "1 picture may be incomplete, at " in said


def test_a_pattern_takes_files_only(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "shots", [1, 2, 3])
    (folder / "p002.png").unlink()
    (folder / "p002.png").mkdir()
    with pytest.raises(VideoError, match="number 2 is missing"):
        open_video(folder / "p%03d.png", fps=Fraction(8))


@pytest.mark.parametrize(("suffix", "read"), [(".mp4", 1), (".flv", 1), (".mkv", 2), (".ts", 3)])
def test_joined_files_of_which_the_reader_leaves_some(
    tmp_path: Path, suffix: str, read: int
) -> None:
    joined = tmp_path / f"joined{suffix}"
    joined.write_bytes(film(tmp_path / f"one{suffix}").read_bytes() * 3)
    notes: list[Any] = []
    expect(open_video(joined, notes.append), 60 * read, restart=60)
    only = {1: "only the first is read", 2: "only the first 2 are read"}
    said = [n for n in notes if str(n).startswith(f"{joined.name}: 3 films are joined")]
    assert len(said) == (read < 3) and (read == 3 or only[read] in said[0])


def test_short_joined_files_with_frames_out_of_order(tmp_path: Path) -> None:
    # The stamps of presentation alone fall by little more than frames out of order do.
    one = film(tmp_path / "one.mkv", frames=40, bf="3").read_bytes()
    (tmp_path / "joined.mkv").write_bytes(one + one)
    info = open_video(tmp_path / "joined.mkv")
    expect(info, 80, restart=40)
    assert info.seconds(80) == pytest.approx(3.2, abs=0.01)


@pytest.mark.parametrize("suffix", [".mxf", ".asf"])
def test_stamps_of_decoding_where_those_of_presentation_should_be(
    tmp_path: Path, suffix: str
) -> None:
    expect(open_video(film(tmp_path / f"f{suffix}", codec="libx264")), 60)


def test_a_film_that_vanishes_while_it_is_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film(tmp_path / "f.mp4")

    def read_and_vanish(container: Any, of: Path) -> Any:
        found = collect_packets(container, of)
        path.unlink()
        return found

    monkeypatch.setattr("videoclusternet.film.opening.index.collect_packets", read_and_vanish)
    with pytest.raises(VideoError, match="No such file"):
        open_video(path)
