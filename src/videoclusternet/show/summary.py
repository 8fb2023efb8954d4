"""A cast in numbers: screen time, appearances and the most telling pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videoclusternet.runfolder.described import Film
from videoclusternet.runfolder.result import Result
from videoclusternet.types import Reason
from videoclusternet.types.arrays import Array

REASONS = {
    Reason.SMALL: "too small or cut off",
    Reason.BLURRED: "blurred",
    Reason.LOW_QUALITY: "hard to recognise",
    Reason.NO_PICTURE: "no picture",
    Reason.UNREADABLE: "too small to tell",
    Reason.NO_FACE: "not surely a face",
    Reason.UNSURE: "hard to tell from others",
    Reason.SET_ASIDE: "set aside by hand",
    Reason.NOT_A_FACE: "no face, by hand",
    Reason.UNPLACED: "taken out by hand",
}
"""What a reason means to people."""


@dataclass(frozen=True)
class Span:
    """Time on screen in one film, seconds from its start."""

    film: int
    start: float
    stop: float


@dataclass(frozen=True)
class Character:
    """One character, or the Unknown (number -1).

    Attributes
    ----------
    number : int
    name : str
        For people: what it is called, else ``Character 1`` and so on.
    hidden : bool
        Whether people left it out.
    tracks : int array
    spans : tuple of Span
        Time on screen, overlapping tracks joined, in order.
    seconds : float
        Their sum.
    confidence : float
        Probability that a track of it belongs to it, mean over its tracks; NaN for the Unknown.
    expected_wrong : float
        Expected number of its tracks that do not belong to it; NaN for the Unknown.
    """

    number: int
    name: str
    hidden: bool
    tracks: Array
    spans: tuple[Span, ...]
    seconds: float
    confidence: float
    expected_wrong: float


def characters(result: Result) -> list[Character]:
    """Sum up every character of a run, by number, the Unknown last.

    As found, that is longest on screen first.
    """
    numbers = sorted(result.people)
    if (result.cast.character < 0).any():
        numbers.append(-1)
    return [_character(result, number) for number in numbers]


def _character(result: Result, number: int) -> Character:
    tracks = np.flatnonzero(result.cast.character == number)
    spans = tuple(join_spans([track_span(result, int(t)) for t in tracks]))
    hidden = number >= 0 and result.people[number].hidden
    wrong = float(result.cast.expected_wrong[number]) if number >= 0 else np.nan
    name, seconds = result.called(number), sum(s.stop - s.start for s in spans)
    sure = 1 - wrong / len(tracks)
    return Character(number, name, hidden, tracks, spans, seconds, sure, wrong)


def track_span(result: Result, track: int) -> Span:
    """Return when a track is on screen; the detector's stride is bridged."""
    film = result.film_of(track)
    stop = int(result.tracks.last[track]) + (film.faces.stride if film.faces else 1)
    if film.shots is not None:
        stop = min(stop, int(film.shots.stop[result.tracks.shot[track]]))
    return Span(
        int(result.tracks.film[track]),
        film.seconds(int(result.tracks.first[track])),
        film.seconds(stop),
    )


def join_spans(spans: list[Span]) -> list[Span]:
    """Join spans that overlap or touch; sorted by film and time."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.film, s.start, s.stop)):
        if joined and joined[-1].film == span.film and span.start <= joined[-1].stop:
            last = joined.pop()
            span = Span(span.film, last.start, max(last.stop, span.stop))
        joined.append(span)
    return joined


def duration(film: Film) -> float:
    """Return the length of a film in seconds, up to the last track where there is no film."""
    if film.video is not None:
        return film.video.seconds(film.video.frames)
    return film.seconds(int(film.tracks.last.max(initial=0)) + 1)


def telling_crops(result: Result, tracks: Array, most: int) -> list[int]:
    """Choose crops that show a character best: well seen, typical, and different from each other.

    Well seen is what the detector is sure of and what is large; typical is what lies near the
    character's mean, as a dissolve, half a face or another person's does not.  Each track
    offers its best crop.  The best of all comes first; then always the one that adds most: good
    by itself and far in embedding from those already shown.

    Returns
    -------
    list of int
        Rows of the pooled crops.
    """
    embeddings = result.embeddings
    rows = np.flatnonzero(np.isin(embeddings.track, tracks))
    if len(rows) == 0:
        # Unknown tracks were not embedded: the middle crop of each must do.
        middle = [np.flatnonzero(result.crop_track == t) for t in tracks[:most]]
        return [int(rows[len(rows) // 2]) for rows in middle if len(rows)]
    unit = _unit(embeddings.base[rows])
    typical = np.maximum(unit @ _unit(unit.mean(axis=0)), 0)
    worth = typical * result.weights.weight[rows] * _size(result, embeddings.crop[rows])
    best: dict[int, int] = {}
    for i in np.argsort(worth, kind="stable").tolist():
        best[int(embeddings.track[rows[i]])] = i
    pick = np.array(list(best.values()))
    value, unit = worth[pick], unit[pick]
    chosen = [int(value.argmax())]
    while len(chosen) < min(most, len(pick)):
        gain = value * (1 - unit @ unit[chosen].T).min(axis=1)
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
    return [int(embeddings.crop[rows[pick[i]]]) for i in chosen]


def cover_crop(result: Result, character: int) -> int:
    """Return the crop that people chose for a character, row of the pooled crops; -1 for none."""
    person = result.people[character]
    if person.cover is None:
        return -1
    track = result.edits.base.row(person.cover)
    rows = np.flatnonzero(result.crop_track == track)
    if len(rows) == 0:
        return -1
    if person.frame < 0:
        return telling_crops(result, np.array([track]), 1)[0]
    frames = np.concatenate([film.crops.frame for film in result.films])[rows]
    return int(rows[np.abs(frames - person.frame).argmin()])


def _unit(x: Array) -> Array:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12))


def _size(result: Result, crops: Array) -> Array:
    """Worth of crops by face size, 0 to 1."""
    return np.concatenate([size_worth(film) for film in result.films])[crops]


def size_worth(film: Film) -> Array:
    """Return the worth of a film's crops by face size, 0 to 1, full at the canvas' own 112 px."""
    if film.faces is None or len(film.faces) == 0:
        return np.ones(len(film.crops))
    return np.minimum(film.faces.shorter.astype(np.float64)[film.crops.face] / 112, 1.0)
