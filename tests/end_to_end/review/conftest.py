"""Fixtures of the review page: finished runs, servers of them, and windows on these."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import DESK, Server, Window, chromium
from tests.shaky import clustered, shaky
from videoclusternet import open_run


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="package")
def three_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clustered(tmp_path_factory.mktemp("review")).folder


@pytest.fixture(scope="package")
def shaky_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shaky(tmp_path_factory.mktemp("shaky"))


@pytest.fixture
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name = "shaky_run" if "unsure" in request.fixturenames else "three_run"
    return Path(shutil.copytree(request.getfixturevalue(name), tmp_path / "run"))


@pytest.fixture
def unsure(run: Path) -> Path:
    """The run, which then is one where somebody is two characters."""
    return run


Open = Callable[..., Window]


@pytest.fixture
def server(run: Path) -> Iterator[Server]:
    started = Server(run)
    yield started
    code, said = started.end()
    assert code == 0, said
    assert "Traceback" not in said and "ERROR" not in said


@pytest.fixture
def opened(browser: Browser, server: Server) -> Iterator[Open]:
    windows: list[Window] = []

    def window(size: tuple[int, int] = DESK, **context: Any) -> Window:
        windows.append(Window.open(browser, server.address, size, **context))
        return windows[-1]

    yield window
    for one in windows:
        one.page.context.close()
        assert one.troubles == []


def people(run: Path) -> dict[str, list[int]]:
    """Who has which tracks, as anybody else reads it."""
    result = open_run(run)
    character = result.cast.character
    return {
        result.called(number): [t for t, c in enumerate(character.tolist()) if c == number]
        for number in sorted({*character.tolist()})
    }


def start(run: Path) -> tuple[str, str, str]:
    """Names of red, blue and green before anything was decided."""
    result = open_run(run)
    names = [result.called(int(result.cast.character[track])) for track in (0, 1, 2)]
    assert len(set(names)) == 3
    return names[0], names[1], names[2]


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + 15
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)
