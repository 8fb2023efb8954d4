"""Tracks that were given as crops: folders, zip files, and what can be wrong with them."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import Vcn
from tests.drawn import FLAGS, PLAIN, QUICKLY, FakeModels, snapshot
from videoclusternet import Config, Event, cluster_tracks
from videoclusternet.errors import DataError, StoreError
from videoclusternet.result.result import open_run
from videoclusternet.runfolder.crop_zip import CROP_ZIP

pytestmark = pytest.mark.usefixtures("fake_models")


@pytest.fixture
def crops(drawn_run: Path, tmp_path: Path) -> Path:
    """The crops of the drawn film as a folder ``<track>/<frame>.jpg``: four tracks."""
    folder = tmp_path / "crops"
    with zipfile.ZipFile(drawn_run / CROP_ZIP) as archive:
        archive.extractall(folder)
    return folder


def zipped(folder: Path, path: Path, inside: str = "") -> Path:
    """Pack a folder."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.jpg")):
            archive.write(file, inside + str(file.relative_to(folder)))
    return path


def test_folder_gives_the_cast_of_its_film(crops: Path, drawn_run: Path, tmp_path: Path) -> None:
    result = cluster_tracks(crops, tmp_path / "run", QUICKLY)
    film = open_run(drawn_run)
    assert result.cast.character.tolist() == film.cast.character.tolist() == [0, 1, 0, 1]
    assert result.films[0].track_names == ("00000", "00001", "00002", "00003")
    assert result.tracks.first.tolist() == film.tracks.first.tolist()
    page = (tmp_path / "run" / "cast.html").read_text()
    assert page.count("<bdi>Character 1</bdi></h2>") == 1 and "<title>Cast of crops</title>" in page


@pytest.mark.parametrize("inside", ["", "crops/", "a/b/"])
def test_zip_gives_the_same_as_the_folder(crops: Path, tmp_path: Path, inside: str) -> None:
    packed = zipped(crops, tmp_path / "crops.zip", inside)
    a = cluster_tracks(crops, tmp_path / "a", QUICKLY)
    b = cluster_tracks(packed, tmp_path / "b", QUICKLY)
    assert a.cast.digest == b.cast.digest and a.tracks.digest == b.tracks.digest
    assert a.films[0].crops.digest == b.films[0].crops.digest  # checksums of the pictures too


def test_second_run_computes_nothing(crops: Path, tmp_path: Path) -> None:
    cluster_tracks(crops, tmp_path / "run", QUICKLY)
    events: list[Event] = []
    cluster_tracks(crops, tmp_path / "run", QUICKLY, events.append)
    assert [(e.kind, e.step) for e in events] == [
        ("cached", step) for step in ("tracks", "crops", "embeddings", "views", "links", "cast")
    ]
    events.clear()
    changed = Config.load(settings=[*PLAIN, "cluster.draws=3"])
    cluster_tracks(crops, tmp_path / "run", changed, events.append)
    assert [e.step for e in events if e.kind == "done"] == ["cast"]


def test_changed_crops_are_refused_in_the_same_folder(crops: Path, tmp_path: Path) -> None:
    cluster_tracks(crops, tmp_path / "run", QUICKLY)
    (crops / "00000" / "0000000.jpg").unlink()
    before = snapshot(tmp_path / "run")
    with pytest.raises(StoreError, match="belongs to other films"):
        cluster_tracks(crops, tmp_path / "run", QUICKLY)
    assert snapshot(tmp_path / "run") == before


def test_names_of_tracks_sort_as_numbers(crops: Path, tmp_path: Path) -> None:
    for old, new in {"00000": "10", "00001": "9", "00002": "anna", "00003": "0100"}.items():
        (crops / old).rename(crops / new)
    result = cluster_tracks(crops, tmp_path / "run", QUICKLY)
    assert result.films[0].track_names == ("anna", "9", "10", "0100")
    assert result.cast.character.tolist() in ([0, 1, 0, 1], [1, 0, 1, 0])


def test_crops_of_any_square_size(crops: Path, tmp_path: Path) -> None:
    for n, file in enumerate(sorted(crops.rglob("*.jpg"))):
        picture = np.asarray(cv2.imread(str(file)))[16:128, 16:128]
        size = (112, 56, 224)[n % 3]
        cv2.imwrite(
            str(file.with_suffix((".png", ".jpeg")[n % 2])), cv2.resize(picture, (size,) * 2)
        )
        file.unlink()
    result = cluster_tracks(crops, tmp_path / "run", QUICKLY)
    assert result.cast.character.tolist() == [0, 1, 0, 1]
    count = len(result.films[0].crops)
    assert count >= 8 and result.pictures.pixels(range(count)).shape == (count, 144, 144, 3)


