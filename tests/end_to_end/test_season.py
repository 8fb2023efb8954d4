"""The joint cast of a whole season: in time, in memory, and read back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Vcn
from tests.drawn import FLAGS, QUICKLY, FakeModels, draw_film
from videoclusternet import cluster_film
from videoclusternet.errors import Cancelled
from videoclusternet.events import Event
from videoclusternet.result.result import open_run

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


def contents(folder: Path, *names: str) -> dict[str, bytes]:
    """All files of some folders in a run folder."""
    homes = [folder / "films" / name for name in names]
    return {
        p.name + home.name: p.read_bytes()
        for home in homes
        for p in sorted(home.iterdir())
        if p.is_file()
    }


@pytest.fixture
def episodes(tmp_path: Path) -> list[Path]:
    """Three films with the same two people, the third also with another pair of shots."""
    shots = ([("red",), ("blue",)], [("blue",), (), ("red",)], [("red", "blue"), ("red",)])
    return [draw_film(tmp_path / f"e{n}.mp4", list(of)) for n, of in enumerate(shots, 1)]


def scanned(events: list[Event]) -> set[str]:
    """Films at whose pictures some step looked."""
    looks = {"scan", "crops", "embeddings", "views"}
    steps = [event.step.split("/") for event in events if event.kind == "start"]
    return {film for film, step in (one for one in steps if len(one) == 2) if step in looks}


def test_an_episode_joins_without_the_others_being_looked_at(
    fake_models: FakeModels, episodes: list[Path], tmp_path: Path, vcn: Vcn
) -> None:
    run = tmp_path / "season"
    assert vcn("cluster", *episodes[:2], "-o", run, *FLAGS).code == 0
    assert vcn("edit", run, "name", "1", "Anna").code == 0
    assert vcn("edit", run, "move", "--track", "3", "--to", "new").code == 0
    assert vcn("edit", run, "name", "3", "Nobody else").code == 0
    before, was = contents(run, "000-e1", "001-e2"), open_run(run)
    anna = [t for t in range(4) if was.cast.character[t] == was.index_of("Anna")]
    events: list[Event] = []
    made = cluster_film(episodes[2], run, QUICKLY, events.append, others="keep")
    assert scanned(events) == {"e3"}
    assert contents(run, "000-e1", "001-e2") == before
    assert [film.name for film in made.films] == ["e1", "e2", "e3"]
    assert made.tracks.film.tolist() == [0, 0, 1, 1, 2, 2, 2]
    assert set(anna) <= set(np.flatnonzero(made.cast.character == made.index_of("Anna")))
    assert len(np.flatnonzero(made.cast.character == made.index_of("Anna"))) > len(anna)
    assert np.flatnonzero(made.cast.character == made.index_of("Nobody else")).tolist() == [3]
    # As the same three in a new folder.
    again = cluster_film(episodes, tmp_path / "new", QUICKLY)
    assert again.clustering.digest == made.clustering.digest
    # The whole list says the same as --add.
    assert vcn("cluster", *episodes, "-o", run, *FLAGS).code == 0
    assert contents(run, "000-e1", "001-e2") == before


def test_episodes_change_places_and_leave(
    fake_models: FakeModels, episodes: list[Path], tmp_path: Path, vcn: Vcn
) -> None:
    run, (one, two, three) = tmp_path / "season", episodes
    assert vcn("cluster", one, "-o", run, *FLAGS).code == 0
    assert vcn("edit", run, "name", "1", "Anna").code == 0
    top = {
        p.name: p.read_bytes() for p in run.iterdir() if p.name in ("faces.parquet", "crops.zip")
    }
    events: list[Event] = []
    made = cluster_film([two, one], run, QUICKLY, events.append)
    assert scanned(events) == {"e2"} and made.films[1].folder == run
    assert {name: (run / name).read_bytes() for name in top} == top and len(top) == 2
    assert made.tracks.film.tolist() == [0, 0, 1, 1]
    fresh = cluster_film([two, one], tmp_path / "new", QUICKLY)
    assert fresh.clustering.digest == made.clustering.digest
    assert (made.films[1].tracks.film == 1).all() and "Anna" in made
    events.clear()
    other = Path(shutil.copytree(run, tmp_path / "other"))
    assert vcn("forget", other, "Anna", "--yes").code == 0
    left = open_run(other)
    assert "Anna" not in left and left.tracks.digest != made.tracks.digest
    assert left.tracks.film.tolist() == [0, 0, 1, 1]
    made = cluster_film([two, three, one], run, QUICKLY, events.append)
    assert scanned(events) == {"e3"} and [film.name for film in made.films] == ["e2", "e3", "e1"]
    said = vcn("cluster", two, three, "-o", run, *FLAGS)
    assert said.code == 5 and "'e1.mp4'" in said.complaint and "--only" in said.complaint
    assert vcn("cluster", two, three, "--only", "-o", run, *FLAGS).code == 0
    assert [film.name for film in open_run(run).films] == ["e2", "e3"]
    assert not (run / "crops.zip").exists() and not (run / "faces.parquet").exists()
    assert vcn("cluster", one, "-o", run, *FLAGS).code == 5
    assert vcn("cluster", three, "--only", "-o", run, *FLAGS).code == 0
    left = open_run(run)
    assert [film.name for film in left.films] == ["e3"] and len(left.tracks) == 3


def test_films_are_added_to_a_folder_that_is_named(episodes: list[Path], vcn: Vcn) -> None:
    said = vcn("cluster", episodes[0], "--add")
    assert said.code == 2 and "-o" in said.complaint
    said = vcn("cluster", episodes[0], "--add", "--only", "-o", "season")
    assert said.code == 2 and "say one of them" in said.complaint


@pytest.mark.slow
def test_films_that_a_folder_holds_are_found_where_they_lie_now(
    fake_models: FakeModels, episodes: list[Path], tmp_path: Path, vcn: Vcn
) -> None:
    run, (one, two, three) = tmp_path / "season", episodes
    (tmp_path / "old").mkdir()
    lay = one.rename(tmp_path / "old" / one.name)
    cluster_film(lay, run, QUICKLY)
    lay.rename(one)  # beside the run
    made = cluster_film(two, run, QUICKLY, others="keep")
    assert [film.name for film in made.films] == ["e1", "e2"]
    moved = one.rename(tmp_path / "old" / "first.mp4")
    said = vcn("cluster", three, "--add", "-o", run, *FLAGS)
    assert said.code == 3 and "e1.mp4" in said.complaint and "where it lies" in said.complaint
    made = cluster_film([three, moved], run, QUICKLY, others="keep")
    assert [film.name for film in made.films] == ["first", "e2", "e3"]


def test_an_addition_that_was_stopped_goes_on(
    fake_models: FakeModels, episodes: list[Path], tmp_path: Path
) -> None:
    run = tmp_path / "season"
    cluster_film(episodes[:2], run, QUICKLY)
    before = contents(run, "000-e1", "001-e2")

    def stop(event: Event) -> None:
        if event.step == "e3/embeddings":
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        cluster_film([episodes[2], *episodes[:2]], run, QUICKLY, stop)
    events: list[Event] = []
    made = cluster_film([episodes[2], *episodes[:2]], run, QUICKLY, events.append)
    assert scanned(events) == {"e3"} and "e3/scan" not in {
        e.step for e in events if e.kind == "start"
    }
    assert contents(run, "000-e1", "001-e2") == before
    assert [film.name for film in made.films] == ["e3", "e1", "e2"]
