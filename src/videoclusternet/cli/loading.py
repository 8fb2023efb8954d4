"""A key that stops ``vcn`` while the command line itself is still loaded.

Nothing is begun by then: the process says so and ends, wherever an import stands.  This file loads
almost nothing, so that a key is heard from the start.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress


def stop(number: int, frame: object) -> None:
    """End the process as an interrupted command ends; a handler of signals."""
    with suppress(OSError):  # nobody reads any more
        os.write(2, b"vcn: stopped\n")
    os._exit(130)


def listen() -> None:
    """Let a key end the process at once, until :func:`videoclusternet.cli.failures.stops`.

    What was started so that keys do not reach it stays so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, stop)
