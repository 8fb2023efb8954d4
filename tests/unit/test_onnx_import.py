"""ONNX files as face-ID models: same numbers as ONNX Runtime, parts, refusals."""

from __future__ import annotations

import copy
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from tests.onnx_nets import Net, iresnet, mobilefacenet, reference, vit
from videoclusternet.errors import ModelError
from videoclusternet.models.load import load_backbone
from videoclusternet.models.onnx.face import OnnxFace, load_onnx
from videoclusternet.models.onnx.file import read_onnx
from videoclusternet.models.onnx.graph import Graph, make_program
from videoclusternet.models.registry import weights_digest
from videoclusternet.types.canvas import ARCFACE_112

OPEN = ("N", 3, 32, 32)
ONE = (1, 3, 32, 32)
NETS: dict[str, tuple[Callable[[Net], str], int, int]] = {
    "iresnet": (lambda net: iresnet(net, folded=False), 24, 64),
    "iresnet-folded": (lambda net: iresnet(net, folded=True), 24, 64),
    "mobilefacenet": (mobilefacenet, 20, 32),
    "vit": (lambda net: vit(net, baked=False), 20, 16),
    "vit-baked": (lambda net: vit(net, baked=True), 20, 16),
}
"""How to make it, width of the embedding, input width of the last linear layer."""
FILES = [
    *((name, opset, OPEN) for name in ("iresnet", "iresnet-folded") for opset in (9, 11, 13, 21)),
    *((name, 11, ONE) for name in ("iresnet", "iresnet-folded", "mobilefacenet")),
    ("mobilefacenet", 9, OPEN),
    ("mobilefacenet", 21, OPEN),
    ("vit", 17, OPEN),
    ("vit", 21, ONE),
    ("vit-baked", 17, ONE),
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """These networks are tiny: threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def pixels(count: int, size: int = 32) -> Tensor:
    return 255 * torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(count))


def direction(x: Any) -> Tensor:
    return nn.functional.normalize(torch.as_tensor(x).detach().flatten(1), dim=1)


def expected(path: Path, x: Tensor, index: int = 0) -> np.ndarray:
    """What ONNX Runtime makes of each picture alone."""
    return np.concatenate([reference(path, one[None].numpy())[index].reshape(1, -1) for one in x])


def small(net: Net, start: str = "picture") -> str:
    """Two convolutions and a pooled vector of 6."""
    x = net.add("Relu", net.conv(start, 3, 4, 3, strides=[4, 4]))
    x = net.add("Relu", net.conv(x, 4, 6, 3, strides=[2, 2]))
    return str(net.add("GlobalAveragePool", x))


def linear(net: Net, x: str, width: int = 5) -> str:
    return str(net.add("Gemm", net.add("Flatten", x), net.weight(6, width), net.weight(width)))


def refused(net: Net, out: str | list[str], folder: Path, shape: Any = OPEN) -> str:
    path = net.save(folder / "x.onnx", out, shape)
    with pytest.raises(ModelError) as caught:
        load_onnx(path)
    text = str(caught.value)
    assert str(path) in text and "\n" not in text
    return text


# --- same numbers ----------------------------------------------------------------------


@pytest.fixture(
    scope="module", params=FILES, ids=lambda file: "-".join(map(str, (*file[:2], file[2][0])))
)
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, OnnxFace]:
    name, opset, shape = request.param
    net = Net(opset)
    path = net.save(tmp_path_factory.mktemp("onnx") / "x.onnx", NETS[name][0](net), shape)
    return name, path, load_onnx(path)


def test_same_as_the_reference(loaded: tuple[str, Path, OnnxFace]) -> None:
    name, path, model = loaded
    _, dim, hidden = NETS[name]
    assert (model.name, model.dim, model.size) == ("onnx", dim, 32)
    assert (model.tail.in_features, model.tail.out_features) == (hidden, dim)
    for count in (1, 3):
        x = model.normalise(pixels(count))
        torch.testing.assert_close(x, pixels(count) / 127.5 - 1)
        want = expected(path, x)
        with torch.inference_mode():
            found = model(pixels(count)).numpy()
            parts = model.tail(model.late(model.early(x))).numpy()
        np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(found, parts)


def test_every_weight_learns(loaded: tuple[str, Path, OnnxFace]) -> None:
    name, path, model = loaded
    assert not any(module.training for module in model.modules())
    model.zero_grad()
    model(pixels(3)).square().sum().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key
    # Nothing is lost: all float constants but the statistics and single numbers, less what is
    # folded into the last layer.
    constants = [c for c in read_onnx(path).constants.values() if c.is_floating_point()]
    count = sum(p.numel() for p in model.parameters())
    statistics = sum(b.numel() for b in model.buffers() if b.numel() > 1)
    folded = 4 * model.dim if "vit" not in name else 0
    assert count + statistics + folded == sum(c.numel() for c in constants if c.numel() > 1)


def test_last_stage_is_a_stage(loaded: tuple[str, Path, OnnxFace]) -> None:
    name, _, model = loaded
    model = copy.deepcopy(model)
    x = model.normalise(pixels(3))
    with torch.no_grad():
        maps = model.early(x)
    last = {p for module in model.last_stage() for p in module.parameters()}
    rest = set(model.parameters()) - last - set(model.tail.parameters())
    assert last and rest
    shapes = {"iresnet": (3, 16, 4, 4), "mobilefacenet": (3, 16, 8, 8), "vit": (3, 17, 16)}
    assert maps.shape == shapes[name.partition("-")[0]]
    # What stands before is untouched by adaptation of the last stage.
    for p in rest:
        p.requires_grad_(False)
    model.tail(model.late(maps)).sum().backward()
    assert all(p.grad is not None for p in last) and all(p.grad is None for p in rest)


def test_all_is_done_where_the_weights_are(loaded: tuple[str, Path, OnnxFace]) -> None:
    """The device without memory stands for a graphics card: both refuse to mix with the CPU."""
    model = copy.deepcopy(loaded[2]).to("meta")
    out = model(torch.empty(3, 3, 32, 32, device="meta"))
    assert out.shape == (3, model.dim) and out.device.type == "meta"


def test_training_mode_changes_nothing(tmp_path: Path) -> None:
    net = Net(11)
    model = load_onnx(net.save(tmp_path / "x.onnx", iresnet(net, folded=False)))
    with torch.inference_mode():
        before = model(pixels(3))
        torch.testing.assert_close(model.train()(pixels(3)), before, rtol=0, atol=0)


@pytest.mark.parametrize("batch", [1, 4])
def test_batch_of_the_file_binds_nobody(batch: int, tmp_path: Path) -> None:
    net = Net()
    x = net.add("Reshape", small(net), net.give(np.array([batch, 6])))
    out = net.add("Gemm", x, net.weight(6, 5))
    model = load_onnx(net.save(tmp_path / "x.onnx", out, (batch, 3, 32, 32)))
    x = model.normalise(pixels(8))
    want = np.concatenate(
        [reference(tmp_path / "x.onnx", part.numpy())[0] for part in torch.split(x, batch)]
    )
    with torch.inference_mode():
        for count in (1, 3, 8):
            np.testing.assert_allclose(model(pixels(8)[:count]), want[:count], atol=1e-4)
    assert not model.singly


def test_batch_that_is_woven_in_is_refused_or_mapped(tmp_path: Path) -> None:
    def woven(batch: int) -> tuple[Net, str]:
        net = Net()
        x = net.add("Squeeze", net.add("Reshape", small(net), net.give(np.array([batch, 6, 1]))))
        x = net.add("Reshape", x, net.give(np.array([-1])))
        x = net.add("Relu", net.add("Reshape", x, net.give(np.array([6 * batch, 1]))))
        x = net.add("Reshape", x, net.give(np.array([6, batch])))
        x = net.add("Transpose", x) if batch == 1 else net.add("Reshape", x, net.give([batch, 6]))
        return net, net.add("Gemm", x, net.weight(6, 5))

    net, out = woven(1)
    model = load_onnx(net.save(tmp_path / "one.onnx", out, ONE))
    assert model.singly
    want = expected(tmp_path / "one.onnx", model.normalise(pixels(3)))
    with torch.inference_mode():
        np.testing.assert_allclose(model(pixels(3)), want, atol=1e-4)
    net, out = woven(4)
    assert "batch of 4 pictures cannot be changed" in refused(net, out, tmp_path, (4, 3, 32, 32))


def test_torchs_own_export(tmp_path: Path) -> None:
    """Attention as torch writes it, with the batch in the middle; two outputs; normalised."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 16, 8, 8)
            self.token = nn.Parameter(torch.randn(1, 1, 16))
            layer = nn.TransformerEncoderLayer(16, 2, 32, activation="gelu")
            self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.fc = nn.Linear(16, 12)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            y = self.patches(x).flatten(2).transpose(1, 2)
            y = torch.cat([self.token.expand(x.shape[0], -1, -1), y], 1).transpose(0, 1)
            y = self.fc(self.layers(y)[0])
            norm = torch.norm(y, 2, 1, True)
            return y / norm, norm

    torch.manual_seed(0)
    model, path = Model().eval(), tmp_path / "x.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (torch.zeros(ONE),),
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=["x"],
            dynamic_axes={"x": {0: "N"}},
        )
    ours = load_onnx(path)
    x = ours.normalise(pixels(3))
    with torch.inference_mode():
        found = ours(pixels(3))
    torch.testing.assert_close(direction(found), model(x)[0].detach(), atol=1e-5, rtol=0)
    norm = torch.from_numpy(expected(path, x, 1))
    torch.testing.assert_close(found.norm(dim=1, keepdim=True), norm, atol=1e-4, rtol=0)
    ours(pixels(3)).square().sum().backward()
    assert all(p.grad is not None for p in ours.parameters())


