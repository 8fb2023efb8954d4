"""One round of training on small networks: who moves, by how much, and when it is stopped."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.unit.test_heads import SmallNet, SmallVit, single_threaded
from tests.unit.test_supply import SEED, supply_of, toy
from videoclusternet.adapt import train
from videoclusternet.adapt.guards import Health
from videoclusternet.adapt.heads import Depth, Learner, make_pair
from videoclusternet.adapt.pairs import Partners, draw_epoch, linked, no_partners
from videoclusternet.adapt.ranks import ALONE
from videoclusternet.adapt.schedule import learning_rate
from videoclusternet.adapt.supply import Supply, make_supply
from videoclusternet.adapt.train import (
    Collapse,
    Company,
    Epoch,
    Trainer,
    Training,
    precision,
    probe,
)
from videoclusternet.clustering.distance import group_mean, normalise
from videoclusternet.config import AdaptConfig, EmbedConfig
from videoclusternet.models.backbones.face_model import FaceModel

one_thread = pytest.fixture(autouse=True)(single_threaded)
State = dict[str, Tensor]
PLAIN = {
    "head": "residual", "teacher_head": "copy", "epochs": 1, "later_epochs": 1, "head_epochs": 0,
    "warmup": 0, "rate": 1e-2, "rate_end": 1e-2, "batch": 64, "guard": False,
    "student_temperature": 0.1, "teacher_temperature": 0.1, "pool": (2, 3),
}  # fmt: skip
"""One step, unless a test wants more."""


@dataclass
class Recorder:
    """A supply that remembers the views it gave and the pairs they are of."""

    supply: Supply
    given: list[tuple[np.ndarray, np.ndarray, Tensor]]

    @property
    def crops(self) -> int:
        return self.supply.crops

    def views(self, anchor: np.ndarray, partner: np.ndarray, part: np.ndarray, seed: int) -> Tensor:
        found = self.supply.views(anchor, partner, part, seed)
        self.given.append((anchor[part], partner[part], found))
        return found

    def degraded(self, anchor: np.ndarray, part: np.ndarray, seed: int) -> Tensor:
        found = self.supply.degraded(anchor, part, seed)
        self.given.append((anchor[part], anchor[part], found))
        return found

    def plain(self, rows: np.ndarray) -> Tensor:
        return self.supply.plain(rows)

    def fixed(self, rows: np.ndarray) -> Tensor:
        return self.supply.fixed(rows)


@dataclass
class Bench:
    """A trainer and what it moves."""

    trainer: Trainer
    training: Training
    supply: Recorder
    config: AdaptConfig
    before: tuple[State, State]

    def run(self, number: int = 1, seed: int = 0) -> list[Epoch]:
        return list(self.trainer.round(number, seed))

    @property
    def student(self) -> Learner:
        return self.training.student

    @property
    def teacher(self) -> Learner:
        return self.training.teacher


def bench(
    depth: Depth = "last-stage",
    model: Callable[[], FaceModel] = SmallNet,
    partners: Partners | None = None,
    kept: np.ndarray | None = None,
    **settings: object,
) -> Bench:
    film, net = toy(), model()
    config = AdaptConfig.model_validate(PLAIN | settings)
    origin = torch.tensor(film.embedded(net)[0].base.mean(0))
    student, teacher = make_pair(net, config, depth, origin, 0)
    if model is SmallNet:
        supply = supply_of(depth, objective=config.objective)
    else:
        faces = (film.pixels, 12, np.arange(12), student)
        supply = make_supply(*faces, config, EmbedConfig(), SEED)
    outputs = 1 if config.tokens == "class" else 2
    training = Training(student, teacher, torch.zeros(outputs, net.dim))
    takes_part = np.ones(6, dtype=bool) if kept is None else kept
    company = Company(
        film.track,
        no_partners(6) if partners is None else partners,
        takes_part,
        np.where(takes_part[:, None], means_of(net), np.float32(0)),
    )
    recorder = Recorder(supply, [])
    trainer = Trainer(training, recorder, company, config, ALONE)
    return Bench(trainer, training, recorder, config, (state(student), state(teacher)))


def means_of(net: FaceModel) -> np.ndarray:
    """Mean directions of the six tracks."""
    base = toy().embedded(net)[0].base
    unit = normalise(base - base.mean(0))
    return normalise(group_mean(unit, toy().track, 6))


def state(learner: Learner) -> State:
    return {n: x.clone() for n, x in learner.state_dict().items() if x.is_floating_point()}


def furthest(a: State, b: State) -> float:
    return max(float((a[name] - b[name]).abs().max()) for name in a)


def changed(before: State, after: State) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


# --- one step --------------------------------------------------------------------------


def slow_loss(student: Learner, teacher: Learner, views: Tensor, centre: Tensor) -> Tensor:
    """Mean over pairs and over the 14 ordered pairs of views, one by one."""
    terms = []
    for six in views:
        with torch.no_grad():
            t = [teacher(view[None])[0] for view in six]
        s = [student(view[None])[0] for view in six]
        for u in range(6):
            for v in range(6):
                if u != v and (u < 2) == (v < 2):
                    p = F.softmax((t[u] - centre) / 0.1, dim=-1)
                    terms.append(-(p * F.log_softmax(s[v] / 0.1, dim=-1)).sum(-1).mean())
    return torch.stack(terms).mean()


@pytest.mark.parametrize(("depth", "head"), [("all", "residual"), ("last-stage", "none")])
def test_one_step_by_hand(depth: Depth, head: str) -> None:
    b = bench(depth, head=head, decay=0.1, clip=0.05, warmup=2, rate_start=3e-3)
    student, teacher = copy.deepcopy(b.student), copy.deepcopy(b.teacher)
    (epoch,) = b.run()
    ((_, _, views),) = b.supply.given
    assert views.shape[:2] == (12, 6)
    student.requires_grad_(True)
    loss = slow_loss(student, teacher, views, torch.zeros(1, 8))
    loss.backward()
    assert epoch.loss == pytest.approx(loss.item(), rel=1e-4)
    rate = learning_rate(b.config, 1, 0.0)
    assert epoch.rate == rate == pytest.approx(3e-3)
    named = dict(b.student.named_parameters())
    trained = {id(p) for p in (*student.base_parameters(), *student.head_parameters())}
    for name, p in student.named_parameters():
        if id(p) not in trained:
            assert torch.equal(named[name], b.before[0][name])
            continue
        assert p.grad is not None
        g = p.grad * min(1.0, 0.05 / (float(p.grad.norm()) + 1e-6))
        # The first step of Adam: g / (|g| + eps), whatever its running means.
        want = p.detach() * (1 - rate * (0.1 if p.ndim > 1 else 0.0)) - rate * g / (g.abs() + 1e-8)
        sure = g.abs() > 1e-5  # of others not even the sign is
        torch.testing.assert_close(named[name][sure], want[sure], atol=2e-5, rtol=0)


def test_gradients_of_the_student_only() -> None:
    b = bench("all")
    b.run()
    assert all(p.grad is not None for p in b.student.parameters())
    assert all(p.grad is None and not p.requires_grad for p in b.teacher.parameters())


def test_loss_of_patch_tokens() -> None:
    b = bench("last-stage", SmallVit, tokens="separate")
    student, teacher = copy.deepcopy(b.student), copy.deepcopy(b.teacher)
    (epoch,) = b.run()
    loss = slow_loss(student, teacher, b.supply.given[0][2], torch.zeros(2, 8))
    assert epoch.loss == pytest.approx(loss.item(), rel=1e-4)
    assert b.training.centre.shape == (2, 8)
    assert {"patch_head.layers.4.weight"} <= changed(b.before[0], state(b.student))


def test_loss_of_degraded_looks() -> None:
    """A look of a crop should say of all tracks what the partner's track says of them."""
    kept = np.arange(6) != 4
    same = linked(np.array([0]), np.array([1]), 6)
    b = bench(head="none", objective="looks", partners=same, kept=kept)
    student = copy.deepcopy(b.student)
    (epoch,) = b.run()
    ((anchor, _, looks),) = b.supply.given
    rng = np.random.default_rng([0, 1, 0])
    drawn, partner = draw_epoch(toy().track, same, kept, 0, 0.0, rng)
    assert np.array_equal(drawn, anchor)
    assert any(toy().track[a] != toy().track[p] for a, p in zip(anchor, partner, strict=True))
    means = torch.from_numpy(b.trainer.company.means)
    others = [t for t in range(6) if kept[t]]
    terms = []
    for row, look in zip(partner, looks, strict=True):
        z = F.normalize(student(look[None])[0, 0], dim=0)
        mine = means[toy().track[row]]
        told = torch.stack([mine @ means[t] / 0.1 for t in others]).softmax(0)
        said = torch.stack([z @ means[t] / 0.1 for t in others]).log_softmax(0)
        terms.append(-(told * said).sum())
    assert epoch.loss == pytest.approx(torch.stack(terms).mean().item(), rel=1e-4)


