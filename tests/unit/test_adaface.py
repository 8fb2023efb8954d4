"""AdaFace IR-101: names and shapes of the public file, Lightning's form, the original's output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
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
from videoclusternet.models.backbones import adaface
from videoclusternet.models.backbones.adaface import AdaFace, load_adaface

UNITS = ((64, 3), (128, 13), (256, 30), (512, 3))
SMALL = ((64, 2), (128, 1), (256, 1), (512, 2))
Units = tuple[tuple[int, int], ...]


def blocks(units: Units) -> list[tuple[int, int, int]]:
    """Narrow, width and stride of each block."""
    found, narrow = [], 64
    for width, depth in units:
        for i in range(depth):
            found.append((narrow, width, 1 if i else 2))
            narrow = width
    return found


def public(units: Units) -> Shapes:
    """What the model of the public checkpoint holds."""
    shapes = conv("input_layer.0", 64, 3, 3) | norm("input_layer.1", 64)
    shapes |= {"input_layer.2.weight": (64,)}
    for number, (narrow, width, _) in enumerate(blocks(units)):
        at = f"body.{number}"
        if narrow != width:
            shapes |= conv(f"{at}.shortcut_layer.0", width, narrow, 1)
            shapes |= norm(f"{at}.shortcut_layer.1", width)
        shapes |= norm(f"{at}.res_layer.0", narrow) | conv(f"{at}.res_layer.1", width, narrow, 3)
        shapes |= norm(f"{at}.res_layer.2", width) | {f"{at}.res_layer.3.weight": (width,)}
        shapes |= conv(f"{at}.res_layer.4", width, width, 3) | norm(f"{at}.res_layer.5", width)
    shapes |= norm("output_layer.0", 512) | layer("output_layer.3", 512, 25088)
    return shapes | norm("output_layer.4", 512, affine=False)


def original(state: State, units: Units, bgr: Tensor) -> tuple[Tensor, Tensor]:
    """What the original returns: direction and length of the embedding."""
    x = F.conv2d((bgr / 255 - 0.5) / 0.5, state["input_layer.0.weight"], padding=1)
    x = F.prelu(batch_norm(state, "input_layer.1", x), state["input_layer.2.weight"])
    for number, (narrow, width, stride) in enumerate(blocks(units)):
        at = f"body.{number}"
        y = F.conv2d(
            batch_norm(state, f"{at}.res_layer.0", x), state[f"{at}.res_layer.1.weight"], padding=1
        )
        y = F.prelu(batch_norm(state, f"{at}.res_layer.2", y), state[f"{at}.res_layer.3.weight"])
        y = F.conv2d(y, state[f"{at}.res_layer.4.weight"], stride=stride, padding=1)
        y = batch_norm(state, f"{at}.res_layer.5", y)
        if narrow == width:
            x = x[:, :, ::stride, ::stride]
        else:
            x = F.conv2d(x, state[f"{at}.shortcut_layer.0.weight"], stride=stride)
            x = batch_norm(state, f"{at}.shortcut_layer.1", x)
        x = x + y
    x = batch_norm(state, "output_layer.0", x).flatten(1)
    x = F.linear(x, state["output_layer.3.weight"], state["output_layer.3.bias"])
    x = batch_norm(state, "output_layer.4", x)
    length = x.norm(dim=1, keepdim=True)
    return x / length, length


class AttributeDict(dict[str, Any]):
    """Settings as Lightning keeps them."""


class ModelCheckpoint:
    """A callback of Lightning."""

    def __init__(self) -> None:
        self.best_model_score = torch.tensor(0.5)


@pytest.fixture(scope="module")
def state() -> State:
    return filled(public(SMALL))


@pytest.fixture(autouse=True)
def few_blocks(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "whole" not in request.node.name:
        monkeypatch.setattr(adaface, "UNITS", SMALL)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where a file may lie; it is large, so it does not stay."""
    yield tmp_path / "x.ckpt"
    for file in tmp_path.iterdir():
        file.unlink()


def lightning(state: State) -> dict[str, Any]:
    """A checkpoint of a training, with the classifier and Lightning's own objects."""
    weights = {f"model.{key}": value for key, value in state.items()}
    weights |= {"head.kernel": torch.zeros(512, 3), "head.t": torch.zeros(1)}
    return {
        "epoch": 24,
        "pytorch-lightning_version": "1.8.6",
        "state_dict": weights,
        "callbacks": {ModelCheckpoint: {"monitor": "val_acc"}, "last": ModelCheckpoint()},
        "hyper_parameters": AttributeDict(arch="ir_101", lr=0.1),
    }


def test_tensors_of_the_whole_model_are_those_of_the_public_file() -> None:
    with torch.device("meta"):
        model = AdaFace()
    wanted = {k: v for k, v in public(UNITS).items() if not k.startswith("output_layer.4.")}
    assert shapes_of(model.state_dict()) == wanted
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(65.15, abs=0.005)
    assert len(model.last_stage()[0]) == 3


@torch.inference_mode()
def test_it_does_what_the_original_does(state: State, path: Path) -> None:
    torch.save({f"model.{key}": value for key, value in state.items()}, path)
    model = load_adaface(path)
    rgb = torch.rand(1, 3, 112, 112) * 255
    maps = model.early(model.normalise(rgb))
    assert maps.shape == (1, 256, 14, 14) and model.late(maps).shape == (1, 25088)
    direction, length = original(state, SMALL, rgb[:, [2, 1, 0]])
    assert_alike(model(rgb), direction * length)


def test_the_last_norm_is_part_of_the_last_layer(state: State, path: Path) -> None:
    torch.save(state, path)
    hidden = torch.randn(4, 25088)
    apart = F.linear(hidden, state["output_layer.3.weight"], state["output_layer.3.bias"])
    assert_alike(load_adaface(path).tail(hidden), batch_norm(state, "output_layer.4", apart))


@pytest.mark.parametrize("form", ["lightning", "plain", "safetensors"])
def test_all_forms_of_the_file_give_the_same(form: str, state: State, path: Path) -> None:
    if form == "safetensors":
        path = path.with_suffix(".safetensors")
        safetensors.torch.save_file(state, path)
    else:
        torch.save(lightning(state) if form == "lightning" else state, path)
    model = load_adaface(path)
    assert not any(module.training for module in model.modules())
    found = model.state_dict()
    kept = [key for key in state if not key.startswith(("output_layer.3.", "output_layer.4."))]
    assert all(torch.equal(found[key], state[key]) for key in kept)


def test_every_parameter_learns(state: State, path: Path) -> None:
    torch.save(state, path)
    model = load_adaface(path)
    model(torch.rand(1, 3, 112, 112) * 255).square().sum().backward()
    dead = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert dead == []
    late = {id(p) for module in model.last_stage() for p in module.parameters()}
    named = {n.split(".")[1] for n, p in model.named_parameters() if id(p) in late}
    assert named == {"4", "5", "0"}


@pytest.mark.parametrize("fault", ["missing", "no norm", "head only", "whole"])
def test_other_files_are_refused(fault: str, state: State, path: Path) -> None:
    held: dict[str, Any] = dict(state)
    if fault == "missing":
        del held["body.1.res_layer.1.weight"]
    elif fault == "no norm":
        held = {k: v for k, v in held.items() if not k.startswith("output_layer.4")}
    elif fault == "head only":
        held = {"state_dict": {"head.kernel": torch.zeros(512, 3)}}
    # "whole": a file of few blocks for the network of all.
    torch.save(held, path)
    with pytest.raises(ModelError, match=f"{path} does not hold adaface-ir101 weights"):
        load_adaface(path)
