"""A library of people: what is taken from runs, what becomes of it, what others may read."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.large_run import write_large_run
from videoclusternet import Library, Result, open_library, open_run
from videoclusternet.errors import ConfigError, LibraryError, NoPersonError, StoreError
from videoclusternet.library import page
from videoclusternet.library.adding.choose import EXEMPLARS, LOOKS
from videoclusternet.library.adding.offered import SURE, anchor_of, weights_of
from videoclusternet.runfolder.folder import Store

NAMES = ("Anna", "Ben", "Carla")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 300 tracks, eight characters; copy it."""
    return write_large_run(tmp_path_factory.mktemp("library") / "run", 300, 8)


@pytest.fixture
def run(large: Path, tmp_path: Path) -> Result:
    """The run with three characters named."""
    found = open_run(shutil.copytree(large, tmp_path / "run"))
    for number, name in enumerate(NAMES, 1):
        found.edits.name(number, name)
    return found


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty one."""
    with open_library(tmp_path / "people" / "library.db", create=True) as made:
        yield made


def content(path: Path) -> list[str]:
    """All that is in the tables of a library."""
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


def test_named_characters_become_people(run: Result, library: Library) -> None:
    added = library.add(run)
    assert [one.name for one in added.people] == list(NAMES)
    assert all(one.new and one.added == one.exemplars > 0 for one in added.people)
    assert (added.unnamed, added.unsure, added.model) == (5, (), "drawn")
    known = library.people
    assert [one.name for one in known] == list(NAMES)
    assert [one.exemplars for one in known] == [one.exemplars for one in added.people]
    assert all(one.exemplars <= EXEMPLARS * LOOKS and one.films == 1 for one in known)
    assert "ANNA" in library and "Dora" not in library and len(library) == 3
    assert library.runs == [run.folder]


def test_exemplars_are_sure_tracks_as_the_run_has_them(run: Result, library: Library) -> None:
    library.add(run)
    gallery = library.gallery("drawn")
    assert gallery.names == NAMES and gallery.weights == "drawn"
    assert [one.key for one in library.people] == list(gallery.people)
    unit = run.embeddings.base / np.linalg.norm(run.embeddings.base, axis=1, keepdims=True)
    means = np.stack([unit[run.embeddings.track == t].mean(axis=0) for t in range(300)])
    for person in range(3):
        sure = (run.cast.character == person) & (run.cast.confidence >= SURE)
        for mean in gallery.mean[gallery.person == person].astype(np.float32):
            nearest = np.abs(means - mean).max(axis=1).argmin()
            assert sure[nearest] and np.allclose(means[nearest], mean, atol=1e-3)
    assert len(library.gallery("another model")) == 0


def test_pictures_and_places_are_kept(run: Result, library: Library) -> None:
    library.add(run, ["Ben"])
    with library.reading() as db:
        rows = db.execute(
            "SELECT frame, seconds, jpeg, film.name, film.content, quality FROM exemplar "
            "JOIN picture ON picture.id = picture JOIN film ON film.id = film"
        ).fetchall()
    assert rows and {row[4] for row in rows} == {"1" * 64}
    pictures = {run.pictures.jpeg(row) for row in range(len(run.pictures))}
    for frame, seconds, jpeg, name, _, quality in rows:
        assert jpeg in pictures and name == "large" and quality == 0.5
        assert seconds == run.films[0].seconds(frame)


def test_the_same_run_again_changes_nothing(run: Result, library: Library) -> None:
    library.add(run)
    before = content(library.path)
    again = library.add(open_run(run.folder))
    assert [(one.new, one.added, one.gone) for one in again.people] == [(False, 0, 0)] * 3
    assert content(library.path) == before


def test_other_films_keep_the_set_bounded_and_add_to_it(
    run: Result, library: Library, tmp_path: Path
) -> None:
    library.add(run)
    before = {one.name: one.key for one in library.people}
    second = open_run(_another_film(tmp_path / "other"))
    second.edits.name(1, "anna")
    second.edits.name(2, "Dora")
    added = library.add(second)
    assert {one.name: one.new for one in added.people} == {"Anna": False, "Dora": True}
    known = {one.name: one for one in library.people}
    assert known["Anna"].key == before["Anna"] and known["Anna"].films == 2
    assert known["Anna"].exemplars <= EXEMPLARS * LOOKS
    state = content(library.path)
    library.add(run)
    library.add(second)
    assert content(library.path) == state  # whichever of them comes again


def _another_film(folder: Path) -> Path:
    """Write a run over a film of other content."""
    store = Store(write_large_run(folder, 200, 8))
    store.manifest["films"][0]["content"] = "2" * 64
    store.write_manifest()
    return folder


def test_a_name_alone_is_a_name_and_a_path_a_text(
    run: Result, library: Library, tmp_path: Path
) -> None:
    library.add(str(run.folder), "Anna")
    library.add(run, 2)
    assert [one.name for one in library.people] == ["Anna", "Ben"]
    assert library.export(str(tmp_path / "out.zip"), "Anna")[0] == 1
    assert library.write_page(str(tmp_path / "all.html")).exists()
    with pytest.raises(LibraryError):
        library.bring(str(tmp_path / "none.zip"))
    (failed,) = library.photos("Carla", str(tmp_path / "none.jpg")).failed
    assert "none.jpg" in failed.message


def test_a_page_of_very_many_has_a_few_faces_of_each(
    run: Result, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add(run)
    every = sum(one.exemplars for one in library.people)
    whole = library.write_page(tmp_path / "all.html").read_text(encoding="utf-8")
    assert whole.count("<img") == every > 2 * len(library.people) and "of them here" not in whole
    monkeypatch.setattr(page, "MOST_BYTES", 2 * page.EACH * len(library.people))
    some = library.write_page(tmp_path / "some.html").read_text(encoding="utf-8")
    assert some.count("<img") == 2 * len(library.people)
    assert some.count("2 of them here") == len(library.people)
    monkeypatch.setattr(page, "MOST_BYTES", page.EACH)
    none = library.write_page(tmp_path / "none.html").read_text(encoding="utf-8")
    assert "<img" not in none and "Anna" in none


def test_what_corrections_deny_is_withdrawn(run: Result, library: Library) -> None:
    library.add(run)
    with library.reading() as db:
        (frame,) = db.execute(
            "SELECT frame FROM exemplar JOIN person ON person.id = person WHERE name = 'Anna'"
        ).fetchone()
    crop = int(np.flatnonzero(run.crop_frame == frame)[0])
    track = int(run.crop_track[crop])
    run.edits.not_this("Anna", track)
    added = library.add(run)
    (anna,) = [one for one in added.people if one.name == "Anna"]
    assert anna.gone >= 1
    anchors = _anchors(library, "Anna")
    assert str(list(run.edits.base.places[track][0].record())[1]) not in {
        anchor.split(", ")[1] for anchor in anchors
    }
    assert "withdraw" in {entry.verb for entry in library.log("Anna")}
    run.edits.name("Ben", "")  # nobody any more
    library.add(run)
    assert _anchors(library, "Ben") == []
    assert {one.name: one.exemplars for one in library.people}["Ben"] == 0


def test_a_run_that_was_moved_is_the_same_run(run: Result, library: Library) -> None:
    library.add(run)
    before = _anchors(library, "Anna")
    moved = open_run(run.folder.rename(run.folder.with_name("moved")))
    anchors = [anchor_of(moved, track) for track in range(len(moved.tracks))]
    moved.edits.not_this("Anna", anchors.index(before[0]))
    added = library.add(moved)
    assert [one.name for one in added.people if one.added or one.gone] == ["Anna"]
    after = _anchors(library, "Anna")
    assert before[0] not in after
    # A copy beside it has tracks of its own, which are there already.
    shutil.copytree(moved.folder, moved.folder.with_name("copy"))
    library.add(moved.folder.with_name("copy"))
    assert _anchors(library, "Anna") == after
    assert [path.name for path in library.runs] == ["run", "moved", "copy"]


def _anchors(library: Library, name: str) -> list[str]:
    with library.reading() as db:
        rows = db.execute(
            "SELECT anchor FROM exemplar JOIN person ON person.id = person WHERE name = ?", (name,)
        )
        return [anchor for (anchor,) in rows]


def test_tracks_that_a_person_placed_need_no_confidence(run: Result, library: Library) -> None:
    unsure = np.flatnonzero((run.cast.character == 6) & (run.cast.confidence < SURE))
    run.edits.name(7, "Gil")
    before = library.add(run, ["Gil"]).people[0].exemplars
    run.edits.confirm(unsure.tolist())
    after = library.add(run, ["Gil"])
    assert len(unsure) and after.people[0].added > 0
    assert before <= EXEMPLARS * LOOKS
    with library.reading() as db:
        assert db.execute("SELECT count(*) FROM exemplar WHERE hand").fetchone()[0] > 0


def test_one_without_a_sure_track_is_named(run: Result, library: Library) -> None:
    lone = run.cast.character == 2
    object.__setattr__(run, "clustering", _doubted(run, lone))
    run.__dict__.pop("edits")
    added = library.add(run)
    assert added.unsure == ("Carla",)
    assert [one.name for one in added.people] == ["Anna", "Ben"]
    assert "Carla" not in library


def _doubted(run: Result, tracks: np.ndarray) -> object:
    from dataclasses import replace

    doubt = np.where(tracks, np.float32(0.5), run.clustering.confidence)
    return replace(run.clustering, confidence=doubt)


def test_only_named_characters_are_added(run: Result, library: Library) -> None:
    with pytest.raises(ConfigError, match="Character 5' has no name"):
        library.add(run, [5])
    with pytest.raises(ConfigError, match="no character 'Zoe'"):
        library.add(run, ["Zoe"])
    assert len(library) == 0 and library.log() == []


def test_rename_merge_split_keep_keys_and_runs(run: Result, library: Library) -> None:
    library.add(run)
    anna, ben = (library.people[n] for n in (0, 1))
    with pytest.raises(ConfigError, match="'Ben' is somebody else"):
        library.rename("Anna", "BEN")
    with pytest.raises(NoPersonError, match=r"nobody called 'Bne'"):
        library.rename("Bne", "Bea")
    library.rename("anna", "Anna Smith")
    library.note(anna.key, "  the  doctor ")
    assert library.people[0][:3] == (anna.key, "Anna Smith", "the doctor")
    merged = library.merge("Anna Smith", "Ben")
    assert merged.key == anna.key and "Ben" not in library
    one = library.people[0]
    assert one.exemplars == anna.exemplars + ben.exemplars
    assert one.looks == anna.looks + ben.looks
    state = content(library.path)
    again = library.add(run)  # the run still calls them Anna and Ben
    assert [change.name for change in again.people] == ["Anna Smith", "Anna Smith", "Carla"]
    assert content(library.path) == state
    with library.reading() as db:
        ids = [row[0] for row in db.execute("SELECT id FROM exemplar WHERE person = 1")]
    with pytest.raises(ConfigError, match="'Anna Smith' has no look or exemplar 999"):
        library.split("Anna Smith", "Bea", exemplars=[999])
    with pytest.raises(ConfigError, match="both need an exemplar"):
        library.split("Anna Smith", "Bea", exemplars=ids)
    bea = library.split("Anna Smith", "Bea", exemplars=ids[:2])
    assert bea.key not in (anna.key, ben.key)
    assert {one.name: one.exemplars for one in library.people}["Bea"] == 2
    state = content(library.path)
    library.add(run)
    assert content(library.path) == state  # what was split stays so


def test_the_record_says_who_did_what_and_holds_no_name(
    run: Result, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_AUTHOR", "editor 7")
    library.add(run, ["Anna"])
    library.rename("Anna", "Ada")
    verbs = [(one.verb, one.author, one.name, one.run) for one in library.log()]
    assert verbs == [
        ("add", "editor 7", "Ada", run.folder),
        ("rename", "editor 7", "Ada", None),
    ]
    with library.reading() as db:
        said = str(db.execute("SELECT * FROM record").fetchall())
    assert "Anna" not in said and "Ada" not in said
    with library.writing() as db, pytest.raises(sqlite3.IntegrityError, match="only grows"):
        db.execute("DELETE FROM record")
    with library.writing() as db, pytest.raises(sqlite3.IntegrityError, match="only grows"):
        db.execute("UPDATE record SET person = ''")


def test_pictures_and_films_of_nobody_go(run: Result, library: Library) -> None:
    library.add(run)
    with library.writing() as db:
        db.execute("DELETE FROM person")
    with library.reading() as db:
        for table in ("exemplar", "embedding", "picture", "film", "credit"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    assert all(one.new for one in library.add(run).people)  # and they can come again


def test_the_same_track_is_there_once(run: Result, library: Library) -> None:
    library.add(run)
    twin = open_run(shutil.copytree(run.folder, run.folder.with_name("twin")))
    twin.edits.name("Anna", "Zora")  # the same film, and somebody says otherwise
    added = {one.name: one for one in library.add(twin).people}
    with library.reading() as db:
        once = "SELECT count(*), count(DISTINCT anchor) FROM exemplar"
        every, different = db.execute(once).fetchone()
    assert every == different
    assert added["Zora"].elsewhere > 0
    assert added["Ben"].added == 0


def test_weights_of_another_width_are_refused(run: Result, library: Library) -> None:
    library.add(run)
    weights = weights_of(run)
    assert (weights.digest, weights.model, weights.width) == ("drawn", "drawn", 8)
    with library.writing() as db:
        db.execute("UPDATE weights SET width = 16")
    with pytest.raises(StoreError, match="knows 'drawn' with 16 values"):
        library.add(run, ["Anna"])
