"""``vcn library``: people from photographs, libraries as files, whether one is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoclusternet.cli.commands.export import Force
from videoclusternet.cli.options import (
    Backbone,
    ConfigFile,
    Detector,
    Device,
    LibraryFile,
    Quiet,
    Settings,
    path_argument,
)
from videoclusternet.errors import DataError, LibraryError
from videoclusternet.outside.text import say

if TYPE_CHECKING:
    from videoclusternet.config import Config
    from videoclusternet.library.adding.photos import Pictured
    from videoclusternet.library.door import Library

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


@contextmanager
def opened(
    path: Path | None, create: bool = False, write: bool = True, goes_on: bool = True
) -> Iterator[Library]:
    """Open the library that a command is about."""
    from videoclusternet.library.door import open_library

    with open_library(path, create, write) as library:
        if goes_on and library.unfinished:
            _go_on(library)
        yield library


def _go_on(library: Library) -> None:
    """Finish to forget whoever an ended process or a run out of reach left forgotten in part."""
    from videoclusternet.errors import VcnError
    from videoclusternet.library.door import open_library

    try:
        with open_library(library.path) as writable:
            left = [one for one in writable.resume() if one.folder is not None]
    except VcnError as error:
        say(f"vcn: warning: somebody is forgotten in part: {error.message}", error=True)
        return
    for one in left:
        say(f"vcn: warning: forgotten in part, {one.folder}: {one.problem}", error=True)


def _config(
    detector: str | None,
    backbone: str | None,
    device: str | None,
    settings: list[str] | None,
    file: Path | None,
) -> Config:
    from videoclusternet.config import Config

    flags = {"faces.detector": detector, "embed.backbone": backbone, "device": device}
    given = {key: value for key, value in flags.items() if value is not None}
    return Config.load("auto", file, settings or (), given)


def person(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whom the photographs show.")],
    photos: Annotated[
        list[Path], path_argument(metavar="PHOTO...", help="Photographs of one face each.")
    ],
    library: LibraryFile = None,
    detector: Detector = None,
    backbone: Backbone = None,
    device: Device = None,
    settings: Settings = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Take a person in from photographs alone: three or more, unlike each other, do well.

    Choose the models that your films are clustered with: a film is only compared with what its
    own face-ID model has seen.
    """
    chosen = _config(detector, backbone, device, settings, config)
    with opened(library, create=True) as into:
        _tell(into.photos(name, photos, chosen), as_json)


def people_in(
    folder: Annotated[
        Path, path_argument(metavar="FOLDER", help="Photographs; file names are names.")
    ],
    library: LibraryFile = None,
    detector: Detector = None,
    backbone: Backbone = None,
    device: Device = None,
    settings: Settings = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Take people in from a folder of photographs.

    `Anna Smith.jpg`, `Anna Smith 2.jpg` and all in the folder `Anna Smith`, however deep, show
    Anna Smith.
    """
    from videoclusternet.library.adding.photos import names_in

    chosen = _config(detector, backbone, device, settings, config)
    names_in(folder)  # what is refused makes no library
    with opened(library, create=True) as into:
        _tell(into.folder(folder, chosen), as_json)


def _tell(found: Pictured, as_json: bool) -> None:
    """Say what came, and end as a failure where a photograph could not be used."""
    from videoclusternet.show.terminal import print_json
    from videoclusternet.show.words import several

    if as_json:
        failed = [one.message for one in found.failed]
        print_json({"people": found.people, "present": found.present, "failed": failed})
    else:
        for name, count in found.people.items():
            say(f"{name}: {several(count, 'photograph')}")
        if found.present:
            say(f"{several(found.present, 'photograph')} there already")
    if found.failed:
        *others, last = found.failed
        say(*(f"vcn: {one}" for one in others), error=True)
        raise DataError(last.message, last.advice)


def export(
    file: Annotated[Path, path_argument(metavar="FILE.zip", help="The zip file to write.")],
    person: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this person; may be said more than once."),
    ] = None,
    force: Force = False,
    library: LibraryFile = None,
) -> None:
    """Write people with pictures and embeddings to a zip file, to be handed on. It holds faces."""
    from videoclusternet.export.write import refuse
    from videoclusternet.show.words import several

    refuse(file, force)
    with opened(library, write=False) as of:
        people, exemplars = of.export(file, person or ())
    say(f"{file}: {several(exemplars, 'exemplar')} of {_people(people)}")


def bring(
    file: Annotated[Path, path_argument(metavar="FILE.zip", help="What export wrote.")],
    library: LibraryFile = None,
    as_json: Json = False,
) -> None:
    """Take in what another library exported: people of the same key are one."""
    from videoclusternet.library.exchange import read
    from videoclusternet.show.terminal import print_json
    from videoclusternet.show.words import several

    given = read(file)  # what is refused makes no library
    with opened(library, create=True) as into:
        found = into.bring(given)
    if as_json:
        print_json(found._asdict())
        return
    say(
        f"{_people(len(found.new))} new, {len(found.known)} known; "
        f"{several(found.exemplars, 'exemplar')} came, {found.present} there already"
    )
    if found.forgotten:
        say(f"note: left out {_people(found.forgotten)} who were forgotten here")
    for name, instead in found.conflicts:
        say(
            f"note: somebody else is called {name} here; this one is {instead}. If they are one:",
            f'  vcn library merge "{name}" "{instead}"',
        )


def verify(library: LibraryFile = None) -> None:
    """Check that a library is what was written: its pages, embeddings, pictures, names."""
    with opened(library, write=False) as of:
        wrong = of.verify()
        if not wrong:
            count = sum(one.exemplars for one in of.people)
            say(f"{of.path}: ok, {_people(len(of))}, {count} exemplars")
            return
        say(*wrong)
        places = "1 place" if len(wrong) == 1 else f"{len(wrong)} places"
        raise LibraryError(
            f"{of.path} is damaged in {places}",
            "keep a copy; restore it, or import an export of it into a new one",
        )


def reembed(
    backbone: Annotated[
        str, typer.Option(help="dlib, edgeface-xs, ... (`vcn models`), or NAME=FILE.")
    ],
    library: LibraryFile = None,
    device: Device = None,
    settings: Settings = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Describe the pictures of a library by another face-ID model, beside what is there.

    A film is only compared with what its own face-ID model has seen.
    """
    from videoclusternet.cli.progress import reporting
    from videoclusternet.show.words import several

    chosen = _config(None, backbone, device, settings, config)
    with opened(library) as of, reporting(quiet, False) as hook:
        done = of.reembed(chosen, hook)
    say(f"{several(done.exemplars, 'exemplar')} as {done.model} sees them")
    if done.without:
        say(f"note: {several(done.without, 'exemplar')} have no picture and were left out")


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"
