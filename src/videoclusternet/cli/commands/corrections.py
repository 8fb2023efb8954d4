"""``vcn review``, ``why``, ``recluster``: look, ask why, and find the cast anew as people said."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from videoclusternet.cli.commands.edit import refresh_page, tell_of_change
from videoclusternet.cli.options import KnownBy, LogJson, Quiet, path_argument, path_option
from videoclusternet.outside.text import say


def review(
    run: Annotated[Path, path_argument(metavar="RUN", help="A finished run folder.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of 127.0.0.1; 0 is a free one.")] = 0,
    opens: Annotated[bool, typer.Option("--open/--no-open", help="Show it in a browser.")] = True,
    author: Annotated[
        str, typer.Option("--author", help="Who decides.", show_default="your name")
    ] = "",
) -> None:
    """Look at a finished run in a browser, and correct it: names, merges, moves, with undo.

    The page is served on this machine alone, until Ctrl-C. Every decision is on disk when the
    page shows it; see `vcn edit` for the same from the command line.
    """
    from videoclusternet.review.web.serve import opened
    from videoclusternet.review.web.serve import review as serve

    def ready(address: str) -> None:
        say(f"review: {address}", "Ctrl-C ends it")
        if opens:
            opened(typer.launch, address)

    serve(run, port, author, ready, partial(say, error=True))


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
    library: KnownBy = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Find the characters anew, with all that people said held to; film and pictures not needed.

    Characters stay together as you see them; tracks that were denied find another place, and
    characters join that have come near enough. `vcn edit RUN undo` takes it back.
    """
    from videoclusternet.cli.progress import reporting
    from videoclusternet.library.meeting import told
    from videoclusternet.result.result import open_run
    from videoclusternet.review.recluster import accept, foreseen, propose

    result = open_run(run)
    with reporting(quiet, log_json) as hook:
        found = propose(result, hook, library)
    known = foreseen(result, found) if dry_run else accept(result, found, library)
    if (found.difference or known) and not dry_run:
        refresh_page(result)
    if library is not None:
        say(f"{'to be ' if dry_run else ''}{told(result, known, found.people)}", error=as_json)
    tell_of_change(result, found.difference, as_json)
