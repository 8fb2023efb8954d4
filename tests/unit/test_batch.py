"""Batches with workers that stand in: what becomes of films, what a stopped batch goes on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.batches import begun, films, running, stand_in, wait_for
from tests.conftest import Vcn
from tests.drawn import snapshot
from videoclusternet.batch import driver, record
from videoclusternet.batch.driver import Terms, run_batch
from videoclusternet.batch.page import write_page
from videoclusternet.batch.record import Record, State, is_driven, read_records
from videoclusternet.batch.summary import Member, Summary, summary_of
from videoclusternet.batch.workers.child import PYTHON, Children, Order, run_to_end
from videoclusternet.batch.workers.processes import CARDS, ProcessWorkers
from videoclusternet.errors import Cancelled, ConfigError, ModelError, StoreError
from videoclusternet.events import Event
from videoclusternet.forget.run import forget
from videoclusternet.result.result import open_run

QUICK = Terms(at_once=8, patience=2.0)


def states(records: Mapping[str, Record]) -> dict[str, str]:
    return {Path(film).stem: record.state for film, record in records.items()}


def test_a_film_that_fails_hangs_or_kills_its_worker_costs_itself_alone(
    tmp_path: Path, drawn_run: Path
) -> None:
    every = films(tmp_path / "in", ["a", "bad", "fragile", "killer", "hang", "memory", "b"])
    said: list[Event] = []
    records = run_batch(
        every, tmp_path / "out", terms=QUICK, hook=said.append, command=stand_in(drawn_run)
    )
    assert states(records) == {
        "a": "done",
        "bad": "failed",
        "fragile": "done",  # at the second try
        "killer": "killed",
        "hang": "timed out",
        "memory": "failed",
        "b": "done",
    }
    of = {Path(film).stem: record for film, record in records.items()}
    assert (of["bad"].code, of["bad"].reason) == (3, "bad.mp4 cannot be opened as a film")
    assert (of["killer"].code, of["killer"].tries) == (-9, 2)
    assert "killed by SIGKILL" in of["killer"].reason
    assert of["hang"].reason == "no sign of life for 2.0 s"
    assert (of["memory"].code, of["memory"].tries, of["fragile"].tries) == (7, 2, 2)
    assert begun(every[1]) == 1, "a bad film is not tried again"
    assert read_records(tmp_path / "out") == records
    progress = [event for event in said if event.kind == "progress"]
    assert [(e.done, e.total) for e in progress][-1] == (7, 7)
    assert {"killer"} <= {run.split(".")[0] for e in progress for run in e.data.get("running", ())}
    notes = [event.message for event in said if event.kind == "note"]
    assert "bad.mp4: failed: bad.mp4 cannot be opened as a film" in notes
    table = pq.read_table(tmp_path / "out" / "casts.parquet").to_pylist()
    cast = open_run(drawn_run)
    assert [(Path(row["film"]).stem, row["run"], row["name"]) for row in table] == [
        (stem, f"{stem}.vcn", one.name) for stem in ("a", "fragile", "b") for one in cast
    ]
    assert [row["seconds"] for row in table[: len(cast)]] == [round(c.seconds, 3) for c in cast]
    page = (tmp_path / "out" / "batch.html").read_text()
    assert page.count("<img") == 3 * len(cast) and "./a.vcn/cast.html" in page
    assert "killed by SIGKILL" in page and "http-equiv" in page


def test_the_next_call_touches_nothing_that_is_done_and_tries_what_failed_when_asked(
    tmp_path: Path, drawn_run: Path
) -> None:
    a, _, worse = every = films(tmp_path / "in", ["a", "bad", "bad-2"])
    out, command = tmp_path / "out", stand_in(drawn_run)
    first = run_batch(every, out, terms=QUICK, command=command)
    before = snapshot(out / "a.vcn"), (out / "a.vcn" / "run.json").stat().st_mtime_ns
    assert run_batch(every, out, terms=QUICK, command=command) == first
    worse.write_bytes(b"copied again")
    run_batch(every, out, terms=QUICK, command=command)
    assert [begun(film) for film in every] == [1, 1, 2], "a film that is another now"
    run_batch(every, out, terms=replace(QUICK, retry_failed=True), command=command)
    assert [begun(film) for film in every] == [1, 2, 3]
    assert (snapshot(out / "a.vcn"), (out / "a.vcn" / "run.json").stat().st_mtime_ns) == before
    a.unlink()  # an archive that is away
    assert states(run_batch(every, out, terms=QUICK, command=command))["a"] == "done"
    films(tmp_path / "in", ["a"])
    run_batch([a, *films(tmp_path / "in", ["c"])], out, terms=QUICK, command=command)
    assert states(read_records(out)) == {
        "a": "done",
        "bad": "failed",
        "bad-2": "failed",
        "c": "done",
    }


def test_other_settings_do_the_films_anew_and_another_number_of_cores_does_not(
    tmp_path: Path, drawn_run: Path
) -> None:
    every = films(tmp_path / "in", ["a"])
    out, command = tmp_path / "out", stand_in(drawn_run)
    run_batch(every, out, terms=QUICK, command=command)
    run_batch(every, out, terms=replace(QUICK, cpus=2), command=command)
    assert begun(every[0]) == 1
    config = driver.Config.load("vcn")
    run_batch(every, out, config, QUICK, command=command)
    assert begun(every[0]) == 2
    assert driver.Config.load("auto", out / "settings.toml").profile == "vcn"


def test_a_run_folder_that_is_held_is_waited_for_and_another_film_gets_its_own(
    tmp_path: Path, drawn_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "HELD", 0.1)
    held, other = films(tmp_path / "in", ["held", "other"])
    records = run_batch([held, other], tmp_path / "out", terms=QUICK, command=stand_in(drawn_run))
    assert states(records) == {"held": "done", "other": "done"}
    assert [records[str(film)].run for film in (held, other)] == ["held.vcn", "in-other.vcn"]


def test_a_missing_model_ends_the_batch_and_the_films_wait(tmp_path: Path) -> None:
    every = films(tmp_path / "in", ["model", "endless"])
    with pytest.raises(ModelError, match="no model"):
        run_batch(every, tmp_path / "out", terms=QUICK, command=stand_in())
    records = read_records(tmp_path / "out")
    assert states(records) == {"model": "waiting", "endless": "waiting"}
    # Where a film was done, it is that film's own affair.
    every = films(tmp_path / "in", ["a", "model-2"])
    records = run_batch(every, tmp_path / "two", terms=Terms(at_once=1), command=stand_in())
    assert states(records) == {"a": "done", "model-2": "failed"}


def test_a_batch_that_is_stopped_ends_its_workers_and_goes_on(
    tmp_path: Path, drawn_run: Path
) -> None:
    every = films(tmp_path / "in", ["a", "endless", "b"])

    def stop(event: Event) -> None:
        if event.done == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run_batch(every, tmp_path / "out", terms=QUICK, hook=stop, command=stand_in(drawn_run))
    out = tmp_path / "out"
    assert states(read_records(out)) == {"a": "done", "endless": "waiting", "b": "done"}
    assert not is_driven(out) and "a.vcn" in (out / "batch.html").read_text()
    assert not running(every[1])
    every[1].rename(tmp_path / "in" / "c.mp4")
    named = [every[0], tmp_path / "in" / "c.mp4", every[2]]
    records = run_batch(named, out, terms=QUICK, command=stand_in(drawn_run))
    assert states(records) == {"a": "done", "b": "done", "c": "done"}
    assert [begun(film) for film in named] == [1, 1, 1]


DRIVER = """
import sys
from pathlib import Path
from tests.batches import stand_in
from videoclusternet.batch.driver import Terms, run_batch
model, out, *films = map(Path, sys.argv[1:])
run_batch(films, out, terms=Terms(at_once=8), command=stand_in(model))
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_a_killed_driver_leaves_no_worker_and_its_batch_goes_on(
    tmp_path: Path, drawn_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = films(tmp_path / "in", ["a", "endless"])
    out = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", DRIVER, drawn_run, out, *every]) as first:
        wait_for(lambda: (out / "batch.jsonl").exists() and states_of(out) == ["done", "running"])
        wait_for(lambda: begun(every[1]) == 1)
        assert is_driven(out)
        monkeypatch.setattr(record, "PATIENCE", 0.05)
        with pytest.raises(StoreError, match="in use by another batch"):
            run_batch(every, out, command=stand_in())
        first.kill()
    wait_for(lambda: not running(every[1]))
    assert not is_driven(out) and states_of(out) == ["done", "running"]
    with pytest.raises(ConfigError):
        run_batch([], out)
    terms = Terms(at_once=2, patience=0.3)
    records = run_batch(every, out, terms=terms, command=stand_in(drawn_run))
    assert states(records) == {"a": "done", "endless": "timed out"}
    assert [begun(film) for film in every] == [1, 2]


def states_of(out: Path) -> list[str]:
    return [record.state for record in read_records(out).values()]


def order(code: str, patience: float = 20.0, **more: str) -> Order:
    return Order("x.vcn", (PYTHON, "-I", "-S", "-c", code), more, patience)


def test_a_worker_is_heard_and_its_last_words_are_kept() -> None:
    told: list[dict[str, object]] = []
    code = (
        "import sys, os\n"
        "w = lambda t: print(t, file=sys.stderr)\n"
        'w(\'{"kind": "start", "step": "scan"}\'); w(\'[1]\'); w(\'{broken\')\n'
        "w('vcn: warning: odd'); w('y' * 200000); w('vcn: no such film (look)'); w('more')\n"
        "sys.exit(int(os.environ['CODE']))"
    )
    ended = run_to_end(order(code, CODE="3"), lambda run, said: told.append(dict(said)))
    assert (ended.code, ended.said, ended.hung) == (3, "no such film (look)", False)
    assert [one["kind"] for one in told] == ["begun", "start"]
    codes = [0, 1, 130]
    for code_number in codes:
        assert run_to_end(order(f"import os; os._exit({code_number})"), deaf).code == code_number
    for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV):
        limit = "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"
        code = f"{limit}; os.kill(os.getpid(), {int(number)})"
        assert run_to_end(order(code), deaf).code == -number


