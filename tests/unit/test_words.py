"""How times and names are written."""

from __future__ import annotations

import numpy as np
import pytest

from videoclusternet.outside.text import printable
from videoclusternet.show.words import share, shorten, span, surely, timecode


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (59.99, "0:00:59"), (61, "0:01:01"), (3600, "1:00:00"), (36_610, "10:10:10")],
)
def test_a_moment_is_rounded_down(seconds: float, text: str) -> None:
    assert timecode(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "<0.1 s"),
        (0.04, "<0.1 s"),
        (0.1, "0.1 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (15.6, "16 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.6, "1 h 00 min"),
        (3720, "1 h 02 min"),
    ],
)
def test_a_length_is_rounded_to_the_nearest(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_nothing_that_is_there_is_written_as_nothing() -> None:
    for seconds in np.linspace(0, 1, 101):
        assert span(seconds).removeprefix("<") not in ("0 s", "0.0 s")
    assert (
        share(0.1, 100) == share(0.5, 100) == "<1 %"
        and share(0, 100) == "0 %"
        and share(1, 3) == "33 %"
    )


def test_names_cannot_act_on_a_terminal() -> None:
    assert printable("süß 映画") == "süß 映画"
    assert printable("a\x1b[2J\nb\u202ec") == r"a\x1b[2J\nb\u202ec"
    # A byte that is no UTF-8 comes as half a surrogate pair, which cannot be printed.
    assert printable("caf\udce9") == r"caf\xe9"


def test_long_names_keep_both_ends() -> None:
    assert shorten("the.show.s01e01.1080p", 16) == "the.sho…01.1080p"
    assert len(shorten("x" * 40, 16)) == 16 and shorten("short", 16) == "short"


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0, "0 %"), (0.5, "50 %"), (0.949, "95 %"), (0.9999, "99 %"), (1, "100 %")],
)
def test_how_sure_is_told_in_percent(confidence: float, words: str) -> None:
    assert surely(confidence) == words
