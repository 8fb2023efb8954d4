"""The report: its numbers against slow oracles, its page for every kind of run."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from tests import tables
from tests.conftest import Vcn
from tests.drawn import QUICKLY, FakeModels, draw_film
from tests.large_run import write_large_run
from tests.sheets import NAMES, varying
from tests.unit.test_cast_page import Page
from videoclusternet import cluster, cluster_film, cluster_tracks, open_run
from videoclusternet.errors import StoreError
from videoclusternet.export.lettering import font_file
from videoclusternet.outside.text import printable
from videoclusternet.report.circle import DISC, RING, graph, pairs_of
from videoclusternet.report.face_map import SIZE, labels, map_places, places
from videoclusternet.report.faces import glyph
from videoclusternet.report.heat import cell_text, shared_cells, tone, unit_of
from videoclusternet.report.made import settings, steps
from videoclusternet.report.members import COLOURS, SHAPES, SHORT, Member, members
from videoclusternet.report.page import CELL, PAGE, heads_of, write_report
from videoclusternet.report.quality import doubted, histogram, set_aside
from videoclusternet.report.sheets import ACROSS, Sheets
from videoclusternet.report.together import Part, parts_of, screen_time, together
from videoclusternet.result.characters import Character, characters
from videoclusternet.result.result import Result
from videoclusternet.runfolder.crop_zip import CROP_ZIP
from videoclusternet.runfolder.folder import Store
from videoclusternet.show.words import shorten
from videoclusternet.sources.features import Features, FeatureSource, write_features
from videoclusternet.types import Reason
from videoclusternet.types.clock import Tags


def a_run(seed: int, characters: int = 5) -> Result:
    """Two films, one of varying rate, with tracks of up to a second, some of nobody."""
    rng = np.random.default_rng(seed)
    films, every = [], []
    for number, video in enumerate((tables.video(240, "30000/1001"), varying(200, seed))):
        first = rng.integers(0, video.frames - 30, 12)
        last = first + rng.integers(0, 30, 12)
        edges = (0, 90, 110, video.frames)
        shot = np.searchsorted(edges, first, side="right") - 1
        last = np.minimum(last, np.array(edges)[shot + 1] - 1)
        found = tables.tracks(list(zip(shot, first, last, strict=True)), film=number)
        films.append(tables.film(found, with_video=video, with_shots=tables.shots(*edges)))
        every.append(found)
    of = type(every[0]).concatenate(every)
    who = np.concatenate([np.arange(characters), rng.integers(-1, characters, 24 - characters)])
    return tables.result(films, of, tables.cast(who.tolist()))


def shown(result: Result) -> list[Character]:
    return [one for one in characters(result) if one.index >= 0]


def frames_of(one: Character) -> set[tuple[int, int]]:
    return {(span.film, frame) for span in one.spans for frame in range(span.first, span.end)}


def lasts(result: Result, frames: set[tuple[int, int]]) -> float:
    """Seconds that frames last, frame by frame."""
    films = result.films
    return sum(films[n].seconds(frame + 1) - films[n].seconds(frame) for n, frame in frames)


@pytest.mark.parametrize("seed", range(3))
def test_what_people_share_is_what_a_look_at_every_frame_says(seed: int) -> None:
    result = a_run(seed)
    cast = shown(result)
    found = together(result, cast)
    there = [frames_of(one) for one in cast]
    assert len(cast) == 5 and (found.seconds[0, 1:] > 0).any() and (found.alone > 0).any()
    for a, one in enumerate(there):
        others = set().union(*(other for b, other in enumerate(there) if b != a))
        assert found.alone[a] == pytest.approx(lasts(result, one - others))
        for b, other in enumerate(there):
            assert found.seconds[a, b] == pytest.approx(lasts(result, one & other))
            shots = [
                {(int(result.tracks.film[t]), int(result.tracks.shot[t])) for t in c.tracks}
                for c in (cast[a], cast[b])
            ]
            assert found.shots[a, b] == len(shots[0] & shots[1])
        assert found.seconds[a, a] == pytest.approx(cast[a].seconds)


@pytest.mark.parametrize("seed", range(3))
def test_time_by_part_is_what_a_look_at_every_frame_says(seed: int) -> None:
    result = a_run(seed)
    cast, parts = shown(result), parts_of(result)
    assert [part.film for part in parts] == [0] * 10 + [1] * 10
    found = screen_time(cast, parts)
    for k, one in enumerate(cast):
        for p, part in enumerate(parts):
            film = result.films[part.film]
            expected = sum(
                max(0.0, min(film.seconds(f + 1), part.stop) - max(film.seconds(f), part.start))
                for number, f in frames_of(one)
                if number == part.film
            )
            assert found[k, p] == pytest.approx(expected, abs=1e-9)
        assert found[k].sum() == pytest.approx(one.seconds)


def test_films_share_out_the_parts() -> None:
    film = tables.film(tables.tracks([]), with_video=tables.video(240))
    of = tables.tracks([])
    for films, each in ((1, 20), (3, 7), (40, 1)):
        parts = parts_of(tables.result([film] * films, of, tables.cast([])))
        assert Counter(part.film for part in parts) == dict.fromkeys(range(films), each)
    assert parts[0] == Part(0, 0.0, 10.0)


def test_heat_is_told_in_tones_and_in_numbers() -> None:
    assert [tone(x, 100) for x in (0, 0.001, 4, 36, 64, 100)] == [0, 1, 1, 3, 4, 5]
    assert [cell_text(x, "s") for x in (0, 0.01, 0.5, 9.94, 9.96, 63.2)] == [
        "", "0+", "0.5", "9.9", "10", "63",
    ]  # fmt: skip
    assert cell_text(90, "min") == "1.5" and cell_text(1, "min") == "0+"
    assert unit_of(np.array([599.0])) == "s" and unit_of(np.array([600.0])) == "min"
    assert unit_of(np.zeros(0)) == "s"


def test_bars_count_known_and_unknown() -> None:
    known = np.array([True, True, False, True, False])
    bars = histogram(np.array([1.0, 12, 12, 99, np.nan]), known, (0, 10, 20), "{:g}")
    assert [(bar.label, bar.title) for bar in bars] == [
        ("0", "0 to 10: 1 of characters, 0 Unknown"),
        ("10", "10 to 20: 1 of characters, 1 Unknown"),
        ("20", "from 20: 1 of characters, 0 Unknown"),
    ]
    assert [(bar.known, bar.unknown) for bar in bars] == [(50, 0), (50, 50), (50, 0)]


def a_cast(count: int, seconds: Sequence[float] = ()) -> list[Member]:
    result = a_run(0, max(count, 1))
    cast = sorted(shown(result), key=lambda one: -one.seconds)[:count]
    return [Member(n, one, f"Name {n}", f"Name {n}", "", []) for n, one in enumerate(cast)]


def test_neighbours_on_the_circle_share_most() -> None:
    cast = a_cast(4)
    shared = np.array([[9, 0, 5, 1], [0, 9, 0, 2], [5, 0, 9, 0], [1, 2, 0, 9.0]])
    found = replace(together(a_run(0, 4), [one.character for one in cast]), seconds=shared)
    side, nodes, edges = graph(cast, found)
    assert [node.member.place for node in nodes] == [0, 2, 1, 3]
    assert all(0 < x < side for node in nodes for x in (node.x, node.y))
    assert [edge.width for edge in edges] == sorted(edge.width for edge in edges)
    assert len(edges) == 3 and "Name 0 and Name 2: 5.0 s together" in edges[-1].title
    assert [(a.place, b.place) for a, b in pairs_of(cast, found, 2)] == [(0, 2), (1, 3)]
    assert graph([], found)[1:] == ([], [])


@pytest.mark.parametrize("name", [*NAMES, "Ä" * 300, "松本" * 40, "Wilhelmina Wassermann"])
def test_names_on_the_circle_are_not_cut_by_its_edge(name: str) -> None:
    (only,) = a_cast(1)
    other = replace(only, place=1, short="B")
    cast = [replace(only, short=shorten(printable(name), SHORT)), other]
    side, nodes, _ = graph(cast, together(a_run(0, 2), [one.character for one in cast]))
    font = ImageFont.truetype(font_file(), 15)
    for node in nodes:
        begins = RING + DISC * node.scale + 8
        assert begins + font.getlength(node.member.short) <= side / 2


def test_the_matrix_is_the_same_from_both_sides() -> None:
    result = a_run(1)
    cast = a_cast(5)
    found = together(result, [one.character for one in cast])
    cells = shared_cells(cast, found)
    for a in range(5):
        assert cells[a][a].tone == -1
        for b in range(5):
            if a != b:
                assert (cells[a][b].tone, cells[a][b].text) == (cells[b][a].tone, cells[b][a].text)
                assert (cells[a][b].tone > 0) == (found.seconds[a, b] > 0)


def test_every_character_has_a_look_of_its_own() -> None:
    looks = [(m.colour, m.shape) for m in (replace(a_cast(1)[0], place=n) for n in range(60))]
    pairs = looks[: COLOURS * SHAPES]
    assert len(set(pairs)) == len(pairs) == 49 and set(looks[49:]) == {(-1, -1)}
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in pairwise(pairs))
    assert len({glyph(shape, 5) for shape in range(-2, SHAPES)}) == SHAPES + 2


# --- the map ---------------------------------------------------------------------------


def test_alike_tracks_lie_together_on_the_map() -> None:
    rng = np.random.default_rng(1)
    who = np.repeat(np.arange(4), 10)
    means = rng.normal(size=(4, 64))[who] + rng.normal(size=(40, 64)) / 4
    where = map_places(means)
    assert (where >= 0).all() and (where <= SIZE).all()
    far = np.linalg.norm(where[:, None] - where[None], axis=-1)
    np.fill_diagonal(far, np.inf)
    assert (who[far.argmin(axis=1)] == who).all()
    assert (where == map_places(means * 3)).all()


@pytest.mark.parametrize("n", [1, 3, 4])
def test_few_tracks_and_equal_ones_have_places(n: int) -> None:
    assert np.isfinite(places(np.ones((n, 8)))).all()
    assert np.isfinite(places(np.zeros((n, 1)))).all()
    assert np.isfinite(map_places(np.ones((n, 3)))).all()


def test_names_on_the_map_leave_each_other_room() -> None:
    cast = a_cast(5)
    where = np.array([[500, 300], [505, 302], [100, 100], [5, 5], [995, 755]], dtype=float)
    found = labels(cast, where, [0, 1, 2, 3, 4])
    assert [one.place for one in found] == [0, 2, 3, 4]
    assert all(30 < one.x < SIZE[0] - 30 and 0 < one.y <= SIZE[1] for one in found)


# --- the style -------------------------------------------------------------------------

CSS = (Path(write_report.__code__.co_filename).parent / "templates/report.css").read_text("utf-8")
BLIND = {
    "all": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
"""What those see who lack a kind of cone (Machado and others, 2009), in linear RGB."""


def theme(dark: bool) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[: 2 if dark else 1]
    return {
        name: colour for block in blocks for name, colour in re.findall(r"--(\w+): (#\w+)", block)
    }


def linear(colour: str) -> np.ndarray:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * letter for letter in colour[1:])
    c = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    a, b = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (b + 0.05) / (a + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("eye", BLIND)
def test_colours_are_told_apart_by_all(eye: str, dark: bool) -> None:
    colours = [theme(dark)[f"c{n}"] for n in range(COLOURS)]
    seen = [lab(np.array(BLIND[eye]) @ linear(colour)) for colour in colours]
    nearest = min(float(np.linalg.norm(a - b)) for n, a in enumerate(seen) for b in seen[n + 1 :])
    assert nearest > 12


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_written_can_be_read(dark: bool) -> None:
    colours = theme(dark)
    on = {1: "on1", 2: "on1", 3: "on1", 4: "on4", 5: "on4"}
    for n, ink in on.items():
        assert contrast(colours[f"t{n}"], colours[ink]) >= 4.5, n
    tones = [contrast(colours[f"t{n}"], colours["card"]) for n in on]
    assert tones == sorted(tones)  # from pale to full
    for ground in ("card", "paper", "warn"):
        assert contrast(colours["ink"], colours[ground]) >= 7
    assert contrast(colours["soft"], colours["card"]) >= 4.5
    assert contrast(colours["bar"], colours["line"]) >= 3


# --- the page --------------------------------------------------------------------------


@pytest.fixture
def drawn(drawn_run: Path, tmp_path: Path) -> Result:
    """Four tracks of two people, red and blue, in three shots of a second."""
    return open_run(shutil.copytree(drawn_run, tmp_path / "run"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of sixty tracks of twelve people; read only."""
    return write_large_run(tmp_path_factory.mktemp("report") / "run", 60, 12)


