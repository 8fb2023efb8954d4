"""What every face-ID model must do, whatever network is inside."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from videoclusternet.cli.demo_film import E, G, portraits
from videoclusternet.embed.views import clean_inputs
from videoclusternet.errors import ModelError
from videoclusternet.film.crops import align
from videoclusternet.models.backbones.adaface import AdaFace, load_adaface
from videoclusternet.models.backbones.dlib_resnet import load_dlib
from videoclusternet.models.backbones.edgeface import load_edgeface
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.backbones.farl import Farl, load_farl
from videoclusternet.models.backbones.iresnet import IResNet, load_iresnet
from videoclusternet.models.backbones.vggface2 import VggFace2, load_vggface2
from videoclusternet.models.load import load_backbone
from videoclusternet.models.paper_weights import PAPER_MODELS
from videoclusternet.models.registry import MODELS
from videoclusternet.types.canvas import CANVAS_TEMPLATE, similarity_transform

LANDMARKS = {
    G: np.array([[221.0, 193], [306, 188], [266, 242], [231, 276], [305, 271]]),
    E: np.array([[204.0, 103], [247, 104], [225, 129], [202, 140], [245, 141]]),
}
"""Where the five landmarks are in the portraits of the demo, px."""
SIZES = {"dlib": (5.61, 128), "edgeface-xs": (2.24, 512), "edgeface-xxs": (1.24, 512)}
"""Millions of parameters, and the width of the embedding."""
NAMES = [
    "dlib",
    pytest.param("edgeface-xs", marks=pytest.mark.data),
    pytest.param("edgeface-xxs", marks=pytest.mark.data),
]


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest) -> FaceModel:
    choice = request.param
    if choice != "dlib":
        folder = request.getfixturevalue("shared_weights")
        file = choice.replace("-", "_") + "_q.pt"
        choice = f"{choice}={folder / file}"
    return load_backbone(choice, "cpu")


@cache
def canvases() -> np.ndarray:
    """Both people in four kinds of light, uint8 (2, 4, 144, 144, 3)."""
    rows = []
    for name, person in portraits().items():
        plain = align(person.pixels, LANDMARKS[name]) / 255.0
        noise = np.random.default_rng(0).normal(0, 0.02, plain.shape)
        lights = [
            plain,
            plain**1.6 * [1.15, 1, 0.85],
            plain**0.7 * [0.85, 1, 1.15],
            np.repeat(plain.mean(axis=2, keepdims=True), 3, axis=2)[:, ::-1] + noise,
        ]
        rows.append(np.clip(np.stack(lights) * 255, 0, 255).astype(np.uint8))
    return np.stack(rows)


def embed(model: FaceModel, pixels: np.ndarray) -> Tensor:
    with torch.inference_mode():
        return model(clean_inputs(torch.from_numpy(pixels), model))


def cosine(a: Tensor, b: Tensor) -> np.ndarray:
    a, b = nn.functional.normalize(a), nn.functional.normalize(b)
    return np.asarray((a @ b.T).numpy())


def test_size_and_width_are_the_published_ones(model: FaceModel) -> None:
    millions, dim = SIZES[model.name]
    count = sum(p.numel() for p in model.parameters()) / 1e6
    assert count == pytest.approx(millions, abs=0.01)
    assert model.dim == dim == MODELS[model.name].dim
    assert model.size == MODELS[model.name].size
    out = embed(model, canvases()[0])
    assert out.shape == (4, dim) and out.dtype == torch.float32


def test_same_input_same_output(model: FaceModel) -> None:
    assert torch.equal(embed(model, canvases()[0]), embed(model, canvases()[0]))


def test_company_in_the_batch_changes_nothing(model: FaceModel) -> None:
    pixels = canvases().reshape(-1, *canvases().shape[2:])
    together = nn.functional.normalize(embed(model, pixels))
    alone = torch.cat([nn.functional.normalize(embed(model, p[None])) for p in pixels])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_every_parameter_learns(model: FaceModel) -> None:
    # One matrix of edgeface-xs is all zero in the public file and lets no gradient through:
    # a little noise shows that it is the file, not the network, that stops it.
    noisy = copy.deepcopy(model)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in noisy.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.01)
    noisy(clean_inputs(torch.from_numpy(canvases()[1]), noisy)).square().sum().backward()
    dead = [
        name
        for name, parameter in noisy.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert dead == []


def test_loaded_model_is_in_evaluation_mode(model: FaceModel) -> None:
    assert not any(module.training for module in model.modules())
    assert all(p.requires_grad for p in model.parameters())


def test_tail_is_the_last_linear_layer(model: FaceModel) -> None:
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    assert model.tail is linear[-1] and model.tail.out_features == model.dim
    seen: list[tuple[Tensor, Tensor]] = []
    hook = model.tail.register_forward_hook(lambda m, args, out: seen.append((args[0], out)))
    out = embed(model, canvases()[0])
    hook.remove()
    ((x, y),) = seen
    assert torch.equal(y, out)
    with torch.inference_mode():
        pixels = clean_inputs(torch.from_numpy(canvases()[0]), model)
        assert torch.equal(model.trunk(model.normalise(pixels)), x)


def test_one_person_is_closer_to_herself(model: FaceModel) -> None:
    people = canvases()
    hopper, collins = embed(model, people[0]), embed(model, people[1])
    same = np.concatenate([cosine(x, x)[np.triu_indices(4, 1)] for x in (hopper, collins)])
    other = cosine(hopper, collins).ravel()
    assert same.min() > other.max() + 0.05


def test_canvas_template_lands_on_the_models_template(model: FaceModel) -> None:
    matrix = model.canvas_to_input()
    moved = CANVAS_TEMPLATE @ matrix[:, :2].T + matrix[:, 2]
    # Templates of other networks differ a little in shape: a similarity cannot fit them all.
    tolerance = 1e-9 if model.size == 112 else 0.05 * model.size
    assert np.abs(moved - model.template).max() < tolerance
    assert np.abs((moved - model.template).mean(axis=0)).max() < 1e-9
    # A face fills the input and stands in its middle.
    left, right, nose, *_ = model.template
    assert (left[0] + right[0]) / 2 == pytest.approx((model.size - 1) / 2, abs=0.02 * model.size)
    assert nose[0] == pytest.approx((model.size - 1) / 2, abs=0.02 * model.size)
    assert 0.28 < (right[0] - left[0]) / model.size < 0.4


def test_a_dot_on_the_canvas_template_is_seen_on_the_models(model: FaceModel) -> None:
    matrix = model.canvas_to_input()
    for x, y in CANVAS_TEMPLATE:
        canvas = np.zeros((1, 144, 144, 3), np.float32)
        at_y, at_x = np.mgrid[:144, :144]
        canvas[0] = 255 * np.exp(-((at_x - x) ** 2 + (at_y - y) ** 2) / 8)[..., None]
        seen = clean_inputs(torch.from_numpy(canvas), model)[0, 0].numpy()
        at_y, at_x = np.mgrid[: model.size, : model.size]
        centre = np.array([(seen * at_x).sum(), (seen * at_y).sum()]) / seen.sum()
        want = matrix[:, :2] @ [x, y] + matrix[:, 2]
        np.testing.assert_allclose(centre, want, atol=0.05)


def test_similarity_is_found_again() -> None:
    rng = np.random.default_rng(0)
    angle, scale = 0.7, 1.8
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = rng.normal(size=(5, 2)) * 30
    matrix = similarity_transform(points, points @ turn.T + [3, -4])
    np.testing.assert_allclose(matrix, np.column_stack([turn, [3, -4]]), atol=1e-9)
    # A mirrored face is never unmirrored: the best rotation has no reflection.
    mirrored = similarity_transform(points, points * [-1, 1])
    assert np.linalg.det(mirrored[:, :2]) > 0


@pytest.mark.parametrize("choice", ["mtcnn", "yunet"])
def test_a_detector_is_no_backbone(choice: str) -> None:
    with pytest.raises(ModelError, match=f"{choice} is a detector, not a backbone"):
        load_backbone(choice, "cpu")


@pytest.mark.parametrize("name", ["dlib", "edgeface-xs", "edgeface-xxs"])
def test_wrong_hash_is_refused_before_reading(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match="expected"):
        load_backbone(f"{name}={path}", "cpu")


READERS: dict[str, Callable[[Path], FaceModel]] = {
    "dlib": load_dlib,
    "edgeface": lambda path: load_edgeface(path, "edgeface-xs"),
    "arcface": lambda path: load_iresnet(path, "arcface-r50"),
    "adaface": load_adaface,
    "vggface2": lambda path: load_vggface2(path, "vggface2-resnet50"),
    "farl": load_farl,
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("content", ["nothing", "text", "list", "tables", "picture"])
def test_wrong_content_is_refused(
    reader: Callable[[Path], FaceModel], content: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.png"
    if content == "nothing":
        path.write_bytes(b"")
    elif content == "text":
        path.write_bytes(b"not a network, really not" * 20)
    elif content == "picture":
        cv2.imwrite(str(path), canvases()[0, 0])
    else:
        torch.save([1, 2] if content == "list" else {"a": {"b": 1}}, path)
    with pytest.raises(ModelError, match=f"{path} does not hold"):
        reader(path)


@pytest.mark.data
def test_one_edgeface_is_not_the_other(shared_weights: Path) -> None:
    with pytest.raises(ModelError, match="does not hold edgeface-xxs"):
        load_edgeface(shared_weights / "edgeface_xs_q.pt", "edgeface-xxs")


def test_input_is_scaled_as_the_registry_says(model: FaceModel) -> None:
    row = MODELS[model.name]
    pixels = torch.rand(2, 3, model.size, model.size) * 255
    mean = torch.tensor(row.mean).view(1, 3, 1, 1)
    torch.testing.assert_close(model.normalise(pixels), (pixels - mean) / row.scale)
    assert (row.size, row.dim, row.channels) == (model.size, model.dim, "RGB")


# --- models whose files are not here: what can be said without weights ------------------

MAKERS: dict[str, Callable[[], FaceModel]] = {
    "arcface-r50": lambda: IResNet("arcface-r50"),
    "arcface-r100": lambda: IResNet("arcface-r100"),
    "adaface-ir101": AdaFace,
    "vggface2-resnet50": lambda: VggFace2("vggface2-resnet50"),
    "vggface2-senet50": lambda: VggFace2("vggface2-senet50"),
    "farl": Farl,
}


@pytest.fixture(params=[row.name for row in PAPER_MODELS])
def outline(request: pytest.FixtureRequest) -> FaceModel:
    """A network without memory for its weights."""
    with torch.device("meta"):
        return MAKERS[request.param]()


def test_outline_is_fed_as_the_registry_says(outline: FaceModel) -> None:
    row = MODELS[outline.name]
    assert (row.size, row.dim) == (outline.size, outline.dim)
    pixels = torch.rand(2, 3, 5, 5) * 255
    before = pixels.clone()
    seen = outline.normalise(pixels)
    ordered = pixels if row.channels == "RGB" else pixels[:, [2, 1, 0]]
    mean, scale = (torch.tensor(v).view(-1, 1, 1) for v in (row.mean, row.scale))
    torch.testing.assert_close(seen, (ordered - mean) / scale, atol=1e-4, rtol=1e-5)
    assert torch.equal(pixels, before)


def test_outline_ends_with_its_last_linear_layer(outline: FaceModel) -> None:
    linear = [module for module in outline.modules() if isinstance(module, nn.Linear)]
    assert outline.tail is linear[-1] and outline.tail.out_features == outline.dim
    x = torch.zeros(2, 3, outline.size, outline.size, device="meta")
    assert outline.trunk(x).shape == (2, outline.tail.in_features)
    late = {id(p) for module in outline.last_stage() for p in module.parameters()}
    assert late and not late & {id(p) for p in outline.tail.parameters()}
    assert late < {id(p) for p in outline.parameters()}


def test_outline_sees_an_upright_face_in_the_middle(outline: FaceModel) -> None:
    matrix = outline.canvas_to_input()
    np.testing.assert_allclose(
        CANVAS_TEMPLATE @ matrix[:, :2].T + matrix[:, 2], outline.template, atol=1e-9
    )
    left, right, nose, *_ = outline.template / (outline.size - 1)
    assert (left[0] + right[0]) / 2 == pytest.approx(0.5, abs=0.02)
    assert nose[0] == pytest.approx(0.5, abs=0.02)
    # FaRL sees the whole canvas, the others a crop of it.
    assert 0.24 < right[0] - left[0] < 0.4
    corners = np.array([[-0.5, -0.5], [outline.size - 0.5] * 2])
    seen = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    assert seen.min() > -0.6 and seen.max() < 143.6, "sees beyond the canvas"
