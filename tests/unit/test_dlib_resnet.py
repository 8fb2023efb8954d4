"""dlib's ResNet in torch against dlib itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data, transform

from videoclusternet.errors import ModelError
from videoclusternet.models.backbones.dlib_resnet import DlibResNet, load_dlib
from videoclusternet.models.registry import locate


@pytest.fixture(scope="module")
def path() -> Path:
    return locate("dlib")[0]


@pytest.fixture(scope="module")
def model(path: Path) -> DlibResNet:
    return load_dlib(path)


def chips() -> dict[str, np.ndarray]:
    face = transform.resize(data.astronaut()[0:250, 110:360], (150, 150))
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3))
    return {"face": (face * 255).astype(np.uint8), "noise": noise.astype(np.uint8)}


@pytest.mark.parametrize("name", ["face", "noise"])
def test_equals_dlib(name: str, path: Path, model: DlibResNet) -> None:
    dlib = pytest.importorskip("dlib")
    chip = chips()[name]
    want = np.array(dlib.face_recognition_model_v1(str(path)).compute_face_descriptor(chip))
    with torch.inference_mode():
        got = model(torch.from_numpy(chip).permute(2, 0, 1)[None].float())[0].numpy()
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_all_parameters_learn(model: DlibResNet) -> None:
    model(torch.rand(2, 3, 150, 150) * 255).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    model.zero_grad()


def test_foreign_file_is_refused(tmp_path: Path, path: Path) -> None:
    broken = tmp_path / "broken.dat"
    broken.write_bytes(path.read_bytes()[:1_000_000])
    with pytest.raises(ModelError, match="does not hold"):
        load_dlib(broken)
