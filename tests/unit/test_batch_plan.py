"""Which films a batch is of, where they go, what is written down, what an end means."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from videoclusternet.batch import record
from videoclusternet.batch.films import find_films
from videoclusternet.batch.plan import GONE, assign, free_name, looks, settings_text, to_do
from videoclusternet.batch.record import Journal, Record, State, read_records
from videoclusternet.batch.status import print_reasons
from videoclusternet.batch.verdict import Verdict, judge
from videoclusternet.batch.workers.child import Ended
from videoclusternet.config import Config
from videoclusternet.errors import ConfigError, StoreError
from videoclusternet.runfolder.beside import RECORDS


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_folders_are_searched_and_lists_are_read(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    wanted = ["b.MP4", "z.webm", "a/1.mkv"]
    touch(*(archive / name for name in wanted))
    touch(
        *(archive / n for n in ("notes.txt", ".hidden.mp4", ".cache/x.mp4", "b.vcn/preview-0.mp4"))
    )
    (archive / "loop").symlink_to(archive)
    assert find_films([archive]) == [archive / name for name in wanted]
    lines = tmp_path / "season" / "list.txt"
    touch(lines)
    lines.write_text(
        "\ufeff# a season\n\n  ../archive/b.MP4 \r\n/elsewhere/x.mp4\n./#odd\nframes\n"
    )
    listed = [archive / "b.MP4", Path("/elsewhere/x.mp4"), tmp_path / "season/#odd"]
    assert find_films([lines]) == [*listed, tmp_path / "season/frames"]
    both = find_films([archive / "z.webm", lines, archive])
    assert both[:2] == [archive / "z.webm", archive / "b.MP4"] and len(both) == len(set(both)) == 6


def test_what_is_no_list_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no film in"):
        find_films([tmp_path])
    with pytest.raises(ConfigError, match="cannot read"):
        find_films([tmp_path / "none.txt"])
    with pytest.raises(ConfigError, match=r"no film .*none\.mp4"):
        find_films([tmp_path / "none.mp4"])
    (tmp_path / "list").write_bytes(b"a.mp4\nb\0.mp4\n")
    with pytest.raises(ConfigError, match="line 2 is no path"):
        find_films([tmp_path / "list"])
    (tmp_path / "list").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ConfigError, match="is not a text file"):
        find_films([tmp_path / "list"])
    monkeypatch.setattr(
        os, "scandir", lambda place: (_ for _ in ()).throw(PermissionError(13, "no", place))
    )
    with pytest.raises(ConfigError, match=r"cannot read .*: no"):
        find_films([tmp_path])


def test_films_of_one_name_get_folders_of_their_own_that_they_keep(tmp_path: Path) -> None:
    paths = [
        Path(p) for p in ("/s1/ep.mp4", "/s2/EP.mkv", "/x/s2/ep.avi", "/s1/.mp4", "/s1/-o.mp4")
    ]
    records = assign(paths, {})
    runs = [record.run for record in records.values()]
    assert runs == ["ep.vcn", "s2-EP.vcn", "ep-2.vcn", "mp4.vcn", "-o.vcn"]
    done = {film: replace(one, state="done") for film, one in list(records.items())[:1]}
    later = assign([*reversed(paths), Path("/s3/ep.mp4")], {**records, **done})
    assert {film: one.run for film, one in later.items() if film in records} == {
        film: one.run for film, one in records.items()
    }
    assert later["/s3/ep.mp4"].run == "s3-ep.vcn"
    # One that is named no more stays if it ended, unless it failed and went.
    tmp_path.joinpath("cut.mp4").touch()
    failed = {
        film: Record(film, f"{n}.vcn", "failed")
        for n, film in enumerate((str(tmp_path / "cut.mp4"), str(tmp_path / "gone.mp4")))
    }
    assert list(assign([], failed)) == [str(tmp_path / "cut.mp4")]
    assert list(assign([Path("/new.mp4")], {**records, **done})) == ["/s1/ep.mp4", "/new.mp4"]
    long = free_name(Path("/f") / ("ö" * 127 + ".mp4"), ())
    assert len(os.fsencode(long)) <= 210
    assert free_name(Path(os.fsdecode(b"/f/\xff.mp4")), ()) == os.fsdecode(b"\xff.vcn")


@pytest.mark.parametrize("profile", ["instant", "vcn", "paper"])
def test_settings_come_back_from_their_file(profile: str, tmp_path: Path) -> None:
    name = 'dlib=C:\\a "b"\tä\x7f\U0001f600.dat'
    config = Config.load(profile, None, ["adapt.pool=[2,3]"], {"embed.backbone": name, "seed": 3})
    file = tmp_path / "settings.toml"
    file.write_text(settings_text(config), encoding="utf-8")
    assert Config.load("auto", file) == config
    with pytest.raises(ConfigError, match="no UTF-8"):
        settings_text(Config.load(flags={"adapt.given": "\udcff"}))


def test_what_is_written_down_outlives_a_kill_at_any_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "PATIENCE", 0.05)
    odd = os.fsdecode(b"/f/\xff\n.mp4")
    with Journal.open(tmp_path / "out") as journal:
        journal.begin(assign([Path("/f/a.mp4"), Path(odd)], {}))
        first = dict(journal.records)
        journal.add(replace(journal.records[odd], state="done", code=0, seconds=1.5))
        after = dict(journal.records)
    path = tmp_path / "out" / RECORDS
    whole = path.read_bytes()
    begin = whole.rindex(b"\n", 0, -1) + 1
    for end in range(begin, len(whole) + 1):
        path.write_bytes(whole[:end])
        assert read_records(tmp_path / "out") == (after if end == len(whole) else first)
    with Journal.open(tmp_path / "out") as journal:
        assert journal.records == after
        with (
            pytest.raises(StoreError, match="in use by another batch"),
            Journal.open(tmp_path / "out"),
        ):
            pass


def test_records_that_are_damaged_or_newer_are_refused(tmp_path: Path) -> None:
    path = tmp_path / RECORDS
    good = json.dumps({"film": "/a.mp4", "run": "a.vcn", "later": 1})
    path.write_text(f'{{"format": 1}}\n{good}\n')
    assert read_records(tmp_path) == {"/a.mp4": Record("/a.mp4", "a.vcn")}
    for line in (
        "{",
        "[]",
        "{}",
        '{"film": "/a", "run": "../a"}',
        '{"film": 1, "run": "a"}',
        '{"film": "/a", "run": "a", "state": "odd"}',
        '{"film": "/a", "run": "a", "tries": "x"}',
    ):
        path.write_text(f'{{"format": 1}}\n{line}\n{good}\n')
        with pytest.raises(StoreError, match="is damaged: line 2"):
            read_records(tmp_path)
    path.write_text('{"format": 2}\n')
    with pytest.raises(StoreError, match="formats up to 1"):
        read_records(tmp_path)
    path.write_text('{"format": "x"}\n')
    with pytest.raises(StoreError, match="is damaged: line 1"):
        read_records(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with (
        pytest.raises(StoreError, match="not empty and no batch"),
        Journal.open(tmp_path / "other"),
    ):
        pass


def test_what_is_to_be_done_follows_from_film_settings_and_run(tmp_path: Path) -> None:
    film = tmp_path / "a.mp4"
    film.write_bytes(b"1")
    size, changed = looks(str(film))
    one = Record(str(film), "a.vcn", "done", size=size, changed=changed, settings="s")

    def due(record: Record, settings: str = "s", again: bool = False) -> bool:
        return to_do(record, tmp_path, settings, again)

    assert due(one), "its run folder is gone"
    (tmp_path / "a.vcn").mkdir()
    (tmp_path / "a.vcn" / "run.json").touch()
    assert not due(one) and not due(one, again=True)
    assert due(one, "other") and due(replace(one, size=2))
    assert due(replace(one, state="running")) and due(replace(one, state="waiting"))
    for state in ("failed", "timed out", "killed"):
        bad = replace(one, state=state)  # type: ignore[arg-type]
        assert not due(bad) and due(bad, again=True) and due(replace(bad, changed=1))
    film.unlink()
    assert looks(str(film)) == GONE and not due(one)


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (Ended(0, "anything"), Verdict("done")),
        (Ended(3, "cut off"), Verdict("failed", "cut off")),
        (Ended(1), Verdict("failed", "exit code 1")),
        (Ended(4, "no model"), Verdict("failed", "no model", about_all=True)),
        (Ended(8, "no libGL"), Verdict("failed", "no libGL", about_all=True)),
        (Ended(5, "x is damaged"), Verdict("failed", "x is damaged")),
        (Ended(5, "x is in use by another run (wait)"),
         Verdict("failed", "x is in use by another run (wait)", "wait")),
        (Ended(5, "x belongs to other films"),
         Verdict("failed", "x belongs to other films", "rename")),
        (Ended(7, "too little"), Verdict("failed", "too little", "retry")),
        (Ended(130, ""), Verdict("killed", "it was interrupted", "retry")),
        (Ended(None, "node died"), Verdict("killed", "node died", "retry")),
        (Ended(-9), Verdict("killed", "killed by SIGKILL, perhaps for its memory", "retry")),
        (Ended(-11, "Fatal"), Verdict("killed", "killed by SIGSEGV: Fatal", "retry")),
        (Ended(-77), Verdict("killed", "killed by signal 77", "retry")),
        (Ended(-9, "scan", hung=True),
         Verdict("timed out", "no sign of life for 2 min 00 s; its last words: scan")),
    ],
)  # fmt: skip
def test_what_the_end_of_a_worker_means(ended: Ended, verdict: Verdict) -> None:
    assert judge(ended, 120) == verdict


def test_the_words_that_are_looked_for_are_those_of_run_folders() -> None:
    from videoclusternet.batch import verdict
    from videoclusternet.runfolder import films, folder

    assert f"{{self.folder}} {verdict.IN_USE}" in Path(folder.__file__).read_text()
    assert f"{{folder}} {verdict.OTHER}" in Path(films.__file__).read_text()


def test_films_of_one_name_are_told_apart_and_reasons_to_wait_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    films: tuple[tuple[str, State, str], ...] = (
        ("/s1/e1.mp4", "failed", "cut off"),
        ("/s2/e1.mp4", "waiting", "no model"),
        ("/s2/e2.mp4", "waiting", ""),
    )
    records = {
        film: Record(film, f"{n}.vcn", state, reason=reason)
        for n, (film, state, reason) in enumerate(films)
    }
    print_reasons(records)
    said = capsys.readouterr().out
    assert "s1/e1.mp4" in said and "s2/e1.mp4" in said and "no model" in said
    assert "e2.mp4" not in said
