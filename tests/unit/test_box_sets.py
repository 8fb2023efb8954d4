"""Boxes as the entrance: tracks as given, landmarks found or guessed, labels left outside."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests import tables
from tests.conftest import Vcn
from tests.drawn import FLAGS, QUICKLY, FakeModels, draw_film, snapshot, write_boxes
from videoclusternet import cluster_boxes, cluster_film
from videoclusternet.annotations.boxes import TRACKS
from videoclusternet.cli.demo_film import write_film
from videoclusternet.errors import ConfigError, DataError, StoreError
from videoclusternet.events import Event
from videoclusternet.film.video import Frame, open_video, read_frames
from videoclusternet.models.detectors.detector import Detections
from videoclusternet.result.result import Result, open_run
from videoclusternet.sources.given_boxes import GivenBoxes, given_faces, given_shots, given_tracks
from videoclusternet.sources.landmarks import TYPICAL, guess_landmarks, matched
from videoclusternet.types import Unread, VideoInfo
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.metrics.score_run import score_run

Array = NDArray[Any]
WHO = ("red", "blue", "red", "blue")


@pytest.fixture
def boxes(drawn_run: Path, fake_models: FakeModels, tmp_path: Path) -> Path:
    """The four tracks of the drawn film as labelled boxes."""
    return write_boxes(drawn_run, tmp_path / "boxes", WHO)


def relabelled(folder: Path, change: Callable[[dict[str, str]], object]) -> None:
    with (folder / TRACKS).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        change(row)
    with (folder / TRACKS).open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_the_boxes_of_a_run_give_its_cast_again(
    drawn_film: Path, drawn_run: Path, boxes: Path, tmp_path: Path
) -> None:
    again, before = cluster_boxes(drawn_film, boxes, tmp_path / "run", QUICKLY), open_run(drawn_run)
    assert again.cast.character.tolist() == before.cast.character.tolist() == [0, 1, 0, 1]
    assert again.films[0].track_names == ("t0", "t1", "t2", "t3")
    for name in ("first", "last", "start"):
        assert getattr(again.tracks, name).tolist() == getattr(before.tracks, name).tolist()
    assert again.tracks.overlapping().tolist() == before.tracks.overlapping().tolist() == [[2, 3]]
    ours, theirs = again.films[0].crops, before.films[0].crops
    assert ours.track.tolist() == theirs.track.tolist()
    assert ours.frame.tolist() == theirs.frame.tolist()
    # The detector sees the same faces, so they are cut out in the same way.
    assert ours.checksum.tolist() == theirs.checksum.tolist()


def whole(folder: Path) -> dict[str, object]:
    """Every file of a run, but for the time; of pictures crops.parquet has the checksums."""
    found: dict[str, object] = dict(snapshot(folder))
    found.pop("crops.zip")
    page = (folder / "cast.html").read_text("utf-8")  # names the run folder in a command
    found["cast.html"] = page.replace(f"review {folder.name}<", "review RUN<")
    manifest = json.loads((folder / "run.json").read_text())
    del manifest["sha256"]  # of the time too
    for step in manifest["steps"].values():
        step.pop("seconds")
    return {**found, "run.json": manifest}


def test_labels_change_nothing(drawn_film: Path, boxes: Path, tmp_path: Path) -> None:
    people = {"t0": "Ann", "t1": "Bob", "t2": "Bob", "t3": "Cat"}
    first = cluster_boxes(drawn_film, boxes, tmp_path / "run", QUICKLY)
    relabelled(boxes, lambda row: row.update(label=people[row["track_id"]]))
    other = cluster_boxes(drawn_film, boxes, tmp_path / "other", QUICKLY)
    assert whole(other.folder) == whole(first.folder)
    # Nor need there be any, or one for each track.
    lines = (boxes / TRACKS).read_text().splitlines()
    (boxes / TRACKS).write_text("\n".join(line.rpartition(",")[0] for line in lines))
    bare = cluster_boxes(drawn_film, boxes, tmp_path / "bare", QUICKLY)
    assert whole(bare.folder) == whole(first.folder)


def test_other_boxes_are_another_run(drawn_film: Path, boxes: Path, tmp_path: Path) -> None:
    run = cluster_boxes(drawn_film, boxes, tmp_path / "run", QUICKLY).folder
    events: list[Event] = []
    cluster_boxes(drawn_film, boxes, run, QUICKLY, events.append)
    assert {event.kind for event in events} == {"cached"}
    relabelled(boxes, lambda row: row.update(x=str(float(row["x"]) + 0.25)))
    with pytest.raises(StoreError, match="belongs to other films"):
        cluster_boxes(drawn_film, boxes, run, QUICKLY)


def test_the_detector_sees_only_frames_that_need_a_crop_and_each_once(
    drawn_film: Path, boxes: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    config = QUICKLY.model_copy(
        update={"faces": QUICKLY.faces.model_copy(update={"part": 20, "batch": 2})}
    )

    class Stop(Exception):
        pass

    def after_two_parts(event: Event) -> None:
        if event.step == "scan" and event.kind == "progress" and event.done >= 2:
            raise Stop

    with pytest.raises(Stop):
        cluster_boxes(drawn_film, boxes, tmp_path / "run", config, after_two_parts)
    result = cluster_boxes(drawn_film, boxes, tmp_path / "run", config)
    assert fake_models.detector.seen == len(set(result.films[0].crops.frame.tolist()))


def blinded(fake_models: FakeModels, frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the detector see nothing in the first pictures that it is given."""
    see = fake_models.detector.detect

    def detect(pictures: Sequence[Array]) -> list[Detections]:
        nonlocal frames
        found = see(pictures)
        for i in range(min(frames, len(found))):
            found[i] = Detections(
                *(getattr(found[i], n)[:0] for n in ("box", "landmarks", "score"))
            )
        frames -= len(pictures)
        return found

    monkeypatch.setattr(fake_models.detector, "detect", detect)


