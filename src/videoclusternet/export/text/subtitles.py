"""SRT and ASS: who is on screen, for players of films."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pysubs2 import Alignment, Color, SSAEvent, SSAFile, SSAStyle

from videoclusternet.export.palette import colour_of
from videoclusternet.export.piece import Piece
from videoclusternet.export.plain import film_by_film, one_line
from videoclusternet.export.sheet import Player, Reel, Sheet
from videoclusternet.export.text.cues import cues_of

_ASS = str.maketrans("{}\\", "()/")
_SRT = str.maketrans("{}\\<>", "()/\u2039\u203a")
"""Letters that mean something there, and that cannot be escaped."""
SIZE = 18
"""A letter is a share of 1/18 of the picture's height."""


def write_srt(sheet: Sheet) -> Iterator[Piece]:
    """Write the cues of every film, in milliseconds."""
    for label, _, appearances in film_by_film(sheet):
        subs = SSAFile()
        for cue in cues_of(appearances, 1000):
            names = ", ".join(one_line(one.name).translate(_SRT) for one in cue.players)
            subs.append(SSAEvent(cue.start, cue.stop, names))
        yield Piece(subs.to_string("srt"), label)


def write_ass(sheet: Sheet) -> Iterator[Piece]:
    """Write the cues of every film, in hundredths of a second, a style a character."""
    for label, reel, appearances in film_by_film(sheet):
        subs = _blank(reel, sheet.players)
        for cue in cues_of(appearances, 100):
            names = "{\\r}, ".join(_in_style(one) for one in cue.players)
            subs.append(SSAEvent(10 * cue.start, 10 * cue.stop, names))
        yield Piece(subs.to_string("ass", header_notice="Who is on screen"), label)


def _blank(reel: Reel, players: Iterable[Player]) -> SSAFile:
    """Return a file with the styles: above the picture's edge, where no dialogue stands."""
    subs = SSAFile()
    width, height = reel.size
    height = height or 288
    subs.info.update({"PlayResX": str(width or 384), "PlayResY": str(height)})
    size = max(1, round(height / SIZE))
    look = SSAStyle(fontsize=size, alignment=Alignment.TOP_CENTER, marginv=size // 2, outline=1.5)
    subs.styles["Default"] = look
    for player in players:
        subs.styles[_style(player)] = look.copy()
        subs.styles[_style(player)].primarycolor = Color(*colour_of(player.number).light)
    return subs


def _in_style(player: Player) -> str:
    return f"{{\\r{_style(player)}}}{one_line(player.name).translate(_ASS)}"


def _style(player: Player) -> str:
    return f"Character {player.number}"
