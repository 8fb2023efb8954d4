"""What a labelled set of crops or features holds, and sets that numbers do not fit together in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.test_ids import write
from videoclusternet.errors import DataError, StoreError
from videoclusternet.sources.features import checked, read_features, write_features
from videoclusternet_bench.data.check import facts
from videoclusternet_bench.data.feature_files import read_any
from videoclusternet_bench.data.ids import parse_aliases
from videoclusternet_bench.data.join import join, listed


def features(path: Path, tracks: list[int], frames: bool = True) -> Path:
    """Three faces of each track, four values a face."""
    path.parent.mkdir(exist_ok=True, parents=True)
    track = np.repeat(tracks, 3)
    values = np.random.default_rng(len(tracks)).normal(size=(len(track), 4)).astype(np.float32)
    frame = np.arange(len(track)) if frames else None
    write_features(path, checked(str(path), values, track, frame, "net-9"))
    return path


def labels(path: Path, *lines: str) -> Path:
    listing = path.with_name(f"{path.stem}_tracks.csv")
    listing.write_text("\n".join(["track_id,label", *lines]) + "\n")
    return path


def test_features_are_described_by_what_has_a_label(tmp_path: Path) -> None:
    path = labels(features(tmp_path / "ep.npz", [3, 5, 9]), "0003,ann", "5,ann", "7,bob", "8,cid")
    assert facts(path) == [
        ("form", "features (npz)"),
        ("file", str(path)),
        ("model", "net-9"),
        ("tracks", "2"),
        ("people", "1"),
        ("tracks without a label", "1"),
        ("labels without a track", "2"),
        ("features", "9 of 4 values"),
    ]


def test_crops_are_described_and_nothing_is_said_of_what_is_not_missing(labelled: Path) -> None:
    found = facts(labelled / "discs.zip")
    assert found[:4] == [
        ("form", "aligned crops (zip)"),
        ("file", str(labelled / "discs.zip")),
        ("tracks", "4"),
        ("people", "2"),
    ]
    assert [what for what, _ in found[4:]] == ["crops"] and int(found[4][1]) >= 4


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["3,ann", "3,bob"], "track 3 appears twice"),
        (["3,ann", "003,ann"], "track 3 appears twice"),
        (["3,ann", "5,"], "track 5 has no label"),
        (["30,ann", "50,bob"], "knows none of the tracks"),
    ],
)
def test_a_list_of_labels_that_does_not_fit_is_refused(
    lines: list[str], says: str, tmp_path: Path
) -> None:
    path = labels(features(tmp_path / "ep.npz", [3, 5]), *lines)
    with pytest.raises(DataError, match=says):
        facts(path)


def crop_folder(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "0000001.jpg").write_bytes(b"\xff\xd8\xff not looked at")
    return folder


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("7", "track_007"), "are the same track"),
        (("7", "nobody"), "track 'nobody' has no number"),
        (("70", "80"), "have no track in common"),
    ],
)
def test_crops_are_joined_by_a_number_of_their_own(
    names: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    ids = write(tmp_path, "7 sheldon", "8 leonard")
    with pytest.raises(DataError, match=says):
        join(ids, crop_folder(tmp_path / "crops", *names), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_places_of_given_features_go_with_them(tmp_path: Path) -> None:
    data = features(tmp_path / "data" / "ep.npz", [7, 8, 9])
    listing = data.with_name("ep_tracks.csv")
    listing.write_text("track_id,shot,first_frame,last_frame\n7,0,0,50\n8,0,1,60\n9,4,5,140\n")
    ids = write(tmp_path, "9 leonard", "8 sheldon", "12 kurt")
    found = join(ids, data, tmp_path / "out")
    assert (found.tracks, found.unlabelled, found.absent) == (2, (7,), (12,))
    rows = (tmp_path / "out" / "bbt_s01e01_tracks.csv").read_text().splitlines()
    header = rows[0].split(",")
    by_track = {row.split(",")[0]: dict(zip(header, row.split(","), strict=True)) for row in rows}
    assert (by_track["8"]["shot"], by_track["8"]["label"]) == ("0", "sheldon")
    assert (by_track["9"]["shot"], by_track["9"]["label"]) == ("4", "leonard")
    both = read_features(tmp_path / "out" / "bbt_s01e01.npz"), read_features(data)
    np.testing.assert_array_equal(both[0].features, both[1].features[3:])
    assert both[0].frame is not None and both[0].frame.tolist() == list(range(3, 9))


def test_a_set_that_is_there_is_kept_as_it_is(tmp_path: Path) -> None:
    ids, data = write(tmp_path, "7 sheldon"), features(tmp_path / "data" / "ep.npz", [7], False)
    join(ids, data, tmp_path / "out")
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    with pytest.raises(StoreError, match="is there already"):
        join(ids, features(tmp_path / "data" / "new.npz", [7, 9]), tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before
    assert sorted(before) == ["bbt_s01e01.npz", "bbt_s01e01_tracks.csv"]


def test_an_alias_joins_two_labels_and_must_be_of_one(tmp_path: Path) -> None:
    ids = write(tmp_path, "7 sheldon", "8 shelly", "9 unknown_e01_1")
    data = features(tmp_path / "data" / "ep.npz", [7, 8, 9])
    found = join(ids, data, tmp_path / "one", aliases=parse_aliases(["shelly=sheldon"]))
    assert (found.tracks, found.people, found.nameless) == (2, 1, 1)
    every = join(ids, data, tmp_path / "all", protocol="all")
    assert (every.tracks, every.people, every.nameless) == (3, 3, 0)


@pytest.mark.parametrize(("count", "text"), [(0, ""), (5, "0, 1, 2, 3, 4")])
def test_few_numbers_are_all_listed(count: int, text: str) -> None:
    assert listed(range(count)) == text


def test_many_numbers_are_counted() -> None:
    assert listed(range(8)) == "0, 1, 2, 3, 4 and 3 more"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"1": np.ones((2, 4)), "2": np.ones((2, 5))}, "not floats of 4 columns"),
        ({"1": np.ones((2, 4)), "2": np.ones((0, 4))}, "not floats of 4 columns"),
        ({"1": np.ones((2, 4), dtype=int)}, "not floats of 4 columns"),
        ({"1": np.ones((2, 4)), "6": np.full((2, 4), np.nan)}, r"\(track 6\) is not finite"),
        ({"1": np.ones((2, 4)), "01": np.ones((2, 4))}, r"01\.npy and 1\.npy are the same track"),
    ],
)
def test_files_of_features_that_do_not_fit_together(
    rows: dict[str, np.ndarray], says: str, tmp_path: Path
) -> None:
    folder = tmp_path / "ep"
    folder.mkdir()
    for name, values in rows.items():
        np.save(folder / f"{name}.npy", values)
    with pytest.raises(DataError, match=says):
        read_any(folder, "net")


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00v\x00{'descr'", b"text"])
def test_half_a_file_of_features_is_refused(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "ep"
    folder.mkdir()
    (folder / "1.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"1\.npy is no plain npy file"):
        read_any(folder, "net")
