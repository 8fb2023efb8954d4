"""Shared fixtures: evaluation material where it is there, films, stand-in networks, ``vcn``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest
from filelock import FileLock

from tests.drawn import EMPTY, QUICKLY, FakeModels, draw_film
from videoclusternet import Result, cluster_film, open_run
from videoclusternet.cli.demo_film import build_demo
from videoclusternet.cli.main import main
from videoclusternet.engine import processes
from videoclusternet.runfolder.crop_zip import CROP_ZIP

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
"""Which of several processes this is, as ``gw0``; empty for one alone."""


def pytest_configure() -> None:
    """Keep each of several processes to one core.

    FFmpeg and OpenCV start a thread for every core they may use, whatever ``OMP_NUM_THREADS`` says.
    """
    if not WORKER:
        return
    cv2.setNumThreads(1)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(WORKER.removeprefix("gw")) % len(cores)]})


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this session share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if WORKER else own) / "common"
    folder.mkdir(exist_ok=True)
    return folder


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"evaluation material {name!r} is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real clips and labelled tracks, for evaluation only."""
    return _folder("data")


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """Real pretrained weights, for evaluation only."""
    return _folder("weights")


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line on standard error of a command that was refused."""
        lines = self.err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("vcn: "), self.err
        return lines[0]


Vcn = Callable[..., Outcome]


@pytest.fixture
def vcn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Vcn:
    """Run the command line in this process: ``vcn("show", folder)``."""

    def run(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["vcn", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def fake_models(monkeypatch: pytest.MonkeyPatch) -> FakeModels:
    """Stand-ins for the networks, which see discs as faces."""
    return FakeModels(monkeypatch)


@pytest.fixture(scope="session")
def drawn_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots of one second with four tracks of two people, as discs."""
    return draw_film(tmp_path_factory.mktemp("drawn") / "drawn.mp4")


@pytest.fixture(scope="session")
def drawn_run(drawn_film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the drawn film; read only, copy it."""
    with pytest.MonkeyPatch.context() as patch:
        FakeModels(patch)
        return cluster_film(drawn_film, tmp_path_factory.mktemp("drawn") / "run", QUICKLY).folder


@pytest.fixture(scope="session")
def faceless_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots of one second with nobody in them."""
    return draw_film(tmp_path_factory.mktemp("drawn") / "faceless.mp4", EMPTY)


@pytest.fixture(scope="session")
def demo_run(common: Path) -> Result:
    """The demo film, clustered with the embedded networks by whoever comes first; read only."""
    folder = common / "demo"
    with FileLock(common / "demo.lock"):
        if (folder / "demo.vcn" / "cast.html").exists():
            return open_run(folder / "demo.vcn")
        return cluster_film(build_demo(folder), folder / "demo.vcn")


@pytest.fixture
def labelled(drawn_run: Path, fake_models: FakeModels, tmp_path: Path) -> Path:
    """The four tracks of the drawn film as a labelled set: red, blue, red, blue."""
    folder = tmp_path / "sets"
    folder.mkdir()
    (folder / "discs.zip").write_bytes((drawn_run / CROP_ZIP).read_bytes())
    rows = [f"{n},{n},0,2,{label}" for n, label in enumerate(("red", "blue", "red", "blue"))]
    text = "\n".join(["track_id,shot,first_frame,n_crops,label", *rows])
    (folder / "discs_tracks.csv").write_text(text + "\n")
    return folder


@pytest.fixture
def threads_for_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the jobs of a bench run in threads: the stand-in networks live in this process."""

    def pool(workers: int, context: object, begin: object, given: tuple[Any, ...]) -> Any:
        monkeypatch.setattr(processes, "_said", given[-1])
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr(processes, "ProcessPoolExecutor", pool)
