"""The tables of a run without some of its tracks: of these only boxes and times are left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from videoclusternet.clustering.known.suggested import Suggested
from videoclusternet.clustering.reading import Reading, round_number
from videoclusternet.errors import StoreError
from videoclusternet.runfolder.crop_zip import (
    MOST_CROP,
    ZIP_ERRORS,
    CropZip,
    crop_name,
    open_zip,
    read_entry,
)
from videoclusternet.runfolder.files import writing
from videoclusternet.runfolder.folder import Store
from videoclusternet.runfolder.pending import LEARNT
from videoclusternet.types import (
    Candidates,
    Cast,
    Crops,
    CropWeights,
    Embeddings,
    Faces,
    Judgement,
    Links,
    Looks,
    Merges,
    Reason,
    Table,
    Tracks,
    Views,
)
from videoclusternet.types.arrays import Bools, Int32
from videoclusternet.types.judgement import told

T = TypeVar("T", bound=Table)
CHANGED: tuple[type[Table], ...] = (
    Tracks,
    Crops,
    Embeddings,
    Judgement,
    CropWeights,
    Views,
    Faces,
    Looks,
)
"""Tables of a film that say more of a track than when and where it is."""
PLAIN = "frozen/own"
"""Reading where no other is left."""


@dataclass(frozen=True)
class FilmTables:
    """What a run knows of one film, as it is and as it is to be.

    Attributes
    ----------
    before, after : mapping of Table class to Table
        Those that change.
    """

    before: Mapping[type[Table], Table]
    after: Mapping[type[Table], Table]

    @classmethod
    def of(cls, store: Store, gone: Bools) -> FilmTables:
        """Take tracks out of the tables of a film.

        Parameters
        ----------
        store : Store
            Of the film.
        gone : bool, shape (T,)
            Its tracks that go.

        Raises
        ------
        StoreError
            When a table is damaged.
        """
        read_all = ((kind, read(store, kind)) for kind in CHANGED)
        before = {kind: found for kind, found in read_all if found is not None}
        return cls(before, dict(_without(before, gone)))

    def judged(self, which: Mapping[type[Table], Table]) -> Tracks:
        """Return the tracks of ``before`` or ``after`` as they are judged."""
        tracks, judgement = which[Tracks], which.get(Judgement)
        assert isinstance(tracks, Tracks)
        return judgement.of(tracks) if isinstance(judgement, Judgement) else tracks

    def told(self, which: Mapping[type[Table], Table]) -> Embeddings:
        """Return the embeddings of ``before`` or ``after`` that are compared."""
        embeddings = which[Embeddings]
        assert isinstance(embeddings, Embeddings)
        return told(embeddings, self.judged(which))

    @property
    def crops(self) -> Crops:
        """The crops that stay."""
        crops = self.after[Crops]
        assert isinstance(crops, Crops)
        return crops

    def get(self, which: Mapping[type[Table], Table], kind: type[T]) -> T | None:
        """Return a table of ``before`` or ``after``, None where there is none."""
        found = which.get(kind)
        assert found is None or isinstance(found, kind)
        return found


def read(store: Store, kind: type[T]) -> T | None:
    """Return a table of whichever step wrote it; None where none did."""
    for step, found in store.manifest["steps"].items():
        if kind.FILE in found["tables"]:
            table: T = store.load(step, (kind,))[0]
            return table
    return None


def _without(tables: Mapping[type[Table], Any], gone: Bools) -> Iterator[tuple[type[Table], Table]]:
    tracks, crops, embeddings = tables[Tracks], tables[Crops], tables[Embeddings]
    judgement = tables.get(Judgement)
    flaw = np.where(gone, np.uint8(Reason.FORGOTTEN), tracks.flaw)
    yield Tracks, replace(tracks, flaw=flaw)
    kept = ~gone[crops.track]
    yield Crops, crops.take(kept)
    described = embeddings.take(~gone[embeddings.track])
    yield Embeddings, replace(described, crop=_renumbered(kept)[described.crop])
    compared = told(embeddings, tracks if judgement is None else judgement.of(tracks))
    held = ~gone[compared.track]
    if judgement is not None:
        yield (
            Judgement,
            replace(
                judgement,
                reason=np.where(gone, np.uint8(Reason.FORGOTTEN), judgement.reason),
                company=np.where(gone, np.float32(np.nan), judgement.company),
            ),
        )
        yield CropWeights, tables[CropWeights].take(held)
    if (views := tables.get(Views)) is not None:
        mine = views.take(held[views.row])
        yield Views, replace(mine, row=_renumbered(held)[mine.row])
    if (faces := tables.get(Faces)) is not None:
        landmarks = faces.landmarks.copy()
        landmarks[tracks.face[np.repeat(gone, np.diff(tracks.start))]] = np.nan
        yield Faces, replace(faces, landmarks=landmarks)
    if (looks := tables.get(Looks)) is not None:
        # Those of faces in no track may be anybody's; no step looks at them any more.
        yield Looks, Looks(np.zeros_like(looks.picture))


def _renumbered(kept: Bools) -> Int32:
    return np.asarray(np.cumsum(kept) - 1, dtype=np.int32)


def copy_zip(path: Path, crops: Crops, to: Path) -> str:
    """Write a zip file with these crops alone, and return its sha256.

    Raises
    ------
    StoreError
        When one of them is damaged, or nothing can be written.
    """
    places = zip(crops.track.tolist(), crops.frame.tolist(), strict=True)
    wanted = {crop_name(track, frame) for track, frame in places}
    try:
        with open_zip(path) as archive:
            names = [name for name in archive.namelist() if name in wanted]
            if set(names) != wanted:
                raise KeyError("a picture is missing")
            pictures = ((name, read_entry(archive, name, MOST_CROP)) for name in names)
            with writing(to), CropZip(to) as copy:
                for name, data in pictures:
                    copy.add(name, data)
    except ZIP_ERRORS as error:
        raise StoreError(
            f"{path} is damaged: {error}", "delete the folder, or restore it and forget then"
        ) from error
    with to.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cast_without(cast: Cast, candidates: Candidates, gone: Bools, character: int) -> Cast:
    """Return a cast without a character and its tracks; the others keep their numbers.

    What learnt models read is read without them from now on: they had learnt this face.
    """
    nan = np.float32(np.nan)
    chosen = cast.chosen
    if _learnt(chosen):
        worth = np.nan_to_num(candidates.stability, nan=-2.0)
        plain = [n for n, name in enumerate(candidates.names) if not _learnt(name)]
        chosen = candidates.names[max(plain, key=lambda n: worth[n])] if plain else PLAIN
    return replace(
        cast,
        character=np.where(gone, np.int32(-1), cast.character),
        reason=np.where(gone, np.uint8(Reason.FORGOTTEN), cast.reason),
        quality=np.where(gone, nan, cast.quality),
        threshold=np.where(gone, nan, cast.threshold),
        confidence=np.where(gone, np.float32(0), cast.confidence),
        probable=np.where(gone | (cast.probable == character), np.int32(-1), cast.probable),
        chosen=chosen,
        alike=tuple(pair for pair in cast.alike if character not in pair),
    )


def _learnt(reading: str) -> bool:
    return any(round_number(one) for one in Reading.parse(reading).spaces)


def links_without(links: Links, gone: Bools) -> Links:
    """Return the matches between other tracks."""
    return links.take(~(gone[links.a] | gone[links.b]))


def suggested_without(suggested: Suggested, cast: Cast) -> Suggested:
    """Return who of a library the characters seem to be that a cast still has."""
    kept = np.flatnonzero(np.isin(suggested.character, cast.character))
    return Suggested(
        suggested.character[kept],
        suggested.sure[kept],
        tuple(suggested.people[row] for row in kept.tolist()),
    )


def merges_without(merges: Merges, gone: Bools) -> Merges:
    """Return the joins of what is left of each cluster, named by the lowest track left."""
    group = {track: [track] for track in range(len(gone))}
    root = list(range(len(gone)))
    kept, names = [], []
    for row, (a, b) in enumerate(zip(merges.a.tolist(), merges.b.tolist(), strict=True)):
        one, other = root[a], root[b]
        if one == other:
            continue
        left = [min((t for t in group[side] if not gone[t]), default=-1) for side in (one, other)]
        if min(left) >= 0:
            kept.append(row)
            names.append(sorted(left))
        for track in group[other]:
            root[track] = one
        group[one] += group.pop(other)
    named = np.array(names, dtype=np.int32).reshape(-1, 2)
    return replace(merges.take(np.array(kept, dtype=np.int64)), a=named[:, 0], b=named[:, 1])


def manifest_without(
    manifest: Mapping[str, Any], digests: Mapping[str, str], zipped: str
) -> dict[str, Any]:
    """Return what run.json says of changed tables: another content, made of others.

    Parameters
    ----------
    manifest : mapping
    digests : mapping of str to str
        New content hashes by those before.
    zipped : str
        sha256 of the new zip file, empty where there is none.
    """
    steps = {}
    for name, step in manifest["steps"].items():
        if name == LEARNT:
            continue
        # No settings give this result any more.
        fingerprint = hashlib.sha256(f"{step['fingerprint']} forgotten".encode()).hexdigest()
        inputs = [digests.get(one, one) if isinstance(one, str) else one for one in step["inputs"]]
        tables = {file: digests.get(one, one) for file, one in step["tables"].items()}
        steps[name] = {**step, "fingerprint": fingerprint, "inputs": inputs, "tables": tables}
        if "file" in step and zipped:
            steps[name]["file"] = zipped
    return {**manifest, "steps": steps}
