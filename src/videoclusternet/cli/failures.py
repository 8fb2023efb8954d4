"""How a command ends that fails: one line, and the documented exit code, whatever raised it."""

from __future__ import annotations

import errno
import io
import os
import signal
import traceback
from pathlib import Path
from typing import Any

import typer

from videoclusternet.cli import loading
from videoclusternet.cli.bare import missing_library
from videoclusternet.errors import Cancelled, ConfigError, MemoryShortage, StoreError, VcnError
from videoclusternet.outside.text import say

TRACEBACK = "VCN_TRACEBACK"
"""Variable of the environment with which a defect shows where it lies."""
SHORTAGES = (
    "not enough memory",
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "insufficient memory",
    "alloc_failed",
    "bad_alloc",
)
"""How libraries speak of memory in errors that have no kind of their own."""
NO_ROOM = (errno.ENOSPC, errno.EROFS, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC))
"""What the system says when something cannot be written."""
STOPPED = Cancelled("stopped", "")
"""A key stopped a command while it was loaded."""
Usage: Any = typer.BadParameter.__mro__[2]
"""Base of all that is said of a wrong command line; it moved from click to typer."""


def stops() -> list[int]:
    """Return a list that gets an entry when a key stops this process.

    What is loaded just then may fail in any way: NumPy recurses, pydantic finds a wrong schema.
    """
    stopped: list[int] = []

    def stop(number: int, _: object) -> None:
        stopped.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) in (signal.default_int_handler, loading.stop):
        signal.signal(signal.SIGINT, stop)
    return stopped


def short_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is too little memory.

    NumPy, pyarrow and FFmpeg raise kinds of :class:`MemoryError`; torch and OpenCV say it in
    words.
    """
    if isinstance(error, MemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, Exception) and any(said in words for said in SHORTAGES)


def expected(error: Exception) -> VcnError | None:
    """Return the error of ours that says what happened, or None for a defect."""
    if isinstance(error, VcnError):
        return error
    if isinstance(error, ImportError):
        return missing_library(error)
    if short_of_memory(error):
        return MemoryShortage(
            "there is too little memory",
            "try --set processes=1, smaller faces.batch, embed.batch or adapt.batch",
        )
    if isinstance(error, OSError) and error.errno is not None:
        kind = StoreError if error.errno in NO_ROOM else ConfigError
        name = "" if error.filename is None else f" {error.filename}"
        return kind(f"the system refuses{name}: {error.strerror}", "check paths, rights and room")
    return None


def fail(error: Exception) -> int:
    """Say in one line how a command failed.

    Returns
    -------
    int
        The exit code.
    """
    if isinstance(error, Usage):
        words = io.StringIO()
        error.show(words)
        said = words.getvalue().rstrip("\n")
        if not said.startswith("Usage:"):  # of an option whose form is wrong
            said = f"vcn: {said.removeprefix('Error: ')} (`vcn --help` lists the commands)"
        say(*said.split("\n"), error=True)
        return int(error.exit_code)
    known = expected(error)
    if known is None:
        if os.environ.get(TRACEBACK):
            raise error
        say(f"vcn: {_defect(error)}", error=True)
        return 1
    say(f"vcn: {known}", *getattr(known, "__notes__", ()), error=True)
    return known.exit_code


def _defect(error: Exception) -> str:
    """Say where a defect lies."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "videoclusternet" in frame.filename] or frames
    place = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
    said = f": {error}" if str(error) else ""
    return (
        f"a defect of this program{place}: {type(error).__name__}{said} "
        f"(please report it, with what the same command prints under {TRACEBACK}=1)"
    )
