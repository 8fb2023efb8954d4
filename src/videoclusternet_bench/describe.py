"""What data sets are like: tracks, people, seconds, and quality, lightness, blur of the faces.

A set is a finished run, a labelled set as ``vcn bench`` takes it, labelled boxes, or a label
file.  Pictures are measured in batches, so a set never has to fit into memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from videoclusternet.annotations.box_forms import find_form, holds_boxes, read_boxes
from videoclusternet.clustering.track_quality import track_quality
from videoclusternet.config import Config
from videoclusternet.errors import DataError, StoreError
from videoclusternet.events import Event, Hook, Progress, no_progress, silent
from videoclusternet.models.load import check as check_model
from videoclusternet.models.load import spec_of
from videoclusternet.outside.files import exists, is_file, is_folder
from videoclusternet.outside.text import printable
from videoclusternet.result.characters import track_span
from videoclusternet.result.result import Result, open_run
from videoclusternet.runfolder.manifest import MANIFEST
from videoclusternet.types.arrays import Array, Bools, Float32, Int64
from videoclusternet.types.canvas import MARGIN
from videoclusternet_bench.compare import home_of
from videoclusternet_bench.data.ids import count_labels
from videoclusternet_bench.data.published import PrintedSet, printed_set
from videoclusternet_bench.data.sets import FILMS, LabelledSet, labelled_sets
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.metrics.appearance import blur_degree, lightness
from videoclusternet_bench.runner import first_run

BATCH = 256
"""Pictures that are in memory at a time."""
CROP_SECONDS = 0.5
"""What a crop stands for where no film says how long a track is: they lie so far apart [P]."""


@dataclass(frozen=True, eq=False)
class FaceMeasures:
    """The measured face crops of a set, C of them, sorted by track and frame.

    Attributes
    ----------
    track, frame : int64, shape (C,)
        As in the run: track of all its films end to end, frame of its film.
    quality : float32, shape (C,)
        SER-FIQ of the crop, 0 to 1; NaN where the run did not describe it.
    track_quality : float32, shape (C,)
        Mean of it over the track.
    lightness, blur : float32, shape (C,)
        Of the inner 112 x 112 px that models see, 0 to 1.
    """

    track: Int64
    frame: Int64
    quality: Float32
    track_quality: Float32
    lightness: Float32
    blur: Float32

    @property
    def of_tracks(self) -> Array:
        """Quality of each track that has one, float32."""
        _, first = np.unique(self.track, return_index=True)
        values = self.track_quality[first]
        return np.asarray(values[np.isfinite(values)])


@dataclass(frozen=True)
class Described:
    """One data set.

    Attributes
    ----------
    name : str
    kind : str
        ``run``, ``labelled``, ``boxes`` or ``labels``.
    tracks : int
        With a label where there are labels, else all.
    people : int
        Different labels; for a run, the characters it found.
    seconds : float or None
        Mean length of a track; None where nothing says it.
    seconds_from : str
        ``film``, ``boxes``, or ``crops``: half a second assumed for each.
    model : str
        That judged the quality; empty without pictures.
    faces : FaceMeasures or None
        None without pictures.
    """

    name: str
    kind: str
    tracks: int
    people: int
    seconds: float | None = None
    seconds_from: str = ""
    model: str = ""
    faces: FaceMeasures | None = None

    @property
    def printed(self) -> PrintedSet | None:
        """What the paper says of a set of this name."""
        return printed_set(self.name)

    @property
    def crops(self) -> int | None:
        """Number of face crops."""
        return None if self.faces is None else len(self.faces.track)

    @property
    def quality(self) -> float | None:
        """Mean over tracks, as the paper's over sets is."""
        return None if self.faces is None else _mean(self.faces.of_tracks)

    @property
    def lightness(self) -> float | None:
        """Mean over crops."""
        return None if self.faces is None else _mean(self.faces.lightness)

    @property
    def blur(self) -> float | None:
        """Mean over crops."""
        return None if self.faces is None else _mean(self.faces.blur)


def _mean(values: Array) -> float | None:
    return float(values.mean(dtype=np.float64)) if len(values) else None


def describe(
    paths: Sequence[Path], folder: Path, backbone: str = "dlib", hook: Hook = silent
) -> list[Described]:
    """Describe data sets.

    Parameters
    ----------
    paths : sequence of Path
        Run folders, labelled sets, labelled boxes, label files; folders of them.
    folder : Path
        Labelled sets are run in it as ``vcn bench`` does; what is there is not run again.
    backbone : str
        That describes their faces, as after ``--backbone``.
    hook : Hook

    Raises
    ------
    DataError
        When a set is missing or malformed, or two have one name.
    StoreError
        When ``folder`` is itself a run: its tables would be written over.
    """
    if exists(folder / MANIFEST):
        raise StoreError(f"{folder} is a run folder", "choose another folder with -o")
    spec_of(backbone, "backbone")
    found = [one for path in paths for one in _open(path)]
    names = [one.name for one in found]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"two data sets are called {twice[0]!r}", "rename one")
    labelled = [one for one in found if isinstance(one, LabelledSet)]
    if labelled:
        check_model(backbone, "backbone")  # a missing file shows now
        _run_all(labelled, folder, backbone, hook)
    return [_described(one, folder, backbone, hook) for one in found]


