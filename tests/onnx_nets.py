"""Small ONNX files with random weights, written node by node, for tests."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, np.dtype[Any]]


class Net:
    """A graph in the making; names of tensors are what its methods return."""

    def __init__(self, opset: int = 17, seed: int = 0) -> None:
        self.opset = opset
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def give(self, values: Any) -> str:
        """Add an initialiser."""
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def weight(self, *shape: int, low: float | None = None) -> str:
        """Add random weights, from ``low`` to ``low + 1`` if given, else around zero."""
        fan = np.prod(shape[1:]) if len(shape) > 1 else 10
        values = self.rng.normal(size=shape) / np.sqrt(fan)
        if low is not None:
            values = low + self.rng.random(shape)
        return self.give(values.astype(np.float32))

    def add(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; return the name of its output, or a list of them."""
        names = [f"{op}{len(self.nodes)}_{i}" for i in range(outputs)]
        name = f"node{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, names, name=name, **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x: str, narrow: int, width: int, kernel: int, **attributes: Any) -> str:
        """Convolve, with a bias."""
        group = attributes.get("group", 1)
        weight = self.weight(width, narrow // group, kernel, kernel)
        return str(self.add("Conv", x, weight, self.weight(width), **attributes))

    def norm(self, x: str, width: int) -> str:
        """Add a batch normalisation."""
        affine = self.weight(width, low=0.5), self.weight(width)
        statistics = self.weight(width), self.weight(width, low=0.5)
        return str(self.add("BatchNormalization", x, *affine, *statistics, epsilon=1e-3))

    def prelu(self, x: str, width: int) -> str:
        return str(self.add("PRelu", x, self.weight(width, 1, 1, low=0.0)))

    def model(
        self, out: str | list[str], shape: Any = ("N", 3, 32, 32), start: str = "picture"
    ) -> Any:
        """Finish: one picture in, embeddings out."""
        outs = [out] if isinstance(out, str) else out
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info(start, TensorProto.FLOAT, shape)],
            [helper.make_empty_tensor_value_info(name) for name in outs],
            self.constants,
        )
        opset = helper.make_opsetid("", self.opset)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8)

    def save(self, path: Path, out: str | list[str], shape: Any = ("N", 3, 32, 32)) -> Path:
        onnx.save(self.model(out, shape), str(path))
        return path


def reference(path: Path, *inputs: Array) -> list[Array]:
    """What ONNX Runtime makes of it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    return list(session.run(None, dict(zip(names, inputs, strict=True))))


def iresnet(net: Net, folded: bool, start: str = "picture") -> str:
    """Blocks as in ArcFace's network, 32 px to 2 px, then flatten, linear, norm; 24 values."""
    x = net.conv(start, 3, 8, 3, pads=[1] * 4)
    x = net.prelu(x if folded else net.norm(x, 8), 8)
    for narrow, width in ((8, 8), (8, 12), (12, 16), (16, 16)):
        y = net.conv(net.norm(x, narrow), narrow, width, 3, pads=[1] * 4)
        y = net.prelu(y if folded else net.norm(y, width), width)
        y = net.conv(y, width, width, 3, pads=[1] * 4, strides=[2, 2])
        x = net.conv(x, narrow, width, 1, strides=[2, 2])
        if not folded:
            x, y = net.norm(x, width), net.norm(y, width)
        x = net.add("Add", y, x)
    x = net.norm(x, 16)
    x = net.add("Flatten", x if net.opset > 11 else net.add("Dropout", x))
    x = net.add("Gemm", x, net.weight(24, 64), net.weight(24), transB=1)
    return net.norm(x, 24)


def mobilefacenet(net: Net) -> str:
    """Inverted bottlenecks, depthwise over the whole last map, 1x1 convolution; 20 values."""
    x = net.prelu(net.conv("picture", 3, 8, 3, pads=[1] * 4, strides=[2, 2]), 8)
    for stride, residual in ((2, False), (1, True), (2, False), (1, True)):
        y = net.prelu(net.conv(x, 8, 16, 1), 16)
        y = net.prelu(net.conv(y, 16, 16, 3, pads=[1] * 4, strides=[stride] * 2, group=16), 16)
        y = net.norm(net.conv(y, 16, 8, 1), 8)
        x = net.add("Add", x, y) if residual else y
    x = net.prelu(net.conv(x, 8, 32, 1), 32)
    x = net.conv(x, 32, 32, 4, group=32)
    x = net.conv(x, 32, 20, 1)
    return net.norm(net.add("Flatten", x), 20)


