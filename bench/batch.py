"""What a batch costs besides its films, and how workers scale.

    python bench/batch.py [--engine processes] [--engine ray] [--work 4] [--films 4]

Sleep stands in place of work.  Films that take no time show what one costs: the start of a guard
and of Python, the task, and the lines that are written.  Films of ``--work`` seconds, ``--films``
for each of 1, 2, 4 and 8 workers, show how they scale: the time of all of them one after the other,
divided by workers and by the time that it took.  The first film of each worker counts apart, as
``start``: there Ray begins its workers.  Ray is a cluster with a machine of a core for each, all of
them this one.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from videoclusternet.batch.driver import Terms, run_batch
from videoclusternet.events import Event

WORKERS = (1, 2, 4, 8)


@contextmanager
def engine_of(name: str, workers: int) -> Iterator[Terms]:
    """Hold a cluster where one is wanted."""
    if name == "processes":
        yield Terms()
        return
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(workers - 1):
        cluster.add_node(num_cpus=1)
    try:
        yield Terms(engine="ray", address=cluster.address)
    finally:
        cluster.shutdown()


def seconds_of(terms: Terms, workers: int, films: int, work: float) -> tuple[float, float]:
    """Return the seconds until each worker has done a film, and those of ``films`` more."""
    ends: dict[int, float] = {}

    def hook(event: Event) -> None:
        ends.setdefault(event.done, time.perf_counter())

    with tempfile.TemporaryDirectory(prefix="vcn-") as temporary:
        folder = Path(temporary)
        begin = time.perf_counter()
        records = run_batch(
            [folder / f"{number}.mp4" for number in range(workers + films)],
            folder / "out",
            terms=replace(terms, at_once=workers),
            hook=hook,
            command=lambda film, run: [
                *(sys.executable, "-I", "-S", "-c"),
                f"import time; time.sleep({work})",
            ],
        )
    assert all(record.state == "done" for record in records.values())
    return ends[workers] - begin, ends[workers + films] - ends[workers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("processes", "ray"), action="append")
    parser.add_argument("--work", type=float, default=4.0, help="seconds of sleep")
    parser.add_argument("--films", type=int, default=4, help="for each worker")
    parser.add_argument("--empty", type=int, default=100, help="films without work")
    options = parser.parse_args()
    table = Table(
        "engine", "workers", "work, s", "films", "start, s", "took, s", "a film, s", "of 1"
    )
    for engine in options.engine or ("processes", "ray"):
        for workers in WORKERS:
            with engine_of(engine, workers) as terms:
                for work, films in ((0.0, options.empty), (options.work, workers * options.films)):
                    start, took = seconds_of(terms, workers, films, work)
                    shown = f"{films * work / workers / took:.3f}" if work else ""
                    each = f"{(took - films * work / workers) / films:.3f}"
                    cells = (f"{work:g}", str(films), f"{start:.2f}", f"{took:.2f}", each, shown)
                    table.add_row(engine, str(workers), *cells)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