def test_half_precision_is_run_in_full(tmp_path: Path) -> None:
    net = Net()
    half = net.add("Cast", "picture", to=TensorProto.FLOAT16)
    out = net.add("Cast", linear(net, small(net, half)), to=TensorProto.FLOAT)
    net.constants = [
        numpy_helper.from_array(numpy_helper.to_array(c).astype(np.float16), c.name)
        for c in net.constants
    ]
    model = load_onnx(net.save(tmp_path / "x.onnx", out))
    assert all(p.dtype == torch.float32 for p in model.parameters())
    with torch.inference_mode():
        found = model(pixels(3))
    want = expected(tmp_path / "x.onnx", model.normalise(pixels(3)))
    np.testing.assert_allclose(found, want, atol=0.02)


def test_functions_and_listed_initialisers_are_understood(tmp_path: Path) -> None:
    """Newer files hold functions of their own; old ones list their weights as inputs."""
    net = Net(17)
    path = net.save(tmp_path / "plain.onnx", linear(net, net.add("Relu", small(net))))
    want = load_onnx(path)(pixels(2))
    model = onnx.load(str(path))
    (relu,) = [n for n in model.graph.node if n.op_type == "Relu"][-1:]
    relu.op_type, relu.domain = "Mine", "own"
    opset = helper.make_opsetid("", 17)
    body = [helper.make_node("Relu", ["a"], ["b"])]
    model.functions.append(helper.make_function("own", "Mine", ["a"], ["b"], body, [opset]))
    model.opset_import.append(helper.make_opsetid("own", 1))
    for constant in model.graph.initializer:
        shape = list(constant.dims)
        listed = helper.make_tensor_value_info(constant.name, constant.data_type, shape)
        model.graph.input.append(listed)
    onnx.save(model, str(path))
    torch.testing.assert_close(load_onnx(path)(pixels(2)), want)


