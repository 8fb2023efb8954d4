"""What pictures are made of: a partition of the tracks of a run, beside their people.

Read from a finished bench, or from one run and its truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.clustering.distance import group_mean, normalise
from videoclusternet.clustering.reading import Reading
from videoclusternet.errors import ConfigError, DataError
from videoclusternet.outside.files import exists, is_file, is_folder, read_json
from videoclusternet.result.result import Result, open_run
from videoclusternet.runfolder.manifest import MANIFEST
from videoclusternet.types import Embeddings
from videoclusternet.types.arrays import Float32, Ints
from videoclusternet_bench.adapted_runs import round_of
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.methods.ours import folder_of, profile_of
from videoclusternet_bench.methods.registry import title_of
from videoclusternet_bench.pictures.matched import Matched, matched
from videoclusternet_bench.runner import Row, kept_of, run_of
from videoclusternet_bench.tables.comparison import read_comparison

RUN = "run"
"""Stands for the method where one run is shown."""


@dataclass(frozen=True)
class Shown:
    """A partition to be shown.

    Attributes
    ----------
    place : str
        Names the tracks: ``SET-BACKBONE-SEED``, or the run folder.
    method : str
        As after ``--methods``, or the reading of a run.
    title : str
        The same for people.
    result : Result
        Whose pictures and embeddings are shown.
    track : int, shape (T,)
        Tracks of the run.
    person : tuple of (str or None), length T
        None where the truth does not know the track.
    cluster : int, shape (T,)
        -1 for Unknown.
    """

    place: str
    method: str
    title: str
    result: Result
    track: Ints
    person: tuple[str | None, ...]
    cluster: Ints

    @cached_property
    def matched(self) -> Matched:
        """People and clusters, matched."""
        return matched(self.person, self.cluster)

    @cached_property
    def logged(self) -> bool:
        """Whether the cast of the run is this partition, so that its merge log tells of it."""
        same = self.result.cast.character[self.track] == self.cluster
        ours = self.method == RUN or profile_of(self.method) is not None
        return ours and bool(same.all())

    @cached_property
    def embeddings(self) -> Embeddings:
        """Embeddings that tell how things are: adapted ones where the cast came from them."""
        return self._used[0]

    @property
    def space(self) -> str:
        """Where these come from, in words."""
        return self._used[1]

    @cached_property
    def _used(self) -> tuple[Embeddings, str]:
        adapted = round_of(self.result) if self.logged else None
        if adapted is None:
            return self.result.embeddings, "the model as it came"
        name = Reading.parse(self.result.cast.chosen).space.replace("-", " ")
        return adapted.embeddings, f"the model after {name} of learning"

    @cached_property
    def crops(self) -> Float32:
        """Unit embeddings of the clean crops, float32 (C, d), row by row with the embeddings."""
        return np.asarray(normalise(self.embeddings.base), dtype=np.float32)

    @cached_property
    def means(self) -> Float32:
        """Unit means of the tracks shown, float32 (T, d); NaN for those without embedding."""
        every = group_mean(self.crops, self.embeddings.track, self.embeddings.tracks)
        return np.asarray(normalise(every[self.track]), dtype=np.float32)

    def name_of(self, column: int) -> str:
        """Return the name of a cluster, by its place in ``matched``."""
        return f"cluster {int(self.matched.clusters[column]) + 1}" if column >= 0 else "Unknown"


def of_bench(
    folder: Path,
    methods: Sequence[str] = (),
    seed: int = 0,
    sets: Sequence[str] = (),
) -> list[Shown]:
    """Read the partitions of a finished bench.

    Parameters
    ----------
    folder : Path
    methods : sequence of str
        As they stand in the results; all if empty.
    seed : int
    sets : sequence of str
        Names of sets; all if empty.

    Raises
    ------
    ConfigError
        When a method, a set or the seed is not in the bench.
    DataError
        When there is no bench, or it was made by an earlier version.
    """
    if exists(folder / MANIFEST):
        raise ConfigError(f"{folder} is a run", "give its labels with --truth")
    rows = read_comparison(folder)
    for column, wanted, flag in (
        ("method", methods, "--methods"),
        ("set", sets, "--sets"),
        ("seed", (seed,), "--seed"),
    ):
        there = list(dict.fromkeys(row[column] for row in rows))
        missing = [one for one in wanted if one not in there]
        if missing:
            raise ConfigError(
                f"the bench in {folder} has no {column} {missing[0]!r}",
                f"give {flag} of {', '.join(map(str, there))}",
            )
        rows = [row for row in rows if not wanted or row[column] in wanted]
    runs: dict[Path, Result] = {}
    return [_of_row(folder, row, runs) for row in rows]


def _of_row(folder: Path, row: Row, runs: dict[Path, Result]) -> Shown:
    home = run_of(folder, row["set"], row["backbone"], row["seed"])
    kept = _kept(folder, row)
    own = folder_of(home, row["method"])
    # A profile that learns has its own copy of the run, with its own cast and merge log.
    place = own if profile_of(row["method"]) and is_folder(own) else home
    if place not in runs:
        runs[place] = open_run(place)
    return Shown(
        home.name,
        row["method"],
        full_title(row["method"]),
        runs[place],
        kept["track"],
        tuple(kept["person"]),
        kept["cluster"],
    )


def _kept(folder: Path, row: Row) -> dict[str, Any]:
    path = kept_of(folder, row.get("key") or "")
    again = "run the same `vcn bench` again"
    if not is_file(path):
        raise DataError(f"{folder} does not hold the partition of {row['method']}", again)
    try:
        kept = read_json(path, DataError)["partition"]
        if len({len(kept[name]) for name in ("track", "person", "cluster")}) != 1:
            raise ValueError("columns differ in length")
        for name in ("track", "cluster"):
            kept[name] = np.array(kept[name], dtype=np.int64)
        if not all(person is None or type(person) is str for person in kept["person"]):
            raise TypeError("a person is no name")
    except (DataError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise DataError(f"{path} is damaged", f"delete it and {again}") from error
    return dict(kept)


def of_run(folder: Path, truth: Sequence[Path]) -> Shown:
    """Read one run, and its truth: one for all films, or one for each.

    Raises
    ------
    DataError
        When the truth is missing or malformed.
    StoreError
        When the folder is no finished run.
    """
    result = open_run(folder)
    people = read_truth(truth[0] if len(truth) == 1 else truth, result).label
    return Shown(
        folder.resolve().name,
        RUN,
        f"ours ({result.cast.chosen})",
        result,
        np.arange(len(result.tracks)),
        people,
        np.asarray(result.cast.character, dtype=np.int64),
    )


def full_title(method: str) -> str:
    """Return a method's name for people, with the value that it was given."""
    value = method.partition("=")[2]
    known = not value or profile_of(method)  # in the title already
    return title_of(method) if known else f"{title_of(method)} {Path(value).name}"
