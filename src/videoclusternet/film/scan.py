"""One pass over the film for everything that needs its pictures: shots, faces, looks, motion.

Decoding is shared.  The film is taken in parts of equal length; each finished part is
stored, and a killed run goes on after the last one.  Memory holds one batch of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from videoclusternet.config import FaceConfig
from videoclusternet.engine.in_parts import in_parts, split
from videoclusternet.engine.work import ALONE, Tell, Work
from videoclusternet.film.continuity import look_at
from videoclusternet.film.faces import choose_stride, detect_faces, detection_size
from videoclusternet.film.motion import MotionMeter, motion_size
from videoclusternet.film.shots import ShotMeter, meter_size
from videoclusternet.film.video import Frame, read_frames
from videoclusternet.models.detectors.detector import FaceDetector
from videoclusternet.types import Faces, FrameScores, Looks, Motion, VideoInfo
from videoclusternet.types.arrays import Array

Scan = tuple[FrameScores, Faces, Motion, Looks]
KINDS = (FrameScores, Faces, Motion, Looks)


def scan_film(
    video: VideoInfo, detector: Callable[[], FaceDetector], config: FaceConfig, work: Work = ALONE
) -> Scan:
    """Look at the whole film once.

    Parameters
    ----------
    video : VideoInfo
        F frames.
    detector : callable
        Makes the face detector; called only when there is something left to do.
    config : FaceConfig
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
    stride = choose_stride(video.fps, config.stride)
    # Parts begin at a seen frame, so that every part keeps the same grid.
    length = -(-config.part // stride) * stride
    look = _Look(video, detector, config, stride)
    parts = in_parts(split(video.frames, length), look, KINDS, work)
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

    def __call__(self, frames: range, tell: Tell) -> Scan:
        """Look at some frames."""
        # One BLAS thread: its many tiny problems (sharpness) wait for threads that the
        # decoder and the detector keep busy, and take ten times as long with more.
        with threadpool_limits(limits=1, user_api="blas"):
            return self._scan(frames, tell)

    def _scan(self, frames: range, tell: Tell) -> Scan:
        display = (self.video.width, self.video.height)
        change = np.zeros((len(frames), 3), dtype=np.float32)
        chance = np.zeros_like(change)
        shots, motion = ShotMeter(), MotionMeter(display)
        detector = self.detector()
        seen: list[int] = []
        matrices: list[Array] = []
        faces, looks = [Faces.empty(stride=self.stride)], [Looks.empty()]
        for batch in self._batches(frames, tell):
            pictures: dict[int, Array] = {}
            for frame in batch:
                measured = shots.measure(frame.picture(*meter_size(*display)))
                if frame.number >= frames.start:
                    row = frame.number - frames.start
                    change[row], chance[row] = measured
                if frame.number % self.stride == 0:
                    matrix = motion.measure(frame.picture(*motion_size(*display)))
                    if frame.number >= frames.start:
                        seen.append(frame.number)
                        matrices.append(matrix)
                        size = detection_size(*display, self.config.max_side)
                        pictures[frame.number] = frame.picture(*size)
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
            tell(batch[-1].number + 1 - frames.start)
        matrix_array = np.array(matrices, dtype=np.float32).reshape(-1, 2, 3)
        return (
            FrameScores(change, chance),
            Faces.concatenate(faces),
            Motion(np.array(seen, dtype=np.int32), matrix_array),
            Looks.concatenate(looks),
        )

    def _batches(self, frames: range, tell: Tell) -> Iterator[list[Frame]]:
        """Batches with a full load for the detector; the first frames only warm up.

        A part begins one stride early: the score of its first frame and the motion up to
        it need the frames before.
        """
        batch: list[Frame] = []
        early = max(0, frames.start - self.stride)
        for frame in read_frames(self.video, np.arange(early, frames.stop), tell):
            batch.append(frame)
            if len(batch) >= self.config.batch * self.stride:
                yield batch
                batch = []
        if batch:
            yield batch
