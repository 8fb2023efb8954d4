"""Corrections: what each verb does, undo and redo, the log, conflicts, other clusterings."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tables
from videoclusternet.edits.base import Base
from videoclusternet.edits.edit import VERBS, Edit
from videoclusternet.edits.words import command
from videoclusternet.errors import ConfigError, ConflictError, ContradictionError, StoreError
from videoclusternet.result.edits import Edits
from videoclusternet.result.result import Result, open_run
from videoclusternet.show.hints import hints
from videoclusternet.types import Reason

SPANS = [(shot, 20 * shot, 20 * shot + 11) for shot in range(9)]
CHARACTER = [0, 0, 0, 1, 1, 1, 2, 2, -1]


def a_run(folder: Path, character: list[int] | None = None, size: float = 50) -> Result:
    """Nine tracks in nine shots, three characters and one Unknown; a place for each track."""
    seen = [
        (frame, 10 * i, 5, 10 * i + size, 5 + size)
        for i, (_, first, _) in enumerate(SPANS)
        for frame in range(first, first + 12)
    ]
    tracks = tables.tracks(SPANS, [range(12 * i, 12 * i + 12) for i in range(len(SPANS))])
    faces = tables.faces(seen)
    film = tables.film(tracks, with_faces=faces, folder=folder, content="ab" * 32)
    return tables.result([film], tracks, tables.cast(character or CHARACTER))


@pytest.fixture
def run(tmp_path: Path) -> Result:
    return a_run(tmp_path)


def who(result: Result) -> list[int]:
    return [int(c) for c in result.cast.character]


def lines(result: Result) -> list[dict[str, Any]]:
    text = (result.folder / "edits.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_without_edits_the_cast_is_the_clustering_and_nothing_is_written(run: Result) -> None:
    assert run.cast is run.clustering
    assert [run.called(n) for n in sorted(run.people)] == [f"Character {n}" for n in (1, 2, 3)]
    assert run.called(-1) == "Unknown"
    assert list(run.folder.iterdir()) == []


def test_a_name_changes_no_number(run: Result) -> None:
    run.edits.name(3, "  Anna\tLee ")
    assert who(run) == CHARACTER and run.called(2) == "Anna Lee"
    run.edits.name("Anna Lee", "")
    assert run.called(2) == "Character 3"


def test_a_character_is_its_number_its_name_or_what_it_is_shown_as(run: Result) -> None:
    run.edits.name("Character 3", "Anna")
    run.edits.note("Anna", "tall")
    run.edits.note(" 3 ", "taller")
    assert run.people[2].note == "taller" and run.people[2].label == "Anna"


def test_tracks_are_numbers_of_any_kind(run: Result) -> None:
    run.edits.move(np.int64(3), to=1)
    run.edits.move(np.flatnonzero(np.array(CHARACTER) == 2), to="New")
    run.edits.move((int(n) for n in (0, 1)), to="Unknown")
    assert who(run) == [-1, -1, 0, 0, 1, 1, 3, 3, -1]


def test_a_shared_name_makes_two_one(run: Result) -> None:
    run.edits.name(1, "Anna")
    run.edits.name(3, "Anna")
    assert who(run) == [0, 0, 0, 1, 1, 1, 0, 0, -1]
    assert sorted(run.people) == [0, 1] and run.cast.characters == 2


def test_merge_keeps_the_first_number_and_the_first_name(run: Result) -> None:
    run.edits.name(1, "Ben")
    run.edits.note(1, "tall")
    run.edits.merge(3, 1, 2)
    assert who(run) == [2] * 8 + [-1] and run.called(2) == "Ben"
    assert run.people[2].note == "tall"


def test_move_to_a_character_a_new_one_and_unknown(run: Result) -> None:
    run.edits.move([3, 4], 1)
    run.edits.move(8, "new")
    run.edits.move(0, "unknown")
    assert who(run) == [-1, 0, 0, 0, 0, 1, 2, 2, 3]
    assert run.cast.reason[0] == Reason.SET_ASIDE and run.cast.reason[8] == Reason.OK
    assert run.cast.confidence[[3, 4, 8]].tolist() == [1, 1, 1]
    assert run.cast.confidence[1] == run.clustering.confidence[1]


def test_numbers_are_never_used_again(run: Result) -> None:
    run.edits.move(8, "new")
    run.edits.move(8, "unknown")
    run.edits.move(7, "new")
    assert who(run)[7] == 4


def test_split_not_and_not_a_face(run: Result) -> None:
    run.edits.split(1, [1, 2])
    run.edits.not_this(2, 3)
    run.edits.not_a_face([7])
    assert who(run) == [0, 3, 3, -1, 1, 1, 2, -1, -1]
    reasons = [Reason(int(r)) for r in run.cast.reason[[3, 7]]]
    assert reasons == [Reason.UNPLACED, Reason.NOT_A_FACE]


def test_hide_cover_and_note_change_no_track(run: Result) -> None:
    run.edits.hide(1, 2)
    run.edits.unhide(2)
    run.edits.cover(1, 2, frame=45)
    person = run.people[0]
    assert who(run) == CHARACTER and person.hidden and not run.people[1].hidden
    assert person.frame == 45 and person.cover == run.edits.state.base.places[2][0]


def test_what_is_locked_neither_loses_nor_takes(run: Result) -> None:
    run.edits.lock(1)
    for change in (
        lambda: run.edits.move(0, 2),
        lambda: run.edits.move(3, 1),
        lambda: run.edits.split(1, 0),
        lambda: run.edits.not_this(1, 0),
        lambda: run.edits.not_a_face(0),
        lambda: run.edits.merge(1, 2),
        lambda: run.edits.merge(2, 1),
    ):
        with pytest.raises(ConfigError, match="Character 1 is locked"):
            change()
    assert who(run) == CHARACTER and run.edits.revision == 2
    run.edits.unlock(1)
    run.edits.move(0, 2)
    assert who(run)[0] == 1


def test_what_was_denied_cannot_be_made_one(run: Result) -> None:
    run.edits.split(1, 2)
    run.edits.apart(2, 3)
    with pytest.raises(ContradictionError, match=r"track 2 was said not to show Character 1 \(e"):
        run.edits.merge(4, 1)
    with pytest.raises(ContradictionError, match="Character 3 and Character 2 were said to be two"):
        run.edits.merge(3, 2)
    run.edits.move(2, 1)  # of the track itself the last word holds
    assert who(run) == CHARACTER
    run.edits.merge(1, 3)
    with pytest.raises(ContradictionError, match="two people"):
        run.edits.name(2, "Ben") and run.edits.name(1, "Ben")


def test_who_was_moved_may_turn_out_to_be_the_same(run: Result) -> None:
    run.edits.move(3, 1)
    run.edits.merge(1, 2)
    assert who(run) == [0, 0, 0, 0, 0, 0, 2, 2, -1]


def test_undo_and_redo_without_limit(run: Result) -> None:
    seen = [who(run)]
    for change in (
        lambda: run.edits.merge(1, 2),
        lambda: run.edits.move(0, "new"),
        lambda: run.edits.not_a_face(6),
        lambda: run.edits.name(1, "Anna"),
    ):
        change()
        seen.append([*who(run), run.called(0)])
    for expected in reversed(seen[1:-1]):
        run.edits.undo()
        assert [*who(run), run.called(0)] == expected
    run.edits.undo()
    assert who(run) == seen[0]
    with pytest.raises(ConfigError, match="nothing to take back"):
        run.edits.undo()
    for expected in seen[1:]:
        run.edits.redo()
        assert [*who(run), run.called(0)] == expected
    with pytest.raises(ConfigError, match="nothing to do again"):
        run.edits.redo()
    run.edits.undo()
    run.edits.hide(1)
    with pytest.raises(ConfigError, match="nothing to do again"):
        run.edits.redo()
    assert [line["verb"] for line in lines(run)][-3:] == ["redo", "undo", "hide"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda e: e.name(9, "x"), "no character '9'"),
        (lambda e: e.name("Annna", "x"), "did you mean Anna"),
        (lambda e: e.name("", "x"), "no character ''"),  # though nobody else has a name
        (lambda e: e.name(2, "12"), "taken for a number"),
        (lambda e: e.name(2, "Unknown"), "for nobody"),
        (lambda e: e.name(2, "x" * 2001), "2001 letters"),
        (lambda e: e.name(2, "\udc80"), "is no text"),
        (lambda e: e.merge(1), "two different characters"),
        (lambda e: e.merge(1, 1), "two different characters"),
        (lambda e: e.move([], 1), "needs a track"),
        (lambda e: e.move(9, 1), "numbered from 0 to 8"),
        (lambda e: e.move(-1, 1), "there is no track -1"),
        (lambda e: e.split(1, [0, 1, 2]), "all tracks of Anna"),
        (lambda e: e.split(1, 3), "track 3 is not in Anna"),
        (lambda e: e.confirm(8), "track 8 is Unknown"),
        (lambda e: e.cover(1, 3), "track 3 is not in Anna"),
        (lambda e: e.cover(1, 0, frame=10**30), "there is no frame"),
        (lambda e: e.cover(1, 0, frame=-5), "there is no frame '-5'"),
        (lambda e: e.move("0", 1), "'0' is no number of a track"),
        (lambda e: e.move([True], 1), "'True' is no number"),
        (lambda e: e.move([1.0], 1), "'1.0' is no number"),
        (lambda e: e.name(2, None), "'None' is no text"),
        (lambda e: e.name(2, "character 7"), "taken for a number"),
        (lambda e: e.unhide(1), "Anna is not hidden"),
    ],
)
def test_what_cannot_be_done_is_refused_and_writes_nothing(
    run: Result, change: Callable[[Edits], Edit], says: str
) -> None:
    run.edits.name(1, "Anna")
    before = (run.folder / "edits.jsonl").read_bytes()
    with pytest.raises(ConfigError, match=says):
        change(run.edits)
    assert (run.folder / "edits.jsonl").read_bytes() == before
    assert who(run) == CHARACTER


def test_a_log_reads_back_as_it_was_written(run: Result) -> None:
    draw = random.Random(1)
    for _ in range(90):
        _anything(run.edits, draw)
    again = a_run(run.folder)
    assert who(again) == who(run) and again.people == run.people
    assert again.edits.revision == run.edits.revision == len(lines(run))
    assert np.array_equal(again.cast.reason, run.cast.reason)
    assert [c.tracks for c in again.edits.state.claims()] == [
        c.tracks for c in run.edits.state.claims()
    ]
    assert {line["verb"] for line in lines(run)} > {
        "base",
        "merge",
        "move",
        "split",
        "undo",
        "redo",
    }


def _anything(edits: Edits, draw: random.Random) -> None:
    """Say something at random; what cannot be done is not."""
    numbers = [person.number for person in edits.people.values()]
    one, other = (draw.choice(numbers) for _ in range(2))
    some = draw.sample(range(9), draw.randint(1, 2))
    verb = draw.choice(
        [
            lambda: edits.name(one, draw.choice(["Anna", "Ben", "Zoë 💫", ""])),
            lambda: edits.merge(one, other),
            lambda: edits.move(some, draw.choice([one, "new", "unknown"])),
            lambda: edits.split(one, some),
            lambda: edits.not_this(one, some),
            lambda: edits.not_a_face(some),
            lambda: edits.confirm(some),
            lambda: edits.apart(one, other),
            lambda: draw.choice([edits.lock, edits.unlock, edits.hide])(one),
            lambda: edits.note(one, "a “note”"),
            edits.undo,
            edits.undo,
            edits.redo,
        ]
    )
    try:
        verb()
    except ConfigError:
        return


@pytest.mark.parametrize("seed", range(4))
def test_states_agree_with_a_slow_replay(tmp_path: Path, seed: int) -> None:
    """After every line: what is shown is what a fresh reader of the whole log sees."""
    run, draw = a_run(tmp_path), random.Random(seed)
    for _ in range(20):
        _anything(run.edits, draw)
        again = a_run(tmp_path)
        assert who(again) == who(run) and again.people == run.people


def test_two_writers_at_once_overwrite_nothing(run: Result) -> None:
    run.edits.name(1, "Anna")
    other = a_run(run.folder)
    assert other.called(0) == "Anna"  # the log is read at the first look
    run.edits.move(3, 1)
    with pytest.raises(ConflictError, match=r"meanwhile: move by"):
        other.edits.merge(1, 2)
    assert who(other) == who(run)  # it has seen by now what was done
    other.edits.merge(1, 2)
    assert [line["verb"] for line in lines(run)] == ["base", "name", "move", "merge"]


def test_a_torn_last_line_is_passed_over_and_said(run: Result) -> None:
    run.edits.name(1, "Anna")
    path = run.folder / "edits.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"id":3,"verb":"name","char')
    again = a_run(run.folder)
    assert again.edits.torn and again.called(0) == "Anna"
    assert "breaks off: it was never acknowledged" in hints(again)[0].text
    again.edits.name(2, "Ben")
    assert not again.edits.torn and path.read_bytes().startswith(whole)
    assert a_run(run.folder).called(1) == "Ben"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{}", "line 2 cannot be read"),
        (b"[]", "line 2 cannot be read"),
        (b"\xff", "line 2 cannot be read"),
        (b'{"id":2,"verb":"sing"}', "line 2 cannot be read"),
        (b'{"id":7,"verb":"name"}', "line 2 cannot be read"),
        (b'{"id":2,"verb":"name","base":1,"tracks":[["a",1,2]]}', "line 2 cannot be read"),
        (b'{"id":2,"verb":"base","format":3}', "knows formats up to 2"),
        (b"[" * 100_000, "line 2 cannot be read"),
        (b'{"id":2,"verb":"undo"},{"id":3}', "line 2 cannot be read"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_damaged_or_newer_log_is_one_clear_error(
    run: Result, line: bytes, says: str, whole: bool
) -> None:
    run.edits.name(1, "Anna")
    path = run.folder / "edits.jsonl"
    first = path.read_bytes().splitlines()[0]
    seal = b',"crc":"%08x"}' % zlib.crc32(line) if whole else b"}"
    path.write_bytes(first + b"\n" + line[:-1] + seal + b"\n")
    with pytest.raises(StoreError, match=says if whole else "line 2 cannot be read"):
        _ = a_run(run.folder).cast


def test_places_of_a_track_all_have_a_box_or_none_has() -> None:
    places: list[list[Any]] = [[1, 0, 0, 9, 9], [2, 0, 0, 9, 9]]
    base = {"films": ["a"], "placed": [[0, 1, 2, *places]], "character": [0]}
    assert len(Base.recorded(base)) == 1
    places[1] = ["track"]
    with pytest.raises(ValueError, match="no tracks"):
        Base.recorded({**base, "placed": [[0, 1, 2, *places]]})


def test_a_letter_that_changed_is_not_taken_for_a_name(run: Result) -> None:
    run.edits.name(1, "Anna")
    path = run.folder / "edits.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Anna", b"Anno"))
    with pytest.raises(StoreError, match="line 2 cannot be read"):
        _ = a_run(run.folder).cast


def test_a_log_that_shrank_is_refused(run: Result) -> None:
    run.edits.name(1, "Anna")
    (run.folder / "edits.jsonl").write_bytes(b"")
    with pytest.raises(StoreError, match="shorter than before"):
        run.edits.name(2, "Ben")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(run: Result) -> None:
    run.folder.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="cannot write"):
            run.edits.name(1, "Anna")
    finally:
        run.folder.chmod(0o700)


def test_a_run_that_is_computing_is_not_edited(run: Result) -> None:
    import filelock

    with (
        filelock.FileLock(run.folder / "lock"),
        pytest.raises(StoreError, match="still being computed"),
    ):
        run.edits.name(1, "Anna")
    assert not (run.folder / "edits.jsonl").exists()


def test_edits_are_carried_to_another_detector_and_clustering(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run.edits.name(1, "Anna")
    run.edits.merge(2, 3)
    run.edits.move(0, 2)
    run.edits.not_a_face(8)
    run.edits.lock(2)
    # Boxes a fifth smaller, other numbers, and Character 1 found in two parts.
    other = a_run(tmp_path, [1, 1, 2, 0, 0, 0, 3, 3, 4], size=40)
    labels = [other.called(n) for n in who(other)]
    assert labels[1] == "Anna" and labels[8] == "Unknown"
    assert len({labels[n] for n in (0, 3, 4, 5, 6, 7)}) == 1
    assert other.people[who(other)[3]].locked and other.edits.unplaced == {}
    other.edits.name("Anna", "Anne")
    assert [line["verb"] for line in lines(other)][-2:] == ["base", "name"]
    back = a_run(tmp_path)
    assert back.called(0) == "Anne" and who(back)[0] == who(back)[3]


def test_who_has_a_name_outlives_a_model_that_cannot_tell_them_apart(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    for number, name in ((1, "Anna"), (2, "Ben"), (3, "Zoe")):
        run.edits.name(number, name)
    other = a_run(tmp_path, [0, 0, 0, 0, 0, 0, -1, -1, -1])
    labels = [other.called(n) for n in who(other)]
    assert labels == ["Anna"] * 3 + ["Ben"] * 3 + ["Zoe"] * 2 + ["Unknown"]
    assert other.edits.unplaced == {}


def test_edits_of_an_earlier_clustering_are_told_by_numbers_of_this_one(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run.edits.merge(3, 1)
    run.edits.move(8, 2)
    other = a_run(tmp_path, [1, 1, 1, 0, 0, 0, 2, 2, -1])
    state = other.edits.state
    said = [command(edit, state) for edit in other.edits.done]
    assert said == ["merge 2 2", "move --track 8 --to 1"]
    lost = a_run(tmp_path, size=3)
    said = [command(edit, lost.edits.state) for edit in lost.edits.done]
    assert said == ["merge (earlier 3) (earlier 1)", "move --track in-frame-166 --to (earlier 2)"]
    other.edits.undo()
    assert who(other)[8] == -1


def test_an_edit_that_finds_no_track_is_kept_and_said(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    moved = run.edits.move(0, "new")
    named = run.edits.name(4, "Zoe")
    other = a_run(tmp_path, size=3)  # too small to be the same faces
    assert set(other.edits.unplaced) == {moved.id, named.id}
    assert who(other) == CHARACTER
    said = [(hint.text, hint.command) for hint in hints(other)]
    words = "2 decisions of people find no place in this clustering; to see:"
    assert said[0] == (words, f"vcn edit {tmp_path} log")
    assert a_run(tmp_path).called(3) == "Zoe"


def test_tracks_without_a_film_are_known_by_name(tmp_path: Path) -> None:
    tracks = tables.tracks([(0, 0, 11), (1, 12, 23)])
    film = tables.film(tracks, names=["left", "right"], folder=tmp_path, content="cd" * 32)
    run = tables.result([film], tracks, tables.cast([0, 1]))
    run.edits.merge(1, 2)
    turned = tables.film(tracks, names=["right", "left"], folder=tmp_path, content="cd" * 32)
    again = tables.result([turned], tracks, tables.cast([0, 1]))
    again.edits.name(1, "Anna")
    assert who(again) == [0, 0] and lines(again)[1]["verb"] == "merge"


KILLS = int(os.environ.get("VCN_KILLS", "15"))
WRITER = """
import sys
from pathlib import Path
from tests.unit.test_edits import a_run
run = a_run(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(100_000):
    edit = run.edits.note(1 + number % 3, f"note {number}")
    print(edit.id, flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_moment_no_acknowledged_edit_is_lost(tmp_path: Path) -> None:
    draw, acknowledged = random.Random(0), 0
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
            time.sleep(draw.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
            said = writer.stdout.read().splitlines(keepends=True)
        acknowledged = max([acknowledged, *(int(n) for n in said if n.endswith("\n"))])
        assert a_run(tmp_path).edits.revision >= acknowledged
    assert acknowledged > KILLS


def test_every_verb_is_described() -> None:
    assert all(words and words[0].islower() for words in VERBS.values())


def test_a_real_run_is_edited_and_opened_again(drawn_run: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(drawn_run, folder)
    run = open_run(folder)
    number = min(run.people)
    run.edits.name(number + 1, "Anna")
    assert open_run(folder).called(number) == "Anna"
