"""FaRL's image encoder: names and shapes of the public file, and the original's output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.checkpoints import Shapes, State, assert_alike, filled, layer, shapes_of
from videoclusternet.errors import ModelError
from videoclusternet.models.backbones import farl
from videoclusternet.models.backbones.farl import TEMPLATE_224, Farl, load_farl
from videoclusternet.types.canvas import CANVAS_TEMPLATE

SMALL = 3


def public(depth: int) -> Shapes:
    """What the image encoder in the public file holds."""
    shapes: Shapes = {
        "conv1.weight": (768, 3, 16, 16),
        "class_embedding": (768,),
        "positional_embedding": (197, 768),
        "proj": (768, 512),
    }
    shapes |= layer("ln_pre", 768) | layer("ln_post", 768)
    for i in range(depth):
        at = f"transformer.resblocks.{i}"
        shapes |= {f"{at}.attn.in_proj_weight": (2304, 768), f"{at}.attn.in_proj_bias": (2304,)}
        shapes |= layer(f"{at}.attn.out_proj", 768, 768)
        shapes |= layer(f"{at}.ln_1", 768) | layer(f"{at}.ln_2", 768)
        shapes |= layer(f"{at}.mlp.c_fc", 3072, 768) | layer(f"{at}.mlp.c_proj", 768, 3072)
    return shapes


def clip(visual: State) -> dict[str, object]:
    """The public form: a whole CLIP, with the part for masked pictures."""
    held = {f"visual.{key}": value for key, value in visual.items()}
    held |= {"visual.mask_token": torch.zeros(768), "visual.ln_lm.weight": torch.ones(768)}
    held |= {"text_projection": torch.zeros(512, 512), "logit_scale": torch.tensor(4.6)}
    return {"state_dict": held}


def original(state: State, depth: int, x: Tensor) -> Tensor:
    """Tokens of the original behind ``ln_post``, one head after the other."""

    def norm(name: str, x: Tensor) -> Tensor:
        x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
        return x * state[f"{name}.weight"] + state[f"{name}.bias"]

    def linear(name: str, x: Tensor) -> Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    kernel = state["conv1.weight"].flatten(1)
    patches = F.unfold(x, 16, stride=16).transpose(1, 2) @ kernel.T
    first = state["class_embedding"].expand(len(x), 1, 768)
    x = norm("ln_pre", torch.cat([first, patches], 1) + state["positional_embedding"])
    for i in range(depth):
        at = f"transformer.resblocks.{i}"
        y = norm(f"{at}.ln_1", x)
        y = y @ state[f"{at}.attn.in_proj_weight"].T + state[f"{at}.attn.in_proj_bias"]
        heads = []
        for q, k, v in zip(*(part.split(64, -1) for part in y.split(768, -1)), strict=True):
            heads.append((q @ k.transpose(1, 2) / 8).softmax(-1) @ v)
        x = x + linear(f"{at}.attn.out_proj", torch.cat(heads, -1))
        y = linear(f"{at}.mlp.c_fc", norm(f"{at}.ln_2", x))
        x = x + linear(f"{at}.mlp.c_proj", y / (1 + torch.exp(-1.702 * y)))
    return norm("ln_post", x)


@pytest.fixture(scope="module")
def state() -> State:
    return filled(public(SMALL))


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where a file may lie; it is large, so it does not stay."""
    yield tmp_path / "x.pth"
    (tmp_path / "x.pth").unlink()


@pytest.fixture
def model(state: State, path: Path, monkeypatch: pytest.MonkeyPatch) -> Farl:
    """Few blocks, two of them in the last stage."""
    monkeypatch.setattr(farl, "DEPTH", SMALL)
    monkeypatch.setattr(farl, "LAST", SMALL - 2)
    torch.save(clip(state), path)
    return load_farl(path)


def test_tensors_are_those_of_the_public_file() -> None:
    with torch.device("meta"):
        model = Farl()
    wanted = public(12)
    wanted["proj.weight"] = wanted.pop("proj")[::-1]
    assert shapes_of(model.state_dict()) == wanted
    assert sum(p.numel() for p in model.parameters()) == 86_192_640
    assert [type(m).__name__ for m in model.last_stage()[0]] == ["Block", "Block"]


@torch.inference_mode()
def test_it_does_what_the_original_does(model: Farl, state: State) -> None:
    pixels = torch.rand(2, 3, 224, 224) * 255
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
    expected = original(state, SMALL, (pixels / 255 - mean) / std)
    maps = model.early(model.normalise(pixels))
    assert maps.shape == (2, 197, 768)
    assert_alike(model.tokens(maps), expected)
    assert torch.equal(model.late(maps), model.tokens(maps)[:, 0])
    assert_alike(model(pixels), expected[:, 0] @ state["proj"])
    assert model.tail.bias is None and torch.equal(model.tail.weight, state["proj"].T)


def test_every_parameter_learns(model: Farl) -> None:
    assert not any(module.training for module in model.modules())
    model(torch.rand(1, 3, 224, 224) * 255).square().sum().backward()
    dead = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert dead == []
    late = {id(p) for module in model.last_stage() for p in module.parameters()}
    named = {n for n, p in model.named_parameters() if id(p) in late}
    at = ("transformer.resblocks.1.", "transformer.resblocks.2.", "ln_post.")
    assert named == {n for n, _ in model.named_parameters() if n.startswith(at)}


def test_the_template_shows_the_whole_canvas() -> None:
    with torch.device("meta"):
        matrix = Farl().canvas_to_input()
    corners = np.array([[-0.5, -0.5], [143.5, 143.5]]) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [223.5, 223.5]], atol=1e-9)
    np.testing.assert_allclose(CANVAS_TEMPLATE @ matrix[:, :2].T + matrix[:, 2], TEMPLATE_224)


@pytest.mark.parametrize("fault", ["missing", "no projection", "larger", "cut"])
def test_other_files_are_refused(
    fault: str, state: State, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(farl, "DEPTH", SMALL)
    held = dict(state)
    if fault == "missing":
        del held["transformer.resblocks.1.attn.in_proj_bias"]
    elif fault == "no projection":
        del held["proj"]
    elif fault == "larger":
        held["class_embedding"] = torch.zeros(1024)
    torch.save(clip(held), path)
    if fault == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=f"{path} does not hold farl weights"):
        load_farl(path)
