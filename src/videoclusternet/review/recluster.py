"""``vcn recluster``: the characters of a finished run found anew, with corrections held to.

Neither film nor pictures are needed.  What people said becomes constraints; the result is one
more edit, so that it can be undone.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from videoclusternet.adapt.rounds import GoodRounds
from videoclusternet.clustering.find_cast import STABILITY, find_cast
from videoclusternet.config import Config
from videoclusternet.edits.constraints import constraints_of, stands_for, taken_out
from videoclusternet.edits.edit import Edit
from videoclusternet.edits.regroup import Difference, regrouped
from videoclusternet.engine.processes import one_thread
from videoclusternet.engine.work import Work
from videoclusternet.events import Event, Hook, silent
from videoclusternet.pipeline import MANY, learns
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.result import Result, open_run
from videoclusternet.runfolder.steps import recorded_settings
from videoclusternet.types import Cast, Constraints, Epochs, Merges, Reason, Rounds
from videoclusternet.types.arrays import Floats


@dataclass(frozen=True)
class Proposal:
    """A clustering that follows what people said, and what would be otherwise than now.

    Attributes
    ----------
    placed : tuple of str
        Key of the character of each track; see :class:`~videoclusternet.edits.edit.Edit`.
    cast, merges : Cast, Merges
        As found.
    difference : Difference
    """

    placed: tuple[str, ...]
    cast: Cast
    merges: Merges
    difference: Difference


def recluster(folder: Path | str, hook: Hook = silent) -> tuple[Result, Difference]:
    """Find the characters of a finished run anew, with all that people said of them.

    Parameters
    ----------
    folder : path
        Run folder.
    hook : Hook

    Returns
    -------
    Result, Difference
        The run, and what is otherwise than before.  Where nothing is, nothing was written.

    Raises
    ------
    ContradictionError
        When tracks are said to be one person and two; names them and the edits.
    StoreError
        When the run is damaged, or somebody edits it meanwhile.
    """
    result = open_run(folder)
    found = propose(result, hook)
    if found.difference:
        result.edits.regroup(found.placed, found.cast, found.merges)
    return result, found.difference


def propose(result: Result, hook: Hook = silent) -> Proposal:
    """Find the characters of a run anew; nothing is written.

    Raises
    ------
    ContradictionError
        As :func:`recluster`.
    """
    state, worth = result.edits.state, _worth(result)
    cast, merges = _found(result, constraints_of(state, worth), hook)
    time = (result.tracks.last - result.tracks.first + 1).astype(np.float64)
    placed = regrouped(state, cast.character, time, stands_for(state, worth))
    after = result.edits.tried(Edit("recluster", placed=placed))
    return Proposal(placed, cast, merges, Difference.between(state, after))


def _worth(result: Result) -> Floats:
    """How well each track stands for its character; -1 for those that take no part.

    The surest of long tracks: those with many pictures, far inside.
    """
    crops = np.bincount(result.embeddings.track, minlength=len(result.tracks))
    part = (crops > 0) & (result.tracks.flaw == Reason.OK)
    return np.where(part, result.cast.confidence * np.sqrt(crops), -1.0)


def _found(result: Result, known: Constraints, hook: Hook) -> tuple[Cast, Merges]:
    """Cluster with what people said."""
    config = recorded_settings(result.folder, Config)
    state = result.edits.state
    flaw = np.where(taken_out(state), np.uint8(Reason.SET_ASIDE), result.tracks.flaw)
    tracks = replace(result.tracks, flaw=flaw)
    hook(Event("start", "cast", unit="comparisons"))
    work = Work(progress=lambda n, of: hook(Event("progress", "cast", n, of, "comparisons")))
    described = (result.embeddings, result.views, result.weights)
    settings = (config.cluster, config.track_quality, config.seed)
    with one_thread() if len(tracks) < MANY else nullcontext():
        cast, merges, _ = find_cast(
            tracks, *described, *settings, good_rounds(result, config), known, work
        )
    hook(Event("done", "cast", unit="comparisons"))
    return cast, merges


def good_rounds(result: Result, config: Config) -> GoodRounds | None:
    """Return the good rounds of learning that the cast was chosen among."""
    if not learns(config) or (config.cluster.choose == STABILITY and config.adapt.pairs != "own"):
        return None
    rounds, _ = Store(result.folder).load("adapt", (Rounds, Epochs))
    return GoodRounds(result.folder, rounds)
