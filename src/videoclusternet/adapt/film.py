"""The adaptation step of a run: resumable, perhaps from another run's model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from videoclusternet.adapt.judge import judge
from videoclusternet.adapt.loop import Adaptation, Film
from videoclusternet.adapt.ranks import ALONE, Ranks
from videoclusternet.adapt.rounds import (
    FOLDER,
    epochs_table,
    read_state,
    round_folder,
    rounds_table,
)
from videoclusternet.adapt.supply import Supply
from videoclusternet.config import Config
from videoclusternet.errors import ConfigError
from videoclusternet.events import Progress, no_progress
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.registry import weights_digest
from videoclusternet.runfolder.crop_zip import CropPictures
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.steps import Run, fingerprint_of
from videoclusternet.types import Embeddings, Epochs, Rounds, Table, Tracks


def adapt_faces(
    run: Run,
    tracks: Tracks,
    embeddings: Embeddings,
    pictures: CropPictures,
    backbone: Callable[[], FaceModel],
    ranks: Ranks = ALONE,
    supplies: dict[str, Supply] | None = None,
) -> Rounds:
    """Adapt the face-ID model to the faces of a run, round by round.

    Parameters
    ----------
    run : Run
        Rounds are kept in its folder.
    tracks : Tracks
        Of all its films.
    embeddings : Embeddings
        Of their crops, by the model as it is.
    pictures : CropPictures
        Of the same crops.
    backbone : callable
        Loads the model, when there is something to train.
    ranks : Ranks
    supplies : dict, optional
        See :class:`videoclusternet.adapt.loop.Adaptation`.

    Returns
    -------
    Rounds
    """
    c, start, digest = started(run.config, run.folder)
    inputs: list[Table | str] = [
        tracks,
        embeddings,
        weights_digest(c.embed.backbone),
        str(c.seed),
        digest,
    ]
    params = [c.adapt, c.matching, c.track_quality, c.embed]

    def train(
        fingerprint: str, progress: Progress, note: Callable[[str], None]
    ) -> tuple[Rounds, Epochs]:
        if len(np.unique(embeddings.track)) < 2:
            # Nobody to tell from anybody.
            (run.folder / FOLDER).mkdir(exist_ok=True)
            return rounds_table([], False), epochs_table([])
        if ranks.first:
            run.store.forget("adapt")  # its rounds are about to be replaced
        film = _film(tracks, embeddings, pictures, c)
        adaptation = Adaptation(
            film, backbone(), c, run.folder, fingerprint, ranks, start, supplies
        )
        return adaptation.run(progress, note)

    if not ranks.first:  # trains along; the first process keeps the result
        fingerprint = fingerprint_of("adapt", 1, inputs, params)
        # As `run.step` decides: else one process would wait for the other for ever.
        if (run.folder / FOLDER).exists() and run.store.fingerprint("adapt") == fingerprint:
            return run.store.load("adapt", (Rounds,))[0]  # type: ignore[return-value]
        return train(fingerprint, no_progress, lambda message: None)[0]
    rounds, _ = run.step(
        "adapt",
        (Rounds, Epochs),
        lambda work: train(work.fingerprint, work.progress, work.note),
        inputs,
        params,
        unit="pairs",
        file=FOLDER,
    )
    return rounds  # type: ignore[no-any-return]


def _film(tracks: Tracks, embeddings: Embeddings, pictures: CropPictures, config: Config) -> Film:
    """Put together what is adapted to."""
    apart = tracks.overlapping()
    return Film(
        embeddings,
        lambda rows: pictures.pixels(embeddings.crop[rows]),
        apart,
        judge(apart, config.matching, config.seed),
    )


def started(config: Config, folder: Path) -> tuple[Config, Path | None, str]:
    """Resolve ``adapt.given``: the settings of its model, its folder, and a digest.

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
        return config, None, ""
    given = Path(config.adapt.given)
    if given.resolve() == folder.resolve():
        raise ConfigError("a run cannot begin with its own model", "choose another folder with -o")
    store = Store(given)
    if store.fingerprint("adapt") is None:
        raise ConfigError(f"{given} has no adapted model", "run `vcn adapt` on it first")
    (rounds,) = store.load("adapt", (Rounds,))
    assert isinstance(rounds, Rounds)
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
    return config.model_copy(update={"adapt": adapt}), home, f"{rounds.digest}/{good[-1]}"
