"""Where a result is shaky: one list for the terminal and the page, with what helps."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from videoclusternet.errors import StoreError
from videoclusternet.result.described import Film
from videoclusternet.result.result import Result
from videoclusternet.show.words import REASONS, several, unread_words
from videoclusternet.types import Reason
from videoclusternet.types.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    from videoclusternet.config import Config

MOST = 0.5
"""Share of the tracks from which it is worth a word."""
SMALL_FOR_DLIB = 64
"""Faces with a shorter side below this are often mixed up by dlib, px."""
PAIRS = 5
"""Of people who look alike, named at most."""
BETTER = "edgeface-xs"
"""The backbone that was seen to keep small faces apart (README, "Limits")."""

FLAGS = {"device": "--device", "faces.detector": "--detector", "embed.backbone": "--backbone"}
"""Settings that have an option of their own."""


@dataclass(frozen=True)
class Hint:
    """One thing to know about a result.

    Attributes
    ----------
    text : str
        What is shaky, and how much.
    command : str
        What helps; empty where no command does.
    """

    text: str
    command: str = ""


def hints(result: Result, names_only: bool = False) -> list[Hint]:
    """Say what is shaky about a result.

    Parameters
    ----------
    result : Result
    names_only : bool
        Whether commands name films and run folder without the folders that they lie in: a page
        may be handed on.
    """
    unread = [
        *map(Hint, result.twice),
        *(Hint(s) for film in result.films for s in _of_film(result, film, film.notes)),
    ]
    if len(result.tracks) == 0:
        return unread + _no_track(result, names_only)
    shaky = [*_most_unknown(result, names_only), *_small_faces(result, names_only)]
    return [*unread, *_edits(result, names_only), *shaky, *_alike(result)]


def damage(result: Result) -> list[str]:
    """Say what the files of a result lack: one that breaks off, frames that were not read."""
    return [said for film in result.films for said in _of_film(result, film, film.broken)]


def _of_film(result: Result, film: Film, notes: Sequence[str]) -> list[str]:
    """Say notes of a film, and what could not be read of it."""
    name = Path(film.video.path).name if film.video else film.name
    unread = unread_words(film.unread, name, film.video.frames if film.video else 0)
    said = [*notes, *([unread] if unread else [])]
    several_films = len(result.films) > 1
    return [f"{film.name}: {s}" if several_films and film.name not in s else s for s in said]


def why_unknown(result: Result, tracks: Ints) -> str:
    """Count Unknown tracks by reason: ``3 blurred, 1 no picture``."""
    reason = result.cast.reason[tracks]
    counts = [(int((reason == r).sum()), words) for r, words in REASONS.items()]
    return ", ".join(f"{n} {words}" for n, words in counts if n)


def sure_faces(result: Result) -> list[tuple[int, int]]:
    """Return film and frame of each face that was sure enough to begin a track."""
    settings = settings_of(result)
    least = np.inf if settings is None else settings.tracks.new
    return [
        (number, int(frame))
        for number, film in enumerate(result.films)
        if film.faces
        for frame in film.faces.frame[film.faces.score >= least]
    ]


def _no_track(result: Result, names_only: bool) -> list[Hint]:
    """Faces were seen, but none for long enough."""
    found = sure_faces(result)
    count, frames = len(found), len(set(found))
    if count == 0:
        return []
    alone = all(film.video and film.video.frames == 1 for film in result.films)
    if alone or all(film.faces and film.faces.stride == 1 for film in result.films):
        change = "tracks.min_faces=1"
    else:
        change = "faces.stride=1"
    if alone:
        text = f"{several(count, 'face')} found, but one picture makes no track; to take it as one:"
    else:
        text = (
            f"{several(count, 'face')} found in {several(frames, 'frame')}, but none was held for "
            "long enough to make a track; to look closer:"
        )
    return [Hint(text, _again(result, names_only, change))]


def _most_unknown(result: Result, names_only: bool) -> list[Hint]:
    """Most tracks were set aside, not counting those of people who were forgotten."""
    unknown = np.flatnonzero((result.cast.character < 0) & ~_forgotten(result))
    if len(unknown) < MOST * len(result.tracks):
        return []
    text = (
        f"{len(unknown)} of {several(len(result.tracks), 'track')} "
        f"{'is' if len(unknown) == 1 else 'are'} Unknown ({why_unknown(result, unknown)})"
    )
    change, what = _remedy(result, unknown)
    if not change or result.films[0].track_names:
        return [Hint(f"{text}.")]
    return [Hint(f"{text}; {what}:", _again(result, names_only, change))]


def _forgotten(result: Result) -> Bools:
    """Return which tracks are of people who were forgotten."""
    return np.asarray(result.cast.reason == Reason.FORGOTTEN)


def _remedy(result: Result, unknown: Ints) -> tuple[str, str]:
    """Return the setting that takes most of them in, and what it does."""
    settings = settings_of(result)
    if settings is None or _forgotten(result).any():
        return "", ""  # that film is not looked at again: it would find the person again
    least = settings.quality.min_size
    main = int(np.bincount(result.cast.reason[unknown]).argmax())
    if main == Reason.SMALL:
        sizes = face_sizes(result)[unknown]
        if not (sizes < least).any():
            return "", ""  # cut off: another limit would not help
        return f"quality.min_size={least / 2:g}", f"to judge faces from {least / 2:g} px on"
    if main == Reason.UNREADABLE:
        least = max(film.judgement.least_size for film in result.films if film.judgement)
        return f"judge.least_size={least / 2:g}", f"to judge faces from {least / 2:g} px on"
    if main == Reason.NO_FACE:
        return "judge.enabled=false", "to take them all for faces"
    if main == Reason.UNSURE:
        return "cluster.unsure=false", "to place them all the same"
    if main == Reason.BLURRED:
        return "quality.min_sharpness=0", "to judge blurred faces too"
    if main == Reason.LOW_QUALITY:
        return "track_quality.enabled=false", "to judge them all the same"
    return "", ""


def _small_faces(result: Result, names_only: bool) -> list[Hint]:
    """Dlib had to judge small faces."""
    sizes = face_sizes(result)[result.cast.character >= 0]
    small = int((sizes < SMALL_FOR_DLIB).sum())
    if small == 0 or small < MOST * len(sizes) or _forgotten(result).any():
        return []
    settings = settings_of(result)
    if settings is None or settings.embed.backbone.partition("=")[0] != "dlib":
        return []
    text = (
        f"faces are under {SMALL_FOR_DLIB} px in {small} of {several(len(sizes), 'track')} that "
        "could be judged, and the model dlib mixes such people up"
    )
    unknown = result.cast.reason[result.cast.character < 0]
    small = int((unknown == Reason.UNREADABLE).sum())
    if small > 0 and len(unknown) < MOST * len(result.tracks):
        text += f" ({small} more are Unknown: {REASONS[Reason.UNREADABLE]})"
    if result.films[0].track_names:
        return [Hint(f"{text}; the same command with --backbone {BETTER} helps.")]
    change = f'embed.backbone="{BETTER}"'
    again = _again(result, names_only, change)
    return [
        Hint(
            f"{text}; a better one ({BETTER}, or sface where commercial use must be allowed):",
            f"vcn models pull {BETTER} && {again}",
        )
    ]


def _edits(result: Result, names_only: bool) -> list[Hint]:
    """Decisions that find nothing to be done on any more, or that a crash tore."""
    found = []
    if lost := len(result.edits.unplaced):
        finds = "finds" if lost == 1 else "find"
        folder = result.folder.resolve().name if names_only else str(result.folder)
        text = f"{several(lost, 'decision')} of people {finds} no place in this clustering; to see:"
        found.append(Hint(text, shlex.join(["vcn", "edit", folder, "log"])))
    if result.edits.torn:
        found.append(Hint("the last line of edits.jsonl breaks off: it was never acknowledged"))
    return found


def _alike(result: Result) -> list[Hint]:
    """People whom nothing but a shared picture keeps apart."""
    people = result.people
    pairs = [
        " and ".join(people[one].name or str(people[one].number) for one in pair)
        for pair in result.cast.alike
        if not any(people[one].hidden for one in pair)
    ]
    if not pairs:
        return []
    more = f" and {len(pairs) - PAIRS} more" if len(pairs) > PAIRS else ""
    return [
        Hint(
            f"Characters {', '.join(pairs[:PAIRS])}{more} look alike to the face model: that "
            "pictures show both is all that keeps them two, so look through their tracks"
        )
    ]


def face_sizes(result: Result) -> Floats:
    """Median of the shorter side of the faces of each track, px; NaN where it is not known."""
    sizes = [_film_sizes(film) for film in result.films]
    return np.concatenate(sizes) if sizes else np.empty(0)


def _film_sizes(film: Film) -> Floats:
    sizes = np.full(len(film.tracks), np.nan)
    if film.faces is None:
        return sizes
    side = film.faces.shorter
    for track in range(len(film.tracks)):
        rows = film.tracks.faces_of(track)
        if len(rows):
            sizes[track] = np.median(side[rows])
    return sizes


def settings_of(result: Result) -> Config | None:
    """Return the settings of a run; None where this version does not know them."""
    from videoclusternet.config import Config  # who prints a sure cast waits for no settings
    from videoclusternet.runfolder.steps import recorded_settings

    try:
        return recorded_settings(result.folder, Config)
    except StoreError:
        return None


def _again(result: Result, names_only: bool, change: str) -> str:
    """Write the command that made a run, with one more setting; empty where there is no film."""
    videos = [film.video for film in result.films if film.video]
    if len(videos) != len(result.films):
        return ""
    films, folder = [Path(video.path) for video in videos], result.folder
    if names_only:
        films, folder = [Path(film.name) for film in films], Path(folder.resolve().name)
    paths = [f"./{path}" if str(path).startswith("-") else str(path) for path in films]
    # One rate is for all: films with times of their own take none.
    rate = [] if any(video.timed for video in videos) else ["--fps", videos[0].rate]
    options = [*rate, *_options(result, change)]
    return shlex.join(["vcn", "cluster", *paths, "-o", str(folder), *options])


def _options(result: Result, change: str) -> list[str]:
    """Return the options that made a run, with one setting changed."""
    settings = settings_of(result)
    assert settings is not None, "the change was made of them"
    usual = flat_settings(type(settings).load(settings.profile).model_dump(mode="json"))
    every = flat_settings(settings.model_dump(mode="json"))
    changed = {key: value for key, value in every.items() if usual[key] != value}
    name, _, value = change.partition("=")
    changed[name] = json.loads(value)
    options = [] if settings.profile == "instant" else ["--profile", settings.profile]
    for key, value in changed.items():
        if key in FLAGS:
            options += [FLAGS[key], str(value)]
        else:
            options += ["--set", f"{key}={json.dumps(value)}"]
    return options


def flat_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Name settings as ``step.key``."""
    flat: dict[str, Any] = {}
    for step, group in settings.items():
        inner = group if isinstance(group, dict) else {"": group}
        flat |= {f"{step}.{key}" if key else step: value for key, value in inner.items()}
    return flat