# --- the parts -------------------------------------------------------------------------


def by_length(net: Net, x: str) -> str:
    """As torch writes F.normalize."""
    norm = net.add("ReduceL2", x, axes=[1], keepdims=1)
    norm = net.add("Clip", norm, net.give(np.float32(1e-12)))
    return str(net.add("Div", x, net.add("Expand", norm, net.add("Shape", x))))


def by_root(net: Net, x: str) -> str:
    square = net.add("ReduceSum", net.add("Mul", x, x), net.give(np.array([1])))
    return str(net.add("Div", x, net.add("Sqrt", square)))


ENDS: dict[str, Callable[[Net, str], str]] = {
    "plain": linear,
    "matmul": lambda net, x: net.add("MatMul", net.add("Flatten", x), net.weight(6, 5)),
    "matmul, add": lambda net, x: net.add("Add", net.weight(5), ENDS["matmul"](net, x)),
    "scaled": lambda net, x: net.add("Div", ENDS["matmul, add"](net, x), net.weight(1, 5, low=1)),
    "turned": lambda net, x: net.add("Sub", net.weight(1, 5), linear(net, x)),
    "norm": lambda net, x: net.norm(linear(net, x), 5),
    "two norms": lambda net, x: net.norm(net.add("Dropout", ENDS["norm"](net, x)), 5),
    "gemm": lambda net, x: net.add(
        "Gemm",
        net.add("Flatten", x),
        net.weight(5, 6),
        net.weight(1, 5),
        alpha=0.5,
        beta=2.0,
        transB=1,
    ),
    "convolution": lambda net, x: net.add("Flatten", net.conv(x, 6, 5, 1)),
    "convolution, norm": lambda net, x: net.add(
        "Reshape", net.norm(net.conv(x, 6, 5, 1), 5), net.give(np.array([-1, 5]))
    ),
    "squeezed": lambda net, x: net.add("Squeeze", net.conv(x, 6, 5, 1), net.give([2, 3])),
    "length": lambda net, x: by_length(net, ENDS["norm"](net, x)),
    "root": lambda net, x: by_root(net, linear(net, x)),
    "lp": lambda net, x: net.add("LpNormalization", ENDS["norm"](net, x), axis=1),
    "lengthened": lambda net, x: net.add(
        "Mul", by_root(net, linear(net, x)), net.give(np.float32(64))
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_last_linear_layer_is_found(name: str, tmp_path: Path) -> None:
    net = Net()
    path = net.save(tmp_path / "x.onnx", ENDS[name](net, small(net)))
    model = load_onnx(path)
    assert (model.tail.in_features, model.tail.out_features) == (6, 5)
    x = model.normalise(pixels(3))
    want = torch.from_numpy(expected(path, x))
    with torch.no_grad():
        hidden = model.trunk(x)
        found = model(pixels(3))
    assert hidden.shape == (3, 6) and torch.equal(model.tail(hidden), found)
    torch.testing.assert_close(direction(found), direction(want), atol=1e-5, rtol=0)
    if name not in ("length", "root", "lp", "lengthened"):
        torch.testing.assert_close(found, want, atol=1e-4, rtol=1e-4)


def test_convolution_over_the_whole_map_is_linear(tmp_path: Path) -> None:
    net = Net()
    x = net.conv(net.conv("picture", 3, 4, 8, strides=[8, 8]), 4, 6, 3)
    path = net.save(tmp_path / "x.onnx", net.add("Flatten", net.conv(x, 6, 7, 2)))
    model = load_onnx(path)
    assert (model.tail.in_features, model.tail.out_features) == (24, 7)
    with torch.inference_mode():
        found = model(pixels(3))
    np.testing.assert_allclose(found, expected(path, model.normalise(pixels(3))), atol=1e-4)


def test_constants_that_were_made_one_are_parted(tmp_path: Path) -> None:
    """An exporter writes equal weights once and names the others by Identity."""
    net = Net()
    bias = net.weight(4)
    x = net.add("Conv", "picture", net.weight(4, 3, 3, 3), bias)
    x = net.add("Conv", x, net.weight(4, 4, 3, 3), net.add("Identity", bias))
    path = net.save(tmp_path / "x.onnx", x)
    shapes = [p.shape for p in Graph(make_program(read_onnx(path), "picture", (x,))).parameters()]
    assert sorted(map(tuple, shapes)) == [(4,), (4,), (4, 3, 3, 3), (4, 4, 3, 3)]


def test_what_is_computed_is_not_learned(tmp_path: Path) -> None:
    """Zeros that widen a map, waves that tell the place: constants, but no weights."""
    net = Net()
    zeros = net.add("ConstantOfShape", net.give(np.array([1, 4, 30, 30])))
    steps = net.add("Range", *map(net.give, map(np.int64, (0, 30, 1))))
    waves = net.add("Sin", net.add("Cast", steps, to=TensorProto.FLOAT))
    turned = net.add("Transpose", net.weight(3, 3, 3, 4), perm=[3, 0, 1, 2])
    x = net.add("Conv", "picture", turned)
    x = net.add("Add", net.add("Add", x, waves), net.weight(30))
    x = net.add("Concat", x, zeros, axis=1)
    graph = Graph(make_program(read_onnx(net.save(tmp_path / "x.onnx", x)), "picture", (x,)))
    shapes = [tuple(p.shape) for p in graph.parameters()]
    assert sorted(shapes) == [(4, 3, 3, 3), (30,)]
    found = graph(pixels(1))[0].detach()
    np.testing.assert_allclose(
        found, reference(tmp_path / "x.onnx", pixels(1).numpy())[0], rtol=1e-4, atol=1e-3
    )


# --- pictures --------------------------------------------------------------------------


def test_preparation_inside_the_graph(tmp_path: Path) -> None:
    net = Net()
    x = net.add("Sub", "picture", net.give(np.full((1, 3, 1, 1), 127.5, np.float32)))
    x = net.add("Mul", x, net.give(np.float32(0.0078125)))
    path = net.save(tmp_path / "x.onnx", linear(net, small(net, x)))
    path.with_suffix(".json").write_text('{"mean": 0, "scale": 1}')
    model = load_onnx(path)
    want = expected(path, pixels(3))
    with torch.inference_mode():
        np.testing.assert_allclose(model(pixels(3)), want, atol=1e-4)
    # Two convolutions and the last layer learn; how pictures are prepared does not.
    assert len(list(model.parameters())) == 6


def test_channels_last(tmp_path: Path) -> None:
    """As files from TensorFlow have it."""
    net = Net()
    out = linear(net, small(net, net.add("Transpose", "picture", perm=[0, 3, 1, 2])))
    model = load_onnx(net.save(tmp_path / "x.onnx", out, ("N", 32, 32, 3)))
    x = model.normalise(pixels(3))
    assert x.shape == (3, 32, 32, 3) and model.size == 32
    with torch.inference_mode():
        np.testing.assert_allclose(model(pixels(3)), expected(tmp_path / "x.onnx", x), atol=1e-4)


def test_sidecar_says_how_to_feed(tmp_path: Path) -> None:
    net = Net()
    path = net.save(tmp_path / "x.onnx", linear(net, small(net)), ("N", 3, None, None))
    plain = load_onnx(path)
    assert plain.size == 112
    np.testing.assert_array_equal(plain.template, ARCFACE_112)
    template = (ARCFACE_112 / 2 + 3).tolist()
    said = {"channels": "BGR", "mean": [1, 2, 3], "scale": [4, 5.5, 6], "size": 64}
    path.with_suffix(".json").write_text(json.dumps({**said, "template": template}))
    model = load_onnx(path)
    assert model.size == 64
    np.testing.assert_array_equal(model.template, template)
    x = model.normalise(pixels(2, 64))
    red, green, blue = pixels(2, 64).unbind(1)
    want = torch.stack([(blue - 1) / 4, (green - 2) / 5.5, (red - 3) / 6], 1)
    torch.testing.assert_close(x, want)
    path.with_suffix(".json").write_text("{}")
    np.testing.assert_array_equal(load_onnx(path).template, ARCFACE_112)


def test_template_grows_with_the_input(tmp_path: Path) -> None:
    net = Net()
    model = load_onnx(net.save(tmp_path / "x.onnx", linear(net, small(net))))
    np.testing.assert_allclose(model.template, ARCFACE_112 * 32 / 112)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "Expecting"),
        ("[]", "one object"),
        ('{"colour": "RGB"}', "unknown entry 'colour'"),
        ('{"channels": "GBR"}', '"channels" should be "RGB" or "BGR"'),
        ('{"mean": [1, 2]}', '"mean" should be a number or three'),
        ('{"mean": "127"}', '"mean" should be a number or three'),
        ('{"mean": true}', '"mean" should be a number or three'),
        ('{"mean": NaN}', '"mean" should be a number or three'),
        ('{"scale": 0}', '"scale" should be a number or three other than 0'),
        ('{"scale": [1, 0, 1]}', "other than 0"),
        ('{"template": [[1, 2], [3, 4]]}', '"template" should be five points'),
        ('{"template": 5}', '"template" should be five points'),
        ('{"size": 64.5}', '"size" should be a whole number'),
        ('{"size": 64}', "takes pictures of 32 px, the file beside it says 64"),
        (b"\xff\xfe{}", "decode"),
    ],
)
def test_wrong_sidecar_is_refused(text: str | bytes, complaint: str, tmp_path: Path) -> None:
    net = Net()
    path = net.save(tmp_path / "x.onnx", linear(net, small(net)))
    content = text if isinstance(text, bytes) else text.encode()
    path.with_suffix(".json").write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_onnx(path)
    assert complaint in str(caught.value) and str(tmp_path) in str(caught.value)


