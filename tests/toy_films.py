"""Films of made-up embeddings, for methods that learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoclusternet.types import Embeddings
from videoclusternet_bench.methods.base import Clusterer, Given, Told
from videoclusternet_bench.methods.bcl import BclSettings, bcl
from videoclusternet_bench.methods.embedding_net import Descent, ward
from videoclusternet_bench.methods.jfac import JfacSettings, jfac
from videoclusternet_bench.methods.ssiam import SSiamSettings, ssiam
from videoclusternet_bench.methods.tsiam import TSiamSettings, tsiam
from videoclusternet_bench.metrics.scores import score

Array = NDArray[Any]
WIDTH = 32
PEOPLE = 6
QUICK = Descent(rate=1e-2)
SHORT: dict[str, Clusterer] = {
    "tsiam": tsiam(TSiamSettings(epochs=2, hidden=8)),
    "ssiam": ssiam(SSiamSettings(epochs=2, hidden=8)),
    "jfac": jfac(JfacSettings(rounds=1, epochs=1, hidden=8)),
    "bcl": bcl(BclSettings(steps=4, widths=(8, 4))),
}
NAMES = sorted(SHORT)


def given(x: Array, track: Sequence[int] | Array, apart: Sequence[tuple[int, int]] = ()) -> Given:
    """A film of these embeddings (C, d)."""
    tracks, crops = int(np.max(track)) + 1, len(track)
    embeddings = Embeddings(
        track=np.asarray(track),
        crop=np.arange(crops),
        base=x,
        quality=np.ones(crops),
        tracks=tracks,
        model="toy",
    )
    return Given(embeddings, np.array(apart, dtype=int).reshape(-1, 2), np.arange(tracks), Path())


def film(
    seed: int,
    crops: int = 4,
    each: int = 8,
    people: int = PEOPLE,
    axes: int = 3,
    by_crop: float = 0.0,
    by_track: float = 0.0,
) -> tuple[Given, Array]:
    """People who differ in most directions, and noise in a few that all films share."""
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDTH, WIDTH)))[0]
    rng = np.random.default_rng(seed)
    who = rng.permutation(np.repeat(np.arange(people), each))
    track = np.repeat(np.arange(len(who)), crops)
    centre = np.zeros((people, WIDTH))
    centre[:, axes:] = rng.normal(size=(people, WIDTH - axes))
    x = (centre / np.linalg.norm(centre, axis=1, keepdims=True))[who][track]
    x[:, :axes] += by_crop * rng.normal(size=(len(track), axes)) / axes**0.5
    x[:, :axes] += by_track * rng.normal(size=(len(who), axes))[track] / axes**0.5
    x += 0.1 * rng.normal(size=x.shape) / WIDTH**0.5
    apart = [(i, i + 1) for i in range(0, len(who) - 1, 2) if who[i] != who[i + 1]]
    return given(5 * x @ basis.T, track, apart), who


def told(name: str, clusters: int = PEOPLE) -> Told:
    if name != "bcl":
        return Told(clusters=clusters)
    return Told(others=tuple(film(seed, crops=2, each=3) for seed in (101, 102)))


def couples(a: Array, b: Array) -> set[tuple[int, int]]:
    return set(zip(a.tolist(), b.tolist(), strict=True))


def pairwise_f(truth: Array, found: Array) -> float:
    return score(truth, found).pairwise_f


def better(
    partition: Clusterer, least: float, crops: int = 4, by_crop: float = 0, by_track: float = 0
) -> None:
    """Compare with Ward's linkage of the embeddings as they are, on three films."""
    films = [film(seed, crops=crops, by_crop=by_crop, by_track=by_track) for seed in (1, 2, 4)]
    plain = [pairwise_f(who, ward(one.means, PEOPLE)) for one, who in films]
    ours = [pairwise_f(who, partition(one, Told(clusters=PEOPLE), 0)) for one, who in films]
    assert np.mean(ours) > np.mean(plain) + 0.05, (ours, plain)
    assert np.mean(ours) > least, (ours, plain)
