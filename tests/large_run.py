"""A finished run of thousands of tracks, written table by table: nothing is looked at or learnt."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests import tables
from videoclusternet.config import Config
from videoclusternet.runfolder.crop_zip import CROP_ZIP, CropZip, crop_name
from videoclusternet.runfolder.folder import Store
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    Embeddings,
    Faces,
    Merges,
    Table,
    Tracks,
    Views,
)

FRAMES, WIDE, KINDS = 48, 8, 32
"""Frames of a track, values of an embedding, different pictures."""


def write_large_run(folder: Path, tracks: int = 5000, characters: int = 120) -> Path:
    """Write a run over a film that is not there: tracks one after another, two crops each.

    Characters are of very different sizes; every 40th track is Unknown.
    """
    rng = np.random.default_rng(5)
    store = Store(folder, create=True)
    video = tables.video(tracks * FRAMES // 2)
    first = np.arange(tracks) * FRAMES // 2
    last = np.minimum(first + FRAMES - 1, video.frames - 1)
    found = tables.tracks([(0, int(a), int(b)) for a, b in zip(first, last, strict=True)])
    faces, found = _faces(found, first, last)
    crops = _crops(folder, found)
    share = 1 / np.arange(1, characters + 1)
    who = rng.choice(characters, tracks, p=share / share.sum())
    who[rng.choice(tracks, characters, replace=False)] = np.arange(characters)
    order = np.argsort(-np.bincount(who, minlength=characters), kind="stable")
    who = np.argsort(order)[who]
    centre = rng.normal(size=(characters, WIDE))
    base = centre[who][crops.track] + rng.normal(size=(len(crops), WIDE)) / 3
    embeddings = Embeddings(
        crops.track, np.arange(len(crops)), base, np.full(len(crops), 0.5), tracks, "drawn"
    )
    unknown = np.arange(tracks) % 40 == 7
    cast = _cast(np.where(unknown, -1, who), rng)
    merges = _merges(cast.character)
    none = np.empty(0)
    _save(store, "video", [video])
    _save(store, "shots", [tables.shots(0, video.frames)])
    _save(store, "scan", [faces])
    _save(store, "tracks", [found])
    _save(store, "crops", [crops])
    _save(store, "embeddings", [embeddings], [crops.digest])
    _save(store, "views", [Views.none(WIDE)])
    _save(store, "cast", [cast, merges, Candidates(none, none, none, ())], [found.digest])
    store.manifest["films"] = [{"path": "large.mp4", "content": "1" * 64}]
    store.manifest["config"] = Config().model_dump()
    store.write_manifest()
    return folder


def _save(store: Store, step: str, made: list[Table], inputs: list[Any] | None = None) -> None:
    store.save(step, "0" * 64, made, {"inputs": inputs or []})


def _faces(found: Tracks, first: np.ndarray, last: np.ndarray) -> tuple[Faces, Tracks]:
    """Two faces a track, at its ends."""
    frame = np.stack([first, last], axis=1).ravel()
    track = np.repeat(np.arange(len(found)), 2)
    order = np.argsort(frame, kind="stable")
    left = (track * 37 % 500).astype(float)
    rows = [(int(frame[i]), left[i], 60.0, left[i] + 90, 170.0) for i in order]
    place = np.argsort(order)
    owned = [[int(place[2 * t]), int(place[2 * t + 1])] for t in range(len(found))]
    spans = list(zip(found.shot.tolist(), first.tolist(), last.tolist(), strict=True))
    return tables.faces(rows), tables.tracks(spans, owned)


def _crops(folder: Path, found: Tracks) -> Crops:
    pictures = [_picture(kind) for kind in range(KINDS)]
    track = np.repeat(np.arange(len(found)), 2)
    face = np.array([found.faces_of(t) for t in range(len(found))]).ravel()
    frame = np.stack([found.first, found.last], axis=1).ravel()
    with CropZip(folder / CROP_ZIP) as archive:
        for t, f in zip(track.tolist(), frame.tolist(), strict=True):
            archive.add(crop_name(t, f), pictures[(t * 7 + f) % KINDS])
    sums = [zlib.crc32(pictures[(t * 7 + f) % KINDS]) for t, f in zip(track, frame, strict=True)]
    return Crops(track, frame, face, np.array(sums, dtype=np.uint32), len(found))


def _picture(kind: int) -> bytes:
    picture = np.full((144, 144, 3), 60 + 4 * kind, dtype=np.uint8)
    cv2.ellipse(picture, (72, 74), (38, 50), 0, 0, 360, (90, 120 + 3 * kind, 200), -1)
    cv2.circle(picture, (58, 62), 5, (30, 30, 30), -1)
    cv2.circle(picture, (86, 62), 5, (30, 30, 30), -1)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def _cast(character: np.ndarray, rng: np.random.Generator) -> Cast:
    n, unknown = len(character), character < 0
    sure = np.where(unknown, 0, 1 - rng.beta(1, 12, n))
    return Cast(
        character=character,
        reason=np.where(unknown, 6, 0),
        quality=np.full(n, 0.5),
        threshold=np.where(unknown, np.nan, 0.3),
        confidence=sure,
        probable=np.where(unknown & (np.arange(n) % 3 == 0), 0, -1),
        chosen="frozen/own",
    )


def _merges(character: np.ndarray) -> Merges:
    """Join each character's tracks one after another, ever farther."""
    pairs = []
    for one in range(character.max() + 1):
        rows = np.flatnonzero(character == one)
        pairs += [(int(rows[0]), int(row)) for row in rows[1:]]
    a, b = np.array(pairs).T
    far = np.linspace(0.1, 0.9, len(pairs))
    return Merges(np.arange(1, len(pairs) + 1), a, b, far, np.ones(len(pairs)))
