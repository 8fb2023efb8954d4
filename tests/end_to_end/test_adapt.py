"""Adaptation from end to end: profiles, stopped runs, labels, other films, several processes."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.drawn import PLAIN, FakeModels, draw_film
from tests.end_to_end.test_resume import Stop
from tests.unit.test_heads import single_threaded
from videoclusternet import Config, Result, cluster_film, cluster_tracks, open_run
from videoclusternet.adapt.rounds import read_embeddings, round_folder
from videoclusternet.errors import Cancelled, ConfigError, StoreError
from videoclusternet.events import Event, Hook, silent
from videoclusternet.pipeline import adapt_run
from videoclusternet.runfolder.crop_zip import CROP_ZIP
from videoclusternet.runfolder.folder import Store
from videoclusternet.show.learning import write_learning
from videoclusternet.types import Epochs, Rounds

pytestmark = pytest.mark.usefixtures("fake_models")
one_thread = pytest.fixture(autouse=True)(single_threaded)
TINY = (
    "adapt.rounds=2", "adapt.epochs=2", "adapt.later_epochs=2", "adapt.warmup=1", "adapt.batch=4",
    "adapt.anchors=2",
    "adapt.rate=1e-3", "adapt.head_epochs=1", "adapt.stop=2.0", "cluster.draws=2",
    "track_quality.enabled=false", "cluster.choose=adapted/or",
)  # fmt: skip
CHOICE = "cluster.choose=stability"
STEPS = (
    "video",
    "scan",
    "shots",
    "tracks",
    "crops",
    "embeddings",
    "judgement",
    "views",
    "adapt",
    "links",
    "cast",
)


def quickly(patch: pytest.MonkeyPatch) -> None:
    """Leave out what takes long and changes no cast."""
    patch.setattr("videoclusternet.adapt.judge.DRAWS", 2)
    patch.setattr("videoclusternet.pipeline.write_learning", lambda _: None)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quickly(monkeypatch)


@pytest.fixture
def copy(drawn_run: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Copies of the finished run of the drawn film: there is only the faces to learn."""
    return lambda name: Path(shutil.copytree(drawn_run, tmp_path / name))


Copy = Callable[[str], Path]


def tiny(profile: str, *settings: str) -> Config:
    return Config.load(profile, settings=[*TINY, *settings])


def adapted(
    film: Path, run: Path, config: Config, hook: Hook = silent
) -> tuple[Result, Rounds, Epochs]:
    result = cluster_film(film, run, config, hook)
    rounds, epochs = Store(run).load("adapt", (Rounds, Epochs))
    assert isinstance(rounds, Rounds) and isinstance(epochs, Epochs)
    return result, rounds, epochs


def partition(result: Result) -> list[int]:
    found: list[int] = result.cast.character.tolist()
    return found


# --- profiles --------------------------------------------------------------------------


