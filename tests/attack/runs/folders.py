"""Damaged run folders: every file of a finished run is spoiled, then read and gone on with.

Whatever happens, a result equals the clean one or a typed error says what is damaged; and a
command that computes anew ends with the clean result.
"""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.attack.campaign import Family
from tests.attack.case import Case, Place
from tests.attack.material import QUICK, Material, copied, differences
from tests.attack.runs import places as folder_places
from tests.attack.runs import tables as folder_tables
from videoclusternet.runfolder.manifest import FORMAT, manifest_text

Spoil = Callable[[Path, random.Random], None]


def truncated(path: Path, rng: random.Random) -> None:
    """Cut the end off."""
    os.truncate(path, rng.randrange(path.stat().st_size))


def emptied(path: Path, rng: random.Random) -> None:
    """Keep no byte."""
    os.truncate(path, 0)


def flipped(path: Path, rng: random.Random) -> None:
    """Turn over a bit in each of a few bytes."""
    data = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def zeroed(path: Path, rng: random.Random) -> None:
    """Fill a stretch with zeros, as a broken disk does."""
    data = bytearray(path.read_bytes())
    start = rng.randrange(len(data))
    stop = min(len(data), start + rng.randint(1, 4096))
    data[start:stop] = bytes(stop - start)
    path.write_bytes(data)


def deleted(path: Path, rng: random.Random) -> None:
    """Take away."""
    path.unlink()


def noise(path: Path, rng: random.Random) -> None:
    """Put random bytes of the same number in place of it."""
    path.write_bytes(rng.randbytes(path.stat().st_size))


def swapped(path: Path, rng: random.Random) -> None:
    """Take the bytes of another file of the run."""
    others = sorted(p for p in path.parent.iterdir() if p.is_file() and p.stat().st_size)
    shutil.copyfile(rng.choice([p for p in others if p != path]), path)


def folder_instead(path: Path, rng: random.Random) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


def fifo_instead(path: Path, rng: random.Random) -> None:
    """Put a pipe in its place that nobody writes to."""
    path.unlink()
    os.mkfifo(path)


def link_to_nothing(path: Path, rng: random.Random) -> None:
    """Put a link in its place that leads nowhere."""
    path.unlink()
    path.symlink_to("nowhere")


def link_to_itself(path: Path, rng: random.Random) -> None:
    """Put a link in its place that leads to itself."""
    path.unlink()
    path.symlink_to(path.name)


def endless(path: Path, rng: random.Random) -> None:
    """Put a link to endless bytes in its place."""
    path.unlink()
    path.symlink_to("/dev/zero")


SPOILS: tuple[Spoil, ...] = (
    truncated,
    emptied,
    flipped,
    zeroed,
    deleted,
    noise,
    swapped,
    folder_instead,
    fifo_instead,
    link_to_nothing,
    link_to_itself,
    endless,
)


def leave(place: Place, run: Path, to: Path) -> None:
    """Write what leaves a run: whole, or a typed error and nothing."""
    words: dict[str, tuple[str | Path, ...]] = {
        ".csv": ("export", run, "--to", to),
        ".mp4": ("render", run, "-o", to, "-q"),
        ".html": ("report", run, "-o", to),
        "": ("export", run, "--to", to, "--format", "faces"),
    }
    made = place.vcn(*words[to.suffix], codes=(0, 2, 3, 5))
    there = (place.folder / to).exists()
    place.must(there == (made.code == 0), f"{to}: exit code {made.code}, there: {there}")


def read_and_go_on(place: Place, run: Path, clean: Path, *again: str | Path) -> None:
    """Show a damaged run, then call the command that made it."""
    said = place.vcn("show", run, "--json", codes=(0, 5))
    if said.code == 0:
        told = place.vcn("show", clean, "--json")
        place.must(said.out == told.out, f"vcn show {run.name} says something else")
    for to in ("cast.csv", "cast.mp4", "report.html", "faces"):
        leave(place, run, Path(to))
    made = place.vcn(*again, "-o", run, *QUICK, codes=(0, 5))
    if made.code == 0:
        wrong = differences(run, clean)
        place.must(not wrong, f"made again, the run differs: {wrong}")


