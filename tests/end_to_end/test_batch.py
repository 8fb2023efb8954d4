"""Batches of real clips and on clusters: casts as of single runs, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import av
import pyarrow.parquet as pq
import pytest

from tests.batches import Cluster, begun, films, running, stand_in, wait_for
from videoclusternet import Result, cluster_film, open_library
from videoclusternet.batch.driver import Terms, run_batch
from videoclusternet.batch.films import find_films
from videoclusternet.batch.record import Record, read_records
from videoclusternet.batch.workers.child import PYTHON
from videoclusternet.cli.demo_film import write_film
from videoclusternet.config import Config
from videoclusternet.errors import ConfigError
from videoclusternet.runfolder.manifest import MANIFEST, read_manifest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc"),
]
CLIPS = ("friends", "dirtydancing", "nggyup", "facenet_pytorch_crowd", "short_hamilton_clip")
EACH, FRAMES, HEIGHT, FILMS = 8, 50, 270, 26
BROKEN = {
    "cut.mp4": "cannot be opened as a film",
    "empty.mp4": "is empty (0 bytes)",
    "text.mkv": "cannot be opened as a film",
}
HANGS = "hangs.mp4"


@pytest.fixture(scope="module")
def thirty(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """26 small films of real clips, three that are broken, and one at which a worker hangs."""
    folder = tmp_path_factory.mktemp("thirty") / "films"
    folder.mkdir()
    for path in islice(_parts(shared_data / "clips", folder), FILMS):
        assert path.stat().st_size
    whole = (folder / "friends-0.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mkv").write_text("This is no film.\n" * 100)
    (folder / HANGS).write_bytes(whole)
    assert len(list(folder.iterdir())) == 30
    return folder


def _parts(clips: Path, folder: Path) -> Iterator[Path]:
    """Write films of two seconds, up to eight of each clip."""
    for clip in CLIPS:
        with av.open(str(clips / f"{clip}.mp4")) as container:
            frames = container.decode(video=0)
            for number in range(EACH):
                pictures = [_small(frame) for frame in islice(frames, FRAMES)]
                if len(pictures) < FRAMES:
                    break
                path = folder / f"{clip}-{number}.mp4"
                write_film(path, iter(pictures))
                yield path


def _small(frame: Any) -> Any:
    width = frame.width * HEIGHT // frame.height // 2 * 2
    return frame.reformat(width=width, height=HEIGHT, format="rgb24").to_ndarray()


def casts(folder: Path) -> dict[str, dict[str, Any]]:
    """Return hashes of tracks, embeddings and cast of each run in a folder."""
    found = {}
    for run in folder.glob("*.vcn"):
        steps = read_manifest(run / MANIFEST)["steps"]
        found[run.name] = {name: steps[name]["tables"] for name in ("tracks", "embeddings", "cast")}
    return found


@pytest.fixture(scope="module")
def singly(thirty: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The films one by one, in this process."""
    folder = tmp_path_factory.mktemp("singly")
    for film in sorted(thirty.glob("*-*.mp4")):
        cluster_film(film, folder / f"{film.stem}.vcn", Config(processes=1))
    return casts(folder)


DRIVER = f"""
import sys
from pathlib import Path
from videoclusternet.batch import driver
from videoclusternet.batch.films import find_films
films, out, engine, address = sys.argv[1:]
own = driver._cluster(Path(out), "")
asleep = "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"
def command(film, run):  # one hangs for good: stopped, it answers to nothing but SIGKILL
    if film.name != {HANGS!r}:
        return own(film, run)
    return [{PYTHON!r}, "-S", "-c", asleep, str(film)]
terms = driver.Terms(engine=engine, address=address, patience=45, retries=3)
driver.run_batch(find_films([Path(films)]), Path(out), terms=terms, command=command)
"""


def drive(films: Path, out: Path, engine: str, address: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DRIVER, films, out, engine, address])


def done(out: Path) -> int:
    if not (out / "batch.jsonl").exists():
        return 0
    return sum(record.state == "done" for record in read_records(out).values())


