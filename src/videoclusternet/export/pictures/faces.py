"""A folder of faces for each character: the run's own pictures, byte for byte."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from videoclusternet.export.pictures.portraits import crops_of, demand_pictures
from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Sheet
from videoclusternet.export.write import safe_name

RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))}
"""Names that no folder has on Windows."""


def write_faces(sheet: Sheet) -> Iterator[Piece]:
    """Write ``Anna/0001 00-12-03-11 track 40.jpg`` and so on, in order of time.

    Raises
    ------
    ConfigError
        When the run has no pictures.
    """
    run = sheet.run
    demand_pictures(run)
    taken: set[str] = set()
    for player in sheet.players:
        folder = folder_name(player.name, taken)
        for number, row in enumerate(crops_of(sheet, player).tolist(), 1):
            track = int(run.crop_track[row])
            reel = sheet.reels[int(run.tracks.film[track])]
            time = reel.clock.timecode(reel.clock.place(int(run.crop_frame[row])))
            film = f"{safe_name(reel.name)} " if len(sheet.reels) > 1 else ""
            name = (
                f"{number:04d} {film}{time.replace(':', '-').replace(';', '-')} track {track}.jpg"
            )
            yield Piece(run.pictures.jpeg(row), f"{folder}/{name}")


def folder_name(name: str, taken: set[str]) -> str:
    """Return the name of a folder that no other has, on any system, and take it."""
    safe = safe_name(name)
    safe = f"{safe}_" if safe.partition(".")[0].strip().lower() in RESERVED else safe
    found, number = safe, 1
    while _folded(found) in taken:
        number += 1
        found = f"{safe} {number}"
    taken.add(_folded(found))
    return found


def _folded(name: str) -> str:
    """Return what two names have in common that are one on Windows or a Mac."""
    return unicodedata.normalize("NFC", name).casefold()
