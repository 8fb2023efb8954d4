"""Tables for people and JSON for programs, on standard output."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from videoclusternet.outside.text import json_line, printable
from videoclusternet.result.characters import Character, characters
from videoclusternet.result.result import Result
from videoclusternet.show.hints import Hint, hints, sure_faces
from videoclusternet.show.timeline import time_of
from videoclusternet.show.words import span, surely


class PlainTable(Table):
    """A table whose cells are text: a terminal only shows it."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row of texts."""
        super().add_row(*map(printable, cells), **options)


def table_of(*columns: str, left: int = 1) -> Table:
    """Begin a table; the first ``left`` columns are flush left, the others right."""
    table = PlainTable(box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i < left else "right", overflow="fold")
    return table


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal."""
    Console(highlight=False, soft_wrap=False, markup=False).print(table)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    print(json_line(value))


def print_cast(result: Result, as_json: bool) -> None:
    """Print one row per character, the Unknown last."""
    cast = characters(result)
    if as_json:
        print_json([_as_dict(result, character) for character in cast])
        return
    if not cast:
        seen = bool(sure_faces(result))
        print("no track: the cast is empty" if seen else "no face was found: the cast is empty")
        _print_hints(hints(result))
        return
    known = any(person.known for person in result.people.values())
    kind = ["known as"] if known else []
    table = table_of(
        "character", *kind, "tracks", "screen time", "first", "last", "likely wrong", left=1 + known
    )
    for c in cast:
        if c.hidden:
            continue
        first, last = c.spans[0], c.spans[-1]
        table.add_row(
            c.name,
            *([_kind(result, c)] if known else []),
            str(len(c.tracks)),
            span(c.seconds),
            time_of(result, first.film, first.first),
            time_of(result, last.film, last.end),
            "" if c.index < 0 else f"{c.expected_wrong:.1f}",
        )
    print_table(table)
    if hidden := [c.name for c in cast if c.hidden]:
        print(f"hidden: {printable(', '.join(hidden))}")
    _print_hints(hints(result))


def _kind(result: Result, c: Character) -> str:
    """Say how a library knows a character, and how surely."""
    sure = f" {surely(result.people[c.index].sure)}" if c.kind in ("regular", "guest") else ""
    return c.kind + sure


def _print_hints(found: list[Hint]) -> None:
    """Print what is shaky, each with the command that helps on a line of its own, to copy."""
    for hint in found:
        print(f"\nnote: {printable(hint.text)}")
        if hint.command:
            print(f"  {printable(hint.command)}")


def _as_dict(result: Result, c: Character) -> dict[str, Any]:
    return {
        "character": c.index,
        "name": c.name,
        "hidden": c.hidden,
        "known": _known(result, c),
        "tracks": c.tracks.tolist(),
        "seconds": round(c.seconds, 3),
        "confidence": None if c.index < 0 else round(c.confidence, 4),
        "expected_wrong": None if c.index < 0 else round(c.expected_wrong, 4),
        "spans": [
            {
                "film": result.films[s.film].name,
                "start": round(s.start, 3),
                "stop": round(s.stop, 3),
            }
            for s in c.spans
        ],
    }


def _known(result: Result, c: Character) -> dict[str, Any] | None:
    person = result.people[c.index] if c.index >= 0 else None
    if person is None or not person.known:
        return None
    return {"person": person.known, "kind": person.kind, "confidence": person.sure}


def print_candidates(result: Result, as_json: bool) -> None:
    """Print every candidate reading, the chosen one marked."""
    c = result.candidates
    rows = [
        (name, float(stability), int(count), float(scale))
        for name, stability, count, scale in zip(
            c.names, c.stability, c.characters, c.scale, strict=True
        )
    ]
    if as_json:
        print_json(
            [
                {
                    "name": n,
                    "stability": None if s != s else round(s, 4),
                    "characters": k,
                    "scale": None if f != f else round(f, 4),
                    "chosen": n == result.cast.chosen,
                }
                for n, s, k, f in rows
            ]
        )
        return
    table = table_of("candidate", "stability", "characters", "scale", "")
    for name, stability, count, scale in rows:
        table.add_row(
            name,
            "" if stability != stability else f"{stability:.3f}",
            str(count),
            "" if scale != scale else f"{scale:.2f}",
            "chosen" if name == result.cast.chosen else "",
        )
    print_table(table)


def print_settings() -> None:
    """Print every setting as ``step.key``, its default and its meaning."""
    from videoclusternet.config import Config  # who prints a cast waits for no settings

    table = table_of("setting", "default", "meaning", left=3)
    defaults = Config()
    for step, field in Config.model_fields.items():
        value = getattr(defaults, step)
        if not hasattr(value, "model_dump"):
            table.add_row(step, str(value), field.description or "")
            continue
        for key, inner in type(value).model_fields.items():
            table.add_row(f"{step}.{key}", str(getattr(value, key)), inner.description or "")
    print_table(table)
