"""The log as a whole: what holds of it, with undo and redo, over whatever clustering there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from videoclusternet.edits.base import Base
from videoclusternet.edits.carry import carried
from videoclusternet.edits.edit import FORGET, PAST, STEPS, Edit
from videoclusternet.edits.state import State
from videoclusternet.edits.verbs import apply
from videoclusternet.errors import ConfigError, VcnError

EVERY, KEPT = 256, 4
"""A state is kept after so many edits, the last few of them: taking an edit back goes on from
there."""


@dataclass
class History:
    """Bases and edits in the order of the log.

    Attributes
    ----------
    bases : dict of int to Base
        By the number of their line.
    done : list of Edit
        Edits that hold.
    undone : list of Edit
        Edits that were taken back and can be done again, the last one first.
    past : list of Edit
        What was decided before somebody was forgotten, and that it was so: on record only.
    settled : int
        How many of the edits that hold cannot be taken back: whoever was forgotten would be there
        again.
    offered : set of (int, str, str)
        Base, character and person of what libraries said, also of what was taken back.
    """

    bases: dict[int, Base] = field(default_factory=dict)
    done: list[Edit] = field(default_factory=list)
    undone: list[Edit] = field(default_factory=list)
    past: list[Edit] = field(default_factory=list)
    settled: int = 0
    offered: set[tuple[int, str, str]] = field(default_factory=set)
    _kept: dict[int, State] = field(default_factory=dict)

    def read(self, lines: Iterable[tuple[int, Base] | Edit]) -> None:
        """Take further lines of the log.

        Raises
        ------
        ConfigError
            When there is nothing to take back or to do again, or an edit has no base.
        """
        for line in lines:
            if isinstance(line, Edit):
                self._take(line)
            else:
                self.bases[line[0]] = line[1]

    def _take(self, edit: Edit) -> None:
        if edit.verb in (PAST, FORGET):
            self.past.append(edit)
            self.settled = len(self.done)
        elif edit.verb == "undo":
            self.undone.append(self.next("undo"))
            self.done.pop()
            self._kept = {n: state for n, state in self._kept.items() if n <= len(self.done)}
        elif edit.verb == "redo":
            self.done.append(self.next("redo"))
            self.undone.pop()
        elif edit.base not in self.bases:
            raise ConfigError(f"edit {edit.id} was made on no clustering", "restore the log")
        else:
            self.done.append(edit)
            self.undone.clear()
            if edit.verb == "recognise":
                self.offered.add((edit.base, edit.characters[0], edit.to))

    def next(self, step: str) -> Edit:
        """Return the edit that ``undo`` would take back, or ``redo`` do again.

        Raises
        ------
        ConfigError
            When there is none.
        """
        assert step in STEPS
        stack = self.done[self.settled :] if step == "undo" else self.undone
        if not stack:
            what = "take back" if step == "undo" else "do again"
            since = " since somebody was forgotten" if self.past else ""
            raise ConfigError(f"there is nothing to {what}{since}", "see `vcn edit RUN log`")
        return stack[-1]

    def base_of(self, base: Base) -> int:
        """Return the line of a base; 0 where the log has not described it yet."""
        last = max(self.bases, default=0)
        if not last or self.bases[last] != base:
            return 0
        self.bases[last] = base  # the same from now on, and quickly known to be
        return last

    def state(self, base: Base) -> State:
        """Return what all edits that hold make of a clustering.

        Those made on earlier ones are carried over; an edit that finds nothing to be done on
        is in :attr:`State.lost`.
        """
        state = self._replayed(base)
        return state if state.base == base else carried(state, base, self.base_of(base))

    def _replayed(self, base: Base) -> State:
        begin = max(self._kept, default=0)
        state = self._kept[begin].copied() if begin else self._first(base)
        for number in range(begin, len(self.done)):
            edit = self.done[number]
            if state.base is not self.bases[edit.base]:
                state = carried(state, self.bases[edit.base], edit.base)
            try:
                apply(state, edit)
            except VcnError as error:
                state.lost[edit.id] = error.message
            if (number + 1) % EVERY == 0 and number + KEPT * EVERY >= len(self.done):
                self._kept[number + 1] = state.copied()
        return state

    def _first(self, base: Base) -> State:
        line = self.done[0].base if self.done else self.base_of(base)
        state = State.fresh(self.bases.get(line, base))
        state.line = line
        return state
