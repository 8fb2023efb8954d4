"""Nothing is computed twice: caching, changed settings, killed and interrupted runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Vcn
from tests.drawn import FPS, PLAIN, QUICKLY, SCENES, FakeModels, draw_film, snapshot
from videoclusternet import Config, cluster_film, open_run
from videoclusternet.errors import Cancelled, StoreError
from videoclusternet.events import Event
from videoclusternet.film.video import Frame
from videoclusternet.runfolder.table_files import read_table, table_path
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    Embeddings,
    Faces,
    FrameScores,
    Looks,
    Merges,
    Motion,
    Shots,
    Table,
    Tracks,
    VideoInfo,
    Views,
)

STEPS = [
    "video", "scan", "shots", "tracks", "crops", "embeddings", "judgement", "views", "links", "cast"
]  # fmt: skip
TABLES: tuple[type[Table], ...] = (
    VideoInfo,
    FrameScores,
    Faces,
    Motion,
    Looks,
    Shots,
    Tracks,
    Crops,
    Embeddings,
    Views,
    Cast,
    Merges,
    Candidates,
)


@pytest.fixture
def finished(drawn_run: Path, tmp_path: Path) -> Path:
    """A finished run of the drawn film, to go on from."""
    return Path(shutil.copytree(drawn_run, tmp_path / "run"))


def done(film: Path | str, run: Path, *settings: str) -> list[str]:
    """Run again with some settings; return the steps that were done, not read."""
    events: list[Event] = []
    config = Config.load(settings=[*PLAIN, *settings])
    cluster_film(film, run, config, events.append)
    assert {e.step for e in events} == set(STEPS)
    for step in STEPS:
        kinds = [e.kind for e in events if e.step == step]
        assert kinds == ["cached"] or (kinds[0], kinds[-1]) == ("start", "done")
    return [e.step for e in events if e.kind == "done"]


def equal_tables(a: Path, b: Path) -> bool:
    """Whether two runs of one film hold the same tables and pictures."""
    for kind in TABLES:
        if kind is VideoInfo:
            continue
        left, right = (read_table(table_path(run, kind), kind) for run in (a, b))
        assert left.digest == right.digest, kind.__name__
    same: bool = (a / "crops.zip").stat().st_size == (b / "crops.zip").stat().st_size
    return same and page(a) == page(b)


def page(run: Path) -> str:
    """The page of a run; commands on it name the run folder, which is another one."""
    text = (run / "cast.html").read_text("utf-8")
    return text.replace(f" -o {run.name} ", " -o RUN ").replace(
        f"review {run.name}<", "review RUN<"
    )


def test_second_run_computes_nothing(
    finished: Path, drawn_film: Path, fake_models: FakeModels
) -> None:
    before = snapshot(finished)
    assert done(drawn_film, finished) == []
    assert fake_models.loaded == []
    assert snapshot(finished) == before


def test_every_part_of_the_run_is_the_same_twice(
    finished: Path, drawn_film: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    assert done(drawn_film, tmp_path / "again") == STEPS
    assert equal_tables(finished, tmp_path / "again")


@pytest.mark.parametrize(
    ("setting", "steps"),
    [
        ("cluster.draws=3", ["cast"]),
        ("cluster.cannot_link=false", ["cast"]),
        ("track_quality.deviations=5.0", ["cast"]),
        # No track changes, so nothing that follows from tracks is done again.
        ("quality.min_size=13", ["tracks", "crops"]),
        # All tracks become Unknown.
        ("quality.min_size=500", [*STEPS[3:]]),
        ("crops.every=0.25", [*STEPS[4:]]),
        ("embed.max_crops=1", [*STEPS[5:]]),
        ("embed.mirror=false", [*STEPS[5:]]),
        # Nobody is told from anybody by what is judged: no face is small or unsure.
        ("judge.sure_score=0.5", ["judgement"]),
        ("judge.least_size=500", [*STEPS[6:]]),
        ("tracks.buffer=29", ["tracks"]),
        ("shots.threshold=26", ["shots"]),
        # All is one shot; tracks break where they did, and their faces are described alike.
        ("shots.threshold=250", [s for s in STEPS[2:] if s != "links"]),
        ("faces.batch=8", ["scan"]),
        ("seed=1", ["views", "links", "cast"]),
        ("device=cpu", []),
    ],
)
def test_changed_setting_repeats_what_depends_on_it(
    finished: Path, drawn_film: Path, fake_models: FakeModels, setting: str, steps: list[str]
) -> None:
    assert done(drawn_film, finished, setting) == steps
    assert done(drawn_film, finished, setting) == []


def test_profile_changes_only_what_it_changes(
    finished: Path, drawn_film: Path, fake_models: FakeModels
) -> None:
    events: list[Event] = []
    briefly = ["adapt.epochs=2", "adapt.later_epochs=1", "adapt.rounds=2"]
    cluster_film(drawn_film, finished, Config.load("paper", None, briefly), events.append)
    steps = [e.step for e in events if e.kind == "done"]
    assert steps == [*STEPS[3:8], "adapt", *STEPS[8:]]
    assert open_run(finished).cast.chosen.endswith("/or")


def test_moved_film_is_known_by_content(
    finished: Path, drawn_film: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    moved = shutil.copy(drawn_film, tmp_path / "moved.mp4")
    assert done(moved, finished) == ["video"]
    assert open_run(finished).films[0].name == "moved"


def test_changed_film_of_the_same_name_is_refused(
    finished: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    other = draw_film(tmp_path / "drawn.mp4", [("green",)])
    with pytest.raises(StoreError, match="belongs to other films"):
        cluster_film(other, finished, QUICKLY)


class Stop:
    """A hook that stops a run at some event."""

    def __init__(self, when: Callable[[Event], bool]) -> None:
        self.when = when

    def __call__(self, event: Event) -> None:
        if self.when(event):
            raise Cancelled("stopped")


def stop_at(film: Path, run: Path, step: str, kind: str) -> list[str]:
    """Run until an event of a step comes; return the steps that were read."""
    events: list[Event] = []

    def stop(event: Event) -> None:
        events.append(event)
        if (event.step, event.kind) == (step, kind):
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        cluster_film(film, run, QUICKLY, stop)
    if (step, kind) != ("cast", "done"):
        with pytest.raises(StoreError):
            open_run(run)
    return [e.step for e in events if e.kind == "cached"]


def test_run_stopped_at_every_event_of_every_step_ends_as_if_it_had_not_been(
    drawn_film: Path, fake_models: FakeModels, finished: Path, tmp_path: Path
) -> None:
    """Each time it reads what was finished before, and that alone."""
    run = tmp_path / "stopped"
    reporting = {"scan", "tracks", "crops", "embeddings", "views"}
    for number, step in enumerate(STEPS):
        for kind in ("start", "progress", "done"):
            if kind != "progress" or step in reporting:
                assert stop_at(drawn_film, run, step, kind) == STEPS[:number], (step, kind)
    assert done(drawn_film, run) == []
    assert equal_tables(run, finished)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("video", "start"), ("scan", "progress"), ("scan", "done"), ("crops", "progress"),
        ("views", "progress"), ("cast", "start"), ("cast", "done"),
    ],
)  # fmt: skip
def test_stopped_run_goes_on_after_the_last_finished_step(
    drawn_film: Path, fake_models: FakeModels, finished: Path, tmp_path: Path, step: str, kind: str
) -> None:
    run = tmp_path / "stopped"
    assert stop_at(drawn_film, run, step, kind) == []
    finished_steps = STEPS.index(step) + (kind == "done")
    assert done(drawn_film, run) == STEPS[finished_steps:]
    assert equal_tables(run, finished)


@pytest.fixture(scope="module")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds: four parts of 72 frames each, where they may have 100."""
    return draw_film(tmp_path_factory.mktemp("long") / "long.mp4", SCENES * 4)


