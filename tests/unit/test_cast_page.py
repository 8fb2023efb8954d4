"""The page: what it shows, read as HTML."""

from __future__ import annotations

import base64
import io
import re
import shutil
import time
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import large_run, tables
from videoclusternet import open_run
from videoclusternet.edits.edit import Edit
from videoclusternet.result.described import Film
from videoclusternet.result.pictures import cover_crop, telling_crops
from videoclusternet.result.result import Result
from videoclusternet.runfolder.crop_zip import smaller
from videoclusternet.show.cast_page import write_page
from videoclusternet.show.thumbnails import thumbnails
from videoclusternet.show.timeline import CUTS, WIDTH, axis, lines
from videoclusternet.types import Reason
from videoclusternet.types.clock import Tags

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


def addresses(page: Page) -> list[str]:
    """Where the page's pictures come from."""
    return [a.get("src") or a["href"] for tag in ("img", "image") for a, _ in page.all(tag)]


def labels(page: Page) -> list[str]:
    """What the pictures of the cards are called, in their order."""
    found = [
        a.get("alt") or a.get("aria-label", "")
        for _, a, _ in page.found
        if a.get("class") == "face"
    ]
    return [label for label in found if label]


def links(page: Page) -> list[str]:
    return [a["href"] for tag in ("a", "use") for a, _ in page.all(tag)]


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


def test_how_a_library_knows_somebody_is_on_the_page(drawn: Result) -> None:
    text = write_page(drawn).read_text("utf-8")
    assert "library" not in text
    said = Edit("recognise", ("1",), to="p-anna", text="Anna", of=2, sure=0.75)
    drawn.edits.say(said)
    page = read(drawn)
    assert "· 1 known to the library ·" in page.texts("p", "soft")[0]
    facts = page.texts("div", "facts")
    assert facts[0].endswith("to the library a regular (75 %)")
    assert facts[-1].endswith("to the library a stranger")
    assert "two films or more" in page.texts("footer")[0]


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
    cut = [a["href"] for a, _ in page.all("use") if a["href"].startswith("#cuts")]
    assert cut == ["#cuts-0"] * 2


def test_hints_are_on_the_page_with_their_commands(drawn: Result) -> None:
    cast = replace(
        drawn.cast,
        character=np.array([0, -1, -1, -1]),
        reason=np.array([0, *[Reason.BLURRED] * 3]),
    )
    page = read(replace(drawn, clustering=cast))
    first = page.texts("section", "hint")[0]
    assert first.startswith("3 of 4 tracks are Unknown (3 blurred); to judge blurred faces too:")
    assert page.texts("code")[0] == "vcn review run"
    assert page.texts("code")[1].startswith("vcn cluster drawn.mp4 -o run ")
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
    assert all(address.startswith("data:image/jpeg;base64,") for address in addresses(page))
    assert len(addresses(page)) == 4


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
    rows = np.flatnonzero(drawn.crop_track == 2)
    frames = drawn.films[0].crops.frame[rows]
    usual = labels(read(drawn))
    assert not usual[0].endswith("track 2") or len(rows) > 1
    drawn.edits.cover(1, 2, frame=int(frames[-1]))
    drawn.edits.note(1, "in <red>")
    drawn.edits.name(1, "Anna")
    assert cover_crop(drawn, 0) == rows[-1]
    page = read(drawn)
    assert labels(page)[0] == "Anna, track 2" and "in <red>" in page.texts("p", "note")
    assert page.texts("h2")[0] == "Anna"
    drawn.edits.cover(1, 2)
    assert cover_crop(drawn, 0) == telling_crops(drawn, np.array([2]), 1)[0]
    assert cover_crop(drawn, 1) == -1


def test_a_cover_whose_track_has_gone_elsewhere_is_none(drawn: Result) -> None:
    (track,) = np.flatnonzero(drawn.cast.character == 0)[:1].tolist()
    drawn.edits.cover(1, track)
    assert drawn.crop_track[cover_crop(drawn, 0)] == track
    drawn.edits.move([track], "new")
    home = int(drawn.cast.character[track])
    assert home != 0 and cover_crop(drawn, 0) == cover_crop(drawn, home) == -1
    assert track not in [picture.track for picture in drawn[1].best_pictures(99)]
    read(drawn)
    drawn.edits.undo()
    assert drawn.crop_track[cover_crop(drawn, 0)] == track


