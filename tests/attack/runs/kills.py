"""Kills: a command is ended before each of its file operations, and at any moment, then repeated.

Nothing may be lost or left behind: the repeated command ends with what the undisturbed one made,
file by file, and in between nobody is told anything that is neither the old nor the new result.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.attack.campaign import Family, Group
from tests.attack.case import Case, Outcome, Place
from tests.attack.material import QUICK, Material, copied, differences

CHANGES = frozenset(
    {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
)
"""Events of Python's audit that change a folder; files opened for writing are told apart."""
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
AT_ANY_MOMENT = 12
"""Kills of each scenario by the clock."""
BRIEF = ("adapt.rounds=2", "adapt.epochs=2", "adapt.later_epochs=1", "adapt.batch=8")


@dataclass(frozen=True)
class Scenario:
    """A command that writes.

    Attributes
    ----------
    words : tuple
        The command, in an empty working folder.
    begin : Path, optional
        Copied to ``out`` first.
    shows : bool
        Whether ``out`` is a run folder, which is looked at after the kill.
    """

    words: tuple[str | Path, ...]
    begin: Path | None = None
    shows: bool = True

    def prepare(self, folder: Path) -> None:
        """Make what is there before."""
        if self.begin is not None:
            copied(self.begin, folder / "out")


Make = Callable[[Material], Scenario]


def film(material: Material) -> Scenario:
    """Find the cast of a film."""
    return Scenario(("cluster", material.film, "-o", "out", *QUICK))


def settings(material: Material) -> Scenario:
    """Go on with a finished run, with other settings."""
    changed = ("--set", "crops.every=0.25")
    return Scenario(("cluster", material.film, "-o", "out", *QUICK, *changed), material.film_run)


def films(material: Material) -> Scenario:
    """Find the shared cast of two films."""
    other = copied(material.film, material.folder / "other.mp4")
    return Scenario(("cluster", material.film, other, "-o", "out", *QUICK))


def crops(material: Material) -> Scenario:
    """Find the cast of crops."""
    return Scenario(("cluster-tracks", material.crops, "-o", "out", *QUICK))


def adapted(material: Material) -> Scenario:
    """Let the model learn the faces of a finished run."""
    brief = [word for setting in BRIEF for word in ("--set", setting)]
    return Scenario(("adapt", "out", *QUICK, *brief), material.film_run)


def labelled(material: Material) -> Scenario:
    """Make a labelled set of a run."""
    return Scenario(("dataset", "from-run", material.film_run, "out"), shows=False)


def corrected(material: Material) -> Scenario:
    """Make it again with its own corrected labels."""
    begin = copied(material.crops.parent, material.folder / "corrected")
    labels = begin / "labels.csv"
    labels.write_text(labels.read_text(encoding="utf-8").replace("Character 1", "Anna"))
    words = ("dataset", "from-run", material.film_run, "out", "--labels", "out/labels.csv")
    return Scenario(words, begin, shows=False)


def exported(form: str, material: Material) -> Scenario:
    """Write labelled boxes in another form."""
    more = ("--film", material.film) if form == "crops" else ()
    boxes = material.crops.parent / "tracks.csv"
    return Scenario(("dataset", "export", boxes, "out", "--form", form, *more), shows=False)


def killed_before(operation: int, counted: mmap.mmap | None = None) -> None:
    """Have this process end before its n-th change to the working folder, from 0."""
    here, count = os.getcwd(), 0

    def told(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        changes = event in CHANGES or (event == "open" and bool((arguments[2] or 0) & WRITES))
        if not changes or not isinstance(arguments[0], str | bytes):
            return
        if not os.path.abspath(os.fsdecode(arguments[0])).startswith(here):
            return
        if count == operation:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
        if counted is not None:
            counted[:8] = count.to_bytes(8, "little")

    sys.addaudithook(told)


def killed_after(seconds: float) -> None:
    """Have this process end after some time."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def undisturbed(scenario: Scenario, folder: Path) -> tuple[int, Outcome]:
    """Run the command to its end; count its operations."""
    folder.mkdir()
    scenario.prepare(folder)
    place, counted = Place(folder, random.Random(0)), mmap.mmap(-1, 8)
    outcome = place.vcn(*scenario.words, before=partial(killed_before, -1, counted), codes=(0,))
    assert not place.faults, place.faults
    return int.from_bytes(counted[:8], "little"), outcome


def kills_of(make: Make, name: str, material: Material, rng: random.Random) -> Iterator[Case]:
    """Yield a kill before each operation of a scenario, and some at any moment."""
    scenario = make(material)
    clean = material.folder / f"killed {name}"
    operations, outcome = undisturbed(scenario, clean)
    runs = [clean / "out", *([scenario.begin] if scenario.begin else [])] * scenario.shows
    place = Place(clean, random.Random(0))
    shown = {place.vcn("show", run, "--json").out for run in runs}
    kill = partial(_kill, scenario, clean, shown)
    for n in range(operations):
        yield Case(f"before operation {n}", partial(kill, killed_before, n))
    for _ in range(AT_ANY_MOMENT):
        after = rng.uniform(0, outcome.seconds)
        yield Case(f"after {after:.3f} s", partial(kill, killed_after, after))


def _kill(
    scenario: Scenario,
    clean: Path,
    shown: Collection[str],
    kill: Callable[[Any], None],
    when: float,
    place: Place,
) -> None:
    scenario.prepare(place.folder)
    dead = (-signal.SIGKILL, -signal.SIGALRM, 0)
    ended = place.vcn(*scenario.words, before=partial(kill, when), codes=dead)
    if scenario.shows:
        said = place.vcn("show", "out", "--json", codes=(0, 5))
        place.must(said.code != 0 or said.out in shown, "between, another cast is shown")
    if ended.code:
        whole = not scenario.shows and not differences(place.folder, clean)  # killed at its end
        ended = place.vcn(*scenario.words, codes=(0, 5) if whole else (0,))
    if ended.code == 0:
        wrong = differences(place.folder, clean)
        place.must(not wrong, f"lost or left behind: {wrong}", "silently wrong")


SCENARIOS: dict[str, Make] = {
    "film": film,
    "settings": settings,
    "films": films,
    "crops": crops,
    "adapt": adapted,
    "from-run": labelled,
    "from-run, corrected": corrected,
    **{f"export {form}": partial(exported, form) for form in ("csv", "mot", "cvat", "crops")},
}


def _group(name: str, make: Make) -> Group:
    return partial(kills_of, make, name)


FAMILY: Family = {name: _group(name, make) for name, make in SCENARIOS.items()}
