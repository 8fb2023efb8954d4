"""The bench from the command line: identical tracks, resume, workers, tables."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from tests.conftest import Vcn
from tests.drawn import FakeModels, draw_film, write_boxes
from videoclusternet.config import PROFILES, Config
from videoclusternet.doors import cluster_film, cluster_tracks
from videoclusternet.result.result import open_run
from videoclusternet.review import queue
from videoclusternet_bench import compare as module
from videoclusternet_bench.data.sets import labelled_sets
from videoclusternet_bench.methods import registry
from videoclusternet_bench.methods.base import Given, Method, Needs, Told
from videoclusternet_bench.reviewing import ORDERS, Reviewer, review

Array = NDArray[Any]
FAST = "instant,hac,hdbscan,hac-count,hac-oracle"


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return pq.read_table(folder / "results.parquet").to_pylist()


def test_a_bench_end_to_end(labelled: Path, vcn: Vcn, tmp_path: Path) -> None:
    out = tmp_path / "bench"
    command = ("bench", labelled, "-o", out, "--methods", FAST, "--seeds", 2)
    outcome = vcn(*command)
    assert outcome.code == 0 and outcome.out.strip().endswith("report.html")
    rows = rows_of(out)
    assert [r["method"] for r in rows if r["seed"] == 1] == FAST.split(",")
    assert len(rows) == 10 and {r["tracks"] for r in rows} == {4}
    assert all(0 <= r["f_low"] <= r["bcubed_f"] <= r["f_high"] <= 1 for r in rows)
    assert all(r["seconds"] >= 0 for r in rows)
    # Two red and two blue tracks: who is told the count has them right.
    assert {r["bcubed_f"] for r in rows if r["method"] in ("hac-count", "hac-oracle")} == {1}
    for name in ("report.md", "report.tex", "report.html"):
        text = (out / name).read_text(encoding="utf-8")
        assert "ours, instant" in text and "HAC, true count" in text and "threshold" in text
    # The tables can be made again from the results alone.
    for name in ("report.md", "report.tex", "report.html"):
        (out / name).unlink()
    assert vcn("bench", "report", out).code == 0
    assert (out / "report.md").exists()


@pytest.fixture
def movies(drawn_film: Path, drawn_run: Path, tmp_path: Path) -> Path:
    """Two films with labelled boxes, each in a folder of its own."""
    for name in ("one", "two"):
        folder = write_boxes(drawn_run, tmp_path / "movies" / name, ("red", "blue") * 2)
        shutil.copy(drawn_film, folder / "drawn.mp4")
    return tmp_path / "movies"


def test_given_boxes_of_films(
    movies: Path, fake_models: FakeModels, vcn: Vcn, tmp_path: Path
) -> None:
    out = tmp_path / "bench"
    command = ("bench", movies, "-o", out, "--methods", "instant,hac-count")
    assert vcn(*command).code == 0
    rows = rows_of(out)
    assert [row["set"] for row in rows] == ["one"] * 2 + ["two"] * 2
    assert {row["bcubed_f"] for row in rows if row["method"] == "hac-count"} == {1}
    assert all(row["tracks"] == 4 for row in rows)
    assert open_run(out / "runs" / "one-dlib-0").films[0].track_names == ("t0", "t1", "t2", "t3")
    text = (movies / "two" / "tracks.csv").read_text()
    (movies / "two" / "tracks.csv").write_text(text.replace(",red", ",", 1))
    refused = vcn(*command)
    assert refused.code == 6 and "line 2: track t0 has no label" in refused.complaint


@pytest.mark.parametrize("form", ["boxes", "film", "crops"])
def test_sets_clustered_jointly(
    form: str, movies: Path, labelled: Path, vcn: Vcn, tmp_path: Path
) -> None:
    sets = movies
    if form == "film":
        for folder in movies.iterdir():
            (folder / "tracks.csv").rename(folder / "truth.csv")
    if form == "crops":
        sets = labelled
        for suffix in (".zip", "_tracks.csv"):
            shutil.copy(labelled / f"discs{suffix}", labelled / f"more{suffix}")
    out = tmp_path / "bench"
    command = ("bench", sets, "--combine", "season", "-o", out, "--methods", "hac-count,hac-oracle")
    assert vcn(*command).code == 0
    rows = rows_of(out)
    assert [row["set"] for row in rows] == ["season"] * 2
    # One red and one blue person over both, whose tracks are told by the truth of each.
    assert all((row["tracks"], row["characters"], row["bcubed_f"]) == (8, 2, 1) for row in rows)
    result = open_run(out / "runs" / "season-dlib-0")
    assert len(result.films) == 2 and result.tracks.film.tolist() == [0] * 4 + [1] * 4
    together = result.tracks.overlapping()
    assert all(result.tracks.film[a] == result.tracks.film[b] for a, b in together)


def test_sets_of_two_forms_are_not_joined(
    movies: Path, labelled: Path, vcn: Vcn, tmp_path: Path
) -> None:
    refused = vcn("bench", movies, labelled, "--combine", "x", "-o", tmp_path / "b")
    assert refused.code == 6 and "sets of boxes and crops" in refused.complaint


def test_a_stopped_bench_goes_on(
    labelled: Path, vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    command = ("bench", labelled, "-o", tmp_path / "b", "--methods", "hac,spy,hac-count")

    def spy(given: Given, told: Told, seed: int) -> Array:
        calls.append("spy")
        if len(calls) == 1:
            raise KeyboardInterrupt
        return np.zeros(given.tracks, dtype=int)

    monkeypatch.setitem(registry.METHODS, "spy", Method("spy", "Spy", "nothing", spy))
    outcome = vcn(*command)
    assert outcome.code == 130 and "goes on from here" in outcome.err
    assert len(list((tmp_path / "b" / "results").iterdir())) == 1
    assert vcn(*command).code == 0 and len(calls) == 2
    assert vcn(*command).code == 0 and len(calls) == 2


def test_all_methods_receive_the_same_arrays_and_no_labels(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, tuple[Given, Told]] = {}

    def spy(name: str, needs: Needs) -> Method:
        def partition(given: Given, told: Told, seed: int) -> Array:
            seen[name] = given, told
            return np.zeros(given.tracks, dtype=int)

        return Method(name, name, needs, partition)

    kinds: Sequence[Needs] = ("nothing", "threshold", "clusters", "labels", "other films")
    spies = [spy(needs.replace(" ", "-"), needs) for needs in kinds]
    for one in spies:
        monkeypatch.setitem(registry.METHODS, one.name, one)
    for suffix in (".zip", "_tracks.csv"):
        shutil.copy(labelled / f"discs{suffix}", labelled / f"more{suffix}")
    sets = labelled_sets(labelled)
    module.compare(sets[:1], spies[:4], ["dlib"], 1, tmp_path / "b")
    (first, _), *others = (seen[one.name] for one in spies[:4])
    for given, _ in others:
        assert given.embeddings.digest == first.embeddings.digest
        for name in ("crops", "means", "apart", "rows", "track"):
            assert (getattr(given, name) == getattr(first, name)).all(), name
    told = {name: more for name, (_, more) in seen.items()}
    assert told["nothing"] == Told()
    assert told["threshold"] == Told(threshold=first.usual)
    assert told["clusters"] == Told(clusters=2)
    assert told["labels"].labels is not None and told["labels"].clusters is None
    # Other films' labels only, and never those of the film itself.
    module.compare(sets, spies[4:], ["dlib"], 1, tmp_path / "b")
    given, more = seen["other-films"]
    assert more.labels is None and [g.folder for g, _ in more.others] != [given.folder]
    assert len(more.others) == 1


@pytest.mark.slow
def test_profiles_that_train_have_runs_of_their_own(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = {"rounds": 1, "epochs": 1, "pool": (1, 2)}
    for profile in ("vcn", "paper"):
        changed = {**PROFILES[profile], "adapt": {**PROFILES[profile]["adapt"], **short}}
        monkeypatch.setitem(PROFILES, profile, changed)
    methods = registry.chosen_methods("vcn,paper,instant")
    rows = module.compare(labelled_sets(labelled), methods, ["dlib"], 1, tmp_path / "b")
    assert [row["method"] for row in rows] == ["vcn", "paper", "instant"]
    runs = tmp_path / "b" / "runs"
    assert {p.name for p in runs.iterdir()} == {
        "discs-dlib-0", "discs-dlib-0-vcn", "discs-dlib-0-paper",
    }  # fmt: skip
    assert not (runs / "discs-dlib-0" / "adapt").exists()
    for name in ("vcn", "paper"):
        assert (runs / f"discs-dlib-0-{name}" / "adapt" / "round-01").is_dir()


def test_shuffled_labels_change_scores_and_no_partition(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Array] = []
    real = module.judged

    def keeping(labels: Array, partition: Array) -> dict[str, Any]:
        found.append(partition)
        return real(labels, partition)

    monkeypatch.setattr(module, "judged", keeping)
    methods = registry.chosen_methods("instant,hac,hdbscan,dbscan")
    scores = []
    for labels in ("red blue red blue", "red red blue blue"):
        text = "\n".join(f"{n},{label}" for n, label in enumerate(labels.split()))
        (labelled / "discs_tracks.csv").write_text(f"track_id,label\n{text}\n")
        rows = module.compare(labelled_sets(labelled), methods, ["dlib"], 1, tmp_path / "b")
        scores.append([row["ari"] for row in rows])
    for before, after in zip(found[:4], found[4:], strict=True):
        assert (before == after).all()
    assert scores[0] != scores[1]


@pytest.mark.slow
def test_shuffled_labels_reach_no_step_of_a_film(
    drawn_film: Path,
    drawn_run: Path,
    fake_models: FakeModels,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From pictures to cast, by what only hard films need: every table is the same."""
    monkeypatch.setattr("videoclusternet.clustering.choose.ENOUGH", 1.1)
    monkeypatch.setattr("videoclusternet.clustering.choose.ENOUGH_TRACKS", 2)
    monkeypatch.setattr("videoclusternet.pipeline.write_learning", lambda _: None)
    found, scores = [], []
    for name, labels in (("right", "red blue red blue"), ("shuffled", "red red blue blue")):
        folder = write_boxes(drawn_run, tmp_path / name / "one", labels.split())
        (folder / "tracks.csv").rename(folder / "truth.csv")
        shutil.copy(drawn_film, folder / "drawn.mp4")
        out, methods = tmp_path / name / "bench", registry.chosen_methods("instant,vcn")
        rows = module.compare(labelled_sets(folder.parent), methods, ["dlib"], 1, out)
        scores.append([row["bcubed_f"] for row in rows])
        runs = out / "runs"
        tables = [f for end in ("parquet", "safetensors") for f in runs.rglob(f"*.{end}")]
        kept = [f for f in tables if f.stem != "video"]  # which holds where the film lies
        found.append({str(f.relative_to(runs)): f.read_bytes() for f in kept})
        chosen = open_run(runs / "one-dlib-0-vcn").cast.chosen
        assert chosen.startswith("frozen+tracks")
    assert found[0] == found[1] and scores[0] != scores[1]
    names = {Path(name).stem for name in found[0]}
    assert {"judgement", "embeddings", "views", "student", "candidates", "cast"} <= names


