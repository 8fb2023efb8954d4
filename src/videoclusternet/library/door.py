"""``open_library()``: people of many films in one file, as your code reads and changes it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.errors import ConfigError
from videoclusternet.events import Hook, silent
from videoclusternet.library import exchange, forgetting, gallery, people, record
from videoclusternet.library.adding.from_run import Added, add_run
from videoclusternet.library.database import WAIT, Database, connected, default_path
from videoclusternet.library.exchange import Brought, Read
from videoclusternet.library.exemplars import Exemplar, exemplars, jpeg
from videoclusternet.library.forgetting import Left, Plan
from videoclusternet.library.page import write_page
from videoclusternet.library.people import Known, Row
from videoclusternet.library.record import Entry
from videoclusternet.library.verify import problems
from videoclusternet.result.result import Result, open_run

if TYPE_CHECKING:  # who only reads a library loads no networks
    from videoclusternet.config import Config
    from videoclusternet.library.adding.photos import Pictured
    from videoclusternet.library.adding.reembed import Reembedded


class Library:
    """People of many films.

    Every call reads or changes the file at once; what changes it is there wholly or not at all.
    Use it in a ``with``, or :meth:`close` it: what lies in the write-ahead log beside it moves
    into the file.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._database.blame(error)
        finally:
            self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def path(self) -> Path:
        """Where its file lies."""
        return self._database.path

    @property
    def writable(self) -> bool:
        """Whether it can be changed."""
        return self._database.writable

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read one state of its tables; see :mod:`videoclusternet.library.schema`."""
        with self._database.reading() as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Change its tables, wholly or not at all."""
        with self._database.writing() as db:
            yield db

    @property
    def people(self) -> list[Known]:
        """Everybody, by name."""
        with self.reading() as db:
            return people.listed(db)

    def __len__(self) -> int:
        with self.reading() as db:
            return int(db.execute("SELECT count(*) FROM person").fetchone()[0])

    def __contains__(self, person: object) -> bool:
        with self.reading() as db:
            return people.called(db, str(person)) is not None

    def __bool__(self) -> bool:
        return True  # one without people is a library all the same

    def gallery(self, weights: str, without: Collection[str] = ()) -> Gallery:
        """Return the exemplars of one face model, for clustering.

        Parameters
        ----------
        weights : str
            Digest of its un-adapted weights; embeddings of others are never compared.
        without : collection of str
            Content of films whose exemplars are left out.

        Raises
        ------
        LibraryError
            When the file is damaged.
        """
        with self.reading() as db:
            return gallery.gallery(db, self.path, weights, without)

    def add(
        self, run: Result | Path | str, characters: Sequence[str | int] | str | int = ()
    ) -> Added:
        """Take the sure tracks of named characters of a run into the library.

        Parameters
        ----------
        run : Result or path
        characters : str, int or sequence of these, optional
            Names or numbers; by default all characters that have a name.
        """
        return add_run(
            self._database, run if isinstance(run, Result) else open_run(run), _all(characters)
        )

    def find(self, person: str) -> Row:
        """Return a person, by name or key.

        Raises
        ------
        NoPersonError
            When there is none.
        """
        with self.reading() as db:
            return people.find(db, person)

    def exemplars(self, person: str) -> list[Exemplar]:
        """Return what stands for a person, look by look."""
        with self.reading() as db:
            return exemplars(db, people.find(db, person))

    def jpeg(self, number: int) -> bytes | None:
        """Return the picture of an exemplar, a JPEG file; None where it has none."""
        with self.reading() as db:
            return jpeg(db, number)

    def write_page(self, path: Path | str, *names: str) -> Path:
        """Write a page of the faces of some people, else of all."""
        path = Path(path)
        self._keeps(path)
        with self.reading() as db:
            chosen = names or [one.key for one in people.listed(db)]
            return write_page(db, [people.find(db, one) for one in chosen], path)

    def _keeps(self, path: Path) -> None:
        """Refuse to write over the library itself."""
        if os.path.realpath(path) == os.path.realpath(self.path):
            raise ConfigError(f"{path} is the library itself", "choose another name")

    def photos(
        self, person: str, paths: Sequence[Path | str] | Path | str, config: Config | None = None
    ) -> Pictured:
        """Take a person in from photographs of one face each."""
        return self._pictured({people.named(person): [Path(one) for one in _all(paths)]}, config)

    def folder(self, folder: Path | str, config: Config | None = None) -> Pictured:
        """Take people in from a folder of photographs: file names are names."""
        from videoclusternet.library.adding.photos import names_in

        return self._pictured(names_in(Path(folder)), config)

    def _pictured(self, photos: Mapping[str, Sequence[Path]], config: Config | None) -> Pictured:
        from videoclusternet.config import Config
        from videoclusternet.library.adding.photos import add_photos

        return add_photos(self._database, photos, config or Config())

    def reembed(self, config: Config, hook: Hook = silent) -> Reembedded:
        """Describe all pictures by another face model, ``config.embed.backbone``."""
        from videoclusternet.library.adding.reembed import reembed

        return reembed(self._database, config, hook)

    def export(self, path: Path | str, people_of: Sequence[str] | str = ()) -> tuple[int, int]:
        """Write people, by default all, to a zip file; return how many, and their exemplars."""
        path = Path(path)
        self._keeps(path)
        with self.reading() as db:
            chosen = _all(people_of) or [one.key for one in people.listed(db)]
            rows = dict.fromkeys(people.find(db, one) for one in chosen)
            return exchange.write(db, path, list(rows))

    def bring(self, path: Path | str | Read) -> Brought:
        """Take in what :meth:`export` wrote, also read before; people of the same key are one."""
        found = path if isinstance(path, Read) else exchange.read(Path(path))
        with self.writing() as db:
            return exchange.take_in(db, found)

    def verify(self) -> list[str]:
        """Look everything over, and return what is wrong, a line each."""
        with self.reading() as db:
            return list(problems(db))

    def rename(self, person: str, name: str) -> Row:
        """Call a person, found by name or key, by another name."""
        with self.writing() as db:
            return people.rename(db, person, name)

    def note(self, person: str, note: str) -> Row:
        """Write something down about a person."""
        with self.writing() as db:
            return people.annotate(db, person, note)

    def merge(self, person: str, *others: str) -> Row:
        """Make people one; the first keeps its key and name."""
        with self.writing() as db:
            return people.merge(db, person, others)

    def split(
        self, person: str, name: str, looks: Iterable[int] = (), exemplars: Iterable[int] = ()
    ) -> Row:
        """Make looks (from 1) or exemplars of a person somebody of their own."""
        with self.writing() as db:
            return people.split(db, person, name, looks, exemplars)

    def log(self, person: str = "") -> list[Entry]:
        """Return the decisions on record, in order; of one person by name or key."""
        with self.reading() as db:
            return record.read(db, people.find(db, person).key if person else "")

    def forget(
        self, person: str, expected: Plan | None = None, folders: Sequence[Path] = ()
    ) -> tuple[Plan, list[Left]]:
        """Forget a person, here and in the runs that it is known from.

        Parameters
        ----------
        person : str
            By name or key.
        expected : Plan, optional
            What :meth:`what_goes` said before; refused where it is otherwise by now.
        folders : sequence of Path
            Where runs are searched that the library does not list.

        Returns
        -------
        Plan, list of Left
            What went, and what is left to be done: see :meth:`resume`.
        """
        return forgetting.forget(self._database, person, expected, folders)

    def what_goes(self, person: str, folders: Sequence[Path] = ()) -> Plan:
        """Return what goes when a person is forgotten; nothing is written."""
        with self.reading() as db:
            return forgetting.planned(db, person, folders)

    def resume(self, gone: Sequence[Path] = ()) -> list[Left]:
        """Go on with forgetting whom some run still holds, and return what is left.

        Nothing is left to be done in folders that are ``gone`` for good.
        """
        return forgetting.resume(self._database, gone)

    @property
    def unfinished(self) -> int:
        """How much is left to be done of forgetting people."""
        with self.reading() as db:
            return forgetting.unfinished(db)

    @property
    def runs(self) -> list[Path]:
        """Folders of the runs that people were added from."""
        with self.reading() as db:
            return record.runs(db)


def _all(some: Any) -> Sequence[Any]:
    """Return several of something: one alone may be given, and a text is one."""
    return some if isinstance(some, Sequence) and not isinstance(some, str) else [some]


def open_library(
    path: Path | str | None = None, create: bool = False, write: bool = True, wait: float = WAIT
) -> Library:
    """Open a library of people.

    Parameters
    ----------
    path : path, optional
        Its file; by default what ``VCN_LIBRARY`` names, else ``videoclusternet/library.db`` in
        the user's data folder.
    create : bool
        Whether to make one where there is none.
    write : bool
        Whether it may be changed; several may read and one may write at a time.
    wait : float
        Seconds to wait for another writer.

    Raises
    ------
    LibraryError
        When it is missing, no library, of a newer format, or damaged.
    """
    found = connected(default_path() if path is None else Path(path), create, write, wait)
    forgetting.wipe(found)
    return Library(found)