IN_PARTS = (*PLAIN, "faces.part=100", "faces.batch=4")


@pytest.fixture(scope="module")
def whole(long_film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the long film, never stopped; read only."""
    with pytest.MonkeyPatch.context() as patch:
        models = FakeModels(patch)
        config = Config.load(settings=IN_PARTS)
        result = cluster_film(long_film, tmp_path_factory.mktemp("long") / "whole", config)
    assert result.films[0].video is not None and result.films[0].video.frames == 12 * FPS
    assert models.detector.seen == 12 * FPS // 6
    return result.folder


def test_scan_goes_on_inside(
    long_film: Path,
    whole: Path,
    fake_models: FakeModels,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = Config.load(settings=IN_PARTS)

    # Stop in the last part of four, well after its beginning.
    run = tmp_path / "stopped"
    stop = Stop(lambda e: e.step == "scan" and e.kind == "progress" and e.done >= 240)
    with pytest.raises(Cancelled):
        cluster_film(long_film, run, config, stop)
    parts = sorted(p.name for p in (run / "parts").glob("scan-*/*"))
    assert parts == ["00000000-00000072", "00000072-00000144", "00000144-00000216"]

    decoded: list[int] = []
    detected_before = fake_models.detector.seen
    whole_picture = Frame.picture

    def picture(frame: Frame, width: int, height: int) -> np.ndarray:
        decoded.append(frame.number)
        return whole_picture(frame, width, height)

    with monkeypatch.context() as patch:
        patch.setattr(Frame, "picture", picture)
        stop = Stop(lambda e: e.step == "scan" and e.kind == "done")
        with pytest.raises(Cancelled):
            cluster_film(long_film, run, config, stop)
    # One stride early, to warm up; nothing of what was finished.
    assert min(decoded) == 210 and max(decoded) == 12 * FPS - 1
    assert fake_models.detector.seen - detected_before == (12 * FPS - 216) // 6
    assert not list((run / "parts").glob("scan-*"))

    cluster_film(long_film, run, config)
    assert equal_tables(run, whole)


def test_parts_of_other_settings_are_not_taken(
    long_film: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    config = Config.load(settings=["faces.part=100", "faces.batch=4", *PLAIN])
    with pytest.raises(Cancelled):
        cluster_film(long_film, run, config, Stop(lambda e: e.step == "scan" and e.done >= 240))
    other = Config.load(settings=["faces.part=100", "faces.batch=4", "faces.stride=4"])
    with pytest.raises(Cancelled):
        cluster_film(long_film, run, other, Stop(lambda e: (e.step, e.kind) == ("scan", "done")))
    faces = read_table(run / "faces.parquet", Faces)
    assert isinstance(faces, Faces) and faces.stride == 4
    assert (faces.frame % 4 == 0).all() and faces.frame[-1] > 240


def test_length_of_parts_changes_nothing(
    long_film: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    """A seam between two parts is not seen: scores, faces and camera motion go on."""
    runs = []
    for part in (100, 2400):
        config = Config.load(settings=[*PLAIN, f"faces.part={part}"])
        runs.append(cluster_film(long_film, tmp_path / str(part), config).folder)
    for kind in (FrameScores, Faces, Motion, Looks, Shots, Tracks, Crops):
        left, right = (read_table(table_path(run, kind), kind) for run in runs)
        for name in kind.COLUMNS:
            np.testing.assert_allclose(getattr(left, name), getattr(right, name), atol=1e-3)


def test_stopped_change_of_settings_shows_no_mixture(
    finished: Path, drawn_film: Path, fake_models: FakeModels, vcn: Vcn
) -> None:
    """Tracks of the new settings, cast of the old: refused until the run is finished."""
    stop = Stop(lambda e: e.step == "crops" and e.kind == "start")
    config = Config.load(settings=[*PLAIN, "quality.min_size=500"])
    with pytest.raises(Cancelled):
        cluster_film(drawn_film, finished, config, stop)
    outcome = vcn("show", finished)
    assert outcome.code == 5 and "is unfinished" in outcome.complaint
    assert done(drawn_film, finished) == ["tracks"]
    assert vcn("show", finished).code == 0


def test_stopped_run_over_two_films(
    drawn_film: Path, faceless_film: Path, fake_models: FakeModels, tmp_path: Path, vcn: Vcn
) -> None:
    run = tmp_path / "run"
    films = [drawn_film, faceless_film]
    with pytest.raises(Cancelled):
        cluster_film(films, run, QUICKLY, Stop(lambda e: e.step == "faceless/scan"))
    outcome = vcn("show", run)
    assert outcome.code == 5 and outcome.complaint
    events: list[Event] = []
    result = cluster_film(films, run, QUICKLY, events.append)
    assert result.cast.characters == 2
    assert [e.step for e in events if e.kind == "cached"] == [
        *(f"drawn/{step}" for step in STEPS[:5]),
        "faceless/video",
    ]
    # A film of the same content under another name is the same film.
    renamed = shutil.copy(faceless_film, tmp_path / "renamed.mp4")
    again = cluster_film([drawn_film, renamed], run, QUICKLY)
    assert [film.name for film in again.films] == ["drawn", "renamed"]


def test_cancelled_command_has_its_exit_code(
    drawn_film: Path,
    fake_models: FakeModels,
    tmp_path: Path,
    vcn: Vcn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(event: Event) -> None:
        if event.step == "scan":
            raise KeyboardInterrupt

    monkeypatch.setattr("videoclusternet.cli.progress.silent", interrupt)
    outcome = vcn("cluster", drawn_film, "-o", tmp_path / "run", "-q")
    assert outcome.code == 130 and outcome.out == ""
    assert "stopped (the same command goes on from here)" in outcome.complaint


DRIVER = """
import signal, sys, pytest
from tests.drawn import FakeModels
from videoclusternet.cli.main import main
# Shells let what runs in the background ignore Ctrl-C, and its children with it.
signal.signal(signal.SIGINT, signal.default_int_handler)
FakeModels(pytest.MonkeyPatch())
sys.argv = ["vcn", *sys.argv[1:]]
main()
"""


def interrupted(command: list[str], run: Path, at: str) -> tuple[int, list[str]]:
    """Send SIGINT to a command when a step reports progress; return its end and its log."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [*command, "-o", str(run), "--log-json"],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("{"):
                event = json.loads(line)
                if event["step"] == at and event["kind"] == "progress":
                    process.send_signal(signal.SIGINT)
                    break
        started = time.monotonic()
        lines += process.stderr.read().splitlines(keepends=True)
        code = process.wait(60)
        assert time.monotonic() - started < 30
    return code, lines


def test_ctrl_c_leaves_a_folder_to_go_on_from(
    long_film: Path, whole: Path, fake_models: FakeModels, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", DRIVER, "cluster", str(long_film)]
    for setting in IN_PARTS:
        command += ["--set", setting]
    code, log = interrupted(command, run, "scan")
    assert code == 130
    assert log[-1] == "vcn: stopped (the same command goes on from here)\n"
    assert not [line for line in log if "Traceback" in line]

    events: list[Event] = []
    config = Config.load(settings=IN_PARTS)
    result = cluster_film(long_film, run, config, events.append)
    assert [e.step for e in events if e.kind == "cached"] == ["video"]
    assert result.cast.characters == 2
    assert equal_tables(run, whole)
