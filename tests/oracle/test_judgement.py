"""What is no face, and what is too small to tell, against loops and against models made for it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests import tables
from videoclusternet.config import JudgeConfig
from videoclusternet.embed.judgement import find_company, judge_tracks, strangers
from videoclusternet.embed.readable import (
    LARGE,
    SIZES,
    Company,
    large_faces,
    least_size,
    shrink,
)
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.types import Crops, CropWeights, Embeddings, Faces, Judgement, Reason, Tracks
from videoclusternet.types.arrays import Array
from videoclusternet.types.canvas import ARCFACE_112, CANVAS, CANVAS_TEMPLATE

SIDE = 80.0
"""Box side of a face whose landmarks lie where they lie on the canvas, px."""


def described(base: Array, track: Sequence[int], tracks: int) -> Embeddings:
    n = len(base)
    return Embeddings(np.array(track), np.arange(n), base, np.full(n, 0.5), tracks, "test")


def people(
    who: Sequence[int], each: int = 3, spread: float = 0.4, d: int = 64
) -> tuple[Array, list[int]]:
    """Crops of tracks: the direction of a person and some noise; -1 is like nobody else."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(max(who) + 1, d))
    rows = []
    for person in who:
        towards = directions[person] if person >= 0 else rng.normal(size=d)
        rows += [towards + spread * rng.normal(size=d) for _ in range(each)]
    return np.array(rows), [t for t in range(len(who)) for _ in range(each)]


@pytest.mark.parametrize("each", [2, 8])
def test_company_is_the_cosine_to_the_nearest_sure_face(each: int) -> None:
    who = [person for person in range(3) for _ in range(each)]
    many = len(who)
    base, track = people([*who, 0, 3, 1])
    asked = np.array([True] * (many + 2) + [False])
    sure = np.array([True] * many + [False] * 3)
    company, least = find_company(described(base, track, many + 3), asked, sure)
    there = [t for t in range(many + 3) if asked[t]]
    mean = {t: base[[i for i, of in enumerate(track) if of == t]].mean(0) for t in there}
    centre = np.mean([mean[t] for t in there], axis=0)
    point = {}
    for t in there:
        crops = [base[i] - centre for i, of in enumerate(track) if of == t]
        total = np.sum([c / np.linalg.norm(c) for c in crops], axis=0)
        point[t] = total / np.linalg.norm(total)
    known = [t for t in there if sure[t]]
    for t in there:
        assert company[t] == pytest.approx(
            max(point[t] @ point[k] for k in known if k != t), abs=1e-5
        )
    assert np.isnan(company[-1])
    pairs = [point[a] @ point[b] for i, a in enumerate(known) for b in known[i + 1 :]]
    fifth = np.quantile([company[t] for t in known], 0.2)
    want = min(fifth, strangers(np.array(pairs))) if many >= 20 else fifth
    assert least == pytest.approx(want, abs=1e-5)
    # What is like nobody is far from all; in a film of many, a known face is near somebody.
    assert company[-2] < fifth and (many < 20 or company[-3] > least)


def test_strangers_are_told_by_the_lower_half() -> None:
    cosine = np.concatenate([np.random.default_rng(1).normal(0.1, 0.05, 5000), [0.9] * 300])
    middle = np.median(cosine)
    spread = 1.4826 * np.median([middle - c for c in cosine if c <= middle])
    far = NormalDist().inv_cdf(1 - 1 / 5301)
    assert strangers(cosine) == pytest.approx(middle + far * spread)
    assert 0.25 < strangers(cosine) < 0.35  # pairs of one person do not widen it


def test_few_sure_faces_say_nothing_of_others() -> None:
    base, track = people([0, 0, 1, 1, -1])
    sure = np.array([True] * 4 + [False])
    company, least = find_company(described(base, track, 5), np.ones(5, bool), sure)
    assert np.isnan(company).all() and least == -1


def test_what_stays_is_counted_crop_by_crop() -> None:
    rng = np.random.default_rng(3)
    base, track = people([0, 0, 1, 1, 2, 2, 3, 3] * 5, spread=1.0, d=12)
    again = base + 1.2 * rng.normal(size=base.shape)
    company = Company.of(base, np.array(track), 40)
    rows = np.arange(0, len(base), 2)
    stays = 0
    for i in rows:
        totals = {
            t: np.sum([company.unit[k] for k, of in enumerate(track) if of == t and k != i], axis=0)
            for t in range(40)
        }
        means = {t: total / np.linalg.norm(total) for t, total in totals.items()}
        order = sorted(means, key=lambda t: -(company.unit[i] @ means[t]))
        now = max(means, key=lambda t: (again[i] - company.centre) @ means[t])
        stays += now == track[i] or now in order[:1]  # 3 % of 40 tracks
    assert 0.2 < stays / len(rows) < 0.95
    assert company.stays(rows, again[rows]) == pytest.approx(stays / len(rows))


