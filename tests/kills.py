"""Processes that are killed at moments spread over what they do."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

KILLS = int(os.environ.get("VCN_KILLS", "10"))
"""How often each such test kills."""
MANY = 50
"""Kills of which some surely come before the turning point, and some behind it."""


class Killer:
    """Runs a script again and again, and kills it each time a little later.

    How long it takes is that of the quickest that came to its end, so far: the first ones read
    files that nobody has read yet, and another job may hold the machine up for a while.

    Parameters
    ----------
    script : str
        Says ``ready`` when what may be killed begins, and ``done`` at its end.
    """

    def __init__(self, script: str) -> None:
        self._script = script
        self._seconds = float("inf")

    def moments(self) -> Iterator[float | None]:
        """Yield moments as shares of the whole; None twice at first: nobody is killed."""
        draw = random.Random(0)
        yield from (None, None)
        for number in range(KILLS):
            yield (number + draw.random()) / KILLS

    def run(self, moment: float | None, *arguments: str | Path) -> bool:
        """Run the script, and return whether it came to its end."""
        command = [sys.executable, "-c", self._script, *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            began = time.perf_counter()
            if moment is not None:
                time.sleep(moment * self._seconds)
                process.send_signal(signal.SIGKILL)
            done = process.stdout.read() == "done\n"
            if done and moment is None:
                self._seconds = min(self._seconds, time.perf_counter() - began)
        return done
