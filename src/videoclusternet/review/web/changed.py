"""Whether a run is still the one that was opened: who was forgotten since is shown no more."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from videoclusternet.errors import ConflictError, StoreError
from videoclusternet.runfolder import pending
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.manifest import MANIFEST, read_manifest


class AnotherRun(ConflictError):
    """What lies in the folder by now is not what was opened."""


class Opened:
    """A run as it was opened; safe to be asked by several threads.

    Decisions are appended to a log and change nothing here.  That somebody is forgotten, or the
    film read anew, writes other tables, whose hashes stand in ``run.json``.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    StoreError
        When the run cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        Store(folder)  # says what is no run, and finishes what an ended process had decided on
        self._folder = folder
        self._lock = threading.Lock()
        self._file, self._changed = self._seen(), False
        self._holds = self._told()

    def check(self) -> None:
        """Refuse to go on where the folder holds another run.

        Raises
        ------
        AnotherRun
            From then on always: pictures and tracks that were read are those of before.
        """
        with self._lock:
            self._changed = self._changed or self._is_another()
        if self._changed:
            raise AnotherRun(
                "this run has changed since it was opened, as when somebody is forgotten",
                "end `vcn review` and start it again",
            )

    def _is_another(self) -> bool:
        if pending.is_pending(self._folder):  # was decided on, and is finished by who opens it
            return True
        try:
            file = self._seen()
            if file == self._file:
                return False
            if self._told() != self._holds:
                return True
            self._file = file
        except (OSError, StoreError):
            return True
        return False

    def _seen(self) -> tuple[int, int, int]:
        about = (self._folder / MANIFEST).stat()
        return about.st_ino, about.st_size, about.st_mtime_ns

    def _told(self) -> dict[str, Any]:
        """Return what ``run.json`` says, but for the settings of the last command."""
        told = read_manifest(self._folder / MANIFEST)
        return {name: value for name, value in told.items() if name != "config"}
