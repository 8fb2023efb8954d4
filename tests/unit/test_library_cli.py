"""``vcn library``: what people type, read and look at."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import Vcn
from tests.large_run import write_large_run
from videoclusternet import open_library, open_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two names; read only."""
    run = open_run(write_large_run(tmp_path_factory.mktemp("library") / "run", 120, 6))
    run.edits.name(1, "Anna <b>")
    run.edits.name(2, "Ben")
    return run.folder


@pytest.fixture
def file(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vcn: Vcn) -> Path:
    """The library of the environment, with both."""
    monkeypatch.setenv("VCN_LIBRARY", str(tmp_path / "ours.db"))
    done = vcn("library", "add", run)
    assert done.code == 0 and done.err == ""
    return tmp_path / "ours.db"


def test_add_says_who_came_and_who_was_left_out(run: Path, file: Path, vcn: Vcn) -> None:
    again = vcn("library", "add", run)
    assert again.out.splitlines()[0] == f"{run}: 2 people"
    assert "note: 4 characters without a name left out; to name them:" in again.out
    assert f"  vcn review {run}" in again.out
    found = json.loads(vcn("library", "add", run, "--person", "Ben", "--json").out)
    assert [one["name"] for one in found["people"]] == ["Ben"] and found["unnamed"] == 4
    assert vcn("library", "add", run, "--person", "5").complaint.startswith("vcn: 'Character 5'")
    assert vcn("library", "add", run / "none").code == 5


def test_list_and_show(file: Path, vcn: Vcn) -> None:
    listed = json.loads(vcn("library", "list", "--json").out)
    assert [one["name"] for one in listed] == ["Anna <b>", "Ben"]
    table = vcn("library", "list").out.splitlines()
    assert len(table) == 3 and listed[1]["key"] in table[2]
    shown = json.loads(vcn("library", "show", "BEN", "--json").out)
    assert shown["key"] == listed[1]["key"]
    assert len(shown["exemplars"]) == listed[1]["exemplars"]
    assert shown["exemplars"][0]["film"] == "large"
    assert f"Ben, key {listed[1]['key']}" in vcn("library", "show", listed[1]["key"]).out
    lost = vcn("library", "show", "Benn")
    assert lost.code == 2 and "did you mean Ben?" in lost.complaint


def test_pages_show_every_face_and_no_script(file: Path, tmp_path: Path, vcn: Vcn) -> None:
    count = {
        one["name"]: one["exemplars"] for one in json.loads(vcn("library", "list", "--json").out)
    }
    assert vcn("library", "show", "Ben", "--page", tmp_path / "ben.html").code == 0
    page = (tmp_path / "ben.html").read_text()
    assert len(re.findall("<img [^>]*src=.data:image/jpeg;base64,", page)) == count["Ben"]
    assert "<title>Ben</title>" in page and "look 1" in page and "://" not in page
    assert "default-src 'none'; img-src data:" in page, "nothing is asked of anybody"
    assert vcn("library", "list", "--page", tmp_path / "all.html").code == 0
    page = (tmp_path / "all.html").read_text()
    assert len(re.findall("<img ", page)) == sum(count.values())
    assert "<b>" not in page and "Anna &lt;b&gt;" in page
    refused = vcn("library", "list", "--page", tmp_path / "none" / "all.html")
    assert refused.code == 5 and "cannot write" in refused.complaint


@pytest.mark.parametrize(
    "command", [["export"], ["list", "--page"], ["show", "Ben", "--page"]], ids=" ".join
)
def test_what_is_there_is_written_over_only_by_force_and_a_library_never(
    command: list[str], file: Path, tmp_path: Path, vcn: Vcn
) -> None:
    (tmp_path / "mine.mp4").write_bytes(b"a film")
    refused = vcn("library", *command, tmp_path / "mine.mp4")
    assert refused.code == 2 and "is there already" in refused.complaint
    assert (tmp_path / "mine.mp4").read_bytes() == b"a film"
    assert vcn("library", *command, tmp_path / "mine.mp4", "--force").code == 0
    assert (tmp_path / "mine.mp4").read_bytes() != b"a film"
    before = file.read_bytes()
    refused = vcn("library", *command, file, "--force")
    assert refused.code == 2 and "is the library itself" in refused.complaint
    assert file.read_bytes() == before
    assert vcn("library", *command, tmp_path, "--force").code == 5


def test_verbs_say_what_they_did(file: Path, vcn: Vcn) -> None:
    assert vcn("library", "rename", "Anna <b>", "Ada").out == "Ada\n"
    assert vcn("library", "note", "ada", "the  pilot").out == "Ada: the pilot\n"
    assert vcn("library", "note", "ada", "").out == "Ada has no note\n"
    numbers = [
        one["number"]
        for one in json.loads(vcn("library", "show", "Ben", "--json").out)["exemplars"]
    ]
    done = vcn("library", "split", "Ben", "Bea", "--exemplar", str(numbers[0]))
    assert done.out == "Bea: 1 exemplar\n"
    assert vcn("library", "merge", "Ben", "Bea").out == f"Ben: {len(numbers)} exemplars\n"
    assert vcn("library", "merge", "Ben").code == 2
    said = [json.loads(line) for line in vcn("library", "log", "--json").out.splitlines()]
    verbs = ["add", "add", "rename", "note", "note", "split", "merge"]
    assert [one["verb"] for one in said] == verbs
    assert vcn("library", "log", "Ada").out.count("Ada") == 4
    assert "with" in vcn("library", "log").out


def test_what_cannot_be_taken_in_makes_no_library(tmp_path: Path, vcn: Vcn) -> None:
    for verb, code in (("add", 5), ("people", 6), ("import", 5)):
        done = vcn("library", verb, tmp_path / "none", "--library", tmp_path / "new.db")
        assert done.code == code and done.complaint
    assert list(tmp_path.iterdir()) == []


def test_an_empty_library_says_so(tmp_path: Path, vcn: Vcn) -> None:
    open_library(tmp_path / "a.db", create=True).close()
    assert (
        vcn("library", "list", "--library", tmp_path / "a.db").out == "the library holds nobody\n"
    )
