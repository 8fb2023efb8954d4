"""The queue, and why tracks are one, for the page."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from videoclusternet.review.queue import ENOUGH, Question, left, questions, sheets
from videoclusternet.review.web.desk import Desk

if TYPE_CHECKING:
    from videoclusternet.review.situation import Nearness

MOST = 20
"""Sheets that are given at once."""
LINKS = 12
"""Merges between two tracks that are shown."""


def _told(question: Question) -> dict[str, Any]:
    return asdict(question) | {"shown": question.shown, "key": question.key}


class Asker:
    """Asks about a run, and explains it.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._near: Nearness | None = None

    def describe(self, skipped: Collection[str] = ()) -> dict[str, Any]:
        """Return the first sheets, and how many are left until few errors are expected.

        Parameters
        ----------
        skipped : collection of str
            Keys of questions that are left out, as if nothing was expected of them.

        Raises
        ------
        StoreError
            When the run is damaged.
        """
        from videoclusternet.review.situation import situation

        near = self._nearness()
        with self._desk.held() as result:
            every = questions(situation(result, near))
            revision = result.edits.revision
        passed = set(skipped)
        laid = sheets([question for question in every if question.key not in passed])
        expected = sum(question.gain for sheet in laid for question in sheet)
        return {
            "revision": revision,
            "left": left(laid),
            "expected": round(expected, 2),
            "enough": ENOUGH,
            "sheets": [[_told(question) for question in sheet] for sheet in laid[:MOST]],
        }

    def why(self, one: int, other: int) -> dict[str, Any]:
        """Say why two tracks are one person, or two; merges between them, the weakest first.

        Raises
        ------
        ConfigError
            When there are no such two tracks.
        """
        from videoclusternet.review.why import why
        from videoclusternet.review.why_words import merge, sentences

        near = self._nearness()
        with self._desk.held() as result:
            found = why(result, one, other, near)
            said = sentences(result, found)
        links = sorted(found.links, key=lambda link: -link.strain)[:LINKS]
        return {
            "together": found.together,
            "names": found.names,
            "said": [line.strip() for line in said],
            "links": [{"words": merge(link), "tracks": link.nearest} for link in links],
        }

    def _nearness(self) -> Nearness:
        from videoclusternet.review.situation import Nearness

        with self._lock:
            if self._near is None:  # measured once: who is near whom changes with nobody's word
                self._near = Nearness.of(self._desk.result)
            return self._near