def test_large_faces_are_drawn_evenly_over_tracks() -> None:
    track = np.repeat([0, 1, 2, 3], [1, 2, 10, 10])
    side = np.where(track == 3, 30.0, 90.0)
    # A lone crop has no others to be nearest to; small faces cannot stand for large ones.
    assert large_faces(side, track).tolist() == [1, 2, 3, 7, 12]


class Blind(FaceModel):
    """Reads blocks of a picture, and nothing where these run into one another."""

    name, dim, size, template = "blind", 16 * 16, 112, ARCFACE_112

    def __init__(self, contrast: float) -> None:
        super().__init__()
        self.contrast = contrast
        self.last = nn.Linear(self.dim, self.dim, bias=False)
        nn.init.eye_(self.last.weight)

    def normalise(self, pixels: Tensor) -> Tensor:
        return pixels

    def early(self, x: Tensor) -> Tensor:
        return x

    def late(self, maps: Tensor) -> Tensor:
        grey = maps.mean(1)
        seen = nn.functional.adaptive_avg_pool2d(grey[:, None], 16).flatten(1)
        seen = seen - seen.mean(1, keepdim=True)
        blur = torch.arange(self.dim, dtype=torch.float32) - self.dim / 2
        unread = grey.flatten(1).std(1) < self.contrast
        return torch.where(unread[:, None], blur.expand_as(seen), seen)

    def last_stage(self) -> tuple[nn.Module, ...]:
        return ()

    @property
    def tail(self) -> nn.Linear:
        return self.last


class Canvases:
    def __init__(self, pixels: Array) -> None:
        self.all = pixels

    def pixels(self, rows: Array) -> Array:
        return self.all[rows]


