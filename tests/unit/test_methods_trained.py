"""Methods that learn by gradient descent: what holds for all four."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.toy_films import (
    NAMES,
    QUICK,
    SHORT,
    WIDTH,
    better,
    film,
    given,
    pairwise_f,
    told,
)
from videoclusternet_bench.methods.base import Method, Told
from videoclusternet_bench.methods.bcl import BCL
from videoclusternet_bench.methods.jfac import JFAC
from videoclusternet_bench.methods.ssiam import SSIAM, SSiamSettings, ssiam
from videoclusternet_bench.methods.tsiam import TSIAM, TSiamSettings, tsiam

Array = NDArray[Any]


@pytest.mark.parametrize("method", [TSIAM, SSIAM, JFAC, BCL], ids=lambda m: m.name)
def test_what_they_declare(method: Method) -> None:
    assert method.trains and method.threshold is None and method.source
    assert method.needs == ("other films" if method is BCL else "clusters")


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_tells_all_and_nothing_else_changes(name: str) -> None:
    tracks, who = film(1, crops=3, by_crop=0.5)
    before = [tracks.embeddings.digest, tracks.apart.copy(), tracks.crops.copy()]
    others = told(name).others
    known = [label.copy() for _, label in others]
    torch_state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1]
    found = SHORT[name](tracks, told(name), 7)
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert tracks.embeddings.digest == before[0]
    assert np.array_equal(tracks.apart, before[1]) and np.array_equal(tracks.crops, before[2])
    assert all(np.array_equal(a, b) for (_, a), b in zip(others, known, strict=True))
    assert found.shape == (tracks.tracks,) and found.dtype.kind == "i" and found.min() >= 0
    torch.rand(3)  # whatever the state of others
    assert np.array_equal(found, SHORT[name](tracks, told(name), 7))
    # The labels of the film itself are nothing to them.
    asked = Told(clusters=told(name).clusters, labels=who, others=others)
    assert np.array_equal(found, SHORT[name](tracks, asked, 7))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("clusters", [1, 2, 5])
@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize("tracks", [1, 2, 3, 4])
def test_small_films(name: str, tracks: int, crops: int, clusters: int) -> None:
    x = np.random.default_rng(tracks).normal(size=(tracks * crops, WIDTH))
    for apart in ([], [(0, 1)] if tracks > 1 else []):
        one = given(x, np.repeat(np.arange(tracks), crops), apart)
        found = SHORT[name](one, told(name, clusters), 0)
        assert found.shape == (tracks,) and found.dtype.kind == "i"
        if name != "bcl":
            assert len(np.unique(found)) == min(clusters, tracks)


@pytest.mark.parametrize("name", NAMES)
def test_tracks_that_are_all_equal(name: str) -> None:
    one = given(np.ones((10, WIDTH)), np.repeat(np.arange(5), 2), [(0, 1)])
    assert SHORT[name](one, told(name, 3), 0).shape == (5,)


@pytest.mark.parametrize("name", ["tsiam", "ssiam", "jfac"])
def test_they_find_people_who_are_easy_to_tell_apart(name: str) -> None:
    tracks, who = film(3, by_crop=0.3)
    assert pairwise_f(who, SHORT[name](tracks, told(name), 0)) == 1


def test_tsiam_learns_what_varies_within_tracks() -> None:
    settings = TSiamSettings(epochs=50, hidden=32, descent=QUICK)
    better(tsiam(settings), 0.9, by_crop=3.0, crops=6)


def test_ssiam_learns_from_neighbours() -> None:
    settings = SSiamSettings(epochs=150, hidden=32, descent=QUICK)
    better(ssiam(settings), 0.7, by_crop=1.0, by_track=1.0)
