"""Download a file over HTTP: resumed, and bounded in size and time whatever the server does.

A server may send without end, a byte a minute, or the page of a login in place of the file.
"""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, NamedTuple

from videoclusternet.events import Progress
from videoclusternet.outside.files import opened_anew

BLOCK = 1 << 18
LARGEST = 2 << 30
"""Bytes of a file of weights at most; the largest known has half of it."""
TIMEOUT = 30.0
"""Seconds without a byte after which a server counts as unreachable."""
PAGES = ("text/html", "application/xhtml+xml")
"""Kinds of content that are never weights."""
SLOWEST = 1024
"""Bytes per second that must have come, on average, once :data:`PATIENCE` is over."""
PATIENCE = 60.0
"""Seconds before the speed counts."""


class _Answer(NamedTuple):
    """The head of an answer.

    Attributes
    ----------
    start : int
        Byte of the file that it begins with.
    total : int
        Bytes of the whole file; 0 where it is not said.
    ends : bool
        Whether its end can be told from a connection that broke.
    """

    start: int
    total: int
    ends: bool


def download(url: str, part: Path, progress: Progress, checked: bool = True) -> None:
    """Download a file, going on where an earlier attempt stopped.

    Parameters
    ----------
    url : str
    part : Path
        Where it is written; what is there already is its beginning.
    progress : callable
        ``progress(bytes so far, bytes in all)``, 0 where that is not known.
    checked : bool
        Whether its hash is known.  Of one that nobody can check no beginning is gone on with,
        as the file may be another one by now; and its end must be told.

    Raises
    ------
    OSError, ValueError, http.client.HTTPException
        When it cannot be fetched whole.  What came is kept.
    """
    have = part.stat().st_size if checked and part.is_file() else 0
    try:
        _receive(url, part, have, progress, checked)
    except urllib.error.HTTPError as error:
        if not (have and error.code == 416):
            raise
        _receive(url, part, 0, progress, checked)  # the part is no beginning of the file


def _receive(url: str, part: Path, have: int, progress: Progress, checked: bool) -> None:
    with closing(_listen(url, have)) as heard:
        answer = next(heard)
        assert isinstance(answer, _Answer)
        if not (checked or answer.ends):
            raise OSError("the server does not say how long it is, so that half might pass for it")
        have = answer.start
        with opened_anew(part, keep=bool(have)) as stream:
            for block in heard:
                assert isinstance(block, bytes)
                have += len(block)
                if have > LARGEST:
                    raise OSError(f"it is larger than {LARGEST:,} bytes")
                stream.write(block)
                progress(have, answer.total)
    if have < answer.total:
        # What came is kept: the next attempt goes on from there.
        raise OSError(f"the connection ended after {have} of {answer.total} bytes")


def _listen(url: str, have: int) -> Generator[_Answer | bytes, None, None]:
    """Yield the head of the answer, then its blocks.

    A thread asks, so that none of what a server may do half holds this one for ever.
    """
    said: Queue[_Answer | bytes | BaseException | None] = Queue(4)
    stopped = threading.Event()

    def put(thing: _Answer | bytes | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                return said.put(thing, timeout=0.5)
            except Full:
                continue

    def ask() -> None:
        try:
            headers = {"Range": f"bytes={have}-"} if have else {}
            request = urllib.request.Request(url, headers=headers)
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                put(_head(answer, have))
                while not stopped.is_set() and (block := answer.read1(BLOCK)):
                    put(block)
            put(None)
        except BaseException as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            put(error)

    threading.Thread(target=ask, daemon=True).start()
    began, came = time.monotonic(), 0
    try:
        while (thing := said.get(timeout=2 * TIMEOUT)) is not None:
            if isinstance(thing, BaseException):
                raise thing
            yield thing
            came += len(thing) if isinstance(thing, bytes) else 0
            passed = time.monotonic() - began
            if passed > PATIENCE and came < SLOWEST * passed:
                raise TimeoutError(f"less than {SLOWEST} bytes/s came")
    except Empty:
        raise TimeoutError(f"nothing came in {2 * TIMEOUT:.0f} s") from None
    finally:
        stopped.set()


def _head(answer: Any, have: int) -> _Answer:
    """Look at the head of an answer; refuse what cannot be the file."""
    if answer.status not in (200, 206):
        raise ValueError(f"the server answers {answer.status}")
    kind = answer.headers.get_content_type()
    if kind in PAGES:
        raise ValueError(f"the server sends a page ({kind}), not the file; does it want a login?")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ValueError("the server sends it packed")
    start = have if answer.status == 206 else 0  # 200: it does not resume
    if answer.status == 206 and not answer.headers.get("Content-Range", "").startswith(
        f"bytes {have}-"
    ):
        raise ValueError("the server sends another part of it than was asked for")
    length = answer.headers.get("Content-Length", "")
    told = length.isascii() and length.isdecimal()
    total = start + int(length) if told else 0
    if total > LARGEST:
        raise ValueError(f"it has {total:,} bytes, more than {LARGEST:,}")
    return _Answer(start, total, told or answer.chunked)
