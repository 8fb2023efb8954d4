"""The registry of models: rows, files, hashes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from videoclusternet.errors import ModelError
from videoclusternet.models import registry
from videoclusternet.models.registry import MODELS, find, locate, weights_digest


def test_every_row_is_complete() -> None:
    for name, spec in MODELS.items():
        assert spec.name == name and spec.files and spec.licence and spec.title
        # A hash that nobody published is noted at first use.
        assert all(len(file.sha256) in (0, 64) for file in spec.files)
        assert all(file.source.partition(":")[2] for file in spec.files)
        assert isinstance(spec.scale, float) or len(spec.scale) == 3
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
    path.write_bytes(b"weights\0")
    row = MODELS["yunet"]
    digest = registry.sha256_of(path)
    file = registry.WeightFile("x.onnx", digest, "https://example.invalid/x.onnx")
    monkeypatch.setitem(
        MODELS, "yunet", registry.ModelSpec("yunet", "detector", row.title, (file,), "x", "yes")
    )
    assert locate(f"yunet={path}") == (path,)
    assert weights_digest("yunet") != weights_digest("mtcnn")


# --- hashes noted at first use ---------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with a file of farl in it."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("VCN_CACHE", str(folder))
    (folder / FARL.name).write_bytes(b"weights\0")
    return folder


FARL = MODELS["farl"].files[0]


def replace(path: Path, content: bytes) -> None:
    """Write another file; its time differs even on a coarse clock."""
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))


def test_a_hash_is_noted_at_first_use(cache: Path) -> None:
    assert FARL.sha256 == ""
    path = cache / FARL.name
    assert locate("farl") == (path,)
    digest = registry.sha256_of(path)
    assert json.loads((cache / "pins.json").read_text()) == {f"farl/{FARL.name}": digest}
    before = (cache / "pins.json").stat().st_mtime_ns
    assert locate("farl") == (path,)
    assert (cache / "pins.json").stat().st_mtime_ns == before
    assert sorted(p.name for p in cache.iterdir()) == sorted([FARL.name, "pins.json"])


def test_another_file_is_refused_until_it_is_accepted(cache: Path) -> None:
    path = cache / FARL.name
    locate("farl")
    old = registry.sha256_of(path)
    replace(path, b"other weights\0")
    new = registry.sha256_of(path)
    with pytest.raises(ModelError) as caught:
        locate("farl")
    text = str(caught.value)
    assert old in text and new in text and str(cache / "pins.json") in text and "\n" not in text
    # The advice, followed:
    pins = cache / "pins.json"
    pins.write_text(pins.read_text().replace(old, new))
    assert locate("farl") == (path,)


def test_files_of_ones_own_are_told_apart_by_their_place(cache: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "glint.pth", tmp_path / "ms1m.pth"
    one.write_bytes(b"1\0")
    two.write_bytes(b"2\0")
    assert locate(f"arcface-r100={one}") == (one,)
    assert locate(f"arcface-r100={two}") == (two,)
    assert json.loads((cache / "pins.json").read_text()) == {
        f"arcface-r100={path.resolve()}": registry.sha256_of(path) for path in (one, two)
    }
    replace(one, b"3")
    with pytest.raises(ModelError, match="as at its first use"):
        locate(f"arcface-r100={one}")
    assert locate(f"arcface-r100={two}") == (two,)


def test_the_digest_is_that_of_the_file(cache: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.pth"
    mine.write_bytes(b"mine\0")
    first, own = weights_digest("farl"), weights_digest(f"farl={mine}")
    assert first != own
    replace(cache / FARL.name, b"other weights\0")
    assert weights_digest("farl") not in (first, own)
    # A model with a published hash needs no file.
    assert weights_digest("yunet") == weights_digest("yunet=nowhere")


def test_the_digest_of_a_missing_file_is_the_noted_one(cache: Path) -> None:
    locate("farl")
    first = weights_digest("farl")
    (cache / FARL.name).unlink()
    assert weights_digest("farl") == first
    (cache / "pins.json").unlink()
    with pytest.raises(ModelError, match="no file"):
        weights_digest("farl")


def test_a_file_that_the_user_must_get_names_its_page(cache: Path) -> None:
    for choice in ("arcface-r50", "adaface-ir101"):
        with pytest.raises(ModelError) as caught:
            locate(choice)
        file = MODELS[choice].files[0]
        assert file.source.removeprefix("user:") in str(caught.value)
        assert str(cache / file.name) in str(caught.value) and f"{choice}=FILE" in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1}', "\udcff"])
def test_damaged_notes_are_refused(content: str, cache: Path) -> None:
    (cache / "pins.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelError, match=r"pins\.json is damaged"):
        locate("farl")


def test_notes_that_cannot_be_written(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.pth"
    mine.write_bytes(b"mine\0")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"cannot write .*VCN_CACHE"):
        locate(f"farl={mine}")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_notes_that_cannot_be_read(cache: Path) -> None:
    (cache / "pins.json").write_text("{}")
    (cache / "pins.json").chmod(0)
    with pytest.raises(ModelError, match="cannot read"):
        locate("farl")
