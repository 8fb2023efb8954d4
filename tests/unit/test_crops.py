"""Aligned crops: template, half-second grid, zip file."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data

from tests import tables
from videoclusternet.cli.demo_film import write_film
from videoclusternet.config import CropConfig, QualityConfig
from videoclusternet.engine.work import Engine, Serial, Work
from videoclusternet.errors import StoreError
from videoclusternet.film.crops import align, crops_table, cut_crops, encode, grid_faces
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.runfolder.crop_zip import CropPictures, crop_name
from videoclusternet.types import Crops, Reason
from videoclusternet.types.canvas import CANVAS, CANVAS_TEMPLATE

OK, SMALL = int(Reason.OK), int(Reason.SMALL)


def dots(landmarks: np.ndarray, radius: float, size: tuple[int, int] = (720, 960)) -> np.ndarray:
    """A picture that holds nothing but five soft dots, one colour channel for each of three."""
    y, x = np.mgrid[: size[0], : size[1]]
    picture = np.zeros((*size, 3))
    for i, (at_x, at_y) in enumerate(landmarks):
        spot = 255 * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / (2 * radius**2))
        picture[..., i % 3] = np.maximum(picture[..., i % 3], spot)
    return picture.astype(np.uint8)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5, 5.0])
@pytest.mark.parametrize("degrees", [0, 25, -100])
def test_landmarks_land_on_the_template(scale: float, degrees: float) -> None:
    cos, sin = np.cos(np.radians(degrees)) * scale, np.sin(np.radians(degrees)) * scale
    turn = np.array([[cos, sin], [-sin, cos]])
    landmarks = (CANVAS_TEMPLATE - CANVAS / 2) @ turn + [480, 360]
    canvas = align(dots(landmarks, 3 * scale), landmarks)
    assert canvas.shape == (CANVAS, CANVAS, 3) and canvas.dtype == np.uint8
    y, x = np.mgrid[:CANVAS, :CANVAS]
    for i, place in enumerate(CANVAS_TEMPLATE):
        weight = canvas[..., i % 3] * ((x - place[0]) ** 2 + (y - place[1]) ** 2 < 10**2)
        centre = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
        np.testing.assert_allclose(centre, place, atol=0.25)


def test_a_large_face_is_averaged_not_sampled() -> None:
    # Stripes one pixel wide at ten times the size of the canvas: only grey is left of them.
    picture = np.zeros((1600, 1600, 3), np.uint8)
    picture[:, ::2] = 255
    canvas = align(picture, CANVAS_TEMPLATE * 10 + 40)
    assert np.abs(canvas[20:-20, 20:-20].astype(int) - 127).max() < 12


def test_beyond_the_frame_the_border_is_repeated() -> None:
    picture = np.full((100, 100, 3), 77, np.uint8)
    assert (align(picture, CANVAS_TEMPLATE - 60) == 77).all()
    assert (align(picture, CANVAS_TEMPLATE * 4 - 300) == 77).all()
    assert (align(picture, CANVAS_TEMPLATE * 3 + 5000) == 77).all()


def grid(
    numbers: list[int] | np.ndarray, fps: Fraction, flaw: dict[int, int] | None = None
) -> list[int]:
    """Frames chosen from a track that was seen in these frames."""
    faces = tables.faces([(int(n), 0, 0, 50, 60) for n in numbers])
    times = np.arange(int(numbers[-1]) + 1) * float(1 / fps)
    reasons = np.array([(flaw or {}).get(int(n), OK) for n in numbers])
    rows = grid_faces(np.arange(len(faces)), faces, reasons, times, 0.5)
    return [int(faces.frame[row]) for row in rows]


def test_at_24_frames_a_second_every_twelfth_from_the_first() -> None:
    for first in (0, 5, 100):
        assert grid(np.arange(first, first + 61), Fraction(24)) == [
            first + 12 * n for n in range(6)
        ]


def assert_nearest_to_the_grid(seen: np.ndarray, chosen: np.ndarray) -> None:
    """Every half second from the first face on has the face nearest to it, and no other.

    Times in seconds.  A track that ends a tenth of a step before the grid counts as long enough.
    """
    grid = np.arange(0, seen[-1] - seen[0] + 0.05 + 1e-9, 0.5) + seen[0]
    assert len(grid) == len(chosen)
    for moment, got in zip(grid, chosen, strict=True):
        assert abs(got - moment) <= np.abs(seen - moment).min() + 1e-9


@pytest.mark.parametrize(
    ("fps", "want"),
    [
        (Fraction(24000, 1001), [7, 19, 31, 43, 55, 67]),
        (Fraction(25), [7, 19, 32, 44, 57, 69]),
        (Fraction(30), [7, 22, 37, 52, 67]),
        (Fraction(60), [7, 37, 67]),
        (Fraction(10), [7, 12, 17, 22, 27, 32, 37, 42, 47, 52, 57, 62, 67]),
    ],
)
def test_grid_at_other_rates(fps: Fraction, want: list[int]) -> None:
    got = grid(np.arange(7, 71), fps)
    # Half a second may fall between two frames: either is as near.
    assert all(abs(a - b) <= 1 for a, b in zip(got, want, strict=False))
    assert_nearest_to_the_grid(np.arange(7, 71) / float(fps), np.array(got) / float(fps))


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25)])
def test_grid_never_drifts_from_the_clock(fps: Fraction) -> None:
    got = np.array(grid(np.arange(5000), fps))
    assert_nearest_to_the_grid(np.arange(5000) / float(fps), got / float(fps))


def test_grid_goes_by_time_in_a_film_of_variable_rate() -> None:
    times = np.cumsum(np.random.default_rng(0).choice([1 / 60, 1 / 30, 1 / 12], 300))
    faces = tables.faces([(n, 0, 0, 50, 60) for n in range(20, 300)])
    rows = grid_faces(np.arange(280), faces, np.zeros(280), times, 0.5)
    assert_nearest_to_the_grid(times[20:], times[faces.frame[rows]])


def test_gaps_leave_half_seconds_out_and_a_stride_takes_the_nearest() -> None:
    assert grid([0, 12, 48, 60], Fraction(24)) == [0, 12, 48, 60]
    assert grid([0, 5, 10, 15, 20, 25, 30], Fraction(24)) == [0, 10, 25]


def test_a_bad_face_gives_way_in_its_half_second() -> None:
    frames = list(range(40))
    assert grid(frames, Fraction(24), {12: SMALL}) in ([0, 11, 24, 36], [0, 13, 24, 36])
    assert grid(frames, Fraction(24), {12: SMALL, 11: SMALL}) == [0, 13, 24, 36]
    # None that is good within a quarter of a second: nothing is taken.
    assert grid(frames, Fraction(24), dict.fromkeys(range(6, 19), SMALL)) == [0, 24, 36]
    assert grid(frames, Fraction(24), {0: SMALL}) == [1, 12, 24, 36]


def test_a_track_of_bad_faces_keeps_its_sharpest() -> None:
    sharp = [0.1, 0.4, 0.2, 0.3]
    faces = tables.faces([(n, 0, 0, 20, 20) for n in range(4)], sharpness=sharp)
    assert grid_faces(np.arange(4), faces, np.full(4, SMALL), np.arange(4) / 24, 0.5) == [1]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a portrait that moves to the right by a pixel in each frame."""
    portrait = np.asarray(skimage.data.astronaut())[:256, 96:352]

    def pictures() -> Iterator[np.ndarray]:
        for n in range(49):
            picture = np.full((256, 384, 3), 40, np.uint8)
            picture[:, n : n + 256] = portrait
            yield picture

    path = tmp_path_factory.mktemp("crops") / "film.mp4"
    write_film(path, pictures())
    return path


