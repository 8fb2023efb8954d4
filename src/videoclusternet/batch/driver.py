"""The loop that drives a batch: hands films to workers, notes what becomes of them, goes on."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Literal

from videoclusternet.batch.casts import write_casts
from videoclusternet.batch.films import absolute
from videoclusternet.batch.page import write_page
from videoclusternet.batch.plan import (
    SETTINGS,
    as_begun,
    assign,
    free_name,
    settings_digest,
    settings_text,
    to_do,
)
from videoclusternet.batch.record import Journal, Record, now
from videoclusternet.batch.summary import Summary, summary_of
from videoclusternet.batch.verdict import Verdict, judge
from videoclusternet.batch.watch import Watch
from videoclusternet.batch.workers.child import PYTHON, Ended, Order, Tell
from videoclusternet.batch.workers.engine import Workers
from videoclusternet.batch.workers.processes import ProcessWorkers
from videoclusternet.clustering.reading import check_choice
from videoclusternet.config import Config
from videoclusternet.engine.processes import THREADS
from videoclusternet.errors import ConfigError, InstallError, ModelError, VcnError
from videoclusternet.events import Hook, silent
from videoclusternet.library.meeting import library_of
from videoclusternet.runfolder.files import replacing

TICK = 0.5
"""Seconds that a wait for the next thing to happen takes at most."""
WRITE = 60.0
"""Seconds between two writings of the page and the table while films are done."""
HELD = 5.0
"""Seconds after which a run folder that is in use is tried again."""
MOST_HELD = 24
"""Times that this is tried."""
Command = Callable[[Path, Path], Sequence[str]]
"""Of a film and its run folder, the command that does it."""


@dataclass(frozen=True)
class Terms:
    """How a batch is done.

    Attributes
    ----------
    engine : {"processes", "ray"}
    address : str
        Of Ray: ``auto``, ``local``, ``HOST:PORT``; empty for either of the first two.
    at_once : int
        Films at once; 0: as many as the machine holds, or the cluster.
    cpus : int
        Cores of each film.
    gpus : float
        Graphics cards of each film, or its share of one.
    patience : float
        Seconds without a sign of life after which a film is given up.
    retries : int
        How often a film is begun anew whose worker was killed or had too little memory.
    retry_failed : bool
        Whether films that failed in an earlier call are tried again.
    library : Path or None
        Of people that are looked for; ``default`` is the user's own.  Films only read it.
    """

    engine: Literal["processes", "ray"] = "processes"
    address: str = ""
    at_once: int = 0
    cpus: int = 1
    gpus: float = 0.0
    patience: float = 1800.0
    retries: int = 1
    retry_failed: bool = False
    library: Path | None = None

    def workers(self, tell: Tell) -> Workers:
        """Begin the workers."""
        if self.engine == "processes":
            return ProcessWorkers(self.at_once, self.cpus, self.gpus, tell)
        from videoclusternet.batch.workers.on_ray import RayWorkers  # loads Ray

        return RayWorkers(self.address, self.at_once, self.cpus, self.gpus, self.retries, tell)


def run_batch(
    films: Sequence[Path],
    output: Path,
    config: Config | None = None,
    terms: Terms | None = None,
    hook: Hook = silent,
    command: Command | None = None,
) -> dict[str, Record]:
    """Find the cast of each of many films, each in a run folder and a process of its own.

    The same call again goes on where a stopped one ended; films that are done are not touched.

    Parameters
    ----------
    films : sequence of Path
        See :func:`videoclusternet.batch.films.find_films`.
    output : Path
        Folder of the batch.
    config : Config, optional
        Of every film; its ``processes`` are what ``terms`` say, and its parts stay on one machine.
    terms : Terms, optional
    hook : Hook
        Told of films that ended, all running ones, and failures; may raise ``Cancelled``.
    command : callable, optional
        What does a film, in place of ``vcn cluster``.  It speaks on standard error as
        ``vcn cluster --log-json`` does, and exits with its codes.

    Returns
    -------
    dict of str to Record
        What became of each film, by its path; also of those of earlier calls.

    Raises
    ------
    VcnError
        When nothing can be done: wrong settings, a folder that is in use or cannot be written, no
        cluster, a library or model that is missing.  A film that fails raises nothing.
    """
    terms, output = terms or Terms(), absolute(output)
    config = (config or Config()).model_copy(
        update={"processes": terms.cpus, "engine": "processes"}
    )
    if not films:
        raise ConfigError("no film given", "name at least one film")
    check_choice(config.cluster)
    text = settings_text(config)
    library = "" if terms.library is None else _path_of(terms.library)
    with Journal.open(output) as journal, ExitStack() as stack:
        digest = settings_digest(config, library)
        journal.begin(assign([absolute(film) for film in films], journal.records))
        with replacing(output / SETTINGS) as temporary:
            temporary.write_text(text, encoding="utf-8")
        drive = _Drive(journal, terms, digest, hook, command or _cluster(output, library))
        drive.plan([str(absolute(film)) for film in films])
        stack.callback(drive.finish)
        if drive.waiting:
            drive.workers = terms.workers(drive.watch.hear)
            stack.callback(drive.workers.close)
            drive.run()
    return journal.records


def _path_of(library: Path) -> str:
    """Return where a library lies, once it has been read: other machines have other defaults."""
    with library_of(library) as opened:
        return str(absolute(opened.path))


def _cluster(output: Path, library: str) -> Command:
    def command(film: Path, run: Path) -> list[str]:
        more = ["--library", library] if library else []
        settings = str(output / SETTINGS)
        call = [PYTHON, "-m", "videoclusternet", "cluster", str(film), "-o", str(run)]
        return [*call, "--config", settings, *more, "--quiet", "--log-json"]

    return command


@dataclass
class _Drive:
    """A batch in progress."""

    journal: Journal
    terms: Terms
    digest: str
    hook: Hook
    command: Command
    waiting: deque[str] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.workers: Workers | None = None
        self.watch = Watch(self.hook)
        self._given: dict[str, str] = {}
        self._later: list[tuple[float, str]] = []
        self._held: dict[str, int] = {}
        self._lost: dict[str, int] = {}
        self._succeeded = False
        self._written = monotonic()

    @property
    def records(self) -> dict[str, Record]:
        return self.journal.records

    def plan(self, films: Sequence[str]) -> None:
        """Decide which films are to be done, and look at the others."""
        folder = self.journal.folder
        for film in dict.fromkeys(films):
            if to_do(self.records[film], folder, self.digest, self.terms.retry_failed):
                self.waiting.append(film)
                if self.records[film].state != "waiting":
                    self._note(film, state="waiting", tries=0)
        self.watch.begin(len(self.records), len(self.records) - len(self.waiting))

    def run(self) -> None:
        """Drive the films to their ends."""
        assert self.workers is not None
        while self.waiting or self._given or self._later:
            self._hand_out(self.workers)
            for run, ended in self.workers.wait(TICK):
                self._take(self._given.pop(run), ended)
            self._begun()
            self.watch.show()
            if monotonic() - self._written > WRITE:
                self.write()

    def _hand_out(self, workers: Workers) -> None:
        self.waiting += [film for when, film in self._later if when <= monotonic()]
        self._later = [(when, film) for when, film in self._later if when > monotonic()]
        while self.waiting and workers.room():
            film = self.waiting.popleft()
            record = self.records[film]
            run = self.journal.folder / record.run
            environment = dict.fromkeys((*THREADS, "OPENBLAS_NUM_THREADS"), str(self.terms.cpus))
            self.records[film] = as_begun(record, self.digest)
            self._given[record.run] = film
            workers.start(
                Order(
                    run=record.run,
                    command=tuple(map(str, self.command(Path(film), run))),
                    environment=environment,
                    patience=self.terms.patience,
                    folder=os.getcwd(),
                )
            )
            self._begun()

    def _begun(self) -> None:
        """Note the films that began since the last look."""
        for run, where in self.watch.begun():
            if film := self._given.get(run):
                self._note(film, state="running", where=where, reason="", code=None)

    def _take(self, film: str, ended: Ended) -> None:
        """Note what became of a film, or let it wait for another worker."""
        self._begun()
        self.watch.ended(self.records[film].run)
        said = ended.said.replace(film, Path(film).name)  # the table has its path
        verdict = judge(replace(ended, said=said), self.terms.patience)
        if verdict.state == "done":
            verdict = self._looked_at(film, verdict)
        told = {"code": ended.code, "seconds": ended.seconds, "where": ended.where}
        if verdict.about_all and not self._succeeded:
            self._note(film, state="waiting", reason=verdict.reason, **told)
            kind = ModelError if ended.code == ModelError.exit_code else InstallError
            raise kind(verdict.reason)
        if self._again(film, verdict):
            self._note(film, state="waiting", reason=verdict.reason, **told)
            return
        self._succeeded |= verdict.state == "done"
        self._note(film, state=verdict.state, reason=verdict.reason, **told)
        self.watch.count()
        if verdict.reason:
            self.watch.say(f"{Path(film).name}: {verdict.state}: {verdict.reason}")

    def _looked_at(self, film: str, verdict: Verdict) -> Verdict:
        """Sum up the run of a film that is done; one that cannot be read is not."""
        try:
            summary_of(self.journal.folder, self.records[film].run)
        except VcnError as error:
            return Verdict("failed", str(error))
        return verdict

    def _again(self, film: str, verdict: Verdict) -> bool:
        """Whether a film gets another worker, which it then waits for."""
        name = Path(film).name
        match verdict.again:
            case "rename":
                taken = {one.run.casefold() for one in self.records.values()}
                run = free_name(Path(film), taken)
                self.records[film] = replace(self.records[film], run=run)
                self.watch.say(f"{name} is another film now: its run is {run}")
                self.waiting.append(film)
            case "wait" if self._held.get(film, 0) < MOST_HELD:
                self._held[film] = self._held.get(film, 0) + 1
                self._later.append((monotonic() + HELD, film))
            case "retry" if self._lost.get(film, 0) < self.terms.retries:
                self._lost[film] = self._lost.get(film, 0) + 1
                self.watch.say(f"{name}: {verdict.reason}; it is tried again")
                self.waiting.append(film)
            case _:
                return False
        return True

    def _note(self, film: str, **what: object) -> None:
        self.journal.add(replace(self.records[film], **what, time=now()))  # type: ignore[arg-type]

    def finish(self) -> None:
        """Let films that were stopped wait, and write what is there, however the batch ended."""
        for film, record in list(self.records.items()):
            if record.state == "running":
                self._note(film, state="waiting")
        self.write()

    def write(self) -> None:
        """Write the page and the table of all casts, with the corrections that runs have by now."""
        found: list[tuple[Record, Summary]] = []
        for record in self.records.values():
            if record.state == "done":
                try:
                    summary = summary_of(self.journal.folder, record.run)
                except VcnError as error:  # of an earlier call, and spoilt since
                    self.watch.say(f"{Path(record.film).name}: {error}")
                    continue
                found += [] if summary is None else [(record, summary)]
        write_casts(self.journal.folder, found)
        write_page(self.journal.folder, self.records, {one.film: it for one, it in found})
        self._written = monotonic()
