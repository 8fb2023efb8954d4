"""The tables: invariants, read-only arrays, content hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from tests import tables
from videoclusternet.types import (
    Candidates,
    Crops,
    Embeddings,
    Faces,
    FrameScores,
    Merges,
    Motion,
    Shots,
    Table,
    Tracks,
    Transitions,
)


def examples() -> dict[str, Table]:
    """One table of each kind."""
    rng = np.random.default_rng(0)
    return {
        "video": tables.video(5, rate="24000/1001"),
        "shots": tables.shots(0, 3, 5),
        "scores": FrameScores(rng.random((5, 3)), rng.random((5, 3))),
        "looks": tables.looks([0, 1, 1]),
        "transitions": Transitions(rng.random(5)),
        "motion": tables.still(range(3)),
        "faces": tables.faces([(0, 1, 2, 50, 60), (1, 2, 3, 51, 61)]),
        "tracks": tables.tracks([(0, 0, 1), (1, 3, 4)], [[0, 1], [2]]),
        "crops": tables.crops([0, 0, 1], 2),
        "embeddings": Embeddings(
            track=np.array([0, 1]),
            crop=np.array([0, 2]),
            base=rng.random((2, 4)),
            quality=rng.random(2),
            tracks=3,
            model="toy",
        ),
        "views": tables.views_of_every(rng.random((2, 6, 4)), 2),
        "cast": tables.cast([0, -1, 1]),
        "merges": Merges(*(np.arange(1, 3) for _ in range(5))),
        "candidates": Candidates(np.ones(2), np.ones(2), np.ones(2), ("a", "b")),
    }


NAMES = list(examples())


def changed(table: Table, name: str) -> Table:
    """The same table with the last value of one column a little larger."""
    array = getattr(table, name).copy()
    array.flat[-1] += 1
    return replace(table, **{name: array})


@pytest.mark.parametrize("name", NAMES)
def test_columns_have_their_types_and_cannot_be_written(name: str) -> None:
    table = examples()[name]
    for column, (dtype, shape) in table.COLUMNS.items():
        array = getattr(table, column)
        assert array.dtype == np.dtype(dtype) and array.ndim == len(shape)
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        with pytest.raises(FrozenInstanceError):
            setattr(table, column, array)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_a_table_does_not_share_memory_with_what_it_was_given(dtype: Any) -> None:
    given = np.zeros(5, dtype=dtype)
    table = Transitions(given)
    before = table.digest
    given[2] = 1
    assert table.score.tolist() == [0] * 5 and table.digest == before


def test_arrays_of_an_equal_type_or_a_subclass_are_copied_too() -> None:
    for given in (np.zeros(3, np.longlong), np.ma.masked_array(np.zeros(3, np.int64))):
        table = tables.video(3)
        table = replace(table, pts=given + np.arange(3))
        rising = given + np.arange(3)
        table = replace(table, pts=rising)
        rising[0] = -7
        assert table.pts.tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", NAMES)
def test_build_undoes_arrays_and_meta(name: str) -> None:
    table = examples()[name]
    again = type(table).build(table.arrays(), table.meta())
    assert again.digest == table.digest
    assert {*table.arrays(), *table.meta()} == set(vars(table)) - {"digest"}  # worked out once


@pytest.mark.parametrize(
    "name", ["scores", "looks", "motion", "faces", "embeddings", "merges", "candidates"]
)
def test_digest_tells_every_column_apart(name: str) -> None:
    # In the other tables a single changed value breaks an invariant: see the next test.
    table = examples()[name]
    found = {table.digest, *(changed(table, column).digest for column in table.COLUMNS)}
    assert len(found) == len(table.COLUMNS) + 1


def test_digest_changes_with_content_metadata_kind_and_shape() -> None:
    base = tables.tracks([(0, 0, 1), (1, 3, 4)], [[0, 1], [2]])
    others: list[Table] = [
        tables.tracks([(0, 0, 2), (1, 3, 4)], [[0, 1], [2]]),
        tables.tracks([(0, 0, 1), (1, 3, 4)], [[0], [1, 2]]),
        tables.tracks([(0, 0, 1), (1, 3, 4)], [[0, 1], [3]]),
        tables.tracks([(0, 0, 1), (1, 3, 4)], [[0, 1], [2]], film=1),
        tables.tracks([(0, 0, 1), (1, 3, 4)], [[0, 1], [2]], flaw=[0, 2]),
        tables.shots(0, 3, 5),
        tables.shots(0, 4, 5),
        tables.cast([0, 1]),
        tables.cast([1, 0]),
        tables.cast([0, -1]),
        replace(tables.cast([0, 1]), chosen="other"),
        replace(tables.crops([0, 0], 1), tracks=2),
        tables.crops([0, 0], 1),
        tables.faces([]),
        replace(tables.faces([]), stride=2),
    ]
    assert len({base.digest, *(t.digest for t in others)}) == len(others) + 1
    assert tables.tracks([(0, 0, 1), (1, 3, 4)], [[0, 1], [2]]).digest == base.digest


def test_digest_of_a_film_is_its_content_not_its_path() -> None:
    video = tables.video(5)
    assert replace(video, path="/elsewhere/film.mp4").digest == video.digest
    assert replace(video, content="1" * 64).digest != video.digest
    assert replace(video, rate="25").digest != video.digest


def rows(n: int, **more: Any) -> dict[str, Any]:
    return {name: np.arange(n) for name in ("frame", "score", "sharpness")} | {
        "box": np.zeros((n, 4)),
        "landmarks": np.zeros((n, 5, 2)),
        **more,
    }


def owned(**more: Any) -> dict[str, Any]:
    """Two tracks, as arguments."""
    pair = dict.fromkeys(("film", "shot", "first", "last", "flaw"), np.array([0, 0]))
    return {**pair, "start": np.array([0, 1, 2]), "face": np.array([0, 1]), **more}


def cut(**more: Any) -> dict[str, Any]:
    three = dict.fromkeys(("frame", "face", "checksum"), np.zeros(3))
    return {**three, "track": np.array([0, 0, 1]), "tracks": 2, **more}


BROKEN: list[tuple[type[Table], Mapping[str, Any], str]] = [
    (Transitions, {"score": np.zeros((2, 2))}, "Transitions.score: 2 axes"),
    (Motion, {"frame": np.zeros(2), "matrix": np.zeros((3, 2, 3))}, "axis K is 3, elsewhere 2"),
    (Motion, {"frame": np.zeros(2), "matrix": np.zeros((2, 3, 3))}, "axis of length 3, not 2"),
    (Shots, {"start": [0, 5], "stop": [5]}, "axis S is 1, elsewhere 2"),
    (Shots, {"start": [1, 5], "stop": [5, 9]}, "cover the film"),
    (Shots, {"start": [0, 6], "stop": [5, 9]}, "cover the film"),
    (Shots, {"start": [0, 4], "stop": [5, 9]}, "cover the film"),
    (Shots, {"start": [0, 5], "stop": [5, 5]}, "cover the film"),
    (Faces, rows(2, frame=[1, 0]), "sorted by frame"),
    (Faces, rows(2, box=np.zeros((2, 5))), "Faces.box: axis of length 5, not 4"),
    (Faces, rows(2, landmarks=np.zeros((3, 5, 2))), "Faces.landmarks: axis N is 3"),
    (Tracks, owned(start=[0, 1]), "Tracks.start: axis T is 1"),
    (Tracks, owned(start=[]), "Tracks.start: axis T is -1"),
    (Tracks, owned(start=[1, 1, 2]), "must rise from 0"),
    (Tracks, owned(start=[0, 1, 3]), "to the number of faces"),
    (Tracks, owned(start=[0, 3, 2]), "must rise from 0"),
    (Tracks, owned(first=[0, 5], last=[0, 4]), "last must not lie before first"),
    (Crops, cut(track=[0, 1, 0]), "sorted by track"),
    (Crops, cut(track=[0, 1, 2]), "out of range"),
    (Crops, cut(track=[-1, 0, 1]), "out of range"),
    (
        Candidates,
        {"stability": [1], "characters": [1], "scale": [1], "names": ("a", "b")},
        "needs a name",
    ),
]


@pytest.mark.parametrize(
    ("kind", "values", "says"), BROKEN, ids=[f"{k.__name__}-{s}" for k, _, s in BROKEN]
)
def test_a_broken_invariant_is_refused(
    kind: type[Table], values: Mapping[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        kind(**values)


@pytest.mark.parametrize(("character", "reason"), [([0, -1], [0, 0]), ([0, 1], [0, 1])])
def test_unknown_and_reason_go_together(character: list[int], reason: list[int]) -> None:
    with pytest.raises(ValueError, match="must go together"):
        replace(tables.cast([0, 1]), character=character, reason=reason)


@pytest.mark.parametrize("pts", [[0, 1, 1], [3, 2, 1]])
def test_time_stamps_rise(pts: list[int]) -> None:
    with pytest.raises(ValueError, match="rise strictly"):
        replace(tables.video(3), pts=pts)


def test_embeddings_agree_in_length() -> None:
    table = examples()["embeddings"]
    assert isinstance(table, Embeddings)
    with pytest.raises(ValueError, match="axis C is 3, elsewhere 2"):
        replace(table, base=np.zeros((3, 4)))


def test_seconds_go_by_time_stamps() -> None:
    pts = np.array([852, 892, 972, 1500])
    video = replace(tables.video(4, "25"), base="1/1000", pts=pts, end=1540)
    assert [video.seconds(i) for i in range(5)] == pytest.approx([0.852, 0.892, 0.972, 1.5, 1.54])
    np.testing.assert_allclose(video.times, [0.852, 0.892, 0.972, 1.5])
    assert tables.video(0).seconds(0) == pytest.approx(1 / 24)


def test_decoding_begins_at_the_last_key_frame_shown_before() -> None:
    video = replace(tables.video(6), key=np.array([0, 1, 0, 0, 1, 0], bool))
    assert [video.entry(n) for n in range(6)] == [-1, 1, 1, 1, 4, 4]


def test_film_that_ends_before_its_last_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="end must come after"):
        replace(tables.video(4), end=3)


def test_shot_of_a_frame() -> None:
    shots = tables.shots(0, 3, 5, 9)
    assert shots.at(np.arange(9)).tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2]


def slow_overlapping(tracks: Tracks) -> list[list[int]]:
    pairs = []
    for a in range(len(tracks)):
        for b in range(a + 1, len(tracks)):
            together = tracks.film[a] == tracks.film[b] and tracks.shot[a] == tracks.shot[b]
            frames = set(range(tracks.first[a], tracks.last[a] + 1))
            if together and frames & set(range(tracks.first[b], tracks.last[b] + 1)):
                pairs.append([a, b])
    return pairs


@pytest.mark.parametrize("seed", range(8))
def test_overlapping_equals_the_slow_version(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 40, 30)
    spans = np.stack([rng.integers(0, 3, 30), first, first + rng.integers(0, 12, 30)], axis=1)
    tracks = tables.tracks(spans.tolist(), film=rng.integers(0, 2, 30).tolist())
    want = slow_overlapping(tracks)
    assert tracks.overlapping().tolist() == want and len(want) > 5


def test_tracks_that_share_one_frame_overlap_and_neighbours_do_not() -> None:
    assert tables.tracks([(0, 0, 5), (0, 5, 9)]).overlapping().tolist() == [[0, 1]]
    assert tables.tracks([(0, 0, 5), (0, 6, 9)]).overlapping().shape == (0, 2)
    assert tables.tracks([]).overlapping().shape == (0, 2)


def test_lengths() -> None:
    made = examples()
    assert [len(made[n]) for n in ("shots", "faces", "tracks", "crops", "cast", "merges")] == [  # type: ignore[arg-type]
        2,
        2,
        2,
        3,
        3,
        2,
    ]
    assert tables.cast([0, -1, 4]).characters == 2 and tables.cast([-1]).characters == 0
