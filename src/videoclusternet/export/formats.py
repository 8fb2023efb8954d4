"""All formats by name and ending; a writer is imported when it is asked for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from videoclusternet.errors import ConfigError
from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Sheet

Writer = Callable[[Sheet], Iterator[Piece]]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes
    ----------
    name : str
        For ``--format``.
    suffix : str
        Ending of its files, with the dot; empty for a folder.
    what : str
        For whom it is, in one line.
    home : str
        ``module:function`` below :mod:`videoclusternet.export`.
    """

    name: str
    suffix: str
    what: str
    home: str

    def writer(self) -> Writer:
        """Import the function that writes it."""
        module, _, function = self.home.partition(":")
        found: Writer = getattr(import_module(f"videoclusternet.export.{module}"), function)
        return found


FORMATS = (
    Format("csv", ".csv", "spreadsheets: a row an appearance", "text.csv_table:write_csv"),
    Format("faces", "", "all face pictures, a folder for each", "pictures.faces:write_faces"),
    Format("wall", ".wall.png", "one large face of everybody", "pictures.wall:write_wall"),
    Format("contact", ".png", "a row of faces for each", "pictures.contact:write_contact"),
    Format("contact-pdf", ".pdf", "the same to print", "pictures.contact_pdf:write_contact_pdf"),
)
"""As they are listed; of those that share an ending, the first is meant by it."""


def find_format(to: Path, name: str | None = None) -> Format:
    """Return the format of a name, else of the ending of a file.

    Raises
    ------
    ConfigError
        When there is none.
    """
    if name is not None:
        found = next((one for one in FORMATS if one.name == name.lower()), None)
        near = difflib.get_close_matches(name.lower(), [one.name for one in FORMATS], 1)
        if found is None:
            meant = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(f"no format {name!r}", f"{meant}`vcn export --list` has all")
        return found
    for one in FORMATS:
        if one.suffix and to.name.lower().endswith(one.suffix):
            return one
    raise ConfigError(
        f"no format ends in {to.suffix or 'nothing'}: {to}",
        "say which one with --format; `vcn export --list` has all",
    )
