"""Every ONNX operator that we run, against ONNX Runtime."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

from tests.onnx_nets import Net, reference
from videoclusternet.models.onnx.file import OPSETS, read_onnx
from videoclusternet.models.onnx.graph import Graph, make_program
from videoclusternet.models.onnx.operators import OPERATORS

MAP = (2, 4, 9, 8)
IMAGE = (2, 4, 8, 8)
ROWS = (3, 5, 6)
Case = tuple[str, tuple[int, ...], list[Any], dict[str, Any], tuple[int, ...]]
"""Operator, shape of the first input, constants (a tuple is a shape of random floats), attributes,
versions."""

CONV = {"dilations": [1, 1], "strides": [1, 1]}
WINDOWS: list[Case] = [
    ("Conv", MAP, [(6, 4, 3, 3), (6,)], {}, (9, 11, 22)),
    ("Conv", MAP, [(6, 4, 3, 3)], {"pads": [1, 1, 1, 1], "strides": [2, 2], **CONV}, (9,)),
    ("Conv", MAP, [(6, 4, 3, 2)], {"pads": [0, 2, 1, 0], "strides": [2, 1]}, (11,)),
    ("Conv", MAP, [(6, 2, 3, 3)], {"group": 2, "dilations": [2, 1], "pads": [2, 1, 2, 1]}, (11,)),
    ("Conv", MAP, [(4, 1, 3, 3), (4,)], {"group": 4, "auto_pad": "SAME_UPPER"}, (11,)),
    ("Conv", MAP, [(5, 4, 4, 4)], {"auto_pad": "SAME_UPPER", "strides": [2, 3]}, (11, 21)),
    ("Conv", MAP, [(5, 4, 4, 4)], {"auto_pad": "SAME_LOWER", "strides": [3, 2]}, (11, 21)),
    ("Conv", MAP, [(5, 4, 2, 2)], {"auto_pad": "VALID"}, (11,)),
    *(
        (op, MAP, [], {"kernel_shape": kernel, **attributes}, versions)
        for op in ("MaxPool", "AveragePool")
        for kernel, attributes, versions in (
            ([2, 2], {"strides": [2, 2]}, (9, 11, 22)),
            ([3, 2], {}, (11,)),
            ([3, 3], {"strides": [2, 2], "pads": [1, 1, 1, 1]}, (9, 11, 19)),
            ([3, 3], {"strides": [2, 2], "pads": [0, 1, 2, 0]}, (11, 19)),
            ([2, 2], {"strides": [2, 2], "pads": [1, 0, 1, 1]}, (11,)),
            ([3, 3], {"strides": [2, 3], "ceil_mode": 1}, (10, 11, 19)),
            ([2, 2], {"strides": [3, 3], "ceil_mode": 1, "pads": [0, 0, 1, 1]}, (19, 22)),
            ([3, 3], {"strides": [2, 3], "ceil_mode": 1, "pads": [1, 1, 1, 1]}, (11, 19)),
            ([4, 3], {"strides": [2, 2], "auto_pad": "SAME_UPPER"}, (11, 19)),
            ([4, 3], {"strides": [3, 2], "auto_pad": "SAME_LOWER"}, (11, 19)),
            ([2, 3], {"strides": [2, 2], "auto_pad": "VALID"}, (11,)),
        )
    ),
    ("MaxPool", MAP, [], {"kernel_shape": [3, 2], "dilations": [2, 3], "pads": [1] * 4}, (11, 22)),
    *(
        (
            "AveragePool",
            MAP,
            [],
            {"kernel_shape": [3, 3], "count_include_pad": 1, **more},
            (11, 19, 22),
        )
        for more in (
            {"pads": [1, 1, 1, 1]},
            {"pads": [0, 1, 2, 1], "strides": [2, 2]},
            {"pads": [1, 1, 1, 1], "strides": [3, 3], "ceil_mode": 1},
        )
    ),
    ("GlobalAveragePool", MAP, [], {}, (9,)),
    ("GlobalMaxPool", MAP, [], {}, (9,)),
]
LAYERS: list[Case] = [
    ("PRelu", MAP, [(4, 1, 1)], {}, (9, 16)),
    ("PRelu", IMAGE, [(4, 1, 1)], {}, (9,)),
    ("PRelu", MAP, [(1, 4, 1, 1)], {}, (16,)),
    ("PRelu", MAP, [(1,)], {}, (16,)),
    ("PRelu", MAP, [(8,)], {}, (16,)),
    ("PRelu", (3, 7), [(7,)], {}, (9,)),
    ("PRelu", ROWS, [(6,)], {}, (16,)),
    ("LayerNormalization", ROWS, [(6,), (6,)], {"axis": -1, "epsilon": 1e-2}, (17, 21)),
    ("LayerNormalization", ROWS, [(5, 6)], {"axis": 1}, (17,)),
    ("LpNormalization", (3, 7), [], {"axis": 1, "p": 2}, (9, 22)),
    ("LpNormalization", (3, 7), [], {"axis": 0, "p": 1}, (9,)),
    ("Softmax", ROWS, [], {}, (9, 11, 13, 21)),
    ("Softmax", ROWS, [], {"axis": 2}, (9, 13)),
    ("Softmax", ROWS, [], {"axis": -2}, (11, 13)),
    ("Gemm", (3, 5), [(5, 6), (6,)], {}, (9, 13)),
    ("Gemm", (3, 5), [(6, 5), (6,)], {"transB": 1, "alpha": 0.5, "beta": 2.0}, (9, 13)),
    ("Gemm", (5, 3), [(5, 6)], {"transA": 1}, (11,)),
    ("Gemm", (3, 5), [(5, 6), (3, 1)], {"alpha": 2.0}, (9,)),
    ("MatMul", ROWS, [(6, 4)], {}, (9, 13)),
    ("MatMul", (2, 3, 4, 5), [(3, 5, 4)], {}, (13,)),
    ("Einsum", ROWS, [(6, 4)], {"equation": "abc,cd->adb"}, (12,)),
]
ELEMENTWISE: list[Case] = [
    *(
        (op, MAP, [], {}, (9, 22))
        for op in (
            *("Abs", "Cos", "Erf", "Exp", "Floor", "Neg", "Relu", "Sigmoid", "Sin", "Softplus"),
            *("Tanh", "Elu", "HardSigmoid", "LeakyRelu", "Identity", "Reciprocal", "Sqrt", "Log"),
        )
    ),
    ("HardSwish", MAP, [], {}, (14, 22)),
    ("Elu", MAP, [], {"alpha": 0.7}, (9,)),
    ("Gelu", MAP, [], {}, (20,)),
    ("Gelu", MAP, [], {"approximate": "tanh"}, (20,)),
    ("HardSigmoid", MAP, [], {"alpha": 0.3, "beta": 0.4}, (9,)),
    ("LeakyRelu", MAP, [], {"alpha": 0.2}, (16,)),
    ("Clip", MAP, [], {"min": -0.5, "max": 0.6}, (9,)),
    ("Clip", MAP, [], {"max": 0.6}, (9,)),
    ("Clip", MAP, [np.float32(-0.5), np.float32(0.6)], {}, (11, 13)),
    ("Clip", MAP, [None, np.float32(0.6)], {}, (13,)),
    ("Clip", MAP, [], {}, (13,)),
    *((op, MAP, [(4, 1, 1)], {}, (9, 14)) for op in ("Add", "Sub", "Mul", "Div")),
    *((op, MAP, [np.float32(0.3)], {}, (13,)) for op in ("Add", "Sub", "Mul", "Div", "Max", "Min")),
    ("Sum", MAP, [(8,), (2, 1, 1, 1)], {}, (9,)),
    ("Max", MAP, [(8,), (9, 1)], {}, (9,)),
    ("Pow", MAP, [np.float32(2)], {}, (9, 15)),
    ("Pow", MAP, [np.int64(3)], {}, (13,)),
    ("Dropout", MAP, [], {"ratio": 0.5}, (9,)),
    ("Dropout", MAP, [np.float32(0.5)], {}, (13,)),
    ("Cast", MAP, [], {"to": TensorProto.INT32}, (9, 13)),
    ("Cast", MAP, [], {"to": TensorProto.BOOL}, (9,)),
    ("Mod", MAP, [np.float32(0.4)], {"fmod": 1}, (13,)),
]
REDUCE = [
    *("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"),
    *("ReduceSumSquare", "ReduceL1", "ReduceL2"),
]
REDUCTIONS: list[Case] = [
    *((op, MAP, [], {"axes": [1, -1], "keepdims": 0}, (9, 11)) for op in REDUCE),
    *((op, MAP, [[2, 3]], {"keepdims": 1}, (18, 20)) for op in REDUCE),
    *((op, MAP, [], {}, (9, 18)) for op in REDUCE),
    ("ReduceSum", MAP, [[-3]], {}, (13, 18)),
    ("ReduceSum", MAP, [], {"noop_with_empty_axes": 1}, (13,)),
]
SHAPES: list[Case] = [
    *(("Flatten", MAP, [], {"axis": axis}, (9, 13)) for axis in (0, 1, 2, 4)),
    ("Flatten", MAP, [], {"axis": -2}, (11,)),
    ("Reshape", MAP, [[2, -1]], {}, (9, 21)),
    ("Reshape", MAP, [[0, 0, 72]], {}, (9, 14)),
    ("Reshape", MAP, [[-1, 0, 36]], {"allowzero": 0}, (14,)),
    ("Transpose", MAP, [], {}, (9,)),
    ("Transpose", MAP, [], {"perm": [0, 2, 3, 1]}, (13,)),
    ("Squeeze", (3, 1, 4, 1), [], {"axes": [1]}, (9, 11)),
    ("Squeeze", (3, 1, 4, 1), [[-1, 1]], {}, (13,)),
    ("Squeeze", (3, 1, 4, 1), [], {}, (9, 13)),
    ("Unsqueeze", ROWS, [], {"axes": [0, 4]}, (9,)),
    ("Unsqueeze", ROWS, [[-1, 1]], {}, (13,)),
    ("Unsqueeze", ROWS, [[2, 0]], {}, (13,)),
    ("Slice", MAP, [], {"starts": [1, -3], "ends": [9, 1000], "axes": [0, 2]}, (9,)),
    ("Slice", MAP, [], {"starts": [0, 1], "ends": [2, -1]}, (9,)),
    ("Slice", MAP, [[1, -3], [9, 2**62], [1, -1]], {}, (10, 13)),
    ("Slice", MAP, [[1, 7], [2**62, 0], [2, 3], [3, -2]], {}, (11, 13)),
    ("Slice", MAP, [[-1], [-(2**62)], [2], [-1]], {}, (13,)),
    ("Slice", MAP, [[5], [2], [2]], {}, (13,)),
    ("Gather", MAP, [np.int64(-1)], {"axis": 1}, (11, 13)),
    ("Gather", MAP, [np.array([[0, 2], [-1, 1]])], {"axis": 2}, (11, 13)),
    ("Gather", MAP, [[1]], {}, (9,)),
    ("Concat", MAP, [(2, 3, 9, 8), (2, 1, 9, 8)], {"axis": 1}, (9, 13)),
    ("Concat", MAP, [(2, 4, 9, 1)], {"axis": -1}, (11,)),
    ("Expand", (3, 1, 4), [[2, 1, 5, 1]], {}, (9, 13)),
    ("Expand", (3, 1, 4), [[5, 4]], {}, (13,)),
    ("Pad", MAP, [], {"pads": [0, 0, 1, 2, 0, 0, 3, 0]}, (9,)),
    ("Pad", MAP, [], {"pads": [0, 1, 0, 0, 0, 2, 0, 0], "value": 0.5}, (9,)),
    ("Pad", MAP, [[0, 0, 1, 2, 0, 0, 3, -1], np.float32(0.5)], {"mode": "constant"}, (11, 21)),
    ("Pad", MAP, [[1, 2, 3, 0], None, [3, -2]], {}, (18,)),
    *(
        ("Pad", MAP, [[0, 0, 1, 2, 0, 0, 3, 1]], {"mode": mode}, (11, 21))
        for mode in ("reflect", "edge")
    ),
    ("Pad", MAP, [[0, 0, 1, 2, 0, 0, 3, 1]], {"mode": "wrap"}, (19,)),
    ("CumSum", MAP, [np.int64(2)], {}, (11, 14)),
    ("Shape", MAP, [], {}, (9, 13)),
    ("Shape", MAP, [], {"start": 1, "end": -1}, (15,)),
]
CASES = [
    (case, version)
    for case in (*WINDOWS, *LAYERS, *ELEMENTWISE, *REDUCTIONS, *SHAPES)
    for version in case[4]
]
SPLITS: list[Case] = [
    ("Split", MAP, [], {"axis": 1, "split": [1, 3]}, (9, 11)),
    ("Split", MAP, [], {"axis": -1}, (9, 13)),
    ("Split", MAP, [[3, 5]], {"axis": 3}, (13, 18)),
    ("Split", MAP, [], {"axis": 2, "num_outputs": 2}, (18,)),
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """These networks are tiny: threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def check(net: Net, outs: list[str], shape: tuple[int, ...], folder: Path) -> Graph:
    """Compare with ONNX Runtime, values and shapes; return the graph."""
    path = net.save(folder / "x.onnx", outs, shape)
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    if net.nodes[0].op_type in ("Log", "Sqrt", "Reciprocal"):
        x = np.abs(x) + 0.1
    graph = Graph(make_program(read_onnx(path), "picture", tuple(outs)))
    for ours, theirs in zip(graph(torch.from_numpy(x)), reference(path, x), strict=True):
        assert ours.shape == theirs.shape
        assert ours.is_floating_point() == (theirs.dtype == np.float32)
        np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=1e-4, atol=1e-5)
    return graph


