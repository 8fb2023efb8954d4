"""What the page may ask for: checked before anything is done."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from videoclusternet.edits.edit import MOST_TEXT
from videoclusternet.errors import ConfigError

Verb = Literal[
    "name", "merge", "move", "split", "not", "not-a-face", "confirm", "apart", "lock", "unlock",
    "hide", "unhide", "cover", "note", "undo", "redo",
]  # fmt: skip
LARGEST = 2**31 - 1


class Said(BaseModel):
    """A decision, as the page sends it.

    Attributes
    ----------
    revision : int
        Lines of the log that whoever decides has seen.
    verb : str
    characters, tracks : list of int
        Numbers as shown.
    to : int or str
        Of move: a character, ``new`` or ``unknown``.
    text : str
        Of name and note.
    frame : int or None
        Of cover.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    revision: int = Field(ge=0, le=LARGEST)
    verb: Verb
    characters: list[int] = Field(default=[], max_length=2000)
    tracks: list[int] = Field(default=[], max_length=20_000)
    to: int | Literal["new", "unknown"] = 0
    text: str = Field(default="", max_length=MOST_TEXT)
    frame: int | None = Field(default=None, ge=0, le=LARGEST)

    @property
    def one(self) -> int:
        """The character, where one is needed."""
        return _one(self.characters, "character")

    @property
    def track(self) -> int:
        """The track, where one is needed."""
        return _one(self.tracks, "track")


class OnState(BaseModel):
    """Anything that holds for one state only.

    Attributes
    ----------
    revision : int
        Lines of the log that have been seen.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    revision: int = Field(ge=0, le=LARGEST)


class Skipped(BaseModel):
    """What is not to be asked about now.

    Attributes
    ----------
    skipped : list of str
        Keys of questions.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    skipped: list[Annotated[str, Field(max_length=16)]] = Field(default=[], max_length=4000)


class OfFilm(BaseModel):
    """Anything about one film.

    Attributes
    ----------
    film : int
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    film: int = Field(ge=0, le=LARGEST)


def _one(values: list[int], what: str) -> int:
    if len(values) != 1:
        raise ConfigError(f"{len(values)} {what}s are named", f"name one {what}")
    return values[0]
