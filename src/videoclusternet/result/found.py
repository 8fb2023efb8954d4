"""A finished run as its tables have it: films, tracks, the cast that everybody sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from videoclusternet.edits.base import Origin
from videoclusternet.edits.state import Person
from videoclusternet.result.described import Described
from videoclusternet.result.edits import Edits
from videoclusternet.types import Candidates, Cast, Merges


@dataclass(frozen=True)
class Found(Described):
    """A finished run.

    Attributes
    ----------
    folder : Path
        The run folder.
    films : tuple of Film
    tracks : Tracks
        Of all films, end to end.
    clustering : Cast
        As the method found it, row by row with ``tracks``.
    clustering_merges : Merges
        How that came about.
    candidates : Candidates
    """

    clustering: Cast
    clustering_merges: Merges
    candidates: Candidates

    @cached_property
    def edits(self) -> Edits:
        """What people decided; here they decide more."""
        films = [Origin(f.content, f.tracks, f.faces, f.track_names) for f in self.films]
        return Edits(self.folder, films, self.clustering, self.clustering_merges)

    @property
    def cast(self) -> Cast:
        """The cast that everybody sees: the clustering, with the edits over it."""
        return self.edits.cast

    @property
    def merges(self) -> Merges:
        """How the latest clustering came about."""
        return self.edits.merges

    @property
    def people(self) -> dict[int, Person]:
        """Characters that there are, by their number as ``cast.character`` has it."""
        return self.edits.people

    @property
    def shown(self) -> list[int]:
        """Characters that people did not hide, by number as above, ascending."""
        return sorted(index for index, person in self.people.items() if not person.hidden)

    def called(self, character: int) -> str:
        """Return the name of a character, ``Character 3`` without one; -1 is ``Unknown``."""
        return self.people[character].label if character >= 0 else "Unknown"

    def index_of(self, character: int | str) -> int:
        """Return the number in ``cast.character`` of a character.

        Parameters
        ----------
        character : int or str
            Its number from 1, or its name; ``Unknown`` is -1.

        Raises
        ------
        NoCharacterError
            When there is none; the nearest name is suggested.
        """
        if str(character) == self.called(-1):
            return -1
        key = self.edits.key(character)
        return next(index for index, person in self.people.items() if person.key == key)
