"""All engines: the same bytes, whoever works, and the same manners."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from tests.contract.jobs import (
    failing,
    holding,
    inside,
    killed,
    picky,
    scores,
    slow_at_first,
    squares,
    threads,
    waits_behind,
    waits_for_an_answer,
)
from videoclusternet import Config, Result
from videoclusternet.engine import processes
from videoclusternet.engine.in_parts import Notes, in_parts, split
from videoclusternet.engine.processes import Processes
from videoclusternet.engine.work import Engine, Serial, Work
from videoclusternet.errors import Cancelled, DataError, MemoryShortage
from videoclusternet.runfolder.folder import FolderParts
from videoclusternet.types import FrameScores, Shots

ROOT = Path(__file__).parents[2]
Make = Callable[[], AbstractContextManager[Engine]]
ENGINES: dict[str, Make] = {
    "serial": lambda: nullcontext(Serial()),
    "processes": lambda: Processes(2),
}


@pytest.fixture(params=ENGINES, scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with ENGINES[request.param]() as made:
        yield made


def test_parts_are_put_in_order_and_told(engine: Engine) -> None:
    told: list[tuple[int, int]] = []
    notes: list[str] = []
    work = Work(lambda done, total: told.append((done, total)), notes.append, engine=engine)
    parts = in_parts(split(23, 5), squares, (FrameScores,), work)
    scores = FrameScores.concatenate([part for (part,) in parts])
    assert scores.change[:, 0].tolist() == [n**2 for n in range(23)]
    assert not scores.change.flags.writeable
    assert notes == ["thirteen is damaged"]
    done = [one for one, _ in told]
    assert told[-1] == (23, 23) and done == sorted(done)


def test_what_was_kept_is_not_made_again(engine: Engine, tmp_path: Path) -> None:
    parts = FolderParts(tmp_path)
    kept = (scores([-1] * 5), Notes(()))
    parts.write("00000005-00000010", kept)
    made = in_parts(split(12, 5), squares, (FrameScores,), Work(parts=parts, engine=engine))
    assert made[1][0].change[:, 0].tolist() == [-1] * 5 and made[2][0].change[:, 0].tolist() == [
        100,
        121,
    ]
    names = ["00000000-00000005", "00000005-00000010", "00000010-00000012"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names


def test_what_was_said_of_kept_parts_is_said_again(engine: Engine, tmp_path: Path) -> None:
    def told(make: Any) -> list[str]:
        notes: list[str] = []
        work = Work(note=notes.append, parts=FolderParts(tmp_path), engine=engine)
        in_parts(split(20, 5), make, (FrameScores,), work)
        return notes

    assert told(squares) == ["thirteen is damaged"]
    assert told(failing) == ["thirteen is damaged"]  # all are read, none is made


def test_notes_come_in_the_order_of_the_parts(engine: Engine) -> None:
    notes: list[str] = []
    work = Work(note=notes.append, engine=engine)
    in_parts(split(4, 1), slow_at_first, (FrameScores,), work)
    assert notes == [f"{n} is {what}" for n in range(4) for what in ("begun", "made")]


def test_a_line_that_waits_is_passed_on_before_an_error() -> None:
    notes: list[str] = []
    with Processes(2) as engine, pytest.raises(DataError):
        work = Work(note=notes.append, engine=engine)
        in_parts(split(2, 1), waits_behind, (FrameScores,), work)
    assert notes == ["a line of the second"]


def test_a_damaged_part_is_made_again(engine: Engine, tmp_path: Path) -> None:
    parts = FolderParts(tmp_path)
    in_parts(split(10, 5), squares, (FrameScores,), Work(parts=parts, engine=engine))
    (tmp_path / "00000000-00000005" / "scores.parquet").write_bytes(b"half")
    made = in_parts(split(10, 5), squares, (FrameScores,), Work(parts=parts, engine=engine))
    assert made[0][0].change[:, 0].tolist() == [0, 1, 4, 9, 16]


def test_an_error_comes_as_it_was(engine: Engine, tmp_path: Path) -> None:
    parts = FolderParts(tmp_path)
    with pytest.raises(DataError, match="thirteen is malformed") as told:
        in_parts(split(20, 5), failing, (FrameScores,), Work(parts=parts, engine=engine))
    assert told.value.advice == "leave it out"
    assert not (tmp_path / "00000010-00000015").exists()
    # The engine works on: nothing of the failure is left over.
    assert len(in_parts(split(20, 5), squares, (FrameScores,), Work(engine=engine))) == 4


def test_an_error_that_cannot_travel_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        Processes(2) as engine,
        pytest.raises(RuntimeError, match=r"Picky: the driver said no \(7\)"),
    ):
        in_parts(split(4, 2), picky, (FrameScores,), Work(engine=engine))
    # As in a process of a pool, which would not even send this one.
    monkeypatch.setattr(processes, "_said", SimpleQueue())
    with pytest.raises(RuntimeError, match="Holding: no memory left on the card"):
        processes.work(holding, 0, range(2))
    with pytest.raises(DataError, match="thirteen is malformed"):
        processes.work(failing, 0, range(10, 15))


def test_whoever_listens_may_stop(engine: Engine) -> None:
    def stop(done: int, total: int) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        in_parts(split(20, 5), squares, (FrameScores,), Work(stop, engine=engine))
    assert len(in_parts(split(20, 5), squares, (FrameScores,), Work(engine=engine))) == 4


def test_nothing_is_one_empty_part(engine: Engine) -> None:
    parts = in_parts(split(0, 5), squares, (FrameScores,), Work(engine=engine))
    assert [len(part) for (part,) in parts] == [0]


def test_a_killed_process_is_told_and_replaced() -> None:
    with Processes(2) as engine:
        with pytest.raises(MemoryShortage, match="a process was killed"):
            in_parts(split(4, 2), killed, (Shots,), Work(engine=engine))
        assert len(in_parts(split(4, 2), squares, (FrameScores,), Work(engine=engine))) == 2


def test_what_is_said_comes_before_the_end(tmp_path: Path) -> None:
    def tell(item: Path, said: str) -> None:
        assert said == "begun"
        (item / "seen").touch()

    with Processes(2) as engine:
        found = list(engine.map(waits_for_an_answer, [tmp_path], tell, patient=True))
    assert found == [(tmp_path, "ended")]


def test_patience_lets_all_others_end() -> None:
    found = []
    with Processes(2) as engine, pytest.raises(DataError, match="thirteen is malformed"):
        for span, _ in engine.map(failing, split(20, 5), lambda *_: None, patient=True):
            found.append(span.start)
    assert sorted(found) == [0, 5, 15]


def gone(pids: list[int], seconds: float = 20.0) -> bool:
    """Whether these processes end in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if all(ended(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def ended(pid: int) -> bool:
    """Whether a process is no more, or is only not asked yet how it ended."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return said.rpartition(")")[2].split()[0] in ("Z", "X")


OUTLIVED = """
from pathlib import Path
from tests.contract.jobs import endless
from videoclusternet.engine.processes import Processes

with Processes(2) as engine:
    list(engine.map(endless, [Path({0!r}), Path({0!r})], print))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_process_outlives_the_one_that_began_it(tmp_path: Path) -> None:
    paths = os.pathsep.join([str(ROOT), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", OUTLIVED.format(str(tmp_path))],
        env={**os.environ, "PYTHONPATH": paths},
    ) as first:
        end = time.monotonic() + 60
        while len(pids := [int(p.stem) for p in tmp_path.glob("*.pid")]) < 2:
            assert time.monotonic() < end and first.poll() is None
            time.sleep(0.02)
        first.kill()
    assert gone(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_leaving_early_ends_the_processes(tmp_path: Path) -> None:
    def leave(item: Path, said: str) -> None:
        raise Cancelled("enough")

    started = time.monotonic()
    with Processes(2) as engine, pytest.raises(Cancelled):
        list(engine.map(waits_for_an_answer, [tmp_path, tmp_path], leave))
    assert time.monotonic() - started < 20


def test_each_process_takes_its_share_of_the_cores() -> None:
    cores = os.cpu_count() or 1
    with Processes(2) as engine:
        found = dict(engine.map(threads, [0, 1], lambda *_: None))
    assert set(found.values()) == {(max(1, cores // 2),) * 2}


def test_linear_algebra_keeps_to_one_thread_where_it_is_told() -> None:
    def blas() -> set[int]:
        return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}

    with threadpool_limits(2, "blas"):
        with processes.one_thread():
            assert blas() == {1}
        assert blas() == {2}


@pytest.mark.parametrize(("cores", "left"), [(1, 1), (2, 1), (4, 3)])
def test_a_core_is_left_to_the_thread_beside(cores: int, left: int) -> None:
    import torch

    with threadpool_limits(cores, "openmp"):
        with processes.beside_a_thread():
            assert torch.get_num_threads() == left
            assert {one["num_threads"] for one in threadpool_info()} == {1, left}
        assert torch.get_num_threads() == cores


def test_processes_begin_no_processes() -> None:
    with Processes(2) as engine:
        assert [count for _, count in engine.map(inside, [0, 1], lambda *_: None)] == [1, 1]


SCRIPT = """
from tests.contract.jobs import squares
from videoclusternet.engine.processes import Processes

print("begun")
with Processes(2) as engine:
    found = engine.map(squares, [range(3), range(3, 5)], lambda *_: None)
    print(sorted(table.change[:, 0].sum() for _, (table,) in found))
"""


@pytest.mark.parametrize("way", ["file", "standard input"])
def test_a_script_without_a_guard_is_not_run_again(way: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    name, given = (str(tmp_path / "script.py"), "") if way == "file" else ("-", SCRIPT)
    paths = os.pathsep.join([str(ROOT), *sys.path])
    done = subprocess.run(
        [sys.executable, name], input=given, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["begun", "[np.float32(5.0), np.float32(25.0)]"]


@pytest.mark.slow
def test_a_film_is_the_same_to_the_byte(demo_run: Result) -> None:
    """The embedded networks, one thread each: as many as a process of several has."""
    import torch

    from videoclusternet.film.scan import scan_film
    from videoclusternet.models.load import LazyDetector

    (film,) = demo_run.films
    assert film.video is not None
    config = Config().faces.model_copy(update={"part": 200})
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found: list[Any] = []
        for make in ENGINES.values():
            with make() as engine:
                detector = LazyDetector("mtcnn", "cpu")
                work = Work(engine=engine)
                found.append(scan_film(film.video, detector, config, work=work))
    finally:
        torch.set_num_threads(threads)
    assert [table.digest for table in found[0]] == [table.digest for table in found[1]]
    assert len(found[0][1]) > 50
