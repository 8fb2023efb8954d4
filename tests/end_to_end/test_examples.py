"""The scripts and the notebook of ``examples/`` run, on any film."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from tests.drawn import QUICKLY
from videoclusternet import Result, cluster_film, cluster_tracks, open_run
from videoclusternet.errors import ConfigError, NoCharacterError

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = {"screen_time.py": ["RUN", "out.png"], "who_meets_whom.py": ["RUN"]}
SCRIPTS["close_ups.py"] = ["RUN", "1", "out.csv"]
NOTEBOOK = EXAMPLES / "cast.ipynb"
Example = Callable[..., str]


@pytest.fixture
def example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Example:
    """Run a script in an empty folder; return what it prints."""
    monkeypatch.chdir(tmp_path)

    def call(name: str, *arguments: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        capsys.readouterr()
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return call


def test_every_example_is_tested() -> None:
    names = {path.name for path in EXAMPLES.iterdir() if not path.name.startswith((".", "_"))}
    assert names == {*SCRIPTS, NOTEBOOK.name}
    for name in SCRIPTS:
        lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
        assert len(lines) < 40 and re.search(rf"{re.escape(name)} RUN", lines[0])


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_says_how_it_is_called(
    name: str, example: Example, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        example(name, "--help")
    said = capsys.readouterr().out
    assert len(re.findall(r"^  [a-z]+  ", said, re.MULTILINE)) == len(SCRIPTS[name])


def test_screen_time(example: Example, drawn_run: Path, tmp_path: Path) -> None:
    for ending in ("png", "svg", "pdf"):
        example("screen_time.py", drawn_run, f"out.{ending}", "--parts", "3")
    assert (tmp_path / "out.png").read_bytes()[:4] == b"\x89PNG"
    drawn = (tmp_path / "out.svg").read_text(encoding="utf-8")
    assert "<!-- Character 1 -->" in drawn and "<!-- Character 2 -->" in drawn


def test_screen_time_adds_up(
    example: Example, drawn_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["", str(drawn_run), "out.png", "--parts", "7"])
    space = runpy.run_path(str(EXAMPLES / "screen_time.py"))
    for row, person in zip(space["table"], open_run(drawn_run), strict=True):
        assert sum(row) == pytest.approx(person.seconds) and max(row) <= 3 / 7 + 1e-9


def test_who_meets_whom(example: Example, drawn_run: Path) -> None:
    # Both are in the third of three seconds, each in another one alone.
    said = example("who_meets_whom.py", drawn_run)
    assert said.split() == ["1.0", "s", "50%", "Character", "1", "and", "Character", "2"]


def test_close_ups(example: Example, drawn_run: Path, tmp_path: Path) -> None:
    # Discs of 56 px in a picture of 144 px.
    said = example("close_ups.py", drawn_run, "1", "out.csv", "--face", "0.3")
    assert said == "2 close-ups in out.csv\n"
    frame = pd.read_csv(tmp_path / "out.csv")
    assert set(frame["name"]) == {"Character 1, close"} and len(frame) == 2
    with pytest.raises(NoCharacterError):
        example("close_ups.py", drawn_run, "Ana", "other.csv")
    assert example("close_ups.py", drawn_run, "1", "none.csv", "--face", "0.5").startswith("0 ")


def test_close_ups_want_boxes(example: Example, labelled: Path) -> None:
    run = cluster_tracks(labelled / "discs.zip", labelled / "given.vcn", QUICKLY)
    with pytest.raises(ConfigError, match="no sizes of faces"):
        example("close_ups.py", run.folder, "1", "out.csv")
    example("screen_time.py", run.folder, "out.png")
    assert example("who_meets_whom.py", run.folder)


def test_examples_on_a_film_without_faces(
    example: Example, faceless_film: Path, fake_models: object, tmp_path: Path
) -> None:
    run = cluster_film(faceless_film, tmp_path / "none.vcn", QUICKLY)
    example("screen_time.py", run.folder, "out.png")
    assert example("who_meets_whom.py", run.folder) == ""


def test_the_notebook_is_clean() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
    assert not re.search(r"/(home|root|Users|work|tmp)/", NOTEBOOK.read_text(encoding="utf-8"))
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(
    demo_run: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    paths = [str(EXAMPLES.parent / "src"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    shutil.copytree(demo_run.folder.parent, tmp_path / "demo")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}, timeout=300).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = [cell.outputs[-1]["data"] for cell in cells]
    assert "Character 2" in shown[0]["text/html"] and "<svg" in shown[0]["text/html"]
    assert shown[2]["text/html"].count("<img") == 6
    assert "Grace: 16.0 s" in shown[3]["text/plain"]
    assert "start_timecode" in shown[5]["text/html"]
    assert len(open_run(tmp_path / "demo/demo.vcn")["Eileen"].tracks) == 7
    assert (tmp_path / "demo/eileen.csv").exists()
