"""Files of models that are damaged or made to harm, as ONNX, safetensors and pickles.

No code of a file ever runs, memory is bounded before it is taken, and the line names the file.
"""

from __future__ import annotations

import json
import os
import random
import resource
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.attack.campaign import Family
from tests.attack.case import Case, Outcome, Place
from tests.attack.inputs import model_onnx, model_states
from tests.attack.inputs.settings_doors import PATHS
from tests.attack.material import QUICK, Material

SECONDS = 30.0
"""In which a model has been refused."""
ADDRESSES = 8 << 30
"""Bytes that a command may ask for: whoever runs the campaign goes on working."""
LONGEST = 700
"""Letters of a clear line."""


def used(
    material: Material, place: Place, choice: str, codes: tuple[int, ...], most: int = LONGEST
) -> Outcome:
    """Cluster crops by a model: it works, or is refused before anything is written."""

    def before() -> None:
        os.environ["VCN_CACHE"] = str(place.folder / "cache")
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))

    words = ("cluster-tracks", material.crops, "-o", "out", *QUICK, "--backbone", choice)
    made = place.vcn(*words, codes=codes, before=before, stand_ins=False, seconds=SECONDS)
    place.must(not (place.folder / "canary").exists(), "code of the file has run")
    if made.code == 0:
        said = place.vcn("show", "out", "--json", codes=(0,))
        place.must("NaN" not in said.out, "a cast of NaN")
    if made.code > 0:
        place.must(not (place.folder / "out").exists(), "something was begun")
        longest = max(map(len, made.err.splitlines()))
        place.must(longest <= most, f"a line of {longest} letters", "unclear")
        place.must("\x1b" not in made.err, "an escape sequence is printed")
    return made


def onnx_files(material: Material, rng: random.Random) -> Iterator[Case]:
    """ONNX files, made by the clean one or from nothing."""

    def attack(
        data: Callable[[random.Random], bytes], codes: tuple[int, ...], place: Place
    ) -> None:
        (place.folder / "model.onnx").write_bytes(data(place.rng))
        made = used(material, place, "onnx=model.onnx", codes)
        named = "model.onnx" in made.err or made.code <= 0
        place.must(named, f"the file is not named: {made.err[:300]}", "unclear")

    for name, make in model_onnx.BAD.items():
        yield Case(name, partial(attack, make, (4,)))
    for name, make in model_onnx.EITHER.items():
        yield Case(name, partial(attack, make, (0, 4)))
    for name, data in model_onnx.broken_pairs():
        yield Case(name, partial(attack, lambda rng, data=data: data, (4,)))
    clean = model_onnx.clean().SerializeToString()
    yield Case("the clean one", partial(attack, lambda rng: clean, (0,)))


def states(material: Material, rng: random.Random) -> Iterator[Case]:
    """Pickles and safetensors in the place of PyTorch's files."""

    def attack(
        make: Callable[[Path, random.Random], object], choice: str, suffix: str, place: Place
    ) -> None:
        path = place.folder / f"model{suffix}"
        make(path, place.rng)
        used(material, place, f"{choice}={path.name}", (4,))

    for suffix, files in model_states.FILES.items():
        for n, (name, make) in enumerate(files.items()):
            for choice in model_states.choices(n):
                case = partial(attack, make, choice, suffix)
                yield Case(f"{name} as {choice}{suffix}", case)


SIDECARS: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "right": (b'{"channels": "BGR", "mean": 127.5, "scale": 128, "size": 32}', (0,)),
    "nothing": (b"", (4,)),
    "deep lists": (b"[" * 100_000, (4,)),
    "deep objects": (b'{"mean":' * 100_000, (4,)),
    "a list": (b"[1]", (4,)),
    "not UTF-8": (b'{"channels": "\xff"}', (4,)),
    "UTF-16": ('{"size": 32}'.encode("utf-16"), (4,)),
    "a byte order mark": (b'\xef\xbb\xbf{"size": 32}', (0, 4)),
    "NaN": (b'{"mean": NaN}', (4,)),
    "infinity": (b'{"scale": Infinity}', (4,)),
    "1e999": (b'{"mean": 1e999}', (4,)),
    "10,000 digits": (b'{"mean": ' + b"9" * 10_000 + b"}", (4,)),
    "400 digits": (b'{"mean": ' + b"9" * 400 + b"}", (4,)),
    "divide by zero": (b'{"scale": 0}', (4,)),
    "divide by almost zero": (b'{"scale": 1e-320}', (4,)),
    "a scale of 1e308": (b'{"mean": 1e308}', (4,)),
    "pictures of 10**9 px": (b'{"size": 1000000000}', (4,)),
    "another size": (b'{"size": 112}', (4,)),
    "a truth for a size": (b'{"size": true}', (4,)),
    "a template of zeros": (b'{"template": [[0,0],[0,0],[0,0],[0,0],[0,0]]}', (4,)),
    "a template in a line": (b'{"template": [[1,1],[2,2],[3,3],[4,4],[5,5]]}', (0, 4)),
    "a template far away": (b'{"template": [[1e30,0],[0,0],[0,9],[0,1],[1,0]]}', (0, 4)),
    "a template of three": (b'{"template": [[1, 2], [3, 4], [5, 6]]}', (4,)),
    "an unknown entry": (b'{"\\u001b[2J": 1}', (4,)),
    "a name of a megabyte": (b'{"' + b"x" * (1 << 20) + b'": 1}', (4,)),
    "a list of a megabyte": (b'{"mean": [' + b"1," * (1 << 19) + b"1]}", (4,)),
    "100 MB": (b'{"size": 32}' + b" " * (100 << 20), (4,)),
    "twice": (b'{"size": 32, "size": 64}', (0, 4)),
}
"""Files beside an ONNX file that say how to feed it, with exit codes."""


