"""Corrections of one clustering, carried over to another of the same film.

Another detector, model or setting gives other tracks.  Tracks of both are the same where they
lie on each other in the same pictures; characters are matched by all their tracks at once, an
assignment over the time that they share.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from videoclusternet.edits.anchor import Anchor
from videoclusternet.edits.base import Base
from videoclusternet.edits.state import State
from videoclusternet.types import Reason
from videoclusternet.types.arrays import Float64, Int64
from videoclusternet.types.boxes import between

OVERLAP = 0.3
"""Intersection over union from which two boxes show the same face: detectors frame faces
differently, and places between those remembered are interpolated."""
AGREE = 0.5
"""Share of the places in which two tracks have to lie on each other."""
MOST = 0.5
"""Share of a character's time that has to come from tracks that were made one."""


@dataclass(frozen=True)
class Pairs:
    """Tracks of two bases that are the same: rows of each, and the frames that they share."""

    old: Int64
    new: Int64
    frames: Float64


def carried(state: State, base: Base, line: int = 0) -> State:
    """Return what a state says of another base of the same film, described in a line of the log.

    An edit that said of some track where it belongs, and whose tracks are none of this base, is
    noted as lost; so is a name whose character is nowhere.
    """
    pairs = same_tracks(state.base, base)
    fresh = State.fresh(base)
    fresh.lost, fresh.line = dict(state.lost), line
    image = _characters(state, fresh, pairs)
    _made_one(state, fresh, pairs, image)
    _known(state, fresh, pairs, image)
    _placed(state, fresh, pairs, image)
    _claims(state, fresh, pairs, image)
    for row in state.living():
        one = state.people[row]
        if one.edit and row not in image:
            fresh.lost[one.edit] = f"no character is where {one.label} was"
    every = {(state.line, person.key): row for row, person in enumerate(state.people)}
    fresh.before = {
        who: image.get(state.now(row), -1) if row >= 0 else -1
        for who, row in (state.before | every).items()
    }
    return fresh


def same_tracks(old: Base, new: Base) -> Pairs:
    """Find tracks of two bases that lie on each other.

    Those known by name are the same where film and name are.
    """
    by_film: dict[str, list[int]] = defaultdict(list)
    for row, places in enumerate(new.places):
        by_film[places[0].film].append(row)
    named = {places[0]: row for row, places in enumerate(new.places) if not places[0].box}
    found: list[tuple[int, int, float]] = []
    for row, places in enumerate(old.places):
        if not places[0].box:
            if places[0] in named:
                found.append((row, named[places[0]], float(old.frames[row])))
            continue
        others = np.array(by_film[places[0].film], dtype=np.int64)
        first = np.maximum(new.first[others], old.first[row])
        shared = np.minimum(new.last[others], old.last[row]) - first + 1
        for other, frames in zip(others[shared > 0], shared[shared > 0], strict=True):
            share = _agreement(old, row, new, int(other))
            if share >= AGREE:
                found.append((row, int(other), float(frames * share)))
    table = np.array(found, dtype=np.float64).reshape(-1, 3)
    return Pairs(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])


def _agreement(old: Base, row: int, new: Base, other: int) -> float:
    """Return the share of remembered places in which two tracks lie on each other."""
    hits = total = 0
    for base, track, seen, by in ((old, row, new, other), (new, other, old, row)):
        for place in base.places[track]:
            if place.box and seen.first[by] <= place.frame <= seen.last[by]:
                total += 1
                hits += _iou(np.array(place.box), _box(seen.places[by], place.frame)) >= OVERLAP
    return hits / total if total else 0.0


def _box(places: tuple[Anchor, ...], frame: int) -> Float64:
    """Return the box of a track in a frame, between the places that are remembered."""
    known = sorted((place.frame, place.box) for place in places)
    return between(frame, np.array([at for at, _ in known]), np.array([box for _, box in known]))


def _iou(one: Float64, other: Float64) -> float:
    inner = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    both = float(np.prod(np.maximum(inner, 0)))
    areas = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]))
    return both / max(areas - both, 1e-9)


