"""``vcn dataset``: counts of label files, checks of labelled sets, boxes in other forms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Vcn
from tests.drawn import FPS, HEIGHT, WIDTH, snapshot

HEADER = "CVHCI_TRACKLABELS_V1"
CVAT = """<annotations><version>1.1</version><meta><task><original_size>
<width>{width}</width><height>{height}</height></original_size></task><source>drawn.mp4</source></meta>
<track id="0" label="red"><box frame="0" outside="0" xtl="60" ytl="44" xbr="116" ybr="100"/>
<box frame="{last}" outside="0" xtl="60" ytl="44" xbr="116" ybr="100"/></track>
<track id="1" label="blue"><box frame="24" outside="0" xtl="60" ytl="44" xbr="116" ybr="100"/>
</track>
</annotations>"""


@pytest.fixture
def cvat(tmp_path: Path) -> Path:
    """Boxes on the drawn film, without a frame rate."""
    path = tmp_path / "annotations.xml"
    path.write_text(CVAT.format(width=WIDTH, height=HEIGHT, last=23))
    return path


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Label files of two episodes, one of which the paper knows."""
    folder = tmp_path / "ids"
    folder.mkdir()
    lines = {
        "buffy_s05e03": ("1 xander", "2 xander", "5 xander2", "7 unknown_e03_1", "9 buffy"),
        "other_s01e01": ("3 ann",),
    }
    for name, tracks in lines.items():
        (folder / f"{name}.ids").write_text("\n".join((HEADER, *tracks)) + "\n")
    return folder


@pytest.mark.parametrize(
    "arguments",
    [["-h"], ["ids", "-h"], ["check", "-h"], ["export", "-h"], ["from-run", "-h"], ["join", "-h"]],
)
def test_help(vcn: Vcn, arguments: list[str]) -> None:
    outcome = vcn("dataset", *arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Usage: ") and "vcn dataset" in outcome.out.splitlines()[0]


def test_counts_stand_beside_the_papers(vcn: Vcn, series: Path) -> None:
    outcome = vcn("dataset", "ids", series)
    assert (outcome.code, outcome.err) == (0, "")
    header, buffy, other, *_ = outcome.out.splitlines()
    assert header.split() == ["tracks", "named", "paper", "people", "paper"]
    assert buffy.split() == ["buffy_s05e03", "5", "4", "1185", "3", "14"]
    assert other.split() == ["other_s01e01", "1", "1", "1"]
    assert "named tracks as many as in the paper: 0 of 1 episodes" in outcome.out
    assert "xander2 (1 tracks) is a label apart from xander" in outcome.out


def test_counts_as_json_with_labels_and_aliases(vcn: Vcn, series: Path) -> None:
    outcome = vcn(
        "dataset", "ids", series, "--labels", "all", "--alias", "xander2=xander", "--json"
    )
    counts = json.loads(outcome.out)
    assert (counts["labels"], counts["aliases"]) == ("all", {"xander2": "xander"})
    assert counts["seasons"] == []
    assert counts["episodes"][0] == {
        "name": "buffy_s05e03",
        "tracks_all": 5,
        "tracks_named": 4,
        "tracks": 5,
        "people": 3,
        "unknown": 1,
        "paper_tracks": 1185,
        "paper_people": 14,
        "tracks_of": {"xander": 3, "buffy": 1, "unknown_e03_1": 1},
    }
    assert any("joined by aliases" in line for line in counts["differences"])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--labels", "some"], 2, "no labels 'some'"),
        (["--alias", "xander2"], 2, "cannot read alias 'xander2'"),
        (["--alias", "willow=buffy"], 2, "alias of willow"),
    ],
)
def test_wrong_counting_is_refused(
    vcn: Vcn, series: Path, arguments: list[str], code: int, words: str
) -> None:
    outcome = vcn("dataset", "ids", series, *arguments)
    assert (outcome.code, outcome.out) == (code, "") and words in outcome.complaint


def test_malformed_label_files_give_6(vcn: Vcn, series: Path) -> None:
    (series / "other_s01e01.ids").write_text(f"{HEADER}\n3 ann\n3 bob\n")
    outcome = vcn("dataset", "ids", series)
    assert outcome.code == 6 and "other_s01e01.ids, line 3: track 3 appears" in outcome.complaint


def test_check_says_what_a_set_holds(vcn: Vcn, cvat: Path) -> None:
    outcome = vcn("dataset", "check", cvat, "--fps", "24")
    assert (outcome.code, outcome.err) == (0, "")
    said = dict(line.split("  ", 1) for line in outcome.out.splitlines())
    said = {key: value.strip() for key, value in said.items()}
    assert said == {
        "form": "CVAT for video 1.1 (XML)",
        "file": str(cvat),
        "video": "drawn.mp4",
        "held against": "no film beside them",
        "frames/s": "24",
        "frame": "192x144 px",
        "length": "not said",
        "tracks": "2",
        "people": "2",
        "boxes": "3",
        "seconds per track": "0.521",  # 24 frames and 1
    }


def test_check_of_label_files(vcn: Vcn, series: Path) -> None:
    outcome = vcn("dataset", "check", series / "buffy_s05e03.ids")
    assert "5, 4 of them named" in outcome.out and "4, 3 of them named" in outcome.out
    outcome = vcn("dataset", "check", series)
    assert outcome.code == 6 and "vcn dataset ids" in outcome.complaint


