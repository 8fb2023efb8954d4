"""How probable it is that a track belongs where it is: fit the weights anew, and check them.

    python bench/confidence.py SET RUN TRUTH [SET RUN TRUTH ...] [--films 60] [--picture FILE]

Of each run (``NAME-MODEL.vcn``) the whole film is clustered with some seeds, and small films are
drawn from it, each with what is set aside as hard to tell (``cluster.unsure``) and without.  All
films of one SET are in one fold, and SET may be SOURCE/NAME: weights are fitted on some sets, and
measured on the others.  Printed are the expected calibration error over bins of equally many
tracks, how well doubt ranks wrong tracks (area under the ROC curve inside each film, beside what
the confidence was before: other / (own + other)), what was said and what was so, and the weights
of a fit over all sets, as they stand in ``videoclusternet.clustering.confidence``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from small_films import small_film

from videoclusternet.clustering.choose import choose, distances, partition_of
from videoclusternet.clustering.confidence import (
    WITH_COMPANY,
    Weights,
    evidence,
    unsure_tracks,
)
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.spaces import raw_space, spaces, subset
from videoclusternet.clustering.whitening import Space
from videoclusternet.result.result import open_run
from videoclusternet.types import Constraints, Reason
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.metrics.calibration import (
    BINS,
    calibration_error,
    reliability,
    right_tracks,
)

METRIC = Metric("cosine")
DRAWS = 16
EDGES = (0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1)
"""Of the reliability table in which doubt is not lost among the sure."""


@dataclass(frozen=True)
class Film:
    """The tracks of a clustered film that have a label and a character."""

    group: str
    model: str
    whole: bool
    unsure: bool
    evidence: np.ndarray
    old: np.ndarray
    right: np.ndarray


def labelled(run: Path, truth: Path, views: bool) -> tuple[Space, Constraints, np.ndarray]:
    """Return embeddings, constraints and labels ("" for none) of the tracks that took part."""
    result = open_run(run)
    seen = np.isin(result.cast.reason, (Reason.OK, Reason.UNSURE))
    keep = np.flatnonzero(seen)
    space = raw_space(result.embeddings, result.views, keep, weight=result.weights.weight)
    if not views:
        space = replace(space, views=space.views[:0], view_track=space.view_track[:0])
    labels = np.array([label or "" for label in read_truth(truth, result).label])
    return space, Constraints.of_overlaps(result.tracks).inside(keep), labels[keep]


def clustered(
    group: str, model: str, whole: bool, space: Space, known: Constraints, labels: np.ndarray,
    seed: int,
) -> Iterator[Film]:  # fmt: skip
    """Cluster a film by the default choice, and yield it with and without unsure tracks."""
    choice = choose(space, {}, METRIC, known, draws=DRAWS, seed=seed)
    reading, scale = choice.names[choice.best], float(choice.scale[choice.best])
    here = spaces(space, reading.spaces)
    partition, points = partition_of(here, reading, scale, METRIC, known)
    company = choice.company[choice.best]
    far = distances(here, reading, METRIC)
    found = evidence(far, partition.label, scale, known.apart, company)
    old = before(points.mean, points.threshold, partition.label)
    names = [label or None for label in labels]
    for unsure in (True, False):
        kept = ~unsure_tracks(company) | (not unsure)
        right = right_tracks(names, np.where(kept, partition.label, -1))
        # Who can belong nowhere else is right whatever the weights.
        shown = kept & (labels != "") & ~found.settled
        if shown.any():
            rows = np.stack(found[:3], axis=1)[shown]
            yield Film(group, model, whole, unsure, rows, old[shown], right[shown])


def before(mean: np.ndarray, threshold: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return other / (own + other), distances to means of clusters: what confidence was."""
    member = np.eye(label.max() + 1)[label]
    total = member.T @ mean
    alone = member.sum(axis=0)[label] == 1

    def unit(x: np.ndarray) -> np.ndarray:
        return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)

    rest = total[label] - mean
    own = np.where(alone, threshold, 1 - (unit(mean) * unit(rest)).sum(axis=1))
    distance = np.where(member > 0, np.inf, 1 - unit(mean) @ unit(total).T)
    other = distance.min(axis=1) if len(total) > 1 else np.full(len(label), own.max())
    return np.maximum(other, 0) / np.maximum(np.maximum(own, 0) + np.maximum(other, 0), 1e-12)


