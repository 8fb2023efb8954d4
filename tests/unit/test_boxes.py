"""Labelled boxes: the canonical form, three file forms, and what each refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests import tables
from videoclusternet.annotations.box_forms import find_form, read_boxes, read_cvat, read_mot
from videoclusternet.annotations.boxes import (
    BoxRow,
    FilmFacts,
    LabelledBoxes,
    collect,
    read_tracks_csv,
    same_rate,
)
from videoclusternet.errors import ConfigError, DataError, StoreError
from videoclusternet_bench.data.export import write_boxes
from videoclusternet_bench.data.truth import read_truth

FILM = FilmFacts("film.mp4", Fraction(24), 640, 360, 100)
FACTS = {"video": "film.mp4", "fps": 24, "width": 640, "height": 360, "frames": 100}
HEADER = "track_id,frame,x,y,w,h,label"
ROWS = ("2,5,10.5,20,30,40,Ann", "2,6,11,20,30,40,Ann", "10,0,100,50,60,70,Bob")
INI = (
    "[Sequence]\nname=film.mp4\nimDir=img1\nframeRate=24\nseqLength=100\n"
    "imWidth=640\nimHeight=360\nimExt=.jpg\n"
)
MOT = ("6,2,10.5,20,30,40,1,1,1", "7,2,11,20,30,40,1,1,0.5", "1,10,100,50,60,70,1,1,1")
HEAD = (
    "<version>1.1</version><meta><task><name>job</name><size>100</size><original_size>"
    "<width>640</width><height>360</height></original_size></task>"
    "<source>film.mp4</source></meta>"
)


def csv_folder(folder: Path, *rows: str, header: str = HEADER, **facts: object) -> Path:
    (folder / "tracks.csv").write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    inner = {key: value for key, value in {**FACTS, **facts}.items() if value != "absent"}
    (folder / "dataset.json").write_text(json.dumps(inner))
    return folder


def mot_folder(folder: Path, *lines: str, ini: str = INI) -> Path:
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.txt").write_text("\n".join(lines) + "\n")
    (folder / "seqinfo.ini").write_text(ini)
    return folder


def box(frame: int, corners: str, inner: str = "", more: str = 'outside="0"') -> str:
    values = zip(("xtl", "ytl", "xbr", "ybr"), corners.split(), strict=True)
    places = " ".join(f'{key}="{value}"' for key, value in values)
    return f'<box frame="{frame}" {places} occluded="0" keyframe="1" {more}>{inner}</box>'


def name(text: str, attribute: str = "name") -> str:
    return f'<attribute name="{attribute}">{text}</attribute>'


def track(number: int, label: str, *boxes: str) -> str:
    return f'<track id="{number}" label="{label}" source="manual">{"".join(boxes)}</track>'


def cvat_file(folder: Path, *tracks: str, head: str = HEAD, before: str = "") -> Path:
    path = folder / "annotations.xml"
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n{before}<annotations>{head}{"".join(tracks)}'
        "</annotations>\n"
    )
    return path


AWAY = box(7, "0 0 9 9", "", 'outside="1"')
GOOD = (
    track(2, "Ann", box(5, "10.5 20 40.5 60"), box(6, "11 20 41 60"), AWAY),
    track(10, "Bob", box(0, "100 50 160 120")),
)


def is_usual(boxes: LabelledBoxes) -> None:
    """Check the data set that ROWS, MOT and GOOD describe."""
    assert boxes.tracks == ("2", "10") and boxes.labels == ("Ann", "Bob")
    assert boxes.track.tolist() == [0, 0, 1] and boxes.track.dtype == np.int32
    assert boxes.frame.tolist() == [5, 6, 0] and boxes.frame.dtype == np.int32
    assert boxes.box.tolist() == [[10.5, 20, 30, 40], [11, 20, 30, 40], [100, 50, 60, 70]]
    assert boxes.box.dtype == np.float64
    assert replace(boxes.film, frames=100) == FILM


def equal(a: LabelledBoxes, b: LabelledBoxes) -> bool:
    return (a.film, a.tracks, a.labels) == (b.film, b.tracks, b.labels) and all(
        np.array_equal(getattr(a, key), getattr(b, key)) for key in ("track", "frame", "box")
    )


# --- the canonical form ----------------------------------------------------------------


def test_all_forms_give_the_same(tmp_path: Path) -> None:
    for folder in ("csv", "mot", "cvat"):
        (tmp_path / folder).mkdir()
    is_usual(read_boxes(csv_folder(tmp_path / "csv", *ROWS)))
    names = tmp_path / "names.csv"
    names.write_text("id,label\n2,Ann\n10,Bob\n11,nobody\n")
    is_usual(read_boxes(mot_folder(tmp_path / "mot", *MOT), names=names))
    is_usual(read_boxes(cvat_file(tmp_path / "cvat", *GOOD), fps=Fraction(24)))


def test_rows_are_sorted_names_before_numbers_by_value() -> None:
    rows = [
        BoxRow("", track, frame, (0, 0, 9, 9), "Ann")
        for track, frame in (("10", 3), ("maria", 1), ("2", 8), ("10", 1), ("2", 7))
    ]
    boxes = collect(Path("x"), FILM, rows)
    assert boxes.tracks == ("maria", "2", "10")
    assert boxes.track.tolist() == [0, 1, 1, 2, 2] and boxes.frame.tolist() == [1, 7, 8, 1, 3]


def test_seconds_go_from_the_first_box_to_the_last() -> None:
    rows = [BoxRow("", "a", frame, (0, 0, 9, 9), "Ann") for frame in (10, 13, 21)]
    rows.append(BoxRow("", "b", 4, (0, 0, 9, 9), "Ann"))
    boxes = collect(Path("x"), FILM, rows)
    assert boxes.seconds.tolist() == [0.5, 1 / 24] and boxes.people == 1


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"label": ""}, "here: track t has no label"),
        ({"label": "Bob"}, "here: track t is 'Bob', before 'Ann'"),
        ({"frame": 0}, "here: track t has two boxes in frame 0"),
        ({"track": "", "label": "Cat"}, "here: the box has no track"),
        ({"box": (5.0, 5, 0, 9)}, "here: the box is 0 x 9 px"),
        ({"box": (5.0, 5, 9, -1)}, "here: the box is 9 x -1 px"),
        ({"box": (-2.0, 0, 9, 9)}, "here: the box -2,0 to 7,9 leaves the frame of 640x360 px"),
        ({"box": (632.0, 0, 10, 9)}, "leaves the frame"),
        ({"box": (0.0, -1.5, 9, 9)}, "leaves the frame"),
        ({"box": (0.0, 352, 9, 10)}, "leaves the frame"),
        ({"frame": -1}, "here: frame -1 is outside the film of 100 frames"),
        ({"frame": 100}, "here: frame 100 is outside the film of 100 frames"),
    ],
)
def test_rows_that_are_refused(changed: dict[str, object], says: str) -> None:
    first = BoxRow("", "t", 0, (0, 0, 9, 9), "Ann")
    second = BoxRow("here", "t", 1, (0, 0, 9, 9), "Ann")
    assert len(collect(Path("x"), FILM, [first, second]).box) == 2
    with pytest.raises(DataError, match=says):
        collect(Path("x"), FILM, [first, second._replace(**changed)])  # type: ignore[arg-type]


def test_a_box_may_reach_one_pixel_over_the_edge_and_any_frame_of_unknown_length() -> None:
    rows = [BoxRow("", "t", 10**6, (-1, -1, 642, 362), "Ann")]
    assert len(collect(Path("x"), replace(FILM, frames=None), rows).box) == 1


def test_an_empty_film_is_refused() -> None:
    with pytest.raises(DataError, match="x holds no box"):
        collect(Path("x"), FILM, [])


def test_check_against_the_film() -> None:
    rows = [BoxRow("", track, 9, (0, 0, 9, 9), "Ann") for track in ("a", "b")]
    rows.append(BoxRow("", "b", 50, (0, 0, 9, 9), "Ann"))
    boxes = collect(Path("x"), replace(FILM, fps=Fraction(24000, 1001), frames=None), rows)
    boxes.check_against(Fraction(24000, 1001), 51, 640, 360)
    boxes.check_against(23.98)
    for arguments, says in (
        ((24,), r"x is of a film of 23\.976 frames/s, this one has 24"),
        ((25, 51), "this one has 25"),
        ((23.976, 50), "x, track b: frame 50 is outside the film of 50 frames"),
        ((23.976, 51, 1280, 720), "of 640x360 px, this one has 1280x720"),
        ((23.976, None, None, 720), "this one has 640x720"),
        ((23.976, 0), "x: the film is empty"),
        ((0,), "x: the film is empty"),
    ):
        with pytest.raises(DataError, match=says):
            boxes.check_against(*arguments)  # type: ignore[arg-type]


def test_rates_that_are_one_but_for_rounding() -> None:
    ntsc = Fraction(24000, 1001)
    assert same_rate(ntsc, Fraction("23.98")) and same_rate(
        Fraction("29.97"), Fraction(30000, 1001)
    )
    assert not same_rate(ntsc, Fraction(24)) and not same_rate(Fraction(25), Fraction(24))


# --- our CSV form ----------------------------------------------------------------------


@pytest.mark.parametrize("fps", ["25", "23.976", "24000/1001", "30000/1001"])
def test_what_is_written_reads_back_the_same(fps: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        BoxRow("", track, frame, tuple(rng.uniform(1, 150, 4)), label)  # type: ignore[arg-type]
        for track, label in (("0007", 'Ann, the "first"'), ("x y", "Zoë"), ("3", "Ann"))
        for frame in (1, 4, 9)
    ]
    for frames in (None, 10):
        film = replace(FILM, fps=Fraction(fps), frames=frames, video="é ü.mp4")
        boxes = collect(Path("x"), film, rows)
        folder = tmp_path / f"new/{frames}"
        write_boxes(boxes, folder)
        assert equal(read_boxes(folder), boxes)


def test_whole_numbers_are_written_without_a_point(tmp_path: Path) -> None:
    boxes = read_boxes(csv_folder(tmp_path, *ROWS, fps="24000/1001"))
    write_boxes(boxes, tmp_path / "out")
    assert (tmp_path / "out/tracks.csv").read_text() == "\n".join((HEADER, *ROWS)) + "\n"
    facts = json.loads((tmp_path / "out/dataset.json").read_text())
    assert facts == {**FACTS, "fps": "24000/1001"}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    boxes = read_boxes(csv_folder(tmp_path, *ROWS))
    with pytest.raises(StoreError, match="is not empty"):
        write_boxes(boxes, tmp_path)
    with pytest.raises(StoreError, match="cannot write"):
        write_boxes(boxes, tmp_path / "tracks.csv")


def test_columns_in_any_order_with_more_of_them(tmp_path: Path) -> None:
    folder = csv_folder(tmp_path, "Ann,9,8,2,1,0,x,3", header="label,h,w,y,x,frame,note,track_id")
    boxes = read_boxes(folder)
    assert boxes.box.tolist() == [[1, 2, 8, 9]] and boxes.tracks == ("3",)


def test_a_written_set_is_truth_for_scoring(tmp_path: Path) -> None:
    found = tables.tracks([(0, 5, 6)], [[0, 1]])
    film = tables.film(
        found,
        with_video=tables.video(100),
        with_shots=tables.shots(0, 100),
        with_faces=tables.faces([(5, 10, 20, 40, 60), (6, 10, 20, 40, 60)]),
    )
    write_boxes(read_boxes(csv_folder(tmp_path, *ROWS)), tmp_path / "out")
    labels = read_truth(tmp_path / "out", tables.result([film], found, tables.cast([0])))
    assert labels.label == ("Ann",) and (labels.visible, labels.found) == (2, 1)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2,7,1,2,3,4", "line 3: wrong number of fields"),
        ("2,7,1,2,3,4,Ann,more", "line 3: wrong number of fields"),
        ("2,7,1,2,3,4,", "line 3: track 2 has no label"),
        ("2,7,1,2,3,4,Bob", "line 3: track 2 is 'Bob', before 'Ann'"),
        ("2,5,1,2,3,4,Ann", "line 3: track 2 has two boxes in frame 5"),
        ("2,7.5,1,2,3,4,Ann", r"line 3: frame is '7\.5', no whole number"),
        ("2,1e99,1,2,3,4,Ann", "line 3: frame is '1e99', no number"),
        ("2,7,nan,2,3,4,Ann", "line 3: x is 'nan', no number"),
        ("2,7,1,2,,4,Ann", "line 3: w is '', no number"),
        ("2,100,1,2,3,4,Ann", "line 3: frame 100 is outside the film"),
        ("2,7,638,2,9,4,Ann", "line 3: the box 638,2 to 647,6 leaves the frame"),
    ],
)
def test_malformed_csv(row: str, says: str, tmp_path: Path) -> None:
    csv_folder(tmp_path, ROWS[0], row)
    with pytest.raises(DataError, match=rf"tracks\.csv, {says}"):
        read_boxes(tmp_path)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"fps": "absent"}, "fps is missing"),
        ({"fps": 0}, "fps is '0'"),
        ({"fps": "25/0"}, "fps is '25/0'"),
        ({"fps": -25}, "fps is '-25'"),
        ({"fps": "1e9999999"}, "fps is '1e9999999'"),
        ({"fps": True}, "fps is 'True'"),
        ({"video": ""}, "video is ''"),
        ({"video": 7}, "video is 7"),
        ({"width": 0}, "width is 0"),
        ({"height": 1.5}, r"height is '1\.5', no whole number"),
        ({"frames": 0}, "frames is 0"),
    ],
)
def test_malformed_facts(facts: dict[str, object], says: str, tmp_path: Path) -> None:
    csv_folder(tmp_path, *ROWS, **facts)
    with pytest.raises(DataError, match=rf"dataset\.json: {says}"):
        read_boxes(tmp_path)


def test_csv_files_that_are_missing_or_something_else(tmp_path: Path) -> None:
    csv_folder(tmp_path, *ROWS, header="track,frame,x,y,w,h,label")
    with pytest.raises(DataError, match="there is no column 'track_id'"):
        read_boxes(tmp_path)
    csv_folder(tmp_path)
    with pytest.raises(DataError, match="holds no box"):
        read_boxes(tmp_path)
    (tmp_path / "tracks.csv").write_bytes(b"\x89PNG\xff\n")
    with pytest.raises(DataError, match="is not a CSV file"):
        read_boxes(tmp_path)
    for text, says in (("[1]", "is no JSON object"), ("{", "is no JSON"), ("[" * 9999, "is no")):
        (tmp_path / "dataset.json").write_text(text)
        with pytest.raises(DataError, match=says):
            read_boxes(tmp_path)
    (tmp_path / "dataset.json").unlink()
    with pytest.raises(DataError, match=r"cannot read .*dataset\.json"):
        read_boxes(tmp_path)
    with pytest.raises(DataError, match=r"cannot read .*none\.csv"):
        read_tracks_csv(csv_folder(tmp_path) / "none.csv")


# --- MOTChallenge ----------------------------------------------------------------------


def test_without_names_each_id_is_a_person_and_ignored_lines_are_left_out(tmp_path: Path) -> None:
    folder = mot_folder(tmp_path, *MOT, "3,11,0,0,9,9,0,1,1", "4, 12 ,0,0,9,9,1,-1,-1,-1", "")
    boxes = read_boxes(folder)
    assert boxes.tracks == boxes.labels == ("2", "10", "12")
    assert boxes.frame.tolist() == [5, 6, 0, 3] and boxes.film.frames == 100


def test_seqinfo_may_lie_beside_and_dataset_json_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text("\n".join(MOT))
    with pytest.raises(DataError, match=r"gt\.txt has no seqinfo\.ini beside it"):
        read_mot(path)
    (tmp_path / "dataset.json").write_text(json.dumps({**FACTS, "fps": 25}))
    assert read_boxes(tmp_path).film.fps == 25
    (tmp_path / "seqinfo.ini").write_text(INI)
    assert read_boxes(path).film.fps == 25  # ours has exact rates
    (tmp_path / "dataset.json").unlink()
    assert read_boxes(path).film.fps == 24


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0,3,1,2,3,4,1,1,1", "line 2: frame is 0; they count from 1"),
        ("101,3,1,2,3,4,1,1,1", "line 2: frame 100 is outside the film of 100 frames"),
        ("1,3,1,2,3,4", "line 2: wrong number of fields"),
        ("1 3 1 2 3 4 1", "line 2: wrong number of fields"),
        ("1,-1,1,2,3,4,0.9,-1,-1,-1", "line 2: id is -1"),
        ("1,a,1,2,3,4,1,1,1", "line 2: id is 'a', no number"),
        ("1,3,1,2,x,4,1,1,1", "line 2: w is 'x', no number"),
        ("6,2,1,2,3,4,1,1,1", "line 2: track 2 has two boxes in frame 5"),
        ("1,3,1,2,0,4,1,1,1", "line 2: the box is 0 x 4 px"),
        ("1,3,600,2,90,4,1,1,1", "line 2: the box 600,2 to 690,6 leaves the frame"),
    ],
)
def test_malformed_mot(line: str, says: str, tmp_path: Path) -> None:
    mot_folder(tmp_path, MOT[0], line)
    with pytest.raises(DataError, match=rf"gt\.txt, {says}"):
        read_boxes(tmp_path)


@pytest.mark.parametrize(
    ("ini", "says"),
    [
        ("name=x\n", "is malformed: File contains no section headers"),
        ("[Film]\nname=x\n", r"has no section \[Sequence\]"),
        (INI.replace("frameRate=24\n", ""), "frameRate is missing"),
        (INI.replace("frameRate=24", "frameRate=fast"), "frameRate is 'fast'"),
        (INI.replace("seqLength=100", "seqLength=0"), "seqLength is 0"),
        (INI.replace("imWidth=640", "imWidth=wide"), "imWidth is 'wide', no number"),
    ],
)
def test_malformed_seqinfo(ini: str, says: str, tmp_path: Path) -> None:
    mot_folder(tmp_path, *MOT, ini=ini)
    with pytest.raises(DataError, match=rf"seqinfo\.ini:? {says}") as caught:
        read_boxes(tmp_path)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,label\n2,Ann\n", r"gt\.txt, line 3: track 10 has no label"),
        ("id,label\n2,Ann\n02,Bob\n", r"names\.csv, line 3: id 2 appears twice"),
        ("id,label\n2, \n", r"names\.csv, line 2: id 2 has no label"),
        ("track,label\n2,Ann\n", "there is no column 'id'"),
        ("id,label\n", r"names\.csv holds no row"),
    ],
)
def test_malformed_names(text: str, says: str, tmp_path: Path) -> None:
    names = tmp_path / "names.csv"
    names.write_text(text)
    with pytest.raises(DataError, match=says):
        read_boxes(mot_folder(tmp_path, *MOT), names=names)


def test_files_of_mot_that_cannot_be_read(tmp_path: Path) -> None:
    folder = mot_folder(tmp_path, *MOT)
    (folder / "gt" / "gt.txt").write_bytes(b"\xff\xfe\n")
    with pytest.raises(DataError, match=r"gt\.txt is not a text file"):
        read_boxes(folder)
    (folder / "gt" / "gt.txt").write_text("1,2,1,2,3,4,0,1,1\n")
    with pytest.raises(DataError, match=r"gt\.txt holds no box"):
        read_boxes(folder)


# --- CVAT for video --------------------------------------------------------------------


@pytest.mark.parametrize("attribute", ["name", "identity"])
def test_an_attribute_names_the_person_where_any_box_has_one(
    attribute: str, tmp_path: Path
) -> None:
    ann = name("happy", "mood") + name("Ann", attribute)
    cvat_file(
        tmp_path,
        track(2, "face", box(5, "10.5 20 40.5 60", ann), box(6, "11 20 41 60", ann)),
        track(10, "face", box(0, "100 50 160 120", name(" Bob ", attribute))),
    )
    is_usual(read_boxes(tmp_path, Fraction(24)))


def test_facts_beside_a_cvat_file_win(tmp_path: Path) -> None:
    path = cvat_file(tmp_path, *GOOD)
    with pytest.raises(DataError, match="does not say the frame rate"):
        read_boxes(path)
    csv_folder(tmp_path, fps="24000/1001", frames=7)
    assert read_boxes(path).film == replace(FILM, fps=Fraction(24000, 1001), frames=7)
    csv_folder(tmp_path, frames=6)
    with pytest.raises(DataError, match="track 2, frame 6: frame 6 is outside the film"):
        read_boxes(path)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (track(3, "", box(0, "1 2 3 4")), "track 3, frame 0: track 3 has no label"),
        (track(2, "Cat", box(0, "1 2 3 4")), "track 2: this track appears twice"),
        ('<track label="Cat"/>', "track number 3: id is missing"),
        (track(3, "Cat", box(4, "1 2 3 4"), box(4, "1 2 3 4")), "two boxes in frame 4"),
        (track(3, "Cat", box(4, "3 2 1 4")), "track 3, frame 4: the box is -2 x 2 px"),
        (track(3, "Cat", box(4, "1 2 3 inf")), "track 3, frame 4: ybr is 'inf', no number"),
        (track(3, "Cat", '<box frame="4" xtl="1"/>'), "track 3, frame 4: ytl is None, no number"),
        (track(3, "Cat", box(4, "1 2 700 4")), "track 3, frame 4: the box 1,2 to 700,4 leaves"),
        (track(3, "Cat", '<polygon frame="1" points="1,2;3,4"/>'), "track 3: a polygon"),
        (track(3, "Cat", box(4, "1 2 3 4", "", 'rotation="9.5"')), "frame 4: the box is rotated"),
        (track(3, "Cat", box(4, "1 2 3 4", name("Ann"))), "track 2, frame 5: track 2 has no label"),
    ],
)  # fmt: skip
def test_malformed_cvat(broken: str, says: str, tmp_path: Path) -> None:
    path = cvat_file(tmp_path, *GOOD, broken)
    with pytest.raises(DataError, match=says) as caught:
        read_cvat(path, Fraction(24))
    assert str(path) in caught.value.message


def test_names_of_one_track_must_agree(tmp_path: Path) -> None:
    two = track(3, "face", box(4, "1 2 3 4", name("Ann")), box(5, "1 2 3 4", name("Bob")))
    with pytest.raises(DataError, match="frame 5: track 3 is 'Bob', before 'Ann'"):
        read_cvat(cvat_file(tmp_path, two), Fraction(24))
    both = track(3, "face", box(4, "1 2 3 4", name("Ann") + name("Bob", "identity")))
    with pytest.raises(DataError, match="frame 4: the box is 'Ann' and 'Bob'"):
        read_cvat(cvat_file(tmp_path, both), Fraction(24))


def test_cvat_files_of_another_kind(tmp_path: Path) -> None:
    def refused(says: str, path: Path) -> None:
        with pytest.raises(DataError, match=says):
            read_cvat(path, Fraction(24))

    refused("holds no box", cvat_file(tmp_path))
    refused("is of images", cvat_file(tmp_path, '<image id="0" name="a.jpg"/>'))
    refused("0 films are described", cvat_file(tmp_path, *GOOD, head="<meta/>"))
    refused("2 films are described", cvat_file(tmp_path, *GOOD, head=HEAD * 2))
    refused("width is 0", cvat_file(tmp_path, *GOOD, head=HEAD.replace("640", "0")))
    refused("cannot read", tmp_path / "none.xml")
    path = tmp_path / "annotations.xml"
    for text, says in (
        ("<html/>", "its root is 'html'"),
        ("", "is no XML"),
        ("<a>\n<b>", "line 2"),
    ):
        path.write_text(text)
        refused(says, path)


def _bomb() -> str:
    """Entities that would grow to a thousand million letters."""
    steps = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    return f'<!DOCTYPE annotations [<!ENTITY e0 "a">{steps}]>\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "declared", [_bomb, lambda: '<!DOCTYPE annotations SYSTEM "file:///etc/hostname">\n'],
    ids=["bomb", "outside"],
)  # fmt: skip
def test_declarations_are_refused_before_they_are_used(
    declared: Callable[[], str], encoding: str, tmp_path: Path
) -> None:
    path = cvat_file(tmp_path, track(3, "&e9;", box(1, "1 2 3 4", "&e9;")), before=declared())
    path.write_bytes(path.read_text().replace('"utf-8"', f'"{encoding}"').encode(encoding))
    start = time.perf_counter()
    with pytest.raises(DataError, match=r"annotations\.xml is refused: it has a DOCTYPE"):
        read_cvat(path, Fraction(24))
    assert time.perf_counter() - start < 2


# --- which form ------------------------------------------------------------------------


def test_the_form_is_told_by_the_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        find_form(tmp_path / "none")
    with pytest.raises(DataError, match="holds no labelled boxes"):
        find_form(tmp_path)
    (tmp_path / "a.ids").touch()
    with pytest.raises(DataError, match="are for vcn dataset ids"):
        find_form(tmp_path)
    with pytest.raises(DataError, match="in no form that holds boxes"):
        find_form(tmp_path / "a.ids")
    csv_folder(tmp_path, *ROWS)
    assert find_form(tmp_path) == ("csv", tmp_path / "tracks.csv")
    cvat_file(tmp_path, *GOOD)
    with pytest.raises(DataError, match=r"several data sets: tracks\.csv, annotations\.xml"):
        find_form(tmp_path)
    assert find_form(tmp_path / "annotations.xml").form == "cvat"


def test_names_are_for_ids_without_a_label(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds its own labels"):
        read_boxes(csv_folder(tmp_path, *ROWS), names=tmp_path / "names.csv")
