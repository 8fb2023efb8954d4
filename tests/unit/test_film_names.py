"""Films of one name are told apart, and a film given twice is said."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from videoclusternet.pipeline import same_twice
from videoclusternet.runfolder.folder import film_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/e1.mkv", "a/e2.mkv"], ["e1", "e2"]),
        (["e1.mkv", "e1.mp4"], ["e1.mkv", "e1.mp4"]),
        (["s1/e1.mkv", "s2/e1.mkv"], ["s1/e1.mkv", "s2/e1.mkv"]),
        (["x/s1/e1.mkv", "y/s1/e1.mkv", "e2.mkv"], ["x/s1/e1.mkv", "y/s1/e1.mkv", "e2.mkv"]),
        (["e1.mkv", "e1.mkv"], ["1 e1", "2 e1"]),
        ([], []),
    ],
)
def test_names_tell_films_apart(paths: list[str], names: list[str]) -> None:
    assert film_names(paths) == names


@dataclass
class Given:
    path: str
    content: str


def test_a_film_given_twice_is_said() -> None:
    sources = [Given("a.mkv", "1"), Given("b.mkv", "2"), Given("copy of a.mkv", "1")]
    said = ["copy of a.mkv is the same as a.mkv: its screen time counts twice"]
    assert same_twice(sources) == said  # type: ignore[arg-type]
    twice = [Given("a.mkv", "1"), Given("a.mkv", "1")]
    assert len(same_twice(twice)) == 1  # type: ignore[arg-type]
