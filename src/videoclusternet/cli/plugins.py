"""Commands of other packages: the laboratory's, and anyone's.

A package adds a command to ``vcn`` by an entry point of the group ``videoclusternet.commands``:

    [project.entry-points."videoclusternet.commands"]
    bench = "videoclusternet_bench.cli.bench:app"

The object is a function with Typer's annotations, or a ``typer.Typer`` of several commands.
It is imported for every ``vcn --help``: what is heavy belongs inside the function.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

import typer

from videoclusternet.outside.text import say

GROUP = "videoclusternet.commands"


def add_commands(app: typer.Typer) -> None:
    """Add the commands of all installed packages, in the order of their names.

    One that cannot be imported is left out with a line on standard error: the others work.
    """
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        _add(app, point)


def _add(app: typer.Typer, point: EntryPoint) -> None:
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        say(f"vcn: no command {point.name!r} from {point.value}: {error}", error=True)
        return
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=point.name)
    else:
        app.command(point.name)(found)
