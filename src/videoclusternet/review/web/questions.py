"""The queue, for the page."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from videoclusternet.review.queue import ENOUGH, left, questions
from videoclusternet.review.web.desk import Desk

if TYPE_CHECKING:
    from videoclusternet.review.situation import Nearness

MOST = 200
"""Questions that are given at once."""


class Asker:
    """Asks about a run.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._near: Nearness | None = None

    def describe(self) -> dict[str, Any]:
        """Return the first questions, and how many are left until few errors are expected.

        Raises
        ------
        StoreError
            When the run is damaged.
        """
        from videoclusternet.review.situation import Nearness, situation

        with self._lock:
            if self._near is None:  # measured once: who is near whom changes with nobody's word
                self._near = Nearness.of(self._desk.result)
        with self._desk.held() as result:
            asked = questions(situation(result, self._near))
            revision = result.edits.revision
        expected = sum(question.gain for question in asked)
        return {
            "revision": revision,
            "left": left(asked),
            "expected": round(expected, 2),
            "enough": ENOUGH,
            "questions": [asdict(question) for question in asked[:MOST]],
        }