def sface(net: Net, share: int = 16, dim: int = 128) -> Any:
    """The form of OpenCV Zoo's SFace, its widths divided by ``share``; the whole model.

    As MXNet exports it: initialisers stand among the inputs, the picture is scaled inside, and
    every convolution has its batch normalisation (epsilon 1e-3) and PReLU after it.
    """

    def unit(x: str, narrow: int, width: int, kernel: int = 1, **attributes: Any) -> str:
        weight = net.weight(width, narrow // attributes.get("group", 1), kernel, kernel)
        x = net.add("Conv", x, weight, kernel_shape=[kernel] * 2, **attributes)
        return net.prelu(net.norm(x, width), width)

    x = net.add("Sub", "data", net.give(np.array([127.5], np.float32)))
    x = net.add("Mul", x, net.give(np.array([0.0078125], np.float32)))
    widths = [32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024]
    x = unit(x, 3, widths[0] // share, 3, pads=[1] * 4)
    for wide_in, wide_out in pairwise(widths):
        narrow, width = wide_in // share, wide_out // share
        stride = 2 if wide_out > wide_in and wide_in > 32 else 1
        x = unit(x, narrow, narrow, 3, pads=[1] * 4, strides=[stride] * 2, group=narrow)
        x = unit(x, narrow, width)
    x = net.add("Flatten", net.add("Dropout", net.norm(x, width)))
    x = net.add("Gemm", x, net.weight(dim, 49 * width), net.weight(dim), transB=1)
    return listed(net.model(net.norm(x, dim), (1, 3, 112, 112), "data"))


def listed(model: Any) -> Any:
    """List every initialiser among the inputs too, as MXNet and old versions of ONNX do."""
    for tensor in model.graph.initializer:
        entry = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        model.graph.input.append(entry)
    return model


def glintr100(net: Net, batch: Any = "None", dim: int = 512) -> Any:
    """The form of InsightFace's R100 in ONNX, narrow and with one block a stage."""
    x = net.prelu(net.conv("input.1", 3, 4, 3, pads=[1] * 4), 4)
    for narrow, width in ((4, 4), (4, 6), (6, 8), (8, 8)):
        y = net.prelu(net.conv(net.norm(x, narrow), narrow, width, 3, pads=[1] * 4), width)
        y = net.conv(y, width, width, 3, pads=[1] * 4, strides=[2, 2])
        x = net.add("Add", y, net.conv(x, narrow, width, 1, strides=[2, 2]))
    x = net.add("Flatten", net.norm(x, 8))
    x = net.add("Gemm", x, net.weight(dim, 49 * 8), net.weight(dim), transB=1)
    return net.model(net.norm(x, dim), (batch, 3, 112, 112), "input.1")


def vit(net: Net, depth: int = 4, baked: bool = True) -> str:
    """Patches, a class token, attention by MatMul and Softmax, layer norms; 20 values."""
    width, heads, tokens = 16, 2, 17
    x = net.conv("picture", 3, width, 8, strides=[8, 8])
    x = net.add("Reshape", x, net.give(np.array([1 if baked else 0, width, -1])))
    x = net.add("Transpose", x, perm=[0, 2, 1])
    token = net.weight(1, 1, width)
    if not baked:
        rows = net.add("Slice", net.add("Shape", "picture"), *map(net.give, ([0], [1])))
        shape = net.add("Concat", rows, net.give(np.array([1, width])), axis=0)
        token = net.add("Expand", token, shape)
    x = net.add("Concat", token, x, axis=1)
    x = net.add("Add", x, net.weight(1, tokens, width))
    lead = 1 if baked else 0
    for _ in range(depth):
        y = net.add("LayerNormalization", x, net.weight(width, low=0.5), net.weight(width))
        qkv = net.add("MatMul", y, net.weight(width, 3 * width))
        qkv = net.add("Reshape", qkv, net.give(np.array([lead, tokens, 3, heads, -1])))
        qkv = net.add("Transpose", qkv, perm=[2, 0, 3, 1, 4])
        q, k, v = (net.add("Gather", qkv, net.give(np.array(i)), axis=0) for i in range(3))
        scores = net.add("MatMul", q, net.add("Transpose", k, perm=[0, 1, 3, 2]))
        scores = net.add("Div", scores, net.give(np.array(8**0.5, np.float32)))
        y = net.add("MatMul", net.add("Softmax", scores, axis=-1), v)
        y = net.add("Transpose", y, perm=[0, 2, 1, 3])
        y = net.add("Reshape", y, net.give(np.array([lead, tokens, width])))
        x = net.add("Add", x, net.add("MatMul", y, net.weight(width, width)))
        y = net.add("MatMul", x, net.weight(width, 2 * width))
        half = net.add("Div", y, net.give(np.array(2**0.5, np.float32)))
        half = net.add("Add", net.add("Erf", half), net.give(np.array(1, np.float32)))
        y = net.add("MatMul", net.add("Mul", y, half), net.weight(2 * width, width))
        x = net.add("Add", x, y)
    x = net.add("LayerNormalization", x, net.weight(width, low=0.5), net.weight(width))
    x = net.add("Gather", x, net.give(np.array(0)), axis=1)
    return str(net.add("Gemm", x, net.weight(width, 20), net.weight(20)))