def deaf(run: str, said: object) -> None:
    """Hear nothing."""


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_what_a_worker_began_goes_with_it(tmp_path: Path) -> None:
    mark = str(tmp_path / "grandchild")
    code = (
        "import subprocess, sys, time, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "asleep = 'import time; time.sleep(600)'\n"
        f"subprocess.Popen([sys.executable, '-S', '-c', asleep, {mark!r}])\n"
    )
    started = time.monotonic()
    ended = run_to_end(order(code), deaf)  # the pipe is still held by what it left
    assert (ended.code, ended.hung) == (0, False)
    wait_for(lambda: not running(Path(mark)))
    ended = run_to_end(order(f"{code}time.sleep(600)", 0.5), deaf)
    assert ended.hung and ended.code == -signal.SIGKILL
    wait_for(lambda: not running(Path(mark)))
    with Children(deaf) as children:
        children.start(order(f"{code}time.sleep(600)"))
        wait_for(lambda: bool(running(Path(mark))))
    wait_for(lambda: not running(Path(mark)))
    assert time.monotonic() - started < 30


def test_films_at_once_have_cores_and_cards_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, object]] = []
    monkeypatch.setenv(CARDS, "3,5")
    event = f"{{'kind': 'note', 'on': os.environ[{CARDS!r}]}}"
    code = f"import os, sys, json; print(json.dumps({event}), file=sys.stderr)"
    workers = ProcessWorkers(0, 1, 0.5, lambda run, said: told.append((run, said.get("on"))))
    for number in range(4):
        assert workers.room()
        workers.start(replace(order(code), run=str(number)))
    assert not workers.room()
    ended: list[str] = []
    while len(ended) < 4:
        ended += [run for run, _ in workers.wait(1.0)]
    workers.close()
    assert sorted(on for _, on in told if on) == ["3", "3", "5", "5"]
    with pytest.raises(ConfigError, match="shows 2 graphics cards, a film is to have 3"):
        ProcessWorkers(0, 1, 3, deaf)
    monkeypatch.setattr("videoclusternet.batch.workers.processes.cores", lambda: 4)
    monkeypatch.setattr(os, "sched_getaffinity", lambda who: {0, 1, 6, 7}, raising=False)
    from videoclusternet.batch.workers.processes import _shares

    assert _shares(2, 2) == [(0, 1), (6, 7)]
    assert _shares(3, 2) == [(), (), ()]


