"""Labelled boxes written in every form: what is written reads back the same."""

from __future__ import annotations

import configparser
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoclusternet.annotations.box_forms import TITLES, Form, read_boxes
from videoclusternet.annotations.boxes import BoxRow, FilmFacts, LabelledBoxes, collect
from videoclusternet.errors import ConfigError, DataError, StoreError
from videoclusternet_bench.data.export import check_form, write_boxes

FORMS = tuple(TITLES)
WIDTH, HEIGHT, FRAMES = 640, 360, 100
texts = st.text(
    st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8
)  # readers take spaces off
rates = st.sampled_from(["24", "25", "23.976", "24000/1001", "30000/1001", "15"])


@st.composite
def places(draw: st.DrawFn, unit: float) -> tuple[float, float, float, float]:
    """A box inside the frame, on a grid."""

    def on_grid(low: float, high: float) -> float:
        return draw(st.integers(round(low / unit), round(high / unit))) * unit

    x, y = on_grid(0, WIDTH - 2), on_grid(0, HEIGHT - 2)
    box = (x, y, on_grid(1, WIDTH - x - 1), on_grid(1, HEIGHT - y - 1))
    return tuple(round(value, 6) for value in box)  # type: ignore[return-value]


@st.composite
def sets(draw: st.DrawFn, unit: float = 0.001) -> LabelledBoxes:
    frames = draw(st.sampled_from([None, FRAMES]))
    film = FilmFacts(draw(texts), Fraction(draw(rates)), WIDTH, HEIGHT, frames)
    tracks = draw(st.dictionaries(texts, texts, min_size=1, max_size=4))
    rows = [
        BoxRow("", track, frame, draw(places(unit)), label)
        for track, label in tracks.items()
        for frame in draw(st.sets(st.integers(0, FRAMES - 1), min_size=1, max_size=4))
    ]
    return collect(Path("drawn"), film, rows)


def same(a: LabelledBoxes, b: LabelledBoxes) -> bool:
    return (a.film, a.tracks, a.labels) == (b.film, b.tracks, b.labels) and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in ("track", "frame", "box")
    )


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, deadline=None)
@given(boxes=sets())
def test_every_form_reads_back_the_same(form: Form, boxes: LabelledBoxes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_boxes(boxes, Path(folder) / "out", form)
        assert same(read_boxes(Path(folder) / "out"), boxes)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=20, deadline=None)
@given(boxes=sets(), shift=st.floats(0, 0.5))
def test_any_box_comes_back_to_a_millionth_of_a_pixel(
    form: Form, boxes: LabelledBoxes, shift: float
) -> None:
    moved = replace(boxes, box=boxes.box + np.array([shift, shift, 0, 0]))
    with tempfile.TemporaryDirectory() as folder:
        write_boxes(moved, Path(folder) / "out", form)
        np.testing.assert_allclose(
            read_boxes(Path(folder) / "out").box, moved.box, rtol=0, atol=1.5e-6
        )


def small(frames: tuple[int, ...] = (4, 5, 9), **facts: object) -> LabelledBoxes:
    film = replace(FilmFacts("a.mp4", Fraction(24000, 1001), 64, 48, 100), **facts)  # type: ignore[arg-type]
    rows = [BoxRow("", "7", frame, (0.0, 10.0, 20.0, 30.5), "Ann") for frame in frames]
    return collect(Path("x"), film, [*rows, BoxRow("", "9", 5, (40.0, 0.0, 9.0, 9.0), "Bob")])


def test_motchallenge_counts_from_one_and_says_so(tmp_path: Path) -> None:
    write_boxes(small(), tmp_path / "out", "mot")
    lines = (tmp_path / "out/gt/gt.txt").read_text().splitlines()
    assert lines == [
        "5,1,1,11,20,30.5,1,1,1",
        "6,1,1,11,20,30.5,1,1,1",
        "6,2,41,1,9,9,1,1,1",
        "10,1,1,11,20,30.5,1,1,1",
    ]
    names = (tmp_path / "out/names.csv").read_text()
    assert names == "id,label,track_id\n1,Ann,7\n2,Bob,9\n"
    parser = configparser.ConfigParser()
    parser.read(tmp_path / "out/seqinfo.ini")
    said = dict(parser["Sequence"])
    assert said["firstpixel"] == "1" and said["seqlength"] == "100"
    assert float(said["framerate"]) == pytest.approx(23.976, abs=1e-4)  # a number for all tools


def test_motchallenge_of_others_is_taken_as_it_stands(tmp_path: Path) -> None:
    write_boxes(small(), tmp_path, "mot")
    ini = tmp_path / "seqinfo.ini"
    ini.write_text(ini.read_text().replace("firstPixel=1\n", ""))
    assert (read_boxes(tmp_path).box[:, :2] == small().box[:, :2] + 1).all()


def test_cvat_is_told_where_a_face_is_away(tmp_path: Path) -> None:
    write_boxes(small(), tmp_path / "out", "cvat")
    root = ET.parse(tmp_path / "out/annotations.xml").getroot()
    seen = [
        [(box.get("frame"), box.get("outside")) for box in track] for track in root.iter("track")
    ]
    # CVAT draws on from the last box of a track until it is told that the face is away.
    ann = [("4", "0"), ("5", "0"), ("6", "1"), ("9", "0"), ("10", "1")]
    assert seen == [ann, [("5", "0"), ("6", "1")]]
    label = root.find("meta/task/labels/label")
    assert label is not None and label.findtext("name") == "face"
    assert label.findtext("attributes/attribute/name") == "name"
    assert [t.get("label") for t in root.iter("track")] == ["face", "face"]


def test_cvat_of_every_other_frame_does_not_blink(tmp_path: Path) -> None:
    write_boxes(small((4, 6, 8, 20)), tmp_path / "out", "cvat")
    track = ET.parse(tmp_path / "out/annotations.xml").find("track")
    assert track is not None
    away = [box.get("frame") for box in track if box.get("outside") == "1"]
    assert away == ["9", "21"]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    broken = replace(small(), labels=("An\x07n", "Bob"))
    with pytest.raises(DataError, match="a character that XML cannot"):
        write_boxes(broken, tmp_path / "out", "cvat")
    assert not list(tmp_path.iterdir())  # nothing half written
    (tmp_path / "mine").touch()
    with pytest.raises(StoreError, match="is not empty"):
        write_boxes(small(), tmp_path, "mot")
    with pytest.raises(ConfigError, match="write csv, mot, cvat or crops"):
        check_form("coco")
