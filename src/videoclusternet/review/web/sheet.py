"""``cast.html`` kept up to date: when nobody decides for a while, and at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable

from videoclusternet.errors import VcnError
from videoclusternet.result.edit_log import EDITS
from videoclusternet.result.result import open_run
from videoclusternet.review.web.desk import Desk
from videoclusternet.show.cast_page import PAGE, write_page

IDLE = 20.0
"""Seconds without a decision after which the page is written: it takes longer than a decision."""


class Sheet:
    """Writes the page of a run when it is behind its log.

    Parameters
    ----------
    desk : Desk
    log : callable
        Takes a line where it cannot be written.
    idle : float
        Seconds.
    """

    def __init__(self, desk: Desk, log: Callable[[str], None], idle: float = IDLE) -> None:
        self._desk, self._log, self._idle = desk, log, idle
        self._stop = threading.Event()
        self._written = -1 if self._behind() else 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin to look after it."""
        self._thread.start()

    def stop(self) -> None:
        """Write it once more if it is behind, and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.write()

    def write(self) -> None:
        """Write it if something was decided since."""
        decided = self._desk.decided
        if decided == self._written:
            return
        try:
            result = open_run(self._desk.folder)  # of its own: nobody waits
            if result.has_pictures:
                write_page(result)
        except VcnError as error:
            self._log(str(error))
        self._written = decided

    def _behind(self) -> bool:
        """Whether the log is younger than the page: a process was ended between the two."""
        log, page = self._desk.folder / EDITS, self._desk.folder / PAGE
        if not log.exists():
            return False
        return not page.exists() or page.stat().st_mtime < log.stat().st_mtime

    def _watch(self) -> None:
        seen = self._desk.decided
        while not self._stop.wait(self._idle):
            if self._desk.decided == seen:
                self.write()
            seen = self._desk.decided
