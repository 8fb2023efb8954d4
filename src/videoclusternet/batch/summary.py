"""What a batch keeps of a finished film: its characters in numbers, and a few small pictures.

Read from the run once, and kept in ``summaries/``; read anew when the run has changed, as by a
correction.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from videoclusternet.result.characters import characters
from videoclusternet.result.edit_log import EDITS
from videoclusternet.result.result import Result, open_run
from videoclusternet.runfolder.beside import summary_path
from videoclusternet.runfolder.crop_zip import address, smaller
from videoclusternet.runfolder.files import plain_file, replacing, writing
from videoclusternet.runfolder.manifest import MANIFEST
from videoclusternet.show.hints import damage

FORMAT = 3
PICTURES = 4
"""Characters that are shown: those with a name, then those longest on screen."""
SIDE, QUALITY = 48, 60
"""Of a picture, px, and of its JPEG."""
MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Member:
    """A character of a film, as tables have it.

    Attributes
    ----------
    character : int
        Its number for people, from 1.
    name : str
    named : bool
        Whether somebody called it so; else it is its number in words.
    seconds, first, last : float
        On screen in all, and the moments when it comes first and leaves last, s.
    tracks, appearances : int
    confidence, wrong : float
        Mean probability that a track of it belongs to it; tracks expected not to.
    kind : str
        How a library knows it: ``regular``, ``guest``, else ``stranger``.
    person : str
        Key of whom it is in the library; empty of strangers.
    sure : float or None
        How probably it is that person; None of strangers.
    """

    character: int
    name: str
    named: bool
    seconds: float
    first: float
    last: float
    tracks: int
    appearances: int
    confidence: float
    wrong: float
    kind: str = "stranger"
    person: str = ""
    sure: float | None = None


@dataclass(frozen=True)
class Summary:
    """A finished film.

    Attributes
    ----------
    seconds : float
        It lasts.
    members : tuple of Member
        By number, without those that people hid.
    unknown : int
        Tracks that cannot be told.
    pictures : tuple of (int, str)
        Character, and its picture as a ``data:`` address.
    notes : tuple of str
        What its file lacks.
    """

    seconds: float
    members: tuple[Member, ...]
    unknown: int
    pictures: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()


def summary_of(folder: Path, run: str) -> Summary | None:
    """Return what is kept of a film's run; None where there is no run.

    Parameters
    ----------
    folder : Path
        Of the batch.
    run : str

    Raises
    ------
    StoreError
        When the run is damaged or unfinished, or what is kept cannot be written.
    """
    state = _state(folder / run)
    if state is None:
        return None
    path = summary_path(folder / run)
    kept = _kept(path, state)
    if kept is None:
        kept = summarise(open_run(folder / run))
        with writing(path):
            path.parent.mkdir(exist_ok=True)
        text = json.dumps({"format": FORMAT, "of": state, **asdict(kept)})
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="ascii")
    return kept


def _state(run: Path) -> list[list[int]] | None:
    """Return what tells a run from how it was before: its files' sizes and times of change."""
    found = []
    for name in (MANIFEST, EDITS):
        try:
            about = os.stat(run / name)
        except OSError:
            if name == MANIFEST:
                return None
            continue
        found.append([about.st_size, about.st_mtime_ns])
    return found


def _kept(path: Path, state: list[list[int]]) -> Summary | None:
    try:
        values = json.loads(plain_file(path, MOST_BYTES).read_bytes())
        if (values["format"], values["of"]) != (FORMAT, state):
            return None
        return _read(values)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # it is made anew


def _read(values: Mapping[str, Any]) -> Summary:
    members = tuple(Member(**one) for one in values["members"])
    pictures = tuple((int(number), str(data)) for number, data in values["pictures"])
    notes = tuple(map(str, values["notes"]))
    return Summary(float(values["seconds"]), members, int(values["unknown"]), pictures, notes)


def summarise(result: Result) -> Summary:
    """Sum up a run over one film."""
    cast = [one for one in characters(result) if one.index >= 0 and not one.hidden]
    people = result.people
    members = tuple(
        Member(
            character=one.number,
            name=one.name,
            named=bool(people[one.index].name),
            seconds=round(one.seconds, 3),
            first=round(one.spans[0].start, 3),
            last=round(max(span.stop for span in one.spans), 3),
            tracks=len(one.tracks),
            appearances=len(one.spans),
            confidence=round(one.confidence, 4),
            wrong=round(one.expected_wrong, 4),
            kind=one.kind,
            person=people[one.index].known,
            sure=round(people[one.index].sure, 4) if people[one.index].known else None,
        )
        for one in cast
    )
    shown = sorted(cast, key=lambda one: (not people[one.index].name, -one.seconds))[:PICTURES]
    pictures = tuple(
        (one.number, address(smaller(best.jpeg, SIDE, QUALITY)))
        for one in shown
        for best in one.best_pictures(1)
    )
    unknown = int((result.cast.character < 0).sum())
    whole = sum(film.duration for film in result.films)
    return Summary(whole, members, unknown, pictures, tuple(damage(result)))
