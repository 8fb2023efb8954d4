"""Render the films of a run: where they lie, what they are called, one copy after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from videoclusternet.errors import ConfigError, VideoError
from videoclusternet.events import Event, Hook, silent
from videoclusternet.export.render.copy import Copy, Paint, form_of
from videoclusternet.export.render.labels import BLACK, Labels, colour_of
from videoclusternet.export.render.look import Look
from videoclusternet.export.render.marks import Mark, Sweep, marks_of
from videoclusternet.export.render.paint import blur, outline, put
from videoclusternet.export.render.picture import Colours, Picture
from videoclusternet.export.write import beside, refuse
from videoclusternet.film.video import open_video
from videoclusternet.result.described import Film
from videoclusternet.result.found import Found
from videoclusternet.runfolder.files import writing
from videoclusternet.show.words import unread_words
from videoclusternet.types import Unread, VideoInfo

STEP = "render"
LINE = 270
"""A line is one in so many parts of the picture's shorter side wide, at least 2 px."""


def render(
    run: Found,
    to: Path | str,
    look: Look | None = None,
    films: Sequence[Path] = (),
    font: Path | None = None,
    force: bool = False,
    hook: Hook = silent,
) -> list[Path]:
    """Write copies of films in which the cast is named, or cannot be recognised.

    Parameters
    ----------
    run : Found
    to : path
        Of the copy, which says its form.  Those of a run over several films lie beside it:
        ``annotated - S01E01.mp4``.
    look : Look, optional
        Names over boxes by default.
    films : sequence of Path
        Where films lie now; only these are written.  By default all, where they were or beside
        the run.
    font : Path, optional
        For the names.
    force : bool
        Take the place of what is there.
    hook : callable

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ConfigError
        When a name, a font or the form is not there, a file is of no film of this run, the run
        has no film, or something is there already.
    VideoError
        When a film is not where it was, has changed or cannot be read.
    StoreError
        When a copy cannot be written; those that are done are kept.
    """
    to, look = Path(to), look or Look()
    look.check()
    form_of(to)
    look.blurred(run)
    Labels(1, 1, font)
    found = _found(run, films, hook)
    targets: dict[Path, Path] = {}
    for number in found:
        target = beside(to, "" if len(run.films) == 1 else run.films[number].name, targets)
        refuse(target, force, [Path(video.path) for video in found.values()])
        targets[target] = target
    for (number, video), target in zip(found.items(), targets, strict=True):
        with writing(target):
            target.absolute().parent.mkdir(parents=True, exist_ok=True)
        _render(run, number, video, target, look, font, hook)
    return list(targets)


def _found(run: Found, films: Sequence[Path], hook: Hook) -> dict[int, VideoInfo]:
    """Return the films that are written, by number, with their paths as of now."""
    hook(Event("start", "video", unit="films"))
    given = {number: video for path in films for number, video in [_match(run, path)]}
    found = given or {number: _there(run, film) for number, film in enumerate(run.films)}
    hook(Event("done", "video", unit="films"))
    return dict(sorted(found.items()))


def _there(run: Found, film: Film) -> VideoInfo:
    """Return a film that was not moved, or into the folder of the run."""
    video = _of(film)
    where = film.where(run.folder.resolve().parent)
    only = "only `vcn render` and previews need the film: say where it lies with --film PATH"
    if where is None:
        raise VideoError(f"{video.path} is not there any more", only)
    if open_video(where, fps=_given_rate(video)).content != video.content:
        raise VideoError(f"{where} is not the film that it was", only)
    return replace(video, path=str(where))


def _match(run: Found, path: Path) -> tuple[int, VideoInfo]:
    """Find out which film of a run a file is, by what it holds."""
    videos = [_of(film) for film in run.films]
    failure: VideoError | None = None
    for fps in dict.fromkeys(_given_rate(video) for video in videos):
        try:
            content = open_video(path, fps=fps).content
        except VideoError as error:
            failure = failure or error
            continue
        failure = None
        for number, video in enumerate(videos):
            if video.content == content:
                return number, replace(video, path=str(path))
    raise failure or ConfigError(
        f"{path} is no film of this run", "name the file that was clustered"
    )


def _of(film: Film) -> VideoInfo:
    if film.video is None:
        raise ConfigError(
            f"{film.name} has no film to draw on: the run began with pictures of faces",
            "render runs of `vcn cluster`",
        )
    return film.video


def _given_rate(video: VideoInfo) -> Fraction | None:
    """Return the rate that a film has to be opened with: of pictures, and where it has no times."""
    return None if video.timed else video.fps


def _render(
    run: Found, number: int, video: VideoInfo, target: Path, look: Look, font: Path | None,
    hook: Hook,
) -> None:  # fmt: skip
    film = run.films[number]
    step = STEP if len(run.films) == 1 else f"{film.name}/{STEP}"
    marks = marks_of(run, number, look)

    def note(said: str) -> None:
        hook(Event("note", step, message=said))

    def lost(unread: Unread) -> None:
        note(f"{unread_words(unread, film.name, video.frames)}; the picture before stays on")

    def painter(colours: Colours, width: int, height: int) -> Paint:
        names = {m.character: run.called(m.character) for m in marks if m.character >= 0}
        labels = Labels(width, height, font)
        for name in names.values():
            if missing := labels.missing(name):
                note(f"the font has no {missing!r} of {name}: name another with --font")
        return Painter(marks, names, labels, colours, width, height, video)

    hook(Event("start", step, total=video.frames, unit="frames"))
    copy = Copy(video, target, film.clock.timecode(0) if film.is_timed else "", painter)
    copy.write(lambda done, total: hook(Event("progress", step, done, total, "frames")), note, lost)
    hook(Event("done", step, video.frames, video.frames, "frames"))


class Painter:
    """Draws the marks of a film on its pictures.

    Parameters
    ----------
    marks : list of Mark
    names : dict of int to str
        Names of the characters among them.
    labels : Labels
    colours : Colours
    width, height : int
        Of the copy, px.
    video : VideoInfo
    """

    def __init__(
        self, marks: list[Mark], names: dict[int, str], labels: Labels, colours: Colours,
        width: int, height: int, video: VideoInfo,
    ) -> None:  # fmt: skip
        self._sweep = Sweep(marks)
        self._scale = np.array([width / video.width, height / video.height] * 2)
        self._line = 2 * max(1, round(min(width, height) / LINE / 2))
        self._edge = colours.ink(BLACK, height)
        who = {-1, *names}
        self._inks = {one: colours.ink(colour_of(one), height) for one in who}
        self._labels = {
            one: colours.inks(labels.draw(name, colour_of(one)), height)
            for one, name in names.items()
        }

    def __call__(self, frame: int, picture: Picture) -> None:
        """Draw on the picture of a frame; frames rise."""
        marks = [(mark, mark.trail.at(frame) * self._scale) for mark in self._sweep.at(frame)]
        for mark, box in marks:
            if mark.blurred:
                blur(picture, box)
            else:
                outline(picture, box, self._inks[mark.character], self._edge, self._line)
        for mark, box in marks:
            if mark.character in self._labels and not mark.blurred:
                put(picture, self._labels[mark.character], box)
