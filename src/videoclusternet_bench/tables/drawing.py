"""What the pictures of the bench share: colours and styles told apart by all, equal files.

A set (or method) keeps its place in a list; ``COLOURS[i % len(COLOURS)]`` and the line style,
marker and hatch of the same place tell it from the others, each of them without the colour too.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text

from videoclusternet.outside.text import printable
from videoclusternet.runfolder.files import replacing

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colours: told apart by all.  Their yellow is too light for a line on white."""
LINES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (8, 2, 1, 2, 1, 2)),
    (0, (2, 1.5)),
    (0, (10, 2)),
)
"""Line styles, in points."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---", "+++")
INK, PALE = "#333333", "#DDDDDD"
"""Of axes and of the lines behind the data."""
DPI = 150
"""Of PNG files."""
# Text stays text: it is found by a search, read aloud, and small.
SVG = {"svg.fonttype": "none", "svg.hashsalt": "videoclusternet", "text.parse_math": False}


def style(i: int) -> dict[str, Any]:
    """Return colour and line style of the set in place ``i``, as keywords for a line.

    49 places differ: where the colours begin again, the styles are shifted.
    """
    colour = COLOURS[i % len(COLOURS)]
    return {"color": colour, "linestyle": LINES[(i + i // len(COLOURS)) % len(LINES)]}


def new_figure(width: float = 7.0, height: float = 4.0) -> Figure:
    """Return an empty figure that makes room for its labels, without a window.

    Parameters
    ----------
    width, height : float
        In inches.
    """
    return Figure(figsize=(width, height), layout="constrained")


def tidy(axes: Any, grid: str = "y") -> None:
    """Take the frame from a plot and put pale lines behind the data.

    Parameters
    ----------
    axes : Axes
    grid : str
        ``x``, ``y`` or ``both``; empty for no lines.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.tick_params(colors=INK)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=PALE, linewidth=0.7)


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``name.svg`` and ``name.png``, byte for byte the same for the same figure.

    Parameters
    ----------
    figure : Figure
    folder : Path
    name : str
        Without an ending.

    Returns
    -------
    list of Path
        SVG, PNG.
    """
    vector, pixels = folder / f"{name}.svg", folder / f"{name}.png"
    with replacing(vector) as temporary:
        temporary.write_text(_svg(figure), encoding="utf-8")
    with replacing(pixels) as temporary, _literal(figure):
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})
    return [vector, pixels]


def inline(picture: Path, name: str, said: str = "") -> str:
    """Return an SVG file of :func:`save` as it is to stand in a page of HTML.

    Parameters
    ----------
    picture : Path
    name : str
        Begins every id in it: names that differ keep the pictures of a page apart.
    said : str
        What it shows, for those who do not see it.

    Returns
    -------
    str
        One ``<svg>`` element, as wide as the page lets it be.
    """
    svg = picture.read_text(encoding="utf-8")
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    label = f' aria-label="{html.escape(said)}"' if said else ""
    return svg.replace("<svg", f'<svg role="img"{label} style="max-width:100%;height:auto"', 1)


def as_label(name: str, most: int = 60) -> str:
    """Return a name as it may stand in a plot: one line, cut short, never taken for hidden."""
    found = printable(name)
    found = found if len(found) <= most else found[: most - 1] + "…"
    return f" {found}" if found.startswith("_") else found  # legends leave such names out


@contextmanager
def _literal(figure: Figure) -> Iterator[None]:
    """Let all text of a figure be drawn as it is: a ``$`` in a name begins no formula."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    with matplotlib.rc_context(SVG), warnings.catch_warnings():
        # Names may be in any script; SVG files leave their letters to the reader's fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def _svg(figure: Figure) -> str:
    stream = io.StringIO()
    with _literal(figure):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()
