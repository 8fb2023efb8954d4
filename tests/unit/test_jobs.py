"""Jobs in several processes: parts as they end, failures, and no process left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from videoclusternet.errors import Cancelled, ConfigError, DataError
from videoclusternet_bench.runner import Rows, run_jobs

ROOT = Path(__file__).parents[2]


def two_parts(job: int, folder: Path) -> Iterator[Rows]:
    yield [{"job": job, "part": 0}]
    if job == 1:
        raise DataError("job 1 is malformed")
    yield [{"job": job, "part": 1}]


def waiting_for_the_first_part(job: int, folder: Path) -> Iterator[Rows]:
    yield [{"part": 0}]
    while not (folder / "seen").exists():
        time.sleep(0.02)
    yield [{"part": 1}]


def killed(job: int, folder: Path) -> Iterator[Rows]:
    os.kill(os.getpid(), signal.SIGKILL)
    yield []


def endless(job: int, folder: Path) -> Iterator[Rows]:
    (folder / f"{os.getpid()}.pid").touch()
    time.sleep(600)
    yield []


@pytest.mark.parametrize("jobs", [1, 2])
def test_all_parts_of_all_jobs(jobs: int, tmp_path: Path) -> None:
    found: Rows = []
    run_jobs(two_parts, [0, 2, 3], tmp_path, jobs, found.extend)
    assert sorted((row["job"], row["part"]) for row in found) == [
        (job, part) for job in (0, 2, 3) for part in (0, 1)
    ]


def test_parts_come_before_their_job_has_ended(tmp_path: Path) -> None:
    found: Rows = []

    def tell(rows: Rows) -> None:
        found.extend(rows)
        (tmp_path / "seen").touch()

    run_jobs(waiting_for_the_first_part, [0], tmp_path, 2, tell)
    assert found == [{"part": 0}, {"part": 1}]


def test_a_job_that_fails_stops_no_other(tmp_path: Path) -> None:
    found: Rows = []
    with pytest.raises(DataError, match="job 1 is malformed"):
        run_jobs(two_parts, [1, 2, 3], tmp_path, 2, found.extend)
    assert len(found) == 5


def test_a_killed_process_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a process was killed"):
        run_jobs(killed, [0], tmp_path, 2, lambda rows: None)


def gone(pids: list[int], seconds: float = 20.0) -> bool:
    """Whether these processes end in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_process_outlives_the_one_that_began_it(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from tests.unit.test_jobs import endless, run_jobs\n"
        "if __name__ == '__main__':\n"
        f"    run_jobs(endless, [0, 1], Path({str(tmp_path)!r}), 2, print)\n"
    )
    script = tmp_path / "begin.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script], env=environment) as first:
        end = time.monotonic() + 60
        while len(pids := [int(p.stem) for p in tmp_path.glob("*.pid")]) < 2:
            assert time.monotonic() < end and first.poll() is None
            time.sleep(0.1)
        first.kill()
    assert gone(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_leaving_early_ends_the_processes(tmp_path: Path) -> None:
    def leave(rows: Rows) -> None:
        raise Cancelled("enough")

    started = time.monotonic()
    with pytest.raises(Cancelled):
        run_jobs(waiting_for_the_first_part, [0], tmp_path, 2, leave)
    assert time.monotonic() - started < 20