IN_PORTRAIT = np.array([[204.0, 103], [247, 104], [225, 129], [202, 140], [245, 141]])
LANDMARKS = IN_PORTRAIT - [96, 0]


def cut(film: Path, folder: Path, engine: Engine | None = None) -> tuple[Crops, Path]:
    """Cut two tracks: the face that moves, and a piece of the wall from frame 30 on."""
    folder.mkdir(exist_ok=True)
    rows = [(n, 80.0 + n, 60.0, 170.0 + n, 175.0) for n in range(49)]
    wall = [(n, 300.0, 60.0, 360.0, 130.0) for n in range(30, 49)]
    order = sorted([*rows, *wall])
    faces = tables.faces(order)
    marks = faces.landmarks.copy()
    moving = [i for i, row in enumerate(order) if row in rows]
    marks[moving] = LANDMARKS + [[[n, 0]] for n in range(49)]
    faces = type(faces)(**{**faces.arrays(), "landmarks": marks}, stride=1)
    still = [i for i in range(len(order)) if i not in moving]
    tracks = tables.tracks([(0, 0, 48), (0, 30, 48)], [moving, still])
    told: list[tuple[int, int]] = []
    crops = cut_crops(
        open_video(film, fps=Fraction(24) if film.is_dir() else None),
        faces,
        tracks,
        CropConfig(),
        QualityConfig(),
        Work(
            lambda done, total: told.append((done, total)),
            engine=engine or Serial(),
            file=folder / "crops.zip",
        ),
    )
    assert told[-1][0] == told[-1][1] == len(told)
    return crops, folder / "crops.zip"


