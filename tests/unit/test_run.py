"""Steps are done once, and again exactly when something they depend on has changed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from tests import tables
from videoclusternet.config import Config, ShotConfig, TrackConfig
from videoclusternet.engine.work import Work
from videoclusternet.errors import Cancelled, StoreError
from videoclusternet.events import Event
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.steps import Run, Step
from videoclusternet.types import Shots
from videoclusternet.types.clock import Tags


class Counter:
    """A step that counts how often it is done, and a hook that keeps events."""

    def __init__(self, folder: Path) -> None:
        self.done = 0
        self.events: list[Event] = []
        self.run = Run(Store(folder, create=True), Config(), self.events.append)
        self.step = Step("shots", self.compute, (Shots,), unit="frames")

    def __call__(self, *arguments: Any, **row: Any) -> list[str]:
        """Do the step; return the kinds of events."""
        self.events.clear()
        given = arguments or ("film", ShotConfig())
        shots = self.run.do(replace(self.step, **row), *given)
        assert shots.stop.tolist() == [5, 9]
        return [event.kind for event in self.events]

    def compute(self, *arguments: Any, work: Work) -> Shots:
        """Do the work."""
        self.done += 1
        work.progress(1, 2)
        work.note("nothing special")
        if work.file:
            work.file.write_text(f"made {self.done} times")
        return tables.shots(0, 5, 9)


@pytest.fixture
def step(tmp_path: Path) -> Counter:
    """A step that was done once."""
    step = Counter(tmp_path / "run")
    assert step() == ["start", "progress", "note", "done"]
    return step


def test_second_time_it_is_read(step: Counter) -> None:
    assert step() == ["cached"] and step.done == 1
    other = Counter(step.run.folder)
    assert other() == ["cached"] and other.done == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("another film", ShotConfig()),
        ("film", "weights", ShotConfig()),
        (tables.shots(0, 3), ShotConfig()),
        ("film", ShotConfig(threshold=28)),
        ("film",),
        ("film", TrackConfig()),
        ("film", ShotConfig(), 0),
        ("film", ShotConfig(), Fraction(24)),
        ("film", ShotConfig(), None),
    ],
    ids=str,
)
def test_any_other_argument_does_it_again(step: Counter, arguments: tuple[Any, ...]) -> None:
    assert step(*arguments)[-1] == "done" and step.done == 2


@pytest.mark.parametrize("row", [{"version": 2}, {"file": "crops.zip"}], ids=str)
def test_another_row_does_it_again(step: Counter, row: dict[str, Any]) -> None:
    assert step(**row)[-1] == "done" and step.done == 2


def test_tables_count_by_content(step: Counter) -> None:
    step(tables.shots(0, 3, 8))
    assert step(tables.shots(0, 3, 8)) == ["cached"]
    assert step(tables.shots(0, 4, 8))[-1] == "done"


def test_whatever_has_a_digest_counts_by_it(step: Counter) -> None:
    @dataclass(frozen=True)
    class Weights:
        digest: str
        device: str

    step(Weights("a", "cpu"))
    assert step(Weights("a", "cuda")) == ["cached"]
    assert step(Weights("b", "cpu"))[-1] == "done"


def test_an_argument_that_cannot_be_told_from_others_is_a_defect(step: Counter) -> None:
    with pytest.raises(TypeError, match="cannot tell one object"):
        step(object())


def test_what_stands_beside_the_arguments_does_not_count(tmp_path: Path) -> None:
    run, seen = Run(Store(tmp_path / "run", create=True), Config(), lambda event: None), []
    step = Step("shots", lambda film, ranks: seen.append(ranks) or tables.shots(0, 5), (Shots,))
    run.do(step, "film", ranks=1)
    run.do(step, "film", ranks=2)
    assert seen == [1]


def test_going_back_to_old_settings_does_it_again(step: Counter) -> None:
    step("film", ShotConfig(threshold=28))
    assert step()[-1] == "done" and step.done == 3


def test_whether_it_holds_is_decided_in_one_place(step: Counter) -> None:
    assert step.run.holds(step.step, "film", ShotConfig())
    assert not step.run.holds(step.step, "other", ShotConfig())
    assert not step.run.holds(replace(step.step, folder="adapt"), "film", ShotConfig())
    (step.run.folder / "adapt").mkdir()
    assert step.run.holds(replace(step.step, folder="adapt"), "film", ShotConfig())
    assert step.run.read(step.step).stop.tolist() == [5, 9]


def test_record_of_a_step(step: Counter) -> None:
    record = step.run.store.manifest["steps"]["shots"]
    assert record["notes"] == ["nothing special"]
    assert record["params"]["ShotConfig"]["threshold"] == 27.0
    assert record["inputs"] == ["film"] and record["seconds"] >= 0 and record["version"] == 1


def test_stopped_step_is_not_finished(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if event.kind == "progress":
            raise Cancelled("stopped")

    run = Run(Store(tmp_path / "run", create=True), Config(), stop)
    with pytest.raises(Cancelled):
        run.do(Counter(tmp_path / "other").step, "film")
    assert run.store.fingerprint("shots") is None


def test_file_of_a_step_is_swapped_only_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter(tmp_path / "run")
    counter(file="crops.zip")
    path = counter.run.folder / "crops.zip"
    assert path.read_text() == "made 1 times"

    def stop(event: Event) -> None:
        raise Cancelled("stopped")

    def half(work: Work) -> Shots:
        assert work.file
        work.file.write_text("half of the new")
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        counter.run.do(Step("shots", half, (Shots,), unit="frames", file="crops.zip"))
    assert path.read_text() == "made 1 times"
    assert counter.run.store.fingerprint("shots") is not None
    # A crash right after the swap: the table of the old file must not vouch for the new one.
    monkeypatch.setattr(Store, "save", lambda *_: (_ for _ in ()).throw(Cancelled("crash")))
    with pytest.raises(Cancelled):
        counter("other film", file="crops.zip")
    assert path.read_text() == "made 2 times"
    assert Store(counter.run.folder).fingerprint("shots") is None


def test_films_of_a_run_keep_apart(tmp_path: Path) -> None:
    events: list[Event] = []
    run = Run(Store(tmp_path / "run", create=True), Config(), events.append)
    films = [run.film(place, "pilot") for place in ("000-pilot", "001-pilot")]
    assert [film.folder.name for film in films] == ["000-pilot", "001-pilot"]
    films[0].do(Counter(tmp_path / "other").step, "film")
    assert films[1].store.fingerprint("shots") is None
    assert {event.step for event in events} == {"pilot/shots"}


def test_film_folder_is_ours_from_its_first_moment(tmp_path: Path) -> None:
    """A crash while the first table is written must not leave a folder that we refuse."""
    run = Run(Store(tmp_path / "run", create=True), Config(), lambda event: None)
    film = run.film("000-pilot", "pilot")
    (film.folder / "shots.parquet").write_bytes(b"half")
    assert run.film("000-pilot", "pilot").folder == film.folder


def test_run_json_is_written_only_when_it_changes(tmp_path: Path) -> None:
    run = Run(Store(tmp_path / "run", create=True), Config(), lambda event: None)
    run.describe(films=[])
    path = run.folder / "run.json"
    path.touch()
    before = path.stat().st_mtime_ns
    run.describe(films=[])
    assert path.stat().st_mtime_ns == before
    Run(Store(run.folder), Config(seed=1), lambda event: None).describe(films=[])
    assert '"seed": 1' in path.read_text()


@dataclass(frozen=True)
class Other:
    """Something that a run is over."""

    content: str
    path: str = "film.mp4"
    names: tuple[str, ...] = ()
    tags: Tags = field(default_factory=Tags)


def test_other_films_are_refused(tmp_path: Path) -> None:
    run = Run(Store(tmp_path / "run", create=True), Config(), lambda event: None)
    for _ in range(2):
        run.begin([Other("a"), Other("b", names=("7", "9"))])
    assert run.store.manifest["films"] == [
        {"path": "film.mp4", "content": "a"},
        {"path": "film.mp4", "content": "b", "tracks": ["7", "9"]},
    ]
    for others, says in (
        (["a"], "belongs to other films, too: 'film.mp4'"),
        (["a", "x"], "belongs to other films, too"),
        (["x"], "belongs to other films"),
    ):
        with pytest.raises(StoreError, match=says) as told:
            run.begin([Other(content) for content in others])
        assert "--add" in told.value.advice
    assert len(run.store.manifest["films"]) == 2


def films_of(run: Run) -> list[tuple[str, str, int]]:
    """Content of each film, the folder of its tables, and the number that its tracks have."""
    contents = [film["content"] for film in run.store.manifest["films"]]
    homes = [film.folder.relative_to(run.folder).as_posix() for film in run.films()]
    numbers = [film.number for film in run.films()]
    return list(zip(contents, homes, numbers, strict=True))


def test_films_are_found_again_by_what_they_hold(tmp_path: Path) -> None:
    run = Run(Store(tmp_path / "run", create=True), Config(), lambda event: None)
    run.begin([Other("a", "a.mp4"), Other("b", "b.mp4")])
    assert films_of(run) == [("a", "films/000-a", 0), ("b", "films/001-b", 1)]
    assert not any("folder" in film for film in run.store.manifest["films"])
    run.begin([Other("c", "c.mp4"), Other("b", "renamed.mp4"), Other("a", "a.mp4")])
    after = [("c", "films/002-c", 2), ("b", "films/001-b", 1), ("a", "films/000-a", 0)]
    assert films_of(run) == after
    assert films_of(Run(Store(run.folder), Config(), lambda event: None)) == after
    run.begin([Other("a", "a.mp4"), Other("d", "d.mp4")], "drop")
    assert films_of(run) == [("a", "films/000-a", 0), ("d", "films/003-d", 3)]
    assert sorted(p.name for p in (run.folder / "films").iterdir()) == ["000-a", "003-d"]
    with pytest.raises(StoreError, match="belongs to other films"):
        run.begin([Other("x")], "drop")


def test_a_film_that_a_run_began_with_stays_at_the_top(tmp_path: Path) -> None:
    counter = Counter(tmp_path)
    run = counter.run
    run.begin([Other("a", "a.mp4")])
    counter("film", file="crops.zip")
    run.begin([Other("b", "b.mp4"), Other("a", "a.mp4")])
    assert films_of(run) == [("b", "films/001-b", 1), ("a", ".", 0)]
    assert run.films()[1].store.fingerprint("shots") is not None
    run.begin([Other("b", "b.mp4")], "drop")
    assert films_of(run) == [("b", "films/001-b", 1)]
    assert run.store.fingerprint("shots") is None
    assert not (run.folder / "shots.parquet").exists()


@pytest.mark.parametrize("place", ["../elsewhere", "000-a/../..", "films", "/", "1-a", 7])
def test_a_film_lies_in_no_other_folder(place: object, tmp_path: Path) -> None:
    run = Run(Store(tmp_path / "run", create=True), Config(), lambda event: None)
    run.store.manifest["films"] = [{"path": "a.mp4", "content": "a", "folder": place}]
    run.store.write_manifest()
    with pytest.raises(StoreError, match="damaged"):
        Store(run.folder)


def test_open_holds_the_folder(tmp_path: Path) -> None:
    with Run.open(tmp_path / "run", Config(), lambda event: None) as run:
        assert run.folder == tmp_path / "run"
        again = Run.open(tmp_path / "run", Config(), lambda event: None)
        with pytest.raises(StoreError, match="in use"), again:
            pytest.fail("two runs")


def test_opencv_without_windows_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(name: str) -> str:
        if name == "opencv-python":
            raise PackageNotFoundError(name)
        return version(name) if name != "opencv-python-headless" else "5.0"

    monkeypatch.setattr("videoclusternet.runfolder.steps.version", without)
    with Run.open(tmp_path / "run", Config(), lambda event: None) as run:
        run.describe()
    versions = json.loads((tmp_path / "run" / "run.json").read_text())["versions"]
    assert versions["opencv-python"] == "5.0 headless"
