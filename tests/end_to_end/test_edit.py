"""``vcn edit`` and ``vcn recluster`` on a real run: what is printed, kept, and refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Vcn
from videoclusternet.result.result import open_run
from videoclusternet.review.recluster import propose, recluster
from videoclusternet.runfolder.manifest import MANIFEST


@pytest.fixture
def run(drawn_run: Path, tmp_path: Path) -> Path:
    """Four tracks: red, blue, red, blue."""
    return Path(shutil.copytree(drawn_run, tmp_path / "run"))


def test_a_name_is_printed_and_shown_everywhere(run: Path, vcn: Vcn) -> None:
    done = vcn("edit", run, "name", "1", "Anna <b>", "--author", "ed")
    assert done.code == 0
    assert done.out.splitlines() == ['edit 2: name 1 "Anna <b>"', "  Anna <b>: 2 tracks"]
    assert "Anna <b>" in vcn("show", run).out
    page = (run / "cast.html").read_text(encoding="utf-8")
    assert "Anna &lt;b&gt;" in page and "Anna <b>" not in page
    (shown, *_) = json.loads(vcn("show", run, "--json").out)
    assert (shown["character"], shown["name"], shown["hidden"]) == (0, "Anna <b>", False)
    log = vcn("edit", run, "log").out
    assert 'name 1 "Anna <b>"' in log and " ed " in log


def test_every_verb_from_the_command_line(run: Path, vcn: Vcn) -> None:
    for arguments in (
        ("name", "1", "Anna"),
        ("note", "Anna", "the one in red"),
        ("move", "--track", "1", "--to", "Anna"),
        ("undo",),
        ("redo",),
        ("split", "Anna", "--track", "1"),
        ("confirm", "--track", "0"),
        ("not", "2", "--track", "3"),
        ("not-a-face", "--track", "3"),
        ("undo",),
        ("move", "--track", "3", "--to", "new"),
        ("apart", "1", "4"),
        ("merge", "3", "4"),
        ("cover", "1", "--track", "2", "--frame", "30"),
        ("lock", "1"),
        ("unlock", "1"),
        ("hide", "1"),
    ):
        done = vcn("edit", run, *arguments)
        assert (done.code, done.err) == (0, "")
    assert "hidden: Anna" in vcn("show", run).out
    page = (run / "cast.html").read_text(encoding="utf-8")
    assert "1 hidden" in page and "Anna" not in page
    vcn("edit", run, "unhide", "1")
    line = json.loads(vcn("edit", run, "undo", "--json").out)
    assert line["verb"] == "unhide" and line["cast"][0]["hidden"]
    states = [
        json.loads(text)["state"]
        for text in vcn("edit", run, "log", "--json").out.split("\n")
        if text
    ]
    assert states.count("taken back") == 1 and states.count("holds") == 13


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("name", "9", "Anna"), 2, "there is no character '9' (there are 1, 2)"),
        (("move", "--track", "7", "--to", "1"), 2, "tracks are numbered from 0 to 3"),
        (("move", "--track", "x", "--to", "1"), 2, "should be a valid integer"),
        (("undo",), 2, "nothing to take back"),
        (("sing",), 2, "No such command 'sing'"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    run: Path, vcn: Vcn, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = vcn("edit", run, *arguments)
    assert done.code == code and says in done.err and done.out == ""
    assert not (run / "edits.jsonl").exists()


def test_a_damaged_newer_or_missing_run_is_refused(run: Path, vcn: Vcn) -> None:
    text = (run / MANIFEST).read_text(encoding="utf-8")
    for changed, says in (
        (text.replace('"format": ', '"format": 9'), "update videoclusternet"),
        (text.replace("fingerprint", "fingerpaint", 1), "is damaged"),
    ):
        (run / MANIFEST).write_text(changed, encoding="utf-8")
        done = vcn("edit", run, "name", "1", "Anna")
        assert (done.code, done.out) == (5, "") and says in done.err
    assert vcn("edit", run / "nowhere", "undo").code == 5
    assert not (run / "edits.jsonl").exists()


def test_nothing_said_reclusters_to_the_same(run: Path, vcn: Vcn) -> None:
    done = vcn("recluster", run, "-q")
    assert done.out == "nothing changes: the clustering agrees with what was said\n"
    assert not (run / "edits.jsonl").exists()


def test_recluster_places_what_was_denied_and_is_undone(run: Path, vcn: Vcn) -> None:
    result = open_run(run)
    result.edits.name(1, "Anna")
    result.edits.move([0, 1], "new")  # red and blue in one: wrong
    result.edits.not_this(3, 1)
    found = propose(result)
    assert [(track, one) for track, one, _ in found.difference.moved] == [(1, "Unknown")]
    assert vcn("recluster", run, "--dry-run", "-q").out.startswith("1 track from Unknown to ")
    assert open_run(run).edits.revision == result.edits.revision
    done = vcn("recluster", run, "-q", "--json")
    (moved,) = json.loads(done.out)["moved"]
    assert moved["track"] == 1 and moved["to"] != "Character 3"
    again = open_run(run)
    assert again.called(int(again.cast.character[1])) == moved["to"]
    assert again.edits.done[-1].verb == "recluster"
    assert again.cast.confidence[0] == 1 and np.isfinite(again.cast.threshold).all()
    vcn("edit", run, "undo")
    assert open_run(run).cast.character[1] == -1


def test_a_reclustering_whose_tables_were_changed_is_refused(run: Path, vcn: Vcn) -> None:
    result = open_run(run)
    result.edits.not_this(1, 0)
    result.edits.move(0, "unknown")
    result.edits.undo()
    again, difference = recluster(run)
    if not difference:  # denied, it may be nobody: then there is nothing to damage
        pytest.fail("the track that was denied found no place")
    table = run / "recluster" / str(again.edits.revision) / "cast.parquet"
    table.unlink()
    done = vcn("show", run)
    assert done.code == 5 and "cast.parquet" in done.err


def test_edits_outlive_a_rerun_with_another_setting(
    run: Path, drawn_film: Path, vcn: Vcn, fake_models: object
) -> None:
    result = open_run(run)
    result.edits.name(1, "Anna")
    result.edits.move(1, "new")
    done = vcn("cluster", drawn_film, "-o", run, "--set", "tracks.min_faces=1", "-q")
    assert done.code == 0
    again = open_run(run)
    names = {again.called(n) for n in again.people}
    assert "Anna" in names and again.edits.unplaced == {}
