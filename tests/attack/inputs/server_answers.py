"""What servers of weights answer: right, wrong, without end, or nothing."""

from __future__ import annotations

import gzip
import hashlib
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

LONG = 40.0
"""Seconds that a server goes on, longer than anybody should listen."""
CONTENT = bytes(range(256)) * 3000 + b"end"
"""The file as it should be, 768 kB."""
OTHER = CONTENT[::-1]
"""Another file of the same length."""
DIGEST = hashlib.sha256(CONTENT).hexdigest()
HALF = 300_000
"""Bytes that an earlier attempt has left."""
PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Please log in</body></html>"
NOISE = random.Random(5).randbytes(5000)

Say = Callable[[socket.socket, int], None]
"""What a server does with a connection, given the byte from which on it was asked."""


def head(status: str, *lines: str) -> bytes:
    """Return the head of an answer."""
    return "\r\n".join((f"HTTP/1.1 {status}", *lines, "Connection: close", "", "")).encode()


def plain(status: str, *lines: str, body: bytes = b"", length: bool = True) -> Say:
    """Return a server that says always the same."""
    more = (f"Content-Length: {len(body)}",) if length else ()

    def say(peer: socket.socket, start: int) -> None:
        peer.sendall(head(status, *more, *lines) + body)

    return say


def right(peer: socket.socket, start: int) -> None:
    """Answer as a server should, resuming."""
    if start >= len(CONTENT):
        peer.sendall(head("416 Range Not Satisfiable", "Content-Length: 0"))
    elif start:
        said = f"Content-Range: bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        rest = CONTENT[start:]
        peer.sendall(head("206 Partial Content", f"Content-Length: {len(rest)}", said) + rest)
    else:
        peer.sendall(head("200 OK", f"Content-Length: {len(CONTENT)}") + CONTENT)


def partial_content(said: str, body: bytes, length: int | None = None) -> Say:
    """Return a server that resumes with some range and bytes."""
    claimed = len(body) if length is None else length
    lines = (f"Content-Length: {claimed}", *((f"Content-Range: {said}",) if said else ()))
    return plain("206 Partial Content", *lines, body=body, length=False)


def chunked(body: bytes) -> Say:
    """Return a server that sends what claims to be chunks."""
    return plain("200 OK", "Transfer-Encoding: chunked", body=body, length=False)


def endless(first: bytes, block: bytes, pause: float) -> Say:
    """Return a server that goes on sending until nobody listens."""

    def say(peer: socket.socket, start: int) -> None:
        peer.sendall(first)
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            peer.sendall(block)
            time.sleep(pause)

    return say


def silent(peer: socket.socket, start: int) -> None:
    """Accept and say nothing."""
    time.sleep(LONG)


def reset(after: bytes) -> Say:
    """Return a server that breaks the connection in the middle."""

    def say(peer: socket.socket, start: int) -> None:
        peer.sendall(after)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    return say


OK = head("200 OK", f"Content-Length: {len(CONTENT)}")
OPEN = head("200 OK")
CHUNKS = head("200 OK", "Transfer-Encoding: chunked")


@dataclass(frozen=True)
class Server:
    """A way to answer.

    Attributes
    ----------
    say : callable
    have : bytes
        What an earlier attempt has left.
    works : bool
        Whether the file is there in the end.
    hashed : bool
        Whether the hash of the file is published; else it is noted at first use.
    """

    say: Say
    have: bytes = b""
    works: bool = False
    hashed: bool = True


