"""Degraded looks: reproducible, each way does what its name says, the face stays."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from tests.oracle.test_views import canvas
from videoclusternet.embed import degraded as ways
from videoclusternet.embed.degraded import WAYS, degrade, degraded
from videoclusternet.types.arrays import Float32


def speckled() -> Float32:
    """A picture with detail at every scale."""
    noise = np.random.default_rng(0).normal(0, 25, (144, 144, 1))
    return np.asarray((canvas(1) + noise).clip(0, 255), dtype=np.float32)


def looks(way: Callable[..., Float32], count: int = 12) -> list[Float32]:
    picture = speckled()
    kept = picture.copy()
    found = [way(picture, np.random.default_rng(n)) for n in range(count)]
    assert np.array_equal(picture, kept)
    assert all(x.shape == (144, 144, 3) and np.isfinite(x).all() for x in found)
    return found


def detail(picture: Float32) -> float:
    return float(np.abs(cv2.Laplacian(picture.mean(2).astype(np.float64), cv2.CV_64F)).mean())


def test_seed_and_row_decide_a_look() -> None:
    pictures = np.stack([canvas(0), canvas(1)])
    made = degraded(pictures, np.array([5, 9]), 3, 7)
    assert made.shape == (2, 3, 144, 144, 3) and made.dtype == np.uint8
    assert np.array_equal(made[1:], degraded(pictures[1:], np.array([9]), 3, 7))
    assert np.array_equal(made[0, 2], degrade(pictures[0], (7, 5, 2)))
    assert len({look.tobytes() for look in made.reshape(-1, 144, 144, 3)}) == 6
    assert not np.array_equal(made, degraded(pictures, np.array([5, 9]), 3, 8))


@pytest.mark.parametrize("grey", [0, 255])
def test_pictures_of_one_colour(grey: int) -> None:
    picture = np.full((144, 144, 3), grey, dtype=np.uint8)
    assert all(degrade(picture, (n,)).shape == picture.shape for n in range(30))


def test_the_face_stays() -> None:
    """What is degraded still looks more like its own picture than like another."""
    a, b = canvas(0), canvas(1)

    def like(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.corrcoef(x.ravel(), y.ravel())[0, 1])

    closer = [like(degrade(a, (n,)), a) > like(degrade(a, (n,)), b) for n in range(60)]
    assert np.mean(closer) > 0.95


@pytest.mark.parametrize("way", [ways._out_of_focus, ways._far_away, ways._moving])
def test_detail_is_lost(way: Callable[..., Float32]) -> None:
    sharp = detail(speckled())
    assert all(detail(look) < 0.8 * sharp for look in looks(way))


def test_darkness_takes_light_and_brings_noise() -> None:
    picture = np.full((144, 144, 3), 180, dtype=np.float32)
    found = [ways._dark(picture, np.random.default_rng(n)) for n in range(20)]
    assert all(look.mean() < 150 and look.std() > 1 for look in found)
    assert all(look.min() >= 0 and look.max() <= 255 for look in found)


def test_light_from_a_side_falls_off() -> None:
    for look in looks(ways._lit_from_a_side):
        gain = look.mean(2) / speckled().mean(2).clip(1)
        sides = [gain[:, :40].mean(), gain[:, -40:].mean(), gain[:40].mean(), gain[-40:].mean()]
        assert max(sides) - min(sides) > 0.05 and gain.max() <= 1.01


def test_a_cover_has_one_colour_and_leaves_the_rest() -> None:
    picture = speckled()
    for look in looks(ways._covered):
        changed = (look != picture).any(2)
        assert 0.03 < changed.mean() < 0.5
        assert len(np.unique(look[changed], axis=0)) == 1


def test_tint_moves_colours_alone() -> None:
    grey = (speckled() @ ways.GREY).ravel()
    for look in looks(ways._tinted):
        assert not np.allclose(look, speckled(), atol=1)
        assert np.corrcoef((look @ ways.GREY).ravel(), grey)[0, 1] > 0.9


def test_compression_changes_little() -> None:
    picture = speckled()
    far = [float(np.abs(look - picture).mean()) for look in looks(ways._compressed)]
    assert min(far) > 0 and max(far) < 40


def test_every_way_comes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[int] = []

    def recorder(number: int) -> Callable[..., Float32]:
        return lambda picture, rng: called.append(number) or picture

    monkeypatch.setattr(ways, "WAYS", tuple(recorder(n) for n in range(len(WAYS))))
    seen, counts = set(), set()
    for n in range(200):
        called.clear()
        degrade(canvas(0), (n,))
        assert called == sorted(set(called))  # light, lens, file
        seen.update(called)
        counts.add(len(called))
    assert seen == set(range(8)) and counts == {1, 2, 3}
