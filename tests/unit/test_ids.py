"""Label files of the series benchmark: forms, protocols, counts beside the paper's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from videoclusternet.errors import ConfigError, DataError
from videoclusternet_bench.data.ids import (
    HEADER,
    PAPER_COUNTS,
    check_protocol,
    count_labels,
    differences,
    parse_aliases,
    read_ids,
)

LINES = ("7 sheldon", "11 leonard", "14 leonard", "20 unknown_e01_1", "21 unknown_e01_2")


def write(folder: Path, *lines: str, name: str = "bbt_s01e01", header: str = HEADER) -> Path:
    path = folder / f"{name}.ids"
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


@pytest.fixture
def real(shared_data: Path) -> Path:
    """The public label files of twelve episodes."""
    folder = shared_data / "ids"
    if not folder.is_dir():
        pytest.skip("the label files are not beside this checkout")
    return folder


def test_named_leaves_out_people_without_a_name_and_all_does_not(tmp_path: Path) -> None:
    path = write(tmp_path, *LINES)
    named, everyone = read_ids(path), read_ids(path, "all")
    assert named.name == "bbt_s01e01"
    assert named.ids.tolist() == [7, 11, 14] and named.ids.dtype == np.int64
    assert named.labels == ("sheldon", "leonard", "leonard")
    assert list(named.counts().items()) == [("leonard", 2), ("sheldon", 1)]
    assert everyone.ids.tolist() == [7, 11, 14, 20, 21] and len(everyone.counts()) == 4


def test_blank_lines_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "x.ids"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n\r\n 7  sheldon \r\n\r\n".encode())
    assert read_ids(path).labels == ("sheldon",)


def test_aliases_come_before_the_protocol(tmp_path: Path) -> None:
    path = write(tmp_path, *LINES)
    aliases = {"leonard": "sheldon", "unknown_e01_1": "kurt"}
    assert read_ids(path, aliases=aliases).counts() == {"sheldon": 3, "kurt": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"x\.ids is empty"),
        ("\n \n", r"x\.ids is empty"),
        (HEADER, "holds no track"),
        ("7 sheldon\n", f"line 1: the first line must be {HEADER}"),
        (f"{HEADER}\n7 sheldon\n\n9\n", "line 4: track 9 has no label"),
        (f"{HEADER}\n7 sheldon\nx leonard\n", "line 3: 'x' is not a track number"),
        (f"{HEADER}\n-7 sheldon\n", "line 2: '-7' is not a track number"),
        (f"{HEADER}\n7.5 sheldon\n", "line 2: '7.5' is not a track number"),
        (f"{HEADER}\n{'9' * 19} sheldon\n", "line 2: '9+' is not a track number"),
        (f"{HEADER}\n7 a\n8 b\n07 c\n", "line 4: track 7 appears twice"),
        (f"{HEADER}\n7 mary cooper\n", "line 2: more than a track number and a label"),
    ],
)
def test_malformed_files(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ids"
    path.write_text(text)
    with pytest.raises(DataError, match=says) as caught:
        read_ids(path)
    assert str(path) in caught.value.message


def test_files_that_are_no_text_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.ids"
    with pytest.raises(DataError, match=r"cannot read .*x\.ids: No such file"):
        read_ids(path)
    for content in (b"\x89PNG\xff", HEADER.encode() + b"\n7 \0\n"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"x\.ids is not a text file"):
            read_ids(path)


def test_protocols_and_aliases_are_checked() -> None:
    assert check_protocol("named") == "named" and check_protocol("all") == "all"
    with pytest.raises(ConfigError, match="no labels 'both'"):
        check_protocol("both")
    assert parse_aliases(["a=b", " c = b "]) == {"a": "b", "c": "b"}
    for texts, says in (
        (["a"], "cannot read alias 'a'"),
        (["a="], "cannot read alias"),
        (["a=a"], "cannot read alias"),
        (["a=b=c"], "cannot read alias"),
        (["a=b", "a=c"], "a is both b and c"),
        (["a=b", "b=c"], "b is itself an alias"),
    ):
        with pytest.raises(ConfigError, match=says):
            parse_aliases(texts)


def test_a_person_of_two_episodes_counts_once_in_the_season(tmp_path: Path) -> None:
    write(tmp_path, *LINES)
    write(tmp_path, "7 sheldon", "8 penny", name="bbt_s01e02")
    write(tmp_path, "1 ann", name="other")
    episodes, (season,) = count_labels(tmp_path)
    assert [c.name for c in episodes] == ["bbt_s01e01", "bbt_s01e02", "other"]
    assert [(c.tracks, c.named, c.people, c.unknown) for c in episodes[:2]] == [
        (5, 3, 2, 2),
        (2, 2, 2, 0),
    ]
    assert (season.name, season.tracks, season.named, season.people) == ("bbt_s01", 7, 5, 3)
    assert season.labels == {"leonard": 2, "sheldon": 2, "penny": 1}
    assert season.paper is not None and season.paper.tracks == 647 + 613
    assert episodes[2].paper is None
    _, (everyone,) = count_labels(tmp_path, "all")
    assert (everyone.people, everyone.counted, everyone.named) == (5, 7, 5)


def test_counts_refuse_what_they_cannot_count(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no label file"):
        count_labels(tmp_path)
    with pytest.raises(DataError, match="cannot read"):
        count_labels(tmp_path / "none")
    write(tmp_path, *LINES)
    with pytest.raises(ConfigError, match="alias of penny: no file"):
        count_labels(tmp_path, aliases={"penny": "sheldon"})


def test_differences_say_only_what_the_labels_show(tmp_path: Path) -> None:
    """Eleven people are named in a file, the paper has twelve: with and without unknown ones."""
    people = [f"{i} person{'abcdefghijk'[i % 11]}" for i in range(786)]
    path = write(tmp_path, *people, "900 unknown_e01_1", name="buffy_s05e01")
    (line,) = differences(count_labels(path)[0])
    assert line == (
        "buffy_s05e01: 11 people, the paper has 12; with unknown_* as one more person there are 12"
    )
    (tracks,) = differences(count_labels(path, "all")[0])  # its one unknown makes twelve people
    assert tracks == (
        "buffy_s05e01: 787 tracks, the paper has 786: it leaves out the 1 of unknown_*"
    )
    write(tmp_path, *people[1:], name="buffy_s05e01")
    assert differences(count_labels(path)[0]) == [
        "buffy_s05e01: 785 tracks, the paper has 786",
        "buffy_s05e01: 11 people, the paper has 12",
    ]


@pytest.mark.data
def test_named_tracks_are_the_papers_in_all_twelve_episodes(real: Path) -> None:
    episodes, seasons = count_labels(real)
    assert [c.name for c in episodes] == list(PAPER_COUNTS)
    assert [c.named for c in episodes] == [paper.tracks for paper in PAPER_COUNTS.values()]
    assert [(c.name, c.tracks, c.named) for c in seasons] == [
        ("bbt_s01", 3908, 3504),
        ("buffy_s05", 5832, 5477),
    ]
    assert [c.people for c in episodes] == [6, 5, 7, 8, 6, 6, 11, 12, 13, 14, 13, 17]
    assert [c.people for c in count_labels(real, "all")[0]][:6] == [8, 6, 26, 28, 25, 37]


@pytest.mark.data
def test_one_person_more_explains_all_identities_of_the_paper_but_one(real: Path) -> None:
    said = differences(count_labels(real)[0])
    open_ones = [line for line in said if "cannot account" in line]
    assert len(open_ones) == 1 and open_ones[0].startswith("buffy_s05e05: 13 people")
    assert "there are 14: 1 of the paper's we cannot account for" in open_ones[0]
    assert sum("as one more person" in line for line in said) == 6
    # No count of labels by episode explains it: S5E6 has a label of another episode as well.
    for episode, borrowed in (("05", "unknown_e04_13"), ("06", "unknown_e05_3")):
        labels = read_ids(real / f"buffy_s05e{episode}.ids", "all").counts()
        assert [k for k in labels if k.startswith("unknown") and f"_e{episode}_" not in k] == [
            borrowed
        ]


@pytest.mark.data
def test_the_second_xander_is_a_label_of_its_own_unless_it_is_an_alias(real: Path) -> None:
    path = real / "buffy_s05e03.ids"
    assert read_ids(path).counts()["xander2"] == 154
    assert "WCP of at most 87.0%" in differences(count_labels(path)[0])[1]
    (count,), _ = count_labels(path, aliases={"xander2": "xander"})
    assert (count.people, count.named, count.labels["xander"]) == (12, 1185, 249 + 154)
    (line,) = differences([count])
    assert line.endswith("and the 1 joined by aliases there are 14")
