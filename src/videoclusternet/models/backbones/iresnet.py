"""ArcFace: the improved ResNet of InsightFace (Deng et al., 2019; Duta et al., 2020).

Architecture written anew with the parameter names of the ``backbone.pth`` files of
``arcface_torch``.  Their last batch norm, ``features``, is folded into the linear layer
before it on loading, so that the last linear layer really is the last layer.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.checkpoint import build, expecting, fold_batch_norm, read_state
from videoclusternet.types.canvas import ARCFACE_112

DEPTHS = {"arcface-r50": (3, 4, 14, 3), "arcface-r100": (3, 13, 30, 3)}
"""Blocks in each of the four stages."""


class Block(nn.Module):
    """Residual block: norm, convolution, norm, PReLU, convolution that may halve, norm."""

    def __init__(self, narrow: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(narrow)
        self.conv1 = nn.Conv2d(narrow, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(narrow, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, narrow, H, W) to (B, width, H / stride, W / stride)."""
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return torch.as_tensor(self.bn3(self.conv2(y)) + self.downsample(x))


def stage(narrow: int, width: int, depth: int) -> nn.Sequential:
    """Return one resolution: the first block halves the map."""
    return nn.Sequential(
        Block(narrow, width, 2), *(Block(width, width, 1) for _ in range(depth - 1))
    )


class IResNet(FaceModel):
    """ArcFace R50 or R100: RGB 112 px, ArcFace template, 512 values."""

    dim = 512
    size = 112
    template = ARCFACE_112

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        first, second, third, fourth = DEPTHS[name]
        self.layer1 = stage(64, 64, first)
        self.layer2 = stage(64, 128, second)
        self.layer3 = stage(128, 256, third)
        self.layer4 = stage(256, 512, fourth)
        self.bn2 = nn.BatchNorm2d(512)
        # Four halvings leave 7 x 7 of 112 px.
        self.fc = nn.Linear(512 * 7 * 7, self.dim)

    @property
    def tail(self) -> nn.Linear:
        """The last linear layer, batch norm included."""
        return self.fc

    def normalise(self, pixels: Tensor) -> Tensor:
        """Scale RGB 0..255 to -1..1."""
        return (pixels - 127.5) / 127.5

    def early(self, x: Tensor) -> Tensor:
        """Return the map (B, 256, 14, 14) before the fourth stage."""
        x = self.prelu(self.bn1(self.conv1(x)))
        return torch.as_tensor(self.layer3(self.layer2(self.layer1(x))))

    def late(self, maps: Tensor) -> Tensor:
        """Return the flattened map (B, 25088).

        The original drops out here in training; quality by dropout does the same.
        """
        return torch.as_tensor(self.bn2(self.layer4(maps)).flatten(1))

    def last_stage(self) -> tuple[nn.Module, ...]:
        """Return the fourth stage and the last norm."""
        return self.layer4, self.bn2


def load_iresnet(path: Path, name: str) -> IResNet:
    """Read a ``backbone.pth`` of InsightFace.

    Parameters
    ----------
    path : Path
        Any of their files of this depth: MS1MV2, MS1MV3, Glint360K, WebFace.
    name : {"arcface-r50", "arcface-r100"}

    Returns
    -------
    IResNet
        On the CPU, in evaluation mode, every parameter trainable.

    Raises
    ------
    ModelError
        When the file holds something else.
    """
    state = read_state(path, name)
    with expecting(path, name):
        fold_batch_norm(state, "fc", "features")
        return build(lambda: IResNet(name), state)