def test_profile_vcn(drawn_film: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    config = tiny("vcn", CHOICE)
    result, rounds, epochs = adapted(drawn_film, tmp_path / "run", config, events.append)
    assert [e.step for e in events if e.kind == "done"] == list(STEPS)
    assert rounds.round.tolist() == [1, 2] and rounds.good.all() and not rounds.paired
    assert epochs.round.tolist() == [1, 1, 2, 2]
    assert result.candidates.names == (result.cast.chosen,) == ("frozen/own",)  # it is no hard film
    assert partition(result) == [0, 1, 0, 1]
    notes = [e.message for e in events if e.kind == "note" and e.step == "adapt"]
    assert [note.partition(":")[0] for note in notes] == ["round 1", "round 2"]
    done = [(e.done, e.total) for e in events if (e.step, e.kind) == ("adapt", "progress")]
    assert done[-1][0] == done[-1][1]
    picture = write_learning(tmp_path / "run")
    assert picture is not None and picture.read_text(encoding="utf-8").count("</svg>") == 1
    # Nothing is left to do, and nothing is made twice.
    events.clear()
    again, _, _ = adapted(drawn_film, tmp_path / "run", config, events.append)
    assert {e.kind for e in events} == {"cached"}
    assert again.cast.digest == result.cast.digest


def test_profile_paper(drawn_film: Path, copy: Copy) -> None:
    result, rounds, _ = adapted(drawn_film, copy("run"), tiny("paper"))
    assert rounds.round.tolist() == [1, 2] and rounds.paired
    assert result.cast.chosen == "round-2/or" == result.candidates.names[0]
    assert len(result.cast) == 4 and (result.cast.character >= 0).all()
    assert np.isfinite(result.cast.confidence).all()


@pytest.mark.parametrize(
    ("head", "metric"),
    [("mlp", "cosine"), ("mlp", "loss"), ("residual", "kl"), ("none", "loss"), ("none", "kl")],
)
def test_every_metric_reads_every_head(
    drawn_film: Path, copy: Copy, metric: str, head: str
) -> None:
    config = tiny(
        "vcn",
        f"adapt.head={head}",
        f"cluster.metric={metric}",
        "cluster.choose=adapted/own",
        "adapt.objective=eq2",
        "adapt.relative=false",
    )
    result, _, _ = adapted(drawn_film, copy("run"), config)
    assert result.cast.chosen == "round-2/own"
    assert np.isfinite(result.cast.threshold).all() and np.isfinite(result.cast.confidence).all()


def test_cast_of_one_round(drawn_film: Path, copy: Copy) -> None:
    run = copy("run")
    result, _, _ = adapted(drawn_film, run, tiny("vcn", "cluster.choose=round-1/own"))
    assert result.cast.chosen == "round-1/own"
    both = "frozen+tracks+round-2/own"
    result, _, _ = adapted(drawn_film, run, tiny("vcn", f"cluster.choose={both}"))
    assert result.cast.chosen == both and partition(result) == [0, 1, 0, 1]
    with pytest.raises(ConfigError, match=r"round-7/own needs 7 rounds of learning.* is 2"):
        adapted(drawn_film, run, tiny("vcn", "cluster.choose=round-7/own"))


def test_collapse_is_rolled_back(
    drawn_film: Path, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = iter(range(1, 99))
    monkeypatch.setattr(
        "videoclusternet.adapt.train.collapsed", lambda *_: "as one" if next(seen) == 3 else ""
    )
    notes: list[Event] = []
    result, rounds, _ = adapted(drawn_film, copy("a"), tiny("vcn"), notes.append)
    assert rounds.round.tolist() == [1, 2] and rounds.good.tolist() == [True, False]
    assert any("round 2 collapsed (as one)" in e.message for e in notes)
    assert result.cast.chosen == "round-1/or"
    one, _, _ = adapted(drawn_film, copy("b"), tiny("vcn", "adapt.guard=false"))
    assert one.cast.chosen == "round-2/or"


@pytest.mark.parametrize("people", [(), ("red",)])
def test_nobody_and_one_track(people: tuple[str, ...], tmp_path: Path) -> None:
    film = draw_film(tmp_path / "film.mp4", [people, ()])
    result, rounds, _ = adapted(film, tmp_path / "run", tiny("vcn"))
    assert len(rounds) == 0 and len(result.cast) == len(people)


def test_several_films_learn_together(
    drawn_film: Path, tmp_path: Path, faceless_film: Path
) -> None:
    other = draw_film(tmp_path / "other.mp4", [("blue",), ("red",)])
    result = cluster_film([drawn_film, faceless_film, other], tmp_path / "run", tiny("vcn"))
    assert partition(result) in ([0, 1, 0, 1, 1, 0], [1, 0, 1, 0, 0, 1])
    assert result.cast.chosen == "round-2/or"


# --- stopped runs ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(
    drawn_film: Path, drawn_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[str, str, str]]:
    """What uninterrupted runs end with: digests of cast, rounds and epochs."""
    with pytest.MonkeyPatch.context() as patch:
        FakeModels(patch)
        quickly(patch)
        found = {}
        for profile in ("vcn", "paper"):
            run = shutil.copytree(drawn_run, tmp_path_factory.mktemp("whole") / "run")
            found[profile] = digests(*adapted(drawn_film, run, tiny(profile)))
        return found


def digests(result: Result, rounds: Rounds, epochs: Epochs) -> tuple[str, str, str]:
    return result.cast.digest, rounds.digest, epochs.digest


class Nth:
    """Stops at the n-th event of a kind in a step."""

    def __init__(self, step: str, kind: str, n: int) -> None:
        self.step, self.kind, self.left = step, kind, n

    def __call__(self, event: Event) -> bool:
        self.left -= (event.step, event.kind) == (self.step, self.kind)
        return self.left < 1


@pytest.mark.parametrize(
    ("profile", "step", "kind", "n"),
    [
        ("vcn", "adapt", "start", 1),
        ("vcn", "adapt", "progress", 1),
        ("vcn", "adapt", "progress", 3),
        ("vcn", "adapt", "progress", 8),
        ("vcn", "adapt", "done", 1),
        ("vcn", "cast", "start", 1),
        ("paper", "adapt", "progress", 3),
        ("paper", "adapt", "progress", 8),
    ],
)
def test_stopped_run_ends_as_if_it_had_not_been(
    drawn_film: Path, finished: dict[str, tuple[str, str, str]], copy: Copy,
    profile: str, step: str, kind: str, n: int,
) -> None:  # fmt: skip
    run, config = copy("run"), tiny(profile)
    with pytest.raises(Cancelled):
        adapted(drawn_film, run, config, Stop(Nth(step, kind, n)))
    assert digests(*adapted(drawn_film, run, config)) == finished[profile]


def test_run_stopped_twice_trains_each_round_once(
    drawn_film: Path, finished: dict[str, tuple[str, str, str]], copy: Copy
) -> None:
    run, config = copy("run"), tiny("vcn")
    for note in (1, 2):
        with pytest.raises(Cancelled):
            adapted(drawn_film, run, config, Stop(Nth("adapt", "note", note)))
        assert round_folder(run, note).is_dir() and not round_folder(run, note + 1).exists()
    events: list[Event] = []
    assert digests(*adapted(drawn_film, run, config, events.append)) == finished["vcn"]
    assert not [e for e in events if (e.step, e.kind) == ("adapt", "progress")]


def test_going_back_to_settings_of_before_a_stopped_change(drawn_film: Path, copy: Copy) -> None:
    run, config = copy("run"), tiny("vcn", "cluster.choose=round-1/or")
    adapted(drawn_film, run, tiny("vcn"))
    with pytest.raises(Cancelled):
        adapted(drawn_film, run, tiny("vcn", "adapt.rate=1e-2"), Stop(Nth("adapt", "note", 1)))
    back = adapted(drawn_film, run, config)
    assert digests(*back) == digests(*adapted(drawn_film, copy("other"), config))


def test_damaged_round_is_told(drawn_film: Path, copy: Copy) -> None:
    run = copy("run")
    adapted(drawn_film, run, tiny("vcn"))
    (round_folder(run, 1) / "embeddings.safetensors").write_bytes(b"")
    other = tiny("vcn", "cluster.choose=round-1/or")
    with pytest.raises(StoreError, match=r"round-01.*is damaged"):
        adapted(drawn_film, run, other)


# --- labels ----------------------------------------------------------------------------


def test_labels_play_no_part(drawn_run: Path, tmp_path: Path) -> None:
    """Right, shuffled or absent labels beside the crops: the same weights, the same cast."""
    crops = tmp_path / "crops"
    with zipfile.ZipFile(drawn_run / CROP_ZIP) as archive:
        archive.extractall(crops)
    found = []
    for name, labels in (("right", "abab"), ("shuffled", "bbaa"), ("none", "")):
        with (crops / "tracks.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["track_id", "shot", "label"][: 3 if labels else 2])
            for track, shot in enumerate((0, 1, 2, 2)):
                writer.writerow([track, shot, *labels[track : track + 1]])
        result = cluster_tracks(crops, tmp_path / name, tiny("vcn", CHOICE))
        (rounds,) = Store(tmp_path / name).load("adapt", (Rounds,))
        found.append((result.cast.digest, rounds.digest, result.candidates.digest))
    assert len(set(found)) == 1


# --- finished runs, other films --------------------------------------------------------


def test_finished_run_is_adapted_without_its_film(
    drawn_film: Path, finished: dict[str, tuple[str, str, str]], copy: Copy
) -> None:
    run = copy("run")
    events: list[Event] = []
    before = open_run(run)
    result = adapt_run(run, tiny("vcn"), events.append)
    assert {e.step for e in events} <= {"adapt", "links", "cast"}
    assert (before.cast.chosen, result.cast.chosen) == ("frozen/or", "round-2/or")
    rounds, epochs = Store(run).load("adapt", (Rounds, Epochs))
    assert (result.cast.digest, rounds.digest, epochs.digest) == finished["vcn"]
    assert open_run(run).cast.digest == result.cast.digest
    # The whole command finds everything done.
    events.clear()
    cluster_film(drawn_film, run, tiny("vcn"), events.append)
    assert {e.kind for e in events} == {"cached"}


def test_finished_run_is_adapted_as_it_was_embedded(drawn_film: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings = [*PLAIN, "embed.local_views=6", "embed.mirror=false", "embed.max_crops=1"]
    before = cluster_film(drawn_film, run, Config.load(settings=settings)).views
    result = adapt_run(run, tiny("vcn"))
    assert result.cast.chosen == "round-2/or" and partition(result) == [0, 1, 0, 1]
    (rounds,) = Store(run).load("adapt", (Rounds,))
    assert isinstance(rounds, Rounds)
    _, found = read_embeddings(run, 1, rounds.digests[0])
    assert found.base.shape == before.base.shape == (4, 8, 16)
    # Hardly trained, nearly the same: the model sees the same views.
    np.testing.assert_allclose(found.base, before.base, atol=0.05)


def test_stopped_adaptation_of_a_finished_run(
    finished: dict[str, tuple[str, str, str]], copy: Copy
) -> None:
    run = copy("run")
    with pytest.raises(Cancelled):
        adapt_run(run, tiny("vcn"), Stop(Nth("adapt", "progress", 8)))
    assert open_run(run).cast.chosen == "frozen/or"  # still there
    assert adapt_run(run, tiny("vcn")).cast.digest == finished["vcn"][0]


def test_model_that_another_film_has_adapted(drawn_film: Path, tmp_path: Path, copy: Copy) -> None:
    other = draw_film(tmp_path / "other.mp4", [("blue",), ("green",), ("green", "blue")])
    source = tmp_path / "source"
    adapted(other, source, tiny("vcn"))
    given = f"adapt.given={source}"
    a, b, c = map(copy, "abc")
    result, rounds, epochs = adapted(drawn_film, a, tiny("vcn", given))
    assert rounds.round.tolist() == [0, 1, 2] and rounds.good.all() and len(epochs) == 4
    assert result.cast.chosen == "round-2/or" and partition(result) == [0, 1, 0, 1]
    # Taken as it is, from wherever it lies: the settings of its head go with it.
    moved = shutil.copytree(source, tmp_path / "moved")
    only = tiny("instant", f"adapt.given={moved}", "adapt.rounds=0")
    taken, rounds, epochs = adapted(drawn_film, b, only)
    assert rounds.round.tolist() == [0] and len(epochs) == 0
    assert taken.cast.chosen == "round-0/or"
    # What was stopped goes on.
    with pytest.raises(Cancelled):
        adapted(drawn_film, c, tiny("vcn", given), Stop(Nth("adapt", "progress", 5)))
    resumed = adapted(drawn_film, c, tiny("vcn", f"adapt.given={moved}"))
    whole = adapted(drawn_film, a, tiny("vcn", given))
    assert digests(*resumed) == digests(*whole)


def test_model_that_cannot_be_given(
    drawn_film: Path, drawn_run: Path, tmp_path: Path, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, source = copy("run"), copy("source")

    def refused(source: Path) -> pytest.ExceptionInfo[Exception]:
        with pytest.raises((ConfigError, StoreError)) as error:
            adapted(drawn_film, run, tiny("vcn", f"adapt.given={source}"))
        return error

    assert "is not a run folder" in str(refused(tmp_path / "nowhere").value)
    assert "its own model" in str(refused(run).value)
    assert "has no adapted model" in str(refused(drawn_run).value)
    with monkeypatch.context() as patch:
        patch.setattr("videoclusternet.adapt.train.collapsed", lambda *_: "as one")
        adapted(drawn_film, source, tiny("vcn"))
    assert "has no good round" in str(refused(source).value)
    adapted(drawn_film, source, tiny("vcn", "adapt.rate=1e-4"))
    state = round_folder(source, 2) / "state.json"
    state.write_text(state.read_text().replace('"backbone": "dlib"', '"backbone": "edgeface-xs"'))
    error = refused(source).value
    assert isinstance(error, ConfigError) and "use --backbone edgeface-xs" in error.advice


# --- several processes -----------------------------------------------------------------

TRAIN = """
import sys
from pathlib import Path
import pytest
import torch
from safetensors.torch import save_file
from tests.unit import test_train as t
from videoclusternet.adapt.pairs import linked
from videoclusternet.adapt.ranks import joined
import numpy as np

torch.set_num_threads(1)
t.plain_descent(pytest.MonkeyPatch())
with joined("cpu") as ranks:
    t.ALONE = ranks
    same = linked(np.array([0, 1]), np.array([2, 3]), 6)
    # 12 pairs in steps of 5, 5 and 2: shares of 3 and 2, then of one each.
    b = t.bench("last-stage", partners=same, epochs=3, head_epochs=1, batch=5, accumulate=2,
                head="mlp", teacher_head="own", update="step", momentum=0.9)
    log = b.run()
    state = {f"student.{n}": x for n, x in t.state(b.student).items()}
    state |= {f"teacher.{n}": x for n, x in t.state(b.teacher).items()}
    state |= {"centre": b.training.centre, "loss": torch.tensor([e.loss for e in log])}
    save_file(state, Path(sys.argv[1]) / f"{ranks.rank}-of-{ranks.world}.safetensors")
"""

ADAPT = """
import os
import sys
import pytest
import torch
from tests.drawn import FakeModels
from tests.end_to_end.test_adapt import tiny
from videoclusternet.pipeline import adapt_run
patch = pytest.MonkeyPatch()
FakeModels(patch)
patch.setattr("videoclusternet.adapt.judge.DRAWS", 2)
torch.set_num_threads(1)
patch.setattr(torch.optim, "AdamW", torch.optim.SGD)
adapt_run(sys.argv[1], tiny("vcn", "adapt.objective=eq2"))
sys.stdout.flush()
os._exit(0)  # threads of libraries now and then abort while Python takes itself down
"""


def launch(script: Path, text: str, processes: int, *arguments: Path) -> None:
    """Run a script as ``torchrun`` would."""
    script.write_text(text)
    root = Path(__file__).parents[2]
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *(several if processes > 1 else []), str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [*command, *map(str, arguments)], cwd=root, env=environment, text=True,
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    for processes in (1, 2):
        launch(tmp_path / "train.py", TRAIN, processes, tmp_path)
    alone, first, second = (
        load_file(tmp_path / f"{name}.safetensors") for name in ("0-of-1", "0-of-2", "1-of-2")
    )
    for name, value in alone.items():
        assert float((value - first[name]).abs().max()) < 1e-5, name
        assert torch.equal(first[name], second[name]), name


@pytest.mark.slow
def test_two_processes_adapt_a_run(drawn_run: Path, tmp_path: Path) -> None:
    found, casts = [], []
    for processes in (1, 2):
        run = Path(shutil.copytree(drawn_run, tmp_path / str(processes)))
        launch(tmp_path / "adapt.py", ADAPT, processes, run)
        (rounds,) = Store(run).load("adapt", (Rounds,))
        assert isinstance(rounds, Rounds) and rounds.good.all() and len(rounds) == 2
        found.append(read_embeddings(run, 2, rounds.digests[1]))
        casts.append(open_run(run).cast)
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one.base, two.base, atol=1e-4)
    assert casts[0].character.tolist() == casts[1].character.tolist()
