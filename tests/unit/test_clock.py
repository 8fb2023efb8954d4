"""Timecode and places on a timeline, against OpenTimelineIO and against counting."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import tables
from videoclusternet.errors import ConfigError
from videoclusternet.types import VideoInfo
from videoclusternet.types.clock import Clock

RATES = ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"]
DROPS = ["30000/1001", "60000/1001"]


@pytest.mark.parametrize("rate", RATES)
@given(count=st.integers(0, 10 * 3600 * 60))
def test_timecode_is_what_opentimelineio_says(rate: str, count: int) -> None:
    for drop in {False, rate in DROPS}:
        clock = Clock(Fraction(rate), drop=drop)
        time = otio.opentime.RationalTime(count % clock.day, float(Fraction(rate)))
        assert clock.timecode(count) == time.to_timecode(time.rate, drop)


@pytest.mark.parametrize("rate", RATES)
@given(count=st.integers(0, 3 * 24 * 3600 * 60))
def test_timecode_is_read_as_it_is_written(rate: str, count: int) -> None:
    for drop in {False, rate in DROPS}:
        clock = Clock(Fraction(rate), drop=drop)
        assert clock.read(clock.write(count)) == count % clock.day


@pytest.mark.parametrize("rate", DROPS)
def test_drop_frame_by_counting(rate: str) -> None:
    """Count the numbers of two hours that are not left out; write those about each minute."""
    clock = Clock(Fraction(rate), drop=True)
    left_out = {30: 2, 60: 4}[clock.base]
    numbers = [
        (h, m, s, f)
        for h in range(2)
        for m in range(60)
        for s in range(60)
        for f in range(clock.base)
        if not (m % 10 and s == 0 and f < left_out)
    ]
    for n, (h, m, s, f) in enumerate(numbers):
        if s in (0, 59) and not 6 < f < clock.base - 2:
            assert clock.write(n) == f"{h:02d}:{m:02d}:{s:02d};{f:02d}"
    assert clock.day == 12 * len(numbers)
    assert abs(clock.day / clock.rate - 86400) < Fraction(1, 10)


def test_after_midnight_comes_nought() -> None:
    clock = Clock.of(tables.video(600, "25"), "23:59:50:00")
    assert [clock.timecode(n) for n in (0, 249, 250)] == [
        "23:59:50:00",
        "23:59:59:24",
        "00:00:00:00",
    ]


def test_drop_frame_is_usual_where_there_is_such() -> None:
    assert Clock.of(tables.video(9, "30000/1001")).timecode(1800) == "00:01:00;02"
    assert Clock.of(tables.video(9, "30000/1001"), "01:00:00:00").timecode(1800) == "01:01:00:00"
    assert Clock.of(tables.video(9, "24000/1001")).timecode(24) == "00:00:01:00"


@pytest.mark.parametrize(
    ("rate", "timecode", "said"),
    [
        ("25", "01:00:00", "is no timecode"),
        ("25", "01:00:00:25", "is no timecode at 25 frames"),
        ("25", "24:00:00:00", "is no timecode at 25 frames"),
        ("25", "01:00:00;00", "no drop-frame at 25"),
        ("30000/1001", "01:01:00;01", "drop-frame leaves this one out"),
    ],
)
def test_wrong_timecodes_are_refused(rate: str, timecode: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Clock.of(tables.video(9, rate), timecode)


@pytest.mark.parametrize(
    ("given_rate", "meant"), [("2397/100", "24000/1001"), ("2997/100", DROPS[0])]
)
def test_careless_rates_are_what_they_mean(given_rate: str, meant: str) -> None:
    assert Clock.of(tables.video(9, given_rate)).rate == Fraction(meant)


@pytest.mark.parametrize("rate", ["15", "12", "25/2", "7"])
def test_even_rates_of_no_standard_stay(rate: str) -> None:
    assert Clock.of(tables.video(9, rate)).rate == Fraction(rate)


def varying(pts: list[int], rate: str = "24") -> VideoInfo:
    """A film with these times, ms."""
    n = len(pts)
    return VideoInfo(
        "film.mp4", "0" * 64, 640, 360, rate, "1/1000", pts[-1] + 40, True, 0, "count",
        np.array(pts), np.arange(n), np.ones(n, bool), np.arange(n), np.arange(n),
    )  # fmt: skip


def test_times_in_milliseconds_are_an_even_rate() -> None:
    pts = [round(n * 1001 / 24) for n in range(5000)]
    clock = Clock.of(varying(pts, "24000/1001"))
    assert clock.video is None and clock.place(4999) == 4999


@given(st.lists(st.integers(5, 200), min_size=3, max_size=40))
def test_frames_of_varying_rate_lie_where_their_time_is(steps: list[int]) -> None:
    pts = np.cumsum([17, *steps]).tolist()
    video = varying(pts)
    clock = Clock(Fraction(25), video=video)
    places = [clock.place(frame) for frame in range(len(pts) + 1)]
    for place, ms in zip(places, [*pts, video.end], strict=True):
        assert abs(place - (ms - 17) * 25 / 1000) <= 0.5
    assert places[0] == 0 and all(a <= b for a, b in pairwise(places))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("base", ["1/24000", "1/90000", "1/1000"])
def test_frames_that_were_left_out_are_of_the_rate_that_they_had(rate: str, base: str) -> None:
    whole = np.arange(900)
    kept = whole[whole % 3 != 2]
    if base == "1/1000" and Fraction(rate) >= 50:
        kept = kept[:60]  # ms cannot tell 59.94 from 60 for long
    pts = [round(int(n) / Fraction(rate) / Fraction(base)) for n in kept]
    video = replace(varying(pts, str(Fraction(rate) * 2 / 3)), base=base, end=pts[-1] + 1)
    clock = Clock.of(video)
    assert clock.video is not None
    assert clock.place(59) == kept[59]
    if base != "1/1000":
        assert clock.rate == Fraction(rate)
        assert [clock.place(n) for n in range(len(kept))] == kept.tolist()


def test_a_film_of_no_rate_at_all_lies_on_the_standard_rate_nearest_to_its_nominal_one() -> None:
    clock = Clock.of(varying([0, 41, 200, 247, 301], "182/10"))
    assert clock.rate == Fraction(24000, 1001) and clock.video is not None
