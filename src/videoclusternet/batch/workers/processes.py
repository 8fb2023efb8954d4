"""Films at once on this machine: a process for each, with cores and graphics cards of its own."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from videoclusternet.batch.workers.child import Children, Ended, Order, Tell
from videoclusternet.engine.processes import cores, usable
from videoclusternet.errors import ConfigError

CARDS = "CUDA_VISIBLE_DEVICES"


class ProcessWorkers:
    """As many films at once as are given, else as cores and memory allow.

    Parameters
    ----------
    at_once : int
        0: chosen.
    cpus : int
        Cores of each film.
    gpus : float
        Graphics cards of each film, or its share of one; of 0 it sees all there are.
    tell : callable

    Raises
    ------
    ConfigError
        When there are fewer cards than a film is to have.
    """

    def __init__(self, at_once: int, cpus: int, gpus: float, tell: Tell) -> None:
        seen = cards() if gpus else []
        if gpus and len(seen) < gpus:
            raise ConfigError(
                f"this machine shows {len(seen)} graphics cards, a film is to have {gpus:g}",
                "lower --gpus-per-film",
            )
        places = at_once or max(1, usable() // cpus)
        if gpus:
            most = len(seen) * int(1 / gpus) if gpus < 1 else int(len(seen) // gpus)
            places = min(places, most) if at_once else most
        self._free = list(range(places))[::-1]
        self._of: dict[str, int] = {}
        self._cores = _shares(places, cpus)
        self._cards = [_of_place(place, seen, gpus) for place in range(places)] if gpus else []
        self._children = Children(tell)

    def room(self) -> bool:
        """Whether a place is free."""
        return bool(self._free)

    def start(self, order: Order) -> None:
        """Begin a film."""
        place = self._of[order.run] = self._free.pop()
        environment = dict(order.environment)
        if self._cards:
            environment[CARDS] = self._cards[place]
        self._children.start(replace(order, environment=environment, cores=self._cores[place]))

    def wait(self, seconds: float) -> list[tuple[str, Ended]]:
        """Return films that ended."""
        ended = self._children.wait(seconds)
        self._free += [self._of.pop(run) for run, _ in ended]
        return ended

    def close(self) -> None:
        """Kill all films."""
        self._children.__exit__()


def cards() -> list[str]:
    """Return the names of the graphics cards that CUDA would be shown, without loading it."""
    said = os.environ.get(CARDS)
    if said is not None:
        return [one.strip() for one in said.split(",") if one.strip()]
    found = Path("/dev").glob("nvidia[0-9]*")
    return [str(number) for number, _ in enumerate(found)]


def _of_place(place: int, seen: list[str], gpus: float) -> str:
    """Return the cards of a place: some of its own, or one that it shares."""
    if gpus < 1:
        return seen[place % len(seen)]
    count = int(gpus)
    return ",".join(seen[place * count : (place + 1) * count])


def _shares(places: int, cpus: int) -> list[tuple[int, ...]]:
    """Give each place cores of its own, where there are enough.

    FFmpeg begins a thread for every core that it may use, whatever the environment says.
    """
    if not hasattr(os, "sched_getaffinity") or places * cpus > cores():
        return [()] * places
    mine = sorted(os.sched_getaffinity(0))
    return [tuple(mine[place * cpus : (place + 1) * cpus]) for place in range(places)]
