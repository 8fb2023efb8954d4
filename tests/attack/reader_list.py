"""The readers of files that people and other programs write, each with a valid sample."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.attack import reader_checks as sound
from tests.attack import reader_texts as odd
from tests.attack.material import Material
from tests.attack.reader_arrays import ARRAYS, strange_mat, strange_npz
from tests.attack.zips import ENTRY, pictures
from videoclusternet.annotations.box_forms import read_boxes, read_boxes_of
from videoclusternet.annotations.boxes import read_facts, read_tracks_csv
from videoclusternet.annotations.cvat import read_cvat
from videoclusternet.annotations.mot import read_mot
from videoclusternet.film.video import open_video
from videoclusternet.runfolder.result import open_run
from videoclusternet.sources.crops import CropSource, _canvas_file
from videoclusternet.sources.features import FeatureSource, read_features
from videoclusternet.sources.track_list import read_list
from videoclusternet_bench.data.feature_files import read_any, read_npy
from videoclusternet_bench.data.ids import count_labels, read_ids
from videoclusternet_bench.data.join import join
from videoclusternet_bench.data.sets import labelled_sets
from videoclusternet_bench.data.truth import read_truth

TRACKS = (
    "track_id,frame,x,y,w,h,label\n0,3,10.6,44.8,40.2,49.5,Joey\n0,6,12.1,45,38.5,47,Joey\n"
    "7,3,100,20,30,40,Ross\n7,4,101,20.5,30,40,Ross\n"
)
FILM = '{"video": "film.mp4", "fps": "24000/1001", "width": 240, "height": 180, "frames": 90}'
GT = "1,1,10,20,30,40,1,1,1\n2,1,11,20,30,40,1,1,0.5\n1,2,100,20,30,40,1,1,1\n3,2,9,9,9,9,0,1,1\n"
SEQUENCE = (
    "[Sequence]\nname=film\nimDir=img1\nframeRate=25\nseqLength=90\nimWidth=240\nimHeight=180\n"
    "imExt=.jpg\nfirstPixel=1\n"
)
NAMES = "id,label,track_id\n1,Joey,a\n2,Ross,b\n"
CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><name>film</name><size>90</size>
<original_size><width>240</width><height>180</height></original_size></task></meta>
<track id="0" label="face" source="manual">
<box frame="3" outside="0" occluded="0" xtl="10" ytl="20" xbr="40" ybr="60" rotation="0">
<attribute name="name">Joey</attribute></box>
<box frame="4" outside="1" occluded="0" keyframe="1" xtl="10" ytl="20" xbr="40" ybr="60"/></track>
<track id="1" label="face"><box frame="3" xtl="90" ytl="20" xbr="99" ybr="60">
<attribute name="identity">Ross &amp; Co</attribute></box></track></annotations>
"""
IDS = "CVHCI_TRACKLABELS_V1\n7 sheldon\n11 leonard\n12 unknown_e01_1\n"
LIST = "track_id,shot,first_frame,last_frame,label\n7,0,0,20,Joey\n11,0,0,20,Ross\n12,1,0,40,Joey\n"
SHOTS = "shot,start_frame,end_frame\n0,0,25\n1,25,50\n2,50,75\n"
TRUTH = "shot,identity,x_min,x_max\n0,Ann,0,320\n0,Bob,320,640\n1,Ann,0,640\n2,Bob,0,640\n"
FLOATS = np.linspace(-1, 1, 24, dtype=np.float32).reshape(6, 4)
TRACK = np.array([7, 7, 11, 11, 12, 12])
FEATURES = {"features": FLOATS, "track": TRACK, "frame": np.arange(6), "model": np.array("dlib")}


@dataclass(frozen=True)
class Reader:
    """Something that reads a file from outside.

    Attributes
    ----------
    name : str
    make : callable
        Writes a valid sample into an empty folder, and returns the file that is spoiled.
    read : callable
        Reads it, given the path of that file.
    check : callable
        Says what is unsound in what was read; empty where nothing is.
    form : str
        Of :data:`tests.attack.reader_mutations.CHANGES`.
    strange : callable
        Whole files in place of the sample, by name.
    few : int
        How many times fewer mutations than others: where reading takes long.
    """

    name: str
    make: Callable[[Path, Material], Path]
    read: Callable[[Path, Material], Any]
    check: Callable[[Any], str]
    form: str
    strange: Callable[[], Mapping[str, bytes]] = field(default=dict)
    few: int = 1


def files(spoilt: str, **contents: str | bytes) -> Callable[[Path, Material], Path]:
    """Return what writes files; ``__`` stands for a point, ``0`` in names for nothing."""

    def make(folder: Path, material: Material) -> Path:
        for name, content in contents.items():
            path = folder / name.replace("__", ".")
            data = content.encode() if isinstance(content, str) else content
            path.write_bytes(data)
        return folder / spoilt

    return make


