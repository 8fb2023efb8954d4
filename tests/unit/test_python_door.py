"""A run from Python: characters by name, their pictures, data frames, HTML, export."""

from __future__ import annotations

import io
import math
import shutil
import sys
import time
from dataclasses import replace
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests import tables
from tests.conftest import Vcn
from tests.large_run import write_large_run
from tests.sheets import NAMES
from videoclusternet import (
    Character,
    Result,
    Span,
    VcnError,
    characters,
    export_run,
    open_run,
)
from videoclusternet.errors import ConfigError, InstallError, NoCharacterError
from videoclusternet.result.characters import track_span
from videoclusternet.result.pictures import _picture


@pytest.fixture
def run(drawn_run: Path, tmp_path: Path) -> Result:
    """Two people in four tracks, and the last track set aside; Anna is the first."""
    made = open_run(shutil.copytree(drawn_run, tmp_path / "film.vcn"))
    made.edits.name(1, "Anna")
    made.edits.move(3, to="unknown")
    return made


def by_hand(films: int = 2) -> Result:
    """Two films of ten seconds: characters 0 and 1 in both, one Unknown, no pictures."""
    rows = [(0, 0, 45), (0, 24, 69), (1, 150, 200), (1, 192, 237)]
    each = [
        replace(
            tables.film(
                tables.tracks(rows, [[0], [1], [2], [3]], film=number),
                with_video=tables.video(240, "24000/1001"),
                with_shots=tables.shots(0, 144, 240),
                with_faces=tables.faces([(row[1], 10.0, 20.0, 60.0, 90.0) for row in rows]),
            ),
            name=f"film {number}",
        )
        for number in range(films)
    ]
    of = tables.tracks(
        rows * films,
        [[0], [1], [2], [3]] * films,
        film=list(chain(*([n] * len(rows) for n in range(films)))),
    )
    return tables.result(each, of, tables.cast([0, 1, 0, -1] * films))


# --- characters ------------------------------------------------------------------------


def test_a_character_is_found_by_name_and_by_number(run: Result) -> None:
    assert run["Anna"] == run[1] == run["1"] == run[np.int64(1)] == characters(run)[0]
    assert (run["Anna"].number, run[2].name) == (1, "Character 2")
    unknown = run["Unknown"]
    assert (unknown.number, unknown.tracks.tolist()) == (0, [3])
    assert math.isnan(unknown.confidence)


@pytest.mark.parametrize("who", ["Ana", 0, -1, 3, 1.0, True, None, slice(0, 2)])
def test_nobody_of_that_name(run: Result, who: int) -> None:
    with pytest.raises(ConfigError) as caught:
        _ = run[who]
    assert isinstance(caught.value, KeyError) and isinstance(caught.value, NoCharacterError)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("there is no character '")
    assert ("did you mean Anna? " in str(caught.value)) == (who == "Ana")
    assert who not in run


def test_many_numbers_are_listed_in_short() -> None:
    cast = tables.cast(list(range(9)))
    tracks = tables.tracks([(0, 0, 1)] * 9)
    run = tables.result([tables.film(tracks)], tracks, cast)
    with pytest.raises(NoCharacterError, match=r"there are 1 to 9\)"):
        _ = run[10]
    del run.people[2], run.people[3], run.people[7]
    with pytest.raises(NoCharacterError, match=r"there are 1, 2, 5 to 7, 9\)"):
        _ = run[10]


def test_nobody_is_unknown(drawn_run: Path) -> None:
    run = open_run(drawn_run)
    assert (run.cast.character >= 0).all()
    unknown = run["Unknown"]
    assert unknown.spans == () and unknown.seconds == 0 and math.isnan(unknown.confidence)
    assert unknown.best_pictures() == []
    assert "Unknown" in unknown._repr_html_()


def test_going_through_a_run_leaves_out_the_unknown_and_the_hidden(run: Result) -> None:
    assert [one.name for one in run] == ["Anna", "Character 2"] and len(run) == 2
    run.edits.hide("Anna")
    assert [one.name for one in run] == ["Character 2"] and len(run) == 1
    assert run["Anna"].hidden and "Anna" in run and 1 in run
    assert run[2] in run and run["Anna"] not in run
    assert [one.name for one in characters(run)] == ["Anna", "Character 2", "Unknown"]


