"""Ball Cluster Learning: its loss, its clusters, and its public checkpoint."""

from __future__ import annotations

import argparse
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from tests.toy_films import (
    PEOPLE,
    WIDTH,
    film,
    given,
    pairwise_f,
)
from videoclusternet.errors import DataError, ModelError
from videoclusternet_bench.methods.base import Told
from videoclusternet_bench.methods.bcl import (
    BallNet,
    Balls,
    BclSettings,
    ball_loss,
    bcl,
    learn,
    load_bcl,
    some_means,
    with_checkpoint,
)
from videoclusternet_bench.methods.embedding_net import ward

Array = NDArray[Any]


def slow_ball_loss(z: Array, person: Array, b: float) -> float:
    people = sorted(set(person.tolist()))
    centre = {}
    for k in people:
        mean = sum(z[i] for i in range(len(z)) if person[i] == k) / (person == k).sum()
        centre[k] = mean / np.sqrt((mean**2).sum())
    inner = outer = 0.0
    for i in range(len(z)):
        d = {k: float(((z[i] - centre[k]) ** 2).sum()) for k in people}
        inner += max(d.pop(int(person[i])) - b, 0) / len(z)
        outer += max(9 * b + 0.05 - min(d.values()), 0) / len(z) if d else 0.0
    return 4 * inner + outer


@pytest.mark.parametrize("people", [1, 2, 5])
def test_ball_loss_is_the_formula(people: int) -> None:
    rng = np.random.default_rng(people)
    z = rng.normal(size=(24, 3))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    person = 3 * rng.permutation(np.arange(24) % people) + 7
    b = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    loss = ball_loss(torch.from_numpy(z), torch.from_numpy(person), b)
    assert loss.item() == pytest.approx(slow_ball_loss(z, person, 0.2))
    loss.backward()  # type: ignore[no-untyped-call]
    assert b.grad is not None and torch.isfinite(b.grad)


def identity(width: int) -> BallNet:
    net = BallNet((width, width))
    net.load_state_dict(
        {"linears.0.weight": torch.eye(width), "linears.0.bias": torch.zeros(width)}
    )
    return net


def test_balls_that_hold_are_found() -> None:
    # On a circle: within sqrt(b) of three centres that are farther than 4 sqrt(b) apart.
    rng = np.random.default_rng(0)
    b = 0.09
    person = rng.integers(3, size=40)
    angle = person * 2 * np.pi / 3 + rng.uniform(-1, 1, size=40) * 2 * np.arcsin(b**0.5 / 2)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    assert pairwise_f(person, Balls(identity(2), b).partition(x)) == 1
    assert Balls(identity(2), 2.0).partition(x).max() == 0
    assert Balls(identity(2), b).partition(x[:1]).tolist() == [0]
    assert Balls(identity(2), b).width == 2


def test_means_are_of_some_crops_of_every_track() -> None:
    one, _ = film(1, crops=3, by_crop=1.0)
    rng = np.random.default_rng(0)
    assert np.allclose(some_means(one, 1.0, rng), one.means, atol=1e-6)
    assert np.allclose(some_means(one, 0.0, rng), one.means, atol=1e-6)
    half = some_means(one, 0.5, rng)
    assert np.isfinite(half).all() and not np.allclose(half, one.means, atol=1e-3)


def test_bcl_leaves_out_whom_the_truth_does_not_know() -> None:
    tracks, who = film(1, crops=2, each=3)
    settings = BclSettings(steps=5, widths=(8, 4), keep=1.0)
    unknown = np.where(who == 2, -1, who)
    kept = np.flatnonzero(unknown >= 0)
    rows = np.flatnonzero(np.isin(tracks.track, kept))
    only = given(tracks.crops[rows], np.searchsorted(kept, tracks.track[rows]))
    # Fewer tracks draw other random numbers, but all of them are in each step.
    one, other = learn([(tracks, unknown)], 0, settings), learn([(only, who[kept])], 0, settings)
    assert one.radius == pytest.approx(other.radius, abs=1e-4)


@pytest.mark.parametrize("label", [None, [0, 0, 0, -1], [-1] * 4])
def test_bcl_without_two_labelled_people(label: list[int] | None) -> None:
    x = np.random.default_rng(0).normal(size=(4, WIDTH))
    one = given(x, np.arange(4))
    others = () if label is None else ((one, np.array(label)),)
    with pytest.raises(DataError, match="learns from other films"):
        bcl()(one, Told(others=others), 0)


