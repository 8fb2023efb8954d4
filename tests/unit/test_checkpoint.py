"""Files of weights of other projects: tensors are read, everything else is not."""

from __future__ import annotations

import argparse
import collections
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

from tests.checkpoints import assert_alike
from videoclusternet.errors import ModelError
from videoclusternet.models.checkpoint import build, fold_batch_norm, read_state, without_prefix

WEIGHTS = {"a.weight": torch.arange(6.0).view(2, 3), "a.count": torch.tensor(3)}


class Settings(dict[str, Any]):
    """A dict with more to it."""


class Callback:
    """An object of a training."""

    def __init__(self) -> None:
        self.score = torch.tensor(0.5)
        self.settings = Settings(a=1)


class Harmful:
    """Runs code when it is unpickled."""

    def __init__(self, function: Any, value: str) -> None:
        self.call = (function, (value,))

    def __reduce__(self) -> Any:
        return self.call


def test_forms(tmp_path: Path) -> None:
    plain, nested, old = tmp_path / "a.pth", tmp_path / "b.ckpt", tmp_path / "c.pth"
    safe = tmp_path / "d.safetensors"
    torch.save(WEIGHTS, plain)
    torch.save({"epoch": 3, "state_dict": collections.OrderedDict(WEIGHTS)}, nested)
    torch.save(WEIGHTS, old, _use_new_zipfile_serialization=False)
    safetensors.torch.save_file(WEIGHTS, safe)
    for path in (plain, nested, old, safe):
        state = read_state(path, "x")
        assert state.keys() == WEIGHTS.keys()
        assert all(torch.equal(state[key], WEIGHTS[key]) for key in WEIGHTS)


def test_only_floating_numbers_are_widened(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2).half(), "n": torch.tensor(5)}, tmp_path / "x")
    state = read_state(tmp_path / "x", "x")
    assert state["a"].dtype == torch.float32 and state["n"].dtype == torch.int64


def test_objects_beside_the_weights_are_not_built(tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    extra = {Callback: {"k": Callback()}, "s": Settings(lr=0.1), "n": argparse.Namespace(a=1)}
    torch.save({"state_dict": WEIGHTS, "extra": extra}, path)
    assert read_state(path, "x").keys() == WEIGHTS.keys()
    # Torch's own reader goes on refusing them.
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)


@pytest.mark.parametrize("function", [os.mkdir, Path.mkdir])
@pytest.mark.parametrize("new", [True, False])
def test_no_code_of_a_file_runs(function: Any, new: bool, tmp_path: Path) -> None:
    path, made = tmp_path / "x.ckpt", tmp_path / "made"
    held = {"state_dict": WEIGHTS, "x": Harmful(function, str(made))}
    torch.save(held, path, _use_new_zipfile_serialization=new)
    try:
        read_state(path, "x")
    except ModelError as error:
        assert "Python objects, which are not read" in str(error)
        assert "weights_only=False" in error.advice and str(path) in error.advice
        assert "\n" not in str(error)
    assert not made.exists()


def test_an_older_file_with_objects_says_how_to_convert_it(tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    torch.save({"state_dict": WEIGHTS, "x": Callback()}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(ModelError, match=r"torch\.save"):
        read_state(path, "x")


@pytest.mark.parametrize(
    "held", [[1, 2], {}, {"a": {"b": 1}}, {"state_dict": {}}, {3: torch.ones(1)}, torch.ones(2)]
)
def test_files_of_something_else(held: Any, tmp_path: Path) -> None:
    torch.save(held, tmp_path / "x")
    with pytest.raises(ModelError, match="x does not hold toy weights"):
        read_state(tmp_path / "x", "toy")


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02}q\x00.", b"text" * 99])
def test_files_that_are_no_weights(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match="does not hold toy weights"):
        read_state(tmp_path / name, "toy")


@pytest.mark.parametrize("new", [True, False])
def test_damage_is_told_in_one_way(new: bool, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=new)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        for damaged in (whole[:place], whole[:place] + b"\xff" + whole[place + 1 :]):
            path.write_bytes(damaged)
            try:
                read_state(path, "toy")
            except ModelError as error:
                assert str(path) in str(error)


def test_prefix() -> None:
    ones = torch.ones(1)
    assert without_prefix({"m.a": ones, "head": ones}, "m.").keys() == {"a"}
    assert without_prefix({"a": ones}, "m.").keys() == {"a"}


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_folding_changes_nothing(affine: bool, bias: bool) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(7, 5, bias=bias), nn.BatchNorm1d(5, affine=affine))
    for _ in range(3):
        net(torch.randn(20, 7) * 3 + 1)
    net.eval()
    with torch.no_grad():
        for parameter in net[1].parameters():
            parameter.normal_()
    state = dict(net.state_dict())
    fold_batch_norm(state, "0", "1")
    assert state.keys() == {"0.weight", "0.bias"}
    x = torch.randn(4, 7)
    assert_alike(nn.functional.linear(x, state["0.weight"], state["0.bias"]), net(x).detach())


def test_a_network_is_built_of_the_tensors_themselves() -> None:
    state = {key: value.clone() for key, value in nn.BatchNorm2d(3).state_dict().items()}
    # Files of before PyTorch 0.4.1 do not count the batches.
    del state["num_batches_tracked"]
    model = build(lambda: nn.BatchNorm2d(3), state)
    assert not model.training and model.num_batches_tracked == 0
    assert model.weight.data_ptr() == state["weight"].data_ptr() and model.weight.requires_grad
    with pytest.raises(RuntimeError, match="Missing"):
        build(lambda: nn.BatchNorm2d(3), {"weight": state["weight"]})
