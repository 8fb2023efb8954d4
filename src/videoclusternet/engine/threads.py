"""Parts of one step in threads of this process: for numerics, which leave Python alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from videoclusternet.engine.processes import cores, is_one_of_several

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(make: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield what is made of items, in their order, on all cores of this process.

    Items are taken as they are needed, so that few of them and of their results are held at a
    time.  Each is made as it would be alone: whoever calls keeps linear algebra to one thread.

    Parameters
    ----------
    make : callable
        Reads what it shares with the others, and changes nothing of it.
    items : iterable
    """
    threads = 1 if is_one_of_several() else cores()
    if threads == 1:
        yield from map(make, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        coming: deque[Future[Result]] = deque()
        try:
            for item in items:
                coming.append(pool.submit(make, item))
                if len(coming) > threads:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for one in coming:
                one.cancel()
