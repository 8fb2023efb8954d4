"""What does the films of a batch: processes of this machine, or a cluster."""

from __future__ import annotations

from typing import Protocol

from videoclusternet.batch.workers.child import Ended, Order


class Workers(Protocol):
    """Does films; it tells ``begun`` and all events of each while it works."""

    def room(self) -> bool:
        """Whether another film may be handed over."""
        ...

    def start(self, order: Order) -> None:
        """Take a film; it begins now or when there is room."""
        ...

    def wait(self, seconds: float) -> list[tuple[str, Ended]]:
        """Return films that ended, by the names of their runs; wait so long for one."""
        ...

    def close(self) -> None:
        """End all that works, and give back what is held."""
        ...
