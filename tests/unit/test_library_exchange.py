"""A library handed on as a zip file, looked over, and described by another model."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Vcn
from tests.large_run import write_large_run
from videoclusternet import Library, open_library, open_run
from videoclusternet.errors import LibraryError
from videoclusternet.library.exchange import HEAD


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of one run; copy it."""
    folder = tmp_path_factory.mktemp("made")
    run = open_run(write_large_run(folder / "run", 120, 6))
    run.edits.name(1, "Anna")
    run.edits.name(2, "Ben")
    with open_library(folder / "library.db", create=True) as library:
        library.add(run)
        library.note("Ben", "the cook")
    return folder / "library.db"


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path / "library.db"))


def exported(path: Path, *names: str) -> Path:
    with open_library(path) as library:
        library.export(path.with_name("out.zip"), names)
    return path.with_name("out.zip")


def galleries(library: Library) -> list[Any]:
    found = library.gallery("drawn")
    return [*found.arrays().values(), found.people, found.names]


def test_a_library_comes_back_as_it_was(path: Path, tmp_path: Path) -> None:
    file = exported(path)
    with open_library(path) as old, open_library(tmp_path / "new.db", create=True) as new:
        brought = new.bring(file)
        assert brought.new == ["Anna", "Ben"] and brought.conflicts == brought.known == []
        assert new.people == old.people
        for one, other in zip(galleries(new), galleries(old), strict=True):
            np.testing.assert_array_equal(one, other)
        for name in ("Anna", "Ben"):
            mine, theirs = new.exemplars(name), old.exemplars(name)
            assert [a[1:] for a in mine] == [b[1:] for b in theirs]
            pictures = [
                (new.jpeg(a.number), old.jpeg(b.number)) for a, b in zip(mine, theirs, strict=True)
            ]
            assert all(a == b for a, b in pictures)
        assert [one.verb for one in new.log()] == ["import", "import"]
        again = new.bring(file)
        assert (again.exemplars, again.known) == (0, ["Anna", "Ben"])
        assert again.present == brought.exemplars
        assert new.verify() == []


def test_some_people_alone_are_handed_on(path: Path, tmp_path: Path) -> None:
    file = exported(path, "ben")
    assert b"Anna" not in file.read_bytes()
    with open_library(tmp_path / "new.db", create=True) as new:
        assert new.bring(file).new == ["Ben"]
        assert new.people[0].note == "the cook"


def test_somebody_else_of_that_name_is_said(path: Path, tmp_path: Path) -> None:
    file = exported(path, "Ben")
    with open_library(path) as library:
        library.rename("Ben", "Bert")
        library.rename("Anna", "Ben")
        known = library.bring(file)
        assert known.known == ["Bert"] and known.conflicts == []  # its key is that of Bert
    with open_library(tmp_path / "new.db", create=True) as new:
        with new.writing() as db:
            db.execute("INSERT INTO person (key, name, folded) VALUES ('a', 'BEN', 'ben')")
        assert new.bring(file).conflicts == [("Ben", "Ben (2)")]
        assert [one.name for one in new.people] == ["BEN", "Ben (2)"]


