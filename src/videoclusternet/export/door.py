"""The way out from Python: a run, or spans of your own, as a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from videoclusternet.errors import ConfigError
from videoclusternet.export.sheet import Choice, Player, Sheet, cast_sheet, make_sheet
from videoclusternet.export.write import export
from videoclusternet.result.found import Found
from videoclusternet.types.span import Span

Who = int | str
"""A character: its number as shown, from 1, or its name."""


def export_run(
    run: Found,
    to: Path | str,
    format: str | None = None,
    characters: Who | Iterable[Who] = (),
    spans: Mapping[str, Iterable[Span]] | None = None,
    unknown: bool = False,
    min_seconds: float = 0.0,
    gap: float = 0.0,
    handles: float = 0.0,
    start_timecode: str = "",
    boxes: str = "detections",
    force: bool = False,
) -> list[Path]:
    """Write who is on screen for editing programs, spreadsheets, players and trackers.

    Parameters
    ----------
    run : Result
    to : path
        File or folder; its ending says the format.
    format : str, optional
        Name of the format, where the ending does not say it.
    characters : int, str or several
        Only these, by name or number; all without, but those that people hid.
    spans : mapping of str to spans, optional
        In place of characters, what you found yourself: when, under any name.
    unknown : bool
        The Unknown as well.
    min_seconds, gap, handles : float
        Leave out appearances that are shorter; join those no more than so far apart; seconds
        before and after each select.
    start_timecode : str
        Of the first picture, in place of what the film says.
    boxes : str
        Of faces, in formats that have them: ``detections``, or ``frames``: those between too.
    force : bool
        Take the place of what is there.

    Returns
    -------
    list of Path
        What was written, the file that was asked for first.

    Raises
    ------
    ConfigError
        When a character, a film or the format is not there, or something is there already.
    StoreError
        When it cannot be written.
    """
    who, times = _named(characters), (min_seconds, gap, handles)
    choice = Choice(who, unknown, *times, start_timecode, boxes)
    sheet = cast_sheet(run, choice) if spans is None else _own_sheet(run, spans, choice)
    return export(sheet, to, format, force)


def _named(characters: Who | Iterable[Who]) -> tuple[str, ...]:
    several = (characters,) if isinstance(characters, Who) else characters
    return tuple(map(str, several))


def _own_sheet(run: Found, spans: Mapping[str, Iterable[Span]], choice: Choice) -> Sheet:
    """Lay spans that are none of a character's on the timelines."""
    if choice.characters or choice.unknown:
        raise ConfigError("both characters and spans are given", "give one of them")
    groups = [
        (Player(number, name), [_checked(run, span) for span in own])
        for number, (name, own) in enumerate(spans.items(), 1)
    ]
    return make_sheet(run, groups, choice)


def _checked(run: Found, span: Span) -> Span:
    if not 0 <= span.film < len(run.films):
        raise ConfigError(
            f"a span is of film {span.film}", f"the run has films 0 to {len(run.films) - 1}"
        )
    return span
