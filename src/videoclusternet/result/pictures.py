"""The pictures that show a character best."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from videoclusternet.result import notebook
from videoclusternet.result.described import Film
from videoclusternet.result.found import Found
from videoclusternet.types.arrays import Array, Float64, Int64, UInt8


@dataclass(frozen=True)
class Picture:
    """The cut face of somebody; it is read from the run when it is looked at.

    Attributes
    ----------
    run : Found
        The run it is of.
    row : int
        Its row in ``run.pictures``.
    track : int
    film : int
        Number of the film.
    frame : int
        Frame of the film that it was cut from.
    seconds : float
        When that is shown, s from the film's start.
    """

    run: Found = field(repr=False, compare=False)
    row: int
    track: int
    film: int
    frame: int
    seconds: float

    @property
    def jpeg(self) -> bytes:
        """The JPEG file, 144 x 144 px.

        Raises
        ------
        StoreError
            When the file of pictures is damaged.
        """
        return self.run.pictures.jpeg(self.row)

    @property
    def pixels(self) -> UInt8:
        """RGB, uint8 (144, 144, 3); else as :attr:`jpeg`."""
        return np.asarray(self.run.pictures.pixels([self.row])[0])

    def _repr_jpeg_(self) -> bytes:
        return self.jpeg


class Pictures(list[Picture]):
    """Pictures that a notebook shows side by side."""

    def _repr_html_(self) -> str:
        return notebook.strip(
            [(one.jpeg, f"track {one.track}, frame {one.frame}") for one in self], 108
        )


def best_pictures(result: Found, character: int, tracks: Array, most: int) -> Pictures:
    """Return the pictures that show a character best, the chosen cover first.

    Parameters
    ----------
    result : Found
    character : int
        Number in ``cast.character``; -1 for the Unknown.
    tracks : int array
        Those of the character.
    most : int

    Returns
    -------
    Pictures
        None where the run has no pictures.
    """
    if most < 1 or not result.has_pictures:
        return Pictures()
    return Pictures(_picture(result, row) for row in best_rows(result, character, tracks, most))


def _picture(result: Found, row: int) -> Picture:
    track, frame = int(result.crop_track[row]), int(result.crop_frame[row])
    film = int(result.tracks.film[track])
    return Picture(result, row, track, film, frame, result.films[film].seconds(frame))


def best_rows(result: Found, character: int, tracks: Array, most: int) -> list[int]:
    """Return the crops that show a character best, the chosen cover first.

    Parameters are those of :func:`best_pictures`.

    Returns
    -------
    list of int
        Rows of the pooled crops.
    """
    rows = telling_crops(result, tracks, most)
    if character >= 0 and (cover := cover_crop(result, character)) >= 0:
        return [cover, *(row for row in rows if row != cover)][:most]
    return rows


def telling_crops(result: Found, tracks: Array, most: int) -> list[int]:
    """Choose crops that show a character best: well seen, typical, and different from each other.

    Well seen is what the detector is sure of and what is large; typical is what lies near the
    character's mean, as a dissolve, half a face or another person's does not.  Each track
    offers its best crop.  The best of all comes first; then always the one that adds most: good
    by itself and far in embedding from those already shown.

    Returns
    -------
    list of int
        Rows of the pooled crops.
    """
    embeddings = result.embeddings
    rows = np.flatnonzero(np.isin(embeddings.track, tracks))
    if len(rows) == 0:
        # Unknown tracks were not embedded: the middle crop of each must do.
        middle = [np.flatnonzero(result.crop_track == t) for t in tracks[:most]]
        return [int(rows[len(rows) // 2]) for rows in middle if len(rows)]
    unit = _unit(embeddings.base[rows])
    typical = np.maximum(unit @ _unit(unit.mean(axis=0)), 0)
    worth = typical * result.weights.weight[rows] * _size(result, embeddings.crop[rows])
    best: dict[int, int] = {}
    for i in np.argsort(worth, kind="stable").tolist():
        best[int(embeddings.track[rows[i]])] = i
    pick = np.array(list(best.values()))
    value, unit = worth[pick], unit[pick]
    chosen = [int(value.argmax())]
    while len(chosen) < min(most, len(pick)):
        gain = value * (1 - unit @ unit[chosen].T).min(axis=1)
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
    return [int(embeddings.crop[rows[pick[i]]]) for i in chosen]


def cover_track(result: Found, character: int) -> int:
    """Return the track whose picture people chose for a character; -1 for none.

    One that has gone elsewhere since stands for the character no more.
    """
    chosen = result.people[character].cover
    track = -1 if chosen is None else result.edits.base.row(chosen)
    return track if track >= 0 and result.cast.character[track] == character else -1


def cover_crop(result: Found, character: int) -> int:
    """Return the crop that people chose for a character, row of the pooled crops; -1 for none."""
    track, frame = cover_track(result, character), result.people[character].frame
    rows = np.flatnonzero(result.crop_track == track)
    if track < 0 or len(rows) == 0:
        return -1
    if frame < 0:
        return telling_crops(result, np.array([track]), 1)[0]
    return int(rows[np.abs(result.crop_frame[rows] - frame).argmin()])


def best_crops(result: Found, worth: Float64) -> Int64:
    """Return the crop that shows each track best, row of the pooled crops; -1 without one.

    Parameters
    ----------
    result : Found
    worth : float64, shape (C,)
        As :func:`crop_worth` returns it.
    """
    tracks, crop_track = np.arange(len(result.tracks)), result.crop_track
    if len(crop_track) == 0 or not result.has_pictures:
        return np.full(len(tracks), -1, dtype=np.int64)
    order = np.lexsort((worth, crop_track))
    end = np.searchsorted(crop_track, tracks, side="right")
    there = end > np.searchsorted(crop_track, tracks, side="left")
    return np.where(there, order[np.maximum(end - 1, 0)], -1)


def crop_worth(result: Found) -> Float64:
    """How well each crop shows its character: large, well seen, and typical of it; 0 to 1.

    Crops that were not described count by their place: the middle of a track is the best of it.
    """
    crop_track = result.crop_track
    first = np.searchsorted(crop_track, crop_track, side="left")
    last = np.searchsorted(crop_track, crop_track, side="right") - 1
    off_middle = np.abs(np.arange(len(crop_track)) - (first + last) / 2) / (last - first + 1)
    worth = 1e-6 * (1 - off_middle)
    embeddings = result.embeddings
    unit = _unit(embeddings.base)
    who = result.clustering.character[embeddings.track]
    centre = np.zeros((int(who.max(initial=-1)) + 2, unit.shape[1]))
    np.add.at(centre, who, unit)
    typical = np.maximum(np.einsum("ij,ij->i", unit, _unit(centre)[who]), 0)
    size = _size(result, embeddings.crop)
    worth[embeddings.crop] += typical * result.weights.weight * size
    return np.asarray(worth)


def _unit(x: Array) -> Array:
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12))


def _size(result: Found, crops: Array) -> Array:
    """Worth of crops by face size, 0 to 1."""
    return np.concatenate([size_worth(film) for film in result.films])[crops]


def size_worth(film: Film) -> Array:
    """Return the worth of a film's crops by face size, 0 to 1, full at the canvas' own 112 px."""
    if film.faces is None or len(film.faces) == 0:
        return np.ones(len(film.crops))
    return np.minimum(film.faces.shorter.astype(np.float64)[film.crops.face] / 112, 1.0)
