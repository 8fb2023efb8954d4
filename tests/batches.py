"""Workers that stand in for ``vcn cluster`` in a batch: what they do follows from a film's name."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import PIPE
from typing import Self

from videoclusternet.batch.driver import Command

WORKER = """
import json, os, shutil, signal, sys, time
film, run, model = sys.argv[1:]
print(json.dumps({"kind": "start", "step": "scan"}), file=sys.stderr, flush=True)
marks = film + ".begun"
with open(marks, "a") as stream:
    stream.write("x")
times = os.path.getsize(marks)
kind = os.path.basename(film).split("-")[0].split(".")[0]
def fail(code, words):
    print("vcn: " + words, file=sys.stderr, flush=True)
    sys.exit(code)
if kind == "bad":
    fail(3, film + " cannot be opened as a film")
if kind == "model":
    fail(4, "no model")
if kind == "memory":
    fail(7, "there is too little memory")
if kind == "fragile" and times == 1 or kind == "killer":
    os.kill(os.getpid(), signal.SIGKILL)
if kind == "held" and times == 1:
    fail(5, run + " is in use by another run (wait for it)")
if kind == "other" and times == 1:
    fail(5, run + " belongs to other films (choose another folder with -o)")
if kind == "hang":
    os.kill(os.getpid(), signal.SIGSTOP)
if kind == "slow":
    time.sleep(0.5)
if kind == "endless":
    time.sleep(600)
if model:
    shutil.copytree(model, run, dirs_exist_ok=True)
print(json.dumps({"kind": "done", "step": "cast"}), file=sys.stderr, flush=True)
"""


def stand_in(model: Path | None = None) -> Command:
    """Return a command that ends as the film's name says, with a copy of a finished run."""

    def command(film: Path, run: Path) -> list[str]:
        given = str(model or "")
        return [sys.executable, "-I", "-S", "-c", WORKER, str(film), str(run), given]

    return command


def films(folder: Path, names: Sequence[str]) -> list[Path]:
    """Write files that stand for films."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{name}.mp4" for name in names]
    for path in paths:
        path.write_bytes(b"film")
    return paths


def begun(film: Path) -> int:
    """How often a worker began a film."""
    marks = Path(f"{film}.begun")
    return marks.stat().st_size if marks.exists() else 0


CLUSTER = """
import os, sys
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
others = [cluster.add_node(num_cpus=1) for _ in range(int(sys.argv[1]))]
print(cluster.address, flush=True)
for line in sys.stdin:
    if line.strip() == "lose":
        cluster.remove_node(others.pop(), allow_graceful=False)
    else:
        others.append(cluster.add_node(num_cpus=1))
    print("so be it", flush=True)
cluster.shutdown()
"""


class Cluster:
    """A Ray cluster of machines that are all this one: a head with a core, and others."""

    def __init__(self, others: int) -> None:
        command = [sys.executable, "-c", CLUSTER, str(others)]
        self._process = subprocess.Popen(
            command, stdin=PIPE, stdout=PIPE, text=True, start_new_session=True
        )
        self.address = self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate(timeout=60)

    def lose(self) -> None:
        """Lose a machine, with all that works on it, without a word."""
        self._say("lose")

    def gain(self) -> None:
        """Let a machine join."""
        self._say("gain")

    def _say(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        assert said, "the cluster ended"
        return said


def running(film: Path) -> list[int]:
    """Return processes that do a film."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(film) in words:
            found.append(int(path.parent.name))
    return found


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)
