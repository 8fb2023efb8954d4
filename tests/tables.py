"""Small tables and finished runs made by hand, for tests that need no pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from videoclusternet.result.described import Film
from videoclusternet.result.result import Result
from videoclusternet.types import (
    Candidates,
    Cast,
    Constraints,
    Crops,
    Faces,
    FrameScores,
    Judgement,
    Looks,
    Merges,
    Motion,
    Reason,
    Shots,
    Tracks,
    VideoInfo,
    Views,
)

TEMPLATE = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
"""Landmarks as shares of a box."""


def video(frames: int, rate: str = "24", width: int = 640, height: int = 360) -> VideoInfo:
    """A film of constant rate, every frame a key frame."""
    order = np.arange(frames)
    return VideoInfo(
        path="film.mp4",
        content="0" * 64,
        width=width,
        height=height,
        rate=rate,
        base=f"1/{rate}" if "/" not in rate else "/".join(reversed(rate.split("/"))),
        end=max(frames, 1),
        timed=True,
        stream=0,
        marked="count",
        pts=order,
        packet=order,
        key=np.ones(frames, bool),
        seek=order,
        mark=order,
    )


def shots(*edges: int) -> Shots:
    """Shots between these frames, the first of which is 0."""
    return Shots(np.array(edges[:-1]), np.array(edges[1:]))


def scores(values: Sequence[float] | np.ndarray, chance: float = 60.0) -> FrameScores:
    """Frames of a film full of colour whose content scores these are."""
    change = np.repeat(np.asarray(values, dtype=np.float32)[:, None], 3, axis=1)
    return FrameScores(change, np.full_like(change, chance))


def looks(kinds: Sequence[int]) -> Looks:
    """Looks of faces: alike where the number is, else as unlike as chance has it."""
    rng = np.random.default_rng(0)
    each = rng.integers(0, 256, (max(kinds, default=0) + 1, 16, 16))
    return Looks(each[np.asarray(kinds, dtype=int)])


def faces(
    rows: Sequence[tuple[int, float, float, float, float]],
    stride: int = 1,
    score: float | Sequence[float] = 0.99,
    sharpness: float | Sequence[float] = 0.5,
) -> Faces:
    """Faces from (frame, x1, y1, x2, y2), landmarks where they lie in an upright face."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    box = table[:, 1:]
    size = box[:, 2:] - box[:, :2]
    n = len(table)
    return Faces(
        frame=table[:, 0],
        box=box,
        landmarks=box[:, None, :2] + TEMPLATE * size[:, None],
        score=np.broadcast_to(score, n),
        sharpness=np.broadcast_to(sharpness, n),
        stride=stride,
    )


def still(frame: Sequence[int] | np.ndarray) -> Motion:
    """No camera motion in these frames."""
    frame = np.asarray(frame)
    return Motion(frame, np.broadcast_to(np.eye(2, 3), (len(frame), 2, 3)))


def tracks(
    rows: Sequence[tuple[int, int, int]],
    face: Sequence[Sequence[int]] | None = None,
    film: int | Sequence[int] = 0,
    flaw: int | Sequence[int] = Reason.OK,
) -> Tracks:
    """Tracks from (shot, first, last)."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    owned = face if face is not None else [[] for _ in rows]
    return Tracks(
        film=np.broadcast_to(film, len(table)),
        shot=table[:, 0],
        first=table[:, 1],
        last=table[:, 2],
        start=np.cumsum([0, *(len(f) for f in owned)]),
        face=np.array([row for f in owned for row in f], dtype=np.int64),
        flaw=np.broadcast_to(flaw, len(table)),
    )


Pairs = Sequence[Sequence[int]] | np.ndarray


def known(count: int, apart: Pairs = (), together: Pairs = ()) -> Constraints:
    """Pairs of ``count`` tracks that are two people, and that are one."""
    return Constraints(*(np.array(p, dtype=int).reshape(-1, 2) for p in (apart, together)), count)


def crops(track: Sequence[int], count: int, frame: Sequence[int] | None = None) -> Crops:
    """Crops of these tracks, of ``count`` tracks in all."""
    n = len(track)
    return Crops(
        track=np.array(track, dtype=np.int64),
        frame=np.array(frame if frame is not None else range(n), dtype=np.int64),
        face=np.full(n, -1),
        checksum=np.zeros(n, np.uint32),
        tracks=count,
    )


def cast(character: Sequence[int], confidence: Sequence[float] | None = None) -> Cast:
    """A cast; Unknown tracks are too small."""
    n = len(character)
    number = np.array(character, dtype=np.int64)
    return Cast(
        character=number,
        reason=np.where(number < 0, Reason.SMALL, Reason.OK),
        quality=np.full(n, 0.5),
        threshold=np.full(n, 0.3),
        confidence=np.array(confidence if confidence is not None else [0.9] * n),
        probable=np.full(n, -1),
        chosen="frozen/or",
    )


def judgement(
    reason: Sequence[int], company: Sequence[float] | None = None, least_size: float = 14.0
) -> Judgement:
    """What is told of tracks; those without a reason are surely faces."""
    n = len(reason)
    return Judgement(
        reason=np.array(reason),
        size=np.full(n, 50.0),
        score=np.full(n, 0.99),
        sure=np.array(reason) == Reason.OK,
        company=np.array(company if company is not None else [0.5] * n),
        least_size=least_size,
        measured=True,
        sure_score=0.85,
        least_company=0.4,
    )


def film(
    of: Tracks,
    folder: Path = Path("run.vcn"),
    with_video: VideoInfo | None = None,
    with_shots: Shots | None = None,
    with_faces: Faces | None = None,
    with_crops: Crops | None = None,
    names: Sequence[str] = (),
    content: str = "",
) -> Film:
    """One film of a run."""
    return Film(
        folder=folder,
        name="film",
        video=with_video,
        shots=with_shots,
        faces=with_faces,
        tracks=of,
        crops=with_crops if with_crops is not None else crops([], len(of)),
        track_names=tuple(names),
        content=content,
    )


def result(films: Sequence[Film], of: Tracks, character: Cast) -> Result:
    """A finished run."""
    none = np.empty(0)
    return Result(
        folder=films[0].folder,
        films=tuple(films),
        tracks=of,
        clustering=character,
        clustering_merges=Merges(none, none, none, none, none),
        candidates=Candidates(none, none, none, ()),
    )


def views_of_every(base: np.ndarray, global_views: int) -> Views:
    """Views of all crops, row by row with their embeddings."""
    return Views(base, np.arange(len(base), dtype=np.int32), global_views)
