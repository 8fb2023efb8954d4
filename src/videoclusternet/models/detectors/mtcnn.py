"""MTCNN face detector (Zhang et al., 2016) in torch, batched over frames.

Three small networks: P scans an image pyramid, R and O refine the boxes, O adds five
landmarks.  The weights (MIT) travel in the ``mtcnn`` package; its code, which needs
TensorFlow, is not used.
"""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import joblib.numpy_pickle
import lz4.frame
import numpy as np
import torch
from torch import Tensor, nn

from videoclusternet.errors import ModelError
from videoclusternet.models.detectors.detector import Detections
from videoclusternet.models.detectors.pyramid import Pyramid
from videoclusternet.outside.files import read_bytes
from videoclusternet.types.arrays import Array, UInt8
from videoclusternet.types.boxes import suppress

CELL, STRIDE, FACTOR = 12, 2, 0.709
MOST_BYTES = 64 << 20
"""Of a file of weights, packed or not."""
LARGEST = 256
"""Patches that R and O judge at a time, at most; a power of two."""
THRESHOLDS = (0.6, 0.7, 0.6)
"""Face probability after P, R, O.  The paper's O uses .7; .6 feeds the tracker's doubts."""


def _conv(narrow: int, width: int, kernel: int) -> list[nn.Module]:
    return [nn.Conv2d(narrow, width, kernel), nn.PReLU(width)]


def _pool(kernel: int, same: bool) -> nn.Module:
    # "Same" pooling of the original pads at the right and bottom: ceil mode.
    return nn.MaxPool2d(kernel, 2, ceil_mode=same)