def give(net: Net, constant: Any) -> str:
    if constant is None:
        return ""
    if isinstance(constant, tuple):
        return net.weight(*constant)
    return net.give(np.asarray(constant, np.int64) if isinstance(constant, list) else constant)


@pytest.mark.parametrize(("case", "version"), CASES, ids=lambda v: v[0] if type(v) is tuple else v)
def test_same_as_the_reference(case: Case, version: int, tmp_path: Path) -> None:
    op, shape, constants, attributes, _ = case
    net = Net(version)
    out = net.add(op, "picture", *(give(net, c) for c in constants), **attributes)
    graph = check(net, [out], shape, tmp_path)
    for parameter in graph.parameters():
        graph.zero_grad()
        graph(torch.randn(shape))[0].square().sum().backward()
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0


@pytest.mark.parametrize("case", SPLITS, ids=range(len(SPLITS)))
def test_split(case: Case, tmp_path: Path) -> None:
    op, shape, constants, attributes, versions = case
    for version in versions:
        net = Net(version)
        given = [give(net, c) for c in constants]
        outs = net.add(op, "picture", *given, outputs=2, **attributes)
        check(net, outs, shape, tmp_path)


@pytest.mark.parametrize("shape", [MAP, (5, 4)])
@pytest.mark.parametrize("version", [9, 14, 15])
def test_batch_normalisation(shape: tuple[int, ...], version: int, tmp_path: Path) -> None:
    net = Net(version)
    graph = check(net, [net.norm("picture", 4)], shape, tmp_path)
    scale, bias = graph.parameters()
    before = scale.detach().clone()
    graph.train()
    graph(torch.randn(shape))[0].square().sum().backward()
    assert scale.grad is not None and bias.grad is not None
    # Frozen: neither training mode nor a batch touches the statistics.
    check(net, ["BatchNormalization0_0"], shape, tmp_path)
    assert len(list(graph.buffers())) == 2 and torch.equal(scale, before)


