"""Bad films, bad folders, bad weights: one clear line, the right exit code, nothing lost."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.conftest import Outcome, Vcn
from tests.drawn import FLAGS, QUICKLY, SCENES, FakeModels, draw, draw_film, snapshot
from videoclusternet import Config, cluster_film, open_run
from videoclusternet.cli.demo_film import write_film
from videoclusternet.errors import StoreError
from videoclusternet.events import Event
from videoclusternet.models import registry
from videoclusternet.runfolder.manifest import FORMAT, manifest_text
from videoclusternet.types import Reason

pytestmark = pytest.mark.usefixtures("fake_models")
QUICK = ("-q", *FLAGS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def finished(drawn_run: Path, tmp_path: Path) -> Path:
    """A finished run of the drawn film, to spoil."""
    return Path(shutil.copytree(drawn_run, tmp_path / "run.vcn"))


def refuses(outcome: Outcome, code: int, *words: str) -> None:
    """Check that a command ended with one clear line and this exit code."""
    assert outcome.code == code
    assert outcome.out == ""
    for word in words:
        assert word in outcome.complaint


# --- films -----------------------------------------------------------------------------


def _missing(path: Path, film: Path) -> None:
    """Leave nothing there."""


def _folder(path: Path, film: Path) -> None:
    path.mkdir()


def _text(path: Path, film: Path) -> None:
    path.write_text("this is no film")


def _empty(path: Path, film: Path) -> None:
    path.write_bytes(b"")


def _no_index(path: Path, film: Path) -> None:
    data = film.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])


def _audio(path: Path, film: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _no_codec(path: Path, film: Path) -> None:
    # A picture stream of a kind that nobody knows.
    path.write_bytes(film.read_bytes().replace(b"avc1", b"zzz1"))


def _no_frame(path: Path, film: Path) -> None:
    path.write_bytes(b"YUV4MPEG2 W64 H48 F24:1 Ip A1:1 C420jpeg\n")


def _garbled(path: Path, film: Path) -> None:
    # The index is whole, the pictures are noise.
    data = bytearray(film.read_bytes())
    start = data.index(b"mdat") + 4
    length = struct.unpack(">I", data[start - 8 : start - 4])[0] - 8
    data[start : start + length] = np.random.default_rng(0).bytes(length)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_missing, "no such film"),
        (_folder, "is a folder"),
        (_text, "cannot be opened as a film"),
        (_empty, "is empty"),
        (_no_index, "cannot be opened as a film"),
        (_audio, "has no picture, only audio"),
        (_no_codec, "cannot be decoded"),
        (_no_frame, "holds no frame"),
        (_garbled, "cannot be decoded"),
    ],
)
@pytest.mark.parametrize("quiet", [True, False])
def test_film_that_cannot_be_read(
    vcn: Vcn,
    folder: Path,
    drawn_film: Path,
    spoil: Callable[[Path, Path], None],
    words: str,
    quiet: bool,
) -> None:
    film = folder / "film.mp4"
    spoil(film, drawn_film)
    before = snapshot(folder)
    outcome = vcn("cluster", film, *(["-q"] if quiet else []))
    refuses(outcome, 3, words, "film.mp4")
    assert snapshot(folder) == before


def test_one_bad_film_of_several_is_named_before_any_work(
    vcn: Vcn, folder: Path, drawn_film: Path
) -> None:
    refuses(vcn("cluster", drawn_film, "gone.mp4", "-q"), 3, "gone.mp4")
    assert not list(folder.iterdir())


def _with_index_first(film: Path, path: Path) -> bytes:
    """Rewrite a film with its index before the pictures, as streaming sites do."""
    with (
        av.open(str(film)) as source,
        av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as target,
    ):
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    return path.read_bytes()


def test_film_cut_off_in_the_middle_gives_a_cast_of_the_rest(folder: Path) -> None:
    film = folder / "film.mp4"
    data = _with_index_first(draw_film(folder / "whole.mp4", SCENES * 2), film)
    film.write_bytes(data[: data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2])
    events: list[Event] = []
    result = cluster_film(film, config=QUICKLY, hook=events.append)
    assert 48 < result.films[0].video.frames < 96  # type: ignore[union-attr]
    assert result.cast.characters == 2
    notes = [e.message for e in events if e.kind == "note"]
    assert any("film.mp4 breaks off" in note and "of 6.0 s" in note for note in notes), notes


def test_film_damaged_in_the_middle_gives_a_cast_of_the_rest(vcn: Vcn, folder: Path) -> None:
    film = draw_film(folder / "film.mp4", SCENES * 2)
    data = bytearray(film.read_bytes())
    start, stop = data.index(b"mdat"), data.index(b"moov")
    low, high = start + (stop - start) // 3, start + (stop - start) // 2
    data[low:high] = np.random.default_rng(0).bytes(high - low)
    film.write_bytes(data)
    outcome = vcn("cluster", film, *FLAGS)
    assert outcome.code == 0
    assert "frames could not be read, at 0:00:0" in " ".join(outcome.err.split())
    result = open_run(folder / "film.vcn")
    assert result.films[0].video.frames == 144  # type: ignore[union-attr]
    assert result.cast.characters == 2


def test_film_damaged_at_its_first_frame_gives_a_cast_of_the_rest(folder: Path) -> None:
    film = folder / "film.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"g": "12"})
        stream.width, stream.height, stream.pix_fmt = 192, 144, "yuv420p"
        for number in range(48):
            picture = av.VideoFrame.from_ndarray(_disc_picture(number), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    data = bytearray(film.read_bytes())
    first = data.index(b"mdat") + 4
    data[first : first + 900] = np.random.default_rng(0).bytes(900)
    film.write_bytes(data)
    events: list[Event] = []
    result = cluster_film(film, config=QUICKLY, hook=events.append)
    assert result.films[0].video.frames == 48  # type: ignore[union-attr]
    assert result.cast.character.tolist() == [0]
    assert result.tracks.first[0] > 0 and result.tracks.last[0] > 40
    assert "of 48 frames could not be read, at 0:00:00" in " ".join(e.message for e in events)


def _disc_picture(number: int) -> Any:
    return draw(("red",), 80, number / 24)


# --- films with little in them ---------------------------------------------------------


def _is_empty_cast(outcome: Outcome, run: Path) -> None:
    assert outcome.code == 0
    assert "no face was found" in outcome.out
    result = open_run(run)
    assert len(result.tracks) == len(result.cast) == 0
    assert "No face was found" in (run / "cast.html").read_text()


def test_film_without_a_face_has_an_empty_cast(vcn: Vcn, folder: Path, faceless_film: Path) -> None:
    _is_empty_cast(vcn("cluster", faceless_film), folder / "faceless.vcn")
    shown = vcn("show", "faceless.vcn", "--json")
    assert shown.code == 0 and json.loads(shown.out) == []


def test_film_without_a_face_in_the_paper_profile(
    vcn: Vcn, folder: Path, faceless_film: Path
) -> None:
    outcome = vcn("cluster", faceless_film, "--profile", "paper")
    _is_empty_cast(outcome, folder / "faceless.vcn")


def test_one_picture_makes_no_track_and_says_how_it_can(vcn: Vcn, folder: Path) -> None:
    write_film(folder / "still.mp4", iter([_disc_picture(0)]))
    outcome = vcn("cluster", "still.mp4")
    assert outcome.code == 0 and "no face was found" not in outcome.out
    page = (folder / "still.vcn" / "cast.html").read_text()
    for text in (outcome.out, vcn("show", "still.vcn").out, page):
        assert "1 face found, but one picture makes no track" in text
    assert "No face was found" not in page
    (command,) = [line for line in outcome.out.splitlines() if line.startswith("  vcn ")]
    again = vcn(*shlex.split(command)[1:])
    assert again.code == 0 and "Character 1" in again.out and "one picture" not in again.out
    assert re.search(r"Character 1 +1 +<0\.1 s ", again.out)
    info = open_run("still.vcn").films[0].video
    assert info is not None and info.frames == 1 and info.seconds(1) > 0


def test_black_film_has_an_empty_cast(vcn: Vcn, folder: Path) -> None:
    black = np.zeros((48, 64, 3), np.uint8)
    write_film(folder / "black.mp4", iter([black] * 30))
    _is_empty_cast(vcn("cluster", "black.mp4"), folder / "black.vcn")


def test_two_films_without_a_face(vcn: Vcn, folder: Path, faceless_film: Path) -> None:
    shutil.copy(faceless_film, "second.mp4")
    outcome = vcn("cluster", faceless_film, "second.mp4", "-o", "both.vcn")
    _is_empty_cast(outcome, folder / "both.vcn")


def test_one_track_is_one_character(vcn: Vcn, folder: Path) -> None:
    draw_film(folder / "one.mp4", [("red",)])
    outcome = vcn("cluster", "one.mp4", *FLAGS)
    assert outcome.code == 0 and "Character 1" in outcome.out
    result = open_run("one.vcn")
    assert result.cast.character.tolist() == [0]


def test_one_crop_is_one_character(vcn: Vcn, folder: Path) -> None:
    # A third of a second: a single crop.
    draw_film(folder / "short.mp4", [("red",)], seconds=1 / 3)
    assert vcn("cluster", "short.mp4").code == 0
    result = open_run("short.vcn")
    assert len(result.films[0].crops) == 1 and result.cast.character.tolist() == [0]
    assert np.isfinite(result.cast.confidence).all()


def test_one_track_in_the_paper_profile(folder: Path) -> None:
    film = draw_film(folder / "one.mp4", [("red",)])
    assert cluster_film(film, config=Config.load("paper")).cast.character.tolist() == [0]


def test_all_tracks_unknown(vcn: Vcn, folder: Path, drawn_film: Path) -> None:
    outcome = vcn("cluster", drawn_film, "--set", "quality.min_size=500")
    assert outcome.code == 0
    assert "Unknown" in outcome.out and "Character" not in outcome.out
    result = open_run("drawn.vcn")
    assert result.cast.characters == 0 and len(result.cast) == 4
    assert (result.cast.reason == Reason.SMALL).all()
    page = (folder / "drawn.vcn" / "cast.html").read_text()
    assert page.count('alt="Unknown, track ') == 4
    (unknown,) = json.loads(vcn("show", "drawn.vcn", "--json").out)
    assert unknown["name"] == "Unknown" and unknown["confidence"] is None
    assert len(unknown["tracks"]) == 4


def test_film_of_odd_size_and_long_name(vcn: Vcn, folder: Path) -> None:
    name = "[x264] Der süße Brei [b] & <Ende>.mkv"
    with av.open(str(folder / name), "w") as container:
        stream = container.add_stream("mjpeg", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = 193, 145, "yuvj444p"
        for number in range(24):
            picture = np.zeros((145, 193, 3), np.uint8)
            picture[:144, :192] = _disc_picture(number)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    shutil.copy(name, "two.mkv")
    assert vcn("cluster", name, "two.mkv", "-o", "run", *FLAGS).code == 0
    outcome = vcn("cluster", name, "two.mkv", "-o", "run", *FLAGS)
    assert outcome.code == 0
    assert name.removesuffix(".mkv") in outcome.err.replace("\n", "")
    assert '<h1 dir="auto">[x264] Der süße Brei [b] &amp; &lt;Ende&gt;, two</h1>' in (
        folder / "run" / "cast.html"
    ).read_text(encoding="utf-8")
    assert open_run("run").films[0].video.width == 193  # type: ignore[union-attr]


# --- the run folder --------------------------------------------------------------------


def test_file_where_the_run_folder_should_be(vcn: Vcn, folder: Path, drawn_film: Path) -> None:
    (folder / "taken").write_text("a file")
    refuses(vcn("cluster", drawn_film, "-o", "taken", "-q"), 5, "cannot write", "taken")
    assert snapshot(folder) == {"taken": b"a file"}
    refuses(vcn("cluster", drawn_film, "-o", "taken/inside", "-q"), 5, "cannot write", "taken")
    assert snapshot(folder) == {"taken": b"a file"}


@pytest.mark.parametrize(
    "name",
    [
        *("scores.parquet", "faces.parquet", "tracks.parquet"),
        *("run.json", "crops.zip", "embeddings.safetensors", "cast.html"),
    ],
)
def test_full_disk_while_a_file_is_written(
    vcn: Vcn, folder: Path, drawn_film: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _full_at(monkeypatch, name)
    refuses(vcn("cluster", drawn_film, *QUICK), 5, name, os.strerror(errno.ENOSPC), "make room")
    monkeypatch.undo()
    _goes_on(folder / "drawn.vcn", drawn_film, monkeypatch)


def _full_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the disk be full when this file gets its name."""
    whole = os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(source, target)

    monkeypatch.setattr(os, "replace", replace)