@pytest.mark.slow
def test_bcl_finds_people_it_has_not_seen_and_how_many() -> None:
    others = [film(100 + i, people=20, each=4, by_crop=1, by_track=1) for i in range(3)]
    partition = bcl(BclSettings(steps=800, rate=3e-3))
    for seed in (1, 2):
        one, who = film(seed, by_crop=1, by_track=1)
        found = partition(one, Told(others=tuple(others)), 0)
        assert pairwise_f(who, ward(one.means, PEOPLE)) < pairwise_f(who, found)
        assert pairwise_f(who, found) > 0.9 and found.max() + 1 == PEOPLE


# --- the public checkpoint's form


def checkpoint(widths: Sequence[int] = (WIDTH, 16, 8), bias: float = -1.0) -> dict[str, Any]:
    """Tensors as the authors' program writes them, for smaller layers."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        net = BallNet(widths)
    optimizer = torch.optim.Adam(net.parameters())
    return {
        "epoch": 127,
        "args": argparse.Namespace(l2norm=True, mlp_dims=list(widths[1:])),
        "model_state": net.state_dict(),
        "criterion_state": OrderedDict({"ctrd.h_bias": torch.tensor(bias)}),
        "optimizer_state": optimizer.state_dict(),
    }


@pytest.mark.parametrize("new", [True, False], ids=["zip", "before 1.6"])
def test_a_checkpoint_is_read(tmp_path: Path, new: bool) -> None:
    held, path = checkpoint(), tmp_path / "x.pth.tar"
    torch.save(held, path, _use_new_zipfile_serialization=new)
    balls = load_bcl(path)
    assert balls.radius == pytest.approx(float(F.softplus(torch.tensor(-1.0))))
    assert balls.width == WIDTH
    one, _ = film(1, crops=2)
    mean = np.stack([one.embeddings.base[one.track == t].mean(0) for t in range(one.tracks)])
    x = mean
    for n in range(2):  # the network, slowly
        weight, bias = (held["model_state"][f"linears.{n}.{k}"].numpy() for k in ("weight", "bias"))
        x = (x if n == 0 else np.maximum(x, 0)) @ weight.T + bias
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    points = balls.net(torch.from_numpy(mean)).detach().numpy()
    assert np.allclose(points, x, atol=1e-5)
    found = with_checkpoint(path)(one, Told(), 0)
    assert np.array_equal(found, balls.partition(mean))
    assert found.max() > 0
    with pytest.raises(ModelError, match="of 32 numbers, not 5"):
        with_checkpoint(path)(given(np.ones((2, 5)), [0, 1]), Told(), 0)


class Other:
    """An object of a training."""


@pytest.mark.parametrize("new", [True, False])
def test_objects_of_a_checkpoint_are_refused(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "x.pth.tar"
    torch.save({**checkpoint(), "x": Other()}, path, _use_new_zipfile_serialization=new)
    with pytest.raises(ModelError, match="Python objects, which are not read") as caught:
        load_bcl(path)
    assert "weights_only=False" in caught.value.advice and str(path) in caught.value.advice


@pytest.mark.parametrize(
    "change",
    [
        {"model_state": None},
        {"model_state": {}},
        {"model_state": {"linears.0.weight": 3}},
        {"model_state": {"linears.0.weight": torch.ones(2, 3)}},
        {"model_state": {"linears.0.weight": torch.ones(2, 3), "linears.0.bias": torch.ones(3)}},
        {"model_state": {"linears.0.weight": torch.tensor(1.0), "linears.0.bias": torch.ones(3)}},
        {"criterion_state": {}},
        {"criterion_state": {"ctrd.h_bias": torch.ones(2)}},
        {"criterion_state": {"ctrd.h_bias": 0.1}},
    ],
)
def test_other_files_are_told(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "x.pth.tar"
    torch.save({**checkpoint(), **change}, path)
    with pytest.raises(ModelError, match="does not hold BCL weights"):
        load_bcl(path)


@pytest.mark.parametrize("content", [b"", b"text" * 99, b"PK\x03\x04", None])
def test_damaged_or_absent_files_are_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.pth.tar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match="does not hold BCL weights"):
        load_bcl(path)
    torch.save([1, 2], path)
    with pytest.raises(ModelError, match="does not hold BCL weights"):
        load_bcl(path)