def test_arithmetic_of_shapes(tmp_path: Path) -> None:
    """What exporters write to make a tensor of the batch's size, in whole numbers."""
    net = Net(13)
    sides = net.add("Shape", "picture")
    pick = [net.add("Gather", sides, net.give(np.int64(i)), axis=0) for i in (0, -1)]
    two = net.add("Constant", value=helper.make_tensor("", TensorProto.INT64, [1], [2]))
    zero = net.add("Constant", value_ints=[0])
    rows, columns = (net.add("Unsqueeze", p, zero) for p in pick)
    halved = net.add("Div", net.add("Sub", columns, net.give(np.array([15]))), two)
    odd = net.add("Mod", columns, net.give(np.array([3])))
    shape = net.add("Concat", rows, net.add("Mul", two, rows), axis=0)
    filled = net.add(
        "ConstantOfShape", shape, value=helper.make_tensor("", TensorProto.FLOAT, [1], [0.5])
    )
    zeros = net.add("ConstantOfShape", shape)
    one, limit = net.give(np.int64(1)), pick[1]
    steps = net.add("Range", net.give(np.int64(0)), limit, one)
    same = net.add("Equal", steps, net.give(np.array([0, 1, 5, 3, 4, 2, 6, 7])))
    few = net.add("And", net.add("Less", steps, net.give(np.int64(6))), net.add("Not", same))
    most = net.add("Or", few, net.add("Greater", steps, one))
    chosen = net.add("Where", most, steps, net.add("Neg", steps))
    angle = net.add("Sin", net.add("Cast", chosen, to=TensorProto.FLOAT))
    check(net, [halved, odd, filled, zeros, same, few, chosen, angle], MAP, tmp_path)


