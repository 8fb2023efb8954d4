"""``vcn bench`` and ``vcn ablate``: compare methods, and variants of ours, on identical tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from videoclusternet.cli.options import (
    Jobs,
    LogJson,
    Quiet,
    RunByDefault,
    Seeds,
    Settings,
    path_argument,
    path_option,
    print_rows,
)
from videoclusternet.outside.text import say

app = typer.Typer(cls=RunByDefault, no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Compare methods on identical tracks: vcn bench DATASET..., then report."""


@app.command()
def run(
    datasets: Annotated[
        list[Path],
        path_argument(
            metavar="DATASET...",
            help="Folders of NAME.zip (crops) or NAME.npz (features) with NAME_tracks.csv, or of "
            "a film with its truth or with labelled boxes; or folders of such folders.",
        ),
    ],
    output: Annotated[Path, path_option("--output", "-o", help="Folder of the bench.")] = Path(
        "bench"
    ),
    methods: Annotated[
        str,
        typer.Option(
            help="Names with commas; hac=0.3 for a threshold, paper=head, bcl=FILE; fast, or all."
        ),
    ] = "fast",
    backbones: Annotated[str, typer.Option(help="Names with commas.")] = "dlib",
    seeds: Seeds = 1,
    combine: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Cluster all sets jointly, as one set of this name."),
    ] = None,
    jobs: Jobs = 1,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Run methods on labelled sets. The same command goes on where a stopped one ended.

    All methods get the same tracks and embeddings. What one is told besides stands in the
    table. `vcn bench methods` lists them.
    """
    from videoclusternet.cli.progress import reporting
    from videoclusternet_bench.compare import compare
    from videoclusternet_bench.data.sets import combined, labelled_sets
    from videoclusternet_bench.methods.registry import chosen_methods

    sets = [one for path in datasets for one in labelled_sets(path)]
    if combine is not None:
        sets = [combined(sets, combine)]
    chosen = chosen_methods(methods)
    with reporting(quiet, log_json) as hook:
        rows = compare(sets, chosen, backbones.split(","), seeds, output, jobs, hook)
    _print_comparison(rows, output)


@app.command("methods")
def list_methods() -> None:
    """List the methods, and what each must be told."""
    from videoclusternet_bench.methods.registry import METHODS

    for method in METHODS.values():
        sees = "" if method.sees == "embeddings" else f", sees {method.sees}"
        trains = ", trains" if method.trains else ""
        print(f"{method.name:18} {method.title}: told {method.needs}{sees}{trains}")


@app.command()
def report(
    folder: Annotated[Path, path_argument(metavar="FOLDER", help="Of a finished bench.")],
) -> None:
    """Write the tables of a finished bench again, as Markdown, LaTeX and HTML."""
    from videoclusternet_bench.tables.comparison import read_comparison

    _print_comparison(read_comparison(folder), folder)


def _print_comparison(rows: list[dict[str, Any]], folder: Path) -> None:
    """Write the report, and print what most people want to know of it."""
    from videoclusternet_bench.tables.comparison import summaries, write_comparison

    page = write_comparison(rows, folder)
    for grid in summaries(rows):
        say(grid.title)
        print_rows([grid.header, *grid.rows], left=2)
        print()
    say(f"page: {page}")


@app.command()
def pictures(
    folder: Annotated[
        Path, path_argument(metavar="FOLDER", help="Of a finished bench; with --truth, a run.")
    ],
    output: Annotated[
        Path | None, path_option("--output", "-o", help="Default: pictures, in FOLDER.")
    ] = None,
    methods: Annotated[
        str | None, typer.Option(help="Names with commas, as in the results; else all.")
    ] = None,
    sets: Annotated[str | None, typer.Option(help="Names of sets with commas; else all.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=9999, help="One of the seeds.")] = 0,
    truth: Annotated[
        list[Path] | None,
        path_option(help="Of a run: as for `vcn score`; repeatable, one for each film."),
    ] = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Draw what was found beside what is true, as SVG and PNG and as one page.

    t-SNE, who is taken for whom, hard cases, every wrong track with the reason, and accuracy
    round by round where a model has learnt.
    """
    from videoclusternet.cli.progress import reporting
    from videoclusternet.errors import ConfigError
    from videoclusternet_bench.pictures.page import write_pictures
    from videoclusternet_bench.pictures.shown import of_bench, of_run

    if truth and (methods or sets):
        raise ConfigError("a run has no --methods and --sets", "leave them out with --truth")
    if truth:
        shown = [of_run(folder, truth)]
    else:
        shown = of_bench(folder, _names(methods), seed, _names(sets))
    with reporting(quiet, log_json) as hook:
        say(write_pictures(shown, output or folder / "pictures", hook))


