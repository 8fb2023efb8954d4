"""Transitions between shots by a network, in a pass over the film of its own.

Only with ``shots.detector=transnet``.  Its pictures are tiny and it takes ten times as long as
decoding them: a pass of its own lets the scan, and all its faces, be as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from videoclusternet.engine.in_parts import in_parts, split
from videoclusternet.engine.work import ALONE, Tell, Work
from videoclusternet.film.video import read_frames
from videoclusternet.models.transnet import MARGIN, SIZE, STEP, WINDOW, TransNet
from videoclusternet.types import Transitions, VideoInfo
from videoclusternet.types.arrays import Int64, UInt8

PART = 48 * STEP
"""Frames per resumable part: whole steps, so that parts leave the windows where they are."""


def find_transitions(
    video: VideoInfo, network: Callable[[], TransNet], work: Work = ALONE
) -> Transitions:
    """Ask the network about every frame.

    Parameters
    ----------
    video : VideoInfo
        F frames.
    network : callable
        Loads the network; called only when there is something left to do.
    work : Work
        Told in frames, and which frames cannot be decoded.

    Returns
    -------
    Transitions
        Of all F frames.
    """
    make = _Part(video, network)
    parts = in_parts(split(video.frames, PART), make, (Transitions,), work)
    return Transitions.concatenate([part for (part,) in parts])


@dataclass(frozen=True)
class _Part:
    """A film and who is asked, a range of frames at a time."""

    video: VideoInfo
    network: Callable[[], TransNet]

    def __call__(self, frames: range, tell: Tell) -> tuple[Transitions]:
        """Ask about some frames; the film's first and last one go on beyond its ends."""
        network = self.network()
        windows = -(-len(frames) // STEP)
        reach = np.arange(-MARGIN, windows * STEP + MARGIN) + frames.start
        pictures = self._pictures(reach.clip(0, self.video.frames - 1), tell)
        score = np.empty(windows * STEP, dtype=np.float32)
        for begin in range(0, len(score), STEP):
            score[begin : begin + STEP] = network.scores(pictures[begin : begin + WINDOW])
            tell(min(begin + STEP, len(frames)))
        return (Transitions(score[: len(frames)]),)

    def _pictures(self, numbers: Int64, tell: Tell) -> UInt8:
        """Return the pictures of some frames, uint8 (n, 27, 48, 3); one that is lost stands still.

        Parameters
        ----------
        numbers : int64, shape (n,)
            Ascending; some perhaps more than once.
        tell : callable
        """
        wanted, place = np.unique(numbers, return_inverse=True)
        pictures = np.zeros((len(wanted), SIZE[1], SIZE[0], 3), dtype=np.uint8)
        known = np.zeros(len(wanted), dtype=np.int64)
        for frame in read_frames(self.video, wanted, tell):
            row = frame.number - int(wanted[0])
            pictures[row], known[row] = frame.picture(*SIZE), row
        return np.asarray(pictures[np.maximum.accumulate(known)[place]])
