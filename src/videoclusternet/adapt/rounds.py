"""What is kept of every round: weights, centre, embeddings, matches, health (``adapt/``).

    adapt/round-03/student.safetensors   what training may change of the student
                   teacher.safetensors   of the teacher, and the centre
                   embeddings.safetensors   of all crops after the round
                   views.safetensors   of their views
                   state.json            log, settings, digests

A round exists whole or not at all; a stopped run goes on after the last one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from videoclusternet.adapt.guards import Health
from videoclusternet.adapt.train import Epoch, Training
from videoclusternet.clustering.reading import round_name
from videoclusternet.clustering.spaces import Adapted
from videoclusternet.errors import StoreError
from videoclusternet.outside.files import read_json
from videoclusternet.runfolder.files import writing
from videoclusternet.runfolder.table_files import read_table, table_path, write_table
from videoclusternet.types import Embeddings, Epochs, Rounds, Views

FOLDER = "adapt"
STATE = "state.json"


@dataclass(frozen=True)
class Finished:
    """A round as it is kept.

    Attributes
    ----------
    epochs : tuple of Epoch
    start : Health
        Before the first round.
    digest : str
        Of the embeddings, empty where the training collapsed.
    collapse : str
        What was wrong, or nothing.
    judged : mapping
        The columns of :class:`Rounds` for this round; found again from the embeddings.
    """

    epochs: tuple[Epoch, ...]
    start: Health
    digest: str = ""
    collapse: str = ""
    judged: Mapping[str, float] = field(default_factory=dict)


def round_folder(folder: Path, number: int) -> Path:
    """Return the folder of a round, from 1, in a run folder."""
    return folder / FOLDER / f"round-{number:02d}"


def write_round(
    folder: Path,
    number: int,
    finished: Finished,
    about: Mapping[str, Any],
    training: Training,
    made: tuple[Embeddings, Views] | None,
) -> None:
    """Keep a round.

    Parameters
    ----------
    folder : Path
        The run folder.
    number : int
    finished : Finished
    about : mapping
        ``fingerprint`` of the step and what is needed to build the learner again.
    training : Training
    made : (Embeddings, Views) or None
        None where the training collapsed: then only the log is kept.
    """
    home = round_folder(folder, number)
    temporary = home.with_name(f".{home.name}.tmp")
    with writing(home):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        if made is not None:
            for table in made:
                write_table(table_path(temporary, type(table)), table)
            _save(training.student.trained(), temporary / "student.safetensors")
            teacher = training.teacher.trained() | {"centre": training.centre}
            _save(teacher, temporary / "teacher.safetensors")
        state = {**about, **asdict(finished)}
        del state["judged"]  # found again from the embeddings
        (temporary / STATE).write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(home, ignore_errors=True)
        temporary.replace(home)


def drop_others(folder: Path, numbers: Sequence[int]) -> None:
    """Delete the rounds of earlier settings: all but these."""
    keep = {round_folder(folder, number) for number in numbers}
    for home in (folder / FOLDER).glob("round-*"):
        if home not in keep:
            shutil.rmtree(home, ignore_errors=True)


def read_round(folder: Path, number: int, fingerprint: str) -> Finished | None:
    """Return a kept round, or None: unfinished, damaged, or of other settings."""
    try:
        state = read_state(round_folder(folder, number))
        if state["fingerprint"] != fingerprint:
            return None
        epochs = tuple(Epoch(**{**e, "health": Health(**e["health"])}) for e in state["epochs"])
        return Finished(epochs, Health(**state["start"]), state["digest"], state["collapse"])
    except (StoreError, KeyError, TypeError):
        return None


def read_state(home: Path) -> dict[str, Any]:
    """Read ``state.json`` of a round.

    Raises
    ------
    StoreError
        When it is missing or damaged.
    """
    try:
        return dict(read_json(home / STATE, StoreError))
    except (StoreError, ValueError, TypeError) as error:
        raise StoreError(f"{home / STATE} is missing or damaged") from error


def read_weights(home: Path, device: str) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
    """Read student, teacher and centre of a round.

    Raises
    ------
    StoreError
        When a file is missing or damaged.
    """
    try:
        student = load_file(home / "student.safetensors", device=device)
        teacher = load_file(home / "teacher.safetensors", device=device)
        return student, teacher, teacher.pop("centre")
    except (OSError, KeyError, SafetensorError) as error:
        raise StoreError(
            f"the weights in {home} are missing or damaged", f"delete {home.parent} to train again"
        ) from error


class GoodRounds(Mapping[str, Callable[[], Adapted]]):
    """The good rounds of a run by name, each read from its files when it is called.

    Parameters
    ----------
    folder : Path
        Run folder.
    rounds : Rounds
    """

    def __init__(self, folder: Path, rounds: Rounds) -> None:
        self._folder, self._paired = folder, rounds.paired
        self.digest = rounds.digest
        logged = zip(rounds.round.tolist(), rounds.digests, rounds.good.tolist(), strict=True)
        self._known = {round_name(n): (n, digest) for n, digest, good in logged if good}

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __getitem__(self, name: str) -> Callable[[], Adapted]:
        number, digest = self._known[name]

        def read() -> Adapted:
            *_, centre = read_weights(round_folder(self._folder, number), "cpu")
            embeddings, views = read_embeddings(self._folder, number, digest)
            return Adapted(embeddings, views, centre[0].numpy(), self._paired)

        return read


def read_embeddings(folder: Path, number: int, digest: str) -> tuple[Embeddings, Views]:
    """Read the embeddings and views of a round.

    Raises
    ------
    StoreError
        When they are missing, damaged, or not what the run wrote.
    """
    home = round_folder(folder, number)
    embeddings = read_table(table_path(home, Embeddings), Embeddings)
    views = read_table(table_path(home, Views), Views)
    if digest_of(embeddings, views) != digest:
        raise StoreError(
            f"{home} is not what the run wrote", f"delete {folder / FOLDER} to train again"
        )
    return embeddings, views


def digest_of(embeddings: Embeddings, views: Views) -> str:
    """Return one hash of the embeddings and views of a round: sha256, hexadecimal."""
    return hashlib.sha256((embeddings.digest + views.digest).encode()).hexdigest()


def rounds_table(found: Sequence[Finished], paired: bool) -> Rounds:
    """Put the logs of all rounds into one table."""
    columns: dict[str, Any] = {
        name: np.array([f.judged.get(name, np.nan) for f in found], dtype=np.float64)
        for name in Rounds.COLUMNS
        if name != "good"
    }
    columns |= {name: np.nan_to_num(columns[name]) for name in ("round", "matches", "characters")}
    return Rounds(
        **columns,
        good=np.array([not f.collapse for f in found], dtype=bool),
        digests=tuple(f.digest for f in found),
        paired=paired,
    )


def epochs_table(found: Sequence[Finished]) -> Epochs:
    """Put the logs of all epochs into one table."""
    log = [epoch for f in found for epoch in f.epochs]
    own = {name: [getattr(e, name) for e in log] for name in ("round", "epoch", "loss", "rate")}
    health = {name: [getattr(e.health, name) for e in log] for name in Health.__dataclass_fields__}
    return Epochs(**{name: np.array(values) for name, values in (own | health).items()})


def _save(tensors: Mapping[str, Tensor], path: Path) -> None:
    # Copies: safetensors refuses weights that two layers share.
    copies = {
        name: t.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, t in tensors.items()
    }
    path.write_bytes(save(copies))  # so that a full disk is an OSError
