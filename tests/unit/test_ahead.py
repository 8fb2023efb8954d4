"""What is made ahead in a thread: order, errors, an early end."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from videoclusternet.engine.ahead import ahead


def test_all_come_in_order() -> None:
    assert list(ahead(n for n in range(1, 20))) == list(range(1, 20))
    assert list(ahead(n for n in ())) == []


def test_the_next_is_made_while_one_is_used() -> None:
    second = threading.Event()

    def items() -> Generator[str]:
        yield "first"
        second.set()
        yield "second"

    coming = ahead(items())
    assert next(coming) == "first"
    assert second.wait(10)
    assert list(coming) == ["second"]


def test_an_error_comes_after_what_was_made_before() -> None:
    def items() -> Generator[int]:
        yield 1
        raise ValueError("the second cannot be made")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="the second"):
        next(coming)


def test_an_early_end_closes_the_generator_where_it_runs() -> None:
    ran: list[int] = []

    def items() -> Generator[int]:
        try:
            for number in range(1, 1000):
                ran.append(threading.get_ident())
                yield number
        finally:
            ran.append(threading.get_ident())

    before = threading.active_count()
    coming = ahead(items())
    assert next(coming) == 1
    coming.close()
    # At most the next one was made, and the end of the generator was reached.
    assert len(ran) in (2, 3) and len(set(ran)) == 1 and ran[0] != threading.get_ident()
    assert threading.active_count() == before
