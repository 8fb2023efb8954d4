"""ONNX files that are damaged, lie about their size, grow as they run, or reach for other files."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_nets import Net, mobilefacenet

SIDE = 32
"""Of the pictures that the small network takes, px."""
SHAPE = ("N", 3, SIDE, SIDE)
DEEP = 10_000

Make = Callable[[random.Random], bytes]
"""Makes the bytes of a file."""


def clean(seed: int = 0) -> Any:
    """Return a model that works."""
    net = Net(seed=seed)
    return net.model(mobilefacenet(net), SHAPE)


def tensor(dims: list[int], kind: int = TensorProto.FLOAT, raw: bytes = b"") -> Any:
    """Return a tensor that claims its dimensions."""
    made = TensorProto(name="x", data_type=kind, raw_data=raw)
    made.dims.extend(dims)
    return made


def changed(change: Callable[[Any], object]) -> Make:
    """Return what makes the clean model and changes it."""

    def make(rng: random.Random) -> bytes:
        model = clean()
        change(model)
        return bytes(model.SerializeToString())

    return make


def first_weight(made: Callable[[Any], Any]) -> Make:
    """Return what puts another tensor in the place of the first weights."""

    def change(model: Any) -> None:
        old = model.graph.initializer[0]
        new = made(old)
        new.name = old.name
        old.CopyFrom(new)

    return changed(change)


def claims(*dims: int, kind: int = TensorProto.FLOAT, raw: bytes = b"") -> Make:
    """Return what makes the first weights claim other dimensions."""
    return first_weight(lambda old: tensor(list(dims), kind, raw))


def filled(value: float, kind: Any = np.float32) -> Make:
    """Return what fills the first weights with a value."""

    def made(old: Any) -> Any:
        return numpy_helper.from_array(np.full(old.dims, value, kind))

    return first_weight(made)


def built(build: Callable[[Net], Any], shape: Any = SHAPE) -> Make:
    """Return what makes a network of its own: ``build`` returns its output."""

    def make(rng: random.Random) -> bytes:
        net = Net()
        return bytes(net.model(build(net), shape).SerializeToString())

    return make


def ended(x: str, net: Net) -> Any:
    """End a network: average, and a linear layer of 3 to 20 values."""
    x = net.add("Flatten", net.add("GlobalAveragePool", x))
    return net.add("Gemm", x, net.weight(20, 3), net.weight(20), transB=1)


def with_extra(extra: Callable[[Net], str]) -> Make:
    """Return a network to whose picture something is added that is one number in the end."""

    def build(net: Net) -> Any:
        one = net.add("ReduceMean", extra(net), keepdims=0)
        return ended(net.add("Add", "picture", one), net)

    return built(build)


def numbers(net: Net, *values: int) -> str:
    """Add whole numbers."""
    return net.give(np.array(values, np.int64))


def growing(times: int, constant: bool) -> Make:
    """Return a network that doubles something again and again."""

    def extra(net: Net) -> str:
        x = net.give(np.ones((1024,), np.float32)) if constant else net.add("Flatten", "picture")
        for _ in range(times):
            x = net.add("Concat", x, x, axis=0)
        return x

    return with_extra(extra)


def chain(op: str, length: int, constant: bool = False) -> Make:
    """Return a network of so many nodes in a row."""

    def build(net: Net) -> Any:
        x = net.give(np.ones((1,), np.float32)) if constant else "picture"
        for _ in range(length):
            x = net.add(op, x)
        return ended(net.add("Mul", "picture", x) if constant else x, net)

    return built(build)


def wide(net: Net) -> Any:
    """Add a thousand branches."""
    branches = [net.add("Relu", "picture") for _ in range(1000)]
    return ended(net.add("Sum", *branches), net)


def functions(calls: int, levels: int, recursive: bool = False) -> Make:
    """Return a network of functions that call each other, each the next several times."""

    def make(rng: random.Random) -> bytes:
        net = Net()
        x = net.add("Identity", "picture")
        net.nodes[-1].domain, net.nodes[-1].op_type = "own", f"f{levels}"
        model = net.model(ended(x, net), SHAPE)
        model.opset_import.append(helper.make_opsetid("own", 1))
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
        for level in range(levels + 1):
            inner = f"f{level - 1}" if level else ("f0" if recursive else "")
            nodes, at = [], "x"
            for call in range(calls):
                to = f"y{call}" if call < calls - 1 else "y"
                made = helper.make_node(inner or "Relu", [at], [to], domain="own" if inner else "")
                nodes.append(made)
                at = to
            function = helper.make_function("own", f"f{level}", ["x"], ["y"], nodes, opsets)
            model.functions.append(function)
        return bytes(model.SerializeToString())

    return make


def external(location: str, **more: str) -> Make:
    """Return what keeps the first weights in another file."""

    def made(old: Any) -> Any:
        new = tensor(list(old.dims))
        new.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **more}.items():
            new.external_data.add(key=key, value=value)
        return new

    return first_weight(made)


def external_constant(net: Net) -> Any:
    """Add a constant that lies in another file."""
    value = tensor([3])
    value.data_location = TensorProto.EXTERNAL
    value.external_data.add(key="location", value="/etc/passwd")
    x = net.add("Mul", "picture", net.add("ReduceMean", net.add("Constant", value=value)))
    return ended(x, net)


def nested(depth: int) -> Make:
    """Return a network of conditions in conditions."""

    def make(rng: random.Random) -> bytes:
        graph = b""
        for _ in range(depth):  # node { op_type "If", attribute { g: graph } }
            attribute = b"\x0a\x01g" + b"\xa0\x01\x05" + b"\x32" + _length(graph) + graph
            node = b"\x22\x02If" + b"\x2a" + _length(attribute) + attribute
            graph = b"\x0a" + _length(node) + node
        return b"\x08\x08" + b"\x3a" + _length(graph) + graph

    return make


def _length(data: bytes) -> bytes:
    value, out = len(data), b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def node(field: str, value: Any, place: int = 5) -> Make:
    """Return what changes a node."""

    def change(model: Any) -> None:
        old = model.graph.node[place]
        if isinstance(value, list):
            del getattr(old, field)[:]
            getattr(old, field).extend(value)
        else:
            setattr(old, field, value)

    return changed(change)


def attribute(name: str, value: Any) -> Make:
    """Return what changes an attribute of the first convolution."""

    def change(model: Any) -> None:
        first = next(n for n in model.graph.node if n.op_type == "Conv")
        kept = [a for a in first.attribute if a.name != name]
        del first.attribute[:]
        first.attribute.extend([*kept, helper.make_attribute(name, value)])

    return changed(change)


def shaped(*dims: int | str) -> Make:
    """Return what gives the picture another shape."""

    def change(model: Any) -> None:
        value = helper.make_tensor_value_info("picture", TensorProto.FLOAT, dims)
        model.graph.input[0].CopyFrom(value)

    return changed(change)


def own_output(model: Any) -> None:
    """Have a node read what it makes."""
    model.graph.node[3].input[0] = model.graph.node[3].output[0]


def loop(model: Any) -> None:
    """Have two nodes read each other."""
    a, b = model.graph.node[3], model.graph.node[6]
    a.input[0] = b.output[0]


def backwards(model: Any) -> None:
    """Write the nodes from last to first."""
    turned = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(turned)


def twice(model: Any) -> None:
    """Have two nodes make one tensor."""
    model.graph.node[6].output[0] = model.graph.node[3].output[0]


def more_outputs(count: int) -> Make:
    """Return what adds outputs."""

    def change(model: Any) -> None:
        for n in range(count):
            value = helper.make_empty_tensor_value_info(model.graph.node[n % 9].output[0])
            model.graph.output.append(value)

    return changed(change)


def opset(version: int) -> Make:
    """Return what claims another version of the operators."""

    def change(model: Any) -> None:
        model.opset_import[0].version = version

    return changed(change)


def bare(value: Any) -> Make:
    """Return a function of a model's graph field that is emptied."""
    return changed(lambda model: model.graph.ClearField(value))


