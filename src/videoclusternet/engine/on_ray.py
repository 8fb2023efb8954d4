"""Parts of long steps as tasks of Ray, on this machine or on all of a cluster.

What a task needs travels with it and what it makes comes back, so machines share nothing but the
films and the weights, under the same paths.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from videoclusternet.engine import processes
from videoclusternet.engine.work import Item, Make, Result, Serial
from videoclusternet.errors import ConfigError, InstallError, MemoryShortage

EVERY = 0.2
"""Seconds between two looks at what the tasks say."""
ANSWER = 5.0
"""Seconds in which a cluster has to answer."""


class Board:
    """Where tasks pin up what they say until it is taken: an actor of Ray."""

    def __init__(self) -> None:
        self._said: list[tuple[int, Any]] = []

    def put(self, number: int, said: Any) -> None:
        """Take what is said of an item."""
        self._said.append((number, said))

    def take(self) -> list[tuple[int, Any]]:
        """Return what came since the last time."""
        said, self._said = self._said, []
        return said


class _Voice:
    """Says to a board what a task says, before the task ends."""

    def __init__(self, ray: Any, board: Any) -> None:
        self._ray, self._board = ray, board

    def put(self, said: tuple[int, Any]) -> None:
        self._ray.get(self._board.put.remote(*said))


def do_part(make: Make[Any, Any], number: int, item: Any, board: Any) -> Any:
    """Make one item with one thread: a task of Ray."""
    import ray

    processes.begin_one_of_several(1, _Voice(ray, board))
    return processes.work(make, number, item)


class OnRay:
    """An engine on Ray's own scheduler; use as a context manager.

    Parameters
    ----------
    address : str
        ``local`` begins a cluster of this machine for as long as the engine is used; ``auto`` or
        ``HOST:PORT`` joins one.

    Raises
    ------
    InstallError
        When Ray is not installed.
    """

    def __init__(self, address: str = "local") -> None:
        self._ray, self._address, self._joined = load_ray(), address, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the cluster: one that was begun here ends, and its tasks with it."""
        if self._joined:
            self._ray.shutdown()
        self._joined = False

    def map(
        self,
        make: Make[Item, Result],
        items: Sequence[Item],
        tell: Callable[[Item, Any], None],
        patient: bool = False,
    ) -> Iterator[tuple[Item, Result]]:
        """Yield items with what was made of them, as they end; see ``Engine``.

        Raises
        ------
        ConfigError
            When there is no cluster at the address.
        MemoryShortage
            When the worker of a task was lost.
        Exception
            What ``make`` raised.
        """
        if len(items) < 2 and not patient:
            yield from Serial().map(make, items, tell)
            return
        ray = self._started()
        board = ray.remote(Board).options(num_cpus=0).remote()
        task = ray.remote(do_part).options(max_retries=0)
        shared = ray.put(make)
        left = {task.remote(shared, n, item, board): n for n, item in enumerate(items)}
        failed: list[BaseException] = []
        try:
            while left:
                done, _ = ray.wait(list(left), timeout=EVERY)
                for number, said in ray.get(board.take.remote()):
                    tell(items[number], said)
                for ref in done:
                    number = left.pop(ref)
                    made, error = self._result(ref)
                    if error is None:
                        yield items[number], made
                    else:
                        failed.append(error)
                if failed and not patient:
                    break
        finally:
            for ref in left:
                ray.cancel(ref, force=True)
            ray.kill(board)
        if failed:
            raise failed[0]

    def _started(self) -> Any:
        if not self._joined:
            connect(self._ray, self._address, "--set engine=ray")
            self._joined = True
        return self._ray

    def _result(self, ref: Any) -> tuple[Any, BaseException | None]:
        try:
            return self._ray.get(ref), None
        except self._ray.exceptions.RayTaskError as error:
            return None, error.cause if error.cause is not None else RuntimeError(str(error))
        except self._ray.exceptions.RayError:
            return None, MemoryShortage(
                "a worker of Ray was killed, perhaps for its memory",
                "run it again with --set engine=serial, or with fewer CPUs in the cluster",
            )


def load_ray() -> Any:
    """Return Ray's module.

    Raises
    ------
    InstallError
        When Ray is not installed.
    """
    # Before it is imported: it says nothing to anybody about how it is used.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.exceptions
        import ray.util.scheduling_strategies
    except ImportError:
        raise InstallError(
            "Ray is not installed", 'pip install "videoclusternet[distributed]"'
        ) from None
    return ray


def connect(ray: Any, address: str, alone: str) -> bool:
    """Join a cluster, or begin one of this machine; whether it is the latter.

    Parameters
    ----------
    ray : module
    address : str
        ``auto``: the cluster that this machine belongs to; ``local``: begin one; ``HOST:PORT``.
        Empty: the first, and where there is none the second.
    alone : str
        How a user asks for one of this machine.

    Raises
    ------
    ConfigError
        When there is no cluster at the address.
    """
    how: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address != "local":
        try:
            _knock(address or "auto")
            ray.init(address=address or "auto", **how)
            return False
        except (OSError, ValueError, RuntimeError) as error:
            if address:
                said = next(iter(str(error).strip().splitlines()), type(error).__name__)
                raise ConfigError(
                    f"there is no Ray cluster at {address}: {said}",
                    f"begin one with `ray start --head`, or say {alone}",
                ) from error
    how |= {"num_cpus": processes.cores(), "include_dashboard": False}
    ray.init(address="local", _node_ip_address="127.0.0.1", **how)
    return True


def _knock(address: str) -> None:
    """Raise an error where nobody answers: Ray would try for minutes, and then end this process.

    What ``auto`` means is written by whoever began a cluster here, and stays when it was killed.
    """
    if address == "auto":
        note = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", "ray_current_cluster")
        said = os.environ.get("RAY_ADDRESS") or (note.read_text().strip() if note.exists() else "")
        if not said:
            raise ConnectionError("none was begun on this machine")
        address = said
    if "://" in address:
        return
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and int(port) < 1 << 16):
        raise ValueError("it is not of the form HOST:PORT")
    socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()
