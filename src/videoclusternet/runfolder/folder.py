"""The run folder ``film.vcn/``: run.json, Parquet tables, safetensors, crops in a zip.

Every write is atomic (temporary name, then rename), every table carries its content
hash in run.json, and nothing is ever unpickled.  A folder that is damaged, newer than
this program or in use is refused, never overwritten.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from videoclusternet.errors import StoreError
from videoclusternet.runfolder import pending
from videoclusternet.runfolder.files import plain_file, present, replacing, sweep, writing
from videoclusternet.runfolder.manifest import (
    FORGOTTEN,
    FORMAT,
    MANIFEST,
    manifest_text,
    read_manifest,
)
from videoclusternet.runfolder.table_files import read_table, table_path, write_table
from videoclusternet.types import Table, Unread

BEGUN = {"lock", f".{MANIFEST}.tmp"}
"""What a folder holds whose first write was ended."""
INNER = ("films", "parts", "adapt", "recluster")
"""Folders inside: what is written there stays inside."""
PART = "part.json"
"""Hashes of the tables of a part, in its folder."""
MOST_PART = 1 << 16
"""Bytes of that file."""
MOST_NAME = 200
"""Bytes of a film's name in the name of its folder; file systems end at 255."""


class Store:
    """One run folder.

    Parameters
    ----------
    folder : Path
    create : bool
        Make the folder when it does not exist.

    Raises
    ------
    StoreError
        When it is no run folder, damaged, newer, or cannot be written.
    """

    def __init__(self, folder: Path, create: bool = False) -> None:
        self.folder = folder
        pending.recover(folder)
        path = folder / MANIFEST
        if _there(path):
            self.manifest = read_manifest(path)
        elif not create:
            raise StoreError(f"{folder} is not a run folder (no {MANIFEST})", "check the path")
        elif folder.is_dir() and not {p.name for p in folder.iterdir()} <= BEGUN:
            raise StoreError(
                f"{folder} is not empty and not a run folder", "choose another folder with -o"
            )
        else:
            self.manifest = {"format": FORMAT, "steps": {}}
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one writer.

        Raises
        ------
        StoreError
            When another run holds it.
        """
        lock = filelock.FileLock(self.folder / "lock")
        with writing(self.folder):
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:  # is an OSError itself
                raise StoreError(
                    f"{self.folder} is in use by another run",
                    "wait for it, or choose another folder",
                ) from None
        try:
            pending.finish(self.folder)
            if _there(self.folder / MANIFEST):
                # Another run may have finished between opening and locking.
                self.manifest = read_manifest(self.folder / MANIFEST)
            self.tidy()
            yield
        finally:
            lock.release()

    def tidy(self) -> None:
        """Delete what an ended process left, before anything is written.

        Raises
        ------
        StoreError
            When a folder inside is a link: what is written there would not stay here.
        """
        with writing(self.folder):
            inner = [self.folder / name for name in INNER]
            for path in (*inner, *(self.folder / "films").glob("*")):
                if path.is_symlink():
                    raise StoreError(f"{path} is a link to elsewhere", "start a new run folder")
            sweep(self.folder)
            for step, found in self.manifest["steps"].items():
                # Its own parts go last: those that are there were being dropped.
                if self.parts(step, found["fingerprint"]).folder.is_dir():
                    self.drop_parts(step)

    def refuse_forgotten(self) -> None:
        """Refuse to look at a film again in which somebody was forgotten.

        Raises
        ------
        StoreError
        """
        if self.manifest.get(FORGOTTEN):
            raise StoreError(
                f"somebody was forgotten in {self.folder}, whom looking at the film again would "
                "find again",
                "`vcn recluster` and `vcn adapt` go on without; or choose another folder with -o",
            )

    def fingerprint(self, step: str) -> str | None:
        """Return the fingerprint of a finished step."""
        found = self.manifest["steps"].get(step)
        return str(found["fingerprint"]) if found else None

    def load(self, step: str, kinds: Sequence[type[Any]]) -> tuple[Any, ...]:
        """Read the tables of a finished step.

        Raises
        ------
        StoreError
            When the step is missing, or a file is or does not hold what was written.
        """
        try:
            digests = self.manifest["steps"][step]["tables"]
            wanted = [(kind, digests[kind.FILE]) for kind in kinds]
        except KeyError as error:
            raise StoreError(
                f"{self.folder} has no finished step {step!r}", "run `vcn cluster` again to finish"
            ) from error
        return tuple(self._load(kind, digest) for kind, digest in wanted)

    def _load(self, kind: type[Table], digest: str) -> Table:
        path = table_path(self.folder, kind)
        table = read_table(path, kind)
        if table.digest != digest:
            raise StoreError(
                f"{path} is not what the run wrote", "restore it, or start a new run folder"
            )
        return table

    def save(
        self,
        step: str,
        fingerprint: str,
        tables: Sequence[Table],
        details: Mapping[str, Any],
    ) -> None:
        """Write the tables of a step, then note it as finished."""
        self.forget(step)
        for table in tables:
            write_table(table_path(self.folder, type(table)), table)
        self.manifest["steps"][step] = {
            "fingerprint": fingerprint,
            "tables": {type(table).FILE: table.digest for table in tables},
            **details,
        }
        self.write_manifest()

    def drop(self, kind: type[Table]) -> None:
        """Delete a table that no step gives any more."""
        path = table_path(self.folder, kind)
        with writing(path):
            path.unlink(missing_ok=True)

    def forget(self, step: str) -> None:
        """Note a step as unfinished before its files change: a crash must not mix two runs."""
        if self.manifest["steps"].pop(step, None):
            self.write_manifest()

    def write_manifest(self) -> None:
        """Write run.json."""
        self.write_text(MANIFEST, manifest_text(self.manifest))

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file of the folder atomically."""
        path = self.folder / name
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        return path

    @property
    def unread(self) -> Unread:
        """Frames of a film that no step could read, or one of them.

        Raises
        ------
        StoreError
            When what run.json says of them is damaged.
        """
        try:
            spans = [s for step in self.manifest["steps"].values() for s in step.get("unread", ())]
            return Unread.recorded(spans)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise StoreError(f"{self.folder / MANIFEST} is damaged", "restore it") from error

    def parts(self, step: str, fingerprint: str) -> FolderParts:
        """Return where finished parts of an unfinished step are kept."""
        return FolderParts(self.folder / "parts" / f"{step}-{fingerprint[:16]}")

    def drop_parts(self, step: str) -> None:
        """Delete the parts of a step that is now finished, its own last."""
        own = self.parts(step, self.fingerprint(step) or "").folder
        others = [f for f in (self.folder / "parts").glob(f"{step}-*") if f != own]
        for folder in (*others, own):
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class FolderParts:
    """Finished parts of a long step, one subfolder each."""

    folder: Path

    def read(self, name: str, kinds: Sequence[type[Table]]) -> tuple[Table, ...] | None:
        """Return the tables of a part, or None when it is to be made: unfinished or damaged."""
        folder = self.folder / name
        try:
            said = json.loads(plain_file(folder / PART, MOST_PART).read_text(encoding="utf-8"))
            tables = tuple(read_table(table_path(folder, kind), kind) for kind in kinds)
        except (OSError, ValueError, RecursionError, StoreError):
            return None
        return tables if said == self._says(name, tables) else None

    def write(self, name: str, tables: Sequence[Table]) -> None:
        """Keep the tables of a part: it exists whole or not at all."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = self.folder / f"{name}.tmp"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            for table in tables:
                write_table(table_path(temporary, type(table)), table)
            (temporary / PART).write_text(json.dumps(self._says(name, tables)), encoding="utf-8")
            shutil.rmtree(self.folder / name, ignore_errors=True)
            temporary.replace(self.folder / name)

    def _says(self, name: str, tables: Sequence[Table]) -> dict[str, Any]:
        """Return what tells a whole part from a damaged or a misplaced one."""
        digests = {type(table).FILE: table.digest for table in tables}
        return {"part": f"{self.folder.name}/{name}", "tables": digests}


def film_folder(number: int, name: str) -> str:
    """Return the folder of a film inside a run over several films; a long name is cut."""
    return f"{number:03d}-{os.fsdecode(os.fsencode(name)[:MOST_NAME])}"


def default_output(paths: Sequence[Path], output: Path | str | None) -> Path:
    """Return the run folder: as given, else named after the first source."""
    if output is not None:
        return Path(output)
    more = f"-and-{len(paths) - 1}-more" if len(paths) > 1 else ""
    return Path(f"{paths[0].stem}{more}.vcn")


def film_names(paths: Sequence[Path | str]) -> list[str]:
    """Return names that tell films apart: with endings or folders where those are alike.

    Films of one path get numbers.
    """
    all_parts = [Path(path).parts for path in paths]
    names = [Path(path).stem for path in paths]
    if len(set(names)) < len(names):
        names = [Path(path).name for path in paths]
    for depth in range(2, max(map(len, all_parts), default=0) + 1):
        if len(set(names)) == len(names):
            break
        names = [str(Path(*parts[-depth:])) for parts in all_parts]
    if len(set(names)) < len(names):
        names = [f"{number + 1} {Path(path).stem}" for number, path in enumerate(paths)]
    return names


def same_twice(films: Sequence[tuple[str, str]]) -> list[str]:
    """Say which films, each a path and a hash of its content, are one."""
    contents = [content for _, content in films]
    return [
        f"{path} is the same as {films[contents.index(content)][0]}: its screen time counts twice"
        for number, (path, content) in enumerate(films)
        if contents.index(content) < number
    ]


def _there(path: Path) -> bool:
    """Whether something lies at a path; a StoreError where nobody may look."""
    try:
        return present(path)
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}", "check the path") from error
