"""The boxes of those who are on a sheet: as the detector saw them, or in every frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from videoclusternet.annotations.boxes import FilmFacts
from videoclusternet.errors import ConfigError
from videoclusternet.export.plain import one_line
from videoclusternet.export.sheet import Reel, Sheet
from videoclusternet.export.whose import index_of
from videoclusternet.result.characters import track_span
from videoclusternet.types.arrays import Bools, Float64, Int64
from videoclusternet.types.boxes import between
from videoclusternet.types.film import Faces, VideoInfo
from videoclusternet.types.span import Span, inside, join_spans


@dataclass(frozen=True, eq=False)
class FilmBoxes:
    """Boxes of a film, by track and frame.

    Attributes
    ----------
    track : int64, shape (n,)
        Row of the run's tracks.
    frame : int64, shape (n,)
        Of the film, from 0.
    box : float64, shape (n, 4)
        ``x y w h``, px of the display frame, cut off at its edge.
    score : float64, shape (n,)
        Of the detector, 0 to 1; NaN where it did not look.
    seen : bool, shape (n,)
        Whether there was a box; else it lies between two that there were.
    """

    track: Int64
    frame: Int64
    box: Float64
    score: Float64
    seen: Bools

    def __len__(self) -> int:
        return len(self.track)

    def take(self, rows: Int64 | Bools) -> FilmBoxes:
        """Return some of them."""
        return FilmBoxes(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def tracks(self) -> list[int]:
        """All tracks, ascending."""
        return [int(track) for track in np.unique(self.track)]


def film_boxes(sheet: Sheet, reel: Reel) -> FilmBoxes:
    """Return the boxes of a film that lie in an appearance of their character.

    Where an appearance is the answer to a question, those of all characters that are not hidden
    lie in it.

    Raises
    ------
    ConfigError
        When the run has no boxes, or its film is not known.
    """
    video, faces = _known(reel)
    none = np.empty(0, dtype=np.int64)
    parts = [FilmBoxes(none, none, np.empty((0, 4)), np.empty(0), none.astype(bool))]
    for track, spans in shown_tracks(sheet, reel):
        every = _track_boxes(sheet, faces, track)
        parts.append(every.take(inside(spans, every.frame)))
    names = [field.name for field in fields(FilmBoxes)]
    joined = FilmBoxes(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
    return _cut_off(joined, video)


def shown_tracks(sheet: Sheet, reel: Reel) -> Iterator[tuple[int, list[Span]]]:
    """Return the tracks of a film that are on a sheet, and the spans that each is on it."""
    run, cover = sheet.run, _cover(sheet, reel)
    for track in np.flatnonzero(run.tracks.film == reel.number).tolist():
        spans = cover.get(int(run.cast.character[track]), [])
        first, last = int(run.tracks.first[track]), int(run.tracks.last[track])
        near = [span for span in spans if span.first <= last and span.end > first]
        if near:
            yield track, near


def away(sheet: Sheet, reel: Reel) -> dict[int, list[int]]:
    """Return the frames of the film from which the face of each track is away."""
    found = {}
    for track, spans in shown_tracks(sheet, reel):
        whole = track_span(sheet.run, track)
        ends = [min(span.end, whole.end) for span in spans]
        found[track] = [end for end in ends if end < reel.film.frames]
    return found


def facts(reel: Reel) -> FilmFacts:
    """Return what a set of boxes says of its film."""
    video, _ = _known(reel)
    return FilmFacts(one_line(reel.name), video.fps, video.width, video.height, video.frames)


def label(sheet: Sheet, track: int) -> str:
    """Return the name of whom a track shows, in one line."""
    return one_line(sheet.run.called(int(sheet.run.cast.character[track])))


def _known(reel: Reel) -> tuple[VideoInfo, Faces]:
    video, faces = reel.film.video, reel.film.faces
    if video is None or faces is None:
        raise ConfigError(
            f"{reel.name} has no boxes: its run began with cut faces",
            "boxes come from a run over a film, or over boxes",
        )
    return video, faces


def _cover(sheet: Sheet, reel: Reel) -> dict[int, list[Span]]:
    """Return the spans in which each character is wanted, by its number in the cast."""
    run = sheet.run
    everybody = run.shown
    spans: dict[int, list[Span]] = {}
    for one in sheet.films[reel.number][1]:
        index = index_of(run, one.player)
        for who in everybody if index is None else [index]:
            spans.setdefault(who, []).append(one.span)
    return {index: join_spans(some) for index, some in spans.items()}


def _track_boxes(sheet: Sheet, faces: Faces, track: int) -> FilmBoxes:
    """Return all boxes of a track, corners in ``box``; between them too where that is asked."""
    rows = sheet.run.tracks.faces_of(track)
    seen = faces.frame[rows].astype(np.int64)
    box, score = faces.box[rows].astype(np.float64), faces.score[rows].astype(np.float64)
    frame = seen
    if sheet.boxes == "frames" and len(rows):
        frame = np.arange(seen[0], seen[-1] + 1)
        box = between(frame, seen, box)
        score = np.interp(frame, seen, score)
    return FilmBoxes(np.full(len(frame), track), frame, box, score, np.isin(frame, seen))


def _cut_off(boxes: FilmBoxes, video: VideoInfo) -> FilmBoxes:
    """Cut corners off at the edge of the picture, and make them ``x y w h``; drop what is out."""
    corners = np.clip(boxes.box, 0, [video.width, video.height] * 2)
    size = corners[:, 2:] - corners[:, :2]
    whole = np.concatenate([corners[:, :2], size], axis=1)
    cut = FilmBoxes(boxes.track, boxes.frame, whole, boxes.score, boxes.seen)
    return cut.take(np.flatnonzero((size > 0).all(axis=1)))
