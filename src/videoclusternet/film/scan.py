"""One pass over the film for everything that needs its pictures: shots, faces, looks, motion.

Decoding is shared, and goes on in a thread of its own while the detector looks.  The film is
taken in parts of equal length; each finished part is stored, and a killed run goes on after the
last one.  Memory holds three batches of pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from videoclusternet.config import FaceConfig
from videoclusternet.engine.ahead import ahead
from videoclusternet.engine.in_parts import even_parts, in_parts
from videoclusternet.engine.processes import beside_a_thread
from videoclusternet.engine.work import ALONE, Tell, Work
from videoclusternet.film.continuity import look_at
from videoclusternet.film.faces import choose_stride, detect_faces, detection_size, frames_at_once
from videoclusternet.film.motion import MotionMeter, motion_size
from videoclusternet.film.shots import ShotMeter, meter_size
from videoclusternet.film.video import Frame, read_frames
from videoclusternet.models.detectors.detector import FaceDetector
from videoclusternet.types import Faces, FrameScores, Looks, Motion, Unread, VideoInfo
from videoclusternet.types.arrays import Float32, UInt8

Scan = tuple[FrameScores, Faces, Motion, Looks]
KINDS = (FrameScores, Faces, Motion, Looks)


def scan_film(
    video: VideoInfo,
    detector: Callable[[], FaceDetector],
    config: FaceConfig,
    side: int = 0,
    work: Work = ALONE,
) -> Scan:
    """Look at the whole film once.

    Parameters
    ----------
    video : VideoInfo
        F frames.
    detector : callable
        Makes the face detector; called only when there is something left to do.
    config : FaceConfig
    side : int
        Longer side of the picture that the detector sees, px; 0: the usual one.
    work : Work
        Told in frames, and which frames cannot be decoded.

    Returns
    -------
    FrameScores
        Of all F frames.
    Faces
        Of every ``stride``-th frame.
    Motion
        Between these frames.
    Looks
        Of these faces.
    """
    stride = choose_stride(video.fps, video.frames, config.stride)
    look = _Look(video, detector, config, stride, side)
    parts = in_parts(even_parts(video.frames, config.part, stride), look, KINDS, work)
    scores, faces, motion, looks = zip(*parts, strict=True)
    return (
        FrameScores.concatenate(scores),
        Faces.concatenate(faces),
        Motion.concatenate(motion),
        Looks.concatenate(looks),
    )


@dataclass(frozen=True)
class _Look:
    """A film and how to look at it, a range of frames at a time."""

    video: VideoInfo
    detector: Callable[[], FaceDetector]
    config: FaceConfig
    stride: int
    side: int

    def __call__(self, frames: range, tell: Tell) -> Scan:
        """Look at some frames."""
        with beside_a_thread():  # that reads
            return self._scan(frames, tell)

    def _scan(self, frames: range, tell: Tell) -> Scan:
        display = (self.video.width, self.video.height)
        size = detection_size(*display, self.side)
        detector = self.detector()
        faces, looks = [Faces.empty(stride=self.stride)], [Looks.empty()]
        load = frames_at_once(size, self.config.batch)
        reading = _Reading(self.video, size, load, self.stride, frames)
        with closing(ahead(reading.loads())) as loads:
            for pictures in loads:
                found = detect_faces(
                    detector,
                    list(pictures),
                    list(pictures.values()),
                    display,
                    self.config.min_score,
                    self.stride,
                )
                faces.append(found)
                looks.append(look_at(found, pictures, display))
                tell(max(pictures) + 1 - frames.start)
        for lost in reading.unread:
            tell(lost)
        return (
            FrameScores(reading.change, reading.chance),
            Faces.concatenate(faces),
            reading.camera_motion(),
            Looks.concatenate(looks),
        )


class _Reading:
    """Reads a range of frames: all that is measured without the detector, and what it is to see.

    Attributes
    ----------
    change, chance : float32, shape (n, 3)
        As in :class:`FrameScores`; filled in while it reads.
    unread : list of Unread
        Frames of the range that could not be read, known at its end.
    """

    def __init__(
        self, video: VideoInfo, size: tuple[int, int], load: int, stride: int, frames: range
    ) -> None:
        self._video, self._stride, self._frames = video, stride, frames
        self._size, self._load = size, load
        display = (video.width, video.height)
        self._meter_size, self._motion_size = meter_size(*display), motion_size(*display)
        self._shots, self._motion = ShotMeter(), MotionMeter(display)
        self._moves: dict[int, Float32] = {}
        self.change = np.zeros((len(frames), 3), dtype=np.float32)
        self.chance = np.zeros_like(self.change)
        self.unread: list[Unread] = []

    def loads(self) -> Generator[dict[int, UInt8]]:
        """Yield pictures for the detector, by the numbers of their frames, a full load at a time.

        A part begins one stride early: the score of its first frame and the motion up to
        it need the frames before.
        """
        pictures: dict[int, UInt8] = {}
        early = max(0, self._frames.start - self._stride)
        wanted = np.arange(early, self._frames.stop)
        for frame in read_frames(self._video, wanted, self.unread.append):
            self._measure(frame)
            if frame.number in self._moves:
                pictures[frame.number] = frame.picture(*self._size)
            if len(pictures) == self._load:
                yield pictures
                pictures = {}
        if pictures:
            yield pictures

    def _measure(self, frame: Frame) -> None:
        """Compare a frame with the one before; one that only warms up is not kept."""
        row = frame.number - self._frames.start
        scores = self._shots.measure(frame.picture(*self._meter_size))
        if row >= 0:
            self.change[row], self.chance[row] = scores
        if frame.number % self._stride == 0:
            matrix = self._motion.measure(frame.picture(*self._motion_size))
            if row >= 0:
                self._moves[frame.number] = matrix

    def camera_motion(self) -> Motion:
        """Return the motion between the frames that the detector saw."""
        matrices = np.array([*self._moves.values()], dtype=np.float32).reshape(-1, 2, 3)
        return Motion(np.array([*self._moves], dtype=np.int32), matrices)
