"""The file of a library: two writers, damage, newer format, full disk, read-only, kills."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Vcn
from tests.large_run import write_large_run
from videoclusternet import open_library, open_run
from videoclusternet.errors import LibraryError
from videoclusternet.library import database, schema


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs with names; read only."""
    folder = tmp_path_factory.mktemp("runs")
    for name, people in (("one", ("Anna", "Ben")), ("two", ("Carla", "Dan"))):
        run = open_run(write_large_run(folder / name, 120, 6))
        for number, person in enumerate(people, 1):
            run.edits.name(number, person)
    return folder


@pytest.fixture(scope="module")
def made(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of one run; copy it."""
    path = tmp_path_factory.mktemp("made") / "library.db"
    with open_library(path, create=True) as library:
        library.add(runs / "one")
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A library of one run."""
    return Path(shutil.copy(made, tmp_path / "library.db"))


def content(path: Path) -> list[str]:
    """All that is in its tables."""
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


def names(path: Path) -> list[str]:
    with open_library(path) as library:
        return [one.name for one in library.people]


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE person (id INTEGER)")
        db.commit()


def pragma(said: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA {said}")
            db.commit()

    return change


def trigger(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TRIGGER t AFTER INSERT ON person BEGIN DELETE FROM person; END")
        db.commit()


def replaced(data: bytes | None) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.unlink()
        if data is not None:
            path.write_bytes(data)

    return change


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def pipe_beside(path: Path) -> None:
    os.mkfifo(f"{path}-journal")


def no_text(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE person", b"CREATE TABL\xee person"))


WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (replaced(None), "there is no library"),
    "empty": (replaced(b""), "there is no library"),
    "text": (replaced(b"people of many films\n" * 99), "is no library of people"),
    "a few bytes": (replaced(b"SQLite"), "is no library of people"),
    "foreign": (foreign, "a file of another program"),
    "newer": (pragma(f"user_version = {schema.FORMAT + 1}"), "knows formats up to 1"),
    "older": (pragma("user_version = 0"), "is damaged"),
    "a trigger in it": (trigger, "is damaged: its tables are not"),
    "tables that are no text": (no_text, "is damaged"),
    "folder": (folder, "is a folder"),
    "pipe": (pipe, "is no file"),
    "a pipe beside it": (pipe_beside, "-journal is no file"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_library_is_refused_and_left_alone(
    kind: str, path: Path, runs: Path, vcn: Vcn
) -> None:
    spoil, said = WRONG[kind]
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(LibraryError, match=said):
        open_library(path)
    for command in (["list"], ["rename", "Anna", "Ada"]):
        done = vcn("library", *command, "--library", path)
        assert done.code == 5 and said in done.complaint
    if kind not in ("missing", "empty"):
        done = vcn("library", "add", runs / "two", "--library", path)
        assert done.code == 5 and said in done.complaint
    assert (path.read_bytes() if path.is_file() else None) == before


def test_an_empty_file_becomes_a_library_that_only_its_owner_reads(
    path: Path, runs: Path, tmp_path: Path
) -> None:
    path.write_bytes(b"")
    with open_library(path, create=True) as library:
        assert len(library) == 0
    new = tmp_path / "some" / "where" / "new.db"
    with open_library(new, create=True) as library:
        library.add(runs / "one")
    assert new.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.glob("some/where/*")] == ["new.db"]


def test_damage_is_said_wherever_it_lies(path: Path) -> None:
    whole, rng = path.read_bytes(), random.Random(7)
    refused = 0
    for number in range(40):
        data = bytearray(whole)
        if number % 4 == 0:
            del data[rng.randrange(1, len(data)) :]
        else:
            start = rng.randrange(len(data))
            data[start : start + 6000] = rng.randbytes(len(data[start : start + 6000]))
        path.write_bytes(data)
        try:
            with open_library(path) as library:
                library.gallery("drawn")
                for person in library.people:
                    library.exemplars(person.key)
                library.rename("Anna", "Ada")
        except LibraryError as error:
            refused += "damaged" in error.message or "no library" in error.message
        except LookupError:
            refused += 1  # of an index that leads nowhere
        path.with_name("library.db-wal").unlink(missing_ok=True)
        path.with_name("library.db-shm").unlink(missing_ok=True)
    assert refused >= 15  # what lies in a page that nobody reads is for `verify`


def test_a_second_writer_waits_and_then_says_so(path: Path, runs: Path) -> None:
    before = content(path)
    with open_library(path) as one, open_library(path, wait=0.1) as other:
        with one.writing() as db:
            db.execute("UPDATE person SET note = 'held'")
            with pytest.raises(LibraryError, match=r"is in use.*nothing was changed"):
                other.add(runs / "two")
            assert [person.note for person in other.people] == ["", ""]  # readers go on
            raise_later = content(path)
        assert raise_later == before
        other.add(runs / "two")
        assert [person.note for person in one.people] == ["held", "held", "", ""]


def test_two_writers_at_once_both_get_in(tmp_path: Path, runs: Path) -> None:
    path, failed = tmp_path / "new.db", []

    def write(name: str) -> None:
        try:
            for _ in range(3):
                with open_library(path, create=True, wait=60) as library:
                    library.add(open_run(runs / name))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("one", "two") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert names(path) == ["Anna", "Ben", "Carla", "Dan"]


def test_a_full_disk_loses_nothing(path: Path, runs: Path) -> None:
    before = content(path)
    with open_library(path) as library:
        with library.reading() as db:
            (pages,) = db.execute("PRAGMA page_count").fetchone()
            db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LibraryError, match=r"no room to write .*nothing was changed"):
            library.add(runs / "two")
        assert len(library) == 2
    assert content(path) == before


def in_child(work: Callable[[], None]) -> int:
    """Run something in a process of its own, and return how it ended: 0, or a signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("room", [30_000, 120_000])
def test_a_disk_that_takes_no_more_loses_nothing(path: Path, runs: Path, room: int) -> None:
    before = content(path)

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        with (
            pytest.raises(LibraryError, match="nothing was changed"),
            open_library(path) as library,
        ):
            library.add(runs / "two")

    assert in_child(work) == 0
    assert content(path) == before


def test_read_only_may_be_read(path: Path, runs: Path) -> None:
    before = content(path)
    with open_library(path, write=False) as library:
        assert len(library.gallery("drawn").people) == 2 and not library.writable
        with pytest.raises(LibraryError, match="is read-only: nothing was changed"):
            library.add(runs / "two")
    assert content(path) == before


UNTRUSTED = [
    "setpriv",
    "--inh-caps=-all",
    "--bounding-set=-dac_override,-dac_read_search,-fowner",
    sys.executable,
    "-m",
    "videoclusternet",
    "library",
]
"""As somebody whom permissions hold for, also where the tests run as root."""


@pytest.fixture
def locked(path: Path) -> Iterator[Callable[[bool], None]]:
    """Take the right to write from the file, or from its folder as well."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("no setpriv")

    def take(folder: bool) -> None:
        path.chmod(0o400)
        if folder:
            path.parent.chmod(0o500)

    yield take
    path.parent.chmod(0o700)
    path.chmod(0o600)


@pytest.mark.slow
@pytest.mark.parametrize("folder", [False, True], ids=["file", "file and folder"])
def test_without_the_right_to_write_it_may_be_read(
    folder: bool, path: Path, runs: Path, locked: Callable[[bool], None]
) -> None:
    before = path.read_bytes()
    locked(folder)
    command = UNTRUSTED[3 * (os.geteuid() != 0) :]
    for arguments, code, said in (
        (["list"], 0, "Anna"),
        (["add", str(runs / "two")], 5, "read-only: nothing was changed"),
    ):
        done = subprocess.run(
            [*command, *arguments, "--library", str(path)], capture_output=True, text=True
        )
        assert done.returncode == code, done.stderr
        assert said in done.stdout + done.stderr
    assert path.read_bytes() == before


def killed_after(steps: int, path: Path, run: Path) -> Callable[[], None]:
    """Return what adds a run, and is killed after so many statements."""
    left = iter(range(steps))

    def step(_: str) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        with open_library(path, create=True) as library:
            library._database._db.set_trace_callback(step)
            library.add(run)

    return work


def test_killed_while_adding_it_is_as_before_or_after(
    made: Path, runs: Path, tmp_path: Path
) -> None:
    path, outcomes = tmp_path / "library.db", []
    for steps in (0, 1, 2, 5, 10, 20, 40, 60, 80, 100, 120, 140, 10**9):
        for old in tmp_path.glob("library.db*"):
            old.unlink()
        shutil.copy(made, path)
        ended = in_child(killed_after(steps, path, runs / "two"))
        assert ended in (0, -signal.SIGKILL)
        people = names(path)
        assert people in (["Anna", "Ben"], ["Anna", "Ben", "Carla", "Dan"])
        assert (ended == 0) <= (len(people) == 4)
        outcomes.append(len(people))
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert outcomes.count(2) >= 9 and outcomes[-1] == 4


def test_killed_while_being_made_it_can_be_made(runs: Path, tmp_path: Path) -> None:
    def dying(tables: tuple[str, ...]) -> Iterator[str]:
        yield from tables
        os.kill(os.getpid(), signal.SIGKILL)

    for count in (0, 1, 9):
        path = tmp_path / f"{count}.db"

        def work(path: Path = path, count: int = count) -> None:
            schema.TABLES = dying(schema.TABLES[:count])  # type: ignore[assignment]
            open_library(path, create=True)

        assert in_child(work) == -signal.SIGKILL
        with open_library(path, create=True) as library:
            library.add(runs / "one")
            assert len(library) == 2


def test_where_it_lies_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VCN_LIBRARY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert database.default_path() == tmp_path / "videoclusternet" / "library.db"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    home = tmp_path / ".local" / "share"
    assert database.default_path() == home / "videoclusternet" / "library.db"
    monkeypatch.setenv("VCN_LIBRARY", str(tmp_path / "ours.db"))
    assert database.default_path() == tmp_path / "ours.db"
    with open_library(create=True) as library:
        assert library.path == tmp_path / "ours.db"


def test_a_name_that_the_system_cannot_have_is_refused() -> None:
    with pytest.raises(LibraryError, match="cannot have this name"):
        open_library("a\0b", create=True)


@pytest.mark.parametrize("before", ["", "/"])
def test_names_of_files_need_no_letters_of_ours(before: str, tmp_path: Path, runs: Path) -> None:
    path = Path(f"{before}{tmp_path}") / os.fsdecode(b"caf\xe9 100%?#&.db")
    with open_library(path, create=True) as library:
        library.add(runs / "one")
    assert names(path) == ["Anna", "Ben"]


def test_deleted_bytes_are_overwritten(path: Path) -> None:
    with open_library(path) as library, library.writing() as db:
        assert db.execute("PRAGMA secure_delete").fetchone() == (1,)
        assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
        (jpeg,) = db.execute("SELECT jpeg FROM picture").fetchone()
        (mean,) = db.execute("SELECT mean FROM embedding").fetchone()
        db.execute("DELETE FROM person")
    data = path.read_bytes()
    assert jpeg[200:300] not in data and mean not in data and b"Anna" not in data
