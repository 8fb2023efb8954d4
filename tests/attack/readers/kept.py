"""The readers of files that the program keeps and of settings, each with a sample."""

from __future__ import annotations

import io
import json
import shutil
import struct
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.torch
import torch

from tests.attack.material import Material
from tests.attack.readers import checks as sound
from tests.attack.readers import texts as odd
from tests.attack.readers.arrays import PICKLE
from tests.attack.readers.known import only
from tests.attack.readers.samples import Reader, files
from videoclusternet.adapt.guards import Health
from videoclusternet.adapt.rounds import read_round, read_state, read_weights, round_folder
from videoclusternet.adapt.train import Epoch
from videoclusternet.config import Config
from videoclusternet.result.result import open_run
from videoclusternet.runfolder import footers
from videoclusternet.runfolder.crop_zip import CropPictures
from videoclusternet.runfolder.folder import FolderParts
from videoclusternet.runfolder.manifest import read_manifest
from videoclusternet.runfolder.table_files import read_table, table_path
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    Embeddings,
    Faces,
    FrameScores,
    Links,
    Looks,
    Merges,
    Motion,
    Shots,
    Table,
    Tracks,
    VideoInfo,
    Views,
)
from videoclusternet_bench.compare import judged
from videoclusternet_bench.pictures.shown import _kept
from videoclusternet_bench.runner import kept
from videoclusternet_bench.tables.comparison import RESULTS, grids, read_comparison

SETTINGS = (
    'profile = "vcn"\nseed = 3\n[adapt]\nrounds = 2\n[quality]\nface = 20\n'.replace(
        "[quality]\nface = 20\n", ""
    )
    + '[embed]\nbackbone = "dlib"\nbatch = 16\n[faces]\ndetector = "mtcnn"\n'
)


def table_reader(kind: type[Table]) -> Reader:
    """Return the reader of a table of the run over the drawn film."""

    def make(folder: Path, material: Material) -> Path:
        path = table_path(folder, kind)
        shutil.copyfile(table_path(material.film_run, kind), path)
        return path

    strange = strange_tensors if kind.SUFFIX == "safetensors" else strange_parquet
    return Reader(f"table {kind.FILE}", make, only(read_table, kind), sound.table, "bytes", strange)


def strange_tensors() -> Mapping[str, bytes]:
    """Return safetensors files that are none."""
    found = {f"head of {size}": struct.pack("<Q", size) for size in (0, 1, 2**32, 2**63, 2**64 - 1)}
    one = '{"base": {"dtype": "F32", "shape": %s, "data_offsets": [0, %d]}, "__metadata__": %s}'
    for shape in ("[1]", "[-1]", f"[{2**62}, 4]", f"[{2**63}]", "[0, 4]", "[[1]]", "[1e3]"):
        head = (one % (shape, 4, '{"meta": "{}"}')).encode()
        found[f"shape {shape}"] = struct.pack("<Q", len(head)) + head + bytes(4)
    for meta in ("[]", '"x"', "[" * 50_000, '{"tracks": "x"}', '{"a": 1e999}', '{"model": NaN}'):
        head = (one % ("[1]", 4, json.dumps({"meta": meta}))).encode()
        found[f"meta {meta[:20]}"] = struct.pack("<Q", len(head)) + head + bytes(4)
    return found | {"empty": b"", "a pickle": PICKLE}


def parquet(columns: Mapping[str, Any], meta: bytes = b"{}", **options: Any) -> bytes:
    """Return a Parquet file."""
    out = io.BytesIO()
    frame = pa.table(dict(columns)).replace_schema_metadata({b"vcn": meta})
    pq.write_table(frame, out, **options)
    return out.getvalue()


def strange_parquet() -> Mapping[str, bytes]:
    """Return Parquet files of other columns, or of more than they are."""
    numbers = pa.array([1, 2, 3])
    names = sorted({n for k in (Shots, Faces, Tracks, Crops, Cast, Links) for n in k.COLUMNS})
    found = {
        "another column": parquet({"x": numbers}),
        "no column": parquet({}),
        "texts": parquet({name: pa.array(["a", "b"]) for name in names}),
        "nothing": parquet({name: pa.nulls(3) for name in names}),
        "lists": parquet({name: pa.array([[1], [], None]) for name in names}),
        "lists in lists": parquet({name: pa.array([[[1]], [[2, 3]]]) for name in names}),
        "times": parquet({name: pa.array([1, 2], pa.timestamp("ns")) for name in names}),
        "NaN": parquet({name: pa.array([float("nan"), float("inf")]) for name in names}),
        "large": parquet({name: pa.array([2**64 - 1], pa.uint64()) for name in names}),
        "-1": parquet({name: pa.array([-1, -1, -1]) for name in names}),
        "decimals": parquet({name: pa.array([1], pa.decimal128(38, 0)) for name in names}),
        "bytes": parquet({name: pa.array([b"\xff", b""]) for name in names}),
        "truth": parquet({name: pa.array([True, None]) for name in names}),
        "structures": parquet({name: pa.array([{"a": 1}, None]) for name in names}),
        "3 * 10^8 of one": parquet(
            {"start": pa.DictionaryArray.from_arrays(np.zeros(1000, "i4"), pa.array(["x" * 10**6]))}
        ),
    }
    for meta in (b"[]", b"null", b"\xff", b"[" * 50_000, b'{"x": 1}', b"1e999"):
        found[f"meta {meta[:9]!r}"] = parquet({name: numbers for name in names}, meta)
    return found | {"empty": b"", "PAR1": b"PAR1" * 4, "a pickle": PICKLE}


