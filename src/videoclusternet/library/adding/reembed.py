"""The pictures of a library as another face model sees them: one more set of embeddings."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import NamedTuple

import numpy as np

from videoclusternet.config import Config
from videoclusternet.errors import LibraryError
from videoclusternet.events import Event, Hook, silent
from videoclusternet.library import record
from videoclusternet.library.adding.described import described
from videoclusternet.library.adding.rows import insert, number_or_none, weights_row
from videoclusternet.library.database import Database
from videoclusternet.models.load import LazyBackbone, pick_device
from videoclusternet.runfolder.crop_zip import decoded

PART = 256
"""Pictures that are described, and then written, at a time: what is written is not done again."""
STEP = "embeddings"
"""Name of the step that progress is of."""
KEPT = ("person", "look", "hand", "picture", "film", "frame", "seconds", "run", "credit", "anchor")
"""What an exemplar has whatever looks at it."""


class Reembedded(NamedTuple):
    """What was described.

    Attributes
    ----------
    model : str
    exemplars : int
        Those that came.
    without : int
        Exemplars without a picture: features were given for them.
    """

    model: str
    exemplars: int
    without: int


def reembed(database: Database, config: Config, hook: Hook = silent) -> Reembedded:
    """Describe all pictures by the face model of ``config.embed.backbone``, where it has not yet.

    Parameters
    ----------
    database : Database
    config : Config
        ``embed``, ``device`` and ``seed``.
    hook : Hook
        Told of progress.

    Raises
    ------
    ModelError
        When the model is missing.
    LibraryError
        When the library cannot be written, or a picture is damaged; what was done is kept.
    """
    backbone = LazyBackbone(config.embed.backbone, pick_device(config.device))
    with database.reading() as db:
        todo = [row[0] for row in db.execute(_OPEN, (backbone.digest,))]
        (without,) = db.execute("SELECT count(*) FROM exemplar WHERE picture IS NULL").fetchone()
    done, model = 0, config.embed.backbone
    hook(Event("start", STEP, total=len(todo), unit="faces"))
    for start in range(0, len(todo), PART):
        part = todo[start : start + PART]
        model, count = _part(database, part, backbone, config)
        done += count
        hook(Event("progress", STEP, done=start + len(part), total=len(todo), unit="faces"))
    hook(Event("done", STEP, done=len(todo), total=len(todo), unit="faces"))
    return Reembedded(model, done, without)


_OPEN = (
    "SELECT min(exemplar.id) FROM exemplar JOIN weights ON weights.id = weights "
    "WHERE picture IS NOT NULL GROUP BY person, picture, anchor HAVING max(digest = ?) = 0 "
    "ORDER BY 1"
)
"""One exemplar of each picture of a person that a face model has not described."""


def _is_there(db: sqlite3.Connection, weights: int, anchor: str | None) -> bool:
    """Whether this model has described the track; of a photograph that is told before."""
    said = "SELECT 1 FROM exemplar WHERE anchor = ? AND weights = ?"
    return db.execute(said, (anchor, weights)).fetchone() is not None


def _part(
    database: Database, numbers: list[int], backbone: LazyBackbone, config: Config
) -> tuple[str, int]:
    marks = ", ".join("?" * len(numbers))
    with database.reading() as db:
        jpegs = db.execute(
            "SELECT exemplar.id, jpeg FROM exemplar JOIN picture ON picture.id = picture "
            f"WHERE exemplar.id IN ({marks}) ORDER BY exemplar.id",
            numbers,
        ).fetchall()
    canvas = [decoded(jpeg) for _, jpeg in jpegs]
    if any(one is None for one in canvas):
        raise LibraryError(
            f"{database.path} is damaged: a picture cannot be read", "see `vcn library verify`"
        )
    seen = described(np.stack([one for one in canvas if one is not None]), backbone, config)
    author, time = record.author(), record.now()
    kept = f"SELECT {', '.join(KEPT)}, source, key FROM exemplar JOIN person ON person.id = person "
    came: Counter[str] = Counter()
    with database.writing() as db:
        weights = weights_row(db, seen.weights)
        for n, (number, _) in enumerate(jpegs):
            row = db.execute(f"{kept} WHERE exemplar.id = ?", (number,)).fetchone()
            if row is None or _is_there(db, weights, row[KEPT.index("anchor")]):
                continue  # it was forgotten meanwhile, or a run of this model says whose it is
            insert(
                db,
                seen.mean[n].astype("<f2").tobytes(),
                None,
                **dict(zip(KEPT, row, strict=False)),
                source=row[-2],
                weights=weights,
                length=float(seen.length[n]),
                threshold=number_or_none(seen.threshold[n]),
                crops=1,
                quality=number_or_none(seen.quality[n]),
                author=author,
                time=time,
            )
            came[row[-1]] += 1
        for key, count in came.items():
            record.write(db, "reembed", key, count=count)
    return seen.weights.model, sum(came.values())
