"""A clustering as people have corrected it: who is who, and what was said about whom."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from videoclusternet.edits.anchor import Anchor
from videoclusternet.edits.base import Base
from videoclusternet.errors import ConfigError
from videoclusternet.types.arrays import Int32, Int64, UInt8

Kind = Literal["one", "is", "is not", "left", "two"]


@dataclass
class Person:
    """A character as people see it.

    Attributes
    ----------
    key : str
        Stays the same whatever becomes of its number: see :class:`Edit`.
    number : int
        As shown, from 1.
    name, note : str
        Empty where nothing is said.
    locked, hidden : bool
    cover : Anchor or None
        Track whose picture stands for it.
    frame : int
        Frame of that picture; -1 for the best of the track.
    edit : int
        The last one that said something of it as a whole, 0 where none did.
    known : str
        Key of the person of a library who gave it the name, empty where none did.
    films : int
        Films that the library has of that person.
    sure : float
        How probably it shows that person.
    """

    key: str
    number: int
    name: str = ""
    note: str = ""
    locked: bool = False
    hidden: bool = False
    cover: Anchor | None = None
    frame: int = -1
    edit: int = 0
    known: str = ""
    films: int = 0
    sure: float = 0.0

    @property
    def kind(self) -> str:
        """``regular``, known from several films; ``guest``, known otherwise; else ``stranger``."""
        return ("regular" if self.films > 1 else "guest") if self.known else "stranger"

    def take_over(self, other: Person) -> None:
        """Be known as another one is."""
        self.known, self.films, self.sure = other.known, other.films, other.sure

    @property
    def label(self) -> str:
        """Name, or ``Character 3``."""
        return self.name or f"Character {self.number}"


@dataclass(frozen=True, eq=False, slots=True)
class Claim:
    """What was said of tracks and characters, for a clustering to come.

    Attributes
    ----------
    kind : str
        ``one``: the tracks show one person.  ``is``, ``is not``: they show that character, or
        do not.  ``left``: they were moved away from it, so the same unless the two turn out to
        be one.  ``two``: the characters are two people.
    edit : int
        Who said so.
    tracks : tuple of int
        Rows of the base; of ``two`` none.
    people : tuple of int
        Rows of :attr:`State.people`, see :meth:`State.now`.
    """

    kind: Kind
    edit: int
    tracks: tuple[int, ...] = ()
    people: tuple[int, ...] = ()


Denials = tuple[Claim, "Denials"] | None
"""What was denied of a character, the last first: states share the rest of it."""


@dataclass
class State:
    """T tracks, whose each of them is, and what was said.

    Attributes
    ----------
    base : Base
    person : int32, shape (T,)
        Row of ``people``, -1 Unknown.
    reason : uint8, shape (T,)
        :class:`Reason` of tracks that are Unknown by hand, else 0.
    hand : int32, shape (T,)
        Edit that said of this very track where it belongs, else 0.
    moved : int32, shape (T,)
        Edit that took the track from elsewhere, else 0: what was said before of the company
        that it keeps holds no more.
    people : list of Person
        Those that clustering found first, also those that have no track any more.
    lost : dict of int to str
        Edits that could not be placed, and why.
    line : int
        Line of the log that describes the base, 0 where none does.
    before : dict of (int, str) to int
        What became of the characters of earlier bases, by the line of these and their key: rows
        of ``people``, -1 for nobody.
    """

    base: Base
    person: Int32
    reason: UInt8
    hand: Int32
    moved: Int32
    people: list[Person]
    lost: dict[int, str] = field(default_factory=dict)
    line: int = 0
    before: dict[tuple[int, str], int] = field(default_factory=dict)
    _into: list[int] = field(default_factory=list)
    _said: list[Claim] = field(default_factory=list)
    _denied: dict[int, Denials] = field(default_factory=dict)
    _key: dict[str, int] = field(default_factory=dict)
    _named: dict[str, int] = field(default_factory=dict)

    @classmethod
    def fresh(cls, base: Base) -> State:
        """Return a clustering about which nothing was said."""
        hand = np.zeros(len(base), dtype=np.int32)
        reason = np.zeros(len(base), dtype=np.uint8)
        state = cls(base, base.character.copy(), reason, hand, hand.copy(), [])
        for number in range(base.characters):
            state.add(str(number + 1))
        return state

    def copied(self) -> State:
        """Return a copy that can be changed."""
        other = copy.copy(self)
        other.person, other.hand = self.person.copy(), self.hand.copy()
        other.reason, other.moved = self.reason.copy(), self.moved.copy()
        other.people = [copy.copy(person) for person in self.people]
        other.lost, other._into = dict(self.lost), list(self._into)
        other._key, other._named = dict(self._key), dict(self._named)
        other._said, other._denied = list(self._said), dict(self._denied)
        return other

    def claims(self) -> list[Claim]:
        """Return all that was said and still holds, in order."""
        held = (replace(claim, tracks=self._held(claim)) for claim in self._said)
        return [claim for claim in held if claim.tracks or claim.kind == "two"]

    def _held(self, claim: Claim) -> tuple[int, ...]:
        """Return the tracks of which a claim still holds."""
        if claim.kind in ("one", "is"):
            return tuple(track for track in claim.tracks if self.moved[track] <= claim.edit)
        # It was put there after all.
        denied = {self.now(person) for person in claim.people}
        return tuple(track for track in claim.tracks if int(self.person[track]) not in denied)

    def claim(
        self, kind: Kind, edit: int, tracks: Iterable[int] = (), people: tuple[int, ...] = ()
    ) -> None:
        """Note what was said."""
        said = Claim(kind, edit, tuple(tracks), people)
        self._said.append(said)
        if kind in ("is not", "two"):
            for person in people:
                self._denied[person] = (said, self._denied.get(person))

    def denied(self, person: int) -> Iterator[Claim]:
        """Return what was denied of a character: who it is not, and which tracks are not it."""
        link = self._denied.get(person)
        while link is not None:
            claim, link = link
            yield claim

    def now(self, person: int) -> int:
        """Return the row of what became of a character that was made one with others."""
        while self._into[person] != person:
            person = self._into[person]
        return person

    def key(self, key: str) -> int:
        """Return the row of a character, also of one without tracks; -1 where there is none."""
        return self._key.get(key, -1)

    def said_of(self, key: str, base: int) -> int:
        """Return the row of a character that an edit of some base is about; -1 for nobody."""
        row = self.key(key) if base in (self.line, 0) else self.before.get((base, key), -1)
        return self.now(row) if row >= 0 else -1

    def find(self, key: str) -> int:
        """Return the row of a character.

        Raises
        ------
        ConfigError
            When there is none of this key, or it has no track any more.
        """
        row = self.key(key)
        if row < 0 or not (self.person == row).any():
            raise ConfigError(f"there is no character {key} any more", "see `vcn show`")
        return row

    def called(self, name: str) -> int:
        """Return the row of the character of a name; -1 where there is none."""
        row = self._named.get(name, -1)
        return row if row >= 0 and (self.person == row).any() else -1

    def call(self, person: int, name: str) -> None:
        """Give a character a name, or none."""
        self._named.pop(self.people[person].name, None)
        self.people[person].name = name
        if name:
            self._named[name] = person

    def rows(self, person: int) -> Int64:
        """Return the tracks of a character, ascending."""
        return np.flatnonzero(self.person == person)

    def row(self, track: Anchor) -> int:
        """Return the row of a track.

        Raises
        ------
        ConfigError
            When there is none.
        """
        found = self.base.row(track)
        if found < 0:
            raise ConfigError("there is no such track", "see `vcn show`")
        return found

    def add(self, key: str) -> int:
        """Make a character without tracks and return its row; numbers are never used again."""
        number = self.people[-1].number + 1 if self.people else 1
        self.people.append(Person(key, number))
        self._into.append(len(self._into))
        self._key[key] = len(self.people) - 1
        return len(self.people) - 1

    def unite(self, people: list[int], edit: int) -> None:
        """Make characters one; the first keeps its number, its name unless it has none."""
        first, others = people[0], people[1:]
        every = [self.people[person] for person in people]
        named = next((one for one in every if one.name), every[0])
        name = named.name
        every[0].take_over(named)
        for person in people:
            self.call(person, "")
        self.call(first, name)
        every[0].note = "; ".join(dict.fromkeys(one.note for one in every if one.note))
        rows = np.flatnonzero(np.isin(self.person, people))
        self.person[rows] = first
        for person in others:
            self._into[person] = first
            for claim in self.denied(person):
                self._denied[first] = (claim, self._denied.get(first))
        self.claim("one", edit, rows.tolist())

    def living(self) -> list[int]:
        """Return the rows of the characters that have tracks, by number."""
        return [int(row) for row in np.unique(self.person[self.person >= 0])]

    def place(
        self, tracks: list[int], person: int, edit: int, reason: int = 0, by_hand: bool = True
    ) -> None:
        """Put tracks somewhere: what was said before of their company gives way.

        Parameters
        ----------
        tracks : list of int
        person : int
            -1 for Unknown.
        edit : int
        reason : int
            Why they are Unknown.
        by_hand : bool
            Whether that is where they belong; else it stays open.
        """
        rows = np.array(tracks, dtype=np.int64)
        self.person[rows] = person
        self.reason[rows] = reason
        self.hand[rows] = edit if by_hand else 0
        self.moved[rows] = edit
