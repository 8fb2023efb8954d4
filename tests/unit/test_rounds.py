"""Rounds on disk: whole or not at all, refused when damaged, never unpickled."""

from __future__ import annotations

import errno
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests import tables
from tests.unit.test_heads import SmallNet, SmallVit, origin, single_threaded
from videoclusternet.adapt.guards import Health
from videoclusternet.adapt.heads import Depth, make_pair
from videoclusternet.adapt.rounds import (
    Finished,
    GoodRounds,
    digest_of,
    epochs_table,
    read_embeddings,
    read_round,
    read_state,
    read_weights,
    round_folder,
    rounds_table,
    write_round,
)
from videoclusternet.adapt.train import Epoch, Training
from videoclusternet.config import AdaptConfig
from videoclusternet.errors import StoreError
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.runfolder.table_files import read_table, table_path, write_table
from videoclusternet.types import Embeddings, Epochs, Rounds, Views

one_thread = pytest.fixture(autouse=True)(single_threaded)
HEALTH = Health(entropy=0.5, mean_entropy=1.5, rank=4.0, top=0.25)
FILES = [
    "embeddings.safetensors", "state.json", "student.safetensors", "teacher.safetensors",
    "views.safetensors",
]  # fmt: skip


def training(
    model: FaceModel | None = None, depth: Depth = "last-stage", **settings: object
) -> Training:
    model = model or SmallNet()
    config = AdaptConfig.model_validate(settings)
    student, teacher = make_pair(model, config, depth, origin(model), 0)
    outputs = 1 if config.tokens == "class" else 2
    return Training(student, teacher, torch.arange(8.0 * outputs).view(outputs, 8), HEALTH)


def embeddings(seed: int = 0, d: int = 16) -> tuple[Embeddings, Views]:
    rng = np.random.default_rng(seed)
    made = Embeddings(
        track=np.array([0, 0, 1]),
        crop=np.arange(3),
        base=rng.normal(size=(3, d)),
        quality=rng.uniform(size=3),
        tracks=2,
        model="small-net",
    )
    return made, tables.views_of_every(rng.normal(size=(3, 6, d)), 2)


def finished(number: int = 1, digest: str = "", collapse: str = "") -> Finished:
    log = tuple(Epoch(number, n, 2.0 - n, 1e-4, replace(HEALTH, rank=4.0 - n)) for n in range(2))
    return Finished(log, HEALTH, digest, collapse)


def about(fingerprint: str = "f") -> dict[str, object]:
    return {"fingerprint": fingerprint, "adapt": AdaptConfig().model_dump()}


def written(folder: Path, number: int = 1, of: Training | None = None) -> tuple[Embeddings, Views]:
    made = embeddings(number)
    done = finished(number, digest_of(*made))
    write_round(folder, number, done, about(), of or training(), made)
    return made


# --- there and back --------------------------------------------------------------------


def test_round_comes_back_as_it_was(tmp_path: Path) -> None:
    of = training()
    made = written(tmp_path, 3, of)
    home = round_folder(tmp_path, 3)
    assert home == tmp_path / "adapt" / "round-03"
    assert sorted(p.name for p in home.iterdir()) == FILES
    assert read_round(tmp_path, 3, "f") == finished(3, digest_of(*made))
    again = read_embeddings(tmp_path, 3, digest_of(*made))
    assert [table.digest for table in again] == [table.digest for table in made]
    student, teacher, centre = read_weights(home, "cpu")
    assert torch.equal(centre, of.centre)
    for state, learner in ((student, of.student), (teacher, of.teacher)):
        assert state.keys() == learner.trained().keys()
        assert all(torch.equal(state[name], x) for name, x in learner.trained().items())
    assert read_state(home)["adapt"]["rounds"] == 0


@pytest.mark.parametrize("depth", ["all", "last-stage", "head"])
def test_whatever_was_trained_is_kept(tmp_path: Path, depth: Depth) -> None:
    of, again = training(depth=depth), training(depth=depth)
    with torch.no_grad():
        for parameter in (*of.student.base_parameters(), *of.student.head_parameters()):
            parameter.add_(torch.randn(parameter.shape))
    written(tmp_path, 1, of)
    student, teacher, _ = read_weights(round_folder(tmp_path, 1), "cpu")
    again.student.take(student)
    again.teacher.take(teacher)
    for a, b in ((of.student, again.student), (of.teacher, again.teacher)):
        assert all(torch.equal(x, b.state_dict()[name]) for name, x in a.state_dict().items())


def test_patch_head_and_both_centres_are_kept(tmp_path: Path) -> None:
    of = training(SmallVit(), tokens="separate")
    written(tmp_path, 1, of)
    student, _, centre = read_weights(round_folder(tmp_path, 1), "cpu")
    assert "patch_head.layers.4.weight" in student and centre.shape == (2, 8)