# --- refusals --------------------------------------------------------------------------


@pytest.mark.parametrize("op", ["Relu", "Softmax", "Tanh", "Abs", "Neg"])
def test_what_turns_the_embedding_is_refused(op: str, tmp_path: Path) -> None:
    net = Net()
    out = net.add(op, linear(net, small(net)))
    text = refused(net, out, tmp_path)
    assert f"after the last linear layer comes {op} (node node" in text


def test_limits_are_noticed_at_any_length(tmp_path: Path) -> None:
    net = Net()
    limits = net.give(np.float32(-20)), net.give(np.float32(20))
    out = net.add("Clip", linear(net, small(net)), *limits)
    assert "comes Clip" in refused(net, out, tmp_path)


def test_no_linear_layer_is_refused(tmp_path: Path) -> None:
    net = Net()
    assert "no last linear layer" in refused(net, net.add("Flatten", small(net)), tmp_path)
    net = Net()
    x = net.add("Flatten", small(net))
    gate = net.add("Sigmoid", net.add("Gemm", x, net.weight(6, 6)))
    # A linear layer that the features also go around is not the last one.
    assert "no last linear layer" in refused(net, net.add("Mul", x, gate), tmp_path)


def test_unknown_operators_are_all_named(tmp_path: Path) -> None:
    net = Net()
    x = net.add("Upsample", net.add("Selu", net.add("Selu", "picture")))
    text = refused(net, linear(net, x), tmp_path)
    assert "not supported: Selu (node node0 and 1 more), Upsample (node node2)" in text


