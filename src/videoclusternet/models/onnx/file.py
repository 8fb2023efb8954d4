"""Read an ONNX file into plain nodes and torch tensors.

The only place that uses the ``onnx`` package, which is an optional extra.  What an
operator means is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoclusternet.errors import ModelError
from videoclusternet.models.download import LARGEST
from videoclusternet.models.onnx.bounds import refuse_long
from videoclusternet.outside.files import read_bytes
from videoclusternet.outside.text import SHOWN

OPSETS = range(7, 24)
"""Versions of the operator set that are understood."""

FLOATS = (1, 10, 11, 16)
"""``TensorProto.DataType``: float, float16, double, bfloat16; all become float32."""
WHOLE = (2, 3, 4, 5, 6, 7, 12, 13)
"""The same for whole numbers of any width; all become int64."""
TRUTH = 9
"""The same for truth values."""


@dataclass(frozen=True)
class Node:
    """One step of the graph.

    Attributes
    ----------
    op : str
        Operator; with its domain in front where that is not ONNX's own.
    name : str
        As written in the file; the first output where there is none.
    inputs, outputs : tuple of str
        Names of tensors; an optional one that is left out is empty.
    attributes : mapping
        Numbers, strings, lists and tensors.
    opset : int
        Version of the operator set.
    """

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    opset: int

    def get(self, key: str, default: Any = None) -> Any:
        """Return an attribute, or what the specification says in its place."""
        return self.attributes.get(key, default)

    def __str__(self) -> str:
        return f"{self.op} (node {self.name})"


@dataclass(frozen=True)
class OnnxFile:
    """A graph as it is written.

    Attributes
    ----------
    path : Path
    nodes : tuple of Node
        In the order in which they can be run.
    constants : mapping of str to Tensor
        Initialisers: float32, int64 or bool.
    inputs : mapping of str to tuple
        Shape of each input that is no initialiser; None where a side is open.
    outputs : tuple of str
    """

    path: Path
    nodes: tuple[Node, ...]
    constants: Mapping[str, Tensor]
    inputs: Mapping[str, tuple[int | None, ...]]
    outputs: tuple[str, ...]


def read_onnx(path: Path) -> OnnxFile:
    """Read a file.

    Raises
    ------
    ModelError
        When the ``onnx`` package is not installed, or the file holds something else, keeps its
        weights in another file or is of an unknown version.
    """
    onnx = _library()
    data = read_bytes(path, ModelError, LARGEST)
    try:
        model = onnx.ModelProto.FromString(data)
        refuse_long(model)
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        return _converted(onnx, model, path)
    except ModelError as error:
        if str(path) in error.message:
            raise
        raise ModelError(f"{path}: {error.message}", error.advice) from error
    except Exception as error:  # protobuf's own; its class depends on how protobuf was built
        raise ModelError(
            f"{path} does not hold an ONNX model", "is it complete and of this format?"
        ) from error


def _converted(onnx: Any, model: Any, path: Path) -> OnnxFile:
    graph = model.graph
    if not graph.node or not graph.output:
        raise ModelError(f"{path} does not hold an ONNX model", "it has no nodes")
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    opset = opsets.get("", opsets.get("ai.onnx", 0))
    if opset not in OPSETS:
        raise ModelError(
            f"{path} uses version {opset} of ONNX's operators",
            f"export it with a version from {OPSETS[0]} to {OPSETS[-1]}",
        )
    if graph.sparse_initializer:
        raise ModelError(f"{path} holds sparse weights", "export it with plain ones")
    constants = {t.name: _tensor(onnx, t, path) for t in graph.initializer}
    return OnnxFile(
        path=path,
        nodes=tuple(_node(onnx, node, opset, path) for node in graph.node),
        constants=constants,
        inputs={i.name: _shape(i) for i in graph.input if i.name not in constants},
        outputs=tuple(o.name for o in graph.output),
    )


def _library() -> Any:
    try:
        import onnx
        import onnx.inliner
    except ImportError as error:
        raise ModelError(
            "reading ONNX models needs the package onnx", 'pip install "videoclusternet[onnx]"'
        ) from error
    return onnx


def _node(onnx: Any, node: Any, opset: int, path: Path) -> Node:
    words = (node.domain, node.op_type, node.name, *node.input, *node.output)
    if not all(isinstance(word, str) for word in words):  # bytes, where they are no UTF-8
        raise ModelError(f"{path} is damaged: a name in it is no text", "get the file again")
    domain = "" if node.domain in ("", "ai.onnx") else f"{node.domain}."
    return Node(
        op=domain + node.op_type,
        name=(node.name or next(filter(None, node.output), ""))[:SHOWN],
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        attributes={a.name: _attribute(onnx, a, path) for a in node.attribute},
        opset=opset,
    )


def _attribute(onnx: Any, attribute: Any, path: Path) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if attribute.type == onnx.AttributeProto.TENSOR:
        return _tensor(onnx, value, path)
    if attribute.type == onnx.AttributeProto.STRING:
        return value.decode(errors="replace")
    if attribute.type in (onnx.AttributeProto.FLOATS, onnx.AttributeProto.INTS):
        return list(value)
    return value


def _shape(value: Any) -> tuple[int | None, ...]:
    """Sides of an input; some exporters write an open side as 0 or -1."""
    return tuple(d.dim_value if d.dim_value > 0 else None for d in value.type.tensor_type.shape.dim)


def _tensor(onnx: Any, tensor: Any, path: Path) -> Tensor:
    """Convert a tensor; every width becomes the one that the network is run in."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        # Only the file itself is checked by hash: nothing beside it may decide the outcome.
        raise ModelError(
            f"{path} keeps its weights in another file",
            'onnx.save(onnx.load("old.onnx"), "new.onnx") makes one file of both',
        )
    kinds: dict[int, Any] = {
        **dict.fromkeys(FLOATS, np.float32),
        **dict.fromkeys(WHOLE, np.int64),
        TRUTH: np.bool_,
    }
    if tensor.data_type not in kinds:
        known = dict(map(reversed, onnx.TensorProto.DataType.items()))
        kind = known.get(tensor.data_type, f"unknown ({tensor.data_type})")
        raise ModelError(
            f"{path} holds {kind} values in {tensor.name[:SHOWN]}", "export it in float32"
        )
    try:
        array: NDArray[Any] = np.array(
            onnx.numpy_helper.to_array(tensor), dtype=kinds[tensor.data_type]
        )
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path}: tensor {tensor.name[:SHOWN]} is damaged", str(error)) from error
    return torch.from_numpy(array)