class _Flatten(nn.Module):
    """Flatten in the order width, height, channel of the original weights."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 2, 1).flatten(1)


class _Net(nn.Module):
    """A trunk and its parallel heads, the last of which is the face probability."""

    def __init__(self, trunk: list[nn.Module], heads: list[nn.Module]) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*trunk)
        self.heads = nn.ModuleList(heads)

    def forward(self, x: Tensor) -> list[Tensor]:
        y = self.trunk(x)
        *regressions, logits = (head(y) for head in self.heads)
        return [*regressions, logits.softmax(1)[:, 1]]


def _pnet() -> _Net:
    trunk = [*_conv(3, 10, 3), _pool(2, True), *_conv(10, 16, 3), *_conv(16, 32, 3)]
    return _Net(trunk, [nn.Conv2d(32, 4, 1), nn.Conv2d(32, 2, 1)])


def _rnet() -> _Net:
    trunk = [
        *_conv(3, 28, 3),
        _pool(3, True),
        *_conv(28, 48, 3),
        _pool(3, False),
        *_conv(48, 64, 2),
        _Flatten(),
        nn.Linear(576, 128),
        nn.PReLU(128),
    ]
    return _Net(trunk, [nn.Linear(128, 4), nn.Linear(128, 2)])


def _onet() -> _Net:
    trunk = [
        *_conv(3, 32, 3),
        _pool(3, True),
        *_conv(32, 64, 3),
        _pool(3, False),
        *_conv(64, 64, 3),
        _pool(2, True),
        *_conv(64, 128, 2),
        _Flatten(),
        nn.Linear(1152, 256),
        nn.PReLU(256),
    ]
    return _Net(trunk, [nn.Linear(256, 4), nn.Linear(256, 10), nn.Linear(256, 2)])


class _ArraysOnly(joblib.numpy_pickle.NumpyUnpickler):  # type: ignore[misc]
    """Unpickler that builds lists of numpy arrays and refuses everything else."""

    ALLOWED = frozenset(
        {
            ("joblib.numpy_pickle", "NumpyArrayWrapper"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")
        return super().find_class(module, name)


def read_weights(path: Path) -> list[Array]:
    """Read the arrays of one ``.lz4`` file whose hash was already checked.

    The file is a joblib pickle; an unpickler restricted to numpy arrays reads it.

    Raises
    ------
    ModelError
        When it holds anything but a list of float32 arrays, or far more than it should.
    """
    data = read_bytes(path, ModelError, MOST_BYTES)
    try:
        plain = lz4.frame.LZ4FrameDecompressor().decompress(data, max_length=MOST_BYTES)
        stream = io.BytesIO(plain)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of joblib and NumPy, about odd types
            arrays = _ArraysOnly(str(path), stream, ensure_native_byte_order=False).load()
    except Exception as error:
        # What a damaged file makes its reader raise can be almost anything.
        raise ModelError(f"{path} is not a file of MTCNN weights: {error}") from error
    if not isinstance(arrays, list) or not all(
        isinstance(a, np.ndarray) and a.dtype == np.float32 for a in arrays
    ):
        raise ModelError(f"{path} is not a file of MTCNN weights")
    return arrays


def _fill(net: _Net, arrays: list[Array], path: Path) -> _Net:
    """Copy arrays in file order: convolutions are HWIO, linear layers inputs x outputs."""
    # R and O list their heads in the order of the file; so does P.
    parameters = list(net.parameters())
    if len(parameters) != len(arrays):
        raise ModelError(f"{path} holds {len(arrays)} arrays, not {len(parameters)}")
    with torch.no_grad():
        for parameter, array in zip(parameters, arrays, strict=True):
            turned = {4: (3, 2, 0, 1), 2: (1, 0)}.get(array.ndim)
            value = array.transpose(turned) if turned else array.reshape(-1)
            if parameter.shape != value.shape:
                raise ModelError(f"{path} holds {value.shape}, not {tuple(parameter.shape)}")
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
    return net.eval()


class Mtcnn:
    """The detector.

    Parameters
    ----------
    paths : sequence of Path
        Weights of P, R and O, already checked by hash.
    device : str
    min_face : float
        Smallest face, px.
    """

    name = "mtcnn"

    def __init__(self, paths: Sequence[Path], device: str = "cpu", min_face: float = 32.0) -> None:
        nets = (_pnet(), _rnet(), _onet())
        self._p, self._r, self._o = (
            _fill(net, read_weights(path), path).to(device)
            for net, path in zip(nets, paths, strict=True)
        )
        self._device = device
        self._min_face = min_face

    def detect(self, pictures: Sequence[Array]) -> list[Detections]:
        """Find the faces of some pictures of one size; see ``FaceDetector``."""
        if not pictures:
            return []
        with torch.inference_mode():
            image, box, _ = self._propose(pictures)
            image, box, _ = self._refine(pictures, image, box)
            return self._finish(pictures, image, box)

    def _propose(self, pictures: Sequence[Array]) -> tuple[Array, Array, Array]:
        """Scan the pyramid with P; boxes of all pictures, squared."""
        scales, pyramid = _pyramid(*pictures[0].shape[:2], self._min_face)
        found: list[tuple[Array, Array, Array]] = []
        for scale, small in zip(scales, pyramid(pictures), strict=True):
            offset, score = self._p(self._tensor(small))
            found.append(_proposals(offset.cpu().numpy(), score.cpu().numpy(), scale))
        if not found:
            # The picture is smaller than the smallest face.
            return np.empty(0, np.int64), np.empty((0, 4), np.float32), np.empty(0, np.float32)
        image, box, score = (np.concatenate(parts) for parts in zip(*found, strict=True))
        keep = suppress(image, box, score, 0.7)
        return image[keep], _square(box[keep]), score[keep]

    def _refine(
        self, pictures: Sequence[Array], image: Array, box: Array
    ) -> tuple[Array, Array, Array]:
        """Judge and adjust the proposals with R; boxes squared again."""
        if len(box) == 0:
            return image, box, np.empty(0, dtype=np.float32)
        offset, score = self._judge(self._r, _patches(pictures, image, box, 24))
        box = _adjust(box, offset)
        sure = score > THRESHOLDS[1]
        image, box, score = image[sure], box[sure], score[sure]
        keep = suppress(image, box, score, 0.7)
        return image[keep], _square(box[keep]), score[keep]

    def _finish(self, pictures: Sequence[Array], image: Array, box: Array) -> list[Detections]:
        """Judge with O, add landmarks, and sort each picture's faces by ``x1``."""
        score = np.empty(0, dtype=np.float32)
        points = np.empty((0, 5, 2), dtype=np.float32)
        if len(box):
            offset, marks, score = self._judge(self._o, _patches(pictures, image, box, 48))
            size = (box[:, 2:] - box[:, :2])[:, None]
            # Ten numbers: five x, then five y, relative to the box.
            relative = marks.reshape(-1, 2, 5).transpose(0, 2, 1)
            points = box[:, None, :2] + relative * size
            box = _adjust(box, offset)
            sure = score > THRESHOLDS[2]
            image, box, score, points = image[sure], box[sure], score[sure], points[sure]
            keep = suppress(image, box, score, 0.5, of_smaller=True)
            image, box, score, points = image[keep], box[keep], score[keep], points[keep]
        results = []
        for i in range(len(pictures)):
            rows = np.flatnonzero(image == i)
            rows = rows[np.argsort(box[rows, 0], kind="stable")]
            results.append(
                Detections(
                    box[rows].astype(np.float32),
                    points[rows].astype(np.float32),
                    score[rows].astype(np.float32),
                )
            )
        return results

    def _judge(self, net: _Net, patches: Array) -> list[Array]:
        """Run R or O on patches, in batches of few sizes, filled up with black.

        Torch keeps buffers for every size of batch that it has seen: with the sizes that a
        film happens to give, memory would grow with its length.
        """
        parts = []
        for start in range(0, len(patches), LARGEST):
            part = patches[start : start + LARGEST]
            filled = np.zeros((1 << (len(part) - 1).bit_length(), *part.shape[1:]), np.uint8)
            filled[: len(part)] = part
            out = net(self._tensor(filled))
            parts.append([value[: len(part)].cpu().numpy() for value in out])
        return [np.concatenate(values) for values in zip(*parts, strict=True)]

    def _tensor(self, pixels: Array) -> Tensor:
        """Scale uint8 (B, H, W, 3) to about -1..1, channels last in memory."""
        x = torch.from_numpy(pixels).to(self._device).permute(0, 3, 1, 2).float()
        return (x - 127.5) / 128


