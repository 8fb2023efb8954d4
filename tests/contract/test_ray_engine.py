"""The engine on Ray: the same bytes and manners as the others.  Ray takes long to begin."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.contract.jobs import failing, inside, killed, picky, slow_at_first, squares
from videoclusternet.engine.in_parts import in_parts, split
from videoclusternet.engine.work import Engine, Work
from videoclusternet.errors import Cancelled, DataError, InstallError, MemoryShortage
from videoclusternet.types import FrameScores, Shots

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    ray = pytest.importorskip("ray")
    from videoclusternet.engine.on_ray import OnRay

    with OnRay() as made:
        assert ray is not None
        yield made


def test_bytes_order_progress_and_notes_are_those_of_one_process(engine: Engine) -> None:
    def made(work: Work) -> list[str]:
        return [t.digest for (t,) in in_parts(split(23, 5), squares, (FrameScores,), work)]

    told: list[tuple[int, int]] = []
    notes: list[str] = []
    work = Work(lambda done, total: told.append((done, total)), notes.append, engine=engine)
    assert made(work) == made(Work())
    assert notes == ["thirteen is damaged"]
    done = [one for one, _ in told]
    assert told[-1] == (23, 23) and done == sorted(done)
    notes.clear()
    in_parts(split(4, 1), slow_at_first, (FrameScores,), Work(note=notes.append, engine=engine))
    assert notes == [f"{n} is {what}" for n in range(4) for what in ("begun", "made")]


def test_errors_come_as_they_were(engine: Engine) -> None:
    with pytest.raises(DataError, match="thirteen is malformed") as told:
        in_parts(split(20, 5), failing, (FrameScores,), Work(engine=engine))
    assert told.value.advice == "leave it out"
    with pytest.raises(RuntimeError, match=r"Picky: the driver said no \(7\)"):
        in_parts(split(4, 2), picky, (FrameScores,), Work(engine=engine))
    found = []
    with pytest.raises(DataError):
        for span, _ in engine.map(failing, split(20, 5), lambda *_: None, patient=True):
            found.append(span.start)
    assert sorted(found) == [0, 5, 15]


def test_a_killed_worker_is_told_and_replaced(engine: Engine) -> None:
    with pytest.raises(MemoryShortage, match="a worker of Ray was killed"):
        in_parts(split(4, 2), killed, (Shots,), Work(engine=engine))
    assert len(in_parts(split(4, 2), squares, (FrameScores,), Work(engine=engine))) == 2


def test_whoever_listens_may_stop(engine: Engine) -> None:
    def stop(done: int, total: int) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        in_parts(split(20, 5), squares, (FrameScores,), Work(stop, engine=engine))
    assert len(in_parts(split(20, 5), squares, (FrameScores,), Work(engine=engine))) == 4


def test_tasks_begin_no_processes(engine: Engine) -> None:
    assert [count for _, count in engine.map(inside, [0, 1], lambda *_: None)] == [1, 1]


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from videoclusternet.engine.on_ray import OnRay

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InstallError, match="Ray is not installed"):
        OnRay()
