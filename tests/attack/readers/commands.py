"""Odd things where a command reads a file: pipes, folders, devices, sockets, odd names."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.attack.campaign import Group
from tests.attack.case import CODES, Case, Place
from tests.attack.material import QUICK, Material
from tests.attack.readers import kept as reader_kept
from tests.attack.readers import models as reader_models
from tests.attack.readers import samples
from tests.attack.readers.samples import BOXED, CVAT, GIVEN, IDS, MOTTED, STITCHED, files
from tests.attack.runs.places import NOBODY

Odd = Callable[[Path], None]
SECONDS = 60


def pipe(path: Path) -> None:
    """Put a pipe there that nobody writes to."""
    os.mkfifo(path)


def folder(path: Path) -> None:
    """Put a folder there."""
    path.mkdir()


def nothing(path: Path) -> None:
    """Leave nothing there."""


def dangling(path: Path) -> None:
    """Put a link there that leads nowhere."""
    path.symlink_to("nowhere")


def loop(path: Path) -> None:
    """Put a link there that leads to itself."""
    path.symlink_to(path.name)


def too_long(path: Path) -> None:
    """Put a link there to a name that is too long."""
    path.symlink_to("x" * 300)


def zeros(path: Path) -> None:
    """Put a link there to bytes without end."""
    path.symlink_to("/dev/zero")


def terminal(path: Path) -> None:
    """Put a link there to a device that cannot be opened."""
    path.symlink_to("/dev/tty")


def plug(path: Path) -> None:
    """Put a socket there."""
    # By a short name: those of sockets may not be long.
    here = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f"/proc/self/fd/{here}/{path.name}")
    finally:
        os.close(here)


def empty(path: Path) -> None:
    """Put a file without a byte there."""
    path.touch()


def locked(path: Path) -> None:
    """Put a file there that nobody may read."""
    path.touch()
    path.chmod(0)


ODD: tuple[Odd, ...] = (
    *(pipe, folder, nothing, dangling, loop, too_long, zeros, terminal, plug, empty, locked),
)


@dataclass(frozen=True)
class Target:
    """A file that a command reads, and the command; ``FILE`` and ``RUN`` stand for paths."""

    make: Callable[[Path, Material], Path]
    words: tuple[str, ...]
    optional: bool = False


def a_model(place: Path, material: Material) -> Path:
    """Write an ONNX model with the file that says how to feed it."""
    model = reader_models.an_onnx(place, material)
    model.with_suffix(".json").write_text(reader_models.FEEDING, encoding="utf-8")
    return model


def beside_model(place: Path, material: Material) -> Path:
    """Return the file beside a model."""
    return a_model(place, material).with_suffix(".json")


JOIN = ("dataset", "join", "a.ids", "a.npz", "out")
TARGETS: dict[str, Target] = {
    "tracks.csv": Target(BOXED("tracks.csv"), ("dataset", "check", "FILE")),
    "dataset.json": Target(BOXED("dataset.json"), ("dataset", "check", "tracks.csv")),
    "folder of boxes": Target(BOXED("dataset.json"), ("dataset", "check", ".")),
    "gt.txt": Target(MOTTED("gt.txt"), ("dataset", "check", "FILE")),
    "seqinfo.ini": Target(MOTTED("seqinfo.ini"), ("dataset", "check", "gt.txt")),
    "names.csv": Target(MOTTED("names.csv"), ("dataset", "check", "gt.txt"), True),
    "--names": Target(MOTTED("names.csv"), ("dataset", "check", "gt.txt", "--names", "FILE")),
    "cvat": Target(files("a.xml", a__xml=CVAT), ("dataset", "check", "FILE", "--fps", "25")),
    "export": Target(BOXED("tracks.csv"), ("dataset", "export", "FILE", "out", "--form", "mot")),
    "ids": Target(files("a.ids", a__ids=IDS), ("dataset", "ids", "FILE")),
    "folder of ids": Target(files("a.ids", a__ids=IDS), ("dataset", "ids", ".")),
    "ids checked": Target(files("a.ids", a__ids=IDS), ("dataset", "check", "FILE")),
    "npz": Target(GIVEN("a.npz"), ("dataset", "check", "FILE")),
    "list beside npz": Target(GIVEN("a_tracks.csv"), ("dataset", "check", "a.npz"), True),
    "npz joined": Target(GIVEN("a.npz"), JOIN),
    "ids joined": Target(GIVEN("a.ids"), JOIN),
    "list joined": Target(GIVEN("a_tracks.csv"), JOIN, True),
    "mat joined": Target(
        files("a.mat", a__mat=samples.matlab(), a__ids=IDS),
        ("dataset", "join", "a.ids", "FILE", "out"),
    ),
    "npy joined": Target(
        files("7.npy", **{"7__npy": samples.plain(samples.FLOATS), "a__ids": IDS}),
        ("dataset", "join", "a.ids", ".", "out"),
    ),
    "crops": Target(samples.some_crops, ("cluster-tracks", "FILE", "-o", "out", *QUICK)),
    "--shots": Target(
        files("s.csv", s__csv=samples.LIST),
        ("cluster-tracks", "CROPS", "--shots", "FILE", "-o", "out", *QUICK),
    ),
    "boxes of a film": Target(
        BOXED("tracks.csv"),
        ("cluster-tracks", "FILE", "--film", "FILM", "-o", "out", *QUICK),
    ),
    "truth": Target(STITCHED("truth.csv"), ("score", "RUN", "FILE")),
    "folder of truth": Target(STITCHED("truth.csv"), ("score", "RUN", ".")),
    "shots of truth": Target(STITCHED("shots.csv"), ("score", "RUN", "truth.csv")),
    "settings": Target(
        files("a.toml", a__toml=""),
        ("cluster", "FILM", "-o", "out", "--config", "FILE", *QUICK), True
    ),
    "onnx": Target(a_model, ("cluster", "FILM", "-o", "out", "--backbone", "onnx=FILE", *QUICK)),
    "sidecar": Target(
        beside_model, ("cluster", "FILM", "-o", "out", "--backbone", "onnx=m.onnx", *QUICK), True
    ),
    "film": Target(
        files("a.mp4", a__mp4=b""), ("cluster", "FILE", "-o", "out", *QUICK)
    ),
    "results": Target(reader_kept.results, ("bench", "report", ".")),
    "partition": Target(
        lambda place, material: (reader_kept.results(place, material), reader_kept.partition(
            place, material))[1],
        ("bench", "pictures", "."),
    ),
    "stats of boxes": Target(BOXED("tracks.csv"), ("dataset", "stats", "FILE", "-q")),
    "stats of ids": Target(files("a.ids", a__ids=IDS), ("dataset", "stats", "FILE", "-q")),
    "bench of npz": Target(GIVEN("a_tracks.csv"), ("bench", "run", ".", "-o", "out", "-q")),
    "ablate": Target(GIVEN("a.npz"), ("ablate", ".", "-o", "out", "-q")),
}  # fmt: skip


def things(material: Material, rng: random.Random) -> Iterator[Case]:
    """Put odd things in the place of every file that a command reads."""
    assert material.film_run and material.crops_run
    for name, target in TARGETS.items():
        for odd in ODD:
            yield Case(f"{name}, {odd.__name__}", partial(_thing, material, target, odd))


def _thing(material: Material, target: Target, odd: Odd, place: Place) -> None:
    path = target.make(place.folder, material)
    path.unlink(missing_ok=True)
    odd(path)
    for one in (place.folder, *place.folder.rglob("*")):
        if not one.is_symlink():
            os.chown(one, NOBODY, NOBODY)
    harmless = target.optional or odd in (empty, folder, nothing, dangling)
    before = partial(os.seteuid, NOBODY)
    codes = CODES if harmless else tuple(code for code in CODES if code)
    words = _words(material, target, str(path.relative_to(place.folder)))
    place.vcn(*words, codes=codes, before=before, seconds=SECONDS)


def _words(material: Material, target: Target, file: str) -> list[str]:
    known = {"RUN": material.film_run, "FILM": material.film, "CROPS": material.crops}
    return [str(known.get(word, word)).replace("FILE", file) for word in target.words]


NAMES = {"long": b"x" * 300, "no UTF-8": b"\xff\xfe", "long path": b"y/" * 3000, "a dash": b"./-"}
NUL = json.dumps({"video": "a\0b", "fps": 25, "width": 240, "height": 180})


def names(material: Material, rng: random.Random) -> Iterator[Case]:
    """Name files by what is no name, or an odd one."""
    assert material.film_run and material.crops_run
    for name, target in TARGETS.items():
        if not any("FILE" in word for word in target.words):
            continue
        for kind, odd in NAMES.items():
            yield Case(f"{name}, {kind}", partial(_named, material, target, odd))
    for words in (("dataset", "check", "."), ("bench", "run", ".", "-o", "out", "-q")):
        yield Case(f"NUL in dataset.json, {words[0]}", partial(_with_nul, words))


def _named(material: Material, target: Target, odd: bytes, place: Place) -> None:
    path = target.make(place.folder, material)
    name = os.fsdecode(odd) + path.suffix
    if len(odd) < 200:
        shutil.move(path, place.folder / name)
    place.vcn(*_words(material, target, name), seconds=SECONDS)


def _with_nul(words: tuple[str, ...], place: Place) -> None:
    (place.folder / "tracks.csv").write_text(samples.TRACKS, encoding="utf-8")
    (place.folder / "dataset.json").write_text(NUL, encoding="utf-8")
    place.vcn(*words, codes=(6,))


GROUPS: dict[str, Group] = {"odd things": things, "odd names": names}
