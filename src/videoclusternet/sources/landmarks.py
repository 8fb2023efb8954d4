"""Landmarks for boxes that were given: a face that the detector sees in a box lends it its own.

What a crop needs besides a box are five landmarks.  The detector looks at the frames that a
crop comes from; where it sees nobody, landmarks lie where they lie in the film's other boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from videoclusternet.config import CropConfig, FaceConfig, QualityConfig
from videoclusternet.engine.in_parts import in_parts, split
from videoclusternet.engine.work import ALONE, Tell, Work
from videoclusternet.film.crops import cut_chosen
from videoclusternet.film.faces import detect_faces, detection_size
from videoclusternet.film.video import read_frames
from videoclusternet.models.detectors.detector import FaceDetector
from videoclusternet.sources.given_boxes import GivenBoxes, choose_boxes, given_faces
from videoclusternet.types import Crops, Faces, Tracks, VideoInfo
from videoclusternet.types.arrays import Array, Floats, Ints
from videoclusternet.types.boxes import overlaps

SAME_FACE = 0.5
"""Intersection over union from which a seen face is the one in a given box."""
TYPICAL = np.array(
    [[0.27, 0.386], [0.73, 0.386], [0.50, 0.584], [0.306, 0.75], [0.694, 0.75]], dtype=np.float32
)
"""Landmarks as shares of a box, where no face of the film says it: the mean of MTCNN's and
YuNet's over a film with 38 people, made the same on both sides."""


def look_for_faces(
    video: VideoInfo,
    boxes: GivenBoxes,
    tracks: Tracks,
    detector: Callable[[], FaceDetector],
    config: FaceConfig,
    crops: CropConfig,
    quality: QualityConfig,
    work: Work = ALONE,
) -> Faces:
    """Look for given faces in the frames that a crop comes from.

    Parameters
    ----------
    video : VideoInfo
    boxes : GivenBoxes
        N boxes.
    tracks : Tracks
        Of :func:`given_tracks`.
    detector : callable
        Makes the face detector; called only when there is something left to do.
    config : FaceConfig
    crops : CropConfig
    quality : QualityConfig
    work : Work
        Told in frames, when frames cannot be decoded, and how many landmarks are guessed.

    Returns
    -------
    Faces
        N faces.  In frames that were seen ``score`` is that of the matching detection, 0
        where there is none, and ``landmarks`` are its landmarks, or guessed.
    """
    blank = given_faces(boxes)
    rows = np.array([r for _, r in choose_boxes(blank, tracks, quality, video.times, crops.every)])
    seen = find_landmarks(video, blank, np.unique(blank.frame[rows]), detector, config, work)
    faces, guessed = guess_landmarks(seen, rows)
    if guessed:
        work.note(
            f"no face was seen in {guessed} of {len(rows)} given boxes: "
            "where eyes, nose and mouth lie in them is guessed"
        )
    return faces


def find_landmarks(
    video: VideoInfo,
    faces: Faces,
    frames: Ints,
    detector: Callable[[], FaceDetector],
    config: FaceConfig,
    work: Work = ALONE,
) -> Faces:
    """Look for given faces in some frames; a part of the film is a range of its frames.

    Parameters
    ----------
    faces : Faces
        N faces of :func:`given_faces`.
    frames : int, shape (n,)
        Frames to look at, ascending.

    Others as in :func:`look_for_faces`.
    """
    spans = [span for span in split(video.frames, config.part) if len(_between(frames, span))]
    sizes = [len(_between(frames, span)) for span in spans]
    parts = in_parts(spans, _Look(video, faces, frames, detector, config), (Faces,), work, sizes)
    landmarks, score = faces.landmarks.copy(), faces.score.copy()
    for span, (part,) in zip(spans, parts, strict=True):
        rows = _rows_in(faces, span)
        landmarks[rows], score[rows] = part.landmarks, part.score
    return replace(faces, landmarks=landmarks, score=score)


