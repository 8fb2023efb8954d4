"""Long steps in parts, stopped anywhere and worked on in any order: always the same in the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tables
from videoclusternet.config import Config
from videoclusternet.engine.in_parts import even_parts, in_parts, part_length, split
from videoclusternet.engine.work import Work
from videoclusternet.errors import StoreError
from videoclusternet.events import silent
from videoclusternet.runfolder.folder import FolderParts, Store
from videoclusternet.runfolder.steps import Run, Step
from videoclusternet.types import FrameScores, Table

STEADY = settings(derandomize=True, deadline=None, max_examples=40)


class Stopped(Exception):
    """What stops a run in the middle."""


class AnyOrder:
    """An engine whose items say their lines and end in an order that is drawn.

    Parameters
    ----------
    seed : int
    most : int, optional
        Items after which it is stopped.
    """

    def __init__(self, seed: int, most: int = 10**6) -> None:
        self._rng = np.random.default_rng(seed)
        self._most = most

    def map(
        self,
        make: Callable[[Any, Any], Any],
        items: Sequence[Any],
        tell: Callable[[Any, Any], None],
        patient: bool = False,
    ) -> Iterator[tuple[Any, Any]]:
        lines: dict[int, list[Any]] = {}
        made = {}
        for i, item in enumerate(items):
            made[i] = make(item, lines.setdefault(i, []).append)
        ended = 0
        while made:
            i = int(self._rng.choice(list(made)))
            if lines[i]:
                tell(items[i], lines[i].pop(0))
                continue
            if ended == self._most:
                raise Stopped
            ended += 1
            yield items[i], made.pop(i)

    def close(self) -> None:
        """Nothing is held."""


def look(span: range, tell: Callable[[Any], None]) -> tuple[FrameScores]:
    """Look at some frames; every third one is damaged, which is said."""
    for done, frame in enumerate(span, 1):
        if frame % 3 == 0:
            tell(f"{frame} is damaged")
        tell(done)
    return (tables.scores(list(span)),)


class Heard:
    """Keeps what is told; progress must never go back."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.done = [0]

    def progress(self, done: int, total: int) -> None:
        assert self.done[-1] <= done <= total
        self.done.append(done)


@STEADY
@given(st.integers(0, 30), st.integers(1, 9), st.integers(0, 10**6))
def test_whatever_the_order_results_and_notes_are_the_same(
    frames: int, part: int, seed: int
) -> None:
    heard = Heard()
    work = Work(heard.progress, heard.notes.append, engine=AnyOrder(seed))
    made = in_parts(split(frames, part), look, (FrameScores,), work)
    assert np.concatenate([t.change[:, 0] for (t,) in made]).tolist() == list(range(frames))
    assert heard.notes == [f"{n} is damaged" for n in range(0, frames, 3)]
    assert heard.done[-1] == frames


@STEADY
@given(st.integers(1, 30), st.integers(1, 9), st.integers(0, 10**6), st.lists(st.integers(0, 3)))
def test_stopped_again_and_again_no_kept_part_is_made_twice(
    frames: int, part: int, seed: int, stops: list[int]
) -> None:
    finished: list[range] = []

    def once(span: range, tell: Callable[[Any], None]) -> tuple[FrameScores]:
        assert not (Path(home) / f"{span.start:08d}-{span.stop:08d}").exists()
        finished.append(span)
        return look(span, tell)

    with TemporaryDirectory() as home:
        for count in [*stops, None]:
            heard = Heard()
            engine = AnyOrder(seed) if count is None else AnyOrder(seed, count)
            work = Work(heard.progress, heard.notes.append, FolderParts(Path(home)), engine)
            try:
                made = in_parts(split(frames, part), once, (FrameScores,), work)
            except Stopped:
                continue
            break
    assert np.concatenate([t.change[:, 0] for (t,) in made]).tolist() == list(range(frames))
    # All that is said of a film is in the last record, whoever found it.
    assert heard.notes == [f"{n} is damaged" for n in range(0, frames, 3)]
    assert set(finished) == set(split(frames, part))