def test_one_crop(crops: Path, tmp_path: Path) -> None:
    for track in ("00001", "00002", "00003"):
        shutil.rmtree(crops / track)
    for file in sorted((crops / "00000").iterdir())[1:]:
        file.unlink()
    result = cluster_tracks(crops, tmp_path / "run", QUICKLY)
    assert result.cast.character.tolist() == [0]


@pytest.mark.parametrize("where", ["tracks.csv inside", "named beside", "option"])
def test_shots_separate_people_who_are_seen_together(
    crops: Path, tmp_path: Path, where: str
) -> None:
    """Two tracks of one look in one shot are two people; elsewhere they are one."""
    shutil.rmtree(crops / "00001")
    shutil.rmtree(crops / "00003")
    shutil.copytree(crops / "00002", crops / "7")
    text = "track_id,shot,label\n0,0,x\n2,1,x\n7,1,x\n"
    together = cluster_tracks(crops, tmp_path / "together", QUICKLY)
    assert together.cast.character[1] == together.cast.character[2]
    option = None
    if where == "option":
        option = tmp_path / "mine.csv"
        option.write_text(text)
    elif where == "named beside":
        # A zip file has its list beside it.
        zipped(crops, tmp_path / "set.zip")
        crops = tmp_path / "set.zip"
        (tmp_path / "set_tracks.csv").write_text(text)
    else:
        (crops / "tracks.csv").write_text(text)
    apart = cluster_tracks(crops, tmp_path / "apart", QUICKLY, shots=option)
    assert apart.tracks.shot.tolist() == [0, 1, 1]
    assert apart.cast.character[1] != apart.cast.character[2]


def test_labels_are_never_read(crops: Path, tmp_path: Path) -> None:
    results = []
    for name, labels in (("a", "wxyz"), ("b", "qqqq")):
        rows = "".join(f"{n},{n},{label}\n" for n, label in enumerate(labels))
        (crops / "tracks.csv").write_text("track_id,shot,label\n" + rows)
        results.append(cluster_tracks(crops, tmp_path / name, QUICKLY).cast.digest)
    assert results[0] == results[1]
    # Not even the fingerprint knows them.
    events: list[Event] = []
    cluster_tracks(crops, tmp_path / "a", QUICKLY, events.append)
    assert {e.kind for e in events} == {"cached"}


def _nothing(crops: Path) -> None:
    shutil.rmtree(crops)


def _no_tracks(crops: Path) -> None:
    for track in list(crops.iterdir()):
        shutil.rmtree(track)


def _no_pictures(crops: Path) -> None:
    for file in crops.rglob("*.jpg"):
        file.rename(file.with_suffix(".txt"))


def _name(crops: Path) -> None:
    (crops / "00000" / "0000000.jpg").rename(crops / "00000" / "first.jpg")


def _odd_digit(crops: Path) -> None:
    (crops / "00000" / "0000000.jpg").rename(crops / "00000" / "²³.jpg")


def _huge_number(crops: Path) -> None:
    (crops / "00000" / "0000000.jpg").rename(crops / "00000" / "99999999999999999999.jpg")


def _twice(crops: Path) -> None:
    shutil.copy(crops / "00000" / "0000000.jpg", crops / "00000" / "0.jpg")


def _text(crops: Path) -> None:
    (crops / "00000" / "0000000.jpg").write_text("no picture")


def _empty(crops: Path) -> None:
    (crops / "00000" / "0000000.jpg").write_bytes(b"")


def _oblong(crops: Path) -> None:
    cv2.imwrite(str(crops / "00000" / "0000000.jpg"), np.zeros((112, 90, 3), np.uint8))


def _shot_is_text(crops: Path) -> None:
    (crops / "tracks.csv").write_text("track_id,shot\n0,first\n")


def _shot_is_missing(crops: Path) -> None:
    (crops / "tracks.csv").write_text("track_id,shot\n0\n")


def _binary_list(crops: Path) -> None:
    (crops / "tracks.csv").write_bytes(b"track_id,shot\n\xff\xfe\x00,1\n")


def _huge_shot(crops: Path) -> None:
    (crops / "tracks.csv").write_text("track_id,shot\n0,99999999999999999999\n")


