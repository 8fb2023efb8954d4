"""A decision in words: as the command that says it."""

from __future__ import annotations

import json

from videoclusternet.edits.edit import NEW, PAST, UNKNOWN, Edit
from videoclusternet.edits.state import State


def command(edit: Edit, state: State) -> str:
    """Return an edit as its command, with the numbers that tracks and characters have now.

    A track that is not there any more is shown by its frame, or by its name.
    """
    if edit.verb == PAST:
        return edit.text or "of somebody who was forgotten"
    words = [edit.verb, *(_character(key, edit, state) for key in edit.characters)]
    for anchor in edit.tracks:
        row = state.base.row(anchor)
        place = anchor.name or f"in-frame-{anchor.frame}"
        words += ["--track", str(row) if row >= 0 else place]
    if edit.verb == "move":
        known = edit.to in (NEW, UNKNOWN)
        words += ["--to", edit.to if known else _character(edit.to, edit, state)]
    elif edit.verb == "cover" and edit.to:
        words += ["--frame", edit.to]
    elif edit.verb in ("name", "note", "recognise"):
        words.append(json.dumps(edit.text, ensure_ascii=False))
    return " ".join(words)


def _character(key: str, edit: Edit, state: State) -> str:
    row = state.said_of(key, edit.base)
    return str(state.people[row].number) if row >= 0 else f"(earlier {key})"
