"""A real browser on a real server of the review page."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_core_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, PHONE = (1280, 800), (390, 844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium; the test is skipped where there is none."""
    path = shutil.which("chromium") or CHROMIUM
    if not Path(path).exists():
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def opened(browser: Browser, path: Path, size: tuple[int, int], scheme: str = "light") -> Page:
    """Open a page without scripts of its own; what goes wrong on it, or leaves it, fails."""
    width, height = size
    viewport = {"width": width, "height": height}
    page = browser.new_context(viewport=viewport, color_scheme=scheme, bypass_csp=True).new_page()
    page.on("console", lambda message: pytest.fail(message.text))
    page.on("request", lambda one: one.url.startswith(("file:", "data:")) or pytest.fail(one.url))
    page.goto(f"file://{path}")
    return page


def serious(page: Page) -> list[str]:
    """Return what axe holds against a page as it is, serious things alone."""
    if not page.evaluate("'axe' in window"):
        source = Path(axe_core_python.__file__).parent / "axe.min.js"
        page.evaluate(source.read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{one['id']}: {json.dumps([node['html'][:200] for node in one['nodes'][:3]])}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


class Server:
    """``vcn review`` as a process of its own."""

    def __init__(self, run: Path, *options: str) -> None:
        command = [sys.executable, "-m", "videoclusternet", "review", str(run), "--no-open"]
        self.process = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline()]
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+/", self.lines[0])
        assert found, self.lines[0] + self.process.stdout.read()
        self.address = found[0]

    def end(self, how: int = signal.SIGINT) -> tuple[int, str]:
        """End it; returns its exit code and what it said."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, "".join(self.lines) + said


@dataclass
class Window:
    """A window of the page, and all that must not happen in it."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, browser: Browser, address: str, size: tuple[int, int] = DESK, **context: Any
    ) -> Window:
        """Open the page and wait until it can be used."""
        width, height = size
        made = browser.new_context(viewport={"width": width, "height": height}, **context)
        window = cls(made.new_page())
        window.page.set_default_timeout(15_000)
        window.page.on("console", window._console)
        window.page.on("pageerror", lambda error: window.troubles.append(f"error: {error}"))
        window.page.on("request", window._request)
        window.page.goto(address)
        window.page.wait_for_selector("body[data-ready]")
        return window

    def _console(self, message: Any) -> None:
        # What the server refuses, a browser calls an error; the page says it in words.
        refused = re.search(r"status of (409|410|422) ", message.text)
        if message.type in ("error", "warning") and not refused:
            self.troubles.append(f"{message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            self.troubles.append(f"request to {request.url}")

    def cast(self) -> list[str]:
        """Return the names of the list."""
        return self.page.locator("#cast .person-row:visible b").all_inner_texts()

    def row(self, name: str) -> Any:
        """Return a character of the list."""
        return self.page.locator("#cast .person-row:visible").filter(
            has=self.page.get_by_text(name, exact=True)
        )

    def tile(self, track: int) -> Any:
        """Return the picture of a track."""
        return self.page.locator(f'#tracks .tile:visible[data-track="{track}"]')

    def tracks(self) -> list[int]:
        """Return the tracks in sight, in order."""
        tiles = self.page.locator("#tracks .tile:visible").all()
        places = [tile.get_attribute("data-index") for tile in tiles]
        tracks = [tile.get_attribute("data-track") for tile in tiles]
        return [int(track) for _, track in sorted(zip(map(int, places), tracks, strict=True))]

    def says(self, text: str) -> None:
        """Wait until a message of the page holds a text."""
        self.page.locator("#toasts .toast", has_text=text).last.wait_for()
