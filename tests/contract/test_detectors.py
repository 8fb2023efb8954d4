"""What every face detector must do, whatever network is inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import lz4.frame
import numpy as np
import pytest
import skimage.data
import torch

from videoclusternet.errors import ModelError
from videoclusternet.models.detectors.detector import Detections, FaceDetector
from videoclusternet.models.detectors.mtcnn import read_weights
from videoclusternet.models.detectors.retinaface import load_net, priors
from videoclusternet.models.detectors.yunet import YuNet, left_first
from videoclusternet.models.load import load_detector, pick_device
from videoclusternet.types.boxes import suppress

COLLINS = np.array([175, 58, 270, 175])
"""Box of the face in ``skimage.data.astronaut``, drawn by eye."""
FILES = {"yunet": "yunet_n_dynamic.onnx", "retinaface": "retinaface_mnet025_foamliu.pth"}
NAMES = [
    "mtcnn",
    pytest.param("yunet", marks=pytest.mark.data),
    pytest.param("retinaface", marks=pytest.mark.data),
]


@pytest.fixture(scope="module")
def load(request: pytest.FixtureRequest) -> Callable[[str], FaceDetector]:
    loaded: dict[str, FaceDetector] = {}

    def by_name(name: str) -> FaceDetector:
        if name not in loaded:
            choice = name
            if name in FILES:
                choice = f"{name}={request.getfixturevalue('shared_weights') / FILES[name]}"
            loaded[name] = load_detector(choice, "cpu")
        return loaded[name]

    return by_name


@pytest.fixture(params=NAMES)
def detector(request: pytest.FixtureRequest, load: Callable[[str], FaceDetector]) -> FaceDetector:
    return load(request.param)


def collins() -> np.ndarray:
    return np.asarray(skimage.data.astronaut())


def two_faces() -> np.ndarray:
    """Two copies side by side, the left one smaller: 512 x 1024 px."""
    picture = np.full((512, 1024, 3), 90, np.uint8)
    picture[128:512, 64:448] = cv2.resize(collins(), (384, 384), interpolation=cv2.INTER_AREA)
    picture[:, 512:] = collins()
    return picture


def best(found: Detections) -> tuple[np.ndarray, np.ndarray]:
    """Box and landmarks of the surest face."""
    row = int(found.score.argmax())
    return found.box[row], found.landmarks[row]


def iou(a: np.ndarray, b: np.ndarray) -> float:
    inner = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    return float(inner / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inner))


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Largest distance of two sets of landmarks in eye distances of the first."""
    return float(np.linalg.norm(a - b, axis=1).max() / np.linalg.norm(a[0] - a[1]))


def assert_empty(found: Detections) -> None:
    assert found.box.shape == (0, 4)
    assert found.landmarks.shape == (0, 5, 2)
    assert found.score.shape == (0,)


def test_columns_have_their_shapes_and_types(detector: FaceDetector) -> None:
    (found,) = detector.detect([two_faces()])
    n = len(found.score)
    assert n >= 2
    assert found.box.shape == (n, 4) and found.landmarks.shape == (n, 5, 2)
    assert {found.box.dtype, found.landmarks.dtype, found.score.dtype} == {np.dtype("f4")}
    assert (found.score > 0).all() and (found.score <= 1).all()


def test_name_is_the_one_of_the_registry(load: Callable[[str], FaceDetector]) -> None:
    assert load("mtcnn").name == "mtcnn"


def test_faces_come_from_left_to_right(detector: FaceDetector) -> None:
    (found,) = detector.detect([two_faces()])
    assert (np.diff(found.box[:, 0]) >= 0).all()
    sure = found.box[found.score > 0.85]
    assert iou(sure[0], COLLINS * 0.75 + [64, 128, 64, 128]) > 0.5
    assert iou(sure[-1], np.add(COLLINS, [512, 0, 512, 0])) > 0.5


def test_landmarks_lie_in_their_box_and_boxes_near_the_picture(detector: FaceDetector) -> None:
    picture = two_faces()
    (found,) = detector.detect([picture])
    low, size = found.box[:, :2], found.box[:, 2:] - found.box[:, :2]
    assert (size > 4).all()
    assert (low > -size).all() and (found.box[:, 2:] < size + picture.shape[1::-1]).all()
    inside = (found.landmarks - low[:, None]) / size[:, None]
    assert (inside > -0.1).all() and (inside < 1.1).all()


def test_left_comes_first_and_eyes_above_mouth(detector: FaceDetector) -> None:
    for picture in (collins(), np.ascontiguousarray(collins()[:, ::-1])):
        _, (left, right, nose, mouth_left, mouth_right) = best(detector.detect([picture])[0])
        assert left[0] < nose[0] < right[0]
        assert mouth_left[0] < mouth_right[0]
        assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])


def test_the_astronaut_is_found(detector: FaceDetector) -> None:
    (found,) = detector.detect([collins()])
    assert iou(best(found)[0], COLLINS) >= 0.5
    assert found.score.max() > 0.9


@pytest.mark.data
def test_detectors_agree_on_landmarks(load: Callable[[str], FaceDetector]) -> None:
    marks = [best(load(name).detect([collins()])[0])[1] for name in ("mtcnn", *FILES)]
    for a in marks:
        for b in marks:
            assert apart(a, b) < 0.15


def test_mirrored_picture_gives_mirrored_landmarks(detector: FaceDetector) -> None:
    _, plain = best(detector.detect([collins()])[0])
    _, mirrored = best(detector.detect([np.ascontiguousarray(collins()[:, ::-1])])[0])
    back = mirrored[[1, 0, 2, 4, 3]] * [-1, 1] + [collins().shape[1] - 1, 0]
    assert apart(plain, back) < 0.1


