"""``vcn library``: people of many films in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.commands import library_files
from videoclusternet.cli.commands.export import Force
from videoclusternet.cli.commands.library_files import Json, opened
from videoclusternet.cli.options import LibraryFile, path_argument, path_option
from videoclusternet.outside.text import say

if TYPE_CHECKING:
    from videoclusternet.library.adding.from_run import Added
    from videoclusternet.library.door import Library
    from videoclusternet.library.people import Row

HELP = """People of many films, in one file: so that the next film knows them.

People are named by their name or their key. The file is FILE, what VCN_LIBRARY names, or
videoclusternet/library.db in your data folder; nothing leaves this machine.

\b
vcn library add episode-1.vcn
vcn library show Anna --page anna.html
vcn library list
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
OnePerson = Annotated[
    str, typer.Argument(metavar="NAME", help="A name, or a key.", show_default=False)
]
PageFile = Annotated[
    Path | None, path_option("--page", metavar="FILE", help="Write a page of faces instead.")
]


@app.command()
def add(
    runs: Annotated[
        list[Path], path_argument(metavar="RUN...", help="Finished run folders, with names.")
    ],
    person: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this character; may be said more than once."),
    ] = None,
    library: LibraryFile = None,
    as_json: Json = False,
) -> None:
    """Take the people that you named in finished runs into the library.

    Only tracks that you confirmed or that are sure stand for a person, chosen to cover its looks.
    The same run again changes nothing; after corrections, what no longer shows a person goes.
    """
    from videoclusternet.result.result import Result, open_run
    from videoclusternet.show.terminal import print_json

    given: list[Result | Path] = [open_run(runs[0]), *runs[1:]]  # what is refused makes no library
    with opened(library, create=True) as into:
        for run in given:
            added = into.add(run, person or ())
            if as_json:
                print_json(_as_dict(added))
            else:
                _tell(added)


def _as_dict(added: Added) -> dict[str, object]:
    return {
        "run": str(added.folder),
        "model": added.model,
        "people": [one._asdict() for one in added.people],
        "unnamed": added.unnamed,
        "unsure": list(added.unsure),
    }


def _tell(added: Added) -> None:
    from videoclusternet.show.terminal import print_table, table_of
    from videoclusternet.show.words import several

    count = len(added.people)
    say(f"{added.folder}: {count} {'person' if count == 1 else 'people'}")
    if added.people:
        table = table_of("person", "exemplars", "came", "went", "")
        for one in added.people:
            numbers = (str(n) for n in (one.exemplars, one.added, one.gone))
            table.add_row(one.name, *numbers, "new" if one.new else "")
        print_table(table)
    for one in added.people:
        if one.elsewhere:
            tracks = several(one.elsewhere, "track")
            say(f"note: {tracks} of {one.name} show somebody else by the library; left as it is")
    if added.unsure:
        say(
            f"note: no track of {', '.join(added.unsure)} is sure enough; say which are right:",
            f"  vcn edit {added.folder} confirm --track N",
        )
    if added.unnamed:
        say(
            f"note: {several(added.unnamed, 'character')} without a name left out; to name them:",
            f"  vcn review {added.folder}",
        )


def _count(library: Library, person: Row) -> None:
    """Say what stands for a person now."""
    from videoclusternet.show.words import several

    say(f"{person.name}: {several(len(library.exemplars(person.key)), 'exemplar')}")


@app.command("list")
def list_people(
    library: LibraryFile = None, page: PageFile = None, force: Force = False, as_json: Json = False
) -> None:
    """Print everybody: exemplars, looks, films, notes."""
    from videoclusternet.export.write import refuse
    from videoclusternet.show.terminal import print_json, print_table, table_of

    with opened(library, write=False) as of:
        if page is not None:
            refuse(page, force)
            say(f"page: {of.write_page(page).resolve()}")
            return
        people = of.people
        if as_json:
            print_json([one._asdict() for one in people])
            return
        if not people:
            say("the library holds nobody")
            return
        table = table_of("person", "exemplars", "looks", "films", "key", "note")
        for one in people:
            numbers = (str(n) for n in (one.exemplars, one.looks, one.films))
            table.add_row(one.name, *numbers, one.key, one.note)
        print_table(table)


