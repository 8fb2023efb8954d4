"""The run folder: every table comes back as it was, every fault is named, nothing is mixed."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import tables
from tests.drawn import snapshot
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.clustering.known.suggested import Suggested
from videoclusternet.engine.in_parts import Notes
from videoclusternet.errors import StoreError
from videoclusternet.result import described as results
from videoclusternet.result.result import open_run
from videoclusternet.runfolder.files import replacing
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.manifest import FORMAT, read_manifest
from videoclusternet.runfolder.table_files import read_table, table_path, write_table
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    CropWeights,
    DetectorSizes,
    Embeddings,
    Epochs,
    Faces,
    Judgement,
    Links,
    Merges,
    Motion,
    Rounds,
    Table,
    Tracks,
    Transitions,
)

KINDS = sorted(Table.__subclasses__(), key=lambda kind: kind.__name__)


def filled(kind: type[Table], rows: int) -> Table:
    """Make a table of a kind with this many rows."""
    rng = np.random.default_rng(rows)
    real = rng.normal(size=rows)
    every = _seen(rows, real, rng) + _made_of_it(rows, real, rng)
    return next(table for table in every if type(table) is kind)


def _seen(rows: int, real: np.ndarray, rng: np.random.Generator) -> list[Table]:
    """Make the tables of what is in the film."""
    return [
        replace(
            tables.video(rows, "24000/1001", 641),
            path="Das große [Fest]\n2.mp4",
            base="1/90000",
            pts=np.arange(rows) * 3754 + 2**40,
            end=rows * 3754 + 2**40,
            key=real > 0,
            mark=np.arange(rows)[::-1] << 40,
        ),
        DetectorSizes(np.arange(rows), np.arange(rows) + 1, rows + 2, 1280),
        tables.shots(*range(0, 20 * (rows + 1), 20)),
        tables.scores(real),
        Transitions(real),
        tables.looks(range(rows)),
        Motion(np.arange(rows) * 3, rng.normal(size=(rows, 2, 3))),
        tables.faces([(n // 2, n, 2.5, n + 40, 60) for n in range(rows)], 3, 0.7),
        # Lists of different lengths, an empty one among them.
        tables.tracks(
            [(n, 9 * n, 9 * n + 4) for n in range(rows)],
            [list(range(n, n + n % 3)) for n in range(rows)],
            film=[n % 2 for n in range(rows)],
        ),
        Crops(
            np.arange(rows) // 2,
            np.arange(rows),
            np.arange(rows) - 1,
            np.full(rows, 2**32 - 1),
            rows + 4,
        ),
    ]


def _made_of_it(rows: int, real: np.ndarray, rng: np.random.Generator) -> list[Table]:
    """Make the tables of what is found in it."""
    return [
        Embeddings(
            np.arange(rows),
            np.arange(rows),
            rng.normal(size=(rows, 8)),
            real,
            rows + 1,
            "colours",
        ),
        tables.views_of_every(rng.normal(size=(rows, 6, 8)), 2),
        Gallery(
            person=np.arange(rows),
            look=np.zeros(rows),
            mean=rng.normal(size=(rows, 8)),
            length=real,
            threshold=np.full(rows, np.nan),
            people=tuple(map(str, range(rows))),
            names=("Anna",) * rows,
            films=(2,) * rows,
            weights="colours",
        ),
        Suggested(np.arange(rows), real, tuple(map(str, range(rows)))),
        Cast(
            np.arange(rows) - 1,
            np.arange(rows) == 0,
            real,
            np.where(np.arange(rows) == 0, np.nan, real),
            real,
            np.full(rows, -1),
            "frozen/or",
        ),
        Links(np.arange(rows), np.arange(rows) + 1, real),
        CropWeights(real),
        Judgement(
            reason=np.arange(rows) % 7,
            size=real,
            score=real,
            sure=np.arange(rows) != 1,
            company=np.where(np.arange(rows) == 0, np.nan, real),
            least_size=14.0,
            measured=True,
            sure_score=0.85,
            least_company=-1.0,
        ),
        Merges(np.arange(rows), np.arange(rows), np.arange(rows), real, real),
        Candidates(
            np.full(rows, np.nan), np.arange(rows), real, tuple(f"näme {n}" for n in range(rows))
        ),
        Rounds(
            round=np.arange(rows) + 1,
            matches=np.arange(rows),
            jaccard=np.full(rows, np.nan),
            agreement=real,
            stability=real,
            characters=np.arange(rows),
            together=real,
            good=np.arange(rows) != 1,
            digests=tuple("ab" * n for n in range(rows)),
            paired=True,
        ),
        Epochs(np.arange(rows), np.arange(rows), *[real] * 6),
        Notes(tuple(f"line {n}: ü" for n in range(rows))),
    ]


def same(a: Table, b: Table) -> bool:
    """Whether two tables are equal, column by column, type by type."""
    assert type(a) is type(b)
    for name in (field.name for field in fields(a)):
        left, right = getattr(a, name), getattr(b, name)
        if name in a.COLUMNS:
            assert left.dtype == right.dtype and left.shape == right.shape, name
            np.testing.assert_array_equal(left, right, err_msg=name)
        else:
            assert left == right and type(left) is type(right), name
    return a.digest == b.digest


@pytest.mark.parametrize("rows", [0, 1, 7])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_table_comes_back_as_it_was(tmp_path: Path, kind: type[Table], rows: int) -> None:
    table = filled(kind, rows)
    path = table_path(tmp_path, kind)
    write_table(path, table)
    assert same(read_table(path, kind), table)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_every_table_has_a_file_of_its_own() -> None:
    names = [table_path(Path(), kind).name for kind in KINDS]
    assert len(set(names)) == len(names) == len(KINDS)
    others = sorted(name for name in names if not name.endswith(".parquet"))
    named = [name.removesuffix(".safetensors") for name in others]
    assert named == ["embeddings", "gallery", "notes", "views"]


def test_tables_are_plain_parquet_for_others(tmp_path: Path) -> None:
    write_table(tmp_path / "tracks.parquet", filled(Tracks, 4))
    frame = pq.read_table(tmp_path / "tracks.parquet")
    assert frame.column("face").to_pylist() == [[], [1], [2, 3], []]
    assert frame.column("first").to_pylist() == [0, 9, 18, 27]
    write_table(tmp_path / "faces.parquet", filled(Faces, 2))
    frame = pq.read_table(tmp_path / "faces.parquet")
    assert frame.column("box").to_pylist() == [[0, 2.5, 40, 60], [1, 2.5, 41, 60]]


def test_step_comes_back_after_reopening(tmp_path: Path) -> None:
    cast, merges = filled(Cast, 3), filled(Merges, 2)
    store = Store(tmp_path / "deep" / "run", create=True)
    store.save("cast", "abc", (cast, merges), {"inputs": ["x"], "seconds": 1.5})
    again = Store(tmp_path / "deep" / "run")
    assert again.fingerprint("cast") == "abc" and again.fingerprint("scan") is None
    back = again.load("cast", (Cast, Merges))
    assert same(back[0], cast) and same(back[1], merges)
    with pytest.raises(StoreError, match="no finished step 'scan'"):
        again.load("scan", (Faces,))
    with pytest.raises(StoreError, match="no finished step 'cast'"):
        again.load("cast", (Cast, Candidates))


@pytest.mark.parametrize("kind", [Cast, Embeddings], ids=lambda kind: kind.__name__)
def test_table_that_was_changed_behind_our_back(tmp_path: Path, kind: type[Table]) -> None:
    store = Store(tmp_path / "run", create=True)
    store.save("step", "abc", [filled(kind, 3)], {"inputs": []})
    write_table(table_path(store.folder, kind), filled(kind, 4))
    with pytest.raises(StoreError, match="is not what the run wrote"):
        store.load("step", [kind])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("seed", range(4))
def test_file_with_wrong_bytes_never_escapes_as_another_error(
    tmp_path: Path, kind: type[Table], seed: int
) -> None:
    path = table_path(tmp_path, kind)
    table = filled(kind, 7)
    write_table(path, table)
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    places = rng.integers(0, len(data), 6)
    for place in places:
        data[place] = rng.integers(256)
    path.write_bytes(data[: len(data) - seed * 5])
    try:
        found = read_table(path, kind)
    except StoreError as error:
        assert path.name in str(error) and error.exit_code == 5
    else:
        assert isinstance(found, kind)  # the digest in run.json tells


def test_parquet_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cast.parquet"
    pq.write_table(pa.table({"character": [1, 2]}), path)
    with pytest.raises(StoreError, match=r"cast\.parquet is damaged"):
        read_table(path, Cast)
    write_table(tmp_path / "cast.parquet", filled(Merges, 2))
    with pytest.raises(StoreError, match=r"cast\.parquet is damaged"):
        read_table(path, Cast)


def test_columns_of_other_kinds_and_missing_values_are_damage(tmp_path: Path) -> None:
    """But numbers may lie in pieces."""
    path = tmp_path / "tracks.parquet"
    write_table(path, filled(Tracks, 3))
    whole = pq.read_table(path)
    for name in whole.column_names:
        column = whole.column(name)
        gap = pa.array([None, *column.to_pylist()[1:]], column.type)
        others = [gap, pa.array([1.5, 2, 3]), pa.array([[1.5]] * 3, pa.list_(pa.float64(), 1))]
        for other in others:
            at = whole.column_names.index(name)
            pq.write_table(whole.set_column(at, name, other), path)
            with pytest.raises(StoreError, match=r"tracks\.parquet is damaged"):
                read_table(path, Tracks)
    pq.write_table(whole, path, row_group_size=2)
    assert same(read_table(path, Tracks), filled(Tracks, 3))


def test_crash_between_tables_leaves_a_step_to_do_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One table of the new result, one of the old: neither fingerprint may vouch for them."""
    store = Store(tmp_path / "run", create=True)
    store.save("cast", "old", (filled(Cast, 3), filled(Merges, 2)), {"inputs": []})
    whole = os.replace

    def crash(source: Path, target: Path) -> None:
        if Path(target).name == "merges.parquet":
            raise KeyboardInterrupt
        whole(source, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", crash)
        store.save("cast", "new", (filled(Cast, 4), filled(Merges, 3)), {"inputs": []})
    assert Store(tmp_path / "run").fingerprint("cast") is None


def test_failed_write_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "run", create=True)
    store.save("cast", "abc", [filled(Cast, 3)], {"inputs": []})
    before = snapshot(store.folder)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StoreError, match="No space left") as caught:
        store.write_manifest()
    assert "make room" in caught.value.advice
    assert snapshot(store.folder) == before


