"""Workers that stand in for ``vcn cluster`` in a batch: what they do follows from a film's name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

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
