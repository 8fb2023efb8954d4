"""Forgetting a person of a library: in its file, beside it, and in the runs that it lists."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import closing
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from tests import large_run
from tests.conftest import Vcn
from tests.kills import KILLS, MANY, Killer
from tests.unit.test_forget import found_in, secrets
from videoclusternet import open_library, open_run
from videoclusternet.edits.edit import Edit
from videoclusternet.errors import LibraryError, NoPersonError
from videoclusternet.library.database import Database
from videoclusternet.library.forgetting import planned
from videoclusternet.runfolder.folder import Store

NAME, OTHER = "Zoë Zebulon", "Ben"
KINDS = ("name", "picture", "embedding 0 float32", "exemplar")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of 60 tracks, in both of which Zoë is, and a library of both; copy it."""
    home, picture = tmp_path_factory.mktemp("forgetting"), cache(large_run._picture)
    for folder in ("one", "two"):
        with pytest.MonkeyPatch.context() as patch:  # no two tracks share a picture
            patch.setattr(large_run, "KINDS", 9973)
            own = sha256(folder.encode()).hexdigest().encode()
            patch.setattr(
                large_run, "_picture", lambda n, own=own: picture(n % 9) + b"%d" % n + own
            )
            store = Store(large_run.write_large_run(home / folder, 60, 4))
        store.manifest["films"][0]["content"] = sha256(own).hexdigest()
        store.write_manifest()
        run = open_run(store.folder)
        run.edits.name(1, NAME)
        run.edits.name(2, OTHER)
    with open_library(home / "people.db", create=True) as library:
        for folder in ("one", "two"):
            library.add(home / folder)
        library.note(OTHER, f"the brother of {NAME}")
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy, whose library knows the copies."""
    there = Path(shutil.copytree(made, tmp_path / "home"))
    (there / "people.db").unlink()
    with open_library(there / "people.db", create=True) as library:
        for folder in ("one", "two"):
            library.add(there / folder)
        library.note(OTHER, f"the brother of {NAME}")
    return there


def told_by(home: Path, name: str = NAME) -> dict[str, bytes]:
    """Bytes that tell of a person, in runs and library."""
    found: dict[str, bytes] = {}
    for folder in ("one", "two"):
        run = open_run(home / folder)
        found |= {f"{what} of {folder}": b for what, b in secrets(run, run.index_of(name)).items()}
    with open_library(home / "people.db") as library:
        person = library.find(name).id
        said = "SELECT mean FROM embedding JOIN exemplar ON id = exemplar WHERE person = ?"
        with library.reading() as db:
            means = db.execute(said, (person,)).fetchall()
    found |= {f"exemplar {n}": bytes(mean) for n, (mean,) in enumerate(means)}
    wanted = ("name", "picture", "embedding", "view", "exemplar")
    kept = {what: data for what, data in found.items() if what.startswith(wanted)}
    return kept | {"name": name.encode(), "name folded": name.casefold().encode()}


def test_no_byte_is_left_in_the_library_and_its_runs(home: Path) -> None:
    wanted, others = told_by(home), told_by(home, OTHER)
    before = found_in(home, wanted)
    assert all(any(what.startswith(kind) for what in before) for kind in KINDS)
    kept = found_in(home, others)
    with open_library(home / "people.db") as library:
        plan, left = library.forget(NAME.upper())
        assert left == [] and plan.exemplars > 0 and len(plan.runs) == 2
        assert found_in(home, wanted) == set()  # the log beside it too, while it is open
        assert library.unfinished == 0 and NAME not in library
        assert library.find(OTHER).note == "the brother of [forgotten]"
        (entry,) = [one for one in library.log() if one.verb == "forget"]
        assert (entry.person, entry.exemplars, entry.name) == (plan.key, plan.exemplars, "")
    assert found_in(home, wanted) == set()
    assert found_in(home, others) == kept
    for folder in ("one", "two"):
        assert next(p.name for p in open_run(home / folder).people.values()) == OTHER


def test_whoever_is_called_otherwise_in_a_run_is_found_by_the_tracks(home: Path) -> None:
    open_run(home / "one").edits.name(1, "Z.")
    with open_library(home / "people.db") as library:
        library.rename(NAME, "Zuzu")
        plan, left = library.forget("Zuzu")
    assert [[found.label for found in run.went] for run in plan.runs] == [["Z."], [NAME]]
    assert left == [] and 0 not in open_run(home / "two").people


def test_a_namesake_that_corrections_put_in_the_place_stays(home: Path) -> None:
    run = open_run(home / "one")
    mine = np.flatnonzero(run.cast.character == 0).tolist()
    run.edits.split(1, mine[:1])
    number = max(run.people) + 1
    run.edits.name(number, "Somebody else")
    with open_library(home / "people.db") as library:
        plan, _ = library.forget(NAME)
    assert [found.label for found in plan.runs[0].went] == [NAME]
    assert "Somebody else" in [person.name for person in open_run(home / "one").people.values()]


def test_runs_out_of_reach_are_listed_and_gone_on_with(home: Path, vcn: Vcn) -> None:
    wanted = told_by(home)
    (home / "one").rename(home / "away")
    path = ("--library", home / "people.db")
    with Store(home / "two").locked():
        done = vcn("library", "forget", NAME, "--yes", *path)
        assert done.code == 5, done
        assert "left:" in done.err and "one" in done.err and "is still being computed" in done.err
    assert not [what for what in found_in(home, wanted) if what.startswith("exemplar")]
    assert NAME.encode() not in b"".join(p.read_bytes() for p in home.glob("people.db*"))
    listed = vcn("library", "list", *path)  # goes on with what it can
    assert listed.code == 0 and "forgotten in part" in listed.err
    assert found_in(home / "two", wanted) == set()
    assert vcn("library", "forget", "--resume", *path).code == 5
    (home / "away").rename(home / "one")
    assert vcn("library", "forget", "--resume", *path).code == 0
    assert found_in(home, wanted) == set()
    assert vcn("library", "list", *path).err == ""
    # One that was deleted need not be waited for.
    shutil.rmtree(home / "one")
    resume = ("library", "forget", "--resume", *path)
    assert vcn("library", "forget", OTHER, "--yes", *path).code == 5
    for folder, said in (("two", "is there"), ("away", "nothing is left")):
        done = vcn(*resume, "--gone", home / folder)
        assert done.code == 2 and said in done.complaint
    assert vcn("library", "forget", "--gone", home / "one", OTHER, *path).code == 2
    assert vcn(*resume, "--gone", home / "one").code == 0
    assert vcn("library", "list", *path).err == ""


def test_runs_that_people_were_only_recognised_in_are_looked_through(home: Path, vcn: Vcn) -> None:
    path, away = ("--library", home / "people.db"), home / "season"
    with open_library(home / "people.db") as library:
        key = library.find(NAME).key
    for folder in ("recognised", "overruled", "named", "others"):
        store = Store(shutil.copytree(home / "one", away / folder))
        (store.folder / "edits.jsonl").unlink()
        store.manifest["films"][0]["content"] = sha256(folder.encode()).hexdigest()
        store.write_manifest()
    for folder in ("recognised", "overruled"):
        said = Edit("recognise", ("1",), to=key, text="Zuzu", of=2, sure=0.9)
        open_run(away / folder).edits.say(said)
    open_run(away / "overruled").edits.name(1, "Somebody else")
    open_run(away / "named").edits.name(2, NAME.upper())
    wanted = secrets(open_run(away / "recognised"), 0) | {"called": b"Zuzu"}
    before = found_in(away / "overruled", wanted)
    assert {"called", "embedding 0 float32"} <= before
    once = vcn("library", "forget", NAME, "--dry-run", *path)
    assert once.code == 0 and "season" not in once.out
    plan = vcn("library", "forget", NAME, "--dry-run", "--runs", away, "--runs", home, *path)
    found = [line for line in plan.out.splitlines() if "season" in line]
    assert {line.split(": ")[0] for line in found} == {
        str(away / "named"), str(away / "recognised")
    }  # fmt: skip
    done = vcn("library", "forget", NAME, "--yes", "--runs", away, *path)
    assert done.code == 0, done
    assert found_in(away / "recognised", wanted) == set()
    assert found_in(away / "overruled", wanted) == before
    assert [one.name for one in open_run(away / "named").people.values() if one.name] == []
    assert len(open_run(away / "others").people) == 4
    assert 0 not in open_run(home / "one").people  # and those that the library lists


def test_what_cannot_be_looked_through_is_said(home: Path, vcn: Vcn) -> None:
    path = ("--library", home / "people.db")
    lost = vcn("library", "forget", NAME, "--yes", "--runs", home / "none", *path)
    assert lost.code == 2 and "no folder" in lost.complaint
    assert vcn("library", "forget", "--resume", "--runs", home, *path).code == 2
    spoilt = Path(shutil.copytree(home / "one", home / "more" / "spoilt"))
    (spoilt / "run.json").write_text("{")
    done = vcn("library", "forget", NAME, "--yes", "--runs", home / "more", *path)
    assert done.code == 5 and f"left: {spoilt}" in done.err
    with open_library(home / "people.db") as library:
        assert NAME not in library and library.unfinished == 0


def test_nothing_goes_before_it_is_agreed(home: Path, vcn: Vcn) -> None:
    path = ("--library", home / "people.db")
    said = vcn("library", "forget", NAME, "--dry-run", *path)
    assert said.code == 0 and NAME in said.out and str(home / "one") in said.out
    assert vcn("library", "forget", NAME, "--dry-run", "--json", *path).code == 0
    refused = vcn("library", "forget", NAME, *path)
    assert refused.code == 2 and "say --yes" in refused.err
    assert vcn("library", "forget", *path).code == 2
    assert vcn("library", "forget", "Nobody", "--yes", *path).code == 2
    with open_library(home / "people.db") as library:
        assert NAME in library
        plan = library.what_goes(NAME)
        library.rename(NAME, "Zuzu")
        with pytest.raises(LibraryError, match="has changed meanwhile"):
            library.forget("Zuzu", plan)
        with pytest.raises(NoPersonError):
            library.forget("Nobody")
    assert open_run(home / "one").called(0) == NAME


def test_people_made_one_are_forgotten_in_the_runs_of_both(home: Path) -> None:
    wanted = told_by(home) | told_by(home, OTHER)
    with open_library(home / "people.db") as library:
        library.merge(NAME, OTHER)
        plan, left = library.forget(NAME)
        assert left == [] and [len(run.went) for run in plan.runs] == [2, 2]
    assert {what for what in found_in(home, wanted) if not what.startswith("name")} == set()


def test_an_export_of_before_does_not_bring_a_person_back(home: Path, tmp_path: Path) -> None:
    wanted = told_by(home)
    with open_library(home / "people.db") as library:
        library.rename(OTHER, "Benjamin")
        library.export(tmp_path / "people.zip")
        library.merge("Benjamin", NAME)
        library.forget("Benjamin")
        brought = library.bring(tmp_path / "people.zip")
        assert (brought.forgotten, brought.new, brought.exemplars, len(library)) == (2, [], 0, 0)
    assert {what for what in found_in(home, wanted) if not what.startswith("name")} == set()


def test_what_somebody_reads_is_wiped_when_they_end(home: Path) -> None:
    wanted = told_by(home)
    path = home / "people.db"
    with open_library(path) as reader, reader.reading() as db:
        planned(db, NAME)
        with open_library(path, wait=0.1) as library:
            _, left = library.forget(NAME)
        assert [one.folder for one in left] == [None]
    with open_library(path) as library:
        assert library.unfinished == 0
    assert found_in(home, wanted) == set()


def test_a_large_file_is_overwritten_where_it_lies(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videoclusternet.library.database.ANEW", 0)
    wanted = told_by(home)
    with open_library(home / "people.db") as library:
        library.forget(NAME)
    assert found_in(home, wanted) == set()


def test_a_library_that_cannot_be_wiped_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Database, "wipe", lambda self: False)
    with open_library(home / "people.db") as library:
        _, left = library.forget(NAME)
        assert [one.folder for one in left] == [None] and library.unfinished == 1


KILLED = """
import sys
from pathlib import Path
from videoclusternet import open_library
import videoclusternet.library.forgetting
print("ready", flush=True)
with open_library(Path(sys.argv[1])) as library:
    library.forget(sys.argv[2])
