"""A simulated person answers a sheet of questions as people do on the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.shaky import clustered
from videoclusternet.review.queue import Answer, Question
from videoclusternet_bench import reviewing
from videoclusternet_bench.data.truth import Labels
from videoclusternet_bench.reviewing import Reviewer


@pytest.fixture
def reviewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reviewer:
    """Of three characters two are one person, but for a track of the second, of somebody else."""
    run = clustered(tmp_path)
    first, second, third = (np.flatnonzero(run.cast.character == n).tolist() for n in range(3))
    who = {**dict.fromkeys([*first, *second], "Anna"), **dict.fromkeys(third, "Bea")}
    who[second[0]] = "Bea"
    labels = Labels(tuple(who[track] for track in range(len(who))), ())
    monkeypatch.setattr(reviewing, "read_truth", lambda truth, result: labels)
    return Reviewer(tmp_path / "home", run.folder, tmp_path)


def sheet(track: int) -> list[Question]:
    pair, no = (1, 2), Answer("not", (2,), (track,))
    return [
        Question("same", pair, (), 1.0, Answer("merge", pair), Answer("apart", pair)),
        Question("belongs", (2,), (track,), 1.0, Answer("confirm", (), (track,)), no),
    ]


def test_tracks_are_put_right_before_their_character_is_another(reviewer: Reviewer) -> None:
    track = int(np.flatnonzero(reviewer.result.cast.character == 1)[0])
    assert reviewer.errors() == 2
    assert reviewer.answer(sheet(track)) == 3
    assert reviewer.errors() == 0
    assert sorted(reviewer.people().values()) == ["Anna", "Bea"]


def test_what_is_refused_was_clicked_as_well(reviewer: Reviewer) -> None:
    reviewer.result.edits.apart(1, 2)
    assert reviewer.answer(sheet(0)[:1]) == 2
    assert reviewer.errors() == 2
