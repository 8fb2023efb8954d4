"""Why two tracks are one person, or two: the merges between them, and the weakest of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoclusternet.edits.state import Claim, State
from videoclusternet.errors import ConfigError
from videoclusternet.result.result import Result
from videoclusternet.review.situation import Nearness
from videoclusternet.types import Merges
from videoclusternet.types.arrays import Ints


@dataclass(frozen=True)
class Link:
    """A merge between two tracks.

    Attributes
    ----------
    round : int
        Of clustering; 0 where people said that tracks are one.
    one, other : int, shape (n,)
        Tracks on either side.
    distance, threshold : float
        How far apart the sides were, and how far they might have been.
    nearest : (int, int) or None
        Tracks of either side that are nearest to each other: the two that speak for it.
    """

    round: int
    one: Ints
    other: Ints
    distance: float
    threshold: float
    nearest: tuple[int, int] | None

    @property
    def strain(self) -> float:
        """Share of its threshold that it took: 1 only just passed."""
        return max(self.distance, 0.0) / self.threshold if self.threshold > 0 else 0.0


@dataclass(frozen=True)
class Why:
    """Why two tracks are one person, or two.

    Attributes
    ----------
    tracks : (int, int)
    names : (str, str)
        Whose they are.
    links : tuple of Link
        Merges from the one up to where they met and down to the other, in the order in which
        they were made; none where clustering did not join them.
    own : (float, float)
        Own threshold of each, NaN for an Unknown one.
    distance : float
        How far the two are from each other, in units of the distance at which joining stopped;
        NaN where one took no part.
    between : float
        Likewise their characters, NaN where they are one.
    edits : tuple of int
        What people said that makes them one, or two.
    met : tuple of (int, int)
        Tracks of the two characters that are in one picture.
    """

    tracks: tuple[int, int]
    names: tuple[str, str]
    links: tuple[Link, ...]
    own: tuple[float, float]
    distance: float
    between: float
    edits: tuple[int, ...]
    met: tuple[tuple[int, int], ...]

    @property
    def together(self) -> bool:
        """Whether they are one character."""
        return self.names[0] == self.names[1] != "Unknown"

    @property
    def weakest(self) -> Link | None:
        """The merge that only just passed."""
        return max(self.links, key=lambda link: link.strain, default=None)


def why(result: Result, one: int, other: int, near: Nearness | None = None) -> Why:
    """Explain why two tracks are one person, or two.

    Parameters
    ----------
    result : Result
    one, other : int
        Numbers of tracks.
    near : Nearness, optional
        Of the run; measured where it is not given.

    Raises
    ------
    ConfigError
        When there are no such two tracks.
    """
    count = len(result.tracks)
    for track in (one, other):
        if not 0 <= track < count:
            raise ConfigError(f"there is no track {track}", f"there are 0 to {count - 1}")
    if one == other:
        raise ConfigError("these are one and the same track", "name two")
    near = near or Nearness.of(result)
    who = [int(result.cast.character[track]) for track in (one, other)]
    same = who[0] == who[1] >= 0
    place = {int(track): place for place, track in enumerate(near.rows)}
    rows = chain(result.merges, one, other, count) if same else []
    links = tuple(_link(result.merges, row, *sides, near, place) for row, sides in rows)
    return Why(
        tracks=(one, other),
        names=(result.called(who[0]), result.called(who[1])),
        links=links,
        own=(float(result.cast.threshold[one]), float(result.cast.threshold[other])),
        distance=_distance(near, place, one, other),
        between=np.nan if same else _between(result, near, who),
        edits=_edits(result.edits.state, one, other, same, bool(links)),
        met=() if same else _met(result, near, who),
    )


def chain(merges: Merges, one: int, other: int, count: int) -> list[tuple[int, tuple[Ints, Ints]]]:
    """Return the merges between two tracks: rows of the log, with the tracks on either side.

    Parameters
    ----------
    merges : Merges
    one, other : int
    count : int
        Tracks of the run.

    Returns
    -------
    list of (int, (int array, int array))
        In the order of the log; none where it does not join the two.
    """
    group = [np.array([track]) for track in range(count)]
    root = list(range(count))
    found: list[tuple[int, tuple[Ints, Ints]]] = []
    for row, (a, b) in enumerate(zip(merges.a.tolist(), merges.b.tolist(), strict=True)):
        first, second = root[a], root[b]
        if first == second:
            continue
        if {root[one], root[other]} & {first, second}:
            found.append((row, (group[first], group[second])))
        group[first] = np.concatenate([group[first], group[second]])
        for track in group[second].tolist():
            root[track] = first
        if root[one] == root[other]:
            return found
    return []


def _distance(near: Nearness, place: dict[int, int], one: int, other: int) -> float:
    if near.relative is None or one not in place or other not in place:
        return float("nan")
    row = near.relative.block(slice(place[one], place[one] + 1))[0]
    return float(row[place[other]]) / near.scale


def _link(
    merges: Merges, row: int, one: Ints, other: Ints, near: Nearness, place: dict[int, int]
) -> Link:
    return Link(
        round=int(merges.round[row]),
        one=np.sort(one),
        other=np.sort(other),
        distance=float(merges.distance[row]),
        threshold=float(merges.threshold[row]),
        nearest=_nearest(near, place, one, other),
    )


def _nearest(
    near: Nearness, place: dict[int, int], one: Ints, other: Ints
) -> tuple[int, int] | None:
    """Return the tracks of two sides that are nearest to each other."""
    mine = [place[track] for track in one.tolist() if track in place]
    theirs = [place[track] for track in other.tolist() if track in place]
    if near.relative is None or not mine or not theirs:
        return None
    far = near.relative.a[mine] @ near.relative.b[theirs].T
    i, j = np.unravel_index(int(far.argmin()), far.shape)
    return int(near.rows[mine[i]]), int(near.rows[theirs[j]])


def _between(result: Result, near: Nearness, who: list[int]) -> float:
    numbers, far = near.between(result.cast.character)
    at = [int(np.searchsorted(numbers, number)) for number in who]
    if any(k >= len(numbers) or numbers[k] != number for k, number in zip(at, who, strict=True)):
        return float("nan")
    return float(far[at[0]][at[1]])


def _edits(state: State, one: int, other: int, same: bool, merged: bool) -> tuple[int, ...]:
    """Return what people said that made two tracks one, where clustering did not, or two."""
    people = {int(state.person[one]), int(state.person[other])}

    def speaks(claim: Claim) -> bool:
        here = bool({one, other} & set(claim.tracks))
        about = {state.now(person) for person in claim.people}
        if same:
            return not merged and here and claim.kind in ("one", "is")
        return about == people if claim.kind == "two" else here and about <= people

    found = {claim.edit for claim in state.claims() if speaks(claim)}
    return tuple(sorted(found))


def _met(result: Result, near: Nearness, who: list[int]) -> tuple[tuple[int, int], ...]:
    """Return pairs of tracks of two characters that are in one picture."""
    if min(who) < 0:
        return ()
    character = result.cast.character[near.met]
    both = (np.sort(character, axis=1) == np.sort(who)).all(axis=1)
    return tuple((int(a), int(b)) for a, b in near.met[both])
