"""Aligned face pictures, one every half second of a track (section 3.2).

Pictures go straight into a zip of JPEG files (stored, not deflated: it opens with a
double click) and are read back in batches.  Memory holds three frames, and of parts that are
finished early their pictures of faces.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import cv2
import numpy as np

from videoclusternet.config import CropConfig, QualityConfig
from videoclusternet.engine.ahead import ahead
from videoclusternet.engine.work import Tell, Work
from videoclusternet.film.quality import flaws
from videoclusternet.film.video import read_frames
from videoclusternet.runfolder.crop_zip import CropZip, crop_name
from videoclusternet.types import Crops, Faces, Reason, Tracks, Unread, VideoInfo
from videoclusternet.types.arrays import Array, Float32, Float64, Floats, Int64, Ints, UInt8
from videoclusternet.types.canvas import CANVAS, CANVAS_TEMPLATE, similarity_transform

JPEG_QUALITY = 95
PART = 1200
"""Frames of a film, about, that a process takes at a time."""


def cut_crops(
    video: VideoInfo,
    faces: Faces,
    tracks: Tracks,
    config: CropConfig,
    quality: QualityConfig,
    work: Work,
) -> Crops:
    """Cut, align and keep the faces on every track's half-second grid.

    Parameters
    ----------
    video : VideoInfo
    faces : Faces
    tracks : Tracks
        T tracks of this film.
    config : CropConfig
    quality : QualityConfig
        A small or blurred face is passed over when its half second has a better one.
    work : Work
        ``file`` is the zip file to write.  Told in frames that hold a wanted face, and which
        frames cannot be decoded.

    Returns
    -------
    Crops
        C crops, sorted by track and frame.
    """
    chosen = choose_faces(faces, tracks, flaws(faces, quality), video.times, config.every)
    return cut_chosen(video, faces, chosen, len(tracks), work)


def cut_chosen(
    video: VideoInfo, faces: Faces, chosen: Iterable[tuple[int, int]], tracks: int, work: Work
) -> Crops:
    """Cut, align and keep the faces of :func:`choose_faces`; else as :func:`cut_crops`."""
    assert work.file is not None
    table = np.array(list(chosen), dtype=np.int64).reshape(-1, 2)
    frame = faces.frame[table[:, 1]].astype(np.int64)
    order = np.argsort(frame, kind="stable")
    (track, row), frame = table[order].T, frame[order]
    cut = _Cut(video, frame, faces.landmarks[row])
    parts = _parts(video, frame)
    reached, total = dict.fromkeys(parts, 0), len(np.unique(frame))
    made: dict[range, list[bytes]] = {}
    rows: list[tuple[int, int, int, int]] = []

    def tell(part: range, said: int | Unread) -> None:
        if isinstance(said, Unread):
            work.unread(said)
            return
        reached[part] = said
        work.progress(sum(reached.values()), total)

    with CropZip(work.file) as archive:
        coming = iter(parts)
        following = next(coming, None)
        for part, pictures in work.engine.map(cut, parts, tell):
            made[part] = pictures
            while following in made:  # in the order of the film, whoever is first
                for i, data in zip(following, made.pop(following), strict=True):
                    if data:
                        archive.add(crop_name(int(track[i]), int(frame[i])), data)
                        rows.append((track[i], frame[i], row[i], zlib.crc32(data)))
                following = next(coming, None)
    return crops_table(rows, tracks)


def _parts(video: VideoInfo, frame: Int64) -> list[range]:
    """Cut rows of ascending frames, int64 (n,), where decoding can begin in between."""
    starts = [0]
    for row in np.searchsorted(frame, range(PART, video.frames, PART)).tolist():
        if row < len(frame) and video.entry(int(frame[row])) > frame[starts[-1]]:
            starts.append(row)
    stops = [*starts[1:], len(frame)]
    return [range(*ends) for ends in zip(starts, stops, strict=True) if ends[0] < ends[1]]


@dataclass(frozen=True)
class _Cut:
    """Faces of a film, some of them at a time.

    Attributes
    ----------
    frame : int64, shape (n,)
        Ascending.
    landmarks : float32, shape (n, 5, 2)
        In px of the film.
    """

    video: VideoInfo
    frame: Int64
    landmarks: Float32

    def __call__(self, part: range, tell: Tell) -> list[bytes]:
        """Return the JPEG files of a range of rows; nothing for those that cannot be decoded."""
        frame, landmarks = self.frame[part.start : part.stop], self.landmarks[part.start :]
        made = [b""] * len(part)
        size = (self.video.width, self.video.height)
        pictures = (
            (one.number, one.picture(*size))
            for one in read_frames(self.video, np.unique(frame), tell)
        )
        with closing(ahead(pictures)) as coming:
            for done, (number, picture) in enumerate(coming, 1):
                for i in range(*np.searchsorted(frame, (number, number + 1))):
                    made[i] = encode(align(picture, landmarks[i]))
                tell(done)
        return made


def crops_table(rows: Iterable[tuple[int, int, int, int]], tracks: int) -> Crops:
    """Make the table out of (track, frame, face, checksum) rows in any order."""
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4)
    track, frame, face = table[:, :3].T.astype(np.int32)
    return Crops(track, frame, face, table[:, 3].astype(np.uint32), tracks)


def choose_faces(
    faces: Faces, tracks: Tracks, flaw: Array, times: Array, every: float
) -> list[tuple[int, int]]:
    """Return track and face of every crop, track by track; see :func:`grid_faces`."""
    return [
        (t, row)
        for t in range(len(tracks))
        for row in grid_faces(tracks.faces_of(t), faces, flaw, times, every)
    ]


def grid_faces(rows: Ints, faces: Faces, flaw: UInt8, times: Float64, every: float) -> list[int]:
    """Choose one face for every ``every`` seconds of a track.

    At 24 fps these are the frames first + 12 n [P].  A face with a flaw gives way to the
    nearest one without in the same half second; when there is none, the half second
    stays empty, but a track keeps at least its sharpest face.

    Parameters
    ----------
    rows : int, shape (n,)
        Faces of the track, in order of time.
    faces : Faces
    flaw : uint8, shape (N,)
        :class:`Reason` of every face.
    times : float64, shape (F,)
        Seconds of every frame.
    every : float
        Seconds.
    """
    at = times[faces.frame[rows]] - times[faces.frame[rows[0]]]
    slot = np.round(at / every)
    distance = np.abs(at - slot * every)
    good = flaw[rows] == Reason.OK
    if not good.any():
        # Unknown anyway: kept for people to look at.
        return [int(rows[np.argmax(faces.sharpness[rows])])]
    order = np.lexsort((np.arange(len(rows)), distance, slot))
    # The grid ends with the track; a tenth of a step forgives uneven frame times.
    inside = good & (slot * every <= at[-1] + every / 10)
    order = order[(inside if inside.any() else good)[order]]
    _, first = np.unique(slot[order], return_index=True)
    return [int(row) for row in rows[order[first]]]


def align(picture: UInt8, landmarks: Floats) -> UInt8:
    """Warp a face upright onto the canvas, straight from the full frame.

    Parameters
    ----------
    picture : uint8, shape (H, W, 3)
        RGB.
    landmarks : float, shape (5, 2)
        In px of ``picture``.

    Returns
    -------
    uint8, shape (144, 144, 3)
        RGB; beyond the frame the border is repeated.
    """
    matrix = similarity_transform(np.asarray(landmarks, dtype=np.float64), CANVAS_TEMPLATE)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.5:
        # Far fewer px wanted than there are: shrink by area first, or it aliases.
        picture, moved = _shrink(picture, landmarks, 2 * scale)
        matrix = similarity_transform(moved, CANVAS_TEMPLATE)
    return np.asarray(
        cv2.warpAffine(
            picture,
            matrix,
            (CANVAS, CANVAS),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def _shrink(picture: Array, landmarks: Array, scale: float) -> tuple[Array, Array]:
    """Cut out the surroundings of a face and shrink them; landmarks follow."""
    height, width = picture.shape[:2]
    reach = 3 * max(1.0, float(np.ptp(landmarks, axis=0).max()))
    middle = landmarks.mean(axis=0)
    x1, y1 = np.clip(np.floor(middle - reach).astype(int), 0, (width - 1, height - 1))
    x2, y2 = np.clip(np.ceil(middle + reach).astype(int), (x1 + 1, y1 + 1), (width, height))
    size = (max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale)))
    small = cv2.resize(picture[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA)
    factor = np.array([size[0] / (x2 - x1), size[1] / (y2 - y1)])
    return small, (landmarks.astype(np.float64) - (x1, y1) + 0.5) * factor - 0.5


def encode(pixels: Array) -> bytes:
    """Encode a canvas (RGB) as JPEG."""
    done, data = cv2.imencode(
        ".jpg",
        cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    )
    if not done:
        raise ValueError("OpenCV could not encode a picture")
    return bytes(data.tobytes())
