"""The joint cast of a whole season: in time, in memory, and read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SEASON = ROOT / "bench" / "season.py"
FIND = """
import sys
from pathlib import Path
sys.path.insert(0, {bench!r})
from season import write_season
write_season(Path({folder!r}), 20_000, 24, 512, pictures=False)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="measures memory as POSIX has it")
def test_a_season_of_twenty_thousand_tracks_fits_into_four_gib_and_two_minutes_of_a_core(
    tmp_path: Path,
) -> None:
    """24 films; a minute on two cores is two of one, whoever else works on the machine."""
    folder = tmp_path / "season.vcn"
    write = FIND.format(bench=str(SEASON.parent), folder=str(folder))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    subprocess.run([sys.executable, "-c", write], check=True, env=env)
    took: dict[str, Any] = {}
    for what in ("cast", "read"):
        done = subprocess.run(
            [sys.executable, str(SEASON), "--job", what, str(folder)],
            check=True, env=env, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        took[what] = json.loads(done.stdout.splitlines()[-1])
    assert took["cast"]["peak MiB"] < 4096
    assert took["cast"]["CPU seconds"] < 120
    assert 100 < took["cast"]["characters"] < 400
    assert took["read"]["characters"] == took["cast"]["characters"]
    assert took["read"]["CPU seconds"] < 20
