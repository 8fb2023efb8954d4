"""How probable it is that two characters are one person, by their distance: from labelled runs.

    python bench/likeness.py RUN TRUTH [RUN TRUTH ...]

Prints how many pairs of characters there are at each distance, 1 where joining stopped, and how
many of them are one person by the majority of their labels; then a logistic regression.  Pairs
that are seen in one picture are left out.
"""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression

from videoclusternet.result.result import open_run
from videoclusternet.review.queue import likeness
from videoclusternet.review.situation import Nearness
from videoclusternet_bench.data.truth import read_truth

EDGES = (0, 0.95, 1, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5, 10)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", type=Path, nargs="+", help="RUN TRUTH, and so on")
    paths = parser.parse_args().paths
    if len(paths) % 2:
        parser.error("each run needs its truth")
    found = [
        pair
        for run, truth in zip(paths[::2], paths[1::2], strict=True)
        for pair in pairs_of(run, truth)
    ]
    far, size, same = (np.array(column) for column in zip(*found, strict=True))
    table = Table("distance", "pairs", "one person", "share", "expected")
    for low, high in pairwise(EDGES):
        here = (far >= low) & (far < high)
        count, ones = int(here.sum()), int(same[here].sum())
        expected = float(likeness(far[here], size[here]).mean()) if count else np.nan
        share = ones / count if count else np.nan
        table.add_row(f"{low}-{high}", str(count), str(ones), f"{share:.3f}", f"{expected:.3f}")
    Console(width=100).print(table)
    fitted = far >= NEAR
    seen = np.stack([far - 1, np.log(size)], axis=1)[fitted]
    model = LogisticRegression(C=1e6).fit(seen, same[fitted])
    steep, smaller = model.coef_[0]
    print(f"{fitted.sum()} pairs, {same[fitted].sum()} of one person:", end=" ")
    print(
        f"log-odds {model.intercept_[0]:.2f} {steep:+.1f} (distance - 1) "
        f"{smaller:+.2f} ln(tracks of the smaller)"
    )


if __name__ == "__main__":
    main()
