"""A case: an input that is made in an empty folder, commands upon it, and what must hold."""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from tests.drawn import FakeModels
from videoclusternet.cli.main import main

CODES = (0, 2, 3, 4, 5, 6, 7, 130)
"""Exit codes that the docs promise; 1 is a defect."""
SECONDS = 60.0
"""A command that takes longer hangs: none of the campaign has work for more than a few."""
HUNG = -1000
"""In place of an exit code: the command took too long."""
MOST_MIB = 2048
"""Peak of resident memory."""
KINDS = ("silently wrong", "traceback", "hang", "memory", "unclear")
"""Faults, in the order of the report; ``unclear`` is a wrong exit code or no clear line."""


@dataclass(frozen=True)
class Fault:
    """What went wrong in a case."""

    kind: str
    said: str


@dataclass(frozen=True)
class Outcome:
    """How a command ended; ``code`` is negative where a signal ended it."""

    code: int
    out: str
    err: str
    seconds: float
    peak: int


@dataclass
class Place:
    """Where a case makes its input and calls the command.

    Attributes
    ----------
    folder : Path
        Empty, the working folder of all commands.
    rng : random.Random
        Seeded by the campaign's seed and the name of the case.
    inputs : int
        How many were read without a command.
    """

    folder: Path
    rng: random.Random
    faults: list[Fault] = field(default_factory=list)
    commands: int = 0
    inputs: int = 0

    def vcn(
        self,
        *arguments: str | Path | bytes,
        codes: tuple[int, ...] = CODES,
        before: Callable[[], None] = lambda: None,
        stand_ins: bool = True,
        seconds: float = SECONDS,
    ) -> Outcome:
        """Call the command in a child and hold what every command must hold.

        Parameters
        ----------
        *arguments
            As typed after ``vcn``.
        codes : tuple of int
            Exit codes that are right here.
        before : callable
            Called in the child first of all: limits, hooks, another user.
        stand_ins : bool
            Whether networks are replaced by those of :mod:`tests.drawn`.
        seconds : float
            After which the command hangs.
        """
        self.commands += 1
        words = [os.fsdecode(word) for word in arguments]

        def call() -> int:
            before()
            if stand_ins:
                FakeModels(pytest.MonkeyPatch())
            return _main(words)

        outcome = in_child(call, self.folder, seconds)
        told = f"vcn {' '.join(words)}"
        self._judge(told, outcome, codes)
        return outcome

    def must(self, holds: bool, said: str, kind: str = "silently wrong") -> None:
        """Note a fault unless something holds."""
        if not holds:
            self.faults.append(Fault(kind, said))

    def _judge(self, told: str, outcome: Outcome, codes: tuple[int, ...]) -> None:
        end = f"{told} -> {outcome.code}: {outcome.err.strip()[-2000:]}"
        if outcome.code == HUNG:
            self.must(False, end, "hang")
            return
        self.must("Traceback" not in outcome.err + outcome.out, end, "traceback")
        self.must(outcome.peak <= MOST_MIB, f"{told}: {outcome.peak} MiB", "memory")
        self.must(outcome.code in codes, end, "unclear")
        if outcome.code > 0:
            said = outcome.err.replace("vcn: warning: ", "").splitlines()
            lines = [line for line in said if line.startswith("vcn: ")]
            usage = outcome.code == 2 and "Usage:" in outcome.err
            self.must(len(lines) == 1 or usage, f"no clear line: {end}", "unclear")


@dataclass(frozen=True)
class Case:
    """One attack.

    Attributes
    ----------
    name : str
        Unique in its family: what is done.
    attack : callable
        Makes the input in a :class:`Place`, calls commands, says what must hold.
    """

    name: str
    attack: Callable[[Place], None]


def in_child(call: Callable[[], int], folder: Path, seconds: float = SECONDS) -> Outcome:
    """Run a function in a forked child with ``folder`` as working folder.

    Everything is imported already, so that a command takes no longer than its work.  A child
    that takes too long ends with :data:`HUNG`, its own children too.
    """
    pipes = [os.memfd_create("out"), os.memfd_create("err")]
    started = time.perf_counter()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _be_child(call, folder, pipes)
    late, wait = False, 0.001
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            break
        if not late and time.perf_counter() - started > seconds:
            late = True
            _end_group(child)
        time.sleep(wait)
        wait = min(0.02, 1.3 * wait)
    _end_group(child)  # what it started and left behind
    code = HUNG if late else os.waitstatus_to_exitcode(status)
    out, err = (_read(pipe) for pipe in pipes)
    return Outcome(code, out, err, time.perf_counter() - started, usage.ru_maxrss // 1024)


def _end_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return  # nobody is left


def _be_child(call: Callable[[], int], folder: Path, pipes: list[int]) -> NoReturn:
    code = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, pipe in enumerate([nothing, *pipes]):
            os.dup2(pipe, number)
        sys.stdin, sys.stdout, sys.stderr = (
            open(number, mode, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
            for number, mode in enumerate("rww")
        )
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.chdir(folder)
        code = call()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code & 0xFF)


def _main(words: list[str]) -> int:
    """Run the command line as its script does."""
    sys.argv = ["vcn", *words]
    try:
        main()
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def _read(pipe: int) -> str:
    with open(pipe, "rb") as stream:
        stream.seek(0)
        return stream.read().decode("utf-8", "replace")
