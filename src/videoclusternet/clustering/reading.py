"""A reading of the embeddings: which space, and how tracks are joined in it.

The candidates of the final choice are readings.  In settings, tables and on the page one is
written ``space/linkage``, such as ``frozen/own``; distances may be averaged over several
spaces, as in ``frozen+tracks/own``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Self

from videoclusternet.clustering.paper_rounds import RULES
from videoclusternet.clustering.spaces import SPACES
from videoclusternet.config import ClusterConfig
from videoclusternet.errors import ConfigError
from videoclusternet.outside.text import shown

STABILITY = "stability"
"""The choice that compares all candidates."""
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


def check_choice(config: ClusterConfig) -> None:
    """Refuse settings that would only fail at the last step, after hours of looking.

    Raises
    ------
    ConfigError
        When no candidate has the given name, or the paper's algorithm has no rule.
    """
    asked = Reading.parse(config.choose)
    rules = (OWN, *RULES, "and")
    known = (*SPACES, ADAPTED)
    there = all(one in known or round_number(one) is not None for one in asked.spaces)
    several = len(asked.spaces) > 1
    fits = asked.linkage in rules[: 1 if several else None] and (several or asked.space)
    if config.choose != STABILITY and not (there and fits):
        raise ConfigError(
            f"no candidate {shown(config.choose)} for cluster.choose",
            f"choose stability or SPACE/RULE: a space of {', '.join(known)}, round-1 and so on; "
            f"a rule of {', '.join(rules)}; several spaces with + between them go with {OWN}",
        )
    if config.algorithm == "vcn" and config.thresholds != "views":
        raise ConfigError(
            "cluster.thresholds=crops is for cluster.algorithm=paper",
            "every reading of algorithm vcn measures thresholds on views",
        )
    if config.algorithm == "paper" and asked.linkage not in rules[1:]:
        raise ConfigError(
            "cluster.algorithm=paper needs a named rule", "set cluster.choose=frozen/or"
        )


def asked_reading(choice: str, rounds: Collection[str]) -> Reading:
    """Read the name of a reading; ``adapted`` is the last good round, without one the frozen.

    Parameters
    ----------
    choice : str
    rounds : collection of str
        Good rounds of adaptation, in order.

    Raises
    ------
    ConfigError
        When it is of a round that is not there.
    """
    asked = Reading.parse(choice)
    last = [SPACES[0], *rounds][-1]
    spaces = [last if one == ADAPTED else one for one in asked.spaces]
    for one in spaces:
        if round_number(one) is not None and one not in rounds:
            known = ", ".join(rounds) or "none"
            raise ConfigError(
                f"there is no good {one} for cluster.choose",
                f"good rounds: {known}; see adapt.rounds",
            )
    return Reading("+".join(dict.fromkeys(spaces)), asked.linkage)
