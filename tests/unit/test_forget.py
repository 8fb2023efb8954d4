"""Forgetting a person in a run folder: no byte of them is left, everybody else stays."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

from tests.conftest import Vcn
from tests.drawn import QUICKLY, FakeModels, draw_film
from tests.kills import KILLS, MANY, Killer
from videoclusternet import Result, cluster_film, export_run, open_run
from videoclusternet.clustering.known.suggested import Suggested
from videoclusternet.errors import ConfigError, ConflictError, NoCharacterError, StoreError
from videoclusternet.forget import run as forgetting
from videoclusternet.forget.run import forget, looked_up
from videoclusternet.forget.tables import merges_without, read, suggested_without
from videoclusternet.report.page import write_report
from videoclusternet.result.edit_log import EDITS
from videoclusternet.review.recluster import recluster
from videoclusternet.runfolder import pending
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.manifest import FORGOTTEN
from videoclusternet.show.hints import hints
from videoclusternet.types import Looks, Merges, Reason, Table

NAME = 'Zoë "Zebulon" Ω'
SEAM = b" -- the end of a file -- "
"""Nothing that is looked for holds it: to look through all files at once is much quicker."""
SCENES = (("red",), ("blue", "green"), ("red", "blue"), ("green",))
OTHERS = (("green", "red"), ("blue",))


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films of three people: red is character 1, with three tracks; read only."""
    home = tmp_path_factory.mktemp("series")
    films = [draw_film(home / "a.mp4", SCENES), draw_film(home / "b.mp4", OTHERS)]
    with pytest.MonkeyPatch.context() as patch:
        FakeModels(patch)
        return cluster_film(films, home / "run", QUICKLY).folder