def spoiled_files(material: Material, rng: random.Random) -> Iterator[Case]:
    """Every file of a run over a film, in every way."""
    clean = material.film_run
    for path in sorted(p for p in clean.rglob("*") if p.is_file() and p.stat().st_size):
        for spoil in SPOILS:
            name = path.relative_to(clean)

            def attack(place: Place, name: Path = name, spoil: Spoil = spoil) -> None:
                run = copied(clean, place.folder / "run.vcn")
                spoil(run / name, place.rng)
                read_and_go_on(place, run, clean, "cluster", material.film)

            yield Case(f"{name} {spoil.__name__}", attack)


VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**400,
    0.5,
    float("inf"),
    float("nan"),
    "",
    "../../x",
    "a\0b",
    "\ud800",
    [],
    [[]],
    {},
    {"": {}},
)
"""In place of a value of run.json."""
TEXTS = {
    "1e999": b'{"format": 1e999}',
    "deep": b"[" * 100_000,
    "deep objects": b'{"steps":' * 50_000,
    "not UTF-8": b'{"format": 2, "steps": {"\xff": 1}}',
    "a number of 10,000 digits": b'{"format": ' + b"9" * 10_000 + b"}",
    "UTF-16": '{"format": 2}'.encode("utf-16"),
    "a list": b"[2]",
    "a text": b'"run"',
    "twice": f'{{"format": 2, "format": {FORMAT}, "steps": {{}}}}'.encode(),
    "a newer format": b'{"format": 99, "steps": {}}',
    "an older format of strange films": b'{"format": 1, "steps": 5, "films": [1]}',
    "no film": manifest_text({"format": FORMAT, "steps": {}}).encode(),
}
"""In place of run.json."""


def places_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return where the values of nested lists and mappings are."""
    yield path
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places_of(one, (*path, key))


def replaced(manifest: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a value with another one in one place."""
    if not path:
        return value
    found = manifest
    for key in path[:-1]:
        found = found[key]
    found[path[-1]] = value
    return manifest


def manifests(material: Material, rng: random.Random) -> Iterator[Case]:
    """A run.json that is damaged, or holds something else in a place that is read."""
    clean = material.film_run
    for name, text in TEXTS.items():
        yield Case(name, partial(_with_manifest, material, text, False))
    yield Case("300 MB", partial(_with_manifest, material, b"{}", False, longer=300 << 20))
    every = json.loads((clean / "run.json").read_text(encoding="utf-8"))
    unread = {"notes", "params", "seconds", "version", "versions", "config"}
    places = [path for path in places_of(every) if not unread & set(path)]
    for path in places:
        value = rng.choice(VALUES)
        new = replaced(copy.deepcopy(every), path, value)
        text = manifest_text(new) if isinstance(new, dict) else json.dumps(new)
        changed = text.encode()
        name = ".".join(map(str, path)) or "all of it"
        record = "inputs" in path  # says what a step was made of: its fingerprint decides
        attack = partial(_with_manifest, material, changed, record)
        yield Case(f"{name} = {str(value)[:20]!a}", attack)


def _with_manifest(
    material: Material, text: bytes, record: bool, place: Place, longer: int = 0
) -> None:
    clean = material.film_run
    run = copied(clean, place.folder / "run.vcn")
    (run / "run.json").write_bytes(text)
    os.truncate(run / "run.json", len(text) + longer)
    outside = copied(material.film, place.folder / "x-mine")
    said = place.vcn("show", run, "--json", codes=(0, 5))
    if said.code == 0:
        place.must(bool(json.loads(said.out)), "an empty cast")
    made = place.vcn("cluster", material.film, "-o", run, *QUICK, codes=(0, 5))
    if made.code == 0:
        wrong = differences(run, clean)
        right = ("", "run.json") if record else ("",)
        place.must(wrong in right, f"made again, the run differs: {wrong}")
    place.must(outside.exists(), "a file outside is gone")


FAMILY: Family = {
    "spoiled files": spoiled_files,
    "run.json": manifests,
    "tables": folder_tables.strangers,
    "places": folder_places.where,
}
