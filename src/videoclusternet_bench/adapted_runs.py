"""Runs whose model has learnt: which embeddings gave the cast, and how good each round is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from videoclusternet.adapt.rounds import GoodRounds as RoundsOfRun
from videoclusternet.clustering.find_cast import GoodRounds, find_cast
from videoclusternet.clustering.reading import OWN, Reading, round_number
from videoclusternet.clustering.spaces import SPACES, Adapted
from videoclusternet.config import Config
from videoclusternet.result.result import Result
from videoclusternet.runfolder.folder import Store
from videoclusternet.types import Rounds
from videoclusternet_bench.metrics.scores import score

MEASURES = ("bcubed_f", "bcubed_precision", "bcubed_recall", "wcp", "pcr", "nmi", "ari")


def rounds_of(result: Result) -> GoodRounds:
    """Return the good rounds of adaptation by name; none where the model did not learn."""
    store = Store(result.folder)
    if "adapt" not in store.manifest["steps"]:
        return {}
    (rounds,) = store.load("adapt", (Rounds,))
    return RoundsOfRun(result.folder, rounds)


def round_of(result: Result) -> Adapted | None:
    """Return the last round that the cast was made from, None where the model is as it came."""
    spaces = Reading.parse(result.cast.chosen).spaces
    named = [one for one in spaces if round_number(one) is not None]
    return rounds_of(result)[named[-1]]() if named else None


def scored_rounds(
    result: Result, people: Sequence[str | None], config: Config, unadapted: bool = False
) -> list[dict[str, Any]]:
    """Score the cast that each good round would give, by the rule of the settings.

    Parameters
    ----------
    result : Result
    people : sequence of (str or None), length T
        Person of each track of the run.
    config : Config
        A choice by stability is taken as the rule ``own``, which the choice itself compares
        rounds by.
    unadapted : bool
        Whether to begin with round 0, the same rule on the embeddings as they came.

    Returns
    -------
    list of dict
        ``MEASURES``, ``chosen`` and ``round``.
    """
    linkage = Reading.parse(config.cluster.choose).linkage or OWN
    described, found = (result.embeddings, result.views, result.weights), []
    rounds = rounds_of(result)
    labels = np.array(people, dtype=object)
    known = np.array([label is not None for label in people], dtype=bool)
    for name in [*([SPACES[0]] if unadapted else []), *rounds]:
        one = config.cluster.model_copy(update={"choose": str(Reading(name, linkage))})
        cast, *_ = find_cast(
            result.tracks, *described, one, config.track_quality, config.seed, rounds
        )
        scores = score(labels[known], cast.character[known])
        measures = {measure: getattr(scores, measure) for measure in MEASURES}
        found.append({**measures, "chosen": cast.chosen, "round": round_number(name) or 0})
    return found
