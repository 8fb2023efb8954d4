"""Published ONNX models by name: fed as their rows say, whatever lies beside them.

Their real files are not here: files of the same form, with drawn weights, stand for them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from tests.onnx_nets import Net, glintr100, reference, sface
from videoclusternet.errors import ModelError
from videoclusternet.models.load import load_backbone
from videoclusternet.models.onnx.face import OnnxFace
from videoclusternet.models.onnx_weights import ONNX_MODELS
from videoclusternet.models.registry import MODELS, sha256_of, weights_digest
from videoclusternet.types.canvas import ARCFACE_112

PUBLISHED: dict[str, list[Callable[[], Any]]] = {
    "sface": [lambda: sface(Net(8)), lambda: sface(Net(13))],
    "auraface": [lambda: glintr100(Net(11)), lambda: glintr100(Net(11), batch=1)],
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def place(name: str, model: Any, folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Put a drawn file where the published one belongs, with its own hash in the row."""
    patch.setenv("VCN_CACHE", str(folder))
    row = MODELS[name]
    path = folder / row.files[0].name
    onnx.save(model, str(path))
    file = dataclasses.replace(row.files[0], sha256=sha256_of(path))
    patch.setitem(MODELS, name, dataclasses.replace(row, files=(file,)))
    return path


def test_all_rows_are_tried_here() -> None:
    assert set(PUBLISHED) == {row.name for row in ONNX_MODELS}


@pytest.mark.parametrize(
    ("name", "make"), [(name, make) for name, makers in PUBLISHED.items() for make in makers]
)
def test_named_model_gives_the_numbers_of_its_file(
    name: str, make: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place(name, make(), tmp_path, monkeypatch)
    # What lies beside the file is for files of the user's: a row says all.
    digest = weights_digest(name)
    path.with_suffix(".json").write_text('{"channels": "BGR", "mean": 1, "scale": 9}')
    assert weights_digest(name) == digest
    model = load_backbone(name, "cpu")
    row = MODELS[name]
    assert isinstance(model, OnnxFace)
    assert (model.name, model.dim, model.size) == (row.name, row.dim, row.size)
    np.testing.assert_array_equal(model.template, ARCFACE_112)
    generator = torch.Generator().manual_seed(0)
    pixels = 255 * torch.rand(3, 3, 112, 112, generator=generator)
    # SFace scales RGB 0..255 itself; the other takes it from -1 to 1.
    fed = pixels if name == "sface" else (pixels - 127.5) / 127.5
    want = np.concatenate([reference(path, one[None].numpy())[0] for one in fed])
    with torch.inference_mode():
        np.testing.assert_allclose(model(pixels), want, rtol=1e-3, atol=1e-4)
    assert all(p.requires_grad for p in model.parameters())


def test_a_file_of_another_width_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place("sface", sface(Net(8), dim=64), tmp_path, monkeypatch)
    with pytest.raises(ModelError, match="gives 64 values, sface has 128") as caught:
        load_backbone("sface", "cpu")
    assert f"onnx={path}" in str(caught.value)


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_another_file_than_the_published_one_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path))
    path = tmp_path / "mine.onnx"
    onnx.save(glintr100(Net(11)), str(path))
    with pytest.raises(ModelError, match="expected " + MODELS[name].files[0].sha256):
        load_backbone(f"{name}={path}", "cpu")
    with pytest.raises(ModelError, match=f"vcn models pull {name}"):
        load_backbone(name, "cpu")


@pytest.mark.slow
def test_sface_in_full_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As wide as the published file: as large, and its last stage is the last map."""
    path = place("sface", sface(Net(8), share=1), tmp_path, monkeypatch)
    assert abs(path.stat().st_size - 38_696_353) < 20_000
    model = load_backbone("sface", "cpu")
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    assert f"{millions:.1f} M parameters" in MODELS["sface"].title
    assert model.early(model.normalise(torch.rand(2, 3, 112, 112) * 255)).shape[1:] == (512, 14, 14)
