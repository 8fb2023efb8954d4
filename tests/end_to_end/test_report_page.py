"""The report in a real browser, and how large and slow it is for a long film."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests import tables
from tests.browser import DESK, PHONE, chromium, serious
from tests.large_run import write_large_run
from tests.shaky import clustered
from tests.sheets import NAMES
from videoclusternet import open_run
from videoclusternet.report.page import PAGE, write_report
from videoclusternet.runfolder.crop_zip import CROP_ZIP, CropZip, crop_name
from videoclusternet.runfolder.folder import Store
from videoclusternet.types import Cast, Crops, Embeddings

pytestmark = pytest.mark.slow
MIB = 2**20


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run of sixty tracks of twelve people with odd names, one of them hidden."""
    result = open_run(write_large_run(tmp_path_factory.mktemp("report") / "run", 60, 12))
    for number, name in enumerate(NAMES, 1):
        result.edits.name(number, name)
    result.edits.hide(12)
    return write_report(result)


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    troubles: list[str] = []
    pages: list[Page] = []

    def open_page(path: Path, size: tuple[int, int] = DESK, **context: Any) -> Page:
        width, height = size
        made = browser.new_context(viewport={"width": width, "height": height}, **context)
        page = made.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("request", lambda asked: troubles.append(asked.url) if _asks(asked.url) else None)
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert troubles == []


def _asks(address: str) -> bool:
    """Whether a request is for anything but the page itself and what is in it."""
    return not address.startswith("data:") and not address.endswith(f"/{PAGE}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_everybody_can_read_it(
    opened: Open, report: Path, size: tuple[int, int], scheme: str
) -> None:
    page = opened(report, size, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert serious(page) == []


def test_a_dot_shows_its_picture(opened: Open, report: Path) -> None:
    page = opened(report)
    tip = page.locator(".tip")
    assert tip.is_hidden()
    dot = page.locator(".dots path").nth(7)
    dot.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    dot.hover()
    tip.wait_for()
    assert "% sure" in tip.inner_text() and "track" in tip.inner_text()
    box = tip.locator("svg").bounding_box()
    assert box and box["width"] == box["height"] == 96
    # What is in the picture is no even grey: the sheet is there, at the right place.
    shown = cv2.imdecode(np.frombuffer(tip.locator("svg").screenshot(), np.uint8), 1)
    assert shown.std() > 20
    page.mouse.move(5, 5)
    tip.wait_for(state="hidden")
    page.locator(".map").focus()
    page.wait_for_timeout(200)  # it may scroll into view
    page.keyboard.press("ArrowRight")
    tip.wait_for()
    first = tip.inner_text()
    page.keyboard.press("ArrowRight")
    tip.wait_for()
    assert tip.inner_text() not in ("", first)
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_a_name_leaves_only_its_dots(opened: Open, report: Path) -> None:
    page = opened(report)
    second = page.locator(".whos > span").nth(1)
    second.click()
    on = page.locator(".dots path.on")
    assert {one.get_attribute("data-m") for one in on.all()} == {"1"}
    assert second.get_attribute("aria-pressed") == "true"
    second.press("Enter")
    assert on.count() == 0


def test_it_is_of_use_without_scripts(opened: Open, report: Path) -> None:
    page = opened(report, PHONE, java_script_enabled=False, has_touch=True)
    titles = page.locator(".dots path title")
    assert titles.count() == page.locator(".dots path").count() > 50
    assert page.locator(".tip").is_hidden()
    assert page.locator(".cast svg.face").first.is_visible()


def test_a_tap_shows_a_picture_on_a_phone(opened: Open, report: Path) -> None:
    page = opened(report, PHONE, has_touch=True)
    dot = page.locator(".dots path[data-m='0']").first
    dot.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    dot.tap()
    page.locator(".tip").wait_for()
    box = page.locator(".tip").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0]


