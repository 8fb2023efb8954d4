"""``vcn edit``: corrections of a finished run, from the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.options import path_argument
from videoclusternet.errors import StoreError
from videoclusternet.outside.text import json_line, say

if TYPE_CHECKING:
    from videoclusternet.edits.edit import Edit
    from videoclusternet.edits.regroup import Difference
    from videoclusternet.result.edits import Edits
    from videoclusternet.result.result import Result

HELP = """Correct the cast of a finished run: names, merges, moves, with undo.

Characters are named by their number or their name, tracks by the number that the page gives
them. Each decision is a line of RUN/edits.jsonl, and holds over every re-run.

\b
vcn edit film.vcn name 3 "Anna"
vcn edit film.vcn move --track 12 --track 40 --to Anna
vcn edit film.vcn undo
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    subcommand_metavar="VERB [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
MOST_SHOWN = 12
"""Tracks that a line lists at most."""
Json = Annotated[bool, typer.Option("--json", help="Print the decision as JSON.")]
Author = Annotated[str, typer.Option("--author", help="Who decides.", show_default="your name")]
OneCharacter = Annotated[
    str, typer.Argument(metavar="CHARACTER", help="Its number or name.", show_default=False)
]
Characters = Annotated[
    list[str],
    typer.Argument(metavar="CHARACTER...", help="Their numbers or names.", show_default=False),
]
Tracks = Annotated[
    list[int], typer.Option("--track", metavar="N", help="A track; may be said more than once.")
]


@app.callback()
def root(
    context: typer.Context,
    run: Annotated[Path, path_argument(metavar="RUN", help="A finished run folder.")],
) -> None:
    """Take the run that the verbs are about."""
    context.obj = run


def _decide(
    context: typer.Context, as_json: bool, author: str, say_it: Callable[[Edits], Edit]
) -> None:
    from videoclusternet.result.result import open_run

    result = open_run(context.obj)
    if author:
        result.edits.author = author
    edit = say_it(result.edits)
    if as_json:
        print(json_line({**edit.record(), "cast": _cast(result)}))
    else:
        _tell(result, edit)
    refresh_page(result)


def _cast(result: Result) -> list[dict[str, object]]:
    return [
        {"character": number, "name": result.called(number), "hidden": person.hidden}
        for number, person in sorted(result.people.items())
    ]


def _tell(result: Result, edit: Edit) -> None:
    """Say what was done, and who is concerned now."""
    from videoclusternet.edits.words import command

    holds = any(edit.id == one.id for one in result.edits.done)
    took = f"edit {edit.id}" if holds else f"took back edit {edit.id}"
    say(f"{took}: {command(edit, result.edits.state)}")
    for number, words in concerned(result, edit).items():
        say(f"  {result.called(number)}: {words}")


def concerned(result: Result, edit: Edit) -> dict[int, str]:
    """Return the characters that an edit touched, as they are now."""
    from videoclusternet.show.words import several

    state = result.edits.state
    rows = {state.said_of(key, edit.base) for key in (*edit.characters, edit.to)}
    tracks = [row for row in map(state.base.row, edit.tracks) if row >= 0]
    rows |= {int(state.person[row]) for row in tracks}
    found = {}
    for row in sorted(rows - {-1}):
        count = len(state.rows(row))
        person = state.people[row]
        said = [several(count, "track"), *(w for w in ("locked", "hidden") if getattr(person, w))]
        if count:
            found[person.number - 1] = ", ".join(said)
    unknown = [row for row in tracks if state.person[row] < 0]
    if unknown:
        found[-1] = f"track {', '.join(map(str, unknown))}"
    return found


def refresh_page(result: Result) -> None:
    """Write the page anew: it shows what everybody sees."""
    from videoclusternet.show.cast_page import write_page

    if not result.has_pictures:
        return
    try:
        write_page(result)
    except StoreError as error:  # what was decided holds
        say(f"vcn: warning: {error.message}: it shows an earlier cast", error=True)


def tell_of_change(result: Result, found: Difference, as_json: bool) -> None:
    """Say what a clustering changed: who moved, who came and who went."""
    from videoclusternet.show.words import several

    if as_json:
        moved = [{"track": t, "from": one, "to": other} for t, one, other in found.moved]
        print(json_line({"moved": moved, "appeared": found.appeared, "gone": found.gone}))
        return
    if not found:
        say("nothing changes: the clustering agrees with what was said")
        return
    ways = Counter((one, other) for _, one, other in found.moved)
    for (one, other), count in ways.most_common():
        tracks = [t for t, *way in found.moved if tuple(way) == (one, other)]
        shown = ", ".join(map(str, tracks[:MOST_SHOWN])) + (", …" if count > MOST_SHOWN else "")
        say(f"{several(count, 'track')} from {one} to {other}: {shown}")
    for words, who in (("new", found.appeared), ("gone", found.gone)):
        if who:
            say(f"{words}: {', '.join(who)}")


