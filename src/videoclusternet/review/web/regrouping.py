"""Clustering again from the page: in the background, looked at before it is kept."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoclusternet.errors import ConfigError, VcnError
from videoclusternet.events import Event
from videoclusternet.result.result import open_run
from videoclusternet.review.web.desk import Desk

if TYPE_CHECKING:
    from videoclusternet.review.recluster import Proposal

LOG = logging.getLogger(__name__)


class Regrouping:
    """A proposal for one state of a run; a further decision makes it stale.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._state = "none"
        self._said = ""
        self._done = self._total = 0
        self._revision = -1
        self._found: Proposal | None = None

    def start(self) -> None:
        """Begin, unless it has begun."""
        with self._lock:
            if self._state == "running":
                return
            self._state, self._said, self._done, self._total = "running", "", 0, 0
            self._found = None
        threading.Thread(target=self._run, args=(self._desk.folder,), daemon=True).start()

    def drop(self) -> None:
        """Forget what was found."""
        with self._lock:
            if self._state != "running":
                self._state, self._found = "none", None

    def keep(self, revision: int) -> dict[str, Any]:
        """Take over what was found, and return the state of the cast with it.

        Raises
        ------
        ConflictError
            When something was decided since.
        ConfigError
            When nothing was found.
        """
        with self._lock, self._desk.held() as result:
            if self._state != "ready" or self._found is None:
                raise ConfigError("there is no clustering to keep", "cluster again")
            self._desk.agreed(revision)
            self._desk.agreed(self._revision)
            found = self._found
            edit = result.edits.regroup(found.placed, found.cast, found.merges)
            self._desk.note(edit.verb, edit.author)
            self._state, self._found = "none", None
            return self._desk.state()

    def describe(self) -> dict[str, Any]:
        """Say how far it is, and what would be otherwise."""
        with self._lock:
            said = {"state": self._state, "done": self._done, "total": self._total}
            if self._state == "failed":
                return {**said, "error": self._said}
            if self._found is None:
                return said
            difference = self._found.difference
            ways: dict[tuple[str, str], list[int]] = defaultdict(list)
            for track, before, after in difference.moved:
                ways[before, after].append(track)
            most_first = sorted(ways.items(), key=lambda way: -len(way[1]))
            return {
                **said,
                "revision": self._revision,
                "moved": [
                    {"from": one, "to": other, "tracks": tracks}
                    for (one, other), tracks in most_first
                ],
                "appeared": difference.appeared,
                "gone": difference.gone,
            }

    def _run(self, folder: Path) -> None:
        """Cluster on a copy of the run of its own: whoever decides meanwhile does not wait."""
        try:
            from videoclusternet.review.recluster import propose

            result = open_run(folder)
            found = propose(result, self._hear)
        except VcnError as error:
            self._end("failed", str(error))
            return
        except Exception:
            LOG.exception("clustering again failed")
            self._end("failed", "a defect of this program; the terminal says more")
            return
        with self._lock:
            self._state, self._found = "ready", found
            self._revision = result.edits.revision

    def _hear(self, event: Event) -> None:
        if event.kind == "progress":
            self._done, self._total = event.done, event.total

    def _end(self, state: str, said: str) -> None:
        with self._lock:
            self._state, self._said = state, said
