"""At which size the detector sees a film: the smallest that shows it nearly all of the faces.

Small faces need a large picture, and a large picture costs time and brings false faces.  So the
detector looks at a few frames at every size; of the faces that some size finds surely, and that
are large enough to be told, a size has to find nearly as many as the best one does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from videoclusternet.engine.in_parts import even_parts, in_parts
from videoclusternet.engine.work import ALONE, Tell, Work
from videoclusternet.film.faces import USUAL_SIDE, choose_stride, detection_size
from videoclusternet.film.video import Frame, read_frames
from videoclusternet.models.detectors.detector import Detections, FaceDetector
from videoclusternet.types import DetectorSizes, VideoInfo
from videoclusternet.types.arrays import Array, Int64, Ints
from videoclusternet.types.boxes import overlaps, suppress

SIDES = (640, 960, 1280, 1920, 2560, 3840)
"""Longer sides that are tried, px; and the film's own."""
ALIKE = 0.9
"""Share of the film's own side from which another is not worth trying beside it."""
ONE_OF, LEAST, MOST = 16, 8, 96
"""Of the frames that the detector will see one of so many is tried; at least, and at most."""
REACH = 300
"""Frames after the last key frame that are decoded for one frame to try, at most."""
TOGETHER = 4
"""Frames of a part."""
SAME_FACE = 0.5
"""Intersection over union from which two sizes have found one face."""
FEW = 12
"""Faces, of which fewer choose nothing."""
LOST = 12
"""Of so many faces, one may be lost against the best size."""


def sides_of(video: VideoInfo) -> tuple[int, ...]:
    """Return the longer sides, px, at which the detector may see a film; ascending, no larger."""
    own = max(video.width, video.height)
    return (*(side for side in SIDES if side < ALIKE * own), own)


