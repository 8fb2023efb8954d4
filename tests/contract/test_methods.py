"""One contract for all methods of the bench that need no training, and known answers."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from videoclusternet.errors import ConfigError, DataError, ModelError
from videoclusternet.types import Embeddings
from videoclusternet_bench.compare import judged, told
from videoclusternet_bench.methods.base import Given, Method
from videoclusternet_bench.methods.density import alone
from videoclusternet_bench.methods.graph import chinese_whispers
from videoclusternet_bench.methods.hac import cut_at
from videoclusternet_bench.methods.ours import config_of, profile_of
from videoclusternet_bench.methods.registry import METHODS, chosen_methods, title_of

Array = NDArray[Any]
NOT_HERE = ("instant", "finch")  # needs a run folder; a package of its own
FAST = [m for m in METHODS.values() if not m.trains and m.name not in NOT_HERE]


def film(people: int = 5, tracks: int = 30, spread: float = 0.25) -> tuple[Given, Array]:
    """Tracks of two crops round well separated people."""
    rng = np.random.default_rng(people)
    label = np.arange(tracks) % people
    centre = np.eye(max(people, 2), 16)[label]
    track = np.repeat(np.arange(tracks), 2)
    base = 7 * (centre[track] + spread / 4 * rng.normal(size=(2 * tracks, 16)))
    embeddings = Embeddings(
        track=track,
        crop=np.arange(2 * tracks),
        base=base,
        quality=np.ones(2 * tracks),
        tracks=tracks,
        model="stand-in",
    )
    return Given(embeddings, np.empty((0, 2), dtype=int), np.arange(tracks), Path()), label


@pytest.mark.parametrize("method", FAST, ids=lambda m: m.name)
def test_clear_people_are_found(method: Method) -> None:
    given, label = film()
    found = method.partition(given, told(method, given, label, ()), 0)
    assert found.shape == label.shape
    assert judged(label, found)["bcubed_f"] == pytest.approx(1)


@pytest.mark.parametrize("method", FAST, ids=lambda m: m.name)
@pytest.mark.parametrize(("people", "tracks"), [(1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (1, 6)])
def test_any_number_of_tracks_will_do(method: Method, people: int, tracks: int) -> None:
    given, label = film(people, tracks)
    found = method.partition(given, told(method, given, label, ()), 0)
    assert found.shape == (tracks,) and np.issubdtype(found.dtype, np.integer)
    assert (found >= 0).all()


@pytest.mark.parametrize("method", FAST, ids=lambda m: m.name)
def test_a_seed_tells_all_and_inputs_stay(method: Method) -> None:
    given, label = film(spread=1.2)
    before = given.embeddings.digest
    one, two = (method.partition(given, told(method, given, label, ()), 4) for _ in range(2))
    assert (one == two).all() and given.embeddings.digest == before


@pytest.mark.parametrize("needs", ["nothing", "threshold", "clusters", "labels", "other films"])
def test_a_method_is_told_what_it_declares(needs: str) -> None:
    given, label = film()
    method = Method("x", "X", needs, lambda *_: label)  # type: ignore[arg-type]
    more = told(method, given, np.where(label == 4, -1, label), [(given, label)])
    assert (more.threshold is not None) == (needs == "threshold")
    assert (more.clusters == 4) == (needs == "clusters")
    assert (more.labels is not None) == (needs == "labels")
    assert bool(more.others) == (needs == "other films")


def test_hindsight_knows_only_labelled_tracks() -> None:
    given, label = film(spread=1.0)
    method = METHODS["hac-oracle"]
    hidden = np.where(np.arange(len(label)) < 10, -1, label)
    found = method.partition(given, told(method, given, hidden, ()), 0)
    assert found.shape == label.shape
    assert judged(hidden, found)["tracks"] == len(label) - 10


def test_count_is_cut_from_the_tree() -> None:
    given, label = film()
    assert len(set(cut_at(given.means, 3).tolist())) == 3
    assert judged(label, cut_at(given.means, 5))["bcubed_f"] == 1


def test_noise_becomes_clusters_of_one() -> None:
    assert alone(np.array([0, -1, 1, 0, -1])).tolist() == [0, 2, 1, 0, 3]
    assert alone(np.array([-1, -1])).tolist() == [0, 1]


def test_whispers_by_hand() -> None:
    # A triangle and a pair, joined by nothing; one node alone.
    weight = np.zeros((6, 6))
    for a, b in ((0, 1), (1, 2), (0, 2), (3, 4)):
        weight[a, b] = weight[b, a] = 1
    label = chinese_whispers(weight, 0)
    assert len(set(label[:3].tolist())) == 1 and label[3] == label[4]
    assert len(set(label.tolist())) == 3


def test_whispers_follow_the_stronger_side() -> None:
    weight = np.zeros((5, 5))
    for a, b, w in ((0, 1, 1.0), (3, 4, 1.0), (2, 0, 0.6), (2, 1, 0.6), (2, 3, 0.4), (2, 4, 0.4)):
        weight[a, b] = weight[b, a] = w
    for seed in range(8):
        label = chinese_whispers(weight, seed)
        if label[0] == label[1] != label[3] == label[4]:
            assert label[2] == label[0]


def test_finch_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **more: Any) -> Any:
        if name == "finch":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr("importlib.import_module", lambda name: missing(name))
    given, label = film()
    method = METHODS["finch"]
    with pytest.raises(DataError, match="pip install finch-clust"):
        method.partition(given, told(method, given, label, ()), 0)


def test_finch_is_asked_for_the_true_count(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Finch:
        @staticmethod
        def FINCH(data: Array, **more: Any) -> tuple[Array, list[int], Array]:
            calls.append(more)
            return np.zeros((len(data), 1)), [1], np.arange(len(data)) % 5

    monkeypatch.setattr("importlib.import_module", lambda name: Finch)
    given, label = film()
    method = METHODS["finch"]
    found = method.partition(given, told(method, given, label, ()), 0)
    assert calls == [{"req_clust": 5, "distance": "cosine", "verbose": False}]
    assert judged(label, found)["bcubed_f"] == 1


def test_methods_are_chosen_by_name() -> None:
    fast, every = chosen_methods("fast"), chosen_methods("all")
    assert {m.name for m in fast} < {m.name for m in every}
    assert not any(m.trains for m in fast) and "finch" not in {m.name for m in every}
    (one,) = chosen_methods("hac=0.3")
    assert (one.name, one.threshold) == ("hac=0.3", 0.3)
    both = chosen_methods("hac, hac=0.3")
    assert [m.threshold for m in both] == [None, 0.3]
    with pytest.raises(ModelError):
        chosen_methods("bcl=/no/such/file.pt")
    for text, why in (("nobody", "choose from"), ("hac=x", "no number"), ("instant=1", "nothing")):
        with pytest.raises(ConfigError, match=why):
            chosen_methods(text)


def test_ours_may_be_trained_at_another_depth() -> None:
    plain, deep = chosen_methods("paper,paper=head")
    assert (deep.name, deep.needs, deep.sees, deep.trains) == (
        "paper=head",
        "nothing",
        "pictures",
        True,
    )
    assert title_of("paper=head") == f"{plain.title}, head" and title_of("paper") == plain.title
    assert (
        config_of("paper=head", 3).adapt.trainable == "head"
        and config_of("paper=head", 3).seed == 3
    )
    assert config_of("paper").adapt.trainable == "all"
    assert profile_of("paper=head") == "paper" and profile_of("hac=0.3") is None
    with pytest.raises(ConfigError, match=r"adapt\.trainable"):
        chosen_methods("vcn=everything")
