"""Data sets of one's own: out of a run, out of boxes, out of labels and features."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.conftest import Vcn
from tests.drawn import FLAGS, QUICKLY, FakeModels, snapshot
from videoclusternet import cluster_film, cluster_tracks, open_run
from videoclusternet.annotations.box_forms import read_boxes
from videoclusternet.sources.features import checked, read_features, write_features
from videoclusternet_bench.methods.registry import METHODS

HEADER = "CVHCI_TRACKLABELS_V1"
EMBEDDED = tuple(m.name for m in METHODS.values() if m.sees == "embeddings" and m.name != "finch")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return pq.read_table(folder / "results.parquet").to_pylist()


# --- from-run --------------------------------------------------------------------------


def test_a_run_becomes_a_set_that_all_commands_take(
    vcn: Vcn, drawn_run: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    out = tmp_path / "own"
    outcome = vcn("dataset", "from-run", drawn_run, out)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{out}: 4 tracks, 2 people, ") and "left out" not in outcome.out
    files = ["dataset.json", "labels.csv", "run.zip", "run_tracks.csv", "tracks.csv"]
    assert sorted(p.name for p in out.iterdir()) == files
    # The ids are those that `vcn show --json` prints.
    shown = {t: c["name"] for c in json.loads(vcn("show", drawn_run, "--json").out)
             for t in c["tracks"]}  # fmt: skip
    for name in ("labels.csv", "run_tracks.csv", "tracks.csv"):
        rows = table(out / name)
        assert {int(row["track_id"]): row["label"] for row in rows} == shown, name
    said = vcn("dataset", "check", out)
    assert said.code == 0 and said.out.count("tracks             4\n") == 1
    assert "aligned crops (zip)" in said.out and "CSV (tracks.csv and dataset.json)" in said.out
    scores = json.loads(vcn("score", drawn_run, out, "--json").out)
    assert scores["bcubed_f"] == 1 and scores["found_share"] == 1 and scores["false_tracks"] == 0
    assert vcn("bench", out, "-o", tmp_path / "b", "--methods", "instant,hac").code == 0
    assert {row["tracks"] for row in rows_of(tmp_path / "b")} == {4}


def test_the_set_gives_the_pixels_embeddings_and_partition_of_the_run(
    vcn: Vcn, drawn_run: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    assert vcn("dataset", "from-run", drawn_run, tmp_path / "own").code == 0
    again = cluster_tracks(tmp_path / "own/run.zip", tmp_path / "again.vcn", QUICKLY)
    first = open_run(drawn_run)
    rows = range(len(first.films[0].crops))
    assert (again.pictures.pixels(rows) == first.pictures.pixels(rows)).all()
    assert again.views.digest == first.views.digest
    for name in ("track", "base", "quality"):
        found, wanted = getattr(again.embeddings, name), getattr(first.embeddings, name)
        assert np.array_equal(found, wanted), name
    for name in ("shot", "first", "last"):
        assert np.array_equal(getattr(again.tracks, name), getattr(first.tracks, name)), name
    assert np.array_equal(again.tracks.overlapping(), first.tracks.overlapping())
    assert np.array_equal(again.cast.character, first.cast.character)
    # And once more: a run over crops becomes the same set of crops.
    assert vcn("dataset", "from-run", tmp_path / "again.vcn", tmp_path / "twice").code == 0
    one, two = (snapshot(tmp_path / name) for name in ("own", "twice"))
    assert two["again.zip"] == one["run.zip"]
    assert two["again_tracks.csv"] == one["run_tracks.csv"]
    assert vcn("score", tmp_path / "again.vcn", tmp_path / "twice").code == 0


def test_a_person_corrects_labels_and_writes_again(
    vcn: Vcn, drawn_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "own"
    assert vcn("dataset", "from-run", drawn_run, out).code == 0
    labels = out / "labels.csv"
    rows = table(labels)
    assert rows[0] == {
        "track_id": "0", "label": "Character 1", "film": "drawn",
        "start": "0:00:00", "stop": "0:00:01",
    }  # fmt: skip
    names = ["Red", "Blue", "", "Blue"]
    lines = [f"{row['track_id']},{name}" for row, name in zip(rows, names, strict=True)]
    labels.write_text("\n".join(["track_id,label", *lines]) + "\n")
    outcome = vcn("dataset", "from-run", drawn_run, out)
    assert outcome.code == 5 and "is not empty" in outcome.complaint  # nobody's work is lost
    outcome = vcn("dataset", "from-run", drawn_run, out, "--labels", labels)
    assert outcome.out.startswith(f"{out}: 3 tracks, 2 people, ")
    assert outcome.out.endswith("left out: 1 tracks without a label\n")
    listed = {row["track_id"]: row["label"] for row in table(out / "run_tracks.csv")}
    assert listed == {"0": "Red", "1": "Blue", "3": "Blue"}
    assert [row["label"] for row in table(labels)] == names
    assert set(read_boxes(out / "tracks.csv").tracks) == {"0", "1", "3"}
    # Tracks that the file does not list keep what the run says.
    (tmp_path / "some.csv").write_text("label,track_id\nRed,0\n")
    outcome = vcn("dataset", "from-run", drawn_run, tmp_path / "b", "--labels",
                  tmp_path / "some.csv")  # fmt: skip
    assert "4 tracks, 3 people" in outcome.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("track_id,label\n4,Ann\n", "line 2: the run has tracks 0 to 3, not 4"),
        ("track_id,label\n1,Ann\n1,Bob\n", "line 3: track 1 appears twice"),
        ("track_id,label\nx,Ann\n", "line 2: track_id is 'x'"),
        ("track_id,name\n1,Ann\n", "no column 'label'"),
        ("track_id,label\n0,\n1,\n2,\n3,\n", "no track with a label"),
    ],
)
def test_wrong_labels_are_refused(
    vcn: Vcn, drawn_run: Path, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "labels.csv").write_text(text)
    out = tmp_path / "own"
    outcome = vcn("dataset", "from-run", drawn_run, out, "--labels", tmp_path / "labels.csv")
    assert outcome.code == 6 and words in outcome.complaint
    assert not out.exists()


def test_unknown_tracks_are_left_out_and_counted(
    vcn: Vcn, drawn_film: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    config = QUICKLY.model_copy(
        update={"quality": QUICKLY.quality.model_copy(update={"min_size": 4000.0})}
    )
    run = cluster_film(drawn_film, tmp_path / "small.vcn", config).folder
    outcome = vcn("dataset", "from-run", run, tmp_path / "own")
    assert outcome.code == 6 and "has no track with a label" in outcome.complaint
    (tmp_path / "labels.csv").write_text("track_id,label\n2,Ann\n")
    outcome = vcn("dataset", "from-run", run, tmp_path / "own", "--labels", tmp_path / "labels.csv")
    assert outcome.out.splitlines()[1:] == ["left out: 3 tracks without a label"]


def test_several_films_have_a_folder_each(
    vcn: Vcn, drawn_film: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    other = shutil.copy(drawn_film, tmp_path / "other.mp4")
    with open(other, "ab") as stream:
        stream.write(b"\0")
    run = cluster_film([drawn_film, other], tmp_path / "series.vcn", QUICKLY).folder
    out = tmp_path / "own"
    assert vcn("dataset", "from-run", run, out).out.startswith(f"{out}: 8 tracks, 2 people")
    assert sorted(p.name for p in out.iterdir()) == ["drawn", "labels.csv", "other"]
    assert [row["track_id"] for row in table(out / "other/other_tracks.csv")] == list("4567")
    assert [row["film"] for row in table(out / "labels.csv")] == ["drawn"] * 4 + ["other"] * 4
    said = vcn("dataset", "check", out)
    assert said.code == 0 and said.out.count("aligned crops (zip)") == 2
    done = vcn("bench", out, "-o", tmp_path / "b", "--methods", "hac", "--combine", "series")
    assert done.code == 0 and rows_of(tmp_path / "b")[0]["tracks"] == 8


# --- export to crops -------------------------------------------------------------------


def test_boxes_become_crops_of_their_film(
    vcn: Vcn, drawn_run: Path, drawn_film: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    assert vcn("dataset", "from-run", drawn_run, tmp_path / "own").code == 0
    out, boxes = tmp_path / "crops", tmp_path / "own/tracks.csv"
    refused = vcn("dataset", "export", boxes, out, "--form", "crops")
    assert refused.code == 2 and "give it with --film" in refused.complaint
    done = vcn("dataset", "export", boxes, out, "--form", "crops", "--film", drawn_film, "-q")
    assert done.code == 0 and done.out.startswith(f"{out}: 4 tracks, 2 people, ")
    assert sorted(p.name for p in out.iterdir()) == ["drawn.zip", "drawn_tracks.csv"]
    assert {r["track_id"]: r["label"] for r in table(out / "drawn_tracks.csv")} == {
        r["track_id"]: r["label"] for r in table(tmp_path / "own/run_tracks.csv")
    }
    run = tmp_path / "again.vcn"
    assert vcn("cluster-tracks", out / "drawn.zip", "-o", run, "-q", *FLAGS).code == 0
    scores = json.loads(vcn("score", run, out / "drawn_tracks.csv", "--json").out)
    assert scores["bcubed_f"] == 1 and scores["found"] == 4
    wrong = vcn("dataset", "export", boxes, tmp_path / "x", "--form", "coco")
    assert wrong.code == 2 and "no form 'coco'" in wrong.complaint


# --- features in the bench -------------------------------------------------------------


def features(folder: Path, name: str, seed: int = 0, crops: int = 6, people: int = 3) -> Path:
    """Features of tracks of people who are far apart, with labels beside them."""
    rng = np.random.default_rng(seed)
    person = np.arange(6 * people) % people
    track = np.repeat(np.arange(len(person)) * 3 + 5, crops)
    # Axes, not chance: every film has the same people, and they are surely apart.
    middle = np.eye(16)[:people][np.repeat(person, crops)]
    values = middle + 0.05 * rng.normal(size=(len(track), 16))
    frame = np.tile(np.arange(crops), len(person)) + np.repeat(np.arange(len(person)) * 100, crops)
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.npz"
    write_features(path, checked("x", values, track, frame, "net-16"))
    lines = [f"{5 + 3 * i},p{p}" for i, p in enumerate(person)]
    (folder / f"{name}_tracks.csv").write_text("\n".join(["track_id,label", *lines]) + "\n")
    return path


def test_features_are_benched_by_methods_that_need_no_more(vcn: Vcn, tmp_path: Path) -> None:
    features(tmp_path / "sets", "ep1")
    out = tmp_path / "b"
    outcome = vcn("bench", tmp_path / "sets", "-o", out, "--methods", "fast,vcn")
    assert outcome.code == 0
    assert "ep1: without vcn, as features have no pictures" in outcome.err
    rows = rows_of(out)
    assert {row["backbone"] for row in rows} == {"net-16"}
    assert "vcn" not in {row["method"] for row in rows} and len(rows) >= 6
    found = {row["method"]: row["bcubed_f"] for row in rows}
    assert found["hac-oracle"] == found["hac-count"] == found["instant"] == 1
    shown = vcn("show", out / "runs/ep1-net-16-0")
    assert shown.code == 0 and shown.out.count("Character") == 3
    alone = vcn("bench", tmp_path / "sets", "-o", tmp_path / "c", "--methods", "paper,vcn")
    assert alone.code == 6 and "features have no" in alone.complaint


@pytest.mark.slow
def test_all_methods_that_see_embeddings_run_on_features(vcn: Vcn, tmp_path: Path) -> None:
    for seed in range(2):
        features(tmp_path / "sets", f"ep{seed}", seed)
    out = tmp_path / "b"
    done = vcn("bench", tmp_path / "sets", "-o", out, "--methods", ",".join(EMBEDDED), "-q")
    assert done.code == 0, done.err
    rows = rows_of(out)
    assert {row["method"] for row in rows} == set(EMBEDDED) and len(rows) == 2 * len(EMBEDDED)


def test_features_stand_beside_crops(vcn: Vcn, labelled: Path, tmp_path: Path) -> None:
    features(tmp_path / "more", "ep1")
    out = tmp_path / "b"
    methods = "instant,hac,hac-count"
    done = vcn("bench", labelled, tmp_path / "more", "-o", out, "--methods", methods, "-q")
    assert done.code == 0, done.err
    found = {(row["set"], row["method"]) for row in rows_of(out)}
    assert found == {(name, method) for name in ("discs", "ep1") for method in methods.split(",")}


def test_a_list_keeps_features_of_one_shot_apart(vcn: Vcn, tmp_path: Path) -> None:
    path = features(tmp_path / "sets", "ep1", people=2)
    features_of = read_features(path)
    listing = tmp_path / "sets/ep1_tracks.csv"
    rows = table(listing)
    together = [f"{r['track_id']},{i // 2},{i // 2 * 9},{i // 2 * 9 + 5},{r['label']}"
                for i, r in enumerate(rows)]  # fmt: skip
    header = "track_id,shot,first_frame,last_frame,label"
    listing.write_text("\n".join([header, *together]) + "\n")
    write_features(path, checked("x", features_of.features, features_of.track))
    done = vcn("bench", path, "-o", tmp_path / "b", "--methods", "hac", "-q")
    assert done.code == 0, done.err
    result = open_run(tmp_path / "b/runs/ep1-features-0")
    assert result.tracks.overlapping().tolist() == [[2 * i, 2 * i + 1] for i in range(6)]


def test_check_says_what_features_hold(vcn: Vcn, tmp_path: Path) -> None:
    path = features(tmp_path / "sets", "ep1")
    said = vcn("dataset", "check", path)
    assert said.code == 0, said.err
    for line in ("model     net-16", "tracks    18", "people    3", "features  108 of 16 values"):
        assert line in said.out


# --- join ------------------------------------------------------------------------------


@pytest.fixture
def ids(tmp_path: Path) -> Path:
    path = tmp_path / "show_s01e01.ids"
    lines = ("5 ann", "8 bob", "11 ann2", "14 unknown_e01_1", "17 bob", "99 ann")
    path.write_text("\n".join((HEADER, *lines)) + "\n")
    return path


def test_labels_and_features_are_joined_by_number(vcn: Vcn, ids: Path, tmp_path: Path) -> None:
    data = features(tmp_path / "data", "whatever")
    out = tmp_path / "out"
    outcome = vcn("dataset", "join", ids, data, out, "--alias", "ann2=ann")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        f"{out}: features of 4 tracks, 2 people",
        "left out: 1 tracks of people without a name",
        "left out: 13 tracks without a label: 20, 23, 26, 29, 32 and 8 more",
        "left out: 1 labels without a track: 99",
    ]
    labels = {row["track_id"]: row["label"] for row in table(out / "show_s01e01_tracks.csv")}
    assert labels == {"5": "ann", "8": "bob", "11": "ann", "17": "bob"}
    joined, given = read_features(out / "show_s01e01.npz"), read_features(data)
    assert joined.model == "net-16" and joined.names == ["5", "8", "11", "17"]
    assert (joined.features == given.features[np.isin(given.track, [5, 8, 11, 17])]).all()
    again = vcn("dataset", "join", ids, data, out)
    assert again.code == 5 and "is there already" in again.complaint
    everyone = vcn("dataset", "join", ids, data, tmp_path / "all", "--labels", "all")
    assert everyone.out.startswith(f"{tmp_path / 'all'}: features of 5 tracks, 4 people")
    strict = vcn("dataset", "join", ids, data, tmp_path / "s", "--strict")
    assert strict.code == 6 and "has no label for track 20" in strict.complaint
    assert "has no track 99" in strict.complaint and not (tmp_path / "s").exists()
    assert vcn("bench", out, "-o", tmp_path / "b", "--methods", "hac", "-q").code == 0


def test_a_folder_with_a_file_of_features_for_each_track(
    vcn: Vcn, ids: Path, tmp_path: Path
) -> None:
    data = tmp_path / "features" / "show_s01e01"
    data.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for track in (5, 8, 11, 17):
        np.save(data / f"{track}.npy", rng.normal(size=(3, 4)).astype(np.float32))
    outcome = vcn("dataset", "join", ids, data, tmp_path / "out", "--model", "senet50-256")
    assert outcome.out.startswith(f"{tmp_path / 'out'}: features of 4 tracks")
    found = read_features(tmp_path / "out/show_s01e01.npz")
    assert (
        found.model == "senet50-256"
        and found.track.tolist()
        == [5] * 3
        + [8] * 3
        + [
            11,
        ]
        * 3
        + [17] * 3
    )
    assert (found.features[3:6] == np.load(data / "8.npy")).all()


def test_labels_and_crops_are_joined_byte_by_byte(
    vcn: Vcn, drawn_run: Path, ids: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    assert vcn("dataset", "from-run", drawn_run, tmp_path / "own").code == 0
    data = tmp_path / "crops"
    shutil.unpack_archive(tmp_path / "own/run.zip", data)
    for old, new in (("0", "track_5"), ("1", "track_8"), ("2", "track_11"), ("3", "track_17")):
        (data / old).rename(data / new)
    outcome = vcn("dataset", "join", ids, data, tmp_path / "out")
    assert outcome.out.splitlines()[0] == f"{tmp_path / 'out'}: crops of 4 tracks, 3 people"
    again = cluster_tracks(tmp_path / "out/show_s01e01.zip", tmp_path / "again.vcn", QUICKLY)
    assert again.films[0].track_names == ("5", "8", "11", "17")
    checksum = open_run(drawn_run).films[0].crops.checksum
    assert (again.films[0].crops.checksum == checksum).all()


def test_labels_and_boxes_are_joined(vcn: Vcn, ids: Path, tmp_path: Path) -> None:
    data = tmp_path / "boxes"
    data.mkdir()
    (data / "tracks.csv").write_text(
        "track_id,frame,x,y,w,h\n8,0,1,2,30,40\n8,1,1,2,30,40\n14,0,9,9,5,5\n5,3,1,1,9,9\n"
    )
    facts = {"video": "e.mp4", "fps": 25, "width": 64, "height": 48}
    (data / "dataset.json").write_text(json.dumps(facts))
    outcome = vcn("dataset", "join", ids, data, tmp_path / "out")
    assert outcome.out.startswith(f"{tmp_path / 'out'}: boxes of 2 tracks, 2 people")
    found = read_boxes(tmp_path / "out")
    assert (found.tracks, found.labels) == (("5", "8"), ("ann", "bob"))
    assert found.track.tolist() == [0, 1, 1] and found.box[1].tolist() == [1, 2, 30, 40]


def test_what_cannot_be_joined(vcn: Vcn, ids: Path, tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04.")
    np.save(tmp_path / "a.npy", np.zeros((3, 4)))
    np.savez(tmp_path / "odd.npz", features=np.zeros((3, 4)), track=np.zeros(2, int))
    np.savez(tmp_path / "objects.npz", features=np.array([{}, {}]), track=np.zeros(2, int))
    np.savez(tmp_path / "other.npz", features=np.ones((2, 4)), track=np.array([1, 2]))
    for name, words in (
        ("a.pkl", "is a pickle, which can run any code"),
        ("a.npy", "does not say which track"),
        ("odd.npz", "not one whole number for each"),
        ("objects.npz", "holds Python objects (a pickle)"),
        ("other.npz", "no track in common"),
        ("none.npz", "no such file"),
    ):
        outcome = vcn("dataset", "join", ids, tmp_path / name, tmp_path / "out")
        assert outcome.code == 6 and words in outcome.complaint, outcome.err
    outcome = vcn("dataset", "join", ids, tmp_path / "other.npz", tmp_path, "--alias", "eve=ann")
    assert outcome.code == 2 and "alias of eve" in outcome.complaint
    assert not (tmp_path / "out").exists()


@pytest.mark.data
def test_real_labels_with_random_features(vcn: Vcn, shared_data: Path, tmp_path: Path) -> None:
    labels = shared_data / "ids" / "bbt_s01e01.ids"
    if not labels.exists():
        pytest.skip("the label files are not beside this checkout")
    numbers = np.array([int(line.split()[0]) for line in labels.read_text().splitlines()[1:]])
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2 * len(numbers), 8)).astype(np.float32)
    np.savez(tmp_path / "f.npz", features=values, track=np.repeat(numbers, 2))
    outcome = vcn("dataset", "join", labels, tmp_path / "f.npz", tmp_path / "out", "--strict")
    assert outcome.out.startswith(f"{tmp_path / 'out'}: features of 647 tracks")
    done = vcn("bench", tmp_path / "out", "-o", tmp_path / "b", "--methods", "hac-count", "-q")
    assert done.code == 0 and rows_of(tmp_path / "b")[0]["tracks"] == 647


def test_variants_need_pictures(vcn: Vcn, tmp_path: Path) -> None:
    path = features(tmp_path / "sets", "ep1")
    outcome = vcn("ablate", path, "-o", tmp_path / "study", "--studies", "profiles")
    assert outcome.code == 6 and "ep1 holds features, and variants look" in outcome.complaint


def test_features_may_be_called_as_a_backbone_is(vcn: Vcn, labelled: Path, tmp_path: Path) -> None:
    path = features(tmp_path / "more", "ep1")
    one = read_features(path)
    write_features(path, checked("x", one.features, one.track, one.frame, "dlib"))
    out = tmp_path / "b"
    done = vcn("bench", labelled, path, "-o", out, "--methods", "instant,hac-count", "-q")
    assert done.code == 0, done.err
    text = (out / "report.md").read_text(encoding="utf-8")
    table = text[text.index("All sets, dlib") : text.index("## discs")]
    assert "HAC, true count" in table and "ours, instant" in table
