"""A reader, and valid samples of the files that people and other programs write."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.attack.material import Material
from tests.attack.runs.zips import ENTRY, pictures

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
        Of :data:`tests.attack.readers.mutations.CHANGES`.
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


STITCHED = partial(files, truth__csv=TRUTH, shots__csv=SHOTS)
