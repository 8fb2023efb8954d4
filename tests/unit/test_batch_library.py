"""A batch that knows people: what films are told of the library, what tables say of people."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.batches import films, stand_in
from tests.conftest import Vcn
from videoclusternet.batch import driver
from videoclusternet.batch.driver import Terms, run_batch
from videoclusternet.edits.edit import Edit
from videoclusternet.errors import LibraryError
from videoclusternet.library.door import open_library
from videoclusternet.result.result import open_run

ASKED = """#!/bin/sh
printf '%s\\n' "$@" >> "$0.asked"
echo 'vcn: that is no film' >&2
exit 3
"""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A worker that writes down what it is asked, and fails; the library is in the environment."""
    script = tmp_path / "worker"
    script.write_text(ASKED)
    script.chmod(0o700)
    monkeypatch.setattr(driver, "PYTHON", str(script))
    monkeypatch.setenv("VCN_LIBRARY", str(tmp_path / "ours.db"))
    open_library(create=True).close()
    return tmp_path / "worker.asked"


def test_every_film_is_told_where_the_library_lies(asked: Path, vcn: Vcn, tmp_path: Path) -> None:
    films(tmp_path / "in", ["a", "b"])
    batch = ("batch", tmp_path / "in", "-o", tmp_path / "out")
    assert vcn(*batch, "--library", "default", "-q").code == 9
    words = asked.read_text().splitlines()
    places = [number for number, word in enumerate(words) if word == "--library"]
    assert [words[n + 1] for n in places] == [str(tmp_path / "ours.db")] * 2
    # The same library by its path is the same; without it every film is another matter.
    assert vcn(*batch, "--library", tmp_path / "ours.db", "-q").code == 9
    assert asked.read_text().splitlines() == words
    assert vcn(*batch, "-q").code == 9
    more = asked.read_text().splitlines()[len(words) :]
    assert more.count("cluster") == 2 and "--library" not in more


def test_without_the_library_nothing_is_begun(asked: Path, vcn: Vcn, tmp_path: Path) -> None:
    (film,) = films(tmp_path / "in", ["a"])
    lost = vcn("batch", film, "-o", tmp_path / "out", "--library", tmp_path / "none.db")
    assert lost.code == 5 and "there is no library at" in lost.complaint
    with pytest.raises(LibraryError):
        run_batch([film], tmp_path / "out", terms=Terms(library=tmp_path / "in"))
    assert not asked.exists() and not (tmp_path / "out").exists()


def test_tables_say_whom_a_library_knows_and_how_surely(tmp_path: Path, drawn_run: Path) -> None:
    run = open_run(shutil.copytree(drawn_run, tmp_path / "run"))
    run.edits.say(Edit("recognise", ("1",), to="a" * 32, text="<i>Anna</i>", of=3, sure=0.93456))
    run.edits.name(2, "Ben")
    every = films(tmp_path / "in", ["a"])
    run_batch(every, tmp_path / "out", command=stand_in(run.folder))
    said = ("character", "name", "named", "kind", "person", "sure")
    rows = pq.read_table(tmp_path / "out" / "casts.parquet").select(said).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (1, "<i>Anna</i>", True, "regular", "a" * 32, 0.9346),
        (2, "Ben", True, "stranger", "", None),
    ]
    page = (tmp_path / "out" / "batch.html").read_text()
    assert "<bdi>&lt;i&gt;Anna&lt;/i&gt;</bdi></b>" in page and "regular 93 %" in page
    assert "<bdi>Ben</bdi></b>" in page
    # Who says otherwise has the last word, in the next call's table.
    open_run(tmp_path / "out" / "a.vcn").edits.name(1, "Dora")
    run_batch(every, tmp_path / "out", command=stand_in(run.folder))
    first = pq.read_table(tmp_path / "out" / "casts.parquet").to_pylist()[0]
    assert (first["name"], first["person"], first["sure"]) == ("Dora", "", None)
