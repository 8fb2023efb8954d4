"""Export labelled boxes as crops: faces are cut out of the film and aligned."""

from __future__ import annotations

import tempfile
from pathlib import Path

from videoclusternet.annotations.boxes import LabelledBoxes
from videoclusternet.config import Config
from videoclusternet.events import Hook, silent
from videoclusternet.film.video import open_video
from videoclusternet.models.load import LazyDetector, check, pick_device
from videoclusternet.result.described import Film
from videoclusternet.runfolder.steps import Run
from videoclusternet.sources.boxes import BoxSource
from videoclusternet.sources.given_boxes import GivenBoxes
from videoclusternet_bench.data.crop_zips import write_crops
from videoclusternet_bench.data.new_set import new_set


def export_crops(
    boxes: LabelledBoxes,
    film: Path,
    folder: Path,
    config: Config | None = None,
    hook: Hook = silent,
) -> tuple[int, int]:
    """Write the crops form of labelled boxes: ``NAME.zip`` and ``NAME_tracks.csv``.

    Parameters
    ----------
    boxes : LabelledBoxes
        Of this film.
    film : Path
        Gives the set its name.
    folder : Path
        New or empty.
    config : Config, optional
        Its detector finds eyes, nose and mouth in the boxes; ``crops`` and ``quality`` say
        which faces are cut out.
    hook : Hook

    Returns
    -------
    crops, blind : int
        Crops written, and tracks left out as none of their frames could be decoded.

    Raises
    ------
    StoreError
        When the folder holds something, or cannot be written.
    """
    config = config or Config()
    check(config.faces.detector, "detector")
    detector = LazyDetector(config.faces.detector, pick_device(config.device))
    video = open_video(film)
    given = GivenBoxes(boxes.tracks, boxes.track, boxes.frame, boxes.box).ordered()
    label = dict(zip(boxes.tracks, boxes.labels, strict=True))
    with new_set(folder) as new, tempfile.TemporaryDirectory() as temporary:
        with Run.open(Path(temporary) / "run", config, hook) as run:
            tracks, crops, *_ = BoxSource(video, given).bring(run, 0, detector)
        found = Film(run.folder, film.stem, video, None, None, tracks, crops, given.names)
        return write_crops(found, [label[name] for name in given.names], new, film.stem)