def test_a_batch_gives_what_single_pictures_give(detector: FaceDetector) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3)).astype(np.uint8)
    mirrored = np.ascontiguousarray(collins()[:, ::-1])
    pictures = [collins(), noise, mirrored, np.zeros_like(noise), collins()]
    together = detector.detect(pictures)
    assert len(together) == len(pictures)
    for found, picture in zip(together, pictures, strict=True):
        (alone,) = detector.detect([picture])
        assert len(found.score) == len(alone.score)
        np.testing.assert_allclose(found.box, alone.box, atol=0.01)
        np.testing.assert_allclose(found.landmarks, alone.landmarks, atol=0.01)
        np.testing.assert_allclose(found.score, alone.score, atol=1e-4)


def test_the_picture_is_left_as_it_was(detector: FaceDetector) -> None:
    picture = collins().copy()
    picture.setflags(write=False)
    detector.detect([picture])
    assert np.array_equal(picture, collins())


def test_size_of_the_picture_may_change_between_calls(detector: FaceDetector) -> None:
    first = best(detector.detect([collins()])[0])[0]
    detector.detect([two_faces()])
    assert np.array_equal(best(detector.detect([collins()])[0])[0], first)


@pytest.mark.parametrize("name", ["brick", "rocket", "grey"])
def test_no_face_gives_empty_tables(detector: FaceDetector, name: str) -> None:
    pictures = {
        "brick": np.repeat(skimage.data.brick()[..., None], 3, axis=2),
        "rocket": np.asarray(skimage.data.rocket()),
        "grey": np.full((240, 320, 3), 128, np.uint8),
    }
    (found,) = detector.detect([np.ascontiguousarray(pictures[name])])
    assert_empty(found)


@pytest.mark.parametrize("shape", [(8, 8), (1, 50), (50, 1), (1, 1), (20, 400)])
def test_tiny_picture_holds_no_face(detector: FaceDetector, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (*shape, 3)).astype(np.uint8) for _ in range(2)]
    found = detector.detect(pictures)
    assert len(found) == 2
    for one in found:
        assert_empty(one)


def test_no_picture_gives_no_result(detector: FaceDetector) -> None:
    assert detector.detect([]) == []


@pytest.mark.parametrize("choice", ["dlib", "edgeface-xs"])
def test_a_backbone_is_no_detector(choice: str) -> None:
    with pytest.raises(ModelError, match=f"{choice} is a backbone, not a detector"):
        load_detector(choice, "cpu")


@pytest.mark.parametrize("name", ["yunet", "retinaface"])
def test_wrong_hash_is_refused_before_reading(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match="expected"):
        load_detector(f"{name}={path}", "cpu")


@pytest.mark.parametrize("reader", [load_net, YuNet, read_weights])
@pytest.mark.parametrize("content", ["nothing", "text", "list", "packed text"])
def test_wrong_content_is_refused(
    reader: Callable[[Path], Any], content: str, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    if content == "list":
        torch.save([1, 2], path)
    else:
        text = b"" if content == "nothing" else b"not a network, really not" * 20
        path.write_bytes(lz4.frame.compress(text) if content == "packed text" else text)
    with pytest.raises(ModelError, match=str(path)):
        reader(path)


def test_unknown_device_is_refused() -> None:
    assert pick_device("cpu") == "cpu"
    with pytest.raises(ModelError, match="no device 'abacus:0'"):
        pick_device("abacus:0")


@pytest.mark.parametrize("of_smaller", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_suppression_equals_loops(of_smaller: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-20, 80, (60, 2))
    box = np.concatenate([corner, corner + rng.uniform(5, 40, (60, 2))], axis=1).astype("f4")
    image, score = rng.integers(0, 3, 60), rng.random(60)
    kept: list[int] = []
    for i in np.argsort(-score):
        for j in kept:
            inner = np.prod(
                np.maximum(np.minimum(*box[[i, j], 2:]) - np.maximum(*box[[i, j], :2]), 0)
            )
            area = [float(np.prod(box[k, 2:] - box[k, :2])) for k in (i, j)]
            whole = min(area) if of_smaller else sum(area) - inner
            if image[i] == image[j] and inner > 0.4 * whole:
                break
        else:
            kept.append(int(i))
    got = suppress(image, box, score, 0.4, of_smaller)
    assert got.tolist() == kept and 3 < len(kept) < 60


def test_priors_cover_the_picture_by_level_row_and_column() -> None:
    box = priors(70, 100)
    counts = [9 * 13 * 2, 5 * 7 * 2, 3 * 4 * 2]
    assert box.shape == (sum(counts), 4)
    assert box[:4].tolist() == [[4, 4, 16, 16], [4, 4, 32, 32], [12, 4, 16, 16], [12, 4, 32, 32]]
    assert box[counts[0]].tolist() == [8, 8, 64, 64]
    assert box[-1].tolist() == [112, 80, 512, 512]


@pytest.mark.parametrize("degrees", [0, 60, 90, 180, 270])
def test_left_first_repairs_swapped_landmarks_at_any_tilt(degrees: float) -> None:
    face = np.array([[0, 0], [10, 0], [5, 5], [1, 10], [9, 10]], dtype=np.float64)
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = face @ np.array([[cos, sin], [-sin, cos]])
    swapped = turned[[1, 0, 2, 4, 3]]
    np.testing.assert_array_equal(left_first(np.stack([turned, swapped])), [turned, turned])
