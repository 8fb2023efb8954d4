"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Profile = Annotated[
    str,
    typer.Option(help="auto, instant, vcn (learns the film's faces), or paper (to the letter)."),
]
Detector = Annotated[
    str | None, typer.Option(help="mtcnn, yunet, retinaface, or NAME=FILE for your own copy.")
]
Backbone = Annotated[
    str | None, typer.Option(help="dlib, edgeface-xs, ... (`vcn models`), or NAME=FILE.")
]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="STEP.KEY=VALUE", help="One setting; see `vcn settings`."),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings as a TOML file.")]
FromModel = Annotated[
    Path | None,
    typer.Option(metavar="RUN", help="Begin with the model that this run has adapted."),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Run folder to write.")]
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
