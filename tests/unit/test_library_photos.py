"""People from photographs, and pictures described by another model; stand-in networks."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import Vcn
from tests.drawn import FakeModels, draw
from videoclusternet import open_library, open_run
from videoclusternet.errors import DataError
from videoclusternet.library.adding.cut import read_photo
from videoclusternet.library.adding.offered import weights_of
from videoclusternet.library.adding.photos import names_in


def photo(path: Path, *people: str, when: float = 0.5, size: int = 1) -> Path:
    """Write a picture of discs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.kron(draw(people, 90, when), np.ones((size, size, 1), np.uint8))
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def test_file_names_are_names(tmp_path: Path) -> None:
    files = (
        "Anna Smith.jpg",
        "Anna Smith 2.JPG",
        "Anna_Smith(3).png",
        "Anna_Smith-4.webp",
        "R2D2.jpg",
        "Ben Hur/any 1.jpg",
        "Ben Hur/._any 1.jpg",
        "Ben Hur/1959/posters/any.png",
        "Ben Hur/.thumbnails/any.png",
        ".thumbnails/Carl.jpg",
        "Dora.HEIC",
        "notes.txt",
    )
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = {name: len(paths) for name, paths in names_in(tmp_path).items()}
    assert found == {"Anna Smith": 4, "R2D2": 1, "Ben Hur": 2, "Dora": 1}
    with pytest.raises(DataError, match="is no folder"):
        names_in(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no photograph"):
        names_in(tmp_path / "empty")


def test_people_of_photographs_are_found_by_the_same_model(
    fake_models: FakeModels, drawn_run: Path, tmp_path: Path, vcn: Vcn
) -> None:
    photo(tmp_path / "in" / "Red.jpg", "red")
    photo(tmp_path / "in" / "Red 2.png", "red", when=0.1, size=8)
    photo(tmp_path / "in" / "Blue.jpg", "blue")
    path = tmp_path / "library.db"
    done = vcn("library", "people", tmp_path / "in", "--library", path)
    assert (done.code, done.err) == (0, "")
    assert done.out.split() == ["Blue:", "1", "photograph", "Red:", "2", "photographs"]
    again = vcn("library", "people", tmp_path / "in", "--library", path, "--json")
    assert '"present": 3' in again.out
    run = open_run(drawn_run)
    with open_library(path) as library:
        known = library.gallery(weights_of(run).digest)
        assert known.names == ("Blue", "Red")
        unit = known.mean.astype(np.float32)
        red = run.embeddings.base[run.embeddings.track == 0].mean(axis=0)  # its first track
        near = unit @ red / np.linalg.norm(red)
        assert known.person[near.argmax()] == 1
        assert np.isfinite(known.threshold).all() and (known.length > 0).all()
        photos = library.exemplars("Red")
        assert {one.source for one in photos} == {"Red.jpg", "Red 2.png"}
        assert all(one.hand and one.pictured and one.crops == 1 for one in photos)
        assert [(one.verb, one.exemplars) for one in library.log("Red")] == [("photo", 2)]
        assert library.verify() == []


def test_what_shows_no_face_or_several_is_named_and_others_go_on(
    fake_models: FakeModels, tmp_path: Path, vcn: Vcn
) -> None:
    photos = [
        photo(tmp_path / "good.jpg", "red"),
        photo(tmp_path / "two.jpg", "red", "blue"),
        photo(tmp_path / "nobody.jpg"),
        tmp_path / "text.jpg",
        tmp_path / "missing.jpg",
    ]
    photos[3].write_text("no picture")
    path = tmp_path / "library.db"
    done = vcn("library", "person", "Red", *photos, "--library", path)
    assert done.code == 6 and done.out == "Red: 1 photograph\n"
    said = done.err.splitlines()
    assert all(line.startswith("vcn: ") for line in said) and len(said) == 4
    assert "two.jpg shows 2 faces" in said[0] and "nobody.jpg shows no face" in said[1]
    assert "text.jpg is not a picture" in said[2] and "cannot read" in said[3]
    with open_library(path) as library:
        assert [one.exemplars for one in library.people] == [1]
    photo(tmp_path / "in" / "2034.jpg", "red")
    photo(tmp_path / "in" / "Green.jpg", "green")
    done = vcn("library", "people", tmp_path / "in", "--library", path)
    assert (done.code, done.out) == (6, "Green: 1 photograph\n")
    assert "2034.jpg: '2034' would be taken for a number" in done.err
    assert vcn("library", "person", "7", photos[0], "--library", path).code == 2


def test_a_photograph_of_too_many_pixels_is_said_to_be(tmp_path: Path) -> None:
    head = struct.pack(">4sIIBBBBB", b"IHDR", 19_999, 19_999, 1, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT")
    with pytest.raises(DataError, match="has too many pixels"):
        read_photo(tmp_path / "bomb.png")


def test_photographs_stay_whatever_films_bring(
    fake_models: FakeModels, drawn_run: Path, tmp_path: Path
) -> None:
    import shutil

    run = open_run(shutil.copytree(drawn_run, tmp_path / "run"))
    run.edits.name(1, "Red")
    run.edits.confirm(np.flatnonzero(run.cast.character == 0).tolist())
    with open_library(tmp_path / "library.db", create=True) as library:
        library.photos("red", [photo(tmp_path / "a.jpg", "red")])
        library.add(run)
        (red,) = library.people
        assert red.name == "red" and red.exemplars == 3 and red.films == 1
        assert {one.source for one in library.exemplars("Red")} == {"a.jpg", ""}


def test_pictures_are_described_by_another_model(
    fake_models: FakeModels, tmp_path: Path, vcn: Vcn
) -> None:
    path = tmp_path / "library.db"
    with open_library(path, create=True) as library:
        library.photos("Red", [photo(tmp_path / "a.jpg", "red")])
        (before,) = library.exemplars("Red")
        with library.writing() as db:  # as if another model had seen it
            db.execute("UPDATE weights SET digest = 'other', model = 'other'")
    done = vcn("library", "reembed", "--backbone", "dlib", "--library", path, "-q")
    assert done.code == 0 and done.out == "1 exemplar as colours sees them\n"
    with open_library(path) as library:
        old, new = sorted(library.exemplars("Red"), key=lambda one: one.number)
        assert old[:2] == before[:2] and new.model == "colours" and new.source == "a.jpg"
        assert library.jpeg(old.number) == library.jpeg(new.number)
        with library.reading() as db:
            assert db.execute("SELECT count(*) FROM picture").fetchone() == (1,)
            a, b = (row[0] for row in db.execute("SELECT mean FROM embedding"))
        assert a == b  # it was the same model after all
    assert vcn("library", "reembed", "--backbone", "dlib", "--library", path, "-q").out[0] == "0"
