"""Make a graph for batches of any size, whatever batch its file was written for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from videoclusternet.errors import ModelError
from videoclusternet.models.onnx.file import Node
from videoclusternet.models.onnx.graph import FAILURES, Graph, Program, needed


def settle_batch(program: Program, x: Tensor, batch: int) -> tuple[Program, bool]:
    """Make a program for batches of any size.

    Many files hold shapes for the one batch that they were exported with.  Those are opened
    where they reshape; whether that was right is tried out.  If it was not, a program for one
    picture is mapped over the batch.

    Parameters
    ----------
    program : Program
    x : Tensor, shape (2 batch, ...)
        Pictures to try it with.
    batch : int
        What the file was written for.

    Returns
    -------
    Program, and whether it takes one picture at a time only.

    Raises
    ------
    ModelError
        When a node cannot be run, or the size of the batch cannot be changed.
    """
    fixed = freeze_shapes(program, Graph(program).trace(x[:batch]))
    graph = Graph(fixed)
    (sink,) = fixed.sinks
    parts = [graph.trace(part)[sink] for part in torch.split(x, batch)]
    if not parts[0].ndim:
        raise ModelError("it gives one number for all pictures", "is it a face-ID model?")
    expected = torch.cat(parts)
    if not expected.isfinite().all():
        raise ModelError("it gives values that are not finite", "is the file damaged?")
    if (expected == expected[:1]).all():
        raise ModelError("it gives the same for every picture", "is the file damaged?")
    free = open_batch(fixed, batch)
    try:
        with torch.no_grad():
            found = Graph(free)(x)[0]
    except FAILURES:
        found = expected[:0]
    if found.shape == expected.shape:
        close = 1e-3 * float(expected.abs().max())
        if torch.allclose(found, expected, rtol=1e-3, atol=close):
            return free, False
    if batch == 1:
        return fixed, True
    raise ModelError(
        f"its batch of {batch} pictures cannot be changed", "export it for one picture or any"
    )


def freeze_shapes(program: Program, values: Mapping[str, Tensor]) -> Program:
    """Replace all that follows from shapes alone by what it is for these values.

    The picture's size never changes, so this loses the size of the batch only.
    """
    known: set[str] = set()
    constants, left = dict(program.constants), []
    for node in program.nodes:
        follows = node.op == "Shape" or set(program.running(node)) <= known
        if follows and not program.learned & set(node.inputs):
            known |= set(node.outputs)
            constants |= {name: values[name] for name in node.outputs if name in values}
        else:
            left.append(node)
    nodes = tuple(needed(left, program.sinks))
    return replace(program, nodes=nodes, constants=constants)


def open_batch(program: Program, batch: int) -> Program:
    """Let reshaping keep a first side that is written as the size of the batch."""
    nodes, constants = [], dict(program.constants)
    for node in program.nodes:
        sizes = constants[node.inputs[1]].tolist() if _fixed_reshape(program, node) else []
        if sizes[:1] == [batch] and 0 not in sizes[1:]:
            name = f"{node.outputs[0]}/shape"
            constants[name] = torch.tensor([0, *sizes[1:]])
            rest = {key: value for key, value in node.attributes.items() if key != "allowzero"}
            node = replace(node, inputs=(node.inputs[0], name), attributes=rest)
        nodes.append(node)
    return replace(program, nodes=tuple(nodes), constants=constants)


def _fixed_reshape(program: Program, node: Node) -> bool:
    return node.op == "Reshape" and node.inputs[1] in program.constants
