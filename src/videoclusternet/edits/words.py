"""A decision in words: as the command that says it."""

from __future__ import annotations

import json

from videoclusternet.edits.edit import NEW, UNKNOWN, Edit
from videoclusternet.edits.state import State


def command(edit: Edit, state: State) -> str:
    """Return an edit as its command, with the numbers that tracks and characters have now.

    A track that is not there any more is shown by its frame, or by its name.
    """
    words = [edit.verb, *(_character(key, state) for key in edit.characters)]
    for anchor in edit.tracks:
        row = state.base.row(anchor)
        place = anchor.name or f"in-frame-{anchor.frame}"
        words += ["--track", str(row) if row >= 0 else place]
    if edit.verb == "move":
        words += ["--to", edit.to if edit.to in (NEW, UNKNOWN) else _character(edit.to, state)]
    elif edit.verb == "cover" and edit.to:
        words += ["--frame", edit.to]
    elif edit.verb in ("name", "note"):
        words.append(json.dumps(edit.text, ensure_ascii=False))
    return " ".join(words)


def _character(key: str, state: State) -> str:
    row = state.key(key)
    return str(state.people[row].number) if row >= 0 else key
