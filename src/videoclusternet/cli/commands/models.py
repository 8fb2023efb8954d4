"""``vcn models``: the face detectors and face-ID models."""

from __future__ import annotations

from typing import Annotated

import typer

from videoclusternet.cli.options import Quiet
from videoclusternet.outside.text import say

app = typer.Typer(help="The face detectors and face-ID models.", no_args_is_help=False)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A name from `vcn models`.")]


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with all details.")] = False,
) -> None:
    """List the models: size of the file, commercial use, licence. Show, verify or fetch them."""
    if context.invoked_subcommand is None:
        from videoclusternet.show import model_table

        model_table.print_models(as_json)


@app.command()
def show(name: Name) -> None:
    """Print all that is known of one model: licence, source, hash, where its file lies."""
    from videoclusternet.show import model_table

    model_table.print_model(name)


@app.command()
def verify() -> None:
    """Check the sha256 of every model file that is present."""
    from videoclusternet.errors import ModelError
    from videoclusternet.show import model_table

    if not model_table.verify_models():
        raise ModelError("a file is not what it should be", "see the lines that say WRONG")


@app.command()
def pull(name: Name, quiet: Quiet = False) -> None:
    """Fetch a model into the cache folder, with resume and a sha256 check."""
    from videoclusternet.cli.progress import reporting
    from videoclusternet.models.fetch import pull as fetch

    with reporting(quiet, False) as hook:
        for path in fetch(name, hook):
            say(path)
