"""``cast.html`` in a real browser: links, looks, and nothing that keeps anybody out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import DESK, PHONE, chromium, opened, serious
from tests.shaky import shaky
from tests.sheets import NAMES
from videoclusternet import open_run
from videoclusternet.show import cast_page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def shaky_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shaky(tmp_path_factory.mktemp("shaky"))


@pytest.fixture
def run(shaky_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with odd names, whose page has a picture of one track each, and rows of the others."""
    monkeypatch.setattr(cast_page, "PICTURES", 1)
    folder = Path(shutil.copytree(shaky_run, tmp_path / "run"))
    result = open_run(folder)
    for person in list(result.people.values()):
        result.edits.name(person.number, NAMES[-person.number].strip() or "nobody")
    cast_page.write_page(result)
    return folder


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_nothing_keeps_anybody_out(
    browser: Browser, run: Path, size: tuple[int, int], scheme: str
) -> None:
    page = opened(browser, run / "cast.html", size, scheme)
    for one in page.locator("summary").all():
        one.click()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    page.context.close()


def test_a_bar_leads_to_its_track_and_a_face_to_its_character(browser: Browser, run: Path) -> None:
    page = opened(browser, run / "cast.html", DESK)
    rows = [row.get_attribute("id") for row in page.locator("tr[id]").all()]
    assert rows
    for row in rows:
        bar = page.locator(f".line a[href='#{row}'] rect")
        bar.click()
        page.locator(f"tr#{row}").wait_for(state="visible")  # its table opens by itself
        assert page.locator(f"tr#{row}").evaluate("one => one.matches(':target')")
        assert page.locator(f"tr#{row}").evaluate("one => one.getBoundingClientRect().top") < 800
    face = page.locator(".cast a").last
    face.click()
    assert page.url.endswith(face.get_attribute("href") or "no address")
    sizes = page.locator(".face").evaluate_all("all => all.map(one => one.clientWidth)")
    assert sizes and min(sizes) >= 40
    page.context.close()


def test_the_page_itself_allows_nothing_from_elsewhere(browser: Browser, run: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"file://{run / 'cast.html'}")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'file:///x.png'}))")
    page.wait_for_timeout(200)
    assert any("Content Security Policy" in text for text in said)
    context.close()
