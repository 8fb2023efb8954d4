"""What a bench runs: each set with the embeddings it can have, and the methods that can see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from videoclusternet.errors import DataError
from videoclusternet.sources.features import read_features
from videoclusternet_bench.data.sets import LabelledSet
from videoclusternet_bench.methods.base import Method
from videoclusternet_bench.methods.registry import chosen_methods


@dataclass(frozen=True)
class Job:
    """Methods on one set with one backbone.

    Attributes
    ----------
    labelled : LabelledSet
    sets : tuple of LabelledSet
        All sets of the bench that are described by the same backbone, this one included.
    backbone : str
        As after ``--backbone``; of given features, the name of what made them.
    methods : tuple of str
    seeds : int
    """

    labelled: LabelledSet
    sets: tuple[LabelledSet, ...]
    backbone: str
    methods: tuple[str, ...]
    seeds: int

    @property
    def chosen(self) -> tuple[Method, ...]:
        """The methods, by name: functions do not travel between processes."""
        return chosen_methods(",".join(self.methods))


def plan(
    sets: Sequence[LabelledSet],
    methods: Sequence[Method],
    backbones: Sequence[str],
    seeds: int,
) -> tuple[list[Job], list[str]]:
    """Plan a bench.

    Features are there already: their sets run once, with the backbone that made them, and
    with methods that look at nothing but embeddings.

    Returns
    -------
    jobs : list of Job
        Each with one method or more.
    notes : list of str
        What is left out, and why.

    Raises
    ------
    DataError
        When two sets share a name, features are malformed or do not fit together, a method
        needs other films and there are none, or no method is left.
    """
    _check(sets, methods)
    made_by = {one: _model(one) for one in sets if one.form == "features"}
    jobs, notes = [], []
    for one in sets:
        given = made_by.get(one)
        for backbone in backbones if given is None else (given[0],):
            alike = tuple(s for s in sets if made_by.get(s) == given)
            left_out = {m.name: why for m in methods if (why := _hinders(m, one, alike))}
            able = tuple(m.name for m in methods if m.name not in left_out)
            for why in dict.fromkeys(left_out.values()):
                names = ", ".join(name for name, other in left_out.items() if other == why)
                notes.append(f"{one.name}: without {names}, {why}")
            if able:
                jobs.append(Job(one, alike, backbone, able, seeds))
    if not jobs:
        raise DataError(notes[0], "name other methods: `vcn bench methods` lists them")
    return jobs, list(dict.fromkeys(notes))


def _hinders(method: Method, one: LabelledSet, alike: Sequence[LabelledSet]) -> str:
    """Say why a method cannot run on a set; empty where it can."""
    if one.form == "features" and method.sees != "embeddings":
        return f"as features have no {method.sees}"
    if method.needs == "other films" and len(alike) < 2:
        return "as no other set has the same features"
    return ""


def _check(sets: Sequence[LabelledSet], methods: Sequence[Method]) -> None:
    names = [one.name for one in sets]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"two data sets are called {twice[0]!r}", "rename one")
    if len(sets) < 2 and any(method.needs == "other films" for method in methods):
        raise DataError(
            "bcl learns from the labels of other films",
            "give a second data set, or name the methods without it",
        )


def _model(labelled: LabelledSet) -> tuple[str, int]:
    """Return the name of what made the features of a set, and their width."""
    found = {(f.model, f.features.shape[1]) for f in map(read_features, labelled.sources)}
    if len(found) > 1:
        said = " and ".join(f"{width} values of {model}" for model, width in sorted(found))
        raise DataError(f"{labelled.name} holds features of {said}", "combine those of one model")
    return found.pop()
