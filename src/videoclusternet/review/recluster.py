"""``vcn recluster``: the characters of a finished run found anew, with corrections held to.

Neither film nor pictures are needed.  What people said becomes constraints; the result is one
more edit, so that it can be undone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from videoclusternet.clustering.find_cast import GoodRounds, find_known_cast
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.clustering.known.suggested import Suggested
from videoclusternet.clustering.reading import Reading, round_number
from videoclusternet.config import Config
from videoclusternet.edits.constraints import constraints_of, taken_out
from videoclusternet.edits.edit import Edit
from videoclusternet.edits.regroup import Difference, regrouped
from videoclusternet.engine.work import Work
from videoclusternet.events import Event, Hook, silent
from videoclusternet.library.adding.offered import weights_of
from videoclusternet.library.meeting import people_near, take_up, would_be
from videoclusternet.result.result import Result, open_run
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.steps import recorded_settings
from videoclusternet.types import Cast, Constraints, Epochs, Merges, Reason, Rounds
from videoclusternet.types.arrays import Bools, Floats, UInt8

SURE = 0.9
"""Confidence from which a track that was denied finds a place: it lies far from most, and was
taken for somebody else once."""


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
    suggested : Suggested
        Who of a library is here.
    people : Gallery or None
        Who was asked about.
    """

    placed: tuple[str, ...]
    cast: Cast
    merges: Merges
    difference: Difference
    suggested: Suggested
    people: Gallery | None


def recluster(
    folder: Path | str, hook: Hook = silent, library: Path | str | None = None
) -> tuple[Result, Difference]:
    """Find the characters of a finished run anew, with all that people said of them.

    Parameters
    ----------
    folder : path
        Run folder.
    hook : Hook
    library : path, optional
        People who are known; ``default`` is the user's own.

    Returns
    -------
    Result, Difference
        The run, and what is otherwise than before, names from the library apart.  Where nothing
        is, nothing was written.

    Raises
    ------
    ContradictionError
        When tracks are said to be one person and two; names them and the edits.
    StoreError
        When the run is damaged, or somebody edits it meanwhile.
    """
    result = open_run(folder)
    found = propose(result, hook, library)
    accept(result, found, library)
    return result, found.difference


def accept(result: Result, found: Proposal, library: Path | str | None = None) -> list[Edit]:
    """Take over a proposal, where anything is otherwise, and return who was recognised."""
    if found.difference:
        result.edits.regroup(found.placed, found.cast, found.merges)
    if library is None or found.people is None:
        return []
    return take_up(result, found.suggested, found.cast, found.people, library)


def foreseen(result: Result, found: Proposal) -> list[Edit]:
    """Return who would be recognised if a proposal were taken over; nothing is written."""
    if found.people is None:
        return []
    after = result.edits.tried(Edit("recluster", placed=found.placed))
    return would_be(result, after, found.suggested, found.cast, found.people)


def propose(result: Result, hook: Hook = silent, library: Path | str | None = None) -> Proposal:
    """Find the characters of a run anew; nothing is written.

    Raises
    ------
    ContradictionError
        As :func:`recluster`.
    """
    state = result.edits.state
    people = None
    if library is not None:
        films = {film.content for film in result.films}
        digest = weights_of(result).digest
        people = people_near(library, digest, result.embeddings, result.weights, films)
    known = constraints_of(state, _worth(result))
    cast, merges, suggested = _found(result, known, people, hook)
    time = (result.tracks.last - result.tracks.first + 1).astype(np.float64)
    placed = regrouped(state, cast.character, time)
    after = result.edits.tried(Edit("recluster", placed=placed))
    return Proposal(placed, cast, merges, Difference.between(state, after), suggested, people)


def _worth(result: Result) -> Floats:
    """How well each track stands for its character; -1 for those that take no part.

    The surest of long tracks: those with many pictures, far inside.
    """
    crops = np.bincount(result.embeddings.track, minlength=len(result.tracks))
    part = (crops > 0) & (result.tracks.flaw == Reason.OK)
    return np.where(part, result.cast.confidence * np.sqrt(crops), -1.0)


def _found(
    result: Result, known: Constraints, people: Gallery | None, hook: Hook
) -> tuple[Cast, Merges, Suggested]:
    """Cluster with what people said, by the reading and the scale that the film was read by.

    Both were chosen by what comes back in halves of the film.  What has to stay together always
    does: it would make any reading look stable, and any track sure of its company.
    """
    config, found = recorded_settings(result.folder, Config), result.clustering
    scales = dict(zip(result.candidates.names, result.candidates.scale.tolist(), strict=True))
    scale = scales.get(found.chosen, np.nan)
    cluster = config.cluster.model_copy(
        update={"choose": found.chosen, "scale": 0.0 if np.isnan(scale) else scale}
    )
    # What was denied before somebody was forgotten stands in the clustering itself.
    open_ = np.isin(found.reason, (Reason.UNSURE, Reason.UNPLACED))
    aside = np.where(open_, np.uint8(Reason.OK), found.reason)
    aside[taken_out(result.edits.state)] = Reason.SET_ASIDE
    tracks = replace(result.tracks, flaw=aside)
    judged = config.track_quality.model_copy(update={"enabled": False})  # as it was
    hook(Event("start", "cast", unit="comparisons"))
    work = Work(progress=lambda n, of: hook(Event("progress", "cast", n, of, "comparisons")))
    faces = (tracks, result.embeddings, result.views, result.weights)
    rounds = good_rounds(result)
    cast, merges, _, suggested = find_known_cast(
        *faces, cluster, judged, config.seed, people, rounds, known, work
    )
    hook(Event("done", "cast", unit="comparisons"))
    denied = (result.edits.state.reason == Reason.UNPLACED) | (found.reason == Reason.UNPLACED)
    unsure = (found.reason == Reason.UNSURE) | denied & (cast.confidence < SURE)
    return _left_open(cast, unsure, found.reason), merges, suggested


def _left_open(cast: Cast, unsure: Bools, reason: UInt8) -> Cast:
    """Leave some tracks Unknown, with whom they probably show."""
    unsure = unsure & (cast.character >= 0)
    character = np.where(unsure, -1, cast.character)
    why = np.where(reason == Reason.OK, np.uint8(Reason.UNPLACED), reason)
    return replace(
        cast,
        character=character,
        reason=np.where(unsure, why, cast.reason),
        alike=tuple(pair for pair in cast.alike if np.isin(pair, character).all()),
        threshold=np.where(unsure, np.float32(np.nan), cast.threshold),
        confidence=np.where(unsure, np.float32(0), cast.confidence),
        probable=np.where(unsure & np.isin(cast.character, character), cast.character, -1),
    )


def good_rounds(result: Result) -> GoodRounds | None:
    """Return the good rounds of learning, where the film was read by one."""
    if not any(round_number(one) for one in Reading.parse(result.clustering.chosen).spaces):
        return None
    from videoclusternet.adapt import rounds as learnt  # loads torch, which few runs need

    rounds, _ = Store(result.folder).load("adapt", (Rounds, Epochs))
    return learnt.GoodRounds(result.folder, rounds)
