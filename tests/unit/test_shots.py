"""Shot boundaries: the same as PySceneDetect finds by itself."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scenedetect import AdaptiveDetector, ContentDetector, detect

from tests import tables
from videoclusternet.cli.demo_film import write_film
from videoclusternet.config import ShotConfig
from videoclusternet.film.shots import ShotMeter, content_scores, find_shots, meter_size
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.types import FrameScores, Transitions

FPS = Fraction(24)


def measure(path: Path) -> FrameScores:
    """Score all frames of a film."""
    video = open_video(path)
    size, meter = meter_size(video.width, video.height), ShotMeter()
    found = [meter.measure(frame.picture(*size)) for frame in read_frames(video)]
    change, chance = map(np.array, zip(*found, strict=True))
    return FrameScores(change, chance)


def theirs(path: Path, detector: Any, frames: int) -> list[tuple[int, int]]:
    """What PySceneDetect finds; it lists no scene for a film without a cut."""
    scenes = detect(str(path), detector)
    found = [(start.frame_num, stop.frame_num) for start, stop in scenes]
    return found or [(0, frames)]


def ours(scores: FrameScores, config: ShotConfig, fps: Fraction = FPS) -> list[tuple[int, int]]:
    shots = find_shots(scores, config, fps)
    return list(zip(shots.start.tolist(), shots.stop.tolist(), strict=True))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 160 x 96 px: hard cuts, a cut too soon after another, a fade, a flash."""
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 256, (6, 6, 8, 3)).astype(np.uint8)
    scenes = [cv2.resize(r, (240, 96), interpolation=cv2.INTER_CUBIC) for r in rough]

    def pictures() -> Iterator[np.ndarray]:
        for scene, length in ((0, 30), (1, 40), (2, 9), (3, 35)):
            for n in range(length):
                yield np.ascontiguousarray(scenes[scene][:, n : n + 160])
        for n in range(30):
            yield cv2.addWeighted(scenes[3], 1 - n / 30, scenes[4], n / 30, 0)[:, 40:200]
        for n in range(40):
            yield np.full((96, 160, 3), 255, np.uint8) if n == 20 else scenes[4][:, 40:200]

    path = tmp_path_factory.mktemp("shots") / "film.mp4"
    write_film(path, pictures())
    return path


@pytest.mark.parametrize(
    ("config", "detector"),
    [
        (ShotConfig(), ContentDetector()),
        (ShotConfig(min_seconds=0), ContentDetector(min_scene_len=1)),
        (ShotConfig(threshold=8), ContentDetector(threshold=8)),
        (ShotConfig(min_seconds=45 / 24), ContentDetector(min_scene_len=45)),
        (ShotConfig(detector="adaptive"), AdaptiveDetector()),
        (
            ShotConfig(detector="adaptive", adaptive_threshold=1.5, min_seconds=0.2),
            AdaptiveDetector(adaptive_threshold=1.5, min_scene_len=5),
        ),
    ],
)
def test_a_written_film_is_cut_as_pyscenedetect_cuts_it(
    config: ShotConfig, detector: Any, film: Path
) -> None:
    scores = measure(film)
    found = ours(scores, config)
    assert found == theirs(film, detector, len(scores))
    assert (0, 30) in found or config.min_seconds > 1.25


def test_hard_cuts_are_found(film: Path) -> None:
    starts = [start for start, _ in ours(measure(film), ShotConfig())]
    assert {0, 30, 70} <= set(starts) and 79 not in starts


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("dirtydancing", marks=pytest.mark.slow),
        pytest.param("nggyup", marks=pytest.mark.slow),
        "short_hamilton_clip",
    ],
)
def test_real_clips_are_cut_as_pyscenedetect_cuts_them(name: str, shared_data: Path) -> None:
    path = shared_data / "clips" / f"{name}.mp4"
    fps, scores = open_video(path).fps, measure(path)
    for config, detector in (
        (ShotConfig(), ContentDetector()),
        (ShotConfig(detector="adaptive"), AdaptiveDetector()),
    ):
        found = ours(scores, config, fps)
        assert found == theirs(path, detector, len(scores)) and len(found) > 2


