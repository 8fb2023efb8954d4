"""Reviews by a simulated person, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from videoclusternet.show.terminal import print_table, table_of
from videoclusternet_bench.reviewing import Clicks, Corrected, Order


def print_reviews(found: Sequence[tuple[Path, dict[Order, Clicks], Corrected]]) -> None:
    """Print clicks until half of the errors and all are gone, and what re-clustering adds."""
    table = table_of(
        "run", "errors", "queue", "by size", "one by one", "random", "F", "corrected", "anew"
    )
    for run, by, after in found:
        table.add_row(
            run.stem,
            str(by["queue"].errors),
            *(f"{one.half} {one.all}{'+' if one.left else ''}" for one in by.values()),
            *(f"{value:.3f}" for value in (after.found, after.corrected, after.reclustered)),
        )
    print_table(table)
    print("clicks until half of the errors are gone, and all (+: some are asked by no question):")
    print("as the queue asks; the largest characters first, as many tracks at once, or one by one;")
    print("at random.")
    print("F counts each Unknown track as an error: as found, after ten corrections, found anew")
