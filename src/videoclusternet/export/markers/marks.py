"""Markers of a timeline: one a frame, as Resolve and Media Composer hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from videoclusternet.export.palette import Colour, colour_of
from videoclusternet.export.plain import one_line
from videoclusternet.export.sheet import Appearance, Player
from videoclusternet.show.words import several


@dataclass(frozen=True)
class Mark:
    """Everybody who comes on screen at a frame.

    Attributes
    ----------
    into : int
        The frame of the timeline.
    length : int
        Frames to the end of the longest appearance.
    name : str
        ``Anna``, or ``Anna, Ben``; one line.
    each : str
        How long each of several is on screen: ``Anna (48 frames), Ben (1 frame)``; empty for
        one.
    player : Player
        The first of them, whose colour it has.
    """

    into: int
    length: int
    name: str
    each: str
    player: Player

    @property
    def colour(self) -> Colour:
        """That of its player."""
        return colour_of(self.player.number)


def marks_of(appearances: Iterable[Appearance]) -> list[Mark]:
    """Return the markers of a film: appearances that begin at one frame share one."""
    marks = []
    for into, group in groupby(sorted(appearances, key=_order), key=lambda one: one.into):
        some = list(group)
        each = [(one_line(one.player.name), one.length) for one in some]
        lengths = ", ".join(f"{name} ({several(length, 'frame')})" for name, length in each)
        marks.append(
            Mark(
                into=into,
                length=max(length for _, length in each),
                name=", ".join(name for name, _ in each),
                each=lengths if len(each) > 1 else "",
                player=some[0].player,
            )
        )
    return marks


def _order(one: Appearance) -> tuple[int, int, str]:
    return one.into, one.player.number, one.player.name