def kill_a_worker(films: Path) -> None:
    """Kill the process of some film that is under way."""
    found: list[int] = []

    def look() -> bool:
        found[:] = [pid for film in films.glob("*-*.mp4") for pid in running(film)]
        return bool(found)

    wait_for(look, 60)
    os.kill(random.choice(found), signal.SIGKILL)


@pytest.mark.data
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("engine", ["processes", "ray"])
def test_thirty_films_with_broken_ones_a_hang_and_kills_have_the_casts_of_single_runs(
    engine: str, thirty: Path, singly: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    out, address = tmp_path / "out", "local"
    with ExitStack() as stack:
        if engine == "ray":
            cluster = stack.enter_context(Cluster(2))
            address = cluster.address
        with drive(thirty, out, engine, address) as first:
            wait_for(lambda: done(out) >= 3, 300)
            kill_a_worker(thirty)
            if engine == "ray":
                cluster.lose()
            wait_for(lambda: done(out) >= 8, 300)
            first.kill()
        wait_for(lambda: not any(running(film) for film in thirty.iterdir()), 60)
        kept = {run: (out / run / MANIFEST).stat().st_mtime_ns for run in whole(out)}
        assert 8 <= len(kept) < FILMS
        with drive(thirty, out, engine, address) as second:
            assert second.wait(1200) == 0
    records = read_records(out)
    assert Counter(r.state for r in records.values()) == {"done": 26, "failed": 3, "timed out": 1}
    of = {Path(film).name: record for film, record in records.items()}
    assert of[HANGS].reason.startswith("no sign of life for 45 s")
    assert all(said in of[name].reason and of[name].code == 3 for name, said in BROKEN.items())
    assert casts(out) == singly
    assert {run: (out / run / MANIFEST).stat().st_mtime_ns for run in kept} == kept
    if engine == "ray":
        assert len({record.where for record in records.values()}) == 1  # all are this machine


def whole(out: Path) -> list[str]:
    return [record.run for record in read_records(out).values() if record.state == "done"]


def states(records: dict[str, Record]) -> dict[str, str]:
    return {Path(film).stem: record.state for film, record in records.items()}


def test_a_cluster_does_as_processes_do(tmp_path: Path, drawn_run: Path) -> None:
    names = ["a", "bad", "fragile", "killer", "hang", "memory", "b"]
    every = films(tmp_path / "in", names)
    terms = Terms(engine="ray", patience=5.0)
    with Cluster(2) as cluster:
        terms = Terms(engine="ray", address=cluster.address, patience=5.0)
        records = run_batch(every, tmp_path / "out", terms=terms, command=stand_in(drawn_run))
        again = run_batch(every, tmp_path / "out", terms=terms, command=stand_in(drawn_run))
        with pytest.raises(ConfigError, match="no Ray cluster at"):
            run_batch(
                films(tmp_path / "in", ["c"]),
                tmp_path / "out",
                terms=Terms(engine="ray", address="127.0.0.1:1"),
                command=stand_in(),
            )
    assert again == records
    bad = {"bad": "failed", "killer": "killed", "hang": "timed out", "memory": "failed"}
    assert states(records) == {"a": "done", "fragile": "done", "b": "done", **bad}
    of = {Path(film).stem: record for film, record in records.items()}
    assert (of["bad"].code, of["killer"].code, of["killer"].tries) == (3, -9, 2)
    assert [begun(film) for film in every] == [1, 1, 2, 2, 1, 2, 1]


def test_a_film_whose_machine_is_lost_is_begun_elsewhere(tmp_path: Path) -> None:
    every = films(tmp_path / "in", [f"slow-{n}" for n in range(20)])
    code = (
        "import sys; from pathlib import Path; from tests.batches import stand_in\n"
        "from videoclusternet.batch.driver import Terms, run_batch\n"
        "terms = Terms(engine='ray', address=sys.argv[1], retries=3)\n"
        "films = [Path(name) for name in sys.argv[3:]]\n"
        "run_batch(films, Path(sys.argv[2]), terms=terms, command=stand_in())\n"
    )
    out = tmp_path / "out"
    with Cluster(2) as cluster:
        command = [sys.executable, "-c", code, cluster.address, out, *every]
        with subprocess.Popen(command) as driver:
            wait_for(lambda: done(out) >= 2, 120)
            cluster.lose()
            wait_for(lambda: done(out) >= 6, 120)
            cluster.lose()
            cluster.gain()
            assert driver.wait(120) == 0
    assert done(out) == 20
    assert sum(map(begun, every)) >= 20


@pytest.mark.parametrize("engine", ["processes", "ray"])
def test_workers_scale(engine: str, tmp_path: Path) -> None:
    """Films that only sleep: eight workers are nearly eight times as fast as one.

    The first film of each counts for nothing: there Ray begins its workers.
    """
    work, each = 4.0, 3
    every = films(tmp_path / "in", [str(n) for n in range(8 * (1 + each))])
    code = f"import time; time.sleep({work})"
    ends: dict[int, float] = {}
    with ExitStack() as stack:
        address = ""
        if engine == "ray":
            address = stack.enter_context(Cluster(7)).address
        records = run_batch(
            every,
            tmp_path / "out",
            terms=Terms(engine=engine, address=address, at_once=8),  # type: ignore[arg-type]
            hook=lambda event: ends.setdefault(event.done, time.monotonic()) and None,
            command=lambda film, run: [sys.executable, "-I", "-S", "-c", code],
        )
    assert set(states(records).values()) == {"done"}
    took = ends[len(every)] - ends[8]
    assert work * each / took >= 0.85, took  # bench/batch.py measures it in quiet


def test_the_command_begins_a_cluster_of_its_own(tmp_path: Path, drawn_film: Path) -> None:
    run = [sys.executable, "-m", "videoclusternet", "batch"]
    options = ["-o", tmp_path / "out", "--engine", "ray", "--address", "local", "--log-json"]
    ended = subprocess.run([*run, drawn_film, *options], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    events = [json.loads(line) for line in ended.stderr.splitlines()]
    assert events[-1]["done"] == events[-1]["total"] == 1
    refused = [*run, drawn_film, *options, "--cpus-per-film", "999", "--set", "seed=1"]
    ended = subprocess.run(refused, capture_output=True, text=True)
    assert ended.returncode == 2 and "no machine has 999 CPUs" in ended.stderr


@pytest.mark.parametrize("engine", ["processes", "ray"])
def test_every_film_knows_the_people_of_a_library(
    engine: Literal["processes", "ray"], demo_run: Result, tmp_path: Path
) -> None:
    if engine == "ray":
        pytest.importorskip("ray")
    assert demo_run.films[0].video is not None
    with av.open(demo_run.films[0].video.path) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    half, library = len(pictures) // 2, tmp_path / "people.db"
    (tmp_path / "in").mkdir()
    write_film(tmp_path / "first.mp4", iter(pictures[:half]))
    write_film(tmp_path / "in" / "second.mp4", iter(pictures[half:]))
    write_film(tmp_path / "in" / "third.mp4", iter(pictures[half : half + half // 2]))
    first = cluster_film(tmp_path / "first.mp4", tmp_path / "first.vcn", Config(processes=1))
    named = {"Eileen": 1, "Grace": 2}
    for name, number in named.items():
        first.edits.name(number, name)
    with open_library(library, create=True) as opened:
        opened.add(first)
    before = library.read_bytes()
    terms = Terms(engine=engine, address="local", library=library)
    records = run_batch(find_films([tmp_path / "in"]), tmp_path / "out", terms=terms)
    assert states(records) == {"second": "done", "third": "done"}
    alone = cluster_film(
        tmp_path / "in" / "second.mp4", tmp_path / "alone.vcn", Config(processes=1), library=library
    )
    rows = pq.read_table(tmp_path / "out" / "casts.parquet").to_pylist()
    assert sorted((Path(row["film"]).stem, row["name"], row["kind"]) for row in rows) == [
        (film, name, "guest") for film in ("second", "third") for name in named
    ]
    of = {one.name: one.number for one in alone if one.kind == "guest"}
    assert of == {row["name"]: row["character"] for row in rows if row["run"] == "second.vcn"}
    assert library.read_bytes() == before
