"""How a run looks in a terminal: progress bars from events, or one JSON line per event."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from videoclusternet.errors import Cancelled
from videoclusternet.events import Event, Hook, silent
from videoclusternet.outside.text import printable

STEP_NAMES = {
    "demo": "Drawing the demo film",
    "fetch": "Fetching",
    "video": "Opening",
    "scan": "Finding shots and faces",
    "shots": "Finding shots",
    "faces": "Finding faces",
    "tracks": "Following faces",
    "crops": "Cutting face pictures",
    "embeddings": "Describing faces",
    "views": "Describing views of them",
    "adapt": "Learning these faces",
    "prepare": "Preparing the sets",
    "bench": "Comparing methods",
    "measure": "Measuring face pictures",
    "links": "Matching tracks",
    "cast": "Grouping into characters",
}


class _Speed(ProgressColumn):
    """Units per second, e.g. ``412 frames/s``."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        unit = task.fields.get("unit") or ""
        return Text(f"{speed:,.0f} {unit}/s" if speed and unit else "", style="cyan")


class ConsoleHook:
    """Draw events as progress bars on standard error.

    Use as a context manager; call it with events.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<26}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Speed(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}
        self._started = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._started:
            self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Draw one event; nothing is drawn before the first, an error stands alone."""
        self._started = True
        self._progress.start()
        if event.kind == "note":
            said = escape(printable(event.message))
            self._progress.console.print(f"[yellow]{said}[/]", highlight=False)
            return
        title = STEP_NAMES.get(event.step.rpartition("/")[2], event.step)
        film = event.step.rpartition("/")[0]
        title = escape(printable(f"{title} · {film}" if film else title))
        if event.kind == "cached":
            self._progress.console.print(f"[dim]✓ {title}: already done[/]", highlight=False)
            return
        if event.step not in self._tasks:
            self._tasks[event.step] = self._progress.add_task(title, total=None)
        task = self._tasks[event.step]
        if event.kind == "progress":
            self._progress.update(
                task, completed=event.done, total=event.total or None, unit=event.unit
            )
        elif event.kind == "done":
            known = self._progress.tasks[self._progress.task_ids.index(task)].total
            total = known or 1
            self._progress.update(task, completed=total, total=total)


def json_hook(event: Event) -> None:
    """Print the event as one JSON line on standard error."""
    line = json.dumps({k: v for k, v in asdict(event).items() if v})
    # Whoever read the log has gone (`| head`): the run itself goes on.
    with suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)


@contextmanager
def reporting(quiet: bool, log_json: bool) -> Iterator[Hook]:
    """Show progress as bars, as JSON lines, or not at all; a key stops with a word."""
    try:
        if log_json:
            yield json_hook
        elif quiet:
            yield silent
        else:
            with ConsoleHook() as hook:
                yield hook
    except KeyboardInterrupt:  # Typer would end without a word
        raise Cancelled("stopped", "the same command goes on from here") from None
