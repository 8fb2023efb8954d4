"""Find the parts of a face-ID network in its graph: the last linear layer, the last stage."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from videoclusternet.errors import ModelError
from videoclusternet.models.onnx.file import Node
from videoclusternet.models.onnx.graph import Graph, Program

AFFINE = {"Add", "BatchNormalization", "Div", "Mul", "Sub"}
"""Operators that can be folded into a linear layer, with constants on the other side."""
LAYOUT = {"Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
"""Operators that leave all values in their order."""
SLIDING = {"AveragePool", "Conv", "MaxPool"}
"""Operators whose output is a map of height and width."""
SHARE = 0.25
"""Of the trunk's weights: what the last stage has at least where no resolution marks it."""


def split_tail(program: Program, values: Mapping[str, Tensor], batch: int) -> tuple[int, nn.Linear]:
    """Find the last linear layer, with what can be folded into it.

    Parameters
    ----------
    program : Program
    values : mapping of str to Tensor
        Every tensor, for a batch.
    batch : int

    Returns
    -------
    int, nn.Linear
        Place of the layer, and the layer.

    Raises
    ------
    ModelError
        When there is none, or something follows that turns the embedding.
    """
    nodes = program.nodes
    found = [i for i, n in enumerate(nodes) if _matrix(program, n, values, batch) is not None]
    place = found[-1] if found else 0
    bridges = program.bridges()
    if not found or bridges.get(place + 1) != nodes[place].outputs[0]:
        raise ModelError("it has no last linear layer", "is it a face-ID model?")
    matrix = _matrix(program, nodes[place], values, batch)
    assert matrix is not None
    weight, bias = matrix
    out = nodes[place].outputs[0]
    stop, current = place + 1, out
    while stop < len(nodes) and bridges.get(stop) == current and _folds(program, stop, current):
        after = values[nodes[stop].outputs[0]]
        if after.numel() != values[out].numel() or after.shape[:1] != (batch,):
            break
        current = nodes[stop].outputs[0]
        stop += 1
    _refuse_more(program, stop, values[current], current)
    # Each value is scaled and shifted by itself: 0 and 1 tell by how much.
    affine = Graph(program.part(place + 1, stop, out, current)).double()
    zeros = torch.zeros(values[out].shape, dtype=torch.float64)
    with torch.no_grad():
        shift = affine(zeros)[0].reshape(batch, -1)[0]
        scale = affine(zeros + 1)[0].reshape(batch, -1)[0] - shift
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight.copy_(weight.double() * scale[:, None])
        linear.bias.copy_(bias.double() * scale + shift)
    return place, linear


def _matrix(
    program: Program, node: Node, values: Mapping[str, Tensor], batch: int
) -> tuple[Tensor, Tensor] | None:
    """Weight (d, k) and bias (d,) of a node that is a linear layer on a flat vector, or None."""
    if node.op not in ("Gemm", "MatMul", "Conv") or len(program.running(node)) != 1:
        return None
    weight, flat = program.constants.get(node.inputs[1]), values[node.inputs[0]]
    bias = program.constants[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else None
    if weight is None or flat.shape[0] != batch:
        return None
    if node.op == "Conv":
        whole = flat.shape[2:] == weight.shape[2:] and not any(node.get("pads") or [])
        one = values[node.outputs[0]].numel() == batch * len(weight)
        if not whole or not one or node.get("group", 1) != 1:
            return None
        weight = weight.flatten(1)
    elif node.op == "Gemm":
        if node.get("transA", 0):
            return None
        weight = node.get("alpha", 1.0) * (weight if node.get("transB", 0) else weight.T)
        bias = None if bias is None else node.get("beta", 1.0) * bias
    elif weight.ndim == 2:
        weight = weight.T
    if weight.ndim != 2 or flat.numel() != batch * weight.shape[1]:
        return None
    if bias is None:
        bias = weight.new_zeros(())
    return (weight, bias.expand(len(weight)) if bias.ndim < 2 else bias.reshape(-1))


def _folds(program: Program, place: int, current: str) -> bool:
    """Whether a node scales, shifts or reshapes a vector, and nothing else uses the vector."""
    node = program.nodes[place]
    if program.running(node) != [current]:
        return False
    turned = node.op == "Div" and node.inputs[0] != current
    return node.op in AFFINE | LAYOUT and not turned


def _refuse_more(program: Program, start: int, like: Tensor, current: str) -> None:
    """Check that the nodes from ``start`` on change the length of an embedding only.

    Tried out instead of recognised: there are many ways to write a normalisation.
    """
    if start == len(program.nodes):
        return
    rest = Graph(program.part(start, len(program.nodes), current, program.sinks[0]))
    random = torch.Generator().manual_seed(0)
    for size in (0.1, 1.0, 100.0):
        x = size * torch.randn(like.shape, generator=random)
        y = rest.trace(x)[program.sinks[0]]
        if y.numel() == x.numel():
            cosine = torch.cosine_similarity(x.flatten(1), y.reshape(len(x), -1))
            if (cosine > 0.9999).all():
                continue
        raise ModelError(
            f"after the last linear layer comes {program.nodes[start]}, which is no normalisation",
            "export the model up to its embedding",
        )


def find_cut(program: Program, values: Mapping[str, Tensor], flat: set[str]) -> int:
    """Choose where the last stage begins.

    The last place before the map takes its final height and width at which one tensor alone
    goes on.  Where no such place leaves weights on both sides (a transformer, for one), the
    last place after which at least a quarter of the weights lie.

    Parameters
    ----------
    program : Program
        From the picture to the input of the last linear layer.
    values : mapping of str to Tensor
    flat : set of str
        Tensors whose first axis is the batch.

    Returns
    -------
    int
        The last stage begins with ``nodes[place]``.
    """
    nodes = program.nodes
    places = [place for place, name in program.bridges().items() if name in flat]
    sides = [values[node.outputs[0]].shape[2:] for node in nodes]
    maps = [i for i, node in enumerate(nodes) if node.op in SLIDING and sides[i].numel() > 1]
    if maps:
        first = next(i for i in maps if sides[i] == sides[maps[-1]])
        cut = max(place for place in places if place <= first)
        if program.weights(0, cut) and program.weights(cut, len(nodes)):
            return cut
    weights = program.weights_from()
    return max(p for p in places if weights[p] >= SHARE * weights[0])