def cut(rng: random.Random) -> bytes:
    """Cut the clean file somewhere."""
    data = clean().SerializeToString()
    return bytes(data[: rng.randrange(1, len(data))])


def flipped(rng: random.Random) -> bytes:
    """Turn over some bits of the clean file, most of them in its nodes."""
    data = bytearray(clean().SerializeToString())
    for _ in range(rng.randint(1, 5)):
        data[rng.randrange(min(len(data), 3000))] ^= 1 << rng.randrange(8)
    return bytes(data)


def huge_string(model: Any) -> None:
    """Give a node a name of a megabyte, full of control characters."""
    model.graph.node[3].name = "\x1b[2J" * 200_000
    model.graph.node[3].op_type = "No\x1b[2JSuch"


BAD: dict[str, Make] = {
    "2**40 elements": claims(2**20, 2**20),
    "2**64 elements": claims(2**32, 2**32),
    "2**62 rows": claims(2**62, 3, 3, 3),
    "negative sides": claims(-8, -3, 3, 3, raw=bytes(864)),
    "no elements": claims(0, 3, 3, 3),
    "fewer bytes": claims(8, 3, 3, 3, raw=bytes(5)),
    "more bytes": claims(8, 3, 3, 3, raw=bytes(86400)),
    "1,000 sides": claims(*[1] * 1000, raw=bytes(4)),
    "an unknown kind": claims(8, 3, 3, 3, kind=99, raw=bytes(864)),
    "texts": claims(8, 3, 3, 3, kind=TensorProto.STRING),
    "numbers of four bits": claims(8, 3, 3, 3, kind=TensorProto.INT4, raw=bytes(108)),
    "complex numbers": claims(8, 3, 3, 3, kind=TensorProto.COMPLEX64, raw=bytes(1728)),
    "whole numbers": filled(1, np.int8),
    "NaN": filled(float("nan")),
    "infinity": filled(float("inf")),
    "weights in /etc/passwd": external("/etc/passwd"),
    "weights in ../../x": external("../../x"),
    "weights in a device": external("/dev/zero", length=str(10**12)),
    "weights beside": external("beside.bin", offset="-1"),
    "a constant in /etc/passwd": built(external_constant),
    "filled with 2**40": with_extra(
        lambda net: net.add("ConstantOfShape", numbers(net, 2**20, 2**20))
    ),
    "filled with minus one": with_extra(lambda net: net.add("ConstantOfShape", numbers(net, -1))),
    "spread to 2**40": with_extra(
        lambda net: net.add("Mul", net.add("Expand", net.weight(1), numbers(net, 2**40)), "picture")
    ),
    "counting to 10**12": with_extra(
        lambda net: net.add(
            "Cast", net.add("Range", *(net.give(np.int64(v)) for v in (0, 10**12, 1))), to=1
        )
    ),
    "counting without step": with_extra(
        lambda net: net.add(
            "Cast", net.add("Range", *(net.give(np.int64(v)) for v in (0, 9, 0))), to=1
        )
    ),
    "padded by 10**9": with_extra(
        lambda net: net.add("Pad", "picture", numbers(net, *[0] * 6, 10**9, 10**9))
    ),
    "padded by minus 10**9": with_extra(
        lambda net: net.add("Pad", "picture", numbers(net, *[0] * 6, -(10**9), 0))
    ),
    "a product of all by all": with_extra(
        lambda net: net.add("Add", net.weight(1, 10**6), net.weight(10**6, 1))
    ),
    "a product of many": with_extra(
        lambda net: net.add("Einsum", *[net.weight(1000)] * 5, equation="a,b,c,d,e->abcde")
    ),
    "doubled 40 times, constants": growing(40, True),
    "doubled 40 times": growing(40, False),
    "picked out of nothing": with_extra(
        lambda net: net.add("Gather", "picture", numbers(net, 10**9))
    ),
    "gaps of 10**9": attribute("dilations", [10**9, 10**9]),
    "steps of nothing": attribute("strides", [0, 0]),
    "steps of minus one": attribute("strides", [-1, -1]),
    "one step": attribute("strides", [2]),
    "padding of 10**9": attribute("pads", [10**9] * 4),
    "padding of 2**62": attribute("pads", [2**62] * 4),
    "a text for padding": attribute("pads", "same"),
    "groups of nothing": attribute("group", 0),
    "10**9 groups": attribute("group", 10**9),
    "functions that double 30 times": functions(2, 30),
    "functions ten times in each other": functions(10, 9),
    "a function that calls itself": functions(1, 0, recursive=True),
    "10,000 functions": functions(1, DEEP),
    "10,000 conditions in each other": nested(DEEP),
    "50 conditions in each other": nested(50),
    "another operator": node("op_type", "Frobnicate"),
    "an operator of a domain": node("domain", "com.\x1b[2J"),
    "a name of a megabyte": changed(huge_string),
    "no operator": node("op_type", ""),
    "no inputs": node("input", []),
    "10,000 inputs": node("input", ["picture"] * DEEP),
    "an input that nothing makes": node("input", ["nowhere"]),
    "a text with a half character": node("input", ["picture"] * 2),
    "a node that reads itself": changed(own_output),
    "two nodes that read each other": changed(loop),
    "from last to first": changed(backwards),
    "a tensor made twice": changed(twice),
    "no nodes": bare("node"),
    "no weights": bare("initializer"),
    "no outputs": bare("output"),
    "no inputs of the graph": bare("input"),
    "version 0": opset(0),
    "version 10**9": opset(10**9),
    "version -1": opset(-1),
    "pictures of 2**40 px": shaped("N", 3, 2**40, 2**40),
    "pictures of 100,000 px": shaped("N", 3, 100_000, 100_000),
    "pictures of 1 px": shaped("N", 3, 1, 1),
    "a million pictures": shaped(10**6, 3, SIDE, SIDE),
    "2**62 pictures": shaped(2**62, 3, SIDE, SIDE),
    "pictures of one colour": shaped("N", 1, SIDE, SIDE),
    "oblong pictures": shaped("N", 3, SIDE, 2 * SIDE),
    "films": shaped("N", 3, 8, SIDE, SIDE),
    "vectors": shaped("N", 512),
    "the picture itself": built(lambda net: net.add("Identity", "picture")),
    "a map": built(lambda net: net.conv("picture", 3, 8, 3)),
    "one number": built(lambda net: net.add("ReduceMean", "picture", keepdims=0)),
    "the same for all": built(lambda net: net.add("Mul", ended("picture", net), net.give(0.0))),
}
"""Files that are refused."""
EITHER: dict[str, Make] = {
    "a graph of 1,000 branches": built(wide),
    "10,000 nodes in a row": chain("Relu", DEEP),
    "10,000 constants in a row": chain("Relu", DEEP, constant=True),
    "2,000 nodes in a row": chain("Relu", 2000),
    "1,000 outputs": more_outputs(1000),
    "of doubles": filled(0.01, np.float64),
    "of halves": filled(0.01, np.float16),
    "of zeros": filled(0.0),
    **{f"cut {n}": cut for n in range(6)},
    **{f"flipped {n}": flipped for n in range(20)},
}
"""Files that are refused or work."""


def broken_pairs() -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes of files that are no ONNX at all."""
    yield "nothing", b""
    yield "zeros", bytes(100_000)
    yield "a page", b"<!DOCTYPE html><html><body>log in</body></html>" * 20
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(1000)
    yield "one field of 2 GB", b"\x3a\xff\xff\xff\xff\x07" + bytes(100)
    yield "10,000 groups", b"\x0b" * 10_000


def save(path: Path, seed: int = 0) -> Path:
    """Write the clean model."""
    onnx.save(clean(seed), str(path))
    return path
