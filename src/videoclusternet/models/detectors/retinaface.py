"""RetinaFace with MobileNet 0.25 (Deng et al., 2019), in torch.

Layout and names of the state dict follow the widely used PyTorch port; the weights are
fetched or given by the user.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.errors import ModelError
from videoclusternet.models.detectors.detector import Detections
from videoclusternet.types.arrays import Array, Float32
from videoclusternet.types.boxes import suppress

MEAN_BGR = (104.0, 117.0, 123.0)
STRIDES = (8, 16, 32)
SIZES = ((16, 32), (64, 128), (256, 512))
VARIANCES = (0.1, 0.2)
SCORE, OVERLAP, MOST = 0.1, 0.4, 2000
SLOPE = 0.1


def _conv(narrow: int, width: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(narrow, width, 3, stride, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.LeakyReLU(SLOPE),
    )


def _flat(narrow: int, width: int, kernel: int, active: bool) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(narrow, width, kernel, 1, kernel // 2, bias=False),
        nn.BatchNorm2d(width),
    ]
    return nn.Sequential(*layers, *([nn.LeakyReLU(SLOPE)] if active else []))


def _separable(narrow: int, width: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(narrow, narrow, 3, stride, 1, groups=narrow, bias=False),
        nn.BatchNorm2d(narrow),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(narrow, width, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.LeakyReLU(SLOPE),
    )


class _Body(nn.Module):
    """MobileNet 0.25: three feature maps at strides 8, 16, 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stage1 = nn.Sequential(
            _conv(3, 8, 2),
            _separable(8, 16, 1),
            _separable(16, 32, 2),
            _separable(32, 32, 1),
            _separable(32, 64, 2),
            _separable(64, 64, 1),
        )
        self.stage2 = nn.Sequential(
            _separable(64, 128, 2), *(_separable(128, 128, 1) for _ in range(5))
        )
        self.stage3 = nn.Sequential(_separable(128, 256, 2), _separable(256, 256, 1))

    def forward(self, x: Tensor) -> list[Tensor]:
        a = self.stage1(x)
        b = self.stage2(a)
        return [a, b, self.stage3(b)]


class _Pyramid(nn.Module):
    """Feature pyramid: coarse maps are enlarged and added to finer ones."""

    def __init__(self) -> None:
        super().__init__()
        self.output1 = _flat(64, 64, 1, True)
        self.output2 = _flat(128, 64, 1, True)
        self.output3 = _flat(256, 64, 1, True)
        self.merge1 = _flat(64, 64, 3, True)
        self.merge2 = _flat(64, 64, 3, True)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        a, b, c = self.output1(maps[0]), self.output2(maps[1]), self.output3(maps[2])
        b = self.merge2(b + F.interpolate(c, size=b.shape[2:], mode="nearest"))
        a = self.merge1(a + F.interpolate(b, size=a.shape[2:], mode="nearest"))
        return [a, b, c]


class _Context(nn.Module):
    """Context module: 3x3, 5x5 and 7x7 views side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.conv3X3 = _flat(64, 32, 3, False)
        self.conv5X5_1 = _flat(64, 16, 3, True)
        self.conv5X5_2 = _flat(16, 16, 3, False)
        self.conv7X7_2 = _flat(16, 16, 3, True)
        self.conv7x7_3 = _flat(16, 16, 3, False)

    def forward(self, x: Tensor) -> Tensor:
        five = self.conv5X5_1(x)
        parts = [self.conv3X3(x), self.conv5X5_2(five), self.conv7x7_3(self.conv7X7_2(five))]
        return F.relu(torch.cat(parts, dim=1))


class _Head(nn.Module):
    """1x1 convolution to ``width`` numbers for each of the two priors of a cell."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.conv1x1 = nn.Conv2d(64, 2 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1x1(x).permute(0, 2, 3, 1)
        return torch.as_tensor(y.reshape(len(x), -1, self.width))