def test_a_batch_of_a_thousand_has_a_small_page(tmp_path: Path) -> None:
    face = "data:image/jpeg;base64," + "A" * 1600
    cast = tuple(Member(n, f"P{n}", False, 9.0, 0, 9, 1, 1, 1.0, 0.0) for n in range(1, 5))
    summary = Summary(5400.0, cast, 3, tuple((n, face) for n in range(1, 5)))
    records = {f"/f/{n}.mp4": Record(f"/f/{n}.mp4", f"{n}.vcn", "done") for n in range(1000)}
    page = write_page(tmp_path, records, dict.fromkeys(records, summary))
    assert page.stat().st_size < 3_000_000
    assert page.read_text().count("<img") == 1000
    bad = Record("/f/<b>\x1b.mp4", "#%?:<b>.vcn", "failed", reason="<script>")
    fine = Record("/f/ö.mp4", "a:#ö.vcn", "done")
    named = replace(cast[0], name="<i>Anna</i>", named=True)
    text = write_page(
        tmp_path,
        {bad.film: bad, fine.film: fine},
        {fine.film: replace(summary, members=(named,), notes=("<u>cut</u>",))},
    ).read_text()
    assert "<b>" not in text and "<script>" not in text and "<i>" not in text and "\x1b" not in text
    assert 'href="./a%3A%23%C3%B6.vcn/cast.html"' in text
    assert "<bdi>&lt;i&gt;Anna&lt;/i&gt;</bdi>" in text and text.count("<img") == 1