def only(read: Callable[..., Any], *more: Any, **named: Any) -> Callable[[Path, Material], Any]:
    """Return what reads the file without the material."""
    return lambda path, material: read(path, *more, **named)


@cache
def _film(path: Path) -> Any:
    return open_video(path)


@cache
def _run(path: Path) -> Any:
    return open_run(path)


def of_film(path: Path, material: Material) -> Any:
    """Read boxes without facts of their film, which is the drawn one."""
    return read_boxes_of(path, _film(material.film), labelled=False)


def truth_of(path: Path, material: Material) -> Any:
    """Label the tracks of the run over the drawn film."""
    return read_truth(path.with_name("truth.csv"), _run(material.film_run))


def truth_of_crops(path: Path, material: Material) -> Any:
    """Label the tracks of the run over crops."""
    return read_truth(path, _run(material.crops_run))


def joined(path: Path, material: Material) -> Any:
    """Join labels and features, into a new folder."""
    folder = path.with_name("out")
    shutil.rmtree(folder, ignore_errors=True)
    return join(path.with_name("a.ids"), path.with_name("a.npz"), folder, "all")


def crops(path: Path, material: Material) -> Any:
    """List crops, and make the canvas of each."""
    source = CropSource.open(path if path.suffix == ".zip" else path.parents[1])
    return [_canvas_file(read(), f"{track}/{frame}") for track, frame, read in source.files]


def some_crops(folder: Path, material: Material) -> Path:
    """Write a zip file of three crops of the clean set."""
    path = folder / "crops.zip"
    with zipfile.ZipFile(material.crops) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist()[:3]:
            new.writestr(zipfile.ZipInfo(name), old.read(name))
    return path


def crop_folder(folder: Path, material: Material) -> Path:
    """Write a folder of two crops."""
    with zipfile.ZipFile(material.crops) as old:
        for name in old.namelist()[:2]:
            old.extract(name, folder)
    return folder / ENTRY


def a_film_with_boxes(folder: Path, material: Material) -> Path:
    """Copy the boxes of the drawn film, and the film."""
    shutil.copyfile(material.film, folder / material.film.name)
    shutil.copyfile(material.crops.with_name("tracks.csv"), folder / "tracks.csv")
    return Path(shutil.copyfile(material.crops.with_name("dataset.json"), folder / "dataset.json"))


def pack(**arrays: Any) -> bytes:
    """Return an npz file."""
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def plain(array: Any) -> bytes:
    """Return an npy file."""
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def matlab() -> bytes:
    """Return a MATLAB file of features."""
    from scipy.io import savemat

    out = io.BytesIO()
    savemat(out, {"features": FLOATS.astype(float), "track": TRACK, "model": "dlib"})
    return out.getvalue()


CLEAN = {name: plain(array) for name, array in FEATURES.items()}
JPEGS = {f"{n}": data for n, data in pictures(b"\xff\xd8\xff\xc0" + bytes(40)).items()}
BOXED = partial(files, tracks__csv=TRACKS, dataset__json=FILM)
MOTTED = partial(files, gt__txt=GT, seqinfo__ini=SEQUENCE, names__csv=NAMES)
GIVEN = partial(files, a__npz=pack(**FEATURES), a_tracks__csv=LIST, a__ids=IDS)
csv, json_, ini, xml = odd.csv, odd.json, odd.ini, odd.xml
STITCHED = partial(files, truth__csv=TRUTH, shots__csv=SHOTS)

