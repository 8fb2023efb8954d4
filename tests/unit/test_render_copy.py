"""Copies of films: the time of every picture, sound, shape, colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests import tables
from tests.drawn import Array
from tests.unit.test_video import number_of, turn, write
from videoclusternet.errors import StoreError
from videoclusternet.export.render.look import Look
from videoclusternet.export.render.render import render
from videoclusternet.export.render.sound import COPIED
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.result.result import Result
from videoclusternet.types import VideoInfo

PLAIN = Look(unknown=True)


def a_run(*films: Path, folder: Path) -> Result:
    """A run over films in which nobody was found."""
    of = tables.tracks([])
    made = [
        replace(
            tables.film(of, folder, open_video(film), with_faces=tables.faces([])), name=film.stem
        )
        for film in films
    ]
    return tables.result(made, of, tables.cast([]))


def copied(film: Path, to: Path) -> tuple[VideoInfo, VideoInfo]:
    render(a_run(film, folder=to.parent / "film.vcn"), to, PLAIN)
    return open_video(film), open_video(to)


def exact(video: VideoInfo) -> list[Fraction]:
    """When every picture is shown, and when the last one ends."""
    return [int(stamp) * Fraction(video.base) for stamp in (*video.pts, video.end)]


def planes(path: Path) -> Array:
    """Brightness of all pictures as they are stored, int16 (F, H, W)."""
    with av.open(str(path)) as container:
        shown = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    return np.stack(shown).astype(np.int16)


VARYING = np.cumsum([0, 40, 40, 15, 500, 40, 33, 1000, 40, 40, 7, 90]).tolist()


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    ("stamps", "base"),
    [
        (range(0, 1200, 40), Fraction(1, 1000)),
        (VARYING, Fraction(1, 1000)),
        (range(0, 20 * 1001, 1001), Fraction(1, 24000)),
        (range(0, 20 * 1001, 1001), Fraction(1, 60000)),
        ([0, 3003, 3004, 9000, 12013], Fraction(1, 90000)),
    ],
    ids=["25", "varying", "23.976", "59.94", "fine"],
)
def test_every_picture_keeps_its_time(
    stamps: Sequence[int], base: Fraction, ending: str, tmp_path: Path
) -> None:
    film, copy = copied(write(tmp_path / "film.mp4", stamps, base), tmp_path / f"copy{ending}")
    assert copy.frames == film.frames == len(stamps)
    if ending != ".mkv":
        assert exact(copy) == exact(film)
    else:
        np.testing.assert_allclose(copy.times, film.times, atol=0.001)
    shown = [number_of(f.picture(64, 48)) for f in read_frames(copy)]
    assert shown == [n % 32 for n in range(film.frames)]


def test_a_film_that_begins_late_stays_late(tmp_path: Path) -> None:
    film = sounding(tmp_path / "film.mp4", late=0.3)
    before, after = copied(film, tmp_path / "copy.mp4")
    assert exact(before)[0] == Fraction(3, 10) and exact(after) == exact(before)


def test_a_beginning_between_two_milliseconds_is_kept(tmp_path: Path) -> None:
    """What a decoder needs to start with comes 1024 samples before the first picture."""
    before, after = copied(sounding(tmp_path / "film.ts"), tmp_path / "copy.mp4")
    assert (exact(before)[0] * 1000).denominator > 1 and exact(after) == exact(before)


@pytest.mark.parametrize(
    ("degrees", "size", "edge"),
    [(90, (48, 64), "top"), (180, (64, 48), "right"), (270, (48, 64), "bottom")],
)
def test_a_turned_film_is_written_upright(
    degrees: int, size: tuple[int, int], edge: str, tmp_path: Path
) -> None:
    film, copy = copied(
        turn(write(tmp_path / "f.mp4", range(0, 400, 40)), degrees), tmp_path / "c.mp4"
    )
    assert (copy.width, copy.height) == (film.width, film.height) == size
    with av.open(str(tmp_path / "c.mp4")) as container:
        assert next(container.decode(video=0)).rotation == 0
    first = next(read_frames(copy)).picture(*size).astype(int)
    sides = {"top": first[:4], "right": first[:, -4:], "bottom": first[-4:], "left": first[:, :4]}
    assert max(sides, key=lambda side: float(sides[side].mean())) == edge


def test_odd_sides_and_wide_pixels_become_even_and_square(tmp_path: Path) -> None:
    path = write(tmp_path / "f.mkv", range(0, 400, 40), size=(66, 48), ratio=Fraction(3, 2))
    film, copy = copied(path, tmp_path / "c.mp4")
    assert (film.width, film.height) == (99, 48)
    assert (copy.width, copy.height) == (100, 48)


def test_what_is_not_drawn_on_stays_as_it_was(drawn_film: Path, tmp_path: Path) -> None:
    copied(drawn_film, tmp_path / "copy.mp4")
    off = np.abs(planes(tmp_path / "copy.mp4") - planes(drawn_film))
    assert off.mean() < 1.5 and np.percentile(off, 99) <= 8


@pytest.mark.parametrize(("full", "matrix"), [(True, 1), (False, 1), (False, 5), (False, 9)])
def test_colours_are_kept(full: bool, matrix: int, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.color_range, stream.codec_context.colorspace = 1 + full, matrix
        stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
        for level in (3, 100, 250) if full else (16, 100, 235):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), level, np.uint8), "yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    copied(film, tmp_path / "copy.mp4")

    def seen(path: Path) -> tuple[list[int], list[Array]]:
        with av.open(str(path)) as container:
            codec = container.streams.video[0].codec_context
            tags = [codec.color_range, codec.colorspace, codec.color_primaries, codec.color_trc]
            return tags, [frame.to_ndarray() for frame in container.decode(video=0)]

    (tags, before), (kept, after) = seen(film), seen(tmp_path / "copy.mp4")
    assert kept == tags and tags[:2] == [1 + full, matrix]
    assert np.abs(np.stack(after).astype(int) - np.stack(before)).max() <= 2


# --- sound -----------------------------------------------------------------------------


def sounding(
    path: Path,
    late: float = 0.0,
    codec: str = "aac",
    rate: int = 48000,
    sounds: int = 1,
    start: float = 0.0,
) -> Path:
    """Write two seconds of pictures, late by some, and silence with a click after one second.

    The sound, and with it the click, begins later by ``start``.
    """
    with av.open(str(path), "w") as container:
        pictures: Any = container.add_stream("libx264", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        pictures.codec_context.time_base = Fraction(1, 1000)
        heard: list[Any] = [container.add_stream(codec, rate=rate) for _ in range(sounds)]
        for number, stream in enumerate(heard):
            stream.codec_context.layout, stream.codec_context.bit_rate = "stereo", 128_000
            stream.metadata["language"] = ("deu", "fra")[number]
        for n in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), 100, np.uint8), "yuv420p")
            frame.pts, frame.time_base = 40 * n + round(1000 * late), Fraction(1, 1000)
            container.mux(pictures.encode(frame))
        for stream in heard:
            wave = np.zeros((2, 2 * rate), np.int16)
            wave[:, rate : rate + rate // 50] = 20000
            for at in range(0, 2 * rate, 1000):
                some = np.ascontiguousarray(wave[:, at : at + 1000].T.reshape(1, -1))
                frame = av.AudioFrame.from_ndarray(some, format="s16", layout="stereo")
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = at + round(start * rate)
                container.mux(stream.encode(frame))
        for stream in (pictures, *heard):
            container.mux(stream.encode(None))
    return path


Packet = tuple[Fraction, bytes]


def packets(path: Path, number: int = 0) -> list[Packet]:
    """All packets of a sound with their times after the first picture, s."""
    first = exact(open_video(path))[0]
    with av.open(str(path)) as container:
        zero = Fraction(container.start_time or 0, av.time_base)
        return [
            (packet.pts * Fraction(packet.time_base) - zero - first, bytes(packet))
            for packet in container.demux(container.streams.audio[number])
            if packet.size and packet.pts is not None and packet.time_base
        ]


def click(path: Path) -> float:
    """When the click is heard, s after the first picture."""
    first = exact(open_video(path))[0]
    with av.open(str(path)) as container:
        zero = Fraction(container.start_time or 0, av.time_base)
        for frame in container.decode(audio=0):
            loud = np.abs(frame.to_ndarray().astype(float))
            scale = 1.0 if frame.format.name.startswith("flt") else 32768.0
            step = frame.layout.nb_channels if not frame.format.is_planar else 1
            found = np.flatnonzero(loud.max(axis=0) > 0.2 * scale)
            if len(found):
                at = frame.pts * Fraction(frame.time_base) - zero - first
                return float(at) + found[0] / step / frame.sample_rate
    raise AssertionError("no click")


@pytest.mark.parametrize(
    ("codec", "late", "start"),
    [
        ("aac", 0, 0), ("aac", 0.3, 0), ("aac", 0, 0.25),
        ("libmp3lame", 0, 0.25), ("libmp3lame", 0.3, 0), ("ac3", 0.3, 0),
    ],
)  # fmt: skip
def test_sound_is_copied_packet_by_packet(
    codec: str, late: float, start: float, tmp_path: Path
) -> None:
    film = sounding(tmp_path / "film.mp4", late, codec, start=start)
    copied(film, tmp_path / "copy.mp4")
    before, after = packets(film), packets(tmp_path / "copy.mp4")
    assert [data for _, data in after] == [data for _, data in before] and len(after) > 50
    off = [abs(one[0] - other[0]) for one, other in zip(after, before, strict=True)]
    assert max(off) <= Fraction(1, 48000)
    assert click(tmp_path / "copy.mp4") == pytest.approx(1 + start - late, abs=0.002)


@pytest.mark.parametrize(
    ("name", "codec", "ending", "late"),
    [
        ("film.mkv", "mp2", ".mp4", 0.3),
        ("film.mkv", "pcm_s16le", ".mp4", 0),
        ("film.asf", "wmav2", ".mov", 0.3),
        ("film.mkv", "flac", ".mov", 0),
    ],
)
def test_sound_that_the_form_does_not_take_becomes_aac(
    name: str, codec: str, ending: str, late: float, tmp_path: Path
) -> None:
    film, notes = sounding(tmp_path / name, late, codec), list[str]()
    render(
        a_run(film, folder=tmp_path / "film.vcn"), tmp_path / f"copy{ending}", PLAIN,
        hook=lambda event: notes.append(event.message) if event.kind == "note" else None,
    )  # fmt: skip
    with av.open(str(tmp_path / f"copy{ending}")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    assert ["sound as AAC" in note for note in notes] == [True]
    assert click(tmp_path / f"copy{ending}") == pytest.approx(click(film), abs=0.003)


def test_sound_before_the_beginning_is_not_heard_in_matroska(tmp_path: Path) -> None:
    film = sounding(tmp_path / "film.mp4")
    before, after = copied(film, tmp_path / "copy.mkv")
    assert after.times[0] == before.times[0] == 0
    assert click(tmp_path / "copy.mkv") == pytest.approx(click(film), abs=0.002)


def test_what_ffmpeg_does_not_write_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = sounding(tmp_path / "film.mkv", codec="flac")
    monkeypatch.setitem(COPIED, "mov", COPIED["mp4"])  # MOV has no FLAC
    with pytest.raises(StoreError, match=r"FFmpeg cannot write .*copy\.mov: Invalid argument"):
        copied(film, tmp_path / "copy.mov")
    assert list(tmp_path.iterdir()) == [film]


def test_pcm_is_copied_where_it_is_at_home(tmp_path: Path) -> None:
    film = sounding(tmp_path / "film.mov", codec="pcm_s16le", rate=44100)
    copied(film, tmp_path / "copy.mov")
    before, after = packets(film), packets(tmp_path / "copy.mov")
    assert b"".join(data for _, data in after) == b"".join(data for _, data in before)


def test_all_sounds_are_kept_with_their_language(tmp_path: Path) -> None:
    film = sounding(tmp_path / "film.mp4", sounds=2)
    copied(film, tmp_path / "copy.mp4")
    with av.open(str(tmp_path / "copy.mp4")) as container:
        assert [one.metadata["language"] for one in container.streams.audio] == ["deu", "fra"]
    for number in (0, 1):
        assert [p[1] for p in packets(tmp_path / "copy.mp4", number)] == [
            p[1] for p in packets(film, number)
        ]


def test_a_start_timecode_is_kept(tmp_path: Path) -> None:
    film = write(tmp_path / "film.mov", range(0, 1000, 40))
    run = a_run(film, folder=tmp_path / "film.vcn")
    tags = replace(run.films[0].tags, timecode="00:59:50:00")
    render(replace(run, films=(replace(run.films[0], tags=tags),)), tmp_path / "copy.mov", PLAIN)
    with av.open(str(tmp_path / "copy.mov")) as container:
        assert container.streams.video[0].metadata["timecode"] == "00:59:50:00"
