"""What all tables can do: none, some, and several end to end; films put end to end."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from tests import tables
from videoclusternet.types import Embeddings, Faces, Motion, Shots, Tracks, Views


def embeddings(track: list[int], crop: list[int], tracks: int, seed: int) -> Embeddings:
    rng = np.random.default_rng(seed)
    n = len(track)
    return Embeddings(
        track=np.array(track, dtype=int),
        crop=np.array(crop, dtype=int),
        base=rng.normal(size=(n, 4)),
        quality=rng.random(n),
        tracks=tracks,
        model="toy",
    )


THREE = tables.tracks([(0, 0, 9), (1, 20, 29), (2, 40, 41)], [[0, 2], [], [3, 4, 7]])


def test_tracks_keep_their_faces_shots_and_films() -> None:
    films = [
        tables.tracks([(0, 0, 9), (1, 20, 29)], [[0, 2], [3]], film=0, flaw=[0, 1]),
        tables.tracks([], [], film=1),
        tables.tracks([(0, 5, 8)], [[1, 4, 5]], film=2),
    ]
    pooled = Tracks.concatenate(films)
    assert len(pooled) == 3
    assert pooled.film.tolist() == [0, 0, 2]
    assert pooled.shot.tolist() == [0, 1, 0] and pooled.flaw.tolist() == [0, 1, 0]
    owned = [film.faces_of(t).tolist() for film in films for t in range(len(film))]
    assert [pooled.faces_of(t).tolist() for t in range(3)] == owned


def test_tracks_of_two_films_never_overlap() -> None:
    one = tables.tracks([(0, 0, 9), (0, 5, 12)], film=0)
    two = tables.tracks([(0, 0, 9)], film=1)
    assert Tracks.concatenate([one, two]).overlapping().tolist() == [[0, 1]]


def test_embeddings_count_on_over_tracks_and_crops() -> None:
    # The first film has a track and two crops that were not embedded.
    films = [
        embeddings([0, 0, 2], [0, 2, 4], tracks=4, seed=0),
        embeddings([], [], tracks=1, seed=1),
        embeddings([0, 1], [0, 3], tracks=2, seed=2),
    ]
    pooled = Embeddings.of_films(films, [5, 0, 4])
    assert pooled.track.tolist() == [0, 0, 2, 5, 6]
    assert pooled.crop.tolist() == [0, 2, 4, 5, 8]
    assert pooled.tracks == 7 and pooled.model == "toy"
    assert np.array_equal(pooled.quality[3:], films[2].quality)


def test_one_film_is_left_alone() -> None:
    tracks, described = tables.tracks([(0, 0, 9)]), embeddings([0], [0], 1, 0)
    assert Tracks.concatenate([tracks]) is tracks
    assert Embeddings.of_films([described], [1]) is described


def test_tables_of_other_metadata_cannot_be_one() -> None:
    one = embeddings([0], [0], 1, 0)
    with pytest.raises(ValueError, match="different metadata"):
        Embeddings.concatenate([one, replace(one, model="other")])


@pytest.mark.parametrize("rows", [[2, 0], [], slice(1, 3), np.array([True, False, True])], ids=str)
def test_some_rows_of_tracks_keep_their_faces(rows: object) -> None:
    chosen = np.arange(3)[rows]
    found = THREE.take(rows)  # type: ignore[arg-type]
    assert found.shot.tolist() == THREE.shot[chosen].tolist()
    owned = [THREE.faces_of(t).tolist() for t in chosen]
    assert [found.faces_of(t).tolist() for t in range(len(found))] == owned


def test_taken_apart_and_put_together_again() -> None:
    parts = [THREE.take([0]), THREE.take([]), THREE.take(slice(1, None))]
    assert Tracks.concatenate(parts).digest == THREE.digest
    faces = tables.faces([(0, 1, 2, 50, 60), (1, 2, 3, 51, 61), (4, 0, 0, 9, 9)])
    assert Faces.concatenate([faces.take([0]), faces.take([1, 2])]).digest == faces.digest


def test_nothing_has_the_shape_of_something() -> None:
    assert Tracks.empty().start.tolist() == [0] and len(Tracks.empty()) == 0
    assert Faces.empty(stride=3).landmarks.shape == (0, 5, 2) and Faces.empty(stride=3).stride == 3
    assert Motion.empty().matrix.shape == (0, 2, 3) and len(Shots.empty()) == 0
    assert Views.empty({"V": 6, "d": 4}, globals=2).base.shape == (0, 6, 4)
    faces = tables.faces([(0, 1, 2, 50, 60)])
    assert Faces.concatenate([Faces.empty(stride=1), faces]).digest == faces.digest


def test_a_table_from_another_process_is_checked_and_read_only() -> None:
    again = pickle.loads(pickle.dumps(THREE))
    assert again.digest == THREE.digest and not again.face.flags.writeable
