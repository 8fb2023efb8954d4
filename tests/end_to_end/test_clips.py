"""Real clips with the embedded networks, sound and damaged; skipped where they are absent."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Vcn
from videoclusternet import Event, Result, cluster_film, open_run
from videoclusternet.errors import VideoError
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.types import Damage, Unread, VideoInfo
from videoclusternet_bench.data.truth import read_truth

pytestmark = pytest.mark.data


@pytest.fixture
def clips(shared_data: Path) -> Path:
    """The folder of clips."""
    folder = shared_data / "clips"
    if not folder.is_dir():
        pytest.skip("the clips are not beside this checkout")
    return folder


def run(film: Path, folder: Path) -> tuple[Result, VideoInfo, list[str]]:
    """Cluster a clip; check what holds for every run; return what was said of damage."""
    events: list[Event] = []
    result = cluster_film(film, folder / "run", hook=events.append)
    info, shots, faces = (getattr(result.films[0], name) for name in ("video", "shots", "faces"))
    assert shots.start[0] == 0 and shots.stop[-1] == info.frames
    tracks = result.tracks
    assert (tracks.first >= shots.start[tracks.shot]).all()
    assert (tracks.last < shots.stop[tracks.shot]).all()
    assert (faces.frame < info.frames).all()
    middle = (faces.box[:, :2] + faces.box[:, 2:]) / 2
    assert ((middle > -0.1 * info.width) & (middle < [1.1 * info.width, 1.1 * info.height])).all()
    known = result.cast.character >= 0
    assert np.isfinite(result.cast.confidence[known]).all()
    assert set(result.cast.character[known].tolist()) == set(range(result.cast.characters))
    for a, b in tracks.overlapping():
        assert not known[a] or result.cast.character[a] != result.cast.character[b]
    assert (result.folder / "cast.html").stat().st_size > 1000
    notes = [event for event in events if event.kind == "note"]
    said = [event.message for event in notes if event.step == "detector_size"]
    assert len(said) == (max(info.width, info.height) > 711)
    return result, info, [event.message for event in notes if event.step != "detector_size"]


@pytest.mark.parametrize(
    ("name", "frames", "size", "seconds"),
    [
        ("counter.mp4", 30, (1920, 1080), 3.0),
        ("delayed_start.mp4", 24, (480, 320), 0.96),
        ("fades.mp4", 250, (480, 320), 10.0),
        ("goldeneye-vfr-drop3.mp4", 160, (1280, 544), 9.968),
        ("issue-134-rotate.mp4", 240, (544, 1280), 10.01),
        ("issue-195-aspect-ratio.mp4", 628, (1024, 576), 25.12),
        ("short_hamilton_clip.mp4", 275, (640, 360), 10.020),
        ("friends.mp4", 3128, (640, 360), 130.464),
        ("faults/five_frames.mp4", 5, (820, 460), 0.2085),
        ("faults/one_frame.mp4", 1, (320, 240), 0.04),
    ],
)
def test_size_length_and_times(
    clips: Path, name: str, frames: int, size: tuple[int, int], seconds: float
) -> None:
    notes: list[str | Unread] = []
    info = open_video(clips / name, notes.append)
    assert (info.frames, (info.width, info.height)) == (frames, size)
    assert info.seconds(info.frames) == pytest.approx(seconds, abs=0.002)
    begins = 0.844 if "hamilton" in name else 0  # sound comes first there
    assert info.times[0] == pytest.approx(begins, abs=0.001)
    assert (np.diff(info.times) > 0).all()
    wanted = sorted({0, frames // 2, frames - 1})
    found = [frame.number for frame in read_frames(info, wanted, notes.append)]
    assert found == wanted and Damage.of(notes) == Damage()


def test_variable_rate_is_seen(clips: Path) -> None:
    steps = np.diff(open_video(clips / "goldeneye-vfr-drop3.mp4").times)
    # Every third frame was dropped: steps of one frame and of two.
    assert sorted(set(np.round(steps * 24000 / 1001).astype(int))) == [1, 2]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("truncated_no_index.mp4", "cannot be opened as a film"),
        ("empty.mp4", "is empty"),
        ("not_a_video.mp4", "cannot be opened as a film"),
        ("audio_only.mp4", "has no picture"),
        ("undecodable_5.mp4", "has no picture"),
        ("undecodable_10.mp4", "has no picture"),
        ("undecodable_15.mp4", "has no picture"),
    ],
)
def test_clip_that_cannot_be_read(clips: Path, name: str, words: str, vcn: Vcn) -> None:
    outcome = vcn("cluster", clips / "faults" / name)
    assert outcome.code == VideoError.exit_code == 3
    assert words in outcome.complaint and name in outcome.complaint


@pytest.mark.parametrize("name", ["one_frame.mp4", "black_2s.mp4"])
def test_clip_with_nobody(clips: Path, name: str, tmp_path: Path) -> None:
    result, _, notes = run(clips / "faults" / name, tmp_path)
    assert len(result.cast) == 0 and notes == []


def test_clip_of_five_frames(clips: Path, tmp_path: Path) -> None:
    result, info, notes = run(clips / "faults" / "five_frames.mp4", tmp_path)
    assert info.frames == 5 and notes == [] and len(result.cast) <= 2


def test_clip_with_a_late_start(clips: Path, tmp_path: Path) -> None:
    result, info, _ = run(clips / "delayed_start.mp4", tmp_path)
    assert info.seconds(0) == 0 and result.films[0].seconds(23) == pytest.approx(0.92)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("counter.mp4", 0, 1),
        ("fades.mp4", 0, 8),
        ("goldeneye-vfr-drop3.mp4", 0, 6),
        ("issue-134-rotate.mp4", 0, 6),
        ("issue-195-aspect-ratio.mp4", 0, 20),
        ("short_hamilton_clip.mp4", 1, 12),
        ("nggyup.mp4", 1, 3),
        ("dirtydancing.mp4", 2, 20),
        ("facenet_pytorch_crowd.mp4", 2, 30),
        ("faults/no_face.mp4", 0, 0),
    ],
)
def test_clip_from_end_to_end(
    clips: Path, name: str, least: int, most: int, tmp_path: Path
) -> None:
    result, _, notes = run(clips / name, tmp_path)
    assert notes == []
    assert least <= result.cast.characters <= most


@pytest.mark.slow
def test_friends_from_end_to_end(clips: Path, tmp_path: Path) -> None:
    """Six people; shots with one name in the truth belong mostly to one character each."""
    result, info, notes = run(clips / "friends.mp4", tmp_path)
    assert notes == [] and info.frames == 3128
    assert len(result.cast) > 40 and 4 <= result.cast.characters <= 20


@pytest.mark.slow
def test_clip_cut_off_in_the_middle(clips: Path, tmp_path: Path) -> None:
    result, info, notes = run(clips / "faults" / "truncated_middle.mp4", tmp_path)
    assert 201 <= info.frames < 210 and result.cast.characters >= 1
    assert any("truncated_middle.mp4 breaks off: 8.6 of 130.5 s are there" in n for n in notes)
    record = json.loads((result.folder / "run.json").read_text())["steps"]["scan"]
    assert all(span["stop"] <= 8.6 for span in record["unread"])
    assert any("could not be read, at 0:00:0" in note for note in notes)


@pytest.mark.slow
def test_clip_with_corrupted_bytes(clips: Path, tmp_path: Path) -> None:
    result, info, notes = run(clips / "faults" / "corrupted_bytes.mp4", tmp_path)
    assert info.frames == 275 and result.cast.characters >= 1
    assert any("of 275 frames could not be read, at" in note for note in notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own", "usable", "least"), [(True, 58, 0.75), (False, 45, 0.35)], ids=["edgeface", "default"]
)
def test_small_faces_of_a_sitcom_are_told_and_lamps_are_not(
    own: bool, usable: int, least: float, shared_data: Path, clips: Path,
    request: pytest.FixtureRequest, vcn: Vcn, tmp_path: Path,
) -> None:  # fmt: skip
    models = []
    if own:
        weights = request.getfixturevalue("shared_weights")
        models = ["--detector", f"yunet={weights / 'yunet_n_dynamic.onnx'}"]
        models += ["--backbone", f"edgeface-xs={weights / 'edgeface_xs_q.pt'}"]
    run = tmp_path / "run"
    assert vcn("cluster", clips / "friends.mp4", "-o", run, *models).code == 0
    scores = json.loads(vcn("score", run, shared_data / "friends_tracks", "--json").out)
    assert scores["visible"] == 75 and scores["usable"] >= usable
    assert scores["bcubed_f_dagger"] >= least
    result = open_run(run)
    (judgement,) = [film.judgement for film in result.films]
    assert judgement is not None and judgement.measured
    assert (judgement.least_size <= 16) if own else (14 <= judgement.least_size <= 24)
    # What nobody labelled may be a true face; but a character needs one that somebody did.
    names = read_truth(shared_data / "friends_tracks", result).label
    true = {int(c) for c, name in zip(result.cast.character, names, strict=True) if name}
    assert true >= set(range(result.cast.characters))
