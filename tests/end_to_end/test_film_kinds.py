"""Films of all kinds that people have, made by ffmpeg: every frame in order, found alone, timed."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.unit.test_index import expect, seen
from tests.unit.test_video import number_of, turn, write
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.types import Unread, VideoInfo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg (its package) is not here"),
]
FRAMES = 60


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lossless film of 60 numbered frames at 25 a second, large enough for every codec."""
    path = tmp_path_factory.mktemp("kinds") / "plain.mkv"
    return write(path, range(0, FRAMES * 40, 40), size=(320, 240), crf="0")


def made(plain: Path, name: str, *options: str, before: tuple[str, ...] = ()) -> Path:
    """Convert the plain film; options of the command that stand before or after it."""
    path = plain.with_name(name)
    command = ["ffmpeg", "-v", "error", "-y", *before, "-i", str(plain), *options, str(path)]
    subprocess.run(command, check=True)
    return path


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def opened(path: Path) -> tuple[VideoInfo, list[str]]:
    """Open a film, and return what is said of it."""
    told: list[str | Unread] = []
    info = open_video(path, told.append)
    assert all(said == Unread() for said in told if isinstance(said, Unread))
    return info, [said for said in told if isinstance(said, str)]


X265 = "-c:v libx265 -x265-params log-level=error:keyint=12:open-gop=1:bframes=3"
PQ = "-pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc"
KINDS = {
    "prores4444-alpha.mov": "-vf format=yuva444p10le -c:v prores_ks -profile:v 4444",
    "grey16.mkv": "-c:v ffv1 -pix_fmt gray16le",
    "hdr10.mp4": f"{X265} {PQ}",
    "film.gif": "-pix_fmt gray",
    "vp8.webm": "-c:v libvpx -deadline realtime -crf 4 -b:v 2M -g 12",
    "vp9.webm": "-c:v libvpx-vp9 -deadline realtime -crf 4 -b:v 0 -g 12",
    "av1.mp4": "-c:v libsvtav1 -preset 12 -crf 10 -g 12",
    "theora.ogv": "-c:v libtheora -q:v 10 -g 12",
    "windows.wmv": "-c:v wmv2 -q:v 1 -g 12",
    "flash.flv": "-c:v flv -q:v 1 -g 12",
    "motion-jpeg.avi": "-c:v mjpeg -q:v 1",
    "mpeg2.mxf": "-c:v mpeg2video -q:v 1 -g 12 -bf 2",
    "decoding-stamps.mxf": "-c:v libx264 -crf 4 -g 12 -bf 2 -pix_fmt yuv420p",
    "decoding-stamps.asf": "-c:v libx264 -crf 4 -g 12 -bf 2",
    "xvid.avi": "-c:v libxvid -bf 2 -q:v 1 -g 12",
    "hevc.265": f"{X265} -f hevc",
    "av1.obu": "-c:v libsvtav1 -preset 12 -crf 10 -g 12",
    "ten-hours.ts": "-c:v libx264 -crf 4 -bf 3 -g 12 -output_ts_offset 36000",
    "wraps.mpg": "-c:v mpeg2video -q:v 1 -bf 2 -g 12 -output_ts_offset 95442",
    "blu-ray.m2ts": "-c:v libx264 -crf 4 -bf 3 -g 48 -sc_threshold 0 -mpegts_m2ts_mode 1",
    "fragments.mp4": "-c:v libx264 -crf 4 -g 12 -movflags frag_keyframe+empty_moov",
    "open-gop.mp4": X265,
    "interlaced.ts": "-c:v mpeg2video -q:v 1 -g 12 -bf 2 -flags +ildct+ilme -field_order tt",
}


@pytest.mark.parametrize("name", KINDS)
def test_frames_come_in_order_and_are_found_alone(plain: Path, name: str) -> None:
    info, notes = opened(made(plain, name, *words(KINDS[name])))
    expect(info, FRAMES)
    assert notes == [] and (info.width, info.height) == (320, 240)
    # Matroska and FLV count time in milliseconds, GIF in hundredths of a second.
    np.testing.assert_allclose(info.times, np.arange(FRAMES) / 25, atol=0.001)


def test_dnxhd_in_mxf(plain: Path) -> None:
    name, size = "dnxhd.mxf", "-vf scale=1280:720,format=yuv422p -r 25 -c:v dnxhd -b:v 90M"
    info = open_video(made(plain, name, *words(size)))
    expect(info, FRAMES)
    assert (info.width, info.height) == (1280, 720)


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("anamorphic.mp4", "-c:v libx264 -crf 4 -vf setsar=4/3", (427, 240)),
        ("odd.mkv", "-vf scale=321:239 -c:v ffv1", (321, 239)),
        ("vertical.mp4", "-vf scale=240:320 -c:v libx264 -crf 4", (240, 320)),
    ],
)
def test_sizes_and_shapes(plain: Path, name: str, options: str, size: tuple[int, int]) -> None:
    info = open_video(made(plain, name, *words(options)))
    expect(info, FRAMES)
    assert (info.width, info.height) == size


def test_a_size_that_changes_midway(plain: Path) -> None:
    halves = [
        made(plain, f"half{n}.ts", *words(f"-t 1.2 -vf {size} -c:v libx264 -crf 4 -g 12"),
             before=("-ss", str(1.2 * n)))
        for n, size in enumerate(("scale=320:240", "scale=160:120"))
    ]  # fmt: skip
    joined = plain.with_name("changes.ts")
    joined.write_bytes(b"".join(half.read_bytes() for half in halves))
    info = open_video(joined)
    assert info.frames == FRAMES
    assert seen(info) == [(n, n % 32) for n in range(FRAMES)]
    pictures = [frame.picture(info.width, info.height).shape for frame in read_frames(info)]
    assert set(pictures) == {(240, 320, 3)}


