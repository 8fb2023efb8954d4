"""Run folders that are no folders, may not be entered, or hold links and folders for files."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.attack.case import Case, Place
from tests.attack.material import QUICK, Material, copied

Make = Callable[[Place, Material], None]
NOBODY = 65534
BRIEF = ("--set", "adapt.rounds=1", "--set", "adapt.epochs=1", "--set", "adapt.batch=8")
COMMANDS: dict[str, tuple[str, ...]] = {
    "show": ("show", "run.vcn"),
    "cluster": ("cluster", "FILM", "-o", "run.vcn", *QUICK),
    "adapt": ("adapt", "run.vcn", *QUICK, *BRIEF),
    "from-run": ("dataset", "from-run", "run.vcn", "set"),
}


def _run(place: Place, material: Material) -> Path:
    return copied(material.film_run, place.folder / "run.vcn")


def a_fifo(place: Place, material: Material) -> None:
    """Put a pipe in place of the folder."""
    os.mkfifo(place.folder / "run.vcn")


def a_file(place: Place, material: Material) -> None:
    """Put a file in place of the folder."""
    (place.folder / "run.vcn").write_bytes(b"run")


def locked_up(place: Place, material: Material) -> None:
    """Let nobody into the folder."""
    _run(place, material).chmod(0)


def unreadable(place: Place, material: Material) -> None:
    """Let nobody read run.json."""
    run = _run(place, material)
    (run / "run.json").chmod(0)


def read_only(place: Place, material: Material) -> None:
    """Let nobody write."""
    (_run(place, material) / "parts").chmod(0o555)


def in_a_loop(place: Place, material: Material) -> None:
    """Let the folder be a link to itself."""
    (place.folder / "run.vcn").symlink_to("run.vcn")


def elsewhere(inner: str) -> Make:
    """Let something inside be a link to what is mine."""

    def make(place: Place, material: Material) -> None:
        mine = place.folder / "mine"
        mine.write_bytes(b"mine")
        run = _run(place, material)
        if (run / inner).is_file():
            (run / inner).unlink()
        (run / inner).symlink_to(mine)
        for path in (place.folder, run, *run.rglob("*"), mine):
            if not path.is_symlink():
                os.chown(path, NOBODY, NOBODY)

    return make


def a_folder(inner: str) -> Make:
    """Let there be a folder where a file is written."""

    def make(place: Place, material: Material) -> None:
        run = _run(place, material)
        (run / inner / "x").mkdir(parents=True)
        for path in (place.folder, run, *run.rglob("*")):
            os.chown(path, NOBODY, NOBODY)

    return make


PLACES: dict[str, Make] = {
    "a pipe": a_fifo,
    "a file": a_file,
    "no permission": locked_up,
    "run.json unreadable": unreadable,
    "a loop": in_a_loop,
    "nothing there to write": read_only,
    **{f"{name} a link": elsewhere(name) for name in (".run.json.tmp", ".cast.html.tmp", "lock")},
    **{f"{name} a folder": a_folder(name) for name in (".cast.html.tmp", ".crops.zip.tmp")},
}
HARMLESS = {name for name in PLACES if "link" in name or "a folder" in name or "write" in name}
"""These can still be read, or are no obstacle."""


def where(material: Material, rng: random.Random) -> Iterator[Case]:
    """Run folders that are no folders, may not be entered, or lie in strange places."""
    for name, make in PLACES.items():
        for command in COMMANDS:
            codes = (0, 5) if name in HARMLESS else (5,)
            words = [material.film if word == "FILM" else word for word in COMMANDS[command]]
            yield Case(f"{name}, {command}", partial(_as_nobody, material, make, words, codes))


def _as_nobody(
    material: Material, make: Make, words: list[str | Path], codes: tuple[int, ...], place: Place
) -> None:
    make(place, material)
    place.vcn(*words, codes=codes, before=partial(os.seteuid, NOBODY))
    mine = place.folder / "mine"
    place.must(not mine.exists() or mine.read_bytes() == b"mine", "a file was changed")
