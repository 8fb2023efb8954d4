"""One human decision, as a line of the log."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from videoclusternet.edits.anchor import LARGEST, Anchor

VERBS = {
    "name": "call a character by a name; one that another has makes the two one",
    "merge": "make characters one; the first keeps its number",
    "move": "put tracks where they belong: a character, a new one, Unknown",
    "split": "take tracks out of a character and make them one of their own",
    "not": "say that tracks do not show a character; who they are stays open",
    "not-a-face": "say that tracks show no face",
    "confirm": "say that tracks are where they belong",
    "apart": "say that characters are different people",
    "lock": "settle a character: nothing leaves or enters it",
    "unlock": "take that back",
    "hide": "leave a character out of what is shown and exported",
    "unhide": "take that back",
    "cover": "choose the picture that stands for a character",
    "note": "write something down about a character",
    "recognise": "call a character by the name of whom it seems to show, by a library of people",
    "recluster": "find the characters anew, with what was said before held to",
}
"""What can be said, and what it means."""
STEPS = ("undo", "redo")
"""Lines that take the last decision back, or take that back."""
PAST, FORGET = "past", "forget"
"""Lines that keep on record what was decided before somebody was forgotten, and that it was so."""
OF_ONE = ("name", "split", "not", "cover", "note", "recognise")
"""Verbs about one character."""
NEW, UNKNOWN = "new", "unknown"
"""Where else than to a character tracks can be moved."""
MOST_TEXT = 2000
"""Letters of a name or note."""


class Edit(NamedTuple):
    """A decision.

    Attributes
    ----------
    verb : str
        One of ``VERBS``, or of ``STEPS``, ``past`` or ``forget``.
    characters : tuple of str
        Keys of the characters that it touches: ``"3"`` for the third that clustering found,
        ``"e7"`` for one that edit 7 made.
    tracks : tuple of Anchor
        Tracks that it touches.
    to : str
        Where tracks go: the key of a character, ``new`` or ``unknown``.  Of recognise the key of
        the person in the library.
    text : str
        A name or a note; of recluster the hash of the cast that was found, of past the decision
        in words.
    of : int
        Of undo and redo: the edit.  Of recognise: films that the library has of the person.
    placed : tuple of str
        Of recluster: the key of the character of each track of the base, ``+1`` and so on for
        new ones, empty for Unknown.
    id : int
        Number of its line.
    time : str
        When, in UTC.
    author : str
    base : int
        Line of the base that it was made on.
    sure : float
        Of recognise: how probably it is so.
    """

    verb: str
    characters: tuple[str, ...] = ()
    tracks: tuple[Anchor, ...] = ()
    to: str = ""
    text: str = ""
    of: int = 0
    placed: tuple[str, ...] = ()
    id: int = 0
    time: str = ""
    author: str = ""
    base: int = 0
    sure: float = 0.0

    def record(self) -> dict[str, Any]:
        """Return JSON-able values; what is not said is left out."""
        every: dict[str, Any] = {
            "id": self.id,
            "time": self.time,
            "author": self.author,
            "base": self.base,
            "verb": self.verb,
            "characters": list(self.characters),
            "tracks": [track.record() for track in self.tracks],
            "to": self.to,
            "text": self.text,
            "of": self.of,
            "placed": list(self.placed),
            "sure": self.sure,
        }
        kept = ("id", "text") if self.verb in ("name", "note") else ("id",)
        return {key: value for key, value in every.items() if value or key in kept}

    @classmethod
    def recorded(cls, values: dict[str, Any]) -> Self:
        """Read what :meth:`record` gave.

        Raises
        ------
        ValueError
            When it is nothing of the kind.
        """
        verb = values.get("verb")
        if verb not in (*VERBS, *STEPS, PAST, FORGET):
            raise ValueError(f"unknown verb {verb!r}")
        read = {key: _READ[key](value) for key, value in values.items() if key in _READ}
        if verb == "cover" and not re.fullmatch(r"\d{0,9}", read.get("to", "")):
            raise ValueError("no frame")
        if verb in OF_ONE and len(read.get("characters", ())) != 1:
            raise ValueError("not one character")
        return cls(verb=verb, **{"id": _number(values.get("id")), **read})

    def signed(self, id: int, time: str, author: str, base: int) -> Edit:
        """Return the edit as a line of a log."""
        return self._replace(id=id, time=time, author=author, base=base)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < LARGEST:
        raise ValueError("no number")
    return value


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("no probability")
    return float(value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("no list")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, _list(value)))


_READ: dict[str, Callable[[Any], Any]] = {
    "characters": _texts,
    "tracks": lambda value: tuple(map(Anchor.recorded, _list(value))),
    "to": _text,
    "text": _text,
    "of": _number,
    "placed": _texts,
    "time": _text,
    "author": _text,
    "base": _number,
    "sure": _share,
}
