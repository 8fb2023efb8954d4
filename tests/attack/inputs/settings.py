"""Settings that cannot be: every one with every kind of value, in files, and at their edges.

What is refused is refused in a line that names it, at once and before anything is written; what is
taken really runs, to a cast that can be read.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tests.attack.campaign import Family
from tests.attack.case import Case, Place
from tests.attack.inputs import settings_doors
from tests.attack.inputs.settings_doors import LONGEST, PATHS, refused
from tests.attack.material import QUICK, Material
from videoclusternet.config import LARGEST, SEEDS, Config

NUMBERS: tuple[tuple[str, str], ...] = (
    ("minus one", "-1"),
    ("zero", "0"),
    ("a half", "0.5"),
    ("a large number", "1e9"),
)
"""Values that some settings take."""
NEVER: tuple[tuple[str, str | bytes], ...] = (
    ("NaN", "nan"),
    ("infinity", "inf"),
    ("minus infinity", "-inf"),
    ("1e999", "1e999"),
    ("2**63", str(2**63)),
    ("30 digits", "9" * 30),
    ("5,000 digits", "9" * 5000),
    ("nothing", ""),
    ("an empty text", '""'),
    ("a text", "cucumber"),
    ("a number in quotes", '"5"'),
    ("a date", "1979-05-27"),
    ("a list", "[1, 2, 3]"),
    ("a table", "{a = 1}"),
    ("10,000 brackets", "[" * 10_000 + "]" * 10_000),
    ("two settings in one", '2\nprofile = "paper"'),
    ("control characters", "\x1b[2J\r\n"),
    ("no UTF-8", b"\xff\xfe"),
    ("digits of another script", "٣"),
)
"""Values that no number takes."""
TRUTHS = ("true", "false")
ENDLESS = frozenset({"adapt.rounds", "adapt.epochs", "adapt.later_epochs", "cluster.draws"})
"""Settings whose largest value takes as long as it says."""
BRIEF = ("adapt.rounds=1", "adapt.epochs=2", "adapt.head_epochs=1", "adapt.warmup=1")
THINGS = ("device", "faces.detector", "embed.backbone", "adapt.given")
"""Settings that name what may not be there: the line about it names that."""


def every_setting() -> dict[str, FieldInfo]:
    """Return the fields of all settings by their dotted names."""
    found: dict[str, FieldInfo] = {}
    for name, field in Config.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= {f"{name}.{key}": inner for key, inner in kind.model_fields.items()}
        else:
            found[name] = field
    return found


def sound(place: Place, run: str) -> None:
    """Hold that a run has a cast: of the four tracks each once, in plain numbers."""
    said = place.vcn("show", run, "--json", codes=(0,))
    if said.code == 0:
        place.must("NaN" not in said.out and "Infinity" not in said.out, f"not finite: {said.out}")
        place.must(isinstance(json.loads(said.out), dict | list), "no cast")


def tried(place: Place, words: list[Any], name: str, codes: tuple[int, ...]) -> int:
    """Call the command: it refuses in time and names the setting, or it makes a sound run."""
    made = place.vcn(*words, codes=(0, *codes))
    if made.code == 0:
        sound(place, "out")
    else:
        refused(place, made, name, PATHS if not name else LONGEST)
    return made.code


def hostile_values(material: Material, rng: random.Random) -> Iterator[Case]:
    """Every setting with every kind of value."""
    for name, field in every_setting().items():
        yield Case(name, partial(_hostile, material, name, field))


def _hostile(material: Material, name: str, field: FieldInfo, place: Place) -> None:
    number = field.annotation in (int, float)
    codes = (2, 4, 5) if field.annotation is str else (2,)
    named = "" if name in THINGS else "aspect" if "aspect" in name else name
    values = [*NEVER, *((f"the value {v}", v) for v in TRUTHS)]
    brief = [word for one in BRIEF for word in ("--set", one)] if name.startswith("adapt.") else []
    values += [pair for pair in NUMBERS if name not in ENDLESS or pair[1] != "1e9"]
    for what, value in values:
        setting = os.fsencode(f"{name}=") + (value if isinstance(value, bytes) else value.encode())
        words = ["cluster", material.film, "-o", "out", *QUICK, *brief, "--set", setting]
        code = tried(place, words, named, codes)
        shutil.rmtree(place.folder / "out", ignore_errors=True)
        wrong = number and code == 0 and not _right(value, field)
        place.must(not wrong, f"{name} takes {what}: {value[:40]!r}")


def _right(value: str | bytes, field: FieldInfo) -> bool:
    """Whether it is one of the plain numbers."""
    plain = value in {number for _, number in NUMBERS}
    return plain and (field.annotation is float or "." not in str(value))


def edges(field: FieldInfo, name: str) -> list[float]:
    """Return the smallest and the largest value that a number may have."""
    low: float | None = None
    high: float = SEEDS if name == "seed" else LARGEST
    for bound in field.metadata:
        low = bound.ge if hasattr(bound, "ge") else low
        low = 1e-300 if getattr(bound, "gt", None) == 0 else low
        high = bound.le if hasattr(bound, "le") else high
        high = 1 - 1e-16 if hasattr(bound, "lt") else high
    values = [low, high] if name not in ENDLESS else [low]
    return [value for value in values if value is not None]


def at_the_edge(material: Material, rng: random.Random) -> Iterator[Case]:
    """Every number at its smallest and at its largest: both run."""
    for name, field in every_setting().items():
        if field.annotation in (int, float) and name != "processes":
            for value in edges(field, name):
                yield Case(f"{name} = {value:g}", partial(_at_the_edge, material, name, value))
    for name, value in (("adapt.pool", "[64, 64]"), ("adapt.pool", "[1, 1]")):
        yield Case(f"{name} = {value}", partial(_at_the_edge, material, name, value))


def _at_the_edge(material: Material, name: str, value: Any, place: Place) -> None:
    brief = [word for one in BRIEF for word in ("--set", one)] if name.startswith("adapt.") else []
    words = ["cluster", material.film, "-o", "out", *QUICK, *brief, "--set", f"{name}={value}"]
    tried(place, words, name.partition(".")[0], (2, 7))


def nested(depth: int, start: str, stop: str = "") -> bytes:
    """Return a value in so many brackets."""
    return (start * depth + "1" + stop * depth).encode()


GOOD: dict[str, bytes] = {
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbf",
    "comments": b"# nothing\r\n" * 1000,
    "a table of nothing": b"[faces]\n[cluster]\n",
    "a step of older files": b"seed = 0\n[cluster]\ndraws = 16\n",
}
BAD: dict[str, tuple[bytes, str]] = {
    "10,000 brackets": (b"seed = " + nested(10_000, "[", "]"), "mine.toml"),
    "10,000 tables in tables": (b"seed = " + nested(10_000, "{a=", "}"), "mine.toml"),
    "a name of 10,000 parts": (b".".join([b"a"] * 10_000) + b" = 1", ""),
    "a table of 10,000 parts": (b"[" + b".".join([b"a"] * 10_000) + b"]\nb = 1", ""),
    "2 MB of comment": (b"# " + b"x" * (2 << 20), "mine.toml"),
    "100,000 settings": (b"".join(b"a%d = 1\n" % n for n in range(100_000)), ""),
    "a zero byte": (b"seed = 1\0", "mine.toml"),
    "an escaped zero byte": (b'device = "cpu\\u0000"', "device"),
    "an escaped zero byte in a path": (b'[embed]\nbackbone = "onnx=a\\u0000"', "backbone"),
    "an escape sequence in a name": (b'"\\u001b[2J" = 1', "setting"),
    "an escape sequence in a value": (b'device = "\\u001b[2J"', "device"),
    "a name of nothing": (b'"" = 1', "setting"),
    "a name of 10,000 letters": (b"x" * 10_000 + b" = 1", "setting"),
    "no UTF-8": (b'device = "\xff"', "mine.toml"),
    "UTF-16": ("seed = 1".encode("utf-16"), "mine.toml"),
    "JSON": (b'{"seed": 1}', "mine.toml"),
    "deep JSON": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "mine.toml"),
    "a page": (b"<!DOCTYPE html><html><body>log in</body></html>", "mine.toml"),
    "twice": (b"seed = 1\nseed = 2", "mine.toml"),
    "10,000 digits": (b"seed = " + b"9" * 10_000, "mine.toml"),
    "1e999": (b"[faces]\nmin_score = 1e999", "faces.min_score"),
    "a rate of infinity": (b"[adapt]\nrate = inf", "adapt.rate"),
    "NaN": (b"[quality]\nmin_size = nan", "quality.min_size"),
    "a list for a number": (b"[faces]\nbatch = [1]", "faces.batch"),
    "a list of tables": (b"[[faces]]\nbatch = 1", "faces"),
    "a number for a table": (b"faces = 1", "faces"),
    "a table for a number": (b"[seed]\na = 1", "seed"),
    "a truth for a number": (b"[faces]\nstride = true", "faces.stride"),
    "a number for a truth": (b"[cluster]\ncannot_link = 7", "cluster.cannot_link"),
    "a number for a text": (b"device = 7", "device"),
    "a date": (b"seed = 1979-05-27", "seed"),
    "old line ends": (b"seed = 1\rseed = 2\r", "mine.toml"),
    "an unknown profile": (b'profile = "papre"', "paper"),
    "a list for the profile": (b"profile = ['paper']", "profile"),
    "a deep list for the profile": (b"profile = " + nested(100, "[", "]"), "profile"),
    "a misspelt step": (b"[cluser]\ndraws = 3", "cluster"),
    "a misspelt setting": (b"[cluster]\ndrawz = 3", "cluster.draws"),
    "a misspelt seed": (b"sead = 3", "seed"),
    "a step that is none": (b"[draws]\ncluster = 3", "draws"),
    "a pool of one": (b"[adapt]\npool = [4]", "adapt.pool"),
    "a pool of texts": (b"[adapt]\npool = ['4', '6']", "adapt.pool"),
    "a pool of truths": (b"[adapt]\npool = [true, true]", "adapt.pool"),
}
"""Files of settings that cannot be, with what must be in the line about them."""


def files(material: Material, rng: random.Random) -> Iterator[Case]:
    """Files of settings, good and bad."""
    for name, text in GOOD.items():
        yield Case(name, partial(_file, material, text, None))
    for name, (text, said) in BAD.items():
        yield Case(name, partial(_file, material, text, said))


def _file(material: Material, text: bytes, named: str | None, place: Place) -> None:
    (place.folder / "mine.toml").write_bytes(text)
    words = ("cluster", material.film, "-o", "out", *QUICK, "--config", "mine.toml")
    made = place.vcn(*words, codes=(0,) if named is None else (2, 4))
    if named is None:
        sound(place, "out")
    else:
        refused(place, made, named)


def _folder(path: Path) -> None:
    path.mkdir()


def _unreadable(path: Path) -> None:
    path.touch(0o000)


ODD: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "a folder": _folder,
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to endless zeros": lambda path: path.symlink_to("/dev/zero"),
    "a link to endless noise": lambda path: path.symlink_to("/dev/urandom"),
    "another user's file": _unreadable,
}
"""What lies in the place of a file of settings."""
NAMES = ("a\x1b[2Jb.toml", "x" * 300, "a/" * 3000 + "b.toml", "", ".", "/", "../..", "/dev/null/x")


def odd_files(material: Material, rng: random.Random) -> Iterator[Case]:
    """Files of settings that are no files, or whose names are none."""

    def given(name: str, make: Callable[[Path], object], place: Place) -> None:
        make(place.folder / name)
        user = 65534 if make is _unreadable and os.geteuid() == 0 else None
        words = ("cluster", material.film, "-o", "out", *QUICK, "--config", name)
        before = (lambda: os.setuid(user)) if user is not None else (lambda: None)
        refused(place, place.vcn(*words, codes=(2,), before=before), "", PATHS)

    for what, make in ODD.items():
        yield Case(what, partial(given, "mine.toml", make))
    for name in NAMES:
        yield Case(f"named {name[:20]!r}", partial(given, name, ODD["nothing"]))


FAMILY: Family = {
    "values": hostile_values,
    "edges": at_the_edge,
    "files": files,
    "odd files": odd_files,
    **settings_doors.GROUPS,
}
