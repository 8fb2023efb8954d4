"""What could not be read: counted once, placed, written down and read back, said in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tables
from tests.conftest import Vcn
from tests.drawn import FLAGS, SCENES, draw_film
from videoclusternet.engine.in_parts import in_parts, split
from videoclusternet.engine.work import Work
from videoclusternet.errors import StoreError
from videoclusternet.runfolder.folder import FolderParts, Store
from videoclusternet.show.words import unread_words
from videoclusternet.types import Damage, FrameScores, Unread, VideoInfo
from videoclusternet.types.unread import ABSENT, Stretch

STEADY = settings(derandomize=True, deadline=None, max_examples=100)
Frames = st.sets(st.integers(0, 40))


def film(frames: int = 50) -> VideoInfo:
    """A film of 10 frames a second."""
    numbers = np.arange(frames, dtype=np.int64)
    columns = {name: numbers for name in ("pts", "packet", "seek", "mark")}
    return VideoInfo(
        path="f.ts", content="", width=64, height=48, rate="10", base="1/10", end=frames,
        timed=True, stream=0, marked="count", key=np.ones(frames, bool), **columns,
    )  # fmt: skip


def of(frames: set[int]) -> Unread:
    return Unread.of_frames(film(), sorted(frames))


def frames_of(unread: Unread) -> set[int]:
    """Return all frame numbers, with a look at their times."""
    found: set[int] = set()
    for frame, count, start, stop in unread.spans:
        assert (start, stop) == (pytest.approx(frame / 10), pytest.approx((frame + count) / 10))
        found |= set(range(frame, frame + count))
    return found


@STEADY
@given(Frames, Frames)
def test_spans_are_sets_of_frames(a: set[int], b: set[int]) -> None:
    both = of(a) | of(b)
    assert frames_of(both) == a | b and both.count == len(a | b)
    assert both == of(a | b) == of(b) | of(a)
    assert Unread.recorded(json.loads(json.dumps(both.record()))) == both
    steps = np.diff([span.frame for span in both.spans])
    assert (steps > [span.frames for span in both.spans[:-1]]).all(), "spans that touch are one"


@STEADY
@given(st.sets(st.integers(1, 38), max_size=6))
def test_frames_missing_in_the_file_are_counted(missing: set[int]) -> None:
    kept = np.array(sorted(set(range(400)) - missing)) / 25
    found = Unread.between(kept, np.zeros(len(kept)), 10)
    assert found.count == found.absent == len(missing)
    assert all(span.frame == ABSENT for span in found.spans)
    inside = [n for n in missing for s in found.spans if s.start - 0.01 <= n / 25 < s.stop - 0.01]
    assert sorted(inside) == sorted(missing)


@pytest.mark.parametrize(
    ("steps", "lasts", "count"),
    [
        ([0.04] * 50, 0.0, 0),
        ([2 / 60, 3 / 60] * 25, 0.0, 0),  # telecine
        ([0.04] * 25 + [0.08] + [0.04] * 25, 0.0, 1),
        ([0.04] * 25 + [0.08] + [0.04] * 25, 0.08, 0),  # the file says that one lasts
        ([0.04] * 25 + [12.0] + [0.04] * 25, 0.0, 0),  # a pause, not a matter of frames
        ([0.04, 0.12, 0.04, 0.5, 0.04, 0.033] * 8, 0.0, 0),  # variable rate
        ([0.033, 0.034, 0.033] * 20, 0.0, 0),
    ],
)
def test_only_gaps_of_a_steady_rate_are_frames(
    steps: list[float], lasts: float, count: int
) -> None:
    times = np.cumsum([0.0, *steps])
    assert Unread.between(times, np.full(len(times), lasts), 10).count == count


def test_one_frame_has_no_gap() -> None:
    assert Unread.between(np.zeros(1), np.zeros(1), 10) == Unread()


def test_in_words() -> None:
    assert unread_words(Unread(), "f.ts", 50) == ""
    assert (
        unread_words(of({30}), "f.ts", 50) == "f.ts: 1 of 50 frames could not be read, at 0:00:03"
    )
    many = Unread(tuple(Stretch(n * 600, 40, n * 60.0, n * 60 + 4.0) for n in (1, 2)))
    said = "f.ts: 80 of 3000 frames could not be read, at 0:01:00-0:01:04 and 0:02:00-0:02:04"
    assert unread_words(many, "f.ts", 3000) == said
    near = of({1, 3, 5, 30})
    assert unread_words(near, "f", 50).endswith(
        "4 of 50 frames could not be read, at 0:00:00 and 0:00:03"
    )
    far = Unread(tuple(Stretch(n * 600, 1, n * 60.0, n * 60.1) for n in range(1, 7)))
    assert unread_words(far, "f", 9999).endswith("at 0:01:00, 0:02:00, 0:03:00 and 3 more places")
    gone = of({30}) | Unread((Stretch(ABSENT, 2, 1.0, 1.2),))
    said = "f: 3 of 52 frames are missing or could not be read, at 0:00:01 and 0:00:03"
    assert unread_words(gone, "f", 50) == said


@pytest.mark.parametrize(
    "spans",
    [
        5,
        "text",
        [5],
        [[]],
        [{}],
        [{"frame": 0, "frames": 0, "start": 0, "stop": 1}],
        [{"frame": -2, "frames": 1, "start": 0, "stop": 1}],
        [{"frame": 0, "frames": 1, "start": 2, "stop": 1}],
        [{"frame": 0, "frames": 1, "start": "x", "stop": 1}],
        [{"frame": 0, "frames": 1, "start": 0, "stop": 10**400}],
        [{"frame": 0, "frames": 1, "start": 0, "stop": None}],
    ],
)
def test_a_damaged_record_is_refused(spans: Any, tmp_path: Path) -> None:
    store = Store(tmp_path / "run", create=True)
    store.save("scan", "abc", [tables.scores([1.0])], {"inputs": [], "unread": spans})
    with pytest.raises(StoreError, match=r"run\.json is damaged"):
        _ = store.unread


def test_what_is_told_on_opening_is_sorted() -> None:
    said = Damage.of(["a", of({1}), "b\nc", of({2})])
    assert said == Damage(("a", "b\nc"), of({1, 2}))
    assert said.digest != Damage(("a", "b", "c"), of({1, 2})).digest != Damage().digest


def test_parts_keep_what_they_could_not_read(tmp_path: Path) -> None:
    def look(span: range, tell: Callable[[Any], None]) -> tuple[FrameScores]:
        if stopped and span.start == 20:
            raise KeyboardInterrupt
        tell(Unread.of_frames(film(), [max(span.start - 1, 0), span.start]))  # parts overlap
        return (tables.scores([float(n) for n in span]),)

    told: list[Unread] = []
    work = Work(unread=told.append, parts=FolderParts(tmp_path))
    stopped = True
    with pytest.raises(KeyboardInterrupt):
        in_parts(split(40, 10), look, (FrameScores,), work)
    assert told == []
    stopped = False
    in_parts(split(40, 10), look, (FrameScores,), work)
    assert told == [of({0, 9, 10, 19, 20, 29, 30})]


def damaged(path: Path) -> Path:
    """A film of six seconds in which a stretch of the second second is noise."""
    data = bytearray(draw_film(path, SCENES * 2).read_bytes())
    start, stop = data.index(b"mdat"), data.index(b"moov")
    low, high = start + (stop - start) // 5, start + (stop - start) // 3
    data[low:high] = np.random.default_rng(0).bytes(high - low)
    path.write_bytes(data)
    return path


@pytest.mark.usefixtures("fake_models")
def test_a_film_says_once_what_could_not_be_read(
    vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    film = damaged(tmp_path / "film.mp4")
    parts = ("--set", "faces.part=100")
    quiet = vcn("cluster", film, "-q", *FLAGS, *parts)
    (line,) = quiet.err.splitlines()
    assert (
        line.startswith("vcn: warning: film.mp4: ")
        and "of 144 frames could not be read, at " in line
    )
    assert quiet.out == ""
    record = json.loads((tmp_path / "film.vcn" / "run.json").read_text())["steps"]["scan"]
    lost = sum(span["frames"] for span in record["unread"])
    assert f" {lost} of 144 " in line and lost > 1
    assert all(0 <= span["start"] < span["stop"] <= 6 for span in record["unread"])
    # Read again, said again; in the table and on the page, once each.
    assert vcn("cluster", film, "-q", *FLAGS, *parts).err == quiet.err
    said = line.removeprefix("vcn: warning: ")
    assert " ".join(vcn("show", "film.vcn").out.split()).count(said) == 1
    page = (tmp_path / "film.vcn" / "cast.html").read_text().lower()
    assert page.count("could not be read") == 1
    # In one part or two, the same frames: the second begins after the damage.
    assert vcn("cluster", film, "-q", *FLAGS, "-o", "whole.vcn").err == quiet.err
    whole = json.loads((tmp_path / "whole.vcn" / "run.json").read_text())["steps"]["scan"]
    assert whole["unread"] == record["unread"]
    loud = vcn("cluster", film, *FLAGS, "-o", "loud.vcn")
    assert " ".join(loud.err.split()).count("could not be read") == 1


@pytest.mark.usefixtures("fake_models")
def test_a_film_that_breaks_off_says_so_in_quiet(
    vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    film = tmp_path / "film.mkv"
    with av.open(str(draw_film(tmp_path / "film.mp4"))) as source, av.open(str(film), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    assert vcn("cluster", film, "-q", *FLAGS, "-o", "clean.vcn").err == ""
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    outcome = vcn("cluster", film, "-q", *FLAGS, "-o", "cut.vcn")
    assert outcome.code == 0
    assert outcome.err.count("vcn: warning: film.mkv breaks off: ") == 1
    assert (
        vcn("cluster", film, "-q", "--log-json", *FLAGS, "-o", "cut2.vcn").err.count("warning") == 0
    )
