"""ONNX operators that rearrange values, and those that compute shapes.

Whole numbers (shapes, axes, indices) stay on the CPU, so that reading them never waits for a
graphics card.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from videoclusternet.models.onnx.bounds import refuse_large
from videoclusternet.models.onnx.file import Node

Operator = Callable[..., Tensor | tuple[Tensor, ...]]


def together(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Bring whole numbers and their like to the device of the network's values."""
    device = next((t.device for t in tensors if t.device.type != "cpu"), None)
    return tensors if device is None else tuple(t.to(device) for t in tensors)


def axes_of(node: Node, given: Tensor | None) -> list[int]:
    """Axes from the input or, in older versions, the attribute; empty where neither is."""
    return list(node.get("axes") or []) if given is None else given.tolist()


def flatten(node: Node, x: Tensor) -> Tensor:
    """Make a matrix; the axes before ``axis`` are its rows."""
    axis = node.get("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape(math.prod(x.shape[:axis]), -1)


def reshape(node: Node, x: Tensor, shape: Tensor) -> Tensor:
    """Give another shape: a side of 0 is taken over, one of -1 worked out."""
    sizes = shape.tolist()
    if not node.get("allowzero", 0):
        sizes = [size or x.shape[i] for i, size in enumerate(sizes)]
    return x.reshape(sizes)


def transpose(node: Node, x: Tensor) -> Tensor:
    """Axes in reverse order where none is given."""
    return x.permute(node.get("perm") or list(range(x.ndim))[::-1])


def squeeze(node: Node, x: Tensor, axes: Tensor | None = None) -> Tensor:
    """Drop axes of size one; all of them where none is given."""
    chosen = axes_of(node, axes)
    return x.squeeze(tuple(chosen)) if chosen else x.squeeze()


def unsqueeze(node: Node, x: Tensor, axes: Tensor | None = None) -> Tensor:
    """Axes count in the result."""
    chosen = axes_of(node, axes)
    for axis in sorted(a % (x.ndim + len(chosen)) for a in chosen):
        x = x.unsqueeze(axis)
    return x


def slice_(node: Node, x: Tensor, *given: Tensor | None) -> Tensor:
    """Cut by starts, ends, axes, steps: attributes before version 10."""
    if given:
        starts, ends, axes, steps = (
            [] if t is None else t.tolist() for t in (*given, None, None)[:4]
        )
    else:
        starts, ends, axes = (node.get(key) or [] for key in ("starts", "ends", "axes"))
        steps = []
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = (axes[i] if axes else i) % x.ndim
        # The clamping that the specification asks for is the one of Python's own slices.
        part = slice(start, end, steps[i] if steps else 1).indices(x.shape[axis])
        if part[2] > 0:
            x = x[(*[slice(None)] * axis, slice(*part))]
        else:
            x = x.index_select(axis, torch.tensor(range(*part), dtype=torch.int64, device=x.device))
    return x


def gather(node: Node, x: Tensor, index: Tensor) -> Tensor:
    """Pick along an axis; negative indices count from the end."""
    x, index = together(x, index)
    axis = node.get("axis", 0) % x.ndim
    flat = torch.where(index < 0, index + x.shape[axis], index).reshape(-1)
    picked = x.index_select(axis, flat)
    return picked.reshape([*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]])


def split(node: Node, x: Tensor, sizes: Tensor | None = None) -> tuple[Tensor, ...]:
    """Given sizes, else as many equal parts as there are outputs, the last one smaller."""
    axis = node.get("axis", 0)
    parts = node.get("split") if sizes is None else sizes.tolist()
    if parts is None:
        parts = -(-x.shape[axis] // len(node.outputs))
    return torch.split(x, parts, axis)


def shape(node: Node, x: Tensor) -> Tensor:
    """Sides as whole numbers, on the CPU."""
    sides = list(x.shape)[node.get("start", 0) : node.get("end")]
    return torch.tensor(sides, dtype=torch.int64)


def constant(node: Node) -> Tensor:
    """Return the value, in whichever attribute it is."""
    for key in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if key in node.attributes:
            return torch.as_tensor(node.attributes[key])
    raise ValueError("a constant of unknown kind")


def constant_of_shape(node: Node, sides: Tensor) -> Tensor:
    """Float zeros where no value is given."""
    refuse_large(sides.tolist())
    value = node.get("value", torch.zeros(1))
    return torch.full(sides.tolist(), value.item(), dtype=value.dtype)


def pad(
    node: Node,
    x: Tensor,
    pads: Tensor | None = None,
    value: Tensor | None = None,
    axes: Tensor | None = None,
) -> Tensor:
    """Constant on any axis; reflected, repeated or wrapped on the last two of a map."""
    amounts = node.attributes["pads"] if pads is None else pads.tolist()
    chosen = list(range(x.ndim)) if axes is None else [a % x.ndim for a in axes.tolist()]
    sides = [(0, 0)] * x.ndim
    for i, axis in enumerate(chosen):
        sides[axis] = (amounts[i], amounts[i + len(chosen)])
    flat = [amount for both in reversed(sides) for amount in both]
    mode = node.get("mode", "constant")
    if mode == "constant":
        fill = node.get("value", 0.0) if value is None else value.item()
        return F.pad(x, flat, value=fill)
    if x.ndim != 4 or any(flat[4:]):
        raise ValueError(f"padding of kind {mode!r} is known for height and width only")
    names = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    return F.pad(x, flat[:4], mode=names[mode])


def expand(node: Node, x: Tensor, sides: Tensor) -> Tensor:
    """Broadcast both ways."""
    wanted = [1] * (x.ndim - len(sides)) + sides.tolist()
    ours = [1] * (len(wanted) - x.ndim) + list(x.shape)
    return x.broadcast_to([b if a == 1 else a for a, b in zip(ours, wanted, strict=True)])


def cumulative_sum(node: Node, x: Tensor, axis: Tensor) -> Tensor:
    """Plain form only."""
    if node.get("exclusive", 0) or node.get("reverse", 0):
        raise ValueError("only the plain cumulative sum is known")
    return x.cumsum(int(axis))


def counting(node: Node, start: Tensor, limit: Tensor, step: Tensor) -> Tensor:
    """Evenly spaced numbers."""
    first, last, by = start.item(), limit.item(), step.item()
    refuse_large([int((last - first) / by)])
    return torch.arange(first, last, by, dtype=start.dtype)


SHAPES: dict[str, Operator] = {
    "Concat": lambda node, *args: torch.cat(together(*args), node.attributes["axis"]),
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "CumSum": cumulative_sum,
    "Einsum": lambda node, *args: torch.einsum(node.attributes["equation"], *args),
    "Expand": expand,
    "Flatten": flatten,
    "Gather": gather,
    "Pad": pad,
    "Range": counting,
    "Reshape": reshape,
    "Shape": shape,
    "Slice": slice_,
    "Split": split,
    "Squeeze": squeeze,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
