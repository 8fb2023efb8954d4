"""One call for each kind of input: films, films with given boxes, crops of given tracks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from videoclusternet.config import Config
from videoclusternet.errors import ConfigError, VideoError
from videoclusternet.events import Hook, silent
from videoclusternet.outside.files import exists
from videoclusternet.pipeline import cluster
from videoclusternet.result.result import Result
from videoclusternet.runfolder.films import Others
from videoclusternet.runfolder.folder import Store
from videoclusternet.sources.boxes import BoxSource
from videoclusternet.sources.crops import CropSource
from videoclusternet.sources.film import FilmSource
from videoclusternet.sources.source import listed


def cluster_film(
    films: Sequence[Path | str] | Path | str,
    output: Path | str | None = None,
    config: Config | None = None,
    hook: Hook = silent,
    fps: Fraction | str | None = None,
    others: Others = "refuse",
    library: Path | str | None = None,
) -> Result:
    """Find out who is on screen, when, in one film or in several with a shared cast.

    Parameters
    ----------
    films : path or sequence of paths
        Files, folders of pictures or numbered patterns such as ``shot_%04d.png``.
    fps : Fraction or str, optional
        Frames per second, such as ``"24000/1001"``, of pictures or of streams without time.
    others : {"refuse", "keep", "drop"}
        What becomes of films that the folder ``output`` holds and that are not given: an error, or
        they stay and the given ones are added, or they are taken out.

    Others as in :func:`videoclusternet.pipeline.cluster`.
    """
    rate = None if fps is None else Fraction(fps)
    sources = [FilmSource.open(path, rate) for path in listed(films)]
    if others == "keep":
        sources = _added(sources, output, rate)
    return cluster(sources, output, config, hook, others, library)


def _added(
    given: Sequence[FilmSource], output: Path | str | None, rate: Fraction | None
) -> list[FilmSource]:
    """Put films after those that a run folder holds, which lie where they lay or beside it.

    Raises
    ------
    ConfigError
        When no folder is named, or it holds tracks that were given.
    StoreError
        When it is no run folder.
    VideoError
        When a film that it holds is there no more, and is not given either.
    """
    if output is None:
        raise ConfigError("films are added to a run folder", "name it with -o")
    films = Store(Path(output)).manifest.get("films", [])
    if any("tracks" in film for film in films):
        raise ConfigError(f"{output} holds given tracks", "name all its sources at once")
    beside, known = Path(output).resolve().parent, []
    for film in films:
        named = next((source for source in given if source.content == film["content"]), None)
        said = Path(film["path"])
        found = next((path for path in (said, beside / said.name) if exists(path)), said)
        try:
            known.append(named or FilmSource.open(found, rate))
        except VideoError as error:
            raise VideoError(error.message, f"{output} holds it: name it where it lies") from error
    contents = {film["content"] for film in films} | {source.content for source in known}
    return [*known, *(source for source in given if source.content not in contents)]


def cluster_boxes(
    films: Sequence[Path | str] | Path | str,
    boxes: Sequence[Path | str] | Path | str,
    output: Path | str | None = None,
    config: Config | None = None,
    hook: Hook = silent,
    library: Path | str | None = None,
) -> Result:
    """Group given face tracks of a film, or of several with a shared cast, into characters.

    Parameters
    ----------
    films : path or sequence of paths
    boxes : path or sequence of paths
        Boxes of each film, in any form that
        :func:`videoclusternet.annotations.box_forms.find_form` knows.  Labels are not used.

    Others as in :func:`videoclusternet.pipeline.cluster`; settings of ``shots`` and
    ``tracks`` play no part.
    """
    paths, given = listed(films), listed(boxes)
    if not paths or len(paths) != len(given):
        raise ConfigError(f"{len(given)} sets of boxes for {len(paths)} films", "give one for each")
    pairs = zip(paths, given, strict=True)
    return cluster(
        [BoxSource.open(film, of) for film, of in pairs], output, config, hook, library=library
    )


def cluster_tracks(
    crops: Sequence[Path | str] | Path | str,
    output: Path | str | None = None,
    config: Config | None = None,
    hook: Hook = silent,
    shots: Path | str | None = None,
    library: Path | str | None = None,
) -> Result:
    """Group given face tracks into characters.

    Parameters
    ----------
    crops : path or sequence of paths
        Zip file or folder with ``<track>/<frame>.jpg``: crops of 112 x 112 px aligned to
        the ArcFace template, or of 144 x 144 px with its margin.  Several have a shared
        cast, as several films have.
    shots : path, optional
        CSV file with the columns ``track_id`` and ``shot``: tracks of one shot that
        overlap in time are two people.  By default ``<name>_tracks.csv`` or
        ``tracks.csv`` beside the crops, where there is one.

    Others as in :func:`videoclusternet.pipeline.cluster`.
    """
    beside = Path(shots) if shots else None
    sources = [CropSource.open(path, beside) for path in listed(crops)]
    return cluster(sources, output, config, hook, library=library)
