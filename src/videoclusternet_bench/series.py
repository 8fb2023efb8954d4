"""A series of two episodes, cut from one labelled film: who of the first is found again.

A film is cut into alternating thirds of its shots, of which two are episodes; tracks without shots
into two halves by chance.  The first is clustered; its characters get the names of those whom most
of their tracks show, as a person would name them, but for a third of the people, whom nobody
names.  Its sure tracks go through the library's own choice of exemplars.  The second is then
clustered beside these people.  Labels name and judge; no step sees them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from videoclusternet.clustering.distance import normalise, weighted_mean
from videoclusternet.clustering.find_cast import find_known_cast
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.config import Config
from videoclusternet.errors import DataError
from videoclusternet.library.adding.choose import Pool, choose
from videoclusternet.library.adding.offered import SURE, Offered, offered
from videoclusternet.result.result import Result, open_run
from videoclusternet.runfolder.steps import recorded_settings
from videoclusternet.types import Cast, CropWeights, Embeddings, Tracks, Views
from videoclusternet.types.arrays import Array, Bools, Float32, Int64
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.metrics.scores import score

Named = Array
"""Whom each track shows, object (T,); empty for nobody."""


class Counts(NamedTuple):
    """What became of the labelled tracks of second episodes.

    Attributes
    ----------
    known, strangers : int
        Tracks of people who are in the library, and of others.
    right, wrong : int
        Of the known, those with the right name; of the strangers, those with any.
    other : int
        Of the known, those with somebody else's name.
    nearest_right, nearest_wrong : int
        Likewise by the nearest exemplar, under the threshold that is best for these labels.
    """

    known: int
    strangers: int
    right: int
    wrong: int
    other: int
    nearest_right: int
    nearest_wrong: int


@dataclass(frozen=True)
class Series:
    """All second episodes of one run.

    Attributes
    ----------
    counts : Counts
        Summed up.
    alone, beside : tuple of float
        B-cubed F of each second episode without and with the library.
    sure, so : float
        Mean confidence of the names that were given, and the share of them that is right.
    """

    counts: Counts
    alone: tuple[float, ...]
    beside: tuple[float, ...]
    sure: float
    so: float


class Episode(NamedTuple):
    """Some tracks of a run, as tables of their own."""

    tracks: Tracks
    embeddings: Embeddings
    views: Views
    weights: CropWeights


def over_runs(
    pairs: Sequence[tuple[Path, Path]], seeds: int, progress: Callable[[int, int], None]
) -> list[tuple[Path, Series]]:
    """Measure series of some runs, each with its truth."""
    found = []
    for number, (run, truth) in enumerate(pairs):
        progress(number, len(pairs))
        found.append((run, series(open_run(run), truth, seeds)))
    progress(len(pairs), len(pairs))
    return found


def series(result: Result, truth: Path | Sequence[Path], seeds: int) -> Series:
    """Cut a run into two episodes, some times, and find the people of the first in the second.

    Parameters
    ----------
    result : Result
        A finished run.
    truth : path or sequence of paths
        As for ``vcn score``.
    seeds : int

    Raises
    ------
    DataError
        When nobody is left to be known.
    """
    label = np.array([one or "" for one in read_truth(truth, result).label], dtype=object)
    every = [_once(result, label, seed) for seed in range(seeds)]
    counts, alone, beside, told = zip(*every, strict=True)
    total = Counts(*np.sum(counts, axis=0).tolist())
    if not total.known:
        raise DataError(f"{result.folder}: nobody is in both episodes", "take a longer film")
    sure, so = np.concatenate(told).T if any(map(len, told)) else np.zeros((2, 1))
    return Series(total, alone, beside, float(sure.mean()), float(so.mean()))


def _once(result: Result, label: Named, seed: int) -> tuple[Counts, float, float, Array]:
    first, second = episodes(result, seed)
    config = recorded_settings(result.folder, Config)
    cast = _cast(part(result, first), config, None)[0]
    people = gallery(result, first, cast, named(cast, label[first], seed))
    here, mine = part(result, second), label[second]
    alone, _ = _cast(here, config, None)
    beside, names = _cast(here, config, people)
    name, sure = names
    known = np.isin(mine, people.names) & (mine != "")
    strange = (mine != "") & ~known
    right = known & (name == mine)
    found = (name != "") & (mine != "")
    counts = Counts(
        int(known.sum()),
        int(strange.sum()),
        int(right.sum()),
        int((strange & (name != "")).sum()),
        int((known & (name != "") & ~right).sum()),
        *_nearest(here, people, mine, known, strange),
    )
    told = np.stack([sure[found], (name == mine)[found]], axis=1).astype(np.float64)
    return counts, _f(mine, alone), _f(mine, beside), told


def episodes(result: Result, seed: int) -> tuple[Int64, Int64]:
    """Draw the tracks of two episodes: two thirds of the shots in turn, else halves by chance."""
    shots = result.tracks.shot
    if all(film.shots is not None for film in result.films):
        first, step = seed % 3, 1 + seed // 3 % 2
        return np.flatnonzero(shots % 3 == first), np.flatnonzero(shots % 3 == (first + step) % 3)
    order = np.random.default_rng(seed).permutation(len(shots))
    one, other = np.array_split(order, 2)
    return np.sort(one), np.sort(other)


def part(result: Result, keep: Int64) -> Episode:
    """Return the tables of some tracks, ascending, as if there were no others."""
    made, seen = result.embeddings, result.views
    rows = np.flatnonzero(np.isin(made.track, keep))
    own = np.isin(seen.row, rows)
    return Episode(
        result.tracks.take(keep),
        Embeddings(
            track=np.searchsorted(keep, made.track[rows]).astype(np.int32),
            crop=made.crop[rows],
            base=made.base[rows],
            quality=made.quality[rows],
            tracks=len(keep),
            model=made.model,
        ),
        Views(seen.base[own], np.searchsorted(rows, seen.row[own]).astype(np.int32), seen.globals),
        CropWeights(result.weights.weight[rows]),
    )


def _cast(
    episode: Episode, config: Config, people: Gallery | None
) -> tuple[Cast, tuple[Named, Float32]]:
    """Cluster an episode; whom each track shows by the library, and how surely."""
    settings = (config.cluster, config.track_quality, config.seed)
    cast, _, _, suggested = find_known_cast(*episode, *settings, people)
    name, sure = np.full(len(episode.tracks), "", dtype=object), np.zeros(len(episode.tracks))
    called = dict(zip(people.people, people.names, strict=True)) if people else {}
    for character, how, person in zip(
        suggested.character, suggested.sure, suggested.people, strict=True
    ):
        name[cast.character == character] = called[person]
        sure[cast.character == character] = how
    return cast, (name, sure.astype(np.float32))


def named(cast: Cast, label: Named, seed: int) -> Named:
    """Name the tracks of an episode as a person would, but for a third of the people."""
    people = sorted({*label.tolist()} - {""})
    rng = np.random.default_rng(seed)
    hidden = {*rng.choice(people, len(people) // 3, replace=False).tolist()}
    name = np.full(len(label), "", dtype=object)
    for character in range(int(cast.character.max(initial=-1)) + 1):
        tracks = np.flatnonzero(cast.character == character)
        count = Counter(one for one in label[tracks].tolist() if one)
        who = min(count, key=lambda one: (-count[one], one)) if count else ""
        name[tracks] = "" if who in hidden else who
    return name


def gallery(result: Result, tracks: Int64, cast: Cast, name: Named) -> Gallery:
    """Take the sure tracks of named characters into a library, as ``vcn library add`` does."""
    sure: Bools = (name != "") & (cast.confidence >= SURE) & (cast.character >= 0)
    every = offered(result, tracks[sure])
    whose = name[sure]
    people = sorted({*whose.tolist()})
    parts = [every.take(whose == one) for one in people]
    looks = [choose(_pool(one)) for one in parts]
    kept = [one.take(look >= 0) for one, look in zip(parts, looks, strict=True)]
    return Gallery(
        person=np.repeat(np.arange(len(people)), [len(one) for one in kept]),
        look=np.concatenate([np.empty(0, int), *(look[look >= 0] for look in looks)]),
        mean=np.concatenate([every.mean[:0], *(one.mean for one in kept)]),
        length=np.concatenate([every.length[:0], *(one.length for one in kept)]),
        threshold=np.concatenate([every.threshold[:0], *(one.threshold for one in kept)]),
        people=tuple(people),
        names=tuple(people),
        films=(1,) * len(people),
        weights=result.embeddings.model,
    )


def _pool(some: Offered) -> Pool:
    return Pool(some.mean, some.threshold, some.worth, some.hand)


def _nearest(
    episode: Episode, people: Gallery, label: Named, known: Bools, strange: Bools
) -> tuple[int, int]:
    """Name tracks by the nearest exemplar, under the threshold that these labels like best."""
    made = episode.embeddings
    unit = normalise(made.base)
    mean = weighted_mean(unit, episode.weights.weight, made.track, made.tracks)
    if not len(people):
        return 0, 0
    cosine = normalise(np.nan_to_num(mean)) @ normalise(people.mean.astype(np.float32)).T
    near, whom = cosine.max(axis=1), np.array(people.names, dtype=object)[people.person]
    good = known & (whom[cosine.argmax(axis=1)] == label)
    each = [((good & (near >= t)).sum(), (strange & (near >= t)).sum()) for t in np.unique(near)]
    best = max(each, key=lambda one: one[0] / max(known.sum(), 1) - one[1] / max(strange.sum(), 1))
    return int(best[0]), int(best[1])


def _f(label: Named, cast: Cast) -> float:
    told = label != ""
    return score(label[told].tolist(), cast.character[told]).bcubed_f
