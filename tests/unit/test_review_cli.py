"""``vcn review`` from the command line: what it says when it cannot begin, and how it ends."""

from __future__ import annotations

import http.client
import json
import random
import shutil
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from tests.asking import Page
from tests.browser import Server
from tests.conftest import Vcn
from tests.drawn import snapshot
from videoclusternet import open_run
from videoclusternet.errors import ConflictError
from videoclusternet.review.web.requests import Said


@pytest.fixture
def run(drawn_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn_run, tmp_path / "run"))


def test_what_is_no_run_is_said(vcn: Vcn, tmp_path: Path) -> None:
    done = vcn("review", tmp_path / "nothing", "--no-open")
    assert done.code == 5
    assert "is not a run folder" in done.complaint


def test_a_damaged_log_is_said_and_left_alone(vcn: Vcn, run: Path) -> None:
    (run / "edits.jsonl").write_text("nonsense\n")
    before = snapshot(run)
    done = vcn("review", run, "--no-open")
    assert done.code == 5
    assert "edits.jsonl is damaged" in done.complaint
    assert snapshot(run) == before


def test_a_port_that_is_taken_is_said(vcn: Vcn, run: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = vcn("review", run, "--no-open", "--port", str(port))
    assert done.code == 2
    assert f"port {port} cannot be used" in done.complaint


def test_of_two_decisions_on_one_state_one_is_taken(run: Path) -> None:
    page = Page(run)
    revision = page.desk.revision()
    ends: list[str] = []
    begin = threading.Barrier(8)

    def decide(number: int) -> None:
        begin.wait()
        try:
            page.desk.say(Said(revision=revision, verb="name", characters=[1], text=f"N{number}"))
            ends.append("taken")
        except ConflictError:
            ends.append("refused")

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["refused"] * 7 + ["taken"]
    assert len(open_run(run).edits.done) == 1


def ask(address: str, path: str, values: object = None) -> dict[str, object]:
    """Ask a server as its own page does."""
    origin = address[: address.index("/", 8)]
    data = None if values is None else json.dumps(values).encode()
    request = urllib.request.Request(
        address + path, data, {"origin": origin, "content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return dict(json.load(answer))


@pytest.mark.slow
def test_what_was_acknowledged_outlives_any_kill(run: Path) -> None:
    rng = random.Random(4)
    acknowledged: list[str] = []
    for _ in range(3):
        server = Server(run)
        killed = threading.Timer(rng.uniform(0.05, 0.6), server.process.kill)
        killed.start()
        with suppress(OSError, http.client.HTTPException):  # until it is killed
            while True:
                revision = ask(server.address, "api/state")["revision"]
                text = f"name {len(acknowledged)}"
                said = {"revision": revision, "verb": "note", "characters": [1], "text": text}
                ask(server.address, "api/edit", said)
                acknowledged.append(text)
        killed.join()
        server.end(signal.SIGKILL)
    notes = [edit.text for edit in open_run(run).edits.done]
    assert len(acknowledged) > 3
    # One more may be there: written, and the answer lost.
    assert [text for text in acknowledged if text not in notes] == []


@pytest.mark.slow
def test_it_listens_on_loopback_alone_and_ends_with_ctrl_c(run: Path) -> None:
    server = Server(run, "--author", "Ann")
    port = int(server.address.split(":")[2].split("/")[0])
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20)
    with socket.socket() as other:
        other.settimeout(2)
        with pytest.raises(OSError):
            other.connect(("127.0.0.2", port))
    revision = ask(server.address, "api/state")["revision"]
    ask(
        server.address,
        "api/edit",
        {"revision": revision, "verb": "name", "characters": [1], "text": "Anna"},
    )
    begun = time.monotonic()
    code, said = server.end()
    assert code == 0
    assert time.monotonic() - begun < 10
    assert "refused: GET /: no token" in said
    assert "Traceback" not in said
    assert "Anna" in (run / "cast.html").read_text("utf-8")
    assert open_run(run).edits.done[0].author == "Ann"
