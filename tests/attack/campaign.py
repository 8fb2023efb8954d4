"""Runs the cases of families and counts what they found."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.attack.case import KINDS, Case, Fault, Place
from tests.attack.material import Material

Group = Callable[[Material, random.Random], Iterable[Case]]
"""Makes the cases of one kind; it may draw from the generator."""
Family = Mapping[str, Group]
"""Groups by name: a short campaign makes the cases of some of them only."""


@dataclass(frozen=True)
class Found:
    """What a case found."""

    family: str
    case: str
    commands: int
    inputs: int
    faults: tuple[Fault, ...]
    seconds: float


@dataclass(frozen=True)
class Report:
    """What a campaign found."""

    found: Sequence[Found]
    seconds: float

    @property
    def faults(self) -> list[str]:
        """Each fault in a line or more."""
        return [
            f"{one.family} {one.case}: {fault.kind}: {fault.said}"
            for one in self.found
            for fault in one.faults
        ]

    def table(self) -> str:
        """Write the counts of each family."""
        head = ("family", "cases", "commands", "inputs", *KINDS)
        rows = [head, *(self._row(name) for name in dict.fromkeys(f.family for f in self.found))]
        wide = [max(len(str(row[i])) for row in rows) for i in range(len(head))]
        lines = ["  ".join(str(v).rjust(w) for v, w in zip(row, wide, strict=True)) for row in rows]
        return "\n".join([*lines, f"{self.seconds:.0f} s"])

    def _row(self, family: str) -> tuple[str | int, ...]:
        mine = [one for one in self.found if one.family == family]
        kinds = Counter(fault.kind for one in mine for fault in one.faults)
        counts = (kinds[kind] for kind in KINDS)
        done = (sum(one.commands for one in mine), sum(one.inputs for one in mine))
        return (family, len(mine), *done, *counts)


def gather(
    families: Mapping[str, Family], material: Material, seed: int, most: int | None, only: str
) -> list[tuple[str, Case]]:
    """Make the cases of families, in an order that the seed gives.

    Parameters
    ----------
    most : int, optional
        Cases of each family at most, of two of its groups.
    only : str
        A part of the names of the cases to take; before ``": "`` of their group.
    """
    chosen: list[tuple[str, Case]] = []
    for family, groups in families.items():
        names = sorted(groups)
        if most is not None:
            names = random.Random(f"{seed} {family}").sample(names, min(2, len(names)))
        group, _, case_name = only.rpartition(": ")
        cases = [
            Case(f"{name}: {case.name}", case.attack)
            for name in names
            if group in name
            for case in groups[name](material, random.Random(f"{seed} {family} {name}"))
        ]
        cases = [case for case in cases if case_name in case.name]
        if most is not None:
            cases = random.Random(seed).sample(cases, min(most, len(cases)))
        chosen += [(family, case) for case in cases]
    return chosen


def run(
    cases: Sequence[tuple[str, Case]],
    folder: Path,
    seed: int,
    workers: int,
    keep: bool = False,
    tell: Callable[[Found], None] = lambda found: None,
) -> Report:
    """Run cases in processes, each in a folder of its own below ``folder``."""
    started = time.perf_counter()
    global _cases  # children of a fork have them: functions cannot be sent
    _cases = cases
    found = []
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for one in pool.imap_unordered(partial(_attack, folder, seed, keep), range(len(cases))):
            found.append(one)
            tell(one)
    order = {(family, case.name): i for i, (family, case) in enumerate(cases)}
    found.sort(key=lambda one: order[one.family, one.case])
    return Report(found, time.perf_counter() - started)


_cases: Sequence[tuple[str, Case]] = ()


def _attack(folder: Path, seed: int, keep: bool, number: int) -> Found:
    family, case = _cases[number]
    started = time.perf_counter()
    here = folder / f"{number:05d}"
    here.mkdir()
    place = Place(here, random.Random(f"{seed} {family} {case.name}"))
    try:
        case.attack(place)
    except Exception as error:
        place.must(False, f"the case itself failed: {error!r}", "unclear")
    if not (keep and place.faults):
        here.chmod(0o700)
        shutil.rmtree(here, ignore_errors=True)
    seconds = time.perf_counter() - started
    done = (place.commands, place.inputs)
    return Found(family, case.name, *done, tuple(place.faults), seconds)
