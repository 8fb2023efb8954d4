"""Readers of files from outside: many thousand spoiled files each, and odd things for files.

A batch of spoiled files is a case, read in one child of limited memory.  What is read is sound, or
an error of :mod:`videoclusternet.errors` says in one line what is wrong; nothing else is raised,
nothing takes longer than a few seconds, and no pickle is loaded.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import traceback
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FrameType

from tests.attack.campaign import Family, Group
from tests.attack.case import HUNG, MOST_MIB, Case, Place, in_child
from tests.attack.material import Material
from tests.attack.readers import commands as reader_commands
from tests.attack.readers import kept as reader_kept
from tests.attack.readers import known as reader_list
from tests.attack.readers import models as reader_models
from tests.attack.readers.arrays import LOADED
from tests.attack.readers.mutations import spoiled
from tests.attack.readers.samples import Reader
from videoclusternet.errors import VcnError
from videoclusternet.outside.text import printable

READERS = [*reader_list.READERS, *reader_kept.READERS, *reader_models.READERS]
EACH = 1500
"""Spoiled files of each reader, its strange ones among them."""
BATCH = 250
SECONDS = 20
"""For one file, far more than any takes."""
LONGEST = 2000
"""Characters of a message."""
AT = "at"
"""File of a batch that says what is being read."""


class Hung(BaseException):
    """Reading takes too long."""


def _hung(number: int, frame: FrameType | None) -> None:
    raise Hung


def batches(reader: Reader) -> Group:
    """Return the group of cases of one reader."""

    def group(material: Material, rng: random.Random) -> Iterator[Case]:
        assert material.film_run and material.crops_run  # children could not make them
        reader.make(_new(material.folder / f"sample {reader.name}"), material)  # what it needs
        strange = list(reader.strange().items())
        for number in range(0, EACH // reader.few, BATCH):
            count = min(BATCH, EACH // reader.few - number)
            attack = partial(_batch, reader, strange, material, rng.getrandbits(32), number, count)
            yield Case(f"{number} to {number + count - 1}", attack)

    return group


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _batch(
    reader: Reader,
    strange: Sequence[tuple[str, bytes]],
    material: Material,
    seed: int,
    first: int,
    count: int,
    place: Place,
) -> None:
    place.inputs += count
    stop = first + count
    while first < stop:
        shutil.rmtree(place.folder / "sample", ignore_errors=True)
        call = partial(_read_all, reader, strange, material, seed, first, stop)
        outcome = in_child(call, place.folder, 300)
        place.must(outcome.peak <= MOST_MIB, f"{outcome.peak} MiB", "memory")
        if not outcome.code:
            for kind, said in json.loads(outcome.out.splitlines()[-1]):
                place.must(False, said, kind)
            return
        at = (place.folder / AT).read_text(encoding="utf-8").strip()
        said = f"ended with {outcome.code} at {at}: {outcome.err[-1000:]}"
        place.must(False, said, "hang" if outcome.code == HUNG else "traceback")
        first = int(at.partition(" ")[0]) + 1  # and go on behind it


def _read_all(
    reader: Reader,
    strange: Sequence[tuple[str, bytes]],
    material: Material,
    seed: int,
    first: int,
    stop: int,
) -> int:
    """Read spoiled files one after the other, in a child; print the faults as JSON."""
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, _hung)
    Path(AT).write_text(f"{first} the sample", encoding="utf-8")
    path = reader.make(_new(Path("sample")), material)
    data = path.read_bytes()
    found: dict[tuple[str, str], str] = {}
    _judged(reader, material, path, "the sample", found, clean=True)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + (MOST_MIB << 20),) * 2)
    with open(AT, "w", encoding="utf-8") as at:
        for number in range(first, stop):
            if number < len(strange):
                name, changed = strange[number]
            else:
                name, changed = spoiled(reader.form, data, random.Random(f"{seed} {number}"))
            at.seek(0)
            at.write(f"{number} {name!a}".ljust(120))
            at.flush()
            path.write_bytes(changed)
            _judged(reader, material, path, f"{number} {name!a}", found)
    print(json.dumps([(kind, said) for (kind, _), said in found.items()]))
    return 0


def _judged(
    reader: Reader,
    material: Material,
    path: Path,
    name: str,
    found: dict[tuple[str, str], str],
    clean: bool = False,
) -> None:
    """Read one file, and note what is wrong once for each place in the program."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        kind, said = "silently wrong", reader.check(reader.read(path, material))
        key = said
    except VcnError as error:
        kind, said = "unclear", _unclear(error, clean)
        key = said[:40]
    except Hung as error:
        kind, said = "hang", f"hung {_where(error)}"
        key = said
    except MemoryError as error:
        kind, said = "memory", f"no memory {_where(error)}"
        key = said
    except BaseException as error:
        kind, said = "traceback", f"{type(error).__name__}: {str(error)[:300]} {_where(error)}"
        key = f"{type(error).__name__} {_where(error)}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if os.environ.pop(LOADED, None):
        kind, said, key = "silently wrong", "a pickle was loaded", "pickle"
    if said:
        found.setdefault((kind, key), f"{name}: {said}")


def _unclear(error: VcnError, clean: bool) -> str:
    if clean:
        return f"the sample is refused: {error}"
    said = printable(error)
    if len(said) > LONGEST:
        return f"a message of {len(said)} characters: {said[:60]}"
    return "" if error.exit_code != 1 and error.message else f"no reason: {said}"


def _where(error: BaseException) -> str:
    """Return where something was raised: the last places in the program, and the last of all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/videoclusternet" in frame.filename][-2:]
    places = dict.fromkeys(f"{Path(f.filename).name}:{f.lineno}" for f in (*ours, frames[-1]))
    return f"in {' '.join(places)}"


FAMILY: Family = {
    **{f"reader of {reader.name}": batches(reader) for reader in READERS},
    **reader_commands.GROUPS,
}
