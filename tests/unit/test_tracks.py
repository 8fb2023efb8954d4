"""Following faces inside shots."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from tests import tables
from videoclusternet.config import QualityConfig, TrackConfig
from videoclusternet.engine.work import Work
from videoclusternet.film.quality import flaws, track_flaw
from videoclusternet.film.tracks import track_faces
from videoclusternet.types import Faces, Motion, Reason, Shots, Tracks

Row = tuple[int, float, float, float, float]


def at(frame: int, x: float, y: float = 100.0, size: float = 60.0) -> Row:
    """A face in a frame."""
    return (frame, x, y, x + size, y + 1.2 * size)


def follow(
    rows: Sequence[Row],
    edges: Sequence[int],
    config: TrackConfig | None = None,
    motion: Motion | None = None,
    score: float | Sequence[float] = 0.99,
    stride: int = 1,
) -> tuple[Tracks, Faces]:
    faces = tables.faces(sorted(rows), stride, score)
    found = track_faces(
        tables.shots(*edges),
        faces,
        motion or tables.still(range(0, edges[-1], stride)),
        Fraction(24),
        config or TrackConfig(),
        QualityConfig(),
    )
    return found, faces


def test_one_face_is_one_track() -> None:
    found, faces = follow([at(i, 100 + i) for i in range(20)], (0, 20))
    assert len(found) == 1
    assert (found.shot[0], found.first[0], found.last[0]) == (0, 0, 19)
    assert found.faces_of(0).tolist() == list(range(len(faces)))


def test_no_track_crosses_a_cut() -> None:
    # The same place before and after: only the cut tells them apart.
    found, faces = follow([at(i, 100) for i in range(60)], (0, 20, 40, 60))
    assert found.shot.tolist() == [0, 1, 2]
    assert found.first.tolist() == [0, 20, 40] and found.last.tolist() == [19, 39, 59]
    edges = tables.shots(0, 20, 40, 60)
    for t in range(len(found)):
        assert set(edges.at(faces.frame[found.faces_of(t)])) == {found.shot[t]}


def test_two_faces_that_cross_keep_their_ways() -> None:
    rows = [at(i, 50 + 5 * i, 100) for i in range(60)] + [
        at(i, 350 - 5 * i, 125) for i in range(60)
    ]
    found, faces = follow(rows, (0, 60))
    assert len(found) == 2
    ways = [faces.box[found.faces_of(t), 0] for t in range(2)]
    assert np.array_equal(ways[0], 50 + 5 * np.arange(60))
    assert np.array_equal(ways[1], 350 - 5 * np.arange(60))


def test_two_faces_that_stand_apart_are_ordered_from_left_to_right() -> None:
    rows = [at(i, x) for i in range(10) for x in (300, 40, 170)]
    found, faces = follow(rows, (0, 10))
    assert [faces.box[found.faces_of(t)[0], 0] for t in range(3)] == [40, 170, 300]


def test_a_track_is_the_same_whatever_was_tracked_before() -> None:
    shot = [at(i, 100 + 3 * i) for i in range(10)] + [at(i, 300) for i in range(3, 10)]
    alone, _ = follow(shot, (0, 10))
    # The same shot after a busy one: the tracker's own counter has gone on.
    busy = [at(i, 10 + 100 * k) for i in range(10) for k in range(5)]
    after, _ = follow([*busy, *((f + 10, *box) for f, *box in shot)], (0, 10, 20))
    again, _ = follow(shot, (0, 10))
    assert again.digest == alone.digest
    later = [t for t in range(len(after)) if after.shot[t] == 1]
    assert len(later) == len(alone) == 2
    for mine, other in zip(range(2), later, strict=True):
        assert np.array_equal(alone.faces_of(mine) + len(busy), after.faces_of(other))
        assert after.first[other] == alone.first[mine] + 10


def test_camera_motion_keeps_a_face_in_a_pan() -> None:
    rows = [at(i, 600 - 45 * i) for i in range(12)]
    matrix = np.tile(np.eye(2, 3), (12, 1, 1))
    matrix[1:, 0, 2] = -45
    pan = Motion(np.arange(12), matrix)
    followed, _ = follow(rows, (0, 12), motion=pan)
    assert len(followed) == 1 and len(followed.face) == 12
    # What the camera does before a cut says nothing about the first frame after it.
    lost, _ = follow(rows, (0, 12), motion=tables.still(range(12)))
    ignored, _ = follow(rows, (0, 12), TrackConfig(camera_motion=False), motion=pan)
    assert len(lost.face) < 12 and ignored.digest == lost.digest


def test_motion_across_a_cut_is_not_applied() -> None:
    rows = [at(i, 100) for i in range(20)]
    matrix = np.tile(np.eye(2, 3), (20, 1, 1))
    matrix[10, 0, 2] = 300
    found, _ = follow(rows, (0, 10, 20), motion=Motion(np.arange(20), matrix))
    assert np.diff(found.start).tolist() == [10, 10]


@pytest.mark.parametrize(("least", "want"), [(1, [5, 3, 2]), (2, [5, 3, 2]), (3, [5, 3]), (6, [])])
def test_min_faces_counts_detections(least: int, want: list[int]) -> None:
    rows = [at(i, x) for x, n in ((40, 5), (170, 3), (300, 2)) for i in range(n)]
    found, _ = follow(rows, (0, 10), TrackConfig(min_faces=least))
    assert np.diff(found.start).tolist() == want


def test_a_track_inside_a_shot_begins_where_its_face_is_first_seen() -> None:
    early = [at(i, 100) for i in range(20)]
    late = [at(i, 300) for i in range(8, 11)]
    found, _ = follow([*early, *late], (0, 20))
    assert found.first.tolist() == [0, 8] and np.diff(found.start).tolist() == [20, 3]
    twice, _ = follow([*early, *late[:2]], (0, 20))
    assert np.diff(twice.start).tolist() == [20, 2]


def test_a_single_sighting_elsewhere_is_not_taken_for_the_beginning() -> None:
    rows = [*(at(i, 100) for i in range(20)), at(7, 220), *(at(i, 320) for i in range(8, 12))]
    found, _ = follow(rows, (0, 20))
    assert found.first.tolist() == [0, 8]


def test_a_short_gap_is_bridged_and_a_long_one_is_not() -> None:
    for gap, tracks in ((10, 1), (60, 2)):
        rows = [at(i, 100) for i in (*range(10), *range(10 + gap, 20 + gap))]
        found, _ = follow(rows, (0, 20 + gap))
        assert len(found) == tracks


@pytest.mark.parametrize(("away", "tracks"), [(21, 1), (33, 2)])
@pytest.mark.parametrize("stride", [1, 3])
def test_buffer_is_counted_in_time_not_in_detections(stride: int, away: int, tracks: int) -> None:
    # 30 frames of a film of 30 a second are one second: 24 frames of this film.
    seen = [i for i in range(0, 90, stride) if i < 30 or i >= 30 + away]
    found, _ = follow([at(i, 100) for i in seen], (0, 90), stride=stride)
    assert len(found) == tracks


def test_a_stride_leaves_frames_out() -> None:
    found, _ = follow([at(i, 100) for i in range(0, 40, 4)], (0, 40), stride=4)
    assert (found.first[0], found.last[0], len(found.face)) == (0, 36, 10)


def test_doubtful_faces_go_on_with_a_track_but_start_none() -> None:
    rows = [at(i, 100) for i in range(10)]
    assert len(follow(rows, (0, 10), score=0.5)[0]) == 0
    found, _ = follow(rows, (0, 10), score=[0.9] * 5 + [0.4] * 5)
    assert np.diff(found.start).tolist() == [10]


def test_no_face_no_track() -> None:
    found, _ = follow([], (0, 10))
    assert len(found) == 0 and found.start.tolist() == [0]
    none = Shots(np.empty(0), np.empty(0))
    faces = tables.faces([])
    empty = track_faces(none, faces, tables.still([]), Fraction(24), TrackConfig(), QualityConfig())
    assert len(empty) == 0


def test_flaw_is_that_of_most_faces_and_film_is_noted() -> None:
    rows = [at(i, 40) for i in range(6)] + [at(i, 300, size=11) for i in range(6)]
    faces = tables.faces(sorted(rows))
    found = track_faces(
        tables.shots(0, 6),
        faces,
        tables.still(range(6)),
        Fraction(24),
        TrackConfig(),
        QualityConfig(),
        film=3,
    )
    assert found.flaw.tolist() == [Reason.OK, Reason.SMALL]
    assert found.film.tolist() == [3, 3]
    flaw = flaws(faces, QualityConfig())
    assert [track_flaw(flaw[found.faces_of(t)]) for t in range(2)] == found.flaw.tolist()


def test_progress_is_told_in_shots() -> None:
    told: list[tuple[int, int]] = []
    track_faces(
        tables.shots(0, 5, 9),
        tables.faces([]),
        tables.still(range(9)),
        Fraction(24),
        TrackConfig(),
        QualityConfig(),
        work=Work(lambda done, total: told.append((done, total))),
    )
    assert told == [(1, 2), (2, 2)]