def test_a_run_without_faces_is_a_run() -> None:
    tracks = tables.tracks([])
    run = tables.result([tables.film(tracks)], tracks, tables.cast([]))
    assert len(run) == 0 and list(run) == [] and bool(run)
    ElementTree.fromstring(run._repr_html_())
    for what in ("appearances", "characters", "tracks", "faces"):
        assert len(run.to_pandas(what, unknown=True)) == 0


def test_a_run_is_shown_in_one_line(run: Result) -> None:
    assert "\n" not in repr(run) and len(repr(run)) < 300
    assert repr(run).endswith("film.vcn', characters: 2, tracks: 4, Unknown of them: 1>")
    assert repr(run["Anna"]).startswith("Character(index=0, name='Anna', hidden=False")


# --- pictures --------------------------------------------------------------------------


def test_best_pictures(run: Result) -> None:
    person = run["Anna"]
    pictures = person.best_pictures(6)
    assert {one.track for one in pictures} == set(person.tracks.tolist())
    assert [len(person.best_pictures(n)) for n in (-1, 0, 1, 2)] == [0, 0, 1, 2]
    first = pictures[0]
    assert first == person.best_pictures(1)[0]
    assert run.crop_track[first.row] == first.track
    assert run.films[0].crops.frame[first.row] == first.frame
    assert (first.film, first.seconds) == (0, first.frame / 24)
    assert first.pixels.shape == (144, 144, 3) and first.pixels.dtype == np.uint8
    assert first._repr_jpeg_() == first.jpeg == run.pictures.jpeg(first.row)
    decoded = np.asarray(Image.open(io.BytesIO(first.jpeg)).convert("RGB")).astype(int)
    assert np.abs(decoded - first.pixels).mean() < 2
    assert "jpeg" not in repr(first) and "run" not in repr(first)


def test_the_cover_comes_first(run: Result) -> None:
    person = run["Anna"]
    other = person.best_pictures()[-1].track
    assert person.best_pictures()[0].track != other
    run.edits.cover("Anna", other)
    pictures = run["Anna"].best_pictures(6)
    assert pictures[0].track == other
    assert len({one.row for one in pictures}) == len(pictures)
    assert [one.row for one in run["Anna"].best_pictures(1)] == [pictures[0].row]


def test_pictures_of_the_second_film_have_its_time() -> None:
    run = by_hand()
    films = tuple(
        replace(film, crops=tables.crops([0, 2], 4, frame=[30, 160 + number]))
        for number, film in enumerate(run.films)
    )
    one = _picture(replace(run, films=films), 3)
    assert (one.track, one.film, one.frame) == (6, 1, 161)
    assert one.seconds == pytest.approx(161 * 1001 / 24000)


def test_a_run_without_pictures_is_shown(run: Result) -> None:
    made = by_hand()
    assert not made.has_pictures
    assert made[1].best_pictures() == []
    page = ElementTree.fromstring(made._repr_html_())
    assert not list(page.iter("img")) and len(list(page.iter("svg"))) == 2


# --- HTML ------------------------------------------------------------------------------


def test_html_of_a_run_of_a_character_and_of_pictures(run: Result) -> None:
    page = ElementTree.fromstring(run._repr_html_())
    assert [row[2].text for row in page.iter("tr")] == ["character", "Anna", "Character 2"]
    assert len(list(page.iter("img"))) == 2
    card = ElementTree.fromstring(run["Anna"]._repr_html_())
    assert len(list(card.iter("img"))) == 2 and card[0][0].text == "Anna"
    assert card[0][0].tail == f" · {run['Anna'].seconds:.1f} s on screen, appearances: 2"
    strip = ElementTree.fromstring(run["Anna"].best_pictures()._repr_html_())
    assert [image.tag for image in strip] == ["img", "img"]


