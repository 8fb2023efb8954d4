"""The registry of models: rows, files, hashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from videoclusternet.errors import ModelError
from videoclusternet.models import registry
from videoclusternet.models.registry import MODELS, find, locate, weights_digest


def test_every_row_is_complete() -> None:
    for name, spec in MODELS.items():
        assert spec.name == name and spec.files and spec.licence and spec.title
        assert all(len(file.sha256) == 64 for file in spec.files)
        assert (spec.dim > 0) == (spec.kind == "backbone")


@pytest.mark.parametrize("name", ["mtcnn", "dlib"])
def test_embedded_models_are_present_and_right(name: str) -> None:
    assert all(path.is_file() for path in locate(name))


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(ModelError, match="known: mtcnn, dlib"):
        find("arcface-r9000")


def test_missing_file_says_where_to_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path))
    with pytest.raises(ModelError) as caught:
        locate("yunet")
    text = str(caught.value)
    assert str(tmp_path) in text and MODELS["yunet"].files[0].sha256 in text
    assert "vcn models pull yunet" in text


def test_wrong_hash_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "yunet.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match="expected 104ee26c"):
        locate(f"yunet={path}")


def test_right_file_of_ones_own_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"weights")
    row = MODELS["yunet"]
    digest = registry.sha256_of(path)
    file = registry.WeightFile("x.onnx", digest, "https://example.invalid/x.onnx")
    monkeypatch.setitem(
        MODELS, "yunet", registry.ModelSpec("yunet", "detector", row.title, (file,), "x", True)
    )
    assert locate(f"yunet={path}") == (path,)
    assert weights_digest("yunet") != weights_digest("mtcnn")
