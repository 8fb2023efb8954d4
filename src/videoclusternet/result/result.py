"""A finished run, read back: what the page, the table, the scores and your code look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoclusternet.errors import NoCharacterError, StoreError
from videoclusternet.query.evaluate import Reach
from videoclusternet.query.language import parse
from videoclusternet.result import notebook
from videoclusternet.result.answers import Terms, answer, find_people, nobody
from videoclusternet.result.characters import Character, character_of
from videoclusternet.result.described import Described, Film, strangers
from videoclusternet.result.fits import check_cast, check_film
from videoclusternet.result.found import Found
from videoclusternet.result.frames import What, frame_of
from videoclusternet.runfolder.films import home_of, number_of, places
from videoclusternet.runfolder.folder import Store, film_names
from videoclusternet.runfolder.manifest import FORGOTTEN, MANIFEST
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    CropWeights,
    Faces,
    Judgement,
    Merges,
    Shots,
    Tracks,
    VideoInfo,
)
from videoclusternet.types.clock import Tags
from videoclusternet.types.span import Span

if TYPE_CHECKING:
    import pandas

ROWS = 40
"""Characters that a notebook shows of a run."""


class Result(Found):
    """A finished run, as your code reads it; its attributes are those of :class:`Found`.

    ``result["Anna"]`` or ``result[3]``, by the number that people see, is a character, also one
    that is hidden; ``result["Unknown"]`` is what cannot be told.  Going through a result gives
    its characters by number, without those that people hid and without the Unknown, and ``len``
    says how many that are.
    """

    def __getitem__(self, character: int | str) -> Character:
        return character_of(self, self.index_of(character))

    def __contains__(self, character: object) -> bool:
        if not isinstance(character, Integral | str):
            return any(character == one for one in self)
        try:
            self.index_of(str(character))
        except NoCharacterError:
            return False
        return True

    def __iter__(self) -> Iterator[Character]:
        return (character_of(self, number) for number in self.shown)

    def __len__(self) -> int:
        return len(self.shown)

    def __bool__(self) -> bool:
        return True  # a film without faces is a run all the same

    def to_pandas(self, what: What = "appearances", unknown: bool = False) -> pandas.DataFrame:
        """Return a data frame of pandas, without those that people hid.

        Parameters
        ----------
        what : str
            What a row is: of ``appearances`` as in ``vcn export --to cast.csv``, of
            ``characters``, of ``tracks`` (the index is the number of the track), of ``faces``.
        unknown : bool
            Whether the Unknown are among them, as character 0.

        Raises
        ------
        ConfigError
            When there is no such table.
        InstallError
            When pandas is not installed.
        """
        return frame_of(self, what, unknown)

    def __repr__(self) -> str:
        return f"<Result of {str(self.folder)!r}, {self._facts()}>"

    def _facts(self) -> str:
        unknown = int((self.cast.character < 0).sum())
        return f"characters: {len(self)}, tracks: {len(self.tracks)}, Unknown of them: {unknown}"

    def _repr_html_(self) -> str:
        whole = max(sum(film.duration for film in self.films), 1e-9)
        rows = (
            notebook.Row(
                notebook.strip(((p.jpeg, one.name) for p in one.best_pictures(1)), 48),
                one.number,
                one.name,
                one.seconds,
                one.seconds / whole,
                notebook.lane(self.films, one.spans, one.name),
            )
            for one in islice(self, ROWS)
        )
        names = ", ".join(film.name for film in self.films)
        more = f"and {len(self) - ROWS} more" if len(self) > ROWS else ""
        return notebook.table(names, self._facts(), rows, more)

    def query(
        self,
        text: str,
        *,
        together_within: str | float = 0,
        alone: bool = False,
        min_face: float = 0.0,
        gap: float = 0.0,
        min_seconds: float = 0.0,
        shots: bool = False,
    ) -> tuple[Span, ...]:
        """Return where those are on screen that a query asks for, by film and frame.

        Parameters
        ----------
        text : str
            Such as ``Anna & (Ben | "Smith & Sons") & !Carl``; see
            :mod:`videoclusternet.query.language`.
        together_within : str or float
            How far from each other people of an ``&`` may be: ``2`` or ``2s``, ``500ms``,
            ``48f``; see :func:`videoclusternet.query.evaluate.evaluate`.
        alone, min_face, gap, min_seconds, shots
            See :class:`videoclusternet.result.answers.Terms`.

        Raises
        ------
        QueryError
            When the query cannot be understood, or names nobody who is there.
        ConfigError
            When another argument cannot be, or the run holds no faces or shots to answer from.
        """
        question = parse(text)
        within = Reach.read(str(together_within))
        people = find_people(self, question)
        for who in question.names:
            if who.name not in people:
                raise nobody(question, who, [person.label for person in self.people.values()])
        terms = Terms(within, alone, min_face, gap, min_seconds, shots)
        return tuple(answer(self, question, people, terms))


def open_run(folder: Path | str) -> Result:
    """Read a finished run.

    Raises
    ------
    StoreError
        When the folder is no run, unfinished, damaged or of a newer format.
    """
    found = open_described(folder)
    store = Store(found.folder)
    cast, merges, candidates = store.load("cast", (Cast, Merges, Candidates))
    if store.manifest["steps"]["cast"]["inputs"][:1] != [found.tracks.digest]:
        # Stopped after a changed setting: the cast is of earlier tracks.
        raise StoreError(f"{folder} is unfinished", "run `vcn cluster` again to finish")
    check_cast(found, cast, bool(store.manifest.get(FORGOTTEN)))
    result = Result(found.folder, found.films, found.tracks, cast, merges, candidates)
    _ = result.edits  # a damaged log is said here, not at the first look at the cast
    return result


def open_described(folder: Path | str) -> Described:
    """Read the tracks and crops of a run, whether or not it has a cast.

    Raises
    ------
    StoreError
        As :func:`open_run`.
    """
    store = Store(Path(folder))
    described = store.manifest.get("films", [])
    if not described:
        raise StoreError(f"{folder} holds no film yet", "run `vcn cluster` to fill it")
    shown = film_names([film["path"] for film in described])
    films: list[Film] = []
    for place, name, said in zip(places(described), shown, described, strict=True):
        film = _film(Store(home_of(store.folder, place)) if place else store, name, said)
        check_film(film, number_of(place))
        films.append(replace(film, tracks=film.tracks.in_film(len(films))))
    return Described(store.folder, tuple(films), Tracks.of_films([one.tracks for one in films]))


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a run that can be read to its end.

    Raises
    ------
    StoreError
        When the folder is damaged or of another format.
    """
    if not (folder / MANIFEST).exists():
        return False
    Store(folder)  # one that cannot be read at all is no unfinished one
    try:
        open_run(folder)
    except StoreError:
        return False
    return True


