"""All formats by name and ending; a writer is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from videoclusternet.errors import ConfigError, InstallError
from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Sheet
from videoclusternet.outside.text import meant, shown

Writer = Callable[[Sheet], Iterator[Piece]]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes
    ----------
    name : str
        For ``--format``.
    suffix : str
        Ending of its files, with the dot; empty for a folder.
    what : str
        For whom it is, in one line.
    home : str
        ``module:function`` below :mod:`videoclusternet.export`.
    extra : str
        Of the packages that it needs; empty where it needs none.
    letters : bool
        Whether names are drawn in it, with the font that we have.
    """

    name: str
    suffix: str
    what: str
    home: str
    extra: str = ""
    letters: bool = False

    def writer(self) -> Writer:
        """Import the function that writes it.

        Raises
        ------
        InstallError
            When a package is missing that only this format needs.
        """
        module, _, function = self.home.partition(":")
        try:
            found: Writer = getattr(import_module(f"videoclusternet.export.{module}"), function)
        except ModuleNotFoundError as error:
            if not self.extra:
                raise
            raise InstallError(
                f"the format {self.name} needs {error.name}, which is not installed",
                f"pip install 'videoclusternet[{self.extra}]'",
            ) from error
        return found


FORMATS = (
    Format("otio", ".otio", "Resolve, OpenTimelineIO: timelines", "timelines.otio:write_otio"),
    Format("edl", ".edl", "any editing program: CMX3600", "timelines.edl:write_edl"),
    Format("fcpxml", ".fcpxml", "Final Cut Pro: timelines", "timelines.fcpxml:write_fcpxml"),
    Format("fcp7", ".xml", "Premiere, Resolve: FCP7 XML", "timelines.fcp7:write_fcp7"),
    Format("ale", ".ale", "Avid: a log, a row a select", "timelines.ale:write_ale"),
    Format("aaf", ".aaf", "Avid: timelines", "timelines.aaf:write_aaf", "aaf"),
    Format("csv", ".csv", "spreadsheets: a row an appearance", "text.csv_table:write_csv"),
    Format("parquet", ".parquet", "notebooks: the same rows, typed", "text.parquet:write_parquet"),
    Format("json", ".json", "programs: all of it, by a schema", "text.json_text:write_json"),
    Format("webvtt", ".vtt", "browsers: who is on screen", "text.webvtt:write_webvtt"),
    Format("srt", ".srt", "players: who is on screen", "text.subtitles:write_srt"),
    Format("ass", ".ass", "players: the same in colours", "text.subtitles:write_ass"),
    Format("resolve-markers", ".edl", "DaVinci Resolve: markers", "markers.resolve:write_resolve"),
    Format("avid-markers", ".txt", "Media Composer: markers", "markers.avid:write_avid"),
    Format("premiere-markers", ".csv", "Premiere: markers", "markers.premiere:write_premiere"),
    Format("mot", "", "trackers: MOTChallenge, an id a character", "boxes.mot:write_mot"),
    Format("mot-tracks", "", "trackers: the same, an id a track", "boxes.mot:write_mot_tracks"),
    Format("coco", ".json", "detectors: boxes as COCO has them", "boxes.coco:write_coco"),
    Format("cvat", ".xml", "annotators: CVAT for video 1.1", "boxes.cvat:write_cvat"),
    Format("faces", "", "all face pictures, a folder for each", "pictures.faces:write_faces"),
    Format(
        "wall", ".wall.png", "one large face of everybody", "pictures.wall:write_wall", "", True
    ),
    Format(
        "contact", ".png", "a row of faces for each", "pictures.contact:write_contact", "", True
    ),
    Format(
        "contact-pdf", ".pdf", "the same to print", "pictures.contact_pdf:write_pdf", "pdf", True
    ),
)
"""As they are listed; of those that share an ending, the first is meant by it."""


def find_format(to: Path, name: str | None = None) -> Format:
    """Return the format of a name, else of the ending of a file.

    Raises
    ------
    ConfigError
        When there is none.
    """
    if name is not None:
        found = next((one for one in FORMATS if one.name == name.lower()), None)
        if found is None:
            near = meant(name.lower(), (one.name for one in FORMATS))
            raise ConfigError(f"no format {shown(name)}", f"{near}`vcn export --list` has all")
        return found
    for one in FORMATS:
        if one.suffix and to.name.lower().endswith(one.suffix):
            return one
    raise ConfigError(
        f"no format ends in {to.suffix or 'nothing'}: {to}",
        "say which one with --format; `vcn export --list` has all",
    )
