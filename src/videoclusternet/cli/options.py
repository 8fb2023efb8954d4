"""What several commands share: options, and columns of text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from videoclusternet.errors import ConfigError, DataError
from videoclusternet.outside.text import printable

if TYPE_CHECKING:
    from fractions import Fraction


def path(text: str) -> Path:
    """Return the path that a word of the command line names.

    Raises
    ------
    BadParameter
        When it is empty, as a variable of the shell that is not set: that is not this folder.
    """
    if not text:
        raise typer.BadParameter("a path is empty; say . for this folder")
    return Path(text)


path_argument = partial(typer.Argument, parser=path, readable=False)
path_option = partial(typer.Option, parser=path, readable=False)
"""Of paths: that one cannot be read is said by its reader, with the exit code of its kind."""
Profile = Annotated[
    str,
    typer.Option(help="auto, instant, vcn (learns the film's faces), or paper (to the letter)."),
]
Detector = Annotated[
    str | None, typer.Option(help="mtcnn, yunet, retinaface, or NAME=FILE for your own copy.")
]
Backbone = Annotated[
    str | None, typer.Option(help="dlib, auraface, sface, ... (`vcn models`), or NAME=FILE.")
]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="STEP.KEY=VALUE", help="One setting; see `vcn settings`."),
]
ConfigFile = Annotated[Path | None, path_option("--config", help="Settings as a TOML file.")]
FromModel = Annotated[
    Path | None,
    path_option(metavar="RUN", help="Begin with the model that this run has adapted."),
]
KnownBy = Annotated[
    Path | None,
    path_option(
        "--library",
        metavar="FILE",
        help="Find people of this library, `default` for your own: see `vcn library`.",
    ),
]
Output = Annotated[Path | None, path_option("--output", "-o", help="Run folder to write.")]
LibraryFile = Annotated[
    Path | None,
    path_option(
        "--library", metavar="FILE", help="The library.", show_default="VCN_LIBRARY, or yours"
    ),
]
Seeds = Annotated[int, typer.Option(min=1, max=10_000, help="Number of seeds.")]
Jobs = Annotated[int, typer.Option(min=1, max=1024, help="Processes.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, only errors and warnings.")
]
LogJson = Annotated[bool, typer.Option("--log-json", help="Progress as JSON lines on stderr.")]
Rate = Annotated[
    str | None,
    typer.Option(
        "--fps",
        metavar="RATE",
        help="Frames per second of the film, such as 25 or 24000/1001: CVAT files do not say it.",
    ),
]
FramesPerSecond = Annotated[
    str | None,
    typer.Option(
        "--fps",
        metavar="RATE",
        help="Frames per second of pictures or of a stream without time: 24, 24000/1001.",
    ),
]
Names = Annotated[
    Path | None,
    path_option(help="For MOTChallenge: CSV with id and label. Else every id is a person."),
]
FilmFile = Annotated[
    Path | None,
    path_option("--film", metavar="FILM", help="Refuse boxes that do not fit this film."),
]


class RunByDefault(TyperGroup):
    """A group whose command ``run`` needs no name: ``vcn bench DATASET``, ``vcn batch FOLDER``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the command where none is named."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


def read_fps(text: str | None) -> Fraction | None:
    """Read the rate after ``--fps``, frames/s; None where it was not given.

    Raises
    ------
    ConfigError
        When it is no rate: a wrong argument, where the same text in a file is wrong data.
    """
    from videoclusternet.annotations.fields import rate

    try:
        return None if text is None else rate(text, "--fps", "the rate")
    except DataError as error:
        raise ConfigError(error.message, error.advice) from None


def print_rows(rows: Sequence[Sequence[str]], left: int | None = None) -> None:
    """Print columns, the first ``left`` of them (else all) flush left, the others right."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if left is None or i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