def test_first_frame_and_equal_frames_score_nothing() -> None:
    meter = ShotMeter()
    picture = np.random.default_rng(0).integers(0, 256, (40, 64, 3)).astype(np.uint8)
    for _ in range(2):
        assert meter.measure(picture)[0].tolist() == [0, 0, 0]
    assert meter.measure(255 - picture)[0].mean() > 50


def test_colours_are_not_mixed_up() -> None:
    # Two shades of red on either side of hue 0: far apart for PySceneDetect.
    meter = ShotMeter()
    meter.measure(np.full((40, 64, 3), (255, 0, 40), np.uint8))
    assert meter.measure(np.full((40, 64, 3), (255, 40, 0), np.uint8))[0].mean() > 50
    # Two shades of blue are near each other.
    meter.measure(np.full((40, 64, 3), (40, 0, 255), np.uint8))
    assert meter.measure(np.full((40, 64, 3), (0, 40, 255), np.uint8))[0].mean() < 10


def test_chance_is_the_mean_difference_of_all_pairs_of_pixels() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV).reshape(-1, 3).astype(float)
    slow = [np.mean([abs(a - b) for a in v for b in v]) for v in hsv.T]
    assert ShotMeter().measure(picture)[1] == pytest.approx(slow, rel=1e-5)


def test_where_colours_tell_something_the_score_is_that_of_pyscenedetect(film: Path) -> None:
    scores = measure(film)
    assert content_scores(scores) == pytest.approx(scores.change.mean(axis=1), abs=1e-4)


def graded(film: Path, grade: Callable[[np.ndarray], np.ndarray]) -> FrameScores:
    """Measure a film as if another look had been given to it, without coding it anew."""
    video, meter = open_video(film), ShotMeter()
    size = meter_size(video.width, video.height)
    found = [
        meter.measure(grade(f.picture(*size).astype(np.float64)).clip(0, 255).astype(np.uint8))
        for f in read_frames(video)
    ]
    change, chance = map(np.array, zip(*found, strict=True))
    return FrameScores(change, chance)


def grey(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)


NOISE = np.random.default_rng(1)
GRADES = {
    "grey": grey,
    "tinted": lambda picture: grey(picture) * (1, 0.85, 0.7),
    "faded": lambda picture: 90 + 0.3 * picture,
    "grey and faded": lambda picture: 90 + 0.3 * grey(picture),
    "dark": lambda picture: 0.25 * picture,
    "grey with noise of its colours": lambda p: grey(p) + NOISE.normal(0, 12, p.shape),
}


@pytest.mark.parametrize("grade", GRADES)
def test_cuts_stay_whatever_the_grade(grade: str, film: Path) -> None:
    scores = graded(film, GRADES[grade])
    assert ours(scores, ShotConfig()) == ours(measure(film), ShotConfig())


def test_a_black_film_has_one_shot() -> None:
    scores = FrameScores(np.full((50, 3), 0.4), np.zeros((50, 3)))
    assert ours(scores, ShotConfig()) == [(0, 50)]


def test_black_between_scenes_does_not_make_a_film_faint() -> None:
    # Two seconds of pictures, much black: its noise is not stretched to cuts.
    shown = tables.scores([0] * 20 + [50] + [0] * 27)
    black = FrameScores(np.full((300, 3), 3.0), np.full((300, 3), 1.0))
    assert ours(FrameScores.concatenate([shown, black]), ShotConfig()) == [(0, 20), (20, 348)]


def test_shots_cover_the_film_and_are_long_enough() -> None:
    score = np.zeros(400, dtype=np.float32)
    score[np.random.default_rng(0).choice(400, 25, replace=False)] = 60
    shots = find_shots(tables.scores(score), ShotConfig(), FPS)
    assert shots.start[0] == 0 and shots.stop[-1] == 400
    length = shots.stop - shots.start
    assert len(shots) > 5 and length[:-1].min() >= 15
    assert shots.at(np.array([0, shots.start[1] - 1, shots.start[1], 399])).tolist() == [
        0,
        0,
        1,
        len(shots) - 1,
    ]


