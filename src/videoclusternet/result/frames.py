"""A run as data frames of pandas, with the names that files have: ``run.to_pandas("tracks")``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from videoclusternet.errors import ConfigError, InstallError
from videoclusternet.outside.text import meant, shown
from videoclusternet.result.appearances import told_of
from videoclusternet.result.characters import Character, characters, track_span
from videoclusternet.result.found import Found
from videoclusternet.types.arrays import Array
from videoclusternet.types.span import Span

if TYPE_CHECKING:
    import pandas

What = Literal["appearances", "characters", "tracks", "faces"]
"""A row of a frame is one of these."""
Columns = dict[str, Any]


def frame_of(run: Found, what: What, unknown: bool) -> pandas.DataFrame:
    """Return a run as a data frame; see :meth:`videoclusternet.Result.to_pandas`."""
    try:
        import pandas
    except ImportError:
        raise InstallError("pandas is not installed", "pip install pandas") from None
    if what not in _MAKE:
        raise ConfigError(
            f"there is no table {shown(what)}",
            f"{meant(str(what), get_args(What))}there are {', '.join(get_args(What))}",
        )
    cast = [c for c in characters(run) if (not c.hidden if c.index >= 0 else unknown)]
    frame = pandas.DataFrame(_MAKE[what](run, cast))
    return frame.set_index("track") if what == "tracks" else frame


def _appearances(run: Found, cast: list[Character]) -> Columns:
    """By film and first frame, as ``vcn export --to cast.csv`` has them."""
    rows = [
        (span, one, told)
        for one in cast
        for span, told in zip(one.spans, told_of(run, one.tracks, one.spans), strict=True)
    ]
    rows.sort(key=lambda row: (row[0], row[1].number, row[1].name))
    return {
        **_who(run, [span.film for span, _, _ in rows], [one for _, one, _ in rows]),
        **_when(run, [span for span, _, _ in rows]),
        "tracks": [told.tracks for _, _, told in rows],
        "confidence": [told.confidence for _, _, told in rows],
    }


def _characters(run: Found, cast: list[Character]) -> Columns:
    return {
        "character": [one.number for one in cast],
        "name": [one.name for one in cast],
        "tracks": [len(one.tracks) for one in cast],
        "appearances": [len(one.spans) for one in cast],
        "seconds": [one.seconds for one in cast],
        "confidence": [one.confidence for one in cast],
        "expected_wrong": [one.expected_wrong for one in cast],
    }


def _tracks(run: Found, cast: list[Character]) -> Columns:
    """By track."""
    owner = {int(track): one for one in cast for track in one.tracks}
    rows = sorted(owner)
    spans = [track_span(run, track) for track in rows]
    return {
        "track": rows,
        **_who(run, [span.film for span in spans], [owner[track] for track in rows]),
        "shot": run.tracks.shot[rows],
        **_when(run, spans),
        "confidence": run.cast.confidence[rows],
        "quality": run.cast.quality[rows],
        "reason": run.cast.reason[rows],
    }


def _faces(run: Found, cast: list[Character]) -> Columns:
    """By film, frame and place; of faces that belong to a track."""
    number = np.full(len(run.tracks), -1)
    for row, one in enumerate(cast):
        number[one.tracks] = row
    track = np.repeat(np.arange(len(run.tracks)), np.diff(run.tracks.start))
    film, face = run.tracks.film[track], run.tracks.face
    order = np.lexsort((face, film))
    order = order[number[track[order]] >= 0]
    track, film, face = track[order], film[order], face[order]
    box = _of_faces(run, film, face, lambda faces: faces.box, (4,))
    frame = _of_faces(run, film, face, lambda faces: faces.frame).astype(np.int64)
    seconds = np.zeros(len(frame))
    for at, of in enumerate(run.films):
        if of.video is not None:
            seconds[film == at] = of.video.times[frame[film == at]]
    return {
        **_who(run, film.tolist(), [cast[row] for row in number[track]]),
        "track": track,
        "frame": frame,
        "seconds": seconds,
        **{name: box[:, i] for i, name in enumerate(("x1", "y1", "x2", "y2"))},
        "score": _of_faces(run, film, face, lambda faces: faces.score),
    }


def _of_faces(
    run: Found, film: Array, face: Array, of: Callable[[Any], Array], shape: tuple[int, ...] = ()
) -> Array:
    """Look a column of faces up: by number of the film, and row there."""
    found = np.zeros((len(face), *shape))
    for at, one in enumerate(run.films):
        if one.faces is not None:
            found[film == at] = of(one.faces)[face[film == at]]
    return found


def _who(run: Found, films: list[int], cast: list[Character]) -> Columns:
    clips = [run.clip(number) for number in range(len(run.films))]
    return {
        "film": [clips[film] for film in films],
        "character": [one.number for one in cast],
        "name": [one.name for one in cast],
    }


def _when(run: Found, spans: list[Span]) -> Columns:
    clocks = [run.films[span.film].clock for span in spans]
    places = [c.extent(s.first, s.end) for c, s in zip(clocks, spans, strict=True)]
    return {
        "first_frame": [span.first for span in spans],
        "end_frame": [span.end for span in spans],
        "start_seconds": [span.start for span in spans],
        "stop_seconds": [span.stop for span in spans],
        "start_timecode": [c.timecode(at) for c, (at, _) in zip(clocks, places, strict=True)],
        "stop_timecode": [c.timecode(at) for c, (_, at) in zip(clocks, places, strict=True)],
    }


_MAKE: dict[str, Callable[[Found, list[Character]], Columns]] = {
    "appearances": _appearances,
    "characters": _characters,
    "tracks": _tracks,
    "faces": _faces,
}
