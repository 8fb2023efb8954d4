"""Tables, JSON, subtitles and markers of runs with tracks; rules of formats that nobody checks."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pysubs2
import pytest
from pysubs2.formats.substation import parse_tags

from tests import tables
from tests.conftest import Vcn
from tests.readback.markers import events_of
from tests.readback.text import CHECKER
from tests.sheets import NAMES, a_film, a_sheet, drawn, varying
from videoclusternet.export.formats import FORMATS, find_format
from videoclusternet.export.sheet import Choice, Player, Sheet, cast_sheet, make_sheet
from videoclusternet.export.text.json_text import SCHEMA
from videoclusternet.export.write import export
from videoclusternet.result.result import open_run


def with_tracks() -> Sheet:
    """Two characters of three tracks, one Unknown; Character 1 is on screen twice."""
    of = tables.tracks([(0, 0, 9), (0, 10, 19), (0, 4, 9), (0, 30, 39), (0, 41, 47)])
    film = tables.film(of, with_video=tables.video(48))
    cast = tables.cast([0, 0, 1, 0, -1], [0.9, 0.5, 0.8, 0.4, 0.0])
    return cast_sheet(tables.result([film], of, cast), Choice(unknown=True))


def test_tables_say_how_sure_each_appearance_is(tmp_path: Path) -> None:
    rows = {
        ("Character 1", 0, 20): (2, 0.7),
        ("Character 2", 4, 10): (1, 0.8),
        ("Character 1", 30, 40): (1, 0.4),
        ("Unknown", 41, 48): (1, None),
    }
    export(with_tracks(), tmp_path / "a.csv")
    export(with_tracks(), tmp_path / "a.parquet")
    export(with_tracks(), tmp_path / "a.json")
    for table in (pd.read_csv(tmp_path / "a.csv"), pd.read_parquet(tmp_path / "a.parquet")):
        found = {
            (one.name, one.first_frame, one.end_frame): (
                one.tracks,
                None if np.isnan(one.confidence) else one.confidence,
            )
            for one in table.itertuples()
        }
        assert found == rows
    content = json.loads((tmp_path / "a.json").read_text())
    CHECKER.validate(content)
    assert {
        (one["name"], one["first_frame"], one["end_frame"]): (one["tracks"], one["confidence"])
        for one in content["appearances"]
    } == rows
    one, _, nobody = content["characters"]
    assert (one["tracks"], one["confidence"], one["expected_wrong"]) == (3, 0.6, 1.2)
    assert (nobody["number"], nobody["tracks"], nobody["confidence"]) == (0, 1, None)


def test_answers_to_questions_are_told_without_a_confidence(tmp_path: Path) -> None:
    run = with_tracks().run
    span = run.films[0].span(0, 4, 10)
    (path,) = export(make_sheet(run, [(Player(1, "1 & 2"), [span])]), tmp_path / "a.json")
    content = json.loads(path.read_text())
    CHECKER.validate(content)
    (player,) = content["characters"]
    assert (player["name"], player["tracks"], player["confidence"]) == ("1 & 2", 0, None)
    assert content["appearances"][0]["tracks"] == 0


def test_schema_is_a_schema_and_refuses_what_is_none() -> None:
    CHECKER.check_schema(CHECKER.schema)
    assert CHECKER.schema["$id"] == SCHEMA
    assert not CHECKER.is_valid({})


def test_json_of_a_hidden_character_says_so(drawn_run: Path, vcn: Vcn, tmp_path: Path) -> None:
    run = Path(shutil.copytree(drawn_run, tmp_path / "film.vcn"))
    assert vcn("edit", run, "hide", "2").code == 0
    hidden = []
    for more in ([], ["--character", "2"]):
        assert vcn("export", run, "--to", tmp_path / "a.json", "--force", *more).code == 0
        content = json.loads((tmp_path / "a.json").read_text())
        CHECKER.validate(content)
        assert content["films"][0]["content"] == open_run(run).films[0].content
        assert content["films"][0]["rate"] == "24"
        hidden += [(one["number"], one["hidden"]) for one in content["characters"]]
    assert hidden == [(1, False), (2, True)]


def test_json_of_a_run_without_a_film(tmp_path: Path) -> None:
    of = tables.tracks([(0, 0, 5)])
    sheet = cast_sheet(tables.result([tables.film(of)], of, tables.cast([0])))
    content = json.loads(export(sheet, tmp_path / "a.json")[0].read_text())
    CHECKER.validate(content)
    assert content["films"][0]["width"] is content["films"][0]["path"] is None


@pytest.mark.parametrize(("format", "unit"), [("vtt", 1000), ("srt", 1000), ("ass", 100)])
def test_every_frame_is_shown_with_its_people(format: str, unit: int, tmp_path: Path) -> None:
    for film in (a_film(700, "24000/1001"), a_film(700, "60000/1001"), a_film(video=varying())):
        sheet = a_sheet([film], drawn(film, 4, 15))
        (path,) = export(sheet, tmp_path / f"a.{format}", force=True)
        cues = [(e.start, e.end, e.plaintext) for e in pysubs2.load(str(path))]
        assert all(0 <= start < end for start, end, _ in cues)
        assert all(a[1] <= b[0] for a, b in pairwise(cues))
        assert film.video is not None
        for frame in range(film.frames):
            shown = int(film.video.pts[frame]) * Fraction(film.video.base) * 1000
            said = [text for start, end, text in cues if start <= shown < end]
            here = [o for o in sheet.appearances if o.span.first <= frame < o.span.end]
            names = [o.player.name for o in sorted(here, key=lambda o: o.player.number)]
            assert said == ([", ".join(names)] if names else []), frame


def test_cues_of_a_film_faster_than_their_unit_are_not_empty(tmp_path: Path) -> None:
    film = a_film(100, "1000")
    spans = {"Anna": [(0, n, n + 1) for n in range(0, 100, 7)], "Ben": [(0, 3, 4), (0, 5, 60)]}
    (path,) = export(a_sheet([film], spans), tmp_path / "a.ass")
    cues = [(event.start, event.end) for event in pysubs2.load(str(path))]
    assert cues and all(start < end for start, end in cues)
    assert all(a[1] <= b[0] for a, b in pairwise(cues))


def test_ass_has_a_style_for_each_character(tmp_path: Path) -> None:
    spans = {name: [(0, 10 * i, 10 * i + 25)] for i, name in enumerate(NAMES[:7])}
    (path,) = export(a_sheet([a_film()], spans), tmp_path / "a.ass")
    subs = pysubs2.load(str(path))
    assert len({str(style.primarycolor) for style in subs.styles.values()}) == 8
    assert (subs.info["PlayResX"], subs.info["PlayResY"]) == ("640", "360")
    white = subs.styles["Default"].primarycolor
    for event in subs:
        parts = parse_tags(event.text, subs.styles["Default"], subs.styles)
        named = [text for text, style in parts if style.primarycolor != white]
        assert ", ".join(named) == event.plaintext.replace("\\h", " ")


RULES = {
    "a title, then the mode of the frames": lambda text: re.match(
        r"TITLE: \S[^\n]*\nFCM: (NON-)?DROP FRAME\n(\n|\Z)", text
    ),
    "drop-frame is said in head and timecodes alike": lambda text: (
        ("\nFCM: DROP" in text) == bool(re.search(r"\d\d:\d\d:\d\d;\d\d", text))
    ),
    "events are counted from 001, without a gap": lambda text: (
        [e[0] for e in events_of(text)] == list(range(1, len(events_of(text)) + 1))
    ),
    "an event is one line, its marker the next, and a blank one ends it": lambda text: (
        not re.search(r"\n\n\n|[^\n]\Z", text)
    ),
    "source and record are the same frame": lambda text: all(
        e[1][:2] == e[1][2:] for e in events_of(text)
    ),
    "no two markers are on one frame": lambda text: (
        len({e[1][0] for e in events_of(text)}) == len(events_of(text))
    ),
    "colours are Resolve's": lambda text: {e[2][1] for e in events_of(text)} <= RESOLVE,
    "a field has no bar, a marker lasts a frame": lambda text: all(
        "|" not in "".join(e[2]) and int(e[2][3]) > 0 for e in events_of(text)
    ),
    "a note is no event and no comment": lambda text: (
        not re.search(r"^(\*|\d)", "\n".join(e[2][0] for e in events_of(text)), re.MULTILINE)
    ),
    "no tabs, no carriage returns": lambda text: not set("\t\r\v\f\x85\u2028") & set(text),
}
RESOLVE = {
    *("Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia", "Rose", "Lavender"),
    *("Sky", "Mint", "Lemon", "Sand", "Cocoa", "Cream"),
}


@pytest.mark.parametrize("rule", RULES)
def test_resolve_markers_keep_the_rules_of_their_format(rule: str, tmp_path: Path) -> None:
    many = a_film(5000, "30000/1001", timecode="23:59:00;02")
    odd = {f"* {name}": [(0, 10 * i, 40)] for i, name in enumerate(NAMES[:4])}
    odd["9 lives"] = odd["|"] = [(0, 3, 9), (0, 30, 32)]
    for sheet in (
        a_sheet([a_film()], {}),
        a_sheet([a_film(timecode="01:00:00:00")], drawn(a_film(), 9, 40)),
        a_sheet([many], drawn(many, 60, 30)),
        a_sheet([replace(a_film(), name="a\nb")], odd),
    ):
        (path,) = export(sheet, tmp_path / "a.edl", "resolve-markers", force=True)
        with path.open(encoding="utf-8", newline="") as stream:
            assert RULES[rule](stream.read()), rule


def test_of_one_ending_the_first_format_is_meant() -> None:
    assert find_format(Path("a.csv")).name == "csv"
    assert find_format(Path("a.json")).name == "json"
    assert find_format(Path("a.txt")).name == "avid-markers"
    assert {one.name for one in FORMATS} >= {"resolve-markers", "premiere-markers", "coco"}