@app.command()
def name(
    context: typer.Context,
    character: OneCharacter,
    name: Annotated[str, typer.Argument(help='The name; "" takes it away.')],
    as_json: Json = False,
    author: Author = "",
) -> None:
    """Call a character by a name. A name that another one has makes the two one."""
    _decide(context, as_json, author, lambda edits: edits.name(character, name))


WHOLE = {
    "merge": "Make characters one; the first keeps its number, and its name if it has one.",
    "apart": "Say that characters are different people.",
    "lock": "Settle characters: nothing leaves or enters them, by hand or by `recluster`.",
    "unlock": "Take `lock` back.",
    "hide": "Leave characters out of the table and the page.",
    "unhide": "Take `hide` back.",
}
"""Verbs that are about whole characters alone."""


def _about_characters(verb: str, words: str) -> None:
    @app.command(verb, help=words)
    def say_it(
        context: typer.Context, characters: Characters, as_json: Json = False, author: Author = ""
    ) -> None:
        _decide(context, as_json, author, lambda edits: getattr(edits, verb)(*characters))


for verb, words in WHOLE.items():
    _about_characters(verb, words)


@app.command()
def move(
    context: typer.Context,
    track: Tracks,
    to: Annotated[str, typer.Option(metavar="CHARACTER|new|unknown", help="Where they belong.")],
    as_json: Json = False,
    author: Author = "",
) -> None:
    """Put tracks where they belong: a character, a new one, or Unknown."""
    _decide(context, as_json, author, lambda edits: edits.move(track, to))


@app.command()
def split(
    context: typer.Context,
    character: OneCharacter,
    track: Tracks,
    as_json: Json = False,
    author: Author = "",
) -> None:
    """Take tracks out of a character and make them one of their own."""
    _decide(context, as_json, author, lambda edits: edits.split(character, track))


@app.command("not")
def not_this(
    context: typer.Context,
    character: OneCharacter,
    track: Tracks,
    as_json: Json = False,
    author: Author = "",
) -> None:
    """Say that tracks do not show a character; who they are stays open."""
    _decide(context, as_json, author, lambda edits: edits.not_this(character, track))


@app.command("not-a-face")
def not_a_face(
    context: typer.Context, track: Tracks, as_json: Json = False, author: Author = ""
) -> None:
    """Say that tracks show no face."""
    _decide(context, as_json, author, lambda edits: edits.not_a_face(track))


@app.command()
def confirm(
    context: typer.Context, track: Tracks, as_json: Json = False, author: Author = ""
) -> None:
    """Say that tracks are where they belong."""
    _decide(context, as_json, author, lambda edits: edits.confirm(track))


@app.command()
def cover(
    context: typer.Context,
    character: OneCharacter,
    track: Annotated[int, typer.Option(metavar="N", help="The track that shows it best.")],
    frame: Annotated[
        int | None, typer.Option(min=0, help="Near this frame; else its best.")
    ] = None,
    as_json: Json = False,
    author: Author = "",
) -> None:
    """Choose the picture that stands for a character."""
    _decide(context, as_json, author, lambda edits: edits.cover(character, track, frame))


@app.command()
def note(
    context: typer.Context,
    character: OneCharacter,
    text: Annotated[str, typer.Argument(help='What to write down; "" takes it away.')],
    as_json: Json = False,
    author: Author = "",
) -> None:
    """Write something down about a character."""
    _decide(context, as_json, author, lambda edits: edits.note(character, text))


@app.command()
def undo(context: typer.Context, as_json: Json = False, author: Author = "") -> None:
    """Take the last decision back; again and again as far as the log goes."""
    _decide(context, as_json, author, lambda edits: edits.undo())


@app.command()
def redo(context: typer.Context, as_json: Json = False, author: Author = "") -> None:
    """Do again what was taken back last."""
    _decide(context, as_json, author, lambda edits: edits.redo())


@app.command()
def log(context: typer.Context, as_json: Json = False) -> None:
    """List all decisions that hold, those that were taken back, and those that find no place.

    Settled is what was decided before somebody was forgotten: on record, not to be undone.
    """
    from videoclusternet.edits.words import command
    from videoclusternet.result.result import open_run
    from videoclusternet.show.terminal import print_table, table_of

    edits = open_run(context.obj).edits
    lost = edits.unplaced
    rows = [(edit, "settled") for edit in edits.past]
    rows += [(edit, lost.get(edit.id, "")) for edit in edits.done]
    rows += [(edit, "taken back") for edit in reversed(edits.undone)]
    if as_json:
        for edit, state in rows:
            print(json_line({**edit.record(), "state": state or "holds"}))
        return
    if edits.torn:
        say("vcn: warning: the last line of the log breaks off and is passed over", error=True)
    table = table_of("edit", "when", "who", "what", "", left=5)
    for edit, state in rows:
        what = command(edit, edits.state)
        said = f"finds no place: {state}" if edit.id in lost else state
        table.add_row(str(edit.id), edit.time, edit.author, what, said)
    print_table(table) if rows else say("nothing was decided yet")
