"""Enter at boxes: face tracks that somebody drew or another program found (section 3.2 on).

The boxes may be labelled.  Only their geometry goes on from here: no label reaches a run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from videoclusternet.annotations.box_forms import read_boxes_of
from videoclusternet.clustering.find_cast import check_choice
from videoclusternet.config import Config
from videoclusternet.errors import ConfigError
from videoclusternet.events import Hook, silent
from videoclusternet.film.crops import cut_chosen
from videoclusternet.film.video import open_video
from videoclusternet.models.detectors.detector import FaceDetector
from videoclusternet.models.load import load_backbone, load_detector, pick_device
from videoclusternet.models.registry import weights_digest
from videoclusternet.pipeline import check_models, default_output, find_characters, listed, noting
from videoclusternet.runfolder.crop_zip import CROPS
from videoclusternet.runfolder.result import Result
from videoclusternet.runfolder.steps import Run, Work, check_films
from videoclusternet.sources.given_boxes import (
    GivenBoxes,
    choose_boxes,
    find_landmarks,
    given_faces,
    given_shots,
    given_tracks,
    guess_landmarks,
)
from videoclusternet.types import Crops, Faces, Shots, Tracks, VideoInfo


def cluster_boxes(
    films: Sequence[Path | str] | Path | str,
    boxes: Sequence[Path | str] | Path | str,
    output: Path | str | None = None,
    config: Config | None = None,
    hook: Hook = silent,
) -> Result:
    """Group given face tracks of a film, or of several with a shared cast, into characters.

    Parameters
    ----------
    films : path or sequence of paths
    boxes : path or sequence of paths
        Boxes of each film, in any form that
        :func:`videoclusternet.annotations.box_forms.find_form` knows.  Labels are not used.
    output : path, optional
        Run folder; by default the first film's name with ``.vcn``, in the current folder.
    config : Config, optional
        ``shots`` and ``tracks`` play no part.
    hook : Hook

    Raises
    ------
    DataError
        When boxes are malformed, or were not made on their film.
    VcnError
        See :func:`videoclusternet.cluster_film`.
    """
    config = config or Config()
    paths, given = listed(films), listed(boxes)
    if not paths or len(paths) != len(given):
        raise ConfigError(f"{len(given)} sets of boxes for {len(paths)} films", "give one for each")
    check_choice(config.cluster)
    device = pick_device(config.device)
    videos = [open_video(path, noting(hook)) for path in paths]
    sets = [_geometry(path, video) for path, video in zip(given, videos, strict=True)]
    detector = cache(lambda: load_detector(config.faces.detector, device))
    backbone = cache(lambda: load_backbone(config.embed.backbone, device))
    contents = [_content(video, one) for video, one in zip(videos, sets, strict=True)]
    with Run.open(default_output(paths, output), config, hook) as run:
        check_films(run.store, contents)
        run.describe(
            films=[
                {"path": video.path, "content": content, "tracks": list(one.names)}
                for video, content, one in zip(videos, contents, sets, strict=True)
            ]
        )
        runs = run.films(paths)
        check_models(runs, config)
        found = [
            find_given(film, i, video, one, detector)
            for i, (film, video, one) in enumerate(zip(runs, videos, sets, strict=True))
        ]
        return find_characters(run, runs, found, backbone)


def _geometry(path: Path, video: VideoInfo) -> GivenBoxes:
    """Read boxes and leave their labels behind."""
    found = read_boxes_of(path, video, labelled=False)
    return GivenBoxes(found.tracks, found.track, found.frame, found.box).ordered()


def _content(video: VideoInfo, boxes: GivenBoxes) -> str:
    return hashlib.sha256((video.content + boxes.digest).encode()).hexdigest()


def find_given(
    run: Run, number: int, video: VideoInfo, boxes: GivenBoxes, detector: Callable[[], FaceDetector]
) -> tuple[Tracks, Crops]:
    """Go from the boxes of one film to tracks and their crops."""
    c = run.config
    (video,) = run.step("video", (VideoInfo,), lambda work: (video,), [video, video.path])
    (shots,) = run.step(  # (S,) half-open ranges
        "shots",
        (Shots,),
        lambda work: (given_shots(boxes, video.frames),),
        [boxes.digest, str(video.frames)],
    )
    (tracks,) = run.step(  # (T,) tracks over all (N,) boxes
        "tracks",
        (Tracks,),
        lambda work: (given_tracks(boxes, shots, number),),
        [shots, boxes.digest, str(number)],
    )
    blank = given_faces(boxes)
    chosen = choose_boxes(blank, tracks, c.quality, video.times, c.crops.every)
    rows = np.array([row for _, row in chosen])

    def look(work: Work) -> tuple[Faces]:
        frames = np.unique(blank.frame[rows])
        seen = find_landmarks(
            video, blank, frames, detector, c.faces, work.parts, work.progress, work.note
        )
        faces, guessed = guess_landmarks(seen, rows)
        if guessed:
            work.note(
                f"no face was seen in {guessed} of {len(rows)} given boxes: "
                "where eyes, nose and mouth lie in them is guessed"
            )
        return (faces,)

    (faces,) = run.step(  # (N, 4) boxes, landmarks of those to be cut out
        "scan",
        (Faces,),
        look,
        [video, boxes.digest, weights_digest(c.faces.detector)],
        [c.faces, c.crops, c.quality],
        unit="frames",
    )

    def cut(work: Work) -> tuple[Crops]:
        able = [(t, row) for t, row in chosen if np.isfinite(faces.landmarks[row]).all()]
        with run.writes("crops", CROPS) as path:
            return (cut_chosen(video, faces, able, len(tracks), path, work.progress, work.note),)

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
