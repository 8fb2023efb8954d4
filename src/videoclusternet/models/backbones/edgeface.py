"""EdgeFace: EdgeNeXt backbones for face recognition (George et al., 2024).

Architecture after "EdgeNeXt" (Maaz et al., 2022), written anew with the parameter names
of the public checkpoints.  Those hold dynamic int8 linear layers; they are dequantised on
loading, after which the network is ordinary float32 and trainable.
"""

from __future__ import annotations

import math
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.errors import ModelError
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.types.canvas import ARCFACE_112

KERNELS = (3, 5, 7, 9)
SCALES = (2, 2, 3, 4)
ATTENTION = (False, True, True, True)
"""Stages whose last block mixes all positions by cross-covariance attention."""
HEADS = 4
SHAPES = {
    "edgeface-xs": ((3, 3, 9, 3), (32, 64, 100, 192)),
    "edgeface-xxs": ((2, 2, 6, 2), (24, 48, 88, 168)),
}
"""Depths and widths of the four stages."""


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of a (B, C, H, W) map."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, H, W) over C."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Mlp(nn.Module):
    """Two linear layers with GELU on the last axis."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., C)."""
        return torch.as_tensor(self.fc2(F.gelu(self.fc1(x))))


class ConvBlock(nn.Module):
    """Depthwise convolution, layer norm, MLP, scaled residual."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        y = self.conv_dw(x).permute(0, 2, 3, 1)
        y = self.gamma * self.mlp(self.norm(y))
        return torch.as_tensor(x + y.permute(0, 3, 1, 2))


class PositionEncoding(nn.Module):
    """Sine and cosine of the position, projected to the width of the map."""

    frequencies = 32

    def __init__(self, width: int) -> None:
        super().__init__()
        self.token_projection = nn.Conv2d(2 * self.frequencies, width, 1)

    def forward(self, height: int, width: int) -> Tensor:
        """Return the encoding (1, C, height, width)."""
        weight = self.token_projection.weight
        index = torch.arange(self.frequencies, dtype=weight.dtype, device=weight.device)
        period = 10000 ** (2 * torch.div(index, 2, rounding_mode="floor") / self.frequencies)

        def waves(n: int) -> Tensor:
            place = torch.arange(1, n + 1, dtype=weight.dtype, device=weight.device)
            phase = (place / (n + 1e-6) * 2 * math.pi)[:, None] / period
            return torch.stack((phase[:, 0::2].sin(), phase[:, 1::2].cos()), dim=2).flatten(1)

        y = waves(height)[:, None].expand(-1, width, -1)
        x = waves(width)[None].expand(height, -1, -1)
        both = torch.cat((y, x), dim=2).permute(2, 0, 1)[None]
        return torch.as_tensor(self.token_projection(both))


class CrossCovarianceAttention(nn.Module):
    """Attention between channels instead of positions (XCiT)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(HEADS, 1, 1))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, C) to the same shape."""
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, HEADS, -1).permute(2, 0, 3, 4, 1)
        attention = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
        y = (attention * self.temperature).softmax(dim=-1) @ v
        return torch.as_tensor(self.proj(y.permute(0, 3, 1, 2).reshape(b, n, c)))


class SplitTransposeBlock(nn.Module):
    """Multi-scale depthwise convolutions, channel attention, MLP, scaled residual."""

    def __init__(self, width: int, scales: int, position: bool) -> None:
        super().__init__()
        part = math.ceil(width / scales)
        self.convs = nn.ModuleList(
            nn.Conv2d(part, part, 3, padding=1, groups=part) for _ in range(scales - 1)
        )
        self.pos_embd = PositionEncoding(width) if position else None
        self.norm_xca = nn.LayerNorm(width, eps=1e-6)
        self.gamma_xca = nn.Parameter(torch.ones(width))
        self.xca = CrossCovarianceAttention(width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        parts = x.chunk(len(self.convs) + 1, dim=1)
        done, last = [], parts[0]
        for i, conv in enumerate(self.convs):
            last = conv(last + parts[i] if i else last)
            done.append(last)
        y = torch.cat([*done, parts[-1]], dim=1)
        if self.pos_embd is not None:
            y = y + self.pos_embd(y.shape[2], y.shape[3])
        b, c, h, w = y.shape
        y = y.flatten(2).transpose(1, 2)
        y = y + self.gamma_xca * self.xca(self.norm_xca(y))
        y = self.gamma * self.mlp(self.norm(y))
        return torch.as_tensor(x + y.transpose(1, 2).reshape(b, c, h, w))


class Stage(nn.Module):
    """One resolution: halve, then blocks."""

    def __init__(self, number: int, narrow: int, width: int, depth: int) -> None:
        super().__init__()
        self.downsample: nn.Module = nn.Identity()
        if number:
            self.downsample = nn.Sequential(ChannelNorm(narrow), nn.Conv2d(narrow, width, 2, 2))
        blocks: list[nn.Module] = [ConvBlock(width, KERNELS[number]) for _ in range(depth)]
        if ATTENTION[number]:
            blocks[-1] = SplitTransposeBlock(width, SCALES[number], position=number == 1)
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, narrow, H, W) to (B, width, H/2, W/2); stage 0 keeps the size."""
        return torch.as_tensor(self.blocks(self.downsample(x)))


