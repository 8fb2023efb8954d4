"""Timelines beyond the contract: odd rates, odd films, odd names, long lists."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import opentimelineio as oti
import pytest

from tests import tables
from tests.readback import READERS
from tests.readback.timelines import edl
from tests.sheets import a_film, a_run, a_sheet, drawn
from videoclusternet.errors import ConfigError
from videoclusternet.export.formats import FORMATS
from videoclusternet.export.palette import PALETTE, colour_of
from videoclusternet.export.plain import one_line
from videoclusternet.export.sheet import Choice, Player, Sheet, make_sheet
from videoclusternet.export.timelines.laid import selects_of
from videoclusternet.export.write import export
from videoclusternet.result.described import Film
from videoclusternet.types.clock import Tags

TIMELINES = [one for one in FORMATS if one.home.startswith("timelines.")]
each_format = pytest.mark.parametrize("name", [one.name for one in TIMELINES])


def write(sheet: Sheet, name: str, folder: Path) -> list[Path]:
    suffix = next(one.suffix for one in TIMELINES if one.name == name)
    return export(sheet, folder / f"cast{suffix}", name)


def agrees(sheet: Sheet, name: str, folder: Path) -> bool:
    reader = READERS[name]
    said = sorted(map(repr, reader.read(write(sheet, name, folder))))
    return said == sorted(map(repr, reader.expect(sheet)))


def text_of(path: Path) -> str:
    """What a file says; of AAF, which is no text, what OpenTimelineIO makes of it."""
    if path.suffix != ".aaf":
        return path.read_bytes().decode("utf-8")
    return str(oti.adapters.read_from_file(str(path)).to_json_string())


def with_tags(film: Film, **tags: object) -> Film:
    return replace(film, tags=replace(film.tags, **tags))


@each_format
@pytest.mark.parametrize("rate", ["25/2", "120000/1001", "37/2"])
def test_rates_of_no_standard(name: str, rate: str, tmp_path: Path) -> None:
    film = a_film(900, rate)
    sheet = a_sheet([film], drawn(film, 2, 4))
    if name == "fcp7" and rate in ("25/2", "37/2"):
        with pytest.raises(ConfigError, match=r"no 1[28]\.5 frames a second .*fcpxml"):
            write(sheet, name, tmp_path)
    else:
        assert agrees(sheet, name, tmp_path)


@each_format
def test_films_of_one_rate_share_their_selects(name: str, tmp_path: Path) -> None:
    films = [a_film(500, "25", "pilot", "10:00:00:00"), a_film(400, "25", "second")]
    sheet = a_sheet(films, {"Anna": [(0, 10, 50), (1, 0, 25), (1, 90, 91)]})
    assert agrees(sheet, name, tmp_path)
    (selects,) = selects_of(sheet)
    assert selects.name == "Anna" and [clip.at for clip in selects.clips] == [0, 40, 65]


def test_films_of_several_rates_have_selects_of_their_own() -> None:
    films = [a_film(500, "30000/1001", "a"), a_film(400, "30", "b"), a_film(99, "30", "c")]
    sheet = a_sheet(films, {"Anna": [(n, 10, 50) for n in range(3)], "Ben": [(1, 0, 9)]})
    names = {each.name: len(each.clips) for each in selects_of(sheet)}
    assert names == {"Anna - 29.97 fps DF": 1, "Anna - 30 fps": 2, "Ben - 30 fps": 1}
    assert [each.clock.timecode(0) for each in selects_of(sheet)][:2] == [
        "01:00:00;00",
        "01:00:00:00",
    ]


@each_format
def test_a_film_without_a_file(name: str, tmp_path: Path) -> None:
    films = (replace(a_film(), video=None, tracks=tables.tracks([(0, 0, 99)]), tags=Tags()),)
    spans = [films[0].span(0, 10, 20)]
    sheet = make_sheet(a_run(films), [(Player(1, "Anna"), spans)])
    text = text_of(write(sheet, name, tmp_path)[0])
    assert sheet.reels[0].path is None and "file://" not in text
    if name == "otio":
        timeline = oti.adapters.read_from_string(text, "otio_json")[0]
        assert isinstance(timeline.tracks[0][0].media_reference, oti.schema.MissingReference)


@each_format
@pytest.mark.parametrize("channels", [0, 1, 6])
def test_sound_of_other_kinds(name: str, channels: int, tmp_path: Path) -> None:
    film = with_tags(a_film(), channels=channels, sample_rate=44100 if channels else 0)
    text = text_of(write(a_sheet([film], {"Anna": [(0, 5, 9)]}), name, tmp_path)[0])
    one, two = min(1, channels), min(2, channels)
    if name in ("otio", "aaf"):  # in the film's sequence and in Anna's
        assert text.count('"kind": "Audio"') == 2 * (one if name == "otio" else two)
    elif name == "edl":
        assert text.split("001  ")[1].split()[1] == ("V", "B", "AA/V")[two]
    elif name == "ale":
        assert "\tV" + "".join(f"A{n + 1}" for n in range(channels)) + "\t" in text
    elif name == "fcpxml":
        assert text.count(f'audioChannels="{channels}" audioRate="44100"') == one
    else:
        assert text.count(f"<channelcount>{channels}</channelcount>") == one
        assert text.count("<sourcetrack>") == 2 * two


@each_format
def test_names_that_no_format_can_hold(name: str, tmp_path: Path) -> None:
    names = ["nul \x00 bell \x07", "half \ud83d", "line\u2028end", "\ufffe", "tab\there", " "]
    sheet = a_sheet([a_film()], {who: [(0, 9 * i, 9 * i + 5)] for i, who in enumerate(names)})
    for path in write(sheet, name, tmp_path):
        text = text_of(path)
        if name == "aaf":
            assert "bell" in text
        if name in ("fcpxml", "fcp7"):
            assert "bell" in text and ET.fromstring(text) is not None
        if name in ("edl", "ale"):
            assert not set("\x00\x07\u2028\ufffe") & set(text)
        if name == "otio":
            whole = oti.adapters.read_from_string(text, "otio_json")
            assert whole[0].tracks.markers[0].name == names[0].replace("\x00", "\ufffd")


def test_one_line_keeps_letters_of_all_scripts() -> None:
    assert one_line(" שרה \n 👩‍👩‍👧\t\x00é ") == "שרה 👩‍👩‍👧 é"


@each_format
def test_two_characters_of_one_name_who_are_always_together(name: str, tmp_path: Path) -> None:
    film = a_film()
    twins = [(Player(n, "Ann"), [film.span(0, 5, 9), film.span(0, 20, 30)]) for n in (1, 2)]
    paths = write(make_sheet(a_run([film]), twins), name, tmp_path)
    assert len(paths) == (3 if name == "edl" else 1)
    if name == "aaf":
        whole = oti.adapters.read_from_file(str(paths[0]))
        assert [(one.name, len(one.tracks[0])) for one in whole] == [
            ("film.mov", 1),
            ("Ann", 2),
            ("Ann", 2),
        ]


# --- EDL -----------------------------------------------------------------------------


def test_a_list_ends_at_event_999(tmp_path: Path) -> None:
    film = a_film(9000)
    sheet = a_sheet([film], {"Anna": [(0, 4 * n, 4 * n + 2) for n in range(1000)]})
    assert agrees(sheet, "edl", tmp_path)
    names = [path.name for path in sorted(tmp_path.glob("cast - *.edl"))]
    assert names == ["cast - Anna 2.edl", "cast - Anna.edl"]


def test_reels_of_an_edit_list_are_eight_letters_and_differ(tmp_path: Path) -> None:
    tapes = ["A001_C002_0101XY", "A001_C002_0102XY", "black", "שרה", "ax", "é 7"]
    films = [with_tags(a_film(99, name=f"film {n}"), reel=tape) for n, tape in enumerate(tapes)]
    sheet = a_sheet(films, {"Anna": [(n, 3, 9) for n in range(len(films))]})
    paths = write(sheet, "edl", tmp_path)
    lists = [edl.parse(path.read_text(encoding="utf-8")) for path in paths]
    (selects,) = (one for one in lists if len(one.events) > 1)
    reels = [event.reel for event in selects.events]
    assert reels == ["A001_C00", "A001_C02", "REEL3", "REEL4", "REEL5", "__7"]
    assert [event.said("SOURCE FILE") for event in selects.events] == tapes


def test_an_edit_list_of_two_films_says_which_is_which(tmp_path: Path) -> None:
    films = [a_film(99, "25", "pilot"), a_film(99, "24", "second")]
    sheet = a_sheet(films, {"Anna": [(0, 0, 9), (1, 0, 9)]})
    assert [path.name for path in write(sheet, "edl", tmp_path)] == [
        "cast.edl",
        "cast - second.edl",
        "cast - Anna - 25 fps.edl",
        "cast - Anna - 24 fps.edl",
    ]


# --- the end of a film of varying rate -------------------------------------------------


def test_a_last_frame_of_no_length_is_on_the_timeline(tmp_path: Path) -> None:
    video = tables.video(100, "24")
    pts = np.arange(100) * 40
    pts[-10:] += np.arange(10) * 45
    end = int(pts[-1]) + 3
    film = a_film(video=replace(video, pts=pts, base="1/1000", end=end))
    sheet = a_sheet([film], {"Anna": [(0, 99, 100)]}, Choice(handles=1.0))
    (one,), (reel,) = sheet.appearances, sheet.reels
    assert reel.clock.video is not None
    assert one.out <= reel.length and sheet.with_handles(one)[1] == one.out
    for format in TIMELINES:
        assert agrees(sheet, format.name, tmp_path / format.name)


# --- colours -----------------------------------------------------------------------------

BLIND = {
    "protan": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deutan": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritan": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}
"""What eyes without one kind of cones see, on linear RGB (Machado, Oliveira, Fernandes 2009)."""


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = rgb.clip(0, 1) @ np.array(
        [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]
    )
    x, y, z = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", BLIND)
def test_colours_are_told_apart_by_all_eyes(eyes: str) -> None:
    seen = []
    for colour in PALETTE:
        share = np.array(colour.rgb) / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        seen.append(lab(np.array(BLIND[eyes]) @ linear))
    apart = [float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)]
    assert min(apart) > 10


def test_each_colour_has_a_name_of_its_own_everywhere() -> None:
    for names in zip(*PALETTE, strict=True):
        assert len(set(names)) == len(PALETTE)
    assert colour_of(1) == colour_of(8) == PALETTE[0] and colour_of(0) == PALETTE[-1]
    assert {one.otio for one in PALETTE} <= set(vars(oti.schema.MarkerColor))
