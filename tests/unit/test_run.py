"""Steps are done once, and again exactly when something they depend on has changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import tables
from videoclusternet.config import Config, ShotConfig
from videoclusternet.errors import Cancelled, StoreError
from videoclusternet.events import Event
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.steps import Run, Work, check_films
from videoclusternet.types import Shots, Table


class Counter:
    """A step that counts how often it is done, and a hook that keeps events."""

    def __init__(self, folder: Path) -> None:
        self.done = 0
        self.events: list[Event] = []
        self.run = Run(Store(folder, create=True), Config(), self.events.append)

    def __call__(self, **changes: Any) -> list[str]:
        """Run the step; return the kinds of events."""
        self.events.clear()
        call: dict[str, Any] = {"inputs": ["film"], "params": [ShotConfig()], **changes}
        (shots,) = self.run.step("shots", (Shots,), self.compute, **call)
        assert shots.stop.tolist() == [5, 9]
        return [event.kind for event in self.events]

    def compute(self, work: Work) -> Sequence[Table]:
        """Do the work."""
        self.done += 1
        work.progress(1, 2)
        work.note("nothing special")
        return (tables.shots(0, 5, 9),)


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
    "change",
    [
        {"inputs": ["another film"]},
        {"inputs": ["film", "weights"]},
        {"inputs": [tables.shots(0, 3)]},
        {"params": [ShotConfig(threshold=28)]},
        {"params": []},
        {"version": 2},
        {"file": "crops.zip"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_does_it_again(step: Counter, change: dict[str, Any]) -> None:
    assert step(**change)[-1] == "done" and step.done == 2


def test_inputs_count_by_content(step: Counter) -> None:
    step(inputs=[tables.shots(0, 3, 8)])
    assert step(inputs=[tables.shots(0, 3, 8)]) == ["cached"]
    assert step(inputs=[tables.shots(0, 4, 8)])[-1] == "done"


def test_going_back_to_old_settings_does_it_again(step: Counter) -> None:
    step(params=[ShotConfig(threshold=28)])
    assert step()[-1] == "done" and step.done == 3


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
        run.step("shots", (Shots,), Counter(tmp_path / "run").compute)
    assert run.store.fingerprint("shots") is None


def test_file_of_a_step_is_swapped_only_at_the_end(tmp_path: Path) -> None:
    run = Run(Store(tmp_path / "run", create=True), Config(), lambda event: None)
    compute = Counter(tmp_path / "other").compute
    with run.writes("shots", "crops.zip") as path:
        path.write_text("old")
    run.step("shots", (Shots,), compute, file="crops.zip")
    with pytest.raises(Cancelled), run.writes("shots", "crops.zip") as path:
        path.write_text("half of the new")
        raise Cancelled("stopped")
    assert (run.folder / "crops.zip").read_text() == "old"
    assert run.store.fingerprint("shots") is not None
    # A crash right after the swap: the table of the old file must not vouch for the new one.
    with run.writes("shots", "crops.zip") as path:
        path.write_text("new")
    assert Store(run.folder).fingerprint("shots") is None


def test_films_of_a_run_keep_apart(tmp_path: Path) -> None:
    events: list[Event] = []
    run = Run(Store(tmp_path / "run", create=True), Config(), events.append)
    names = ["pilot", "pilot"]
    films = [run.film(i, name) for i, name in enumerate(names)]
    assert [film.folder.name for film in films] == ["000-pilot", "001-pilot"]
    films[0].step("shots", (Shots,), Counter(tmp_path / "other").compute)
    assert films[1].store.fingerprint("shots") is None
    assert {event.step for event in events} == {"pilot/shots"}


def test_film_folder_is_ours_from_its_first_moment(tmp_path: Path) -> None:
    """A crash while the first table is written must not leave a folder that we refuse."""
    run = Run(Store(tmp_path / "run", create=True), Config(), lambda event: None)
    film = run.film(0, "pilot")
    (film.folder / "shots.parquet").write_bytes(b"half")
    assert run.film(0, "pilot").folder == film.folder


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


def test_other_films_are_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "run", create=True)
    check_films(store, ["a", "b"])
    store.manifest["films"] = [{"content": "a"}, {"content": "b"}]
    check_films(store, ["a", "b"])
    for others in (["a"], ["b", "a"], ["a", "b", "c"], ["a", "x"]):
        with pytest.raises(StoreError, match="belongs to other films"):
            check_films(store, others)


def test_open_holds_the_folder(tmp_path: Path) -> None:
    with Run.open(tmp_path / "run", Config(), lambda event: None) as run:
        assert run.folder == tmp_path / "run"
        again = Run.open(tmp_path / "run", Config(), lambda event: None)
        with pytest.raises(StoreError, match="in use"), again:
            pytest.fail("two runs")


def test_what_a_step_holds_is_found_by_how_its_inputs_begin(step: Counter) -> None:
    step(inputs=["film", "weights", "seed 0"])
    params = [ShotConfig()]

    def held(*inputs: str, **changes: Any) -> Any:
        call: dict[str, Any] = {"params": params, **changes}
        return step.run.held("shots", (Shots,), inputs, **call)

    (shots,) = held("film", "weights")
    assert shots.stop.tolist() == [5, 9]
    assert held("film", "weights", "seed 0") and held()
    assert held("film", "other weights") is None
    assert held("weights") is None
    assert held("film", "weights", "seed 0", "more") is None
    assert held("film", params=[ShotConfig(threshold=28)]) is None
    assert held("film", version=2) is None
    assert step.run.held("tracks", (Shots,), [], []) is None


def test_what_is_damaged_is_not_held(step: Counter) -> None:
    assert step.run.held("shots", (Shots,), ["film"], [ShotConfig()])
    (step.run.folder / "shots.parquet").write_bytes(b"nothing")
    assert step.run.held("shots", (Shots,), ["film"], [ShotConfig()]) is None
