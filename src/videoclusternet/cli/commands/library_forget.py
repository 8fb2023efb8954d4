"""``vcn library forget``: take a person out of a library and out of its runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.commands.forget import DryRun, Yes, agreed
from videoclusternet.cli.commands.library_files import Json, opened
from videoclusternet.cli.options import LibraryFile, path_option
from videoclusternet.outside.text import say

if TYPE_CHECKING:
    from videoclusternet.library.forgetting import Left, Plan


def forget(
    person: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A name, or a key.", show_default=False)
    ] = "",
    runs: Annotated[
        list[Path] | None,
        path_option("--runs", metavar="FOLDER", help="Look through the run folders in it, too."),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Only go on where a run could not be reached.")
    ] = False,
    gone: Annotated[
        list[Path] | None,
        path_option("--gone", metavar="RUN", help="With --resume: this run is no more."),
    ] = None,
    library: LibraryFile = None,
    as_json: Json = False,
) -> None:
    """Forget a person for good: here, and in the run folders that they were added from.

    Embeddings, pictures and name are then in none of these files; that somebody was forgotten
    stays on record. A run that cannot be reached or is in use is listed, and --resume goes on
    with it, or with --gone takes it off the list. Runs that the person was only recognised in are
    in no list: say --runs, where those of the same name count as well. It cannot be taken back.
    """
    from videoclusternet.errors import ConfigError, LibraryError
    from videoclusternet.show.terminal import print_json

    if resume == bool(person) or (resume and runs) or (gone and not resume):
        raise ConfigError("whom to forget is not said", "give a NAME, or --resume alone")
    with opened(library, write=not dry_run, goes_on=False) as of:
        plan = None if resume else of.what_goes(person, runs or ())
        if plan is not None and not as_json:
            say(*_goes(plan))
        if dry_run:
            left = []
        elif plan is None:
            left = of.resume(gone or ())
        else:
            agreed(f"Forget {plan.name} for good?", yes)
            plan, left = of.forget(plan.key, plan, runs or ())
        path = of.path
    if as_json:
        print_json(_forgotten(plan, left, not dry_run))
    elif not dry_run:
        say(*(f"left: {one.folder or path}: {one.problem}" for one in left), error=True)
        if not left:
            say("forgotten; out of reach: films, exports and copies elsewhere, backups")
    if left:
        raise LibraryError(
            "somebody is forgotten in part: see what is left",
            "`vcn library forget --resume` goes on with it",
        )


def _goes(plan: Plan) -> Iterator[str]:
    from videoclusternet.cli.commands.forget import what_goes
    from videoclusternet.show.words import several

    held = several(plan.exemplars, "exemplar"), several(plan.pictures, "picture")
    yield f"{plan.name}: {', '.join(held)} of the library"
    for run in plan.runs:
        if run.problem:
            yield f"{run.folder}: cannot be looked into: {run.problem}"
        for found in run.went:
            yield from (f"{run.folder}: {line}" for line in what_goes(found))
        if not run.problem and not run.went:
            yield f"{run.folder}: holds nobody of that name any more"


def _forgotten(plan: Plan | None, left: list[Left], done: bool) -> dict[str, object]:
    from dataclasses import asdict

    runs = () if plan is None else plan.runs
    return {
        "key": plan.key if plan else "",
        "exemplars": plan.exemplars if plan else 0,
        "pictures": plan.pictures if plan else 0,
        "runs": [
            {
                "run": str(run.folder),
                "problem": run.problem,
                "characters": [asdict(found) for found in run.went],
            }
            for run in runs
        ],
        "left": [
            {"key": one.key, "run": str(one.folder or ""), "problem": one.problem} for one in left
        ],
        "done": done,
    }