@pytest.mark.parametrize("name", [*NAMES, '"><script>alert(1)</script>', "a\x1b[2J\u202eb"])
def test_odd_names_stay_text(run: Result, name: str) -> None:
    run.edits.people[0].name = name  # whatever a log may hold
    for html in (run._repr_html_(), run["Character 2"]._repr_html_(), run[1]._repr_html_()):
        page = ElementTree.fromstring(html)
        assert {part.tag for part in page.iter()} <= {
            *("div", "b", "table", "thead", "tbody", "tr", "th", "td", "img", "svg", "path")
        }
    said = "".join(ElementTree.fromstring(run[1]._repr_html_()).itertext())
    assert name.split()[0].rstrip("\x1b[2J\u202eb") in said
    assert "\x1b" not in said and "\n" not in said and "\u202e" not in said


def test_a_lane_shows_where_in_all_films_somebody_is() -> None:
    run = by_hand()
    page = ElementTree.fromstring(run[1]._repr_html_())
    bars, border = (path.get("d") for path in page.iter("path"))
    # Frames 0 to 46 and 150 to 201 of 240, in both films.
    left = [float(part.split(" ")[0]) for part in bars.split("M")[1:]]
    wide = [float(part.split("h")[1]) for part in bars.split("M")[1:]]
    assert left == pytest.approx([0, 150 / 0.48, 500, 500 + 150 / 0.48], abs=0.06)
    assert wide == pytest.approx([46 / 0.48, 51 / 0.48] * 2, abs=0.06)
    assert border == "M500.0 0v14"


def test_a_lane_ends_at_the_end() -> None:
    tracks = tables.tracks([(0, 99_999, 99_999)])
    film = tables.film(tracks, with_video=tables.video(100_000))
    run = tables.result([film], tracks, tables.cast([0]))
    assert 'd="M998.0 7h2.0"' in run[1]._repr_html_()


# --- data frames -----------------------------------------------------------------------


@pytest.mark.parametrize("unknown", [False, True])
def test_appearances_are_those_of_the_csv(run: Result, tmp_path: Path, unknown: bool) -> None:
    for made in (run, by_hand()):
        (path,) = export_run(made, tmp_path / "cast.csv", unknown=unknown, force=True)
        written = pd.read_csv(path)
        frame = made.to_pandas(unknown=unknown)
        assert list(frame) == list(written) and len(frame) == len(written) > 2
        pd.testing.assert_frame_equal(frame.round(6), written, check_dtype=False)


def test_characters_as_a_frame(run: Result) -> None:
    frame = run.to_pandas("characters", unknown=True)
    assert frame["name"].tolist() == ["Anna", "Character 2", "Unknown"]
    assert frame["character"].tolist() == [1, 2, 0]
    assert frame["tracks"].tolist() == [2, 1, 1]
    for row, one in zip(frame.itertuples(), characters(run), strict=True):
        assert (row.seconds, row.appearances) == (one.seconds, len(one.spans))
    assert len(run.to_pandas("characters")) == 2


def test_tracks_as_a_frame() -> None:
    run = by_hand()
    frame = run.to_pandas("tracks", unknown=True)
    assert frame.index.name == "track" and frame.index.tolist() == list(range(8))
    assert frame["character"].tolist() == [1, 2, 1, 0] * 2
    assert frame["film"].tolist() == ["film 0"] * 4 + ["film 1"] * 4
    assert frame["reason"].tolist() == run.cast.reason.tolist()
    for track, row in frame.iterrows():
        span = track_span(run, track)
        assert (row.first_frame, row.end_frame) == (span.first, span.end)
        assert (row.start_seconds, row.stop_seconds) == (span.start, span.stop)
    assert run.to_pandas("tracks").index.tolist() == [0, 1, 2, 4, 5, 6]


def test_faces_as_a_frame() -> None:
    run = by_hand()
    frame = run.to_pandas("faces", unknown=True)
    rows = []
    for number, film in enumerate(run.films):
        for track in np.flatnonzero(run.tracks.film == number):
            for face in run.tracks.faces_of(track):
                name = run.called(int(run.cast.character[track]))
                seen = int(film.faces.frame[face])
                rows.append(
                    (film.name, name, track, seen, film.seconds(seen), *film.faces.box[face])
                )
    columns = ["film", "name", "track", "frame", "seconds", "x1", "y1", "x2", "y2"]
    expected = pd.DataFrame(rows, columns=columns).sort_values(["film", "frame"])
    pd.testing.assert_frame_equal(
        frame[columns], expected.reset_index(drop=True), check_dtype=False, rtol=1e-12
    )
    assert set(run.to_pandas("faces")["name"]) == {"Character 1", "Character 2"}
    assert (frame["score"] == np.float32(0.99)).all()