def choose_size(
    video: VideoInfo,
    detector: Callable[[], FaceDetector],
    sure: float,
    new: float,
    least: float,
    stride: int,
    work: Work = ALONE,
) -> DetectorSizes:
    """Try the sizes on some frames, and choose one.

    Parameters
    ----------
    video : VideoInfo
    detector : callable
        Makes the face detector; called only when there is something left to do.
    sure : float
        Score from which what it finds is a face.
    new : float
        Score from which a face may begin a track: what a size finds below is not found.
    least : float
        Smallest face that can be told, shorter side of its box, px of the film.
    stride : int
        Of the frames that the detector will see; 0 as in :func:`choose_stride`.
    work : Work
        Told in frames, and what was chosen.
    """
    looks = -(-video.frames // choose_stride(video.fps, video.frames, stride))
    frames, sides = frames_to_try(video, looks), sides_of(video)
    look = _Look(video, detector, frames, sides, (sure, new, least))
    parts = in_parts(even_parts(len(frames), TOGETHER), look, (DetectorSizes,), work)
    found = np.sum([part.found for (part,) in parts], axis=0)
    faces = sum(part.faces for (part,) in parts)
    sizes = _table(sides, found, faces, smallest_enough(sides, found, faces))
    work.note(words(sizes, len(frames)))
    return sizes


def frames_to_try(video: VideoInfo, looks: int) -> Int64:
    """Spread some frames over a film, where little has to be decoded to see them.

    Parameters
    ----------
    video : VideoInfo
        F frames.
    looks : int
        Frames that the detector will see.

    Returns
    -------
    int64, shape (n,)
        Ascending.  Each is the last key frame before one of n even places, or where that lies
        before the place before, the place itself, at most ``REACH`` frames after the key frame.
    """
    count = min(video.frames, int(np.clip(looks // ONE_OF, LEAST, MOST)))
    places = ((np.arange(count) + 0.5) * video.frames / max(count, 1)).astype(np.int64)
    taken, before = [], -1
    for place in places.tolist():
        key = max(video.entry(place), 0)
        frame = key if key > before else min(place, key + REACH)
        if frame > before:
            taken.append(frame)
        before = max(before, frame)
    return np.array(taken, dtype=np.int64)


def count_found(
    seen: Sequence[Detections], sure: float, new: float, least: float
) -> tuple[Ints, int]:
    """Count the faces of one frame that are there, and those that each size finds.

    Parameters
    ----------
    seen : sequence of Detections
        At each of S sizes, in px of the film.
    sure, new, least : float
        As in :func:`choose_size`.

    Returns
    -------
    int64, shape (S,)
        How many of the faces each size finds.
    int
        How many there are: found surely by any, and large enough to be told.
    """
    box = np.concatenate([one.box for one in seen])
    score = np.concatenate([one.score for one in seen])
    there = (score >= sure) & ((box[:, 2:] - box[:, :2]).min(axis=1, initial=np.inf) >= least)
    box, score = box[there], score[there]
    faces = box[suppress(np.zeros(len(box), np.int64), box, score, SAME_FACE)]
    shared = [overlaps(faces, one.box[one.score >= new]) for one in seen]
    found = [(overlap >= SAME_FACE).any(axis=1).sum() for overlap in shared]
    return np.array(found, dtype=np.int64), len(faces)


def smallest_enough(sides: Sequence[int], found: Ints, faces: int) -> int:
    """Choose the smallest size that finds nearly as many faces as the best one.

    Parameters
    ----------
    sides : sequence of int
        S longer sides, px, ascending.
    found : int, shape (S,)
        Faces that each finds.
    faces : int
        How many there are; with few, it is the usual size, or the film's own.
    """
    if faces < FEW:
        return min(USUAL_SIDE, sides[-1])
    return sides[int(np.argmax(LOST * (found.max() - found) <= faces))]


def words(sizes: DetectorSizes, frames: int) -> str:
    """Say in a line at which size faces are looked for, and what so many frames told."""
    side, found = sizes.side.tolist(), sizes.found.tolist()
    said = f"faces are looked for at {sizes.chosen} px of {side[-1]}: in {frames} frames "
    if sizes.faces < FEW:
        return f"{said}too few were seen to choose by"
    shown = side.index(sizes.chosen)
    said += f"{found[shown]} of {sizes.faces} are found"
    return f"{said}, at {side[0]} px {found[0]}" if shown else said


def _table(sides: Sequence[int], found: Ints, faces: int, chosen: int) -> DetectorSizes:
    side = np.array(sides, dtype=np.int32)
    return DetectorSizes(side, found.astype(np.int32), faces, chosen)


@dataclass(frozen=True)
class _Look:
    """A film, the frames to try, the sizes, and what counts: a range of these frames at a time."""

    video: VideoInfo
    detector: Callable[[], FaceDetector]
    frames: Int64
    sides: tuple[int, ...]
    terms: tuple[float, float, float]

    def __call__(self, span: range, tell: Tell) -> tuple[DetectorSizes]:
        """Look at some of the frames at every size."""
        detector = self.detector()
        found, faces = np.zeros(len(self.sides), dtype=np.int64), 0
        for done, frame in enumerate(self._read(self.frames[span.start : span.stop]), 1):
            seen = [self._see(frame, side, detector) for side in self.sides]
            more, there = count_found(seen, *self.terms)
            found, faces = found + more, faces + there
            tell(done)
        return (_table(self.sides, found, faces, 0),)

    def _read(self, frames: Int64) -> Iterator[Frame]:
        """Read frames, beginning anew at each that is a key frame; the scan says what is broken."""
        wanted = set(frames.tolist())
        for run in np.split(frames, np.flatnonzero(self.video.key[frames[1:]]) + 1):
            every: Array = np.arange(run[0], run[-1] + 1)
            yield from (f for f in read_frames(self.video, every) if f.number in wanted)

    def _see(self, frame: Frame, side: int, detector: FaceDetector) -> Detections:
        """Find faces at one size, in px of the film."""
        width, height = self.video.width, self.video.height
        size = detection_size(width, height, side)
        (found,) = detector.detect([frame.picture(*size)])
        scale = np.array([width / size[0], height / size[1]], dtype=np.float32)
        return replace(found, box=found.box * np.tile(scale, 2))
