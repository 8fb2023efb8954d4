"""One opened run that several windows look at and correct, one decision at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.edits.edit import Edit
from videoclusternet.edits.words import command
from videoclusternet.errors import ConfigError, ConflictError
from videoclusternet.result.edits import Edits
from videoclusternet.result.pictures import cover_track
from videoclusternet.result.result import Result, open_run
from videoclusternet.review import facts
from videoclusternet.review.facts import Facts
from videoclusternet.review.splits import Split, splits
from videoclusternet.review.web.changed import Opened
from videoclusternet.review.web.requests import Said

LOGGED, WORDS = 40, 120
"""Decisions that the page lists, and letters of each."""
_DO: dict[str, Callable[[Edits, Said], Edit]] = {
    "name": lambda edits, said: edits.name(said.one, said.text),
    "merge": lambda edits, said: edits.merge(*said.characters),
    "move": lambda edits, said: edits.move(said.tracks, said.to),
    "split": lambda edits, said: edits.split(said.one, said.tracks),
    "not": lambda edits, said: edits.not_this(said.one, said.tracks),
    "not-a-face": lambda edits, said: edits.not_a_face(said.tracks),
    "confirm": lambda edits, said: edits.confirm(said.tracks),
    "apart": lambda edits, said: edits.apart(*said.characters),
    "lock": lambda edits, said: edits.lock(*said.characters),
    "unlock": lambda edits, said: edits.unlock(*said.characters),
    "hide": lambda edits, said: edits.hide(*said.characters),
    "unhide": lambda edits, said: edits.unhide(*said.characters),
    "cover": lambda edits, said: edits.cover(said.one, said.track, said.frame),
    "note": lambda edits, said: edits.note(said.one, said.text),
    "undo": lambda edits, said: edits.undo(),
    "redo": lambda edits, said: edits.redo(),
}


@dataclass(frozen=True)
class Line:
    """A line of the log that came while the run was open, for those who have not seen it."""

    revision: int
    verb: str
    author: str


class Desk:
    """A finished run, read once; safe to be asked by several threads.

    Parameters
    ----------
    folder : Path
    author : str
        Who decides; empty for the user's name.

    Attributes
    ----------
    folder : Path
    author : str
    result : Result
        The run; what people decide about it is looked at while it is :meth:`held`.
    opened : Opened
        Tells whether it is still that run.
    decided : int
        Decisions taken here.
    """

    def __init__(self, folder: Path, author: str = "") -> None:
        self.folder, self.author = folder, author
        self.decided = 0
        self._lock, self._pictures = threading.RLock(), threading.Lock()
        self.opened = Opened(folder)
        self.result = open_run(folder)
        if author:
            self.result.edits.author = author
        self._since: list[Line] = []
        self._state: dict[str, Any] = {}

    @contextmanager
    def held(self) -> Iterator[Result]:
        """Hold the run, with all that others decided."""
        with self._lock:
            self._hear(self.result.edits.refresh())
            yield self.result

    def _hear(self, lines: list[Edit]) -> None:
        self._since += [Line(line.id, line.verb, line.author) for line in lines]

    @cached_property
    def facts(self) -> Facts:
        """What the run says of its tracks."""
        with self._lock:
            return Facts.of(self.result)

    def run(self) -> dict[str, Any]:
        """Return what never changes, for the page."""
        return facts.as_json(self.result, self.facts)

    def boxes(self, film: int, start: float, stop: float) -> list[dict[str, Any]]:
        """Return where faces are in a part of a film; see :func:`facts.boxes`."""
        if not 0 <= film < len(self.result.films):
            raise ConfigError(f"there is no film {film}", "reload the page")
        return facts.boxes(self.result, film, start, stop)

    def picture(self, row: int) -> bytes:
        """Return the JPEG file of a crop.

        Raises
        ------
        ConfigError
            When there is none of this number.
        StoreError
            When the run is damaged.
        """
        pictures = self.result.pictures
        if not 0 <= row < len(pictures) or not self.result.has_pictures:
            raise ConfigError(f"there is no picture {row}", "reload the page")
        with self._pictures:
            return pictures.jpeg(row)

    def state(self) -> dict[str, Any]:
        """Return who is who, and what was decided, for the page."""
        with self.held() as result:
            if self._state.get("revision") != result.edits.revision:
                self._state = self._described(result)
            return self._state

    def revision(self) -> int:
        """Return how many lines the log has."""
        with self.held() as result:
            return result.edits.revision

    def say(self, said: Said) -> dict[str, Any]:
        """Take a decision, and return what it made of the cast.

        Raises
        ------
        ConflictError
            When it was made on an earlier state; nothing is written.
        ConfigError, StoreError
            When it cannot be done, or not be written.
        """
        with self.held() as result:
            self.agreed(said.revision)
            edit = _DO[said.verb](result.edits, said)
            self.note(said.verb, edit.author)
            return self.state()

    def agreed(self, revision: int) -> None:
        """Refuse what was decided on an earlier state.

        Raises
        ------
        ConflictError
        """
        now = self.result.edits.revision
        if revision == now:
            return
        lines = [line for line in self._since if line.revision > revision]
        news = ", ".join(f"{line.verb} by {line.author or 'somebody'}" for line in lines[-3:])
        raise ConflictError(
            f"the cast has changed meanwhile: {news or 'it is another one now'}",
            "look at it again, then decide",
        )

    def note(self, verb: str, author: str) -> None:
        """Remember a decision that was taken here."""
        self.decided += 1
        self._since.append(Line(self.result.edits.revision, verb, author))

    def splits(self, number: int) -> list[Split]:
        """Return where a character would come apart, the weakest place first."""
        with self.held() as result:
            tracks = np.flatnonzero(result.cast.character == number - 1)
            return splits(result.merges, tracks, len(result.tracks))

    def _described(self, result: Result) -> dict[str, Any]:
        cast, edits = result.cast, result.edits
        log = [*edits.done[-LOGGED:]]
        return {
            "revision": edits.revision,
            "people": [self._person(result, number) for number in sorted(result.people)],
            "character": (cast.character + 1).tolist(),
            "confidence": np.round(cast.confidence.astype(np.float64), 3).tolist(),
            "reason": cast.reason.tolist(),
            "probable": (cast.probable + 1).tolist(),
            "hand": (edits.state.hand > 0).astype(int).tolist(),
            "alike": [[a + 1, b + 1] for a, b in cast.alike],
            "undo": _words(edits.can_undo[-1], edits) if edits.can_undo else "",
            "redo": _words(edits.undone[-1], edits) if edits.undone else "",
            "decided": len(edits.done),
            "log": [
                {"id": e.id, "author": e.author, "time": e.time, "words": _words(e, edits)}
                for e in reversed(log)
            ],
            "unplaced": [[edit, why] for edit, why in edits.unplaced.items()],
        }

    def _person(self, result: Result, number: int) -> dict[str, Any]:
        person = result.people[number]
        tracks = np.flatnonzero(result.cast.character == number)
        cover = self.facts.cover(tracks)
        if (track := cover_track(result, number)) >= 0:
            cover = self.facts.near(track, person.frame)
        return {
            "number": person.number,
            "name": person.name,
            "note": person.note,
            "locked": person.locked,
            "hidden": person.hidden,
            "known": [person.kind, round(person.sure, 3)] if person.known else None,
            "cover": cover,
        }


def _words(edit: Edit, edits: Edits) -> str:
    words = command(edit, edits.state)
    return words if len(words) <= WORDS else f"{words[: WORDS - 1]}…"
