"""Where in which frames there is something to draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from videoclusternet.export.render.look import Look
from videoclusternet.result.found import Found
from videoclusternet.result.trail import Trail, trail_of
from videoclusternet.types.boxes import overlaps

SAME = 0.3
"""Overlap from which a face that belongs to no track is that of somebody who has one there."""


@dataclass(frozen=True, eq=False)
class Mark:
    """One face on its way through the film.

    Attributes
    ----------
    trail : Trail
    blurred : bool
    character : int
        Whose box it is, as ``cast.character`` has them; -1 for one without a name.
    """

    trail: Trail
    blurred: bool = False
    character: int = -1


def marks_of(run: Found, film: int, look: Look) -> list[Mark]:
    """Return what is drawn into a film, in the order in which it is drawn.

    Parameters
    ----------
    run : Found
    film : int
        Number of the film.
    look : Look

    Returns
    -------
    list of Mark
        What is blurred comes first: boxes lie over it.

    Raises
    ------
    ConfigError
        When a character is not there.
    """
    blurred = look.blurred(run)
    soft: list[Mark] = []
    boxes: list[Mark] = []
    kept: list[Mark] = []
    for track in np.flatnonzero(run.tracks.film == film).tolist():
        trail = trail_of(run, track)
        if trail is None:
            continue
        character = int(run.cast.character[track])
        if character in blurred:
            soft.append(Mark(_longer(run, film, trail), blurred=True))
            continue
        kept.append(Mark(trail))
        named = character >= 0 and not run.people[character].hidden
        if look.boxes and (named or look.unknown):
            boxes.append(Mark(trail, character=character if named else -1))
    if look.blur_others:
        soft += [Mark(trail, blurred=True) for trail in _strays(run, film, look.sure, kept)]
    return soft + boxes


def _longer(run: Found, film: int, trail: Trail) -> Trail:
    """Let a trail begin and end by the detector's stride earlier and later.

    In the frames that it did not see the face may be there already, or still; where a shot
    dissolves into the next, beyond the cut.
    """
    faces = run.films[film].faces
    more = faces.stride if faces else 1
    last = int(trail.frame[-1])
    return replace(trail, first=max(0, trail.first - more), end=max(trail.end, last + 1 + more))


def _strays(run: Found, film: int, sure: float, kept: list[Mark]) -> Iterator[Trail]:
    """Return faces that belong to no track, but those that lie on somebody's who is kept."""
    there = run.films[film]
    faces = there.faces
    if faces is None:
        return
    none = np.ones(len(faces), dtype=bool)
    none[there.tracks.face] = False
    here = Sweep(kept)
    for row in np.flatnonzero(none & (faces.score >= sure)).tolist():
        frame, box = int(faces.frame[row]), faces.box[row].astype(np.float64)
        others = [mark.trail.at(frame) for mark in here.at(frame)]
        if others and overlaps(box[None], np.array(others)).max() >= SAME:
            continue
        yield _longer(run, film, Trail(frame, frame + 1, faces.frame[row : row + 1], box[None]))


class Sweep:
    """Those of many marks that are there in a frame, for frames that rise.

    Parameters
    ----------
    marks : iterable of Mark
    """

    def __init__(self, marks: Iterable[Mark]) -> None:
        self._coming = sorted(enumerate(marks), key=lambda one: -one[1].trail.first)
        self._here: list[tuple[int, Mark]] = []

    def at(self, frame: int) -> list[Mark]:
        """Return those that are there, in the order in which they were given."""
        while self._coming and self._coming[-1][1].trail.first <= frame:
            self._here.append(self._coming.pop())
        here = [(place, mark) for place, mark in self._here if frame < mark.trail.end]
        self._here = sorted(here, key=lambda one: one[0])
        return [mark for _, mark in self._here]
