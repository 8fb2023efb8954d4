"""How probable it is that two characters are one person, or one is two: from labelled runs.

    python bench/likeness.py RUN TRUTH [RUN TRUTH ...]

Prints how many pairs of characters there are at each distance, 1 where joining stopped, and how
many of them are one person by the majority of their labels; then a logistic regression.  Pairs
that are seen in one picture are left out.  Then the same of merges of two groups: how much of
their threshold they took, and how many joined two people.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression

from videoclusternet.result.result import open_run
from videoclusternet.review.queue import doubt, likeness
from videoclusternet.review.situation import Nearness
from videoclusternet.review.splits import sides
from videoclusternet_bench.data.truth import read_truth

EDGES = (0, 0.95, 1, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5, 10)
STRAINS = (0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.01)
NEAR = 0.95
"""Nearer pairs were joined, but for what keeps them apart: they are not fitted."""


def pairs_of(run: Path, truth: Path) -> list[tuple[float, int, bool]]:
    """Return of each pair of characters distance, tracks of the smaller, and if they are one."""
    result = open_run(run)
    labels, near = read_truth(truth, result).label, Nearness.of(result)
    character = result.cast.character
    numbers, far = near.between(character)
    person = {}
    for number in numbers.tolist():
        seen = Counter(labels[t] for t in np.flatnonzero(character == number) if labels[t])
        person[number] = seen.most_common(1)[0][0] if seen else None
    met = {tuple(sorted(pair)) for pair in character[near.met].tolist()}
    size = np.bincount(character[character >= 0])
    return [
        (float(far[i, j]), int(min(size[a], size[b])), person[a] == person[b])
        for i, a in enumerate(numbers.tolist())
        for j, b in enumerate(numbers.tolist())
        if i < j and person[a] and person[b] and (a, b) not in met
    ]


def merges_of(run: Path, truth: Path) -> list[tuple[float, int, bool]]:
    """Return of each merge of two groups strain, tracks of the smaller, and if they are two."""
    result = open_run(run)
    labels, character = read_truth(truth, result).label, result.cast.character

    def shows(tracks: list[int]) -> Counter[str]:
        return Counter(str(labels[t]) for t in tracks if labels[t] and character[t] >= 0)

    found = []
    for side in sides(result.merges, len(character)):
        small, large = shows(side.small), shows(side.large)
        if small.total() > 1 and large:
            two = small.most_common(1)[0][0] != large.most_common(1)[0][0]
            found.append((side.strain, min(small.total(), large.total()), two))
    return found


def show(
    found: list[tuple[float, int, bool]],
    edges: Sequence[float],
    expect: Callable[[np.ndarray, np.ndarray], np.ndarray],
    words: tuple[str, str, str],
    least: float,
) -> None:
    """Print a table of shares and the regression behind it."""
    value, size, hit = (np.array(column) for column in zip(*found, strict=True))
    what, things, hits = words
    table = Table(what, things, hits, "share", "expected")
    for low, high in pairwise(edges):
        here = (value >= low) & (value < high)
        count, ones = int(here.sum()), int(hit[here].sum())
        expected = float(expect(value[here], size[here]).mean()) if count else np.nan
        share = ones / count if count else np.nan
        table.add_row(f"{low}-{high}", str(count), str(ones), f"{share:.3f}", f"{expected:.3f}")
    Console(width=100).print(table)
    fitted = value >= least
    seen = np.stack([value - 1, np.log(size)], axis=1)[fitted]
    model = LogisticRegression(C=1e6).fit(seen, hit[fitted])
    steep, smaller = model.coef_[0]
    print(f"{fitted.sum()} {things}, {hit[fitted].sum()} {hits}:", end=" ")
    print(
        f"log-odds {model.intercept_[0]:.2f} {steep:+.1f} ({what} - 1) "
        f"{smaller:+.2f} ln(tracks of the smaller)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", type=Path, nargs="+", help="RUN TRUTH, and so on")
    paths = parser.parse_args().paths
    if len(paths) % 2:
        parser.error("each run needs its truth")
    runs = list(zip(paths[::2], paths[1::2], strict=True))
    found = [pair for run, truth in runs for pair in pairs_of(run, truth)]
    show(found, EDGES, likeness, ("distance", "pairs", "one person"), NEAR)
    merged = [one for run, truth in runs for one in merges_of(run, truth)]
    show(merged, STRAINS, doubt, ("strain", "merges", "two people"), 0.0)


if __name__ == "__main__":
    main()
