"""The three forms of truth, and what is said about malformed ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests import tables
from videoclusternet.errors import DataError
from videoclusternet.result.result import Result
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.metrics.score_run import score_run

SHOTS = "shot,start_frame,end_frame_exclusive\n0,0,50\n1,50,100\n"
TRUTH = "shot,identity,x_min,x_max\n0,Ann,0,300\n0,Bob,340,640\n1,Ann,100,500\n1,Cat,520,640\n"
BOXES = "track_id,frame,x,y,w,h,label\n"


@pytest.fixture
def found() -> Result:
    """A film of 320 px with two shots: left, right, middle, and a face beyond all ranges."""
    rows, owned = [], []
    for shot, x in ((0, 50.0), (0, 210.0), (1, 130.0), (1, 0.0)):
        owned.append(range(len(rows), len(rows) + 10))
        rows += [(shot * 50 + 10 + i, x, 40.0, x + 40, 90.0) for i in range(10)]
    order = sorted(range(len(rows)), key=lambda i: (rows[i][0], rows[i][1]))
    place = {old: new for new, old in enumerate(order)}
    tracks = tables.tracks(
        [(0, 10, 19), (0, 10, 19), (1, 60, 69), (1, 60, 69)],
        [[place[i] for i in track] for track in owned],
    )
    film = tables.film(
        tracks,
        with_video=tables.video(100, width=320, height=180),
        with_shots=tables.shots(0, 50, 100),
        with_faces=tables.faces([rows[i] for i in order]),
    )
    return tables.result([film], tracks, tables.cast([0, 1, 0, -1]))


@pytest.fixture
def named() -> Result:
    """A run over given crops: no film, no faces, tracks with names."""
    tracks = tables.tracks([(0, 0, 11), (1, 0, 11), (2, 0, 11)])
    film = tables.film(tracks, names=["0001", "2", "maria"])
    return tables.result([film], tracks, tables.cast([0, 0, 1]))


def write(folder: Path, truth: str, shots: str = SHOTS) -> Path:
    (folder / "shots.csv").write_text(shots)
    path = folder / "truth.csv"
    path.write_text(truth)
    return path


def boxes(folder: Path, *rows: str) -> Path:
    path = folder / "boxes.csv"
    path.write_text(BOXES + "\n".join(rows) + "\n")
    return path


def test_stitched_truth_goes_by_shot_and_range(tmp_path: Path, found: Result) -> None:
    write(tmp_path, TRUTH)
    labels = read_truth(tmp_path, found)
    # Centres at 70, 230, 150 and 20 of 320 px: twice that at the 640 px of the ranges.
    assert labels.label == ("Ann", "Bob", "Ann", None)
    assert (labels.visible, labels.found) == (4, 3)


def test_stitched_truth_may_be_named_by_its_file(tmp_path: Path, found: Result) -> None:
    assert read_truth(write(tmp_path, TRUTH), found) == read_truth(tmp_path, found)


def test_middle_frame_decides_between_shots(tmp_path: Path, found: Result) -> None:
    # The cut is one frame later than the middle of the first two tracks, then one earlier.
    for start, want in ((15, "Ann"), (14, None)):
        shots = f"shot,start_frame\n0,0\n1,{start}\n"
        labels = read_truth(
            write(tmp_path, "shot,identity,x_min,x_max\n0,Ann,0,200\n", shots), found
        )
        assert labels.label[0] == want


def test_box_truth_goes_by_overlap(tmp_path: Path, found: Result) -> None:
    rows = [f"7,{10 + i},52,42,40,50,Ann" for i in range(10)]
    # Shifted by half the width: a third of the union, too little.
    rows += [f"8,{10 + i},230,40,40,50,Bob" for i in range(10)]
    rows += [f"9,{60 + i},130,40,40,50,Ann" for i in range(4)]
    rows += [f"10,{60 + i},131,40,40,50,Cat" for i in range(3, 10)]
    labels = read_truth(boxes(tmp_path, *rows), found)
    # Track 2 shares 4 boxes with true track 9 and 7 with 10.
    assert labels.label == ("Ann", None, "Cat", None)
    assert (labels.visible, labels.found) == (4, 3)


def test_people_in_shots_are_counted_where_a_list_of_them_lies_beside_boxes(
    tmp_path: Path, found: Result
) -> None:
    rows = [f"7,{10 + i},52,42,40,50,Ann" for i in range(10)]
    rows += [f"8,{10 + i},210,40,40,50,Bob" for i in range(10)]
    rows += [f"9,{60 + i},0,40,40,50,Ann" for i in range(10)]
    truth = boxes(tmp_path, *rows)
    scores = score_run(found, truth)
    # The second track of Ann (number 3 of the run) is Unknown.
    assert (scores["visible"], scores["found"], scores["usable"]) == (3, 3, 2)
    people = tmp_path / "visible.csv"
    people.write_text("shot,start,stop,name\n0,0,50,Ann\n0,0,50,Bob\n1,50,99,Ann\n1,50,99,Cat\n")
    scores = score_run(found, truth)
    assert (scores["visible"], scores["found"], scores["usable"]) == (4, 3, 2)
    assert (scores["found_share"], scores["usable_share"]) == (0.75, 0.5)
    # The middle frame of the first tracks is 14: a shot ends before its `stop`.
    for start, stop, want in ((14, 15, 1), (0, 14, 0), (15, 50, 0)):
        people.write_text(f"start,stop,name\n{start},{stop},Ann\n")
        assert score_run(found, truth)["found"] == want
    people.write_text("start,stop,name\n0,x,Ann\n")
    with pytest.raises(DataError, match=r"visible\.csv, line 2: stop is 'x'"):
        read_truth(truth, found)


def test_track_truth_goes_by_name_and_numbers_compare_as_numbers(
    tmp_path: Path, named: Result
) -> None:
    path = tmp_path / "tracks.csv"
    path.write_text("track_id,label\n1,Ann\n0002,Bob\nnobody,Cat\n maria ,Dan\n")
    labels = read_truth(path, named)
    assert labels.label == ("Ann", "Bob", "Dan")
    assert (labels.visible, labels.found) == (4, 3)
    assert read_truth(tmp_path, named) == labels


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path, named: Result) -> None:
    path = tmp_path / "tracks.csv"
    path.write_text("\ufefftrack_id,label\n1,Ann\n", encoding="utf-8")
    assert read_truth(path, named).label == ("Ann", None, None)


def test_scores_leave_false_faces_out(tmp_path: Path, found: Result) -> None:
    write(tmp_path, TRUTH)
    scores = score_run(found, tmp_path)
    assert scores["false_tracks"] == 1 and scores["tracks"] == 3
    assert scores["wcp"] == scores["bcubed_f"] == 1
    assert (scores["visible"], scores["found"], scores["found_share"]) == (4, 3, 0.75)
    assert (scores["usable"], scores["usable_share"]) == (3, 0.75)
    lost = replace(found, clustering=tables.cast([0, -1, 0, -1]))
    assert score_run(lost, tmp_path)["usable"] == 2


@pytest.mark.parametrize(
    ("truth", "shots", "says"),
    [
        ("shot,identity,x_min,x_max\n0,Ann,0\n", SHOTS, "truth.csv, line 2: wrong number"),
        ("shot,identity,x_min,x_max\n0,Ann,0,9,9\n", SHOTS, "truth.csv, line 2: wrong number"),
        ("shot,identity,x_min,x_max\n0,A,0,9\n0,B,x,9\n", SHOTS, "truth.csv, line 3: x_min is 'x'"),
        ("shot,identity,x_min,x_max\nnan,A,0,9\n", SHOTS, "truth.csv, line 2: shot is 'nan'"),
        ("shot,identity,x_min,x_max\n\n\n0,A,0,\n", SHOTS, "truth.csv, line 4: x_max is ''"),
        (TRUTH, "shot,start_frame\n0,0\n1,inf\n", "shots.csv, line 3: start_frame is 'inf'"),
        (TRUTH, "shot,begin\n0,0\n", "shots.csv has no column 'start_frame'"),
        (TRUTH, "", "shots.csv holds no row"),
        ("shot,identity,x_min,x_max\n", SHOTS, "truth.csv holds no row"),
        ("name,age\nAnn,3\n", SHOTS, "truth.csv: unknown columns name, age"),
    ],
)
def test_malformed_stitched_truth(
    truth: str, shots: str, says: str, tmp_path: Path, found: Result
) -> None:
    write(tmp_path, truth, shots)
    with pytest.raises(DataError) as caught:
        read_truth(tmp_path, found)
    assert f"{tmp_path}/{says}" in str(caught.value)
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["1,10,0,0,5,5,A", "1,100,0,0,5,5,A"], "line 3: frame 100 is outside the film"),
        (["1,-1,0,0,5,5,A"], "line 2: frame -1 is outside the film"),
        (["1,10,0,zero,5,5,A"], "line 2: y is 'zero', no number"),
        (["1,10,0,0,5,5,A", "1,11,0,0,5,5,B"], "line 3: track 1 is 'B', before 'A'"),
        (["1,10,0,0,5,5"], "line 2: wrong number of fields"),
    ],
)
def test_malformed_box_truth(rows: list[str], says: str, tmp_path: Path, found: Result) -> None:
    path = boxes(tmp_path, *rows)
    with pytest.raises(DataError) as caught:
        read_truth(path, found)
    assert f"{path}, {says}" in str(caught.value)


@pytest.mark.parametrize("again", ["1", "01", "0001"])
def test_a_track_that_appears_twice(again: str, tmp_path: Path, named: Result) -> None:
    path = tmp_path / "tracks.csv"
    path.write_text(f"track_id,label\n0001,Ann\n{again},Bob\n")
    with pytest.raises(DataError, match="line 3: track 1 appears twice"):
        read_truth(path, named)


def test_truth_of_another_set_is_refused(tmp_path: Path, named: Result) -> None:
    path = tmp_path / "tracks.csv"
    path.write_text("track_id,label\n77,Ann\n")
    with pytest.raises(DataError, match="knows none of the tracks"):
        read_truth(path, named)


def test_track_names_are_no_truth_for_a_film(tmp_path: Path, found: Result) -> None:
    path = tmp_path / "tracks.csv"
    path.write_text("track_id,label\n1,Ann\n")
    with pytest.raises(DataError, match="give boxes instead"):
        read_truth(path, found)


def test_ranges_are_no_truth_for_crops(tmp_path: Path, named: Result) -> None:
    write(tmp_path, TRUTH)
    with pytest.raises(DataError, match="this run is over crops"):
        read_truth(tmp_path, named)


def test_each_film_has_its_own_truth(tmp_path: Path, named: Result, found: Result) -> None:
    two = replace(found, films=(found.films[0], named.films[0]))
    first = write(tmp_path, TRUTH)
    with pytest.raises(DataError, match="over 2 films, not 1"):
        read_truth(first, two)
    with pytest.raises(DataError, match="over 1 films, not 2"):
        read_truth([first, first], found)
    second = tmp_path / "tracks.csv"
    second.write_text("track_id,label\n1,Ann\n3,Bob\n")
    labels = read_truth([first, second], two)
    assert labels.label == ("Ann", "Bob", "Ann", None, "Ann", None, None)
    assert (labels.visible, labels.found) == (6, 4)


@pytest.fixture
def given(found: Result) -> Result:
    """A run over a film whose tracks were given with their boxes."""
    film = replace(found.films[0], track_names=("8", "7", "maria", "08"))
    return replace(found, films=(film,))


def test_given_tracks_go_by_name_whatever_their_boxes(tmp_path: Path, given: Result) -> None:
    # The boxes lie elsewhere: names are what counts.  8 and 08 are two tracks of one set.
    rows = ["8,10,0,0,5,5,Ann", "08,10,9,0,5,5,Bob", "007,1,0,0,5,5,Cat", "9,1,0,0,5,5,Dan"]
    labels = read_truth(boxes(tmp_path, *rows), given)
    assert labels.label == ("Ann", "Cat", None, "Bob")
    assert (labels.visible, labels.found) == (4, 3)


FACTS = {"video": "film.mp4", "fps": 24, "width": 320, "height": 180}
ROW = "1,10,50,40,40,50,Ann"


@pytest.mark.parametrize(
    ("rows", "facts", "says"),
    [
        (["1,10,0,0,5,5,"], None, "line 2: track 1 has no label"),
        (["1,10,0,0,5,5,A", "1,10,1,0,5,5,A"], None, "line 3: track 1 has two boxes in frame 10"),
        (["1,10,300,0,22,5,A"], None, "line 2: the box 300,0 to 322,5 leaves the frame of 320x180"),
        (["1,10,0,0,0,5,A"], None, "line 2: the box is 0 x 5 px"),
        (["1,10.5,0,0,5,5,A"], None, "line 2: frame is '10.5', no whole number"),
        ([",10,0,0,5,5,A"], None, "line 2: the box has no track"),
        ([ROW], {"fps": 25}, "is of a film of 25 frames/s, this one has 24"),
        ([ROW], {"width": 640}, "is of a film of 640x180 px, this one has 320x180"),
        ([ROW], {"frames": 10}, "line 2: frame 10 is outside the film of 10 frames"),
        ([ROW], {"fps": 0}, "fps is '0'"),
        ([], {}, "holds no row"),
    ],
)
def test_box_truth_is_refused_as_a_data_set_is(
    rows: list[str],
    facts: dict[str, object] | None,
    says: str,
    tmp_path: Path,
    found: Result,
    given: Result,
) -> None:
    path = tmp_path / "tracks.csv"
    path.write_text(BOXES + "\n".join(rows) + "\n")
    if facts is not None:
        (tmp_path / "dataset.json").write_text(json.dumps({**FACTS, **facts}))
    for run in (found, given):
        for named in (path, tmp_path):
            with pytest.raises(DataError) as caught:
                read_truth(named, run)
            assert says in str(caught.value) and str(tmp_path) in str(caught.value)


def test_other_forms_of_boxes_are_truth_as_well(tmp_path: Path, found: Result) -> None:
    mot, cvat = tmp_path / "mot", tmp_path / "cvat"
    (mot / "gt").mkdir(parents=True)
    lines = [f"{11 + i},3,50,40,40,50,1,1,1" for i in range(10)]
    (mot / "gt" / "gt.txt").write_text("\n".join(lines) + "\n")
    (mot / "seqinfo.ini").write_text(
        "[Sequence]\nname=f\nframeRate=24\nseqLength=100\nimWidth=320\nimHeight=180\n"
    )
    assert read_truth(mot, found).label == ("3", None, None, None)
    (mot / "names.csv").write_text("id,label\n3,Ann\n")
    assert read_truth(mot, found).label == ("Ann", None, None, None)
    cvat.mkdir()
    drawn = "".join(
        f'<box frame="{10 + i}" xtl="50" ytl="40" xbr="90" ybr="90" outside="0"/>'
        for i in range(10)
    )
    size = "<original_size><width>{}</width><height>180</height></original_size>"
    track = f'<track id="0" label="Ann">{drawn}</track>'
    text = f"<annotations><meta><task>{size}</task></meta>{track}</annotations>"
    path = cvat / "annotations.xml"
    path.write_text(text.format(320))
    assert read_truth(path, found) == read_truth(cvat, found)
    assert read_truth(cvat, found).label == ("Ann", None, None, None)
    path.write_text(text.format(640))
    with pytest.raises(DataError, match="of 640x180 px, this one has 320x180"):
        read_truth(cvat, found)


def test_missing_and_unreadable_files(tmp_path: Path, found: Result) -> None:
    with pytest.raises(DataError, match=r"cannot read .*none\.csv: No such file"):
        read_truth(tmp_path / "none.csv", found)
    with pytest.raises(DataError, match="holds no labelled boxes"):
        read_truth(tmp_path, found)
    picture = tmp_path / "x.csv"
    picture.write_bytes(b"\x89PNG\xff\xfe\n\x00")
    with pytest.raises(DataError, match="is not a CSV file"):
        read_truth(picture, found)
    write(tmp_path, TRUTH)
    (tmp_path / "shots.csv").unlink()
    with pytest.raises(DataError, match=r"cannot read .*shots\.csv"):
        read_truth(tmp_path, found)
