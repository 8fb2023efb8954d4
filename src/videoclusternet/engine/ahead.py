"""One thing made while the one before it is used."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Generator[Item]) -> Generator[Item]:
    """Yield the items of a generator, whose next one is made in a thread of its own.

    Memory holds three of them at most: one that is used, one that waits, and what the generator
    itself keeps.  Closed early, it waits for the one that is being made, and closes the other.

    Parameters
    ----------
    items : generator
        Runs in that thread alone, and waits while nobody asks for more.
    """
    with ThreadPoolExecutor(1) as thread:
        try:
            coming = thread.submit(next, items, None)
            while (item := coming.result()) is not None:
                coming = thread.submit(next, items, None)
                yield item
        finally:
            thread.submit(items.close).result()