def films(
    group: str, run: Path, truth: Path, seeds: int, small: int, views: bool
) -> Iterator[Film]:
    """Yield the whole film under several seeds, and small ones drawn from it."""
    source = labelled(run, truth, views)
    model = run.stem.partition("-")[2]
    for seed in range(seeds):
        yield from clustered(group, model, True, *source, seed)
    rows = np.flatnonzero(source[2] != "")
    known = small_source(source, rows)
    rng = np.random.default_rng(0)
    for seed in range(small):
        yield from clustered(group, model, False, *small_film(*known, rng), seed)


def small_source(
    source: tuple[Space, Constraints, np.ndarray], rows: np.ndarray
) -> tuple[Space, Constraints, np.ndarray]:
    """Restrict a film to some tracks."""
    space, known, labels = source
    crops = np.flatnonzero(np.isin(space.track, rows))
    return subset(space, rows, crops), known.inside(rows), labels[rows]


def pooled(some: list[Film]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return evidence (n, 3), right (n,) and weights (n,): runs, kinds and settings count alike."""
    kind = [(f.group, f.model, f.whole, f.unsure) for f in some]
    tracks = {
        k: sum(len(f.right) for f, own in zip(some, kind, strict=True) if own == k) for k in kind
    }
    weight = [np.full(len(f.right), 1 / tracks[k]) for f, k in zip(some, kind, strict=True)]
    return (
        np.concatenate([f.evidence for f in some]),
        np.concatenate([f.right for f in some]),
        np.concatenate(weight),
    )


def fit(some: list[Film], company: bool = True) -> Weights:
    """Fit the weights; without company those of films in which nothing was drawn."""
    x, right, weight = pooled(some)
    used = slice(None if company else 2)
    model = LogisticRegression(C=1e4, max_iter=1000)
    model.fit(x[:, used], right, sample_weight=weight * len(weight) / weight.sum())
    own, other, *more = model.coef_[0].tolist()
    return Weights(float(model.intercept_[0]), own, other, *(more or [0.0]))


def held_out(some: list[Film], fold: dict[str, int], company: bool = True) -> list[np.ndarray]:
    """Return the probabilities of each film by weights from the sets of other folds."""
    weights = {n: fit([f for f in some if fold[f.group] != n], company) for n in set(fold.values())}
    return [weights[fold[f.group]].probability(*f.evidence.T) for f in some]


def ranking(some: list[Film], scores: list[np.ndarray]) -> float:
    """Mean over films of the area under the ROC curve: doubt against wrong."""
    areas = [
        roc_auc_score(~f.right, -score)
        for f, score in zip(some, scores, strict=True)
        if 0 < f.right.sum() < len(f.right)
    ]
    return float(np.mean(areas)) if areas else np.nan


def summary(title: str, some: list[Film], said: list[np.ndarray]) -> Table:
    """One row per model, kind of film and setting."""
    table = Table("model", "films", "unsure", "tracks", "wrong", "expected", "ECE", "log loss",
                  "AUC in films", "before", title=title)  # fmt: skip
    models = list(dict.fromkeys(f.model for f in some))
    for model in (*models, "all"):
        for whole in (True, False):
            for unsure in (True, False):
                pick = [
                    i for i, f in enumerate(some)
                    if model in (f.model, "all") and (f.whole, f.unsure) == (whole, unsure)
                ]  # fmt: skip
                if not pick:
                    continue
                few, p = [some[i] for i in pick], [said[i] for i in pick]
                right, flat = np.concatenate([f.right for f in few]), np.concatenate(p)
                table.add_row(
                    model, f"{len(few)} {'whole' if whole else 'small'}",
                    "aside" if unsure else "placed", str(len(right)), str((~right).sum()),
                    f"{(1 - flat).sum():.1f}", f"{calibration_error(flat, right):.3f}",
                    f"{log_loss(right, flat, labels=[False, True]):.3f}",
                    f"{ranking(few, p):.3f}", f"{ranking(few, [f.old for f in few]):.3f}",
                )  # fmt: skip
    return table


def by_set(some: list[Film], said: list[np.ndarray]) -> Table:
    """Wrong and expected tracks of every run, whole films with unsure tracks aside."""
    table = Table("set", "model", "tracks", "wrong", "expected", "AUC in films", "before")
    for group, model in dict.fromkeys((f.group, f.model) for f in some):
        pick = [
            i for i, f in enumerate(some)
            if (f.group, f.model) == (group, model) and f.whole and f.unsure
        ]  # fmt: skip
        few, p = [some[i] for i in pick], [said[i] for i in pick]
        count = sum(len(f.right) for f in few) / len(few)
        wrong = sum((~f.right).sum() for f in few) / len(few)
        expected = sum((1 - one).sum() for one in p) / len(few)
        areas = (ranking(few, p), ranking(few, [f.old for f in few]))
        cells = (f"{count:.0f}", f"{wrong:.1f}", f"{expected:.1f}")
        table.add_row(group, model, *cells, *(f"{area:.3f}" for area in areas))
    return table


def said_and_so(some: list[Film], said: list[np.ndarray]) -> Table:
    """Compare by fixed edges of probability, whole and small films apart."""
    table = Table("said", "whole: tracks", "said", "right", "small: tracks", "said", "right")
    kinds = []
    for whole in (True, False):
        pick = [i for i, f in enumerate(some) if f.whole == whole]
        kinds.append((np.concatenate([said[i] for i in pick]),
                      np.concatenate([some[i].right for i in pick])))  # fmt: skip
    for low, high in pairwise(EDGES):
        cells = [f"{low:g} to {high:g}"]
        for p, right in kinds:
            inside = (p >= low) & (p < high)
            means = (p[inside].mean(), right[inside].mean()) if inside.any() else (np.nan, np.nan)
            cells += [str(inside.sum()), *(f"{mean:.3f}" for mean in means)]
        table.add_row(*cells)
    return table


def draw(some: list[Film], said: list[np.ndarray], path: Path) -> None:
    """Draw the reliability curve of each model over all its films, probabilities held out."""
    from matplotlib.figure import Figure

    figure = Figure((5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    for model in dict.fromkeys(f.model for f in some):
        pick = [i for i, f in enumerate(some) if f.model == model]
        right = np.concatenate([some[i].right for i in pick])
        rows = reliability(np.concatenate([said[i] for i in pick]), right, 4 * BINS)
        axes.plot(
            [b.said for b in rows], [b.right for b in rows], marker="o", markersize=3, label=model
        )
    axes.set(xlabel="probability that was said", ylabel="share of tracks that are right")
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("triples", nargs="+", metavar="SET RUN TRUTH")
    parser.add_argument("--films", type=int, default=60, help="small ones of each run")
    parser.add_argument("--seeds", type=int, default=3, help="of each whole film")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--no-views", action="store_true", help="as embeddings without pictures")
    parser.add_argument("--picture", type=Path, help="PNG of the reliability curve")
    options = parser.parse_args()
    if len(options.triples) % 3:
        parser.error("give a set and a truth for every run")
    parts = (options.triples[i::3] for i in range(3))
    some: list[Film] = []
    for group, run, truth in zip(*parts, strict=True):
        draws = (options.seeds, options.films, not options.no_views)
        some += films(group, Path(run), Path(truth), *draws)
    groups = list(dict.fromkeys(f.group for f in some))
    sources = list(dict.fromkeys(group.partition("/")[0] for group in groups))
    fold = {group: i % options.folds for i, group in enumerate(groups)}
    said = held_out(some, fold)
    console = Console(width=110)
    console.print(summary(f"{options.folds} folds over sets", some, said))
    console.print(by_set(some, said), said_and_so(some, said))
    used = [WITH_COMPANY.probability(*f.evidence.T) for f in some]
    console.print(summary("weights in use, fitted to these sets", some, used))
    if len(sources) > 1:
        source = {group: sources.index(group.partition("/")[0]) for group in groups}
        console.print(summary("sources held out", some, held_out(some, source)))
    alone = held_out(some, fold, company=False)
    console.print(summary(f"without company, {options.folds} folds", some, alone))
    for name, company in (("with company", True), ("without", False)):
        weights = fit(some, company)
        console.print(name, *(f"{k} {v:.2f}" for k, v in weights._asdict().items()))
    if options.picture:
        draw(some, said, options.picture)


if __name__ == "__main__":
    main()