print("done", flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_moment_a_person_is_wholly_there_or_wholly_gone(
    made: Path, tmp_path: Path
) -> None:
    killer, ends = Killer(KILLED), Counter[bool]()
    for moment in killer.moments():
        folder = Path(shutil.copytree(made, tmp_path / "home"))
        (folder / "people.db").unlink()
        with open_library(folder / "people.db", create=True) as library:
            library.add(folder / "one")
            library.add(folder / "two")
        wanted = told_by(folder)
        whole = found_in(folder, wanted)
        done = killer.run(moment, folder / "people.db", NAME)
        with open_library(folder / "people.db") as library:
            assert library.resume() == []
            gone = NAME not in library
        left = found_in(folder, wanted)
        assert left == (set() if gone else whole), moment
        assert gone or not done
        ends[gone] += moment is not None
        shutil.rmtree(folder)
    assert KILLS < MANY or min(ends[True], ends[False]) > 0, ends


def test_the_file_says_nothing_of_a_name_to_be_forgotten(home: Path) -> None:
    (home / "two").rename(home / "away")
    with open_library(home / "people.db") as library:
        library.forget(NAME)
    from sqlite3 import connect

    with closing(connect(home / "people.db")) as db:
        assert "zebulon" not in "\n".join(db.iterdump()).casefold()
