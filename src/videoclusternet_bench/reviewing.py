"""How many clicks a review takes: a simulated person answers the questions of the queue.

The person answers by the labels, and knows whom a wrong track shows.  Four orders of the same
questions are compared: the queue's, a sheet at a time; character by character (the largest first,
their tracks in the order of the film, several at once or one by one); and at random.  A click
says that all that is shown is as it is, and one more each what is not: a track or a group that does
not belong, two that are one; to name whom a track shows instead is not counted.  Labels decide
answers alone.  Unknown tracks and what may be no face are not asked about: neither is an error.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from videoclusternet.errors import ContradictionError
from videoclusternet.result.result import Result, open_run
from videoclusternet.review.queue import LEAST, TOGETHER, Question, questions, sheets
from videoclusternet.review.recluster import propose
from videoclusternet.review.situation import Nearness, situation
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.metrics.scores import score

Order = Literal["queue", "size", "one by one", "random"]
ORDERS: tuple[Order, ...] = ("queue", "size", "one by one", "random")
_Key = tuple[object, ...]
FEW = 10
"""Corrections after which the characters are found anew."""


@dataclass(frozen=True)
class Clicks:
    """One review.

    Attributes
    ----------
    errors : int
        Tracks in somebody else's character and further characters of a person, at the start.
    half, all : int
        Clicks until half of them are gone, and all; those that were made at all where some
        are ``left``.
    left : int
        Errors that no question is about.
    """

    errors: int
    half: int
    all: int
    left: int


@dataclass(frozen=True)
class Corrected:
    """B-cubed F with each Unknown track as an error: as found, corrected, and found anew."""

    found: float
    corrected: float
    reclustered: float


class Reviewer:
    """Knows who is on screen, and answers.

    Parameters
    ----------
    home : Path
        Where a copy of the run may lie.
    run : Path
        Run folder; what was edited there is left out.
    truth : path or sequence of paths
        As for ``vcn score``.
    """

    def __init__(self, home: Path, run: Path, truth: Path | Sequence[Path]) -> None:
        self._run = home / "run"
        shutil.copytree(run, self._run, ignore=lambda _, names: {n for n in names if "edits" in n})
        self.result = open_run(self._run)
        self.label = read_truth(truth, self.result).label
        self.near = Nearness.of(self.result)

    def fresh(self) -> Result:
        """Forget all answers."""
        (self._run / "edits.jsonl").unlink(missing_ok=True)
        self.result = open_run(self._run)
        return self.result

    def people(self) -> dict[int, str]:
        """Return the person that most labelled tracks of each character show."""
        found = {}
        for number in self.result.people:
            tracks = np.flatnonzero(self.result.cast.character == number)
            count = Counter(self.label[t] for t in tracks if self.label[t] is not None)
            if count:
                found[number] = str(count.most_common(1)[0][0])
        return found

    def errors(self) -> int:
        """Count tracks in somebody else's character, and further characters of a person."""
        people, character = self.people(), self.result.cast.character
        wrong = sum(
            self.label[t] is not None and c in people and self.label[t] != people[c]
            for t, c in enumerate(character.tolist())
        )
        return wrong + len(people) - len(set(people.values()))

    def answer(self, sheet: Sequence[Question]) -> int:
        """Answer by the labels what is on a sheet; tracks that do not belong are put where they do.

        Returns
        -------
        int
            Clicks: one, and one more for each thing that is not as it was shown.
        """
        people = self.people()
        clicks = 1
        for question in sorted(sheet, key=lambda one: one.kind == "same"):  # as the page does
            try:
                clicks += self._answer(question, people)
            except ContradictionError:  # to an earlier answer, of a character that was mixed
                clicks += 1  # two were clicked, and could not be made one
        return clicks

    def _answer(self, question: Question, people: dict[int, str]) -> int:
        edits = self.result.edits
        if question.kind == "same":
            one, other = (people.get(number - 1) for number in question.characters)
            if one is not None and one == other:
                edits.merge(*question.characters)
                return 1
            if None not in (one, other):
                edits.apart(*question.characters)
            return 0
        wrong, right = self.told(question, people)
        whose = {self.label[track] for track in wrong}
        group = question.no is not None and question.no.verb == "split"
        if group and len(whose) == 1 and set(question.shown) == set(wrong):
            edits.split(question.characters[0], list(question.tracks))
            return 1
        for track in wrong:
            edits.move(track, self._home_of(str(self.label[track])))
        if right:
            edits.confirm(right)
        return len(wrong)

    def told(self, question: Question, people: dict[int, str]) -> tuple[list[int], list[int]]:
        """Return the tracks of a question that do not belong to its character, and that do."""
        number = question.characters[0] - 1
        person, character = people.get(number), self.result.cast.character
        known = [
            track
            for track in question.shown
            if self.label[track] is not None and person is not None and character[track] == number
        ]
        wrong = [track for track in known if self.label[track] != person]
        return wrong, [track for track in known if self.label[track] == person]

    def _home_of(self, person: str) -> int | str:
        """Return the number of a person's largest character, or ``new``."""
        size = np.bincount(self.result.cast.character[self.result.cast.character >= 0])
        homes = [number for number, who in self.people().items() if who == person]
        return max(homes, key=lambda number: (int(size[number]), -number)) + 1 if homes else "new"


