"""Jobs of a bench in several processes: all their parts, and failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from videoclusternet.errors import DataError
from videoclusternet_bench.runner import Rows, run_jobs


def two_parts(job: int, folder: Path) -> Iterator[Rows]:
    yield [{"job": job, "part": 0}]
    if job == 1:
        raise DataError("job 1 is malformed")
    yield [{"job": job, "part": 1}]


@pytest.mark.parametrize("jobs", [1, 2])
def test_all_parts_of_all_jobs(jobs: int, tmp_path: Path) -> None:
    found: Rows = []
    run_jobs(two_parts, [0, 2, 3], tmp_path, jobs, found.extend)
    assert sorted((row["job"], row["part"]) for row in found) == [
        (job, part) for job in (0, 2, 3) for part in (0, 1)
    ]


def test_a_job_that_fails_stops_no_other(tmp_path: Path) -> None:
    found: Rows = []
    with pytest.raises(DataError, match="job 1 is malformed"):
        run_jobs(two_parts, [1, 2, 3], tmp_path, 2, found.extend)
    assert len(found) == 5
