"""Hard cases: of each found cluster its most and least typical faces (Figures 1 and 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from videoclusternet.clustering.distance import normalise
from videoclusternet.types.arrays import Array
from videoclusternet_bench.pictures.errors import MARKS
from videoclusternet_bench.pictures.looks import GREY, WRONG, short
from videoclusternet_bench.pictures.matched import Verdict
from videoclusternet_bench.pictures.shown import Shown
from videoclusternet_bench.pictures.thumbnails import Mosaic, Thumbnails
from videoclusternet_bench.tables.drawing import INK, as_label

EACH = 5
"""Faces of each sort in a row."""
MOST = 40
"""Clusters in a sheet, largest first."""


@dataclass(frozen=True)
class Face:
    """A crop in a sheet.

    Attributes
    ----------
    crop : int
        Row of the run's pictures.
    person : str
        Empty where the truth does not know the track.
    kind : str
        What became of its track, see :mod:`videoclusternet_bench.pictures.matched`.
    cosine : float
        Similarity to the centre of the cluster.
    """

    crop: int
    person: str
    kind: Verdict
    cosine: float

    @property
    def wrong(self) -> bool:
        """Whether its track is in the wrong place."""
        return self.kind in MARKS

    @property
    def label(self) -> str:
        """Name, with the mark of what is wrong."""
        name = self.person or "not labelled"
        return f"{MARKS[self.kind]} {name}" if self.wrong else name


@dataclass(frozen=True)
class Strip:
    """A cluster in a sheet.

    Attributes
    ----------
    name, owner : str
        Of the cluster, and of the person it is matched to or else has most tracks of.
    tracks, wrong : int
    typical, odd : tuple of Face
        Nearest to the centre, nearest first; farthest from it, farthest last.
    """

    name: str
    owner: str
    tracks: int
    wrong: int
    typical: tuple[Face, ...]
    odd: tuple[Face, ...]


def strips(shown: Shown, each: int = EACH) -> list[Strip]:
    """Choose the faces of every cluster, largest cluster first.

    The centre is the mean of the tracks' unit means.  A track gives its nearest crop to the
    typical ones and its farthest to the others, so that one long track does not fill a row;
    no crop comes twice.

    Parameters
    ----------
    shown : Shown
    each : int
        Faces of each sort at most.
    """
    m, embeddings = shown.matched, shown.embeddings
    kinds = m.kind
    place = np.full(embeddings.tracks, -1)
    place[shown.track] = np.arange(len(shown.track))
    of_crop = place[embeddings.track]
    found = []
    for column in np.argsort(-m.size, kind="stable"):
        mine = np.flatnonzero(m.column == column)
        crops = np.flatnonzero(np.isin(of_crop, mine))
        means = shown.means[mine]
        means = means[np.isfinite(means).all(axis=1)]
        if len(crops) == 0:
            continue
        centre = normalise(means.mean(axis=0, keepdims=True))[0]
        cosine = shown.crops[crops] @ centre
        near, far = _ends(cosine, of_crop[crops], each)

        def face(i: int, crops: Array = crops, cosine: Array = cosine) -> Face:
            where = int(of_crop[crops[i]])
            person = shown.person[where] or ""
            return Face(int(embeddings.crop[crops[i]]), person, kinds[where], float(cosine[i]))

        owner = int(m.owner[column])
        found.append(
            Strip(
                shown.name_of(int(column)),
                m.people[owner] if owner >= 0 else "",
                len(mine),
                int(m.wrong[mine].sum()),
                tuple(face(i) for i in near),
                tuple(face(i) for i in far),
            )
        )
    return found


def _ends(cosine: Array, track: Array, each: int) -> tuple[list[int], list[int]]:
    """Rows of the nearest crops and of the farthest, each of another track."""
    order = np.argsort(-cosine, kind="stable")
    near = _one_per_track(order, track, each)
    left = [i for i in order[::-1].tolist() if i not in near]
    return near, _one_per_track(left, track, each)[::-1]


def _one_per_track(order: Sequence[int] | Array, track: Array, most: int) -> list[int]:
    first: dict[int, int] = {}
    for i in order:
        first.setdefault(int(track[i]), int(i))
    return list(first.values())[:most]


def draw_sheet(sheet: Sequence[Strip], pictures: Thumbnails, title: str) -> Figure:
    """Draw the first ``MOST`` clusters, a row each."""
    some = sheet[:MOST]
    inch, high, text = 0.78, 1.28, 1.75  # of a face; a row and its heading, in faces
    wide = text + 2 * EACH * 1.06 + 0.45
    down = max(len(some), 1) * high + 0.65 + (0.3 if len(sheet) > len(some) else 0)
    figure = Figure(figsize=(wide * inch, down * inch))
    mosaic = Mosaic(wide, down, top=-0.65)
    axes = mosaic.axes(figure)
    axes.text(0.08, -0.42, as_label(title, 160), fontsize=9, color=INK, va="center")
    second = text + EACH * 1.06 + 0.3
    for x, said in ((text, "most typical"), (second, "least typical, the least at the right")):
        axes.text(x, -0.15, said, fontsize=7, color=INK, va="center")
    for row, strip in enumerate(some):
        y = row * high
        axes.text(0.08, y + 0.36, short(strip.owner or "nobody", 14), fontsize=8, color=INK)
        wrong = f", {strip.wrong} wrong" if strip.wrong else ""
        plural = "" if strip.tracks == 1 else "s"
        axes.text(
            0.08, y + 0.46, f"{strip.name}\n{strip.tracks} track{plural}{wrong}",
            fontsize=6, color=INK, va="top", linespacing=1.3,
        )  # fmt: skip
        for start, faces in ((text, strip.typical), (second, strip.odd)):
            for n, face in enumerate(faces):
                x = start + n * 1.06
                mosaic.add(pictures.pixels(face.crop), x, y)
                _mark(axes, face, x, y)
    if len(sheet) > len(some):
        left = len(sheet) - len(some)
        most = max(strip.tracks for strip in sheet[MOST:])
        said = f"and {left} more clusters of at most {most} track{'' if most == 1 else 's'}"
        axes.text(0.08, len(some) * high + 0.1, said, fontsize=7, color=INK)
    mosaic.draw(axes)
    return figure


def _mark(axes: Any, face: Face, x: float, y: float) -> None:
    if face.wrong:
        axes.add_patch(
            Rectangle((x, y), 1, 1, fill=False, edgecolor=WRONG, linewidth=2.2, zorder=2)
        )
    axes.text(
        x + 0.5, y + 1.1, f"{short(face.label, 11)} {face.cosine:.2f}".replace("0.", "."),
        fontsize=5.3, ha="center", va="center",
        color=WRONG if face.wrong else INK if face.person else GREY,
        fontweight="bold" if face.wrong else "normal",
    )  # fmt: skip
