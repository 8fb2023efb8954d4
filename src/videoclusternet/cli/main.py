"""The command ``vcn``: arguments in, library calls, tables and clear errors out."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.commands import batch as cli_batch
from videoclusternet.cli.commands import corrections
from videoclusternet.cli.commands import edit as cli_edit
from videoclusternet.cli.commands import export as cli_export
from videoclusternet.cli.commands import forget as cli_forget
from videoclusternet.cli.commands import library as cli_library
from videoclusternet.cli.commands import library_forget as cli_library_forget
from videoclusternet.cli.commands import models as cli_models
from videoclusternet.cli.commands import query as cli_query
from videoclusternet.cli.commands import render as cli_render
from videoclusternet.cli.failures import STOPPED, fail, stops
from videoclusternet.cli.options import (
    Backbone,
    ConfigFile,
    Detector,
    Device,
    FramesPerSecond,
    FromModel,
    KnownBy,
    LogJson,
    Output,
    Profile,
    Quiet,
    Settings,
    path_argument,
    path_option,
    read_fps,
)
from videoclusternet.cli.plugins import add_commands
from videoclusternet.engine.memory import keep_memory
from videoclusternet.errors import VcnError
from videoclusternet.outside.text import say

if TYPE_CHECKING:
    from videoclusternet.config import Config
    from videoclusternet.events import Hook
    from videoclusternet.result.result import Result
    from videoclusternet.runfolder.films import Others

HELP = """Who is on screen, when, in any film.

vcn cluster FILM finds shots and faces, follows them, and groups the tracks into a cast,
without labels, thresholds or a cloud. The result is a folder FILM.vcn with cast.html in it.

Start with: vcn demo
"""

app = typer.Typer(
    name="vcn",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(cli_models.app, name="models")
app.add_typer(cli_edit.app, name="edit")
app.add_typer(cli_library.app, name="library")


def main(stopped: Collection[int] = ()) -> None:
    """Run the command line and exit with the documented code; see :func:`stops`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the terminal has no letter for is escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(prog_name="vcn", standalone_mode=False)
        if code == STOPPED.exit_code:  # Typer ends without a word
            fail(STOPPED)
    except Exception as error:
        # What is stopped while it is loaded fails in words of its own.
        code = fail(STOPPED if stopped and not isinstance(error, VcnError) else error)
    sys.exit(code if isinstance(code, int) else 0)


def run() -> None:
    """Run the command line as a process of its own, which ends as soon as it is done.

    All is written by then.  Threads of native libraries (Arrow, OpenCV, torch) still at work while
    the interpreter takes itself apart have ended it with "terminate called" and exit code 134.
    """
    keep_memory()
    try:
        main(stops())
    except KeyboardInterrupt:  # before a command has begun
        code = fail(STOPPED)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads any more
            stream.flush()
    os._exit(code)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"vcn {version('videoclusternet')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options before the command."""


@contextmanager
def _hook(quiet: bool, log_json: bool) -> Iterator[Hook]:
    from videoclusternet.cli.progress import reporting

    with reporting(quiet, log_json) as hook:
        yield hook


def _config(
    profile: str,
    detector: str | None,
    backbone: str | None,
    device: str | None,
    settings: list[str] | None,
    file: Path | None,
    from_model: Path | None = None,
) -> Config:
    from videoclusternet.config import Config

    flags = {
        "faces.detector": detector,
        "embed.backbone": backbone,
        "device": device,
        "adapt.given": None if from_model is None else str(from_model),
    }
    given = {key: value for key, value in flags.items() if value is not None}
    return Config.load(profile, file, settings or (), given)


