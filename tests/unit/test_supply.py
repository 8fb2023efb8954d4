"""Views for training and looks at crops: order, chance, what is kept; a toy film for others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from tests import tables
from tests.oracle.test_views import canvas
from tests.unit.test_heads import DEPTHS, SmallNet, origin, single_threaded
from videoclusternet.adapt.heads import Depth, Learner, make_pair
from videoclusternet.adapt.supply import SPREAD, Fresh, Kept, Supply, in_order, make_supply
from videoclusternet.config import AdaptConfig, Config, EmbedConfig
from videoclusternet.embed.degraded import degraded
from videoclusternet.embed.embed import embed_crops, embed_views
from videoclusternet.embed.views import clean_inputs, make_views, plan_views
from videoclusternet.errors import ConfigError
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.types import Embeddings, Views

one_thread = pytest.fixture(autouse=True)(single_threaded)
SEED = 3
HALF = {"atol": 4e-3, "rtol": 2e-3}
"""Kept values have half precision."""


@dataclass(frozen=True, eq=False)
class Toy:
    """Face tracks of some people who look as different as noise can make them."""

    canvases: np.ndarray
    track: np.ndarray
    person: np.ndarray

    @property
    def tracks(self) -> int:
        return len(self.person)

    def pixels(self, rows: np.ndarray) -> np.ndarray:
        return self.canvases[rows]

    def embedded(
        self, model: FaceModel, embed: EmbedConfig | None = None, seed: int = SEED
    ) -> tuple[Embeddings, Views]:
        crops = tables.crops(self.track.tolist(), self.tracks)
        spans = tables.tracks([(t, 0, 99) for t in range(self.tracks)])
        given = (crops, spans, self, lambda: model, embed or EmbedConfig(view_crops=0))
        return embed_crops(*given), embed_views(*given, seed)


@cache
def toy(people: int = 2, tracks: int = 6, crops: int = 2, noise: float = 12.0) -> Toy:
    """Each track shows one person, in a light of its own; each crop has noise of its own."""
    rng = np.random.default_rng(0)
    person, track = np.arange(tracks) % people, np.repeat(np.arange(tracks), crops)
    faces = np.stack([canvas(p) for p in range(people)])
    light = rng.uniform(0.85, 1.15, (tracks, 1, 1, 3))
    pixels = faces[person[track]] * light[track] + rng.normal(0, noise, (len(track), 144, 144, 3))
    return Toy(pixels.clip(0, 255).astype(np.uint8), track, person)


def learner_of(depth: Depth, model: FaceModel | None = None, **settings: object) -> Learner:
    model = model or SmallNet()
    config = AdaptConfig.model_validate({"head": "none", **settings})
    return make_pair(model, config, depth, origin(model), 0)[0]


@cache
def supply_of(
    depth: Depth,
    embed: EmbedConfig | None = None,
    pool: tuple[int, int] = (2, 3),
    objective: str = "eq2",
    seen: tuple[int, ...] = tuple(range(12)),
) -> Supply:
    film = toy()
    config = AdaptConfig.model_validate({"pool": pool, "objective": objective, "head": "none"})
    faces = (film.pixels, len(film.track), np.array(seen), learner_of(depth))
    return make_supply(*faces, config, embed or EmbedConfig(), SEED)


ANCHOR, PARTNER = np.array([0, 7, 3, 3, 9]), np.array([1, 10, 3, 5, 11])


def views(supply: Supply, part: list[int] | None = None, seed: int = 11) -> Tensor:
    rows = np.arange(5) if part is None else np.array(part)
    return supply.views(ANCHOR, PARTNER, rows, seed)


# --- order -----------------------------------------------------------------------------


def test_order_of_the_six_views() -> None:
    """Global of the anchor and of the partner, two local ones of either."""
    anchors, partners = [[1, 2, 3], [4, 5, 6]], [[-1, -2, -3], [-4, -5, -6]]
    found = in_order(torch.tensor(anchors + partners))
    assert found.tolist() == [[1, -1, 2, 3, -2, -3], [4, -4, 5, 6, -5, -6]]


class Plain(SmallNet):
    """Enters with the pictures themselves at every depth."""

    def normalise(self, pixels: Tensor) -> Tensor:
        return pixels

    def early(self, x: Tensor) -> Tensor:
        return x


@pytest.mark.parametrize("depth", ["all", "last-stage"])
def test_views_are_of_anchor_and_partner_in_turn(depth: Depth) -> None:
    """Crops of one colour each: whatever is cut out of them, the colour tells them apart."""
    shade = 2.0 ** np.arange(-4, 8)
    pixels = np.zeros((12, 144, 144, 3), dtype=np.float32) + shade[:, None, None, None]
    learner, config = learner_of(depth, Plain()), AdaptConfig(pool=(2, 3))
    faces = (lambda rows: pixels[rows], 12, np.arange(12), learner)
    supply = make_supply(*faces, config, EmbedConfig(), 0)
    green = views(supply)[:, :, 1].mean((2, 3)).log2().numpy()
    whose = np.stack([ANCHOR, PARTNER, ANCHOR, ANCHOR, PARTNER, PARTNER], axis=1)
    assert np.array_equal(np.abs(green[..., None] - np.log2(shade)).argmin(-1), whose)


def test_fresh_views_are_the_planned_ones() -> None:
    film = toy()
    supply, net = supply_of("all"), SmallNet()
    assert isinstance(supply, Fresh)
    found = views(supply)
    rows = np.concatenate([ANCHOR, PARTNER])
    plan = plan_views(10, 1, 2, 11)
    made = net.normalise(make_views(torch.from_numpy(film.pixels(rows)), plan, net).flatten(0, 1))
    made = made.view(10, 3, 3, 16, 16)
    torch.testing.assert_close(found[:, 0], made[:5, 0])
    torch.testing.assert_close(found[:, 1], made[5:, 0])
    torch.testing.assert_close(found[:, 2:4], made[:5, 1:])
    torch.testing.assert_close(found[:, 4:], made[5:, 1:])
    area = plan.area
    assert area[:, 0].min() >= 0.7 and area[:, 1:].max() <= 0.6


# --- chance ----------------------------------------------------------------------------


@pytest.mark.parametrize("depth", DEPTHS)
def test_parts_of_a_batch_are_rows_of_the_whole(depth: Depth) -> None:
    supply = supply_of(depth)
    whole = views(supply)
    assert whole.dtype == torch.float32 and whole.shape[:2] == (5, 6)
    for part in ([0], [1, 3], [4, 2], [0, 1, 2, 3, 4]):
        torch.testing.assert_close(views(supply, part), whole[part])


@pytest.mark.parametrize("depth", DEPTHS)
def test_seed_decides_the_views(depth: Depth) -> None:
    supply, again = supply_of(depth), supply_of.__wrapped__(depth)
    assert torch.equal(views(supply), views(again))
    assert not torch.allclose(views(supply), views(supply, seed=12))


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_crop_paired_with_itself_has_two_sets_of_views(depth: Depth) -> None:
    found = torch.cat([views(supply_of(depth), [2], seed) for seed in range(8)])
    assert not torch.allclose(found[:, 2:4], found[:, 4:])


def test_kept_views_come_from_the_pool_and_local_ones_differ() -> None:
    supply = supply_of("last-stage", pool=(3, 4))
    assert isinstance(supply, Kept)
    assert tuple(supply._pool.shape) == (12, 7, 6, 8, 8)
    pools = (supply._pool[:, :3], supply._pool[:, 3:])
    seen = set()
    for seed in range(40):
        for pair, six in enumerate(views(supply, seed=seed)):
            whose = [ANCHOR, PARTNER, ANCHOR, ANCHOR, PARTNER, PARTNER]
            which = []
            for n, view in enumerate(six):
                pool = pools[n > 1][whose[n][pair]].float()
                (place,) = np.flatnonzero([torch.equal(view, x) for x in pool])
                which.append(int(place))
            assert which[2] != which[3] and which[4] != which[5]
            seen.add(tuple(which[:1] + which[2:4]))
    assert len(seen) == 3 * 4 * 3  # every choice comes up


def test_smallest_pool() -> None:
    found = views(supply_of("last-stage", pool=(1, 1)))
    assert torch.equal(found[:, 2], found[:, 3])
    for pool in ("[0, 1]", "[1, 0]"):
        with pytest.raises(ConfigError, match=r"adapt\.pool"):
            Config.load(settings=[f"adapt.pool={pool}"])


# --- looks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "embed",
    [EmbedConfig(view_crops=0), EmbedConfig(view_crops=0, mirror=False, local_views=1)],
)
@pytest.mark.parametrize("depth", DEPTHS)
def test_untrained_learner_embeds_as_before(depth: Depth, embed: EmbedConfig) -> None:
    """Looks are what the frozen embeddings saw: clean, mirrored, and the same views."""
    film = toy()
    frozen, views = film.embedded(SmallNet(), embed)
    supply, learner = supply_of(depth, embed), learner_of(depth)
    assert supply.crops == 12
    rows = np.array([4, 0, 11])
    with torch.no_grad():
        plain, fixed = supply.plain(rows), supply.fixed(rows)
        assert plain.shape[:2] == (3, 1 + embed.mirror)
        assert fixed.shape[:2] == (3, embed.global_views + embed.local_views)
        seen, drawn = (
            learner.embed(x.flatten(0, 1)).view(*x.shape[:2], -1).numpy() for x in (plain, fixed)
        )
    np.testing.assert_allclose(seen.mean(1), frozen.base[rows], **HALF)
    np.testing.assert_allclose(drawn, views.base[rows], **HALF)


@pytest.mark.parametrize("depth", DEPTHS)
def test_views_are_fixed_of_the_crops_that_are_seen(depth: Depth) -> None:
    """Others have none: what nobody reads is not made."""
    some, every = supply_of(depth, seen=(1, 6, 7, 11)), supply_of(depth)
    assert torch.equal(some.fixed(np.array([6, 11, 1])), every.fixed(np.array([6, 11, 1])))
    assert torch.equal(some.plain(np.array([0, 5])), every.plain(np.array([0, 5])))
    if isinstance(some, Kept):
        assert len(some._fixed) == 4


@pytest.mark.parametrize("depth", ["last-stage", "head"])
def test_kept_looks_are_fresh_ones_in_half_precision(depth: Depth) -> None:
    film, learner, rows = toy(), learner_of(depth), np.arange(12)
    kept = supply_of(depth)
    plan, none = plan_views(12, 2, 4, SEED), torch.empty(12, 0, 144, 144, 3)
    fresh = Fresh(torch.from_numpy(film.canvases), learner, plan, True, none)
    with torch.no_grad():
        pairs = [(kept.plain(rows), fresh.plain(rows)), (kept.fixed(rows), fresh.fixed(rows))]
    for half, whole in pairs:
        assert half.dtype == torch.float32
        assert torch.equal(half, whole.half().float())


def test_blocks_change_nothing_and_are_told() -> None:
    told: list[tuple[int, int]] = []
    small = make_supply(
        toy().pixels, 12, np.arange(12), learner_of("last-stage"), AdaptConfig(pool=(2, 3)),
        EmbedConfig(batch=40), SEED, lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told == [(5, 12), (10, 12), (12, 12)]
    whole, rows = supply_of("last-stage", EmbedConfig(batch=4_000)), np.arange(12)
    torch.testing.assert_close(small.plain(rows), whole.plain(rows), **HALF)
    torch.testing.assert_close(small.fixed(rows), whole.fixed(rows), **HALF)
    torch.testing.assert_close(views(small), views(whole), **HALF)


# --- degraded looks --------------------------------------------------------------------


@pytest.mark.parametrize("depth", DEPTHS)
def test_degraded_looks_are_of_their_crops(depth: Depth) -> None:
    """Each is one of the looks of its own crop, and all of these come up."""
    film, learner, supply = toy(), learner_of(depth), supply_of(depth, objective="looks")
    spoilt = degraded(film.canvases, np.arange(12), 3, SEED + SPREAD)
    net = learner.backbone
    with torch.no_grad():
        every = net.normalise(clean_inputs(torch.from_numpy(spoilt).flatten(0, 1), net))
        every = learner.entry(every).unflatten(0, (12, 3))
        seen = set()
        for seed in range(20):
            for row, look in zip(ANCHOR, supply.degraded(ANCHOR, np.arange(5), seed), strict=True):
                far = (every - look).abs().flatten(2).amax(2)
                crop, which = np.unravel_index(int(far.argmin()), far.shape)
                assert far.min() < 2e-2 and crop == row
                seen.add(int(which))
    assert seen == {0, 1, 2}


@pytest.mark.parametrize("depth", DEPTHS)
def test_parts_of_a_batch_of_looks_are_rows_of_the_whole(depth: Depth) -> None:
    supply = supply_of(depth, objective="looks")
    whole = supply.degraded(ANCHOR, np.arange(5), 4)
    for part in ([0], [1, 3], [4, 2]):
        torch.testing.assert_close(supply.degraded(ANCHOR, np.array(part), 4), whole[part])
