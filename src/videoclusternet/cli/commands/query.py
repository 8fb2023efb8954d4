"""``vcn query``: where these people are on screen, in one run or in many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from videoclusternet.cli.commands.export import (
    Boxes,
    Force,
    Gap,
    Handles,
    MinSeconds,
    StartTimecode,
    tell_of_doubts,
    tell_of_letters,
)
from videoclusternet.cli.options import path_argument, path_option, print_rows
from videoclusternet.errors import ConfigError, QueryError, VcnError
from videoclusternet.outside.text import json_line, say

if TYPE_CHECKING:
    from videoclusternet.export.sheet import Appearance, Choice, Sheet
    from videoclusternet.query.language import Question
    from videoclusternet.result.answers import Terms

ENDING = ".vcn"
"""Of the folders of runs that a folder is searched for."""
TogetherWithin = Annotated[
    str, typer.Option(metavar="TIME", help="People of an & may be so far apart: 2s, 500ms, 48f.")
]
MinFace = Annotated[
    float, typer.Option(min=0, max=1, help="Share of the picture's height that a face has.")
]


def query(
    runs: Annotated[
        list[Path],
        path_argument(metavar="RUN...", help="Finished run folders, or a folder of such."),
    ],
    text: Annotated[
        str, typer.Argument(metavar="QUERY", help='Such as "Anna & (Ben | Carl) & !Unknown".')
    ],
    together_within: TogetherWithin = "0",
    alone: Annotated[
        bool, typer.Option("--alone", help="Nobody else is on screen, the Unknown included.")
    ] = False,
    min_face: MinFace = 0.0,
    shots: Annotated[
        bool, typer.Option("--shots", help="Whole shots that hold such a moment.")
    ] = False,
    min_seconds: MinSeconds = 0.0,
    gap: Gap = 0.0,
    start_timecode: StartTimecode = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    to: Annotated[
        Path | None,
        path_option("--to", metavar="FILE", help="Write the answer as `vcn export` does."),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="Where the ending of FILE does not say it.")
    ] = None,
    handles: Handles = 0.0,
    boxes: Boxes = "detections",
    force: Force = False,
) -> None:
    """Find where people are on screen: & is and, | is or, ! is not, brackets as usual.

    Characters are names, "names in quotes", numbers, Unknown, or * for anybody.
    """
    from videoclusternet.export.formats import find_format
    from videoclusternet.export.sheet import Choice
    from videoclusternet.query.evaluate import Reach
    from videoclusternet.query.language import parse
    from videoclusternet.result.answers import Terms

    if to is not None:
        find_format(to, format)
    asked = _Asked(
        parse(text),
        Terms(Reach.read(together_within), alone, min_face, gap, min_seconds, shots),
        Choice(start_timecode=start_timecode, handles=handles, boxes=boxes),
        _run_folders(runs),
    )
    found = asked.answers()
    written = [] if to is None else asked.write(found, to, format, force)
    if as_json:
        _print_json(text, found)
    elif found:
        _print_table(found, len(asked.folders) > 1)
    say(*(f"written: {path}" for path in written), error=as_json)
    if asked.failed is not None:
        raise typer.Exit(asked.failed.exit_code)


@dataclass(frozen=True)
class _Answer:
    """What was found in one run; the run itself is let go, for there may be many.

    Attributes
    ----------
    folder : Path
    rows : list of dict
        A moment each, as it is printed.
    """

    folder: Path
    rows: list[dict[str, Any]]


class _Asked:
    """A query, and the runs that it is put to.

    Attributes
    ----------
    folders : list of Path
    failed : VcnError or None
        Why the first that could not answer could not.
    """

    def __init__(
        self, question: Question, terms: Terms, choice: Choice, folders: list[Path]
    ) -> None:
        self._question, self._terms, self._choice = question, terms, choice
        self.folders = folders
        self.failed: VcnError | None = None
        self._known: set[str] = set()
        self._labels: set[str] = set()

    def answers(self) -> list[_Answer]:
        """Return what each run answers.

        Raises
        ------
        QueryError
            When somebody is named whom no run knows.
        VcnError
            When the only run cannot answer; of several, those that cannot are said.
        """
        found = []
        for folder, sheet in self._sheets():
            tell_of_doubts(sheet)
            found.append(_Answer(folder, [_row(folder, one) for one in sheet.appearances]))
        if found:
            self._refuse_strangers()
        return found

    def write(
        self, found: Sequence[_Answer], to: Path, format: str | None, force: bool
    ) -> list[Path]:
        """Write a file for each run that answered, and return them all."""
        from videoclusternet.export.formats import find_format
        from videoclusternet.export.write import beside, export, refuse

        targets: dict[Path, Path] = {}
        for one in found:
            label = _name(one.folder) if len(self.folders) > 1 else ""
            targets[beside(to, label, targets)] = one.folder
        if len(targets) > 1:  # rather none than some
            for target in targets:
                refuse(target, force)
        written = []
        for target, folder in targets.items():
            sheet = self._sheet(folder)
            written += export(sheet, target, format, force)
            tell_of_letters(sheet, find_format(target, format))
        return written

    def _sheets(self) -> Iterator[tuple[Path, Sheet]]:
        """Yield the answer of every run; say which cannot be read."""
        for folder in self.folders:
            try:
                sheet = self._sheet(folder)
            except QueryError:
                raise  # true of every run
            except VcnError as error:
                if len(self.folders) == 1:
                    raise
                say(f"vcn: {error}", error=True)
                self.failed = self.failed or error
                continue
            yield folder, sheet

    def _sheet(self, folder: Path) -> Sheet:
        from videoclusternet.export.sheet import Player, make_sheet
        from videoclusternet.query.language import Who
        from videoclusternet.result.answers import answer, find_people
        from videoclusternet.result.result import open_run

        run = open_run(folder)
        several = len(self.folders) > 1
        people = find_people(run, self._question, by_name=several)
        self._known |= people.keys()
        self._labels |= {p.name if several else p.label for p in run.people.values()}
        spans = answer(run, self._question, people, self._terms)
        player, asked = Player(1, self._question.text), self._question.tree
        if isinstance(asked, Who) and asked.name in people:
            index = people[asked.name]
            player = Player(index + 1, run.called(index))
        return make_sheet(run, [(player, spans)], self._choice, join=False)

    def _refuse_strangers(self) -> None:
        """Refuse names that none of the runs knows."""
        from videoclusternet.result.answers import nobody

        for who in self._question.names:
            if who.name not in self._known:
                raise nobody(self._question, who, self._labels)


def _run_folders(paths: Sequence[Path]) -> list[Path]:
    """Return the run folders that are meant, each once; a folder without a run stands for its own.

    Raises
    ------
    ConfigError
        When there is no run in a folder.
    """
    from videoclusternet.runfolder.manifest import MANIFEST

    found: dict[Path, Path] = {}
    for path in paths:
        inside = [path]
        if path.is_dir() and path.suffix != ENDING and not (path / MANIFEST).exists():
            inside = sorted(one for one in path.glob(f"*{ENDING}") if one.is_dir())
            if not inside:
                raise ConfigError(
                    f"{path} is no run, and none is in it", f"give a folder that ends in {ENDING}"
                )
        for one in inside:
            found.setdefault(one.resolve(), one)
    return list(found.values())


def _name(folder: Path) -> str:
    return folder.resolve().name.removesuffix(ENDING)


def _row(folder: Path, one: Appearance) -> dict[str, Any]:
    from videoclusternet.result.answers import shots_of

    (begins, ends), span = one.timecodes, one.span
    return {
        "run": str(folder),
        "film": one.reel.name,
        "first": span.first,
        "end": span.end,
        "start": round(span.start, 6),
        "stop": round(span.stop, 6),
        "from": begins,
        "to": ends,
        "shots": list(shots_of(one.reel.film, span)),
    }


def _seconds(rows: Sequence[dict[str, Any]]) -> float:
    return float(sum(row["stop"] - row["start"] for row in rows))


def _print_json(text: str, found: Sequence[_Answer]) -> None:
    rows = [row for one in found for row in one.rows]
    print(json_line({"query": text, "seconds": round(_seconds(rows), 6), "moments": rows}))


def _print_table(found: Sequence[_Answer], several: bool) -> None:
    """Print a line a moment, and the sum; over several runs each line says of which."""
    from videoclusternet.show.words import several as count
    from videoclusternet.show.words import span

    rows = [row for one in found for row in one.rows]
    if not rows:
        print("nothing found")
        return
    head = ["run"] * several + ["film", "from", "to", "seconds", "shots"]
    lines = [_cells(row, several) for row in rows]
    print_rows([head, *lines], left=len(head) - 4)
    print(f"\n{count(len(rows), 'moment')}, {span(_seconds(rows))} in all")


def _cells(row: dict[str, Any], several: bool) -> list[str]:
    shots = row["shots"]
    held = f"{shots[0]}-{shots[-1]}" if len(shots) > 1 else "".join(map(str, shots))
    seconds = f"{row['stop'] - row['start']:.2f}"
    run = [_name(Path(row["run"]))] * several
    return [*run, row["film"], row["from"], row["to"], seconds, held]
