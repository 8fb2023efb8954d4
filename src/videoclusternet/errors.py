"""Every error a user can meet, each with an exit code and a way out.

The exit codes are documented in ``docs/cli.md`` and are part of the interface:

==== ==============================================================
code meaning
==== ==============================================================
0    done, also when the film has no face (the cast is then empty)
1    a defect of this program
2    wrong arguments or settings
3    the film cannot be read
4    a model file is missing, wrong or cannot be fetched
5    the run folder or library is damaged, of another format, in use or cannot be written
6    the truth or data-set file is malformed
7    there is too little memory
8    a library of the system is missing
9    films of a batch failed; the others are done
130  interrupted; the run folder can be resumed
==== ==============================================================
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST, ADVICE = 1000, 4000
"""Characters of a message, and of an advice, which may be a command with paths: a file may hold
a name or a number of any length."""


def _cut(text: str, most: int) -> str:
    """Leave the middle of a long text out."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[3 - most // 2 :]}"


class VcnError(Exception):
    """Base of all expected failures: one clear line, an advice, an exit code.

    Parameters
    ----------
    message : str
        What went wrong, in one line, naming the file or setting.  The middle of a long one
        is left out.
    advice : str
        What the user can do about it; likewise.
    """

    exit_code = 1

    def __init__(self, message: str, advice: str = "") -> None:
        self.message = _cut(message, LONGEST)
        self.advice = _cut(advice, ADVICE)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} ({self.advice})" if self.advice else self.message


class ConfigError(VcnError):
    """A setting that does not exist or has an impossible value."""

    exit_code = 2


class NoCharacterError(ConfigError, KeyError):
    """A character that the run does not have; a ``KeyError`` too, as ``run["Anna"]`` may raise."""


class NoPersonError(ConfigError, KeyError):
    """A person whom the library does not know; a ``KeyError`` too, as ``library["Anna"]`` is."""


class ContradictionError(ConfigError):
    """Two tracks are said to be one person, and two."""


class QueryError(ConfigError):
    """A query that cannot be understood, or names nobody who is there.

    Parameters
    ----------
    message, advice : str
    place : sequence of str
        Lines that show where in the query; they stand below the message, also in a traceback.
    """

    def __init__(self, message: str, advice: str = "", place: Sequence[str] = ()) -> None:
        super().__init__(message, advice)
        for line in place:
            self.add_note(line)


class VideoError(VcnError):
    """The film is missing, has no picture stream, or cannot be decoded."""

    exit_code = 3


class ModelError(VcnError):
    """A model file is missing, has the wrong hash, or cannot be fetched."""

    exit_code = 4


class StoreError(VcnError):
    """The run folder is damaged, of another format, in use or not writable."""

    exit_code = 5


class ConflictError(StoreError):
    """Somebody else has edited the run since it was read: nothing was written."""


class LibraryError(StoreError):
    """The library of people is missing, damaged, of another format, in use or cannot be written."""


class DataError(VcnError):
    """A truth file, a track list or a folder of crops is malformed."""

    exit_code = 6


class MemoryShortage(VcnError):
    """There is too little memory for what was asked."""

    exit_code = 7


class InstallError(VcnError):
    """A library of the system is missing that an installed package needs."""

    exit_code = 8


class BatchError(VcnError):
    """Films of a batch failed; the others are done."""

    exit_code = 9


class Cancelled(VcnError):
    """The user asked to stop; everything finished so far is on disk."""

    exit_code = 130