# --- the teacher and the centre --------------------------------------------------------


def test_teacher_follows_after_a_step() -> None:
    b = bench(update="step", momentum=0.7, teacher_head="own", head="mlp")
    b.run()
    student, old = state(b.student), b.before[1]
    for name, now in state(b.teacher).items():
        torch.testing.assert_close(now, 0.7 * old[name] + 0.3 * student[name])
    assert "head.layers.0.weight" in changed(old, state(b.teacher))


def test_teacher_follows_after_an_epoch() -> None:
    b = bench(update="epoch", momentum=0.7, batch=5)
    b.run()
    assert len(b.supply.given) == 3
    student, old, m = state(b.student), b.before[1], 0.7**3
    for name, now in state(b.teacher).items():
        torch.testing.assert_close(now, m * old[name] + (1 - m) * student[name])


@pytest.mark.parametrize("update", ["step", "epoch"])
def test_still_teacher(update: str) -> None:
    b = bench(update=update, momentum=1.0, batch=5)
    b.run()
    assert changed(b.before[1], state(b.teacher)) == set()
    assert changed(b.before[0], state(b.student))


def test_centre_moves_by_the_mean_of_all_views() -> None:
    b = bench(momentum=1.0, batch=7, teacher_head="own", head="mlp")
    b.run()
    centre = torch.zeros(1, 8)
    for _, _, views in b.supply.given:
        centre = 0.9 * centre + 0.1 * b.teacher(views.flatten(0, 1)).mean(0)
    assert len(b.supply.given) == 2
    torch.testing.assert_close(b.training.centre, centre)


