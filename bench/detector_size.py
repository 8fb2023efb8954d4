"""How large must the picture be that the detector sees? Films of 1080p, at every size.

    python bench/detector_size.py STITCHED [--weights FOLDER] [--keep FOLDER] [--film mixed ...]
        [--size 640 ...]

STITCHED is a labelled film of 640x360, as `vcn score` reads it.  Those of its shots that show one
person are put into three films of 1920x1080, one or several beside each other: *close*, *mixed*
and *wide*, with faces of 150 to 400, 30 to 300 and 14 to 60 px.  Each film is clustered with the
detector at every size, and at the size that is chosen from it (0).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from videoclusternet import Config, Result, cluster_film
from videoclusternet.cli.demo_film import write_film
from videoclusternet.film.video import Frame, open_video, read_frames
from videoclusternet.runfolder.table_files import read_table, table_path
from videoclusternet.types import DetectorSizes, VideoInfo
from videoclusternet.types.arrays import UInt8
from videoclusternet_bench.data.truth import STITCHED_WIDTH
from videoclusternet_bench.metrics.score_run import score_run

WIDTH, HEIGHT = 1920, 1080
SMALL = (640, 360)
"""Size of the labelled film, px."""
FILMS = {"close": (150, 400, 2), "mixed": (30, 300, 3), "wide": (14, 60, 5)}
"""Sizes of faces, px, and how many people are in a shot at most."""
SHOTS, LONG = 40, 48
"""Of each film, and frames of a shot."""
PAIRS = (("yunet", "edgeface-xs"), ("mtcnn", "dlib"))
TITLES = ("film", "detector", "size", "visible", "found", "usable", "false", "F", "F, Unknown")
"""Columns: people in shots, those with a track and with a usable one, false tracks, B-cubed F."""
SECONDS = {"detector_size": "choose s", "scan": "scan s"}
"""Steps whose seconds are shown."""


@dataclass(frozen=True)
class Single:
    """A shot of one person: its first frame, where the face stays and how tall it is, px."""

    start: int
    identity: str
    low: float
    high: float
    face: float


@dataclass(frozen=True)
class Tile:
    """A person in a shot: part of the small film, from ``left`` to ``right``, and where it goes."""

    single: Single
    scale: float
    left: float
    right: float
    x: float
    y: int

    def place(self, x: float) -> float:
        """Return where a column of the small film goes, in px of a frame 640 px wide."""
        return ((x - self.left) * self.scale + self.x) * STITCHED_WIDTH / WIDTH


def singles(folder: Path) -> list[Single]:
    """Return the shots of a labelled film that show one person for long enough."""
    with open(folder / "shots.csv") as file:
        shots = {row["shot"]: row for row in csv.DictReader(file)}
    found = []
    with open(folder / "truth.csv") as file:
        for row in csv.DictReader(file):
            shot = shots[row["shot"]]
            start, stop = int(shot["start_frame"]), int(shot["end_frame_exclusive"])
            if shot["kind"] == "single" and stop - start >= LONG:
                place = (float(row[name]) for name in ("x_min", "x_max", "face_h"))
                found.append(Single(start, row["identity"], *place))
    return found


def compose(every: Sequence[Single], kind: str) -> Iterator[tuple[UInt8, list[Tile]]]:
    """Yield the ground of each shot of a film, and who is on it."""
    _, _, most = FILMS[kind]
    rng = np.random.default_rng(sorted(FILMS).index(kind))
    for _ in range(SHOTS):
        picked = rng.choice(len(every), size=int(rng.integers(1, most + 1)), replace=False)
        people = {every[i].identity: every[i] for i in picked}
        ground = stage(rng)
        yield ground, side_by_side(list(people.values()), kind, rng)


def stage(rng: np.random.Generator) -> UInt8:
    """Draw a blurred ground of some colour: a table with coffee, turned."""
    import skimage.data

    coffee = np.asarray(skimage.data.coffee())
    turned = np.ascontiguousarray(np.rot90(coffee, int(rng.integers(4))))
    light = rng.uniform(0.4, 1.2, 3)
    picture = cv2.GaussianBlur(cv2.resize(turned, (WIDTH, HEIGHT)), (0, 0), 7)
    lit: UInt8 = np.clip(picture * light, 0, 255).astype(np.uint8)
    return lit


def side_by_side(people: Sequence[Single], kind: str, rng: np.random.Generator) -> list[Tile]:
    """Give people their sizes and places; who has no room is left out."""
    small, large, _ = FILMS[kind]
    tiles: list[Tile] = []
    taken = 0.0
    for one in people:
        scale = float(np.exp(rng.uniform(np.log(small), np.log(large)))) / one.face
        left, right = max(0.0, one.low - one.face), min(STITCHED_WIDTH, one.high + one.face)
        if taken + (right - left) * scale <= WIDTH:
            tiles.append(Tile(one, scale, left, right, taken, 0))
            taken += (right - left) * scale
    # What room is left goes between them.
    gaps = np.sort(rng.uniform(0, WIDTH - taken, len(tiles))).tolist()
    tops = [int(rng.integers(0, max(1, HEIGHT - round(SMALL[1] * t.scale)))) for t in tiles]
    return [
        replace(tile, x=tile.x + gap, y=top)
        for tile, gap, top in zip(tiles, gaps, tops, strict=True)
    ]


def draw(folder: Path, kind: str, into: Path) -> None:
    """Write a film and its truth."""
    video = open_video(folder / "movie.mp4")
    shots = list(compose(singles(folder), kind))
    into.mkdir(parents=True, exist_ok=True)
    write_film(into / "movie.mp4", (p for shot in shots for p in pictures(video, *shot)))
    with open(into / "truth.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["shot", "identity", "x_min", "x_max"])
        for number, (_, tiles) in enumerate(shots):
            for tile in tiles:
                one = tile.single
                rows.writerow([number, one.identity, tile.place(one.low), tile.place(one.high)])
    with open(into / "shots.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["shot", "start_frame"])
        rows.writerows([number, number * LONG] for number in range(len(shots)))


def pictures(video: VideoInfo, ground: UInt8, tiles: Sequence[Tile]) -> Iterator[UInt8]:
    """Yield the pictures of a shot."""
    starts = [tile.single.start for tile in tiles]
    readers = [read_frames(video, range(start, start + LONG)) for start in starts]
    for frames in zip(*readers, strict=True):
        picture = ground.copy()
        for frame, tile in zip(frames, tiles, strict=True):
            paste(picture, frame, tile)
        yield picture


def paste(picture: UInt8, frame: Frame, tile: Tile) -> None:
    """Put a person into a picture; what reaches over the edge is cut off."""
    pixels = frame.picture(*SMALL)[:, round(tile.left) : round(tile.right)]
    size = (round(pixels.shape[1] * tile.scale), round(pixels.shape[0] * tile.scale))
    how = cv2.INTER_AREA if tile.scale < 1 else cv2.INTER_CUBIC
    x = round(tile.x)
    pasted = cv2.resize(pixels, size, interpolation=how)[: HEIGHT - tile.y, : WIDTH - x]
    picture[tile.y : tile.y + pasted.shape[0], x : x + pasted.shape[1]] = pasted


def measure(folder: Path, kind: str, detector: str, backbone: str, size: int) -> list[str]:
    """Cluster a film with the detector at a size, and score it."""
    settings = [
        f"faces.detector={detector}",
        f"embed.backbone={backbone}",
        f"faces.max_side={size}",
    ]
    run = folder / f"{kind}-{detector}-{size}"
    result = cluster_film(folder / kind / "movie.mp4", run, Config.load(settings=settings))
    found = score_run(result, folder / kind)
    counts = [str(found[name]) for name in ("visible", "found", "usable", "false_tracks")]
    shares = [f"{found[name]:.3f}" for name in ("bcubed_f", "bcubed_f_dagger")]
    return [kind, detector, seen_at(result, size), *counts, *shares, *seconds(result)]


def seen_at(result: Result, size: int) -> str:
    """Name a size; that which was chosen from the film in brackets."""
    if size:
        return str(size)
    sizes = read_table(table_path(result.folder, DetectorSizes), DetectorSizes)
    return f"0 ({sizes.chosen})"


def seconds(result: Result) -> list[str]:
    """Return the seconds of the steps that depend on the size."""
    steps = json.loads((result.folder / "run.json").read_text())["steps"]
    return [f"{steps[name]['seconds']:.1f}" if name in steps else "" for name in SECONDS]


def main() -> None:
    """Draw the films that are not there, cluster them, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("stitched", type=Path)
    parser.add_argument("--weights", type=Path, help="folder with weights")
    parser.add_argument("--keep", type=Path, help="films and run folders; reused")
    parser.add_argument("--film", nargs="*", default=list(FILMS), choices=FILMS)
    parser.add_argument("--size", type=int, nargs="*", default=[640, 960, 1280, 1920, 0])
    options = parser.parse_args()
    if options.weights:
        os.environ["VCN_CACHE"] = str(options.weights.resolve())
    folder = options.keep or Path(tempfile.mkdtemp(prefix="vcn-"))
    table = Table(*TITLES, *SECONDS.values())
    for kind in options.film:
        if not (folder / kind / "shots.csv").exists():
            draw(options.stitched, kind, folder / kind)
        for detector, backbone in PAIRS:
            for size in options.size:
                row = measure(folder, kind, detector, backbone, size)
                table.add_row(*row)
                print(*row, flush=True)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
