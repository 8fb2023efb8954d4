"""Hashes noted at first use, for files of weights whose hash nobody published.

They stand in ``pins.json`` of the cache folder, one line each.  This does not show that
a file was right at first, but that it is still the same.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from videoclusternet.errors import ModelError

FILE = "pins.json"


def read_pins(folder: Path) -> dict[str, str]:
    """Return all noted hashes of a cache folder.

    Raises
    ------
    ModelError
        When the file is damaged or cannot be read.
    """
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}", "check its rights") from error
    except ValueError as error:
        raise _damaged(path) from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise _damaged(path)
    return found


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