def read(result: Result) -> Page:
    """Write the report and read it; what all reports keep to is checked."""
    text = write_report(result).read_text("utf-8")
    page = Page(text)
    assert not re.search(
        r"https?://|<link|<iframe|@import|url\((?!#)| style=| on\w+=",
        text.replace("http://www.w3.org/2000/svg", ""),
    )
    (policy,) = [a["content"] for a, _ in page.all("meta") if "http-equiv" in a]
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    ids = [a["id"] for _, a, _ in page.found if "id" in a]
    assert len(set(ids)) == len(ids)
    links = [a["href"] for tag, a, _ in page.found if tag in ("a", "use")]
    assert {link.removeprefix("#") for link in links} <= set(ids)
    return page


def test_the_drawn_film_is_on_the_page(drawn: Result) -> None:
    page = read(drawn)
    assert page.texts("h2") == [
        "Cast", "On screen", "Through the film", "Who appears with whom", "Map of the faces",
        "Quality", "How it was made",
    ]  # fmt: skip
    facts = page.texts("p", "facts")
    assert len(facts) == 2 and facts[0].startswith("2.0 s on screen (67 %)2 tracks in 2 shots")
    dots = [a for a, _ in page.all("path") if "data-m" in a]
    assert Counter(a["data-m"] for a in dots) == {"0": 2, "1": 2}
    assert sorted(int(a["data-n"]) for a in dots) == [0, 1, 2, 3]
    assert len([a for a, _ in page.all("rect") if a.get("height") == "12"]) == 4
    # Both are together in the third second, alone in one each.
    together, alone = page.all("td", "t5"), page.all("td", "self")
    assert {a["title"] for a, _ in together if "together" in a["title"]} == {
        "Character 1 and Character 2: 1.0 s together, 1 shot in common",
        "Character 2 and Character 1: 1.0 s together, 1 shot in common",
    }
    assert [text for _, text in alone] == ["1.0", "1.0"]
    before = (drawn.folder / PAGE).read_bytes()
    assert write_report(drawn).read_bytes() == before