class Tied(SmallNet):
    """Two layers share their weights, as in networks read from ONNX files."""

    def __init__(self) -> None:
        super().__init__()
        self.more = nn.Conv2d(12, 12, 1)
        self.twin = nn.Conv2d(12, 12, 1)
        self.twin.weight = self.more.weight


def test_weights_that_two_layers_share(tmp_path: Path) -> None:
    of = training(Tied(), "all")
    written(tmp_path, 1, of)
    student, _, _ = read_weights(round_folder(tmp_path, 1), "cpu")
    assert torch.equal(student["backbone.more.weight"], student["backbone.twin.weight"])
    of.student.take(student)


def test_weights_in_another_memory_layout(tmp_path: Path) -> None:
    of = training(SmallNet().to(memory_format=torch.channels_last))
    written(tmp_path, 1, of)
    student, _, _ = read_weights(round_folder(tmp_path, 1), "cpu")
    weight = of.student.trained()["backbone.stage.0.weight"]
    assert not weight.is_contiguous() and torch.equal(student["backbone.stage.0.weight"], weight)


def test_collapsed_round_keeps_its_log_only(tmp_path: Path) -> None:
    done = finished(2, collapse="one output rules")
    write_round(tmp_path, 2, done, about(), training(), None)
    assert [p.name for p in round_folder(tmp_path, 2).iterdir()] == ["state.json"]
    assert read_round(tmp_path, 2, "f") == done


# --- all or nothing --------------------------------------------------------------------


@pytest.mark.parametrize("stop", ["student.safetensors", "teacher.safetensors", "state.json"])
@pytest.mark.parametrize("before", ["nothing", "another round"])
def test_interrupted_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: str, before: str
) -> None:
    if before == "another round":
        made = embeddings(7)
        done = finished(1, digest_of(*made))
        write_round(tmp_path, 1, done, about("earlier"), training(), made)
    earlier = read_round(tmp_path, 1, "earlier")
    for write in ("write_bytes", "write_text"):
        whole = getattr(Path, write)

        def interrupt(path: Path, data: object, *args: object, _whole=whole, **more: str) -> object:
            if path.name == stop:
                raise KeyboardInterrupt
            return _whole(path, data, *args, **more)

        monkeypatch.setattr(Path, write, interrupt)
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path)
    monkeypatch.undo()
    assert read_round(tmp_path, 1, "f") is None
    assert read_round(tmp_path, 1, "earlier") == earlier
    assert (earlier is None) == (before == "nothing")
    made = written(tmp_path)  # what was left over is no hindrance
    assert read_round(tmp_path, 1, "f") == finished(1, digest_of(*made))
    assert [p.name for p in (tmp_path / "adapt").iterdir()] == ["round-01"]


@pytest.mark.parametrize("name", FILES)
def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for write in ("write_bytes", "write_text"):
        whole = getattr(Path, write)

        def full(path: Path, data: object, *args: object, _whole=whole, **more: str) -> object:
            if name in path.name:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return _whole(path, data, *args, **more)

        monkeypatch.setattr(Path, write, full)
    with pytest.raises(StoreError, match=r"No space left.*make room"):
        written(tmp_path)
    monkeypatch.undo()
    assert read_round(tmp_path, 1, "f") is None


# --- others' and damaged rounds --------------------------------------------------------


