"""How a run looks in a notebook: small pieces of HTML that need nothing from elsewhere.

Every piece is well-formed by itself, and all text in it is escaped.  Colours are read on light
and on dark ground: a notebook has its own theme.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from videoclusternet.outside.text import printable
from videoclusternet.result.described import Film
from videoclusternet.runfolder.crop_zip import address
from videoclusternet.types.span import Span

WIDTH = 1000
"""Length of all films on a lane; the notebook stretches it."""
THIN = 2.0
"""Least width of a bar: what is there is seen."""
LOOK = "font:14px/1.45 system-ui,sans-serif;max-width:860px;margin:4px 0;overflow-x:auto"
_FACE = "width:{0}px;height:{0}px;border-radius:6px;margin:2px;vertical-align:middle"
_LANE = "display:block;width:100%;height:14px;border-radius:3px;background:#8883"
_CELL = "padding:1px 8px 1px 0;vertical-align:middle;"
_NUMBER = f"{_CELL}text-align:right;white-space:nowrap"
_WORDS = f"{_CELL}text-align:left;overflow-wrap:anywhere"
_LONG = f"{_CELL}text-align:left;width:55%;min-width:80px"
_COLUMNS = (_WORDS, _NUMBER, f"{_WORDS};min-width:100px", _NUMBER, _NUMBER, _LONG)


def text(value: object) -> str:
    """Return text that a page only shows, whatever it holds."""
    return escape(printable(value))


def image(jpeg: bytes, label: str, size: int) -> str:
    """Return a picture of ``size`` px, kept in the page."""
    return (
        f'<img src="{address(jpeg)}" alt="{text(label)}" title="{text(label)}" '
        f'style="{_FACE.format(size)}"/>'
    )


def strip(jpegs: Iterable[tuple[bytes, str]], size: int) -> str:
    """Return pictures with their labels side by side, as wide as there is room."""
    return f"<div>{''.join(image(jpeg, label, size) for jpeg, label in jpegs)}</div>"


def lane(films: Sequence[Film], spans: Iterable[Span], label: str) -> str:
    """Draw where in all films, one after another, somebody is on screen."""
    ends = np.cumsum([0.0, *(film.duration for film in films)])
    scale = WIDTH / max(float(ends[-1]), 1e-9)
    bars = []
    for span in spans:
        wide = max(scale * span.seconds, THIN)
        left = min(scale * (float(ends[span.film]) + span.start), WIDTH - wide)
        bars.append(f"M{left:.1f} 7h{wide:.1f}")
    borders = "".join(f"M{scale * end:.1f} 0v14" for end in ends[1:-1].tolist())
    return (
        f'<svg viewBox="0 0 {WIDTH} 14" preserveAspectRatio="none" role="img" '
        f'aria-label="When {text(label)} is on screen" style="{_LANE}">'
        f'<path d="{"".join(bars)}" stroke="#4a8fd6" stroke-width="9"/>'
        f'<path d="{borders}" stroke="#888" vector-effect="non-scaling-stroke"/></svg>'
    )


def card(title: str, facts: str, faces: str, drawn: str) -> str:
    """Return one character: name, facts in one line, faces, lane; the last two are HTML."""
    return (
        f'<div style="{LOOK}"><div style="overflow-wrap:anywhere"><b>{text(title)}</b> · '
        f"{text(facts)}</div>{faces}{drawn}</div>"
    )


class Row(NamedTuple):
    """A character in a table.

    Attributes
    ----------
    face, lane : str
        HTML.
    number : int
    name : str
    seconds, share : float
        On screen, s, and of all films, 0 to 1.
    """

    face: str
    number: int
    name: str
    seconds: float
    share: float
    lane: str


def table(title: str, facts: str, rows: Iterable[Row], below: str) -> str:
    """Return a cast: a line about it, a row a character, a line below."""
    titles = ("", "no.", "character", "on screen", "share", "when")
    head = "".join(
        f'<th style="{style}">{name}</th>' for name, style in zip(titles, _COLUMNS, strict=True)
    )
    return (
        f'<div style="{LOOK}"><div style="overflow-wrap:anywhere"><b>{text(title)}</b> · '
        f'{text(facts)}</div><table style="font:inherit;width:100%;border-collapse:collapse">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(map(_line, rows))}</tbody></table>"
        f"<div>{text(below)}</div></div>"
    )


def _line(row: Row) -> str:
    cells = (
        row.face,
        str(row.number),
        text(row.name),
        f"{row.seconds:,.1f} s",
        f"{100 * row.share:.0f} %",
        row.lane,
    )
    made = (f'<td style="{style}">{cell}</td>' for cell, style in zip(cells, _COLUMNS, strict=True))
    return f"<tr>{''.join(made)}</tr>"