def test_every_track_has_one_address_and_every_link_a_place(drawn: Result) -> None:
    cast = replace(
        drawn.cast,
        character=np.array([0, 0, 0, -1]),
        reason=np.array([0, 0, 0, Reason.BLURRED]),
        confidence=np.array([0.9, 0.2, 0.8, 0]),
    )
    for result in (drawn, replace(drawn, clustering=cast)):
        page = read(result)
        places = [a["id"] for _, a, _ in page.found if "id" in a]
        assert len(places) == len(set(places))
        assert {f"track-{track}" for track in range(4)} <= set(places)
        assert {link.removeprefix("#") for link in links(page)} <= set(places)
        bars = [a["href"] for a, text in page.all("a") if "shot" in text]
        assert sorted(bars) == [f"#track-{track}" for track in range(4)]


def test_tracks_without_a_picture_have_a_row(
    drawn: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videoclusternet.show.cast_page.PICTURES", 1)
    monkeypatch.setattr("videoclusternet.show.cast_page.UNKNOWN_PICTURES", 1)
    nobody = replace(drawn.cast, character=np.full(4, -1), reason=np.full(4, Reason.BLURRED))
    for result, rows in ((drawn, 2), (replace(drawn, clustering=nobody), 3)):
        page = read(result)
        assert len([a for a, _ in page.all("tr") if "id" in a]) == rows
        assert len([a for a, _ in page.all("figure") if "id" in a]) == 4 - rows
    assert "and 3 more" in page.texts("summary") and page.texts("td").count("blurred") == 3


def test_each_picture_is_in_the_page_once(drawn: Result) -> None:
    page = read(drawn)
    assert len(addresses(page)) == len(set(addresses(page))) == len(labels(page))
    faces = {a["id"]: a["href"] for a, _ in page.all("image")}
    assert [a["href"] for a, _ in page.all("use") if "face" in a["href"]] == [
        f"#{f}" for f in faces
    ]
    for face, address in faces.items():
        data = drawn.pictures.jpeg(int(face.removeprefix("face-")))
        assert base64.b64decode(address.partition(",")[2]) == data


def test_many_pictures_are_made_smaller(drawn: Result) -> None:
    rows = range(len(drawn.pictures))
    whole = thumbnails(drawn, [-1, *rows])
    assert list(whole) == list(rows)
    data = {row: drawn.pictures.jpeg(row) for row in rows}
    total = sum(map(len, data.values()))
    assert thumbnails(drawn, rows, total) == whole != thumbnails(drawn, rows, total - 1)
    for most, side in ((total - 1, 144), (1, 108)):
        for row, address in thumbnails(drawn, rows, most).items():
            made = base64.b64decode(address.partition(",")[2])
            assert len(made) <= len(data[row])
            assert made == data[row] or Image.open(io.BytesIO(made)).size == (side, side)
    assert smaller(b"no picture", 108, 65) == b"no picture"


def test_contents_name_everybody(drawn: Result) -> None:
    drawn.edits.name(1, "long " * 60)
    drawn.edits.name(2, 'שרה <b> "x"')
    page = read(drawn)
    (nav,) = page.texts("nav")
    long = ("long " * 60).strip()
    assert long in nav and 'שרה <b> "x"' in nav and nav.count(" s (") == 2
    assert [a["title"] for a, _ in page.all("h2")] == [long, 'שרה <b> "x"']
    assert page.texts("bdi").count('שרה <b> "x"') == 2
    drawn.edits.hide(2)
    page = read(drawn)
    assert not page.all("nav") and not page.all("use", "face") and len(page.all("h2")) == 1
    assert 'שרה <b> "x"' not in " ".join(page.texts("body"))


def test_what_is_uncertain_is_said_where_people_look(drawn: Result) -> None:
    sure = replace(drawn.cast, confidence=np.full(4, 0.99))
    page = read(replace(drawn, clustering=sure))
    header, main = page.texts("header")[0], page.texts("main")[0]
    assert "Likely wrong: 0.0 of 4 tracks. Open in review" in header and "vcn review run" in header
    assert "least sure" not in main and "looks like" not in main
    character = drawn.cast.character
    first = np.flatnonzero(character == 0)
    doubted = np.full(4, 0.99)
    doubted[first[-1]] = 0.3
    shaky = replace(drawn.cast, confidence=doubted, alike=((0, 1),))
    page = read(replace(drawn, clustering=shaky))
    header, main = page.texts("header")[0], page.texts("main")[0]
    assert "Likely wrong: 0.7 of 4 tracks, most of them with Character 1." in header
    assert f"least sure: track {first[-1]} (30 %)" in main and main.count("least sure") == 1
    assert "looks like Character 2 to the face model" in main
    assert "looks like Character 1 to the face model" in main


def test_tracks_of_hidden_people_are_not_counted(drawn: Result) -> None:
    drawn.edits.hide(2)
    (shown,) = [one for one in drawn if one.index == 0]
    header = read(drawn).texts("header")[0]
    assert f"1 character in {len(shown.tracks)} tracks · 1 hidden" in header
    assert f" of {len(shown.tracks)} tracks" in header and len(shown.tracks) < len(drawn.tracks)


def test_nobody_and_no_pictures(drawn: Result, tmp_path: Path) -> None:
    none = tables.tracks([])
    empty = tables.result([tables.film(none, tmp_path)], none, tables.cast([]))
    page = read(empty)
    assert "No face was found in this film." in page.texts("main")[0]
    assert not page.all("nav") and "review" not in page.texts("header")[0]
    (drawn.folder / "crops.zip").unlink()
    page = read(drawn)
    assert addresses(page) == [] and len(page.all("figure")) == 4
    assert page.texts("h2") == ["Character 1", "Character 2"]


def test_times_are_timecode_where_the_film_has_one(drawn: Result) -> None:
    film = replace(drawn.films[0], tags=Tags("00:59:50:12"))
    page = read(replace(drawn, films=(film,)))
    first = int(drawn.tracks.first.min())
    assert f"00:59:{50 + (first + 12) // 24}:{(first + 12) % 24:02d}" in page.texts("td")
    assert page.texts("div", "axis") == ["00:59:5100:59:5200:59:53"] * 2
    assert " to 00:59:53:12" in " ".join(page.texts("span", "soft"))


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60000/1001", "120"])
@pytest.mark.parametrize("start", ["00:00:00{}00", "00:59:50{}00", "09:08:59{}17", "23:59:20{}00"])
def test_marks_are_round_timecodes_at_their_frames(rate: str, start: str) -> None:
    base = round(Fraction(rate))
    for drop in (":", ";") if base in (30, 60) else (":",):
        film = replace(a_film(base * 700), tags=Tags(start.format(drop)))
        film = replace(film, video=tables.video(base * 700, rate))
        marks = axis(film).marks
        assert 1 <= len(marks) <= 7 and marks[0][0] >= 0 and marks[-1][0] < 100
        for place, said in marks:
            frame = round(place / 100 * base * 700)
            now, before = film.clock.timecode(frame), film.clock.timecode(frame - 1)
            assert now[:8] == said and int(said[3:5]) % 2 == 0 and said.endswith(":00")
            assert before[:8] != said or (frame == 0 and now == film.clock.timecode(0))


def test_a_film_too_short_for_a_mark_has_its_start() -> None:
    assert axis(replace(a_film(12), tags=Tags("01:00:00:05"))).marks == [(0.0, "01:00:00:05")]


@pytest.mark.slow
def test_a_long_film_makes_a_small_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_run, "FRAMES", 86)
    monkeypatch.setattr(large_run, "_picture", _noisy)
    for characters, most in ((80, 4.0), (200, 5.5)):
        folder = large_run.write_large_run(tmp_path / str(characters), 4000, characters)
        result = open_run(folder)
        before = time.process_time()
        page = write_page(result)
        assert time.process_time() - before < 20
        assert page.stat().st_size < most * 2**20
        assert len(re.findall(r'id="track-\d+"', page.read_text("utf-8"))) == 4000


def _noisy(kind: int) -> bytes:
    """A picture of about as many bytes as a real face has: 7 KB."""
    coarse = np.random.default_rng(kind).integers(0, 255, (14, 14, 3)).astype(np.uint8)
    picture = Image.fromarray(coarse).resize((144, 144), Image.Resampling.BICUBIC)
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=95)
    return made.getvalue()