def _run_all(sets: Sequence[LabelledSet], folder: Path, backbone: str, hook: Hook) -> None:
    """Find and describe the faces of labelled sets by the un-adapted model."""
    # The first seed of a bench with the same folder, which may have run already.
    config = Config.load("instant", flags={"embed.backbone": backbone})
    hook(Event("start", "prepare", unit="sets"))
    for done, one in enumerate(sets, 1):
        first_run(one, config, home_of(folder, one, backbone, 0))
        hook(Event("progress", "prepare", done, len(sets), "sets"))
    hook(Event("done", "prepare", unit="sets"))


@dataclass(frozen=True)
class _RunFolder:
    """A finished run that is to be measured."""

    name: str
    path: Path


def _open(path: Path) -> Iterator[_RunFolder | LabelledSet | Described]:
    """Tell what a path holds; label files and boxes are read at once."""
    if not exists(path):
        raise DataError(f"no such file or folder: {path}", "check the path")
    if exists(path / MANIFEST):
        yield _RunFolder(path.resolve().name.removesuffix(".vcn"), path)
    elif path.suffix == ".ids" or any(path.glob("*.ids")):
        episodes, seasons = count_labels(path)
        for count in (*episodes, *seasons):
            yield Described(printable(count.name), "labels", count.counted, count.people)
    elif _without_film(path):
        boxes = read_boxes(path)
        name = path.resolve().name if is_folder(path) else path.stem
        seconds = float(boxes.seconds.mean())
        yield Described(printable(name), "boxes", len(boxes.tracks), boxes.people, seconds, "boxes")
    else:
        yield from labelled_sets(path)


def _without_film(path: Path) -> bool:
    """Whether a path holds boxes, and no film beside them to see the faces in."""
    if is_file(path):
        holds = path.suffix.lower() in (".csv", ".txt", ".xml")
    else:
        others = ("truth.csv", "*.zip", "*.npz")  # other labelled sets, with lists of tracks
        holds = holds_boxes(path) and not any(any(path.glob(one)) for one in others)
    if not holds:
        return False
    home = find_form(path).file.parent
    homes = (home, home.parent) if home.name == "gt" else (home,)
    return not any(file.suffix.lower() in FILMS for one in homes for file in one.iterdir())


def _described(
    one: _RunFolder | LabelledSet | Described, folder: Path, backbone: str, hook: Hook
) -> Described:
    if isinstance(one, Described):
        return one
    if isinstance(one, _RunFolder):
        result = open_run(one.path)
        known = np.ones(len(result.tracks), dtype=bool)
        base = Described(printable(one.name), "run", len(known), result.cast.characters)
    else:
        result = open_run(home_of(folder, one, backbone, 0))
        labels = read_truth(one.truths, result).label
        known = np.array([label is not None for label in labels], dtype=bool)
        people = len({label for label in labels if label is not None})
        base = Described(printable(one.name), "labelled", int(known.sum()), people)
    base = replace(base, model=result.embeddings.model)
    if len(result.embeddings) and np.isnan(result.embeddings.quality).all():
        return base  # given embeddings: no pictures, and nothing says how far they lie apart
    seconds, source = _seconds(result, np.flatnonzero(known))
    step = f"{one.name}/measure"
    hook(Event("start", step, unit="faces"))
    faces = measure_faces(
        result, known, lambda done, total: hook(Event("progress", step, done, total, "faces"))
    )
    hook(Event("done", step, unit="faces"))
    said = source if len(seconds) else ""
    return replace(base, seconds=_mean(seconds), seconds_from=said, faces=faces)


def _seconds(result: Result, tracks: Array) -> tuple[Array, str]:
    """Return the length of tracks, s, and what says so."""
    if all(film.video is not None for film in result.films):
        spans = [track_span(result, int(t)) for t in tracks]
        return np.array([span.stop - span.start for span in spans], dtype=np.float64), "film"
    crops = np.bincount(result.crop_track, minlength=len(result.tracks))
    return crops[tracks] * CROP_SECONDS, "crops"


def measure_faces(result: Result, known: Bools, progress: Progress = no_progress) -> FaceMeasures:
    """Measure the face crops of some tracks of a run.

    Parameters
    ----------
    result : Result
        T tracks.
    known : bool, shape (T,)
        Tracks to measure.
    progress : callable
        Told in crops.

    Returns
    -------
    FaceMeasures

    Raises
    ------
    StoreError
        When a picture of the run is missing or damaged.
    """
    rows = np.flatnonzero(known[result.crop_track])
    embeddings = result.embeddings
    quality = np.full(len(result.crop_track), np.nan, dtype=np.float32)
    quality[embeddings.crop] = embeddings.quality
    of_track = track_quality(embeddings.quality, embeddings.track, len(result.tracks))
    light, blur = np.empty((2, len(rows)), dtype=np.float32)
    for start in range(0, len(rows), BATCH):
        part = slice(start, start + BATCH)
        # Models see the inner part; round it some sets have a repeated border.
        pixels = result.pictures.pixels(rows[part])[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
        light[part], blur[part] = lightness(pixels), blur_degree(pixels)
        progress(min(start + BATCH, len(rows)), len(rows))
    return FaceMeasures(
        track=result.crop_track[rows].astype(np.int64),
        frame=np.concatenate([f.crops.frame for f in result.films])[rows].astype(np.int64),
        quality=quality[rows],
        track_quality=of_track[result.crop_track[rows]],
        lightness=light,
        blur=blur,
    )
