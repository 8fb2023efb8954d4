"""Tables, pictures and the page about data sets."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.drawn import snapshot
from videoclusternet_bench.describe import Described, FaceMeasures
from videoclusternet_bench.tables.stats import (
    MOST_BINS,
    PICTURES,
    as_dict,
    draw,
    edges,
    grid,
    percent,
    write_stats,
)

SERIES = Described("buffy_s05e03", "labels", 1185, 13)
BOXES = Described("scene", "boxes", 2, 2, 1.25, "boxes")
PICTURE_FILES = {f"{p.name}.{ending}" for p in PICTURES for ending in ("svg", "png")}


def faces(tracks: int = 4, more: float = 0.0) -> FaceMeasures:
    """Three crops for each track, the last track without a quality."""
    track = np.repeat(np.arange(tracks), 3)
    of_track = (np.linspace(0.4, 0.6, tracks) + more).astype(np.float32)
    of_track[-1] = np.nan
    light = (np.linspace(0.1, 0.7, len(track)) + more).astype(np.float32)
    blur = (np.linspace(0.3, 0.9, len(track)) + more).astype(np.float32)
    frame = np.tile([0, 12, 24], tracks)
    return FaceMeasures(track, frame, of_track[track], of_track[track], light, blur)


def film(name: str = "Soldier", more: float = 0.0, model: str = "dlib") -> Described:
    return Described(name, "labelled", 4, 2, 1.5, "film", model, faces(more=more))


def test_rows_of_the_table_with_the_papers_below() -> None:
    one = film()
    assert one.faces is not None
    table = grid([one, SERIES, BOXES])
    assert [list(row) for row in table.rows] == [
        ["Soldier", "dlib", "4", "2", "1.500", "0.4667", "0.400", "0.600", "12"],
        ["Soldier (paper, Tables 2, 9)", "", "594", "21", "4.058", "0.7056", "", "", ""],
        ["buffy_s05e03", "", "1185", "13", "", "", "", "", ""],
        ["buffy_s05e03 (paper, Table 9)", "", "1185", "14", "", "", "", "", ""],
        ["scene", "", "2", "2", "1.250", "", "", "", ""],
    ]
    assert float(table.rows[0][5]) == pytest.approx(one.faces.of_tracks.mean(), abs=5e-5)
    assert len(one.faces.of_tracks) == 3
    assert len(table.header) == 9


def test_the_note_says_what_was_assumed() -> None:
    assert grid([SERIES]).note == ""
    crops = Described("small", "labelled", 4, 2, 1.5, "crops", "dlib", faces())
    run = Described("mine", "run", 4, 2, 1.5, "film", "edgeface-xs", faces())
    said = grid([crops, run, BOXES]).note
    assert "Half a second assumed for each crop: small." in said
    assert "Qualities by different models do not compare." in said
    assert "People as found, not as labelled: mine." in said
    assert "different models" not in grid([crops]).note


SETS = (film(), film("other", 0.03), SERIES)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of three sets, beside all else that was written of them."""
    return write_stats(SETS, tmp_path_factory.mktemp("stats") / "new")


