"""How well cuts are found: content, adaptive and transnet on films, and on copies of them.

    python bench/shots.py FILM=SHOTS.csv [FILM=SHOTS.csv ...] [--work FOLDER] [--copies grey,sepia]

SHOTS.csv has a column `start_frame` of labelled shots.  Copies are made by the command `ffmpeg`:
grey, sepia, faded, dark, grainy, at other rates; and one whose hard cuts are cross-fades of
twelve frames.  A cut is found when a shot begins at most two frames from it, or from its
cross-fade; each shot begins for one cut at most.  Seconds are those of a pass over the film:
decoding and comparing, or decoding and the network, in this process.  What was measured is kept
in the work folder.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from videoclusternet.cli.demo_film import write_film
from videoclusternet.config import ShotConfig
from videoclusternet.film.shots import ShotMeter, find_shots, meter_size
from videoclusternet.film.transitions import find_transitions
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.models.transnet import LazyTransNet
from videoclusternet.types import FrameScores, Transitions, VideoInfo

FILTERS = {
    "grey": "hue=s=0",
    "sepia": "colorchannelmixer=.393:.769:.189:0:.349:.686:.168:0:.272:.534:.131",
    "faded": "eq=contrast=.4:saturation=.4:brightness=.1",
    "grey, faded": "hue=s=0,eq=contrast=.4:brightness=.1",
    "dark": "colorchannelmixer=.25:0:0:0:0:.25:0:0:0:0:.25",
    "grey, grain": "hue=s=0,format=rgb24,noise=alls=20:allf=t",
    "5 fps": "fps=5",
    "12 fps": "fps=12",
    "50 fps": "fps=50",
}
COPIES = ("as it is", *FILTERS, "dissolved")
FADE = 12
"""Frames of a cross-fade."""
NEAR = 2
"""Frames that a shot may begin beside a cut."""
Spans = list[tuple[int, int]]
"""First and last frame of every transition: of a hard cut, the first frame of the new shot."""


def labelled(path: Path) -> list[int]:
    """Return the frames at which a shot begins, but for the first."""
    with open(path, encoding="utf-8") as stream:
        return sorted(int(row["start_frame"]) for row in csv.DictReader(stream))[1:]


def copy(film: Path, cuts: list[int], name: str, folder: Path) -> tuple[Path, Spans]:
    """Make a copy, unless it is there, and return it with its transitions."""
    if name == "as it is":
        return film, [(cut, cut) for cut in cuts]
    path = folder / f"{film.parent.name}-{film.stem}-{name.replace(', ', '-').replace(' ', '')}.mp4"
    if name == "dissolved":
        fades = spans_of_fades(cuts, open_video(film).frames)
        if not path.exists():
            write_film(path.with_suffix(".part"), dissolved(film, fades), open_video(film).fps)
            path.with_suffix(".part").rename(path)
        return path, fades
    if not path.exists():
        encode = f"-an -sn -c:v libx264 -preset veryfast -crf 23 -f mp4 -y -v error {path}.part"
        command = ["ffmpeg", "-i", str(film), "-vf", FILTERS[name], *encode.split()]
        subprocess.run(command, check=True)
        path.with_suffix(".mp4.part").rename(path)
    rate = float(open_video(path).fps / open_video(film).fps)
    return path, [(place, place) for place in sorted({round(cut * rate) for cut in cuts})]


def spans_of_fades(cuts: list[int], frames: int) -> Spans:
    """Lay a cross-fade over each cut; where a shot is too short, the cut stays hard."""
    edges = [0, *cuts, frames]
    spans = []
    for before, cut, after in zip(edges, cuts, edges[2:], strict=False):
        fits = min(cut - before, after - cut) >= 2 * FADE
        spans.append((cut - FADE // 2, cut + FADE // 2) if fits else (cut, cut))
    return spans


def dissolved(film: Path, fades: Spans) -> Iterator[np.ndarray]:
    """Yield all pictures; in a fade, either shot stands still beyond the cut."""
    video = open_video(film)
    size = (video.width // 2 * 2, video.height // 2 * 2)
    middles = [(first + last) // 2 for first, last in fades if last > first]
    wanted = sorted({frame for cut in middles for frame in (cut - 1, cut)})
    still = {frame.number: frame.picture(*size) for frame in read_frames(video, wanted)}
    share = {}
    for cut in middles:
        for step, frame in enumerate(range(cut - FADE // 2, cut + FADE // 2)):
            share[frame] = ((step + 1) / (FADE + 1), cut)
    for frame in read_frames(video):
        picture = frame.picture(*size)
        if frame.number in share:
            new, cut = share[frame.number]
            other = still[cut] if frame.number < cut else still[cut - 1]
            weight = new if frame.number < cut else 1 - new
            picture = np.round(picture * (1 - weight) + other * weight).astype(np.uint8)
        yield picture


def compared(video: VideoInfo) -> FrameScores:
    """Compare neighbouring frames."""
    change = np.zeros((video.frames, 3), dtype=np.float32)
    chance = np.zeros_like(change)
    meter, size = ShotMeter(), meter_size(video.width, video.height)
    for frame in read_frames(video):
        change[frame.number], chance[frame.number] = meter.measure(frame.picture(*size))
    return FrameScores(change, chance)


def measured(path: Path, folder: Path, device: str) -> tuple[FrameScores, Transitions, list[float]]:
    """Look at a film in both ways, or take what was found before; with the seconds."""
    video = open_video(path)
    kept = folder / f"{path.parent.name}-{path.stem}.npz"
    if not kept.exists():
        started = time.perf_counter()
        scores = compared(video)
        between = time.perf_counter()
        found = find_transitions(video, LazyTransNet(device))
        seconds = [between - started, time.perf_counter() - between]
        np.savez(kept, **scores.arrays(), score=found.score, seconds=seconds)
    with np.load(kept) as data:
        scores = FrameScores(data["change"], data["chance"])
        return scores, Transitions(data["score"]), data["seconds"].tolist()


def judge(starts: list[int], spans: Spans) -> tuple[float, float, float]:
    """Return precision, recall and F1 of shot starts."""
    left, hits = list(starts), 0
    for first, last in spans:
        near = [start for start in left if first - NEAR <= start <= last + NEAR]
        if near:
            left.remove(min(near, key=lambda start: abs(start - (first + last) / 2)))
            hits += 1
    precision = hits / len(starts) if starts else 1.0
    recall = hits / len(spans)
    return precision, recall, 2 * hits / (len(starts) + len(spans))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="+", metavar="FILM=SHOTS.csv")
    parser.add_argument("--work", type=Path, default=Path("bench-shots"))
    parser.add_argument("--copies", default=",".join(c.replace(",", "+") for c in COPIES))
    parser.add_argument("--device", default="cpu", help="of the network")
    parser.add_argument("--threads", type=int, default=0, help="of the network; 0: torch's own")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.threads:
        torch.set_num_threads(options.threads)
    wanted = [name.replace("+", ",") for name in options.copies.split(",")]
    table = Table("film", "copy", "cuts", "detector", "found", "precision", "recall", "F1", "s")
    for pair in options.films:
        film, _, shots = pair.rpartition("=")
        for name in wanted:
            path, spans = copy(Path(film), labelled(Path(shots)), name, options.work)
            scores, transitions, seconds = measured(path, options.work, options.device)
            fps = open_video(path).fps
            for detector in ("content", "adaptive", "transnet"):
                config = ShotConfig.model_validate({"detector": detector})
                starts = find_shots(scores, config, Fraction(fps), transitions).start[1:].tolist()
                precision, recall, f1 = judge(starts, spans)
                table.add_row(
                    Path(film).parent.name, name, str(len(spans)), detector, str(len(starts)),
                    f"{precision:.3f}", f"{recall:.3f}", f"{f1:.3f}",
                    f"{seconds[detector == 'transnet']:.1f}",
                )  # fmt: skip
            table.add_section()
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
