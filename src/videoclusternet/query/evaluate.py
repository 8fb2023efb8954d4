"""The answer to a query in one film: of who is where, the frames in which it is so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from videoclusternet.errors import ConfigError
from videoclusternet.outside.text import shown
from videoclusternet.query.intervals import Intervals, intersection, union
from videoclusternet.query.language import And, Anybody, Node, Not, Or, Who
from videoclusternet.types.arrays import Int64

_REACH = re.compile(r"([0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})\s*(s|ms|f|)", re.IGNORECASE)


@dataclass(frozen=True)
class Reach:
    """How far from each other people may be.

    Attributes
    ----------
    length : Fraction
        Seconds, or frames.
    frames : bool
        Which of the two.
    """

    length: Fraction = Fraction(0)
    frames: bool = False

    @classmethod
    def read(cls, text: str) -> Reach:
        """Read ``2``, ``2s``, ``500ms`` or ``48f``.

        Raises
        ------
        ConfigError
            When it is none of these.
        """
        found = _REACH.fullmatch(text.strip())
        unit = found[2].lower() if found else ""
        length = Fraction(found[1].rstrip(".")) if found else Fraction(-1)
        if length < 0 or (unit == "f" and length.denominator > 1):
            raise ConfigError(
                f"together within {shown(text)}?", "seconds or frames, as 2, 2s, 500ms or 48f"
            )
        return cls(length / 1000 if unit == "ms" else length, unit == "f")


@dataclass(frozen=True)
class Stage:
    """One film, as a query sees it.

    Attributes
    ----------
    ticks : int64, shape (F,)
        When each frame is shown; rising.
    people : mapping of str to Intervals
        Where everybody whom the query names is on screen.
    anybody : Intervals
        Where a character is on screen.
    reach : int
        Ticks that people of an ``&`` may be apart; 0 where they have to share a frame.
    """

    ticks: Int64
    people: Mapping[str, Intervals]
    anybody: Intervals
    reach: int = 0


def evaluate(node: Node, stage: Stage) -> Intervals:
    """Return the frames of a film in which a query is so.

    ``!`` is every other frame of the film.  With a reach, the parts of an ``&`` that are no
    ``!`` may be apart: a frame counts in which one of them is so, if frames can be found, one
    in which each of the others is so, that all lie within the reach together with this one.
    Parts that are a ``!`` hold in the frame itself.

    Parameters
    ----------
    node : Node
        Every name in it is one of the stage's.
    stage : Stage
    """
    if isinstance(node, Who):
        return stage.people[node.name]
    if isinstance(node, Anybody):
        return stage.anybody
    if isinstance(node, Not):
        return evaluate(node.part, stage).outside(len(stage.ticks))
    if isinstance(node, Or):
        return union([evaluate(part, stage) for part in node.parts])
    return _all(node, stage)


def _all(node: And, stage: Stage) -> Intervals:
    here = [evaluate(part, stage) for part in node.parts if not isinstance(part, Not)]
    away = [evaluate(part, stage) for part in node.parts if isinstance(part, Not)]
    if stage.reach and len(here) > 1:
        here = [_near(here, stage)]
    return intersection(here + away)


def _near(sets: Sequence[Intervals], stage: Stage) -> Intervals:
    """Return the frames of any set that lie within the reach with a frame of every other."""
    # Frames that lie within the reach do so from the first of them on: these are such firsts.
    begins = intersection([one.sooner(stage.ticks, stage.reach) for one in sets])
    return intersection([begins.later(stage.ticks, stage.reach), union(sets)])
