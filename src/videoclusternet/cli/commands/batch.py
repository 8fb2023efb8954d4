"""``vcn batch``: the casts of many films, each for itself, on one machine or on many."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.options import (
    Backbone,
    ConfigFile,
    Detector,
    Device,
    KnownBy,
    LogJson,
    Profile,
    Quiet,
    RunByDefault,
    Settings,
    path_argument,
    path_option,
)
from videoclusternet.errors import BatchError
from videoclusternet.outside.text import say

if TYPE_CHECKING:
    from videoclusternet.batch.record import Record

app = typer.Typer(
    cls=RunByDefault, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]}
)


class Engine(StrEnum):
    """What does the films."""

    processes = "processes"
    ray = "ray"


Films = Annotated[
    list[Path],
    path_argument(
        metavar="LIST|FOLDER...",
        help="Text files with a film on each line, folders that are searched, or films.",
    ),
]
Out = Annotated[Path, path_option("--output", "-o", help="Folder of the batch.")]
Address = Annotated[
    str,
    typer.Option(
        metavar="auto|local|HOST:PORT", help="The cluster of Ray.", show_default="auto, else local"
    ),
]
AtOnce = Annotated[int, typer.Option(min=0, max=100_000, help="0: as many as there is room for.")]
Cpus = Annotated[int, typer.Option(min=1, max=1024, help="Cores of each film.")]
Gpus = Annotated[
    float, typer.Option(min=0, max=64, help="Graphics cards of each film: 1, or .25 of one.")
]
Timeout = Annotated[
    float,
    typer.Option(min=0.01, max=1e6, metavar="MINUTES", help="Silence after which a film hangs."),
]
Retries = Annotated[int, typer.Option(min=0, max=100, help="For films whose worker is killed.")]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Try again what failed in an earlier call.")
]


@app.callback()
def batch() -> None:
    """Find the casts of many films: vcn batch FOLDER -o OUT, then status."""


@app.command()
def run(
    films: Films,
    output: Out,
    engine: Annotated[Engine, typer.Option(help="Processes of this machine, or Ray.")] = (
        Engine.processes
    ),
    address: Address = "",
    films_at_once: AtOnce = 0,
    cpus_per_film: Cpus = 1,
    gpus_per_film: Gpus = 0.0,
    timeout: Timeout = 30.0,
    retries: Retries = 1,
    retry_failed: RetryFailed = False,
    profile: Profile = "auto",
    detector: Detector = None,
    backbone: Backbone = None,
    device: Device = None,
    settings: Settings = None,
    config: ConfigFile = None,
    library: KnownBy = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Find the cast of each of many films. The same command goes on where a stopped one ended.

    Each film has a process and a run folder OUT/NAME.vcn of its own. One that cannot be read,
    hangs, or kills its process costs itself alone, and stands in the list with its reason.
    """
    from videoclusternet.batch.driver import Terms, run_batch
    from videoclusternet.batch.films import find_films
    from videoclusternet.cli.progress import reporting
    from videoclusternet.config import Config

    flags = {"faces.detector": detector, "embed.backbone": backbone, "device": device}
    given = {key: value for key, value in flags.items() if value is not None}
    chosen = Config.load(profile, config, settings or (), given)
    terms = Terms(
        engine=engine.value,
        address=address,
        at_once=films_at_once,
        cpus=cpus_per_film,
        gpus=gpus_per_film,
        patience=timeout * 60,
        retries=retries,
        retry_failed=retry_failed,
        library=library,
    )
    found = find_films(films)
    with reporting(quiet, log_json) as hook:
        records = run_batch(found, output, chosen, terms, hook)
    _tell_of(records, output, quiet)


def _tell_of(records: Mapping[str, Record], output: Path, quiet: bool) -> None:
    """Say what became of the films.

    Raises
    ------
    BatchError
        When one failed.
    """
    from videoclusternet.batch.status import count_words, print_reasons
    from videoclusternet.runfolder.beside import PAGE

    if not quiet:
        say(count_words(records))
        print_reasons(records)
        say("", f"page: {(output / PAGE).resolve()}")
    if failed := sum(record.state != "done" for record in records.values()):
        raise BatchError(
            f"{failed} of {len(records)} films failed",
            "`vcn batch status` lists why; --retry-failed tries them again",
        )


@app.command()
def status(
    output: Annotated[Path, path_argument(metavar="OUT", help="Folder of a batch.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, every film.")] = False,
) -> None:
    """Say how far a batch is: films done, running and waiting, and why others are not."""
    from videoclusternet.batch.status import print_status

    print_status(output, as_json)
