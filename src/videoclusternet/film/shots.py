"""Shot boundaries by PySceneDetect (section 3.2; the only user of scenedetect).

Two halves: :class:`ShotMeter` compares each frame with the one before while the film
is decoded, :func:`find_shots` turns what was measured into shots.  Another threshold
therefore needs no second look at the film.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector, ContentDetector

from videoclusternet.config import ShotConfig
from videoclusternet.types import FrameScores, Shots, Transitions
from videoclusternet.types.arrays import Array, Float32, Float64, UInt8

WIDTH = 256
"""PySceneDetect shrinks a film to about this width; its thresholds assume that."""
PIXELS = np.arange(256)
LITTLE = 0.25
"""A channel with this share of the brightness's range has full weight; with less, less."""
STEADY, NOISY = 0.3, 0.5
"""From a full weight to none: how much a channel changes from frame to frame, as a share of what
chance would give.  Colour noise of a grey film is another one in each frame."""
ORDINARY = 34.0
"""Films in which chance gives less than this are stretched to it: they are of low contrast."""
BLANK = 4.0
"""Frames in which chance gives less show nothing, and say nothing of the film's contrast."""


def meter_size(width: int, height: int) -> tuple[int, int]:
    """Size (width, height) in px at which frames are compared; a film is never enlarged."""
    scale = min(1.0, WIDTH / width)
    return max(1, round(width * scale)), max(1, round(height * scale))


class ShotMeter:
    """Compares frames one after another, in order, as PySceneDetect does."""

    def __init__(self) -> None:
        self._last: UInt8 | None = None

    def measure(self, picture: UInt8) -> tuple[Float32, Float32]:
        """Return change and chance of the next frame; see :class:`FrameScores`.

        Parameters
        ----------
        picture : uint8, shape (H, W, 3)
            RGB at ``meter_size``.

        Returns
        -------
        float32, shape (3,), float32, shape (3,)
            The change is 0 for the first frame.
        """
        hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
        last = hsv if self._last is None else self._last
        self._last = hsv
        change = cv2.mean(cv2.absdiff(hsv, last))[:3]
        return np.array(change, dtype=np.float32), _mean_difference(hsv)


def _mean_difference(hsv: UInt8) -> Float32:
    """Return that of two random pixels in each channel: 2 * sum of c (1 - c), c the shares."""
    counts = [cv2.calcHist([hsv], [channel], None, [256], [0, 256]) for channel in range(3)]
    below = np.cumsum(np.reshape(counts, (3, 256)), axis=1, dtype=np.float64)
    below /= below[:, -1:]
    return np.asarray(2 * np.sum(below * (1 - below), axis=1), dtype=np.float32)


def content_scores(scores: FrameScores) -> Float64:
    """Return how much each frame differs from the one before, in PySceneDetect's units.

    Its content score is the mean change of hue, saturation and brightness.  Here a channel
    counts by what it can tell.  In a grey or tinted film hue and saturation hardly vary, so
    that even unrelated pictures agree in them; or they are noise, so that even neighbours
    differ.  Either would pull the mean of a cut below any threshold, or that of all frames
    above it.  Where the colours carry something, their weights are 1 and the score is
    PySceneDetect's own.  A whole film of low contrast is stretched.

    Parameters
    ----------
    scores : FrameScores
        Of F frames.

    Returns
    -------
    float64, shape (F,)
    """
    change, chance = scores.change.astype(np.float64), scores.chance.astype(np.float64)
    shown = chance[:, 2] >= BLANK
    if not shown.any():
        return np.asarray(change.mean(axis=1))
    noise = _median(change[shown]) / np.maximum(_median(chance[shown]), BLANK)
    steady = np.clip((NOISY - noise) / (NOISY - STEADY), 0, 1)
    pair = (chance + np.concatenate([chance[:1], chance[:-1]])) / 2
    # Without any brightness to compare with, no channel is set back.
    range_ = np.divide(
        pair, LITTLE * pair[:, 2:], out=np.ones_like(pair), where=pair[:, 2:] >= BLANK
    )
    weight = np.minimum(1, range_) * steady
    weight[:, 2] = 1
    total = weight.sum(axis=1)
    usual = np.median((weight * chance).sum(axis=1)[shown] / total[shown])
    return np.asarray((weight * change).sum(axis=1) / total * max(1.0, ORDINARY / usual))


def _median(values: Array) -> Float64:
    return np.asarray(np.median(values, axis=0))


class _Replay:
    """Gives PySceneDetect's detectors stored scores in place of pictures."""

    scores: Any

    def _calculate_frame_score(self, timecode: FrameTimecode, frame_img: Any) -> float:
        return float(next(self.scores))


class _Content(_Replay, ContentDetector):  # type: ignore[misc]
    pass


class _Adaptive(_Replay, AdaptiveDetector):  # type: ignore[misc]
    pass


def find_shots(
    scores: FrameScores,
    config: ShotConfig,
    fps: Fraction,
    transitions: Transitions | None = None,
) -> Shots:
    """Cut the film where the scores say so.

    Parameters
    ----------
    scores : FrameScores
        Of all F frames.
    config : ShotConfig
    fps : Fraction
        Nominal frame rate.
    transitions : Transitions, optional
        Of all F frames: what the detector ``transnet`` goes by.

    Returns
    -------
    Shots
        Covering all frames; none for a film without frames.
    """
    frames = len(scores)
    if frames == 0:
        return Shots(np.empty(0, np.int32), np.empty(0, np.int32))
    # The shortest shot in whole frames: seconds at a rate like 24000/1001 are never even.
    least = max(1, ceil(config.min_seconds * fps - Fraction(1, 1000)))
    if config.detector == "transnet":
        assert transitions is not None
        cuts = _after_peaks(transitions.score, config.transnet_threshold, least)
    else:
        cuts = _replayed(content_scores(scores), config, fps, least)
    edges = np.array([0, *sorted(c for c in cuts if 0 < c < frames), frames], dtype=np.int32)
    return Shots(edges[:-1], edges[1:])


def _replayed(scores: Float64, config: ShotConfig, fps: Fraction, least: int) -> set[int]:
    """Return the frames at which PySceneDetect begins a shot."""
    detector: Any
    if config.detector == "content":
        detector = _Content(threshold=config.threshold, min_scene_len=least)
    else:
        detector = _Adaptive(adaptive_threshold=config.adaptive_threshold, min_scene_len=least)
    detector.scores = iter(scores.tolist())
    cuts: set[int] = set()
    for number in range(len(scores)):
        cuts.update(c.frame_num for c in detector.process_frame(FrameTimecode(number, fps), None))
    cuts.update(c.frame_num for c in detector.post_process(FrameTimecode(len(scores) - 1, fps)))
    return cuts


def _after_peaks(score: Float32, threshold: float, least: int) -> set[int]:
    """Return the frames after the highest score of every transition.

    A hard cut is one frame, the last before it; a dissolve is a run of them.
    """
    inside = np.concatenate([[False], score >= threshold, [False]])
    begins, ends = np.flatnonzero(np.diff(inside.astype(np.int8))).reshape(-1, 2).T
    cuts: list[int] = [0]
    for begin, end in zip(begins, ends, strict=True):
        cut = int(begin + score[begin:end].argmax()) + 1
        if cut - cuts[-1] >= least:
            cuts.append(cut)
    return set(cuts)