def test_a_shot_begins_at_the_frame_that_differs() -> None:
    score = np.zeros(100, dtype=np.float32)
    score[[40, 70]] = 60
    assert ours(tables.scores(score), ShotConfig()) == [(0, 40), (40, 70), (70, 100)]
    assert ours(tables.scores(score), ShotConfig(threshold=61)) == [(0, 100)]


@pytest.mark.parametrize(
    ("rate", "least"), [("5", 3), ("24000/1001", 15), ("24", 15), ("25", 15), ("50", 30)]
)
@pytest.mark.parametrize("detector", ["content", "adaptive", "transnet"])
def test_the_least_shot_is_a_time(detector: str, rate: str, least: int) -> None:
    for apart, shots in ((least, 3), (least - 1, 2)):
        score = np.zeros(300)
        score[[100, 100 + apart]] = 60
        said = Transitions(np.append(score[1:], 0) / 60)  # the last frame before each cut
        config = ShotConfig.model_validate({"detector": detector})
        found = find_shots(tables.scores(score), config, Fraction(rate), said)
        assert len(found) == shots and found.start[1] == 100


def test_a_dissolve_is_one_cut_where_the_network_is_surest() -> None:
    score = np.zeros(90, dtype=np.float32)
    score[40:47] = 0.6, 0.7, 0.8, 0.95, 0.8, 0.7, 0.6
    score[70] = 0.4
    config = ShotConfig(detector="transnet")
    shots = find_shots(tables.scores(np.zeros(90)), config, FPS, Transitions(score))
    assert shots.start.tolist() == [0, 44]


@pytest.mark.parametrize("detector", ["content", "adaptive", "transnet"])
@pytest.mark.parametrize("frames", [0, 1, 5])
def test_a_very_short_film(detector: str, frames: int) -> None:
    config = ShotConfig.model_validate({"detector": detector})
    scores = tables.scores(np.zeros(frames))
    shots = find_shots(scores, config, FPS, Transitions(np.zeros(frames)))
    assert shots.start.tolist() == [0][:frames] and shots.stop.tolist() == [frames][:frames]


def test_pictures_are_compared_small_and_never_enlarged() -> None:
    assert meter_size(1920, 1080) == (256, 144)
    assert meter_size(160, 96) == (160, 96)
    assert meter_size(10_000, 3) == (256, 1)


LABELLED = {
    "clips/friends.mp4": "clips/friends_shots.csv",
    "stitched_dev/movie.mp4": "stitched_dev/shots.csv",
}


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "found"), [("clips/friends.mp4", 32), ("stitched_dev/movie.mp4", 158)]
)
@pytest.mark.parametrize("look", ["colour", "grey"])
def test_labelled_cuts_are_found(name: str, found: int, look: str, shared_data: Path) -> None:
    film = shared_data / name
    with open(shared_data / LABELLED[name], encoding="utf-8") as stream:
        cuts = [int(row["start_frame"]) for row in csv.DictReader(stream)][1:]
    scores = measure(film) if look == "colour" else graded(film, grey)
    starts = find_shots(scores, ShotConfig(), open_video(film).fps).start
    assert sum(np.abs(starts - cut).min() <= 1 for cut in cuts) >= found
    assert len(starts) - 1 <= found + 2


ODDITIES = {
    "black_and_white_cut": 2,
    "black_and_white_track_over_cut": 4,
    "fps5_cuts": 4,
}


@pytest.mark.data
@pytest.mark.parametrize("name", ODDITIES)
def test_films_that_lost_their_cuts(name: str, shared_data: Path) -> None:
    path = shared_data / "oddities" / f"{name}.mp4"
    assert len(find_shots(measure(path), ShotConfig(), open_video(path).fps)) == ODDITIES[name]