@pytest.mark.parametrize("op", ["QLinearConv", "ConvInteger", "DequantizeLinear"])
def test_quantised_file_is_named_as_such(op: str, tmp_path: Path) -> None:
    net = Net()
    text = refused(net, linear(net, net.add(op, "picture")), tmp_path)
    assert f"is quantised: {op} (node node0)" in text and "float32" in text


def test_operators_of_others_are_named_with_their_domain(tmp_path: Path) -> None:
    net = Net()
    x = net.add("FusedConv", "picture", domain="com.microsoft")
    assert "com.microsoft.FusedConv (node node0)" in refused(net, linear(net, x), tmp_path)


@pytest.mark.parametrize(
    "shape",
    [("N", 1, 32, 32), ("N", 3, 32, 48), ("N", 3), (), ("N", 32, 40, 3), ("N", 3, 8, 8, 8)],
    ids=str,
)
def test_other_inputs_are_refused(shape: tuple[Any, ...], tmp_path: Path) -> None:
    net = Net()
    text = refused(net, linear(net, small(net)), tmp_path, shape)
    assert "not square pictures of three colours" in text


def test_two_inputs_are_refused(tmp_path: Path) -> None:
    net = Net()
    model = net.model(linear(net, small(net)))
    more = helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1])
    model.graph.input.append(more)
    onnx.save(model, str(tmp_path / "x.onnx"))
    with pytest.raises(ModelError, match="one input, a picture, but has picture, mask"):
        load_onnx(tmp_path / "x.onnx")


