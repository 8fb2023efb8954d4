"""The adaptation step: resumable, perhaps from the model that another run has adapted."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videoclusternet.adapt.judge import judge
from videoclusternet.adapt.loop import Adaptation, LearningConfig, Material
from videoclusternet.adapt.ranks import ALONE as ONE_PROCESS
from videoclusternet.adapt.ranks import Ranks
from videoclusternet.adapt.rounds import (
    FOLDER,
    epochs_table,
    read_state,
    round_folder,
    rounds_table,
)
from videoclusternet.adapt.supply import Supply
from videoclusternet.config import (
    AdaptConfig,
    Config,
    EmbedConfig,
    MatchConfig,
    QualityFilterConfig,
)
from videoclusternet.engine.work import ALONE, Work
from videoclusternet.errors import ConfigError
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.runfolder.crop_zip import CropPictures
from videoclusternet.runfolder.folder import Store
from videoclusternet.types import (
    Constraints,
    CropWeights,
    Embeddings,
    Epochs,
    Rounds,
    Tracks,
    Views,
)


@dataclass(frozen=True)
class GivenModel:
    """The model that another run has adapted.

    Attributes
    ----------
    home : Path
        Folder of its last good round.
    digest : str
        Of that round.
    """

    home: Path
    digest: str


def adapt_faces(
    tracks: Tracks,
    embeddings: Embeddings,
    views: Views,
    weights: CropWeights,
    pictures: CropPictures,
    backbone: Callable[[], FaceModel],
    adapt: AdaptConfig,
    matching: MatchConfig,
    quality: QualityFilterConfig,
    embed: EmbedConfig,
    seed: int,
    given: GivenModel | None = None,
    known: Constraints | None = None,
    *,
    ranks: Ranks = ONE_PROCESS,
    supplies: dict[str, Supply] | None = None,
    work: Work = ALONE,
) -> tuple[Rounds, Epochs]:
    """Adapt the face-ID model to the faces of a run, round by round.

    Parameters
    ----------
    tracks : Tracks
        Of all its films.
    embeddings, views, weights : Embeddings, Views, CropWeights
        Of their crops, by the model as it is; how much each counts in the mean of its track.
    pictures : CropPictures
    backbone : callable
        Loads the model, when there is something to train.
    adapt, matching, quality, embed : settings
    seed : int
    given : GivenModel, optional
        What is begun with.
    known : Constraints, optional
        What is known of these tracks besides that two faces of one picture are two people.
    ranks, supplies
        See :class:`videoclusternet.adapt.loop.Adaptation`.
    work : Work
        Rounds are kept in its folder.  Told in pairs, and a line per round.
    """
    assert work.folder is not None
    if len(np.unique(embeddings.track)) < 2:  # nobody to tell from anybody
        (work.folder / FOLDER).mkdir(exist_ok=True)
        return rounds_table([], False), epochs_table([])
    constraints = Constraints.of_overlaps(tracks).and_those(known or Constraints.none(len(tracks)))
    material = Material(
        embeddings,
        views,
        weights.weight,
        lambda rows: pictures.pixels(embeddings.crop[rows]),
        constraints,
        judge(constraints, matching, seed, weights.weight),
    )
    config = LearningConfig(adapt, embed, quality, seed)
    adaptation = Adaptation(
        material, backbone(), config, work.folder, work.fingerprint, ranks,
        given.home if given else None, supplies,
    )  # fmt: skip
    return adaptation.run(work.progress, work.note)


def given_model(config: Config, folder: Path) -> tuple[Config, GivenModel | None]:
    """Resolve ``adapt.given``: the settings of its model, and the model.

    Parameters
    ----------
    config : Config
    folder : Path
        Of the run that begins with it.

    Raises
    ------
    ConfigError
        When there is no adapted model, it is of another backbone, or of this very run.
    """
    if not config.adapt.given:
        return config, None
    given = Path(config.adapt.given)
    if os.path.realpath(given) == os.path.realpath(folder):  # a link to itself raises nothing
        raise ConfigError("a run cannot begin with its own model", "choose another folder with -o")
    store = Store(given)
    if store.fingerprint("adapt") is None:
        raise ConfigError(f"{given} has no adapted model", "run `vcn adapt` on it first")
    (rounds,) = store.load("adapt", (Rounds,))
    good = rounds.round[rounds.good]
    if len(good) == 0:
        raise ConfigError(f"{given} has no good round of adaptation", "choose another run")
    home = round_folder(given, int(good[-1]))
    about = read_state(home)
    if about["backbone"] != config.embed.backbone.partition("=")[0]:
        raise ConfigError(
            f"{given} adapted {about['backbone']}, not {config.embed.backbone}",
            f"use --backbone {about['backbone']}",
        )
    kept = {name: about["adapt"][name] for name in ("head", "head_reads", "tokens")}
    adapt = config.adapt.model_copy(update={**kept, "trainable": about["depth"], "given": ""})
    model = GivenModel(home, f"{rounds.digest}/{good[-1]}")
    return config.model_copy(update={"adapt": adapt}), model
