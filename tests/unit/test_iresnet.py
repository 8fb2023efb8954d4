"""ArcFace's R50 and R100: names and shapes of the public files, and the original's output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.checkpoints import (
    Shapes,
    State,
    assert_alike,
    batch_norm,
    conv,
    filled,
    layer,
    norm,
    shapes_of,
)
from videoclusternet.errors import ModelError
from videoclusternet.models.backbones import iresnet
from videoclusternet.models.backbones.iresnet import IResNet, load_iresnet

DEPTHS = {"arcface-r50": (3, 4, 14, 3), "arcface-r100": (3, 13, 30, 3)}
MILLIONS = {"arcface-r50": 43.59, "arcface-r100": 65.16}
SMALL = (1, 2, 1, 1)


def public(depths: tuple[int, ...]) -> Shapes:
    """What a backbone.pth of InsightFace holds."""
    shapes = conv("conv1", 64, 3, 3) | norm("bn1", 64) | {"prelu.weight": (64,)}
    narrow = 64
    for number, (width, depth) in enumerate(zip((64, 128, 256, 512), depths, strict=True), 1):
        for i in range(depth):
            at = f"layer{number}.{i}"
            shapes |= norm(f"{at}.bn1", narrow) | conv(f"{at}.conv1", width, narrow, 3)
            shapes |= norm(f"{at}.bn2", width) | {f"{at}.prelu.weight": (width,)}
            shapes |= conv(f"{at}.conv2", width, width, 3) | norm(f"{at}.bn3", width)
            if i == 0:
                shapes |= conv(f"{at}.downsample.0", width, narrow, 1)
                shapes |= norm(f"{at}.downsample.1", width)
            narrow = width
    return shapes | norm("bn2", 512) | layer("fc", 512, 25088) | norm("features", 512)


def original_trunk(state: State, depths: tuple[int, ...], x: Tensor) -> Tensor:
    """The forward pass of the original, layer by layer, up to its dropout."""
    x = F.conv2d(x, state["conv1.weight"], padding=1)
    x = F.prelu(batch_norm(state, "bn1", x), state["prelu.weight"])
    for number, depth in enumerate(depths, 1):
        for i in range(depth):
            at, stride = f"layer{number}.{i}", 1 if i else 2
            y = F.conv2d(batch_norm(state, f"{at}.bn1", x), state[f"{at}.conv1.weight"], padding=1)
            y = F.prelu(batch_norm(state, f"{at}.bn2", y), state[f"{at}.prelu.weight"])
            y = F.conv2d(y, state[f"{at}.conv2.weight"], stride=stride, padding=1)
            y = batch_norm(state, f"{at}.bn3", y)
            if i == 0:
                x = F.conv2d(x, state[f"{at}.downsample.0.weight"], stride=2)
                x = batch_norm(state, f"{at}.downsample.1", x)
            x = x + y
    return batch_norm(state, "bn2", x).flatten(1)


def original_tail(state: State, hidden: Tensor) -> Tensor:
    """The rest of it."""
    return batch_norm(state, "features", F.linear(hidden, state["fc.weight"], state["fc.bias"]))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, State]]:
    """A file with few blocks, and what it holds."""
    path = tmp_path_factory.mktemp("iresnet") / "backbone.pth"
    state = filled(public(SMALL))
    torch.save(state, path)
    yield path, state
    path.unlink()


@pytest.fixture
def small(made: tuple[Path, State], monkeypatch: pytest.MonkeyPatch) -> tuple[Path, State]:
    """The same, while the R50 has as few blocks."""
    monkeypatch.setitem(iresnet.DEPTHS, "arcface-r50", SMALL)
    return made


@pytest.mark.parametrize("name", DEPTHS)
def test_tensors_are_those_of_the_public_files(name: str) -> None:
    with torch.device("meta"):
        model = IResNet(name)
    folded = {key for key in public(DEPTHS[name]) if key.startswith("features.")}
    wanted = {key: shape for key, shape in public(DEPTHS[name]).items() if key not in folded}
    assert shapes_of(model.state_dict()) == wanted
    count = sum(p.numel() for p in model.parameters()) + 2 * 512
    assert count / 1e6 == pytest.approx(MILLIONS[name], abs=0.005)


@torch.inference_mode()
def test_a_whole_r50_does_what_the_original_does(tmp_path: Path) -> None:
    path, depths = tmp_path / "backbone.pth", DEPTHS["arcface-r50"]
    state = filled(public(depths))
    torch.save(state, path)
    model = load_iresnet(path, "arcface-r50")
    path.unlink()
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    assert_alike(model.trunk(x), original_trunk(state, depths, x))


@torch.inference_mode()
def test_the_last_norm_is_part_of_the_last_layer(small: tuple[Path, State]) -> None:
    path, state = small
    model = load_iresnet(path, "arcface-r50")
    hidden = torch.randn(3, 25088)
    assert_alike(model.tail(hidden), original_tail(state, hidden))
    pixels = torch.rand(1, 3, 112, 112) * 255
    maps = model.early(model.normalise(pixels))
    assert maps.shape == (1, 256, 14, 14) and model.late(maps).shape == (1, 25088)
    hidden = original_trunk(state, SMALL, pixels / 127.5 - 1)
    assert_alike(model(pixels), original_tail(state, hidden))


def test_every_parameter_learns(small: tuple[Path, State]) -> None:
    model = load_iresnet(small[0], "arcface-r50")
    assert not any(module.training for module in model.modules())
    model(torch.rand(1, 3, 112, 112) * 255).square().sum().backward()
    dead = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert dead == []
    late = {id(p) for module in model.last_stage() for p in module.parameters()}
    named = {n for n, p in model.named_parameters() if id(p) in late}
    assert named == {n for n, _ in model.named_parameters() if n.startswith(("layer4.", "bn2."))}


def test_a_file_of_half_precision_is_widened(small: tuple[Path, State], tmp_path: Path) -> None:
    path = tmp_path / "half.pth"
    torch.save({k: v.half() if v.ndim else v for k, v in small[1].items()}, path)
    model = load_iresnet(path, "arcface-r50")
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    path.unlink()


@pytest.mark.parametrize("fault", ["missing", "more", "shape", "no norm", "other depth", "cut"])
def test_other_files_are_refused(fault: str, small: tuple[Path, State], tmp_path: Path) -> None:
    path, state = tmp_path / "x.pth", dict(small[1])
    name = "arcface-r50"
    if fault == "missing":
        del state["layer2.1.conv1.weight"]
    elif fault == "more":
        state["layer5.0.conv1.weight"] = torch.zeros(1)
    elif fault == "shape":
        state["conv1.weight"] = torch.zeros(64, 3, 5, 5)
    elif fault == "no norm":
        state = {k: v for k, v in state.items() if not k.startswith("features.")}
    elif fault == "other depth":
        name = "arcface-r100"
    torch.save(state, path)
    if fault == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=f"{path} does not hold {name} weights"):
        load_iresnet(path, name)
    path.unlink()