@lru_cache(maxsize=1)
def _pyramid(height: int, width: int, min_face: float) -> tuple[list[float], Pyramid]:
    """Return the scales at which P looks at pictures of this size, and what shrinks them."""
    scales, scale = [], CELL / min_face
    while min(height, width) * scale >= CELL:
        scales.append(scale)
        scale *= FACTOR
    sizes = [(int(np.ceil(height * s)), int(np.ceil(width * s))) for s in scales]
    return scales, Pyramid(height, width, sizes)


def _proposals(offset: Array, score: Array, scale: float) -> tuple[Array, Array, Array]:
    """Turn P's maps (B, 4, h, w), (B, h, w) into boxes in picture px, thinned per scale."""
    image, y, x = np.nonzero(score > THRESHOLDS[0])
    corner = np.stack([x, y], axis=1) * STRIDE
    cell = np.concatenate([corner, corner + CELL], axis=1)
    box = (cell + offset[image, :, y, x] * CELL) / scale
    value = score[image, y, x]
    keep = suppress(image, box, value, 0.5)
    return image[keep], box[keep], value[keep]


def _patches(pictures: Sequence[Array], image: Array, box: Array, size: int) -> UInt8:
    """Cut squares out of their pictures, black outside; uint8 (n, size, size, 3)."""
    out = np.empty((len(box), size, size, 3), dtype=np.uint8)
    for row, (i, (x1, y1, x2, _)) in enumerate(zip(image, box, strict=True)):
        step = (x2 - x1) / size
        # Pixel centres: output u sits at x1 + (u + .5) step - .5 of the picture.
        shift = (step - 1) / 2
        matrix = np.array([[step, 0, x1 + shift], [0, step, y1 + shift]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(pictures[i], matrix, (size, size), dst=out[row], flags=flags)
    return out


def _adjust(box: Array, offset: Array) -> Array:
    size = np.tile(box[:, 2:] - box[:, :2], 2)
    return np.asarray(box + offset * size)


def _square(box: Array) -> Array:
    """Grow the shorter side round the centre."""
    centre = (box[:, :2] + box[:, 2:]) / 2
    half = (box[:, 2:] - box[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)
