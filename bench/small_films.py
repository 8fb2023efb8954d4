"""How well the number of characters is found: many small films drawn from labelled runs.

    python bench/small_films.py RUN TRUTH [RUN TRUTH ...] [--films 40]

Each film holds a random number of people and of their tracks.  Printed are B-cubed F of the
default choice, of the most stable level of the same reading (what a search for the highest
stability would take), and of HAC whose threshold was chosen with the labels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from videoclusternet.clustering.choose import UNADAPTED, choose, partition_of
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.spaces import raw_space, spaces, subset
from videoclusternet.clustering.stability import SCALES, stability
from videoclusternet.clustering.whitening import Space
from videoclusternet.result.result import open_run
from videoclusternet.types import Constraints
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.methods.hac import oracle_hac
from videoclusternet_bench.metrics.scores import score

METRIC = Metric("cosine")
DRAWS = 8
SIZES = (8, 12, 20, 40, 80, 160)


def labelled(run: Path, truth: Path) -> tuple[Space, Constraints, np.ndarray]:
    """Return embeddings, constraints and labels of the tracks that have one."""
    result = open_run(run)
    found = read_truth(truth, result).label
    known = np.array([label is not None for label in found]) & (result.cast.character >= 0)
    keep = np.flatnonzero(known)
    e, views = result.embeddings, result.views
    labels = np.array([found[t] for t in keep], dtype=str)
    return (
        raw_space(e, views, keep, weight=result.weights.weight),
        Constraints.of_overlaps(result.tracks).inside(keep),
        labels,
    )


def small_film(
    space: Space, known: Constraints, labels: np.ndarray, rng: np.random.Generator
) -> tuple[Space, Constraints, np.ndarray]:
    """Draw some people and some of their tracks."""
    people = np.unique(labels)
    size = int(rng.choice(SIZES))
    few = int(rng.integers(2, max(3, min(len(people), size // 2) + 1)))
    pool = np.flatnonzero(np.isin(labels, rng.choice(people, few, replace=False)))
    keep = np.sort(rng.choice(pool, min(size, len(pool)), replace=False))
    rows = np.flatnonzero(np.isin(space.track, keep))
    return subset(space, keep, rows), known.inside(keep), labels[keep]


def judge(space: Space, known: Constraints, labels: np.ndarray) -> list[tuple[float, float]]:
    """Return B-cubed F and PCR of the choice, of the most stable level, and of oracle HAC."""
    here, first = spaces(space), UNADAPTED[0]
    choice = choose(space, {}, METRIC, known, draws=DRAWS, seed=0)
    best, scale = choice.names[choice.best], float(choice.scale[choice.best])
    ours, _ = partition_of(here, best, scale, METRIC, known)
    values = stability(space, {}, [first], METRIC, known, draws=DRAWS, seed=0).agreement[first]
    highest = float(SCALES[values.mean(axis=0).argmax()])
    stable, _ = partition_of(here, first, highest, METRIC, known)
    _, oracle = oracle_hac(space.clean, space.track, labels)
    scores = [score(labels, label) for label in (ours.label, stable.label, oracle)]
    return [(s.bcubed_f, s.pcr) for s in scores]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", nargs="+", type=Path, metavar="RUN TRUTH")
    parser.add_argument("--films", type=int, default=40, help="of each run")
    options = parser.parse_args()
    if len(options.pairs) % 2:
        parser.error("give a truth for every run")
    table = Table("run", "films", "method", "mean F", "worst - oracle", "PCR 10 / 50 / 90 %")
    for run, truth in zip(options.pairs[::2], options.pairs[1::2], strict=True):
        rng = np.random.default_rng(0)
        source = labelled(run, truth)
        found = np.array([judge(*small_film(*source, rng)) for _ in range(options.films)])
        for i, method in enumerate(("ours", "most stable level", "oracle HAC")):
            f, pcr = found[:, i].T
            spread = " / ".join(f"{value:.2f}" for value in np.quantile(pcr, (0.1, 0.5, 0.9)))
            behind = f"{(f - found[:, 2, 0]).min():+.3f}"
            table.add_row(run.name, str(len(f)), method, f"{f.mean():.3f}", behind, spread)
        table.add_section()
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
