"""Who may ask the review page's server, and what its answers allow."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.asking import HOST, OWN, PORT, TOKEN, Page
from videoclusternet.review.web.security import MOST_BODY

EDIT = json.dumps({"revision": 0, "verb": "name", "characters": [1], "text": "Eve"}).encode()


@pytest.fixture
def page(drawn_run: Path, tmp_path: Path) -> Page:
    return Page(Path(shutil.copytree(drawn_run, tmp_path / "run")))


def edits(page: Page) -> bool:
    return (page.desk.folder / "edits.jsonl").exists()


def test_with_the_token_the_page_is_given(page: Page) -> None:
    answer = page.ask("/")
    assert answer.status_code == 200
    assert "text/html" in answer.headers["content-type"]
    assert page.logged == []


@pytest.mark.parametrize("path", ["/", "/api/state", "/crop/0.jpg", "/film/0", "/page/main.js"])
def test_without_the_token_nothing_is_given(page: Page, path: str) -> None:
    wrong = "", "/", "/T0keN", "/T0ken2", f"/x/{TOKEN}", f"/?token={TOKEN}", "/\u00e9", f"//{TOKEN}"
    for number, token in enumerate(wrong, 1):
        answer = page.ask(path, token=token)
        assert answer.status_code == 403, token
        assert len(page.logged) == number and "no token" in page.logged[-1], token


def test_the_token_is_not_logged(page: Page) -> None:
    page.ask("/api/state", headers={**OWN, "host": "evil.example"})
    assert TOKEN not in page.logged[0] and "/…/api/state" in page.logged[0]


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", ""]
)
def test_a_name_that_only_points_here_is_refused(page: Page, host: str) -> None:
    answer = page.ask("/api/state", headers={"host": host})
    assert answer.status_code == 403
    assert "host" in page.logged[0]


def test_both_names_of_this_machine_are_known(page: Page) -> None:
    assert page.ask("/", headers={"host": f"localhost:{PORT}"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", f"http://127.0.0.1:{PORT + 1}", f"https://{HOST}", ""]
)
def test_what_another_site_posts_is_refused(page: Page, origin: str) -> None:
    answer = page.ask("/api/edit", "POST", {**OWN, "origin": origin}, EDIT)
    assert answer.status_code == 403
    assert not edits(page)
    assert "another site" in page.logged[0]


def test_a_post_that_does_not_say_where_it_is_from_is_refused(page: Page) -> None:
    said = {key: value for key, value in OWN.items() if key != "origin"}
    assert page.ask("/api/edit", "POST", said, EDIT).status_code == 403
    assert not edits(page)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_ways_to_ask_change_nothing(page: Page, method: str) -> None:
    assert page.ask("/api/edit", method, OWN, EDIT).status_code == 405
    assert page.ask("/api/edit", method, {"host": HOST}, EDIT).status_code == 403
    assert not edits(page)


def test_a_form_is_no_decision(page: Page) -> None:
    said = {**OWN, "content-type": "text/plain"}
    assert page.ask("/api/edit", "POST", said, EDIT).status_code == 415
    assert not edits(page)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_has_fetched_is_refused(page: Page, site: str) -> None:
    said = {"host": HOST, "sec-fetch-site": site, "sec-fetch-dest": "image"}
    assert page.ask("/crop/0.jpg", headers=said).status_code == 403
    opened = {**said, "sec-fetch-dest": "document"}
    assert page.ask("/", headers=opened).status_code == 200


def test_a_large_body_is_refused(page: Page) -> None:
    body = b" " * (MOST_BODY + 1) + EDIT
    assert page.ask("/api/edit", "POST", OWN, body).status_code == 413
    lying = {**OWN, "content-length": "10"}
    assert page.ask("/api/edit", "POST", lying, body).status_code == 413
    assert not edits(page)


@pytest.mark.parametrize(
    "path",
    [
        "/page/../run.json",
        "/page/..%2f..%2frun.json",
        "/page/%2e%2e/run.json",
        "/page//etc/passwd",
        "/crop/../run.json",
        "/crop/-1.jpg",
        "/crop/1e3.jpg",
        "/crop/99999999999999999999.jpg",
        "/film/-1",
        "/film/..%2frun.json",
        "/film/7",
        "/run.json",
        "/docs",
        "/openapi.json",
    ],
)
def test_no_address_leads_to_the_disk(page: Page, path: str) -> None:
    answer = page.ask(path)
    assert answer.status_code in (404, 422), answer.text
    assert "format" not in answer.text and "root" not in answer.text


@pytest.mark.parametrize("path", ["/", "/api/state", "/crop/0.jpg", "/nowhere", "/crop/-1.jpg"])
def test_every_answer_says_what_a_browser_may_do_with_it(page: Page, path: str) -> None:
    said = page.ask(path).headers
    policy = said["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert said["x-content-type-options"] == "nosniff"
    assert said["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in said
    assert "set-cookie" not in said
    assert said["cache-control"] in ("no-store", "private, max-age=31536000, immutable")


def test_what_was_refused_is_told_in_one_line_whatever_it_holds(page: Page) -> None:
    page.ask("/%0a%1b[31mfake", token="")
    assert len(page.logged) == 1
    assert "\n" not in page.logged[0] and "\x1b" not in page.logged[0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"verb": "name"}',
        b'{"revision": 0, "verb": "burn", "characters": [1]}',
        b'{"revision": "0", "verb": "undo"}',
        b'{"revision": 0, "verb": "name", "characters": ["../1"], "text": "x"}',
        b'{"revision": 0, "verb": "name", "characters": [1], "text": "x", "path": "/etc"}',
        b'{"revision": 1e400, "verb": "undo"}',
        b'{"revision": 0, "verb": "name", "characters": [1, 2], "text": "x"}',
        b'{"revision": 0, "verb": "name", "characters": [77], "text": "x"}',
        b'{"revision": 0, "verb": "not-a-face", "tracks": [-1]}',
        b'{"revision": 0, "verb": "not-a-face", "tracks": []}',
        b'{"revision": 0, "verb": "move", "tracks": [1], "to": "elsewhere"}',
        b"[" * 5000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_decision_is_refused_in_words(page: Page, body: bytes) -> None:
    answer = page.ask("/api/edit", "POST", OWN, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]
    assert not edits(page)
