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
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from videoclusternet.config import Config, Params
from videoclusternet.engine.processes import Processes
from videoclusternet.engine.work import Engine, Serial, Work
from videoclusternet.errors import StoreError
from videoclusternet.events import Event, Hook
from videoclusternet.runfolder.files import plain_file, replacing
from videoclusternet.runfolder.films import (
    TOP,
    Origin,
    Others,
    home_of,
    number_of,
    placed,
    places,
    recorded,
    sweep_films,
)
from videoclusternet.runfolder.folder import Store, film_names
from videoclusternet.types import Table, Unread

PACKAGES = (
    "videoclusternet",
    "av",
    "numpy",
    "onnxruntime",
    "opencv-python",
    "scenedetect",
    "torch",
    "trackers",
)
"""Versions that run.json records."""
if TYPE_CHECKING:
    from videoclusternet.engine.on_ray import OnRay

Settings = TypeVar("Settings", bound=Params)
Made = TypeVar("Made")


def engine_of(setting: str, processes: int) -> Processes | OnRay:
    """Return the engine of a setting; Ray is imported where it is asked for."""
    if setting == "processes":
        return Processes(processes)
    from videoclusternet.engine.on_ray import OnRay

    return OnRay(setting.partition(":")[2] or "local")


@dataclass(frozen=True)
class Step(Generic[Made]):
    """A row that says what a step is; its arguments are its fingerprint.

    Attributes
    ----------
    name : str
    compute : callable
        A plain function of its arguments.
    returns : tuple of Table classes
        What it returns: one table, or a tuple of them.
    version : int
        Raised when the same arguments give something else than before.
    unit : str
        What its progress counts.  A step that has one is handed a
        :class:`~videoclusternet.engine.work.Work` as ``work``.
    file : str
        A further file that it writes to ``work.file``; it must be as it was to be reused.
    folder : str
        A folder that it keeps its own files in, below ``work.folder``; likewise.
    """

    name: str
    compute: Callable[..., Made]
    returns: tuple[type[Table], ...]
    version: int = 1
    unit: str = ""
    file: str = ""
    folder: str = ""


