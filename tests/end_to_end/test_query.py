"""``vcn query`` on real runs: tables, JSON, files, many runs at once, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Vcn
from tests.drawn import QUICKLY
from videoclusternet import cluster_tracks
from videoclusternet.result.result import open_run


@pytest.fixture
def run(drawn_run: Path, tmp_path: Path) -> Path:
    """Anna alone, Ben alone, then both: a second each, at 24 frames a second."""
    folder = Path(shutil.copytree(drawn_run, tmp_path / "one.vcn"))
    edits = open_run(folder).edits
    edits.name(1, "Anna")
    edits.name(2, 'Ben "B" & Co')
    return folder


@pytest.fixture
def season(run: Path) -> Path:
    """Three runs in a folder, beside other things: in the second nobody is called Anna."""
    folder = run.parent
    for name in ("two.vcn", "three.vcn"):
        shutil.copytree(run, folder / name)
    open_run(folder / "two.vcn").edits.name(1, "Dora")
    (folder / "notes.txt").write_text("")
    (folder / "stills").mkdir()
    return folder


def test_a_table_with_its_sum(run: Path, vcn: Vcn) -> None:
    done = vcn("query", run, r'Anna & !"Ben \"B\" & Co"')
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "film              from           to  seconds  shots",
        "drawn.mp4  00:00:00:00  00:00:01:00     1.00      0",
        "",
        "1 moment, 1.0 s in all",
    ]
    assert vcn("query", run, "1 & 2").out.splitlines()[1].split()[1:] == [
        "00:00:02:00",
        "00:00:03:00",
        "1.00",
        "2",
    ]


def test_options_are_those_of_the_run_s_query(run: Path, vcn: Vcn) -> None:
    def told(*options: str) -> list[tuple[int, int]]:
        done = vcn("query", run, *options, "--json")
        assert done.code == 0, done.err
        return [(row["first"], row["end"]) for row in json.loads(done.out)["moments"]]

    assert told("1") == [(0, 24), (48, 72)]
    assert told("1", "--alone") == [(0, 24)]
    assert told("1", "--gap", "1") == [(0, 72)]
    assert told("1 | 2") == [(0, 72)]
    assert told("1 | 2", "--shots") == [(0, 24), (24, 48), (48, 72)]
    assert told("1 & 2", "--min-seconds", "1.1") == []
    # 1 ends with frame 23 where 2 begins with 24, and begins again with 48.
    assert told("1 & 2", "--together-within", "24f") == [(0, 72)]
    assert told("1 & 2", "--together-within", "1f") == [(23, 25), (47, 72)]
    assert told("1", "--min-face", "0.3") == [(0, 24), (48, 72)]
    assert told("1", "--min-face", "0.6") == []


def test_json_says_all_of_a_moment(run: Path, vcn: Vcn) -> None:
    text = "Anna & 2"
    done = vcn("query", run, text, "--json", "--start-timecode", "10:00:00:00")
    assert json.loads(done.out) == {
        "query": text,
        "seconds": 1.0,
        "moments": [
            {
                "run": str(run),
                "film": "drawn.mp4",
                "first": 48,
                "end": 72,
                "start": 2.0,
                "stop": 3.0,
                "from": "10:00:02:00",
                "to": "10:00:03:00",
                "shots": [2],
            }
        ],
    }


def test_nothing_found_is_no_failure(run: Path, vcn: Vcn) -> None:
    done = vcn("query", run, "Unknown")
    assert (done.code, done.out, done.err) == (0, "nothing found\n", "")
    assert json.loads(vcn("query", run, "!*", "--json").out)["moments"] == []


def test_an_answer_is_written_as_an_export_is(run: Path, vcn: Vcn, tmp_path: Path) -> None:
    target = tmp_path / "both.csv"
    done = vcn("query", run, "Anna | 2", "--shots", "--to", target)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == f"written: {target}"
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert [(row["name"], row["first_frame"], row["end_frame"]) for row in rows] == [
        ("Anna | 2", first, end) for first, end in (("0", "24"), ("24", "48"), ("48", "72"))
    ]
    again = vcn("query", run, "1", "--to", target)
    assert again.code == 2 and "is there already" in again.complaint and again.out == ""
    done = vcn("query", run, "1", "--to", target, "--force", "--json")
    assert json.loads(done.out) and done.err == f"written: {target}\n"
    assert len(target.read_text().splitlines()) == 3


def test_a_query_of_one_person_is_written_as_that_one(run: Path, vcn: Vcn, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("asked.csv", "exported.csv")]
    vcn("query", run, "2", "--to", paths[0])
    vcn("export", run, "--character", "2", "--to", paths[1])
    asked, exported = (path.read_text(encoding="utf-8") for path in paths)
    assert asked == exported and '"Ben ""B"" & Co"' in asked


def test_an_empty_answer_is_written_too(run: Path, vcn: Vcn, tmp_path: Path) -> None:
    target = tmp_path / "none.txt"
    done = vcn("query", run, "!*", "--to", target, "--format", "csv")
    assert (done.code, done.out) == (0, f"nothing found\nwritten: {target}\n")
    assert len(target.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("Anna &", (), ["vcn: a name is missing", "  Anna &", "        ^"]),
        (
            "2 & Ana",
            (),
            ["vcn: there is no character 'Ana' (did you mean Anna?", "  2 & Ana", "      ^"],
        ),
        ("!1", ("--min-face", "0.2"), ["vcn: min_face=0.2: whose face?", "  !1", "  ^"]),
        ("1", ("--together-within", "soon"), ["vcn: together within 'soon'? (seconds or"]),
        ("1", ("--to", "answer.xyz"), ["vcn: no format ends in .xyz"]),
        ("1", ("--to", "answer.csv", "--format", "cvs"), ["vcn: no format 'cvs' (did you mean"]),
        ("1", ("--start-timecode", "noon"), ["vcn: 'noon' is no timecode"]),
    ],
)
def test_what_is_refused_says_why_and_where(
    text: str, options: tuple[str, ...], says: list[str], run: Path, vcn: Vcn
) -> None:
    done = vcn("query", run, text, *options)
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert len(lines) == len(says)
    assert lines[0].startswith(says[0]) and lines[1:] == says[1:]


def test_several_runs_are_one_answer(season: Path, vcn: Vcn) -> None:
    done = vcn("query", season / "one.vcn", season / "three.vcn", "Anna")
    assert (done.code, done.err) == (0, "")
    head, *rows, _, total = done.out.splitlines()
    assert head.split() == ["run", "film", "from", "to", "seconds", "shots"]
    assert [row.split()[0] for row in rows] == ["one", "one", "three", "three"]
    assert total == "4 moments, 4.0 s in all"


def test_a_folder_stands_for_its_runs_each_once(season: Path, vcn: Vcn) -> None:
    done = vcn("query", season, season / "one.vcn", "Anna", "--json")
    assert (done.code, done.err) == (0, "")
    runs = [Path(row["run"]).name for row in json.loads(done.out)["moments"]]
    assert runs == ["one.vcn", "one.vcn", "three.vcn", "three.vcn"]  # nobody of two is Anna
    dora = json.loads(vcn("query", season, "Dora | Anna", "--json").out)["moments"]
    assert len(dora) == 6
    # Whom a run does not have is not on screen in it.
    without = json.loads(vcn("query", season, "!Dora", "--json").out)["moments"]
    assert [(row["first"], row["end"]) for row in without] == [(0, 72), (0, 72), (24, 48)]


def test_a_name_that_no_run_has(season: Path, vcn: Vcn) -> None:
    done = vcn("query", season, "Doro | Anna")
    assert (done.code, done.out) == (2, "")
    said, *place = done.err.splitlines()
    assert "no character 'Doro' (did you mean Dora?" in said
    assert place == ["  Doro | Anna", "  ^"]


@pytest.mark.parametrize("number", ["1", "Character 2"])
def test_numbers_are_of_one_run(number: str, season: Path, vcn: Vcn) -> None:
    done = vcn("query", season, f"Anna & {number}")
    assert (done.code, done.out) == (2, "")
    assert f"{number!r} is somebody else in every run" in done.err.splitlines()[0]


def test_each_run_gets_a_file_of_its_own(season: Path, vcn: Vcn, tmp_path: Path) -> None:
    target = tmp_path / "out" / "anna.csv"
    done = vcn("query", season, "Anna", "--to", target)
    assert done.code == 0, done.err
    made = {path.name: len(path.read_text().splitlines()) for path in target.parent.iterdir()}
    assert made == {"anna - one.csv": 3, "anna - two.csv": 1, "anna - three.csv": 3}
    for name in ("anna - one.csv", "anna - two.csv"):
        (target.parent / name).unlink()
    again = vcn("query", season, "Anna", "--to", target)
    assert again.code == 2 and "anna - three.csv is there already" in again.complaint
    assert [path.name for path in target.parent.iterdir()] == ["anna - three.csv"]  # all or none
    assert vcn("query", season, "Anna", "--to", target, "--force").code == 0


def test_a_run_that_cannot_be_read_does_not_stop_the_others(season: Path, vcn: Vcn) -> None:
    (season / "one.vcn" / "cast.parquet").write_bytes(b"no table")
    (season / "two.vcn" / "run.json").unlink()
    done = vcn("query", season, "Anna")
    assert done.code == 5
    assert len(done.err.splitlines()) == 2 and "one.vcn" in done.err and "two.vcn" in done.err
    assert "2 moments, 2.0 s in all" in done.out
    alone = vcn("query", season / "one.vcn", "Anna")
    assert (alone.code, alone.out) == (5, "") and "one.vcn" in alone.complaint
    (season / "three.vcn" / "run.json").unlink()
    nothing = vcn("query", season, "Anna")
    assert (nothing.code, nothing.out) == (5, "") and len(nothing.err.splitlines()) == 3


def test_a_folder_without_runs_is_said(season: Path, vcn: Vcn) -> None:
    done = vcn("query", season / "stills", "Anna")
    assert done.code == 2 and "is no run, and none is in it" in done.complaint
    assert vcn("query", season / "gone", "Anna").code == 5
    missing = vcn("query", season / "one.vcn")
    assert missing.code == 2 and "Missing argument" in missing.err


def test_times_that_are_counted_at_a_guessed_rate_are_said(labelled: Path, vcn: Vcn) -> None:
    run = cluster_tracks(labelled / "discs.zip", labelled / "given.vcn", QUICKLY)
    done = vcn("query", run.folder, "1")
    assert done.code == 0
    assert "vcn: note: discs: no film, so its frames are counted at 24 a second" in done.err