READERS: list[Reader] = [
    Reader("tracks.csv", BOXED("tracks.csv"), only(read_tracks_csv), sound.boxes, "text", csv),
    Reader(
        "dataset.json", BOXED("dataset.json"), only(read_facts), sound.film_facts, "json", json_
    ),
    Reader(
        "tracks.csv by its facts",
        BOXED("dataset.json"),
        lambda path, material: read_boxes(path.with_name("tracks.csv")),
        sound.boxes,
        "json",
        json_,
    ),
    Reader(
        "tracks.csv of a film", files("b.csv", b__csv=TRACKS), of_film, sound.boxes, "text", csv
    ),
    Reader("gt.txt", MOTTED("gt.txt"), only(read_mot), sound.boxes, "text", csv),
    Reader(
        "seqinfo.ini",
        MOTTED("seqinfo.ini"),
        lambda path, material: read_mot(path.with_name("gt.txt")),
        sound.boxes,
        "text",
        ini,
    ),
    Reader(
        "names.csv",
        MOTTED("names.csv"),
        lambda path, material: read_mot(path.with_name("gt.txt")),
        sound.boxes,
        "text",
        csv,
    ),
    Reader(
        "names given",
        MOTTED("names.csv"),
        lambda path, material: read_boxes(path.with_name("gt.txt"), names=path),
        sound.boxes,
        "text",
        csv,
    ),
    Reader(
        "cvat.xml",
        files("cvat.xml", cvat__xml=CVAT),
        only(read_cvat, Fraction(25)),
        sound.boxes,
        "text",
        xml,
    ),
    Reader(
        "a folder with cvat.xml",
        files("cvat.xml", cvat__xml=CVAT, dataset__json=FILM),
        lambda path, material: read_boxes(path.parent),
        sound.boxes,
        "text",
        xml,
    ),
    Reader("ids", files("a.ids", a__ids=IDS), only(read_ids), sound.ids, "text", odd.ids),
    Reader(
        "counts of ids",
        files("bbt_s01e01.ids", bbt_s01e01__ids=IDS, bbt_s01e02__ids=IDS),
        lambda path, material: count_labels(path.parent, "all")[0],
        sound.anything,
        "text",
        odd.ids,
    ),
    Reader(
        "list of tracks",
        files("a.csv", a__csv=LIST),
        only(read_list, asked=True),
        sound.listed,
        "text",
        csv,
    ),
    Reader(
        "list beside features",
        GIVEN("a_tracks.csv"),
        lambda path, material: FeatureSource.open(path.with_name("a.npz")).listed,
        sound.listed,
        "text",
        csv,
    ),
    Reader(
        "shots of crops",
        lambda folder, m: files("s.csv", s__csv=LIST)(folder, m),
        lambda path, material: CropSource.open(material.crops, path).listed,
        sound.listed,
        "text",
        csv,
        few=4,
    ),
    Reader(
        "features",
        GIVEN("a.npz"),
        only(read_features),
        sound.features,
        "npz",
        partial(strange_npz, **CLEAN),
    ),
    Reader(
        "features of any form",
        GIVEN("a.npz"),
        only(read_any),
        sound.features,
        "npz",
        partial(strange_npz, **CLEAN),
    ),
    Reader(
        "features by track",
        files("a.npz", a__npz=pack(**{"7": FLOATS[:2], "11": FLOATS[2:]})),
        only(read_any),
        sound.features,
        "npz",
        partial(strange_npz, **{"7": CLEAN["features"], "11": CLEAN["features"]}),
    ),
    Reader(
        "folder of npy",
        files("7.npy", **{"7__npy": plain(FLOATS[:2]), "11__npy": plain(FLOATS[2:])}),
        lambda path, material: read_any(path.parent),
        sound.features,
        "npy",
        lambda: ARRAYS,
    ),
    Reader(
        "npy", files("7.npy", **{"7__npy": plain(FLOATS)}), only(read_npy), sound.array, "npy",
        lambda: ARRAYS,
    ),
    Reader(
        "mat", files("a.mat", a__mat=matlab()), only(read_any), sound.features, "bytes", strange_mat
    ),
    Reader(
        "features with their list",
        GIVEN("a.npz"),
        lambda path, material: FeatureSource.open(path).features,
        sound.features,
        "npz",
    ),
    Reader("join by features", GIVEN("a.npz"), joined, sound.anything, "npz", few=2),
    Reader("join by ids", GIVEN("a.ids"), joined, sound.anything, "text", odd.ids, few=2),
    Reader("join by list", GIVEN("a_tracks.csv"), joined, sound.anything, "text", csv, few=2),
    Reader("crops.zip given", some_crops, crops, sound.anything, "bytes", few=2),
    Reader("crop in a folder", crop_folder, crops, sound.anything, "bytes", lambda: JPEGS, few=2),
    Reader(
        "truth.csv", STITCHED("truth.csv"), truth_of, sound.labels, "text", csv
    ),
    Reader("shots.csv", STITCHED("shots.csv"), truth_of, sound.labels, "text", csv),
    Reader(
        "truth by track",
        files("t.csv", t__csv="track_id,label\n0,Ann\n1,Bob\n2,Ann\n3,Bob\n"),
        truth_of_crops,
        sound.labels,
        "text",
        csv,
    ),
    Reader(
        "labelled sets",
        GIVEN("a_tracks.csv"),
        lambda path, material: labelled_sets(path.parent),
        sound.paths,
        "text",
        csv,
    ),
    Reader(
        "labelled boxes",
        a_film_with_boxes,
        lambda path, material: [one for one in labelled_sets(path.parent) if one.sources],
        sound.paths,
        "json",
        json_,
        few=2,
    ),
]  # fmt: skip
