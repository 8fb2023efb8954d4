"""Parts of a step in threads: in order, few at a time, errors as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from videoclusternet.engine import processes, threads
from videoclusternet.engine.threads import spread


def slowly(number: int) -> int:
    time.sleep(0.002 * (5 - number % 5))
    return number**2


@pytest.mark.parametrize("cores", [1, 3])
def test_results_come_in_order_and_items_as_they_are_needed(
    cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "cores", lambda: cores)
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    made = spread(slowly, items())
    assert [next(made), next(made)] == [0, 1] and len(taken) <= cores + 2
    assert list(made) == [n**2 for n in range(2, 20)]


def test_an_error_comes_as_it_was_and_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 2)
    made = spread(lambda number: 1 // (3 - number), range(6))
    assert [next(made) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_one_of_several_processes_begins_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_said", SimpleQueue())
    monkeypatch.setattr(threads, "ThreadPoolExecutor", None)
    assert list(spread(slowly, range(3))) == [0, 1, 4]