def test_node_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    net = Net()
    text = refused(net, linear(net, net.conv("picture", 4, 4, 3)), tmp_path)
    assert "Conv (node node0) cannot be run" in text
    net = Net()
    wrong = net.add("Add", net.give(np.zeros(2, np.float32)), net.give(np.zeros(3, np.float32)))
    text = refused(net, linear(net, net.add("Add", small(net), wrong)), tmp_path)
    assert "cannot be run" in text


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    net = Net()
    x = net.add("Mul", small(net), net.give(np.full((1, 6, 1, 1), np.nan, np.float32)))
    assert "not finite" in refused(net, linear(net, x), tmp_path)


@pytest.mark.parametrize("opset", [13, 15])
def test_exported_while_training_is_refused(opset: int, tmp_path: Path) -> None:
    net = Net(opset)
    y = net.norm(small(net), 6)
    if opset < 14:
        net.nodes[-1].output.extend(["mean", "variance"])
    else:
        net.nodes[-1].attribute.append(helper.make_attribute("training_mode", 1))
    assert "model.eval()" in refused(net, linear(net, y), tmp_path)


@pytest.mark.parametrize("opset", [6, 99])
def test_unknown_version_is_refused(opset: int, tmp_path: Path) -> None:
    net = Net(opset)
    assert f"version {opset} of ONNX" in refused(net, linear(net, small(net)), tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"not a network, really not" * 20, b"\x08\x07", b"\x89PNG\r\n\x1a\n" + bytes(99)],
)
def test_other_content_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="does not hold an ONNX model"):
        load_onnx(path)


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    net = Net()
    path = net.save(tmp_path / "x.onnx", linear(net, small(net)))
    whole = path.read_bytes()
    for part in (0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(ModelError):
            load_onnx(path)


def test_damaged_tensor_is_refused(tmp_path: Path) -> None:
    net = Net()
    model = net.model(linear(net, small(net)))
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-3]
    onnx.save(model, str(tmp_path / "x.onnx"))
    with pytest.raises(ModelError, match="tensor w0 is damaged"):
        load_onnx(tmp_path / "x.onnx")


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    net = Net()
    path = tmp_path / "x.onnx"
    onnx.save(
        net.model(linear(net, small(net))),
        str(path),
        save_as_external_data=True,
        location="x.data",
        size_threshold=0,
    )
    with pytest.raises(ModelError, match="weights in another file"):
        load_onnx(path)