def test_temporary_file_goes_with_the_error(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert snapshot(tmp_path) == {"page.html": b"old"}
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert snapshot(tmp_path) == {"page.html": b"new"}


def test_parts_exist_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "run", create=True)
    parts = store.parts("scan", "f" * 64)
    kinds = (Faces, Motion)
    assert parts.read("0", kinds) is None

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):

        def stop(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(Path, "replace", stop)
        parts.write("0", (filled(Faces, 3), filled(Motion, 2)))
    assert parts.read("0", kinds) is None
    parts.write("0", (filled(Faces, 5), filled(Motion, 4)))
    back = parts.read("0", kinds)
    assert back is not None and same(back[0], filled(Faces, 5)) and same(back[1], filled(Motion, 4))
    assert store.parts("scan", "e" * 64).read("0", kinds) is None


def test_a_damaged_part_is_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "run", create=True)
    parts, kinds = store.parts("scan", "f" * 64), (Faces, Motion)
    parts.write("0", (filled(Faces, 3), filled(Motion, 2)))
    file = table_path(parts.folder / "0", Motion)
    file.write_bytes(file.read_bytes()[:100])
    assert parts.read("0", kinds) is None
    parts.write("0", (filled(Faces, 5), filled(Motion, 4)))
    back = parts.read("0", kinds)
    assert back is not None and [len(back[0].frame), len(back[1].frame)] == [5, 4]  # type: ignore[attr-defined]


