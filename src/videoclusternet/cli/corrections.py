"""``vcn why`` and ``vcn recluster``: what made tracks one, and a clustering that follows people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videoclusternet.cli.edit import refresh_page, tell_of_change
from videoclusternet.cli.options import LogJson, Quiet, path_argument, path_option
from videoclusternet.outside.text import say


def why(
    run: Annotated[Path, path_argument(metavar="RUN", help="A finished run folder.")],
    one: Annotated[int, typer.Argument(metavar="TRACK", min=0, help="Number of a track.")],
    other: Annotated[int, typer.Argument(metavar="TRACK", min=0, help="Of another one.")],
    output: Annotated[
        Path | None, path_option("--output", "-o", help="Write a page with their pictures.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say why two tracks are one person, or two: the merges between them, the weakest first.

    The page shows the two tracks, and the two that speak for each merge, side by side.
    """
    from videoclusternet.result.result import open_run
    from videoclusternet.review.why import why as explain
    from videoclusternet.review.why_page import as_dict, write_why
    from videoclusternet.review.why_words import sentences
    from videoclusternet.show.terminal import print_json

    result = open_run(run)
    found = explain(result, one, other)
    if as_json:
        print_json(as_dict(found))
    else:
        say(*sentences(result, found))
    if output is not None:
        say(f"page: {write_why(result, found, output).resolve()}", error=as_json)


def recluster(
    run: Annotated[Path, path_argument(metavar="RUN", help="A finished run folder.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be otherwise.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Find the characters anew, with all that people said held to; film and pictures not needed.

    Characters stay together as you see them; tracks that were denied find another place, and
    characters join that have come near enough. `vcn edit RUN undo` takes it back.
    """
    from videoclusternet.cli.progress import reporting
    from videoclusternet.result.result import open_run
    from videoclusternet.review.recluster import propose

    result = open_run(run)
    with reporting(quiet, log_json) as hook:
        found = propose(result, hook)
    if found.difference and not dry_run:
        result.edits.regroup(found.placed, found.cast, found.merges)
        refresh_page(result)
    tell_of_change(result, found.difference, as_json)
