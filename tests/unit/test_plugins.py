"""Commands of other packages reach ``vcn``; a broken one stops none of the others."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from videoclusternet.cli import plugins
from videoclusternet.cli.plugins import GROUP, add_commands

several = typer.Typer()


@several.command()
def one() -> None:
    """One of several."""
    print("one of several")


@several.command()
def two() -> None:
    """Another."""


def double(number: Annotated[int, typer.Argument(help="A number.")]) -> None:
    """Double a number."""
    print(2 * number)


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


POINTS = [
    point("twice", f"{__name__}:double"),
    point("some", f"{__name__}:several"),
    point("gone", "no_such_package.cli:app"),
    point("nameless", f"{__name__}:not_there"),
]


def test_functions_and_groups_are_added_and_what_is_broken_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: POINTS if group == GROUP else [])
    app = typer.Typer()
    add_commands(app)
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(" from ")[0] for line in told] == [
        "vcn: no command 'gone'",
        "vcn: no command 'nameless'",
    ]
    run = CliRunner().invoke
    assert run(app, ["twice", "21"]).output == "42\n"
    assert run(app, ["some", "one"]).output == "one of several\n"
    assert "Double a number." in run(app, ["--help"]).output


def test_the_laboratory_comes_in_by_this_door() -> None:
    from videoclusternet.cli.main import app

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {"bench", "ablate", "dataset", "score"} <= set(commands)
