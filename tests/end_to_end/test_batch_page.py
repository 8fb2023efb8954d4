"""``batch.html`` in a real browser: what went wrong first, who is in which film, on a phone too."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser import DESK, PHONE, chromium, opened, serious
from tests.sheets import NAMES
from videoclusternet.batch.page import write_page
from videoclusternet.batch.record import Record
from videoclusternet.batch.summary import Member, Summary
from videoclusternet.runfolder.crop_zip import address

pytestmark = pytest.mark.slow
LONG = "a_file_name_without_any_place_to_break_it_" * 3
WHY = f"/archive/{LONG}/film.mp4 is empty (0 bytes) (copy the film again)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a batch with all that can become of a film, and names of all kinds."""
    face = io.BytesIO()
    Image.new("RGB", (48, 48), "teal").save(face, "JPEG")
    picture = address(face.getvalue())
    known = Member(1, "", True, 9.0, 0, 9, 1, 1, 1.0, 0.0, "guest", "k", 0.93)
    records, summaries = {}, {}
    for number, name in enumerate([*NAMES, LONG]):
        one = Record(
            f"/f/{number} {name}.mp4".replace("slash/", "slash"),
            f"{number}.vcn",
            "done",
            seconds=9.0,
        )
        cast = (replace(known, name=name), replace(known, character=2, name=name * 3))
        records[one.film] = one
        shown = tuple((n, picture) for n in (1, 2))
        summaries[one.film] = Summary(60.0, cast, 0, shown, ("frames are missing",))
    for state in ("failed", "timed out", "killed", "running", "waiting"):
        film = f"/f/{state}.mp4"
        records[film] = Record(film, f"{state}.vcn", state, reason=WHY)
    return write_page(tmp_path_factory.mktemp("batch"), records, summaries)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_everything_is_in_sight(
    browser: Browser, batch: Path, size: tuple[int, int], scheme: str
) -> None:
    page = opened(browser, batch, size, scheme)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    right = "all => Math.max(...all.map(one => one.getBoundingClientRect().right))"
    assert page.locator("tr:visible .why, tr:visible .faces b").evaluate_all(right) <= size[0]
    first = page.locator("td.state").first
    assert first.inner_text() == "failed" and first.is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # how many are done: the first link
    assert page.url.endswith("#done")
    assert page.locator("tr:target td.state").inner_text() == "done"
    page.context.close()
