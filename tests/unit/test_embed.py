"""Embeddings of a film: seams between parts, a stop, another seed; none of them shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests import tables
from tests.unit.test_heads import SmallNet, single_threaded
from tests.unit.test_supply import Toy, toy
from videoclusternet.config import EmbedConfig
from videoclusternet.embed import embed as module
from videoclusternet.embed.embed import embed_crops, embed_views
from videoclusternet.embed.views import clean_inputs
from videoclusternet.engine.work import ALONE, Work
from videoclusternet.errors import Cancelled
from videoclusternet.runfolder.folder import FolderParts
from videoclusternet.types import Embeddings, Views

one_thread = pytest.fixture(autouse=True)(single_threaded)
FILM = toy(people=2, tracks=6, crops=3)


class Counting(SmallNet):
    """Counts the pictures that it is shown."""

    seen = 0

    def early(self, x: Tensor) -> Tensor:
        self.seen += len(x)
        return super().early(x)


def given(film: Toy, model: SmallNet, **settings: Any) -> tuple[Any, ...]:
    return (
        tables.crops(film.track.tolist(), film.tracks),
        tables.tracks([(t, 0, 99) for t in range(film.tracks)]),
        film,
        lambda: model,
        EmbedConfig(**{"batch": 16, "view_crops": 0, **settings}),
    )


def clean(film: Toy, model: SmallNet, work: Work = ALONE) -> Embeddings:
    return embed_crops(*given(film, model), work=work)


def augmented(film: Toy, model: SmallNet, seed: int = 0, work: Work = ALONE) -> Views:
    return embed_views(*given(film, model), seed, work=work)


BOTH: list[tuple[Callable[..., Any], int]] = [(clean, 2), (augmented, 6)]
"""What is made, and pictures of each crop that the model sees for it."""


def test_seams_between_parts_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, views = clean(FILM, SmallNet()), augmented(FILM, SmallNet())
    assert len(whole) == len(views) == 18 and np.isfinite(views.base).all()
    for part in (1, 4, 5, 18):
        monkeypatch.setattr(module, "PART", part)
        found = clean(FILM, SmallNet())
        assert found.crop.tolist() == whole.crop.tolist()
        np.testing.assert_allclose(found.base, whole.base, atol=1e-6)
        np.testing.assert_allclose(found.quality, whole.quality, atol=1e-6)
        np.testing.assert_allclose(augmented(FILM, SmallNet()).base, views.base, atol=1e-6)


@pytest.mark.parametrize(("make", "pictures"), BOTH)
def test_a_stopped_film_goes_on_after_the_last_part(
    make: Callable[..., Any], pictures: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 9)
    whole = make(FILM, SmallNet())

    def stop(done: int, total: int) -> None:
        assert total == 18
        if done > 8:
            raise Cancelled("enough")

    parts = FolderParts(tmp_path / "parts")
    with pytest.raises(Cancelled):
        make(FILM, SmallNet(), work=Work(progress=stop, parts=parts))
    assert [p.name for p in parts.folder.iterdir()] == ["00000000-00000009"]
    model = Counting()
    assert make(FILM, model, work=Work(parts=parts)).digest == whole.digest
    assert model.seen == (18 - 9) * pictures


def test_views_are_made_of_the_crop_in_the_middle_of_each_track() -> None:
    every = augmented(FILM, SmallNet())
    middle = embed_views(*given(FILM, SmallNet(), view_crops=1), 0)
    rows = [np.flatnonzero(FILM.track == t) for t in np.unique(FILM.track)]
    assert middle.row.tolist() == [mine[len(mine) // 2] for mine in rows]
    # The same views of it as where all are made.
    np.testing.assert_allclose(middle.base, every.base[middle.row], atol=1e-6)


def test_another_seed_gives_other_views() -> None:
    first, fresh = augmented(FILM, SmallNet(), seed=0), augmented(FILM, SmallNet(), seed=1)
    assert not np.array_equal(first.base, fresh.base)
    assert first.digest == augmented(FILM, SmallNet(), seed=0).digest


def test_mirror_images_are_averaged() -> None:
    net, canvas = SmallNet(), torch.from_numpy(FILM.canvases)
    with torch.no_grad():
        inputs = clean_inputs(canvas, net)
        seen = (net(inputs), net(inputs.flip(-1)))
    np.testing.assert_allclose(clean(FILM, net).base, (seen[0] + seen[1]) / 2, atol=1e-5)
    plain = embed_crops(*given(FILM, net, mirror=False))
    np.testing.assert_allclose(plain.base, seen[0], atol=1e-5)


def test_a_film_without_faces(tmp_path: Path) -> None:
    nobody = Toy(FILM.canvases[:0], FILM.track[:0], FILM.person[:0])
    parts = FolderParts(tmp_path / "parts")
    found = clean(nobody, SmallNet(), Work(parts=parts))
    views = augmented(nobody, SmallNet(), work=Work(parts=parts))
    assert found.base.shape == (0, 8) and views.base.shape == (0, 6, 8) and found.tracks == 0
