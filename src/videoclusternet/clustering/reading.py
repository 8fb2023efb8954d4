"""A reading of the embeddings: which space, and how tracks are joined in it.

The candidates of the final choice are readings.  In settings, tables and on the page one is
written ``space/linkage``, such as ``frozen/own``; distances may be averaged over several
spaces, as in ``frozen+tracks/own``.
"""

from __future__ import annotations

from typing import NamedTuple, Self

OWN = "own"
"""Average linkage in units of the tracks' own thresholds."""
ADAPTED = "adapted"
"""Names the last good round of adaptation, the un-adapted embeddings where there is none."""
_ROUND = "round-"
DIGITS = 4
"""Longest number of a round."""


class Reading(NamedTuple):
    """One way to see the tracks of a film.

    Attributes
    ----------
    space : str
        Of :data:`videoclusternet.clustering.spaces.SPACES`, or a round of adaptation; several
        with ``+`` between them.
    linkage : str
        ``own``, or a rule of :data:`videoclusternet.clustering.paper_rounds.RULES`.
    """

    space: str
    linkage: str

    def __str__(self) -> str:
        return f"{self.space}/{self.linkage}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` writes; a linkage that is not there is empty."""
        space, _, linkage = text.partition("/")
        return cls(space, linkage)

    @property
    def spaces(self) -> tuple[str, ...]:
        """The spaces whose distances are averaged, most often one."""
        return tuple(self.space.split("+"))

    @property
    def scaled(self) -> bool:
        """Whether a scale of the own thresholds is found for it."""
        return self.linkage == OWN


def round_name(number: int) -> str:
    """Return the name of the space after a round of adaptation."""
    return f"{_ROUND}{number}"


def round_number(space: str) -> int | None:
    """Return the round of adaptation that a space is of, None where it is of none."""
    number = space.removeprefix(_ROUND)
    known = number != space and number.isascii() and number.isdecimal() and len(number) <= DIGITS
    return int(number) if known else None
