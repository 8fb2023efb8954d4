"""How a run looks: progress bars in a terminal, lines in a pipe, or JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from time import monotonic
from types import TracebackType
from typing import Any, Self

from rich.console import Console, JustifyMethod, RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
)
from rich.table import Column
from rich.text import Text

from videoclusternet.errors import Cancelled
from videoclusternet.events import Event, Hook, silent
from videoclusternet.outside.text import printable
from videoclusternet.show.words import STEP_NAMES, span, timecode

EVERY = 30.0
"""Seconds between lines about a long step where there is no terminal."""


class _Count(ProgressColumn):
    """Units done of all, e.g. ``4416/8832``; bytes in megabytes."""

    def render(self, task: Task) -> Text:
        done, total = int(task.completed), task.total
        if task.fields.get("unit") == "bytes":
            whole = f"{total / 1e6:.0f}" if total else "?"
            return Text(f"{done / 1e6:.0f}/{whole} MB", style="green")
        return Text(f"{done}/{int(total) if total is not None else '?'}", style="green")


class _Speed(ProgressColumn):
    """Units per second, e.g. ``412 frames/s``."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        unit = task.fields.get("unit") or ""
        if not speed or not unit:
            return Text("")
        number = f"{speed / 1e6:.1f} MB" if unit == "bytes" else f"{speed:,.0f} {unit}"
        return Text(f"{number}/s", style="cyan")


class _Time(ProgressColumn):
    """What a step is going to take still, or what it took."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        if task.finished:
            return Text(span(task.finished_time or 0.0), style="yellow")
        rest = task.time_remaining
        return Text("" if rest is None else timecode(rest), style="cyan")


class _Rows(Progress):
    """Progress rows that stay on one line each, however narrow the terminal is or becomes."""

    def __init__(self, console: Console) -> None:
        self._terminal, self._width = console, 0
        super().__init__(console=console)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return the rows, with the columns that have room now."""
        if self._terminal.width != self._width:
            self._width = self._terminal.width
            self.columns = _columns(self._width)
        yield from super().get_renderables()


def _columns(width: int) -> tuple[ProgressColumn, ...]:
    """Choose columns for a terminal of this width; the title takes what is left."""

    def column(most: int, justify: JustifyMethod = "left") -> Column:
        return Column(no_wrap=True, overflow="ellipsis", width=most, justify=justify)

    # One cell for the space before each column but the first.
    bar, speed = (10, 17) if width >= 80 else (0, 0)
    count, time, share = (13, 10, 0) if width >= 44 else (0, 0, 4)
    used = 1 + sum(most + 1 for most in (bar, speed, count, time, share) if most)
    return (
        SpinnerColumn(finished_text="[green]✓", table_column=column(1)),
        TextColumn("{task.description}", table_column=column(max(width - used - 1, 1))),
        *([BarColumn(bar, table_column=column(bar))] if bar else ()),
        *([_Count(column(count, "right"))] if count else ()),
        *([_Speed(column(speed, "right"))] if speed else ()),
        *([TaskProgressColumn(table_column=column(share, "right"))] if share else ()),
        *([_Time(column(time, "right"))] if time else ()),
    )


def _title(step: str) -> str:
    """Name of a step for people, with the film in a run over several."""
    film, _, name = step.rpartition("/")
    title = STEP_NAMES.get(name, name)
    return printable(f"{title} · {film}" if film else title)


class ConsoleHook:
    """Draw events as progress bars on standard error.

    Use as a context manager; call it with events.
    """

    def __init__(self, console: Console) -> None:
        self._progress = _Rows(console=console)
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
            self._say(printable(event.message), "yellow")
            return
        title = _title(event.step)
        if event.kind == "cached":
            self._say(f"✓ {title}: already done", "dim", no_wrap=True, overflow="ellipsis")
            return
        if event.step not in self._tasks:
            self._tasks[event.step] = self._progress.add_task(escape(title), total=None)
        task = self._tasks[event.step]
        if event.kind == "progress":
            said = f"{title}: {printable(event.message)}" if event.message else title
            self._progress.update(
                task,
                completed=event.done,
                total=event.total or None,
                unit=event.unit,
                description=escape(said),
            )
        elif event.kind == "done":
            known = self._progress.tasks[self._progress.task_ids.index(task)].total
            total = known or 1
            self._progress.update(task, completed=total, total=total)

    def _say(self, text: str, style: str, **how: Any) -> None:
        self._progress.console.print(text, style=style, highlight=False, markup=False, **how)


class LineHook:
    """Write events as plain lines, for a file or a pipe: one when a step ends, few before.

    Parameters
    ----------
    write : callable
        Takes a line.
    now : callable
        Seconds of a clock.
    """

    def __init__(self, write: Callable[[str], None], now: Callable[[], float] = monotonic) -> None:
        self._write, self._now = write, now
        self._begun: dict[str, float] = {}
        self._last = now()
        self._count: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """Write one event; progress only every :data:`EVERY` seconds."""
        now, title = self._now(), _title(event.step)
        begun = self._begun.setdefault(event.step, now)
        if event.kind == "note":
            self._say(printable(event.message))
        elif event.kind == "cached":
            self._say(f"{title}: already done")
        elif event.kind == "progress":
            of = f" of {event.total}" if event.total else ""
            self._count[event.step] = f"{event.total or event.done} {event.unit}, "
            if now - self._last >= EVERY:
                said = f" ({printable(event.message)})" if event.message else ""
                self._say(f"{title}: {event.done}{of} {event.unit}{said}")
        elif event.kind == "done":
            self._say(f"{title}: {self._count.pop(event.step, '')}{span(now - begun)}")

    def _say(self, line: str) -> None:
        self._last = self._now()
        self._write(line)


def _line(text: str) -> None:
    # Whoever read the lines has gone (`| head`): the run itself goes on.
    with suppress(BrokenPipeError):
        print(text, file=sys.stderr, flush=True)


def json_hook(event: Event) -> None:
    """Print the event as one JSON line on standard error."""
    _line(json.dumps({k: v for k, v in asdict(event).items() if v}))


@contextmanager
def reporting(
    quiet: bool, log_json: bool, stopped: str = "the same command goes on from here"
) -> Iterator[Hook]:
    """Show progress as bars or lines, as JSON, or not at all; a key stops with a word."""
    try:
        if log_json:
            yield json_hook
        elif quiet:
            yield silent
        elif (console := Console(stderr=True)).is_terminal:
            with ConsoleHook(console) as hook:
                yield hook
        else:
            yield LineHook(_line)
    except KeyboardInterrupt:  # Typer would end without a word
        raise Cancelled("stopped", stopped) from None