def _film(store: Store, name: str, said: Mapping[str, Any]) -> Film:
    found: dict[str, Any] = {"video": None, "shots": None, "faces": None}
    if "video" in store.manifest["steps"]:
        (found["video"],) = store.load("video", (VideoInfo,))
        (found["shots"],) = store.load("shots", (Shots,))
        (found["faces"],) = store.load("scan", (Faces,))
    (tracks,) = store.load("tracks", (Tracks,))
    if Judgement.FILE in store.manifest["steps"]:
        found["judgement"], _ = store.load(Judgement.FILE, (Judgement, CropWeights))
        if store.manifest["steps"][Judgement.FILE]["inputs"][:1] != [tracks.digest]:
            raise StoreError(f"{store.folder} is unfinished", "run `vcn cluster` again to finish")
        if len(found["judgement"]) != len(tracks):
            raise strangers(store.folder)
        tracks = found["judgement"].of(tracks)
    found["tracks"] = tracks
    (found["crops"],) = store.load("crops", (Crops,))
    return Film(
        folder=store.folder,
        name=name,
        track_names=tuple(said.get("tracks", ())),
        content=str(said["content"]),
        tags=Tags(**{key: said[key] for key in Tags.__annotations__ if key in said}),
        notes=_notes(store, "video", "scan", "crops"),
        unread=store.unread,
        broken=_notes(store, "video"),
        **found,
    )


def _notes(store: Store, *names: str) -> tuple[str, ...]:
    """Return what was noted in some steps, each sentence once."""
    steps = (store.manifest["steps"].get(name, {}) for name in names)
    return tuple(dict.fromkeys(str(note) for step in steps for note in step.get("notes", ())))
