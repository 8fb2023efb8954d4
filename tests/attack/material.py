"""What attacks begin with: small finished runs and sets, each made once by the command."""

from __future__ import annotations

import json
import random
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.attack.case import Place, in_child
from tests.drawn import FLAGS, draw_film

QUICK = ("-q", *FLAGS, "--set", "processes=1")
"""Of commands that cluster: in one process, with the stand-in networks."""


class Material:
    """Clean inputs and results, to be copied: whoever needs one first makes it.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def film(self) -> Path:
        """A film of three shots of one second with four tracks of two people."""
        path = self.folder / "drawn.mp4"
        with FileLock(f"{path}.lock"):
            if not path.exists():
                outcome = in_child(lambda: int(not draw_film(path)), self.folder)
                assert outcome.code == 0, outcome.err
        return path

    @cached_property
    def film_run(self) -> Path:
        """The finished run of that film."""
        return self.command("film.vcn", "cluster", self.film, "-o", "film.vcn", *QUICK)

    @cached_property
    def crops(self) -> Path:
        """Its crops as a zip file, with a list of tracks beside it."""
        return self.command("set", "dataset", "from-run", self.film_run, "set") / "film.zip"

    @cached_property
    def crops_run(self) -> Path:
        """The finished run of those crops."""
        return self.command("crops.vcn", "cluster-tracks", self.crops, "-o", "crops.vcn", *QUICK)

    def command(self, name: str, *words: str | Path) -> Path:
        """Call the command in this folder, and return the file or folder that it made there."""
        made = self.folder / name
        with FileLock(f"{made}.lock"):  # several workers may need it first
            if not made.exists():
                place = Place(self.folder, random.Random(0))
                place.vcn(*words, codes=(0,))
                assert not place.faults, place.faults
        return made


def copied(source: Path, to: Path) -> Path:
    """Copy a run or set, or a file, to damage it."""
    if source.is_dir():
        return Path(shutil.copytree(source, to, symlinks=True))
    return Path(shutil.copy(source, to))


def state(folder: Path) -> dict[str, Any]:
    """Return all files of a folder with their bytes; of run.json what does not tell the time."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = path.read_bytes() if path.is_file() else None
        if path.name == "cast.html":  # the commands on it name the run folder
            found[name] = found[name].replace(folder.name.encode(), b"RUN")
        if path.name == "run.json":
            found[name] = json.loads(found[name])
            del found[name]["sha256"]
            for step in found[name]["steps"].values():
                del step["seconds"]
    return found


def differences(folder: Path, clean: Path) -> str:
    """Say which files of two folders differ; empty where none does."""
    a, b = state(folder), state(clean)
    return ", ".join(sorted(name for name in {*a, *b} if a.get(name, 0) != b.get(name, 0)))
