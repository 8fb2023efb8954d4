"""``vcn bench pictures``: what was found, beside what is true, as figures and as one page.

FOLDER/pictures.html
       PLACE/tsne, rounds                       .svg and .png; PLACE: SET-BACKBONE-SEED
             METHOD-confusion, -sheet, -errors  likewise
             METHOD-errors.csv                  every wrong track
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from videoclusternet.events import Event, Hook, silent
from videoclusternet.runfolder.files import replacing
from videoclusternet.show.template import template_of
from videoclusternet_bench.pictures.confusion import draw_confusion
from videoclusternet_bench.pictures.errors import (
    MARKS,
    Wrong,
    draw_errors,
    went,
    write_table,
    wrong_tracks,
)
from videoclusternet_bench.pictures.iterations import by_round, draw_rounds, rounds_grid
from videoclusternet_bench.pictures.sheets import Strip, draw_sheet, strips
from videoclusternet_bench.pictures.shown import Shown
from videoclusternet_bench.pictures.thumbnails import Thumbnails
from videoclusternet_bench.pictures.tsne import caption, draw_tsne
from videoclusternet_bench.tables.drawing import inline, save

PAGE = "pictures.html"
ON_PAGE = 200
"""Wrong tracks of a method on the page, and clusters; the files have more of the former."""


@dataclass(frozen=True)
class _Method:
    """A method's part of the page."""

    title: str
    anchor: str
    facts: str
    confusion: str
    sheet: Sequence[Strip]
    wrong: Sequence[Wrong]
    pictures: Thumbnails
    table: str


@dataclass(frozen=True)
class _Place:
    """Everything on the same tracks."""

    name: str
    facts: str
    tsne: str
    caption: str
    rounds: str
    rounds_table: str
    methods: Sequence[_Method]


def write_pictures(shown: Sequence[Shown], folder: Path, hook: Hook = silent) -> Path:
    """Draw partitions, and write the page.

    Parameters
    ----------
    shown : sequence of Shown
        Of :func:`videoclusternet_bench.pictures.shown.of_bench` or :func:`~.of_run`.
    folder : Path
        The same partitions give the same files.
    hook : Hook
        Told in methods.

    Returns
    -------
    Path
        Of the page.
    """
    places, done = [], 0
    hook(Event("start", "pictures", unit="methods"))
    for name in dict.fromkeys(one.place for one in shown):
        mine = [one for one in shown if one.place == name]
        home = folder / file_name(name)
        home.mkdir(parents=True, exist_ok=True)
        methods = []
        for one in mine:
            methods.append(_method(one, home))
            done += 1
            hook(Event("progress", "pictures", done, len(shown), "methods"))
        places.append(_place(name, mine, methods, home))
    hook(Event("done", "pictures", unit="methods"))
    path = folder / PAGE
    with replacing(path) as temporary:
        temporary.write_text(_page(places), encoding="utf-8")
    return path


def file_name(text: str) -> str:
    """Return a name as it can stand for a file: a method may be called ``bcl=weights/a.pt``."""
    return re.sub(r"[^\w.=-]+", "_", text).strip(".")


def _place(name: str, shown: Sequence[Shown], methods: Sequence[_Method], home: Path) -> _Place:
    m = shown[0].matched
    unknown = int((m.person < 0).sum())
    without = f", {unknown} more not in the truth" if unknown else ""
    rounds = by_round(shown)
    said = caption(shown)
    figure = draw_tsne(shown)
    return _Place(
        name=name,
        facts=f"{len(m.person) - unknown} tracks of {len(m.people)} people{without}",
        tsne=_both(figure, home, "tsne", f"t-SNE of {name}"),
        caption=said,
        rounds=_both(draw_rounds(rounds), home, "rounds", f"rounds of {name}") if rounds else "",
        rounds_table=rounds_grid(rounds).html() if rounds else "",
        methods=methods,
    )


def _method(one: Shown, home: Path) -> _Method:
    m, pictures = one.matched, Thumbnails(one.result)
    name = file_name(one.method)
    sheet = strips(one) if pictures.there else []
    if sheet:
        save(draw_sheet(sheet, pictures, one.title), home, f"{name}-sheet")
    wrong = wrong_tracks(one)
    save(draw_errors(wrong, pictures, one.title), home, f"{name}-errors")
    table = home / f"{name}-errors.csv"
    write_table(wrong, table)
    count = {kind: sum(w.kind == kind for w in wrong) for kind in MARKS}
    kinds = ", ".join(f"{n} {kind}" for kind, n in count.items() if n)
    return _Method(
        title=one.title,
        anchor=f"{file_name(one.place)}-{name}",
        facts=f"{len(m.clusters)} clusters; {len(wrong)} tracks wrong"
        + (f": {kinds}" if kinds else ""),
        confusion=_both(
            draw_confusion(one), home, f"{name}-confusion", f"people by clusters, {one.title}"
        ),
        sheet=sheet,
        wrong=wrong,
        pictures=pictures,
        table=f"{home.name}/{table.name}",
    )


def _both(figure: Figure, home: Path, name: str, said: str) -> str:
    """Write a figure, and return it for the page."""
    vector, _ = save(figure, home, name)
    return inline(vector, re.sub(r"\W+", "-", f"{home.name}-{name}"), said)


def _page(places: Sequence[_Place]) -> str:
    template = template_of("videoclusternet_bench.pictures", "pictures.html.j2")
    return template.render(places=places, most=ON_PAGE, went=went, marks=MARKS)