@pytest.fixture(scope="module")
def marked(series: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, with names, notes, and much that may show red; read only too."""
    folder = Path(shutil.copytree(series, tmp_path_factory.mktemp("marked") / "run"))
    result = open_run(folder)
    assert result.cast.character.tolist() == [0, 1, 2, 0, 1, 2, 2, 0, 1]
    result.edits.name(1, NAME)
    result.edits.note(2, f"stands beside {NAME}")
    result.edits.name(2, "Beth")
    result.edits.confirm([1, 3])
    write_report(result, folder / "report.html")
    for name in ("preview-0.mp4", "learning.svg", ".left.tmp"):
        (folder / name).write_text(f"{NAME} in moving pictures")
    for name in ("adapt/round-01", "parts/scan-00", "recluster/9", "films/000-a/parts/embeddings"):
        (folder / name).mkdir(parents=True)
        (folder / name / "state.json").write_text(json.dumps({"who": NAME}))
    return folder


@pytest.fixture
def run(marked: Path, tmp_path: Path) -> Result:
    """A copy of it, to forget in."""
    return open_run(shutil.copytree(marked, tmp_path / "run"))


def secrets(run: Result, character: int) -> dict[str, bytes]:
    """Bytes that tell of a character: embeddings and views in both widths, pictures, the name."""
    gone = run.cast.character == character
    found = {"name": NAME.encode(), "in JSON": json.dumps(NAME).encode()[1:-1]}
    found["in HTML"] = b"Zebulon"
    rows = np.flatnonzero(gone[run.embeddings.track])
    vectors = [run.embeddings.base[rows], run.views.base[np.isin(run.views.row, rows)]]
    for kind, values in zip(("embedding", "view"), vectors, strict=True):
        for number, row in enumerate(values.reshape(-1, values.shape[-1])):
            for width in (np.float16, np.float32, np.float64):
                found[f"{kind} {number} {width.__name__}"] = row.astype(width).tobytes()
    for row in np.flatnonzero(gone[run.crop_track]).tolist():
        found[f"picture {row}"] = run.pictures.jpeg(row)[200:]  # the head is that of all
    for number, film in enumerate(run.films):
        if (looks := read(Store(film.folder), Looks)) is None:
            continue
        for track in np.flatnonzero(gone[run.tracks.film == number]).tolist():
            for row in film.tracks.faces_of(track).tolist():
                found[f"look {number} {row}"] = looks.picture[row].tobytes()
    return found


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file raw, every member of a zip unpacked, every table read back."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        yield name, name.encode() + path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    yield f"{name}/{member}", archive.read(member)
        elif path.suffix == ".parquet":
            table = pq.read_table(path)
            for column in table.column_names:
                values = table[column].combine_chunks()
                while hasattr(values, "flatten") and values.type.num_fields:
                    values = values.flatten()
                yield f"{name}/{column}", values.to_numpy(zero_copy_only=False).tobytes()
            yield f"{name}/meta", json.dumps(str(table.schema.metadata)).encode()
        elif path.suffix == ".safetensors":
            for column, array in safetensors.numpy.load_file(path).items():
                yield f"{name}/{column}", array.tobytes()


def found_in(folder: Path, wanted: dict[str, bytes]) -> set[str]:
    """Which secrets a folder holds."""
    every = SEAM.join(text for _, text in contents(folder))
    return {what for what, data in wanted.items() if data in every}


def test_no_byte_of_a_forgotten_person_is_left(run: Result) -> None:
    wanted, kept = secrets(run, 0), secrets(run, 1)
    before = found_in(run.folder, wanted)
    kinds = ("name", "in", "embedding 0 float32", "view 0 float32", "picture", "look")
    assert all(any(one.startswith(kind) for one in before) for kind in kinds)
    forget(run.folder, NAME)
    assert found_in(run.folder, wanted) == set()
    others = {what for what in kept if what.startswith(("embedding 0 float32", "picture"))}
    assert others <= found_in(run.folder, {what: kept[what] for what in others})


def test_everybody_else_is_as_before(run: Result, tmp_path: Path) -> None:
    run = open_run(shutil.copytree(run.folder, tmp_path / "before"))
    forget(tmp_path / "run", NAME, "Carla")
    after = open_run(tmp_path / "run")
    gone = run.cast.character == 0
    assert after.cast.character.tolist() == [-1, 1, 2, -1, 1, 2, 2, -1, 1]
    assert (after.cast.reason[gone] == Reason.FORGOTTEN).all()
    assert [person.label for person in after.people.values()] == ["Beth", "Character 3"]
    assert after.edits.people[1].note == "stands beside [forgotten]"
    assert np.array_equal(after.tracks.first, run.tracks.first)
    assert np.array_equal(after.ends, run.ends)
    rows = ~gone[run.embeddings.track]
    assert np.array_equal(after.embeddings.base, run.embeddings.base[rows])
    seen = ~gone[run.crop_track]
    kept = [run.pictures.jpeg(row) for row in np.flatnonzero(seen).tolist()]
    assert [after.pictures.jpeg(row) for row in range(len(after.pictures))] == kept
    mine = np.isin(run.views.row, np.flatnonzero(rows))
    assert np.array_equal(after.views.base, run.views.base[mine])
    of_views = run.embeddings.base[run.views.row[mine]]
    assert np.array_equal(after.embeddings.base[after.views.row], of_views)
    assert np.array_equal(after.weights.weight, run.weights.weight[rows])
    said = Store(after.folder).manifest[FORGOTTEN]
    assert [(one["by"], one["tracks"]) for one in said] == [("Carla", 3)]
    assert "Zebulon" not in (after.folder / "cast.html").read_text()
    assert not any("find no place" in hint.text for hint in hints(after))


def test_what_was_decided_is_on_record_and_cannot_be_undone(run: Result, vcn: Vcn) -> None:
    forget(run.folder, 1)
    edits = open_run(run.folder).edits
    held = [(edit.verb, edit.text) for edit in edits.done]
    assert held[:2] == [("name", "Beth"), ("note", "stands beside [forgotten]")]
    assert edits.done[2].verb == "confirm" and edits.unplaced == {}
    past = [(edit.verb, edit.text) for edit in edits.past]
    # What was said of tracks of both goes as a whole.
    kept = [("past", 'name 2 "Beth"')]
    assert past == [("past", ""), ("past", ""), *kept, ("past", ""), ("forget", "")]
    with pytest.raises(ConfigError, match="nothing to take back since somebody was forgotten"):
        edits.undo()
    edits.name(3, "Carl")
    edits.undo()
    assert open_run(run.folder).called(2) == "Character 3"
    shown = vcn("edit", run.folder, "log").out
    assert "of somebody who was forgotten" in shown and "settled" in shown and "Beth" in shown


def test_another_one_can_be_forgotten_too(run: Result) -> None:
    run.edits.name(3, "Carl")
    forget(run.folder, NAME)
    both = secrets(open_run(run.folder), 1) | {"name 2": b"Beth", "name": NAME.encode()}
    wanted = {what: data for what, data in both.items() if "look" not in what}  # gone already
    forget(run.folder, "Beth")
    after = open_run(run.folder)
    assert found_in(run.folder, wanted) == set()
    assert after.cast.character.tolist() == [-1, -1, 2, -1, -1, 2, 2, -1, -1]
    forget(run.folder, 3)
    assert not open_run(run.folder).people and not len(open_run(run.folder).embeddings)


def test_a_forgotten_run_is_read_by_every_command(run: Result, vcn: Vcn, tmp_path: Path) -> None:
    vcn("forget", run.folder, "1", "--yes")
    for words in (
        ("show", run.folder),
        ("show", run.folder, "--json"),
        ("show", run.folder, "--candidates"),
        ("query", run.folder, "Beth & 3"),
        ("query", run.folder, "Unknown"),
        ("report", run.folder, "-o", tmp_path / "r.html"),
        ("why", run.folder, "1", "4", "-o", tmp_path / "why.html"),
        ("why", run.folder, "0", "1"),
        ("recluster", run.folder),
        ("edit", run.folder, "not", "Beth", "--track", "1"),
        ("recluster", run.folder),
        ("edit", run.folder, "undo"),
        ("edit", run.folder, "log", "--json"),
    ):
        found = vcn(*words)
        assert found.code == 0, found
        assert "Zebulon" not in found.out + found.err
    for ending in ("csv", "json", "srt", "edl", "otio", "pdf", "parquet"):
        export_run(open_run(run.folder), tmp_path / f"x.{ending}", unknown=True)
    for what in ("appearances", "characters", "tracks", "faces"):
        assert len(open_run(run.folder).to_pandas(what, unknown=True))  # type: ignore[arg-type]


def test_review_of_a_forgotten_run(run: Result) -> None:
    from videoclusternet.review.web.desk import Desk

    desk = Desk(run.folder)
    desk.state()
    forget(run.folder, 1)
    with pytest.raises(ConflictError, match="was written anew"):
        desk.state()
    with pytest.raises(ConflictError, match="was written anew"):
        desk.state()
    fresh = Desk(run.folder)
    assert fresh.state()["undo"] == "" and len(fresh.run()["tracks"]["film"]) == 9


def test_review_of_a_run_that_nobody_had_edited(series: Path, tmp_path: Path) -> None:
    from videoclusternet.review.web.desk import Desk

    desk = Desk(Path(shutil.copytree(series, tmp_path / "run")))
    desk.state()
    forget(tmp_path / "run", 1)
    for _ in range(2):
        with pytest.raises(ConflictError, match="was written anew"):
            desk.state()


@pytest.mark.slow
def test_reclustering_and_learning_go_on_without(run: Result, fake_models: FakeModels) -> None:
    from videoclusternet.config import Config
    from videoclusternet.pipeline import adapt_run

    forget(run.folder, 1)
    result, _ = recluster(run.folder)
    assert (result.cast.character[[0, 3, 7]] == -1).all()
    again = adapt_run(run.folder, Config.load("vcn", settings=("adapt.rounds=1", "adapt.epochs=1")))
    assert (again.cast.character[[0, 3, 7]] == -1).all()
    assert (again.cast.reason[[0, 3, 7]] == Reason.FORGOTTEN).all()
    assert "Beth" in [person.name for person in again.people.values()]
    forget(run.folder, "Beth")
    after = open_run(run.folder)
    assert "round" not in after.cast.chosen and not (run.folder / "adapt").exists()
    recluster(run.folder)


def test_the_film_is_not_looked_at_again_into_that_folder(
    run: Result, fake_models: FakeModels, series: Path
) -> None:
    forget(run.folder, 1)
    films = [series.parent / "a.mp4", series.parent / "b.mp4"]
    with pytest.raises(StoreError, match="whom looking at the film again would find"):
        cluster_film(films, run.folder, QUICKLY)
    assert open_run(run.folder).cast.character.tolist()[0] == -1


def test_unknown_tracks_that_probably_show_the_person_go_too(run: Result) -> None:
    cast = run.clustering
    unsure = np.arange(9) == 3
    changed = replace(
        cast,
        character=np.where(unsure, -1, cast.character),
        reason=np.where(unsure, Reason.UNSURE, cast.reason),
        probable=np.where(unsure, 0, -1),
    )
    shutil.rmtree(run.folder / "adapt")
    (run.folder / EDITS).unlink()
    store = Store(run.folder)
    found = store.manifest["steps"]["cast"]
    store.save(
        "cast",
        found["fingerprint"],
        [changed, run.clustering_merges, run.candidates],
        {"inputs": found["inputs"]},
    )
    assert looked_up(open_run(run.folder), 1).tracks == 3
    forget(run.folder, 1)
    assert open_run(run.folder).cast.reason[3] == Reason.FORGOTTEN


def test_crops_without_a_film(tmp_path: Path, labelled: Path) -> None:
    from videoclusternet import cluster_tracks

    result = cluster_tracks(labelled / "discs.zip", tmp_path / "crops", QUICKLY)
    named = open_run(result.folder)
    number = next(iter(named.people)) + 1
    went = forget(result.folder, number)
    after = open_run(result.folder)
    assert len(after.pictures) == len(named.pictures) - went.pictures > 0
    names = after.films[0].track_names
    assert [name.startswith("forgotten-") for name in names] == (after.cast.character < 0).tolist()


def test_a_film_that_is_there_twice(fake_models: FakeModels, series: Path, tmp_path: Path) -> None:
    film = series.parent / "b.mp4"
    result = cluster_film([film, film], tmp_path / "twice", QUICKLY)
    result.edits.split(1, [0])  # of one of the two films alone
    number = int(open_run(result.folder).cast.character[0]) + 1
    forget(result.folder, number)
    after = open_run(result.folder)
    assert (after.cast.character < 0).tolist() == [True] + [False] * (len(after.tracks) - 1)
    assert len(after.embeddings) == len(after.pictures) and len(after.views)


def test_nobody_else_can_be_meant(run: Result, vcn: Vcn) -> None:
    with pytest.raises(NoCharacterError, match="there is no character"):
        forget(run.folder, "Nobody")
    with pytest.raises(NoCharacterError, match="there is no character ''"):
        forget(run.folder, " ")
    with pytest.raises(ConfigError, match="the Unknown are nobody"):
        forget(run.folder, "Unknown")
    seen = looked_up(run, 1)
    run.edits.move(1, 1)
    with pytest.raises(ConflictError, match="has changed meanwhile"):
        forget(run.folder, 1, expected=seen)
    assert vcn("forget", run.folder, NAME, "--dry-run").code == 0
    refused = vcn("forget", run.folder, NAME)
    assert refused.code == 2 and "say --yes" in refused.err
    assert NAME in [person.name for person in open_run(run.folder).people.values()]


def test_a_folder_in_use_or_full_is_left_as_it_is(
    run: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(run.folder).locked(), pytest.raises(StoreError, match="is still being computed"):
        forget(run.folder, 1)

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(forgetting, "write_table", full)
    with pytest.raises((StoreError, OSError), match="No space left"):
        forget(run.folder, 1)
    assert open_run(run.folder).called(0) == NAME
    assert not list(run.folder.glob(".*.tmp"))


def test_who_opens_the_folder_next_finishes(run: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pending, "_remove", killed)
    with pytest.raises(KeyboardInterrupt):
        forget(run.folder, NAME)
    with pytest.raises(KeyboardInterrupt):
        open_run(run.folder)
    monkeypatch.undo()
    wanted = {"name": NAME.encode(), "in JSON": json.dumps(NAME).encode()[1:-1]}
    assert (run.folder / pending.PENDING).is_dir()
    assert found_in(run.folder, wanted)
    open_run(run.folder)
    assert not found_in(run.folder, wanted) and not (run.folder / pending.PENDING).exists()


def test_a_stranger_folder_cannot_reach_out(run: Result, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (run.folder / pending.PENDING / "deep").mkdir(parents=True)
    (run.folder / pending.PENDING / "deep" / "x").write_text("x")
    with pytest.raises(StoreError, match="none of ours"):
        open_run(run.folder)
    shutil.rmtree(run.folder / pending.PENDING)
    (run.folder / pending.PENDING).symlink_to(elsewhere)
    with pytest.raises(StoreError, match="link to elsewhere"):
        open_run(run.folder)
    (run.folder / pending.PENDING).unlink()
    shutil.rmtree(run.folder / "adapt")
    (elsewhere / "precious").write_text("x")
    (run.folder / "adapt").symlink_to(elsewhere)
    (run.folder / pending.PENDING).mkdir()
    pending.recover(run.folder)
    assert (elsewhere / "precious").exists() and not (run.folder / "adapt").is_symlink()


def test_joins_are_told_of_those_who_are_left() -> None:
    joins = [(0, 1), (2, 3), (0, 2), (4, 5), (0, 4)]
    a, b = np.array(joins).T
    five = np.arange(5)
    merges = Merges(five, a, b, five / 10, np.ones(5))
    gone = np.isin(np.arange(6), (0, 5))
    left = merges_without(merges, gone)
    assert list(zip(left.a.tolist(), left.b.tolist(), strict=True)) == [(2, 3), (1, 2), (1, 4)]
    assert left.round.tolist() == [1, 2, 4]


def test_who_of_a_library_it_seemed_to_be_goes_too(run: Result) -> None:
    keys = ("key of red", "key of blue")
    suggested = Suggested(np.array([0, 1]), np.array([0.9, 0.8]), keys)
    assert suggested_without(suggested, run.clustering).people == keys
    Store(run.folder).save("known", "0" * 64, [suggested], {"inputs": []})
    forget(run.folder, 1)
    left = read(Store(run.folder), Suggested)
    assert left is not None and (left.character.tolist(), left.people) == ([1], keys[1:])
    assert b"key of red" not in (run.folder / "suggested.parquet").read_bytes()


KILLED = """
import sys
from pathlib import Path
from videoclusternet.forget.run import forget
print("ready", flush=True)
forget(Path(sys.argv[1]), 1)
print("done", flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_moment_a_person_is_wholly_there_or_wholly_gone(
    run: Result, tmp_path: Path
) -> None:
    wanted, killer, ends = secrets(run, 0), Killer(KILLED), Counter[bool]()
    whole = found_in(run.folder, wanted)
    for moment in killer.moments():
        folder = Path(shutil.copytree(run.folder, tmp_path / "copy"))
        done = killer.run(moment, folder)
        after = open_run(folder)
        left = found_in(folder, wanted)
        gone = bool((after.cast.character[[0, 3, 7]] == -1).all())
        assert left == (set() if gone else whole), moment
        assert gone or not done
        ends[gone] += moment is not None
        recluster(folder)
        shutil.rmtree(folder)
    assert KILLS < MANY or min(ends[True], ends[False]) > 0, ends


def test_every_table_of_tracks_is_gone_through() -> None:
    """Whoever adds a table that tells of a track says here what becomes of it."""
    import videoclusternet.clustering.known.gallery
    import videoclusternet.pipeline  # noqa: F401  that knows all steps
    from videoclusternet.forget.run import _kinds
    from videoclusternet.forget.tables import CHANGED

    others = {
        "Candidates", "Cast", "DetectorSizes", "Epochs", "FrameScores", "Gallery", "Links",
        "Merges", "Motion", "Notes", "Rounds", "Shots", "Suggested", "Transitions", "VideoInfo",
    }  # fmt: skip
    ours = {kind for kind in _kinds(Table) if kind.__module__.startswith("videoclusternet.")}
    assert {kind.__name__ for kind in CHANGED} | others == {kind.__name__ for kind in ours}
