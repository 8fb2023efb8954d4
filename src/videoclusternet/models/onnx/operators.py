"""What each ONNX operator means, in torch.

Operators are functions of a node (for its attributes) and its inputs, absent optional ones
None or left out.  Semantics follow the specification of versions 7 to 23; parameters that
moved from attributes to inputs are looked for in both places.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from videoclusternet.models.onnx.file import FLOATS, TRUTH, Node
from videoclusternet.models.onnx.shapes import SHAPES, Operator, axes_of, together
from videoclusternet.models.onnx.windows import average_pool, conv, max_pool


def batch_normalization(
    node: Node, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    """Frozen statistics; scale and bias stay trainable."""
    # Before version 14 more than one output says so.
    if node.get("training_mode", 0) or (node.opset < 14 and len(node.outputs) > 1):
        raise ValueError("exported in training mode; call model.eval() before the export")
    epsilon = node.get("epsilon", 1e-5)
    return F.batch_norm(x, mean, variance, scale, bias, training=False, eps=epsilon)


def layer_normalization(node: Node, x: Tensor, scale: Tensor, bias: Tensor | None = None) -> Tensor:
    """Over all axes from ``axis`` on."""
    shape = x.shape[node.get("axis", -1) :]
    epsilon = node.get("epsilon", 1e-5)
    bias = None if bias is None else bias.reshape(shape)
    return F.layer_norm(x, shape, scale.reshape(shape), bias, epsilon)


def prelu(node: Node, x: Tensor, slope: Tensor) -> Tensor:
    """One slope per channel where that is what the shape says."""
    channels = x.shape[1] if x.ndim > 1 else 1
    # Old converters write (C,) where the rules of broadcasting ask for (C, 1, 1).
    old = slope.ndim == 1 and x.ndim > 2 and x.shape[-1] != channels
    by_channel = old or x.ndim == 2 or slope.shape[-x.ndim + 1 :] == (channels, *[1] * (x.ndim - 2))
    if slope.numel() == 1 or (by_channel and slope.numel() == channels):
        return F.prelu(x, slope.reshape(-1))
    return torch.where(x < 0, x * slope, x)


def clip(node: Node, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    """Limits are attributes before version 11."""
    smallest = node.get("min") if low is None else low
    largest = node.get("max") if high is None else high
    return x if smallest is None and largest is None else torch.clamp(x, smallest, largest)


def divide(node: Node, a: Tensor, b: Tensor) -> Tensor:
    """Whole numbers are divided as in C."""
    a, b = together(a, b)
    whole = not a.is_floating_point() and not b.is_floating_point()
    return torch.div(a, b, rounding_mode="trunc" if whole else None)


def gemm(node: Node, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    """``alpha A' B' + beta C``."""
    a = a.T if node.get("transA", 0) else a
    b = b.T if node.get("transB", 0) else b
    y = a @ b
    if (alpha := node.get("alpha", 1.0)) != 1:
        y = y * alpha
    if c is None:
        return y
    beta = node.get("beta", 1.0)
    return y + (c if beta == 1 else c * beta)


def softmax(node: Node, x: Tensor) -> Tensor:
    """Before version 13 all axes from ``axis`` on share one sum."""
    if node.opset >= 13:
        return x.softmax(node.get("axis", -1))
    axis = node.get("axis", 1) % x.ndim
    return x.flatten(axis).softmax(-1).reshape(x.shape)


def reduction(function: Callable[[Tensor, list[int], bool], Tensor]) -> Operator:
    """Make an operator of a function of (x, axes, whether to keep them)."""

    def run(node: Node, x: Tensor, axes: Tensor | None = None) -> Tensor:
        chosen = axes_of(node, axes)
        if not chosen:
            if node.get("noop_with_empty_axes", 0):
                return x
            chosen = list(range(x.ndim))
        return function(x, chosen, bool(node.get("keepdims", 1)))

    return run


def cast(node: Node, x: Tensor) -> Tensor:
    """Three kinds of number only: see :mod:`videoclusternet.models.onnx.file`."""
    kind = node.attributes["to"]
    if kind in FLOATS:
        return x if x.is_floating_point() else x.to(torch.float32)
    return x.to(torch.bool if kind == TRUTH else torch.int64)


def lp_normalization(node: Node, x: Tensor) -> Tensor:
    """Divide by the norm; zeros stay zeros."""
    p, axis = node.get("p", 2), node.get("axis", -1)
    return F.normalize(x, p=float(p), dim=axis)


def one(function: Callable[[Tensor], Tensor]) -> Operator:
    """Make an operator of a function of one tensor."""
    return lambda node, x, *rest: function(x)


def two(function: Callable[..., Tensor]) -> Operator:
    """Make an operator of a function of tensors that are broadcast."""
    return lambda node, *args: function(*together(*args))


def many(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    """Make an operator of any number of tensors from one of two."""
    return lambda node, *args: functools.reduce(function, together(*args))


ELEMENTWISE: dict[str, Operator] = {
    "Abs": one(torch.abs),
    "Cos": one(torch.cos),
    "Erf": one(torch.erf),
    "Exp": one(torch.exp),
    "Floor": one(torch.floor),
    "Log": one(torch.log),
    "Neg": one(torch.neg),
    "Not": one(torch.logical_not),
    "Reciprocal": one(torch.reciprocal),
    "Relu": one(torch.relu),
    "Sigmoid": one(torch.sigmoid),
    "Sin": one(torch.sin),
    "Softplus": one(F.softplus),
    "Sqrt": one(torch.sqrt),
    "Tanh": one(torch.tanh),
    "HardSwish": one(F.hardswish),
    "Elu": lambda node, x: F.elu(x, node.get("alpha", 1.0)),
    "Gelu": lambda node, x: F.gelu(x, approximate=node.get("approximate", "none")),
    "HardSigmoid": lambda node, x: torch.clamp(
        node.get("alpha", 0.2) * x + node.get("beta", 0.5), 0, 1
    ),
    "LeakyRelu": lambda node, x: F.leaky_relu(x, node.get("alpha", 0.01)),
    "PRelu": prelu,
    "Clip": clip,
    "Cast": cast,
    # Dropout does nothing when a network is used, and must not when it is adapted.
    "Dropout": one(lambda x: x),
    "Identity": one(lambda x: x),
}
PAIRS: dict[str, Operator] = {
    "Add": two(torch.add),
    "Sub": two(torch.sub),
    "Mul": two(torch.mul),
    "Div": divide,
    "Mod": lambda node, a, b: (torch.fmod if node.get("fmod", 0) else torch.remainder)(a, b),
    "Pow": two(lambda a, b: torch.pow(a, b).to(a.dtype)),
    "Sum": many(torch.add),
    "Max": many(torch.maximum),
    "Min": many(torch.minimum),
    "And": two(torch.logical_and),
    "Or": two(torch.logical_or),
    "Equal": two(torch.eq),
    "Greater": two(torch.gt),
    "Less": two(torch.lt),
    "Where": two(torch.where),
    "MatMul": two(torch.matmul),
    "Gemm": gemm,
}
REDUCTIONS: dict[str, Operator] = {
    "ReduceMean": reduction(lambda x, axes, keep: x.mean(axes, keep)),
    "ReduceSum": reduction(lambda x, axes, keep: x.sum(axes, keep)),
    "ReduceMax": reduction(lambda x, axes, keep: x.amax(axes, keep)),
    "ReduceMin": reduction(lambda x, axes, keep: x.amin(axes, keep)),
    "ReduceSumSquare": reduction(lambda x, axes, keep: x.square().sum(axes, keep)),
    "ReduceL1": reduction(lambda x, axes, keep: x.abs().sum(axes, keep)),
    "ReduceL2": reduction(lambda x, axes, keep: torch.linalg.vector_norm(x, 2, axes, keep)),
}
LAYERS: dict[str, Operator] = {
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalization,
    "Conv": conv,
    "GlobalAveragePool": one(lambda x: x.mean(list(range(2, x.ndim)), keepdim=True)),
    "GlobalMaxPool": one(lambda x: x.amax(list(range(2, x.ndim)), keepdim=True)),
    "LayerNormalization": layer_normalization,
    "LpNormalization": lp_normalization,
    "MaxPool": max_pool,
    "Softmax": softmax,
}
OPERATORS = {**ELEMENTWISE, **PAIRS, **REDUCTIONS, **SHAPES, **LAYERS}
