"""The bilinear identity against loops over all crop pairs."""

from __future__ import annotations

import csv
import zipfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from videoclusternet.clustering.distance import Metric, MetricName, group_mean, mean_within
from videoclusternet.models.load import load_backbone


def slow(name: MetricName, x: np.ndarray, y: np.ndarray, tt: float, ts: float) -> float:
    """Distance of two single embeddings, written as one would on paper, symmetrised."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    if name == "cosine":
        return float(1 - x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    if name == "euclidean":
        return float(((x - y) ** 2).sum())

    def loss(a: np.ndarray, b: np.ndarray) -> float:
        p = np.exp(a / tt - (a / tt).max())
        z = b / ts
        log_q = z - z.max() - np.log(np.exp(z - z.max()).sum())
        return float(-(p / p.sum()) @ log_q)

    return (loss(x, y) + loss(y, x)) / 2


METRICS: list[tuple[MetricName, float, float]] = [
    ("cosine", 1, 1),
    ("euclidean", 1, 1),
    ("loss", 0.1, 0.1),
    ("loss", 0.04, 1.0),
]


@pytest.mark.parametrize(("name", "tt", "ts"), METRICS)
@pytest.mark.parametrize("d", [3, 128])
def test_group_distances_equal_pair_loops(name: MetricName, tt: float, ts: float, d: int) -> None:
    rng = np.random.default_rng(d)
    group = np.sort(np.concatenate([np.arange(5), rng.integers(0, 5, 17)]))
    x = rng.normal(size=(len(group), d)).astype(np.float32)
    metric = Metric(name, tt, ts)
    terms = metric.terms(x)
    fast = terms.grouped(group, 5).distances(terms.grouped(group, 5))
    scale = max(1.0, float(np.abs(fast).max()))
    for i in range(5):
        for j in range(5):
            pairs = [slow(name, a, b, tt, ts) for a in x[group == i] for b in x[group == j]]
            assert fast[i, j] == pytest.approx(np.mean(pairs), abs=1e-6 * scale)


@pytest.mark.parametrize(("name", "tt", "ts"), METRICS)
def test_within_distances_equal_pair_loops(name: MetricName, tt: float, ts: float) -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2, 4], [2, 5, 1, 9])
    x = rng.normal(size=(len(group), 16)).astype(np.float32)
    fast = mean_within(Metric(name, tt, ts).terms(x), group, 5)
    assert np.isnan(fast[[2, 3]]).all()
    for i in (0, 1, 4):
        members = x[group == i]
        pairs = [
            slow(name, a, b, tt, ts)
            for u, a in enumerate(members)
            for v, b in enumerate(members)
            if u != v
        ]
        assert fast[i] == pytest.approx(np.mean(pairs), rel=1e-6, abs=1e-6)


def test_group_mean_leaves_empty_groups_unknown() -> None:
    mean = group_mean(np.array([[1.0], [3.0], [5.0]]), np.array([1, 1, 3]), 5)
    assert mean[:, 0].tolist()[1] == 2 and mean[3, 0] == 5
    assert np.isnan(mean[[0, 2, 4]]).all()


@cache
def real_embeddings(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings by dlib of 60 aligned crops, float32 (60, 128), and the person of each."""
    with (folder / "small_tracks.csv").open(newline="") as stream:
        label = {f"{int(row['track_id']):04d}": row["label"] for row in csv.DictReader(stream)}
    pictures, people = [], []
    with zipfile.ZipFile(folder / "small.zip") as archive:
        names = [n for n in archive.namelist() if n.endswith(".jpg")]
        for name in names[:: len(names) // 60][:60]:
            data = np.frombuffer(archive.read(name), np.uint8)
            rgb = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            pictures.append(cv2.resize(rgb, (150, 150)))
            people.append(label[name.split("/")[-2]])
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        out = load_backbone("dlib", "cpu")(pixels).numpy()
    _, person = np.unique(people, return_inverse=True)
    return out, person


@pytest.mark.data
@pytest.mark.parametrize(("name", "tt", "ts"), METRICS)
def test_identity_holds_on_real_crops(
    name: MetricName, tt: float, ts: float, shared_data: Path
) -> None:
    x, person = real_embeddings(shared_data / "phototracks_dev")
    people = int(person.max()) + 1
    assert people > 5 and len(x) == 60
    metric = Metric(name, tt, ts)
    terms = metric.terms(x)
    grouped = terms.grouped(person, people)
    across, within = grouped.distances(grouped), mean_within(terms, person, people)
    pair = np.array([[slow(name, a, b, tt, ts) for b in x] for a in x])
    # Squared lengths of up to 4 cancel in float32: 1e-6 of what is subtracted.
    close = 1e-6 * max(1.0, float((terms.alpha + terms.beta).max()))
    for i in range(people):
        for j in range(people):
            block = pair[np.ix_(person == i, person == j)]
            assert across[i, j] == pytest.approx(block.mean(), rel=1e-6, abs=close)
        own = pair[np.ix_(person == i, person == i)]
        if len(own) > 1:
            distinct = own[~np.eye(len(own), dtype=bool)].mean()
            assert within[i] == pytest.approx(distinct, rel=1e-6, abs=close)
