"""Films put end to end."""

from __future__ import annotations

import numpy as np

from tests import tables
from videoclusternet.types import Embeddings
from videoclusternet.types.pool import pool_embeddings, pool_tracks


def embeddings(track: list[int], crop: list[int], tracks: int, seed: int) -> Embeddings:
    rng = np.random.default_rng(seed)
    n = len(track)
    return Embeddings(
        track=np.array(track, dtype=int),
        crop=np.array(crop, dtype=int),
        base=rng.normal(size=(n, 4)),
        views=rng.normal(size=(n, 6, 4)),
        quality=rng.random(n),
        global_views=2,
        tracks=tracks,
        model="toy",
    )


def test_tracks_keep_their_faces_shots_and_films() -> None:
    films = [
        tables.tracks([(0, 0, 9), (1, 20, 29)], [[0, 2], [3]], film=0, flaw=[0, 1]),
        tables.tracks([], [], film=1),
        tables.tracks([(0, 5, 8)], [[1, 4, 5]], film=2),
    ]
    pooled = pool_tracks(films)
    assert len(pooled) == 3
    assert pooled.film.tolist() == [0, 0, 2]
    assert pooled.shot.tolist() == [0, 1, 0] and pooled.flaw.tolist() == [0, 1, 0]
    owned = [film.faces_of(t).tolist() for film in films for t in range(len(film))]
    assert [pooled.faces_of(t).tolist() for t in range(3)] == owned


def test_tracks_of_two_films_never_overlap() -> None:
    one = tables.tracks([(0, 0, 9), (0, 5, 12)], film=0)
    two = tables.tracks([(0, 0, 9)], film=1)
    assert pool_tracks([one, two]).overlapping().tolist() == [[0, 1]]


def test_embeddings_count_on_over_tracks_and_crops() -> None:
    # The first film has a track and two crops that were not embedded.
    films = [
        embeddings([0, 0, 2], [0, 2, 4], tracks=4, seed=0),
        embeddings([], [], tracks=1, seed=1),
        embeddings([0, 1], [0, 3], tracks=2, seed=2),
    ]
    pooled = pool_embeddings(films, [5, 0, 4])
    assert pooled.track.tolist() == [0, 0, 2, 5, 6]
    assert pooled.crop.tolist() == [0, 2, 4, 5, 8]
    assert pooled.tracks == 7 and pooled.global_views == 2 and pooled.model == "toy"
    assert np.array_equal(pooled.views, np.concatenate([f.views for f in films]))
    assert np.array_equal(pooled.quality[3:], films[2].quality)


def test_one_film_is_left_alone() -> None:
    tracks, described = tables.tracks([(0, 0, 9)]), embeddings([0], [0], 1, 0)
    assert pool_tracks([tracks]) is tracks
    assert pool_embeddings([described], [1]) is described