def _characters(state: State, fresh: State, pairs: Pairs) -> dict[int, int]:
    """Match characters by the time that they share, and hand over what is known of them."""
    # Here, since every command reads runs and few carry anything over: it takes a quarter second.
    from scipy.optimize import linear_sum_assignment

    shared = np.zeros((len(state.people), len(fresh.people)))
    of, to = state.person[pairs.old], fresh.person[pairs.new]
    both = (of >= 0) & (to >= 0)
    np.add.at(shared, (of[both], to[both]), pairs.frames[both])
    image: dict[int, int] = {}
    for one, other in zip(*linear_sum_assignment(-shared), strict=True):
        if shared[one, other] > 0:
            image[int(one)] = int(other)
            _hand_over(state, fresh, pairs, int(one), int(other))
    return image


def _hand_over(state: State, fresh: State, pairs: Pairs, one: int, other: int) -> None:
    old, new = state.people[one], fresh.people[other]
    fresh.call(other, old.name)
    new.edit, new.note, new.locked, new.hidden = old.edit, old.note, old.locked, old.hidden
    new.take_over(old)
    if old.cover is not None:
        found = pairs.new[pairs.old == state.base.row(old.cover)]
        new.cover = fresh.base.places[int(found[0])][0] if len(found) else None
        new.frame = old.frame


def _made_one(state: State, fresh: State, pairs: Pairs, image: dict[int, int]) -> None:
    """Let what was made one be one: clusters that nobody else is go to it."""
    taken = set(image.values())
    time = fresh.base.frames
    for claim in state.claims():
        if claim.kind != "one":
            continue
        person = int(state.person[min(claim.tracks)])
        inside = np.isin(pairs.old, claim.tracks)
        share = np.bincount(pairs.new[inside], pairs.frames[inside], len(time))
        for other in range(len(fresh.people)):
            rows = fresh.rows(other)
            whole = float(time[rows].sum())
            if other in taken or whole == 0 or share[rows].sum() <= MOST * whole:
                continue
            if person in image:
                fresh.unite([image[person], other], claim.edit)
            else:
                image[person] = other
                _hand_over(state, fresh, pairs, person, other)
            taken.add(other)


def _known(state: State, fresh: State, pairs: Pairs, image: dict[int, int]) -> None:
    """Let those whom people know and clustering does not tell apart any more be as they were."""
    for row in state.living():
        if not state.people[row].edit or row in image:
            continue
        mine = np.isin(pairs.old, state.rows(row))
        share = np.bincount(pairs.new[mine], pairs.frames[mine], len(fresh.base))
        every = np.bincount(pairs.new, pairs.frames, len(fresh.base))
        tracks = np.flatnonzero((share > 0) & (share > MOST * every))
        if len(tracks):
            image[row] = fresh.add(state.people[row].key)
            _hand_over(state, fresh, pairs, row, image[row])
            fresh.person[tracks] = image[row]


def _placed(state: State, fresh: State, pairs: Pairs, image: dict[int, int]) -> None:
    """Put tracks where a person put them, and those of settled characters."""
    settled = [row for row, person in enumerate(state.people) if person.locked]
    held = (state.hand > 0) | np.isin(state.person, settled)
    found = set(pairs.old.tolist())
    for row in np.flatnonzero(held).tolist():
        person, edit = int(state.person[row]), int(state.hand[row])
        if row not in found:
            if edit:
                fresh.lost[edit] = "the film has no track where this one was"
            continue
        tracks = pairs.new[pairs.old == row].tolist()
        if person >= 0 and person not in image:
            image[person] = fresh.add(state.people[person].key)
            _hand_over(state, fresh, pairs, person, image[person])
        fresh.place(tracks, image.get(person, -1), edit, int(state.reason[row]))


def _claims(state: State, fresh: State, pairs: Pairs, image: dict[int, int]) -> None:
    """Say the same of the tracks and characters that they are now."""
    for claim in state.claims():
        people = tuple(image.get(state.now(person), -1) for person in claim.people)
        inside = np.isin(pairs.old, claim.tracks)
        tracks = np.unique(pairs.new[inside]).tolist()
        if -1 in people or len(set(people)) < len(people):
            fresh.lost.setdefault(claim.edit, "a character that it is about is not found again")
            continue
        if not tracks and claim.kind != "two":
            continue
        if claim.kind in ("is not", "left"):
            still = [track for track in tracks if fresh.person[track] in people]
            fresh.place(still, -1, claim.edit, Reason.UNPLACED, by_hand=False)
        fresh.claim(claim.kind, claim.edit, tracks, people)
