"""The films of a run, for a browser: where they are, which it plays, a preview of the others."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from videoclusternet.errors import ConfigError, VcnError
from videoclusternet.result.described import Film
from videoclusternet.result.result import Result

PLAYED = {
    "mp4": (("h264", "av1", "vp9"), ("aac", "mp3", "opus", "flac")),
    "webm": (("vp8", "vp9", "av1"), ("opus", "vorbis")),
}
"""Containers that browsers play, and the pictures and the sound that they play in them."""
TYPES = {"mp4": "video/mp4", "webm": "video/webm"}
ENDINGS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mp4", ".webm": "webm"}


@dataclass
class _Making:
    """A preview that is being made, or that could not be."""

    done: int = 0
    total: int = 0
    error: str = ""
    running: bool = True


@dataclass
class Media:
    """The films of a run, by number.

    Attributes
    ----------
    result : Result
    """

    result: Result
    _making: dict[int, _Making] = field(default_factory=dict)
    _plays: dict[Path, bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def describe(self, number: int) -> dict[str, Any]:
        """Say what the page can do with a film.

        Returns
        -------
        dict
            ``kind``: ``film`` and ``preview`` can be played, ``unplayed`` needs a preview, of
            which ``making`` is under way, ``gone`` is not where it was, ``none`` was never there.
        """
        film = self._film(number)
        if film.video is None:
            return {"kind": "none"}
        said: dict[str, Any] = {"path": film.video.path}
        if self.preview(number).is_file():
            return {**said, "kind": "preview"}
        making = self._making.get(number)
        if making and making.running:
            return {**said, "kind": "making", "done": making.done, "total": making.total}
        where = self.where(number)
        if where is None:
            return {**said, "kind": "gone"}
        kind = "film" if self._played(where) else "unplayed"
        return {**said, "kind": kind, "error": making.error if making else ""}

    def where(self, number: int) -> Path | None:
        """Return where a film lies now: where it was, or beside the run; None for nowhere."""
        return self._film(number).where(self.result.folder.resolve().parent)

    def file(self, number: int) -> tuple[Path, str]:
        """Return the file that is played for a film, and its type.

        Raises
        ------
        ConfigError
            When there is none that a browser plays.
        """
        if self.preview(number).is_file():
            return self.preview(number), TYPES["mp4"]
        where = self.where(number)
        if where is None or not where.is_file() or not self._played(where):
            raise ConfigError(f"film {number} cannot be played", "make a preview")
        return where, TYPES[ENDINGS[where.suffix.lower()]]

    def preview(self, number: int) -> Path:
        """Return where the preview of a film lies, or would."""
        self._film(number)
        return self.result.folder / f"preview-{number}.mp4"

    def make(self, number: int) -> None:
        """Begin to make the preview of a film, unless it is being made.

        Raises
        ------
        ConfigError
            When the film is not where it was.
        """
        film, where = self._film(number), self.where(number)
        if where is None or film.video is None:
            raise ConfigError(f"film {number} is not where it was", "put it back")
        with self._lock:
            if (making := self._making.get(number)) and making.running:
                return
            self._making[number] = begun = _Making()
        work = threading.Thread(
            target=self._make, args=(film, where, self.preview(number), begun), daemon=True
        )
        work.start()

    def _make(self, film: Film, where: Path, target: Path, making: _Making) -> None:
        from videoclusternet.review.web.preview import write_preview

        def progress(done: int, total: int) -> None:
            making.done, making.total = done, total

        try:
            assert film.video is not None
            write_preview(film.video, where, target, progress)
        except (VcnError, OSError, ValueError) as error:
            making.error = str(error)
        finally:
            making.running = False

    def _film(self, number: int) -> Film:
        if not 0 <= number < len(self.result.films):
            raise ConfigError(f"there is no film {number}", "reload the page")
        return self.result.films[number]

    def _played(self, path: Path) -> bool:
        """Whether browsers play a file, by what is in it."""
        if path not in self._plays:
            self._plays[path] = path.is_file() and _played(path)
        return self._plays[path]


def _played(path: Path) -> bool:
    from videoclusternet.review.web.preview import codecs

    ending = ENDINGS.get(path.suffix.lower())
    if ending is None:
        return False
    pictures, sounds = PLAYED[ending]
    try:
        picture, pixels, sound = codecs(path)
    except VcnError:
        return False
    return picture in pictures and pixels == "yuv420p" and sound in (*sounds, "")