def test_hidden_characters_are_in_no_frame(run: Result) -> None:
    run.edits.hide("Anna")
    for what in ("appearances", "characters", "tracks", "faces"):
        assert set(run.to_pandas(what, unknown=True)["name"]) == {"Character 2", "Unknown"}


def test_no_such_table_and_no_pandas(run: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"'track'.*did you mean tracks\? there are appear"):
        run.to_pandas("track")  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InstallError, match=r"pandas is not installed \(pip install pandas\)"):
        run.to_pandas()


# --- export ----------------------------------------------------------------------------


def names_in(path: Path) -> list[str]:
    return pd.read_csv(path)["name"].tolist()


def test_export_of_characters(run: Result, tmp_path: Path) -> None:
    to = tmp_path / "cast.csv"
    assert export_run(run, str(to)) == [to]
    assert set(names_in(to)) == {"Anna", "Character 2"}
    for who in ("Anna", 1, ["Anna"], (1, "1"), iter(["Anna"])):
        export_run(run, to, characters=who, force=True)
        assert set(names_in(to)) == {"Anna"}
    export_run(run, tmp_path / "cast", "csv", unknown=True, start_timecode="01:00:00:00")
    written = pd.read_csv(tmp_path / "cast")
    assert "Unknown" in set(written["name"])
    assert written["start_timecode"].str.startswith("01:00:0").all()


def test_export_of_spans(run: Result, tmp_path: Path) -> None:
    film = run.films[0]
    own = {"both": [film.span(0, 50, 60), film.span(0, 62, 70)], "none": []}
    (path,) = export_run(run, tmp_path / "both.csv", spans=own, gap=0.1)
    (row,) = pd.read_csv(path).itertuples()
    assert (row.name, row.first_frame, row.end_frame) == ("both", 50, 70)


def test_export_says_what_is_wrong(run: Result, tmp_path: Path) -> None:
    to = tmp_path / "x.csv"
    span = Span(3, 0, 1, 0.0, 0.04)
    cases: list[tuple[dict, str]] = [
        ({"characters": "Ana"}, "did you mean Anna"),
        ({"format": "cvs"}, "did you mean csv"),
        ({"spans": {"a": [span]}}, "of film 3"),
        ({"spans": {}, "characters": 1}, "give one of them"),
        ({"start_timecode": "soon"}, "no timecode"),
    ]
    for given, said in cases:
        with pytest.raises(VcnError, match=said):
            export_run(run, to, **given)
        assert not to.exists()
    to.touch()
    with pytest.raises(ConfigError, match="there already"):
        export_run(run, to)


# --- size ------------------------------------------------------------------------------


def test_two_hundred_characters_are_quick(tmp_path: Path) -> None:
    run = open_run(write_large_run(tmp_path / "large.vcn", 4000, 200))
    assert len(run) == 200
    begun = time.process_time()
    cast: list[Character] = characters(run)
    assert time.process_time() - begun < 1
    begun = time.process_time()
    page = run._repr_html_()
    assert time.process_time() - begun < 2
    assert len(cast) == 201 and "and 160 more" in page and len(page) < 1 << 20


def test_boxes_from_python_are_those_of_the_command(run: Result, tmp_path: Path, vcn: Vcn) -> None:
    for boxes in ("detections", "frames"):
        (made,) = export_run(run, tmp_path / f"{boxes}.json", "coco", boxes=boxes)
        asked = ("--format", "coco", "--boxes", boxes)
        assert vcn("export", run.folder, "--to", tmp_path / f"cli-{boxes}.json", *asked).code == 0
        assert made.read_bytes() == (tmp_path / f"cli-{boxes}.json").read_bytes()
    sizes = [(tmp_path / f"{boxes}.json").stat().st_size for boxes in ("detections", "frames")]
    assert sizes[0] < sizes[1]
