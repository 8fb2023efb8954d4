"""Tensors named and shaped as in public files of weights, filled with random numbers."""

from __future__ import annotations

import math

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
State = dict[str, Tensor]


def conv(name: str, width: int, narrow: int, kernel: int) -> Shapes:
    """One convolution without bias."""
    return {f"{name}.weight": (width, narrow, kernel, kernel)}


def layer(name: str, *shape: int) -> Shapes:
    """One layer with a bias: a linear layer, a convolution, a layer norm."""
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def norm(name: str, width: int, affine: bool = True, tracked: bool = True) -> Shapes:
    """One batch norm; files of before PyTorch 0.4.1 do not count their batches."""
    shapes: Shapes = layer(name, width) if affine else {}
    shapes |= {f"{name}.running_mean": (width,), f"{name}.running_var": (width,)}
    return shapes | ({f"{name}.num_batches_tracked": ()} if tracked else {})


def filled(shapes: Shapes, seed: int = 0) -> State:
    """Numbers that let a signal through deep networks without vanishing or exploding."""
    torch.manual_seed(seed)
    state: State = {}
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
        elif len(shape) > 1:
            state[name] = torch.randn(shape) * math.sqrt(2 / math.prod(shape[1:]))
        elif name.endswith((".running_mean", ".bias")):
            state[name] = torch.randn(shape) * 0.1
        else:
            state[name] = torch.rand(shape) * 0.5 + 0.4
    return state


def batch_norm(state: State, name: str, x: Tensor) -> Tensor:
    """The formula, for (B, C) or (B, C, H, W)."""
    shape = (1, -1, 1, 1)[: x.ndim]

    def get(part: str, otherwise: float) -> Tensor:
        found = state.get(f"{name}.{part}")
        return torch.tensor(otherwise) if found is None else found.view(shape)

    scaled = (x - get("running_mean", 0)) / (get("running_var", 1) + 1e-5).sqrt()
    return scaled * get("weight", 1) + get("bias", 0)


def shapes_of(state: State) -> Shapes:
    """Names and shapes of some tensors."""
    return {name: tuple(value.shape) for name, value in state.items()}


def assert_alike(found: Tensor, expected: Tensor) -> None:
    """Equal but for rounding, measured by the length of the rows."""
    assert found.shape == expected.shape
    error = (found - expected).norm(dim=-1) / expected.norm(dim=-1)
    assert error.max() < 1e-4, error
