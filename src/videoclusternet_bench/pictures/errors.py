"""Every wrong track: its picture, who it is, where it went, and why."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from textwrap import wrap

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from videoclusternet.result.pictures import telling_crops
from videoclusternet.runfolder.files import replacing
from videoclusternet_bench.pictures.looks import WRONG, short
from videoclusternet_bench.pictures.matched import Verdict
from videoclusternet_bench.pictures.reasons import Explainer
from videoclusternet_bench.pictures.shown import Shown
from videoclusternet_bench.pictures.thumbnails import Mosaic, Thumbnails, crop_of, has_pictures
from videoclusternet_bench.tables.drawing import INK, as_label

MOST = 60
"""Wrong tracks in a picture; the table has all."""
ACROSS = 3
MARKS = {"mixed": "✕", "split": "÷", "unknown": "?"}
"""Before the name of a wrong track, so that no one need see the colour."""


@dataclass(frozen=True)
class Wrong:
    """A wrong track.

    Attributes
    ----------
    track : int
        Row of the run's tracks.
    person : str
    kind : str
        ``mixed``, ``split`` or ``unknown``: see :mod:`videoclusternet_bench.pictures.matched`.
    cluster : str
        The cluster it went to.
    owner : str
        Whose that is; empty for none.
    main : str
        The cluster matched to its person; empty for none.
    reason : str
    crop, typical : int
        Rows of its picture, and of the most telling one of the cluster it went to, or of the
        one it was split from; -1 for none.
    """

    track: int
    person: str
    kind: Verdict
    cluster: str
    owner: str
    main: str
    reason: str
    crop: int
    typical: int


COLUMNS = tuple(field.name for field in fields(Wrong) if field.name not in ("crop", "typical"))


def wrong_tracks(shown: Shown) -> list[Wrong]:
    """List them: by person, largest first; of each the mixed ones, the split ones, the Unknown."""
    m, explain = shown.matched, Explainer(shown)
    kinds = m.kind
    faces = {-1: -1} | {column: _typical(shown, column) for column in range(len(m.clusters))}
    order = sorted(
        (i for i in range(len(kinds)) if kinds[i] in MARKS),
        key=lambda i: (int(m.person[i]), list(MARKS).index(kinds[i]), int(m.column[i]), i),
    )
    wrong = []
    for i in order:
        column, track = int(m.column[i]), int(shown.track[i])
        owner = int(m.owner[column]) if column >= 0 else -1
        main = m.main(int(m.person[i]))
        wrong.append(
            Wrong(
                track=track,
                person=m.people[int(m.person[i])],
                kind=kinds[i],
                cluster=shown.name_of(column),
                owner=m.people[owner] if owner >= 0 else "",
                main=shown.name_of(main) if main >= 0 else "",
                reason=explain.why(i),
                crop=crop_of(shown.result, track),
                typical=faces[main if kinds[i] == "split" else column],
            )
        )
    return wrong


def _typical(shown: Shown, column: int) -> int:
    """Return the most telling picture of a cluster's owner in it, -1 where there is none."""
    m = shown.matched
    if not has_pictures(shown.result):
        return -1
    mine = (m.column == column) & (m.person == m.owner[column])
    found = telling_crops(shown.result, shown.track[mine], 1)
    return found[0] if found else -1


def write_table(wrong: Sequence[Wrong], path: Path) -> None:
    """Write all of them as CSV."""
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(one) for one in wrong)


def draw_errors(wrong: Sequence[Wrong], pictures: Thumbnails, title: str) -> Figure:
    """Draw the first ``MOST`` of them in a grid."""
    some = wrong[:MOST]
    down = max(-(-len(some) // ACROSS), 1)
    wide, high = 4.7, 1.3  # a cell, in faces of side 1
    inch = 0.7
    figure = Figure(figsize=(ACROSS * wide * inch, (down * high + 0.45) * inch))
    mosaic = Mosaic(ACROSS * wide, down * high + 0.45, top=-0.45)
    axes = mosaic.axes(figure)
    more = f"; the first {len(some)} are shown" if len(wrong) > len(some) else ""
    said = f"{title}: {len(wrong)} wrong tracks{more}" if wrong else f"{title}: no track is wrong"
    axes.text(0.1, -0.2, as_label(said, 160), fontsize=9, color=INK, va="center")
    for n, one in enumerate(some):
        x, y = n % ACROSS * wide + 0.1, n // ACROSS * high + 0.1
        mosaic.add(pictures.pixels(one.crop), x, y)
        axes.add_patch(Rectangle((x, y), 1, 1, fill=False, edgecolor=WRONG, linewidth=2, zorder=2))
        sign = "≠" if one.kind == "split" else "→"
        axes.text(x + 1.13, y + 0.5, sign, fontsize=11, color=INK, ha="center", va="center")
        if one.typical >= 0:
            mosaic.add(pictures.pixels(one.typical), x + 1.26, y)
        else:
            axes.text(x + 1.76, y + 0.5, "?", fontsize=20, color=INK, ha="center", va="center")
        lines = [
            f"{MARKS[one.kind]} {short(one.person, 14)} (track {one.track})",
            *wrap(went(one), 36),
            *wrap(one.reason, 36),
        ]
        axes.text(x + 2.36, y, lines[0], fontsize=6.5, color=WRONG, va="top", weight="bold")
        axes.text(
            x + 2.36, y + 0.16, "\n".join(lines[1:8]),
            fontsize=5.4, color=INK, va="top", linespacing=1.25,
        )  # fmt: skip
    mosaic.draw(axes)
    return figure


def went(one: Wrong) -> str:
    """Return where it went, in words."""
    if one.kind == "unknown":
        return "in no cluster"
    if one.kind == "mixed":
        return f"in {one.cluster} ({one.owner})"
    return f"in {one.cluster}" + (f", not in {one.main}" if one.main else "")
