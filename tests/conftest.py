"""Shared fixtures: evaluation material where it is there, films, stand-in networks, ``vcn``.

What is heavy is imported in the fixtures: of several processes the first one, which only hands out
the tests, reads this file too, and the others wait for it.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from tests.drawn import FakeModels
    from videoclusternet import Result

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
"""Which of several processes this is, as ``gw0``; empty for one alone."""


def pytest_configure() -> None:
    """Keep each of several processes to one core.

    FFmpeg and OpenCV start a thread for every core they may use, whatever ``OMP_NUM_THREADS`` says.
    """
    gc.disable()  # until the tests are collected: all that is imported stays
    if not WORKER:
        return
    import cv2

    cv2.setNumThreads(1)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(WORKER.removeprefix("gw")) % len(cores)]})


def pytest_collection_finish() -> None:
    """Spare the collector of garbage the many objects of torch and its like.

    It would go through all of them again and again, for a tenth of the time that the tests take.
    The process that only hands tests out collects none, and goes without a collector.  Hypothesis
    is called at every collection: there are fewer.
    """
    gc.freeze()
    gc.set_threshold(5000, 10, 10)
    gc.enable()


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


@pytest.fixture(scope="session")
def built_once() -> Iterator[None]:
    """Let Typer build the command once, not for every call: that takes longer than most calls."""
    import typer.main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture
def vcn(
    built_once: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Vcn:
    """Run the command line in this process: ``vcn("show", folder)``."""
    from videoclusternet.cli.main import main

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
    from tests.drawn import FakeModels

    return FakeModels(monkeypatch)


@pytest.fixture(scope="session")
def drawn_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots of one second with four tracks of two people, as discs."""
    from tests.drawn import draw_film

    return draw_film(tmp_path_factory.mktemp("drawn") / "drawn.mp4")


@pytest.fixture(scope="session")
def drawn_run(drawn_film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the drawn film; read only, copy it."""
    from tests.drawn import QUICKLY, FakeModels
    from videoclusternet import cluster_film

    with pytest.MonkeyPatch.context() as patch:
        FakeModels(patch)
        return cluster_film(drawn_film, tmp_path_factory.mktemp("drawn") / "run", QUICKLY).folder


@pytest.fixture(scope="session")
def faceless_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots of one second with nobody in them."""
    from tests.drawn import EMPTY, draw_film

    return draw_film(tmp_path_factory.mktemp("drawn") / "faceless.mp4", EMPTY)


@pytest.fixture(scope="session")
def demo_run(common: Path) -> Result:
    """The demo film, clustered with the embedded networks by whoever comes first; read only."""
    from videoclusternet import cluster_film, open_run
    from videoclusternet.cli.demo_film import build_demo

    folder = common / "demo"
    with FileLock(common / "demo.lock"):
        if (folder / "demo.vcn" / "cast.html").exists():
            return open_run(folder / "demo.vcn")
        return cluster_film(build_demo(folder), folder / "demo.vcn")


@pytest.fixture
def labelled(drawn_run: Path, fake_models: FakeModels, tmp_path: Path) -> Path:
    """The four tracks of the drawn film as a labelled set: red, blue, red, blue."""
    from videoclusternet.runfolder.crop_zip import CROP_ZIP

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
    from videoclusternet.engine import processes

    def pool(workers: int, context: object, begin: object, given: tuple[Any, ...]) -> Any:
        monkeypatch.setattr(processes, "_said", given[-1])
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr(processes, "ProcessPoolExecutor", pool)
