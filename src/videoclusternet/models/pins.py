"""Hashes noted at first use, for files of weights whose hash nobody published.

They stand in ``pins.json`` of the cache folder, one line each.  This does not show that
a file was right at first, but that it is still the same.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from videoclusternet.errors import ModelError
from videoclusternet.outside.files import exists, opened, read_bytes

FILE = "pins.json"
MOST_BYTES = 1 << 20
"""Of that file."""
HEAD = 512
"""Bytes in which every file of weights has some that no text has."""
TEXT = bytes({*range(0x20, 0x100), *b"\t\n\f\r"} - {0x7F})
"""Bytes that texts are of, in ASCII and in what holds letters of other languages."""


def read_pins(folder: Path) -> dict[str, str]:
    """Return all noted hashes of a cache folder.

    Raises
    ------
    ModelError
        When the file is damaged or cannot be read.
    """
    path = folder / FILE
    if not exists(path):
        return {}
    data = read_bytes(path, ModelError, MOST_BYTES)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise _damaged(path)
    return found


def no_weights(path: Path) -> str:
    """Say why a file that nobody knows the hash of can be no weights; empty where it may be.

    What is noted at first use stays: an empty file or the page of a login must not.
    """
    with opened(path, ModelError) as stream:
        head = stream.read(HEAD)
    if not head:
        return "is empty"
    if not any(head):
        return "begins with zeros, as no file of weights does"
    if not head.translate(None, TEXT):
        return "holds text, not weights; is it the page of a login?"
    return ""


def pin(folder: Path, key: str, digest: str) -> None:
    """Note a hash; the file is replaced at once, never written half.

    Raises
    ------
    ModelError
        When the folder cannot be written.
    """
    pins = read_pins(folder) | {key: digest}
    path = folder / FILE
    part = path.with_name(f"{FILE}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(pins, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise ModelError(
            f"cannot write {path}: {error.strerror}", "let VCN_CACHE name a folder of yours"
        ) from error


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path} is damaged", "delete it; hashes are noted again at next use")