def test_crops_of_a_film_and_back_from_the_zip(film: Path, tmp_path: Path) -> None:
    crops, path = cut(film, tmp_path)
    assert crops.track.tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert crops.frame.tolist() == [0, 12, 24, 36, 48, 30, 42]
    assert crops.tracks == 2
    with zipfile.ZipFile(path) as archive:
        names = [crop_name(int(t), int(f)) for t, f in zip(crops.track, crops.frame, strict=True)]
        assert sorted(archive.namelist()) == names
        assert {i.compress_type for i in archive.infolist()} == {zipfile.ZIP_STORED}
        found = [zlib.crc32(archive.read(name)) for name in names]
    assert found == crops.checksum.tolist()
    pictures = CropPictures([(path, crops)])
    assert len(pictures) == 7
    pixels = pictures.pixels(np.arange(7))
    assert pixels.shape == (7, CANVAS, CANVAS, 3) and pixels.dtype == np.uint8
    # The face moved, its crops did not: rows and colours are where they should be.
    want = align(np.asarray(skimage.data.astronaut()), IN_PORTRAIT).astype(int)
    for i in range(5):
        assert np.abs(pixels[i, 30:120, 30:120].astype(int) - want[30:120, 30:120]).mean() < 5
    assert np.abs(pixels[6, 72, 72].astype(int) - 40).max() < 6
    assert np.array_equal(pictures.pixels([3, 0]), pixels[[3, 0]])


class LastFirst(Serial):
    """Ends with what comes first, as processes may; counts the parts."""

    def map(self, make: Any, items: Sequence[Any], tell: Any, patient: bool = False) -> Any:
        self.parts = len(items)
        return super().map(make, items[::-1], tell, patient)


def test_crops_are_the_same_to_the_byte_whoever_cuts_them(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "film").mkdir()
    for frame in read_frames(open_video(film)):
        picture = frame.picture(384, 256)[..., ::-1]
        cv2.imwrite(str(tmp_path / "film" / f"{frame.number}.png"), picture)
    crops, path = cut(tmp_path / "film", tmp_path / "one")
    monkeypatch.setattr("videoclusternet.film.crops.PART", 12)
    engine = LastFirst()
    again, other = cut(tmp_path / "film", tmp_path / "many", engine)
    assert engine.parts == 5 and again.digest == crops.digest
    assert other.read_bytes() == path.read_bytes()
    cut(film, tmp_path / "whole", engine)
    assert engine.parts == 1  # decoding can begin nowhere but at the start


def test_rows_count_on_from_film_to_film(film: Path, tmp_path: Path) -> None:
    crops, path = cut(film, tmp_path)
    both = CropPictures([(path, crops), (path, crops)])
    assert len(both) == 14 and both.jpeg(8) == both.jpeg(1) != both.jpeg(2)


def test_table_is_sorted_whatever_the_order_of_cutting() -> None:
    rows = [(1, 5, 9, 3), (0, 30, 2, 1), (0, 6, 1, 2)]
    crops = crops_table(rows, 4)
    assert crops.track.tolist() == [0, 0, 1] and crops.frame.tolist() == [6, 30, 5]
    assert crops.face.tolist() == [1, 2, 9] and crops.checksum.tolist() == [2, 1, 3]
    assert crops.tracks == 4 and len(crops_table([], 0)) == 0


def test_encoding_keeps_colours() -> None:
    canvas = align(np.asarray(skimage.data.astronaut()), IN_PORTRAIT)
    back = cv2.imdecode(np.frombuffer(encode(canvas), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(back.astype(int) - canvas).mean() < 3


def written(path: Path, files: dict[str, bytes]) -> CropPictures:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return read_back(path, files.get(crop_name(0, 0), b""))


def read_back(path: Path, data: bytes) -> CropPictures:
    """One crop, which the run wrote with these bytes."""
    return CropPictures([(path, crops_table([(0, 0, -1, zlib.crc32(data))], 1))])


GREY = np.full((CANVAS, CANVAS, 3), 90, np.uint8)


@pytest.mark.parametrize("content", [b"", b"no picture", encode(GREY[:112, :112])])
def test_what_is_no_crop_is_refused(content: bytes, tmp_path: Path) -> None:
    pictures = written(tmp_path / "crops.zip", {crop_name(0, 0): content})
    with pytest.raises(StoreError, match=r"crops\.zip is damaged.*00000/0000000\.jpg"):
        pictures.pixels([0])


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "crops.zip"
    missing = written(path, {"other.jpg": encode(GREY)})
    with pytest.raises(StoreError, match=r"cannot read 00000/0000000\.jpg"):
        missing.jpeg(0)
    written(path, {crop_name(0, 0): encode(GREY)})
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(StoreError, match="is damaged"):
        read_back(path, encode(GREY)).jpeg(0)
    for broken in (bytes(data[:-30]), b"", b"no zip"):
        path.write_bytes(broken)
        with pytest.raises(StoreError, match="is damaged"):
            read_back(path, encode(GREY)).jpeg(0)
    path.unlink()
    with pytest.raises(StoreError, match="is damaged"):
        read_back(path, encode(GREY)).jpeg(0)
