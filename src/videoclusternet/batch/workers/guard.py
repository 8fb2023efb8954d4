"""Runs a command, and ends it with all that it began when whoever asked for it is gone.

    python -I -S guard.py CORES COMMAND...

Begun as the leader of a process group.  Standard input is a pipe that says nothing: it ends when
the other side does, however that ended, and then the whole group is killed.  CORES are numbers with
commas, or nothing.  A file of its own without other modules: it starts in some milliseconds.
"""

import os
import select
import signal
import sys


def main() -> None:
    """Run the command; the exit code is its own, or 128 and the number of a signal."""
    cores, *command = sys.argv[1:]
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, map(int, cores.split(",")))
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    nothing = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=nothing)
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if 0 in ready and not os.read(0, 1):
            os.killpg(0, signal.SIGKILL)
        if woken in ready:
            os.read(woken, 64)
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
