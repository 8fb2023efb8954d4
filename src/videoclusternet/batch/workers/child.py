"""A film's worker: a process of its own, watched for signs of life, which dies with its watcher.

Native code that crashes, hangs or eats all memory then costs one film.  Both engines run films so.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import gethostname
from time import monotonic
from typing import Any, Self

PYTHON = "{python}"
"""In place of the first word of a command: the interpreter of whoever runs it."""
GUARD = Path(__file__).with_name("guard.py")
TAIL = 20
"""Lines kept of what a worker says in words."""
LONGEST = 1 << 16
"""Bytes of a line: what is longer is cut."""
LOOK = 0.5
"""Seconds between two looks at who has been silent too long."""
GRACE = 5.0
"""Seconds that a process has to end after it closed what it speaks through."""
Said = Mapping[str, Any]
Tell = Callable[[str, Said], None]
"""Told the name of a run and what was said of it: an event of ``--log-json``, or ``begun``."""


@dataclass(frozen=True)
class Order:
    """What a worker is to do.

    Attributes
    ----------
    run : str
        Name of the run folder, which tells films apart.
    command : tuple of str
    environment : mapping
        Variables besides those there are.
    patience : float
        Seconds without a word after which it is taken to hang.
    folder : str
        Where it runs; where that is not there, wherever its watcher runs.
    cores : tuple of int
        Numbers of the cores that it may use; of none, any.
    """

    run: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    patience: float = 1800.0
    folder: str = ""
    cores: tuple[int, ...] = ()


@dataclass(frozen=True)
class Ended:
    """How a worker ended.

    Attributes
    ----------
    code : int or None
        Exit code, or a signal as a negative number; None where nobody saw its end.
    said : str
        Its last words: the line that names its error, if there is one.
    seconds : float
    hung : bool
        Whether it was killed for its silence.
    where : str
        Machine.
    """

    code: int | None
    said: str = ""
    seconds: float = 0.0
    hung: bool = False
    where: str = ""


class Child:
    """One worker and all that it begins.

    Raises
    ------
    OSError
        When the system can begin no further process.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.begun = self.heard = monotonic()
        self._words: deque[str] = deque(maxlen=TAIL)
        self._rest = b""
        command = [sys.executable if one == PYTHON else one for one in order.command]
        cores = ",".join(map(str, order.cores))
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD), cores, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **order.environment},
            cwd=order.folder if os.path.isdir(order.folder) else None,
            start_new_session=True,
        )
        assert self.process.stderr is not None
        self.pipe = self.process.stderr.fileno()
        os.set_blocking(self.pipe, False)

    def read(self) -> tuple[list[Said], bool]:
        """Return the events that came, and whether no more will."""
        events: list[Said] = []
        try:
            while data := os.read(self.pipe, LONGEST):
                self.heard = monotonic()
                *lines, self._rest = (self._rest + data).split(b"\n")
                self._rest = self._rest[:LONGEST]
                events += [event for line in lines if (event := self._take(line)) is not None]
        except BlockingIOError:
            return events, False
        return events, True

    def _take(self, line: bytes) -> Said | None:
        """Return an event; keep words."""
        if line.startswith(b"{"):
            with suppress(ValueError, RecursionError):
                event = json.loads(line)
                return event if isinstance(event, dict) else None
        if words := line.decode("utf-8", "replace").strip():
            self._words.append(words[:LONGEST])
        return None

    def kill(self) -> None:
        """End it and all that it began, whatever they do."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self, hung: bool = False) -> Ended:
        """Wait for its end, and say how it ended; what it left running goes."""
        if hung:
            self.kill()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)
        self.kill()
        code = self.process.wait()
        self._take(self._rest)
        for pipe in (self.process.stdin, self.process.stderr):
            assert pipe is not None
            pipe.close()
        # The guard gives a signal as shells do; 130 is the code of a run that was stopped.
        code = 128 - code if code > 128 and code != 130 else code
        seconds = round(monotonic() - self.begun, 3)
        return Ended(code, self._last_words(), seconds, hung, gethostname())

    def _last_words(self) -> str:
        named = [one for one in self._words if one.startswith("vcn: ")]
        named = [one for one in named if not one.startswith(("vcn: warning", "vcn: note"))]
        return named[-1].removeprefix("vcn: ") if named else (self._words or [""])[-1]


class Children:
    """Workers side by side, watched by one thread.

    Use as a context manager, which kills those that still work.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._selector = selectors.DefaultSelector()
        self._children: dict[str, Child] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for child in self._children.values():
            child.kill()
        for child in self._children.values():
            child.end()
        self._children.clear()
        self._selector.close()

    def __len__(self) -> int:
        return len(self._children)

    def start(self, order: Order) -> None:
        """Begin a worker.

        Raises
        ------
        OSError
            As :class:`Child`.
        """
        child = Child(order)
        self._children[order.run] = child
        self._selector.register(child.pipe, selectors.EVENT_READ, child)
        self._tell(order.run, {"kind": "begun", "where": gethostname()})

    def wait(self, seconds: float) -> list[tuple[str, Ended]]:
        """Return those that ended; waits so long for one to say something."""
        ended = []
        for key, _ in self._selector.select(min(seconds, LOOK)):
            child: Child = key.data
            events, last = child.read()
            for event in events:
                self._tell(child.order.run, event)
            if last or child.process.poll() is not None:
                ended.append(self._end(child))
        for child in list(self._children.values()):
            if monotonic() - child.heard > child.order.patience:
                ended.append(self._end(child, hung=True))
            elif child.process.poll() is not None:  # something that it left holds the pipe
                child.read()
                ended.append(self._end(child))
        return ended

    def _end(self, child: Child, hung: bool = False) -> tuple[str, Ended]:
        self._selector.unregister(child.pipe)
        del self._children[child.order.run]
        return child.order.run, child.end(hung)


def run_to_end(order: Order, tell: Tell) -> Ended:
    """Run one worker and wait for its end."""
    with Children(tell) as children:
        children.start(order)
        while not (ended := children.wait(LOOK)):
            pass
        return ended[0][1]
