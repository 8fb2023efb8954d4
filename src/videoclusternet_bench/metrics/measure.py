"""What a call costs: seconds, and the most memory that the process held meanwhile."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


def measured(call: Callable[[], T]) -> tuple[T, float, float]:
    """Call, and return what it gave, wall-clock seconds and peak memory in MiB.

    The peak is that of the whole process, what was there before included.  Linux can forget
    an earlier peak; elsewhere it is the highest so far, or not known (NaN).
    """
    forgotten = _forget_peak()
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start, _peak() if forgotten else _peak_so_far()


def _forget_peak() -> bool:
    try:
        RESET.write_text("5")
    except OSError:
        return False
    return STATUS.exists()


def _peak() -> float:
    lines = STATUS.read_text(encoding="ascii").splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kib) / 1024


def _peak_so_far() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
