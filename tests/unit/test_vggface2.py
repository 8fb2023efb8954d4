"""VGGFace2's networks: names and shapes of the public files, and the original's output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
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
from videoclusternet.models.backbones import vggface2
from videoclusternet.models.backbones.vggface2 import TEMPLATE_224, VggFace2, load_vggface2, rename
from videoclusternet.types.canvas import ARCFACE_112

WIDTHS = ((2, 64), (3, 128), (4, 256), (5, 512))
WHOLE, SMALL = (3, 4, 6, 3), (2, 1, 1, 2)
NAMES = ("vggface2-resnet50", "vggface2-senet50")


def public(senet: bool, depths: tuple[int, ...], tracked: bool = False) -> Shapes:
    """What a public file of 2048 values holds."""

    def both(name: str, width: int, narrow: int, kernel: int) -> Shapes:
        return conv(name, width, narrow, kernel) | norm(f"{name}_bn", width, tracked=tracked)

    shapes, narrow = both("conv1_7x7_s2", 64, 3, 7), 64
    for (stage, inner), depth in zip(WIDTHS, depths, strict=True):
        for block in range(1, depth + 1):
            at, width = f"conv{stage}_{block}", 4 * inner
            shapes |= both(f"{at}_1x1_reduce", inner, narrow, 1) | both(
                f"{at}_3x3", inner, inner, 3
            )
            shapes |= both(f"{at}_1x1_increase", width, inner, 1)
            if block == 1:
                shapes |= both(f"{at}_1x1_proj", width, narrow, 1)
            if senet:
                shapes |= layer(f"{at}_1x1_down", width // 16, width, 1, 1)
                shapes |= layer(f"{at}_1x1_up", width, width // 16, 1, 1)
            narrow = width
    return shapes | layer("classifier", 11, 2048, 1, 1)


def original(state: State, senet: bool, depths: tuple[int, ...], x: Tensor) -> Tensor:
    """The forward pass of the original, up to the pooled features."""

    def both(name: str, x: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        y = F.conv2d(x, state[f"{name}.weight"], stride=stride, padding=padding)
        return batch_norm(state, f"{name}_bn", y)

    x = torch.relu(both("conv1_7x7_s2", x, 2, 3))
    x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)  # rounds up
    for (stage, _), depth in zip(WIDTHS, depths, strict=True):
        for block in range(1, depth + 1):
            at, stride = f"conv{stage}_{block}", 2 if stage > 2 and block == 1 else 1
            y = torch.relu(both(f"{at}_1x1_reduce", x, stride))
            y = torch.relu(both(f"{at}_3x3", y, 1, 1))
            y = both(f"{at}_1x1_increase", y)
            if senet:
                w = y.mean((2, 3), keepdim=True)
                w = F.conv2d(w, state[f"{at}_1x1_down.weight"], state[f"{at}_1x1_down.bias"])
                w = F.conv2d(w.relu(), state[f"{at}_1x1_up.weight"], state[f"{at}_1x1_up.bias"])
                y = w.sigmoid().expand_as(y) * y
            x = torch.relu(y + (both(f"{at}_1x1_proj", x, stride) if block == 1 else x))
    return x.mean((2, 3))


@pytest.fixture(scope="module")
def made() -> dict[str, State]:
    """Tensors of networks of few blocks."""
    return {name: filled(public(name == NAMES[1], SMALL)) for name in NAMES}


@pytest.fixture
def states(made: dict[str, State], monkeypatch: pytest.MonkeyPatch) -> dict[str, State]:
    """The same, while the networks have as few blocks."""
    monkeypatch.setattr(vggface2, "STAGES", tuple(zip((64, 128, 256, 512), SMALL, strict=True)))
    return made


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where a file may lie; it is large, so it does not stay."""
    yield tmp_path / "x.pth"
    (tmp_path / "x.pth").unlink()


@pytest.mark.parametrize(("name", "millions"), zip(NAMES, (23.51, 26.04), strict=True))
def test_tensors_are_those_of_the_public_files(name: str, millions: float) -> None:
    with torch.device("meta"):
        model = VggFace2(name)
        x = model.early(torch.zeros(1, 3, 224, 224))
    shapes = public(name == NAMES[1], WHOLE, tracked=True)
    tensors = rename({key: torch.empty(shape, device="meta") for key, shape in shapes.items()})
    assert shapes_of(model.state_dict()) == shapes_of(tensors)
    trunk = sum(p.numel() for p in model.parameters()) - model.tail.weight.numel()
    assert trunk / 1e6 == pytest.approx(millions, abs=0.01)
    assert x.shape == (1, 1024, 14, 14) and model.late(x).shape == (1, 2048)


