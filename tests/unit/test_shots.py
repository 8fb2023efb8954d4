"""Shot boundaries: the same as PySceneDetect finds by itself."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scenedetect import AdaptiveDetector, ContentDetector, detect

from videoclusternet.cli.demo_film import write_film
from videoclusternet.config import ShotConfig
from videoclusternet.film.shots import ShotMeter, find_shots, meter_size
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.types import FrameScores

FPS = Fraction(24)


def measure(path: Path) -> FrameScores:
    """Score all frames of a film."""
    video = open_video(path)
    size, meter = meter_size(video.width, video.height), ShotMeter()
    score = np.zeros(video.frames, dtype=np.float32)
    for frame in read_frames(video):
        score[frame.number] = meter.measure(frame.picture(*size))
    return FrameScores(score)


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
        (ShotConfig(min_length=1), ContentDetector(min_scene_len=1)),
        (ShotConfig(threshold=8), ContentDetector(threshold=8)),
        (ShotConfig(min_length=45), ContentDetector(min_scene_len=45)),
        (ShotConfig(detector="adaptive"), AdaptiveDetector()),
        (
            ShotConfig(detector="adaptive", adaptive_threshold=1.5, min_length=5),
            AdaptiveDetector(adaptive_threshold=1.5, min_scene_len=5),
        ),
    ],
)
def test_a_written_film_is_cut_as_pyscenedetect_cuts_it(
    config: ShotConfig, detector: Any, film: Path
) -> None:
    scores = measure(film)
    found = ours(scores, config)
    assert found == theirs(film, detector, len(scores.score))
    assert (0, 30) in found or config.min_length > 30


def test_hard_cuts_are_found(film: Path) -> None:
    starts = [start for start, _ in ours(measure(film), ShotConfig())]
    assert {0, 30, 70} <= set(starts) and 79 not in starts


@pytest.mark.data
@pytest.mark.parametrize("name", ["dirtydancing", "nggyup", "short_hamilton_clip"])
def test_real_clips_are_cut_as_pyscenedetect_cuts_them(name: str, shared_data: Path) -> None:
    path = shared_data / "clips" / f"{name}.mp4"
    fps, scores = open_video(path).fps, measure(path)
    for config, detector in (
        (ShotConfig(), ContentDetector()),
        (ShotConfig(detector="adaptive"), AdaptiveDetector()),
    ):
        found = ours(scores, config, fps)
        assert found == theirs(path, detector, len(scores.score)) and len(found) > 2


def test_first_frame_and_equal_frames_score_nothing() -> None:
    meter = ShotMeter()
    picture = np.random.default_rng(0).integers(0, 256, (40, 64, 3)).astype(np.uint8)
    assert meter.measure(picture) == 0
    assert meter.measure(picture) == 0
    assert meter.measure(255 - picture) > 50


def test_colours_are_not_mixed_up() -> None:
    # Two shades of red on either side of hue 0: far apart for PySceneDetect.
    meter = ShotMeter()
    meter.measure(np.full((40, 64, 3), (255, 0, 40), np.uint8))
    assert meter.measure(np.full((40, 64, 3), (255, 40, 0), np.uint8)) > 50
    # Two shades of blue are near each other.
    meter.measure(np.full((40, 64, 3), (40, 0, 255), np.uint8))
    assert meter.measure(np.full((40, 64, 3), (0, 40, 255), np.uint8)) < 10


def test_shots_cover_the_film_and_are_long_enough() -> None:
    score = np.zeros(400, dtype=np.float32)
    score[np.random.default_rng(0).choice(400, 25, replace=False)] = 60
    shots = find_shots(FrameScores(score), ShotConfig(), FPS)
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
    assert ours(FrameScores(score), ShotConfig()) == [(0, 40), (40, 70), (70, 100)]
    assert ours(FrameScores(score), ShotConfig(threshold=61)) == [(0, 100)]


@pytest.mark.parametrize("detector", ["content", "adaptive"])
@pytest.mark.parametrize("frames", [0, 1, 5])
def test_a_very_short_film(detector: str, frames: int) -> None:
    config = ShotConfig.model_validate({"detector": detector})
    scores = FrameScores(np.zeros(frames, dtype=np.float32))
    assert ours(scores, config) == ([(0, frames)] if frames else [])


def test_pictures_are_compared_small_and_never_enlarged() -> None:
    assert meter_size(1920, 1080) == (256, 144)
    assert meter_size(160, 96) == (160, 96)
    assert meter_size(10_000, 3) == (256, 1)