@pytest.mark.parametrize("settings", [{"centre": False}, {"objective": "looks", "head": "none"}])
def test_no_centre(settings: dict[str, object]) -> None:
    b = bench(**settings)
    b.run()
    assert not b.training.centre.any()


# --- what is trained -------------------------------------------------------------------


def test_base_is_frozen_in_the_first_epochs_of_the_first_round() -> None:
    epochs = {"epochs": 3, "later_epochs": 1, "head_epochs": 2}
    b, base = bench(**epochs), {"backbone.stage.0.weight", "backbone.fc.bias"}
    moved = []
    for _ in b.trainer.round(1, 0):
        moved.append(changed(b.before[0], state(b.student)))
    assert all("head.layers.4.weight" in m for m in moved)
    assert not any(name.startswith("backbone") for m in moved[:2] for name in m)
    assert base <= moved[2]
    later = bench(**epochs)
    later.run(number=2)
    assert base <= changed(later.before[0], state(later.student))


def test_head_alone_may_be_trained_to_the_end() -> None:
    b = bench(epochs=2, head_epochs=9)
    b.run()
    moved = changed(b.before[0], state(b.student))
    assert moved and all(name.startswith("head") for name in moved)


def test_without_a_head_nothing_waits() -> None:
    b = bench(head="none", head_epochs=9)
    b.run()
    assert "backbone.fc.weight" in changed(b.before[0], state(b.student))


def test_batch_norms_stay_as_they_are() -> None:
    b = bench("all")
    b.run()
    moved = changed(b.before[0], state(b.student))
    assert not any("running" in name for name in moved)
    assert "backbone.stem.1.weight" in moved


def test_clipped_gradients() -> None:
    for clip, short in ((1e-3, True), (0.0, False)):
        b = bench(clip=clip)
        b.run()
        lengths = [float(p.grad.norm()) for p in b.student.parameters() if p.grad is not None]
        assert (max(lengths) < 1.001e-3) == short


