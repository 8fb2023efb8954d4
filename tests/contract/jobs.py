"""What the tests of the engines let other processes do.

A file of its own: each of those processes imports it, and loads neither pytest nor half the
program with it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from videoclusternet.engine.processes import usable
from videoclusternet.engine.work import Tell
from videoclusternet.errors import DataError
from videoclusternet.types import FrameScores, Shots


def scores(values: Sequence[float] | np.ndarray) -> FrameScores:
    """One score a frame."""
    change = np.repeat(np.asarray(values, dtype=np.float32)[:, None], 3, axis=1)
    return FrameScores(change, np.full_like(change, 60.0))


def squares(span: range, tell: Tell) -> tuple[FrameScores]:
    for done in range(1, len(span) + 1):
        tell(done)
    if 13 in span:
        tell("thirteen is damaged")
    return (scores(np.array(span, dtype=np.float32) ** 2),)


def failing(span: range, tell: Tell) -> tuple[FrameScores]:
    if 13 in span:
        raise DataError("thirteen is malformed", "leave it out")
    return squares(span, tell)


def slow_at_first(span: range, tell: Tell) -> tuple[FrameScores]:
    tell(f"{span.start} is begun")
    time.sleep(0.4 if span.start == 0 else 0)
    tell(f"{span.start} is made")
    return (scores([0] * len(span)),)


def waits_behind(span: range, tell: Tell) -> tuple[FrameScores]:
    if span.start:
        tell("a line of the second")
        raise DataError("the second is malformed")
    time.sleep(600)
    raise AssertionError


class Picky(Exception):
    """An error that cannot be made again from what it hands on, as of many libraries."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} ({code})")


class Holding(Exception):
    """An error that holds what cannot leave its process."""

    def __init__(self) -> None:
        super().__init__("no memory left on the card")
        self.lock = threading.Lock()


def picky(span: range, tell: Tell) -> tuple[FrameScores]:
    raise Picky(7, "the driver said no")


def holding(span: range, tell: Tell) -> tuple[FrameScores]:
    raise Holding


def killed(span: range, tell: Tell) -> tuple[Shots]:
    os.kill(os.getpid(), 9)
    raise AssertionError


def inside(item: int, tell: Tell) -> int:
    return usable()


def waits_for_an_answer(folder: Path, tell: Tell) -> str:
    tell("begun")
    while not (folder / "seen").exists():
        time.sleep(0.02)
    return "ended"


def endless(folder: Path, tell: Tell) -> None:
    (folder / f"{os.getpid()}.pid").touch()
    time.sleep(600)


def threads(item: int, tell: Tell) -> tuple[int, int]:
    import cv2
    import torch

    return torch.get_num_threads(), cv2.getNumThreads()
