"""``vcn dataset stats``: the command from end to end, with drawn films and stand-in networks."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import Vcn
from tests.drawn import FakeModels, snapshot

PICTURES = {f"{name}.{e}" for name in ("quality", "lightness", "blur") for e in ("svg", "png")}


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    """A label file that the paper knows."""
    path = tmp_path / "buffy_s05e03.ids"
    path.write_text("CVHCI_TRACKLABELS_V1\n1 xander\n2 buffy\n3 unknown_e03_1\n")
    return path


def test_sets_of_all_kinds_beside_each_other(
    vcn: Vcn, labelled: Path, drawn_run: Path, episode: Path, tmp_path: Path
) -> None:
    out = tmp_path / "stats"
    outcome = vcn("dataset", "stats", labelled, drawn_run, episode, "-o", out, "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    header, discs, run, labels, paper, blank, note, page = outcome.out.splitlines()
    assert header.split() == [
        "set", "model", "tracks", "people", "s", "quality", "lightness", "blur", "crops",
    ]  # fmt: skip
    assert discs.split()[:5] == ["discs", "colours", "4", "2", "1.000"]
    assert run.split()[:5] == ["run", "colours", "4", "2", "1.000"]
    assert discs.split()[5:] == run.split()[5:]  # the same pictures
    assert labels.split() == ["buffy_s05e03", "2", "2"]
    assert paper.split() == ["buffy_s05e03", "(paper,", "Table", "9)", "1185", "14"]
    assert "Half a second assumed for each crop: discs." in note
    assert "People as found, not as labelled: run." in note
    assert (blank, page) == ("", str(out / "stats.html"))
    assert {p.name for p in out.iterdir()} == PICTURES | {
        "stats.csv", "crops.parquet", "stats.md", "stats.tex", "stats.html", "runs",
    }  # fmt: skip
    assert [p.name for p in (out / "runs").iterdir()] == ["discs-dlib-0"]
    crops = pq.read_table(out / "crops.parquet")
    assert crops.column("set").to_pylist() == ["discs"] * 8 + ["run"] * 8


def test_a_second_call_finds_no_face_again_and_writes_the_same(
    vcn: Vcn, labelled: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    out = tmp_path / "stats"
    assert vcn("dataset", "stats", labelled, "-o", out, "-q").code == 0
    assert "backbone" in fake_models.loaded
    fake_models.loaded.clear()
    before = snapshot(out)
    assert vcn("dataset", "stats", labelled, "-o", out, "-q").code == 0
    assert fake_models.loaded == []
    assert snapshot(out) == before


def test_runs_of_a_bench_are_used(
    vcn: Vcn, labelled: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    out = tmp_path / "bench"
    assert vcn("bench", labelled, "-o", out, "--methods", "hac", "-q").code == 0
    fake_models.loaded.clear()
    assert vcn("dataset", "stats", labelled, "-o", out, "-q").code == 0
    assert fake_models.loaded == []


def test_json_has_what_the_table_of_the_folder_has(
    vcn: Vcn, drawn_run: Path, episode: Path, tmp_path: Path
) -> None:
    out = tmp_path / "stats"
    outcome = vcn("dataset", "stats", drawn_run, episode, "-o", out, "--json", "--log-json")
    found = json.loads(outcome.out)
    assert found["page"] == str(out / "stats.html")
    run, labels = found["sets"]
    assert (run["tracks"], run["people"], run["seconds_from"]) == (4, 2, "film")
    assert (run["paper_tracks"], labels["paper_tracks"], labels["quality"]) == (None, 1185, None)
    with (out / "stats.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row, one in zip(rows, found["sets"], strict=True):
        assert row == {key: "" if value is None else str(value) for key, value in one.items()}
    events = [json.loads(line) for line in outcome.err.splitlines()]
    assert [e["kind"] for e in events if e["step"] == "run/measure"] == [
        "start", "progress", "done",
    ]  # fmt: skip


def test_what_is_no_set_is_refused_in_a_line(vcn: Vcn, tmp_path: Path) -> None:
    outcome = vcn("dataset", "stats", tmp_path / "absent", "-o", tmp_path / "out")
    assert outcome.code == 6 and "no such file or folder" in outcome.complaint
    broken = tmp_path / "broken.ids"
    broken.write_text("CVHCI_TRACKLABELS_V1\nx ann\n")
    outcome = vcn("dataset", "stats", broken, "-o", tmp_path / "out")
    assert outcome.code == 6 and "line 2: 'x' is not a track number" in outcome.complaint
    assert not (tmp_path / "out").exists()


def test_a_run_is_not_written_over(vcn: Vcn, drawn_run: Path, episode: Path) -> None:
    before = snapshot(drawn_run)
    outcome = vcn("dataset", "stats", episode, "-o", drawn_run)
    assert outcome.code != 0 and "is a run folder" in outcome.complaint
    outcome = vcn("dataset", "stats", episode, "-o", episode)
    assert outcome.code != 0 and "cannot write" in outcome.complaint
    assert snapshot(drawn_run) == before


def test_a_model_that_is_not_there_shows_before_any_work(
    vcn: Vcn, labelled: Path, tmp_path: Path
) -> None:
    outcome = vcn("dataset", "stats", labelled, "-o", tmp_path / "out", "--backbone", "nonsense")
    assert outcome.code != 0 and "nonsense" in outcome.complaint
    assert not (tmp_path / "out").exists()