def test_weights_are_held_where_they_began() -> None:
    free, held, fixed = (bench(hold=hold) for hold in (0.0, 30.0, 200.0))
    for b in (free, held, fixed):
        b.run()
    for name, begun in free.before[0].items():
        far = state(free.student)[name]  # one step: the pull is rate * hold of the way back
        torch.testing.assert_close(state(held.student)[name], far + 0.3 * (begun - far))
        torch.testing.assert_close(state(fixed.student)[name], begun)
    assert changed(free.before[0], state(free.student))


# --- batches, seeds, precision ---------------------------------------------------------


def plain_descent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take an optimiser that does not blow rounding errors up to whole steps, as Adam does."""
    monkeypatch.setattr(torch.optim, "AdamW", torch.optim.SGD)


@pytest.mark.parametrize("head", ["mlp", "residual"])
def test_parts_of_a_step_change_nothing(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain_descent(monkeypatch)
    whole, parts = (bench(head=head, batch=5, epochs=2, accumulate=n) for n in (1, 3))
    losses = [[epoch.loss for epoch in b.run()] for b in (whole, parts)]
    assert len(whole.supply.given) == 6 and len(parts.supply.given) == 2 * (3 + 3 + 2)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for a, b in ((whole.student, parts.student), (whole.teacher, parts.teacher)):
        assert furthest(state(a), state(b)) < 1e-6
    torch.testing.assert_close(whole.training.centre, parts.training.centre)
    assert furthest(state(whole.student), whole.before[0]) > 1e-3


def test_same_seed_same_weights_bit_for_bit() -> None:
    one, two, other, later = (bench(epochs=2, later_epochs=2, batch=5) for _ in range(4))
    for b, number, seed in ((one, 1, 4), (two, 1, 4), (other, 1, 5), (later, 2, 4)):
        b.run(number, seed)
    assert changed(state(one.student), state(two.student)) == set()
    assert torch.equal(one.training.centre, two.training.centre)
    assert changed(state(one.student), state(other.student))
    assert changed(state(one.student), state(later.student))


@pytest.mark.parametrize("objective", ["eq2", "looks"])
def test_bfloat16(objective: str) -> None:
    single, half = (
        bench("all", head="none", objective=objective, precision=name)
        for name in ("float32", "bfloat16")
    )
    losses = [b.run()[0].loss for b in (single, half)]
    assert losses[1] == pytest.approx(losses[0], rel=2e-2) and losses[0] != losses[1]
    for name, weight in state(half.student).items():
        assert weight.dtype == single.before[0][name].dtype and weight.isfinite().all()
    torch.testing.assert_close(single.training.centre, half.training.centre, atol=1e-3, rtol=0)


def test_half_precision_ends_with_the_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss of a bfloat16 network is that of its outputs, in single precision."""
    b = bench(head="none", objective="looks", precision="bfloat16")
    seen: list[Tensor] = []
    whole = train.look_loss

    def loss(student: Tensor, p: Tensor, means: Tensor, temperature: float) -> Tensor:
        found = whole(student, p, means, temperature)
        with torch.autocast("cpu", enabled=False):
            seen.extend([found, whole(student.detach(), p, means, temperature)])
        return found

    monkeypatch.setattr(train, "look_loss", loss)
    b.run()
    assert seen[0].dtype == torch.float32
    torch.testing.assert_close(seen[0], seen[1])


def test_precision_of_a_machine() -> None:
    assert precision(AdaptConfig(), "cpu") == torch.float32
    assert precision(AdaptConfig(precision="float16"), "cpu") == torch.float16
    assert precision(AdaptConfig(precision="bfloat16"), "cpu") == torch.bfloat16


# --- a whole round ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"teacher_head": "own", "head": "mlp"},
        {"head": "residual", "teacher_views": "global", "average": "kinds"},
    ],
)
def test_loss_falls(settings: dict[str, object]) -> None:
    """A teacher that stands still is learnt from."""
    same = linked(np.array([0, 2, 1, 3]), np.array([2, 4, 3, 5]), 6)
    b = bench(partners=same, epochs=12, batch=6, momentum=1.0, centre=False, **settings)
    log = b.run()
    assert log[-1].loss < 0.8 * log[0].loss
    assert [(e.round, e.epoch) for e in log] == [(1, n) for n in range(12)]


