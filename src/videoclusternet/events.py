"""One callable carries everything a run says: progress, log lines, step times.

A *hook* is any function that takes an :class:`Event`.  The command line draws
progress bars from it, ``--log-json`` prints it, a user interface forwards it.
A hook that raises :class:`~videoclusternet.errors.Cancelled` stops the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["start", "progress", "done", "cached", "note"]


@dataclass(frozen=True)
class Event:
    """One thing that happened in a run.

    Attributes
    ----------
    kind : {"start", "progress", "done", "cached", "note"}
        ``start``/``done`` frame a step, ``cached`` replaces both when the result
        was read from the run folder, ``progress`` reports inside a step,
        ``note`` is a message for the user.
    step : str
        Name of the step, e.g. ``"faces"``.
    done, total : int
        Finished and expected units of work; ``total`` 0 means unknown.
    unit : str
        What is counted, e.g. ``"frames"``.
    message : str
        Text of a note; of progress, what is being worked on.
    data : dict
        Machine-readable details (seconds, counts).
    """

    kind: Kind
    step: str
    done: int = 0
    total: int = 0
    unit: str = ""
    message: str = ""
    data: dict[str, Any] = field(default_factory=dict)


Hook = Callable[[Event], None]
Progress = Callable[[int, int], None]
"""``progress(done, total)`` inside a step; may raise ``Cancelled``."""


def silent(event: Event) -> None:
    """Ignore the event: the default hook."""


def no_progress(done: int, total: int) -> None:
    """Ignore progress: the default inside a step."""
