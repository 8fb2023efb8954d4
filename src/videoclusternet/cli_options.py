"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only errors.")]
LogJson = Annotated[bool, typer.Option("--log-json", help="Progress as JSON lines on stderr.")]
Rate = Annotated[
    str | None,
    typer.Option(
        "--fps",
        metavar="RATE",
        help="Frames per second of the film, such as 25 or 24000/1001: CVAT files do not say it.",
    ),
]
Names = Annotated[
    Path | None,
    typer.Option(help="For MOTChallenge: CSV with id and label. Else every id is a person."),
]
FilmFile = Annotated[
    Path | None,
    typer.Option("--film", metavar="FILM", help="Refuse boxes that do not fit this film."),
]
