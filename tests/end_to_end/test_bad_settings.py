"""Settings and models that cannot be: refused by name and code, before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.attack.inputs import model_onnx
from tests.conftest import Vcn
from tests.drawn import FLAGS

pytestmark = pytest.mark.usefixtures("fake_models")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and an empty folder of models."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--set", "cluster.drawz=3"], 2, "did you mean cluster.draws?"),
        (["--set", "stride=3"], 2, "did you mean faces.stride?"),
        (["--set", "Faces.stride=3"], 2, "did you mean faces?"),
        (["--profile", "papre"], 2, "did you mean paper?"),
        (["--set", "faces.stride=true"], 2, "faces.stride"),
        (["--set", 'faces.stride="5"'], 2, "faces.stride"),
        (["--set", "cluster.cannot_link=1"], 2, "true or false"),
        (["--set", 'adapt.pool=["4", "6"]'], 2, "adapt.pool"),
        (["--set", 'seed=1\nprofile="paper"'], 2, "lines of others"),
        (["--backbone", "dlip"], 4, "did you mean dlib?"),
        (["--backbone", "onnx=nowhere.onnx"], 4, "nowhere.onnx"),
        (["--detector", "dlib"], 4, "is a backbone"),
        (["--device", "x" * 5000], 4, "no device"),
        (["--quiet=3"], 2, "--quiet"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    words: list[str], code: int, said: str, folder: Path, drawn_film: Path, vcn: Vcn
) -> None:
    outcome = vcn("cluster", drawn_film, "-o", "out", "-q", *FLAGS, *words)
    assert outcome.code == code
    assert said in outcome.complaint and len(outcome.complaint) < 600
    assert list(folder.iterdir()) == []


def test_a_name_of_any_length_makes_a_short_line(folder: Path, drawn_film: Path, vcn: Vcn) -> None:
    outcome = vcn("cluster", drawn_film, "-o", "out", "-q", "--from-model", "x" * 20_000)
    assert outcome.code == 5 and len(outcome.complaint) < 1100


@pytest.mark.parametrize(
    "words",
    [
        ["ablate", "SET", "-o", "out", "--set", "cluster.drawz=3"],
        ["ablate", "SET", "-o", "out", "--backbones", "dlip"],
        ["ablate", "SET", "-o", "out", "--jobs", "9" * 30],
        ["bench", "run", "SET", "-o", "out", "--seeds", "9" * 30],
        ["dataset", "stats", "SET", "-o", "out", "--backbone", "dlip"],
    ],
)
def test_studies_refuse_before_they_write(
    words: list[str], labelled: Path, folder: Path, vcn: Vcn
) -> None:
    outcome = vcn(*(str(labelled) if word == "SET" else word for word in words))
    assert outcome.code in (2, 4)
    assert not (folder / "out").exists()


def test_adapting_without_rounds_is_refused(drawn_run: Path, folder: Path, vcn: Vcn) -> None:
    outcome = vcn("adapt", drawn_run, "--profile", "instant")
    assert outcome.code == 2 and "nothing would be learnt" in outcome.complaint


@pytest.mark.parametrize(
    "values",
    [
        {"WORLD_SIZE": "x"},
        {"WORLD_SIZE": "2"},
        {"WORLD_SIZE": "2", "RANK": "2"},
        {"WORLD_SIZE": "0"},
    ],
)
def test_an_environment_that_torchrun_did_not_make(
    values: dict[str, str], drawn_run: Path, folder: Path, vcn: Vcn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    outcome = vcn("adapt", drawn_run, "-q")
    assert outcome.code == 2 and "torchrun" in outcome.complaint


def test_a_link_to_itself_is_no_model(folder: Path, drawn_film: Path, vcn: Vcn) -> None:
    (folder / "loop").symlink_to("loop")
    outcome = vcn("cluster", drawn_film, "-o", "out", "-q", "--from-model", "loop")
    assert outcome.code == 5 and "loop" in outcome.complaint


def test_a_folder_of_models_with_an_impossible_name(
    folder: Path, vcn: Vcn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_CACHE", "x" * 300)
    assert vcn("models", "verify").code == 0
    assert vcn("models", "show", "yunet").code == 0


MODELS = (
    "an unknown kind",
    "spread to 2**40",
    "a product of many",
    "doubled 40 times, constants",
    "doubled 40 times",
    "filled with 2**40",
    "counting to 10**12",
    "padded by 10**9",
    "functions that double 30 times",
    "a function that calls itself",
    "10,000 functions",
    "a name of a megabyte",
    "pictures of 2**40 px",
    "2**62 pictures",
    "one number",
    "the same for all",
    "weights in /etc/passwd",
)


@pytest.mark.parametrize("name", MODELS)
def test_onnx_files_that_ask_for_too_much(
    name: str, folder: Path, drawn_film: Path, vcn: Vcn
) -> None:
    (folder / "m.onnx").write_bytes(model_onnx.BAD[name](np.random))  # type: ignore[arg-type]
    outcome = vcn("cluster", drawn_film, "-o", "out", "-q", "--backbone", "onnx=m.onnx")
    assert outcome.code == 4 and "m.onnx" in outcome.complaint and len(outcome.complaint) < 700
    assert not (folder / "out").exists()


def test_names_that_are_no_text_are_damage(folder: Path, drawn_film: Path, vcn: Vcn) -> None:
    model: Any = model_onnx.clean()
    model.graph.node[0].domain = "ABCDEFG"
    data = model.SerializeToString().replace(b"ABCDEFG", b"ABC\xff\xfeFG")
    (folder / "m.onnx").write_bytes(data)
    outcome = vcn("cluster", drawn_film, "-o", "out", "-q", "--backbone", "onnx=m.onnx")
    assert outcome.code == 4 and "m.onnx" in outcome.complaint


def test_an_output_that_nothing_makes(folder: Path, drawn_film: Path, vcn: Vcn) -> None:
    model: Any = model_onnx.clean()
    model.graph.output[0].CopyFrom(helper.make_empty_tensor_value_info("nowhere"))
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    outcome = vcn("cluster", drawn_film, "-o", "out", "-q", "--backbone", "onnx=m.onnx")
    assert outcome.code == 4 and "m.onnx" in outcome.complaint


@pytest.mark.parametrize(
    "text",
    [
        '{"mean": ' + "9" * 400 + "}",
        "[" * 100_000,
        '{"template": [[0,0],[0,0],[0,0],[0,0],[0,0]]}',
        '{"size": 32}' + " " * (1 << 17),
    ],
    ids=["400 digits", "deep", "template", "long"],
)
def test_sidecars_that_cannot_be(text: str, folder: Path, drawn_film: Path, vcn: Vcn) -> None:
    model_onnx.save(folder / "m.onnx")
    (folder / "m.json").write_text(text, encoding="utf-8")
    outcome = vcn("cluster", drawn_film, "-o", "out", "-q", "--backbone", "onnx=m.onnx")
    assert outcome.code == 4 and "m.json" in outcome.complaint
    assert not (folder / "out").exists()


def test_many_nodes_are_read_in_time(folder: Path) -> None:
    from videoclusternet.models.onnx.face import load_onnx

    path = folder / "m.onnx"
    path.write_bytes(model_onnx.EITHER["2,000 nodes in a row"](np.random))  # type: ignore[arg-type]
    assert load_onnx(path).dim == 20
