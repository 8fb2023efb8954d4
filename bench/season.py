"""How fast, how much memory: the joint cast of a season, from embeddings to the page.

    python bench/season.py [--tracks 5000 --tracks 10000 --tracks 20000] [--width 512] [--films 24]

Every measurement runs in a process of its own, over a season that is drawn (seeded) and written
as a run folder: people of very different screen time, each with several looks; tracks with their
own light and pose; 4 to 16 crops a track, 4 of them in 6 views; tracks that meet in a picture.
Seconds are of the wall and of all threads; memory is the peak resident size, tables included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.config import Config
from videoclusternet.result.result import open_run
from videoclusternet.runfolder.crop_zip import CROP_ZIP, CropZip, crop_name
from videoclusternet.runfolder.folder import Store, film_folder
from videoclusternet.types import (
    Crops,
    CropWeights,
    Embeddings,
    Faces,
    Judgement,
    Shots,
    Table,
    Tracks,
    VideoInfo,
    Views,
)

SIZES = (5_000, 10_000, 20_000)
FRAMES, EVERY, SHOT = 48, 24, 60
"""Frames of a track; frames from one crop to the next; frames of a shot."""
CROPS, SEEN, VIEWS, GLOBALS = (4, 16), 4, 6, 2
LOOK, TRACK, CROP, VIEW = 0.6, 0.8, 0.8, 0.6
"""How far looks, tracks, crops and views lie from what they are of, in units of a person."""
DECAY = 15
"""Directions after which people differ less and less, as they do in real embeddings."""


def write_season(
    folder: Path, tracks: int = 20_000, films: int = 24, width: int = 512, pictures: bool = True
) -> Path:
    """Write a run over films that are not there, described and without a cast.

    Parameters
    ----------
    folder : Path
    tracks : int
        Of all films.
    films, width : int
        How many films; values of an embedding.
    pictures : bool
        Whether crops have pictures, two for each track; without any there is no page.
    """
    rng = np.random.default_rng(24)
    people = rng.standard_normal((120, width), dtype=np.float32) * _spread(width)
    store = Store(folder, create=True)
    names = [f"e{number + 1:02}" for number in range(films)]
    for number, name in enumerate(names):
        own = tracks * (number + 1) // films - tracks * number // films
        path = folder / "films" / film_folder(number, name) if films > 1 else folder
        _write_film(Store(path, create=True), number, own, people, rng, pictures)
    store.manifest["films"] = [
        {"path": f"{name}.mp4", "content": f"{number:064x}"} for number, name in enumerate(names)
    ]
    store.manifest["config"] = Config().model_dump()
    store.write_manifest()
    return folder


def _write_film(
    store: Store,
    number: int,
    tracks: int,
    people: np.ndarray,
    rng: np.random.Generator,
    pictures: bool,
) -> None:
    """Write one film: in each shot one to three tracks of different people, side by side."""
    share = 1 / np.arange(1, len(people) + 1)
    who, shot = np.empty((2, tracks), dtype=np.int64)
    done = shots = 0
    while done < tracks:
        here = min(int(rng.integers(1, 4)), tracks - done)
        who[done : done + here] = rng.choice(len(people), here, False, share / share.sum())
        shot[done : done + here] = shots
        done, shots = done + here, shots + 1
    first = shot * SHOT + rng.integers(0, SHOT - FRAMES, tracks)
    faces, found = _faces(number, shot, first)
    count = rng.integers(CROPS[0], CROPS[1] + 1, tracks)
    track = np.repeat(np.arange(tracks), count)
    embedded = _embeddings(track, who, people, rng, tracks)
    if pictures:
        crops = _pictures(store.folder, found, track)
    else:
        crops = Crops(track, found.first[track], found.face[found.start[track]], 0 * track, tracks)
    judged = Judgement(
        reason=np.zeros(tracks),
        size=np.full(tracks, 50.0),
        score=np.full(tracks, 0.99),
        sure=np.ones(tracks, bool),
        company=np.full(tracks, 0.5),
        least_size=14.0,
        measured=True,
        sure_score=0.85,
        least_company=0.4,
    )
    frames = shots * SHOT
    _save(store, "video", [_video(f"e{number + 1:02}.mp4", f"{number:064x}", frames)])
    _save(store, "shots", [Shots(np.arange(shots) * SHOT, np.arange(1, shots + 1) * SHOT)])
    _save(store, "scan", [faces])
    _save(store, "tracks", [found])
    _save(store, "crops", [crops])
    _save(store, "embeddings", [embedded], [crops.digest])
    _save(store, "judgement", [judged, CropWeights.even(len(embedded))], [found.digest])
    _save(store, "views", [_views(embedded, rng)])


def _save(store: Store, step: str, made: list[Table], inputs: Sequence[str] = ()) -> None:
    store.save(step, "0" * 64, made, {"inputs": list(inputs)})


def _video(path: str, content: str, frames: int) -> VideoInfo:
    order, key = np.arange(frames), np.ones(frames, bool)
    said = {"path": path, "content": content, "width": 640, "height": 360, "rate": "24"}
    said |= {"base": "1/24", "end": frames, "timed": True, "stream": 0, "marked": "count"}
    times = {"pts": order, "packet": order, "key": key, "seek": order, "mark": order}
    return VideoInfo.build(times, said)


def _faces(number: int, shot: np.ndarray, first: np.ndarray) -> tuple[Faces, Tracks]:
    """Five faces a track, evenly over it."""
    tracks, each = len(shot), 5
    frame = (first[:, None] + np.linspace(0, FRAMES - 1, each).astype(int)).ravel()
    track = np.repeat(np.arange(tracks), each)
    order = np.argsort(frame, kind="stable")
    left = (track * 37 % 500)[order].astype(np.float32)
    box = np.stack([left, 0 * left + 60, left + 90, 0 * left + 170], axis=1)
    points = np.repeat(box[:, None, :2] + 30, 5, axis=1)
    even = np.full(len(order), 0.9)
    faces = Faces(frame[order], box, points, even, even)
    place = np.argsort(order)
    start = np.arange(tracks + 1) * each
    film, flaw = np.full(tracks, number), np.zeros(tracks)
    return faces, Tracks(film, shot, first, first + FRAMES - 1, start, place, flaw)


def _spread(width: int) -> np.ndarray:
    """Return how far people, and all that is of them, lie apart in each direction."""
    return np.float32(1) / np.sqrt(1 + np.arange(width, dtype=np.float32) / DECAY)


def _embeddings(
    track: np.ndarray, who: np.ndarray, people: np.ndarray, rng: np.random.Generator, tracks: int
) -> Embeddings:
    """Draw crops: a person, in one of three looks of this film, in one track, in one picture."""

    def noise(rows: int, far: float) -> np.ndarray:
        drawn = rng.standard_normal((rows, people.shape[1]), dtype=np.float32)
        drawn *= np.float32(far) * _spread(people.shape[1])
        return drawn

    looks = np.repeat(people, 3, axis=0) + noise(3 * len(people), LOOK)
    middle = looks[3 * who + rng.integers(0, 3, tracks)] + noise(tracks, TRACK)
    base = middle[track] + noise(len(track), CROP)
    quality = rng.uniform(0.3, 0.9, len(track))
    return Embeddings(track, np.arange(len(track)), base, quality, tracks, "drawn")


def _views(embedded: Embeddings, rng: np.random.Generator) -> Views:
    """Draw views of the first crops of each track."""
    first = np.searchsorted(embedded.track, embedded.track)
    rows = np.flatnonzero(np.arange(len(embedded)) - first < SEEN)
    shape = (len(rows), VIEWS, embedded.base.shape[1])
    views = rng.standard_normal(shape, dtype=np.float32)
    views *= np.float32(VIEW) * _spread(shape[2])
    views += embedded.base[rows][:, None]
    return Views(views, rows, GLOBALS)


def _pictures(folder: Path, found: Tracks, track: np.ndarray) -> Crops:
    """Cut crops of one drawn picture in a few shades."""
    import cv2

    shades = []
    for shade in range(32):
        picture = np.full((144, 144, 3), 60 + 4 * shade, dtype=np.uint8)
        cv2.ellipse(picture, (72, 74), (38, 50), 0, 0, 360, (90, 120 + 3 * shade, 200), -1)
        shades.append(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes())
    sums = [zlib.crc32(one) for one in shades]
    place = np.arange(len(track)) - np.searchsorted(track, track)
    frame = found.first[track] + np.minimum(place * 3, FRAMES - 1)
    with CropZip(folder / CROP_ZIP) as archive:
        for t, f in zip(track.tolist(), frame.tolist(), strict=True):
            archive.add(crop_name(t, f), shades[(7 * t + f) % 32])
    checksum = np.array(sums)[(7 * track + frame) % 32]
    face = found.face[found.start[track]]
    return Crops(track, frame, face, checksum, len(found))


def cast_of(folder: Path) -> dict[str, Any]:
    """Find matches and cast as the pipeline does, with its one table after the other."""
    from videoclusternet.pipeline import adapt_run

    steps: dict[str, float] = {}

    def hear(event: Any) -> None:
        if event.kind == "done":
            steps[f"step {event.step} seconds"] = event.data["seconds"]

    result = adapt_run(folder, Config(), hear)
    return {"characters": len(result), **steps}


def read(folder: Path) -> dict[str, Any]:
    """Read the run back."""
    return {"characters": len(open_run(folder))}


def page(folder: Path) -> dict[str, Any]:
    """Write ``cast.html`` again."""
    from videoclusternet.show.cast_page import write_page

    write_page(open_run(folder))
    return {"page MiB": (folder / "cast.html").stat().st_size / 2**20}


def peak_mib() -> float:
    """Peak resident memory of this process, MiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


