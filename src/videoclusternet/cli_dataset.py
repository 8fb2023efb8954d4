"""``vcn dataset``: look at labelled data sets, and bring them into one form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from videoclusternet.errors import ConfigError

if TYPE_CHECKING:
    from videoclusternet.bench.boxes import LabelledBoxes
    from videoclusternet.bench.ids import Count

app = typer.Typer(no_args_is_help=True)

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


@app.callback()
def dataset() -> None:
    """Look at labelled data sets: count, check, convert. Nothing here needs a model."""


@app.command()
def ids(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Label files such as bbt_s01e01.ids, or one.")
    ],
    labels: Annotated[
        str,
        typer.Option(
            help="Who is counted: named (the paper's way), or all, each unknown_* as a person."
        ),
    ] = "named",
    alias: Annotated[
        list[str] | None,
        typer.Option(metavar="A=B", help="Count label A as B, such as xander2=xander; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Count tracks and people of BBT and Buffy label files beside the paper's numbers.

    Below the table stands where the two differ, and how far the files explain it.
    """
    from videoclusternet.bench.ids import check_protocol, count_labels, differences, parse_aliases

    protocol = check_protocol(labels)
    aliases = parse_aliases(alias or ())
    episodes, seasons = count_labels(folder, protocol, aliases)
    said = differences([*episodes, *seasons])
    if as_json:
        inner = {
            "labels": protocol,
            "aliases": aliases,
            "episodes": [_as_dict(count) for count in episodes],
            "seasons": [_as_dict(count) for count in seasons],
            "differences": said,
        }
        print(json.dumps(inner, ensure_ascii=False))
        return
    _print_counts(episodes, seasons)
    if said:
        print("\n" + "\n".join(said))


@app.command()
def check(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="A data set of any form: its folder, .csv, gt.txt, .xml or .ids."
        ),
    ],
    fps: Rate = None,
    names: Names = None,
    film: FilmFile = None,
) -> None:
    """Say what a data set holds, or refuse it with file, line and reason."""
    from videoclusternet.bench.box_forms import TITLES, find_form

    if path.suffix == ".ids":
        _print_labels(path)
        return
    boxes = _read(path, fps, names, film)
    form, file = find_form(path)
    facts = boxes.film
    length = "not said" if facts.frames is None else f"{facts.frames} frames"
    _print_rows(
        [
            ("form", TITLES[form]),
            ("file", str(file)),
            ("video", facts.video),
            ("frames/s", f"{float(facts.fps):.6g}"),
            ("frame", f"{facts.width}x{facts.height} px"),
            ("length", length),
            ("tracks", str(len(boxes.tracks))),
            ("people", str(boxes.people)),
            ("boxes", str(len(boxes.box))),
            ("seconds per track", f"{boxes.seconds.mean():.3f}"),
        ]
    )


@app.command()
def convert(
    path: Annotated[Path, typer.Argument(metavar="IN", help="A data set of any form with boxes.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="New folder to write.")],
    fps: Rate = None,
    names: Names = None,
    film: FilmFile = None,
) -> None:
    """Write a data set in our CSV form: tracks.csv and dataset.json.

    `vcn score RUN OUT` then compares a run over the same film with it.
    """
    from videoclusternet.bench.boxes import write_tracks_csv

    boxes = _read(path, fps, names, film)
    write_tracks_csv(boxes, output)
    print(f"{output}: {len(boxes.tracks)} tracks, {boxes.people} people, {len(boxes.box)} boxes")


def _read(path: Path, fps: str | None, names: Path | None, film: Path | None) -> LabelledBoxes:
    """Read boxes, and hold them against what the user says of the film."""
    from videoclusternet.bench.box_forms import read_boxes
    from videoclusternet.bench.fields import rate
    from videoclusternet.errors import DataError

    try:
        given = None if fps is None else rate(fps, "--fps", "the rate")
    except DataError as error:  # a wrong argument, not a wrong file
        raise ConfigError(error.message, error.advice) from None
    if film is None:
        boxes = read_boxes(path, given, names)
    else:
        from videoclusternet.video import open_video

        info = open_video(film)
        boxes = read_boxes(path, given or info.fps, names)
        boxes.check_against(info.fps, info.frames, info.width, info.height)
    if given is not None:
        boxes.check_against(given)
    return boxes


def _as_dict(count: Count) -> dict[str, Any]:
    paper = count.paper
    return {
        "name": count.name,
        "tracks_all": count.tracks,
        "tracks_named": count.named,
        "tracks": count.counted,
        "people": count.people,
        "unknown": count.unknown,
        "paper_tracks": None if paper is None else paper.tracks,
        "paper_people": None if paper is None else paper.people,
        "tracks_of": count.labels,
    }


def _print_counts(episodes: Sequence[Count], seasons: Sequence[Count]) -> None:
    header = ("", "tracks", "named", "paper", "people", "paper")
    rows = [
        (
            count.name,
            str(count.tracks),
            str(count.named),
            "" if count.paper is None else str(count.paper.tracks),
            str(count.people),
            "" if count.paper is None or count.paper.people is None else str(count.paper.people),
        )
        for count in (*episodes, *seasons)
    ]
    _print_rows([header, *rows], right=True)
    known = [count for count in episodes if count.paper is not None]
    same = sum(count.paper is not None and count.named == count.paper.tracks for count in known)
    if known:
        print(f"\nnamed tracks as many as in the paper: {same} of {len(known)} episodes")


def _print_labels(path: Path) -> None:
    """Say what a label file holds."""
    from videoclusternet.bench.ids import is_named, read_ids

    labels = read_ids(path, "all").labels
    named = [label for label in labels if is_named(label)]
    _print_rows(
        [
            ("form", "labels of tracks (.ids), without boxes"),
            ("tracks", f"{len(labels)}, {len(named)} of them named"),
            ("people", f"{len(set(labels))}, {len(set(named))} of them named"),
        ]
    )


def _print_rows(rows: Sequence[Sequence[str]], right: bool = False) -> None:
    """Print columns, the first one flush left, the others as ``right`` says."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if right and i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