class Run:
    """A run folder in use.

    Parameters
    ----------
    store : Store
    config : Config
    hook : Hook
    prefix : str
        Film in a run over several films, for events.
    engine : Engine, optional
        Runs the parts of long steps; by default one after the other.
    number : int
        That the tracks of its film are made with.
    """

    def __init__(
        self,
        store: Store,
        config: Config,
        hook: Hook,
        prefix: str = "",
        engine: Engine | None = None,
        number: int = 0,
    ) -> None:
        self.store, self.number = store, number
        self.config = config
        self.engine = engine or Serial()
        self._hook = hook
        self._prefix = prefix

    @classmethod
    @contextmanager
    def open(cls, folder: Path, config: Config, hook: Hook, processes: int = 1) -> Iterator[Run]:
        """Open or make a run folder and hold it; ``processes`` share the parts of long steps."""
        store = Store(folder, create=True)
        with store.locked(), engine_of(config.engine, processes) as engine:
            yield cls(store, config, hook, engine=engine)

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.store.folder

    def film(self, place: str, shown: str) -> Run:
        """Return the sub-run of one film of several; ``shown`` tells it from the others."""
        store = self.store if place == TOP else Store(home_of(self.folder, place), create=True)
        number = number_of(place)
        run = Run(store, self.config, self._hook, f"{shown}/", self.engine, number)
        if place != TOP:
            store.tidy()
            run.describe()  # first of all: a folder without run.json is not taken for ours
        return run

    def films(self) -> list[Run]:
        """Return the run of each film: this one, or with several films a sub-run for each."""
        films = self.store.manifest["films"]
        if places(films) == [TOP]:
            return [self]
        shown = film_names([film["path"] for film in films])
        return [self.film(place, name) for place, name in zip(places(films), shown, strict=True)]

    def note(self, message: str, step: str = "") -> None:
        """Tell the user something."""
        self._hook(Event("note", self._prefix + step, message=message))

    def do(self, step: Step[Made], *arguments: Any, **beside: Any) -> Made:
        """Return what a step gives: read when nothing changed, else made and stored.

        Parameters
        ----------
        step : Step
        *arguments
            Of its function, all that the result depends on: tables (by content), settings,
            texts and numbers, or whatever has a ``digest``.
        **beside
            Further arguments that do not change the result.

        Raises
        ------
        StoreError
            When a table cannot be read or written.
        """
        if self.holds(step, *arguments):
            self._hook(Event("cached", self._prefix + step.name))
            return self.read(step)
        fingerprint, full = fingerprint_of(step, arguments), self._prefix + step.name
        started = time.perf_counter()
        self._hook(Event("start", full, unit=step.unit))
        notes: list[str] = []
        unread: list[Unread] = []
        with self._work(step, fingerprint, notes, unread) as work:
            more = {**beside, "work": work} if step.unit else beside
            made = step.compute(*arguments, **more)
        seconds = round(time.perf_counter() - started, 3)
        tables: tuple[Any, ...] = made if isinstance(made, tuple) else (made,)
        details = {
            "version": step.version,
            "inputs": [_said(a) for a in arguments if not isinstance(a, Params)],
            "params": {
                type(a).__name__: a.model_dump() for a in arguments if isinstance(a, Params)
            },
            "seconds": seconds,
            "notes": notes,
        }
        if step.file:
            details["file"] = self._digest(step)
        if spans := [span for one in unread for span in one.spans]:
            details["unread"] = Unread(tuple(spans)).record()
        self.store.save(step.name, fingerprint, tables, details)
        self.store.drop_parts(step.name)
        self._hook(Event("done", full, unit=step.unit, data={"seconds": seconds}))
        return made

    def holds(self, step: Step[Any], *arguments: Any) -> bool:
        """Whether an earlier result of a step is still right: the one place that decides it.

        Raises
        ------
        StoreError
            When the file that the step wrote is not as it was.
        """
        beside = [self.folder / name for name in (step.file, step.folder) if name]
        same = self.store.fingerprint(step.name) == fingerprint_of(step, arguments)
        if not same or not all(path.exists() for path in beside):
            return False
        if step.file and self.store.manifest["steps"][step.name].get("file") != self._digest(step):
            raise StoreError(
                f"{self.folder / step.file} is damaged: it is not what the run wrote",
                "restore it, or delete it to have it made again",
            )
        return True

    def _digest(self, step: Step[Any]) -> str:
        """Return the sha256 of the file that a step wrote; empty where there is none to read."""
        try:
            with open(plain_file(self.folder / step.file), "rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return ""

    def read(self, step: Step[Made]) -> Made:
        """Return what a finished step gave."""
        tables = self.store.load(step.name, step.returns)
        return tables if len(tables) > 1 else tables[0]  # type: ignore[return-value]

    @contextmanager
    def _work(
        self, step: Step[Any], fingerprint: str, notes: list[str], unread: list[Unread]
    ) -> Iterator[Work]:
        """Give a step its work; a file that it writes takes its name when all went well."""
        full = self._prefix + step.name

        def note(message: str) -> None:
            notes.append(message)
            self.note(message, step.name)

        work = Work(
            progress=lambda done, total: self._hook(
                Event("progress", full, done, total, step.unit)
            ),
            note=note,
            unread=unread.append,
            parts=self.store.parts(step.name, fingerprint),
            engine=self.engine,
            folder=self.folder,
            fingerprint=fingerprint,
        )
        if step.folder:
            self.store.forget(step.name)  # what it keeps there is about to change
        if not step.file:
            yield work
            return
        with replacing(self.folder / step.file) as temporary:
            yield replace(work, file=temporary)
            self.store.forget(step.name)

    def begin(self, sources: Sequence[Origin], others: Others = "refuse") -> None:
        """Record what the run is over; see :func:`videoclusternet.runfolder.films.placed`."""
        self.store.refuse_forgotten()
        known = self.store.manifest.get("films", [])
        self.describe(films=placed(self.folder, known, recorded(sources), others))
        sweep_films(self.store)

    def describe(self, **values: Any) -> None:
        """Record films, settings and versions in run.json."""
        manifest = self.store.manifest
        fresh: Mapping[str, Any] = {
            **values,
            "config": self.config.model_dump(),
            "versions": {name: _version(name) for name in PACKAGES},
        }
        if any(manifest.get(key) != value for key, value in fresh.items()):
            manifest.update(fresh)
            self.store.write_manifest()


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


def fingerprint_of(step: Step[Any], arguments: Sequence[Any]) -> str:
    """Return the fingerprint of a step with its arguments: sha256, hexadecimal."""
    parts = [step.name, step.version, [_said(argument) for argument in arguments]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _said(argument: Any) -> Any:
    """Return what tells an argument from another one, as JSON-able values."""
    match argument:
        case None | str() | int() | float():
            return argument
        case Fraction():
            return str(argument)
        case Params():
            return {type(argument).__name__: argument.model_dump()}
    digest = getattr(argument, "digest", None)
    if not isinstance(digest, str):
        raise TypeError(f"a step cannot tell one {type(argument).__name__} from another")
    return digest


def _version(name: str) -> str:
    """Return the version of a package; in place of OpenCV there may be the one without windows."""
    try:
        return version(name)
    except PackageNotFoundError:
        return f"{version(f'{name}-headless')} headless"