def run_noting(film: Path, boxes: Path, folder: Path) -> tuple[Result, list[str]]:
    events: list[Event] = []
    result = cluster_boxes(film, boxes, folder, QUICKLY, events.append)
    return result, [event.message for event in events if event.kind == "note"]


def test_faces_that_are_not_seen_get_the_landmarks_of_the_film(
    drawn_film: Path, boxes: Path, fake_models: FakeModels, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    plain, notes = run_noting(drawn_film, boxes, tmp_path / "plain")
    assert notes == []
    blinded(fake_models, 2, monkeypatch)
    result, notes = run_noting(drawn_film, boxes, tmp_path / "run")
    total = len(plain.films[0].crops)
    assert len(notes) == 1 and f"seen in 2 of {total} given boxes" in notes[0]
    assert len(result.films[0].crops) == total
    assert result.cast.character.tolist() == plain.cast.character.tolist()
    faces, before = result.films[0].faces, plain.films[0].faces
    assert faces is not None and before is not None
    guessed = np.flatnonzero(faces.score == 0)
    assert len(guessed) == 2
    # The discs all have their landmarks in one place, so the guess is right.
    assert np.allclose(faces.landmarks[guessed], before.landmarks[guessed], atol=1e-3)
    assert np.isnan(faces.landmarks[np.isnan(faces.score)]).all()


def test_a_blind_detector_leaves_the_usual_place(
    drawn_film: Path, boxes: Path, fake_models: FakeModels, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    blinded(fake_models, 10**6, monkeypatch)
    result, notes = run_noting(drawn_film, boxes, tmp_path / "run")
    crops, faces = result.films[0].crops, result.films[0].faces
    assert faces is not None and f"in {len(crops)} of {len(crops)} given boxes" in notes[0]
    corner, size = faces.box[crops.face, :2], faces.box[crops.face, 2:] - faces.box[crops.face, :2]
    place = (faces.landmarks[crops.face] - corner[:, None]) / size[:, None]
    assert np.allclose(place, TYPICAL, atol=1e-4)


def test_frames_that_cannot_be_decoded_give_no_picture(
    drawn_film: Path, boxes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = cluster_boxes(drawn_film, boxes, tmp_path / "full", QUICKLY).films[0].crops

    def all_but_frame_12(
        info: VideoInfo, frames: Array, on_damage: Callable[[Unread], None]
    ) -> Iterator[Frame]:
        on_damage(Unread.of_frames(info, [12]))
        return (frame for frame in read_frames(info, frames) if frame.number != 12)

    monkeypatch.setattr("videoclusternet.sources.landmarks.read_frames", all_but_frame_12)
    result, notes = run_noting(drawn_film, boxes, tmp_path / "run")
    assert notes == ["drawn.mp4: 1 of 72 frames could not be read, at 0:00:00"]
    assert result.films[0].crops.frame.tolist() == [f for f in full.frame.tolist() if f != 12]
    assert 12 in full.frame and len(result.tracks) == 4


def test_guesses_are_the_mean_of_what_was_seen() -> None:
    faces = tables.faces(
        [(0, 0, 0, 10, 10), (1, 10, 10, 30, 50), (2, 5, 5, 25, 25), (3, 0, 0, 9, 9)]
    )
    landmarks = faces.landmarks.copy()
    landmarks[0], landmarks[1] = 2, (14, 34)  # .2 .2, and .2 .6 of their boxes
    landmarks[2:] = np.nan
    seen = replace(faces, landmarks=landmarks, score=np.array([0.9, 0.8, 0, np.nan], np.float32))
    found, count = guess_landmarks(seen, [0, 2, 3])
    assert count == 1 and np.allclose(found.landmarks[2], (5 + 0.2 * 20, 5 + 0.4 * 20))
    assert np.array_equal(found.landmarks[[0, 1]], landmarks[[0, 1]])
    assert np.isnan(found.landmarks[3]).all()  # its frame was not decoded


def test_boxes_are_matched_best_first_and_once() -> None:
    given = np.array([[0, 0, 10, 10], [2, 0, 12, 10], [50, 0, 60, 10]], dtype=float)
    seen = np.array([[2, 0, 12, 10], [50, 0, 60, 19.9], [50, 0, 60, 20.1]], dtype=float)
    # The first box shares two thirds with the first seen one, which is the second's own.
    assert matched(given, seen) == [(1, 0), (2, 1)]
    assert matched(given[2:], seen[2:]) == []
    assert matched(given, seen[:0]) == matched(given[:0], seen) == []


def given(*rows: tuple[str, int, int, float]) -> GivenBoxes:
    """Boxes of 10 px at x in every frame of tracks from (name, first, last, x)."""
    track = np.concatenate([[t] * (b - a + 1) for t, (_, a, b, _) in enumerate(rows)])
    frame = np.concatenate([np.arange(a, b + 1) for _, a, b, _ in rows])
    x = np.array([row[3] for row in rows])[track]
    box = np.stack([x, 0 * x, 0 * x + 10, 0 * x + 10], axis=1)
    return GivenBoxes(
        tuple(row[0] for row in rows), track.astype(np.int32), frame.astype(np.int32), box
    )


def test_tracks_are_ordered_as_found_ones_are_and_meet_where_they_overlap() -> None:
    boxes = given(("z", 20, 29, 5), ("a", 0, 9, 50), ("m", 0, 4, 5), ("b", 9, 12, 5)).ordered()
    assert boxes.names == ("m", "a", "b", "z")
    shots = given_shots(boxes, 100)
    assert (shots.start.tolist(), shots.stop.tolist()) == ([0, 20], [20, 100])
    tracks = given_tracks(boxes, shots, 3)
    assert tracks.shot.tolist() == [0, 0, 0, 1] and tracks.film.tolist() == [3] * 4
    assert tracks.first.tolist() == [0, 0, 9, 20] and tracks.last.tolist() == [4, 9, 12, 29]
    assert tracks.overlapping().tolist() == [[0, 1], [1, 2]]
    faces = given_faces(boxes)
    for t, name in enumerate(boxes.names):
        rows = tracks.faces_of(t)
        assert faces.frame[rows].tolist() == boxes.frame[boxes.track == t].tolist()
        assert set(faces.box[rows, 0].tolist()) == {50.0 if name == "a" else 5.0}


def test_the_digest_tells_geometry_and_names_apart() -> None:
    one = given(("a", 0, 9, 50))
    others = [given(("b", 0, 9, 50)), given(("a", 1, 10, 50)), given(("a", 0, 9, 51))]
    assert len({one.digest, *(other.digest for other in others)}) == 4
    assert one.digest == given(("a", 0, 9, 50)).digest


def test_small_faces_give_way_but_a_small_track_is_described(
    drawn_film: Path, boxes: Path, tmp_path: Path
) -> None:
    def shrink(row: dict[str, str]) -> None:
        small = row["track_id"] == "t1" or (row["track_id"], row["frame"]) == ("t0", "0")
        if small:
            row.update(w="10", h="10")

    full = cluster_boxes(drawn_film, boxes, tmp_path / "full", QUICKLY).films[0].crops
    relabelled(boxes, shrink)
    result = cluster_boxes(drawn_film, boxes, tmp_path / "run", QUICKLY)
    crops = result.films[0].crops
    assert np.bincount(crops.track).tolist() == np.bincount(full.track).tolist()
    assert full.frame[full.track == 0][0] == 0 < crops.frame[crops.track == 0][0]
    assert not result.tracks.flaw.any()


def test_several_films_share_a_cast(drawn_film: Path, boxes: Path, tmp_path: Path) -> None:
    other = draw_film(tmp_path / "other.mp4")
    result = cluster_boxes([drawn_film, other], [boxes, boxes], tmp_path / "run", QUICKLY)
    assert result.tracks.film.tolist() == [0] * 4 + [1] * 4
    assert result.cast.character.tolist() == [0, 1, 0, 1] * 2
    assert [film.track_names for film in result.films] == [("t0", "t1", "t2", "t3")] * 2
    with pytest.raises(ConfigError, match="1 sets of boxes for 2 films"):
        cluster_boxes([drawn_film, other], boxes, tmp_path / "none", QUICKLY)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"frame": "72"}, r"line 2: frame 72 is outside the film"),
        ({"x": "190"}, "line 2: the box 190"),
        ({"frame": "6"}, "line 3: track t0 has two boxes in frame 6"),
    ],
)
def test_boxes_of_another_film_are_refused(
    change: dict[str, str], says: str, drawn_film: Path, boxes: Path, tmp_path: Path
) -> None:
    (boxes / "dataset.json").unlink()  # the film itself says all that is needed
    changes = [change]
    relabelled(boxes, lambda row: row.update(changes.pop() if changes else {}))
    with pytest.raises(DataError, match=says):
        cluster_boxes(drawn_film, boxes, tmp_path / "run", QUICKLY)
    assert not (tmp_path / "run").exists()