def changed(file: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> None:
    """Change what a zip file holds."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    head = json.loads(entries.pop(HEAD))
    change(head, entries)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
        archive.writestr(HEAD, json.dumps(head))


def resealed(head: dict[str, Any], entries: dict[str, bytes], name: str, data: bytes) -> None:
    """Put another file in, and its sum too."""
    entries[name] = data
    head["sha256"][name] = hashlib.sha256(data).hexdigest()


def pickled(head: dict[str, Any], entries: dict[str, bytes]) -> None:
    made = io.BytesIO()
    np.save(made, np.array([{}], dtype=object), allow_pickle=True)
    resealed(head, entries, "embeddings/0.npy", made.getvalue())


def large(head: dict[str, Any], entries: dict[str, bytes]) -> None:
    made = io.BytesIO()
    np.save(made, np.full((len(head["models"][0]["exemplars"]), 8), 100, np.float16))
    resealed(head, entries, "embeddings/0.npy", made.getvalue())


def endless(head: dict[str, Any], entries: dict[str, bytes]) -> None:
    made = io.BytesIO()
    said = {"descr": "<f2", "fortran_order": False, "shape": (1 << 40, 8)}
    np.lib.format.write_array_header_1_0(made, said)
    resealed(head, entries, "embeddings/0.npy", made.getvalue())


def by_columns(head: dict[str, Any], entries: dict[str, bytes]) -> None:
    made = io.BytesIO()
    few = np.zeros((len(head["models"][0]["exemplars"]), 8), np.float16, order="F")
    np.save(made, few)
    resealed(head, entries, "embeddings/0.npy", made.getvalue())


def picture(head: dict[str, Any], entries: dict[str, bytes]) -> None:
    digest = head["models"][0]["exemplars"][0]["picture"]
    entries[f"pictures/{digest}.jpg"] = b"no picture"


def first(name: str, value: object) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(head: dict[str, Any], entries: dict[str, bytes]) -> None:
        head["models"][0]["exemplars"][0][name] = value

    return change


WRONG: dict[str, tuple[Callable[[dict[str, Any], dict[str, bytes]], None], str]] = {
    "newer": (lambda head, _: head.update(format=2), "knows formats up to 1"),
    "no format": (lambda head, _: head.update(format="x"), "or damaged"),
    "pickle": (pickled, "or damaged"),
    "values": (lambda _, e: e.update({"embeddings/0.npy": b"x"}), "not what was written"),
    "too long": (large, "no mean of unit-length ones"),
    "picture": (picture, "not what was written"),
    "missing": (lambda _, entries: entries.clear(), "or damaged"),
    "person": (first("person", 99), "of nobody"),
    "look": (first("look", -1), "or damaged"),
    "threshold": (first("threshold", "x"), "threshold is no number"),
    "film": (first("film", "unheard of"), "of no film"),
    "anchor": (first("anchor", 7), "not a text"),
    "people": (lambda head, _: head.update(people=7), "or damaged"),
    "name": (lambda head, _: head["people"][0].update(name="3"), "taken for a number"),
    "key": (lambda head, _: head["people"][0].update(key="Ben"), "no key that can be"),
    "by columns": (by_columns, "not those of the exemplars"),
    "endless": (endless, "not those of the exemplars"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_export_is_refused_whole(kind: str, path: Path, tmp_path: Path, vcn: Vcn) -> None:
    file = exported(path)
    change, said = WRONG[kind]
    changed(file, change)
    done = vcn("library", "import", file, "--library", tmp_path / "new" / "new.db")
    assert done.code == 5 and said in done.complaint
    assert not (tmp_path / "new").exists()
    with open_library(tmp_path / "other.db", create=True) as new:
        with pytest.raises(LibraryError):
            new.bring(file)
        assert len(new) == 0 and new.log() == []


def test_people_whose_every_track_is_here_by_another_key_are_not_made(
    path: Path, tmp_path: Path
) -> None:
    def other_keys(head: dict[str, Any], _: dict[str, bytes]) -> None:
        for n, person in enumerate(head["people"]):
            person["key"] = f"{n:010}"

    file = exported(path)
    changed(file, other_keys)
    with open_library(path) as library:
        before = library.people
        found = library.bring(file)
        assert (found.new, found.conflicts, found.exemplars) == ([], [], 0) and found.present
        assert library.people == before


def test_what_is_packed_tighter_than_it_was_written_is_not_unpacked(
    path: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(HEAD, "[" + "0, " * 1_000_000 + "0]")
    with open_library(path) as library, pytest.raises(LibraryError, match="is compressed"):
        library.bring(tmp_path / "bomb.zip")


def test_whoever_is_called_like_a_key_hides_nobody(path: Path, tmp_path: Path) -> None:
    with open_library(path) as library:
        first, second = library.people[:2]
        library.rename(first.key, second.key)
        assert library.find(second.key).name == second.name
        assert library.export(tmp_path / "all.zip")[0] == len(library)


@pytest.mark.parametrize("data", [None, b"", b"PK\x03\x04 nothing", b"text" * 100])
def test_what_is_no_export_is_refused(data: bytes | None, path: Path, tmp_path: Path) -> None:
    file = tmp_path / "some.zip"
    if data is not None:
        file.write_bytes(data)
    with open_library(path) as library, pytest.raises(LibraryError, match="is no export"):
        library.bring(file)


SPOILT = {
    "UPDATE embedding SET mean = zeroblob(3) WHERE exemplar = 2": "exemplar 2 has no embedding",
    "DELETE FROM embedding WHERE exemplar = 3": "exemplar 3 has no embedding",
    "UPDATE embedding SET mean = CAST(x'007c' || substr(mean, 3) AS BLOB)": "longer than any mean",
    "UPDATE picture SET jpeg = x'00' WHERE id = 4": "picture 4 is not the one",
    "UPDATE person SET folded = 'carl' WHERE id = 1": "person 1 has no name",
    "UPDATE exemplar SET film = 9": "refers to a film that is not there",
    "UPDATE exemplar SET quality = 'good' WHERE id < 3": "exemplar.quality is no real in 2 rows",
    "UPDATE exemplar SET seconds = -9e999 WHERE id = 1": "exemplar.seconds is no real in 1 row",
}


@pytest.mark.parametrize("change", SPOILT)
def test_verify_says_what_is_wrong(change: str, path: Path, vcn: Vcn) -> None:
    assert vcn("library", "verify", "--library", path).out.strip().endswith("exemplars")
    with closing(sqlite3.connect(path)) as db:
        db.execute(change)
        db.commit()
    done = vcn("library", "verify", "--library", path)
    assert done.code == 5 and SPOILT[change] in done.out
    assert "is damaged in" in done.complaint


def test_values_that_nobody_wrote_are_damage_and_no_defect(
    path: Path, tmp_path: Path, vcn: Vcn
) -> None:
    with open_library(path) as library, pytest.raises(TypeError):  # that one is ours
        library.split(library.people[0].name, "Bea", looks=5)  # type: ignore[arg-type]
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE weights SET width = 7")
        db.commit()
    with (
        open_library(path) as library,
        pytest.raises(LibraryError, match="damaged: exemplar 1 has no embedding of 7 values"),
    ):
        library.export(tmp_path / "out.zip")
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE weights SET width = 512")
        db.execute("INSERT INTO forgetting (person, run) VALUES ('x', 1)")
        db.commit()
    with open_library(path) as library:
        before = library.people
        with pytest.raises(LibraryError, match="damaged"):
            library.forget(before[0].key)
        assert library.people == before, "nobody goes in part"
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM forgetting")
        db.execute("UPDATE person SET name = x'41' WHERE id = 1")
        db.commit()
    with open_library(path) as library, library.reading() as db:
        (digest,) = db.execute("SELECT digest FROM weights").fetchone()
    with open_library(path) as library, pytest.raises(LibraryError, match="damaged: a name"):
        library.gallery(digest)
    done = vcn("library", "list", "--json", "--library", path)
    assert done.code == 5 and "damaged: person.name is no text in 1 row" in done.complaint


def test_pictures_that_cannot_be_read_are_found(path: Path) -> None:
    data = b"\xff\xd8 no picture"
    with closing(sqlite3.connect(path)) as db:
        digest = hashlib.sha256(data).hexdigest()
        db.execute("UPDATE picture SET jpeg = ?, digest = ? WHERE id = 1", (data, digest))
        db.commit()
    with open_library(path) as library:
        assert library.verify() == ["picture 1 cannot be read"]
