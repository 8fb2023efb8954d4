"""Rounds of training and matching: kept, gone on with, rolled back, stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests import tables
from tests.unit.test_heads import SmallNet, single_threaded
from tests.unit.test_supply import HALF, SEED, Toy, toy
from tests.unit.test_train import PLAIN
from videoclusternet.adapt import loop, train
from videoclusternet.adapt.judge import judge
from videoclusternet.adapt.loop import Adaptation, Material, depth_of, teacher_half
from videoclusternet.adapt.rounds import (
    GoodRounds,
    digest_of,
    read_embeddings,
    read_state,
    read_weights,
    round_folder,
)
from videoclusternet.adapt.step import adapt_faces
from videoclusternet.adapt.supply import Supply
from videoclusternet.clustering.distance import normalise
from videoclusternet.clustering.find_cast import find_cast
from videoclusternet.config import ClusterConfig, Config, MatchConfig, QualityFilterConfig
from videoclusternet.engine.work import Work
from videoclusternet.errors import Cancelled, StoreError
from videoclusternet.events import Progress, no_progress
from videoclusternet.runfolder.crop_zip import CropPictures
from videoclusternet.runfolder.table_files import read_table, table_path
from videoclusternet.types import (
    Cast,
    Constraints,
    CropWeights,
    Embeddings,
    Epochs,
    Links,
    Rounds,
    Views,
)

one_thread = pytest.fixture(autouse=True)(single_threaded)
NONE = Constraints.none(6)
ROUNDS = {"rounds": 3, "epochs": 2, "later_epochs": 2, "batch": 6, "rate": 1e-3, "stop": 2.0}


@dataclass
class Runs:
    """Adapts the toy film in some folders."""

    folder: Path

    def __call__(
        self,
        name: str = "run",
        progress: Progress = no_progress,
        given: Path | None = None,
        constraints: Constraints | None = None,
        pixels: Callable[[np.ndarray], np.ndarray] | None = None,
        fingerprint: str = "f",
        supplies: dict[str, Supply] | None = None,
        **settings: object,
    ) -> tuple[Rounds, Epochs]:
        config = Config.model_validate(
            {
                "seed": SEED,
                "adapt": PLAIN | ROUNDS | settings,
                "matching": {"quantile": 0.1},
                "track_quality": {"enabled": True},
            }
        )
        people = toy()
        known = constraints or Constraints.none(people.tracks)
        film = Material(
            *people.embedded(SmallNet()),
            np.ones(len(people.track), np.float32),
            pixels or people.pixels,
            known,
            judge(known, config.matching, config.seed),
        )
        self.notes: list[str] = []
        self.adaptation = Adaptation(
            film, SmallNet(), config, self.folder / name, fingerprint, given=given,
            supplies=supplies,
        )  # fmt: skip
        return self.adaptation.run(progress, self.notes.append)

    def embeddings(self, name: str, number: int) -> tuple[Embeddings, Views]:
        digest = read_state(self.home(number, name))["digest"]
        return read_embeddings(self.folder / name, number, digest)

    def home(self, number: int, name: str = "run") -> Path:
        return round_folder(self.folder / name, number)


@pytest.fixture
def adapt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setattr("videoclusternet.adapt.judge.DRAWS", 2)  # quicker
    return Runs(tmp_path)


def apart(pairs: object) -> Constraints:
    """Pairs of the six tracks that are two people."""
    return Constraints(np.array(pairs), np.empty((0, 2)), 6)


def refuse(rows: np.ndarray) -> np.ndarray:
    raise AssertionError("pictures are not needed")


def stopping(at: int) -> Progress:
    """Stop training after that many pairs of all rounds."""

    def progress(done: int, total: int) -> None:
        if total > 24 and done >= at:
            raise Cancelled("stopped")

    return progress


# --- what is kept ----------------------------------------------------------------------


def test_every_round_is_kept(adapt: Runs) -> None:
    rounds, epochs = adapt()
    assert rounds.round.tolist() == [1, 2, 3] and rounds.good.all() and rounds.paired
    assert [(r, e) for r in (1, 2, 3) for e in (0, 1)] == list(
        zip(epochs.round.tolist(), epochs.epoch.tolist(), strict=True)
    )
    assert np.isfinite(epochs.loss).all() and (epochs.rate <= 1e-2).all()
    frozen, _ = toy().embedded(SmallNet())
    seen = []
    for number, digest, matches in zip((1, 2, 3), rounds.digests, rounds.matches, strict=True):
        found, views = read_embeddings(adapt.folder / "run", number, digest)
        assert found.base.shape == (12, 16) and views.base.shape == (12, 6, 16)
        assert np.array_equal(found.track, frozen.track) and found.quality.min() > 0
        seen.append(found.base)
        links = read_table(table_path(adapt.home(number), Links), Links)
        assert isinstance(links, Links) and len(links) == matches
    assert not np.allclose(seen[0], seen[1]) and not np.allclose(seen[1], seen[2])
    assert (rounds.matches > 0).all() and rounds.jaccard[0] == 0
    assert np.isfinite(rounds.stability).all() and (rounds.characters >= 2).all()
    assert (rounds.agreement <= 1).all() and not rounds.together.any()
    assert [note.partition(":")[0] for note in adapt.notes] == ["round 1", "round 2", "round 3"]
    assert f"{rounds.matches[2]} matches, {rounds.characters[2]} characters" in adapt.notes[2]


def test_embeddings_are_of_teacher_and_student(adapt: Runs) -> None:
    rounds, _ = adapt(rounds=1)
    found, views = adapt.embeddings("run", 1)
    training, supply = adapt.adaptation.training, adapt.adaptation.supply
    with torch.no_grad():
        plain, fixed = supply.plain(np.arange(12)), supply.fixed(np.arange(12))
        for learner, part in ((training.teacher, slice(8)), (training.student, slice(8, 16))):
            seen, drawn = (
                learner.embed(x.flatten(0, 1)).unflatten(0, x.shape[:2]).numpy()
                for x in (plain, fixed)
            )
            np.testing.assert_allclose(found.base[:, part], seen.mean(1), atol=1e-5)
            np.testing.assert_allclose(views.base[..., part], drawn, atol=1e-5)
    half, seen = teacher_half(found, views, rounds.paired)
    assert np.array_equal(half.base, found.base[:, :8]) and seen.base.shape == (12, 6, 8)
    assert teacher_half(found, views, False) == (found, views)


def test_without_a_head_embeddings_are_those_of_the_teacher(adapt: Runs) -> None:
    rounds, _ = adapt(rounds=1, head="none", rate=1e-9, rate_end=1e-9)
    found, views = adapt.embeddings("run", 1)
    frozen, before = toy().embedded(SmallNet())
    assert not rounds.paired
    np.testing.assert_allclose(found.base, frozen.base, **HALF)
    np.testing.assert_allclose(views.base, before.base, **HALF)
    np.testing.assert_allclose(found.quality, frozen.quality, atol=1e-3)


def test_second_run_trains_nothing(adapt: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    first = adapt()
    monkeypatch.setattr(loop.Trainer, "round", lambda *_: pytest.fail("trained again"))
    again = adapt(pixels=refuse)
    assert [t.digest for t in again] == [t.digest for t in first]
    assert len(adapt.notes) == 3


def test_rounds_of_other_settings_are_made_again(adapt: Runs) -> None:
    adapt(rounds=1)
    before = digest_of(*adapt.embeddings("run", 1))
    adapt(rounds=1, rate=3e-3, fingerprint="g")
    assert digest_of(*adapt.embeddings("run", 1)) != before


def test_rounds_of_earlier_settings_are_deleted(adapt: Runs) -> None:
    adapt(rounds=3)
    adapt(rounds=1, fingerprint="g")
    assert [p.name for p in adapt.home(1).parent.iterdir()] == ["round-01"]


def test_rounds_of_another_depth_are_made_again(
    adapt: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may go on on a machine where `auto` means something else."""
    adapt(rounds=2)
    monkeypatch.setattr(loop, "depth_of", lambda *_: "all")
    rounds, _ = adapt(rounds=2)
    assert rounds.good.all()
    student, _, _ = read_weights(adapt.home(2), "cpu")
    assert "backbone.stem.0.weight" in student


