"""Studies from the command line: rows, resume, workers, report, and what is refused."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import Vcn
from videoclusternet.config import Config
from videoclusternet.errors import DataError
from videoclusternet_bench import ablate as module
from videoclusternet_bench.data.sets import labelled_sets
from videoclusternet_bench.studies import STUDIES
from videoclusternet_bench.tables.studies import means, write_study

TINY = (
    "track_quality.enabled=false",
    "adapt.rounds=2",
    "adapt.epochs=2",
    "adapt.later_epochs=1",
    "adapt.pool=[1, 2]",
    "adapt.guard=false",
)
FLAGS = tuple(part for setting in TINY for part in ("--set", setting))


def read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_study_end_to_end(labelled: Path, vcn: Vcn, tmp_path: Path) -> None:
    out = tmp_path / "study"
    outcome = vcn("ablate", labelled, "-o", out, "--studies", "profiles,closure", *FLAGS)
    assert outcome.code == 0 and outcome.out.strip().endswith("report.md")
    rows = read(out / "results.csv")
    assert [r["variant"] for r in rows if r["study"] == "profiles"] == ["instant", "vcn", "paper"]
    assert {r["set"] for r in rows} == {"discs"} and len(rows) == 6
    instant = rows[0]
    assert instant["chosen"].startswith("frozen") and instant["seconds_adapt"] == ""
    assert float(rows[1]["seconds_adapt"]) > 0
    # Scores are those of `vcn score` on the same settings.
    for row in rows:
        assert 0 <= float(row["bcubed_f"]) <= 1 and float(row["hac_f"]) == pytest.approx(1)
    report = (out / "report.md").read_text()
    assert "| vcn | dlib |" in report and "Table 10" in report
    for study in ("profiles", "closure"):
        assert (out / f"{study}.svg").read_text().startswith("<?xml")


@pytest.mark.slow
def test_rounds_are_scored_one_by_one(labelled: Path, vcn: Vcn, tmp_path: Path) -> None:
    out = tmp_path / "study"
    assert vcn("ablate", labelled, "-o", out, "--studies", "iterations", "-q", *FLAGS).code == 0
    rows = [r for r in read(out / "results.csv") if r["variant"] == "vcn"]
    assert [r["round"] for r in rows] == ["0", "1", "2", "3", "4", "5"]
    assert [r["chosen"] for r in rows[1:]] == [f"round-{n}/own" for n in range(1, 6)]
    # The last round is what the variant itself, told to take it, has given.
    assert rows[0]["chosen"] == "round-5/own" and rows[0]["bcubed_f"] == rows[5]["bcubed_f"]


@pytest.mark.slow
def test_a_stopped_study_goes_on(
    labelled: Path, vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (
        "ablate",
        labelled,
        "-o",
        tmp_path / "study",
        "--studies",
        "closure",
        "--seeds",
        2,
        "-q",
    )
    real, calls = module.adapt_run, []

    def counted(*args: object, **kwargs: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "adapt_run", counted)
    outcome = vcn(*command)
    assert outcome.code == 130 and "goes on from here" in outcome.complaint
    assert len(list((tmp_path / "study" / "results").iterdir())) == 2
    assert vcn(*command).code == 0
    assert len(calls) == 3 + 4  # six variants, two of them were done
    rows = read(tmp_path / "study" / "results.csv")
    assert len(rows) == 6 and {r["seed"] for r in rows} == {"0", "1"}
    calls.clear()
    assert vcn(*command).code == 0 and calls == []


@pytest.mark.slow
@pytest.mark.usefixtures("threads_for_processes")
def test_workers_give_the_same_rows(labelled: Path, tmp_path: Path) -> None:
    results = []
    for jobs in (1, 2):
        rows = module.run_studies(
            labelled_sets(labelled), ["closure"], ["dlib"], 2, tmp_path / str(jobs), jobs=jobs
        )
        results.append([{k: v for k, v in r.items() if "seconds" not in k} for r in rows])
    assert results[0] == results[1] and len(results[0]) == 6


def test_studies_are_listed_without_a_dataset(vcn: Vcn) -> None:
    outcome = vcn("ablate")
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.out.splitlines()] == list(STUDIES)


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_every_variant_has_settings_that_exist(study: module.Study) -> None:
    labels = [variant.label for variant in study.variants]
    assert len(set(labels)) == len(labels) > 1
    configs = [Config.load(v.profile, settings=v.settings) for v in study.variants]
    assert len({c.model_dump_json() for c in configs}) == len(configs)
    for variant, config in zip(study.variants, configs, strict=True):
        assert variant.trains == (config.adapt.rounds > 0)


def test_unknown_study(labelled: Path, vcn: Vcn, tmp_path: Path) -> None:
    outcome = vcn("ablate", labelled, "-o", tmp_path / "s", "--studies", "heads,tails", "-q")
    assert outcome.code == 2 and "no study 'tails'" in outcome.complaint


# --- sets ------------------------------------------------------------------------------


def test_sets_of_a_folder_smallest_first(tmp_path: Path) -> None:
    for name, size in (("big", 50), ("little", 1)):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("a", b"x" * size)
        (tmp_path / f"{name}_tracks.csv").write_text("track_id,label\n")
    assert [s.name for s in labelled_sets(tmp_path)] == ["little", "big"]
    (one,) = labelled_sets(tmp_path / "big.zip")
    assert one.truths == (tmp_path / "big_tracks.csv",) and one.form == "crops"


def test_set_of_a_film(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("")
    with pytest.raises(DataError, match="holds 0 films"):
        labelled_sets(tmp_path)
    (tmp_path / "movie.MKV").write_text("")
    (found,) = labelled_sets(tmp_path)
    assert (
        found.form == "film"
        and found.sources[0].name == "movie.MKV"
        and found.truths == (tmp_path,)
    )


def test_places_without_a_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such"):
        labelled_sets(tmp_path / "gone")
    with pytest.raises(DataError, match="holds no labelled set"):
        labelled_sets(tmp_path)
    (tmp_path / "a.zip").write_text("")
    with pytest.raises(DataError, match=r"a_tracks\.csv"):
        labelled_sets(tmp_path)


# --- report ----------------------------------------------------------------------------


def rows_of(values: Sequence[Sequence[float]]) -> list[dict[str, object]]:
    """Rows of one variant: ``values[seed][set]`` are its B-cubed F."""
    about = {"study": "heads", "variant": "a", "backbone": "dlib", "round": 0}
    return [
        {**about, "seed": seed, "set": f"s{n}", "bcubed_f": f, "wcp": f, "pcr": 1.0, "hac_f": f}
        for seed, found in enumerate(values)
        for n, f in enumerate(found)
    ]


def test_mean_over_sets_then_interval_means(tmp_path: Path) -> None:
    rows = rows_of([[0.8, 1.0], [0.6, 0.8]])
    assert means(rows, "bcubed_f") == pytest.approx([0.9, 0.7])
    report = write_study(rows, tmp_path).read_text()
    assert "| a | dlib | 0.800 ± 1.271 | 0.800 ± 1.271 | 1.00 | 0.800 ± 1.271 |  |" in report
    assert json.loads(json.dumps(read(tmp_path / "results.csv")))[0]["bcubed_f"] == "0.8"


def test_a_single_seed_has_no_interval(tmp_path: Path) -> None:
    assert (
        "| a | dlib | 0.500 | 0.500 | 1.00 | 0.500 |  |"
        in write_study(rows_of([[0.5]]), tmp_path).read_text()
    )