def test_the_page_of_a_batch_says_what_to_look_at_and_who_is_in_which_film(tmp_path: Path) -> None:
    def film(name: str, state: State, folder: str = "f") -> Record:
        return Record(f"/{folder}/{name}.mp4", f"{name}.vcn", state, time="2026-01-02T03:04:05Z")

    done: State = "done"
    every = [film("E10", done), film("E9", done), film("E1", "waiting"), film("E2", "timed out")]
    every += [film("E3", "running"), replace(film("E10", done, "g"), run="g-E10.vcn")]
    face = "data:image/jpeg;base64,AAAA"
    anna = Member(1, "Anna", True, 9.0, 0, 9, 1, 1, 1.0, 0.0, "guest", "k", 0.934)
    ben, other = (
        replace(anna, character=2, name="Ben"),
        Member(3, "C 3", False, 9, 0, 9, 1, 1, 1, 0),
    )
    summary = Summary(60.0, (anna, ben, other), 0, ((1, face), (3, face)))
    page = write_page(tmp_path, {one.film: one for one in every}, {"/f/E9.mp4": summary})
    text = page.read_text()
    order = [text.index(f">{name}.mp4<") for name in ("E2", "E3", "E9", "E10", "E1")]
    assert order == sorted(order), "what waits has nothing to look at, and 9 comes before 10"
    assert '<tr id="timed-out">' in text and 'href="#timed-out" class="bad">1 timed out<' in text
    assert "as of 2026-01-02 03:04:05 UTC" in text
    assert text.count("<bdi>/f</bdi>") == text.count("<bdi>/g</bdi>") == 1, "which E10 is it"
    assert '<b title="Anna"><bdi>Anna</bdi></b><span class="soft">guest 93 %</span>' in text
    assert "3 characters, also Ben (guest 93 %)" in text and "A regular is known" in text


