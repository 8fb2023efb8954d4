"""Whether names survive another model or detector: named in one run, looked for in another.

    python bench/names.py RUN OTHER TRUTH [RUN OTHER TRUTH ...]

Every person of the labels is named in RUN, at the character that has most of its tracks.  The
log of these edits is laid over OTHER, a run of the same film; a name is right there where most
tracks of its character are of that person.  Neither folder is changed.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from videoclusternet.result.edit_log import EDITS
from videoclusternet.result.result import Result, open_run
from videoclusternet_bench.data.truth import read_truth


def majority(result: Result, truth: Path) -> dict[int, tuple[str, int]]:
    """Return the person of most tracks of each character, and how many these are."""
    labels = read_truth(truth, result).label
    found = {}
    for number in result.people:
        tracks = np.flatnonzero(result.cast.character == number)
        count = Counter(labels[t] for t in tracks if labels[t] is not None)
        if count:
            found[number] = count.most_common(1)[0]
    return found


def survive(run: Path, other: Path, truth: Path) -> tuple[int, int, int]:
    """Return names given, names that some character of the other run has, and right ones."""
    with tempfile.TemporaryDirectory() as temporary:
        one, two = (
            Path(shutil.copytree(folder, Path(temporary) / name, ignore=_log))
            for name, folder in (("one", run), ("two", other))
        )
        named = open_run(one)
        best: dict[str, tuple[int, int]] = {}
        for number, (person, tracks) in majority(named, truth).items():
            best[person] = max(best.get(person, (0, 0)), (tracks, number))
        for person, (_, number) in best.items():
            named.edits.name(number + 1, f"person {person}")
        shutil.copy(one / EDITS, two / EDITS)
        again = open_run(two)
        people = majority(again, truth)
        found = {n: person.name for n, person in again.people.items() if person.name}
        right = sum(f"person {people[n][0]}" == name for n, name in found.items() if n in people)
    return len(best), len(found), right


def _log(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith("edits.")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", type=Path, nargs="+", help="RUN OTHER TRUTH, and so on")
    paths = parser.parse_args().paths
    if len(paths) % 3:
        parser.error("each run needs another one and its truth")
    table = Table("named in", "looked for in", "named", "found", "right")
    for run, other, truth in zip(paths[::3], paths[1::3], paths[2::3], strict=True):
        table.add_row(run.name, other.name, *map(str, survive(run, other, truth)))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
