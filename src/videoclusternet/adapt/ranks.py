"""Several processes, one training: who does which pairs, and sums over all of them.

Started by ``torchrun``, every process trains on its share of each batch; gradients, the
centre and the teacher stay equal on all.  A single process is rank 0 of 1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from videoclusternet.errors import ConfigError
from videoclusternet.outside.text import shown
from videoclusternet.types.arrays import Array

DIGITS = 6
"""Of the number of a process, at most."""


@dataclass(frozen=True)
class Ranks:
    """One process among its equals.

    Attributes
    ----------
    rank, world : int
        Number of the process, and how many there are.
    """

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether the process writes and reports."""
        return self.rank == 0

    def share(self, rows: Array) -> Array:
        """Return the process's share of a batch."""
        return rows[self.rank :: self.world]

    def total(self, x: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes."""
        if self.world > 1:
            x = x.clone()
            dist.all_reduce(x)
        return x

    def wrap(self, module: nn.Module) -> nn.Module:
        """Let gradients be averaged over all processes."""
        return DistributedDataParallel(module) if self.world > 1 else module

    def wait(self) -> None:
        """Wait for all processes."""
        if self.world > 1:
            dist.barrier()


ALONE = Ranks()
"""A single process."""
TORCHRUN = "let torchrun set it, or unset WORLD_SIZE to train in one process"


def _number(name: str, otherwise: str = "", least: int = 0) -> int:
    """Read a whole number from the environment."""
    text = os.environ.get(name, otherwise)
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS and int(text) >= least):
        raise ConfigError(f"{name} is {shown(text)}, no number of processes", TORCHRUN)
    return int(text)


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """Join the processes that ``torchrun`` started, or stand alone.

    Raises
    ------
    ConfigError
        When the environment is not what ``torchrun`` makes of it.
    """
    world = _number("WORLD_SIZE", "1", least=1)
    if world == 1:
        yield Ranks()
        return
    if _number("RANK") >= world:
        raise ConfigError(f"RANK={os.environ['RANK']} of {world} processes", TORCHRUN)
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        if not os.environ.get(name):
            raise ConfigError(f"{name} is not set beside WORLD_SIZE={world}", TORCHRUN)
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.set_device(_number("LOCAL_RANK"))
    # The others wait while the first one embeds a whole film.
    dist.init_process_group("nccl" if cuda else "gloo", timeout=timedelta(hours=12))
    try:
        yield Ranks(dist.get_rank(), world)
    finally:
        dist.destroy_process_group()