@app.command()
def cluster(
    films: Annotated[list[Path], path_argument(metavar="FILM...", help="One film, or several.")],
    output: Output = None,
    profile: Profile = "auto",
    detector: Detector = None,
    backbone: Backbone = None,
    device: Device = None,
    settings: Settings = None,
    config: ConfigFile = None,
    from_model: FromModel = None,
    fps: FramesPerSecond = None,
    add: Annotated[
        bool, typer.Option("--add", help="Keep the films that the folder holds.")
    ] = False,
    only: Annotated[
        bool, typer.Option("--only", help="Take out films of the folder that are not named.")
    ] = False,
    library: KnownBy = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Find the cast of a film, or one shared cast of several (episodes of a series).

    Writes FILM.vcn/ with cast.html, tables and face pictures. The same command again goes
    on where a stopped run ended, and redoes only what a changed setting touches. A folder of
    pictures, or a pattern such as shot_%04d.png, is a film too: with --fps. An episode more
    joins the cast of a season without the others being looked at again: name all of them, or
    the new one with --add.
    """
    from videoclusternet.doors import cluster_film
    from videoclusternet.errors import ConfigError

    chosen = _config(profile, detector, backbone, device, settings, config, from_model)
    rate = read_fps(fps)
    if add and only:
        raise ConfigError("--add keeps films that --only takes out", "say one of them")
    others: Others = "keep" if add else "drop" if only else "refuse"
    with _hook(quiet, log_json) as hook:
        result = cluster_film(films, output, chosen, hook, rate, others, library)
    _tell_of(result, quiet, log_json)


@app.command("cluster-tracks")
def cluster_tracks_command(
    tracks: Annotated[
        Path,
        path_argument(
            metavar="TRACKS",
            help="Zip or folder of aligned crops, <track>/<frame>.jpg; with --film, boxes.",
        ),
    ],
    output: Output = None,
    film: Annotated[
        Path | None,
        path_option(help="The film of the boxes TRACKS: a folder, .csv, gt.txt or .xml."),
    ] = None,
    profile: Profile = "auto",
    detector: Detector = None,
    backbone: Backbone = None,
    device: Device = None,
    settings: Settings = None,
    config: ConfigFile = None,
    shots: Annotated[
        Path | None, path_option(help="CSV with track_id and shot, for crops.")
    ] = None,
    from_model: FromModel = None,
    library: KnownBy = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Group face tracks that you already have: aligned crops, or boxes and their film.

    Labels are never used.
    """
    from videoclusternet.doors import cluster_boxes, cluster_tracks
    from videoclusternet.errors import ConfigError

    if film is not None and shots is not None:
        raise ConfigError("--shots is for crops", "boxes say themselves who meets whom")
    chosen = _config(profile, detector, backbone, device, settings, config, from_model)
    with _hook(quiet, log_json) as hook:
        if film is None:
            result = cluster_tracks(tracks, output, chosen, hook, shots, library)
        else:
            result = cluster_boxes(film, tracks, output, chosen, hook, library)
    _tell_of(result, quiet, log_json)


@app.command()
def adapt(
    run: Annotated[Path, path_argument(metavar="RUN", help="A finished run folder.")],
    profile: Annotated[str, typer.Option(help="vcn, or paper (to the letter).")] = "vcn",
    device: Device = None,
    settings: Settings = None,
    config: ConfigFile = None,
    from_model: FromModel = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Let the face model of a finished run learn its faces, and find the cast anew.

    The film is not needed. A stopped training goes on after its last round. On several GPUs:

    torchrun --nproc-per-node 4 -m videoclusternet adapt RUN
    """
    from videoclusternet.errors import ConfigError
    from videoclusternet.pipeline import adapt_run, learns

    chosen = _config(profile, None, None, device, settings, config, from_model)
    if not learns(chosen):
        raise ConfigError("adapt.rounds=0: nothing would be learnt", "try --profile vcn")
    quiet = quiet or os.environ.get("RANK", "0") != "0"  # one of several processes speaks
    with _hook(quiet, log_json) as hook:
        result = adapt_run(run, chosen, hook)
    _tell_of(result, quiet, log_json)


@app.command()
def show(
    run: Annotated[Path, path_argument(metavar="RUN", help="A run folder.")],
    candidates: Annotated[
        bool, typer.Option("--candidates", help="The readings that were compared instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print the cast of a finished run: tracks, screen time, appearances, confidence."""
    from videoclusternet.result.result import open_run
    from videoclusternet.show import terminal

    result = open_run(run)
    told = terminal.print_candidates if candidates else terminal.print_cast
    told(result, as_json)


@app.command()
def demo(
    output: Annotated[
        Path | None, path_option("--output", "-o", help="Folder for film and run; else demo.")
    ] = None,
    opens: Annotated[bool, typer.Option("--open/--no-open", help="Show the page.")] = True,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Build a short film of two public-domain portraits and find its cast. No download."""
    from videoclusternet.cli.demo_film import build_demo
    from videoclusternet.config import Config
    from videoclusternet.doors import cluster_film

    folder = output or Path("demo")
    with _hook(quiet, log_json) as hook:
        film = build_demo(folder, hook)
        result = cluster_film([film], folder / "demo.vcn", Config(), hook)
    _tell_of(result, quiet, log_json)
    page = (result.folder / "cast.html").resolve()
    if opens and sys.stdout.isatty():
        typer.launch(page.as_uri())


@app.command()
def settings() -> None:
    """List every setting with its default and meaning."""
    from videoclusternet.show import terminal

    terminal.print_settings()


def _tell_of(result: Result, quiet: bool, log_json: bool) -> None:
    """Print the cast; when asked to be quiet, only what the films lack."""
    if not quiet:
        _print_cast(result.folder)
    elif not log_json:  # there it was a note
        from videoclusternet.show.hints import damage

        say(*(f"vcn: warning: {said}" for said in damage(result)), error=True)


def _print_cast(folder: Path) -> None:
    from videoclusternet.result.result import open_run
    from videoclusternet.show import terminal

    terminal.print_cast(open_run(folder), False)
    say("", f"page: {(folder / 'cast.html').resolve()}")


app.command()(cli_export.export)
app.command()(cli_export.report)
app.command()(cli_query.query)
app.command()(cli_render.render)
app.command()(corrections.review)
app.command()(corrections.recluster)
app.command()(corrections.why)
app.command()(cli_forget.forget)
cli_library.app.command()(cli_library_forget.forget)
app.add_typer(cli_batch.app, name="batch")
add_commands(app)
