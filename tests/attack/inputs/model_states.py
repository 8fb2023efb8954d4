"""Pickles and safetensors that are damaged, claim what is not there, or carry code."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from tests.attack.runs.zips import zeros

Make = Callable[[Path, random.Random], object]
CHOICES = ("arcface-r50", "adaface-ir101", "vggface2-resnet50", "farl")
"""Models whose files nobody published a hash of: they are opened."""


def choices(n: int) -> Sequence[str]:
    """Return the models that the n-th file is tried as."""
    return (CHOICES[n % len(CHOICES)],)


class _Shell:
    """Runs a command when it is unpickled by an ordinary reader."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch canary",)


class _Evaluated:
    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("open('canary', 'w')",)


def plain(value: Any, protocol: int = 2) -> Make:
    """Return what writes a bare pickle."""
    return lambda path, rng: path.write_bytes(pickle.dumps(value, protocol))


def saved(make: Callable[[], Any], legacy: bool = False) -> Make:
    """Return what writes with PyTorch's own writer."""
    return lambda path, rng: torch.save(make(), path, _use_new_zipfile_serialization=not legacy)


def zipped(pickled: bytes, **files: bytes) -> Make:
    """Return what writes the zip of PyTorch around a pickle."""

    def make(path: Path, rng: random.Random) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/data.pkl", pickled)
            archive.writestr("model/byteorder", "little")
            archive.writestr("model/version", "3\n")
            for name, data in files.items():
                archive.writestr(f"model/data/{name.removeprefix('_')}", data)

    return make


def bombed(path: Path, rng: random.Random) -> None:
    """Write a pickle of 3 GiB of zeros, packed to some MB."""
    from tests.attack.runs.zips import DEFLATED, bomb

    path.write_bytes(bomb(zeros(3), 3 << 30, DEFLATED, "model/data.pkl"))


def cut(make: Make) -> Make:
    """Return what cuts another file."""

    def cutting(path: Path, rng: random.Random) -> None:
        make(path, rng)
        os.truncate(path, rng.randrange(1, path.stat().st_size))

    return cutting


def flipped(make: Make) -> Make:
    """Return what turns over some bits of another file."""

    def flipping(path: Path, rng: random.Random) -> None:
        make(path, rng)
        data = bytearray(path.read_bytes())
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)

    return flipping


def rebuilt(size: tuple[int, ...], stride: tuple[int, ...], elements: int, offset: int = 0) -> Make:
    """Return what writes a tensor that claims sizes, strides and elements of its storage."""

    class Tensor:
        def __reduce__(self) -> tuple[Any, ...]:
            return torch._utils._rebuild_tensor_v2, (Storage(), offset, size, stride, False, {})

    class Storage:
        pass

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: Any) -> Any:
            if isinstance(value, Storage):
                return ("storage", torch.FloatStorage, "0", "cpu", elements)
            return None

    out = io.BytesIO()
    Pickler(out, 2).dump({"conv1.weight": Tensor()})
    return zipped(out.getvalue(), _0=bytes(64))


def small() -> dict[str, Any]:
    """Return a state dict of something else."""
    return {"conv1.weight": torch.zeros(4, 3, 3, 3), "bn1.bias": torch.zeros(4)}


def deep(levels: int) -> bytes:
    """Return a pickle of lists in lists."""
    return b"\x80\x02" + b"]" * levels + b"a" * (levels - 1) + b"."


def memo_bomb() -> bytes:
    """Return a pickle of lists that hold the one before it ten times over."""
    out = b"\x80\x02]q\x00"
    for level in range(30):
        out += b"]" + b"q" + bytes([level + 1]) + b"(" + (b"h" + bytes([level])) * 10 + b"e"
    return out + b"."