def sidecars(material: Material, rng: random.Random) -> Iterator[Case]:
    """Files beside an ONNX file."""

    def attack(text: bytes, codes: tuple[int, ...], place: Place) -> None:
        model_onnx.save(place.folder / "model.onnx")
        (place.folder / "model.json").write_bytes(text)
        used(material, place, "onnx=model.onnx", codes)

    for name, (text, codes) in SIDECARS.items():
        yield Case(name, partial(attack, text, codes))


def _passwd(path: Path) -> None:
    path.symlink_to("/etc/passwd")


ODD: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to endless zeros": lambda path: path.symlink_to("/dev/zero"),
    "a link to /etc/passwd": _passwd,
    "a hole of 3 GB": lambda path: (path.touch(), os.truncate(path, 3 << 30)),
    "a hole of 1.9 GB": lambda path: (path.touch(), os.truncate(path, 19 << 30 >> 4)),
}
"""What lies in the place of a file of weights."""
NAMES = (
    "a\x1b[2J\n.onnx",
    "x" * 300 + ".onnx",
    "a/" * 3000,
    "",
    ".",
    "字.onnx",
    "=.onnx",
    "m.ONNX",
)


def odd_files(material: Material, rng: random.Random) -> Iterator[Case]:
    """Models that are no files, or have strange names."""

    def attack(make: Callable[[Path], object], choice: str, name: str, place: Place) -> None:
        make(place.folder / name)
        used(material, place, f"{choice}={name}", (4,))

    for name, make in ODD.items():
        for choice, file in (("onnx", "m.onnx"), ("arcface-r50", "m.pth"), ("dlib", "m.dat")):
            yield Case(f"{name} as {choice}", partial(attack, make, choice, file))

    def named(name: str, place: Place) -> None:
        there = 0 < len(os.fsencode(name)) < 256 and name not in (".", "") and "/" not in name
        if there:
            model_onnx.save(place.folder / name)
        used(material, place, f"onnx={name}", (0,) if there else (4,), PATHS)

    for name in NAMES:
        yield Case(f"named {name[:20]!r}", partial(named, name))


PINS: dict[str, bytes] = {
    "nothing": b"",
    "deep": b"[" * 100_000,
    "a list": b"[]",
    "numbers": b'{"a": 1}',
    "not UTF-8": b'{"\xff": "x"}',
    "half": b'{"a": "b',
    "2 MB": b'{"a": "' + b"x" * (2 << 20) + b'"}',
    "10,000 digits": b'{"a": ' + b"9" * 10_000 + b"}",
}


def stores(material: Material, rng: random.Random) -> Iterator[Case]:
    """Folders of models whose list of hashes is damaged or lies."""

    def damaged(text: bytes, place: Place) -> None:
        (place.folder / "cache").mkdir()
        (place.folder / "cache" / "pins.json").write_bytes(text)
        model_onnx.save(place.folder / "model.onnx")
        used(material, place, "onnx=model.onnx", (4,))

    def lies(place: Place) -> None:
        path = model_onnx.save(place.folder / "model.onnx")
        (place.folder / "cache").mkdir()
        pins = {f"onnx={path.resolve()}": "ab" * 32}
        (place.folder / "cache" / "pins.json").write_text(json.dumps(pins), encoding="utf-8")
        used(material, place, "onnx=model.onnx", (4,))

    def odd(make: Callable[[Path], object], place: Place) -> None:
        (place.folder / "cache").mkdir()
        make(place.folder / "cache" / "pins.json")
        model_onnx.save(place.folder / "model.onnx")
        used(material, place, "onnx=model.onnx", (0, 4))

    def other(place: Place) -> None:
        model_onnx.save(place.folder / "model.onnx")
        used(material, place, "onnx=model.onnx", (0,))
        (place.folder / "out").rename(place.folder / "before")
        model_onnx.save(place.folder / "model.onnx", seed=1)
        used(material, place, "onnx=model.onnx", (4,))

    def linked(place: Place) -> None:
        real = model_onnx.save(place.folder / "real.onnx")
        (place.folder / "model.onnx").symlink_to(real)
        used(material, place, "onnx=model.onnx", (0,))

    def named(name: str, place: Place) -> None:
        cache = place.folder / "cache"
        cache.mkdir()
        _passwd(cache / name)

        def before() -> None:
            os.environ["VCN_CACHE"] = str(cache)

        for words in (("models", "verify"), ("models", "show", "edgeface-xs")):
            place.vcn(*words, codes=(0, 4), before=before)
        used(material, place, "edgeface-xs", (4,))

    for name, text in PINS.items():
        yield Case(f"pins.json: {name}", partial(damaged, text))
    for name, make in ODD.items():
        yield Case(f"pins.json: {name}", partial(odd, make))
    cases: dict[str, Any] = {"a hash that lies": lies, "another file": other, "a link": linked}
    for name, attack in cases.items():
        yield Case(name, attack)
    yield Case("a link for a known model", partial(named, "edgeface_xs_q.pt"))


FAMILY: Family = {
    "onnx": onnx_files,
    "states": states,
    "sidecars": sidecars,
    "odd files": odd_files,
    "stores": stores,
}