@STEADY
@given(st.integers(0, 200), st.integers(1, 60))
def test_a_split_is_a_partition_into_equal_parts(length: int, part: int) -> None:
    ranges = split(length, part)
    assert [n for span in ranges for n in span] == list(range(length))
    assert {len(span) for span in ranges[:-1]} <= {part} and len(ranges[-1]) <= part
    assert len(ranges) == max(1, -(-length // part))


def test_sizes_are_the_units_that_are_told() -> None:
    def boast(span: range, tell: Callable[[Any], None]) -> tuple[FrameScores]:
        tell(3)
        tell(7)
        return (tables.scores([0] * len(span)),)

    told: list[tuple[int, int]] = []
    work = Work(lambda done, total: told.append((done, total)))
    in_parts(split(4, 2), boast, (FrameScores,), work, sizes=(5, 9))
    # What is said beyond the size of a part does not count before it is kept.
    assert told == [(n, 14) for n in (3, 5, 8, 12, 14)]


class Disc:
    """Counts how often a file takes its name, and lets one of these times fail."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count, self.fails_at = 0, 0
        self._replace = os.replace
        patch.setattr(os, "replace", self.replace)

    def replace(self, *paths: Any) -> None:
        self.count += 1
        if self.count == self.fails_at:
            raise OSError(28, "No space left on device")
        self._replace(*paths)


def long_step(version: int, work: Work) -> FrameScores:
    """Look at frames part by part, and write a file beside."""
    parts = in_parts(split(8, 3), look, (FrameScores,), work)
    assert work.file is not None
    work.file.write_text(f"version {version}")
    scores = FrameScores.concatenate([part for (part,) in parts])
    return tables.scores((scores.change[:, 0] * version).tolist())


LONG = Step("scan", long_step, (FrameScores,), unit="frames", file="pictures.zip")


def finish(folder: Path, version: int) -> Table:
    with Run.open(folder, Config(), silent) as run:
        run.describe()
        return run.do(LONG, version)


def content(folder: Path) -> dict[str, Any]:
    """What a folder holds: the record without seconds, the bytes of all other files."""
    record = Store(folder).manifest
    record["steps"]["scan"].pop("seconds")
    files = {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name not in ("run.json", "lock")
    }
    return {"record": record, **files}


def test_a_disc_that_fails_at_any_time_leaves_a_run_to_go_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    want = []
    for version in (1, 2):
        finish(tmp_path / "whole", version)
        want.append(content(tmp_path / "whole"))
    prints = [one["record"]["steps"]["scan"]["fingerprint"] for one in want]
    disc = Disc(monkeypatch)
    finish(tmp_path / "counted", 1)
    first = disc.count
    finish(tmp_path / "counted", 2)
    assert disc.count > first > 6
    for fails_at in range(1, disc.count - first + 1):
        folder = tmp_path / f"run-{fails_at}"
        finish(folder, 1)
        # Fails while it is made anew over an earlier result.
        disc.count, disc.fails_at = 0, fails_at
        with pytest.raises(StoreError, match=r"cannot write .*No space left on device"):
            finish(folder, 2)
        disc.fails_at = 0
        held = Store(folder).fingerprint("scan")
        if held is not None:  # then all of it is there, and of one version
            version = prints.index(held) + 1
            assert (folder / "pictures.zip").read_text() == f"version {version}"
            assert Store(folder).load("scan", (FrameScores,))[0].change[1, 0] == version
        finish(folder, 2)
        assert content(folder) == want[1], f"operation {fails_at}"


@pytest.mark.parametrize(
    ("frames", "stride", "lengths"),
    [
        (0, 3, [0]),
        (100, 3, [100]),
        (101, 1, [51, 50]),
        (201, 3, [51, 51, 51, 48]),
        (300, 5, [75, 75, 75, 75]),
    ],
)
def test_parts_of_a_scan_are_equal_and_even(frames: int, stride: int, lengths: list[int]) -> None:
    assert [len(part) for part in even_parts(frames, 100, stride)] == lengths


@pytest.mark.parametrize("stride", [1, 3, 5])
def test_no_part_of_a_scan_is_longer_than_asked_for(stride: int) -> None:
    for frames in range(1, 3000, 7):
        assert part_length(frames, 100, stride) < 100 + stride
