"""``vcn review`` and ``vcn report``: pages to look at a finished run, to correct and to print."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from videoclusternet.cli.options import path_argument, path_option
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
    from videoclusternet.review.web.serve import opened, review

    def ready(address: str) -> None:
        say(f"review: {address}", "Ctrl-C ends it")
        if opens:
            opened(typer.launch, address)

    review(run, port, author, ready, partial(say, error=True))


def report(
    run: Annotated[Path, path_argument(metavar="RUN", help="A finished run folder.")],
    output: Annotated[
        Path | None, path_option("--output", "-o", help="Page to write; else RUN/report.html.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take the place of what is there.")
    ] = False,
    opens: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
) -> None:
    """Write a page that prints: who is on screen when and with whom, how sure, how it was made.

    All is in the one file, pictures too: it can be sent, and asks nobody for anything.
    """
    from videoclusternet.export.write import refuse
    from videoclusternet.report.page import PAGE, write_report
    from videoclusternet.result.result import open_run

    own = run / PAGE
    if output is not None and output.absolute() != own.absolute():
        refuse(output, force)
    page = write_report(open_run(run), output or own).resolve()
    say(str(page))
    if opens:
        typer.launch(page.as_uri())
