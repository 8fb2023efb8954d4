"""The page: what it shows, read as HTML."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests import tables
from videoclusternet import open_run
from videoclusternet.result.described import Film
from videoclusternet.result.pictures import cover_crop, telling_crops
from videoclusternet.result.result import Result
from videoclusternet.show.cast_page import write_page
from videoclusternet.show.timeline import CUTS, WIDTH, axis, lines
from videoclusternet.types import Reason

VOID = {"meta", "br", "img"}


class Page(HTMLParser):
    """Every element with its attributes and the text in it; refuses what is not nested well."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str], list[str]]] = []
        self.found: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = (tag, {key: value or "" for key, value in attrs}, [])
        self.found.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {key: value or "" for key, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        for _, _, texts in self.open:
            texts.append(data)

    def all(self, tag: str, css: str = "") -> list[tuple[dict[str, str], str]]:
        """Attributes and text of the elements of this tag and class."""
        return [
            (attributes, " ".join("".join(texts).split()))
            for name, attributes, texts in self.found
            if name == tag and (not css or css in attributes.get("class", "").split())
        ]

    def texts(self, tag: str, css: str = "") -> list[str]:
        return [text for _, text in self.all(tag, css)]


@pytest.fixture
def drawn(drawn_run: Path, tmp_path: Path) -> Result:
    """The run of the drawn film: four tracks of two people, in three shots of 24 frames."""
    return open_run(shutil.copytree(drawn_run, tmp_path / "run"))


def read(result: Result) -> Page:
    return Page(write_page(result).read_text("utf-8"))


def test_tracks_and_shots_have_their_numbers(drawn: Result) -> None:
    page = read(drawn)
    assert len(page.all("table")) == 2
    cells = page.texts("td")
    rows = {int(cells[i]): cells[i + 1 : i + 5] for i in range(0, len(cells), 5)}
    assert sorted(rows) == [0, 1, 2, 3]
    for track in range(4):
        shot = int(drawn.tracks.shot[track])
        assert rows[track][0] == str(shot) and rows[track][2].endswith(" s")
        assert any(t.startswith(f"track {track}, shot {shot}: 0:00:") for t in page.texts("title"))
        assert any(
            c.startswith(f"track {track}shot {shot}, 0:00:") for c in page.texts("figcaption")
        )
    assert page.texts("p", "soft")[0].startswith("3.0 s · 3 shots · 2 characters in 4 tracks")


def test_every_bar_lies_on_its_line_over_a_time_axis(drawn: Result) -> None:
    page = read(drawn)
    bars = [a for a, _ in page.all("rect")]
    assert len(bars) == 4
    for bar in bars:
        assert float(bar["x"]) >= 0 and float(bar["x"]) + float(bar["width"]) <= WIDTH + 0.01
    axes = page.texts("div", "axis")
    assert axes == ["0:00:000:00:010:00:02"] * 2
    marks = [a["style"] for a, t in page.all("span") if "left:" in a.get("style", "")]
    assert marks[:3] == ["left:0.00%", "left:33.33%", "left:66.67%"]
    # Two cuts, at one and two seconds of three.
    (cuts,) = [a["d"] for a, _ in page.all("path")]
    assert cuts == "M333.33 0V16M666.67 0V16"
    assert {a["href"] for a, _ in page.all("use")} == {"#cuts-0"}


def test_hints_are_on_the_page_with_their_commands(drawn: Result) -> None:
    cast = replace(
        drawn.cast,
        character=np.array([0, -1, -1, -1]),
        reason=np.array([0, *[Reason.BLURRED] * 3]),
    )
    page = read(replace(drawn, clustering=cast))
    first = page.texts("section", "hint")[0]
    assert first.startswith("3 of 4 tracks are Unknown (3 blurred); to judge blurred faces too:")
    assert page.texts("code")[0].startswith("vcn cluster drawn.mp4 -o run ")
    (unknown,) = [text for text in page.texts("section") if text.startswith("Unknown")]
    assert unknown.startswith("Unknown3 tracks that cannot be judged: 3 blurred")
    assert unknown.count("blurred") == 4


def test_a_track_that_is_hard_to_tell_says_who_it_probably_is(drawn: Result) -> None:
    cast = replace(
        drawn.cast,
        character=np.array([0, 1, -1, -1]),
        reason=np.array([0, 0, Reason.UNSURE, Reason.UNSURE]),
        probable=np.array([-1, -1, 1, -1]),
    )
    page = read(replace(drawn, clustering=cast))
    (unknown,) = [text for text in page.texts("section") if text.startswith("Unknown")]
    assert unknown.count("hard to tell from others") == 3  # of all, and of each
    assert unknown.count("hard to tell from others, probably Character 2") == 1


def test_names_are_text_and_nothing_else(drawn: Result) -> None:
    name = "<script>alert(1)</script>\x1b[2J \udce9 \" 'a' & b"
    film = replace(drawn.films[0], name=name, track_names=("<b>one</b>", "2", "3", "4"))
    text = write_page(replace(drawn, films=(film,))).read_text("utf-8")
    page = Page(text)
    assert not page.all("script") and "<b>one" not in text
    shown = "<script>alert(1)</script>\\x1b[2J \\xe9 \" 'a' & b"
    assert page.texts("title")[0] == f"Cast of {shown}" and page.texts("h1") == [shown]
    assert "0 (<b>one</b>)" in page.texts("td")
    assert not re.search(r"https?://|<script|<link|<iframe|@import|url\(", text)
    assert all(a["src"].startswith("data:image/jpeg;base64,") for a, _ in page.all("img"))


def a_film(frames: int, *cuts: int) -> Film:
    tracks = tables.tracks([(0, 0, 1)])
    return tables.film(
        tracks, with_video=tables.video(frames), with_shots=tables.shots(0, *cuts, frames)
    )


@pytest.mark.parametrize("seconds", [0.04, 0.4, 1, 7, 30, 59, 130, 3000, 7200, 20_000, 90_000])
def test_an_axis_has_a_few_round_marks(seconds: float) -> None:
    found = axis(a_film(max(1, round(seconds * 24))))
    places = [place for place, _ in found.marks]
    assert 1 <= len(places) <= 7 and places[0] == 0 and max(places) < 100
    assert len({time for _, time in found.marks}) == len(places)


def test_too_many_cuts_are_left_out() -> None:
    assert len(axis(a_film(1000, *range(2, 2 * CUTS + 1, 2))).cuts) == CUTS
    assert axis(a_film(1000, *range(1, CUTS + 2))).cuts == []


def test_a_short_track_of_a_long_film_is_seen() -> None:
    last = 24 * 3600 * 2
    tracks = tables.tracks([(0, last - 2, last - 1), (0, 5, 6)])
    film = tables.film(tracks, with_video=tables.video(last), with_shots=tables.shots(0, last))
    result = tables.result([film], tracks, tables.cast([0, 0]))
    ((late, early),) = [line.bars for line in lines(result, np.arange(2))]
    assert late.width == early.width == 2 and late.left + late.width <= WIDTH
    assert late.title == "track 0, shot 0: 1:59:59 for <0.1 s"


def test_cover_note_and_name_of_a_character_are_shown(drawn: Result) -> None:
    def pictures(page: Page) -> list[str]:
        return [a["alt"] for a, _ in page.all("img")]

    rows = np.flatnonzero(drawn.crop_track == 2)
    frames = drawn.films[0].crops.frame[rows]
    usual = pictures(read(drawn))
    assert not usual[0].endswith("track 2") or len(rows) > 1
    drawn.edits.cover(1, 2, frame=int(frames[-1]))
    drawn.edits.note(1, "in <red>")
    drawn.edits.name(1, "Anna")
    assert cover_crop(drawn, 0) == rows[-1]
    page = read(drawn)
    assert pictures(page)[0] == "Anna, track 2" and "in <red>" in page.texts("p", "soft")
    assert page.texts("h2")[0] == "Anna"
    drawn.edits.cover(1, 2)
    assert cover_crop(drawn, 0) == telling_crops(drawn, np.array([2]), 1)[0]
    assert cover_crop(drawn, 1) == -1