def test_degraded_looks_come_to_say_what_their_track_says() -> None:
    b = bench(head="none", objective="looks", epochs=15, batch=6, update="step", momentum=0.5)
    film, rows = toy(), np.arange(12)
    means = torch.from_numpy(b.trainer.company.means)
    told = (means @ means.T / 0.1).softmax(1)[film.track]

    def apart(learner: Learner) -> float:
        """Mean divergence of what 20 degraded looks of each crop say, nats."""
        with torch.no_grad():
            seen = [learner(b.supply.supply.degraded(rows, rows, n))[:, 0] for n in range(20)]
            said = (F.normalize(torch.stack(seen), dim=-1) @ means.T / 0.1).log_softmax(-1)
        return float((told * (told.log() - said)).sum(-1).mean())

    before = apart(b.teacher)
    b.run()
    assert apart(b.teacher) < 0.8 * before


def test_rates_that_are_shares_of_the_size_of_each_tensor() -> None:
    """AdamW's first step is as long as the rate: in every tensor that share of its size."""
    b = bench(head="none", relative=True, clip=0.0, decay=0.0, rate=1e-3, rate_end=1e-3)
    b.run()
    after = dict(b.student.named_parameters())
    moved = 0
    for name, before in b.before[0].items():
        if name not in after or not (size := float(before.square().mean().sqrt())):
            continue
        far = float((after[name].detach() - before).abs().max())
        assert far == 0 or far == pytest.approx(1e-3 * size, rel=2e-2), name
        moved += far > 0
    assert moved > 4


def test_tracks_that_are_set_aside_take_no_part() -> None:
    kept = np.array([True, False, True, True, True, False])
    b = bench(kept=kept, epochs=3)
    b.run()
    for anchor, partner, _ in b.supply.given:
        assert kept[toy().track[anchor]].all() and kept[toy().track[partner]].all()
        assert len(anchor) == 8


def test_progress_is_told_in_pairs() -> None:
    b = bench(epochs=2, batch=5)
    told: list[tuple[int, int]] = []
    list(b.trainer.round(1, 0, lambda done, total: told.append((done, total))))
    assert told == [(n, 24) for n in (5, 10, 12, 17, 22, 24)]


def test_first_round_has_its_own_length() -> None:
    b = bench(epochs=3, later_epochs=2)
    assert [len(b.run(number)) for number in (1, 2, 3)] == [3, 2, 2]


def test_faces_that_are_watched() -> None:
    track = np.repeat([0, 2, 3, 4], [3, 1, 4, 2])
    assert probe(track, np.ones(6, dtype=bool)).tolist() == [1, 3, 5, 8]
    assert probe(track, np.array([1, 1, 0, 1, 0, 1], dtype=bool)).tolist() == [1, 5]
    many = probe(np.arange(5000), np.ones(5000, dtype=bool))
    assert len(many) == 512 and many[0] == 0 and many[-1] == 4999
    assert (np.diff(many) > 0).all()


# --- collapse --------------------------------------------------------------------------


def test_collapse_stops_the_round(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Health(entropy=1.0, mean_entropy=2.0, rank=5, top=0.1)
    answers = [good, good, replace(good, mean_entropy=0.5), good]
    for guard in (True, False):
        health = iter(answers)
        monkeypatch.setattr(train, "measure", lambda *_, health=health: next(health))
        b, log = bench(epochs=3, guard=guard), []
        if guard:
            with pytest.raises(Collapse, match=r"fell from 2\.00 to 0\.50"):
                log += b.trainer.round(1, 0)
        else:
            log += b.trainer.round(1, 0)
        assert b.training.start == good
    assert [e.health.mean_entropy for e in log] == [2.0, 0.5, 2.0]


def test_health_at_the_start_is_measured_once() -> None:
    b = bench()
    b.run()
    start = b.training.start
    assert start is not None and start.mean_entropy > 1
    b.run(number=2)
    assert b.training.start is start


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"centre": False, "teacher_temperature": 0.02}, "the mean target fell"),
        ({}, "tells of its face fell"),
    ],
)
def test_training_that_collapses_is_caught(settings: dict[str, object], words: str) -> None:
    """Everybody gets one answer without a centre, none with a centre and too soft a target."""
    b = bench(guard=True, head="none", update="step", momentum=0.5, batch=4, epochs=40, **settings)
    with pytest.raises(Collapse, match=words):
        b.run()
