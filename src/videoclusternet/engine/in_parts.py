"""Long steps in parts: those that a stopped run finished are read, the others made and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from videoclusternet.engine.work import Make, Work
from videoclusternet.types import Table, Unread
from videoclusternet.types.unread import Stretch

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
    unread: tuple[Stretch, ...] = ()

    def check(self) -> None:
        """Make what comes from a file tuples."""
        object.__setattr__(self, "lines", tuple(self.lines))
        object.__setattr__(self, "unread", tuple(Stretch(*span) for span in self.unread))


def split(length: int, part: int) -> list[range]:
    """Cut ``range(length)`` into parts; of nothing there is one, empty."""
    starts = range(0, max(length, 1), part)
    return [range(start, min(start + part, length)) for start in starts]


def part_length(length: int, most: int, step: int = 1) -> int:
    """Return the length of parts that processes finish together: equal, and an even number.

    Parameters
    ----------
    length : int
        Of the whole.
    most : int
        Of a part, about: it is rounded up to whole steps.
    step : int
        Parts begin at a multiple of it: at a frame that is seen, every part keeps one grid.
    """
    parts = max(1, -(-length // most))
    parts += parts % 2 if parts > 1 else 0
    return -(-length // (parts * step)) * step or step


def even_parts(length: int, most: int, step: int = 1) -> list[range]:
    """Cut a length into parts of :func:`part_length`."""
    return split(length, part_length(length, most, step))


class _Course:
    """How far the ranges are, and what is said of them: passed on in their order.

    Attributes
    ----------
    made : dict of range to tuple of tables
    unread : dict of range to Unread
    """

    def __init__(self, size: Mapping[range, int], work: Work) -> None:
        self.made: dict[range, Any] = {}
        self.unread = dict.fromkeys(size, Unread())
        self._lines: dict[range, list[str]] = {span: [] for span in size}
        self._told = dict.fromkeys(size, 0)
        self._size, self._reached, self._work = size, dict.fromkeys(size, 0), work

    def tell(self, span: range, message: int | str | Unread) -> None:
        """Take what is said of a range while it is made."""
        if isinstance(message, Unread):
            self.unread[span] |= message
        elif isinstance(message, str):
            self._lines[span].append(message)
            self.pass_on()
        elif message < self._size[span]:  # a part is finished once it is kept
            self._reach(span, message)

    def take(self, span: range, kept: tuple[Table, ...]) -> None:
        """Take a range that was made before, its notes last."""
        notes = kept[-1]
        assert isinstance(notes, Notes)
        self._lines[span] += notes.lines
        self.unread[span] = Unread(notes.unread)
        self.finish(span, kept[:-1])

    def notes(self, span: range) -> Notes:
        """Return what was said of a range, to be kept."""
        return Notes(tuple(self._lines[span]), self.unread[span].spans)

    def finish(self, span: range, tables: tuple[Table, ...]) -> None:
        """Take the tables of a range."""
        self.made[span] = tables
        self.pass_on()
        self._reach(span, self._size[span])

    def pass_on(self, all_that_waits: bool = False) -> None:
        """Pass on the lines of ranges, up to the first that is not made."""
        for span, lines in self._lines.items():
            for line in lines[self._told[span] :]:
                self._told[span] += 1
                self._work.note(line)
            if span not in self.made and not all_that_waits:
                break

    def _reach(self, span: range, done: int) -> None:
        self._reached[span] = min(done, self._size[span])
        self._work.progress(sum(self._reached.values()), sum(self._size.values()))


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
    course = _Course(dict(zip(ranges, sizes or [len(r) for r in ranges], strict=True)), work)
    for span in ranges:
        kept = work.parts.read(_name(span), (*kinds, Notes)) if work.parts else None
        if kept is not None:
            course.take(span, kept)
    todo = [span for span in ranges if span not in course.made]
    try:
        for span, tables in work.engine.map(make, todo, course.tell):
            if work.parts:
                work.parts.write(_name(span), (*tables, course.notes(span)))
            course.finish(span, tables)
    finally:
        course.pass_on(all_that_waits=True)
    work.unread(Unread(tuple(one for span in ranges for one in course.unread[span].spans)))
    return [course.made[span] for span in ranges]


def _name(span: range) -> str:
    return f"{span.start:08d}-{span.stop:08d}"
