"""One pass over the film for everything that needs its pictures: shots, faces, motion.

Decoding is shared.  The film is taken in parts of equal length; each finished part is
stored, and a killed run goes on after the last one.  Memory holds one batch of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from videoclusternet.config import FaceConfig
from videoclusternet.events import Progress, no_progress
from videoclusternet.film.faces import choose_stride, detect_faces, detection_size, join_faces
from videoclusternet.film.motion import MotionMeter, motion_size
from videoclusternet.film.shots import ShotMeter, meter_size
from videoclusternet.film.video import Damage, Frame, read_frames
from videoclusternet.models.detectors.detector import FaceDetector
from videoclusternet.types import Faces, FrameScores, Motion, Parts, VideoInfo

Array = NDArray[Any]
Scan = tuple[FrameScores, Faces, Motion]


def scan_film(
    video: VideoInfo,
    detector: Callable[[], FaceDetector],
    config: FaceConfig,
    parts: Parts | None = None,
    progress: Progress = no_progress,
    on_damage: Damage = lambda message: None,
) -> Scan:
    """Look at the whole film once.

    Parameters
    ----------
    video : VideoInfo
        F frames.
    detector : callable
        Makes the face detector; called only when there is something left to do.
    config : FaceConfig
    parts : Parts, optional
        Where finished parts are kept.
    progress : callable
        Told in frames.
    on_damage : callable
        Told when frames cannot be decoded.

    Returns
    -------
    FrameScores
        Of all F frames.
    Faces
        Of every ``stride``-th frame.
    Motion
        Between these frames.
    """
    stride = choose_stride(video.fps, config.stride)
    # Parts begin at a seen frame, so that every part keeps the same grid.
    length = -(-config.part // stride) * stride
    done: list[Scan] = []
    eyes: FaceDetector | None = None
    for start in range(0, video.frames, length):
        stop = min(start + length, video.frames)
        name = f"{start:08d}-{stop:08d}"
        kept = parts.read(name, (FrameScores, Faces, Motion)) if parts else None
        if kept is None:
            eyes = eyes or detector()
            part = _Part(video, eyes, config, stride, start, stop)
            # One BLAS thread: its many tiny problems (sharpness) wait for threads that the
            # decoder and the detector keep busy, and take ten times as long with more.
            with threadpool_limits(limits=1, user_api="blas"):
                kept = part.scan(lambda n: progress(n, video.frames), on_damage)
            if parts:
                parts.write(name, kept)
        progress(stop, video.frames)
        done.append(kept)  # type: ignore[arg-type]
    return _join(done, stride)


def _join(parts: Sequence[Scan], stride: int) -> Scan:
    scores = [np.empty(0, np.float32), *(part[0].score for part in parts)]
    frames = [np.empty(0, np.int32), *(part[2].frame for part in parts)]
    matrices = [np.empty((0, 2, 3), np.float32), *(part[2].matrix for part in parts)]
    return (
        FrameScores(np.concatenate(scores)),
        join_faces([part[1] for part in parts], stride),
        Motion(np.concatenate(frames), np.concatenate(matrices)),
    )


@dataclass(frozen=True)
class _Part:
    """The frames ``start`` to ``stop`` (exclusive) of a film and how to look at them."""

    video: VideoInfo
    detector: FaceDetector
    config: FaceConfig
    stride: int
    start: int
    stop: int

    def scan(self, progress: Callable[[int], None], on_damage: Damage) -> Scan:
        display = (self.video.width, self.video.height)
        score = np.zeros(self.stop - self.start, dtype=np.float32)
        shots, motion = ShotMeter(), MotionMeter(display)
        seen: list[int] = []
        matrices: list[Array] = []
        faces: list[Faces] = []
        for batch in self._batches(on_damage):
            pictures: list[Array] = []
            numbers: list[int] = []
            for frame in batch:
                small = frame.picture(*meter_size(*display))
                value = shots.measure(small)
                if frame.number >= self.start:
                    score[frame.number - self.start] = value
                if frame.number % self.stride == 0:
                    matrix = motion.measure(frame.picture(*motion_size(*display)))
                    if frame.number >= self.start:
                        numbers.append(frame.number)
                        matrices.append(matrix)
                        size = detection_size(*display, self.config.max_side)
                        pictures.append(frame.picture(*size))
            faces.append(
                detect_faces(
                    self.detector, numbers, pictures, display, self.config.min_score, self.stride
                )
            )
            seen += numbers
            progress(batch[-1].number + 1)
        matrix_array = np.array(matrices, dtype=np.float32).reshape(-1, 2, 3)
        return (
            FrameScores(score),
            join_faces(faces, self.stride),
            Motion(np.array(seen, dtype=np.int32), matrix_array),
        )

    def _batches(self, on_damage: Damage) -> Iterator[list[Frame]]:
        """Batches with a full load for the detector; the first frames only warm up.

        A part begins one stride early: the score of its first frame and the motion up to
        it need the frames before.
        """
        batch: list[Frame] = []
        early = max(0, self.start - self.stride)
        for frame in read_frames(self.video, np.arange(early, self.stop), on_damage):
            batch.append(frame)
            if len(batch) >= self.config.batch * self.stride:
                yield batch
                batch = []
        if batch:
            yield batch