def test_what_is_kept_of_a_run_follows_its_corrections(tmp_path: Path, drawn_run: Path) -> None:
    import shutil

    shutil.copytree(drawn_run, tmp_path / "a.vcn")
    first = summary_of(tmp_path, "a.vcn")
    assert first is not None and not first.members[0].named
    kept = tmp_path / "summaries" / "a.vcn.json"
    written = kept.stat().st_mtime_ns
    assert summary_of(tmp_path, "a.vcn") == first and kept.stat().st_mtime_ns == written
    assert [number for number, _ in first.pictures] == [1, 2]
    open_run(tmp_path / "a.vcn").edits.name(2, "Bo")
    named = summary_of(tmp_path, "a.vcn")
    assert named is not None and named.pictures[0][0] == 2, "who has a name is shown first"
    open_run(tmp_path / "a.vcn").edits.name(1, "Anna")
    again = summary_of(tmp_path, "a.vcn")
    assert again is not None and (again.members[0].name, again.members[0].named) == ("Anna", True)
    (tmp_path / "batch.jsonl").touch()
    for name in ("batch.html", "casts.parquet"):
        (tmp_path / name).write_text("Anna")
    forget(tmp_path / "a.vcn", "Anna")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a.vcn", "batch.jsonl", "summaries"} and not kept.exists()
    again = summary_of(tmp_path, "a.vcn")
    assert again is not None and "Anna" not in kept.read_text()
    kept.write_text("{}")
    assert summary_of(tmp_path, "a.vcn") == again
    assert summary_of(tmp_path, "none.vcn") is None


def test_the_command_prints_reasons_and_ends_with_its_own_code(
    tmp_path: Path, vcn: Vcn, monkeypatch: pytest.MonkeyPatch, drawn_run: Path
) -> None:
    films(tmp_path / "in", ["a", "bad"])
    monkeypatch.setattr(driver, "_cluster", lambda output, library: stand_in(drawn_run))
    done = vcn("batch", tmp_path / "in", "-o", tmp_path / "out", "--timeout", "0.1")
    assert done.code == 9
    assert done.out.startswith("2 films, 1 done, 1 failed\n")
    assert "bad.mp4  failed" in done.out and "page: " in done.out
    assert done.err.splitlines()[-1].startswith("vcn: 1 of 2 films failed (")
    quiet = vcn("batch", tmp_path / "in", "-o", tmp_path / "out", "-q")
    assert (quiet.code, quiet.out) == (9, "") and "1 of 2 films failed" in quiet.complaint
    status = vcn("batch", "status", tmp_path / "out")
    assert status.code == 0 and "cannot be opened as a film" in status.out
    values = json.loads(vcn("batch", "status", tmp_path / "out", "--json").out)
    assert values["counts"] == {"done": 1, "failed": 1} and values["driven"] is False
    assert {one["run"]: one["code"] for one in values["films"]} == {"a.vcn": 0, "bad.vcn": 3}
    (tmp_path / "in" / "bad.mp4").unlink()
    assert "no batch" in vcn("batch", "status", tmp_path).complaint
    alone = vcn("batch", tmp_path / "in" / "a.mp4", "-o", tmp_path / "one", "--log-json")
    assert alone.code == 0
    assert json.loads(alone.err.splitlines()[-1])["total"] == 1
    refused = vcn("batch", tmp_path / "in", "-o", tmp_path / "in")
    assert refused.code == 5 and "not empty and no batch" in refused.complaint
