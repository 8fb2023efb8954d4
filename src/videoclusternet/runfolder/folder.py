"""The run folder ``film.vcn/``: run.json, Parquet tables, safetensors, crops in a zip.

Every write is atomic (temporary name, then rename), every table carries its content
hash in run.json, and nothing is ever unpickled.  A folder that is damaged, newer than
this program or in use is refused, never overwritten.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import filelock
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors
import safetensors.numpy

from videoclusternet.errors import StoreError
from videoclusternet.types import Table
from videoclusternet.types.arrays import Array

T = TypeVar("T", bound=Table)
FORMAT = 3
MANIFEST = "run.json"


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
        path = folder / MANIFEST
        if path.exists():
            self.manifest = _read_manifest(path)
        elif not create:
            raise StoreError(f"{folder} is not a run folder (no {MANIFEST})", "check the path")
        elif folder.is_dir() and any(p.name != "lock" for p in folder.iterdir()):
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
            if (self.folder / MANIFEST).exists():
                # Another run may have finished between opening and locking.
                self.manifest = _read_manifest(self.folder / MANIFEST)
            yield
        finally:
            lock.release()

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

    def forget(self, step: str) -> None:
        """Note a step as unfinished before its files change: a crash must not mix two runs."""
        if self.manifest["steps"].pop(step, None):
            self.write_manifest()

    def write_manifest(self) -> None:
        """Write run.json."""
        text = json.dumps(self.manifest, indent=2, sort_keys=True, ensure_ascii=False)
        self.write_text(MANIFEST, text + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file of the folder atomically."""
        path = self.folder / name
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        return path

    def parts(self, step: str, fingerprint: str) -> FolderParts:
        """Return where finished parts of an unfinished step are kept."""
        return FolderParts(self.folder / "parts" / f"{step}-{fingerprint[:16]}")

    def drop_parts(self, step: str) -> None:
        """Delete the parts of a step that is now finished, of all its fingerprints."""
        for folder in (self.folder / "parts").glob(f"{step}-*"):
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class FolderParts:
    """Finished parts of a long step, one subfolder each."""

    folder: Path

    def read(self, name: str, kinds: Sequence[type[Table]]) -> tuple[Table, ...] | None:
        """Return the tables of a part, or None when it is to be made: unfinished or damaged."""
        folder = self.folder / name
        if not folder.is_dir():
            return None
        try:
            return tuple(read_table(table_path(folder, kind), kind) for kind in kinds)
        except StoreError:
            return None

    def write(self, name: str, tables: Sequence[Table]) -> None:
        """Keep the tables of a part: it exists whole or not at all."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = self.folder / f"{name}.tmp"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            for table in tables:
                write_table(table_path(temporary, type(table)), table)
            shutil.rmtree(self.folder / name, ignore_errors=True)
            temporary.replace(self.folder / name)


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = int(manifest["format"])
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
        for step in manifest["steps"].values():
            _ = step["fingerprint"], dict(step["tables"]), list(step["inputs"])
        for film in manifest.get("films", []):
            _ = film["content"], Path(film["path"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is damaged", "restore it, or choose a new folder") from error
    return dict(manifest)


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


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write into an error that says what to do."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"cannot write {path}: {getattr(error, 'strerror', None) or error}",
            "make room or choose another folder with -o; what was finished is kept",
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write to a temporary name beside ``path``, then rename: all or nothing."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with writing(path):
            yield temporary
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def film_folder(number: int, name: str) -> str:
    """Return the folder of a film inside a run over several films."""
    return f"{number:03d}-{name}"


def table_path(folder: Path, kind: type[Table]) -> Path:
    """Return the file of a table: safetensors for embeddings, Parquet for the others."""
    return folder / f"{kind.FILE}.{kind.SUFFIX}"


def write_table(path: Path, table: Table) -> None:
    """Write one table atomically."""
    meta = json.dumps(table.meta(), sort_keys=True)
    with replacing(path) as temporary:
        if path.suffix == ".safetensors":
            data = safetensors.numpy.save(dict(table.arrays()), metadata={"meta": meta})
            temporary.write_bytes(data)
        else:
            columns = _columns(table)
            frame = pa.table(columns).replace_schema_metadata({"vcn": meta})
            pq.write_table(frame, temporary, compression="zstd")


def read_table(path: Path, kind: type[T]) -> T:
    """Read one table.

    Raises
    ------
    StoreError
        When the file is missing or damaged.
    """
    try:
        if path.suffix == ".safetensors":
            with safetensors.safe_open(path, framework="numpy") as file:
                meta = json.loads(file.metadata()["meta"])
                arrays = {name: file.get_tensor(name) for name in kind.COLUMNS}
        else:
            with pq.ParquetFile(path) as file:  # `read_table` loads what reads whole folders
                frame = file.read()
            meta = json.loads(frame.schema.metadata[b"vcn"])
            arrays = _arrays(frame, kind)
        return kind.build(arrays, meta)
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise StoreError(
            f"{path} is damaged or missing", "restore it, or start a new run folder"
        ) from error
    except safetensors.SafetensorError as error:
        raise StoreError(f"{path} is damaged", "restore it, or start a new run folder") from error


def _columns(table: Table) -> dict[str, pa.Array]:
    columns: dict[str, pa.Array] = {}
    arrays = table.arrays()
    for name, array in arrays.items():
        if name in table.RAGGED.values():
            continue
        if name in table.RAGGED:
            offsets = pa.array(arrays[table.RAGGED[name]])
            columns[name] = pa.LargeListArray.from_arrays(offsets, pa.array(array))
        elif array.ndim > 1:
            width = int(np.prod(array.shape[1:]))
            columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), width)
        else:
            columns[name] = pa.array(array)
    return columns


def _arrays(frame: pa.Table, kind: type[Table]) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for name, (dtype, shape) in kind.COLUMNS.items():
        if name in kind.RAGGED.values():
            continue
        column = frame.column(name).combine_chunks()
        if name in kind.RAGGED:
            lengths = column.value_lengths().to_numpy(zero_copy_only=False)
            arrays[kind.RAGGED[name]] = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        if name in kind.RAGGED or len(shape) > 1:
            column = column.flatten()
        array = column.to_numpy(zero_copy_only=False).astype(dtype)
        arrays[name] = array.reshape(-1, *shape[1:]) if len(shape) > 1 else array
    return arrays
