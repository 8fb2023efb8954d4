"""``vcn export`` and ``vcn report``: what leaves a run, for programs and for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.options import path_argument, path_option
from videoclusternet.outside.text import say

if TYPE_CHECKING:
    from videoclusternet.export.formats import Format
    from videoclusternet.export.sheet import Sheet

Characters = Annotated[
    list[str] | None,
    typer.Option("--character", metavar="NAME", help="Only this one, by name or number; repeat."),
]
MinSeconds = Annotated[
    float, typer.Option("--min-seconds", min=0, help="Leave out appearances that are shorter.")
]
Gap = Annotated[
    float,
    typer.Option("--gap", min=0, max=86400, help="Join appearances no more than so many s apart."),
]
Handles = Annotated[
    float, typer.Option("--handles", min=0, max=86400, help="Seconds before and after each select.")
]
StartTimecode = Annotated[
    str, typer.Option("--start-timecode", help="Of the first picture, such as 01:00:00:00.")
]
Boxes = Annotated[
    str, typer.Option("--boxes", help="Of faces: detections, or frames: those between as well.")
]
MOST = 5
"""Files of an earlier export, and names that cannot be written, that are told."""
Force = Annotated[bool, typer.Option("--force", help="Take the place of what is there.")]


def _list(wanted: bool) -> None:
    if wanted:
        from videoclusternet.export.formats import FORMATS
        from videoclusternet.show.terminal import print_table, table_of

        table = table_of("format", "ending", "for", left=3)
        for one in FORMATS:
            table.add_row(one.name, one.suffix or "a folder", one.what)
        print_table(table)
        raise typer.Exit


def export(
    run: Annotated[Path, path_argument(metavar="RUN", help="A finished run folder.")],
    to: Annotated[Path, path_option("--to", metavar="FILE", help="File, or folder, to write.")],
    format: Annotated[
        str | None, typer.Option("--format", help="Where the ending of FILE does not say it.")
    ] = None,
    character: Characters = None,
    min_seconds: MinSeconds = 0.0,
    gap: Gap = 0.0,
    handles: Handles = 0.0,
    unknown: Annotated[bool, typer.Option("--unknown", help="The Unknown as well.")] = False,
    start_timecode: StartTimecode = "",
    boxes: Boxes = "detections",
    force: Force = False,
    show_list: Annotated[
        bool,
        typer.Option("--list", callback=_list, is_eager=True, help="List all formats."),
    ] = False,
) -> None:
    """Write who is on screen for editing programs, spreadsheets, players and trackers.

    The format follows from the ending of FILE: cast.otio, cast.edl, cast.csv, cast.srt.
    Times are exact: frames of the film, from the start timecode that its file names.
    """
    from videoclusternet.export.formats import find_format
    from videoclusternet.export.sheet import Choice, cast_sheet
    from videoclusternet.export.write import export as write
    from videoclusternet.export.write import left_over
    from videoclusternet.result.result import open_run

    chosen = Choice(
        characters=tuple(character or ()),
        unknown=unknown,
        min_seconds=min_seconds,
        gap=gap,
        handles=handles,
        start_timecode=start_timecode,
        boxes=boxes,
    )
    sheet = cast_sheet(open_run(run), chosen)
    made = write(sheet, to, format, force)
    tell_of_files(sheet, made)
    tell_of_letters(sheet, find_format(to, format))
    if force and to.is_file() and (old := left_over(to, made)):
        names = _some([one.name for one in old])
        say(f"vcn: note: left from an earlier export, it seems: {names}", error=True)


def tell_of_letters(sheet: Sheet, format: Format) -> None:
    """Say whose names the font of pictures cannot write, where names are drawn."""
    from videoclusternet.export.lettering import unlettered

    if format.letters and (names := unlettered(dict.fromkeys(one.name for one in sheet.players))):
        said = "DejaVu Sans lacks letters of these names, which are empty boxes or gaps"
        say(f"vcn: warning: {said}: {_some(names)}", error=True)


def _some(names: Sequence[str]) -> str:
    more = "" if len(names) <= MOST else f" and {len(names) - MOST} more"
    return ", ".join(names[:MOST]) + more


def report(
    run: Annotated[Path, path_argument(metavar="RUN", help="A finished run folder.")],
    output: Annotated[
        Path | None, path_option("--output", "-o", help="Page to write; else RUN/report.html.")
    ] = None,
    force: Force = False,
    opens: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
) -> None:
    """Write a page that prints: who is on screen when and with whom, how sure, how it was made.

    All is in the one file, pictures too: it can be sent, and asks nobody for anything.
    """
    from videoclusternet.export.write import refuse
    from videoclusternet.report.page import PAGE, write_report
    from videoclusternet.result.result import open_run

    own, found = run / PAGE, open_run(run)
    if output is not None and output.absolute() != own.absolute():
        refuse(
            output, force, filter(None, (film.where(run.resolve().parent) for film in found.films))
        )
    page = write_report(found, output or own).resolve()
    say(str(page))
    if opens:
        typer.launch(page.as_uri())


def tell_of_files(sheet: Sheet, paths: list[Path]) -> None:
    """Say what was written."""
    from videoclusternet.show.words import several

    say(*map(str, paths))
    tell_of_doubts(sheet)
    if not sheet.appearances:
        say("vcn: warning: nobody is on it", error=True)
    else:
        count = several(len(sheet.appearances), "appearance")
        say(f"{count} of {several(len(sheet.players), 'character')}", error=True)


def tell_of_doubts(sheet: Sheet) -> None:
    """Say what is not exact about times."""
    say(*(f"vcn: note: {said}" for reel in sheet.reels for said in reel.doubts), error=True)
