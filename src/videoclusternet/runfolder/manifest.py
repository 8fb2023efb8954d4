"""``run.json``: what a run folder holds, checked before anything is taken from it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from videoclusternet.errors import StoreError
from videoclusternet.runfolder.files import plain_file

FORMAT = 6
MANIFEST = "run.json"
MOST_BYTES = 256 << 20
"""Of the file: it names given tracks, a few bytes each."""
FORGOTTEN = "forgotten"
"""Entry that lists when people were forgotten, and who said so."""
SUM = "sha256"
"""Entry with the sum of the file, taken while it is empty."""
PLACE = r"([0-9]{3,9}-[^/\\\0]*)?"
"""Where the tables of a film may lie: in a folder of ``films``, or, empty, at the top."""
EMPTY = f'"{SUM}": ""'


def read_manifest(path: Path) -> dict[str, Any]:
    """Read ``run.json``.

    Raises
    ------
    StoreError
        When it is damaged or of another format.
    """
    try:
        text = plain_file(path, MOST_BYTES).read_text(encoding="utf-8")
        manifest = json.loads(text, parse_constant=_refused)
        said = manifest.pop(SUM, "")
        version = manifest["format"]
        if type(version) is not int:
            raise TypeError("the format is a number")
        if version > FORMAT:
            raise StoreError(
                f"{path.parent} has format {version}; this program knows formats up to {FORMAT}",
                "update videoclusternet",
            )
        if version < FORMAT:
            raise StoreError(
                f"{path.parent} has format {version}, of an earlier version; this one reads "
                f"format {FORMAT}",
                f"make it anew: {_command(path.parent, manifest)}",
            )
        if said != _sum(text.replace(f'"{SUM}": "{said}"', EMPTY, 1)):
            raise ValueError("not what was written")
        _check(manifest)
    except PermissionError as error:
        raise StoreError(
            f"cannot read {path}: {error.strerror}", "check its permissions"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(f"{path} is damaged", "restore it, or choose a new folder") from error
    return dict(manifest)


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """Return what ``run.json`` holds: its sum tells when a byte of it has changed."""
    text = json.dumps({**manifest, SUM: ""}, indent=2, sort_keys=True, ensure_ascii=False)
    # A path that is not UTF-8 cannot be written: escaped, it comes back as it was.
    escaped = re.sub("[\ud800-\udfff]", lambda one: f"\\u{ord(one[0]):04x}", text) + "\n"
    return escaped.replace(EMPTY, f'"{SUM}": "{_sum(escaped)}"', 1)


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _check(manifest: Mapping[str, Any]) -> None:
    """Raise ValueError, TypeError or KeyError where readers would not find what they expect."""
    for name, step in _mapping(manifest["steps"]).items():
        # Both become part of the name of a folder.
        if not (re.fullmatch(r"\w+", name) and re.fullmatch(r"\w+", _text(step["fingerprint"]))):
            raise ValueError(f"{name!r} names no step")
        for digest in _mapping(step["tables"]).values():
            _text(digest)
        _list(step["inputs"])
    for film in _list(manifest.get("films", [])):
        _text(film["content"])
        if b"\0" in os.fsencode(_text(film["path"])):
            raise ValueError("no path holds a zero byte")
        for name in _list(film.get("tracks", [])):
            _text(name).encode()
        if not re.fullmatch(PLACE, _text(film.get("folder", ""))):
            raise ValueError("a film lies in a folder of this one")
        for key in ("timecode", "reel"):
            _text(film.get(key, "")).encode()
        for key in ("channels", "sample_rate"):
            _number(film.get(key, 0))
    for said in _list(manifest.get(FORGOTTEN, [])):
        _text(said["time"]), _text(said["by"]), _number(said["tracks"])
    _mapping(manifest.get("config", {}))


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not a mapping")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 31:
        raise TypeError("not a number")
    return value


def _command(folder: Path, manifest: dict[str, Any]) -> str:
    """Return the command that makes a run of an earlier format anew, beside the old one."""
    folder, films = folder.resolve(), manifest.get("films", [])
    given = any("tracks" in film for film in films)
    paths = [str(film["path"]) for film in films] or ["FILM"]
    if given and "video" in manifest["steps"]:
        paths = ["BOXES", "--film", *paths]
    elif given and (len(paths) > 1 or paths[0].endswith(".npz")):
        return "what was clustered there, again into a new folder"
    config = manifest.get("config", {})
    chosen = {
        "--profile": config.get("profile"),
        "--detector": config.get("faces", {}).get("detector"),
        "--backbone": config.get("embed", {}).get("backbone"),
    }
    options = [word for name, value in chosen.items() if value for word in (name, str(value))]
    new = folder.with_name(f"{folder.stem}-{FORMAT}{folder.suffix}")
    command = "cluster-tracks" if given else "cluster"
    return shlex.join(["vcn", command, *paths, *options, "-o", str(new)])
