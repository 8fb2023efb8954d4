"""Shot boundaries by PySceneDetect (section 3.2; the only user of scenedetect).

Two halves: :class:`ShotMeter` scores each frame against the one before while the film
is decoded, :func:`find_shots` turns the stored scores into shots.  Another threshold
therefore needs no second look at the film.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector, ContentDetector

from videoclusternet.config import ShotConfig
from videoclusternet.types import FrameScores, Shots
from videoclusternet.types.arrays import UInt8

WIDTH = 256
"""PySceneDetect shrinks a film to about this width; its thresholds assume that."""


def meter_size(width: int, height: int) -> tuple[int, int]:
    """Size (width, height) in px at which frames are compared; a film is never enlarged."""
    scale = min(1.0, WIDTH / width)
    return max(1, round(width * scale)), max(1, round(height * scale))


class ShotMeter(ContentDetector):  # type: ignore[misc]
    """Scores frames one after another, in order."""

    def measure(self, picture: UInt8) -> float:
        """Return the content score of the next frame, 0 for the first one.

        Parameters
        ----------
        picture : uint8, shape (H, W, 3)
            RGB at ``meter_size``.
        """
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        # The time code is used for statistics only, which are off.
        return float(self._calculate_frame_score(None, bgr))


class _Replay:
    """Gives PySceneDetect's detectors stored scores in place of pictures."""

    scores: Any

    def _calculate_frame_score(self, timecode: FrameTimecode, frame_img: Any) -> float:
        return float(next(self.scores))


class _Content(_Replay, ContentDetector):  # type: ignore[misc]
    pass


class _Adaptive(_Replay, AdaptiveDetector):  # type: ignore[misc]
    pass


def find_shots(scores: FrameScores, config: ShotConfig, fps: Fraction) -> Shots:
    """Cut the film where the scores say so.

    Parameters
    ----------
    scores : FrameScores
        Of all F frames.
    config : ShotConfig
    fps : Fraction
        Nominal frame rate.

    Returns
    -------
    Shots
        Covering all frames; none for a film without frames.
    """
    frames = len(scores.score)
    if frames == 0:
        return Shots(np.empty(0, np.int32), np.empty(0, np.int32))
    detector: Any
    if config.detector == "content":
        detector = _Content(threshold=config.threshold, min_scene_len=config.min_length)
    else:
        detector = _Adaptive(
            adaptive_threshold=config.adaptive_threshold, min_scene_len=config.min_length
        )
    detector.scores = iter(scores.score.tolist())
    cuts: set[int] = set()
    for number in range(frames):
        cuts.update(c.frame_num for c in detector.process_frame(FrameTimecode(number, fps), None))
    cuts.update(c.frame_num for c in detector.post_process(FrameTimecode(frames - 1, fps)))
    edges = np.array([0, *sorted(c for c in cuts if 0 < c < frames), frames], dtype=np.int32)
    return Shots(edges[:-1], edges[1:])
