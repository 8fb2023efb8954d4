"""EdgeFace: shapes, dequantised checkpoints, and the identities it should separate."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from videoclusternet.errors import ModelError
from videoclusternet.models.backbones.edgeface import EdgeFace, load_edgeface


@pytest.mark.parametrize(("name", "millions"), [("edgeface-xs", 2.24), ("edgeface-xxs", 1.24)])
def test_parameter_counts_are_the_published_ones(name: str, millions: float) -> None:
    model = EdgeFace(name)
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)
    model(torch.rand(2, 3, 112, 112) * 255).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.data
@pytest.mark.parametrize("name", ["edgeface-xs", "edgeface-xxs"])
def test_real_file_loads_and_ignores_brightness(name: str, shared_weights: Path) -> None:
    model = load_edgeface(shared_weights / f"{name.replace('-', '_')}_q.pt", name)
    torch.manual_seed(0)
    image = torch.nn.functional.interpolate(torch.rand(2, 3, 7, 7) * 200, 112, mode="bilinear")
    with torch.inference_mode():
        a, b = model(image), model(image * 1.1)
    cosine = torch.nn.functional.cosine_similarity
    assert (cosine(a, b) > 0.8).all() and a.shape == (2, 512)


def test_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save({"model.stem.0.weight": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match="does not hold"):
        load_edgeface(path, "edgeface-xs")
