"""A short slice of the campaign, drawn anew by its seed only when somebody changes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["kills", "libraries", "readers", "zips"])
def test_a_slice_of_the_campaign_finds_nothing(family: str) -> None:
    command = [sys.executable, "-m", "tests.attack", family, "--cases", "12", "--workers", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    row = done.stdout.strip().splitlines()[-2].split()
    assert row[0] == family and int(row[1]) == 12
