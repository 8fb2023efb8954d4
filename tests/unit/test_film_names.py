"""Films of one name are told apart, and a film given twice is said."""

from __future__ import annotations

import pytest

from videoclusternet.runfolder.folder import film_names, same_twice


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


def test_a_film_given_twice_is_said() -> None:
    films = [("a.mkv", "1"), ("b.mkv", "2"), ("copy of a.mkv", "1")]
    said = ["copy of a.mkv is the same as a.mkv: its screen time counts twice"]
    assert same_twice(films) == said
    assert len(same_twice([("a.mkv", "1"), ("a.mkv", "1")])) == 1
    assert same_twice(films[:2]) == []