class EdgeFace(FaceModel):
    """EdgeFace-XS or -XXS: RGB 112 px, ArcFace template, 512 values."""

    dim = 512
    size = 112
    template = ARCFACE_112

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        depths, widths = SHAPES[name]
        self.stem = nn.Sequential(nn.Conv2d(3, widths[0], 4, 4), ChannelNorm(widths[0]))
        narrow = (widths[0], *widths[:3])
        self.stages = nn.Sequential(*(Stage(i, narrow[i], widths[i], depths[i]) for i in range(4)))
        self.head = nn.ModuleDict(
            {"norm": ChannelNorm(widths[3]), "fc": nn.Linear(widths[3], self.dim)}
        )

    @property
    def tail(self) -> nn.Linear:
        """The last linear layer."""
        layer = self.head["fc"]
        assert isinstance(layer, nn.Linear)
        return layer

    def normalise(self, pixels: Tensor) -> Tensor:
        """Scale RGB 0..255 to -1..1."""
        return (pixels - 127.5) / 127.5

    def early(self, x: Tensor) -> Tensor:
        """Return the map before the fourth stage."""
        return torch.as_tensor(self.stages[:3](self.stem(x)))

    def late(self, maps: Tensor) -> Tensor:
        """Return pooled features (B, width)."""
        y = self.stages[3](maps).mean((2, 3), keepdim=True)
        return torch.as_tensor(self.head["norm"](y).flatten(1))

    def last_stage(self) -> tuple[nn.Module, ...]:
        """Return the fourth stage and the last norm."""
        return self.stages[3], self.head["norm"]


def load_edgeface(path: Path, name: str) -> EdgeFace:
    """Read an EdgeFace checkpoint.

    Parameters
    ----------
    path : Path
        Public ``edgeface_xs_q.pt`` or ``edgeface_xxs_q.pt``, already checked by hash.
    name : {"edgeface-xs", "edgeface-xxs"}

    Returns
    -------
    EdgeFace
        On the CPU, in evaluation mode, every parameter trainable.

    Raises
    ------
    ModelError
        When the file holds something else.
    """
    model = EdgeFace(name)
    try:
        with warnings.catch_warnings():
            # torch warns of its own quantised storage types while it unpacks them.
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(dequantise(state))
    except (
        RuntimeError,
        AttributeError,
        TypeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise ModelError(f"{path} does not hold {name} weights", "see `vcn models`") from error
    return model.eval()


def dequantise(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Turn packed int8 linear layers into float weights and strip the ``model.`` prefix."""
    packed = "._packed_params._packed_params"
    plain: dict[str, Tensor] = {}
    for key, value in state.items():
        name = key.removeprefix("model.")
        if name.endswith(packed):
            weight, bias = value
            plain[name.removesuffix(packed) + ".weight"] = weight.dequantize()
            plain[name.removesuffix(packed) + ".bias"] = bias.detach()
        elif not name.endswith((".scale", ".zero_point", "._packed_params.dtype")):
            plain[name] = value
    return plain
