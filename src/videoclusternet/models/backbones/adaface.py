"""AdaFace IR-101 (Kim et al., 2022).

Architecture written anew with the parameter names of the public checkpoints, which are
those of a Lightning module.  It is the R100 of ArcFace in other words, save that a block
of unchanged width takes every second pixel for its shortcut, and that colours are BGR.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.checkpoint import (
    build,
    expecting,
    fold_batch_norm,
    read_state,
    without_prefix,
)
from videoclusternet.types.canvas import ARCFACE_112

UNITS = ((64, 3), (128, 13), (256, 30), (512, 3))
"""Width of each group of blocks, and how many there are."""


class Block(nn.Module):
    """Residual block; a shortcut of unchanged width has no weights."""

    def __init__(self, narrow: int, width: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if narrow != width:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(narrow, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(narrow),
            nn.Conv2d(narrow, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(width),
            nn.Conv2d(width, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, narrow, H, W) to (B, width, H / stride, W / stride)."""
        return torch.as_tensor(self.res_layer(x) + self.shortcut_layer(x))


class AdaFace(FaceModel):
    """AdaFace IR-101: BGR 112 px, ArcFace template, 512 values.

    The original returns the direction and the length of the embedding apart; here they
    are one vector, as everywhere.
    """

    name = "adaface-ir101"
    dim = 512
    size = 112
    template = ARCFACE_112

    def __init__(self) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
        )
        blocks, narrow = [], 64
        for width, depth in UNITS:
            for number in range(depth):
                blocks.append(Block(narrow, width, 1 if number else 2))
                narrow = width
        self.body = nn.Sequential(*blocks)
        self.last = len(blocks) - UNITS[-1][1]
        # In the place of Identity the original has the dropout of its training.
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(narrow), nn.Identity(), nn.Flatten(), nn.Linear(narrow * 7 * 7, self.dim)
        )

    @property
    def tail(self) -> nn.Linear:
        """The last linear layer, batch norm included."""
        layer = self.output_layer[3]
        assert isinstance(layer, nn.Linear)
        return layer

    def normalise(self, pixels: Tensor) -> Tensor:
        """Turn RGB 0..255 into BGR -1..1."""
        return (pixels.flip(1) - 127.5) / 127.5

    def early(self, x: Tensor) -> Tensor:
        """Return the map (B, 256, 14, 14) before the last group of blocks."""
        return torch.as_tensor(self.body[: self.last](self.input_layer(x)))

    def late(self, maps: Tensor) -> Tensor:
        """Return the flattened map (B, 25088)."""
        return torch.as_tensor(self.output_layer[:3](self.body[self.last :](maps)))

    def last_stage(self) -> tuple[nn.Module, ...]:
        """Return the last group of blocks and the last norm."""
        return self.body[self.last :], self.output_layer[0]


def load_adaface(path: Path) -> AdaFace:
    """Read an IR-101 checkpoint of AdaFace.

    Parameters
    ----------
    path : Path
        Public ``adaface_ir101_*.ckpt``, or a plain state dict or safetensors made of it.

    Returns
    -------
    AdaFace
        On the CPU, in evaluation mode, every parameter trainable.

    Raises
    ------
    ModelError
        When the file holds something else.
    """
    state = without_prefix(read_state(path, AdaFace.name), "model.")
    with expecting(path, AdaFace.name):
        fold_batch_norm(state, "output_layer.3", "output_layer.4")
        return build(AdaFace, state)
