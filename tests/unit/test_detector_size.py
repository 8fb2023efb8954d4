"""The size at which the detector sees a film: what is tried, what is counted, what is chosen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests import tables
from tests.drawn import COLOURS, PLAIN, DiscDetector, FakeModels
from videoclusternet import Config, Result, cluster_film
from videoclusternet.cli.demo_film import portraits, write_film
from videoclusternet.engine.processes import Processes
from videoclusternet.engine.work import Work
from videoclusternet.errors import Cancelled, ConfigError
from videoclusternet.events import Event
from videoclusternet.film.detector_size import (
    FEW,
    LOST,
    REACH,
    choose_size,
    count_found,
    frames_to_try,
    sides_of,
    smallest_enough,
)
from videoclusternet.film.faces import USUAL_SIDE, detection_size, frames_at_once
from videoclusternet.film.video import open_video
from videoclusternet.models.detectors.detector import Detections
from videoclusternet.models.load import LazyDetector
from videoclusternet.runfolder.folder import FolderParts
from videoclusternet.runfolder.table_files import read_table, table_path
from videoclusternet.types import DetectorSizes, Faces

SURE, NEW, LEAST = 0.85, 0.7, 14.0
TERMS = (SURE, NEW, LEAST, 0)
CHOSEN = "faces are looked for at 1280 px of 1920: in 8 frames 24 of 24 are found, at 640 px 0"
"""What is said of a film of three small discs a frame."""
Pictures = Iterator[np.ndarray]


def discs(radius: int, frames: int = 24) -> Pictures:
    """Three discs on a grey wall of 1920x1080, which move on: each frame is another."""
    for number in range(frames):
        picture = np.full((1080, 1920, 3), 90, dtype=np.uint8)
        for place, colour in enumerate(COLOURS.values(), 1):
            cv2.circle(picture, (450 * place + 2 * number, 540), radius, colour, -1)
        yield picture


def crowd(face: float) -> Pictures:
    """The portraits of the demo film, many times, with faces so many px tall."""
    picture = np.full((1080, 1920, 3), 90, dtype=np.uint8)
    for place, one in enumerate(list(portraits().values()) * 4):
        half = round(0.9 * one.face)
        x, y = round(one.x), round(one.y)
        part = one.pixels[max(0, y - half) : y + half, max(0, x - half) : x + half]
        side = round(1.8 * face)
        top, left = 10 + 540 * (place // 4), 10 + 475 * (place % 4)
        pasted = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
        picture[top : top + side, left : left + side] = pasted
    for number in range(8):
        yield np.roll(picture, number, axis=1)


Draw = Callable[[Pictures], Path]


@pytest.fixture
def drawn(tmp_path: Path) -> Draw:
    """Write a film of some pictures."""

    def write(pictures: Pictures) -> Path:
        write_film(tmp_path / "film.mp4", pictures)
        return tmp_path / "film.mp4"

    return write


@pytest.mark.parametrize(
    ("width", "height", "sides"),
    [
        (192, 144, (192,)),
        (640, 360, (640,)),
        (704, 576, (704,)),
        (1280, 720, (640, 960, 1280)),
        (1080, 1920, (640, 960, 1280, 1920)),
        (4096, 2160, (640, 960, 1280, 1920, 2560, 4096)),
    ],
)
def test_no_size_is_larger_than_the_film(width: int, height: int, sides: tuple[int, ...]) -> None:
    assert sides_of(tables.video(9, width=width, height=height)) == sides
    for side in sides:
        assert max(detection_size(width, height, side)) == side


def test_nothing_chosen_is_the_usual_size() -> None:
    assert detection_size(1920, 1080, 0) == (960, 540)
    assert detection_size(640, 360, 0) == (640, 360)


def test_large_pictures_take_no_more_memory_than_usual_ones() -> None:
    sides = (320, 960, 1280, 1920, 3840)
    at_once = [frames_at_once((side, side // 2), 16) for side in sides]
    assert at_once == [16, 16, 9, 4, 1]
    assert frames_at_once((3840, 2160), 4) == 1


@pytest.mark.parametrize("seed", range(40))
def test_the_smallest_that_loses_few_is_chosen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sides = (640, 960, 1280, 1920)[: rng.integers(2, 5)]
    faces = int(rng.integers(0, 60))
    found = np.sort(rng.integers(faces - faces // 8, faces + 1, len(sides)))
    if seed % 2:
        rng.shuffle(found)

    def slowly() -> int:
        if faces < FEW:
            return 960 if max(sides) > 960 else max(sides)
        best = max(Fraction(int(n), faces) for n in found)
        for side, n in zip(sides, found.tolist(), strict=True):
            if Fraction(n, faces) >= best - Fraction(1, LOST):
                return side
        raise AssertionError

    assert smallest_enough(sides, found, faces) == slowly()


def test_few_faces_choose_the_usual_size_and_never_more_than_the_film() -> None:
    assert smallest_enough((640, 960, 1280), np.array([0, 0, FEW - 1]), FEW - 1) == USUAL_SIDE
    assert smallest_enough((640, 800), np.array([0, FEW - 1]), FEW - 1) == 800
    assert smallest_enough((640, 960, 1280), np.array([0, 0, FEW]), FEW) == 1280


def seen(rng: np.random.Generator, faces: np.ndarray) -> Detections:
    """What a size might find of some faces: not all, not quite there, and some that are none."""
    some = faces[rng.random(len(faces)) < 0.7] + rng.normal(0, 3, 4)
    none = rng.uniform(0, 300, (2, 2))
    box = np.concatenate([some, np.hstack([none, none + rng.uniform(5, 40, (2, 2))])])
    score = rng.uniform(0.5, 1, len(box))
    return Detections(box.astype("f4"), np.zeros((len(box), 5, 2), "f4"), score.astype("f4"))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    inner = max(wide, 0) * max(high, 0)
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(inner / (areas - inner))


@pytest.mark.parametrize("seed", range(20))
def test_faces_are_counted_once_and_found_by_whom_they_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 200, (6, 2))
    faces = np.hstack([corner, corner + rng.uniform(10, 60, (6, 2))])
    sizes = [seen(rng, faces) for _ in range(3)]

    pooled = [(s, b) for one in sizes for s, b in zip(one.score, one.box, strict=True)]
    there: list[np.ndarray] = []
    for score, box in sorted(pooled, key=lambda row: -row[0]):
        side = min(box[2] - box[0], box[3] - box[1])
        if score >= SURE and side >= LEAST and all(overlap(box, f) <= 0.5 for f in there):
            there.append(box)
    found = [
        sum(
            any(s >= NEW and overlap(f, b) >= 0.5 for s, b in zip(one.score, one.box, strict=True))
            for f in there
        )
        for one in sizes
    ]

    counted, count = count_found(sizes, SURE, NEW, LEAST)
    assert (counted.tolist(), count) == (found, len(there))


def test_a_frame_without_a_face() -> None:
    none = Detections(np.zeros((0, 4), "f4"), np.zeros((0, 5, 2), "f4"), np.zeros(0, "f4"))
    counted, count = count_found([none, none], SURE, NEW, LEAST)
    assert (counted.tolist(), count) == ([0, 0], 0)


@pytest.mark.parametrize("every", [1, 12, 250, 10_000])
@pytest.mark.parametrize("frames", [1, 5, 48, 1920, 40_000])
def test_frames_to_try_lie_apart_and_near_key_frames(frames: int, every: int) -> None:
    number = np.arange(frames)
    video = replace(tables.video(frames), key=number % every == 0)
    tried = frames_to_try(video, frames // 6)
    assert (np.diff(tried) > 0).all() and tried[0] >= 0 and tried[-1] < frames
    assert (tried % every <= REACH).all()
    if every <= 250:
        assert len(tried) == min(frames, np.clip(frames // 6 // 16, 8, 96))
        places = (np.arange(len(tried)) + 0.5) * frames / len(tried)
        assert (tried <= places).all() and (tried[1:] > places[:-1] - 1).all()
    if every * 96 < frames:
        assert (tried % every == 0).all()


def test_a_film_without_a_key_frame_is_read_from_its_beginning() -> None:
    video = replace(tables.video(5000), key=np.zeros(5000, bool))
    assert frames_to_try(video, 5000 // 6).tolist() == [0, 144, 240, 300]


def test_large_faces_choose_a_smaller_size(drawn: Draw) -> None:
    """The stand-in finds discs from 12 px on."""
    notes: list[str] = []
    small, large = (
        choose_size(open_video(drawn(discs(radius))), DiscDetector, *TERMS, Work(note=notes.append))
        for radius in (10, 80)
    )
    assert small.side.tolist() == large.side.tolist() == [640, 960, 1280, 1920]
    assert (small.faces, small.found.tolist(), small.chosen) == (24, [0, 0, 24, 24], 1280)
    assert (large.faces, large.found.tolist(), large.chosen) == (24, [24] * 4, 640)
    assert notes == [
        CHOSEN,
        "faces are looked for at 640 px of 1920: in 8 frames 24 of 24 are found",
    ]


def test_a_film_without_faces_is_seen_as_before(drawn: Draw) -> None:
    notes: list[str] = []
    video = open_video(drawn(np.full((720, 1280, 3), 90, np.uint8) for _ in range(9)))
    sizes = choose_size(video, DiscDetector, *TERMS, Work(note=notes.append))
    assert (sizes.faces, sizes.chosen) == (0, 960)
    said = "faces are looked for at 960 px of 1280: in 8 frames too few were seen to choose by"
    assert notes == [said]


def test_what_was_tried_before_a_stop_is_not_tried_again(drawn: Draw, tmp_path: Path) -> None:
    video, detector = open_video(drawn(discs(10))), DiscDetector()
    whole = choose_size(video, lambda: detector, *TERMS)
    assert detector.seen == 8 * 4

    def stop(done: int, total: int) -> None:
        assert total == 8
        if done == 4:
            raise Cancelled("stopped")

    parts = FolderParts(tmp_path / "parts")
    with pytest.raises(Cancelled):
        choose_size(video, lambda: detector, *TERMS, Work(stop, parts=parts))
    detector.seen = 0
    again = choose_size(video, lambda: detector, *TERMS, Work(parts=parts))
    assert detector.seen == 4 * 4 and again.digest == whole.digest


def run_of(film: Path, run: Path, *settings: str) -> tuple[Result, list[Event]]:
    events: list[Event] = []
    result = cluster_film(film, run, Config.load(settings=[*PLAIN, *settings]), events.append)
    return result, events


def test_the_scan_sees_what_was_chosen(
    drawn: Draw, fake_models: FakeModels, tmp_path: Path
) -> None:
    film, run = drawn(discs(10)), tmp_path / "run"
    _, events = run_of(film, run)
    notes = [e.message for e in events if (e.kind, e.step) == ("note", "detector_size")]
    assert notes == [CHOSEN]
    sizes = read_table(table_path(run, DetectorSizes), DetectorSizes)
    assert sizes.chosen == 1280 and not list((run / "parts").iterdir())
    faces = read_table(table_path(run, Faces), Faces)
    assert len(np.unique(faces.frame)) * 3 == len(faces) > 0
    # Edges of boxes lie on the grid of a picture of 1280 px.
    np.testing.assert_allclose(faces.box / 1.5, np.round(faces.box / 1.5), atol=1e-3)
    _, events = run_of(film, run)
    assert {e.kind for e in events} == {"cached"}


def test_a_number_of_the_user_goes_before_and_tries_nothing(
    drawn: Draw, fake_models: FakeModels, tmp_path: Path
) -> None:
    film, run = drawn(discs(10, 12)), tmp_path / "run"
    run_of(film, run)
    fake_models.detector.seen = 0
    result, events = run_of(film, run, "faces.max_side=640")
    assert "detector_size" not in {e.step for e in events}
    assert fake_models.detector.seen == 4 and len(result.films[0].faces or ()) == 0
    assert "detector_size" not in json.loads((run / "run.json").read_text())["steps"]
    assert not table_path(run, DetectorSizes).exists()


def test_a_film_of_640_px_is_tried_at_none(
    drawn_film: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    result, events = run_of(drawn_film, tmp_path / "run")
    assert "detector_size" not in {e.step for e in events}
    (film,) = result.films
    assert film.video is not None and film.faces is not None
    assert fake_models.detector.seen == -(-film.video.frames // film.faces.stride)
    assert not table_path(tmp_path / "run", DetectorSizes).exists()


@pytest.mark.parametrize(("value", "fits"), [(0, True), (1, False), (63, False), (64, True)])
def test_a_picture_of_a_few_px_is_refused(value: int, fits: bool) -> None:
    settings = [f"faces.max_side={value}"]
    if fits:
        assert Config.load(settings=settings).faces.max_side == value
        return
    with pytest.raises(ConfigError, match="max_side': input should be 0, or at least 64"):
        Config.load(settings=settings)


@pytest.mark.slow
def test_one_process_and_two_choose_the_same(drawn: Draw) -> None:
    """The embedded detector sees portraits, large and small."""
    detector = LazyDetector("mtcnn", "cpu")
    chosen = []
    for face in (250, 26):
        video = open_video(drawn(crowd(face)))
        alone = choose_size(video, detector, *TERMS)
        with Processes(2) as engine:
            shared = choose_size(video, detector, *TERMS, Work(engine=engine))
        assert alone.digest == shared.digest
        assert alone.faces >= 2 * FEW
        chosen.append(alone.chosen)
    assert chosen == [640, 1920]
