"""The sheet that everything is exported from."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests import tables
from tests.sheets import a_film, a_run, a_sheet, varying
from videoclusternet.errors import ConfigError
from videoclusternet.export.sheet import Choice, cast_sheet, reels_of
from videoclusternet.result.result import Result
from videoclusternet.types.clock import Tags


def frames(sheet: object) -> list[tuple[str, int, int]]:
    return [(a.player.name, a.into, a.out) for a in sheet.appearances]  # type: ignore[attr-defined]


def test_appearances_come_by_time_and_short_ones_stay_away() -> None:
    spans = {"Anna": [(0, 100, 148), (0, 0, 10), (0, 20, 40)], "Ben": [(0, 0, 5)]}
    sheet = a_sheet([a_film()], spans)
    assert frames(sheet) == [
        ("Ben", 0, 5), ("Anna", 0, 10), ("Anna", 20, 40), ("Anna", 100, 148),
    ]  # fmt: skip
    assert frames(a_sheet([a_film()], spans, Choice(gap=10 / 24, min_seconds=1))) == [
        ("Anna", 0, 40), ("Anna", 100, 148),
    ]  # fmt: skip
    assert [p.name for p in a_sheet([a_film()], spans, Choice(min_seconds=1)).players] == ["Anna"]


def test_handles_end_with_the_film() -> None:
    sheet = a_sheet([a_film(100)], {"Anna": [(0, 10, 20), (0, 90, 100)]}, Choice(handles=1))
    assert [sheet.with_handles(one) for one in sheet.appearances] == [(0, 44), (66, 100)]


def test_what_the_file_says_is_the_start_and_people_say_it_better() -> None:
    run = a_run([a_film(rate="30000/1001", timecode="00:59:50;00", reel="A7")])
    (reel,) = reels_of(run)
    assert (reel.clock.timecode(0), reel.tape, reel.name) == ("00:59:50;00", "A7", "film.mov")
    (reel,) = reels_of(run, "01:00:00:00")
    assert reel.clock.timecode(0) == "01:00:00:00" and list(reel.doubts) == []
    with pytest.raises(ConfigError, match="no timecode"):
        reels_of(run, "1h")


def test_what_is_not_exact_is_said() -> None:
    strange = a_film(rate="25", timecode="99:00:00:00")
    assert ["no timecode at its rate" in said for said in reels_of(a_run([strange]))[0].doubts] == [
        True
    ]
    assert list(reels_of(a_run([strange]), "01:00:00:00")[0].doubts) == []
    assert list(reels_of(a_run([a_film(timecode="00:00:00:00")]))[0].doubts) == []
    (said,) = reels_of(a_run([a_film(video=varying())]))[0].doubts
    assert "of varying rate" in said
    late = a_film(video=replace(tables.video(9), pts=np.arange(9) + 36, end=45))
    (said,) = reels_of(a_run([late]))[0].doubts
    assert "its picture begins 1.50 s in" in said
    (said,) = reels_of(a_run([tables.film(tables.tracks([(0, 0, 9)]))]))[0].doubts
    assert "no film" in said and "24 a second" in said


def a_cast() -> Result:
    """Three characters and an Unknown track."""
    tracks = tables.tracks([(0, 0, 9), (0, 10, 19), (0, 20, 29), (0, 30, 39), (0, 40, 49)])
    film = tables.film(tracks, with_video=tables.video(50), with_shots=tables.shots(0, 50))
    film = replace(film, tags=Tags())
    return tables.result([film], tracks, tables.cast([0, 1, 0, 2, -1]))


def test_characters_are_chosen_by_name_and_by_number() -> None:
    run = a_cast()
    assert [p.number for p in cast_sheet(run).players] == [1, 2, 3]
    assert frames(cast_sheet(run, Choice(characters=("2", "Character 3")))) == [
        ("Character 2", 10, 20), ("Character 3", 30, 40),
    ]  # fmt: skip
    assert frames(cast_sheet(run, Choice(unknown=True)))[-1] == ("Unknown", 40, 50)
    assert frames(cast_sheet(run, Choice(characters=("Unknown",)))) == [("Unknown", 40, 50)]
    with pytest.raises(ConfigError, match="did you mean"):
        cast_sheet(run, Choice(characters=("Charakter 2",)))


def test_varying_rate_never_loses_an_appearance() -> None:
    film = a_film(video=varying(200))
    sheet = a_sheet([film], {"Anna": [(0, n, n + 1) for n in range(0, 200, 2)]})
    assert len(sheet.appearances) == 100
    assert all(one.length >= 1 for one in sheet.appearances)
    assert sheet.reels[0].clock.rate in (Fraction(24000, 1001), 24, 25)


@pytest.mark.parametrize("wrong", [{"handles": math.inf}, {"gap": -1.0}, {"min_seconds": math.nan}])
def test_lengths_of_time_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="is no length of time"):
        a_sheet([a_film()], {}, Choice(**wrong))  # type: ignore[arg-type]
