"""``vcn render``: a copy of the film with names over boxes, or with faces blurred."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videoclusternet.cli.commands.export import Force
from videoclusternet.cli.options import LogJson, Quiet, path_argument, path_option
from videoclusternet.outside.text import say

Blur = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Blur the faces of this one, by name or number; repeat."),
]
BlurOthers = Annotated[
    bool, typer.Option("--blur-others", help="Blur every face that was found, but of --keep.")
]
Keep = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="With --blur-others: not the faces of this one; repeat."),
]
Sure = Annotated[
    float,
    typer.Option(min=0, max=1, help="With --blur-others: faces of no track that are so sure, too."),
]
Boxes = Annotated[bool, typer.Option("--boxes/--no-boxes", help="Names over boxes, or only blur.")]
Boxed = Annotated[
    bool, typer.Option("--unknown", help="Boxes without a name round the Unknown as well.")
]
Films = Annotated[
    list[Path] | None,
    path_option("--film", metavar="PATH", help="Where a film lies now; only this one; repeat."),
]
Font = Annotated[
    Path | None, path_option(metavar="FILE", help="TrueType or OpenType font for the names.")
]


def render(
    run: Annotated[Path, path_argument(metavar="RUN", help="A finished run folder.")],
    output: Annotated[
        Path, path_option("--output", "-o", metavar="FILE", help="Film to write: .mp4, .mov, .mkv.")
    ],
    blur: Blur = None,
    blur_others: BlurOthers = False,
    keep: Keep = None,
    sure: Sure = 0.5,
    boxes: Boxes = True,
    unknown: Boxed = False,
    film: Films = None,
    font: Font = None,
    force: Force = False,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Write a copy of the film with names over boxes, or with faces blurred.

    Sound, and the time of every picture, stay as they are. What nobody found is not blurred:
    look at the whole copy before you give it away.
    """
    from videoclusternet.cli.progress import reporting
    from videoclusternet.export.render.look import Look
    from videoclusternet.export.render.render import render as write
    from videoclusternet.result.result import open_run

    look = Look(
        boxes=boxes,
        unknown=unknown,
        blur=tuple(blur or ()),
        blur_others=blur_others,
        keep=tuple(keep or ()),
        sure=sure,
    )
    with reporting(quiet, log_json, "what was begun is gone, the films are as before") as hook:
        paths = write(open_run(run), output, look, film or (), font, force, hook)
    for path in paths:
        say(str(path))
