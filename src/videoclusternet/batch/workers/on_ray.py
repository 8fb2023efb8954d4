"""Films as tasks of Ray: on all machines of a cluster, by its own scheduler and retries.

A task runs the film in a process of its own, as on one machine: what crashes, hangs or eats all
memory costs that film, and neither the task nor its machine.  Tasks only say how a film ended;
what it left lies in the run folder, on storage that all machines share.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import Any

from videoclusternet.batch.workers.child import Ended, Order, Said, Tell, run_to_end
from videoclusternet.batch.workers.processes import CARDS
from videoclusternet.engine.on_ray import connect, load_ray
from videoclusternet.errors import ConfigError

EVERY = 1.0
"""Seconds between two looks at what the tasks say."""
OFTEN = 0.5
"""Seconds between two words of progress of a film that travel."""


class Board:
    """Where tasks pin up what they say until the driver takes it: an actor of Ray."""

    def __init__(self) -> None:
        self._said: list[tuple[str, Said]] = []

    def put(self, run: str, said: Said) -> None:
        """Take what is said of a film."""
        self._said.append((run, said))

    def take(self) -> list[tuple[str, Said]]:
        """Return what came since the last time."""
        said, self._said = self._said, []
        return said


def do_film(order: Order, board: Any) -> Ended:
    """Do a film in a process of this machine: a task of Ray."""
    last = 0.0

    def tell(run: str, said: Said) -> None:
        nonlocal last
        if said.get("kind") == "progress" and monotonic() - last < OFTEN:
            return
        last = monotonic()
        board.put.remote(run, said)

    return run_to_end(order, tell)


class RayWorkers:
    """A cluster of Ray, or one of this machine alone for as long as the batch takes.

    Parameters
    ----------
    address : str
        ``auto``: the cluster that this machine belongs to; ``local``: begin one; ``HOST:PORT``.
        Empty: the first, and where there is none the second.
    at_once : int
        Tasks at most; 0: all at once wait for a place, so that a cluster that grows by need sees
        the need.
    cpus, gpus : number
        Of each film, as Ray counts them.
    retries : int
        How often Ray begins a film anew whose machine or worker was lost.
    tell : callable

    Raises
    ------
    InstallError
        When Ray is not installed.
    ConfigError
        When there is no cluster at the address, or no machine can ever hold a film.
    """

    def __init__(
        self, address: str, at_once: int, cpus: int, gpus: float, retries: int, tell: Tell
    ) -> None:
        self._ray = load_ray()
        self._tell, self._at_once, self._gpus = tell, at_once, gpus
        local = connect(self._ray, address, "--address local")
        try:
            self._check_room(cpus, gpus, local)
            here = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
                self._ray.get_runtime_context().get_node_id(), soft=False
            )
            self._board = (
                self._ray.remote(Board)
                .options(num_cpus=0, scheduling_strategy=here, max_concurrency=1)
                .remote()
            )
        except BaseException:
            self._ray.shutdown()
            raise
        self._task = self._ray.remote(do_film).options(
            num_cpus=cpus, num_gpus=gpus, max_retries=retries, scheduling_strategy="SPREAD"
        )
        self._films: dict[Any, str] = {}
        self._looked = 0.0

    def _check_room(self, cpus: int, gpus: float, local: bool) -> None:
        """Refuse what would wait for ever; a cluster may still grow."""
        has = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if any(one.get("CPU", 0) >= cpus and one.get("GPU", 0) >= gpus for one in has):
            return
        most = max((one.get("CPU", 0), one.get("GPU", 0)) for one in has)
        said = f"no machine has {cpus} CPUs and {gpus:g} GPUs for a film; one has {most[0]:g} and"
        if local:
            raise ConfigError(f"{said} {most[1]:g}", "lower --cpus-per-film or --gpus-per-film")
        self._tell("", {"kind": "note", "message": f"{said} {most[1]:g}: films wait for such one"})

    def room(self) -> bool:
        """Whether another task may be handed over."""
        return not self._at_once or len(self._films) < self._at_once

    def start(self, order: Order) -> None:
        """Hand a film to the scheduler; one that is to have no card sees none."""
        if not self._gpus:
            order = replace(order, environment={**order.environment, CARDS: ""})
        self._films[self._task.remote(order, self._board)] = order.run

    def wait(self, seconds: float) -> list[tuple[str, Ended]]:
        """Return films that ended."""
        ray = self._ray
        ready, _ = ray.wait(list(self._films), timeout=seconds)
        if ready:
            ready, _ = ray.wait(list(self._films), num_returns=len(self._films), timeout=0)
        if monotonic() - self._looked >= EVERY:
            self._looked = monotonic()
            for run, said in ray.get(self._board.take.remote()):
                self._tell(run, said)
        return [(self._films.pop(ref), self._result(ref)) for ref in ready]

    def _result(self, ref: Any) -> Ended:
        try:
            ended = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:  # a defect, or no process could begin
            return Ended(1, str(error.cause))
        except self._ray.exceptions.RayError as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            return Ended(None, f"Ray lost its worker: {said[0]}")
        assert isinstance(ended, Ended)
        return ended

    def close(self) -> None:
        """Cancel all films, and leave the cluster: one that was begun here ends."""
        for ref in self._films:
            self._ray.cancel(ref, force=True)
        self._films.clear()
        self._ray.shutdown()
