"""dlib's face recognition ResNet-29 (Davis King, 2017), as a trainable torch module.

The weights are CC0 and travel in the ``face_recognition_models`` package.  The file is
dlib's own serialisation: tensors in the order from input to output, each introduced by
its dimensions.  Outputs equal dlib's to better than 1e-5.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.errors import ModelError
from videoclusternet.models.backbones.face_model import FaceModel

TEMPLATE_150 = np.array(
    [[47.59, 44.59], [101.53, 44.82], [74.28, 80.05], [50.45, 99.63], [98.63, 99.71]]
)
"""Five landmarks on the 150 px input: median over labelled stills."""

BLOCKS: tuple[tuple[int, bool], ...] = (
    *[(32, False)] * 3,
    (64, True),
    *[(64, False)] * 3,
    (128, True),
    *[(128, False)] * 2,
    (256, True),
    *[(256, False)] * 2,
    (256, True),
)
"""Width of each residual block, and whether it halves the map."""

LAST = next(i for i, (width, _) in enumerate(BLOCKS) if width == 256)
"""First block of the last stage."""

MEAN = (122.782, 117.001, 104.298)


class ScaledConv(nn.Module):
    """Convolution followed by a per-channel scale and shift (a frozen batch norm)."""

    def __init__(self, narrow: int, width: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(narrow, width, kernel, stride, padding)
        self.scale = nn.Parameter(torch.ones(width, 1, 1))
        self.shift = nn.Parameter(torch.zeros(width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, narrow, H, W) to (B, width, H', W')."""
        # Scale and shift go into the weights, which are few, not over the map, which is large.
        conv, scale = self.conv, self.scale.flatten()
        assert conv.bias is not None
        weight = conv.weight * self.scale[..., None]
        bias = conv.bias * scale + self.shift.flatten()
        return F.conv2d(x, weight, bias, conv.stride, conv.padding)


class Block(nn.Module):
    """Residual block; a halving one pools its shortcut and pads the smaller operand."""

    def __init__(self, narrow: int, width: int, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        stride, padding = (2, 0) if halve else (1, 1)
        self.first = ScaledConv(narrow, width, 3, stride, padding)
        self.second = ScaledConv(width, width, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, narrow, H, W) to (B, width, H', W')."""
        y = self.second(F.relu(self.first(x), inplace=True))
        if self.halve:
            x = F.avg_pool2d(x, 2)
            height, width = max(x.shape[2], y.shape[2]), max(x.shape[3], y.shape[3])
            # dlib adds tensors of different shape as if the smaller were filled with zeros.
            more = y.shape[1] - x.shape[1]
            x = F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, more))
            y = F.pad(y, (0, width - y.shape[3], 0, height - y.shape[2]))
        return F.relu(y.add_(x), inplace=True)


class DlibResNet(FaceModel):
    """dlib's face model: RGB 150 px in, 128 values out."""

    name = "dlib"
    dim = 128
    size = 150
    template = TEMPLATE_150

    def __init__(self) -> None:
        super().__init__()
        self.stem = ScaledConv(3, 32, 7, 2, 0)
        narrow = (32, *(width for width, _ in BLOCKS))
        self.blocks = nn.Sequential(
            *(Block(n, width, halve) for n, (width, halve) in zip(narrow, BLOCKS, strict=False))
        )
        self.fc = nn.Linear(256, self.dim, bias=False)

    @property
    def tail(self) -> nn.Linear:
        """The last linear layer."""
        return self.fc

    def normalise(self, pixels: Tensor) -> Tensor:
        """Subtract dlib's mean colour and divide by 256."""
        return (pixels - pixels.new_tensor(MEAN).view(1, 3, 1, 1)) / 256

    def early(self, x: Tensor) -> Tensor:
        """Return the map of 128 channels before the first block of 256."""
        x = x.contiguous(memory_format=torch.channels_last)
        x = F.max_pool2d(F.relu(self.stem(x), inplace=True), 3, 2)
        return torch.as_tensor(self.blocks[:LAST](x))

    def late(self, maps: Tensor) -> Tensor:
        """Return pooled features (B, 256)."""
        return torch.as_tensor(self.blocks[LAST:](maps).mean((2, 3)))

    def last_stage(self) -> tuple[nn.Module, ...]:
        """Return the blocks of 256 channels."""
        return (self.blocks[LAST:],)


def load_dlib(path: Path) -> DlibResNet:
    """Read ``dlib_face_recognition_resnet_model_v1.dat``.

    Parameters
    ----------
    path : Path
        The file, already checked by hash.

    Returns
    -------
    DlibResNet
        On the CPU, in evaluation mode, every parameter trainable.

    Raises
    ------
    ModelError
        When the file does not hold exactly the tensors of this network.
    """
    model = DlibResNet()
    tensors = read_tensors(path.read_bytes())
    layers = [layer for layer in model.modules() if isinstance(layer, ScaledConv)]
    try:
        with torch.no_grad():
            for layer in layers:
                _fill([layer.conv.weight, layer.conv.bias], next(tensors))
                _fill([layer.scale, layer.shift], next(tensors))
            # dlib stores the fully connected layer as inputs x outputs.
            matrix = torch.empty(256, 128)
            _fill([matrix], next(tensors))
            model.fc.weight.copy_(matrix.T)
    except (StopIteration, ValueError) as error:
        raise ModelError(f"{path} does not hold dlib's face model", "see `vcn models`") from error
    return model.eval()


def _fill(targets: list[Tensor | None], values: NDArray[np.float32]) -> None:
    """Copy consecutive runs of ``values`` into the targets; sizes must match exactly."""
    parts = [target for target in targets if target is not None]
    if sum(part.numel() for part in parts) != len(values):
        raise ValueError("tensor of unexpected size")
    start = 0
    for part in parts:
        stop = start + part.numel()
        part.copy_(torch.from_numpy(values[start:stop].copy()).view_as(part))
        start = stop


def read_tensors(data: bytes) -> Iterator[NDArray[np.float32]]:
    """Yield the parameter tensors of a dlib network file, flat, in file order.

    A tensor is written as the integers 1 and 2 (version and mark), its four dimensions
    as variable-length integers (a length byte, then little-endian bytes), then float32.
    Parameter tensors are vectors (n, 1, 1, 1), or the 256 x 128 of the last layer.
    """
    at = data.find(b"\x01\x02")
    while at >= 0:
        place, dims = at + 2, []
        for _ in range(4):
            length = data[place] if place < len(data) else 0
            dims.append(int.from_bytes(data[place + 1 : place + 1 + length], "little"))
            place += 1 + length
        size = int(np.prod(dims)) if max(dims) < 2**24 else 0
        parameters = dims[1:] == [1, 1, 1] or dims == [256, 128, 1, 1]
        if parameters and size >= 64 and place + 4 * size <= len(data):
            yield np.frombuffer(data, "<f4", size, place)
            at = data.find(b"\x01\x02", place + 4 * size)
        else:
            at = data.find(b"\x01\x02", at + 1)
