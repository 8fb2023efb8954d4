"""``vcn score``: a run against labelled truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.result.result import Result
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.metrics.scores import score


def score_run(result: Result, truth: Path | Sequence[Path]) -> dict[str, Any]:
    """Score a run.

    Parameters
    ----------
    result : Result
    truth : Path or sequence of Path
        As in :func:`videoclusternet_bench.data.truth.read_truth`.

    Returns
    -------
    dict
        The fields of :class:`~videoclusternet_bench.metrics.scores.Scores`, and: ``false_tracks``
        (tracks that the truth does not know, left out of the rest), ``visible``, ``found``
        and ``usable`` (people in shots, or tracks, of the truth; those with a track; those
        with a track that has a character), ``found_share``, ``usable_share``.

    Raises
    ------
    DataError
        When the truth is missing or malformed.
    """
    labels = read_truth(truth, result)
    known = np.array([i for i, label in enumerate(labels.label) if label is not None], dtype=int)
    scores = score([labels.label[i] for i in known], result.cast.character[known])
    usable = labels.usable(result.cast.character)
    return {
        **asdict(scores),
        "false_tracks": len(result.tracks) - len(known),
        "visible": labels.visible,
        "found": labels.found,
        "usable": usable,
        "found_share": labels.found / labels.visible if labels.visible else 0.0,
        "usable_share": usable / labels.visible if labels.visible else 0.0,
    }
