"""The readers of files that people and other programs write, each with a valid sample."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

from tests.attack.material import Material
from tests.attack.readers import checks as sound
from tests.attack.readers import texts as odd
from tests.attack.readers.arrays import ARRAYS, strange_mat, strange_npz
from tests.attack.readers.samples import (
    BOXED,
    CLEAN,
    CVAT,
    FILM,
    FLOATS,
    GIVEN,
    IDS,
    JPEGS,
    LIST,
    MOTTED,
    STITCHED,
    TRACKS,
    Reader,
    a_film_with_boxes,
    crop_folder,
    files,
    matlab,
    pack,
    plain,
    some_crops,
)
from videoclusternet.annotations.box_forms import read_boxes, read_boxes_of
from videoclusternet.annotations.boxes import read_facts, read_tracks_csv
from videoclusternet.annotations.cvat import read_cvat
from videoclusternet.annotations.mot import read_mot
from videoclusternet.film.video import open_video
from videoclusternet.result.result import open_run
from videoclusternet.sources.crops import CropSource, _canvas_file
from videoclusternet.sources.features import FeatureSource, read_features
from videoclusternet.sources.track_list import read_list
from videoclusternet_bench.data.feature_files import read_any, read_npy
from videoclusternet_bench.data.ids import count_labels, read_ids
from videoclusternet_bench.data.join import join
from videoclusternet_bench.data.sets import labelled_sets
from videoclusternet_bench.data.truth import read_truth


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


csv, json_, ini, xml = odd.csv, odd.json, odd.ini, odd.xml


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