def _named_twice(crops: Path) -> None:
    (crops / "tracks.csv").write_text("track_id,shot\n0,0\n0,1\n")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_nothing, "no such file or folder"),
        (_no_tracks, "holds no crop"),
        (_no_pictures, "holds no crop"),
        (_name, "'first' is no frame number"),
        (_odd_digit, "is no frame number"),
        (_huge_number, "is no frame number"),
        (_twice, "twice"),
        (_text, "00000/0 is not a picture"),
        (_empty, "00000/0 is not a picture"),
        (_oblong, "00000/0 is 90x112 px"),
        (_shot_is_text, "tracks.csv is not a list of tracks and shots"),
        (_shot_is_missing, "tracks.csv is not a list of tracks and shots"),
        (_binary_list, "tracks.csv is not a list of tracks and shots"),
        (_huge_shot, "tracks.csv is not a list of tracks and shots"),
        (_named_twice, "track 0 appears twice"),
    ],
)
def test_malformed_folder_gives_6(
    crops: Path, tmp_path: Path, vcn: Vcn, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(crops)
    before = snapshot(crops)
    outcome = vcn("cluster-tracks", crops, "-o", tmp_path / "run", "-q")
    assert outcome.code == 6 and words in outcome.complaint and outcome.out == ""
    assert snapshot(crops) == before


def _not_a_zip(path: Path, crops: Path) -> None:
    path.write_text("no zip")


def _cut_off(path: Path, crops: Path) -> None:
    data = zipped(crops, path).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _wrong_bytes(path: Path, crops: Path) -> None:
    data = bytearray(zipped(crops, path).read_bytes())
    data[1000:1040] = bytes(40)
    path.write_bytes(data)


def _no_track(path: Path, crops: Path) -> None:
    zipped(crops / "00000", path)


def _empty_zip(path: Path, crops: Path) -> None:
    with zipfile.ZipFile(path, "w"):
        pass


def _locked(path: Path, crops: Path) -> None:
    # Flag every entry as encrypted.
    data = bytearray(zipped(crops, path).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(mark, place + 1)
    path.write_bytes(data)


def _unknown_method(path: Path, crops: Path) -> None:
    data = bytearray(zipped(crops, path).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = data.find(mark)
        while place >= 0:
            data[place + offset] = 99
            place = data.find(mark, place + 1)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_not_a_zip, "is not a readable zip file"),
        (_cut_off, "is not a readable zip file"),
        (_wrong_bytes, "cannot be read"),
        (_no_track, "lies in no track"),
        (_empty_zip, "holds no crop"),
        (_locked, "cannot be read"),
        (_unknown_method, "cannot be read"),
    ],
)
def test_malformed_zip_gives_6(
    crops: Path, tmp_path: Path, vcn: Vcn, make: Callable[[Path, Path], None], words: str
) -> None:
    path = tmp_path / "set.zip"
    make(path, crops)
    outcome = vcn("cluster-tracks", path, "-o", tmp_path / "run", "-q")
    assert outcome.code == 6 and words in outcome.complaint


@pytest.mark.parametrize("seed", range(8))
def test_zip_with_wrong_bytes_never_escapes_as_another_error(
    crops: Path, tmp_path: Path, seed: int
) -> None:
    path = zipped(crops, tmp_path / "set.zip")
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in [*rng.integers(0, len(data), 4), *rng.integers(len(data) - 900, len(data), 8)]:
        data[place] = rng.integers(256)
    path.write_bytes(data)
    try:
        result = cluster_tracks(path, tmp_path / "run", QUICKLY)
    except DataError as error:
        assert error.exit_code == 6
    else:  # what was hit does not matter, such as a date
        assert 0 < len(result.films[0].crops) <= len(list(crops.rglob("*.jpg")))


def test_files_that_a_mac_adds_are_passed_over(crops: Path, tmp_path: Path) -> None:
    path = zipped(crops, tmp_path / "set.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/00000/._0000000.jpg", b"not a picture")
        archive.writestr("00000/.DS_Store", b"")
    assert len(cluster_tracks(path, tmp_path / "run", QUICKLY).cast) == 4


def test_list_of_shots_that_was_asked_for_must_be_one(crops: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("track_id,label\n0,x\n")
    with pytest.raises(DataError, match=r"mine\.csv .* lacks the columns track_id and shot"):
        cluster_tracks(crops, tmp_path / "run", QUICKLY, shots=tmp_path / "mine.csv")
    with pytest.raises(DataError, match=r"gone\.csv"):
        cluster_tracks(crops, tmp_path / "run", QUICKLY, shots=tmp_path / "gone.csv")


def test_command(crops: Path, tmp_path: Path, vcn: Vcn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (crops / "tracks.csv").write_text("track_id,label\n0,r\n1,b\n2,r\n3,b\n")
    outcome = vcn("cluster-tracks", zipped(crops, tmp_path / "set.zip"), *FLAGS)
    assert outcome.code == 0 and "Character 2" in outcome.out
    cast = json.loads(vcn("show", "set.vcn", "--json").out, parse_constant=pytest.fail)
    assert [c["tracks"] for c in cast] == [[0, 2], [1, 3]]
    scores = json.loads(vcn("score", "set.vcn", crops / "tracks.csv", "--json").out)
    assert scores["wcp"] == 1 and scores["found_share"] == 1


def test_models_are_loaded_once(crops: Path, tmp_path: Path, fake_models: FakeModels) -> None:
    cluster_tracks(crops, tmp_path / "run", QUICKLY)
    assert fake_models.loaded == ["backbone"]
