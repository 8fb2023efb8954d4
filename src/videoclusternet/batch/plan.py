"""What is to be done: which film goes into which run folder, and which are done already."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from videoclusternet.batch.films import RUNS
from videoclusternet.batch.record import ENDED, Record
from videoclusternet.config import Config
from videoclusternet.errors import ConfigError
from videoclusternet.runfolder.folder import MOST_NAME
from videoclusternet.runfolder.manifest import MANIFEST

SETTINGS = "settings.toml"
"""File of the settings of all films."""
SAME = ("device", "engine", "processes")
"""Settings that change nothing about a result."""


def settings_text(config: Config) -> str:
    """Return all settings as TOML.

    Raises
    ------
    ConfigError
        When a path in them is no UTF-8.
    """
    top, sections = [], []
    for step, value in config.model_dump(mode="json").items():
        if isinstance(value, Mapping):
            sections += ["", f"[{step}]", *(_setting(key, inner) for key, inner in value.items())]
        else:
            top.append(_setting(step, value))
    text = "\n".join([*top, *sections, ""])
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError("a path in the settings is no UTF-8", "rename it") from None
    return text


def _setting(key: str, value: object) -> str:
    # Of what settings hold, JSON is TOML, but for one letter.
    return f"{key} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f")


def settings_digest(config: Config, library: str = "") -> str:
    """Return a hash of all that a result depends on besides the film."""
    said = config.model_dump(mode="json", exclude=set(SAME))
    return hashlib.sha256(json.dumps([said, library], sort_keys=True).encode()).hexdigest()[:16]


def assign(films: Sequence[Path], known: Mapping[str, Record]) -> dict[str, Record]:
    """Give every film its record; new ones get run folders that no other film has.

    Parameters
    ----------
    films : sequence of Path
        Absolute.
    known : mapping
        Records of earlier calls.  Films that are not named any more keep theirs if they are done,
        or failed and still lie there.
    """
    named = set(map(str, films))
    records = {k: one for k, one in known.items() if k in named or _stays(one)}
    taken = {one.run.casefold() for one in known.values()}
    for film in films:
        if str(film) not in records:
            run = free_name(film, taken)
            taken.add(run.casefold())
            records[str(film)] = Record(str(film), run)
    return records


def _stays(record: Record) -> bool:
    """Whether a film that is not named stays on record: nobody misses one that failed and went."""
    gone = record.state != "done" and looks(record.film) == GONE
    return record.state in ENDED and not gone


def free_name(film: Path, taken: Collection[str]) -> str:
    """Return a name for the run of a film: its own, with its folder's, or with a number.

    Parameters
    ----------
    film : Path
    taken : collection of str
        Names in small letters: some file systems do not tell them apart.
    """
    stem = film.stem.lstrip(".") or "film"
    parts = [stem, f"{film.parent.name}-{stem}".lstrip(".-")]
    names = [os.fsdecode(os.fsencode(part)[:MOST_NAME]) for part in parts]
    number = 1
    while f"{names[0]}{RUNS}".casefold() in taken:
        names.pop(0)
        if not names:
            number += 1
            names = [f"{os.fsdecode(os.fsencode(stem)[:MOST_NAME])}-{number}"]
    return f"{names[0]}{RUNS}"


def to_do(record: Record, folder: Path, settings: str, retry_failed: bool) -> bool:
    """Whether a film is to be done: it never ended, or something it depends on is another now.

    Parameters
    ----------
    record : Record
    folder : Path
        Of the batch.
    settings : str
        Hash of the settings as they are now.
    retry_failed : bool
        Whether those that failed are tried again.
    """
    if record.state not in ENDED or record.settings != settings:
        return True
    now = looks(record.film)
    if record.state == "done":
        gone = now == GONE  # an archive that is away: what was found holds
        changed = now != (record.size, record.changed) and not gone
        return changed or not os.path.exists(folder / record.run / MANIFEST)
    return retry_failed or now != (record.size, record.changed)


GONE = (-1, -1)


def looks(film: str) -> tuple[int, int]:
    """Return size and time of change of a film's file; ``GONE`` where there is none."""
    try:
        found = os.stat(film)
    except (OSError, ValueError):
        return GONE
    return found.st_size, found.st_mtime_ns


def as_begun(record: Record, settings: str) -> Record:
    """Return the record of a film that is handed to a worker, for the first time or again."""
    size, changed = looks(record.film)
    return replace(record, size=size, changed=changed, settings=settings, tries=record.tries + 1)