@pytest.mark.slow
@pytest.mark.usefixtures("threads_for_processes")
def test_workers_give_the_same_rows(labelled: Path, tmp_path: Path) -> None:
    methods, results = registry.chosen_methods(FAST), []
    costs = ("seconds", "peak_mib")
    for jobs in (1, 2):
        folder = tmp_path / str(jobs)
        rows = module.compare(labelled_sets(labelled), methods, ["dlib"], 2, folder, jobs)
        results.append([{k: v for k, v in r.items() if k not in costs} for r in rows])
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--methods", "nobody"), "no method 'nobody'"),
        (("--backbones", "nobody"), "nobody"),
        (("--methods", "hac=x"), "no number"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(
    labelled: Path, vcn: Vcn, tmp_path: Path, arguments: tuple[str, str], why: str
) -> None:
    outcome = vcn("bench", labelled, "-o", tmp_path / "b", *arguments)
    assert outcome.code != 0 and why in outcome.complaint
    assert not (tmp_path / "b" / "runs").exists()


def test_a_folder_without_a_bench_has_no_tables(vcn: Vcn, tmp_path: Path) -> None:
    outcome = vcn("bench", "report", tmp_path)
    assert outcome.code != 0 and "holds no results of a bench" in outcome.complaint


def test_methods_say_what_they_are_told(vcn: Vcn) -> None:
    outcome = vcn("bench", "methods")
    assert outcome.code == 0
    assert "told nothing" in outcome.out and "told labels" in outcome.out


@pytest.fixture
def reviewed(labelled: Path, tmp_path: Path) -> Path:
    """A run over the four labelled tracks."""
    config = Config.load("instant", settings=["faces.detector=mtcnn"])
    return cluster_tracks(labelled / "discs.zip", tmp_path / "discs.vcn", config).folder


def test_a_simulated_person_reviews_a_run(reviewed: Path, labelled: Path, vcn: Vcn) -> None:
    """Two people, all right: no click, nothing changes, and the run is as it was."""
    before = sorted(path.name for path in reviewed.iterdir())
    done = vcn("bench", "review", reviewed, "--truth", labelled / "discs_tracks.csv", "-q")
    assert (done.code, done.err) == (0, "")
    words = done.out.splitlines()[1].split()
    assert words == ["discs", *"000000000", "1.000", "1.000", "1.000"]
    assert sorted(path.name for path in reviewed.iterdir()) == before
    assert vcn("bench", "review", reviewed, reviewed, "--truth", labelled).code == 2


EPISODES = "red green blue blue red green green blue red red green blue"
"""Of the shots of a film: in each third everybody is there."""


@pytest.fixture
def three(fake_models: FakeModels, tmp_path: Path) -> tuple[Path, Path]:
    """A run over a film of three people, and whom each of its tracks shows."""
    who = EPISODES.split()
    film = draw_film(tmp_path / "three.mp4", [(one,) for one in who])
    settings = ["track_quality.enabled=false", "cluster.draws=4"]
    run = cluster_film(film, tmp_path / "three.vcn", Config.load(settings=settings))
    assert len(run.tracks) == len(who)
    rows, faces = ["track_id,frame,x,y,w,h,label"], run.films[0].faces
    for track, label in enumerate(who):
        for face in run.tracks.faces_of(track):
            x, y, right, low = faces.box[face].tolist()
            rows.append(f"{track},{faces.frame[face]},{x},{y},{right - x},{low - y},{label}")
    truth = tmp_path / "three.csv"
    truth.write_text("\n".join(rows), encoding="utf-8")
    return run.folder, truth


@pytest.mark.slow
def test_people_of_one_episode_are_found_in_the_next(three: tuple[Path, Path], vcn: Vcn) -> None:
    """Discs are easy to tell: every known one gets its name, and no stranger does."""
    run, truth = three
    done = vcn("bench", "series", run, "--truth", truth, "--seeds", "4", "--json", "-q")
    assert (done.code, done.err) == (0, "")
    (found,) = json.loads(done.out)
    counts = found["counts"]
    assert counts["known"] > 0 and counts["right"] == counts["nearest_right"] == counts["known"]
    assert counts["strangers"] > 0 and counts["wrong"] == counts["other"] == 0
    assert len(found["alone"]) == len(found["beside"]) == 4 and found["so"] == 1.0
    table = vcn("bench", "series", run, "--truth", truth, "--seeds", "4", "-q").out
    row = next(line.split() for line in table.splitlines() if line.startswith("three"))
    assert row[:3] == ["three", str(counts["known"]), "1.000"]
    assert vcn("bench", "series", run, run, "--truth", truth).code == 2


def test_wrong_tracks_are_found_and_put_right(
    reviewed: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LEAST", 0.0)  # of discs all is sure, and nothing would be asked
    truth = labelled / "discs_tracks.csv"
    text = truth.read_text(encoding="utf-8")
    truth.write_text(text.replace("2,2,0,2,red", "2,2,0,2,green"), encoding="utf-8")
    reviewer = Reviewer(tmp_path, reviewed, truth)
    assert reviewer.errors() == 1  # red and green are one character
    for order in ORDERS:
        done = review(reviewer, order)
        assert done.errors == 1 and 1 <= done.half == done.all <= 6 and done.left == 0
        assert sorted(reviewer.people().values()) == ["blue", "green", "red"]
