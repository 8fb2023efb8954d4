"""Labelled sets: what a place holds, and what is refused before any work."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.drawn import write_boxes
from videoclusternet.errors import ConfigError, DataError
from videoclusternet.sources.track_list import list_beside
from videoclusternet_bench.data.sets import combined, labelled_sets

WHO = ("red", "blue", "red", "blue")


@pytest.fixture
def movie(drawn_film: Path, drawn_run: Path, tmp_path: Path) -> Path:
    """A folder with a film and its labelled boxes."""
    folder = write_boxes(drawn_run, tmp_path / "movies" / "one", WHO)
    shutil.copy(drawn_film, folder / "drawn.mp4")
    return folder


def test_boxes_with_their_film(movie: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(movie)
    assert labelled_sets(Path())[0].name == "one"
    (found,) = labelled_sets(movie)
    assert (found.name, found.form) == ("one", "boxes")
    assert found.sources == (movie / "drawn.mp4",) and found.truths == (movie / "tracks.csv",)
    (file,) = labelled_sets(movie / "tracks.csv")
    assert file == found


def test_the_film_is_the_named_one_or_the_only_one(movie: Path) -> None:
    (movie / "drawn.mp4").rename(movie / "copy.mkv")
    (found,) = labelled_sets(movie)
    assert found.sources == (movie / "copy.mkv",)
    shutil.copy(movie / "copy.mkv", movie / "drawn.mp4")
    (found,) = labelled_sets(movie)
    assert found.sources == (movie / "drawn.mp4",)
    (movie / "drawn.mp4").rename(movie / "second.mp4")
    with pytest.raises(DataError, match=r"holds 2 films beside tracks\.csv"):
        labelled_sets(movie)


def test_other_forms_of_boxes(movie: Path) -> None:
    (movie / "tracks.csv").unlink()
    (movie / "dataset.json").unlink()
    (movie / "gt").mkdir()
    (movie / "gt" / "gt.txt").write_text("1,1,10,10,40,40,1,1,1\n")
    (movie / "seqinfo.ini").write_text(
        "[Sequence]\nname=f\nframeRate=24\nseqLength=72\nimWidth=192\nimHeight=144\n"
    )
    for path in (movie, movie / "gt" / "gt.txt"):
        (found,) = labelled_sets(path)
        assert found.sources == (movie / "drawn.mp4",)
        assert found.truths == (movie / "gt" / "gt.txt",) and found.name == "one"
    shutil.rmtree(movie / "gt")
    (movie / "a.xml").write_text(
        "<annotations><meta><original_size><width>192</width><height>144</height>"
        '</original_size></meta><track id="0" label="Ann">'
        '<box frame="0" xtl="1" ytl="1" xbr="9" ybr="9"/></track></annotations>'
    )
    assert labelled_sets(movie)[0].truths == (movie / "a.xml",)
    assert [labelled_sets(path)[0].name for path in (movie, movie / "a.xml")] == ["one", "a"]


def test_a_folder_of_sets_of_any_form(movie: Path, drawn_run: Path, labelled: Path) -> None:
    movies = movie.parent
    shutil.copytree(movie, movies / "two")
    (movies / "two" / "dataset.json").unlink()
    (movies / "three").mkdir()
    shutil.copy(movie / "drawn.mp4", movies / "three")
    for name in ("shots.csv", "truth.csv"):
        (movies / "three" / name).write_text("")
    shutil.copytree(labelled, movies / "zips")
    shutil.copytree(drawn_run, movies / "drawn.vcn")  # its crops are no data set
    (movies / "notes").mkdir()
    (movies / "notes" / "tracks.csv").write_text("track_id,shot\n")  # goes with crops
    found = labelled_sets(movies)
    assert [(one.name, one.form) for one in found] == [
        ("one", "boxes"), ("three", "film"), ("two", "boxes"), ("discs", "crops"),
    ]  # fmt: skip
    shutil.copy(labelled / "discs.zip", movies / "top.zip")
    shutil.copy(labelled / "discs_tracks.csv", movies / "top_tracks.csv")
    assert [one.name for one in labelled_sets(movies)] == ["top", "one", "three", "two", "discs"]


def test_malformed_boxes_are_refused_before_any_work(movie: Path) -> None:
    facts = json.loads((movie / "dataset.json").read_text())
    (movie / "dataset.json").write_text(json.dumps({**facts, "fps": 25}))
    with pytest.raises(DataError, match=r"of 25 frames/s, this one has 24"):
        labelled_sets(movie.parent)
    (movie / "dataset.json").write_text(json.dumps(facts))
    lines = (movie / "tracks.csv").read_text().splitlines()
    for line, says in (
        (lines[1].removesuffix("red"), "line 2: track t0 has no label"),
        (lines[2], "line 3: track t0 has two boxes in frame"),
        ("t0,0,1,1,500,9,red", "line 2: the box 1,1 to 501,10 leaves the frame"),
    ):
        (movie / "tracks.csv").write_text("\n".join([lines[0], line, *lines[2:]]) + "\n")
        with pytest.raises(DataError, match=rf"tracks\.csv, {says}"):
            labelled_sets(movie)
    (movie / "drawn.mp4").unlink()
    with pytest.raises(DataError, match=r"holds 0 films beside tracks\.csv"):
        labelled_sets(movie.parent)


def test_the_content_covers_film_and_labels(movie: Path) -> None:
    def content() -> str:
        return labelled_sets(movie)[0].content()

    seen = [content()]
    for name in ("tracks.csv", "dataset.json"):
        with (movie / name).open("a") as stream:
            stream.write("\n")
        seen.append(content())
    with (movie / "drawn.mp4").open("ab") as file:
        file.write(bytes(9))
    seen.append(content())
    assert len(set(seen)) == 4 and content() == seen[-1]


def test_several_sets_as_one(movie: Path, labelled: Path) -> None:
    shutil.copytree(movie, movie.parent / "two")
    with (movie.parent / "two" / "tracks.csv").open("a") as stream:
        stream.write("more,0,1,1,9,9,green\n")
    one, two = labelled_sets(movie.parent)
    both = combined([one, two], "season")
    assert (both.name, both.form) == ("season", "boxes")
    assert both.sources == (*one.sources, *two.sources)
    assert both.truths == (*one.truths, *two.truths)
    assert len({both.content(), one.content(), combined([two, one], "season").content()}) == 3
    with pytest.raises(DataError, match="sets of boxes and crops cannot be one"):
        combined([one, *labelled_sets(labelled)], "x")
    for name in ("", "a/b"):
        with pytest.raises(ConfigError, match="cannot name a set"):
            combined([one, two], name)


def test_a_folder_of_crops_is_the_set_that_its_zip_file_is(labelled: Path) -> None:
    (packed,) = labelled_sets(labelled)
    with zipfile.ZipFile(labelled / "discs.zip") as archive:
        archive.extractall(labelled / "discs")
    assert labelled_sets(labelled) == [packed]  # not twice
    (labelled / "discs.zip").unlink()
    (found,) = labelled_sets(labelled)
    assert (found.name, found.form, found.truths) == ("discs", "crops", packed.truths)
    assert found.sources == (labelled / "discs",) and labelled_sets(labelled / "discs") == [found]
    assert list_beside(labelled / "discs") == labelled / "discs_tracks.csv"
    before = found.content()
    next((labelled / "discs").rglob("*.jpg")).write_bytes(b"another")
    assert found.content() != before
