"""The log of decisions without one person: the others' are said again, what was before settled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from videoclusternet.edits.base import Base
from videoclusternet.edits.edit import FORGET, PAST, STEPS, Edit
from videoclusternet.edits.retold import retold
from videoclusternet.edits.state import State
from videoclusternet.edits.words import command
from videoclusternet.result.edit_log import SETTLED, Line, sealed
from videoclusternet.types.arrays import Bools

BLANK = "[forgotten]"
"""What stands in notes in place of a name."""


@dataclass(frozen=True)
class Whom:
    """Who is forgotten, as the log has it.

    Attributes
    ----------
    row : int
        Of ``state.people``.
    gone : bool, shape (T,)
        Tracks.
    name : str
        Empty where there is none.
    """

    row: int
    gone: Bools
    name: str


def log_without(
    lines: Iterable[Line],
    state: State,
    done: Sequence[Edit],
    whom: Whom,
    base: Base,
    time: str,
    author: str,
) -> bytes:
    """Return a log that says of a new base what holds of everybody else.

    Earlier lines stay by number, author and time, with what they said of others in words; they
    are done no more.

    Parameters
    ----------
    lines : iterable of Line
        All that there are.
    state : State
        What they make of the clustering.
    done : sequence of Edit
        Those that hold.
    whom : Whom
    base : Base
        The cast as it is shown without that person.
    time, author : str
        Of whoever says so.
    """
    records: list[dict[str, Any]] = []
    blank: set[int] = set()
    for line in lines:
        if isinstance(line, Edit):
            past = _past(line, state, whom, blank)
            if not past.text:
                blank.add(line.id)
            records.append(past.record())
        else:
            records.append(_base(line[0], Base((), *3 * (base.character[:0],))))
    records.append({**_base(len(records) + 1, base), "time": time})
    number = len(records)
    for edit in [*retold(state, done, whom.gone, whom.row), Edit(FORGET)]:
        said = edit._replace(text=unnamed(edit.text, whom.name)) if edit.verb == "note" else edit
        when, who = (said.time, said.author) if said.time else (time, author)
        records.append(said.signed(len(records) + 1, when, who, number).record())
    return b"".join(map(sealed, records))


def _base(number: int, base: Base) -> dict[str, Any]:
    return {"id": number, "format": SETTLED, "verb": "base", **base.record()}


def _past(edit: Edit, state: State, whom: Whom, blank: set[int]) -> Edit:
    """Return a line that keeps on record what was decided, of others than the person alone."""
    past = Edit(PAST, id=edit.id, time=edit.time, author=edit.author)
    if edit.verb == FORGET:
        return edit
    if edit.verb == PAST:
        about = {state.key(key) for key in edit.characters}
        return past if whom.row in about or _names(edit, whom) else edit
    if edit.verb in STEPS:
        return past if edit.of in blank else past._replace(text=f"{edit.verb} of edit {edit.of}")
    rows = {state.said_of(key, edit.base) for key in (*edit.characters, edit.to)} - {-1}
    here = edit.base == state.line
    tracks = [state.base.row(track) for track in edit.tracks] if here else []
    if whom.row in rows or any(whom.gone[t] for t in tracks if t >= 0) or _names(edit, whom):
        return past
    if edit.verb == "note" or (edit.tracks and not here):
        edit = edit._replace(text="", tracks=())
    keys = tuple(str(state.people[row].number) for row in sorted(rows))
    return past._replace(characters=keys, text=command(edit, state))


def _names(edit: Edit, whom: Whom) -> bool:
    return bool(whom.name) and unnamed(edit.text, whom.name) != edit.text


def unnamed(text: str, name: str) -> str:
    """Return a text with a name blanked, where it stands as a word."""
    if not name:
        return text
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", BLANK, text, flags=re.IGNORECASE)