PICKLES: dict[str, Make] = {
    "os.system": plain(_Shell()),
    "os.system, protocol 0": plain(_Shell(), 0),
    "os.system, protocol 5": plain(_Shell(), 5),
    "os.system in the zip": zipped(pickle.dumps(_Shell(), 2)),
    "os.system beside weights": saved(lambda: {**small(), "hook": _Shell()}),
    "os.system beside weights, legacy": saved(lambda: {**small(), "hook": _Shell()}, True),
    "os.system in a state_dict": saved(lambda: {"state_dict": small(), "args": _Shell()}),
    "os.system in a key": saved(lambda: {"state_dict": {_Shell(): torch.zeros(1)}}),
    "eval": plain(_Evaluated()),
    "eval in the zip": zipped(pickle.dumps(_Evaluated(), 2)),
    "a module": saved(lambda: torch.nn.Linear(2, 2)),
    "a global with control characters": zipped(b"\x80\x02c\x1b[2J\nx\x1b]0;y\x07\n."),
    "a global of 100,000 letters": zipped(b"\x80\x02c" + b"x" * 100_000 + b"\ny\n."),
    "1,000 globals": zipped(
        b"\x80\x02]" + b"".join(b"cm%d\nx%d\na" % (n, n) for n in range(1000)) + b"."
    ),
    "a loop of itself": zipped(b"\x80\x02]q\x00h\x00a."),
    "10,000 lists": zipped(deep(10_000)),
    "a million lists": zipped(deep(1_000_000)),
    "lists ten times in each other": zipped(memo_bomb()),
    "a text of 2**62 bytes": zipped(b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x."),
    "bytes of 2 GB": zipped(b"\x80\x04B" + struct.pack("<I", 2**31) + b"x."),
    "a memo of 2**31": zipped(b"\x80\x02]r\xff\xff\xff\x7f."),
    "a number of a megabyte": zipped(
        b"\x80\x02\x8b" + struct.pack("<I", 1 << 20) + b"\xff" * (1 << 20) + b"."
    ),
    "2**40 elements": rebuilt((2**20, 2**20), (2**20, 1), 2**40),
    "2**40 elements of one": rebuilt((2**20, 2**20), (0, 0), 16),
    "negative sides": rebuilt((-1, 3), (3, 1), 16),
    "negative strides": rebuilt((4, 4), (-4, 1), 16),
    "an offset far away": rebuilt((4, 4), (4, 1), 16, 2**40),
    "a negative offset": rebuilt((4, 4), (4, 1), 16, -(2**20)),
    "more than is stored": rebuilt((4, 4), (4, 1), 2**20),
    "3 GiB in some MB": bombed,
    "no bytes": lambda path, rng: path.touch(),
    "zeros": lambda path, rng: path.write_bytes(bytes(10_000)),
    "a page": lambda path, rng: path.write_text("<html>log in</html>" * 40),
    "noise": lambda path, rng: path.write_bytes(rng.randbytes(10_000)),
    "an empty zip": lambda path, rng: zipfile.ZipFile(path, "w").close(),
    "a zip of something": zipped(b""),
    "a number": saved(lambda: 5),
    "a list of tensors": saved(lambda: [torch.zeros(3)]),
    "a dict of texts": saved(lambda: {"a": "b"}),
    "an empty dict": saved(dict),
    "keys that are numbers": saved(lambda: {1: torch.zeros(3)}),
    "other weights": saved(small),
    "other weights, legacy": saved(small, True),
    "a sparse tensor": saved(lambda: {"a": torch.eye(3).to_sparse()}),
    "a quantised tensor": saved(
        lambda: {"a": torch.quantize_per_tensor(torch.eye(3), 0.1, 0, torch.qint8)}
    ),
    "a tensor on meta": saved(lambda: {"a": torch.empty(2**20, 2**20, device="meta")}),
    "a state_dict in a state_dict": saved(lambda: {"state_dict": {"state_dict": small()}}),
    "cut": cut(saved(small)),
    "cut, legacy": cut(saved(small, True)),
    "flipped": flipped(saved(small)),
    "flipped again": flipped(saved(small)),
    "flipped, legacy": flipped(saved(small, True)),
    "flipped again, legacy": flipped(saved(small, True)),
}
"""In place of a file of PyTorch."""


def safe(header: bytes, body: bytes = b"", length: int | None = None) -> Make:
    """Return what writes safetensors with any header."""
    size = len(header) if length is None else length
    return lambda path, rng: path.write_bytes(struct.pack("<Q", size) + header + body)


def entry(kind: str, shape: Any, offsets: Any, body: bytes = bytes(64)) -> Make:
    """Return what writes safetensors of one entry."""
    said = {"a": {"dtype": kind, "shape": shape, "data_offsets": offsets}}
    return safe(json.dumps(said).encode(), body)


SAFE: dict[str, Make] = {
    "no bytes": lambda path, rng: path.touch(),
    "three bytes": lambda path, rng: path.write_bytes(b"abc"),
    "a header of 2**63": safe(b"{}", length=2**63),
    "a header of 1 GB": safe(b"{}", length=1 << 30),
    "a header of 90 MB": safe(b'{"a":"' + b"x" * (90 << 20) + b'"}'),
    "a deep header": safe(b'{"a":' * 100_000),
    "a list": safe(b"[]"),
    "no entries": safe(b"{}"),
    "not UTF-8": safe(b'{"\xff": 1}'),
    "2**40 elements": entry("F32", [2**20, 2**20], [0, 64]),
    "2**64 elements": entry("F32", [2**32, 2**32], [0, 2**64 - 1]),
    "2**65 elements": entry("F32", [2**32, 2**33], [0, 0]),
    "negative sides": entry("F32", [-4, -4], [0, 64]),
    "offsets outside": entry("F32", [4, 4], [2**40, 2**40 + 64]),
    "offsets backwards": entry("F32", [4, 4], [64, 0]),
    "an unknown kind": entry("X99", [4, 4], [0, 64]),
    "whole numbers": entry("I8", [64], [0, 64]),
    "no numbers": entry("F32", [0], [0, 0], b""),
    "other weights": entry("F32", [4, 4], [0, 64]),
    "a name of control characters": safe(
        json.dumps({"\x1b[2J": {"dtype": "F32", "shape": [16], "data_offsets": [0, 64]}}).encode(),
        bytes(64),
    ),
    "overlapping": safe(
        json.dumps(
            {n: {"dtype": "F32", "shape": [16], "data_offsets": [0, 64]} for n in "ab"}
        ).encode(),
        bytes(64),
    ),
    "100,000 entries": safe(
        json.dumps(
            {str(n): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(100_000)}
        ).encode()
    ),
    "a pickle of os.system": plain(_Shell()),
    "a page": lambda path, rng: path.write_text("<html>log in</html>" * 40),
    "flipped": flipped(entry("F32", [4, 4], [0, 64])),
}
"""In place of a file of safetensors."""
FILES: dict[str, dict[str, Make]] = {".pth": PICKLES, ".safetensors": SAFE}
