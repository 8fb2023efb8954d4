"""How fast, how much memory: whole runs beside a usual recipe, video steps, clustering alone.

    python bench/speed.py [FILM] [--detector NAME] [--backbone NAME]

Without a film, the embedded demo film.  Every measurement runs in a process of its own.
Seconds are of the wall, CPU seconds of all threads and processes, imports too; memory is the peak
resident size.  The recipe is that of ``face_recognition``: dlib's HOG detector on every 12th
frame, an embedding of each face, Chinese Whispers at .5.  Other work on the machine stretches
seconds more than CPU seconds: the ratio is of these.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

JOBS = ("run", "recipe", "memory", "clustering")
EVERY, THRESHOLD = 12, 0.5
"""Of the recipe: frames from one look to the next, largest distance of two faces of a person."""


def peak_mib() -> float:
    """Peak resident memory of this process, MiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu_seconds() -> float:
    """CPU seconds of this process from its start on, and of those that it waited for."""
    import resource

    used = [resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def run(film: str, detector: str, backbone: str, *more: str) -> dict[str, float]:
    """Time the whole job from film to page, models loaded from scratch."""
    from videoclusternet import Config, cluster_film

    settings = [f"faces.detector={detector}", f"embed.backbone={backbone}", *more]
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = cluster_film(film, Path(folder) / "run.vcn", Config.load(settings=settings))
        seconds = time.perf_counter() - started
        video = result.films[0].video
        steps = json.loads((result.folder / "run.json").read_text())["steps"]
    length = video.seconds(video.frames)
    return {
        "film seconds": length,
        "run seconds": seconds,
        "times real time": length / seconds,
        "CPU seconds": cpu_seconds(),
        "detection stride": result.films[0].faces.stride,
        **{f"step {name} seconds": step["seconds"] for name, step in steps.items()},
        "peak MiB": peak_mib(),
    }


def recipe(film: str) -> dict[str, float]:
    """Find and group faces as is usual with ``face_recognition``, whose models these are."""
    from importlib.util import find_spec

    import dlib

    from videoclusternet.film.video import open_video, read_frames

    carrier = find_spec("face_recognition_models")
    assert carrier is not None and carrier.origin is not None
    models = Path(carrier.origin).parent / "models"
    started = time.perf_counter()
    detector = dlib.get_frontal_face_detector()
    points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    name = "dlib_face_recognition_resnet_model_v1.dat"
    encoder = dlib.face_recognition_model_v1(str(models / name))
    video = open_video(film)
    encodings = []
    for frame in read_frames(video, range(0, video.frames, EVERY)):
        picture = frame.picture(video.width, video.height)
        for box in detector(picture, 1):
            encodings.append(encoder.compute_face_descriptor(picture, points(picture, box), 1))
    groups = dlib.chinese_whispers_clustering(encodings, THRESHOLD)
    return {
        "faces": len(encodings),
        "groups": len(set(groups)),
        "run seconds": time.perf_counter() - started,
        "CPU seconds": cpu_seconds(),
        "peak MiB": peak_mib(),
    }


def video_memory(film: str, detector: str) -> dict[str, float]:
    """Run the steps that read pictures, and nothing else."""
    from videoclusternet import Config
    from videoclusternet.models.load import LazyDetector
    from videoclusternet.runfolder.steps import Run
    from videoclusternet.sources.film import FilmSource

    config = Config.load(settings=[f"faces.detector={detector}"])
    source = FilmSource.open(Path(film))
    with (
        tempfile.TemporaryDirectory() as folder,
        Run.open(Path(folder) / "run.vcn", config, lambda event: None) as work,
    ):
        source.bring(work, 0, LazyDetector(detector, "cpu"))
    video = source.video
    return {"film seconds": video.seconds(video.frames), "peak MiB": peak_mib()}


def repeat(film: str, times: int, path: Path) -> None:
    """Write a film several times in a row, without decoding it."""
    import av

    with av.open(str(path), "w") as out:
        target = None
        shift = 0
        for _ in range(times):
            with av.open(film) as source:
                stream = source.streams.video[0]
                if target is None:
                    target = out.add_stream_from_template(stream)
                last = 0
                for packet in source.demux(stream):
                    if packet.dts is None:
                        continue
                    packet.pts += shift
                    packet.dts += shift
                    last = max(last, packet.pts + (packet.duration or 1))
                    packet.stream = target
                    out.mux(packet)
                shift = last


def clustering(tracks: int, dim: int = 512, crops: int = 4) -> dict[str, float]:
    """Cluster synthetic tracks: summing up, own thresholds, average linkage, confidence."""
    import numpy as np

    from videoclusternet.clustering.average_linkage import join, relative
    from videoclusternet.clustering.confidence import confidence
    from videoclusternet.clustering.distance import Metric
    from videoclusternet.clustering.track_points import space_points
    from videoclusternet.clustering.whitening import Space
    from videoclusternet.types import Constraints

    rng = np.random.default_rng(0)
    people = max(2, tracks // 50)
    centre = rng.normal(size=(people, dim)).astype(np.float32)
    track = np.repeat(np.arange(tracks), crops).astype(np.int32)
    person = rng.integers(0, people, tracks)[track]
    clean = centre[person] + rng.normal(size=(len(track), dim)).astype(np.float32) * 0.7
    views = rng.standard_normal((len(track), 6, dim), dtype=np.float32)
    views *= 0.7
    views += clean[:, None]
    space = Space.plain("synthetic", clean, views, track, tracks, 2)
    metric = Metric("cosine")
    before = peak_mib()
    started = time.perf_counter()
    points = space_points(space, metric)
    far, known = relative(points, metric), Constraints.none(tracks)
    partition = join(far, 1.0, known)
    confidence(far, partition.label, 1.0, known.apart)
    return {
        "tracks": tracks,
        "people": people,
        "clusters": partition.clusters,
        "seconds": time.perf_counter() - started,
        "peak MiB with its input": peak_mib(),
        "input MiB": before,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", nargs="?")
    parser.add_argument("--detector", default="mtcnn")
    parser.add_argument("--backbone", default="dlib")
    parser.add_argument("--set", action="append", default=[], help="e.g. processes=1")
    parser.add_argument("--only", choices=JOBS, action="append")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(eval_job(json.loads(options.job))))
        return
    wanted = options.only or JOBS
    with tempfile.TemporaryDirectory() as folder:
        film = options.film
        if film is None:
            from videoclusternet.cli.demo_film import build_demo

            film = str(build_demo(Path(folder)))
        took = {}
        if "run" in wanted:
            job = ["run", film, options.detector, options.backbone, *options.set]
            took["run"] = show("whole run", job)["CPU seconds"]
        if "recipe" in wanted and not importlib.util.find_spec("dlib"):
            print("\nrecipe of face_recognition: left out, dlib is not installed (dlib-bin)")
        elif "recipe" in wanted:
            took["recipe"] = show("recipe of face_recognition", ["recipe", film])["CPU seconds"]
        if len(took) == 2:
            print(f"\nCPU seconds, ours / recipe: {took['run'] / took['recipe']:.2f}")
        if "memory" in wanted:
            longer = Path(folder) / "longer.mp4"
            repeat(film, 10, longer)
            show("video steps", ["memory", film, options.detector])
            show("video steps, film ten times as long", ["memory", str(longer), options.detector])
        if "clustering" in wanted:
            for tracks in (1_000, 20_000):
                show("clustering alone", ["clustering", tracks])


def eval_job(job: list) -> dict[str, float]:
    name, *values = job
    jobs = {"run": run, "recipe": recipe, "memory": video_memory, "clustering": clustering}
    return jobs[name](*values)


def show(title: str, job: list) -> dict[str, float]:
    """Run one measurement in a fresh process and print it."""
    done = subprocess.run(
        [sys.executable, __file__, "--job", json.dumps(job)],
        check=True,
        capture_output=True,
        text=True,
    )
    print(f"\n{title}: {' '.join(Path(str(part)).name for part in job)}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    for name, value in found.items():
        print(f"  {name:28}{value:>12,.2f}")
    return found


if __name__ == "__main__":
    main()