def film_of(
    sides: Sequence[float], each: int = 3, score: float | Sequence[float] = 0.95
) -> tuple[Tracks, Faces, Crops, Array]:
    """Tracks of blocks of grey, a pattern each, with boxes of these sides."""
    rng = np.random.default_rng(5)
    canvas, rows, owned = [], [], []
    for t, side in enumerate(sides):
        pattern = rng.choice([50.0, 200.0], size=(CANVAS // 2, CANVAS // 2))
        owned.append(list(range(t * each, (t + 1) * each)))
        for k in range(each):
            grey = np.kron(pattern, np.ones((2, 2))) + rng.normal(0, 10, (CANVAS, CANVAS))
            canvas.append(np.repeat(grey[..., None], 3, -1).clip(0, 255).astype(np.uint8))
            rows.append((100 * t + 12 * k, 0.0, 0.0, side, side * 1.2))
    count = len(sides)
    tracks = tables.tracks([(t, 100 * t, 100 * t + 24) for t in range(count)], owned)
    scores = np.repeat(np.broadcast_to(score, count), each)
    faces = tables.faces(rows, score=scores.tolist())
    # The landmarks of a face of SIDE px are those of the canvas; others are scaled.
    size = np.repeat(np.asarray(sides), each)[:, None, None] / SIDE
    faces = Faces(faces.frame, faces.box, CANVAS_TEMPLATE * size, faces.score, faces.sharpness, 1)
    track = [t for t in range(count) for _ in range(each)]
    crops = Crops(np.array(track), faces.frame, np.arange(len(track)), np.zeros(len(track)), count)
    return tracks, faces, crops, np.array(canvas, np.uint8).reshape(-1, CANVAS, CANVAS, 3)


def embedded(model: FaceModel, canvas: Array, crops: Crops) -> Embeddings:
    from videoclusternet.embed.readable import _embed

    return described(_embed(canvas, model), crops.track.tolist(), crops.tracks)


def contrast_at(canvas: Array, size: float) -> float:
    """Spread of grey that is left of these pictures when their faces are that small."""
    px = max(1, round(CANVAS * size / SIDE))
    return float(np.mean([p.std() for p in shrink(canvas[:6], np.full(6, px))]))


def between(canvas: Array, unread: float, read: float) -> float:
    """Contrast from which a model reads faces of one size, but none of a smaller one."""
    return 0.7 * contrast_at(canvas, unread) + 0.3 * contrast_at(canvas, read)


@pytest.mark.parametrize("first", [2, 4, 6])
def test_the_size_is_found_that_a_model_cannot_read_below(first: int) -> None:
    _, faces, crops, canvas = film_of([SIDE] * 16)
    model = Blind(between(canvas, SIZES[first - 1], SIZES[first]))
    found = least_size(faces, crops, embedded(model, canvas, crops), Canvases(canvas), model)
    assert found == SIZES[first]


def test_a_model_that_reads_all_and_one_that_reads_nothing_small() -> None:
    _, faces, crops, canvas = film_of([SIDE] * 16)
    for contrast, want in ((0.0, SIZES[0]), (contrast_at(canvas, LARGE), LARGE)):
        model = Blind(contrast)
        found = least_size(faces, crops, embedded(model, canvas, crops), Canvases(canvas), model)
        assert found == want


def test_few_large_faces_tell_nothing() -> None:
    _, faces, crops, canvas = film_of([SIDE] * 7)
    model = Blind(0.0)
    found = least_size(faces, crops, embedded(model, canvas, crops), Canvases(canvas), model)
    assert np.isnan(found)


def judged(
    sides: Sequence[float],
    base: Array | None = None,
    config: JudgeConfig | None = None,
    contrast: float = 0.0,
    score: float | Sequence[float] = 0.95,
) -> tuple[Judgement, CropWeights]:
    tracks, faces, crops, canvas = film_of(sides, score=score)
    model = Blind(contrast)
    track = crops.track.tolist()
    made = embedded(model, canvas, crops) if base is None else described(base, track, len(tracks))
    return judge_tracks(
        tracks, faces, crops, made, Canvases(canvas), lambda: model, 0.85, 17.0,
        config or JudgeConfig(),
    )  # fmt: skip


def test_small_tracks_are_told_by_the_film_or_by_the_model() -> None:
    canvas = film_of([SIDE] * 16)[-1]
    contrast = between(canvas, 18.0, 20.0)
    film, weights = judged([*[SIDE] * 16, 19.0, 21.0, 15.0], contrast=contrast)
    assert film.measured and film.least_size == 20
    assert [t for t in range(19) if film.reason[t] == Reason.UNREADABLE] == [16, 18]
    assert len(weights.weight) == 3 * 17
    few, _ = judged([*[SIDE] * 5, 19.0, 15.0])
    assert not few.measured and few.least_size == 17
    assert [t for t in range(7) if few.reason[t] == Reason.UNREADABLE] == [6]
    said, _ = judged([*[SIDE] * 5, 19.0, 15.0], config=JudgeConfig(least_size=20))
    assert [t for t in range(7) if said.reason[t] == Reason.UNREADABLE] == [5, 6]
    large, _ = judged([SIDE] * 6)
    assert large.least_size == 0 and (large.reason == Reason.OK).all()


def test_lamps_are_no_faces_and_a_person_seen_badly_is_one() -> None:
    # Ten tracks of four people; lamp, lamp, bowl; two people seen badly, one known and one not.
    who = [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 1, 6]
    score = [0.9] * 10 + [0.8, 0.75, 0.7, 0.72, 0.84]
    base, _ = people(who)
    found, weights = judged([60.0] * 15, base, score=score)
    assert [t for t in range(15) if found.reason[t] == Reason.NO_FACE] == [10, 11, 12, 14]
    assert found.sure.tolist() == [True] * 10 + [False] * 5
    assert found.company[13] > found.least_company > found.company[10:13].max()
    kept = np.repeat(np.array(score)[found.reason == Reason.OK], 3)
    assert weights.weight == pytest.approx(kept**4, rel=1e-5)
    off, _ = judged([60.0] * 15, base, JudgeConfig(enabled=False), score=score)
    assert (off.reason == Reason.OK).all()


def test_a_single_picture_needs_company_unless_the_detector_is_certain() -> None:
    who = [0, 0, 1, 1, 2, 2, 3, 4]
    base, _ = people(who, each=1, spread=0.2)
    for last, want in ((0.95, Reason.NO_FACE), (0.995, Reason.OK)):
        tracks, faces, crops, canvas = film_of([60.0] * 8, each=1, score=[0.999] * 7 + [last])
        made = described(base, crops.track.tolist(), 8)
        found, _ = judge_tracks(
            tracks, faces, crops, made, Canvases(canvas), lambda: Blind(0.0), 0.85, 16.0,
            JudgeConfig(),
        )  # fmt: skip
        assert found.reason[7] == want and (found.reason[:7] == Reason.OK).all()


def test_a_film_of_nobody_is_judged() -> None:
    found, weights = judged([], np.empty((0, 4)))
    assert len(found) == len(weights.weight) == 0
