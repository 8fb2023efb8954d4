"""``vcn dataset``: the commands that write a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.options import (
    FilmFile,
    LogJson,
    Names,
    Quiet,
    Rate,
    path_argument,
    path_option,
    read_fps,
)
from videoclusternet.errors import ConfigError
from videoclusternet.outside.text import say

if TYPE_CHECKING:
    from videoclusternet.annotations.boxes import LabelledBoxes


def export(
    path: Annotated[Path, path_argument(metavar="IN", help="A data set of any form with boxes.")],
    output: Annotated[Path, path_argument(metavar="OUT", help="New folder to write.")],
    form: Annotated[
        str, typer.Option(help="csv, mot (MOTChallenge), cvat (CVAT for video) or crops.")
    ] = "csv",
    fps: Rate = None,
    names: Names = None,
    film: FilmFile = None,
    detector: Annotated[
        str, typer.Option(help="For crops: finds eyes, nose and mouth in the boxes.")
    ] = "mtcnn",
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> None:
    """Write labelled boxes in another form.

    What csv, mot and cvat hold reads back the same. With csv, `vcn score RUN OUT` compares a
    run over the same film with it. Crops are cut out of --film.
    """
    from videoclusternet_bench.data.export import check_form, write_boxes

    written = None if form == "crops" else check_form(form)
    if written is None and film is None:
        raise ConfigError("crops are cut out of a film", "give it with --film")
    boxes = read_given(path, fps, names, film)
    about = f"{output}: {len(boxes.tracks)} tracks, {boxes.people} people"
    if written is not None or film is None:
        write_boxes(boxes, output, written or "csv")
        say(f"{about}, {len(boxes.box)} boxes")
        return
    from videoclusternet.cli.progress import reporting
    from videoclusternet.config import Config
    from videoclusternet_bench.data.export_crops import export_crops

    config = Config.load(flags={"faces.detector": detector})
    with reporting(quiet, log_json) as hook:
        crops, blind = export_crops(boxes, film, output, config, hook)
    say(f"{about}, {crops} crops")
    _print_left_out((blind, "tracks without a picture"))


def from_run(
    run: Annotated[Path, path_argument(metavar="RUN", help="Folder of a finished run.")],
    output: Annotated[Path, path_argument(metavar="OUT", help="New folder to write.")],
    labels: Annotated[
        Path | None,
        path_option(
            metavar="CSV",
            help="Corrected labels: track_id and label, empty to leave a track out.",
        ),
    ] = None,
) -> None:
    """Make a labelled data set of a run, its cast corrected by you.

    OUT/labels.csv says who each track shows. Correct it there, and run the same command with
    --labels OUT/labels.csv.
    """
    from videoclusternet.result.result import open_run
    from videoclusternet_bench.data.from_run import write_run

    found = write_run(open_run(run), output, labels)
    boxes = f", {found.boxes} boxes" if found.boxes else ""
    say(f"{output}: {found.tracks} tracks, {found.people} people, {found.crops} crops{boxes}")
    _print_left_out(
        (found.unlabelled, "tracks without a label"),
        (found.blind, "tracks without a picture from the crops"),
    )


def join(
    path: Annotated[
        Path, path_argument(metavar="LABELS", help="Label file such as bbt_s01e01.ids.")
    ],
    data: Annotated[
        Path,
        path_argument(
            metavar="DATA",
            help="Of the same tracks: crops (zip, folder), features (npz, mat, folder of "
            "<track>.npy), or boxes of any form.",
        ),
    ],
    output: Annotated[Path, path_argument(metavar="OUT", help="Folder to write to.")],
    labels: Annotated[
        str,
        typer.Option(help="Who is taken: named, or all, each unknown_* as a person."),
    ] = "named",
    alias: Annotated[
        list[str] | None,
        typer.Option(metavar="A=B", help="Take label A for B, such as xander2=xander; repeatable."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse tracks and labels that have no partner.")
    ] = False,
    model: Annotated[str | None, typer.Option(help="What made the features.")] = None,
) -> None:
    """Join a label file of BBT or Buffy with crops, features or boxes of its tracks."""
    from videoclusternet_bench.data.ids import check_protocol, parse_aliases
    from videoclusternet_bench.data.join import join as join_labels
    from videoclusternet_bench.data.join import listed

    protocol, aliases = check_protocol(labels), parse_aliases(alias or ())
    found = join_labels(path, data, output, protocol, aliases, strict, model)
    say(f"{output}: {found.what} of {found.tracks} tracks, {found.people} people")
    _print_left_out(
        (found.nameless, "tracks of people without a name"),
        (len(found.unlabelled), f"tracks without a label: {listed(found.unlabelled)}"),
        (len(found.absent), f"labels without a track: {listed(found.absent)}"),
    )


def _print_left_out(*counts: tuple[int, str]) -> None:
    for count, what in counts:
        if count:
            say(f"left out: {count} {what}")


def read_given(path: Path, fps: str | None, names: Path | None, film: Path | None) -> LabelledBoxes:
    """Read boxes, and hold them against their film: the one given, or the one beside them."""
    from videoclusternet.annotations.box_forms import find_form, read_boxes
    from videoclusternet_bench.data.sets import film_beside

    given = read_fps(fps)
    film = film or film_beside(find_form(path).file)
    if film is None:
        boxes = read_boxes(path, given, names)
    else:
        from videoclusternet.film.video import open_video

        info = open_video(film)
        boxes = read_boxes(path, given or info.fps, names)
        boxes.check_against(info.fps, info.frames, info.width, info.height)
    if given is not None:
        boxes.check_against(given)
    return boxes