def test_the_foot_says_which_decisions_are_shown(drawn: Result) -> None:
    def foot() -> str:
        ((_, said),) = read(drawn).all("footer")
        return said

    assert "shown as clustered: no decision of people holds" in foot()
    drawn.edits.name(1, "Anna")
    last = drawn.edits.name(2, "Ben").time
    when = f"{last[:10]} {last[11:19]} UTC"
    assert f"with 2 decisions of people, the last of {when}; the log has 3 lines." in foot()
    drawn.edits.undo()
    assert "with 1 decision of people" in foot() and "the log has 4 lines" in foot()
    drawn.edits.undo()
    assert "no decision of people holds" in foot()


def test_all_times_are_timecode_where_the_film_has_one(drawn: Result) -> None:
    film = replace(drawn.films[0], tags=Tags("00:59:50:12"))
    page = read(replace(drawn, films=(film,)))
    first, last = (characters(drawn)[0].spans[at] for at in (0, -1))
    told = page.texts("main")[0]
    assert f"{film.clock.timecode(first.first)} to {film.clock.timecode(last.end)}" in told
    assert "from00:59:50" in told and "0:00:0" not in told


def test_pictures_are_on_the_page_once(large: Path, tmp_path: Path) -> None:
    result = open_run(shutil.copytree(large, tmp_path / "run"))
    page = read(result)
    sheets = {a["id"]: a for a, _ in page.all("image")}
    assert sorted(sheets) == ["a0", "b0"]
    for sheet in sheets.values():
        data = base64.b64decode(sheet["href"].removeprefix("data:image/jpeg;base64,"))
        with Image.open(io.BytesIO(data)) as picture:
            assert [str(side) for side in picture.size] == [sheet["width"], sheet["height"]]
    assert (result.folder / PAGE).read_text("utf-8").count("data:image/jpeg") == 2


