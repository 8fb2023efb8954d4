"""Faces and tracks out of boxes that were given: whose boxes they are is told, not found.

What a crop needs besides are five landmarks.  The detector looks at the frames that a
crop comes from, and a face that it sees in a given box lends it its landmarks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoclusternet.config import CropConfig, FaceConfig, QualityConfig
from videoclusternet.engine.in_parts import in_parts, split
from videoclusternet.engine.work import ALONE, Tell, Work
from videoclusternet.film.crops import choose_faces, cut_chosen
from videoclusternet.film.faces import detect_faces, detection_size
from videoclusternet.film.quality import flaws
from videoclusternet.film.video import read_frames
from videoclusternet.models.detectors.detector import FaceDetector
from videoclusternet.types import Crops, Faces, Reason, Shots, Tracks, VideoInfo
from videoclusternet.types.boxes import overlaps

Array = NDArray[Any]
SAME_FACE = 0.5
"""Intersection over union from which a seen face is the one in a given box."""
TYPICAL = np.array(
    [[0.27, 0.386], [0.73, 0.386], [0.50, 0.584], [0.306, 0.75], [0.694, 0.75]], dtype=np.float32
)
"""Landmarks as shares of a box, where no face of the film says it: the mean of MTCNN's and
YuNet's over a film with 38 people, made the same on both sides."""


@dataclass(frozen=True, eq=False)
class GivenBoxes:
    """Face tracks of one film as boxes, without a word on who they are.

    Attributes
    ----------
    names : tuple of str, length T
        Of the tracks.
    track : int32, shape (n,)
        Row of ``names`` of each box, ascending.
    frame : int32, shape (n,)
        From 0, rising strictly inside a track.
    box : float64, shape (n, 4)
        ``x y w h`` in px of the display frame, origin at its top left.
    """

    names: tuple[str, ...]
    track: Array
    frame: Array
    box: Array

    @property
    def digest(self) -> str:
        """Content hash: sha256, hexadecimal."""
        digest = hashlib.sha256(repr(self.names).encode())
        for array in (self.track, self.frame, self.box):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def first(self) -> Array:
        """Row of the first box of each track, and their number at the end: int64 (T+1,)."""
        return np.searchsorted(self.track, np.arange(len(self.names) + 1))

    def ordered(self) -> GivenBoxes:
        """Return them with tracks by first frame and from left to right, as found ones are."""
        first = self.first[:-1]
        order = np.lexsort((self.box[first, 0], self.frame[first]))
        rank = np.argsort(order)
        rows = np.argsort(rank[self.track], kind="stable")
        return GivenBoxes(
            tuple(self.names[t] for t in order),
            rank[self.track][rows].astype(np.int32),
            self.frame[rows],
            self.box[rows],
        )


def given_shots(boxes: GivenBoxes, frames: int) -> Shots:
    """Cut the film where no track goes on: tracks of one shot may meet, others never do.

    Parameters
    ----------
    boxes : GivenBoxes
        Ordered.
    frames : int
        Length of the film.

    Returns
    -------
    Shots
        Stretches of the film that given tracks hold together: cuts between tracks, but
        not those inside a stretch nobody crosses.
    """
    start = boxes.first
    first, last = boxes.frame[start[:-1]], boxes.frame[start[1:] - 1]
    reach = np.maximum.accumulate(last)
    edges = np.concatenate([[0], first[1:][first[1:] > reach[:-1]], [frames]])
    return Shots(edges[:-1].astype(np.int32), edges[1:].astype(np.int32))


def given_tracks(boxes: GivenBoxes, shots: Shots, film: int = 0) -> Tracks:
    """Take the tracks as they are: none is set aside as too small or blurred.

    Parameters
    ----------
    boxes : GivenBoxes
        Ordered.
    shots : Shots
        Of :func:`given_shots`.
    film : int
        Film number that the tracks carry.
    """
    start = boxes.first
    first = boxes.frame[start[:-1]]
    face = np.argsort(np.lexsort((boxes.track, boxes.frame)))
    return Tracks(
        film=np.full(len(first), film, dtype=np.int32),
        shot=shots.at(first),
        first=first,
        last=boxes.frame[start[1:] - 1],
        start=start.astype(np.int64),
        face=face.astype(np.int32),
        flaw=np.zeros(len(first), dtype=np.uint8),
    )


def given_faces(boxes: GivenBoxes) -> Faces:
    """Return a face for every box, by frame and track; the detector has seen none yet."""
    order = np.lexsort((boxes.track, boxes.frame))
    corner, size = boxes.box[order, :2], boxes.box[order, 2:]
    unknown = np.full(len(order), np.nan, dtype=np.float32)
    return Faces(
        frame=boxes.frame[order],
        box=np.hstack([corner, corner + size]).astype(np.float32),
        landmarks=np.full((len(order), 5, 2), np.nan, dtype=np.float32),
        score=unknown,
        sharpness=unknown,
    )


def choose_boxes(
    faces: Faces, tracks: Tracks, quality: QualityConfig, times: Array, every: float
) -> list[tuple[int, int]]:
    """Choose the faces to cut out, one for every ``every`` seconds of a track.

    One too small or cut off gives way to a better one of its half second, as in a film; but
    a track of nothing else is described by all of them: given tracks are never set aside.

    Parameters
    ----------
    faces : Faces
        Of :func:`given_faces`.
    tracks : Tracks
    quality : QualityConfig
    times : float64, shape (F,)
        Seconds of every frame.
    every : float
        Seconds.

    Returns
    -------
    list of (int, int)
        Track and face.
    """
    flaw = flaws(faces, quality)
    for t in range(len(tracks)):
        rows = tracks.faces_of(t)
        if not (flaw[rows] == Reason.OK).any():
            flaw[rows] = Reason.OK
    return choose_faces(faces, tracks, flaw, times, every)


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
    frames: Array,
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


def matched(given: Array, seen: Array) -> list[tuple[int, int]]:
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