def _goes_on(run: Path, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that nothing half-written is left, and that the run can be finished."""
    names = [name for name in snapshot(run) if not name.startswith("parts")]
    assert not [name for name in names if name.endswith(".tmp")]
    FakeModels(monkeypatch)
    assert cluster_film(film, run, QUICKLY).cast.character.tolist() == [0, 1, 0, 1]


def test_full_disk_during_a_part_of_the_scan(
    vcn: Vcn, folder: Path, drawn_film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, mode: int = 0o777) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        whole = Path.mkdir

        def mkdir(path: Path, *args: Any, **keys: Any) -> None:
            if path.name.endswith(".tmp"):
                full(path)
            whole(path, *args, **keys)

        patch.setattr(Path, "mkdir", mkdir)
        refuses(vcn("cluster", drawn_film, *QUICK), 5, os.strerror(errno.ENOSPC))
    assert vcn("cluster", drawn_film, *QUICK).code == 0


def _not_json(run: Path) -> None:
    (run / "run.json").write_text("{")


def _a_list(run: Path) -> None:
    (run / "run.json").write_text("[1, 2]")


def _no_steps(run: Path) -> None:
    _edit(run, lambda manifest: manifest.pop("steps"))


def _steps_of_numbers(run: Path) -> None:
    _edit(run, lambda manifest: manifest.update(steps={"scan": 5}))


def _bare_steps(run: Path) -> None:
    _edit(run, lambda manifest: manifest.update(steps={"cast": {}, "video": {}}))


def _films_of_text(run: Path) -> None:
    _edit(run, lambda manifest: manifest.update(films="drawn.mp4"))


def _bare_films(run: Path) -> None:
    _edit(run, lambda manifest: manifest.update(films=[{}]))


def _binary(run: Path) -> None:
    (run / "run.json").write_bytes(b"\xff\xfe\x00\x80")


def _edit(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = run / "run.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(manifest_text(manifest), encoding="utf-8")


@pytest.mark.parametrize(
    "damage",
    [
        _not_json,
        _a_list,
        _no_steps,
        _steps_of_numbers,
        _bare_steps,
        _films_of_text,
        _bare_films,
        _binary,
    ],
)
@pytest.mark.parametrize("command", ["cluster", "show"])
def test_damaged_run_json_is_refused_and_kept(
    vcn: Vcn, finished: Path, drawn_film: Path, damage: Callable[[Path], None], command: str
) -> None:
    damage(finished)
    before = snapshot(finished)
    call = ["cluster", drawn_film, *QUICK, "-o", finished] if command == "cluster" else ["show"]
    refuses(vcn(*call, *([finished] if command == "show" else [])), 5, "run.json is damaged")
    assert snapshot(finished) == before


def _gone(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(1).bytes(500))


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_gone, _cut, _noise, _emptied])
@pytest.mark.parametrize("name", ["faces.parquet", "cast.parquet", "embeddings.safetensors"])
def test_damaged_table_is_refused_and_kept(
    vcn: Vcn, finished: Path, drawn_film: Path, damage: Callable[[Path], None], name: str
) -> None:
    damage(finished / name)
    before = snapshot(finished)
    refuses(vcn("cluster", drawn_film, *QUICK, "-o", finished), 5, name, "damaged")
    assert snapshot(finished) == before
    shown = vcn("show", finished)
    if name == "embeddings.safetensors":  # the printed cast does not need it
        assert shown.code == 0
    else:
        refuses(shown, 5, name, "damaged")


def test_table_of_another_run_is_refused(
    vcn: Vcn, finished: Path, drawn_film: Path, tmp_path: Path
) -> None:
    other = cluster_film(
        draw_film(tmp_path / "other.mp4", [("blue",), ("green",)]), tmp_path / "other.vcn", QUICKLY
    )
    shutil.copy(other.folder / "tracks.parquet", finished)
    before = snapshot(finished)
    refuses(vcn("cluster", drawn_film, *QUICK, "-o", finished), 5, "tracks.parquet", "not what")
    assert snapshot(finished) == before


@pytest.mark.parametrize("damage", [_cut, _noise, _emptied])
def test_damaged_crops_are_refused_and_kept(
    vcn: Vcn, finished: Path, drawn_film: Path, damage: Callable[[Path], None]
) -> None:
    damage(finished / "crops.zip")
    before = snapshot(finished)
    refuses(vcn("cluster", drawn_film, *QUICK, "-o", finished), 5, "crops.zip is damaged")
    assert snapshot(finished) == before


@pytest.mark.parametrize("seed", range(12))
def test_crops_with_a_few_wrong_bytes(finished: Path, drawn_film: Path, seed: int) -> None:
    path = finished / "crops.zip"
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    # Half of the blows go to the directory at the end, which is small.
    for place in [*rng.integers(0, len(data), 20), *rng.integers(len(data) - 600, len(data), 5)]:
        data[place] = rng.integers(256)
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"crops\.zip is damaged"):
        cluster_film(drawn_film, finished, QUICKLY)
    assert path.read_bytes() == data


def test_crops_that_are_no_pictures(finished: Path, drawn_film: Path) -> None:
    path = finished / "crops.zip"
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"no picture")
    (finished / "embeddings.safetensors").unlink()
    _edit(finished, lambda manifest: manifest["steps"].pop("embeddings"))
    with pytest.raises(StoreError, match=r"crops\.zip is damaged"):
        cluster_film(drawn_film, finished, QUICKLY)


def test_lost_crops_are_cut_again(finished: Path, drawn_film: Path) -> None:
    with zipfile.ZipFile(finished / "crops.zip") as archive:
        before = {item.filename: item.CRC for item in archive.infolist()}
    (finished / "crops.zip").unlink()
    events: list[Event] = []
    cluster_film(drawn_film, finished, QUICKLY, hook=events.append)
    assert [e.step for e in events if e.kind == "done"] == ["crops"]
    with zipfile.ZipFile(finished / "crops.zip") as archive:
        assert archive.testzip() is None
        assert {item.filename: item.CRC for item in archive.infolist()} == before


@pytest.mark.parametrize("command", ["cluster", "show"])
def test_newer_format_is_refused_and_kept(
    vcn: Vcn, finished: Path, drawn_film: Path, command: str
) -> None:
    _edit(finished, lambda manifest: manifest.update(format=99))
    before = snapshot(finished)
    call = ["cluster", drawn_film, *QUICK, "-o"] if command == "cluster" else ["show"]
    refuses(vcn(*call, finished), 5, "format 99", "update videoclusternet")
    assert snapshot(finished) == before


@pytest.mark.parametrize("command", ["cluster", "show"])
def test_older_format_is_refused_with_the_command_that_makes_it_anew(
    vcn: Vcn, finished: Path, drawn_film: Path, command: str
) -> None:
    _edit(finished, lambda manifest: manifest.update(format=1))
    before = snapshot(finished)
    call = ["cluster", drawn_film, *QUICK, "-o"] if command == "cluster" else ["show"]
    new = finished.with_name(f"{finished.stem}-{FORMAT}{finished.suffix}")
    refuses(vcn(*call, finished), 5, "format 1", f"vcn cluster {drawn_film}", f"-o {new}")
    assert snapshot(finished) == before


HOLD = """
import sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_folder_in_use_by_another_process(vcn: Vcn, finished: Path, drawn_film: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(finished / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        before = snapshot(finished)
        call = ("cluster", drawn_film, *QUICK, "-o", finished, "--set", "cluster.draws=3")
        refuses(vcn(*call), 5, "in use by another run")
        assert snapshot(finished) == before
        assert vcn("show", finished).code == 0
        other.communicate("")
    assert vcn(*call).code == 0


def test_folder_of_another_film_is_refused_and_kept(
    vcn: Vcn, finished: Path, tmp_path: Path
) -> None:
    other = draw_film(tmp_path / "other.mp4", [("green",)])
    before = snapshot(finished)
    refuses(vcn("cluster", other, *QUICK, "-o", finished), 5, "belongs to other films")
    assert snapshot(finished) == before


@pytest.mark.parametrize("name", ["thesis.txt", ".hidden", "subfolder/thesis.txt"])
def test_folder_of_something_else_is_refused_and_kept(
    vcn: Vcn, folder: Path, drawn_film: Path, name: str
) -> None:
    (folder / "mine" / name).parent.mkdir(parents=True)
    (folder / "mine" / name).write_text("years of work")
    before = snapshot(folder)
    refuses(vcn("cluster", drawn_film, *QUICK, "-o", "mine"), 5, "not empty and not a run folder")
    assert snapshot(folder) == before


def test_empty_folder_is_taken(vcn: Vcn, folder: Path, drawn_film: Path) -> None:
    (folder / "new").mkdir()
    assert vcn("cluster", drawn_film, *QUICK, "-o", "new").code == 0


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_show_of_no_run(vcn: Vcn, folder: Path, name: str) -> None:
    (folder / "empty").mkdir()
    refuses(vcn("show", name), 5, "is not a run folder")
    assert snapshot(folder) == {"empty": None}


# --- weights ---------------------------------------------------------------------------


@pytest.fixture
def real_loading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The true loaders again, with an empty cache folder, which is returned."""
    monkeypatch.undo()
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


@pytest.mark.parametrize(
    "choice", [("--detector", "yunet"), ("--backbone", "edgeface-xs")], ids=["detector", "backbone"]
)
def test_missing_weights(
    vcn: Vcn, real_loading: Path, faceless_film: Path, choice: tuple[str, str]
) -> None:
    outcome = vcn("cluster", faceless_film, "-q", *choice)
    refuses(outcome, 4, f"{choice[1]}: no file {real_loading}", f"vcn models pull {choice[1]}")


@pytest.mark.parametrize(
    "choice", [("--detector", "yunet"), ("--backbone", "edgeface-xs")], ids=["detector", "backbone"]
)
def test_wrong_weights(
    vcn: Vcn, real_loading: Path, faceless_film: Path, choice: tuple[str, str]
) -> None:
    file = registry.MODELS[choice[1]].files[0]
    (real_loading / file.name).write_bytes(b"something else")
    outcome = vcn("cluster", faceless_film, "-q", *choice)
    refuses(outcome, 4, "has sha256", f"expected {file.sha256}")
    assert (real_loading / file.name).read_bytes() == b"something else"


@pytest.mark.parametrize("option", ["--detector", "--backbone"])
@pytest.mark.parametrize("name", ["arcface-r9000", "swapped"])
def test_unknown_model_is_refused_before_any_work(
    vcn: Vcn, real_loading: Path, faceless_film: Path, option: str, name: str
) -> None:
    if name == "swapped":
        name = "dlib" if option == "--detector" else "mtcnn"
    refuses(vcn("cluster", faceless_film, "-q", option, name), 4, name)
    steps = Path("faceless.vcn/run.json")
    assert not steps.exists() or json.loads(steps.read_text())["steps"].keys() <= {"video"}


@pytest.mark.parametrize(
    ("settings", "want"),
    [
        (("cluster.choose=frozen/best",), "no candidate 'frozen/best'"),
        (("cluster.algorithm=paper",), "needs a named rule"),
        (("cluster.algorithm=paper", "cluster.choose=frozen/own"), "needs a named rule"),
    ],
)
def test_impossible_choice_is_told_before_the_film_is_looked_at(
    vcn: Vcn, drawn_film: Path, tmp_path: Path, settings: tuple[str, ...], want: str
) -> None:
    flags = [part for setting in settings for part in ("--set", setting)]
    outcome = vcn("cluster", drawn_film, "-o", tmp_path / "run", *flags)
    assert outcome.code == 2 and want in outcome.complaint
    assert not (tmp_path / "run").exists()


def test_missing_detector_is_told_before_the_film_is_looked_at(
    vcn: Vcn, drawn_film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "none"))
    outcome = vcn("cluster", drawn_film, "-o", tmp_path / "run", "--detector", "yunet", "-q")
    assert outcome.code == 4 and "vcn models pull yunet" in outcome.complaint
    assert not (tmp_path / "run" / "parts").exists()
