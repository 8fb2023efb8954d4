"""Boxes, maps of landmarks, steps and sizes of detection: against loops and exact solutions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trackers.utils.cmc import CMC, CMCConfig

from videoclusternet.film.faces import PER_SECOND, choose_stride, detect_faces, detection_size
from videoclusternet.film.motion import CORNERS, MotionMeter, motion_size
from videoclusternet.models.detectors.detector import Detections
from videoclusternet.types.boxes import overlaps, suppress
from videoclusternet.types.canvas import CANVAS_TEMPLATE, similarity_transform

STEADY = settings(derandomize=True, deadline=None, max_examples=60)
whole_box = st.tuples(*[st.integers(-6, 12)] * 2, *[st.integers(0, 9)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
"""Boxes with whole corners, empty ones among them."""
some_boxes = st.lists(whole_box, min_size=1, max_size=6)
rates = st.sampled_from(
    [Fraction(n) for n in (1, 5, 8, 12, 15, 24, 25, 30, 50, 60, 120)]
    + [Fraction(n, 1001) for n in (24000, 30000, 60000)]
)


def squares(box: Sequence[int]) -> set[tuple[int, int]]:
    """Unit squares that a box covers."""
    return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}


@STEADY
@given(some_boxes, some_boxes)
def test_overlap_is_the_share_of_common_squares(
    a: list[tuple[int, ...]], b: list[tuple[int, ...]]
) -> None:
    got = overlaps(np.array(a, dtype=np.float32), np.array(b, dtype=np.float32))
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            union = squares(one) | squares(other)
            want = len(squares(one) & squares(other)) / len(union) if union else 0.0
            assert got[i, j] == pytest.approx(want)


def test_overlap_of_large_boxes_keeps_its_digits() -> None:
    box = np.array([[30000, 30000, 34000, 34000], [30001, 30000, 34001, 34000]], dtype=np.float32)
    assert overlaps(box[:1], box[1:])[0, 0] == pytest.approx(3999 / 4001, abs=1e-12)


@STEADY
@given(st.lists(whole_box, max_size=12), st.integers(1, 4), st.integers(0, 1000))
def test_what_is_suppressed_overlaps_a_better_box_of_its_picture(
    rows: list[tuple[int, ...]], pictures: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    box = np.array(rows, dtype=np.float32).reshape(-1, 4)
    image, score = rng.integers(0, pictures, len(box)), rng.permutation(len(box)) / 20
    keep = suppress(image, box, score, 0.3).tolist()
    assert keep == sorted(keep, key=lambda i: -score[i])
    shared = overlaps(box, box)
    for i in range(len(box)):
        better = [k for k in keep if score[k] > score[i] and image[k] == image[i]]
        assert (i not in keep) == any(shared[i, k] > 0.3 for k in better)


@STEADY
@given(st.floats(-np.pi, np.pi), st.floats(0.05, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_a_similarity_is_found_again(angle: float, scale: float, x: float, y: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    want = np.hstack([turn, [[x], [y]]])
    moved = CANVAS_TEMPLATE @ turn.T + [x, y]
    np.testing.assert_allclose(similarity_transform(CANVAS_TEMPLATE, moved), want, atol=1e-8)


@pytest.mark.parametrize("seed", range(6))
def test_a_similarity_is_the_solution_of_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(5, 2)) * 40
    target = source[:, ::-1] * (1, -1) if seed % 2 else source * (-1, 1)  # a turn; a mirror image
    target = target + rng.normal(size=(5, 2)) * 12
    # x' = a x - b y + c and y' = b x + a y + d are linear in a, b, c, d: no reflection among them.
    rows, wanted = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        wanted += [u, v]
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    got = similarity_transform(source, target)
    np.testing.assert_allclose(got, [[a, -b, c], [b, a, d]], atol=1e-8)
    assert np.linalg.det(got[:, :2]) >= 0


def test_landmarks_in_one_point_shrink_to_nothing_and_raise_nothing() -> None:
    got = similarity_transform(np.full((5, 2), 7.0), CANVAS_TEMPLATE)
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got @ [7, 7, 1], CANVAS_TEMPLATE.mean(0), atol=1e-6)


@STEADY
@given(rates)
def test_a_step_divides_half_a_second_and_looks_often_enough(fps: Fraction) -> None:
    stride = choose_stride(fps, 10**6)
    half = max(1, round(fps / 2))
    assert half % stride == 0
    fits = [d for d in range(1, half + 1) if half % d == 0 and d <= float(fps) / PER_SECOND + 0.5]
    assert stride == max(fits, default=1)


@pytest.mark.parametrize(
    ("fps", "stride"), [(5, 1), (12, 3), (24, 6), (25, 6), (30, 5), (50, 5), (60, 15)]
)
def test_steps_of_common_rates(fps: int, stride: int) -> None:
    assert choose_stride(Fraction(fps), 1000) == stride
    assert choose_stride(Fraction(fps), 1000, wanted=7) == 7


@pytest.mark.parametrize(("frames", "stride"), [(1, 1), (6, 1), (7, 2), (12, 3), (13, 4), (24, 6)])
def test_a_very_short_film_is_seen_more_closely(frames: int, stride: int) -> None:
    assert choose_stride(Fraction(24), frames) == stride


@STEADY
@given(st.integers(1, 8000), st.integers(1, 8000), st.integers(16, 2000))
def test_a_picture_is_shrunk_to_the_limit_and_keeps_its_shape(
    width: int, height: int, most: int
) -> None:
    w, h = detection_size(width, height, most)
    if max(width, height) <= most:
        assert (w, h) == (width, height)
        return
    assert max(w, h) == most and min(w, h) >= 1
    # To the pixel: the shorter side is the rounded one.
    assert abs(min(w, h) - max(1, most * min(width, height) / max(width, height))) <= 0.5


class Fixed:
    """A detector that finds the same two faces in every picture."""

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        box = np.array([[10, 20, 50, 80], [60, 10, 90, 50]], dtype=np.float32)
        marks = np.stack([box[:, :2] + n for n in range(5)], axis=1)
        return [Detections(box, marks, np.array([0.9, 0.4], dtype=np.float32)) for _ in pictures]


def test_faces_are_told_in_pixels_of_the_display_frame_whatever_the_picture() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    got = detect_faces(Fixed(), [4, 6], [noise, noise], (400, 250), 0.5, 2)
    assert got.frame.tolist() == [4, 6] and got.stride == 2
    np.testing.assert_allclose(got.box[0], [40, 50, 200, 200])
    np.testing.assert_allclose(got.landmarks[1, 4], [14 * 4, 24 * 2.5])
    assert got.score.tolist() == pytest.approx([0.9, 0.9])
    every = detect_faces(Fixed(), [4], [noise], (100, 100), 0.4, 1)
    assert every.frame.tolist() == [4, 4] and (every.sharpness > 0.1).all()


def test_no_picture_no_faces() -> None:
    got = detect_faces(Fixed(), [], [], (100, 100), 0.5, 3)
    assert len(got) == 0 and got.landmarks.shape == (0, 5, 2)


def test_a_pan_is_measured_in_pixels_of_the_display_frame() -> None:
    rng = np.random.default_rng(0)
    wall = cv2.GaussianBlur(rng.integers(0, 256, (260, 400, 3), dtype=np.uint8), (0, 0), 2)
    wall = cv2.normalize(wall, None, 0, 255, cv2.NORM_MINMAX)
    display = (960, 360)  # three times as wide as the reduced picture, twice as high
    meter = MotionMeter(display)
    first = meter.measure(np.ascontiguousarray(wall[20:200, 20:340]))
    np.testing.assert_array_equal(first, np.eye(2, 3))
    second = meter.measure(np.ascontiguousarray(wall[23:203, 26:346]))
    np.testing.assert_allclose(second[:, :2], np.eye(2), atol=0.02)
    # What was seen moves left and up as the camera goes right and down.
    np.testing.assert_allclose(second[:, 2], [-6 * 3, -3 * 2], atol=1.5)


def test_nothing_to_follow_is_no_motion() -> None:
    meter = MotionMeter((640, 360))
    grey = np.full((180, 320, 3), 90, np.uint8)
    for _ in range(3):
        np.testing.assert_array_equal(meter.measure(grey), np.eye(2, 3))
    assert motion_size(1920, 1080) == (320, 180) and motion_size(200, 100) == (200, 100)


def test_motion_is_that_of_the_tracker_itself() -> None:
    """A pan, a turn, a cut, flat pictures in between: the same matrices, bit for bit."""
    rng = np.random.default_rng(1)
    walls = [
        cv2.GaussianBlur(rng.integers(0, 256, (260, 400, 3), dtype=np.uint8), (0, 0), 2)
        for _ in range(2)
    ]
    turned = cv2.warpAffine(walls[0], cv2.getRotationMatrix2D((160, 90), 2, 1.03), (400, 260))
    grey = np.full((180, 320, 3), 90, np.uint8)
    views = [walls[0], walls[0][3:], turned, grey, walls[0], walls[1], walls[1][1:, 4:], grey, grey]
    meter = MotionMeter((320, 180))
    theirs = CMC(CMCConfig(method="sparseOptFlow", downscale=1, sof_max_corners=CORNERS))
    moving = 0
    for view in views:
        picture = np.ascontiguousarray(view[:180, :320])
        want = theirs.estimate(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        np.testing.assert_array_equal(meter.measure(picture), want)
        moving += not np.array_equal(want, np.eye(2, 3))
    assert moving >= 3
