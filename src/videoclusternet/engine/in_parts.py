"""Long steps in parts: those that a stopped run finished are read, the others made and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from videoclusternet.engine.work import Make, Work
from videoclusternet.types import Table

Made = TypeVar("Made", bound=tuple[Table, ...])


def split(length: int, part: int) -> list[range]:
    """Cut ``range(length)`` into parts; of nothing there is one, empty."""
    starts = range(0, max(length, 1), part)
    return [range(start, min(start + part, length)) for start in starts]


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
        is done, and lines of text for the user.
    kinds : sequence of Table classes
        What ``make`` returns.
    work : Work
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

    def reach(span: range, done: int) -> None:
        reached[span] = min(done, size[span])
        work.progress(sum(reached.values()), total)

    def tell(span: range, said: int | str) -> None:
        if isinstance(said, str):
            work.note(said)
        elif said < size[span]:  # a part is finished once it is kept
            reach(span, said)

    for span in ranges:
        kept = work.parts.read(_name(span), kinds) if work.parts else None
        if kept is not None:
            made[span] = kept
            reach(span, size[span])
    todo = [span for span in ranges if span not in made]
    for span, tables in work.engine.map(make, todo, tell):
        if work.parts:
            work.parts.write(_name(span), tables)
        made[span] = tables
        reach(span, size[span])
    return [made[span] for span in ranges]


def _name(span: range) -> str:
    return f"{span.start:08d}-{span.stop:08d}"
