"""Exports of libraries that were tampered with, odd names of people, photographs that are none."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.attack.case import Case, Place
from tests.attack.material import Material
from tests.attack.runs.folders import SPOILS, TEXTS, VALUES, Spoil, places_of, replaced
from tests.attack.runs.libraries import FILE, READS, laid_out, library, library_says, used
from tests.attack.runs.zips import BOMBS, pictures

HEAD = "library.json"
NAMES = (
    "",
    " ",
    "12",
    "new",
    "unknown",
    "Character 1",
    "a\nb",
    "\x1b[31mred",
    "\u202egnp.exe",
    "../../x",
    "-x",
    "%s {0} $x",
    "'; DROP TABLE person; --",
    "ﬁ",
    "İ",
    "\u0301",
    "😀" * 200,
    "x" * 5000,
)
"""Of people."""


def sealed(
    source: Path, to: Path, change: Callable[[dict[str, Any], dict[str, bytes]], Any]
) -> None:
    """Copy an export, changed, with the sums that it would have."""
    with zipfile.ZipFile(source) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    head = json.loads(files.pop(HEAD))
    head = change(head, files) or head
    if isinstance(head, dict) and isinstance(head.get("sha256"), dict):
        head["sha256"] |= {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    with zipfile.ZipFile(to, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        archive.writestr(zipfile.ZipInfo(HEAD), json.dumps(head).encode())


def exports(material: Material, rng: random.Random) -> Iterator[Case]:
    """Exports that are damaged, or were tampered with and sealed again."""
    clean = library(material).parent / "clean.zip"
    for spoil in SPOILS:
        yield Case(spoil.__name__, partial(_import, material, spoil))
    for name, make in BOMBS.items():
        yield Case(name, partial(_import, material, lambda p, r, make=make: p.write_bytes(make())))
    with zipfile.ZipFile(clean) as archive:
        every = json.loads(archive.read(HEAD))
        jpeg = next(archive.read(n) for n in archive.namelist() if n.endswith(".jpg"))
    for name, text in TEXTS.items():
        yield Case(f"head {name}", partial(_import, material, partial(_with_head, clean, text)))
    wanted = [path for path in places_of(every) if "sha256" not in path]
    for number, path in enumerate(wanted):
        value = rng.choice((*VALUES, *NAMES[:8], 2**31 - 1, -0.0, 1e30))

        def change(head: Any, files: Any, path: Any = path, value: Any = value) -> Any:
            return replaced(head, path, value)

        name = ".".join(map(str, path))
        spoil = partial(_resealed, clean, change)
        yield Case(f"{number} {name} = {str(value)[:20]!a}", partial(_import, material, spoil))
    for name, data in pictures(jpeg).items():
        spoil = partial(_resealed, clean, partial(_with_picture, data))
        yield Case(f"picture {name}", partial(_import, material, spoil))
    for name, array in ARRAYS.items():
        spoil = partial(_resealed, clean, partial(_with_embeddings, array))
        yield Case(f"embeddings {name}", partial(_import, material, spoil))


def _with_head(clean: Path, text: bytes, path: Path, rng: random.Random) -> None:
    with zipfile.ZipFile(clean) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), text if name == HEAD else old.read(name))


def _resealed(clean: Path, change: Any, path: Path, rng: random.Random) -> None:
    sealed(clean, path, change)


def _with_picture(data: bytes, head: Any, files: dict[str, bytes]) -> None:
    old = next(name for name in files if name.endswith(".jpg"))
    digest = hashlib.sha256(data).hexdigest()
    files[f"pictures/{digest}.jpg"] = data
    del files[old], head["sha256"][old]
    for row in head["models"][0]["exemplars"]:
        row["picture"] = digest if row["picture"] in old else row["picture"]


def _with_embeddings(make: Callable[[Any], Any], head: Any, files: dict[str, bytes]) -> None:
    name = "embeddings/0.npy"
    stream = io.BytesIO()
    np.save(stream, make(np.load(io.BytesIO(files[name]))), allow_pickle=True)
    files[name] = stream.getvalue()


ARRAYS: dict[str, Callable[[Any], Any]] = {
    "of zeros": lambda a: a * 0,
    "not finite": lambda a: a * np.float16("nan"),
    "of infinite length": lambda a: a + np.float16("inf"),
    "too long": lambda a: a * 3,
    "of doubles": lambda a: a.astype("f8"),
    "big endian": lambda a: a.astype(">f2"),
    "by columns": np.asfortranarray,
    "of objects": lambda a: a.astype(object),
    "of one more": lambda a: np.concatenate([a, a[:1]]),
    "of nobody": lambda a: a[:0],
    "flat": np.ravel,
}


def _import(material: Material, spoil: Spoil, place: Place) -> None:
    laid_out(material, place)
    spoil(place.folder / "clean.zip", place.rng)
    (place.folder / FILE).rename(place.folder / "first.db")
    place.vcn("library", "rename", "Anna", "Ann", "--library", "first.db", codes=(0,))
    library_says(place, "import", "clean.zip", file="first.db")
    known = place.vcn("library", "list", "--json", "--library", "first.db", codes=(0,))
    place.must("Ann" in known.out, "who was there is gone")
    made = place.vcn("library", "import", "clean.zip", "--library", FILE, codes=(0, 2, 5))
    if made.code == 0:
        place.vcn("library", "verify", "--library", FILE, codes=(0,))
        used(material, place, (READS[1], *READS[3:6]), ())


def names(material: Material, rng: random.Random) -> Iterator[Case]:
    """Odd names of people, and photographs that are none."""
    for name in NAMES:

        def attack(place: Place, name: str = name) -> None:
            laid_out(material, place)
            done = library_says(place, "rename", "Anna", "--", name)
            if done.code == 0:
                library_says(place, "show", "--", name)
                library_says(place, "export", "out.zip")
                place.vcn("library", "import", "out.zip", "--library", "new.db", codes=(0,))
                lists = [
                    place.vcn("library", "list", "--json", "--library", of, codes=(0,)).out
                    for of in (FILE, "new.db")
                ]
                place.must(lists[0] == lists[1], "handed on, the library says something else")
                used(material, place, READS[1:2], (("forget", "--yes", "--", name),))
            library_says(place, "note", "Bo", "--", name)
            library_says(place, "verify")

        yield Case(ascii(name[:20]), attack)
    with zipfile.ZipFile(library(material).parent / "clean.zip") as archive:
        jpeg = next(archive.read(n) for n in archive.namelist() if n.endswith(".jpg"))
    for what, data in pictures(jpeg).items():

        def photos(place: Place, data: bytes = data) -> None:
            laid_out(material, place)
            (place.folder / "photos").mkdir()
            (place.folder / "photos" / "Cleo.jpg").write_bytes(data)
            said = place.vcn("library", "people", "photos", "--library", FILE, codes=(0, 6))
            place.must(said.code != 0 or "Cleo" in said.out, "nobody came, and nothing is said")
            library_says(place, "verify")

        yield Case(f"photograph: {what}", photos)


EXPORTS = {"exports": exports, "names": names}