@app.command()
def show(
    person: OnePerson,
    library: LibraryFile = None,
    page: PageFile = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Print what stands for a person, look by look; with --page show the faces."""
    from videoclusternet.export.write import refuse
    from videoclusternet.library.page import where
    from videoclusternet.show.terminal import print_json, print_table, table_of

    with opened(library, write=False) as of:
        if page is not None:
            refuse(page, force)
            say(f"page: {of.write_page(page, person).resolve()}")
            return
        one, every = of.find(person), of.exemplars(person)
        if as_json:
            found = [exemplar._asdict() for exemplar in every]
            print_json({"key": one.key, "name": one.name, "note": one.note, "exemplars": found})
            return
        say(f"{one.name}, key {one.key}{': ' if one.note else ''}{one.note}")
        if not every:
            say("nothing stands for this person: add a run or a photograph")
            return
        table = table_of("number", "look", "from", "model", "pictures", "quality", "", left=4)
        for exemplar in every:
            quality = "" if exemplar.quality is None else f"{exemplar.quality:.2f}"
            table.add_row(
                str(exemplar.number),
                str(exemplar.look),
                where(exemplar),
                exemplar.model,
                str(exemplar.crops),
                quality,
                "by hand" if exemplar.hand else "",
            )
        print_table(table)


@app.command()
def log(
    person: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Only about this person.", show_default=False)
    ] = "",
    library: LibraryFile = None,
    as_json: Json = False,
) -> None:
    """Print the record: who added whom, when, from where; renamed, merged, split, forgotten."""
    from videoclusternet.show.terminal import print_json, print_table, table_of

    with opened(library, write=False) as of:
        entries = of.log(person)
        if as_json:
            for one in entries:
                run = None if one.run is None else str(one.run)
                print_json({**one._asdict(), "run": run})
            return
        table = table_of("when", "who", "what", "person", "exemplars", "from", left=4)
        for one in entries:
            other = f" with {one.other}" if one.other else ""
            source = one.source if one.run is None else str(one.run)
            count = str(one.exemplars) if one.exemplars else ""
            table.add_row(
                one.time, one.author, one.verb + other, one.name or one.person, count, source
            )
        print_table(table)


@app.command()
def rename(
    person: OnePerson,
    name: Annotated[str, typer.Argument(metavar="NEW", help="What it is called now.")],
    library: LibraryFile = None,
) -> None:
    """Call a person by another name; runs that were added keep theirs."""
    with opened(library) as of:
        say(f"{of.rename(person, name).name}")


@app.command()
def note(
    person: OnePerson,
    text: Annotated[str, typer.Argument(metavar="TEXT", help='What to remember; "" for nothing.')],
    library: LibraryFile = None,
) -> None:
    """Write something down about a person."""
    with opened(library) as of:
        one = of.note(person, text)
        say(f"{one.name}: {one.note}" if one.note else f"{one.name} has no note")


@app.command()
def merge(
    people: Annotated[
        list[str],
        typer.Argument(metavar="NAME NAME...", help="The first keeps its name and key."),
    ],
    library: LibraryFile = None,
) -> None:
    """Make people one: looks of both stand for the first."""
    with opened(library) as of:
        one = of.merge(*people)
        _count(of, one)


@app.command()
def split(
    person: OnePerson,
    name: Annotated[str, typer.Argument(metavar="NEW", help="Name of the new person.")],
    look: Annotated[
        list[int] | None, typer.Option(metavar="N", help="A look that shows the new person.")
    ] = None,
    exemplar: Annotated[
        list[int] | None, typer.Option(metavar="N", help="An exemplar that does.")
    ] = None,
    library: LibraryFile = None,
) -> None:
    """Make looks or exemplars of a person somebody of their own: numbers as `show` prints them."""
    with opened(library) as of:
        made = of.split(person, name, look or (), exemplar or ())
        _count(of, made)


app.command()(library_files.person)
app.command("people")(library_files.people_in)
app.command()(library_files.export)
app.command("import")(library_files.bring)
app.command()(library_files.verify)
app.command()(library_files.reembed)
