"""Damaged logs of corrections: every line that was acknowledged counts, or the log is refused.

A log is spoiled in every way that files of a run are, and line by line: values of other kinds,
lines that are missing, twice, or in another order.  Whatever is read must be a beginning of what
was decided; whatever is written must leave what was there.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.attack.campaign import Family
from tests.attack.case import Case, Place, in_child
from tests.attack.material import Material, copied
from tests.attack.runs.folders import SPOILS, VALUES, Spoil, places_of, replaced
from videoclusternet.result.edit_log import EDITS, SEAL
from videoclusternet.result.result import open_run


def decide(run: Path, undo: bool) -> int:
    """Take some decisions, one of them back; 0 once they are on disk."""
    edits = open_run(run).edits
    edits.name(1, "Anna")
    edits.note(1, "in the red coat")
    edits.not_a_face([2])
    edits.move([0], "new")
    if undo:
        edits.undo()
    edits.hide(2)
    edits.confirm([1])
    return 0


def edited(
    material: Material, place: Place, undo: bool = True
) -> tuple[Path, list[dict[str, Any]]]:
    """Return a run with decisions, and what its log says of them, line by line."""
    run = copied(material.film_run, place.folder / "run.vcn")
    outcome = in_child(lambda: decide(run, undo), place.folder)
    assert outcome.code == 0, outcome.err
    return run, logged(place, run)


def logged(place: Place, run: Path) -> list[dict[str, Any]]:
    """Return what ``vcn edit log`` says; nothing where the log is refused."""
    said = place.vcn("edit", run, "log", "--json", codes=(0, 5))
    return [json.loads(line) for line in said.out.splitlines()] if said.code == 0 else []


def look_and_decide(place: Place, run: Path, before: list[dict[str, Any]], whole: bool) -> None:
    """Read a damaged log, decide once more, and see that nothing acknowledged was lost."""
    path = run / EDITS
    shown = place.vcn("show", run, "--json", codes=(0, 5))
    kept = logged(place, run)
    if whole:  # nothing was taken back: what holds is a beginning of what was said
        place.must(kept == before[: len(kept)], f"{len(kept)} lines that were never said")
    bytes_before = path.read_bytes() if path.is_file() and path.stat().st_size < 1 << 20 else b""
    more = place.vcn("edit", run, "note", "1", "once more", codes=(0, 2, 5))
    place.must(shown.code == 5 or more.code != 5, "shown, but not written to")
    if more.code == 0 and kept:
        after = path.read_bytes()
        lines = bytes_before[: bytes_before.rfind(b"\n") + 1]
        place.must(after.startswith(lines), "a whole line is gone")


def spoiled_logs(material: Material, rng: random.Random) -> Iterator[Case]:
    """The file, in every way."""
    for spoil in SPOILS:
        for number in range(3):

            def attack(place: Place, spoil: Spoil = spoil) -> None:
                run, before = edited(material, place)
                spoil(run / EDITS, place.rng)
                look_and_decide(place, run, before, whole=False)

            yield Case(f"{spoil.__name__} {number}", attack)


def torn_logs(material: Material, rng: random.Random) -> Iterator[Case]:
    """A log that ends at any byte, as a crash leaves it: all whole lines count."""
    for number in range(20):

        def attack(place: Place) -> None:
            run, before = edited(material, place, undo=False)
            data = (run / EDITS).read_bytes()
            cut = place.rng.randrange(1, len(data))
            (run / EDITS).write_bytes(data[:cut])
            look_and_decide(place, run, before, whole=True)

        yield Case(f"cut {number}", attack)


def changed_lines(material: Material, rng: random.Random) -> Iterator[Case]:
    """Values of other kinds, with the checksum that they would have."""
    for number in range(60):
        yield Case(f"value {number}", partial(_with_value, material))
    for what in ("twice", "missing", "swapped"):
        for number in range(3):
            yield Case(f"line {what} {number}", partial(_with_lines, material, what))


def _with_value(material: Material, place: Place) -> None:
    run, before = edited(material, place)
    lines = (run / EDITS).read_bytes().splitlines()
    row = place.rng.randrange(len(lines))
    value = json.loads(lines[row])
    del value["crc"]
    new = replaced(value, place.rng.choice(list(places_of(value))), place.rng.choice(VALUES))
    text = json.dumps(new, separators=(",", ":")).encode()
    lines[row] = text[:-1] + SEAL % zlib.crc32(text)
    (run / EDITS).write_bytes(b"\n".join([*lines, b""]))
    look_and_decide(place, run, before, whole=False)


def _with_lines(material: Material, what: str, place: Place) -> None:
    run, before = edited(material, place)
    lines = (run / EDITS).read_bytes().splitlines()
    row = place.rng.randrange(len(lines) - 1)
    other = place.rng.randrange(len(lines))
    swapped = lines.copy()
    swapped[row], swapped[other] = lines[other], lines[row]
    changed = {
        "twice": [*lines[:row], lines[row], *lines[row:]],
        "missing": [*lines[:row], *lines[row + 1 :]],
        "swapped": swapped,
    }[what]
    (run / EDITS).write_bytes(b"\n".join([*changed, b""]))
    look_and_decide(place, run, before, whole=False)


FAMILY: Family = {"spoiled": spoiled_logs, "torn": torn_logs, "lines": changed_lines}
