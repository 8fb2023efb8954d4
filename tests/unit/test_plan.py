"""What a bench runs, and what it leaves out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from videoclusternet.errors import DataError
from videoclusternet.sources.features import checked, write_features
from videoclusternet_bench.data.sets import LabelledSet, combined
from videoclusternet_bench.methods.registry import METHODS
from videoclusternet_bench.plan import plan

CHOSEN = [METHODS[name] for name in ("vcn", "hac", "bcl")]


def crops(name: str) -> LabelledSet:
    return LabelledSet(name, (Path(f"{name}.zip"),), (Path(f"{name}_tracks.csv"),), "crops")


def features(folder: Path, name: str, model: str = "net", width: int = 4) -> LabelledSet:
    path = folder / f"{name}.npz"
    write_features(path, checked("x", np.ones((2, width)), np.arange(2), None, model))
    return LabelledSet(name, (path,), (folder / f"{name}_tracks.csv",), "features")


def test_pictures_run_with_every_backbone_and_features_with_their_own(tmp_path: Path) -> None:
    sets = [crops("a"), crops("b"), features(tmp_path, "c"), features(tmp_path, "d")]
    jobs, notes = plan(sets, CHOSEN, ["dlib", "farl"], 1)
    ran = [(job.labelled.name, job.backbone, job.methods) for job in jobs]
    every, blind = ("vcn", "hac", "bcl"), ("hac", "bcl")
    assert ran == [
        ("a", "dlib", every), ("a", "farl", every), ("b", "dlib", every), ("b", "farl", every),
        ("c", "net", blind), ("d", "net", blind),
    ]  # fmt: skip
    # What learns from other films gets those that look the same to it.
    assert [one.name for one in jobs[0].sets] == ["a", "b"]
    assert [one.name for one in jobs[-1].sets] == ["c", "d"]
    assert notes == [f"{name}: without vcn, as features have no pictures" for name in "cd"]


def test_films_with_other_features_are_no_films_to_learn_from(tmp_path: Path) -> None:
    other, narrow = features(tmp_path, "b", "other"), features(tmp_path, "c", width=3)
    sets = [features(tmp_path, "a"), other, narrow]
    jobs, notes = plan(sets, CHOSEN[1:], [], 1)
    assert [job.methods for job in jobs] == [("hac",)] * 3
    assert notes[0] == "a: without bcl, as no other set has the same features"
    with pytest.raises(
        DataError, match="3 values of net and 4 values of net and 4 values of other"
    ):
        plan([combined(sets, "all")], CHOSEN[1:2], [], 1)


def test_nothing_to_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a: without vcn"):
        plan([features(tmp_path, "a")], CHOSEN[:1], ["dlib"], 1)
    with pytest.raises(DataError, match="two data sets are called 'a'"):
        plan([crops("a"), crops("a")], CHOSEN, ["dlib"], 1)
    with pytest.raises(DataError, match="labels of other films"):
        plan([crops("a")], CHOSEN, ["dlib"], 1)


def test_the_size_of_a_set_is_that_of_its_sources(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(bytes(1000))
    (tmp_path / "faces" / "7").mkdir(parents=True)
    (tmp_path / "faces" / "7" / "0.jpg").write_bytes(bytes(20))
    sources = (tmp_path / "film.mp4", tmp_path / "faces")
    assert LabelledSet("all", sources, (tmp_path, tmp_path), "film").bytes == 1020