TABLES = (
    *(VideoInfo, Shots, Faces, Tracks, Crops, Cast, Merges, Candidates, Links),
    *(FrameScores, Looks, Motion, Embeddings, Views),
)


def in_run(name: str) -> Any:
    """Return what copies a file of the run over the drawn film."""

    def make(folder: Path, material: Material) -> Path:
        return Path(shutil.copyfile(material.film_run / name, folder / name))

    return make


def run_pictures(path: Path, material: Material) -> Any:
    """Read pictures of a run out of a zip file of others."""
    rows = open_run(material.film_run).films[0].crops
    return CropPictures([(path, rows)]).pixels(range(3))


def a_part(folder: Path, material: Material) -> Path:
    """Write a finished part of a step."""
    parts = FolderParts(folder / "parts")
    parts.write("00001", (read_table(table_path(material.film_run, Shots), Shots),))
    return folder / "parts" / "00001" / "part.json"


def part(path: Path, material: Material) -> Any:
    """Read that part."""
    return FolderParts(path.parents[1]).read("00001", (Shots,))


def a_round(folder: Path, material: Material) -> Path:
    """Write what is kept of a round."""
    home = round_folder(folder, 1)
    home.mkdir(parents=True)
    health = Health(*(float(n) for n in range(len(Health.__dataclass_fields__))))
    epoch = asdict(Epoch(1, 1, 0.5, 0.1, health))
    about = {"fingerprint": "f", "epochs": [epoch], "start": asdict(health), "digest": "d"}
    (home / "state.json").write_text(json.dumps({**about, "collapse": ""}))
    tensors = {"a.weight": torch.ones(2, 2), "centre": torch.zeros(1, 4)}
    for name in ("student", "teacher"):
        safetensors.torch.save_file(tensors, home / f"{name}.safetensors")
    return home / "state.json"


def a_teacher(folder: Path, material: Material) -> Path:
    """Return the weights of that round."""
    return a_round(folder, material).with_name("teacher.safetensors")


def weights(path: Path, material: Material) -> Any:
    """Read them."""
    *states, centre = read_weights(path.parent, "cpu")
    return {f"{i} {name}": t for i, one in enumerate(states) for name, t in one.items()} | {
        "centre": centre
    }


def results(folder: Path, material: Material) -> Path:
    """Write results of a bench."""
    row = {"set": "a", "backbone": "dlib", "method": "instant", "needs": "nothing", "seed": 0}
    truth = np.arange(8) % 2
    more = {"threshold": None, "seconds": 0.5, "peak_mib": 1.0, "key": "k"}
    pq.write_table(
        pa.Table.from_pylist([{**row, **judged(truth, truth), **more}]), folder / RESULTS
    )
    footers.guard(folder / RESULTS)
    return folder / RESULTS


def partition(folder: Path, material: Material) -> Path:
    """Write a kept result of a bench."""
    (folder / "results").mkdir()
    path = folder / "results" / "k.json"
    found = {"track": [0, 1], "person": ["a", None], "cluster": [0, -1]}
    path.write_text(json.dumps({"bcubed_f": 0.5, "partition": found}))
    return path


def again() -> Any:
    """Stand for a result that is made anew."""
    return {"made": "anew"}


READERS: list[Reader] = [
    *map(table_reader, TABLES),
    Reader(
        "run.json", in_run("run.json"), only(read_manifest), sound.anything, "json", odd.objects
    ),
    Reader("part.json", a_part, part, sound.anything, "json", odd.objects),
    Reader("crops.zip of a run", in_run("crops.zip"), run_pictures, sound.anything, "bytes", few=2),
    Reader(
        "state.json",
        a_round,
        lambda path, material: read_state(path.parent),
        sound.anything,
        "json",
        odd.objects,
    ),
    Reader(
        "a round",
        a_round,
        lambda path, material: read_round(path.parents[2], 1, "f"),
        sound.anything,
        "json",
        odd.objects,
    ),
    Reader("weights of a round", a_teacher, weights, sound.state, "bytes", strange_tensors),
    Reader(
        "settings",
        files("a.toml", a__toml=SETTINGS),
        lambda path, material: Config.load(file=path),
        sound.anything,
        "text",
        odd.toml,
    ),
    Reader(
        "one setting",
        files("a.txt", a__txt="adapt.rounds=2"),
        lambda path, material: Config.load(settings=[path.read_text("latin-1")]),
        sound.anything,
        "text",
        odd.toml,
    ),
    Reader(
        "results of a bench",
        results,
        lambda path, material: [grid.html() for grid in grids(read_comparison(path.parent))],
        sound.anything,
        "bytes",
        strange_parquet,
    ),
    Reader(
        "a kept result",
        partition,
        lambda path, material: kept(path, again),
        sound.anything,
        "json",
        odd.objects,
    ),
    Reader(
        "a kept partition",
        partition,
        lambda path, material: _kept(path.parents[1], {"key": "k", "method": "instant"}),
        sound.anything,
        "json",
        odd.objects,
    ),
]
