"""What can be said of a cast, each as one call: ``edits.name(3, "Anna")``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import groupby
from numbers import Integral

from videoclusternet.edits.base import Base
from videoclusternet.edits.edit import NEW, UNKNOWN, Edit
from videoclusternet.edits.state import Person
from videoclusternet.edits.verbs import cleaned, cleaned_name
from videoclusternet.errors import ConfigError, NoCharacterError
from videoclusternet.outside.names import as_seen
from videoclusternet.outside.text import meant, shown

Character = int | str
"""A character: its number as shown, from 1, or its name."""
TrackNumbers = int | Iterable[int]
"""A track, or some: numbers as shown, from 0."""


class Decisions(ABC):
    """The verbs, over whatever writes them down.

    Attributes
    ----------
    people : dict of int to Person
        Characters that there are, by their number less 1, as ``cast.character`` has it.
    """

    people: dict[int, Person]

    @property
    @abstractmethod
    def base(self) -> Base:
        """The tracks that decisions are about."""

    @abstractmethod
    def say(self, edit: Edit) -> Edit:
        """Take a decision, and return it as it was written down."""

    def name(self, character: Character, name: str) -> Edit:
        """Call a character by a name; one that another has makes the two one.  Empty: no name."""
        return self.say(Edit("name", (self.key(character),), text=cleaned_name(name)))

    def merge(self, *characters: Character) -> Edit:
        """Make characters one; the first keeps its number."""
        return self.say(Edit("merge", tuple(map(self.key, characters))))

    def move(self, tracks: TrackNumbers, to: Character) -> Edit:
        """Put tracks where they belong: a character, ``"new"`` or ``"unknown"``."""
        word = str(to).strip().casefold()
        place = word if word in (NEW, UNKNOWN) else self.key(to)
        return self.say(self._of_tracks("move", tracks, to=place))

    def split(self, character: Character, tracks: TrackNumbers) -> Edit:
        """Take tracks out of a character and make them one of their own."""
        return self.say(self._of_tracks("split", tracks, self.key(character)))

    def not_this(self, character: Character, tracks: TrackNumbers) -> Edit:
        """Say that tracks do not show a character; who they are stays open."""
        return self.say(self._of_tracks("not", tracks, self.key(character)))

    def not_a_face(self, tracks: TrackNumbers) -> Edit:
        """Say that tracks show no face."""
        return self.say(self._of_tracks("not-a-face", tracks))

    def confirm(self, tracks: TrackNumbers) -> Edit:
        """Say that tracks are where they belong."""
        return self.say(self._of_tracks("confirm", tracks))

    def apart(self, *characters: Character) -> Edit:
        """Say that characters are different people."""
        return self.say(Edit("apart", tuple(map(self.key, characters))))

    def lock(self, *characters: Character) -> Edit:
        """Settle characters: nothing leaves or enters them."""
        return self.say(Edit("lock", tuple(map(self.key, characters))))

    def unlock(self, *characters: Character) -> Edit:
        """Take :meth:`lock` back."""
        return self.say(Edit("unlock", tuple(map(self.key, characters))))

    def hide(self, *characters: Character) -> Edit:
        """Leave characters out of what is shown and exported."""
        return self.say(Edit("hide", tuple(map(self.key, characters))))

    def unhide(self, *characters: Character) -> Edit:
        """Take :meth:`hide` back."""
        return self.say(Edit("unhide", tuple(map(self.key, characters))))

    def cover(self, character: Character, track: int, frame: int | None = None) -> Edit:
        """Choose the picture that stands for a character: of a track, near a frame or its best."""
        near = "" if frame is None else str(frame)
        return self.say(self._of_tracks("cover", track, self.key(character), near))

    def note(self, character: Character, text: str) -> Edit:
        """Write something down about a character."""
        return self.say(Edit("note", (self.key(character),), text=cleaned(text)))

    def key(self, character: Character) -> str:
        """Return the key of a character, by its number as shown or by its name.

        Raises
        ------
        NoCharacterError
            When there is none; the nearest name is suggested.
        """
        said = as_seen(str(character)).strip()
        for person in self.people.values():
            if said in (str(person.number), as_seen(person.label)):  # no name is nobody's
                return person.key
        names = [person.label for person in self.people.values()]
        there = _listed(sorted(person.number for person in self.people.values()))
        raise NoCharacterError(
            f"there is no character {shown(said)}", f"{meant(said, names)}there are {there}"
        )

    def _of_tracks(
        self, verb: str, tracks: TrackNumbers, character: str = "", to: str = ""
    ) -> Edit:
        base = self.base
        rows = _numbers(tracks)
        for row in rows:
            if not 0 <= row < len(base):
                raise ConfigError(
                    f"there is no track {row}", f"tracks are numbered from 0 to {len(base) - 1}"
                )
        places = tuple(base.places[row][0] for row in dict.fromkeys(rows))
        return Edit(verb, (character,) if character else (), places, to)


def _listed(numbers: Sequence[int]) -> str:
    """Write ascending numbers, three and more in a row as ``1 to 200``."""
    said: list[str] = []
    for _, some in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        row = [number for _, number in some]
        said += [f"{row[0]} to {row[-1]}"] if row[2:] else map(str, row)
    return ", ".join(said) or "none"


def _numbers(tracks: TrackNumbers) -> list[int]:
    """Return numbers of tracks, of NumPy's integers as well.

    Raises
    ------
    ConfigError
        When something else was given.
    """
    some: Iterable[object] = (
        tracks if isinstance(tracks, Iterable) and not isinstance(tracks, str) else [tracks]
    )
    found = []
    for track in some:
        if isinstance(track, bool) or not isinstance(track, Integral):
            raise ConfigError(f"{shown(track)} is no number of a track", "tracks count from 0")
        found.append(int(track))
    return found