def _between(frames: Array, span: range) -> Array:
    return frames[slice(*np.searchsorted(frames, (span.start, span.stop)))]


def _rows_in(faces: Faces, span: range) -> slice:
    return slice(*np.searchsorted(faces.frame, (span.start, span.stop)))


@dataclass(frozen=True)
class _Look:
    """Given faces of a film, the frames to look at, and how."""

    video: VideoInfo
    faces: Faces
    frames: Array
    detector: Callable[[], FaceDetector]
    config: FaceConfig

    def __call__(self, span: range, tell: Tell) -> tuple[Faces]:
        """Look for the faces of a range of frames."""
        faces = self.faces.take(_rows_in(self.faces, span))
        display = (self.video.width, self.video.height)
        size = detection_size(*display, self.config.max_side)
        landmarks, score = faces.landmarks.copy(), faces.score.copy()
        detector, done = self.detector(), 0
        frames = read_frames(self.video, _between(self.frames, span), tell)
        while batch := list(islice(frames, self.config.batch)):
            numbers = [frame.number for frame in batch]
            pictures = [frame.picture(*size) for frame in batch]
            seen = detect_faces(detector, numbers, pictures, display, self.config.min_score, 1)
            for number in numbers:
                own = np.arange(*np.searchsorted(faces.frame, (number, number + 1)))
                there = np.arange(*np.searchsorted(seen.frame, (number, number + 1)))
                score[own] = 0
                for i, j in matched(faces.box[own], seen.box[there]):
                    landmarks[own[i]] = seen.landmarks[there[j]]
                    score[own[i]] = seen.score[there[j]]
            done += len(batch)
            tell(done)
        return (replace(faces, landmarks=landmarks, score=score),)


def cut_boxes(
    video: VideoInfo,
    boxes: GivenBoxes,
    faces: Faces,
    tracks: Tracks,
    config: CropConfig,
    quality: QualityConfig,
    work: Work,
) -> Crops:
    """Cut out one face for every half second of a given track; see :func:`choose_boxes`."""
    chosen = choose_boxes(given_faces(boxes), tracks, quality, video.times, config.every)
    able = [(t, row) for t, row in chosen if np.isfinite(faces.landmarks[row]).all()]
    return cut_chosen(video, faces, able, len(tracks), work)


def matched(given: Floats, seen: Floats) -> list[tuple[int, int]]:
    """Pair boxes of one picture that are the same face, the best pair first.

    Parameters
    ----------
    given, seen : float, shapes (m, 4) and (n, 4)
        ``x1 y1 x2 y2`` in px.

    Returns
    -------
    list of (int, int)
        Rows of both; each row at most once.
    """
    shared = overlaps(given, seen)
    pairs = []
    while shared.size and shared.max() >= SAME_FACE:
        i, j = np.unravel_index(shared.argmax(), shared.shape)
        pairs.append((int(i), int(j)))
        shared[i], shared[:, j] = 0, 0
    return pairs


def guess_landmarks(faces: Faces, rows: Sequence[int] | Array) -> tuple[Faces, int]:
    """Give faces that the detector did not see the landmarks that boxes of this film have.

    Parameters
    ----------
    faces : Faces
        Of :func:`find_landmarks`.
    rows : int, shape (n,)
        Faces to be cut out.

    Returns
    -------
    Faces
        With landmarks for those of ``rows`` whose frame was decoded.
    int
        How many were guessed.
    """
    corner, size = faces.box[:, None, :2], (faces.box[:, 2:] - faces.box[:, :2])[:, None]
    seen = faces.score > 0
    usual = (
        ((faces.landmarks[seen] - corner[seen]) / size[seen]).mean(axis=0)
        if seen.any()
        else TYPICAL
    )
    chosen = np.zeros(len(faces), dtype=bool)
    chosen[rows] = True
    blind = chosen & (faces.score == 0)
    landmarks = faces.landmarks.copy()
    landmarks[blind] = corner[blind] + usual * size[blind]
    return replace(faces, landmarks=landmarks), int(blind.sum())
