"""``vcn bench pictures`` from the command line, and what the bench keeps for it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from tests.conftest import Vcn
from tests.drawn import FakeModels
from videoclusternet.config import PROFILES
from videoclusternet.runfolder.crop_zip import CROP_ZIP
from videoclusternet_bench import compare as module
from videoclusternet_bench.data.sets import labelled_sets
from videoclusternet_bench.methods import base, registry
from videoclusternet_bench.methods.base import Given, Method, Told
from videoclusternet_bench.tables.comparison import write_comparison

Array = NDArray[Any]
METHODS = "instant,hac-count,hac=1.9"


@pytest.fixture(scope="module")
def finished(drawn_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished bench of the drawn film; read only, copy it."""
    sets, out = (tmp_path_factory.mktemp(name) for name in ("sets", "bench"))
    shutil.copy(drawn_run / CROP_ZIP, sets / "discs.zip")
    labels = "\n".join(f"{n},{name}" for n, name in enumerate(("red", "blue", "red", "blue")))
    (sets / "discs_tracks.csv").write_text(f"track_id,label\n{labels}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        FakeModels(patch)
        methods = registry.chosen_methods(METHODS)
        write_comparison(module.compare(labelled_sets(sets), methods, ["dlib"], 1, out), out)
    return out


@pytest.fixture
def bench(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished bench."""
    return Path(shutil.copytree(finished, tmp_path / "bench"))


def kept(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "results").iterdir())
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


def test_every_result_is_kept_with_its_partition(bench: Path) -> None:
    rows = pq.read_table(bench / "results.parquet").to_pylist()
    assert all("partition" not in row for row in rows)
    assert {row["key"] for row in rows} == {path.stem for path in (bench / "results").iterdir()}
    found = {one["method"]: one["partition"] for one in kept(bench)}
    assert set(found) == set(METHODS.split(","))
    for one in found.values():
        assert one["track"] == [0, 1, 2, 3]
        assert one["person"] == ["red", "blue", "red", "blue"]
    a, b, c, d = found["hac-count"]["cluster"]
    assert a == c != b == d
    assert len(set(found["hac=1.9"]["cluster"])) == 1


def test_pictures_of_a_bench(bench: Path, vcn: Vcn) -> None:
    outcome = vcn("bench", "pictures", bench, "-q")
    assert outcome.code == 0 and outcome.out.strip() == str(bench / "pictures" / "pictures.html")
    home = bench / "pictures" / "discs-dlib-0"
    names = {path.name for path in home.iterdir()}
    both = [
        "tsne",
        *(f"{m}-{x}" for m in METHODS.split(",") for x in ("confusion", "sheet", "errors")),
    ]
    assert names == {f"{name}.{kind}" for name in both for kind in ("svg", "png")} | {
        f"{method}-errors.csv" for method in METHODS.split(",")
    }
    lines = (home / "hac=1.9-errors.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3  # of two people in one cluster one is right
    assert all(",mixed," in line and "cosine distance" in line for line in lines[1:])
    page = (bench / "pictures" / "pictures.html").read_text(encoding="utf-8")
    assert "every track is in the cluster of its person" in page
    # One file that needs no other and no network.
    assert "<script" not in page and "<link" not in page and "url(http" not in page
    addresses = re.findall(r'(?<![\w:])(?:src|href)="([^"]+)"', page)
    assert {a.partition(",")[0] for a in addresses} <= {"data:image/jpeg;base64"} | {
        a for a in addresses if a.startswith("#")
    }
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_only_what_is_asked_for(bench: Path, vcn: Vcn, tmp_path: Path) -> None:
    out = tmp_path / "few"
    command = ("bench", "pictures", bench, "-o", out, "--methods", "instant", "--sets", "discs")
    assert vcn(*command, "-q").code == 0
    names = {path.name.partition(".")[0] for path in (out / "discs-dlib-0").iterdir()}
    assert names == {"tsne", "instant-confusion", "instant-sheet", "instant-errors"}


def test_pictures_of_one_run(labelled: Path, drawn_run: Path, vcn: Vcn, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("track_id,shot,first_frame,n_crops,label\n0,0,0,2,red\n", encoding="utf-8")
    run = tmp_path / "run.vcn"
    assert vcn("cluster-tracks", labelled / "discs.zip", "-o", run, "-q").code == 0
    out = tmp_path / "out"
    assert vcn("bench", "pictures", run, "--truth", truth, "-o", out, "-q").code == 0
    assert (out / "run.vcn" / "run-confusion.svg").exists()
    assert "3 more not in the truth" in (out / "pictures.html").read_text(encoding="utf-8")
    outcome = vcn("bench", "pictures", run)
    assert outcome.code == 2 and "--truth" in outcome.complaint
    outcome = vcn("bench", "pictures", run, "--truth", truth, "--methods", "hac")
    assert outcome.code == 2 and "a run has no --methods" in outcome.complaint
    outcome = vcn("bench", "pictures", run, "--truth", tmp_path / "none.csv")
    assert outcome.code == 6 and "none.csv" in outcome.complaint


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("--methods", "nobody"), 2, "no method 'nobody'"),
        (("--methods", "hac"), 2, "hac=1.9"),
        (("--sets", "squares"), 2, "no set 'squares'"),
        (("--seed", "7"), 2, "no seed 7"),
    ],
)
def test_what_is_not_in_the_bench_is_refused(
    bench: Path, vcn: Vcn, tmp_path: Path, arguments: Sequence[str], code: int, why: str
) -> None:
    outcome = vcn("bench", "pictures", bench, "-o", tmp_path / "out", *arguments)
    assert outcome.code == code and why in outcome.complaint
    assert not (tmp_path / "out").exists()


def test_damaged_and_missing_results_are_refused(bench: Path, vcn: Vcn, tmp_path: Path) -> None:
    outcome = vcn("bench", "pictures", tmp_path)
    assert outcome.code == 6 and "holds no results of a bench" in outcome.complaint
    path = sorted((bench / "results").iterdir())[0]
    for text in ("{", '{"method": "hac"}', '{"partition": {"track": [1], "person": []}}', "[]"):
        path.write_text(text, encoding="utf-8")
        outcome = vcn("bench", "pictures", bench)
        assert outcome.code == 6 and f"{path.name} is damaged" in outcome.complaint
    path.unlink()
    outcome = vcn("bench", "pictures", bench)
    assert outcome.code == 6 and "run the same `vcn bench` again" in outcome.complaint


def test_a_result_depends_on_what_a_method_is_told(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[float | None] = []

    def spy(given: Given, told: Told, seed: int) -> Array:
        calls.append(told.threshold)
        return np.zeros(given.tracks, dtype=int)

    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"one")
    spies = (
        Method("spy", "Spy", "threshold", spy),
        Method("file", "File", "labels of its file", spy, file=weights),
    )
    for one in spies:
        monkeypatch.setitem(registry.METHODS, one.name, one)

    def run() -> int:
        before = len(calls)
        module.compare(labelled_sets(labelled), spies, ["dlib"], 1, tmp_path / "b")
        return len(calls) - before

    assert run() == 2
    assert run() == 0
    monkeypatch.setattr(base, "USUAL_ELSE", 0.5)
    assert run() == 1 and calls[-1] == 0.5
    weights.write_bytes(b"two")
    assert run() == 1 and calls[-1] is None
    assert run() == 0


@pytest.mark.slow
def test_rounds_of_a_profile_that_learns(
    labelled: Path, vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = {"rounds": 1, "epochs": 1, "pool": (1, 2)}
    for profile in ("vcn", "paper"):
        changed = {**PROFILES[profile], "adapt": {**PROFILES[profile]["adapt"], **short}}
        monkeypatch.setitem(PROFILES, profile, changed)
    out = tmp_path / "b"
    methods = registry.chosen_methods("instant,vcn,paper")
    write_comparison(module.compare(labelled_sets(labelled), methods, ["dlib"], 1, out), out)
    assert vcn("bench", "pictures", out, "-q").code == 0
    assert (out / "pictures" / "discs-dlib-0" / "rounds.svg").exists()
    page = (out / "pictures" / "pictures.html").read_text(encoding="utf-8")
    for title in ("ours, vcn", "VideoClusterNet to the letter"):
        rounds = re.findall(rf"<tr><td>{title}</td><td>(\d+)</td>", page)
        assert rounds == ["0", "1"]
    # Where the copy of the run is gone, there is nothing to draw of its rounds.
    for profile in ("vcn", "paper"):
        shutil.rmtree(out / "runs" / f"discs-dlib-0-{profile}")
    assert vcn("bench", "pictures", out, "-o", tmp_path / "without", "-q").code == 0
    assert not (tmp_path / "without" / "discs-dlib-0" / "rounds.svg").exists()