def test_command(
    drawn_film: Path, boxes: Path, vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = vcn("cluster-tracks", boxes, "--film", drawn_film, *FLAGS)
    assert done.code == 0 and "Character 2" in done.out
    assert (tmp_path / "drawn.vcn" / "cast.html").exists()
    scored = vcn("score", "drawn.vcn", boxes, "--json")
    assert scored.code == 0 and json.loads(scored.out)["bcubed_f"] == 1
    refused = vcn("cluster-tracks", boxes, "--film", drawn_film, "--shots", boxes / TRACKS)
    assert refused.code == 2 and "--shots" in refused.complaint


def check_again(film: Path, before: Result, boxes: Path, folder: Path) -> None:
    """Cluster the boxes of a run with the same networks: the same pictures, the same cast."""
    again = cluster_boxes(film, boxes, folder)
    ours, theirs = again.films[0].crops, before.films[0].crops
    kept = set(zip(theirs.track.tolist(), theirs.frame.tolist(), strict=True))
    same = set(zip(ours.track.tolist(), ours.frame.tolist(), strict=True))
    # Blurred faces give way only where every face was looked at.
    assert len(kept & same) >= 0.95 * len(kept) and len(same) <= 1.05 * len(kept)
    assert again.tracks.overlapping().tolist() == before.tracks.overlapping().tolist()
    faces = again.films[0].faces
    assert faces is not None and np.isnan(faces.score).any() and (faces.score != 0).all()
    # Given boxes have no scores to weigh pictures by, and are not judged.
    assert score_run(again, boxes)["bcubed_f"] >= score_run(before, boxes)["bcubed_f"] - 0.06


@pytest.mark.slow
def test_the_demo_film_by_its_boxes(demo_run: Result, tmp_path: Path) -> None:
    who = [f"person {character}" for character in demo_run.cast.character]
    boxes = write_boxes(demo_run.folder, tmp_path / "boxes", who)
    check_again(demo_run.folder.parent / "demo.mp4", demo_run, boxes, tmp_path / "run")


@pytest.mark.slow
def test_part_of_a_real_film_by_its_boxes(shared_data: Path, tmp_path: Path) -> None:
    whole_film = open_video(shared_data / "stitched_dev" / "movie.mp4")
    pictures = (f.picture(640, 360) for f in read_frames(whole_film, np.arange(900)))
    write_film(tmp_path / "part.mp4", pictures, 24)
    before = cluster_film(tmp_path / "part.mp4", tmp_path / "found")
    known = read_truth(shared_data / "stitched_dev", before).label
    assert sum(name is not None for name in known) >= 12
    boxes = write_boxes(before.folder, tmp_path / "boxes", [name or "nobody" for name in known])
    check_again(tmp_path / "part.mp4", before, boxes, tmp_path / "run")
