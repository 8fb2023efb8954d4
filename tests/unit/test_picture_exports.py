"""Faces in folders, the contact sheet and the wall, read back."""

from __future__ import annotations

import re
import shutil
import time
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from tests.conftest import Vcn
from tests.large_run import write_large_run
from tests.sheets import NAMES
from videoclusternet import open_run
from videoclusternet.errors import ConfigError, StoreError
from videoclusternet.export.lettering import fitted, font_file, lacking, letters_of, unlettered
from videoclusternet.export.pictures import contact, contact_pdf
from videoclusternet.export.pictures.faces import folder_name
from videoclusternet.export.pictures.portraits import crops_of, portraits
from videoclusternet.export.sheet import Choice, Player, cast_sheet, make_sheet
from videoclusternet.export.write import MARK, export
from videoclusternet.result.result import Result
from videoclusternet.types import Tracks

KINDS = {"faces": "", "wall": ".wall.png", "contact": ".png", "contact-pdf": ".pdf"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty tracks of five characters, two of them Unknown."""
    return write_large_run(tmp_path_factory.mktemp("small") / "run", 60, 5)


@pytest.fixture
def run(small: Path, tmp_path: Path) -> Result:
    return open_run(shutil.copytree(small, tmp_path / "run"))


def twice(run: Result) -> Result:
    """A run over two films, which look alike."""
    film, cast = run.films[0], run.clustering
    columns = {name: np.tile(getattr(cast, name), 2) for name in cast.COLUMNS}
    return replace(
        run,
        films=(replace(film, name="pilot"), replace(film, name="a/b: 2", content="2" * 64)),
        tracks=Tracks.concatenate(
            [replace(film.tracks, film=np.full(len(film.tracks), n)) for n in (0, 1)]
        ),
        clustering=replace(cast, **columns),
    )


def files(folder: Path) -> dict[str, bytes]:
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found.pop(MARK) == b""
    return found


def test_faces_are_the_pictures_of_the_run_byte_for_byte(run: Result, tmp_path: Path) -> None:
    run.edits.name(2, 'An/na: "A"')
    (folder,) = export(cast_sheet(run, Choice(unknown=True)), tmp_path / "faces", "faces")
    found = files(folder)
    called = {index: run.called(index) for index in (-1, *run.people)}
    called[1] = "An_na_ _A_"
    clock, frames = run.films[0].clock, run.crop_frame
    for row, track in enumerate(run.crop_track.tolist()):
        home = called[int(run.cast.character[track])]
        when = re.sub("[:;]", "-", clock.timecode(clock.place(int(frames[row]))))
        (name,) = [
            n for n in found if n.startswith(f"{home}/") and n.endswith(f"{when} track {track}.jpg")
        ]
        assert found.pop(name) == run.pictures.jpeg(row)
    assert found == {}


def test_faces_are_numbered_in_order_of_time(run: Result, tmp_path: Path) -> None:
    (folder,) = export(cast_sheet(run), tmp_path / "faces", "faces")
    assert not (folder / "Unknown").exists()
    for home in folder.iterdir():
        names = sorted(path.name for path in home.iterdir()) if home.is_dir() else []
        assert [name[:5] for name in names] == [f"{n + 1:04d} " for n in range(len(names))]
        times = [name.split()[1] for name in names]
        assert times == sorted(times)


def test_faces_of_two_films_say_which(run: Result, tmp_path: Path) -> None:
    both = twice(run)
    (folder,) = export(cast_sheet(both, Choice(characters=("1",))), tmp_path / "faces", "faces")
    found = files(folder)
    count = Counter(name.split()[2] for name in found)
    assert {name.partition("/")[0] for name in found} == {"Character 1"}
    assert count["pilot"] == count["a_b_"] == len(found) // 2
    assert sorted(found.values()) == sorted(
        both.pictures.jpeg(row)
        for row, track in enumerate(both.crop_track.tolist())
        if both.cast.character[track] == 0
    )


def test_folders_have_names_that_every_system_takes() -> None:
    taken: set[str] = set()
    names = [*NAMES, "Anna", "ANNA", "Anna ", "con", "NUL.txt", "..", "", "Zoë", "Zoe\u0308", MARK]
    made = [folder_name(name, taken) for name in names]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in made}) == len(names)
    assert made[10:13] == ["Anna", "ANNA 2", "Anna 3"] and made[13:15] == ["con_", "NUL.txt_"]
    for name in made:
        assert 0 < len(name.encode()) < 200 and not re.search(r'[\x00-\x1f<>:"/\\|?*]', name)
        assert name == name.strip(" .") and name != MARK


def test_only_what_lies_in_the_appearances_is_shown(run: Result) -> None:
    film = run.films[0]
    ends = [0, 300, 700, 900]
    spans = [film.span(0, ends[0], ends[1]), film.span(0, ends[2], ends[3])]
    frames = run.crop_frame
    inside = (frames < 300) | ((frames >= 700) & (frames < 900))
    known = run.cast.character[run.crop_track]
    for player, mine in (
        (Player(1, run.called(0)), known == 0),
        (Player(0, "Unknown"), known == -1),
        (Player(1, "Anna & Ben"), known >= 0),  # the answer to a question
    ):
        sheet = make_sheet(run, [(player, spans)])
        rows = crops_of(sheet, player)
        assert sorted(rows.tolist()) == np.flatnonzero(inside & mine).tolist()
        (portrait,) = portraits(sheet, 4)
        assert set(portrait.crops) <= set(rows.tolist()) and len(portrait.crops) <= 4
        assert portrait.crops or not len(rows)
        assert portrait.facts == ("21 s", "2 appearances", "from 00:00:00:00")


def test_the_cover_comes_first(run: Result) -> None:
    track = int(np.flatnonzero(run.cast.character == 0)[-1])
    run.edits.cover(1, track)
    best = portraits(cast_sheet(run), 6)[0].crops
    assert run.crop_track[best[0]] == track and len(set(best)) == len(best) == 6


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image.convert("RGB")


def test_wall_and_contact_sheet_show_the_faces(run: Result, tmp_path: Path) -> None:
    sheet = cast_sheet(run)
    (path,) = export(sheet, tmp_path / "cast.png")
    image = opened(path)
    assert image.size == (80 + 300 + 6 * 154 - 10, 80 + 80 + 5 * 154 - 10)
    for place, one in enumerate(portraits(sheet, 6)):
        for column, row in enumerate(one.crops):
            left, top = 340 + column * 154, 120 + place * 154
            face = np.asarray(image.crop((left, top, left + 144, top + 144)))
            assert (face == run.pictures.pixels([row])[0]).all()
    (path,) = export(sheet, tmp_path / "cast.wall.png")
    wall = opened(path)
    assert wall.size == (80 + 3 * 236 - 20, 80 + 2 * 290 - 20)
    best = [one.crops[0] for one in portraits(sheet, 1)]
    for place, row in enumerate(best):
        left, top = 40 + place % 3 * 236, 40 + place // 3 * 290
        face = wall.crop((left, top, left + 216, top + 216)).resize((18, 18))
        seen = Image.fromarray(run.pictures.pixels([row])[0]).resize((18, 18))
        assert np.abs(np.asarray(face, float) - np.asarray(seen, float)).mean() < 4
        name = np.asarray(wall.crop((left, top + 222, left + 216, top + 246)).convert("L"))
        assert name.min() < 100 and name.max() == 255  # ink on paper


def test_pdf_has_pages_pictures_and_text(run: Result, tmp_path: Path) -> None:
    run.edits.name(1, "Jürgen Ω Ж")
    run.edits.name(2, "שרה אמנו")
    sheet = cast_sheet(run)
    (path,) = export(sheet, tmp_path / "cast.pdf")
    (page,) = PdfReader(path).pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
    text = page.extract_text()
    for said in ("Jürgen Ω Ж", "שרה אמנו", "Character 3", "5 characters", "film.mp4"):
        assert said in text
    for one in portraits(sheet, 6):
        assert one.facts[0] in text and one.facts[2] in text
    held = {image.get_object()._data for image in page["/Resources"]["/XObject"].values()}
    shown = {run.pictures.jpeg(row) for one in portraits(sheet, 6) for row in one.crops}
    assert held == shown


@pytest.mark.parametrize("format", KINDS)
def test_nobody_and_odd_names(run: Result, format: str, tmp_path: Path) -> None:
    nobody = make_sheet(run, [])
    for path in export(nobody, tmp_path / f"nobody{KINDS[format]}", format):
        assert path.exists()
        if format == "contact-pdf":
            assert "Nobody is on screen." in PdfReader(path).pages[0].extract_text()
        elif format != "faces":
            assert np.asarray(opened(path).convert("L")).min() < 200
    for number in range(1, 6):
        run.edits.name(number, NAMES[2 * number - 2].strip())
    sheets = [cast_sheet(run), cast_sheet(run)]
    made = [
        export(sheet, tmp_path / f"{n}{KINDS[format]}", format) for n, sheet in enumerate(sheets)
    ]
    for one, other in zip(*made, strict=True):
        if format == "faces":
            assert files(one) == files(other) and len(list(one.iterdir())) == 6
        else:
            assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("format", KINDS)
def test_a_run_without_pictures_is_refused(
    run: Result, format: str, tmp_path: Path, vcn: Vcn
) -> None:
    (run.folder / "crops.zip").unlink()
    to = tmp_path / f"cast{KINDS[format]}"
    with pytest.raises(ConfigError, match="has no pictures"):
        export(cast_sheet(run), to, format)
    refused = vcn("export", run.folder, "--to", to, "--format", format)
    assert refused.code == 2 and "has no pictures" in refused.complaint
    assert not to.exists()


def test_a_picture_that_is_none_is_said(run: Result, tmp_path: Path) -> None:
    data = (run.folder / "crops.zip").read_bytes()
    (run.folder / "crops.zip").write_bytes(data.replace(b"JFIF", b"XXXX"))
    damaged = open_run(run.folder)
    for format, ending in KINDS.items():
        with pytest.raises(StoreError) as refused:
            export(cast_sheet(damaged), tmp_path / f"x{ending}", format)
        assert "is damaged" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.slow
def test_many_have_pages_and_take_seconds(tmp_path: Path) -> None:
    run = open_run(write_large_run(tmp_path / "run", 4000, 200))
    sheet = cast_sheet(run)
    for format, ending in KINDS.items():
        before = time.process_time()
        paths = export(sheet, tmp_path / f"cast{ending}", format)
        assert time.process_time() - before < 20
        if format == "contact":
            assert len(paths) == 200 // contact.ROWS and paths[1].name == "cast - 2.png"
            assert {opened(path).size for path in paths} == {(1294, 3230)}
        if format == "contact-pdf":
            pages = PdfReader(paths[0]).pages
            assert len(pages) == 200 // contact_pdf.ROWS
            assert "Character 200" in pages[-1].extract_text()


def test_text_is_cut_to_its_width() -> None:
    assert fitted("Anna", 4, len) == "Anna"
    assert fitted("Annabelle", 4, len) == "Ann…"
    assert fitted("An nabelle", 4, len) == "An…"
    assert fitted(" a\tb\n c ", 9, len) == "a b c" and fitted("x\x1by", 9, len) == "x\\x1by"
    assert fitted("", 0, len) == "" and fitted("ab", 0, len) == "…"
    for text in NAMES:
        for most in range(1, 80):
            made = fitted(text, most, len)
            whole = fitted(text, 1000, len)
            assert len(made) <= most and whole.startswith(made.removesuffix("…"))
            assert made == whole or made.endswith("…")


def test_the_font_is_there() -> None:
    for bold in (False, True):
        assert font_file(bold).read_bytes()[:4] == b"\x00\x01\x00\x00"


def test_names_that_the_font_cannot_write_are_told(run: Result, tmp_path: Path, vcn: Vcn) -> None:
    for number, name in ((1, "王小明"), (2, "Zoë Жанна شرة"), (3, "Ann \U0001f47b")):
        run.edits.name(number, name)
    for format in KINDS:
        done = vcn("export", run.folder, "--format", format, "--to", tmp_path / f"{format}.x")
        warned = "vcn: warning: DejaVu Sans lacks letters of these names" in done.err
        assert done.code == 0 and warned is (format != "faces"), format
        assert done.err.count("王小明, Ann \U0001f47b\n") == warned and "Жанна" not in done.err
    for format, warned in (("contact", True), ("csv", False)):
        to = ("--format", format, "--to", tmp_path / f"query-{format}.x")
        done = vcn("query", run.folder, '"王小明" | 2', *to)
        assert (done.code, "lacks letters" in done.err) == (0, warned), done.err
    assert unlettered(["Zoë", "\u4e00", "Жанна"]) == ["\u4e00"]
    assert not lacking("".join(map(chr, range(32, 0x250))), letters_of(font_file(bold=True)))
