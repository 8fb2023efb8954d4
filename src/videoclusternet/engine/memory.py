"""Memory that a network frees and wants again is kept, not handed back to the system.

A network's maps have tens of MiB each and live for a moment.  By default glibc returns such pieces
at once, and the system clears every page anew: a tenth of the time of a whole run.
"""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's ``mallopt``."""
PIECE, IDLE = 64 << 20, 128 << 20
"""Bytes: pieces up to this size are kept, so much in all while nothing uses them."""


def keep_memory() -> None:
    """Let this process keep what it frees; where glibc is not the allocator, nothing is done.

    For processes of our own: it holds for all that the process does.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(MMAP_THRESHOLD, PIECE)
        mallopt(TRIM_THRESHOLD, IDLE)