def test_an_edit_list_leaves_out_what_players_leave_out(plain: Path) -> None:
    whole = made(plain, "whole.mp4", *words("-c:v libx264 -crf 4 -g 60 -bf 0"))
    cut = plain.with_name("edited.mp4")
    command = f"ffmpeg -v error -y -ss 0.4 -i {whole} -c copy {cut}"
    subprocess.run(command.split(), check=True)  # a copy begins at the key frame, and hides it
    info = open_video(cut)
    assert info.frames == FRAMES - 10
    assert seen(info) == [(n, (n + 10) % 32) for n in range(FRAMES - 10)]
    assert info.times[0] == pytest.approx(0, abs=0.001)


def test_a_start_that_an_edit_list_hides_is_not_missing(plain: Path) -> None:
    early = "-c:v libx264 -crf 4 -bf 3 -g 12 -output_ts_offset -1"
    info, notes = opened(made(plain, "early.mp4", *words(early)))
    assert seen(info) == [(n, (n + 25) % 32) for n in range(FRAMES - 25)]
    assert notes == []


@pytest.mark.parametrize(
    ("name", "codec", "sound"),
    [
        ("f.wmv", "wmv2 -q:v 1", "wmav2"),
        ("f.mkv", "libx264 -crf 4", "aac"),
        ("f.flv", "libx264 -crf 4", "aac"),
        ("f.ts", "libx264 -crf 4", "aac"),
        ("f.mpg", "mpeg2video -q:v 1 -bf 2", "mp2"),
        ("f.avi", "mpeg4 -q:v 1", "mp2"),
        ("f.mp4", "libx264 -crf 4", "aac"),
    ],
)
def test_sound_that_begins_late_and_is_longer(
    plain: Path, name: str, codec: str, sound: str
) -> None:
    tone = f"-itsoffset 3 -f lavfi -i sine=d=5 -map 0:v -map 1:a -c:v {codec} -c:a {sound}"
    info, notes = opened(made(plain, f"late-sound-{name}", *words(tone)))
    expect(info, FRAMES)
    assert notes == [] and info.times[0] == 0


@pytest.mark.parametrize(
    ("suffix", "options", "films"),
    [
        ("mp4", "-c:v libx264 -crf 4", 1),
        ("flv", "-c:v libx264 -crf 4", 1),
        ("wmv", "-c:v wmv2 -q:v 1", 1),
        ("mkv", "-c:v libx264 -crf 4", 2),
        ("ogv", "-c:v libtheora -q:v 10", 3),
        ("avi", "-c:v mpeg4 -q:v 1", 3),
        ("vob", "-c:v mpeg2video -q:v 1 -bf 2 -g 12", 3),
        ("mjpeg", "-c:v mjpeg -q:v 1", 3),
    ],
)
def test_joined_files_are_read_whole_or_it_is_said(
    plain: Path, suffix: str, options: str, films: int
) -> None:
    joined = plain.with_name(f"three.{suffix}")
    joined.write_bytes(made(plain, f"one.{suffix}", *words(options)).read_bytes() * 3)
    info, notes = opened(joined)
    expect(info, films * FRAMES, restart=FRAMES)
    said = [note for note in notes if "3 films are joined in this file, and only" in note]
    assert len(said) == (films < 3)


def test_a_still_that_is_shown_again_is_not_the_film(plain: Path) -> None:
    still = made(plain, "still.mp4", *words("-frames:v 1 -vf scale=640:480,loop=3:1,fps=1"))
    both = f"-i {still} -map 1 -map 0 -c:v libx264 -crf 4 -disposition:v:0 default"
    info, notes = opened(made(plain, "still-first.mkv", *words(both)))
    expect(info, FRAMES)
    assert (info.width, notes) == (320, [])


def test_covers_and_attachments_are_not_the_film(plain: Path) -> None:
    cover = made(plain, "cover.png", "-frames:v", "1", "-vf", "scale=640:480")
    attached = f"-i {cover} -map 1 -map 0 -c:v:0 png -c:v:1 libx264 -disposition:v:0 attached_pic"
    info = open_video(made(plain, "covered.mp4", *words(attached), "-crf", "4"))
    expect(info, FRAMES)
    assert (info.width, info.height) == (320, 240)
    text = plain.with_name("subtitles.ttf")
    text.write_bytes(bytes(1000))
    font = f"-c:v libx264 -crf 4 -attach {text} -metadata:s:t mimetype=application/x-truetype-font"
    expect(open_video(made(plain, "attached.mkv", *words(font))), FRAMES)


def test_a_rate_that_varies(plain: Path) -> None:
    # Every third frame of the second half is left out.
    kept = [n for n in range(FRAMES) if n < 30 or n % 3]
    chosen = "select=lt(n\\,30)+gt(mod(n\\,3)\\,0)"
    info = open_video(made(plain, "varies.mp4", "-vf", chosen, "-fps_mode", "vfr", "-crf", "4"))
    assert seen(info) == [(i, n % 32) for i, n in enumerate(kept)]
    np.testing.assert_allclose(info.times, np.array(kept) / 25, atol=0.001)


@pytest.mark.parametrize(("degrees", "size"), [(90, (240, 320)), (180, (320, 240))])
def test_films_that_are_turned_for_display(
    plain: Path, degrees: int, size: tuple[int, int]
) -> None:
    path = turn(made(plain, "turned.mp4", *words("-c:v libx264 -crf 4 -g 12")), degrees)
    info = open_video(path)
    assert (info.width, info.height, info.frames) == (*size, FRAMES)
    assert [number_of(f.picture(*size)) for f in read_frames(info)] == [n % 32 for n in range(60)]
    assert info.fps == Fraction(25)
