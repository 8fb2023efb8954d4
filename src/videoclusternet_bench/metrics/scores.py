"""How well a partition of tracks agrees with the truth (METHOD 7).

Formulas over the contingency table: ``n[c, k]`` tracks of character c in cluster k.
Star variants leave Unknown tracks out; dagger variants count each as an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from videoclusternet.types.arrays import Array, Float64


@dataclass(frozen=True)
class Scores:
    """Agreement of a partition with the truth, fractions from 0 to 1.

    Attributes
    ----------
    wcp : float
        Weighted cluster purity (star); 1 for singletons, so never look at it alone.
    pcr : float
        Predicted clusters / true characters.
    bcubed_precision, bcubed_recall, bcubed_f : float
    nmi, ari, pairwise_f : float
    clusters, characters, tracks : int
        Found clusters, true characters, labelled tracks (Unknown included).
    unknown_share : float
        Share of labelled tracks set aside.
    wcp_dagger, bcubed_f_dagger : float
        With every Unknown track counted as an error.
    clicks : int
        To correct it by hand: one to name each cluster, one to move each track that is not
        of its cluster's main character, one to place each Unknown track.
    count_error : int
        Found clusters less true characters.
    """

    wcp: float
    pcr: float
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f: float
    nmi: float
    ari: float
    pairwise_f: float
    clusters: int
    characters: int
    tracks: int
    unknown_share: float
    wcp_dagger: float
    bcubed_f_dagger: float
    clicks: int
    count_error: int


def score(truth: Sequence[Any] | Array, cluster: Sequence[int] | Array) -> Scores:
    """Compare a partition with the truth.

    Parameters
    ----------
    truth : sequence, length N
        Character of each track, any hashable names.
    cluster : sequence of int, length N
        Cluster of each track, -1 for Unknown.

    Returns
    -------
    Scores
        All 0 where nothing can be compared.
    """
    numbers: dict[Any, int] = {}
    true = np.array([numbers.setdefault(name, len(numbers)) for name in truth], dtype=np.int64)
    found = np.asarray(cluster, dtype=np.int64)
    total = len(true)
    kept = found >= 0
    characters = len(numbers)
    table = contingency(true[kept], found[kept])
    judged = int(table.sum())
    unknown = 1 - judged / total if total else 0.0
    precision, recall = bcubed(table)
    # With Unknown as errors: the recall of a kept track is over all tracks of its character.
    everyone = np.bincount(true, minlength=characters)
    full_recall = _ratio(
        float((table**2 / np.maximum(everyone[np.unique(true[kept])], 1)[:, None]).sum()), total
    )
    pair_precision, pair_recall = pairwise(table)
    purity = _ratio(float(table.max(axis=0, initial=0).sum()), judged)
    return Scores(
        wcp=purity,
        pcr=_ratio(table.shape[1], characters),
        bcubed_precision=precision,
        bcubed_recall=recall,
        bcubed_f=f_measure(precision, recall),
        nmi=float(normalized_mutual_info_score(true[kept], found[kept])) if judged else 0.0,
        ari=float(adjusted_rand_score(true[kept], found[kept])) if judged else 0.0,
        pairwise_f=f_measure(pair_precision, pair_recall),
        clusters=int(table.shape[1]),
        characters=characters,
        tracks=total,
        unknown_share=unknown,
        wcp_dagger=purity * (1 - unknown),
        bcubed_f_dagger=f_measure(precision * (1 - unknown), full_recall),
        clicks=total - round(float(table.max(axis=0, initial=0).sum())) + table.shape[1],
        count_error=table.shape[1] - characters,
    )


def contingency(true: Array, found: Array) -> Float64:
    """Count tracks: float64 (characters present, clusters)."""
    if len(true) == 0:
        return np.zeros((0, 0))
    _, rows = np.unique(true, return_inverse=True)
    _, columns = np.unique(found, return_inverse=True)
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1)
    return table


def bcubed(table: Array) -> tuple[float, float]:
    """B-cubed precision and recall (Bagga and Baldwin, 1998): means over tracks."""
    total = float(table.sum())
    if total == 0:
        return 0.0, 0.0
    squares = table**2
    precision = float((squares / table.sum(0, keepdims=True)).sum()) / total
    recall = float((squares / table.sum(1, keepdims=True)).sum()) / total
    return precision, recall


def bcubed_by_track(truth: Sequence[Any] | Array, cluster: Sequence[int] | Array) -> Float64:
    """B-cubed precision and recall of each track that is not Unknown, float64 (n, 2)."""
    found = np.asarray(cluster, dtype=np.int64)
    kept = found >= 0
    _, true = np.unique(np.asarray(truth, dtype=object).astype(str)[kept], return_inverse=True)
    _, found = np.unique(found[kept], return_inverse=True)
    table = contingency(true, found)
    both = table[true, found]
    return np.stack([both / table.sum(0)[found], both / table.sum(1)[true]], axis=1)


def pairwise(table: Array) -> tuple[float, float]:
    """Precision and recall over pairs of tracks; 1 where there is no pair to get wrong."""

    def pairs(counts: Array) -> float:
        return float((counts * (counts - 1)).sum() / 2)

    both, found, true = pairs(table), pairs(table.sum(0)), pairs(table.sum(1))
    return both / found if found else 1.0, both / true if true else 1.0


def f_measure(precision: float, recall: float) -> float:
    """Harmonic mean, 0 when both are 0."""
    return _ratio(2 * precision * recall, precision + recall)


def _ratio(a: float, b: float) -> float:
    return a / b if b else 0.0
