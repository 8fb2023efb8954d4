"""Aligned face pictures, one every half second of a track (section 3.2).

Pictures go straight into a zip of JPEG files (stored, not deflated: it opens with a
double click) and are read back in batches.  Memory holds three frames.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from contextlib import closing

import cv2
import numpy as np

from videoclusternet.config import CropConfig, QualityConfig
from videoclusternet.engine.ahead import ahead
from videoclusternet.engine.work import Work
from videoclusternet.film.quality import flaws
from videoclusternet.film.video import read_frames
from videoclusternet.runfolder.crop_zip import CropZip, crop_name
from videoclusternet.types import Crops, Faces, Reason, Tracks, Unread, VideoInfo
from videoclusternet.types.arrays import Array, Float64, Floats, Ints, UInt8
from videoclusternet.types.canvas import CANVAS, CANVAS_TEMPLATE, similarity_transform

JPEG_QUALITY = 95


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
    by_frame: dict[int, list[tuple[int, int]]] = {}
    for track, row in chosen:
        by_frame.setdefault(int(faces.frame[row]), []).append((track, int(row)))
    rows: list[tuple[int, int, int, int]] = []
    wanted = np.array(sorted(by_frame), dtype=np.int64)
    unread: list[Unread] = []
    pictures = (
        (frame.number, frame.picture(video.width, video.height))
        for frame in read_frames(video, wanted, unread.append)
    )
    with CropZip(work.file) as archive, closing(ahead(pictures)) as coming:
        for done, (frame, picture) in enumerate(coming, 1):
            for track, row in by_frame[frame]:
                data = encode(align(picture, faces.landmarks[row]))
                archive.add(crop_name(track, frame), data)
                rows.append((track, frame, row, zlib.crc32(data)))
            work.progress(done, len(wanted))
    for lost in unread:
        work.unread(lost)
    return crops_table(rows, tracks)


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