def compare(name: str, state: State, depths: tuple[int, ...], path: Path) -> None:
    """In double precision, for numbers grow on the way through many random layers."""
    torch.save(state, path, _use_new_zipfile_serialization=False)
    model = load_vggface2(path, name).double()
    pixels = torch.rand(1, 3, 72, 72, dtype=torch.float64) * 255
    centred = pixels - torch.tensor([131.0912, 103.8827, 91.4953]).view(3, 1, 1)
    double = {key: value.double() for key, value in state.items()}
    pooled = original(double, name == NAMES[1], depths, centred)
    assert_alike(model(pixels), pooled)
    # Without a last linear layer of its own the pooled features are the embedding.
    assert model.dim == 2048 and torch.equal(model.tail(pooled), pooled)


@torch.inference_mode()
def test_a_whole_senet_does_what_the_original_does(path: Path) -> None:
    compare(NAMES[1], filled(public(True, WHOLE)), WHOLE, path)


@torch.inference_mode()
def test_a_resnet_does_what_the_original_does(states: dict[str, State], path: Path) -> None:
    compare(NAMES[0], states[NAMES[0]], SMALL, path)


@pytest.mark.parametrize(("dim", "bias"), [(256, True), (128, False)])
@torch.inference_mode()
def test_files_of_fewer_values_end_with_their_own_layer(
    dim: int, bias: bool, states: dict[str, State], path: Path
) -> None:
    held = {k: v for k, v in states[NAMES[0]].items() if not k.startswith("classifier")}
    held |= filled(layer("feat_extract", dim, 2048, 1, 1) | layer("classifier", 11, dim, 1, 1), 1)
    if not bias:
        del held["feat_extract.bias"]
    torch.save(held, path)
    model = load_vggface2(path, NAMES[0])
    pooled = torch.rand(3, 2048)
    expected = F.conv2d(pooled[..., None, None], held["feat_extract.weight"])[..., 0, 0]
    expected = expected + held.get("feat_extract.bias", torch.tensor(0.0))
    assert model.dim == dim
    assert_alike(model.tail(pooled), expected)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_learns(name: str, states: dict[str, State], path: Path) -> None:
    torch.save(states[name], path)
    model = load_vggface2(path, name)
    assert not any(module.training for module in model.modules())
    x = torch.rand(1, 3, 64, 64) * 255 - 100
    model.tail(model.trunk(x)).square().sum().backward()
    dead = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert dead == []
    late = {id(p) for module in model.last_stage() for p in module.parameters()}
    named = {n for n, p in model.named_parameters() if id(p) in late}
    assert named == {n for n, _ in model.named_parameters() if n.startswith("conv5.")}


def test_the_template_is_a_scaled_arcface_template() -> None:
    """A square of 98 px round (56, 65) fills the input, pixel centre to pixel centre."""
    corners = (np.array([[56 - 49, 65 - 49], [56 + 49, 65 + 49]]) - (56, 65)) * 224 / 98 + 111.5
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [223.5, 223.5]])
    ratio = np.linalg.norm(TEMPLATE_224[1] - TEMPLATE_224[0]) / 224
    assert ratio == pytest.approx(np.linalg.norm(ARCFACE_112[1] - ARCFACE_112[0]) / 98)


@pytest.mark.parametrize("fault", ["missing", "shape", "senet", "resnet", "cut"])
def test_other_files_are_refused(fault: str, states: dict[str, State], path: Path) -> None:
    name = NAMES[1] if fault == "senet" else NAMES[0]
    held = dict(states[NAMES[1] if fault == "resnet" else NAMES[0]])
    if fault == "missing":
        del held["conv5_2_3x3.weight"]
    elif fault == "shape":
        held["conv1_7x7_s2.weight"] = torch.zeros(64, 3, 3, 3)
    torch.save(held, path)
    if fault == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match=f"{path} does not hold {name} weights"):
        load_vggface2(path, name)