def test_parts_go_when_the_step_is_finished(tmp_path: Path) -> None:
    store = Store(tmp_path / "run", create=True)
    store.write_manifest()
    store.parts("scan", "a" * 64).write("0", [filled(Faces, 1)])
    store.parts("scan", "b" * 64).write("0", [filled(Faces, 1)])
    store.parts("other", "a" * 64).write("0", [filled(Faces, 1)])
    store.drop_parts("scan")
    assert [p.name for p in (store.folder / "parts").iterdir()] == ["other-" + "a" * 16]


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    first, second = (Store(tmp_path / "run", create=True) for _ in range(2))
    with first.locked():
        with pytest.raises(StoreError, match="in use by another run"), second.locked():
            pytest.fail("two writers")
        first.save("cast", "abc", [filled(Cast, 1)], {"inputs": []})
    # The second one sees what the first one did meanwhile.
    with second.locked():
        assert second.fingerprint("cast") == "abc"


def test_manifest_is_readable_by_people(tmp_path: Path) -> None:
    store = Store(tmp_path / "run", create=True)
    store.manifest["films"] = [{"path": "Fräulein.mp4", "content": "0"}]
    store.save("cast", "abc", [filled(Cast, 2)], {"inputs": ["x"], "notes": ["süß"]})
    text = (store.folder / "run.json").read_text(encoding="utf-8")
    assert "Fräulein.mp4" in text and "süß" in text and len(text.splitlines()) > 10
    assert json.loads(text)["format"] == FORMAT