class _Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.fpn = _Body(), _Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = _Context(), _Context(), _Context()
        self.ClassHead = nn.ModuleList(_Head(2) for _ in STRIDES)
        self.BboxHead = nn.ModuleList(_Head(4) for _ in STRIDES)
        self.LandmarkHead = nn.ModuleList(_Head(10) for _ in STRIDES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b, c = self.fpn(self.body(x))
        maps = [self.ssh1(a), self.ssh2(b), self.ssh3(c)]

        def run(heads: nn.ModuleList) -> Tensor:
            return torch.cat([head(m) for head, m in zip(heads, maps, strict=True)], dim=1)

        return run(self.ClassHead).softmax(-1)[..., 1], run(self.BboxHead), run(self.LandmarkHead)


class RetinaFace:
    """The detector.

    Parameters
    ----------
    path : Path
        State dict, already checked by hash.
    device : str
    """

    name = "retinaface"

    def __init__(self, path: Path, device: str = "cpu") -> None:
        self._net = load_net(path).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    def detect(self, pictures: Sequence[Array]) -> list[Detections]:
        """Find the faces of some pictures of one size; see ``FaceDetector``."""
        if not pictures:
            return []
        height, width = pictures[0].shape[:2]
        # BGR for this network; ours are RGB.
        pixels = np.stack([p[..., ::-1] for p in pictures])
        with torch.inference_mode():
            x = torch.from_numpy(pixels).to(self._device).permute(0, 3, 1, 2).float()
            x = x - torch.tensor(MEAN_BGR, device=self._device)[None, :, None, None]
            score, box, points = (out.cpu().numpy() for out in self._net(x))
        prior = priors(height, width)
        return [_decode(*parts, prior) for parts in zip(score, box, points, strict=True)]


def load_net(path: Path) -> nn.Module:
    """Build the network and fill it.

    Raises
    ------
    ModelError
        When the file does not hold this network.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = {key.removeprefix("module."): value for key, value in state.items()}
        body = {k: v for k, v in state.items() if not k.startswith("body.fc")}
        net = _Net()
        net.load_state_dict(body)
    except (
        RuntimeError,
        OSError,
        AttributeError,
        EOFError,
        ValueError,
        pickle.UnpicklingError,
    ) as error:
        raise ModelError(
            f"{path} does not hold RetinaFace-MobileNet0.25 weights", "see `vcn models`"
        ) from error
    return net.eval()


@lru_cache(maxsize=4)
def priors(height: int, width: int) -> Float32:
    """Anchor boxes ``cx cy w h`` in px, float32 (n, 4): by level, row, column, size."""
    levels = []
    for stride, sizes in zip(STRIDES, SIZES, strict=True):
        y, x, size = np.meshgrid(
            (np.arange(-(-height // stride)) + 0.5) * stride,
            (np.arange(-(-width // stride)) + 0.5) * stride,
            np.array(sizes, dtype=np.float64),
            indexing="ij",
        )
        levels.append(np.stack([x, y, size, size], axis=-1).reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)


def _decode(score: Array, offset: Array, points: Array, prior: Array) -> Detections:
    rows = np.flatnonzero(score > SCORE)
    rows = rows[np.argsort(-score[rows], kind="stable")][:MOST]
    score, offset, points, prior = score[rows], offset[rows], points[rows], prior[rows]
    centre = prior[:, :2] + offset[:, :2] * VARIANCES[0] * prior[:, 2:]
    half = prior[:, 2:] * np.exp(offset[:, 2:] * VARIANCES[1]) / 2
    box = np.concatenate([centre - half, centre + half], axis=1)
    marks = prior[:, None, :2] + points.reshape(-1, 5, 2) * VARIANCES[0] * prior[:, None, 2:]
    keep = suppress(np.zeros(len(box), dtype=np.int64), box, score, OVERLAP)
    keep = keep[np.argsort(box[keep, 0], kind="stable")]
    return Detections(
        box[keep].astype(np.float32), marks[keep].astype(np.float32), score[keep].astype(np.float32)
    )