PART = CONTENT[:HALF]
LAST = len(CONTENT) - 1
REST = CONTENT[HALF:]
RANGE = f"bytes {HALF}-{LAST}/{len(CONTENT)}"
LENGTHS: dict[str, Server] = {
    "as it should": Server(right, works=True),
    "no length": Server(plain("200 OK", body=CONTENT, length=False), works=True),
    "a length too small": Server(
        plain("200 OK", "Content-Length: 1000", body=CONTENT, length=False)
    ),
    "a length too large": Server(
        plain("200 OK", "Content-Length: 9999999", body=CONTENT, length=False)
    ),
    "a length of 10**30": Server(
        plain("200 OK", f"Content-Length: {10**30}", body=CONTENT, length=False)
    ),
    "a length of 5,000 digits": Server(
        plain("200 OK", f"Content-Length: {'9' * 5000}", length=False)
    ),
    "a length of minus one": Server(
        plain("200 OK", "Content-Length: -1", body=CONTENT, length=False), works=True
    ),
    "a length that is a text": Server(
        plain("200 OK", "Content-Length: x", body=CONTENT, length=False), works=True
    ),
    "a length in other digits": Server(
        plain("200 OK", "Content-Length: ٣", body=CONTENT, length=False), works=True
    ),
    "two lengths": Server(
        plain("200 OK", "Content-Length: 5", "Content-Length: 768003", body=CONTENT, length=False)
    ),
    "an empty file": Server(plain("200 OK")),
    "an empty file without length": Server(plain("200 OK", length=False)),
    "ends early": Server(reset(OK + PART)),
    "ends in the head": Server(reset(b"HTTP/1.1 200 OK\r\nContent-Le")),
    "ends at once": Server(reset(b"")),
    "ends early without length": Server(plain("200 OK", body=PART, length=False)),
    "is larger than any model": Server(plain("200 OK", f"Content-Length: {3 << 30}", length=False)),
}
STALLS: dict[str, Server] = {
    "says nothing": Server(silent),
    "stops in the middle": Server(endless(OK + PART, b"", 1.0)),
    "a byte now and then": Server(endless(OK, b"x", 0.1)),
    "a byte of the head now and then": Server(endless(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.1)),
    "heads without end": Server(endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100, 0.001)),
    "a head of one endless line": Server(endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 10_000, 0.001)),
    "a status of one endless line": Server(endless(b"HTTP/1.1 200 ", b"y" * 10_000, 0.001)),
    "heads of 5 MB": Server(plain("200 OK", *(f"X-{n}: {'y' * 50_000}" for n in range(100)))),
    "hints without end": Server(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01)),
    "a slow chunk": Server(endless(CHUNKS, b"1\r\nx\r\n", 0.1)),
    "chunk sizes without end": Server(endless(CHUNKS, b"0" * 1000, 0.001)),
    "trailers without end": Server(endless(CHUNKS + b"0\r\n", b"X: y\r\n" * 100, 0.001)),
}
CHUNKED: dict[str, Server] = {
    "right chunks": Server(
        chunked(b"%x\r\n" % len(CONTENT) + CONTENT + b"\r\n0\r\n\r\n"), works=True
    ),
    "no hexadecimal": Server(chunked(b"zz\r\n" + CONTENT)),
    "a negative chunk": Server(chunked(b"-5\r\n" + CONTENT)),
    "a chunk of 16 EB": Server(chunked(b"ffffffffffffffff\r\n" + CONTENT)),
    "a chunk of 10**40 bytes": Server(chunked(b"f" * 34 + b"\r\n" + CONTENT)),
    "no last chunk": Server(chunked(b"%x\r\n" % len(CONTENT) + CONTENT)),
    "noise": Server(chunked(NOISE)),
    "no HTTP": Server(lambda peer, start: peer.sendall(NOISE)),
    "HTTP/0.9": Server(lambda peer, start: peer.sendall(CONTENT)),
    "HTTP/9.9": Server(lambda peer, start: peer.sendall(b"HTTP/9.9 200 OK\r\n\r\n" + CONTENT)),
    "status of letters": Server(plain("abc OK")),
    "control characters": Server(plain("500 \x1b[2J\x1b]0;x\x07 no")),
}
KINDS: dict[str, Server] = {
    "a page": Server(plain("200 OK", "Content-Type: text/html", body=PAGE)),
    "a page without kind": Server(plain("200 OK", body=PAGE)),
    "a page for an unknown hash": Server(plain("200 OK", body=PAGE), hashed=False),
    "a page of noise for an unknown hash": Server(
        plain("200 OK", "Content-Type: text/html; charset=x", body=CONTENT), hashed=False
    ),
    "nothing for an unknown hash": Server(plain("200 OK"), hashed=False),
    "half for an unknown hash": Server(reset(OK + PART), hashed=False),
    "half without length for an unknown hash": Server(
        plain("200 OK", body=PART, length=False), hashed=False
    ),
    "weights for an unknown hash": Server(right, works=True, hashed=False),
    "JSON for an unknown hash": Server(plain("200 OK", body=b'{"error": 1}'), hashed=False),
    "packed": Server(plain("200 OK", "Content-Encoding: gzip", body=gzip.compress(CONTENT))),
    "packed without end": Server(
        endless(head("200 OK", "Content-Encoding: gzip"), gzip.compress(bytes(1 << 20)), 0.01)
    ),
    "packed, not said": Server(plain("200 OK", body=gzip.compress(CONTENT))),
    "another file": Server(plain("200 OK", body=OTHER)),
    "more than the file": Server(plain("200 OK", body=CONTENT + b"x")),
}
CODES = (
    *(201, 202, 203, 204, 205, 206, 207, 226, 299, 300, 304, 305, 306, 400, 401, 402, 403, 404),
    *(405, 407, 408, 410, 416, 418, 421, 429, 451, 500, 501, 502, 503, 504, 511, 599, 600, 999),
)
STATUSES: dict[str, Server] = {
    f"status {code}": Server(plain(f"{code} x", body=b"" if code in (204, 304) else NOISE))
    for code in CODES
}
RESUMES: dict[str, Server] = {
    "resumes": Server(right, PART, works=True),
    "resumes with all": Server(plain("200 OK", body=CONTENT), PART, works=True),
    "416 for a part that is too long": Server(right, CONTENT + b"more", works=True),
    "416 always": Server(plain("416 x"), PART),
    "another range": Server(partial_content(f"bytes 0-{LAST}/{len(CONTENT)}", CONTENT), PART),
    "a range one byte later": Server(partial_content(f"bytes {HALF + 1}-{LAST}/*", REST[1:]), PART),
    "a range with more digits": Server(partial_content(f"bytes {HALF}0-{LAST}0/*", REST), PART),
    "no range": Server(partial_content("", REST), PART),
    "a range of rubbish": Server(partial_content("bytes \x1b[2J", REST), PART),
    "a range in lines": Server(partial_content(RANGE, REST), PART, works=True),
    "a range that is shorter": Server(partial_content(RANGE, REST[:1000]), PART),
    "a range of another total": Server(
        partial_content(f"bytes {HALF}-{LAST}/{10**12}", REST), PART, works=True
    ),
    "the rest of another file": Server(partial_content(RANGE, OTHER[HALF:]), PART),
    "a page at resume": Server(plain("200 OK", "Content-Type: text/html", body=PAGE), PART),
    "a page as the rest": Server(partial_content(RANGE, PAGE), PART),
    "nothing at resume": Server(plain("200 OK"), PART),
    "a spoilt part": Server(right, b"x" * HALF),
    "a spoilt part for an unknown hash": Server(right, PART, works=True, hashed=False),
    "the rest of another file for an unknown hash": Server(
        partial_content(RANGE, OTHER[HALF:]), PART, hashed=False
    ),
    "206 without a part": Server(partial_content(f"bytes 0-{LAST}/*", CONTENT), works=True),
    "206 in the middle without a part": Server(partial_content(RANGE, REST)),
    "breaks at resume": Server(reset(head("206 x", f"Content-Range: {RANGE}") + REST[:10]), PART),
    "stalls at resume": Server(endless(head("206 x", f"Content-Range: {RANGE}"), b"", 1), PART),
}
TARGETS = {
    "a loop": "{here}",
    "a file": "file:///etc/passwd",
    "data": "data:application/octet-stream;base64,AAAA",
    "ftp": "ftp://127.0.0.1:1/x",
    "javascript": "javascript:alert(1)",
    "nothing": "",
    "rubbish": "http://[::1/x",
    "a port of rubbish": "http://127.0.0.1:x/",
    "a port that is closed": "http://127.0.0.1:1/",
    "control characters": "http://127.0.0.1:1/\x1b[2J",
    "spaces": "http://127.0.0.1:1/a b",
    "100,000 letters": "http://127.0.0.1:1/" + "x" * 50_000,
    "a user's name": "http://me:secret@127.0.0.1:1/",
    "letters of other scripts": "http://字.invalid/字",
    "a missing host": "http:///x",
    "no scheme": "//127.0.0.1:1/x",
}
REDIRECTS = {
    f"{code} to {name}": f"{code} {to}" for code in (302, 308) for name, to in TARGETS.items()
}
