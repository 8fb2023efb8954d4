"""How far a batch is: for people a table of what is to be looked at, for programs everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from videoclusternet.batch.record import ENDED, STATES, Record, is_driven, read_records
from videoclusternet.outside.text import say
from videoclusternet.show.terminal import print_json, print_table, table_of
from videoclusternet.show.words import several

NEXT = 10
"""Waiting films that are named, at most."""


def counts(records: Iterable[Record]) -> dict[str, int]:
    """Return how many films there are in each state; states that none is in are left out."""
    found = Counter(record.state for record in records)
    return {state: found[state] for state in STATES if found[state]}


def count_words(records: Mapping[str, Record]) -> str:
    """Say how many films there are, and in which states."""
    every = counts(records.values())
    return ", ".join(
        [several(len(records), "film"), *(f"{count} {state}" for state, count in every.items())]
    )


def print_status(folder: Path, as_json: bool) -> None:
    """Print how far a batch is.

    Raises
    ------
    StoreError
        When there is none, or it is damaged.
    """
    records = read_records(folder)
    driven = is_driven(folder)
    if as_json:
        print_json(as_dict(records, driven))
        return
    say(count_words(records))
    if not driven and len(records) > sum(one.state in ENDED for one in records.values()):
        say("nobody works on it: the same `vcn batch` goes on")
    print_reasons(records, driven)


def as_dict(records: Mapping[str, Record], driven: bool) -> dict[str, Any]:
    """Return a batch as JSON-able values."""
    films = [asdict(record) for record in records.values()]
    return {"driven": driven, "counts": counts(records.values()), "films": films}


def print_reasons(records: Mapping[str, Record], driven: bool = False) -> None:
    """Print films that are not done, each with its reason; of those that wait the next ones."""
    waiting = [one for one in records.values() if one.state == "waiting"][:NEXT]
    running = [one for one in records.values() if one.state == "running"]
    bad = [one for one in records.values() if one.state in ENDED and one.state != "done"]
    waiting = [one for one in waiting if driven or one.reason]  # why none could be begun
    shown = [*bad, *(running if driven else []), *waiting]
    if not shown:
        return
    table = table_of("film", "state", "code", "tries", "reason", left=5)
    names = Counter(Path(one.film).name for one in records.values())
    for one in shown:
        path = Path(one.film)
        name = path.name if names[path.name] == 1 else f"{path.parent.name}/{path.name}"
        code = "" if one.code is None else str(one.code)
        reason = f"on {one.where}" if one.state == "running" and one.where else one.reason
        table.add_row(name, one.state, code, str(one.tries or ""), reason)
    print_table(table)
