"""``vcn dataset``: look at labelled data sets.  What writes some is in a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from videoclusternet.cli.options import (
    FilmFile,
    LogJson,
    Names,
    Quiet,
    Rate,
    path_argument,
    path_option,
    print_rows,
)
from videoclusternet.outside.files import is_file, is_folder
from videoclusternet.outside.text import json_line, say
from videoclusternet_bench.cli.dataset_write import export, from_run, join, read_given

if TYPE_CHECKING:
    from videoclusternet_bench.data.ids import Count

app = typer.Typer(no_args_is_help=True)


@app.callback()
def dataset() -> None:
    """Look at labelled data sets: count, check, describe; write, make and join them."""


@app.command()
def ids(
    folder: Annotated[
        Path, path_argument(metavar="FOLDER", help="Label files such as bbt_s01e01.ids, or one.")
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
    from videoclusternet_bench.data.ids import (
        check_protocol,
        count_labels,
        differences,
        parse_aliases,
    )

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
        print(json_line(inner))
        return
    _print_counts(episodes, seasons)
    if said:
        say("", *said)


@app.command()
def check(
    path: Annotated[
        Path,
        path_argument(
            metavar="PATH",
            help="A data set of any form: its folder, .csv, gt.txt, .xml, .zip, .npz or .ids.",
        ),
    ],
    fps: Rate = None,
    names: Names = None,
    film: FilmFile = None,
) -> None:
    """Say what a data set holds, or refuse it with file, line and reason."""
    from videoclusternet.annotations.box_forms import TITLES, find_form, holds_boxes
    from videoclusternet_bench.data.sets import film_beside

    if path.suffix == ".ids":
        _print_labels(path)
        return
    if _print_given(path):
        if not (is_folder(path) and holds_boxes(path)):
            return
        print()
    boxes = read_given(path, fps, names, film)
    form, file = find_form(path)
    facts = boxes.film
    length = "not said" if facts.frames is None else f"{facts.frames} frames"
    print_rows(
        [
            ("form", TITLES[form]),
            ("file", str(file)),
            ("video", facts.video),
            ("held against", str(film or film_beside(file) or "no film beside them")),
            ("frames/s", f"{float(facts.fps):.6g}"),
            ("frame", f"{facts.width}x{facts.height} px"),
            ("length", length),
            ("tracks", str(len(boxes.tracks))),
            ("people", str(boxes.people)),
            ("boxes", str(len(boxes.box))),
            ("seconds per track", f"{boxes.seconds.mean():.3f}"),
        ]
    )


app.command()(export)
app.command()(from_run)
app.command()(join)


@app.command()
def stats(
    sets: Annotated[
        list[Path],
        path_argument(
            metavar="SET...",
            help="Run folders, data sets of `vcn bench`, labelled boxes, label files (.ids).",
        ),
    ],
    output: Annotated[Path, path_option("--output", "-o", help="Folder to write.")] = Path("stats"),
    backbone: Annotated[
        str, typer.Option(help="Describes the faces of labelled sets; runs have their own.")
    ] = "dlib",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Describe data sets: tracks, people, seconds; quality, lightness and blur of the faces.

    Faces of labelled sets are found and described first; the same command goes on where a
    stopped one ended.
    """
    from videoclusternet.cli.progress import reporting
    from videoclusternet_bench.describe import describe
    from videoclusternet_bench.tables.stats import as_dict, grid, write_stats

    with reporting(quiet, log_json) as hook:
        found = describe(sets, output, backbone, hook)
    page = write_stats(found, output)
    if as_json:
        rows = [as_dict(one) for one in found]
        print(json_line({"sets": rows, "page": str(page)}))
        return
    table = grid(found)
    print_rows([table.header, *table.rows], left=1)
    say("", *([table.note] if table.note else []), page)


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
    print_rows([header, *rows], left=1)
    known = [count for count in episodes if count.paper is not None]
    same = sum(count.paper is not None and count.named == count.paper.tracks for count in known)
    if known:
        print(f"\nnamed tracks as many as in the paper: {same} of {len(known)} episodes")


def _print_given(path: Path) -> bool:
    """Say what the sets of crops and features in a place hold, if there are any."""
    sets = _given_sets(path)
    if sets:
        from videoclusternet_bench.data.check import facts

        for i, one in enumerate(sets):
            print("\n" * (i > 0), end="")
            print_rows(facts(one))
    return bool(sets)


def _given_sets(path: Path) -> list[Path]:
    """List ``NAME.zip`` and ``NAME.npz`` with labels: the file named, or all in a folder."""
    if not is_folder(path):
        return [path] if path.suffix.lower() in (".zip", ".npz") else []
    files = [file for ending in ("zip", "npz") for file in sorted(path.glob(f"*.{ending}"))]
    found = [file for file in files if is_file(file.with_name(f"{file.stem}_tracks.csv"))]
    inner = sorted(inner for inner in path.iterdir() if is_folder(inner))
    return found or [file for folder in inner for file in _given_sets(folder)]


def _print_labels(path: Path) -> None:
    """Say what a label file holds."""
    from videoclusternet_bench.data.ids import is_named, read_ids

    labels = read_ids(path, "all").labels
    named = [label for label in labels if is_named(label)]
    print_rows(
        [
            ("form", "labels of tracks (.ids), without boxes"),
            ("tracks", f"{len(labels)}, {len(named)} of them named"),
            ("people", f"{len(set(labels))}, {len(set(named))} of them named"),
        ]
    )
