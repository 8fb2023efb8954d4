"""What the end of a worker means for its film: done, once more, or a reason to read."""

from __future__ import annotations

import signal
from typing import Literal, NamedTuple

from videoclusternet.batch.record import State
from videoclusternet.batch.workers.child import Ended
from videoclusternet.errors import (
    Cancelled,
    InstallError,
    MemoryShortage,
    ModelError,
    StoreError,
)
from videoclusternet.show.words import span

IN_USE = "is in use by another run"
OTHER = "belongs to other films"
"""How an error of a run folder says that."""
MOST = 1000
"""Letters of a reason."""
Again = Literal["", "retry", "wait", "rename"]


class Verdict(NamedTuple):
    """What became of a film.

    Attributes
    ----------
    state : str
    reason : str
        In a line; empty where it is done.
    again : str
        Why the same film is worth another worker: ``retry``, its worker was lost; ``wait``, its
        run folder is still held, as by a worker of a batch that was just killed; ``rename``, the
        file is another film now, and gets a run folder of its own.
    about_all : bool
        Whether no other film would fare better: a model is missing, or a library of the system.
    """

    state: State
    reason: str = ""
    again: Again = ""
    about_all: bool = False


def judge(ended: Ended, patience: float) -> Verdict:
    """Say what the end of a worker means.

    Parameters
    ----------
    ended : Ended
    patience : float
        Seconds of silence that were allowed.
    """
    said = ended.said[:MOST]
    if ended.hung:
        last = f"; its last words: {said}" if said else ""
        return Verdict("timed out", f"no sign of life for {span(patience)}{last}")
    if ended.code == 0:
        return Verdict("done")
    if ended.code is None:
        return Verdict("killed", said or "its worker was lost", "retry")
    if ended.code < 0:
        last = f": {said}" if said else ""
        return Verdict("killed", f"{_signal(-ended.code)}{last}", "retry")
    if ended.code == StoreError.exit_code and IN_USE in said:
        return Verdict("failed", said, "wait")
    if ended.code == StoreError.exit_code and OTHER in said:
        return Verdict("failed", said, "rename")
    if ended.code == MemoryShortage.exit_code:
        return Verdict("failed", said, "retry")
    if ended.code == Cancelled.exit_code:
        return Verdict("killed", said or "it was interrupted", "retry")
    about_all = ended.code in (ModelError.exit_code, InstallError.exit_code)
    return Verdict("failed", said or f"exit code {ended.code}", about_all=about_all)


def _signal(number: int) -> str:
    """Say what killed a worker."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    more = ", perhaps for its memory" if name == "SIGKILL" else ""
    return f"killed by {name}{more}"
