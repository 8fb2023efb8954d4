"""Start timecode, reel and sound, read from real files; old and strange runs."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests import tables
from tests.sheets import RATES
from videoclusternet.config import Config
from videoclusternet.events import silent
from videoclusternet.film.video import open_video
from videoclusternet.result.result import open_run
from videoclusternet.runfolder.manifest import MANIFEST, manifest_text
from videoclusternet.runfolder.steps import Run
from videoclusternet.sources.tags import read_tags
from videoclusternet.types.clock import Clock, Tags

SOUND = 44100


def write_film(
    path: Path,
    rate: str = "25",
    of_picture: dict[str, str] | None = None,
    of_file: dict[str, str] | None = None,
    sound: bool = False,
    frames: int = 10,
) -> Path:
    """A grey film that says these things of itself."""
    with av.open(str(path), "w") as container:
        container.metadata.update(of_file or {})
        picture = container.add_stream("mpeg4", Fraction(rate))
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.metadata.update(of_picture or {})
        audio = container.add_stream("aac", SOUND, layout="stereo") if sound else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90 + number, np.uint8))
            frame.pts, frame.time_base = number, 1 / Fraction(rate)
            container.mux(picture.encode(frame))
        container.mux(picture.encode())
        if audio is not None:
            silence = np.zeros((2, 1024), np.float32)
            made = av.AudioFrame.from_ndarray(silence, format="fltp", layout="stereo")
            made.sample_rate, made.pts = SOUND, 0
            container.mux([*audio.encode(made), *audio.encode()])
    return path


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        *((rate, "00:59:50:00") for rate in RATES),
        ("30000/1001", "00:59:50;00"),
        ("60000/1001", "00:59:50;00"),
    ],
)
def test_timecode_tracks_of_quicktime_are_read(rate: str, said: str, tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mov", rate, {"timecode": said, "reel_name": "A001C002"})
    video = open_video(film)
    tags = read_tags(video)
    assert tags == Tags(said, "A001C002")
    clock = Clock.of(video, tags.timecode)
    assert (clock.rate, clock.timecode(0), clock.drop) == (Fraction(rate), said, ";" in said)
    assert clock.video is None


@pytest.mark.parametrize(
    ("ending", "named"), [("mkv", "timecode"), ("mp4", "timecode"), ("avi", "ISMP")]
)
def test_a_timecode_tag_of_the_file_is_read(ending: str, named: str, tmp_path: Path) -> None:
    film = write_film(tmp_path / f"a.{ending}", of_file={named: "10:00:00:00"})
    assert read_tags(open_video(film)).timecode == "10:00:00:00"


def test_sound_is_told(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", sound=True)
    assert read_tags(open_video(film)) == Tags("", "", 2, SOUND)


def test_a_file_that_says_nothing_and_one_that_is_gone(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mkv")
    video = open_video(film)
    assert read_tags(video) == Tags()
    film.unlink()
    assert read_tags(video) == Tags()


@pytest.mark.parametrize("said", ["nonsense", "99:00:00:00", "01:00:00;00", ""])
def test_a_file_may_say_anything(said: str) -> None:
    film = tables.film(tables.tracks([]), with_video=tables.video(20, "25"))
    object.__setattr__(film, "tags", Tags(said))
    assert film.clock.timecode(0) == "00:00:00:00"


def test_a_run_keeps_what_its_film_says(drawn_run: Path, tmp_path: Path) -> None:
    """The drawn film says nothing; a run of one that does has it in run.json."""
    said = Tags("00:59:50:00", "A001", 2, SOUND)
    run = Path(shutil.copytree(drawn_run, tmp_path / "run"))
    manifest = json.loads((run / MANIFEST).read_text())
    assert open_run(run).films[0].tags == Tags() and set(manifest["films"][0]) == {
        "path",
        "content",
    }
    manifest["films"][0] |= asdict(said)
    (run / MANIFEST).write_text(manifest_text(manifest))
    film = open_run(run).films[0]
    assert film.tags == said and film.clock.timecode(0) == "00:59:50:00"


@dataclass(frozen=True)
class Told:
    """A source that says something of itself."""

    tags: Tags
    path: str = "film.mov"
    content: str = "0" * 64
    names: tuple[str, ...] = ()


def test_a_run_records_only_what_was_said(tmp_path: Path) -> None:
    with Run.open(tmp_path / "run", Config(), silent) as run:
        run.begin([Told(Tags(reel="A001", channels=2))])
        assert run.store.manifest["films"] == [
            {"path": "film.mov", "content": "0" * 64, "reel": "A001", "channels": 2}
        ]
        run.begin([Told(Tags("01:00:00:00"))])  # the same film, looked at again
        assert run.store.manifest["films"][0]["timecode"] == "01:00:00:00"
