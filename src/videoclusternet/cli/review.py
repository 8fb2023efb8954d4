"""``vcn review``: a page to look at a finished run, and to correct it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from videoclusternet.cli.options import path_argument
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