def test_a_sheet_shows_the_crops_that_were_asked_for(large: Path) -> None:
    result = open_run(large)
    sheets = Sheets(result, "x", 48)
    rows = [3, 77, 5, 119, *range(20, 40)]
    found = [sheets.add(row) for row in rows]
    assert sheets.add(77) == found[1] and sheets.add(-1) is None
    (sheet,) = sheets.made()
    data = base64.b64decode(sheet.data.partition(",")[2])
    picture = np.asarray(Image.open(io.BytesIO(data)), dtype=float)
    assert picture.shape == (-(-len(rows) // ACROSS) * 48, ACROSS * 48, 3)
    for row, place in zip(rows, found, strict=True):
        assert place is not None and sheets.number(place) == found.index(place)
        (whole,) = result.pictures.pixels([row])
        small = np.asarray(Image.fromarray(whole).resize((48, 48), Image.Resampling.BOX))
        part = picture[place.y : place.y + 48, place.x : place.x + 48]
        assert np.abs(part - small).mean() < 6
    with pytest.raises(ValueError, match="multiple of 16"):
        Sheets(result, "x", 50)


def test_a_damaged_picture_is_said(drawn: Result) -> None:
    broken = drawn.pictures.jpeg(0)
    archive = drawn.folder / CROP_ZIP
    archive.write_bytes(archive.read_bytes().replace(broken[:40], b"\0" * 40))
    with pytest.raises(StoreError, match="is damaged"):
        write_report(open_run(drawn.folder))
    assert not (drawn.folder / PAGE).exists()


@pytest.fixture
def edited(large: Path, tmp_path: Path) -> Result:
    result = open_run(shutil.copytree(large, tmp_path / "run"))
    for number, name in enumerate(NAMES, 1):
        result.edits.name(number, name)
    result.edits.note(1, "<i>note</i> " + "n" * 1900)
    result.edits.name(12, "Secret Person")
    result.edits.hide(12)
    return result


def test_names_are_text_and_hidden_people_stay_away(edited: Result) -> None:
    page = read(edited)
    text = (edited.folder / PAGE).read_text("utf-8")
    assert "Secret" not in text and "<b>Bold" not in text and "<i>note" not in text
    titles = [a.get("title", "") for tag, a, _ in page.found if tag == "span"]
    assert {"<b>Bold</b> & Co", "😀 Emoji 👩‍👩‍👧", "שרה אמנו"} <= set(titles)
    assert any(title.startswith("long long") and len(title) > 290 for title in titles)
    long = edited.called(8)
    cut = tuple(title for title in titles if len(title) > 20)
    drawn = {text for text in page.texts("text") if not text.startswith(cut)}
    assert len(long) > 290 and drawn and max(map(len, drawn)) <= 20
    assert "1 hidden" in page.texts("p", "soft")[0]
    gone = {t for one in characters(edited) if one.hidden for t in one.tracks.tolist()}
    dots = [a for a, _ in page.all("path") if "data-m" in a]
    described = set(np.unique(edited.embeddings.track).tolist())
    assert gone and len(dots) == len(described - gone)
    assert len(page.all("ol", "cast")) == 1 and page.texts("section")[0].count("on screen (") == 11


def test_a_film_without_a_face_has_a_report(
    faceless_film: Path, tmp_path: Path, fake_models: FakeModels
) -> None:
    page = read(cluster_film(faceless_film, tmp_path / "run", QUICKLY))
    assert page.texts("div", "empty") == ["No face was found in this film."]
    assert page.texts("h2") == ["How it was made"]


def test_a_run_of_unknown_alone_says_why(drawn: Result) -> None:
    cast = replace(
        drawn.cast,
        character=np.full(4, -1),
        reason=np.array([Reason.BLURRED] * 3 + [Reason.UNSURE]),
        probable=np.full(4, -1),
    )
    page = read(replace(drawn, clustering=cast))
    assert "There is no character: see what was set aside." in page.texts("div", "empty")
    assert page.texts("h2") == ["Map of the faces", "Set aside", "How it was made"]
    assert {"blurred", "hard to tell from others"} <= set(page.texts("b"))
    assert [(one.words, one.tracks) for one in set_aside(replace(drawn, clustering=cast))] == [
        ("blurred", 3), ("hard to tell from others", 1),
    ]  # fmt: skip


def test_one_character_is_with_nobody(tmp_path: Path, fake_models: FakeModels) -> None:
    film = draw_film(tmp_path / "one.mp4", (("red",),))
    page = read(cluster_film(film, tmp_path / "run", QUICKLY))
    assert "There is one character only." in page.texts("p", "soft")
    assert not page.all("svg", "circle") and len(page.all("svg", "map")) == 1


def test_two_films_have_lanes_of_their_own(
    drawn_film: Path, tmp_path: Path, fake_models: FakeModels
) -> None:
    films = [Path(shutil.copy(drawn_film, tmp_path / f"part {n}.mp4")) for n in (1, 2)]
    page = read(cluster_film(films, tmp_path / "run", QUICKLY))
    assert page.texts("h3", "film") == ["part 1", "part 2"]
    assert len(page.all("svg", "line")) == 4
    heads = [t for t in page.texts("th") if t.startswith("part")]
    assert heads == ["part 1", "part 2"]
    firsts = [text.split(" to ")[0] for text in page.texts("span", "last")]
    assert firsts == ["part 1 0:00:00", "part 1 0:00:01"]


@pytest.mark.parametrize("films", [1, 2, 3, 30])
def test_heads_of_parts_leave_each_other_room(films: int) -> None:
    of = tables.tracks([])
    every = [
        replace(tables.film(of, with_video=tables.video(2400)), name=f"S01E{n:02d} The One")
        for n in range(films)
    ]
    run = tables.result(every, of, tables.cast([]))
    parts = parts_of(run)
    heads = heads_of(run, parts)
    font = ImageFont.truetype(font_file(), 11.5)
    shown = [number for number, (head, _) in enumerate(heads) if head]
    for one, other in pairwise(shown):
        assert font.getlength(heads[one][0]) <= (other - one) * CELL
    assert len(heads) == len(parts) and all(full for _, full in heads)
    assert len(shown) == 5 if films == 1 else shown[0] == 0


def test_given_crops_have_a_report_without_a_film(
    drawn_run: Path, tmp_path: Path, fake_models: FakeModels
) -> None:
    result = cluster_tracks(drawn_run / CROP_ZIP, tmp_path / "run", QUICKLY)
    page = read(result)
    assert "face pictures that were given" in page.texts("section")[-1]
    assert not any("Size of faces" in t for t in page.texts("h3"))
    assert "finds faces" not in page.texts("td")


def test_given_features_have_a_report_without_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    track = np.repeat(np.arange(8), 3)
    values = (rng.normal(size=(2, 16))[track % 2] + rng.normal(size=(24, 16)) / 9).astype("f4")
    write_features(tmp_path / "given.npz", Features(values, track, np.arange(24), "mine"))
    source = FeatureSource.open(tmp_path / "given.npz")
    page = read(cluster([source], tmp_path / "run", QUICKLY))
    assert not page.all("image") and page.all("h2") and "mine" in page.texts("b")
    dots = [a for a, _ in page.all("path") if "data-m" in a]
    assert len(dots) == 8 and not any("data-n" in a for a in dots)


def test_models_settings_and_steps_are_told(drawn: Result) -> None:
    store = Store(drawn.folder)
    store.manifest["config"]["embed"]["backbone"] = "onnx=/home/me/secret/net.onnx"
    store.manifest["steps"]["cast"]["seconds"] = 75.0
    store.manifest["steps"]["shots"].pop("seconds")
    store.write_manifest()
    result = open_run(drawn.folder)
    text = write_report(result).read_text("utf-8")
    assert "/home/me" not in text and "onnx=net.onnx" in text
    cells = Page(text).texts("td")
    assert "onnx any ONNX face-ID model of your own" in cells and "mtcnn" in " ".join(cells)
    assert {one.name for one in settings(result) if one.changed} >= {"embed.backbone"}
    taken = steps(result)
    assert (taken[-1].title, taken[-1].time, taken[-1].share) == (
        "Grouping into characters", "1 min 15 s", 100,
    )  # fmt: skip
    assert "Finding shots" not in [one.title for one in taken]


def test_settings_of_another_version_are_told_as_they_are(drawn: Result) -> None:
    store = Store(drawn.folder)
    store.manifest["config"] = {"faces": {"detector": "later"}, "new": [1, True, "<x>"]}
    store.write_manifest()
    page = read(open_run(drawn.folder))
    assert "1, True, <x>" in page.texts("code") and "later" in page.texts("b")


def test_the_least_sure_are_shown_first(drawn: Result) -> None:
    cast = replace(drawn.cast, confidence=np.array([0.95, 0.3, 0.5, 0.89]))
    result = replace(drawn, clustering=cast)
    shown = members(result, characters(result), Sheets(result, "a", 80))
    assert doubted(result, shown) == [1, 2, 3]


# --- the command -----------------------------------------------------------------------


def test_the_command_writes_into_the_run_or_where_it_is_told(
    vcn: Vcn, drawn: Result, tmp_path: Path
) -> None:
    for _ in range(2):  # the run's own report is replaced
        outcome = vcn("report", drawn.folder)
        assert (outcome.code, outcome.out) == (0, f"{drawn.folder / PAGE}\n")
    there = tmp_path / "there.html"
    there.write_text("mine")
    refused = vcn("report", drawn.folder, "-o", there)
    assert refused.code == 2 and "is there already" in refused.complaint
    assert there.read_text() == "mine"
    assert vcn("report", drawn.folder, "-o", there, "--force").code == 0
    assert there.read_bytes() == (drawn.folder / PAGE).read_bytes()


def test_the_command_refuses_what_it_cannot_write(vcn: Vcn, drawn: Result, tmp_path: Path) -> None:
    taken = vcn("report", drawn.folder, "-o", drawn.folder / "cast.html", "--force")
    assert taken.code == 2 and "lies in a run folder" in taken.complaint
    nowhere = vcn("report", drawn.folder, "-o", tmp_path / "no" / "x.html")
    assert nowhere.code == StoreError.exit_code and "cannot write" in nowhere.complaint
    assert vcn("report", tmp_path / "none").complaint
    film = drawn.films[0].where(drawn.folder.parent)
    assert film is not None
    (link := tmp_path / "link.mp4").symlink_to(film.absolute())
    itself = vcn("report", drawn.folder, "-o", link, "--force")
    assert itself.code == 2 and "is the film itself" in itself.complaint and link.is_symlink()