def test_a_byte_of_the_manifest_that_changed_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path / "run", create=True)
    store.save(
        "cast", "abc", [filled(Cast, 2)], {"inputs": [], "seconds": 1.5, "notes": ["all is well"]}
    )
    path = store.folder / "run.json"
    text = path.read_bytes()
    assert read_manifest(path)["steps"]["cast"]["seconds"] == 1.5
    for place in range(len(text)):
        path.write_bytes(text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :])
        with pytest.raises(StoreError):
            read_manifest(path)


FILMS = [{"path": "a.mp4", "content": "0"}]
GIVEN = [{"path": "a.zip", "content": "0", "tracks": ["1"]}]
CONFIG = {"profile": "vcn", "faces": {"detector": "yunet"}, "embed": {"backbone": "dlib"}}
OPTIONS = "--profile vcn --detector yunet --backbone dlib"


@pytest.mark.parametrize(
    ("manifest", "advice"),
    [
        ({"films": FILMS, "config": CONFIG}, f"vcn cluster a.mp4 {OPTIONS} -o"),
        ({"films": FILMS * 2}, "vcn cluster a.mp4 a.mp4 -o"),
        ({"films": GIVEN, "config": CONFIG}, f"vcn cluster-tracks a.zip {OPTIONS} -o"),
        ({"films": GIVEN * 2}, "again into a new folder"),
        ({"films": [{**GIVEN[0], "path": "a.npz"}]}, "again into a new folder"),
        ({}, "vcn cluster FILM -o"),
    ],
)
def test_an_older_format_is_refused_with_a_way_out(
    manifest: dict[str, Any], advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps({"format": 1, "steps": {}, **manifest})
    (tmp_path / "run.json").write_text(text)
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, Path()):
        with pytest.raises(StoreError, match="format 1, of an earlier version") as told:
            Store(folder)
        assert advice in told.value.advice
    assert (tmp_path / "run.json").read_text() == text


def test_boxes_of_an_older_format_come_with_their_film(tmp_path: Path) -> None:
    step = {"fingerprint": "f", "tables": {}, "inputs": []}
    films = [{**GIVEN[0], "path": "a film.mp4"}]
    text = json.dumps({"format": 1, "steps": {"video": step}, "films": films})
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(StoreError) as told:
        Store(tmp_path)
    assert "vcn cluster-tracks BOXES --film 'a film.mp4' -o" in told.value.advice


@pytest.mark.parametrize("name", ["http:x", "pipe:0", "s3:a", os.fsdecode(b"\xff\xfe"), "a%20b"])
def test_folders_whose_names_look_like_addresses(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind in (Cast, Embeddings):
        path = table_path(Path(name), kind)
        path.parent.mkdir(exist_ok=True)
        write_table(path, filled(kind, 3))
        assert read_table(path, kind).digest == filled(kind, 3).digest


def test_views_and_weights_of_other_crops_are_refused(
    drawn_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, real = open_run(drawn_run), results._embeddings
    assert len(drawn.views) and len(drawn.weights.weight) == len(drawn.embeddings)
    monkeypatch.setattr(results, "_embeddings", lambda film: real(film).take(slice(0, 2)))
    again = open_run(drawn_run)
    for name in ("views", "weights"):
        with pytest.raises(StoreError, match="do not belong together"):
            getattr(again, name)
