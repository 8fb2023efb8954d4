"""What a batch shows while it works: one line of progress, with the films that are running."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any

from videoclusternet.batch.workers.child import Said
from videoclusternet.events import Event, Hook
from videoclusternet.outside.text import printable
from videoclusternet.show.words import STEP_NAMES, share, shorten

STEP, UNIT = "batch", "films"
EVERY = 0.5
"""Seconds between two lines of progress."""
NAMED = 4
"""Running films that are named, at most."""


@dataclass
class _Film:
    """How far a running film is."""

    step: str = ""
    done: int = 0
    total: int = 0


class Watch:
    """Hears what workers say, and tells a hook how far the batch is.

    Parameters
    ----------
    hook : Hook
    """

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._running: dict[str, _Film] = {}
        self._begun: list[tuple[str, str]] = []
        self._done = self._total = 0
        self._shown = 0.0

    def hear(self, run: str, said: Said) -> None:
        """Take what is said of a film, by the name of its run; of no film, it is for people."""
        kind = said.get("kind")
        if not run:
            self.say(str(said.get("message", "")))
        elif kind == "begun":
            self._running[run] = _Film()
            self._begun.append((run, str(said.get("where", ""))))
        elif kind in ("start", "progress"):
            film = self._running.setdefault(run, _Film())
            film.step = str(said.get("step", ""))
            done, total = said.get("done", 0), said.get("total", 0)
            film.done = done if isinstance(done, int) else 0
            film.total = total if isinstance(total, int) else 0

    def begun(self) -> list[tuple[str, str]]:
        """Return runs that began since the last time, and on which machines."""
        begun, self._begun = self._begun, []
        return begun

    def begin(self, total: int, done: int) -> None:
        """Say how many films there are, and how many of them ended before."""
        self._done, self._total = done, total
        self.show(now=True)

    def ended(self, run: str) -> None:
        """Forget a film whose worker ended."""
        self._running.pop(run, None)

    def count(self) -> None:
        """Count a film that came to its end."""
        self._done += 1
        self.show(now=True)

    def say(self, message: str) -> None:
        """Say something to people."""
        self._hook(Event("note", STEP, message=message))

    def show(self, now: bool = False) -> None:
        """Tell the hook how far the batch is, now or when it is time."""
        if not now and monotonic() - self._shown < EVERY:
            return
        self._shown = monotonic()
        running: dict[str, Any] = {
            run: {"step": film.step, "done": film.done, "total": film.total}
            for run, film in self._running.items()
        }
        self._hook(
            Event(
                "progress",
                STEP,
                self._done,
                self._total,
                UNIT,
                message=self._words(),
                data={"running": running} if running else {},
            )
        )

    def _words(self) -> str:
        """Say which films are running, and how far the first of them are."""
        named = [_words_of(run, film) for run, film in list(self._running.items())[:NAMED]]
        more = len(self._running) - len(named)
        return ", ".join([*named, *([f"{more} more"] if more else [])])


def _words_of(run: str, film: _Film) -> str:
    name = printable(shorten(run.removesuffix(".vcn")))
    step = STEP_NAMES.get(film.step, film.step).lower()
    far = f" {share(film.done, film.total)}" if film.total else ""
    return f"{name}: {step}{far}" if step else name
