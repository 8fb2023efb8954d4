"""Heads, learners and their three depths; small networks that other tests train."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.adapt.heads import Depth, Head, Learner, make_pair
from videoclusternet.config import AdaptConfig
from videoclusternet.errors import ConfigError, ModelError
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.types.canvas import ARCFACE_112

SIDE = 16
DEPTHS: tuple[Depth, ...] = ("all", "last-stage", "head")


def single_threaded() -> Iterator[None]:
    """Body of a fixture: small networks are slower in several threads."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(count)


one_thread = pytest.fixture(autouse=True)(single_threaded)


class SmallNet(FaceModel):
    """A convolution, a last stage with another one, a linear layer; batch norms with a past."""

    name, dim, size, template = "small-net", 8, SIDE, ARCFACE_112 * SIDE / 112

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU())
            self.stage = nn.Sequential(nn.Conv2d(6, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU())
            self.fc = nn.Linear(48, self.dim)
            for norm in (self.stem[1], self.stage[1]):
                norm.running_mean.normal_(0, 0.1)  # type: ignore[operator, union-attr]
        self.eval()

    def normalise(self, pixels: Tensor) -> Tensor:
        return (pixels - 127.5) / 64

    def early(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.stem(x))

    def late(self, maps: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(self.stage(maps), 2).flatten(1)

    def last_stage(self) -> tuple[nn.Module, ...]:
        return (self.stage,)

    @property
    def tail(self) -> nn.Linear:
        return self.fc


class SmallVit(FaceModel):
    """Four patches and a token for the class, mixed by one layer."""

    name, dim, size, template = "small-vit", 8, SIDE, ARCFACE_112 * SIDE / 112

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.patches = nn.Conv2d(3, 10, 8, 8)
            self.first = nn.Parameter(torch.randn(10))
            self.mix = nn.Linear(5, 5)
            self.fc = nn.Linear(10, self.dim, bias=False)
        self.eval()

    def normalise(self, pixels: Tensor) -> Tensor:
        return (pixels - 127.5) / 64

    def early(self, x: Tensor) -> Tensor:
        patches = self.patches(x).flatten(2).transpose(1, 2)
        return torch.cat([self.first.expand(len(x), 1, -1), patches], dim=1)

    def tokens(self, maps: Tensor) -> Tensor:
        return torch.tanh(self.mix(maps.transpose(1, 2)).transpose(1, 2))

    def late(self, maps: Tensor) -> Tensor:
        return self.tokens(maps)[:, 0]

    def last_stage(self) -> tuple[nn.Module, ...]:
        return (self.mix,)

    @property
    def tail(self) -> nn.Linear:
        return self.fc


def pictures(count: int = 5) -> Tensor:
    rng = np.random.default_rng(0)
    return torch.tensor(rng.uniform(0, 255, (count, 3, SIDE, SIDE)), dtype=torch.float32)


def origin(model: FaceModel) -> Tensor:
    return torch.linspace(-1, 1, model.dim)


def pair(
    model: FaceModel | None = None, depth: Depth = "all", seed: int = 0, **settings: object
) -> tuple[Learner, Learner]:
    model = model or SmallNet()
    return make_pair(model, AdaptConfig.model_validate(settings), depth, origin(model), seed)


def seen(learner: Learner, x: Tensor) -> Tensor:
    """What enters a learner of this picture."""
    with torch.no_grad():
        return learner.entry(learner.backbone.normalise(x))


# --- heads -----------------------------------------------------------------------------


def test_head_of_the_paper_has_three_layers_and_no_norm() -> None:
    head = Head(8, "mlp")
    kinds = [type(layer) for layer in head.layers]
    assert kinds == [nn.Linear, nn.GELU, nn.Linear, nn.GELU, nn.Linear]
    x = torch.randn(4, 8)
    one, two, three = (head.layers[i] for i in (0, 2, 4))
    torch.testing.assert_close(head(x), three(F.gelu(two(F.gelu(one(x))))))
    assert not torch.equal(head(x), Head(8, "mlp")(x))


@pytest.mark.parametrize("length", [1.5, 22.0])
def test_head_may_read_all_embeddings_at_one_scale(length: float) -> None:
    learner, teacher = make_pair(
        SmallNet(), AdaptConfig(head_reads="film"), "head", origin(SmallNet()), 0, length
    )
    assert float(teacher.head.spread) == length
    x = torch.randn(4, learner.backbone.dim)
    want = learner.head.layers((x - origin(learner.backbone)) / length)
    torch.testing.assert_close(learner.head(x), want)


@pytest.mark.parametrize("kind", ["residual", "none"])
def test_other_heads_begin_as_the_centred_unit_embedding(kind: Literal["residual", "none"]) -> None:
    head = Head(8, kind)
    head.origin.copy_(torch.linspace(-1, 1, 8))
    x = torch.randn(4, 8)
    want = (x - head.origin) / (x - head.origin).norm(dim=1, keepdim=True)
    torch.testing.assert_close(head(x), want)
    assert len(list(head.parameters())) == (6 if kind == "residual" else 0)


def test_residual_head_adds_what_it_has_learnt() -> None:
    head = Head(8, "residual")
    nn.init.normal_(head.layers[4].weight)  # type: ignore[arg-type]
    x = torch.randn(4, 8)
    unit = F.normalize(x, dim=1)
    torch.testing.assert_close(head(x), unit + head.layers(unit))


# --- depths ----------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["mlp", "residual", "none"])
def test_every_depth_sees_the_same_in_a_picture(head: str) -> None:
    x, model = pictures(), SmallNet()
    found = [pair(model, depth, head=head)[0] for depth in DEPTHS]
    embedded = [learner.embed(seen(learner, x)) for learner in found]
    read = [learner(seen(learner, x)) for learner in found]
    for e, r in zip(embedded, read, strict=True):
        torch.testing.assert_close(e, embedded[0])
        torch.testing.assert_close(r, read[0])
        assert r.shape == (5, 1, 8)
    raw = model(x)
    unit = F.normalize(raw - origin(model), dim=1)
    if head == "none":  # clustering centres by itself
        torch.testing.assert_close(embedded[0], raw)
    else:
        torch.testing.assert_close(embedded[0], read[0][:, 0])
    if head != "mlp":
        torch.testing.assert_close(read[0][:, 0], unit)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("head", ["mlp", "residual", "none"])
def test_dropout_point_is_before_the_last_layer_that_knows_faces(depth: Depth, head: str) -> None:
    learner, _ = pair(depth=depth, head=head)
    x = seen(learner, pictures())
    hidden, last = learner.dropout_point(x)
    if head == "mlp":
        torch.testing.assert_close(last(hidden), learner.embed(x))
        assert last is learner.head.layers[4]
    else:
        torch.testing.assert_close(last(hidden), learner.backbone(pictures()))


def names(learner: Learner) -> dict[str, set[str]]:
    base = {id(p) for p in learner.base_parameters()}
    head = {id(p) for p in learner.head_parameters()}
    named = dict(learner.named_parameters())
    return {
        "base": {n for n, p in named.items() if id(p) in base},
        "head": {n for n, p in named.items() if id(p) in head},
        "saved": set(learner.trained()),
    }


HEAD = {f"head.layers.{n}.{what}" for n in (0, 2, 4) for what in ("weight", "bias")}
SCALE = {"head.origin", "head.spread"}
STAGE = {f"backbone.stage.{n}.{what}" for n in (0, 1) for what in ("weight", "bias")}
STEM = {name.replace("stage", "stem") for name in STAGE}
FC = {"backbone.fc.weight", "backbone.fc.bias"}


@pytest.mark.parametrize(
    ("depth", "head", "base"),
    [
        ("all", "mlp", STEM | STAGE | FC),
        ("all", "none", STEM | STAGE | FC),
        ("last-stage", "residual", STAGE | FC),
        ("last-stage", "none", STAGE | FC),
        ("head", "mlp", set()),
        ("head", "none", FC),
    ],
)
def test_what_is_trained_at_each_depth(depth: Depth, head: str, base: set[str]) -> None:
    learner, _ = pair(depth=depth, head=head)
    found = names(learner)
    ours = set() if head == "none" else HEAD
    assert found["base"] == base and found["head"] == ours
    whole = set(learner.state_dict())
    assert found["saved"] == (whole if depth == "all" else base | ours | SCALE)


@pytest.mark.parametrize("depth", DEPTHS)
def test_saved_state_makes_the_learner_again(depth: Depth) -> None:
    settings = {"depth": depth, "head": "residual"}
    learner, other = pair(**settings)[0], pair(seed=5, **settings)[0]  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in (*learner.base_parameters(), *learner.head_parameters()):
            parameter.add_(0.1)
        learner.head.origin.add_(1)
    x = seen(learner, pictures())
    assert not torch.allclose(learner.embed(x), other.embed(x))
    other.take({name: tensor.clone() for name, tensor in learner.trained().items()})
    assert torch.equal(learner.embed(x), other.embed(x))


def test_state_of_another_network_or_depth_is_refused() -> None:
    learner, _ = pair(depth="last-stage")
    state = dict(learner.trained())
    with pytest.raises(ModelError, match="of another model"):
        learner.take(pair(depth="head")[0].trained())
    with pytest.raises(ModelError, match="of another model"):
        learner.take({k: v for k, v in state.items() if k != "head.origin"})
    with pytest.raises(ModelError, match="of another model"):
        learner.take(state | {"backbone.fc.weight": torch.zeros(9, 48)})


# --- pairs -----------------------------------------------------------------------------


def test_teacher_has_a_head_of_its_own_or_a_copy() -> None:
    student, teacher = pair(teacher_head="own")
    x = seen(student, pictures())
    assert not torch.allclose(student(x), teacher(x))
    assert torch.equal(student.backbone(pictures()), teacher.backbone(pictures()))
    student, teacher = pair(teacher_head="copy")
    assert torch.equal(student(x), teacher(x))
    assert not {id(p) for p in student.parameters()} & {id(p) for p in teacher.parameters()}


def test_seed_decides_the_heads() -> None:
    x = SmallNet().normalise(pictures())
    one, two, other = (pair(seed=seed)[0](x) for seed in (1, 1, 2))
    assert torch.equal(one, two) and not torch.allclose(one, other)


def test_making_a_pair_changes_nothing_else() -> None:
    model = SmallNet()
    before = copy.deepcopy(model.state_dict())
    state = torch.random.get_rng_state()
    for learner in pair(model):
        assert not learner.training and not any(p.requires_grad for p in learner.parameters())
        with torch.no_grad():
            for parameter in learner.parameters():
                parameter.zero_()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(x, before[name]) for name, x in model.state_dict().items())
    assert all(p.requires_grad for p in model.parameters())


# --- patch tokens ----------------------------------------------------------------------


@pytest.mark.parametrize("depth", ["all", "last-stage"])
@pytest.mark.parametrize("tokens", ["class", "shared", "separate"])
def test_patch_tokens_pass_no_head_the_same_or_their_own(depth: Depth, tokens: str) -> None:
    learner, _ = pair(SmallVit(), depth, tokens=tokens)
    x = seen(learner, pictures())
    found = learner(x)
    assert found.shape == (5, 1 if tokens == "class" else 2, 8)
    torch.testing.assert_close(found[:, 0], learner.embed(x))
    torch.testing.assert_close(found[:, 0], learner.head(learner.backbone(pictures())))
    assert (learner.patch_head is not None) == (tokens == "separate")
    if tokens != "class":
        net = learner.backbone
        assert isinstance(net, SmallVit)
        all_tokens = net.tail(net.tokens(net.early(net.normalise(pictures()))))
        head = learner.head if tokens == "shared" else learner.patch_head
        assert head is not None
        want = torch.stack([head(all_tokens[:, n]) for n in range(1, 5)]).mean(0)
        torch.testing.assert_close(found[:, 1], want)


def test_own_head_of_the_patches_is_trained_and_saved() -> None:
    learner, _ = pair(SmallVit(), "last-stage", tokens="separate", head="residual")
    found = names(learner)
    theirs = {f"patch_{name}" for name in HEAD}
    assert found["head"] == HEAD | theirs
    assert found["saved"] >= HEAD | theirs | SCALE | {f"patch_{name}" for name in SCALE}
    assert learner.patch_head is not None
    assert torch.equal(learner.patch_head.origin, origin(learner.backbone))


def test_patch_tokens_need_patches_and_a_depth_that_makes_them() -> None:
    with pytest.raises(ConfigError, match=r"small-net has no patch tokens.*adapt.tokens=class"):
        pair(SmallNet(), tokens="shared")
    with pytest.raises(ConfigError, match=r"need adapt\.trainable all or"):
        pair(SmallVit(), "head", tokens="shared")
