"""What a process frees is kept for its next use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

AGAIN = """
import resource
from videoclusternet.engine.memory import keep_memory
if {keep}:
    keep_memory()
piece = bytearray(40 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    del piece
    piece = bytearray(40 << 20)
    piece[:] = b"x" * len(piece)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}), reason="glibc")
def test_freed_memory_does_not_come_anew_from_the_system() -> None:
    def faults(keep: bool) -> int:
        program = [sys.executable, "-c", AGAIN.format(keep=keep)]
        return int(subprocess.run(program, check=True, capture_output=True, text=True).stdout)

    assert faults(True) < faults(False) / 2