@app.command()
def review(
    runs: Annotated[list[Path], path_argument(metavar="RUN...", help="Finished run folders.")],
    truth: Annotated[
        list[Path], path_option(help="Of each run in their order, as for `vcn score`; repeatable.")
    ],
    seeds: Seeds = 3,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Count the clicks of a review: a simulated person answers the queue by the labels.

    Against going through the characters by size, and against random order; then how good the
    characters are after ten corrections, and when they are found anew. No run is changed.
    """
    from videoclusternet.cli.progress import reporting
    from videoclusternet.errors import ConfigError
    from videoclusternet.events import Event
    from videoclusternet_bench.reviewing import over_runs
    from videoclusternet_bench.tables.reviews import print_reviews

    if len(truth) != len(runs):
        raise ConfigError(
            f"{len(runs)} runs and {len(truth)} truths", "give --truth once for each run"
        )
    with reporting(quiet, log_json) as hook:
        hook(Event("start", "review", unit="runs"))
        pairs = list(zip(runs, truth, strict=True))
        found = over_runs(
            pairs, seeds, lambda done, of: hook(Event("progress", "review", done, of, "runs"))
        )
        hook(Event("done", "review", unit="runs"))
    print_reviews(found)


@app.command()
def series(
    runs: Annotated[list[Path], path_argument(metavar="RUN...", help="Finished run folders.")],
    truth: Annotated[
        list[Path], path_option(help="Of each run in their order, as for `vcn score`; repeatable.")
    ],
    seeds: Seeds = 6,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Cut each run into two episodes and find the people of the first in the second.

    By a library of those whom a person would have named; a third of the people nobody names.
    Beside the nearest exemplar with the best threshold. No run is changed.
    """
    from videoclusternet.cli.progress import reporting
    from videoclusternet.errors import ConfigError
    from videoclusternet.events import Event
    from videoclusternet_bench.series import over_runs
    from videoclusternet_bench.tables.series import print_series

    if len(truth) != len(runs):
        raise ConfigError(
            f"{len(runs)} runs and {len(truth)} truths", "give --truth once for each run"
        )
    with reporting(quiet, log_json) as hook:
        hook(Event("start", "series", unit="runs"))
        pairs = list(zip(runs, truth, strict=True))
        found = over_runs(
            pairs, seeds, lambda done, of: hook(Event("progress", "series", done, of, "runs"))
        )
        hook(Event("done", "series", unit="runs"))
    print_series(found, as_json)


def ablate(
    dataset: Annotated[
        Path | None,
        path_argument(
            metavar="DATASET",
            help="Folder of NAME.zip with NAME_tracks.csv, or of a film with its truth.",
        ),
    ] = None,
    output: Annotated[Path, path_option("--output", "-o", help="Folder of the study.")] = Path(
        "study"
    ),
    studies: Annotated[
        str, typer.Option(help="Names with commas, or all; --list shows them.")
    ] = "profiles",
    backbones: Annotated[str, typer.Option(help="Names with commas.")] = "dlib",
    seeds: Seeds = 1,
    jobs: Jobs = 1,
    settings: Settings = None,
    shown: Annotated[
        bool, typer.Option("--list", help="List the studies and stop; so without DATASET.")
    ] = False,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Compare variants of the method on labelled tracks: CSV, Markdown and plots.

    Labels only judge; no run sees them. The same command goes on where a stopped one ended.
    """
    from videoclusternet.cli.progress import reporting
    from videoclusternet_bench.ablate import run_studies
    from videoclusternet_bench.data.sets import labelled_sets
    from videoclusternet_bench.studies import STUDIES
    from videoclusternet_bench.tables.studies import write_study

    if shown or dataset is None:
        for study in STUDIES.values():
            print(f"{study.name:14} {study.title}: {len(study.variants)} variants")
        return
    names = list(STUDIES) if studies == "all" else studies.split(",")
    with reporting(quiet, log_json) as hook:
        rows = run_studies(
            labelled_sets(dataset), names, backbones.split(","), seeds, output, settings or (),
            jobs, hook,
        )  # fmt: skip
        say(write_study(rows, output))


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in text.split(",")] if text else []
