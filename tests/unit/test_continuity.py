"""Where tracks break: jumps of the picture that begin no shot, faces that turn unlike."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests import tables
from videoclusternet.config import FaceConfig, QualityConfig, ShotConfig, TrackConfig
from videoclusternet.film.continuity import find_jumps, look_at, unbroken, unlikeness
from videoclusternet.film.scan import scan_film
from videoclusternet.film.shots import find_shots
from videoclusternet.film.tracks import track_faces
from videoclusternet.film.video import open_video
from videoclusternet.models.load import LazyDetector
from videoclusternet.types import Looks, Tracks

FPS = Fraction(24)


def jumps(score: np.ndarray, *edges: int) -> list[int]:
    shots = tables.shots(*(edges or (0, len(score))))
    return find_jumps(tables.scores(score), shots, FPS).tolist()


def test_a_lone_change_is_a_jump_and_motion_is_not() -> None:
    score = np.full(200, 2.0)
    score[60] = 13  # too little for a cut, far more than what is around it
    score[100:140] = 13  # the camera pans
    score[170] = 4.5  # a key frame of the coding
    assert jumps(score) == [60]


def test_a_flash_and_a_strobe_are_no_jumps() -> None:
    score = np.full(200, 1.0)
    score[50:52] = 60  # there and back
    score[100:160:3] = 30
    assert jumps(score) == []


def test_a_cut_that_was_too_near_another_is_a_jump() -> None:
    score = np.full(100, 1.0)
    score[[40, 44]] = 50, 26
    assert jumps(score, 0, 40, 100) == [44]
    assert jumps(score, 0, 40, 44, 100) == []


def test_nothing_jumps_in_a_film_without_frames() -> None:
    assert jumps(np.zeros(0), 0) == []


def mixed(shares: Sequence[float]) -> Looks:
    """Looks with this share of another face in them."""
    one, other = tables.looks([0, 1]).picture.astype(float)
    return Looks(np.array([(1 - share) * one + share * other for share in shares], dtype=np.uint8))


def test_a_track_breaks_at_jumps_and_where_faces_are_unlike() -> None:
    faces = tables.faces([(3 * i, 10, 10, 60, 70) for i in range(10)], 3)

    def pieces(shares: list[float], *at: int) -> list[int]:
        jumps = np.array(at, dtype=np.int64)
        found = unbroken(np.arange(10), faces, mixed(shares), jumps)
        assert np.concatenate(found).tolist() == [*range(10)]
        return [len(piece) for piece in found]

    assert pieces([0] * 10) == [10]
    turned = [0.0] * 4 + [0.3] * 6
    assert pieces(turned) == [10]
    assert pieces(turned, 12) == [4, 6]  # frame 12 is the new one
    assert pieces(turned, 10, 11) == [4, 6]
    assert pieces(turned, 13) == [10]
    assert pieces([0] * 10, 12) == [10]  # something else in the picture jumped
    assert pieces([0] * 7 + [1] * 3) == [7, 3]
    assert pieces([0] * 4 + [1] + [0] * 5) == [10]  # one face in a bad box
    assert pieces([0] * 9 + [1]) == [9, 1]


def test_unlikeness_is_a_share_of_chance() -> None:
    looks = tables.looks([0, 0, 1, 2])
    found = unlikeness(looks, np.array([0, 0, 2]), np.array([1, 2, 3]))
    assert found[0] == 0 and found[1:] == pytest.approx(1, abs=0.15)
    pixels = looks.picture.reshape(4, -1).astype(float)
    gini = [np.abs(p[:, None] - p[None]).mean() for p in pixels[[0, 2]]]
    assert found[1] == pytest.approx(np.abs(pixels[0] - pixels[2]).mean() / np.mean(gini))


def test_a_look_is_the_face_and_as_much_around_it() -> None:
    picture = np.zeros((120, 160, 3), np.uint8)
    cv2.rectangle(picture, (60, 40), (99, 79), (255, 255, 255), -1)
    # Boxes are in px of the display, here twice as large as the picture.
    faces = tables.faces([(0, 120, 80, 200, 160), (4, 0, 0, 80, 80)])
    looks = look_at(faces, {0: picture, 4: picture}, (320, 240)).picture
    assert looks[0, 5:11, 5:11].min() == 255 and looks[0, :3].max() == 0
    assert looks[1, :8].max() == 0  # at a border the square is cut off
    assert look_at(faces.take(slice(0)), {}, (320, 240)).picture.shape == (0, 16, 16)


def test_a_face_far_outside_the_picture_is_looked_at_anyway() -> None:
    faces = tables.faces([(0, -900, -900, -800, -800), (0, 900, 900, 990, 990)])
    assert look_at(faces, {0: np.full((60, 80, 3), 7, np.uint8)}, (80, 60)).picture.max() == 7


def follow(scores: list[float], kinds: list[int], least: int = 2) -> Tracks:
    """Follow one face that stands still."""
    frames = len(scores)
    return track_faces(
        tables.shots(0, frames),
        tables.faces([(i, 100, 100, 160, 170) for i in range(frames)]),
        tables.still(range(frames)),
        FPS,
        TrackConfig(min_faces=least),
        QualityConfig(),
        0,
        tables.scores(scores),
        tables.looks(kinds),
    )


def test_pieces_are_tracks_of_their_own_if_they_are_long_enough() -> None:
    found = follow([1.0] * 60, [0] * 30 + [1] * 30)
    assert found.first.tolist() == [0, 30] and found.last.tolist() == [29, 59]
    assert found.shot.tolist() == [0, 0] and len(found.overlapping()) == 0
    assert follow([1.0] * 60, [0] * 59 + [1]).last.tolist() == [58]
    assert follow([1.0] * 60, [0] * 59 + [1], least=1).last.tolist() == [58, 59]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("film", "labels", "threshold", "over"),
    [
        ("clips/friends.mp4", "clips/friends_shots.csv", 27.0, 0),
        # Nothing of the shot step is left: the check of the tracks alone.
        ("stitched_dev/movie.mp4", "stitched_dev/shots.csv", 1e4, 0),
    ],
)
def test_no_track_runs_over_a_labelled_cut(
    film: str, labels: str, threshold: float, over: int, shared_data: Path
) -> None:
    with open(shared_data / labels, encoding="utf-8") as stream:
        cuts = [int(row["start_frame"]) for row in csv.DictReader(stream)][1:]
    video = open_video(shared_data / film)
    scores, faces, motion, looks = scan_film(video, LazyDetector("mtcnn", "cpu"), FaceConfig())
    shots = find_shots(scores, ShotConfig(threshold=threshold), video.fps)
    rest = (motion, video.fps, TrackConfig(), QualityConfig(), 0)
    found = track_faces(shots, faces, *rest, scores, looks)
    shot_of = np.searchsorted(cuts, (found.first, found.last), side="right")
    assert (shot_of[0] != shot_of[1]).sum() == over and len(found) > 100
