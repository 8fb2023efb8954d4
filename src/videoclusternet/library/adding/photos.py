"""People from photographs alone: file names are names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from videoclusternet.config import Config
from videoclusternet.errors import ConfigError, DataError, VcnError
from videoclusternet.library import people, record
from videoclusternet.library.adding.cut import ENDINGS, OTHERS, cut_photo
from videoclusternet.library.adding.described import described
from videoclusternet.library.adding.rows import insert, number_or_none, rechosen, weights_row
from videoclusternet.library.database import Database
from videoclusternet.models.load import LazyBackbone, LazyDetector, pick_device
from videoclusternet.models.registry import find
from videoclusternet.outside.files import is_folder, said
from videoclusternet.outside.text import printable
from videoclusternet.runfolder.crop_zip import decoded

COUNTER = re.compile(r"[\s._-]+\d+$|[\s._-]*\(\d+\)$")
"""What stands behind a name where there are several photographs: ``2``, ``_2``, ``(2)``."""


class Pictured(NamedTuple):
    """What became of photographs.

    Attributes
    ----------
    people : dict of str to int
        Exemplars that came, by name.
    present : int
        Photographs that were there already.
    failed : list of VcnError
        One for each that shows no face, several, or is no picture.
    """

    people: dict[str, int]
    present: int
    failed: list[VcnError]


def names_in(folder: Path) -> dict[str, list[Path]]:
    """Return the photographs in a folder by the name of whom they show.

    ``Anna Smith.jpg``, ``Anna Smith 2.jpg``, ``Anna_Smith(3).png`` and all in ``Anna Smith/``,
    however deep; what is hidden, or in a hidden folder, is passed over.

    Raises
    ------
    DataError
        When it is no folder, or holds no photograph.
    """
    if not is_folder(folder):
        raise DataError(f"{folder} is no folder", "name a folder of photographs")
    found: dict[str, list[Path]] = {}
    try:
        for path in sorted((*folder.glob("*"), *folder.glob("*/**/*"))):
            inner = path.relative_to(folder).parts
            hidden = any(part.startswith(".") for part in inner)
            if path.suffix.lower() in (*ENDINGS, *OTHERS) and not hidden:
                name = inner[0] if len(inner) > 1 else COUNTER.sub("", path.stem)
                found.setdefault(printable(name.replace("_", " ")).strip(), []).append(path)
    except OSError as error:
        raise DataError(f"cannot read {folder}: {said(error)}", "check the path") from error
    if not found:
        raise DataError(f"{folder} holds no photograph", f"give {', '.join(ENDINGS)}")
    return found


def add_photos(
    database: Database, photos: Mapping[str, Sequence[Path]], config: Config
) -> Pictured:
    """Take people into the library from photographs; those that cannot be used are named.

    Parameters
    ----------
    database : Database
    photos : mapping of str to sequence of Path
        By the name of whom they show.
    config : Config
        ``faces``, ``embed``, ``device`` and ``seed``.

    Raises
    ------
    ModelError
        When a model is missing.
    LibraryError
        When the library cannot be written; then it is as before.
    """
    device = pick_device(config.device)
    detector = LazyDetector(config.faces.detector, device)
    sure = find(config.faces.detector)[0].sure
    cut: list[tuple[str, Path, bytes]] = []
    failed: list[VcnError] = []
    for name, paths in photos.items():
        for path in paths:
            try:
                known = people.named(name)
                cut.append((known, path, cut_photo(path, detector(), sure, config.faces)))
            except DataError as error:
                failed.append(error)
            except ConfigError as error:
                failed.append(DataError(f"{path}: {error.message}", "its name is whom it shows"))
    if not cut:
        return Pictured({}, 0, failed)
    return _write(database, cut, failed, config, LazyBackbone(config.embed.backbone, device))


def _write(
    database: Database,
    cut: Sequence[tuple[str, Path, bytes]],
    failed: list[VcnError],
    config: Config,
    backbone: LazyBackbone,
) -> Pictured:
    canvas = np.stack([canvas for one in cut if (canvas := decoded(one[2])) is not None])
    seen = described(canvas, backbone, config)
    came: dict[str, int] = {}
    present, author, time = 0, record.author(), record.now()
    with database.writing() as db:
        weights = weights_row(db, seen.weights)
        rows = {}
        for n, (name, path, jpeg) in enumerate(cut):
            person = rows[name] = people.called(db, name) or people.add(db, name)
            there = (
                "SELECT 1 FROM exemplar JOIN picture ON picture.id = picture "
                "WHERE person = ? AND weights = ? AND digest = ?"
            )
            digest = hashlib.sha256(jpeg).hexdigest()
            if db.execute(there, (person.id, weights, digest)).fetchone():
                present += 1
                continue
            insert(
                db,
                seen.mean[n].astype("<f2").tobytes(),
                jpeg,
                person=person.id,
                weights=weights,
                look=0,
                length=float(seen.length[n]),
                threshold=number_or_none(seen.threshold[n]),
                crops=1,
                quality=number_or_none(seen.quality[n]),
                hand=1,
                source=printable(path.name),
                author=author,
                time=time,
            )
            came[person.name] = came.get(person.name, 0) + 1
        for person in rows.values():
            if person.name in came:
                rechosen(db, person.id, weights, seen.weights.width)
                record.write(db, "photo", person.key, count=came[person.name], source="photo")
    return Pictured(came, present, failed)