def test_it_prints_on_white_with_its_bars(opened: Open, report: Path) -> None:
    page = opened(report, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    colours = page.evaluate(
        "['--ink', '--card'].map(n => getComputedStyle(document.body).getPropertyValue(n))"
    )
    assert colours == ["#1c1d21", "#fff"]
    cell = page.locator("td.t5").first
    assert cell.evaluate("c => getComputedStyle(c).printColorAdjust") == "exact"
    assert page.pdf(format="A4")[:5] == b"%PDF-"


def test_three_people_stand_on_a_circle(opened: Open, tmp_path: Path) -> None:
    page = opened(write_report(clustered(tmp_path)))
    assert page.locator(".circle text").count() == 3
    assert page.locator(".circle path").count() == 2


# --- how large, how slow ---------------------------------------------------------------


def write_film(folder: Path) -> Path:
    """A film of two hours: 80 people, 4,000 tracks, pictures as hard to pack as any of faces."""
    write_large_run(folder, 4000, 80)
    rng = np.random.default_rng(0)
    store = Store(folder)
    (crops,) = store.load("crops", (Crops,))
    pictures = [_noisy(rng) for _ in range(64)]
    sums = [zlib.crc32(pictures[row % 64]) for row in range(len(crops))]
    with CropZip(folder / CROP_ZIP) as archive:
        for row, (track, frame) in enumerate(zip(crops.track, crops.frame, strict=True)):
            archive.add(crop_name(int(track), int(frame)), pictures[row % 64])
    crops = Crops(crops.track, crops.frame, crops.face, np.array(sums, np.uint32), crops.tracks)
    (embeddings,) = store.load("embeddings", (Embeddings,))
    (cast,) = store.load("cast", (Cast,))
    centre = rng.normal(size=(81, 512))[cast.character[embeddings.track]]
    base = (centre + rng.normal(size=centre.shape)).astype(np.float32)
    embeddings = Embeddings(
        embeddings.track, embeddings.crop, base, embeddings.quality, 4000, "drawn"
    )
    frames = 2 * 60 * 60 * 24
    store.save("video", "0" * 64, [tables.video(frames)], {"inputs": []})
    store.save("shots", "0" * 64, [tables.shots(0, frames)], {"inputs": []})
    store.save("crops", "0" * 64, [crops], {"inputs": []})
    store.save("embeddings", "0" * 64, [embeddings], {"inputs": [crops.digest]})
    return folder


def _noisy(rng: np.random.Generator) -> bytes:
    """A picture with detail at every scale, about as a face in front of a room."""
    picture = np.full((144, 144, 3), 120.0)
    for side in (5, 9, 18, 36, 72):
        noise = rng.normal(scale=22, size=(side, side, 3)).astype(np.float32)
        picture += cv2.resize(noise, (144, 144), interpolation=cv2.INTER_CUBIC)
    picture += rng.normal(scale=6, size=picture.shape)
    return cv2.imencode(".jpg", np.clip(picture, 0, 255).astype(np.uint8))[1].tobytes()


def test_a_long_film_has_a_small_report_soon(opened: Open, tmp_path: Path) -> None:
    run = write_film(tmp_path / "run")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "videoclusternet", "report", str(run)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size = (run / PAGE).stat().st_size / MIB
    print(f"report of a long film: {size:.1f} MiB, {busy:.1f} s of work")
    assert size <= 12
    assert busy <= 20  # of one core: other work on the machine plays no part
    started = time.monotonic()
    page = opened(run / PAGE)
    assert page.locator(".dots path").count() == 4000
    assert time.monotonic() - started < 20
    assert zipfile.is_zipfile(run / CROP_ZIP)


def test_two_hundred_people_are_all_on_it(opened: Open, tmp_path: Path) -> None:
    run = write_large_run(tmp_path / "run", 3000, 200)
    page = opened(write_report(open_run(run)), PHONE)
    assert page.locator(".cast > li").count() == 200
    assert page.locator(".lanes:not(.order) .lane").count() == 201
    assert page.locator("#together tbody tr").count() == 24
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    shutil.rmtree(run)
