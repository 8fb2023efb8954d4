"""Corrections of a finished run: ``run.edits.name(3, "Anna")``, and the cast with them."""

from __future__ import annotations

import gc
import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from videoclusternet.edits.base import Base, Origin
from videoclusternet.edits.decisions import Decisions
from videoclusternet.edits.edit import Edit
from videoclusternet.edits.history import History
from videoclusternet.edits.shown import shown_cast
from videoclusternet.edits.state import Person, State
from videoclusternet.edits.verbs import apply
from videoclusternet.errors import ConflictError, StoreError
from videoclusternet.result.edit_log import FORMAT, EditLog
from videoclusternet.runfolder.files import writing
from videoclusternet.runfolder.table_files import read_table, table_path, write_table
from videoclusternet.types import Cast, Merges

AUTHOR = "VCN_AUTHOR"
"""Variable of the environment that says who edits; else the user's name."""
LONG = 10_000
"""Lines of a log whose objects Python's collector is kept from."""
RECLUSTERED = "recluster"
"""Folder with the tables of each clustering that followed corrections."""


class Edits(Decisions):
    """What people decided about a run; each decision is on disk when its call returns.

    Parameters
    ----------
    folder : Path
        The run folder.
    films : sequence of Origin
        What the run is over.
    found : Cast
        As clustered.
    merges : Merges
        Likewise.

    Attributes
    ----------
    cast : Cast
        The clustering, with the edits over it.
    merges : Merges
        How the latest clustering came about.
    people : dict of int to Person
        Characters that there are, by their number less 1, as ``cast.character`` has it.
    """

    def __init__(self, folder: Path, films: Sequence[Origin], found: Cast, merges: Merges) -> None:
        self.folder = folder
        self.author = os.environ.get(AUTHOR, "")
        self._films, self._clustering = films, (found, merges)
        self._log = EditLog(folder)
        self._history = History()
        self.cast, self.merges = found, merges
        numbers = sorted({*found.character.tolist()} - {-1})
        self.people = {n: Person(str(n + 1), n + 1) for n in numbers}
        self._made: tuple[Base, State] | None = None
        was = gc.isenabled()
        gc.disable()  # the many objects of a long log hold no circles to look for
        try:
            self.refresh()
        finally:
            if self.revision > LONG:
                gc.freeze()  # a first look at them would take as long as reading them
            if was:
                gc.enable()

    def refresh(self) -> list[Edit]:
        """Read what others decided since, and return it.

        Raises
        ------
        StoreError
            When the log is damaged.
        """
        news = self._log.news()
        if news:
            self._history.read(news)
            self._history.base_of(self.base)
            self._show(self._history.state(self.base))
        return [line for line in news if isinstance(line, Edit)]

    @property
    def base(self) -> Base:
        """The clustering that decisions are about."""
        return self._base()[0]

    @property
    def revision(self) -> int:
        """Number of lines of the log: it grows with every decision."""
        return self._log.lines

    @property
    def torn(self) -> bool:
        """Whether the last line of the log breaks off: it was never acknowledged."""
        return self._log.torn

    @property
    def state(self) -> State:
        """Who is who, and what was said; not to be changed."""
        return self._base()[1]

    @property
    def done(self) -> list[Edit]:
        """Decisions that hold, in order."""
        return list(self._history.done)

    @property
    def can_undo(self) -> list[Edit]:
        """Those of them that can be taken back, the next one last."""
        return self._history.done[self._history.settled :]

    @property
    def undone(self) -> list[Edit]:
        """Decisions that were taken back and can be done again, the next one last."""
        return list(self._history.undone)

    @property
    def past(self) -> list[Edit]:
        """What was decided before somebody was forgotten, and that it was so, in order."""
        return list(self._history.past)

    @property
    def unplaced(self) -> dict[int, str]:
        """Edits that find nothing to be done on in this clustering, and why."""
        holds = {edit.id for edit in self._history.done}
        return {edit: why for edit, why in self.state.lost.items() if edit in holds}

    def was_offered(self, character: str, person: str) -> bool:
        """Whether a library said before that a character shows a person; both are keys."""
        return (self._history.base_of(self.base), character, person) in self._history.offered

    def undo(self) -> Edit:
        """Take the last decision back, and return it."""
        return self._step("undo")

    def redo(self) -> Edit:
        """Do again what was taken back last, and return it."""
        return self._step("redo")

    def _step(self, step: str) -> Edit:
        with self._held():
            edit = self._history.next(step)
            self._write(Edit(step, of=edit.id), None)
        return edit

    def regroup(self, placed: tuple[str, ...], cast: Cast, merges: Merges) -> Edit:
        """Take over a clustering that followed what people said.

        Parameters
        ----------
        placed : tuple of str
            Key of the character of each track; see :class:`Edit`.
        cast : Cast
            As found.
        merges : Merges
        """
        edit = Edit("recluster", placed=placed, text=cast.digest)
        with self._held():
            state = self.tried(edit)
            folder = self.folder / RECLUSTERED / str(self._next)
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)
            for table in (cast, merges):
                write_table(table_path(folder, type(table)), table)
            return self._write(edit, state)

    def tried(self, edit: Edit) -> State:
        """Return what a decision would make of the state.

        Raises
        ------
        ConfigError
            When it cannot be done.
        """
        state = self.state.copied()
        apply(state, edit.signed(self._next, "", "", 0))
        return state

    @property
    def _next(self) -> int:
        """Number of the line of the next edit: a new base is described first."""
        return self.revision + 1 + (not self._history.base_of(self.base))

    def say(self, edit: Edit) -> Edit:
        """Try a decision, write it down, and show what it makes of the cast.

        Raises
        ------
        ConfigError
            When it cannot be done.
        ConflictError
            When somebody else has edited the run meanwhile.
        StoreError
            When it cannot be written.
        """
        with self._held():
            return self._write(edit, self.tried(edit))

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the log, which nobody may have written to since it was read."""
        with self._log.locked():
            before = self.revision
            others = self.refresh()
            if self.revision != before:
                said = ", ".join(f"{edit.verb} by {edit.author}" for edit in others)
                raise ConflictError(
                    f"somebody else has edited {self.folder} meanwhile: {said}",
                    "look at it again, then decide",
                )
            yield

    def _write(self, edit: Edit, state: State | None) -> Edit:
        base = self.base
        line = self._history.base_of(base)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        records = []
        if not line and edit.verb not in ("undo", "redo"):
            line = self.revision + 1
            head = {"id": line, "format": FORMAT, "time": now, "verb": "base"}
            records.append({**head, **base.record()})
        author = self.author or user_name()
        signed = edit.signed(self.revision + len(records) + 1, now, author, line)
        self._log.append([*records, signed.record()])
        self._history.read([*([(line, base)] if records else []), signed])
        if state is None:
            state = self._history.state(base)
        state.line = line or state.line
        self._show(state)
        return signed

    def _base(self) -> tuple[Base, State]:
        if self._made is None:
            base = Base.of(self._films, self._clustering[0].character)
            self._made = base, State.fresh(base)
        return self._made

    def _show(self, state: State) -> None:
        self._made = self.base, state
        found, self.merges = self._latest()
        self.cast = shown_cast(state, found)
        self.people = {state.people[row].number - 1: state.people[row] for row in state.living()}

    def _latest(self) -> tuple[Cast, Merges]:
        """Return the clustering that holds: of this base, and after the last recluster."""
        base = self._history.base_of(self.base)
        last = next((e for e in reversed(self._history.done) if e.verb == "recluster"), None)
        if last is None or last.base != base:
            return self._clustering
        folder = self.folder / RECLUSTERED / str(last.id)
        cast = read_table(table_path(folder, Cast), Cast)
        merges = read_table(table_path(folder, Merges), Merges)
        if cast.digest != last.text:
            raise StoreError(
                f"{folder} is not what was written", "restore it, or `vcn recluster` again"
            )
        return cast, merges


def user_name() -> str:
    """Return the name of who is logged in; empty where the system knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may know no user
        return ""