def test_round_of_other_settings_is_not_taken(tmp_path: Path) -> None:
    written(tmp_path)
    assert read_round(tmp_path, 1, "g") is None
    assert read_round(tmp_path, 2, "f") is None


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[1, 2]", "null", '"text"', "{}", "\xff",
        '{"fingerprint": "f"}',
        '{"fingerprint": "f", "epochs": 3, "start": {}, "digest": "", "collapse": ""}',
        '{"fingerprint": "f", "epochs": [], "start": {"top": 1}, "digest": "", "collapse": ""}',
        '{"fingerprint": "f", "epochs": [{}], "start": {}, "digest": "", "collapse": ""}',
        '{"fingerprint": "f", "epochs": ["x"], "start": {}, "digest": "", "collapse": ""}',
    ],
)  # fmt: skip
def test_damaged_log_is_no_round(tmp_path: Path, text: str) -> None:
    written(tmp_path)
    (round_folder(tmp_path, 1) / "state.json").write_text(text, encoding="latin-1")
    assert read_round(tmp_path, 1, "f") is None


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "short":
        path.write_bytes(data[: len(data) // 2])
    elif how == "noise":
        path.write_bytes(b"\xff" * len(data))
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.write_bytes(pickle.dumps(Bomb()))


class Bomb:
    """Goes off when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os._exit, (99,)  # type: ignore[return-value]


DAMAGES = ["gone", "short", "noise", "empty", "pickle"]


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", ["student", "teacher"])
def test_damaged_weights(tmp_path: Path, name: str, how: str) -> None:
    written(tmp_path)
    home = round_folder(tmp_path, 1)
    damage(home / f"{name}.safetensors", how)
    with pytest.raises(StoreError, match=r"weights in .*round-01.*to train again"):
        read_weights(home, "cpu")


def test_weights_without_a_centre(tmp_path: Path) -> None:
    written(tmp_path)
    home = round_folder(tmp_path, 1)
    (home / "teacher.safetensors").write_bytes((home / "student.safetensors").read_bytes())
    with pytest.raises(StoreError, match="weights in"):
        read_weights(home, "cpu")


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_embeddings(tmp_path: Path, how: str) -> None:
    made = written(tmp_path)
    damage(round_folder(tmp_path, 1) / "embeddings.safetensors", how)
    with pytest.raises(StoreError, match=r"embeddings\.safetensors is damaged"):
        read_embeddings(tmp_path, 1, digest_of(*made))


def test_embeddings_of_another_round(tmp_path: Path) -> None:
    made, _ = written(tmp_path, 1), written(tmp_path, 2)
    (round_folder(tmp_path, 2) / "embeddings.safetensors").replace(
        round_folder(tmp_path, 1) / "embeddings.safetensors"
    )
    with pytest.raises(StoreError, match="is not what the run wrote"):
        read_embeddings(tmp_path, 1, digest_of(*made))


# --- tables ----------------------------------------------------------------------------


def judged(number: int, **values: float) -> dict[str, float]:
    return {
        "round": number, "matches": 5, "jaccard": 0.5, "agreement": 0.75, "stability": 0.25,
        "characters": 3, "together": 0.125, **values,
    }  # fmt: skip


def test_logs_of_all_rounds_in_two_tables(tmp_path: Path) -> None:
    found = [
        replace(finished(1, "a"), judged=judged(1)),
        replace(finished(2, "b"), judged=judged(2, stability=float("nan"))),
        replace(finished(3, "", "one output rules"), judged={"round": 3}),
    ]
    table, log = rounds_table(found, paired=True), epochs_table(found)
    assert table.round.tolist() == [1, 2, 3] and table.good.tolist() == [True, True, False]
    assert table.digests == ("a", "b", "") and table.paired
    assert table.matches.tolist() == [5, 5, 0] and table.characters.tolist() == [3, 3, 0]
    assert table.together.tolist()[:2] == [0.125, 0.125]
    assert np.isnan(table.stability).tolist() == [False, True, True]
    assert log.round.tolist() == [1, 1, 2, 2, 3, 3] and log.epoch.tolist() == [0, 1] * 3
    assert log.loss.tolist() == [2, 1] * 3 and log.rank.tolist() == [4, 3] * 3
    assert log.top.tolist() == [0.25] * 6
    for table_ in (table, log):
        path = table_path(tmp_path, type(table_))
        write_table(path, table_)
        assert read_table(path, type(table_)).digest == table_.digest


def test_no_round_no_row() -> None:
    assert len(rounds_table([], paired=False)) == len(epochs_table([])) == 0
    assert isinstance(epochs_table([]), Epochs)


def test_every_round_needs_a_digest() -> None:
    table = rounds_table([replace(finished(1, "a"), judged=judged(1))], paired=False)
    with pytest.raises(ValueError, match="every round needs a digest"):
        replace(table, digests=())
    assert isinstance(table, Rounds)


def test_good_rounds_are_read_when_asked_for(tmp_path: Path) -> None:
    of = training()
    made = [written(tmp_path, n, of) for n in (1, 2)]
    found = [
        *(replace(finished(n, digest_of(*m)), judged=judged(n)) for n, m in enumerate(made, 1)),
        replace(finished(3, "", "collapsed"), judged={"round": 3}),
    ]
    table = rounds_table(found, paired=True)
    read = GoodRounds(tmp_path, table)
    assert list(read) == ["round-1", "round-2"]
    adapted = read["round-2"]()
    assert digest_of(adapted.embeddings, adapted.views) == digest_of(*made[1]) and adapted.paired
    assert adapted.centre.tolist() == of.centre[0].tolist()
    damage(round_folder(tmp_path, 1) / "embeddings.safetensors", "gone")
    assert list(GoodRounds(tmp_path, table)) == ["round-1", "round-2"]
    with pytest.raises(StoreError):
        read["round-1"]()