def test_missing_package_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net()
    path = net.save(tmp_path / "x.onnx", linear(net, small(net)))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelError, match=r'pip install "videoclusternet\[onnx\]"'):
        load_onnx(path)


# --- as a choice -----------------------------------------------------------------------


def test_choice_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "cache"))
    net = Net()
    path = net.save(tmp_path / "x.onnx", mobilefacenet(net))
    model = load_backbone(f"onnx={path}", "cpu")
    assert isinstance(model, OnnxFace) and model.name == "onnx"
    with torch.inference_mode():
        want = expected(path, model.normalise(pixels(3)))
        np.testing.assert_allclose(model(pixels(3)), want, atol=1e-4)


def test_choice_without_a_file_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="onnx=FILE"):
        load_backbone("onnx", "cpu")


def test_run_notices_another_model_or_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "cache"))
    net = Net()
    path = net.save(tmp_path / "x.onnx", linear(net, small(net)))
    other = net.save(tmp_path / "y.onnx", linear(net, small(net)))
    side = path.with_suffix(".json")
    digests = [weights_digest(f"onnx={p}") for p in (path, other)]
    for text in ("{}", '{"mean": 0}'):
        side.write_text(text)
        digests.append(weights_digest(f"onnx={path}"))
    assert len(set(digests)) == 4
    side.unlink()
    assert weights_digest(f"onnx={path}") == digests[0]
