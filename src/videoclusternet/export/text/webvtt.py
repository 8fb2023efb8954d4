"""WebVTT: who is on screen, for players in browsers."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import film_by_film, one_line
from videoclusternet.export.sheet import Sheet
from videoclusternet.export.text.cues import Cue, cues_of


def write_webvtt(sheet: Sheet) -> Iterator[Piece]:
    """Write the cues of every film, in milliseconds; ``& < >`` of names are escaped."""
    for label, _, appearances in film_by_film(sheet):
        yield Piece("\n".join(["WEBVTT\n", *map(_cue, cues_of(appearances, 1000))]), label)


def _cue(cue: Cue) -> str:
    names = ", ".join(escape(one_line(one.name), quote=False) for one in cue.players)
    return f"{_time(cue.start)} --> {_time(cue.stop)}\n{names}\n"


def _time(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"
