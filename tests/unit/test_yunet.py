"""YuNet through ONNX Runtime against OpenCV's own, and its heads against loops."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from tests.onnx_nets import Net
from videoclusternet.errors import ModelError
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.models.detectors.yunet import (
    HEADS,
    MOST,
    OVERLAP,
    SCORE,
    STRIDES,
    YuNet,
    left_first,
    read_heads,
)
from videoclusternet.types.arrays import Array

FILE = "yunet_n_dynamic.onnx"


def by_opencv(path: Path, picture: Array) -> Array:
    """Boxes, landmarks and scores (n, 15) of a picture whose sides are multiples of 32."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    size = picture.shape[1::-1]
    net = cv2.FaceDetectorYN.create(str(path), "", size, SCORE, OVERLAP, MOST)
    cv2.utils.logging.setLogLevel(level)
    _, rows = net.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    rows = np.empty((0, 15), np.float32) if rows is None else rows
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    rows[:, 2:4] += rows[:, :2]
    rows[:, 4:14] = left_first(rows[:, 4:14].reshape(-1, 5, 2)).reshape(-1, 10)
    return np.asarray(rows)


def differences(path: Path, pictures: list[Array]) -> int:
    """Compare both on some pictures; how many faces there were."""
    ours = YuNet(path).detect(pictures)
    faces = 0
    for picture, found in zip(pictures, ours, strict=True):
        want = by_opencv(path, picture)
        assert len(found.score) == len(want)
        np.testing.assert_allclose(found.box, want[:, :4], atol=1e-3)
        np.testing.assert_allclose(found.landmarks.reshape(-1, 10), want[:, 4:14], atol=1e-3)
        np.testing.assert_allclose(found.score, want[:, 14], atol=1e-4)
        faces += len(want)
    return faces


@pytest.mark.data
@pytest.mark.parametrize("side", [64, 256, 512, 640])
def test_equals_opencv_on_a_portrait_of_any_size(shared_weights: Path, side: int) -> None:
    picture = np.asarray(cv2.resize(skimage.data.astronaut(), (side, side)))
    assert differences(shared_weights / FILE, [picture]) >= (side > 64)


@pytest.mark.data
def test_nothing_of_a_larger_picture_is_left_for_the_next(shared_weights: Path) -> None:
    detector = YuNet(shared_weights / FILE)
    picture = np.asarray(skimage.data.astronaut())
    small, large = picture[:130, 110:310], picture[:160, 110:334]  # as large, once padded
    (alone,) = YuNet(shared_weights / FILE).detect([small])
    detector.detect([large])  # with the chin that the small one lacks
    (found,) = detector.detect([small])
    assert len(alone.score)
    assert np.array_equal(found.box, alone.box) and np.array_equal(found.score, alone.score)


@pytest.mark.data
def test_equals_opencv_on_frames_of_a_film(shared_weights: Path, shared_data: Path) -> None:
    film = open_video(shared_data / "stitched_dev" / "movie.mp4")
    frames = read_frames(film, np.arange(40, 1600, 80))
    pictures = [np.asarray(cv2.resize(f.picture(640, 360), (640, 384))) for f in frames]
    assert differences(shared_weights / FILE, pictures) >= 20


def test_heads_are_read_as_loops_would() -> None:
    height, width = 64, 96
    rng = np.random.default_rng(0)
    out = {
        f"{head}_{stride}": rng.normal(
            0.3, 0.4, (1, height // stride * (width // stride), size)
        ).astype(np.float32)
        for head, size in zip(HEADS, (1, 1, 4, 10), strict=True)
        for stride in STRIDES
    }
    want = []
    for s in STRIDES:
        for row in range(height // s):
            for column in range(width // s):
                cell = row * (width // s) + column
                face, there, box, marks = (out[f"{head}_{s}"][0, cell] for head in HEADS)
                score = math.sqrt(min(max(face[0], 0), 1) * min(max(there[0], 0), 1))
                if score > SCORE:
                    x, y = (column + box[0]) * s, (row + box[1]) * s
                    w, h = math.exp(box[2]) * s, math.exp(box[3]) * s
                    points = [(marks[i] + (row if i % 2 else column)) * s for i in range(10)]
                    corners = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
                    want.append([*corners, *points, score])
    boxes, points, scores = read_heads(out, width)
    got = np.concatenate([boxes, points.reshape(-1, 10), scores[:, None]], axis=1)
    assert 20 < len(want) < sum(len(out[f"cls_{s}"][0]) for s in STRIDES)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)


def test_another_network_is_refused(tmp_path: Path) -> None:
    net = Net()
    path = net.save(tmp_path / "x.onnx", net.conv("picture", 3, 4, 3))
    with pytest.raises(ModelError, match="does not hold YuNet"):
        YuNet(path)
