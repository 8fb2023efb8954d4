"""The readers of models and of what is noted of them, each with a valid sample."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import lz4.frame
import numpy as np
import onnx
import safetensors.torch
import torch
from onnx import TensorProto, helper

from tests.attack.material import Material
from tests.attack.readers import checks as sound
from tests.attack.readers import texts as odd
from tests.attack.readers.arrays import ARRAYS, PICKLE
from tests.attack.readers.kept import strange_tensors
from tests.attack.readers.known import only
from tests.attack.readers.samples import Reader, files
from tests.attack.runs.zips import bomb, zeros
from videoclusternet.models.backbones.dlib_resnet import read_tensors
from videoclusternet.models.checkpoint import read_state as read_checkpoint
from videoclusternet.models.detectors.mtcnn import read_weights as read_mtcnn
from videoclusternet.models.onnx.file import read_onnx
from videoclusternet.models.onnx.sidecar import read_sidecar
from videoclusternet.models.pins import no_weights, read_pins
from videoclusternet.models.registry import sha256_of

GIB = 1 << 30


FEEDING = (
    '{"channels": "BGR", "mean": 127.5, "scale": [128, 128, 128], "size": 112,'
    ' "template": [[38, 51], [73, 51], [56, 71], [41, 92], [70, 92]]}'
)


PINS = json.dumps({"onnx=/a/b.onnx": "0" * 64, "edgeface/x.pt": "f" * 64})


def a_checkpoint(name: str, **more: Any) -> Any:
    """Return what writes weights as PyTorch or safetensors do."""

    def make(folder: Path, material: Material) -> Path:
        state = {"a.weight": torch.ones(3, 3), "a.bias": torch.zeros(3, dtype=torch.float16)}
        if name.endswith(".safetensors"):
            safetensors.torch.save_file(state, folder / name)
        else:
            torch.save({"state_dict": state, **more} if more else state, folder / name)
        return folder / name

    return make


def strange_checkpoints() -> Mapping[str, bytes]:
    """Return pickles with code in them, and zip files that grow."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", PICKLE)
        archive.writestr("archive/version", "3")
    return {
        "a pickle": PICKLE,
        "a pickle in a zip file": out.getvalue(),
        "3 GiB": bomb(zeros(3), 3 * GIB, name="archive/data.pkl"),
        "3 GiB of numbers": bomb(zeros(3), 3 * GIB, name="archive/data/0"),
        "deep": b"\x80\x02" + b"]" * 10_000 + b"a" * 9_999 + b".",
        "a long text": b"\x80\x02X" + struct.pack("<I", 2**32 - 1) + b"x",
        "a memo": b"\x80\x02Nr" + struct.pack("<I", 2**32 - 1) + b".",
        "not a mapping": pickle.dumps([1, 2]),
        "empty": b"",
    }


def an_onnx(folder: Path, material: Material) -> Path:
    """Write a small ONNX model."""
    node = helper.make_node("Gemm", ["x", "w"], ["y"], alpha=1.0, transB=1)
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2, 3], list(range(6)))
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, folder / "m.onnx")
    return folder / "m.onnx"


def an_mtcnn(folder: Path, material: Material) -> Path:
    """Write arrays as MTCNN's weights come."""
    out = io.BytesIO()
    joblib.dump([np.ones((2, 2), "f4"), np.zeros(3, "f4")], out)
    (folder / "p.lz4").write_bytes(lz4.frame.compress(out.getvalue()))
    return folder / "p.lz4"


def strange_lz4() -> Mapping[str, bytes]:
    """Return lz4 files of pickles, and one that grows."""
    out = io.BytesIO()
    joblib.dump([np.array([b"x"], dtype=object)], out)
    found = {f"array {name}": lz4.frame.compress(data) for name, data in ARRAYS.items()}
    block = lz4.frame.compress(bytes(64 << 20))
    return found | {
        "a pickle": lz4.frame.compress(PICKLE),
        "objects": lz4.frame.compress(out.getvalue()),
        "many frames": block * 48,
        "not lz4": PICKLE,
    }


def a_dlib(folder: Path, material: Material) -> Path:
    """Write two tensors as dlib does."""
    sides = b"\x01\x02" + b"\x01\x40" + b"\x01\x01" * 3
    (folder / "d.dat").write_bytes(b"x" * 20 + (sides + np.ones(64, "<f4").tobytes()) * 2)
    return folder / "d.dat"


READERS: list[Reader] = [
    Reader(
        "pins.json",
        files("pins.json", pins__json=PINS),
        lambda path, material: read_pins(path.parent),
        sound.anything,
        "json",
        odd.objects,
    ),
    Reader(
        "sidecar",
        files("m.json", m__json=FEEDING),
        lambda path, material: read_sidecar(path.with_suffix(".onnx")),
        sound.feeding,
        "json",
        odd.objects,
    ),
    Reader("onnx", an_onnx, only(read_onnx), sound.onnx_file, "bytes", strange_checkpoints),
    Reader(
        "PyTorch weights",
        a_checkpoint("w.pt"),
        only(read_checkpoint, "a"),
        sound.state,
        "bytes",
        strange_checkpoints,
    ),
    Reader(
        "PyTorch checkpoint",
        a_checkpoint("w.pt", epoch=3),
        only(read_checkpoint, "a"),
        sound.state,
        "bytes",
    ),
    Reader(
        "safetensors weights",
        a_checkpoint("w.safetensors"),
        only(read_checkpoint, "a"),
        sound.state,
        "bytes",
        strange_tensors,
    ),
    Reader("mtcnn weights", an_mtcnn, only(read_mtcnn), sound.tensors, "bytes", strange_lz4),
    Reader(
        "dlib weights",
        a_dlib,
        lambda path, material: list(read_tensors(path.read_bytes())),
        sound.tensors,
        "bytes",
    ),
    Reader(
        "any weights",
        a_dlib,
        lambda path, material: (no_weights(path), sha256_of(path)),
        sound.anything,
        "bytes",
    ),
]