def test_the_film_gives_the_rate_and_refuses_what_does_not_fit(
    vcn: Vcn, cvat: Path, drawn_film: Path
) -> None:
    assert f"{FPS}" in vcn("dataset", "check", cvat, "--film", drawn_film).out
    assert vcn("dataset", "check", cvat, "--film", drawn_film, "--fps", "24/1").code == 0
    for changes, arguments, words in (
        ({}, ["--fps", "25"], "is of a film of 25 frames/s, this one has 24"),
        ({"last": 72}, [], "frame 72 is outside the film of 72 frames"),
        ({"width": 640}, [], "is of a film of 640x144 px, this one has 192x144"),
    ):
        cvat.write_text(CVAT.format(**{"width": WIDTH, "height": HEIGHT, "last": 23, **changes}))
        outcome = vcn("dataset", "check", cvat, "--film", drawn_film, *arguments)
        assert (outcome.code, outcome.out) == (6, "") and words in outcome.complaint
    assert vcn("dataset", "check", cvat, "--film", cvat.with_name("none.mp4")).code == 3


def test_export_writes_what_check_and_export_read(vcn: Vcn, cvat: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    outcome = vcn("dataset", "export", cvat, first, "--fps", "24000/1001")
    assert (outcome.code, outcome.out) == (0, f"{first}: 2 tracks, 2 people, 3 boxes\n")
    assert vcn("dataset", "export", first, second).code == 0
    assert snapshot(first) == snapshot(second)
    assert (first / "tracks.csv").read_text().splitlines()[:2] == [
        "track_id,frame,x,y,w,h,label",
        "0,0,60,44,56,56,red",
    ]
    assert "CSV (tracks.csv and dataset.json)" in vcn("dataset", "check", first).out
    again = vcn("dataset", "export", cvat, first, "--fps", "24")
    assert again.code == 5 and "is not empty" in again.complaint
    # What the set itself says of the rate is held against what is given.
    outcome = vcn("dataset", "export", first, tmp_path / "third", "--fps", "24")
    assert outcome.code == 6 and "of 23.976 frames/s, this one has 24" in outcome.complaint
    assert not (tmp_path / "third").exists()


def test_names_for_motchallenge(vcn: Vcn, tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_text(
        "1,7,1,2,30,40,1,1,1\n2,7,1,2,30,40,1,1,1\n1,8,9,9,9,9,1,1,1\n"
    )
    (tmp_path / "seqinfo.ini").write_text(
        "[Sequence]\nname=a\nframeRate=25\nseqLength=2\nimWidth=64\nimHeight=48\n"
    )
    names = tmp_path / "people.csv"
    names.write_text("id,label\n7,Ann\n8,Ann\n")
    said = vcn("dataset", "check", tmp_path, "--names", names).out
    assert "people             1\n" in said and "tracks             2\n" in said
    assert "people             2\n" in vcn("dataset", "check", tmp_path).out
    names.rename(tmp_path / "names.csv")  # taken by itself
    assert "people             1\n" in vcn("dataset", "check", tmp_path).out


@pytest.mark.parametrize("command", ["check", "export"])
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 6, "does not say the frame rate"),
        (["--fps", "fast"], 2, "the rate is 'fast'"),
        (["--fps", "0"], 2, "the rate is '0'"),
        (["--fps", "24", "--names", "names.csv"], 2, "holds its own labels"),
    ],
)
def test_wrong_arguments_and_what_is_missing(
    vcn: Vcn, cvat: Path, command: str, arguments: list[str], code: int, words: str
) -> None:
    out = [cvat.with_name("out")] if command == "export" else []
    outcome = vcn("dataset", command, cvat, *out, *arguments)
    assert (outcome.code, outcome.out) == (code, "") and words in outcome.complaint


@pytest.mark.data
def test_the_real_label_files(vcn: Vcn, shared_data: Path) -> None:
    folder = shared_data / "ids"
    if not folder.is_dir():
        pytest.skip("the label files are not beside this checkout")
    outcome = vcn("dataset", "ids", folder)
    assert "named tracks as many as in the paper: 12 of 12 episodes" in outcome.out
    rows = [line.split() for line in outcome.out.splitlines()]
    assert ["bbt_s01", "3908", "3504", "3504", "11"] in rows
    assert ["buffy_s05", "5832", "5477", "5477", "26"] in rows


def test_boxes_are_held_against_the_film_beside_them(
    vcn: Vcn, drawn_film: Path, drawn_run: Path, tmp_path: Path
) -> None:
    boxes = tmp_path / "boxes"
    assert vcn("dataset", "from-run", drawn_run, tmp_path / "own").code == 0
    assert vcn("dataset", "export", tmp_path / "own", boxes, "--form", "csv").code == 0
    film = boxes / drawn_film.name
    film.write_bytes(drawn_film.read_bytes())
    assert str(film) in vcn("dataset", "check", boxes).out
    facts = (boxes / "dataset.json").read_text()
    (boxes / "dataset.json").write_text(facts.replace('"fps": 24', '"fps": 25'))
    outcome = vcn("dataset", "check", boxes)
    assert outcome.code == 6 and "25 frames/s, this one has 24" in outcome.complaint
