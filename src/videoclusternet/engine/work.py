"""What a step gets besides its arguments: whom it tells, and where it keeps unfinished work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from videoclusternet.events import Progress, no_progress
from videoclusternet.types import Table, Unread

Item = TypeVar("Item")
Result = TypeVar("Result")
Tell = Callable[[Any], None]
"""Says something while an item is being made; it reaches the process that asked for it."""
Make = Callable[[Item, Tell], Result]
"""Makes the result of one item; may run in another process, so it must be picklable."""


class Parts(Protocol):
    """Where finished parts of a step are kept."""

    def read(self, name: str, kinds: Sequence[type[Table]]) -> tuple[Table, ...] | None:
        """Return the tables of a part, or None when it is not finished."""
        ...

    def write(self, name: str, tables: Sequence[Table]) -> None:
        """Keep the tables of a finished part."""
        ...


class Engine(Protocol):
    """Runs a function over items; whatever does it, the results are the same to the byte."""

    def map(
        self,
        make: Make[Item, Result],
        items: Sequence[Item],
        tell: Callable[[Item, Any], None],
        patient: bool = False,
    ) -> Iterator[tuple[Item, Result]]:
        """Yield items with what was made of them, in any order.

        Parameters
        ----------
        make : callable
        items : sequence
        tell : callable
            Hears what ``make`` says about an item, before the item is yielded.
        patient : bool
            Whether an error waits until all other items have ended; one after the other, the
            first stops them.
        """
        ...

    def close(self) -> None:
        """Give back what is held between two calls; a later call begins anew."""
        ...


class Serial:
    """One item after the other, in this process."""

    def close(self) -> None:
        """Nothing is held."""

    def map(
        self,
        make: Make[Item, Result],
        items: Sequence[Item],
        tell: Callable[[Item, Any], None],
        patient: bool = False,
    ) -> Iterator[tuple[Item, Result]]:
        """Yield items with what was made of them, in order; see :class:`Engine`."""
        for item in items:
            yield item, make(item, lambda said, item=item: tell(item, said))  # type: ignore[misc]


def _silent(message: object) -> None:
    """Ignore what is told: the default where no run asks."""


@dataclass(frozen=True)
class Work:
    """What a step gets to report, to keep unfinished work and to spread it.

    Attributes
    ----------
    progress : callable
        ``progress(done, total)``.
    note : callable
        A line for the user.
    parts : Parts or None
        Finished parts, read again after a crash.
    engine : Engine
    file : Path or None
        Where to write the further file of the step: a temporary name.
    folder : Path or None
        Run folder of a step that keeps more than tables in it.
    fingerprint : str
        Of the step: what it writes elsewhere can be told from that of other settings.
    unread : callable
        Told of frames that could not be read.
    """

    progress: Progress = no_progress
    note: Callable[[str], None] = _silent
    parts: Parts | None = None
    engine: Engine = field(default_factory=Serial)
    file: Path | None = None
    folder: Path | None = None
    fingerprint: str = ""
    unread: Callable[[Unread], None] = _silent


ALONE = Work()
"""Outside a run: nobody listens, nothing is kept."""