def test_every_operator_is_compared() -> None:
    cases = {case[0] for case, _ in CASES} | {case[0] for case in SPLITS}
    elsewhere = {
        *("BatchNormalization", "Constant", "ConstantOfShape", "Range", "Equal", "Where", "Not"),
        *("And", "Or", "Less", "Greater"),
    }
    assert cases | elsewhere == set(OPERATORS)
    assert {version for _, version in CASES} <= set(OPSETS)


def test_every_operator_is_described() -> None:
    text = (Path(__file__).parents[2] / "docs" / "weights.md").read_text(encoding="utf-8")
    listed = text.partition("- Operators of versions")[2].partition("The error about")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == set(OPERATORS)
    first, last = re.findall(r"\d+", listed)[:2]
    assert range(int(first), int(last) + 1) == OPSETS


def test_old_slope_of_one_axis_is_taken_per_channel(tmp_path: Path) -> None:
    """Against the rules of broadcasting, but what some converters wrote."""
    net = Net(9)
    out = net.add("PRelu", "picture", net.give(np.array([0.1, 0.2, 0.3, 0.4], np.float32)))
    path = net.save(tmp_path / "x.onnx", out, MAP)
    (y,) = Graph(make_program(read_onnx(path), "picture", (out,)))(-torch.ones(MAP))
    torch.testing.assert_close(y[0, :, 0, 0], -torch.tensor([0.1, 0.2, 0.3, 0.4]))


@pytest.mark.data
def test_real_file_gives_the_same(shared_weights: Path) -> None:
    """A detector's backbone and the heads on its coarsest map, any height and width."""
    path = shared_weights / "yunet_n_dynamic.onnx"
    file = read_onnx(path)
    chosen = {name: i for i, name in enumerate(file.outputs) if name.endswith("_32")}
    graph = Graph(make_program(file, "input", tuple(chosen)))
    assert len(graph.steps) > 60
    for height, width in ((96, 128), (160, 64)):
        x = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0)) * 255
        theirs = reference(path, x.numpy())
        for ours, i in zip(graph(x), chosen.values(), strict=True):
            np.testing.assert_allclose(ours.detach().numpy(), theirs[i], rtol=1e-4, atol=1e-4)
