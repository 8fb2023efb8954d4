"""The whole method on one page: film in, cast out.

    film -> shots, faces -> tracks -> crops -> embeddings -> (adaptation) -> links -> cast -> page

Everything here reads tables and calls steps; each step lives in the file of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from videoclusternet.adapt.film import adapt_faces
from videoclusternet.adapt.ranks import ALONE, Ranks, joined
from videoclusternet.adapt.rounds import good_rounds
from videoclusternet.adapt.supply import Supply
from videoclusternet.clustering.coarse_matching import find_links
from videoclusternet.clustering.find_cast import check_choice, find_cast
from videoclusternet.config import Config, EmbedConfig
from videoclusternet.embed.embed import embed_crops
from videoclusternet.errors import ConfigError
from videoclusternet.events import Event, Hook, silent
from videoclusternet.film.crops import cut_crops
from videoclusternet.film.scan import scan_film
from videoclusternet.film.shots import find_shots
from videoclusternet.film.tracks import track_faces
from videoclusternet.film.video import open_video
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.detectors.detector import FaceDetector
from videoclusternet.models.load import check, load_backbone, load_detector, pick_device
from videoclusternet.models.registry import weights_digest
from videoclusternet.runfolder.crop_zip import CROPS, CropPictures
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.result import Result, open_run
from videoclusternet.runfolder.steps import Run, Work, check_films, recorded_settings
from videoclusternet.show.cast_page import write_report
from videoclusternet.show.learning import write_learning
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    Embeddings,
    Faces,
    FrameScores,
    Links,
    Merges,
    Motion,
    Shots,
    Table,
    Tracks,
    VideoInfo,
)
from videoclusternet.types.pool import pool_embeddings, pool_tracks


def cluster_film(
    films: Sequence[Path | str] | Path | str,
    output: Path | str | None = None,
    config: Config | None = None,
    hook: Hook = silent,
) -> Result:
    """Find out who is on screen, when, in one film or in several with a shared cast.

    Parameters
    ----------
    films : path or sequence of paths
    output : path, optional
        Run folder; by default the first film's name with ``.vcn``, in the current folder.
        A folder with an earlier run of the same films is continued.
    config : Config, optional
    hook : Hook
        Told of everything that happens; may raise ``Cancelled``.

    Returns
    -------
    Result

    Raises
    ------
    VcnError
        With an exit code and an advice; see :mod:`videoclusternet.errors`.
    """
    config = config or Config()
    paths = listed(films)
    if not paths:
        raise ConfigError("no film given", "name at least one film")
    check_choice(config.cluster)
    device = pick_device(config.device)
    videos = [open_video(path, noting(hook)) for path in paths]  # (F,) time stamps each
    detector = cache(lambda: load_detector(config.faces.detector, device))
    backbone = cache(lambda: load_backbone(config.embed.backbone, device))
    with Run.open(default_output(paths, output), config, hook) as run:
        check_films(run.store, [video.content for video in videos])
        run.describe(films=[{"path": v.path, "content": v.content} for v in videos])
        runs = run.films(paths)
        check_models(runs, config)
        found = [
            find_tracks(film, i, video, detector)
            for i, (film, video) in enumerate(zip(runs, videos, strict=True))
        ]
        return find_characters(run, runs, found, backbone)


def check_models(runs: Sequence[Run], config: Config) -> None:
    """Refuse models that are missing and still needed: now, not after hours of looking."""
    if any(film.store.fingerprint("scan") is None for film in runs):
        check(config.faces.detector, "detector")
    if any(film.store.fingerprint("embeddings") is None for film in runs):
        check(config.embed.backbone, "backbone")


def find_characters(
    run: Run,
    runs: Sequence[Run],
    found: Sequence[tuple[Tracks, Crops]],
    backbone: Callable[[], FaceModel],
) -> Result:
    """Go from tracks and crops of all films to one cast and its page."""
    described = [
        describe_tracks(film, tracks, crops, backbone)
        for film, (tracks, crops) in zip(runs, found, strict=True)
    ]
    tracks = pool_tracks([tracks for tracks, _ in found])
    embeddings = pool_embeddings(described, [len(crops) for _, crops in found])
    pictures = CropPictures([(f.folder / CROPS, c) for f, (_, c) in zip(runs, found, strict=True)])
    name_cast(run, tracks, embeddings, pictures, backbone)
    write_learning(run.folder)
    result = open_run(run.folder)
    write_report(result)
    return result


def find_tracks(
    run: Run, number: int, video: VideoInfo, detector: Callable[[], FaceDetector]
) -> tuple[Tracks, Crops]:
    """Go from the pictures of one film to tracks and their crops."""
    c = run.config
    (video,) = run.step("video", (VideoInfo,), lambda work: (video,), [video, video.path])
    scores, faces, motion = run.step(  # (F,) scores, (N, 4) boxes, (K, 2, 3) maps
        "scan",
        (FrameScores, Faces, Motion),
        lambda work: scan_film(video, detector, c.faces, work.parts, work.progress, work.note),
        [video, weights_digest(c.faces.detector)],
        [c.faces],
        unit="frames",
    )
    (shots,) = run.step(  # (S,) half-open ranges
        "shots",
        (Shots,),
        lambda work: (find_shots(scores, c.shots, video.fps),),
        [scores, video.rate],
        [c.shots],
    )
    (tracks,) = run.step(  # (T,) tracks over (M,) faces
        "tracks",
        (Tracks,),
        lambda work: (
            track_faces(
                shots, faces, motion, video.fps, c.tracks, c.quality, number, work.progress
            ),
        ),
        [shots, faces, motion, str(number)],
        [c.tracks, c.quality],
        unit="shots",
    )

    def cut(work: Work) -> tuple[Crops]:
        with run.writes("crops", CROPS) as path:
            return (
                cut_crops(video, faces, tracks, c.crops, c.quality, path, work.progress, work.note),
            )

    (crops,) = run.step(  # (C,) canvases of 144 px
        "crops",
        (Crops,),
        cut,
        [video, faces, tracks],
        [c.crops, c.quality],
        unit="frames",
        file=CROPS,
    )
    return tracks, crops


def describe_tracks(
    run: Run, tracks: Tracks, crops: Crops, backbone: Callable[[], FaceModel]
) -> Embeddings:
    """Embed the crops of one film: (C, d) clean and (C, V, d) views."""
    c = run.config
    pictures = CropPictures([(run.folder / CROPS, crops)])
    faces: list[Table | str] = [crops, tracks, weights_digest(c.embed.backbone)]

    def embed(work: Work) -> tuple[Embeddings]:
        (clean,) = run.held("embeddings", (Embeddings,), faces, [c.embed]) or (None,)
        return (
            embed_crops(
                crops,
                tracks,
                pictures.pixels,
                backbone(),
                c.embed,
                c.seed,
                work.progress,
                work.parts,
                clean,
            ),
        )

    (embeddings,) = run.step(
        "embeddings",
        (Embeddings,),
        embed,
        [*faces, str(c.seed)],
        [c.embed],
        unit="faces",
    )
    return embeddings  # type: ignore[no-any-return]


def name_cast(
    run: Run,
    tracks: Tracks,
    embeddings: Embeddings,
    pictures: CropPictures,
    backbone: Callable[[], FaceModel],
    ranks: Ranks = ALONE,
    supplies: dict[str, Supply] | None = None,
) -> Cast:
    """Group the tracks of all films into one cast: (T,) character numbers."""
    c = run.config
    learnt = []
    if c.adapt.rounds or c.adapt.given:
        learnt = [adapt_faces(run, tracks, embeddings, pictures, backbone, ranks, supplies)]
    (links,) = run.step(  # (L,) coarse matches
        "links",
        (Links,),
        lambda work: (find_links(embeddings, np.arange(embeddings.tracks), c.matching),),
        [embeddings],
        [c.matching],
    )
    cast, *_ = run.step(
        "cast",
        (Cast, Merges, Candidates),
        lambda work: find_cast(
            tracks,
            embeddings,
            links,
            c.cluster,
            c.track_quality,
            c.seed,
            work.progress,
            good_rounds(run.folder, learnt[0]) if learnt else {},
        ),
        [tracks, embeddings, links, str(c.seed), *learnt],
        [c.cluster, c.track_quality],
        unit="comparisons",
        version=3,
    )
    return cast  # type: ignore[no-any-return]


def adapt_run(
    folder: Path | str,
    config: Config,
    hook: Hook = silent,
    supplies: dict[str, Supply] | None = None,
) -> Result:
    """Adapt the model of a finished run and find its cast anew.

    The film is not needed.  Started by ``torchrun``, all processes train together and the
    first one writes.

    Parameters
    ----------
    folder : path
        Of a run that is finished, in any profile.
    config : Config
        ``adapt``, ``matching``, ``track_quality``, ``cluster`` and ``seed`` are used; the
        face model and its views are those of the run.
    hook : Hook
    supplies : dict, optional
        Kept activations, for many trainings of one run.
    """
    result = open_run(folder)
    check_choice(config.cluster)
    # The crops were described by the run's own settings: they hold, backbone and all.
    embed = recorded_settings(result.folder, EmbedConfig, "embed")
    config = config.model_copy(update={"embed": embed})
    device = pick_device(config.device)
    backbone = cache(lambda: load_backbone(config.embed.backbone, device))
    with joined(device) as ranks:
        found = (result.tracks, result.embeddings, result.pictures, backbone, ranks)
        if not ranks.first:
            adapt_faces(Run(Store(result.folder), config, silent), *found)
            return result
        with Run.open(result.folder, config, hook) as run:
            run.describe()
            name_cast(run, *found, supplies)
            write_learning(run.folder)
            result = open_run(run.folder)
            write_report(result)
    return result


def listed(paths: Sequence[Path | str] | Path | str) -> list[Path]:
    """Return one path or several as a list."""
    return [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]


def default_output(paths: Sequence[Path], output: Path | str | None) -> Path:
    """Return the run folder: as given, else named after the first film."""
    if output is not None:
        return Path(output)
    more = f"-and-{len(paths) - 1}-more" if len(paths) > 1 else ""
    return Path(f"{paths[0].stem}{more}.vcn")


def noting(hook: Hook) -> Callable[[str], None]:
    """Return what tells the user of damage that shows as a film is opened."""
    return lambda message: hook(Event("note", "video", message=message))