def review(reviewer: Reviewer, order: Order, seed: int = 0) -> Clicks:
    """Answer questions until no error is left, or none is asked about."""
    result, rng = reviewer.fresh(), np.random.default_rng(seed)
    start = left = reviewer.errors()
    asked: set[_Key] = set()
    half = clicks = 0
    while left:
        every = _open(result, reviewer.near, asked, groups=order == "queue")
        if not every:
            break
        sheet = _next(every, order, result, rng)
        asked |= {key for question in sheet for key in _keys(question)}
        clicks += reviewer.answer(sheet)
        left = reviewer.errors()
        half = half or (clicks if left <= start / 2 else 0)
    return Clicks(start, half, clicks, left)


def corrected(reviewer: Reviewer) -> Corrected:
    """Correct ten errors as the queue comes to them, then find the characters anew.

    A track that does not belong is only denied: finding its place is what is measured.
    """
    result = reviewer.fresh()
    found, fixed = _score(reviewer), 0
    asked: set[_Key] = set()
    while fixed < FEW and (every := _open(result, reviewer.near, asked)):
        for question in sheets(every)[0]:
            asked |= _keys(question)
            fixed += _correct(reviewer, question, FEW - fixed)
    now, proposal = _score(reviewer), propose(result)
    if proposal.difference:
        result.edits.regroup(proposal.placed, proposal.cast, proposal.merges)
    return Corrected(found, now, _score(reviewer))


def _correct(reviewer: Reviewer, question: Question, most: int) -> int:
    """Correct what a question is about, if it is wrong; return how much was."""
    people, edits = reviewer.people(), reviewer.result.edits
    try:
        if question.kind == "same":
            one, other = (people.get(number - 1) for number in question.characters)
            if most == 0 or one is None or one != other:
                return 0
            edits.merge(*question.characters)
            return 1
        wrong = reviewer.told(question, people)[0][:most]
        if wrong:
            edits.not_this(question.characters[0], wrong)
    except ContradictionError:
        return 0
    return len(wrong)


def _open(result: Result, near: Nearness, asked: set[_Key], groups: bool = True) -> list[Question]:
    """Return what is asked of characters: that some are one, and which tracks do not belong."""
    now = situation(result, near)
    settled = now.settled | np.array([("belongs", t) in asked for t in range(len(now.settled))])
    kept = [replace(g, tracks=tuple(t for t in g.tracks if not settled[t])) for g in now.groups]
    some = tuple(group for group in kept if len(group.tracks) > 1) if groups else ()
    return [
        question
        for question in questions(replace(now, settled=settled, groups=some))
        if question.kind == "belongs" or (question.kind == "same" and not _keys(question) <= asked)
    ]


def _keys(question: Question) -> set[_Key]:
    if question.kind == "same":
        return {("same", *sorted(question.characters))}
    return {("belongs", track) for track in question.shown}


def _next(
    every: list[Question], order: Order, result: Result, rng: np.random.Generator
) -> list[Question]:
    """Return what is asked about at once."""
    if order == "queue":
        return sheets(every)[0]
    every = _by_character(every, order, rng)
    if order == "random":
        return [every[int(rng.integers(len(every)))]]
    size: dict[int, int] = defaultdict(int, Counter(result.cast.character.tolist()))

    def place(question: Question) -> tuple[bool, int, int, bool, tuple[int, ...]]:
        # Two are compared when the smaller one's turn comes, after its tracks; two who are
        # hardly one when all else has been asked.
        number, same = question.characters[-1] - 1, question.kind == "same"
        hardly = same and question.gain / size[number] < LEAST
        return hardly, -size[number], number, same, question.tracks

    return [min(every, key=place)]


def _by_character(every: list[Question], order: Order, rng: np.random.Generator) -> list[Question]:
    """Ask about the tracks of a character together: in the order of the film, or at random."""
    belongs: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for question in every:
        if question.kind == "belongs":
            belongs[question.characters] += question.tracks
    found = [question for question in every if question.kind == "same"]
    for who, tracks in belongs.items():
        tracks = rng.permutation(tracks).tolist() if order == "random" else sorted(tracks)
        most = 1 if order == "one by one" else TOGETHER
        for begin in range(0, len(tracks), most):
            some = tuple(tracks[begin : begin + most])
            found.append(Question("belongs", who, some, 0.0, None, None))
    return found


def _score(reviewer: Reviewer) -> float:
    """B-cubed F of the labelled tracks, each Unknown one alone."""
    known = np.array([label is not None for label in reviewer.label])
    character = reviewer.result.cast.character.astype(np.int64)
    alone = len(character) + np.arange(len(character))
    found = np.where(character >= 0, character, alone)[known]
    return score([label for label in reviewer.label if label is not None], found).bcubed_f


def over_runs(
    runs: Sequence[tuple[Path, Path | Sequence[Path]]],
    seeds: int,
    progress: Callable[[int, int], None],
) -> list[tuple[Path, dict[Order, Clicks], Corrected]]:
    """Review some runs in all orders, the random one once for each seed (the mean)."""
    found = []
    for number, (run, truth) in enumerate(runs):
        with tempfile.TemporaryDirectory(prefix="vcn-review-") as home:
            reviewer = Reviewer(Path(home), run, truth)
            drawn = [review(reviewer, "random", seed) for seed in range(seeds)]
            by: dict[Order, Clicks] = {
                "queue": review(reviewer, "queue"),
                "size": review(reviewer, "size"),
                "one by one": review(reviewer, "one by one"),
                "random": _mean(drawn),
            }
            found.append((run, by, corrected(reviewer)))
        progress(number + 1, len(runs))
    return found


def _mean(drawn: list[Clicks]) -> Clicks:
    half, every, left = (
        round(float(np.mean([getattr(one, name) for one in drawn])))
        for name in ("half", "all", "left")
    )
    return Clicks(drawn[0].errors, half, every, left)
