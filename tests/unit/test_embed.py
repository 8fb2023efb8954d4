"""Embeddings of a film: seams between parts, a stop, another seed; none of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from tests import tables
from tests.unit.test_heads import SmallNet, single_threaded
from tests.unit.test_supply import Toy, toy
from videoclusternet.config import EmbedConfig
from videoclusternet.embed import embed as module
from videoclusternet.embed.embed import embed_crops
from videoclusternet.errors import Cancelled
from videoclusternet.runfolder.folder import FolderParts
from videoclusternet.types import Embeddings, Table

one_thread = pytest.fixture(autouse=True)(single_threaded)
FILM = toy(people=2, tracks=6, crops=3)


class Counting(SmallNet):
    """Counts the pictures that it is shown."""

    seen = 0

    def early(self, x: Tensor) -> Tensor:
        self.seen += len(x)
        return super().early(x)


def embedded(film: Toy, model: SmallNet, seed: int = 0, **more: object) -> Embeddings:
    return embed_crops(
        tables.crops(film.track.tolist(), film.tracks),
        tables.tracks([(t, 0, 99) for t in range(film.tracks)]),
        film.take,
        model,
        EmbedConfig(batch=16),
        seed,
        **more,  # type: ignore[arg-type]
    )


def test_seams_between_parts_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = embedded(FILM, SmallNet())
    assert len(whole) == 18 and np.isfinite(whole.views).all()
    for part in (1, 4, 5, 18):
        monkeypatch.setattr(module, "PART", part)
        found = embedded(FILM, SmallNet())
        assert found.crop.tolist() == whole.crop.tolist()
        for name in ("base", "views", "quality"):
            np.testing.assert_allclose(getattr(found, name), getattr(whole, name), atol=1e-6)


def test_a_stopped_film_goes_on_after_the_last_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 7)
    whole = embedded(FILM, SmallNet())

    def stop(done: int, total: int) -> None:
        assert total == 18
        if done > 9:
            raise Cancelled("enough")

    parts = FolderParts(tmp_path / "parts")
    with pytest.raises(Cancelled):
        embedded(FILM, SmallNet(), progress=stop, parts=parts)
    assert [p.name for p in parts.folder.iterdir()] == ["00000000-00000007"]
    model = Counting()
    assert embedded(FILM, model, parts=parts).digest == whole.digest
    assert model.seen == (18 - 7) * 8  # two clean pictures and six views of each


def test_another_seed_changes_views_only() -> None:
    first, fresh = embedded(FILM, SmallNet(), seed=0), embedded(FILM, SmallNet(), seed=1)
    assert np.array_equal(first.base, fresh.base) and not np.array_equal(first.views, fresh.views)
    model = Counting()
    again = embedded(FILM, model, seed=1, clean=first)
    assert model.seen == 18 * 6
    for name in ("base", "views", "quality"):
        np.testing.assert_allclose(getattr(again, name), getattr(fresh, name), atol=1e-6)


def test_what_is_clean_is_taken_as_it_is() -> None:
    first = embedded(FILM, SmallNet(), seed=0)
    marked = replace(first, base=first.base + 1, quality=first.quality / 2)
    again = embedded(FILM, SmallNet(), seed=1, clean=marked)
    assert np.array_equal(again.base, marked.base)
    assert np.array_equal(again.quality, marked.quality)


def test_a_film_without_faces(tmp_path: Path) -> None:
    class Nowhere:
        def read(self, name: str, kinds: Sequence[type[Table]]) -> None:
            return None

        def write(self, name: str, kept: Sequence[Table]) -> None:
            assert [len(table.arrays()["track"]) for table in kept] == [0]

    nobody = Toy(FILM.pixels[:0], FILM.track[:0], FILM.person[:0])
    found = embedded(nobody, SmallNet(), parts=Nowhere())
    assert found.base.shape == (0, 8) and found.views.shape == (0, 6, 8) and found.tracks == 0
    assert embedded(nobody, SmallNet(), seed=1, clean=found).digest == found.digest
