"""How much identity is in the embeddings: what clustering reaches when it is told the labels.

    python bench/ceiling.py RUN TRUTH [RUN TRUTH ...]

Three yardsticks, none of them a method: the best cut in hindsight of the default reading's
tree; of HAC; and of the tree after a linear map that was fitted to the labels themselves
(within-person whitening, the best of several ridges).  Adaptation without labels can hardly
pass the last one without changing the network itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from videoclusternet.clustering.average_linkage import cut, relative, tree
from videoclusternet.clustering.distance import Metric, group_mean, normalise
from videoclusternet.clustering.spaces import raw_space
from videoclusternet.clustering.track_points import space_points
from videoclusternet.clustering.whitening import Space, centre, whiten
from videoclusternet.result.result import open_run
from videoclusternet.types import Constraints
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.methods.hac import oracle_hac
from videoclusternet_bench.metrics.scores import score

METRIC = Metric("cosine")
RIDGES = (0.1, 0.3, 1.0, 3.0)


def best_cut(space: Space, known: Constraints, labels: np.ndarray) -> float:
    """B-cubed F of the best cut of the own-threshold tree, found with the labels."""
    dendrogram = tree(relative(space_points(space, METRIC), METRIC).block(slice(None)), known)
    return max(score(labels, c).bcubed_f for c in cut(dendrogram, np.geomspace(0.2, 3, 80)))


def told(space: Space, labels: np.ndarray, ridge: float) -> Space:
    """Whiten the scatter of tracks round the mean of their person."""
    centred = centre(space)
    mean = group_mean(normalise(centred.clean), space.track, space.tracks)
    _, person = np.unique(labels, return_inverse=True)
    delta = mean - group_mean(mean, person, int(person.max()) + 1)[person]
    scatter = delta.T @ delta
    return whiten(centred, ridge, scatter / np.trace(scatter), "told")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", nargs="+", type=Path, metavar="RUN TRUTH")
    options = parser.parse_args()
    table = Table("run", "default", "best cut", "HAC, best cut", "linear map from labels")
    for run, truth in zip(options.pairs[::2], options.pairs[1::2], strict=True):
        result = open_run(run)
        found = read_truth(truth, result).label
        known = np.array([label is not None for label in found]) & (result.cast.character >= 0)
        keep = np.flatnonzero(known)
        labels = np.array([found[t] for t in keep], dtype=str)
        space = raw_space(result.embeddings, result.views, keep, weight=result.weights.weight)
        met = Constraints.of_overlaps(result.tracks).inside(keep)
        _, hac = oracle_hac(space.clean, space.track, labels)
        values = (
            score(labels, result.cast.character[keep]).bcubed_f,
            best_cut(space, met, labels),
            score(labels, hac).bcubed_f,
            max(best_cut(told(space, labels, ridge), met, labels) for ridge in RIDGES),
        )
        table.add_row(run.name, *(f"{value:.3f}" for value in values))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