WHAT = {"cast": cast_of, "read": read, "page": page}


def job(name: str, folder: Path) -> dict[str, Any]:
    """Do one thing and say what it took."""
    import resource

    started = time.perf_counter()
    found = WHAT[name](folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime
    took = {"seconds": time.perf_counter() - started, "CPU seconds": spent}
    return took | {"peak MiB": peak_mib()} | found


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Do one thing in a fresh process; return what it took."""
    done = subprocess.run(
        [sys.executable, __file__, "--job", name, str(folder)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, action="append")
    parser.add_argument("--films", type=int, default=24)
    parser.add_argument("--width", type=int, action="append")
    parser.add_argument("--only", choices=WHAT, action="append")
    parser.add_argument("--keep", type=Path, help="folder in which the runs stay")
    parser.add_argument("--job", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(job(options.job[0], Path(options.job[1]))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        for width in options.width or (512, 128):
            for tracks in options.tracks or SIZES:
                folder = (options.keep or Path(temporary)) / f"{tracks}-{width}.vcn"
                if not folder.exists():
                    write_season(folder, tracks, options.films, width)
                for name in options.only or WHAT:
                    print(f"\n{tracks} tracks, {options.films} films, {width} values: {name}")
                    for what, value in measure(name, folder).items():
                        print(f"  {what:28}{value:>12,.2f}", flush=True)


if __name__ == "__main__":
    main()
