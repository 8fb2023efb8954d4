"""Who of a library seems to be in a film: what clustering says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from videoclusternet.types.arrays import Float32, Int32
from videoclusternet.types.table import Table


@dataclass(frozen=True, eq=False)
class Suggested(Table):
    """Characters that joined a known person.

    Names are not among it: whoever is forgotten or called otherwise later is so in one place.

    Attributes
    ----------
    character : int32, shape (n,)
        Number of the character, ascending.
    sure : float32, shape (n,)
        Probability that it shows that person, mean over its tracks.
    people : tuple of str, length n
        Key of the person in the library.
    """

    FILE: ClassVar = "suggested"
    COLUMNS: ClassVar = {"character": ("i4", ("n",)), "sure": ("f4", ("n",))}
    character: Int32
    sure: Float32
    people: tuple[str, ...]

    def check(self) -> None:
        """One person for each character."""
        object.__setattr__(self, "people", tuple(self.people))
        if len(self.people) != len(self) or len(set(self.people)) != len(self):
            raise ValueError("Suggested.people must be one for each character")
        if (np.diff(self.character) <= 0).any() or (self.character < 0).any():
            raise ValueError("Suggested.character must rise strictly from 0")

    def __len__(self) -> int:
        return len(self.character)