def test_activations_are_kept_for_more_trainings_on_a_film(adapt: Runs) -> None:
    supplies: dict[str, Supply] = {}
    first = adapt("a", supplies=supplies, rounds=1)
    again = adapt("b", pixels=refuse, supplies=supplies, rounds=1)
    other = adapt("c", pixels=refuse, supplies=supplies, rounds=1, rate=3e-3)
    assert first[0].digest == again[0].digest != other[0].digest
    for n, settings in enumerate(({"pool": (1, 2)}, {"trainable": "head"}), 2):
        adapt(str(n), supplies=supplies, rounds=1, **settings)
        assert len(supplies) == n
    adapt("all", supplies=supplies, rounds=1, trainable="all")  # keeps pixels only
    assert len(supplies) == 3


def test_clean_crops_say_what_their_track_is_to_say(
    adapt: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracks and student are seen from one middle, in every round and with a given model."""
    seen = companies(monkeypatch)
    looks: dict[str, object] = {"head": "none", "objective": "looks", "pairs": "own", "rate": 1e-4}
    adapt("other", rate_end=1e-4, **looks)
    given = adapt.home(1, "other")
    state = load_file(given / "student.safetensors")
    state["head.origin"] += 0.3  # as of a film in quite another light
    save_file(state, given / "student.safetensors")
    for run in ("first", "second"):
        seen.clear()
        adapt(run, given=given if run == "second" else None, rate_end=1e-4, rounds=2, **looks)
        for number, company in enumerate(seen, 1 - (run == "second")):
            if number < 1:
                continue
            student = adapt.adaptation.training.student
            base = toy().embedded(SmallNet())[0].base
            unit = normalise(base - student.head.origin.numpy())
            assert (unit * company.means[toy().track]).sum(1).mean() > 0.9


def test_depth_of_a_machine() -> None:
    assert depth_of("auto", "cpu") == "last-stage" and depth_of("auto", "cuda") == "all"
    assert depth_of("head", "cuda") == "head" and depth_of("all", "cpu") == "all"


# --- stopped runs ----------------------------------------------------------------------

KINDS: list[dict[str, object]] = [
    {"head": "mlp", "teacher_head": "own", "student_temperature": 1.0, "head_epochs": 1},
    {"head": "residual", "trainable": "all", "update": "step", "warmup": 1, "rate_start": 1e-4},
    {
        "head": "none", "objective": "looks", "pairs": "own", "relative": True,
        "update": "step", "momentum": 0.95,
    },
]  # fmt: skip
"""As in the paper; everything trained; as in the profile `vcn`."""


@pytest.mark.parametrize("settings", KINDS)
def test_stopped_in_the_second_round_goes_on_to_the_same_end(
    adapt: Runs, settings: dict[str, object]
) -> None:
    pairs = 12
    whole = adapt("whole", **settings)
    told: list[int] = []
    for at in (2 * pairs + pairs // 2, 3 * pairs + 1):
        with pytest.raises(Cancelled):
            adapt("stopped", stopping(at), **settings)
        assert adapt.home(1, "stopped").is_dir() and not adapt.home(2, "stopped").exists()
    resumed = adapt("stopped", lambda done, total: told.append(done), **settings)
    # In crops first, while views are kept; then in pairs, from the second round on.
    counted = [n for n in told if n > 12]
    assert min(counted) > 2 * pairs and max(counted) == 6 * pairs
    assert [t.digest for t in resumed] == [t.digest for t in whole]
    for number in (2, 3):
        a, b = (read_weights(adapt.home(number, n), "cpu") for n in ("whole", "stopped"))
        for left, right in zip(a[:2], b[:2], strict=True):
            assert all(torch.equal(left[name], right[name]) for name in left)
        assert torch.equal(a[2], b[2])


def test_stopped_in_the_first_round_begins_again(adapt: Runs) -> None:
    with pytest.raises(Cancelled):
        adapt("stopped", stopping(20))
    assert not adapt.home(1, "stopped").exists()
    assert adapt("stopped")[0].digest == adapt("whole")[0].digest


def test_progress_never_goes_back(adapt: Runs) -> None:
    told: list[tuple[int, int]] = []
    adapt(progress=lambda done, total: told.append((done, total)))
    crops, pairs = [t for t in told if t[1] == 12], [t for t in told if t[1] == 72]
    assert crops[-1] == (12, 12) and told == crops + pairs
    assert pairs == sorted(pairs) and pairs[-1] == (72, 72) and len(set(pairs)) == 12


def test_damaged_weights_are_told(adapt: Runs) -> None:
    adapt(rounds=1)
    (adapt.home(1) / "student.safetensors").write_bytes(b"")
    with pytest.raises(StoreError, match="to train again"):
        adapt(rounds=1)


# --- collapse --------------------------------------------------------------------------


def collapsing(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let a guard strike at the end of some epoch, counted over all rounds."""
    seen: Iterator[int] = iter(range(1, 1000))
    words = "everybody is the same"
    monkeypatch.setattr(train, "collapsed", lambda *_: words if next(seen) == after else "")


def cast_of(folder: Path, rounds: Rounds, choice: str, found: tuple[Embeddings, Views]) -> Cast:
    spans = tables.tracks([(t, 0, 99) for t in range(toy().tracks)])
    cast, _, _ = find_cast(
        spans, *found, CropWeights.even(len(found[0])), ClusterConfig(choose=choice),
        QualityFilterConfig(enabled=False), rounds=GoodRounds(folder, rounds),
    )  # fmt: skip
    return cast


def test_collapse_goes_back_to_the_round_before(
    adapt: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    collapsing(monkeypatch, after=4)
    rounds, epochs = adapt(guard=True)
    assert rounds.round.tolist() == [1, 2] and rounds.good.tolist() == [True, False]
    assert rounds.digests[0] and not rounds.digests[1] and len(epochs) == 4
    assert adapt.notes[1] == (
        "round 2 collapsed (everybody is the same); what was before it is kept"
    )
    assert [p.name for p in adapt.home(2).iterdir()] == ["state.json"]
    frozen, folder = toy().embedded(SmallNet()), adapt.folder / "run"
    assert list(GoodRounds(folder, rounds)) == ["round-1"]
    collapsed = cast_of(folder, rounds, "adapted/or", frozen)
    before, _ = adapt("before", rounds=1)
    assert collapsed.chosen == "round-1/or"
    alone = cast_of(adapt.folder / "before", before, "adapted/or", frozen)
    assert collapsed.digest == alone.digest
    # Read again, it is still over.
    monkeypatch.setattr(loop.Trainer, "round", lambda *_: pytest.fail("trained again"))
    again, _ = adapt(guard=True, pixels=refuse)
    assert again.digest == rounds.digest


def test_collapse_of_the_first_round_leaves_the_model_as_it_was(
    adapt: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    collapsing(monkeypatch, after=1)
    rounds, epochs = adapt(guard=True)
    assert rounds.round.tolist() == [1] and not rounds.good.any() and len(epochs) == 1
    frozen, folder = toy().embedded(SmallNet()), adapt.folder / "run"
    adapted, plain = (cast_of(folder, rounds, c, frozen) for c in ("adapted/or", "frozen/or"))
    assert adapted.chosen == "frozen/or" and adapted.digest == plain.digest


# --- matching between rounds -----------------------------------------------------------


def companies(monkeypatch: pytest.MonkeyPatch) -> list[train.Company]:
    """Remember who trains with whom in each round."""
    seen: list[train.Company] = []

    class Watched(train.Trainer):
        def __init__(self, training, supply, company, config, ranks) -> None:  # type: ignore[no-untyped-def]
            seen.append(company)
            super().__init__(training, supply, company, config, ranks)

    monkeypatch.setattr(loop, "Trainer", Watched)
    return seen


@pytest.mark.parametrize("pairs", ["links", "groups", "own"])
def test_partners_of_every_round(adapt: Runs, monkeypatch: pytest.MonkeyPatch, pairs: str) -> None:
    seen = companies(monkeypatch)
    adapt(pairs=pairs)
    first, second = ([c.partners.of(t).tolist() for t in range(6)] for c in seen[:2])
    links = read_table(table_path(adapt.home(1), Links), Links)
    assert isinstance(links, Links)
    both = [*zip(links.a, links.b, strict=True), *zip(links.b, links.a, strict=True)]
    matched = [sorted({int(b) for a, b in both if a == t}) for t in range(6)]
    if pairs == "groups":
        judged = judge(NONE, MatchConfig(quantile=0.1), SEED)
        company = judged(*toy().embedded(SmallNet()), np.ones(6, dtype=bool)).label
        assert first == [
            [t for t in range(6) if company[t] == company[me] and t != me] for me in range(6)
        ]
        assert sum(map(len, second)) > 0
    else:  # the paper's first round knows no matches
        assert first == [[]] * 6
        assert second == (matched if pairs == "links" else [[]] * 6)
    assert all(c.kept.all() for c in seen)


@pytest.mark.parametrize("pairs", ["links", "groups"])
def test_poor_tracks_neither_train_nor_are_partners(
    adapt: Runs, monkeypatch: pytest.MonkeyPatch, pairs: str
) -> None:
    poor = np.arange(6) == 2
    monkeypatch.setattr(loop, "low_quality", lambda *_: poor)
    seen = companies(monkeypatch)
    adapt(pairs=pairs)
    assert seen[0].kept.all()  # quality is that of the trained model
    for company in seen[1:]:
        assert company.kept.tolist() == (~poor).tolist()
        assert len(company.partners.of(2)) == 0 and 2 not in company.partners.other
        assert not company.means[2].any() and company.means[~poor].any(1).all()
        assert len(company.partners.other) > 0


def test_quality_filter_may_be_off(adapt: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "low_quality", lambda *_: pytest.fail("asked"))
    config = Config.model_validate({"track_quality": {"enabled": False}})
    frozen = toy().embedded(SmallNet())
    film = Material(
        *frozen, np.ones(12, np.float32), toy().pixels, NONE, judge(NONE, MatchConfig(), 0)
    )
    assert Adaptation(film, SmallNet(), config, adapt.folder, "f")._kept(frozen[0]).all()


@pytest.mark.parametrize(
    ("settings", "rounds"),
    [
        ({"stop": 0.001}, 2),
        ({"stop": 2.0}, 3),
        ({"stop": 0.001, "pairs": "groups"}, 3),
        ({"stop": 0.001, "rounds": 1}, 1),
    ],
)
def test_training_ends_when_matches_stay(
    adapt: Runs, settings: dict[str, object], rounds: int
) -> None:
    found, _ = adapt(**settings)
    assert len(found) == rounds and adapt.home(rounds).is_dir()
    assert not adapt.home(rounds + 1).exists()
    if rounds == 2:
        assert found.jaccard[1] > 0.001


def test_matches_that_join_two_people_of_one_picture_are_counted(adapt: Runs) -> None:
    rounds, _ = adapt(rounds=1)
    pairs = np.array([(a, b) for a in range(6) for b in range(a + 1, 6)])
    assert rounds.together.tolist() == [0]
    assert adapt("apart", rounds=1, constraints=apart(pairs))[0].together.tolist() == [1]
    links = read_table(table_path(adapt.home(1), Links), Links)
    assert isinstance(links, Links)
    one = {(int(links.a[0]), int(links.b[0])), (int(links.b[0]), int(links.a[0]))}
    wrong = sum(pair in one for pair in zip(links.a.tolist(), links.b.tolist(), strict=True))
    some = adapt("some", rounds=1, constraints=apart([min(one)]))[0]
    assert some.together[0] == pytest.approx(wrong / len(links))


# --- another run's model ---------------------------------------------------------------


def test_given_model_is_the_beginning(adapt: Runs) -> None:
    adapt("first", rounds=2)
    given = adapt.home(2, "first")
    rounds, epochs = adapt("second", given=given, rounds=1)
    assert rounds.round.tolist() == [0, 1] and rounds.good.all()
    assert epochs.round.tolist() == [1, 1]
    assert digest_of(*adapt.embeddings("second", 0)) == digest_of(*adapt.embeddings("first", 2))
    alone, _ = adapt("alone", rounds=1)
    assert alone.digests[0] != rounds.digests[1]
    assert list(GoodRounds(adapt.folder / "second", rounds)) == ["round-0", "round-1"]


def test_given_model_without_training(adapt: Runs) -> None:
    adapt("first", rounds=1)
    rounds, epochs = adapt("second", given=adapt.home(1, "first"), rounds=0)
    assert rounds.round.tolist() == [0] and len(epochs) == 0


def test_stopped_after_the_given_model_goes_on_to_the_same_end(adapt: Runs) -> None:
    adapt("first", rounds=1)
    settings = {"given": adapt.home(1, "first"), "rounds": 2}
    whole, log = adapt("whole", **settings)  # type: ignore[arg-type]
    with pytest.raises(Cancelled):
        adapt("stopped", stopping(13), **settings)  # type: ignore[arg-type]
    assert adapt.home(0, "stopped").is_dir() and not adapt.home(1, "stopped").exists()
    resumed, again = adapt("stopped", **settings)  # type: ignore[arg-type]
    assert (resumed.digest, again.digest) == (whole.digest, log.digest)
    starts = [read_state(adapt.home(1, name))["start"] for name in ("whole", "stopped")]
    assert starts[0] == starts[1] and starts[0]["mean_entropy"] > 0


# --- the judge -------------------------------------------------------------------------


def test_what_embeddings_say_without_labels() -> None:
    frozen = toy().embedded(SmallNet())
    kept = np.array([True, True, True, False, True, True])
    judged = judge(NONE, MatchConfig(quantile=0.1), 0)(*frozen, kept)
    assert judged.label[3] == -1 and (judged.label[kept] >= 0).all()
    assert sorted(set(judged.label.tolist())) == list(range(-1, judged.label.max() + 1))
    assert kept[judged.links.a].all() and kept[judged.links.b].all() and len(judged.links)
    assert -1 <= judged.stability <= 1
    strangers = apart([(a, b) for a in range(6) for b in range(a + 1, 6)])
    alone = judge(strangers, MatchConfig(), 0)(*frozen, kept)
    assert len(set(alone.label[kept].tolist())) == 5


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_to_tell_apart(count: int) -> None:
    kept = np.arange(6) < count
    judged = judge(NONE, MatchConfig(), 0)(*toy().embedded(SmallNet()), kept)
    assert judged.label.tolist() == [0] * count + [-1] * (6 - count)
    assert len(judged.links) == 0 and np.isnan(judged.stability)


# --- very short films ------------------------------------------------------------------


@pytest.mark.parametrize("tracks", [0, 1])
def test_nobody_or_one_track_needs_no_training(tracks: int, tmp_path: Path) -> None:
    film = toy()
    keep = film.track < tracks
    few = Toy(
        film.canvases[keep], film.track[keep], film.person[:2]
    )  # two tracks, not all with crops
    c = Config.model_validate({"adapt": PLAIN | ROUNDS})
    spans = tables.tracks([(t, 0, 99) for t in range(2)])
    rounds, _ = adapt_faces(
        spans, *few.embedded(SmallNet()), CropWeights.even(len(few.track)), CropPictures([]),
        lambda: pytest.fail("no model is needed"),
        c.adapt, c.matching, c.track_quality, c.embed, c.seed, work=Work(folder=tmp_path),
    )  # fmt: skip
    assert len(rounds) == 0


def test_two_tracks_are_enough(adapt: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    two = Toy(toy().canvases[:4], toy().track[:4], toy().person[:2])
    monkeypatch.setattr("tests.unit.test_loop.toy", lambda: two)
    for pairs in ("links", "groups"):
        rounds, _ = adapt(pairs, pairs=pairs, guard=True)
        assert len(rounds) == 3


def test_lone_crops_are_enough(adapt: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    lone = Toy(toy().canvases[::2], toy().track[::2], toy().person)
    monkeypatch.setattr("tests.unit.test_loop.toy", lambda: lone)
    assert len(adapt()[0]) == 3
