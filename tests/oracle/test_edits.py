"""Corrections against a slow model: lists of who has what, changed as a person would say it."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.test_edits import CHARACTER, a_run
from videoclusternet.errors import ConfigError
from videoclusternet.result.edits import Edits
from videoclusternet.result.result import Result

STEPS = 30


@dataclass
class Slow:
    """Number of the character of each track, 0 Unknown, and what is known of characters."""

    who: list[int] = field(default_factory=lambda: [number + 1 for number in CHARACTER])
    name: dict[int, str] = field(default_factory=dict)
    locked: set[int] = field(default_factory=set)
    next: int = 4

    def merge(self, first: int, *others: int) -> None:
        every = (first, *others)
        named = next((self.name[n] for n in every if self.name.get(n)), "")
        for number in every:
            self.name.pop(number, None)
        if named:
            self.name[first] = named
        self.who = [first if number in every else number for number in self.who]

    def call(self, number: int, name: str) -> None:
        same = [n for n, known in self.name.items() if name and known == name and n in self.who]
        if same and same[0] != number:
            self.merge(same[0], number)
        else:
            self.name[number] = name

    def put(self, tracks: list[int], number: int) -> None:
        for track in tracks:
            self.who[track] = number

    def fresh(self) -> int:
        self.next += 1
        return self.next - 1


def one_step(edits: Edits, slow: Slow, draw: random.Random) -> None:
    """Say one thing to both; whatever is refused changes neither."""
    there = sorted({number for number in slow.who if number})
    one, other = draw.choice(there), draw.choice(there)
    some = sorted(draw.sample(range(9), draw.randint(1, 3)))
    name = draw.choice(["Anna", "Ben", ""])
    match draw.randrange(9):
        case 0:
            edits.name(one, name)
            slow.call(one, name)
        case 1:
            edits.merge(one, other)
            slow.merge(one, other)
        case 2:
            edits.move(some, other)
            slow.put(some, other)
        case 3:
            edits.move(some, "new")
            slow.put(some, slow.fresh())
        case 4:
            edits.move(some, "unknown")
            slow.put(some, 0)
        case 5:
            edits.split(one, some)
            slow.put(some, slow.fresh())
        case 6:
            edits.not_this(one, some)
            slow.put([track for track in some if slow.who[track] == one], 0)
        case 7:
            edits.not_a_face(some)
            slow.put(some, 0)
        case _:
            if one in slow.locked:
                edits.unlock(one)
                slow.locked.discard(one)
            else:
                edits.lock(one)
                slow.locked.add(one)


def agrees(run: Result, slow: Slow) -> bool:
    names = {n + 1: person.name for n, person in run.people.items()}
    locked = {n + 1 for n, person in run.people.items() if person.locked}
    return (
        [int(number) + 1 for number in run.cast.character] == slow.who
        and names == {n: slow.name.get(n, "") for n in slow.who if n}
        and locked == {n for n in slow.locked if n in slow.who}
    )


@pytest.mark.parametrize("seed", range(12))
def test_edits_agree_with_the_slow_model_forth_and_back(tmp_path: Path, seed: int) -> None:
    run, draw = a_run(tmp_path), random.Random(seed)
    past = [Slow()]
    for _ in range(STEPS):
        slow = copy.deepcopy(past[-1])
        if not any(slow.who):
            break
        revision = run.edits.revision
        try:
            one_step(run.edits, slow, draw)
        except ConfigError:
            assert run.edits.revision == revision and agrees(run, past[-1])
            continue
        assert agrees(run, slow)
        past.append(slow)
    assert len(past) > 5 and agrees(a_run(tmp_path), past[-1])
    for slow in reversed(past[:-1]):
        run.edits.undo()
        assert agrees(run, slow)
    for slow in past[1:]:
        run.edits.redo()
        assert agrees(run, slow)
