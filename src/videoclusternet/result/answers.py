"""Answers to queries: where in a run those are on screen that are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from videoclusternet.errors import ConfigError, QueryError
from videoclusternet.outside.text import meant, shown
from videoclusternet.query.evaluate import Reach, Stage, evaluate
from videoclusternet.query.intervals import Intervals, intersection
from videoclusternet.query.language import Question, Who, written
from videoclusternet.result.described import NOMINAL, Film
from videoclusternet.result.found import Found
from videoclusternet.types import Reason
from videoclusternet.types.arrays import Int64
from videoclusternet.types.span import Span, join_spans

_NUMBERED = re.compile(r"(?:character )?(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True)
class Terms:
    """What else is asked of the moments that a query finds.

    Attributes
    ----------
    within : Reach
        How far people of an ``&`` may be from each other.
    alone : bool
        Nobody is on screen but those who are to be, no Unknown either.
    min_face : float
        Share of the picture's height that a face of somebody who is to be on screen has at
        least.
    gap : float
        Moments that are no more than so many seconds apart are one.
    min_seconds : float
        Shorter moments do not count.
    shots : bool
        Whole shots that hold such a moment, in its place.
    """

    within: Reach = field(default_factory=Reach)
    alone: bool = False
    min_face: float = 0.0
    gap: float = 0.0
    min_seconds: float = 0.0
    shots: bool = False

    def __post_init__(self) -> None:
        for name, most in (("min_face", 1), ("gap", np.inf), ("min_seconds", np.inf)):
            if not 0 <= getattr(self, name) <= most:
                limits = "from 0 to 1" if most == 1 else "from 0 on"
                raise ConfigError(f"{name}={getattr(self, name)}", f"give a number {limits}")


def find_people(run: Found, question: Question, by_name: bool = False) -> dict[str, int]:
    """Return those whom a query names, by their number in ``cast.character``; others stay away.

    Parameters
    ----------
    run : Found
    question : Question
    by_name : bool
        Refuse numbers: they are of one run, and several are asked.

    Raises
    ------
    QueryError
        Then.
    """
    found = {}
    for who in question.names:
        number = _NUMBERED.fullmatch(who.name)
        if number and by_name:
            raise question.error(
                who.at,
                f"{shown(who.name)} is somebody else in every run",
                f"give names to ask several runs: `vcn edit RUN name {number[1]} NAME`",
            )
        index = _index(run, number[1] if number else who.name)
        if index is not None:
            found[who.name] = index
    return found


def _index(run: Found, name: str) -> int | None:
    if name.casefold() == run.called(-1).casefold():
        return -1
    if name.isdecimal() and not _NUMBERED.fullmatch(name):
        return None
    try:
        return run.index_of(name)
    except ConfigError:
        return None


def nobody(question: Question, who: Who, labels: Iterable[str]) -> QueryError:
    """Return the error for somebody whom no run knows.

    Parameters
    ----------
    question : Question
    who : Who
    labels : iterable of str
        All names that there are.
    """
    return question.error(
        who.at,
        f"there is no character {shown(who.name)}",
        f"{meant(who.name, labels, written)}`vcn show RUN` lists them",
    )


def answer(run: Found, question: Question, people: Mapping[str, int], terms: Terms) -> list[Span]:
    """Return the moments that a query finds in a run, by film and frame.

    Parameters
    ----------
    run : Found
    question : Question
    people : mapping of str to int
        Those of its names that the run knows, by their number in ``cast.character``; of others
        it shows nobody.
    terms : Terms

    Raises
    ------
    ConfigError
        When faces or shots are asked for that the run does not hold.
    """
    _refuse(run, question, terms)
    return [
        span
        for number in range(len(run.films))
        for span in _FilmAsked(run, number, question, people).moments(terms)
    ]


def _refuse(run: Found, question: Question, terms: Terms) -> None:
    """Say what a run cannot answer."""
    if terms.min_face and not (question.wanted or question.wants_anybody):
        raise question.error(
            0, f"min_face={terms.min_face:g}: whose face?", "name somebody without ! before"
        )
    for film in run.films:
        if terms.min_face and (film.faces is None or film.video is None):
            raise ConfigError(
                f"{run.folder} has no sizes of faces: it is over tracks without their boxes",
                "ask without min_face",
            )
        if terms.shots and film.shots is None:
            raise ConfigError(
                f"{run.folder} has no shots: it is over tracks without their film",
                "ask without shots",
            )


class _FilmAsked:
    """One film of a run, and who is where in it."""

    def __init__(
        self, run: Found, number: int, question: Question, people: Mapping[str, int]
    ) -> None:
        self._run, self._number, self._film = run, number, run.films[number]
        self._question, self._people = question, people
        tracks, cast = run.tracks, run.cast
        # What people say is no face is nobody, not even unknown.
        some = (tracks.film == number) & (cast.reason != Reason.NOT_A_FACE)
        self._tracks = np.flatnonzero(some)
        self._who = cast.character[self._tracks]

    def moments(self, terms: Terms) -> list[Span]:
        film, number = self._film, self._number
        found = [evaluate(self._question.tree, self._stage(terms.within))]
        if terms.alone:
            others = ~np.isin(self._who, self._wanted)
            found.append(self._frames(self._tracks[others]).outside(film.frames))
        if terms.min_face:
            found.append(self._close(terms.min_face))
        spans = [film.span(number, first, end) for first, end in intersection(found)]
        spans = [s for s in join_spans(spans, terms.gap) if s.seconds >= terms.min_seconds]
        return _whole_shots(film, number, spans) if terms.shots else spans

    @property
    def _wanted(self) -> list[int]:
        """Numbers of those who are to be on screen."""
        named = [self._people[w.name] for w in self._question.wanted if w.name in self._people]
        return named + (self._run.shown if self._question.wants_anybody else [])

    def _stage(self, within: Reach) -> Stage:
        names = {who.name for who in self._question.names}
        some = {name: [self._people[name]] if name in self._people else [] for name in names}
        ticks, reach = _ticks(self._film, within)
        seen = {name: self._seen(numbers) for name, numbers in some.items()}
        return Stage(ticks, seen, self._seen(self._run.shown), reach)

    def _seen(self, numbers: Sequence[int]) -> Intervals:
        return self._frames(self._tracks[np.isin(self._who, numbers)])

    def _frames(self, tracks: Int64) -> Intervals:
        return Intervals.of(self._run.tracks.first[tracks], self._run.ends[tracks])

    def _close(self, least: float) -> Intervals:
        """Return where a face of somebody who is to be on screen is at least so large."""
        film, faces = self._film, self._film.faces
        assert film.video is not None and faces is not None
        height = np.diff(faces.box[:, 1::2].astype(float))[:, 0]
        large = np.zeros(film.frames, dtype=bool)
        for track in self._tracks[np.isin(self._who, self._wanted)]:
            frames = np.arange(self._run.tracks.first[track], self._run.ends[track])
            rows = self._run.tracks.faces_of(track)
            if len(rows) == 0:
                continue
            # Between two detections the box is taken to change evenly.
            high = np.interp(frames, faces.frame[rows], height[rows])
            large[frames] |= high / film.video.height >= least
        return Intervals.where(large)


def _ticks(film: Film, within: Reach) -> tuple[Int64, int]:
    """Return when the frames of a film are shown, and a reach in the same unit."""
    video = None if within.frames else film.video
    ticks = np.arange(film.frames) if video is None else video.pts
    second = 1 / Fraction(video.base) if video else Fraction(1 if within.frames else NOMINAL)
    most = int(ticks[-1] - ticks[0]) if len(ticks) else 0
    return ticks, min(int(within.length * second), most)


def shots_of(film: Film, span: Span) -> range:
    """Return the numbers of the shots that a span has frames of; none where none are known."""
    if film.shots is None:
        return range(0)
    first, last = film.shots.at(np.array([span.first, span.end - 1])).tolist()
    return range(first, last + 1)


def _whole_shots(film: Film, number: int, spans: Iterable[Span]) -> list[Span]:
    """Return the shots that hold frames of such a span, each by itself."""
    assert film.shots is not None
    start, stop = film.shots.start.tolist(), film.shots.stop.tolist()
    held = {shot for span in spans for shot in shots_of(film, span)}
    return [film.span(number, start[shot], stop[shot]) for shot in sorted(held)]
