"""Training and coarse matching in turns (section 3.5), kept round by round.

    embed -> set poor tracks aside -> match -> train on the matches -> embed ...

Matches grow as the model learns the film's faces; it is done when they stay the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from videoclusternet.adapt.guards import Health
from videoclusternet.adapt.heads import Depth, Learner, make_pair
from videoclusternet.adapt.judge import Judged, compared, line
from videoclusternet.adapt.pairs import (
    Partners,
    grouped,
    jaccard,
    linked,
    no_partners,
    pairs_together,
)
from videoclusternet.adapt.ranks import ALONE, Ranks
from videoclusternet.adapt.rounds import (
    Finished,
    digest_of,
    drop_others,
    epochs_table,
    read_embeddings,
    read_round,
    read_weights,
    round_folder,
    rounds_table,
    write_round,
)
from videoclusternet.adapt.supply import Supply, make_supply
from videoclusternet.adapt.train import Collapse, Company, Epoch, Trainer, Training, autocast
from videoclusternet.clustering.distance import group_mean, normalise, weighted_mean
from videoclusternet.clustering.track_quality import low_quality, track_quality
from videoclusternet.config import AdaptConfig, EmbedConfig, QualityFilterConfig
from videoclusternet.embed.face_quality import face_quality
from videoclusternet.events import Progress, no_progress
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.runfolder.table_files import table_path, write_table
from videoclusternet.types import Constraints, Embeddings, Epochs, Links, Rounds, Views
from videoclusternet.types.arrays import Array, Bools, Float32


@dataclass(frozen=True)
class LearningConfig:
    """The settings that learning reads."""

    adapt: AdaptConfig
    embed: EmbedConfig
    track_quality: QualityFilterConfig
    seed: int


@dataclass(frozen=True)
class Material:
    """What is adapted to.

    Attributes
    ----------
    frozen : Embeddings
        Of C crops of T tracks, by the un-adapted model.
    views : Views
        Of some of these crops.
    weight : float32, shape (C,)
        How much each crop counts in the mean of its track.
    pixels : callable
        Gives the canvases, uint8 (n, 144, 144, 3), of n of these crops by their row.
    constraints : Constraints
    judge : callable
        From embeddings, views and the kept tracks, bool (T,), to :class:`Judged`.
    """

    frozen: Embeddings
    views: Views
    weight: Float32
    pixels: Callable[[Array], Array]
    constraints: Constraints
    judge: Callable[[Embeddings, Views, Array], Judged]


class Adaptation:
    """The rounds of one film.

    Parameters
    ----------
    material : Material
    backbone : FaceModel
        Stays as it is.
    config : LearningConfig
    folder : Path
        Run folder; finished rounds are read from it and written to it.
    fingerprint : str
        Of all that the rounds depend on; others are not read.
    ranks : Ranks
    given : folder of a round of another run to start from, or None
    supplies : mapping, optional
        Kept activations by what they depend on: taken from here where they are, else put
        here.  For many trainings on one film.
    """

    def __init__(
        self,
        material: Material,
        backbone: FaceModel,
        config: LearningConfig,
        folder: Path,
        fingerprint: str,
        ranks: Ranks | None = None,
        given: Path | None = None,
        supplies: dict[str, Supply] | None = None,
    ) -> None:
        self.supplies = {} if supplies is None else supplies
        self.material, self.config, self.folder = material, config, folder
        self.ranks = ranks or ALONE
        self.device: torch.device = backbone.tail.weight.device
        self.depth = depth_of(config.adapt.trainable, self.device.type)
        self.paired = config.adapt.head != "none"
        self.about: Mapping[str, Any] = {
            "fingerprint": f"{fingerprint}-{self.depth}",  # auto may change with the device
            "backbone": config.embed.backbone.partition("=")[0],
            "depth": self.depth,
            "adapt": config.adapt.model_dump(),
        }
        origin, spread = _scale_of(material.frozen)
        student, teacher = make_pair(
            backbone, config.adapt, self.depth, origin.to(self.device), config.seed, spread
        )
        outputs = 1 if config.adapt.tokens == "class" else 2
        centre = torch.zeros(outputs, backbone.dim, device=self.device)
        self.training = Training(student, teacher, centre)
        self.given = given is not None
        if given is not None:
            self._load(given)

    @cached_property
    def supply(self) -> Supply:
        """Views of the crops, made when first needed."""
        c, film = self.config, self.material
        faces = (film.pixels, len(film.frozen), film.views.row, self.training.student)
        settings = (c.adapt, c.embed, c.seed)
        if self.depth == "all":  # made by the student itself
            return make_supply(*faces, *settings, self._progress)
        pool = c.adapt.pool if c.adapt.objective == "eq2" else c.adapt.looks
        on = [film.frozen.digest, film.views.digest, self.depth, pool, c.seed, self.given]
        key = json.dumps([*on, c.embed.model_dump()])
        if key not in self.supplies:
            self.supplies[key] = make_supply(*faces, *settings, self._progress)
        return self.supplies[key]

    def run(
        self, progress: Progress = no_progress, note: Callable[[str], None] = lambda _: None
    ) -> tuple[Rounds, Epochs]:
        """Train and match until the matches stay, or the rounds are over.

        Parameters
        ----------
        progress : callable
            Told in pairs of crops; first in crops, while views are prepared.
        note : callable
            Told a line per round.
        """
        self._progress = progress if self.ranks.first else no_progress
        frozen = self.material.frozen
        embeddings = frozen
        kept = np.bincount(frozen.track, minlength=frozen.tracks) > 0
        now = self.material.judge(frozen, self.material.views, kept)
        partners = self._partners(now, kept, first=True)
        done: list[Finished] = []
        for number in range(1 - self.given, self.config.adapt.rounds + 1):
            before, matched = now, partners
            finished = read_round(self.folder, number, self.about["fingerprint"])
            if finished is None:
                finished = self._round(number, embeddings, partners, kept)
            elif not finished.collapse:
                self._load(round_folder(self.folder, number))
                self.training.start = finished.start if number > 0 else None
            done.append(finished)
            if finished.collapse:
                done[-1] = replace(finished, judged={"round": number})
                note(f"round {number} collapsed ({finished.collapse}); what was before it is kept")
                break
            made = read_embeddings(self.folder, number, finished.digest)
            kept = self._kept(made[0])
            embeddings, views = teacher_half(*made, self.paired)
            now = self.material.judge(embeddings, views, kept)
            if self.ranks.first:
                write_table(table_path(round_folder(self.folder, number), Links), now.links)
            partners = self._partners(now, kept)
            judged = compared(number, now, before, self.material.constraints)
            judged["jaccard"] = jaccard(matched, partners)
            done[-1] = replace(finished, judged=judged)
            note(line(judged))
            if (
                number > 1
                and self.config.adapt.pairs == "links"
                and judged["jaccard"] > self.config.adapt.stop
            ):
                break
        if self.ranks.first:
            drop_others(self.folder, [1 - self.given + i for i in range(len(done))])
        return rounds_table(done, self.paired), epochs_table(done)

    def _round(self, number: int, present: Embeddings, partners: Partners, kept: Array) -> Finished:
        """Train one round, embed all crops, and keep it.  Round 0 takes what was given."""
        company = Company(present.track, partners, kept, self._means(present, kept))
        trainer = Trainer(self.training, self.supply, company, self.config.adapt, self.ranks)
        epochs: list[Epoch] = []
        why = ""
        try:
            if number > 0:
                for epoch in trainer.round(number, self.config.seed, self._counted(number)):
                    epochs.append(epoch)
        except Collapse as collapse:
            why = str(collapse)
        start = self.training.start or Health(0, 0, 0, 0)
        finished = Finished(tuple(epochs), start, collapse=why)
        if self.ranks.first:
            made = None if why else self._outputs()
            finished = replace(finished, digest=digest_of(*made) if made else "")
            write_round(self.folder, number, finished, self.about, self.training, made)
        self.ranks.wait()
        if not self.ranks.first:  # embeddings are made once and read by all
            finished = read_round(self.folder, number, self.about["fingerprint"]) or finished
        return finished

    def _counted(self, number: int) -> Progress:
        """Count the pairs of a round among those of all rounds."""
        a = self.config.adapt
        before = a.epochs + (number - 2) * a.later_epochs if number > 1 else 0
        here = a.later_epochs if number > 1 else a.epochs
        whole = a.epochs + (a.rounds - 1) * a.later_epochs

        def told(done: int, total: int) -> None:
            each = total // here
            self._progress(before * each + done, whole * each)

        return told

    def _partners(self, now: Judged, kept: Array, first: bool = False) -> Partners:
        tracks = self.material.frozen.tracks
        kind = self.config.adapt.pairs
        if kind == "groups":
            return grouped(now.label)
        if kind == "own":
            return no_partners(tracks)
        a, b = pairs_together(self.material.constraints, np.flatnonzero(kept))
        if not first:  # the paper's first round knows no matches
            a, b = np.append(a, now.links.a), np.append(b, now.links.b)
        return linked(a, b, tracks)

    def _kept(self, embeddings: Embeddings) -> Bools:
        """Tracks that are not of outlying low quality (Eq. 4), bool (T,)."""
        c = self.config.track_quality
        quality = track_quality(embeddings.quality, embeddings.track, embeddings.tracks)
        kept = np.isfinite(quality)
        return kept & ~low_quality(quality, c.deviations, c.spread) if c.enabled else kept

    def _means(self, present: Embeddings, kept: Array) -> Float32:
        """Mean directions of the tracks (T, d), as the student's head centres them; 0 of others."""
        each = normalise(present.base - self.training.student.head.origin.cpu().numpy())
        found = normalise(weighted_mean(each, self.material.weight, present.track, present.tracks))
        return np.where(kept[:, None], found, np.float32(0))

    @torch.no_grad()
    def _outputs(self) -> tuple[Embeddings, Views]:
        """Embed crops and fixed views by the teacher, and by the student where paired."""
        frozen, seen, config = self.material.frozen, self.material.views, self.config
        learners = [self.training.teacher, self.training.student][: 1 + self.paired]
        base, views, quality = [], [], []
        for rows in self._blocks(np.arange(len(frozen)), 1 + config.embed.mirror):
            looks = self.supply.plain(rows)
            with autocast(config.adapt, self.device.type):
                base.append(_array(_all(learners, looks).mean(1)))
                hidden, last = self.training.teacher.dropout_point(looks[:, 0])
            quality.append(_array(face_quality(hidden, last.weight, last.bias)))
        for rows in self._blocks(seen.row.astype(np.int64), seen.base.shape[1]):
            with autocast(config.adapt, self.device.type):
                views.append(_array(_all(learners, self.supply.fixed(rows))))
        return (
            replace(frozen, base=np.concatenate(base), quality=np.concatenate(quality)),
            Views(np.concatenate(views), seen.row, seen.globals),
        )

    def _blocks(self, rows: Array, each: int) -> list[Array]:
        """Cut rows of crops into batches of pictures, ``each`` to a crop."""
        size = max(1, self.config.embed.batch // each)
        return [rows[i : i + size] for i in range(0, len(rows), size)]

    def _load(self, home: Path) -> None:
        student, teacher, centre = read_weights(home, str(self.device))
        self.training.student.take(student)
        self.training.teacher.take(teacher)
        self.training.centre = centre


def depth_of(trainable: str, device: str) -> Depth:
    """Resolve ``auto``: everything on a GPU, the last stage without one."""
    if trainable == "auto":
        return "last-stage" if device == "cpu" else "all"
    depths: tuple[Depth, ...] = ("all", "last-stage", "head")
    return next(depth for depth in depths if depth == trainable)


def _scale_of(embeddings: Embeddings) -> tuple[Tensor, float]:
    """Mean (d,) of the tracks' mean embeddings, and the spread of their components."""
    means = group_mean(embeddings.base, embeddings.track, embeddings.tracks)
    means = means[np.isfinite(means[:, 0])]
    if len(means) < 2:
        return torch.zeros(embeddings.base.shape[1]), 1.0
    origin = means.mean(0)
    return torch.as_tensor(origin, dtype=torch.float32), float((means - origin).std()) or 1.0


def teacher_half(embeddings: Embeddings, views: Views, paired: bool) -> tuple[Embeddings, Views]:
    """Return what the teacher saw, where embeddings and views hold teacher and student."""
    if not paired:
        return embeddings, views
    d = embeddings.base.shape[1] // 2
    return (
        replace(embeddings, base=embeddings.base[:, :d]),
        replace(views, base=views.base[..., :d]),
    )


def _all(learners: Sequence[Learner], looks: Tensor) -> Tensor:
    """Show looks (B, L, ...) to learners, whose answers lie end to end: (B, L, d or 2d)."""
    flat = looks.flatten(0, 1)
    seen = torch.cat([learner.embed(flat).float() for learner in learners], dim=-1)
    return seen.view(*looks.shape[:2], -1)


def _array(x: Tensor) -> Array:
    return x.detach().float().cpu().numpy()
