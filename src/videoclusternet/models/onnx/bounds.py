"""What a graph of a stranger may take: nodes, and numbers foreseen before memory is asked for."""

from __future__ import annotations

import graphlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from videoclusternet.errors import ModelError

MOST_NODES = 20_000
"""Of a graph, its functions written out; face-ID networks have some hundreds."""
MOST_FUNCTIONS = 1000
"""That a file defines."""
MOST_NUMBERS = 1 << 26
"""Of a tensor on the way; a map of a face-ID network has a tenth of it."""
MOST_ALIVE = 1 << 27
"""Of all tensors that are needed at one time."""
GROWING = {"AveragePool", "Conv", "Expand", "MaxPool", "Pad"}
"""Operators whose output is not bounded by the sizes of what goes in."""
ALIKE = {"Add", "Div", "Max", "Min", "Mul", "Sub", "Sum"}
"""Operators that keep a shape that all of their inputs have."""
FEW = 64
"""Whole numbers that may be a shape, whose values an operator reads."""


class TooLarge(ValueError):
    """A tensor would take more memory than any face-ID network needs."""


def refuse_large(shape: Iterable[int]) -> None:
    """Refuse a tensor by its shape.

    Raises
    ------
    TooLarge
    """
    sides = list(shape)
    if math.prod(sides) > MOST_NUMBERS:
        raise TooLarge(f"a tensor of {' x '.join(map(str, sides[:8]))} numbers is too large")


def foresee(function: Callable[..., Any], node: Any, args: Sequence[Tensor | None]) -> None:
    """Work out how large the outputs of a node will be, without making them.

    Raises
    ------
    TooLarge
    """
    sizes = [value.numel() for value in args if value is not None]
    same = node.op in ALIKE and len({value.shape for value in args if value is not None}) == 1
    if same or (node.op not in GROWING and math.prod(sizes) <= MOST_NUMBERS):
        return  # no more than each number of one with each of the others
    everything = node.op == "Einsum"  # reads no values, and can grow without bound

    def outline(place: int, value: Tensor | None) -> Tensor | None:
        if value is None:
            return None
        read = value.numel() <= FEW and not value.is_floating_point()
        limit = value.numel() == 1 and place > 0  # such as what to pad with
        return value if (read or limit) and not everything else value.to("meta")

    try:
        with torch.no_grad():
            out = function(node, *(outline(i, value) for i, value in enumerate(args)))
    except TooLarge:
        raise
    except Exception:
        return  # needs values, or fails: then it shows as it runs
    for made in (out,) if isinstance(out, Tensor) else out:
        refuse_large(made.shape)


def count(tensors: Iterable[Tensor]) -> int:
    """Return how many numbers some tensors hold."""
    return sum(tensor.numel() for tensor in tensors)


def refuse_many(numbers: int) -> None:
    """Refuse more numbers at one time than any face-ID network needs.

    Raises
    ------
    ModelError
    """
    if numbers > MOST_ALIVE:
        raise ModelError(f"it holds more than {MOST_ALIVE:,} numbers", "is it a face-ID model?")


def refuse_long(model: Any) -> None:
    """Refuse a graph that is too long once its functions are written out.

    Parameters
    ----------
    model : onnx.ModelProto

    Raises
    ------
    ModelError
        Also for functions that call themselves.
    """
    if len(model.functions) > MOST_FUNCTIONS:
        raise ModelError(f"it defines {len(model.functions):,} functions", "inline them")
    inner = {(f.domain, f.name): f.node for f in model.functions}
    calls = {
        key: [at for node in nodes if (at := (node.domain, node.op_type)) in inner]
        for key, nodes in inner.items()
    }
    try:
        order = list(graphlib.TopologicalSorter(calls).static_order())
    except graphlib.CycleError as error:
        raise ModelError("it holds a function that calls itself", "export it anew") from error
    length: dict[tuple[str, str], int] = {}
    for key in order:
        length[key] = _length(inner[key], length)
    nodes = _length(model.graph.node, length)
    if nodes > MOST_NODES:
        raise ModelError(
            f"it has more than {MOST_NODES:,} nodes",
            "simplify it, for example with onnx-simplifier",
        )


def _length(nodes: Iterable[Any], of: Mapping[tuple[str, str], int]) -> int:
    return sum(of.get((node.domain, node.op_type), 1) for node in nodes)