def test_what_is_written(written: Path) -> None:
    sets, page = SETS, written
    assert page.name == "stats.html" and page.parent.name == "new"
    names = {"stats.csv", "crops.parquet", "stats.md", "stats.tex", "stats.html"}
    assert {p.name for p in page.parent.iterdir()} == names | PICTURE_FILES
    with (page.parent / "stats.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["set"] for row in rows] == ["Soldier", "other", "buffy_s05e03"]
    assert (rows[0]["paper_tracks"], rows[0]["paper_quality"]) == ("594", "0.7056")
    assert (rows[1]["paper_tracks"], rows[2]["quality"], rows[2]["model"]) == ("", "", "")
    assert float(rows[0]["quality"]) == as_dict(sets[0])["quality"]
    table = pq.read_table(page.parent / "crops.parquet")
    assert table.column_names == [
        "set", "track", "frame", "quality", "track_quality", "lightness", "blur",
    ]  # fmt: skip
    assert table.column("set").to_pylist() == ["Soldier"] * 12 + ["other"] * 12
    assert sets[1].faces is not None
    assert np.array_equal(table.column("blur").to_numpy()[12:], sets[1].faces.blur)


def test_files_are_the_same_every_time(written: Path, tmp_path: Path) -> None:
    write_stats([film(), film("other", 0.03), SERIES], tmp_path)
    assert snapshot(tmp_path) == snapshot(written.parent)


def test_sets_without_pictures_have_none_and_take_earlier_ones_away(tmp_path: Path) -> None:
    write_stats([film()], tmp_path)
    page = write_stats([SERIES, BOXES], tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "stats.csv", "stats.md", "stats.tex", "stats.html",
    }  # fmt: skip
    assert "<svg" not in page.read_text(encoding="utf-8")


def test_page_needs_nothing_else(tmp_path: Path) -> None:
    text = write_stats([film("a <b> & c"), film("other", 0.03)], tmp_path).read_text(
        encoding="utf-8"
    )
    assert text.count("<svg") == 3 and text.count("<figcaption>") == 3
    assert "<td>a &lt;b&gt; &amp; c</td>" in text
    assert "<script" not in text and "src=" not in text and "@import" not in text
    links = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert links <= {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_legend_tells_sets_and_their_numbers(picture: object, written: Path) -> None:
    name = getattr(picture, "name", "")
    text = "".join(ET.parse(written.with_name(f"{name}.svg")).getroot().itertext())
    count = 3 if name == "quality" else 12
    assert f"Soldier: n = {count}, mean 0." in text and f"other: n = {count}, mean 0." in text


def test_models_stand_in_the_legend_where_they_differ(tmp_path: Path) -> None:
    write_stats([film(), film("other", 0.03, "edgeface-xs")], tmp_path)
    texts = {p.stem: p.read_text(encoding="utf-8") for p in tmp_path.glob("*.svg")}
    assert "other by edgeface-xs: n = 3" in texts["quality"]
    assert "edgeface-xs" not in texts["blur"]


def test_outlines_are_the_percentages_in_shared_bins() -> None:
    sets = [film(), film("other", 0.03)]
    figure = draw(sets, PICTURES[2])
    values = [one.faces.blur for one in sets if one.faces is not None]
    outlines = [patch.get_data() for patch in figure.axes[0].patches]
    assert len(outlines) == 2
    for outline, blur in zip(outlines, values, strict=True):
        assert np.array_equal(outline.edges, edges(values))
        assert outline.values.sum() == pytest.approx(100)
        low, high = outline.edges[3:5]
        share = np.mean((blur >= low) & (blur < high)) * 100
        assert outline.values[3] == pytest.approx(share)
    assert len({str(patch.get_linestyle()) for patch in figure.axes[0].patches}) == 2


def test_a_set_without_a_measured_track_has_no_outline() -> None:
    none = faces(1)
    empty = Described("empty", "run", 1, 0, 1.0, "film", "dlib", none)
    assert draw([empty], PICTURES[0]) is None
    assert len(draw([empty, film()], PICTURES[0]).axes[0].patches) == 1


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.4612, 0.4871), (0.5, 0.5), (0.123, 0.124), (1, 1), (-3, 250)]
)
def test_edges_are_round_and_hold_every_value(low: float, high: float) -> None:
    values = [np.array([low, high]), np.linspace(low, high, 50)]
    found = edges(values)
    assert found[0] <= low and high <= found[-1] and 2 <= len(found) <= MOST_BINS + 1
    width = np.diff(found)
    assert width == pytest.approx(np.full(len(width), width[0]))
    digits = f"{width[0]:.1e}"
    assert digits[:3] in ("1.0", "2.0", "2.5", "5.0")
    for part in values:
        assert percent(part, found).sum() == pytest.approx(100)


def test_single_precision_at_an_edge_is_not_lost() -> None:
    values = np.array([0.3, 0.7, 0.1 + 0.2], dtype=np.float32)
    assert percent(values, edges([values])).sum() == pytest.approx(100)
