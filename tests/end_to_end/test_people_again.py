"""People of one film are found again in the next: by a library, from end to end."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Vcn
from tests.drawn import FakeModels, draw_film, snapshot
from tests.unit.test_edits import lines
from tests.unit.test_forget import found_in
from videoclusternet import (
    Config,
    Library,
    Result,
    cluster_film,
    cluster_tracks,
    open_library,
    open_run,
)
from videoclusternet.events import Event
from videoclusternet.runfolder.folder import Store
from videoclusternet.show.words import surely

FIRST = (("red",), ("blue",), ("red", "blue"))
SECOND = (("red",), ("green",), ("red", "green"), ("green",))
RED, GREEN = [0, 2], [1, 3, 4]
"""Tracks of the second film."""
RITA, BO = "Rita Ørsted", "Bo Bennett"
PLAIN = ("track_quality.enabled=false", "cluster.draws=4")
PLAINLY = Config.load(settings=PLAIN)
FLAGS = tuple(part for setting in PLAIN for part in ("--set", setting))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two films, the second one not named, and crops of both; read only."""
    home = tmp_path_factory.mktemp("again")
    with pytest.MonkeyPatch.context() as patch:
        FakeModels(patch)
        for name, scenes in (("first", FIRST), ("second", SECOND)):
            film = draw_film(home / f"{name}.mp4", scenes)
            cluster_film(film, home / f"{name}.vcn", PLAINLY)
            shutil.copy(home / f"{name}.vcn" / "crops.zip", home / f"{name}.zip")
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy, in which red and blue of the first film are named and in the library."""
    there = Path(shutil.copytree(made, tmp_path / "home"))
    run = open_run(there / "first.vcn")
    who = run.cast.character
    run.edits.name(int(who[0]) + 1, RITA)
    run.edits.name(int(who[1]) + 1, BO)
    run.edits.confirm(range(len(who)))
    with open_library(there / "people.db", create=True) as library:
        library.add(run)
    return there


def again(home: Path, output: str = "found.vcn", library: str = "people.db") -> Result:
    """Cluster the crops of the second film beside the library."""
    return cluster_tracks(home / "second.zip", home / output, PLAINLY, library=home / library)


def key_of(home: Path, name: str) -> str:
    with open_library(home / "people.db") as library:
        return library.find(name).key


def named(run: Result) -> dict[str, list[int]]:
    """Tracks by name; those of one character without a name under an empty one."""
    found: dict[str, list[int]] = {}
    for number, person in run.people.items():
        rows = np.flatnonzero(run.cast.character == number).tolist()
        found.setdefault(person.name, []).extend(rows)
    return found


def another_film(run: Path, copy: Path) -> Path:
    """Copy a run as that of another film, with Rita named."""
    store = Store(Path(shutil.copytree(run, copy)))
    store.manifest["films"][0]["content"] = "2" * 64
    store.write_manifest()
    (copy / "edits.jsonl").unlink(missing_ok=True)  # it was about the first
    run = open_run(copy)
    run.edits.name(int(run.cast.character[0]) + 1, RITA)
    run.edits.confirm(0)
    return copy


def test_a_film_is_told_who_is_in_it(home: Path, fake_models: FakeModels, vcn: Vcn) -> None:
    film, run = home / "second.mp4", home / "found.vcn"
    done = vcn("cluster", film, "-o", run, *FLAGS, "--library", home / "people.db", "-q")
    assert done.code == 0 and done.err == ""
    found = open_run(run)
    assert named(found) == {RITA: RED, "": GREEN}
    plain = open_run(home / "second.vcn")
    assert found.cast.character.tolist() == plain.cast.character.tolist()  # the same characters
    rita = found.people[int(found.cast.character[0])]
    assert (rita.known, rita.films, rita.kind) == (key_of(home, RITA), 1, "guest")
    assert 0.5 < rita.sure <= 1
    assert [line["author"] for line in lines(found)[1:]] == ["library people.db"]
    assert RITA in (run / "cast.html").read_text(encoding="utf-8")
    table = [line.split() for line in vcn("show", run).out.splitlines()]
    assert "known as" in " ".join(table[0])
    rows = {row[0]: " ".join(row) for row in table[1:] if row}
    assert f"guest {surely(rita.sure)}" in rows["Rita"] and "stranger" in rows["Character"]
    told = {one["name"]: one["known"] for one in json.loads(vcn("show", run, "--json").out)}
    known = {"person": rita.known, "kind": "guest", "confidence": rita.sure}
    assert {RITA: known, "Character 1": None}.items() <= told.items()
    log = vcn("edit", run, "log").out
    assert "library people.db" in log and "recognise" in log
    assert vcn("edit", run, "undo").code == 0
    assert "known as" not in vcn("show", run).out


@pytest.mark.slow
def test_who_was_in_several_films_is_a_regular(
    home: Path, fake_models: FakeModels, vcn: Vcn
) -> None:
    with open_library(home / "people.db") as library:
        library.add(another_film(home / "first.vcn", home / "other.vcn"), [RITA])
    run = again(home)
    assert {one.name: one.kind for one in run.people.values()} == {RITA: "regular", "": "stranger"}
    told = json.loads(vcn("show", run.folder, "--json").out)
    kinds = [one["known"]["kind"] for one in told if one["known"]]
    assert kinds == ["regular"]


def test_the_same_again_does_nothing(home: Path, fake_models: FakeModels) -> None:
    run = again(home)
    before, events = snapshot(run.folder), list[Event]()
    cluster_tracks(
        home / "second.zip", run.folder, PLAINLY, events.append, library=home / "people.db"
    )
    assert {event.kind for event in events if event.step == "cast"} == {"cached"}
    assert not [event for event in events if event.kind == "start"]
    assert snapshot(run.folder)["edits.jsonl"] == before["edits.jsonl"]


@pytest.mark.slow
def test_what_was_taken_back_stays_so(home: Path, fake_models: FakeModels) -> None:
    run = again(home)
    run.edits.undo()
    assert set(named(again(home))) == {""}
    run = open_run(run.folder)
    run.edits.name(int(run.cast.character[0]) + 1, "Rosa")
    assert named(again(home)) == {"Rosa": RED, "": GREEN}


@pytest.mark.slow
def test_without_the_library_names_stay(home: Path, fake_models: FakeModels) -> None:
    run = again(home)
    key = key_of(home, RITA)
    plain = cluster_tracks(home / "second.zip", run.folder, PLAINLY)
    assert named(plain) == {RITA: RED, "": GREEN}
    assert plain.people[int(plain.cast.character[0])].known == key
    assert named(again(home)) == {RITA: RED, "": GREEN}  # and with it once more
    assert [line["verb"] for line in lines(run)].count("recognise") == 1


def test_without_the_library_nothing_is_left_of_what_it_said(
    home: Path, fake_models: FakeModels, vcn: Vcn
) -> None:
    """A table of who joined whom is about one clustering, and names people by their key."""
    run, wanted = again(home), {"key": key_of(home, RITA).encode()}
    assert (run.folder / "suggested.parquet").exists()
    cluster_tracks(home / "second.zip", run.folder, PLAINLY)
    assert vcn("forget", run.folder, RITA, "--yes").code == 0
    assert found_in(run.folder, wanted) == set()


@pytest.mark.slow
def test_nobody_is_recognised_by_what_is_seen_here(
    home: Path, fake_models: FakeModels, vcn: Vcn
) -> None:
    run = again(home)
    green = int(run.cast.character[GREEN[0]])
    run.edits.name(green + 1, "Gus")
    run.edits.confirm(range(5))
    with open_library(home / "people.db") as library:
        assert {one.name for one in library.add(run).people} == {RITA, "Gus"}
    assert named(again(home)) == {RITA: RED, "Gus": GREEN}
    people = open_run(run.folder).people
    assert people[green].known == "" and people[green].kind == "stranger"
    assert people[int(run.cast.character[0])].films == 1  # this film is not counted
    assert [line["verb"] for line in lines(run)].count("recognise") == 1
    # A new folder over the same pictures, and a library that knows nothing but these.
    with open_library(home / "own.db", create=True) as library:
        library.add(open_run(run.folder))
    fresh = again(home, "fresh.vcn", "own.db")
    assert set(named(fresh)) == {""} and fresh.cast.characters == 2
    assert not (fresh.folder / "edits.jsonl").exists()


@pytest.mark.slow
def test_people_of_another_model_are_not_compared(home: Path, fake_models: FakeModels) -> None:
    with open_library(home / "people.db") as library, library.writing() as db:
        db.execute("UPDATE weights SET digest = 'another'")
    events: list[Event] = []
    run = cluster_tracks(
        home / "second.zip", home / "f.vcn", PLAINLY, events.append, library=home / "people.db"
    )
    assert set(named(run)) == {""}
    notes = [event.message for event in events if event.kind == "note"]
    assert any(
        "nobody: from elsewhere it has no face of this face-ID model" in note for note in notes
    )
    assert run.cast.character.tolist() == open_run(home / "second.vcn").cast.character.tolist()


SPOILT = ("damaged", "of another program", "a folder")


def damaged(home: Path, how: str) -> Path:
    """Spoil the library."""
    path = home / "people.db"
    if how == "missing":
        path.unlink()
    elif how == "damaged":
        path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    elif how == "of another program":
        path.write_text("name,photo\n")
    elif how == "newer":
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version = 999")
    else:
        path.unlink()
        path.mkdir()
    return path


@pytest.mark.parametrize(
    "how",
    ["missing", "newer", *(pytest.param(one, marks=pytest.mark.slow) for one in SPOILT)],
)
def test_a_library_that_cannot_be_read_is_said_before_any_work(
    home: Path, fake_models: FakeModels, vcn: Vcn, how: str
) -> None:
    library, out = damaged(home, how), home / "out.vcn"
    run = home / "second.vcn"
    before = snapshot(run)
    for command in (
        ("cluster", home / "second.mp4", "-o", out, *FLAGS),
        ("cluster-tracks", home / "second.zip", "-o", out, *FLAGS),
        ("recluster", run),
    ):
        done = vcn(*command, "--library", library)
        assert done.code == 5 and "people.db" in done.complaint, command
        assert not out.exists() and fake_models.loaded == []
    assert snapshot(run) == before


def test_a_finished_run_is_told_who_is_in_it(home: Path, vcn: Vcn) -> None:
    run, library = home / "second.vcn", home / "people.db"
    before = snapshot(run)
    tried = vcn("recluster", run, "--library", library, "--dry-run", "-q")
    assert tried.code == 0 and f"to be recognised from the library: '{RITA}' (" in tried.out
    after = snapshot(run)
    assert {name: after[name] for name in before} == before and not (run / "edits.jsonl").exists()
    done = vcn("recluster", run, "--library", library, "-q")
    assert done.code == 0 and f"recognised from the library: '{RITA}' (" in done.out
    assert named(open_run(run)) == {RITA: RED, "": GREEN}
    assert RITA in (run / "cast.html").read_text(encoding="utf-8")
    count = len(lines(open_run(run)))
    once_more = vcn("recluster", run, "--library", library, "--json", "-q")
    assert "nobody new" in once_more.err and json.loads(once_more.out) is not None
    assert len(lines(open_run(run))) == count
    assert vcn("edit", run, "undo").code == 0
    assert "nobody new" in vcn("recluster", run, "--library", library, "-q").out


def test_forgetting_somebody_in_the_run_leaves_no_word_of_the_library(
    home: Path, fake_models: FakeModels, vcn: Vcn
) -> None:
    run = again(home)
    wanted = {"name": RITA.encode(), "key": key_of(home, RITA).encode()}
    wanted |= {"in JSON": json.dumps(RITA).encode()[1:-1], "in HTML": b"Rita"}
    assert {"name", "key"} <= found_in(run.folder, wanted)
    assert vcn("forget", run.folder, RITA, "--yes").code == 0
    assert found_in(run.folder, wanted) == set()
    left = open_run(run.folder)
    assert set(named(left)) == {""} and left.cast.characters == 1


@pytest.mark.slow
def test_forgetting_somebody_else_keeps_who_is_known(
    home: Path, fake_models: FakeModels, vcn: Vcn
) -> None:
    run = again(home)
    before = run.people[int(run.cast.character[0])]
    assert vcn("forget", run.folder, str(int(run.cast.character[GREEN[0]]) + 1), "--yes").code == 0
    (rita,) = open_run(run.folder).people.values()
    assert (rita.name, rita.known, rita.films, rita.sure) == (
        RITA, before.known, before.films, before.sure)  # fmt: skip
    assert [line["author"] for line in lines(run) if line["verb"] == "recognise"] == [
        "library people.db"
    ]


def test_whom_the_library_forgets_is_gone_from_runs_that_recognised_her(
    home: Path, fake_models: FakeModels
) -> None:
    run = again(home)
    run.edits.confirm(range(5))
    with open_library(home / "people.db") as library:
        library.add(run)
        wanted = {"name": RITA.encode(), "key": key_of(home, RITA).encode()}
        assert {"name", "key"} <= found_in(run.folder, wanted)
        _, left = library.forget(RITA)
        assert left == []
    assert found_in(run.folder, wanted) == set()
    assert found_in(home / "first.vcn", wanted) == set()
    assert _in_tables(home / "people.db", RITA) == 0
    assert set(named(open_run(run.folder))) == {""}


def _in_tables(path: Path, text: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        return sum(text in line for line in db.iterdump())


@pytest.mark.slow
def test_a_library_of_nobody_changes_nothing(home: Path, fake_models: FakeModels) -> None:
    with open_library(home / "nobody.db", create=True) as library:
        assert isinstance(library, Library) and len(library) == 0
    run = again(home, library="nobody.db")
    assert set(named(run)) == {""}
    assert run.cast.character.tolist() == open_run(home / "second.vcn").cast.character.tolist()
