"""Long steps in parts: those that a stopped run finished are read, the others made and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from videoclusternet.engine.work import Make, Work
from videoclusternet.types import Table, Unread
from videoclusternet.types.unread import Span

Made = TypeVar("Made", bound=tuple[Table, ...])


@dataclass(frozen=True, eq=False)
class Notes(Table):
    """What was said to the user of a part: kept with it, and said again when it is read.

    Attributes
    ----------
    lines : tuple of str
    unread : tuple of spans
        Frames that could not be read, as :class:`Unread` has them.
    """

    FILE: ClassVar = "notes"
    SUFFIX: ClassVar = "safetensors"
    lines: tuple[str, ...]
    unread: tuple[Span, ...] = ()

    def check(self) -> None:
        """Make what comes from a file tuples."""
        object.__setattr__(self, "lines", tuple(self.lines))
        object.__setattr__(self, "unread", tuple(Span(*span) for span in self.unread))


def split(length: int, part: int) -> list[range]:
    """Cut ``range(length)`` into parts; of nothing there is one, empty."""
    starts = range(0, max(length, 1), part)
    return [range(start, min(start + part, length)) for start in starts]


class _Lines:
    """What is said of the ranges, passed on in their order, whoever says it first.

    Attributes
    ----------
    of : dict of range to list of str
    """

    def __init__(self, ranges: Sequence[range], note: Callable[[str], None]) -> None:
        self.of: dict[range, list[str]] = {span: [] for span in ranges}
        self._told = dict.fromkeys(ranges, 0)
        self._finished: set[range] = set()
        self._note = note

    def say(self, span: range, *lines: str) -> None:
        self.of[span] += lines
        self.pass_on()

    def finish(self, span: range) -> None:
        self._finished.add(span)
        self.pass_on()

    def pass_on(self, all_that_waits: bool = False) -> None:
        for span, lines in self.of.items():
            for line in lines[self._told[span] :]:
                self._told[span] += 1
                self._note(line)
            if span not in self._finished and not all_that_waits:
                break


def in_parts(
    ranges: Sequence[range],
    make: Make[range, Made],
    kinds: Sequence[type[Table]],
    work: Work,
    sizes: Sequence[int] | None = None,
) -> list[Made]:
    """Make the tables of consecutive ranges by an engine; only this process writes.

    Parameters
    ----------
    ranges : sequence of range
        Of frames, crops or whatever is counted.
    make : callable
        From a range and what listens to its tables.  It may say numbers, how much of the range
        is done, lines of text for the user, and :class:`Unread` frames.
    kinds : sequence of Table classes
        What ``make`` returns.
    work : Work
        Told the lines in the order of the ranges, whoever says them first: those of a range
        when all before it are made; and once all frames that could not be read.
    sizes : sequence of int, optional
        Units of progress in each range; by default its length.

    Returns
    -------
    list of tuples of tables
        In the order of the ranges, whoever made them first.
    """
    size = dict(zip(ranges, sizes or [len(span) for span in ranges], strict=True))
    total = sum(size.values())
    made: dict[range, Any] = {}
    reached = dict.fromkeys(ranges, 0)
    lines = _Lines(ranges, work.note)
    unread = dict.fromkeys(ranges, Unread())

    def reach(span: range, done: int) -> None:
        reached[span] = min(done, size[span])
        work.progress(sum(reached.values()), total)

    def tell(span: range, message: int | str | Unread) -> None:
        if isinstance(message, Unread):
            unread[span] |= message
        elif isinstance(message, str):
            lines.say(span, message)
        elif message < size[span]:  # a part is finished once it is kept
            reach(span, message)

    def finish(span: range, tables: tuple[Table, ...]) -> None:
        made[span] = tables
        lines.finish(span)
        reach(span, size[span])

    for span in ranges:
        kept = work.parts.read(_name(span), (*kinds, Notes)) if work.parts else None
        if kept is not None:
            notes = kept[-1]
            assert isinstance(notes, Notes)
            lines.say(span, *notes.lines)
            unread[span] = Unread(notes.unread)
            finish(span, kept[:-1])
    todo = [span for span in ranges if span not in made]
    try:
        for span, tables in work.engine.map(make, todo, tell):
            if work.parts:
                notes = Notes(tuple(lines.of[span]), unread[span].spans)
                work.parts.write(_name(span), (*tables, notes))
            finish(span, tables)
    finally:
        lines.pass_on(all_that_waits=True)
    work.unread(Unread(tuple(one for span in ranges for one in unread[span].spans)))
    return [made[span] for span in ranges]


def _name(span: range) -> str:
    return f"{span.start:08d}-{span.stop:08d}"
