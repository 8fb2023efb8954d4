"""``vcn forget``: take a person out of a run folder."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.options import path_argument
from videoclusternet.outside.text import json_line, say

if TYPE_CHECKING:
    from videoclusternet.forget.run import Forgotten

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")]
Author = Annotated[str, typer.Option("--author", help="Who says so.", show_default="your name")]


def forget(
    run: Annotated[Path, path_argument(metavar="RUN", help="A finished run folder.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name or number of a character.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    author: Author = "",
    as_json: Annotated[bool, typer.Option("--json", help="What went, as JSON.")] = False,
) -> None:
    """Forget a person: their embeddings, pictures and name leave the run folder for good.

    Boxes and times of their tracks stay, as Unknown. What the face model learnt from this film goes
    as well, and what was decided before cannot be undone any more. The film itself, copies and
    exports are out of reach. It cannot be taken back.
    """
    from videoclusternet.forget.run import forget as forget_in
    from videoclusternet.forget.run import looked_up
    from videoclusternet.result.result import open_run

    found = looked_up(open_run(run), name)
    if not as_json:
        say(*what_goes(found))
    if not dry_run:
        agreed(f"Forget {found.label} in {run} for good?", yes)
        found = forget_in(run, name, author, found)
    if as_json:
        print(json_line({**asdict(found), "done": not dry_run}))
    elif not dry_run:
        say(f"forgotten in {run}", *beyond(found))


def agreed(question: str, yes: bool) -> None:
    """Ask, unless that was answered before.

    Raises
    ------
    ConfigError
        When nobody can answer, or the answer is no.
    """
    from videoclusternet.errors import ConfigError
    from videoclusternet.outside.text import printable

    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError("nobody is there to ask: nothing was forgotten", "say --yes")
    if not typer.confirm(printable(question)):
        raise ConfigError("nothing was forgotten", "")


def what_goes(found: Forgotten) -> list[str]:
    """Say in lines what goes."""
    from videoclusternet.show.words import several

    counts = [
        several(found.tracks, "track"),
        several(found.pictures, "picture"),
        several(found.embeddings, "embedding"),
        several(found.views, "view"),
    ]
    lines = [f"{found.label}: {', '.join(counts)}"]
    if found.removed:
        lines.append(f"deleted, for it may show anybody: {', '.join(found.removed)}")
    return lines


def beyond(found: Forgotten) -> list[str]:
    """Say in lines what is out of reach, and how to go on."""
    lines = []
    if found.learnt:
        lines.append("what the face model had learnt is gone: `vcn adapt` learns from the others")
    if found.others:
        lines.append(f"not of the run, look yourself: {', '.join(found.others)}")
    films = f", {', '.join(found.films)}" if found.films else ""
    lines.append(f"out of reach: exports and copies elsewhere, backups{films or ', the film'}")
    return lines
