"""Servers of weights that lie, stall, end early or never: what ``vcn models pull`` makes of them.

Whatever they do, the command ends in time with one line, nothing but the right file is ever kept
under its name or noted, and once the server behaves the same command ends with the file.
"""

from __future__ import annotations

import json
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.attack.campaign import Family
from tests.attack.case import Case, Outcome, Place
from tests.attack.inputs.server_answers import (
    CHUNKED,
    CONTENT,
    DIGEST,
    KINDS,
    LENGTHS,
    REDIRECTS,
    RESUMES,
    STALLS,
    STATUSES,
    Say,
    Server,
    head,
    right,
)
from tests.attack.material import Material
from videoclusternet.models import download, registry
from videoclusternet.models.spec import ModelSpec, WeightFile

TIMEOUT, PATIENCE = 0.6, 1.5
"""Seconds, in the place of the usual ones of a download."""
SECONDS = 20.0
"""In which a command must have ended."""


def serving(say: Say, served: threading.Event) -> int:
    """Answer connections in threads of this process until it ends; return the port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer(peer: socket.socket) -> None:
        with suppress(OSError), peer:
            asked = b""
            while b"\r\n\r\n" not in asked and (more := peer.recv(65536)):
                asked += more
            _, _, wanted = asked.lower().partition(b"range: bytes=")
            start = int(wanted.split(b"-")[0]) if wanted else 0
            served.set()
            say(peer, start)
            with suppress(OSError):
                peer.shutdown(socket.SHUT_WR)

    def accept() -> None:
        while True:
            peer, _ = listening.accept()
            threading.Thread(target=answer, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listening.getsockname()[1])


def asking(cache: Path, say: Say, digest: str) -> Callable[[], None]:
    """Return what makes a child both the server and whoever asks it."""

    def before() -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
            os.environ.pop(name, None)
        os.environ["VCN_CACHE"] = str(cache)
        download.TIMEOUT, download.PATIENCE = TIMEOUT, PATIENCE
        port = serving(say, threading.Event())
        file = WeightFile("weights.bin", digest, f"http://127.0.0.1:{port}/weights.bin")
        registry.MODELS["toy"] = ModelSpec("toy", "backbone", "x", (file,), "MIT", "yes")

    return before


def _attack(server: Server, place: Place) -> None:
    cache = place.folder / "cache"
    cache.mkdir()
    if server.have:
        (cache / "weights.bin.part").write_bytes(server.have)
    digest = DIGEST if server.hashed else ""
    pulled = _pull(place, cache, server.say, digest, (0,) if server.works else (4,))
    kept = cache / "weights.bin"
    place.must(kept.exists() == (pulled.code == 0), "a file without success, or the reverse")
    if kept.exists():
        place.must(kept.read_bytes() == CONTENT, "another file is kept under its name")
    if pulled.code and (cache / "pins.json").exists():
        place.must(json.loads((cache / "pins.json").read_text()) == {}, "a hash is noted")
    others = {path.name for path in cache.iterdir()} - {
        "weights.bin",
        "weights.bin.part",
        "pins.json",
    }
    place.must(not others, f"left behind: {others}")
    if pulled.code == 0:
        return
    # The server behaves again: the same command gets there, at once or from the start.
    again = _pull(place, cache, right, digest, (0, 4))
    if again.code == 4:
        again = _pull(place, cache, right, digest, (0,))
    if again.code == 0:
        place.must(kept.read_bytes() == CONTENT, "gone on with, it is another file")
        noted = cache / "pins.json"
        place.must(server.hashed or DIGEST in noted.read_text(), "the right hash is not noted")


def _pull(place: Place, cache: Path, say: Say, digest: str, codes: tuple[int, ...]) -> Outcome:
    before = asking(cache, say, digest)
    words = ("models", "pull", "toy", "-q")
    outcome = place.vcn(*words, codes=codes, before=before, stand_ins=False, seconds=SECONDS)
    longest = max(map(len, outcome.err.splitlines()), default=0)
    place.must(longest <= 700, f"a line of {longest} letters: {outcome.err[:300]}", "unclear")
    place.must("\x1b" not in outcome.err + outcome.out, "an escape sequence is printed")
    return outcome


def group_of(servers: dict[str, Server]) -> Callable[[Material, random.Random], Iterator[Case]]:
    """Make a group of cases of some servers."""

    def group(material: Material, rng: random.Random) -> Iterator[Case]:
        for name, server in servers.items():
            yield Case(name, partial(_attack, server))

    return group


def redirects(material: Material, rng: random.Random) -> Iterator[Case]:
    """Servers that send elsewhere."""
    for name, said in REDIRECTS.items():
        code, _, to = said.partition(" ")

        def say(peer: socket.socket, start: int, code: str = code, to: str = to) -> None:
            there = to.format(here=f"http://127.0.0.1:{peer.getsockname()[1]}/weights.bin")
            peer.sendall(head(f"{code} x", f"Location: {there}", "Content-Length: 0"))

        yield Case(name, partial(_attack, Server(say)))


FAMILY: Family = {
    "lengths": group_of(LENGTHS),
    "stalls": group_of(STALLS),
    "chunks": group_of(CHUNKED),
    "kinds": group_of(KINDS),
    "statuses": group_of(STATUSES),
    "resumes": group_of(RESUMES),
    "redirects": redirects,
}
