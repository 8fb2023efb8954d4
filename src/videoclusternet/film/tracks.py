"""Face tracks: BoT-SORT inside each shot (section 3.2; the only user of its tracker)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import supervision as sv
from trackers import BoTSORTTracker

from videoclusternet.config import QualityConfig, TrackConfig
from videoclusternet.engine.work import ALONE, Work
from videoclusternet.film.continuity import find_jumps, unbroken
from videoclusternet.film.quality import flaws, track_flaw
from videoclusternet.types import Faces, FrameScores, Looks, Motion, Shots, Tracks
from videoclusternet.types.arrays import Array, UInt8

REFERENCE_FPS = 30.0
"""The tracker counts its buffer in frames of a 30 fps film."""


class _RecordedMotion:
    """Stands in for the tracker's own camera motion: plays back what the scan measured."""

    def __init__(self) -> None:
        self.matrix = np.eye(2, 3, dtype=np.float32)

    def estimate(self, frame: Array, boxes: Array | None) -> Array:
        return self.matrix

    def reset(self) -> None:
        self.matrix = np.eye(2, 3, dtype=np.float32)


def track_faces(
    shots: Shots,
    faces: Faces,
    motion: Motion,
    fps: Fraction,
    config: TrackConfig,
    quality: QualityConfig,
    film: int = 0,
    scores: FrameScores | None = None,
    looks: Looks | None = None,
    work: Work = ALONE,
) -> Tracks:
    """Link the faces of one person in one shot.

    Parameters
    ----------
    shots : Shots
        S shots.
    faces : Faces
        N faces.
    motion : Motion
        Of the K frames that the detector saw.
    fps : Fraction
        Nominal frame rate.
    config : TrackConfig
    quality : QualityConfig
        Which faces are too small or blurred; a track of mostly such faces is Unknown.
    film : int
        Film number that the tracks carry.
    scores, looks : FrameScores, Looks, optional
        Of all F frames, and of these faces: where they are given, a track ends where the
        picture jumps or the face turns unlike; see :mod:`videoclusternet.film.continuity`.
    work : Work
        Told in shots.

    Returns
    -------
    Tracks
        T tracks sorted by shot, first frame and horizontal place.  Ids come from this
        order, never from the tracker's counter.
    """
    jumps = np.empty(0, np.int64) if scores is None else find_jumps(scores, shots, fps)
    found: list[Array] = []
    for number, (start, stop) in enumerate(zip(shots.start, shots.stop, strict=True)):
        frames = slice(*np.searchsorted(motion.frame, (start, stop)))
        for rows in _track_shot(faces, motion, frames, fps, config):
            pieces = [rows] if looks is None else unbroken(rows, faces, looks, jumps)
            found += [piece for piece in pieces if len(piece) >= config.min_faces]
        work.progress(number + 1, len(shots))
    return _table(found, shots, faces, flaws(faces, quality), film)


def _table(found: list[Array], shots: Shots, faces: Faces, flaw: UInt8, film: int) -> Tracks:
    """Sort tracks, given by the rows of their faces."""
    first = np.array([faces.frame[rows[0]] for rows in found], dtype=np.int32)
    last = np.array([faces.frame[rows[-1]] for rows in found], dtype=np.int32)
    shot = shots.at(first) if len(found) else np.empty(0, np.int32)
    left = np.array([faces.box[rows[0], 0] for rows in found], dtype=np.float32)
    order = np.lexsort((left, first, shot))
    ordered = [found[i] for i in order]
    return Tracks(
        film=np.full(len(order), film, dtype=np.int32),
        shot=shot[order],
        first=first[order],
        last=last[order],
        start=np.concatenate([[0], np.cumsum([len(rows) for rows in ordered], dtype=np.int64)]),
        face=np.concatenate([np.empty(0, np.int32), *ordered]).astype(np.int32),
        flaw=np.array([track_flaw(flaw[rows]) for rows in ordered], dtype=np.uint8),
    )


def _track_shot(
    faces: Faces, motion: Motion, frames: slice, fps: Fraction, config: TrackConfig
) -> list[Array]:
    """Return the face rows of every track of one shot."""
    tracker = _tracker(faces.stride, fps, config)
    rows_of: dict[int, list[int]] = {}
    loose: list[int] = []
    for k in range(frames.start, frames.stop):
        if config.camera_motion and k > frames.start:
            # The first frame of a shot has nothing before it.
            tracker.cmc.matrix = motion.matrix[k]
        low, high = np.searchsorted(faces.frame, (motion.frame[k], motion.frame[k] + 1))
        # trackers may reorder rows and give -1: the row number travels with the box.
        seen = sv.Detections(
            xyxy=faces.box[low:high].astype(np.float64),
            confidence=faces.score[low:high].astype(np.float64),
            data={"row": np.arange(low, high)},
        )
        out = tracker.update(seen, frame=_NO_PICTURE)
        before, loose = loose, []
        for row, track in zip(out.data.get("row", ()), out.tracker_id, strict=True):
            if track < 0:
                loose.append(int(row))
                continue
            if track not in rows_of:
                rows_of[int(track)] = _first_sighting(faces, int(row), before, config.new)
            rows_of[int(track)].append(int(row))
    return [np.array(rows) for rows in rows_of.values()]


def _first_sighting(faces: Faces, row: int, before: list[int], least: float) -> list[int]:
    """Take the face that began a track out of the untracked ones of the frame before.

    BoT-SORT names a track that begins inside a shot only when it sees it again.
    """
    able = [r for r in before if faces.score[r] >= least]
    if not able:
        return []
    overlap = sv.box_iou_batch(faces.box[[row]], faces.box[able])[0]
    if overlap.max() <= 0:
        return []
    first = able[int(overlap.argmax())]
    before.remove(first)
    return [first]


_NO_PICTURE = np.empty((0, 0, 3), dtype=np.uint8)


def _tracker(stride: int, fps: Fraction, config: TrackConfig) -> Any:
    tracker = BoTSORTTracker(
        lost_track_buffer=config.buffer,
        frame_rate=max(1.0, float(fps) / stride),
        track_activation_threshold=config.new,
        minimum_consecutive_frames=min(2, config.min_faces),
        minimum_iou_threshold_first_assoc=1 - config.match,
        high_conf_det_threshold=config.high,
        enable_cmc=config.camera_motion,
    )
    if config.camera_motion:
        tracker.cmc = _RecordedMotion()
    return tracker
