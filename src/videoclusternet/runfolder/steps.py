"""A run: the store, the settings and the hook, and steps that are done only once.

A step is a plain function.  Its fingerprint covers its name and version, its settings,
the hash of its weights and the *content* of its inputs: an equal fingerprint means an
equal result, which is then read instead of made.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from videoclusternet.config import Config, Params
from videoclusternet.errors import StoreError
from videoclusternet.events import Event, Hook
from videoclusternet.runfolder.folder import FolderParts, Store, replacing
from videoclusternet.types import Table

PACKAGES = ("videoclusternet", "av", "numpy", "opencv-python", "scenedetect", "torch", "trackers")
"""Versions that run.json records."""
Settings = TypeVar("Settings", bound=Params)


@dataclass(frozen=True)
class Work:
    """What a step gets to report and to keep unfinished work.

    Attributes
    ----------
    progress : callable
        ``progress(done, total)``.
    note : callable
        A line for the user.
    parts : FolderParts
        Finished parts, read again after a crash.
    fingerprint : str
        Of the step: what it writes elsewhere can be told from that of other settings.
    """

    progress: Callable[[int, int], None]
    note: Callable[[str], None]
    parts: FolderParts
    fingerprint: str


class Run:
    """A run folder in use.

    Parameters
    ----------
    store : Store
    config : Config
    hook : Hook
    prefix : str
        Film in a run over several films, for events.
    """

    def __init__(self, store: Store, config: Config, hook: Hook, prefix: str = "") -> None:
        self.store = store
        self.config = config
        self._hook = hook
        self._prefix = prefix

    @classmethod
    @contextmanager
    def open(cls, folder: Path, config: Config, hook: Hook) -> Iterator[Run]:
        """Open or make a run folder and hold it for this process."""
        store = Store(folder, create=True)
        with store.locked():
            yield cls(store, config, hook)

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.store.folder

    def film(self, number: int, name: str) -> Run:
        """Return the sub-run of one film of several."""
        folder = self.folder / "films" / film_folder(number, name)
        run = Run(Store(folder, create=True), self.config, self._hook, f"{name}/")
        run.describe()  # first of all: a folder without run.json is not taken for ours
        return run

    def films(self, paths: Sequence[Path | str]) -> list[Run]:
        """Return the run of each film: this one, or with several films a sub-run for each."""
        if len(paths) == 1:
            return [self]
        return [self.film(i, Path(path).stem) for i, path in enumerate(paths)]

    def note(self, message: str, step: str = "") -> None:
        """Tell the user something."""
        self._hook(Event("note", self._prefix + step, message=message))

    def step(
        self,
        name: str,
        kinds: Sequence[type[Table]],
        compute: Callable[[Work], Sequence[Table]],
        inputs: Sequence[Table | str] = (),
        params: Sequence[Params] = (),
        unit: str = "",
        version: int = 1,
        file: str = "",
    ) -> tuple[Any, ...]:
        """Return the tables of a step: read when nothing changed, else made and stored.

        Parameters
        ----------
        name : str
        kinds : sequence of Table classes
            What the step returns.
        compute : callable
            Does the work.
        inputs : sequence of Table or str
            Tables by content, or strings such as the hash of weights.
        params : sequence of Params
            Settings that the result depends on.
        unit : str
            What progress counts.
        version : int
            Raised when the meaning of the step changes.
        file : str
            A further file that the step writes; it must still be there to be reused.
        """
        fingerprint = fingerprint_of(name, version, inputs, params)
        full = self._prefix + name
        present = not file or (self.folder / file).exists()
        if present and self.store.fingerprint(name) == fingerprint:
            tables = self.store.load(name, kinds)
            self._hook(Event("cached", full))
            return tables
        started = time.perf_counter()
        self._hook(Event("start", full, unit=unit))
        notes: list[str] = []

        def note(message: str) -> None:
            notes.append(message)
            self.note(message, name)

        work = Work(
            progress=lambda done, total: self._hook(Event("progress", full, done, total, unit)),
            note=note,
            parts=self.store.parts(name, fingerprint),
            fingerprint=fingerprint,
        )
        made = tuple(compute(work))
        seconds = round(time.perf_counter() - started, 3)
        details = {
            "version": version,
            "inputs": _digests(inputs),
            "params": _said(params),
            "seconds": seconds,
            "notes": notes,
        }
        self.store.save(name, fingerprint, made, details)
        self.store.drop_parts(name)
        self._hook(Event("done", full, unit=unit, data={"seconds": seconds}))
        return made

    def held(
        self,
        name: str,
        kinds: Sequence[type[Table]],
        inputs: Sequence[Table | str],
        params: Sequence[Params],
        version: int = 1,
    ) -> tuple[Any, ...] | None:
        """Return what a step left here earlier, if it began with these inputs and settings.

        Inputs that it had after these may have been others.  None as well where it is damaged.
        """
        step = self.store.manifest["steps"].get(name, {})
        wanted = _digests(inputs)
        begins = step.get("inputs", [])[: len(wanted)] == wanted
        if not begins or [step.get("params"), step.get("version")] != [_said(params), version]:
            return None
        try:
            return self.store.load(name, kinds)
        except StoreError:
            return None

    @contextmanager
    def writes(self, step: str, file: str) -> Iterator[Path]:
        """Give a step a temporary path that becomes ``file`` when all went well."""
        with replacing(self.folder / file) as temporary:
            yield temporary
            self.store.forget(step)

    def describe(self, **values: Any) -> None:
        """Record films, settings and versions in run.json."""
        manifest = self.store.manifest
        fresh: Mapping[str, Any] = {
            **values,
            "config": self.config.model_dump(),
            "versions": {name: version(name) for name in PACKAGES},
        }
        if any(manifest.get(key) != value for key, value in fresh.items()):
            manifest.update(fresh)
            self.store.write_manifest()


def film_folder(number: int, name: str) -> str:
    """Return the folder of a film inside a run over several films."""
    return f"{number:03d}-{name}"


def check_films(store: Store, contents: Sequence[str]) -> None:
    """Refuse to put other films into a folder that already holds a run.

    Raises
    ------
    StoreError
    """
    known = [film["content"] for film in store.manifest.get("films", [])]
    if known and known != list(contents):
        raise StoreError(f"{store.folder} belongs to other films", "choose another folder with -o")


def recorded_settings(folder: Path, kind: type[Settings], section: str = "") -> Settings:
    """Return the settings that a run was made with.

    Parameters
    ----------
    folder : Path
        Run folder.
    kind : type
        ``Config``, or what a section of it holds.
    section : str
        Name of that section; of others it does not matter whether this version knows them.

    Raises
    ------
    StoreError
        When the run was made by a version with other settings.
    """
    try:
        every = Store(folder).manifest["config"]
        return kind.model_validate(every[section] if section else every)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{folder} was made with settings that this version does not know",
            "run the same command again into a new folder",
        ) from error


def fingerprint_of(
    name: str, version: int, inputs: Sequence[Table | str], params: Sequence[Params]
) -> str:
    """Return the fingerprint of a step: sha256, hexadecimal; see :meth:`Run.step`."""
    parts = [
        name,
        version,
        _digests(inputs),
        [p.model_dump() for p in params],
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digests(inputs: Sequence[Table | str]) -> list[str]:
    return [item.digest if isinstance(item, Table) else item for item in inputs]


def _said(params: Sequence[Params]) -> dict[str, Any]:
    return {type(p).__name__: p.model_dump() for p in params}
