"""Pictures of the bench: the same file every time, and several in one page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from videoclusternet_bench.tables.drawing import COLOURS, inline, new_figure, save, style, tidy


def figure() -> Any:
    """Outlines, hatches, markers and clipping: all that makes ids in an SVG."""
    made = new_figure(4, 3)
    axes = made.subplots()
    tidy(axes)
    axes.stairs([1, 3, 2], label="one <set>", **style(0))
    axes.bar([1, 2], [1, 1], hatch="///")
    axes.plot([0, 2], [0.5, 1.5], marker="o", label="another")
    axes.legend()
    return made


def test_a_figure_drawn_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    one, two, again = (tmp_path / name for name in ("one", "two", "again"))
    first = figure()
    for folder, drawn in ((one, first), (two, figure()), (again, first)):
        folder.mkdir()
        vector, pixels = save(drawn, folder, "plot")
        assert (vector, pixels) == (folder / "plot.svg", folder / "plot.png")
        assert vector.read_bytes() == (one / "plot.svg").read_bytes()
        assert pixels.read_bytes() == (one / "plot.png").read_bytes()
    assert sorted(p.name for p in one.iterdir()) == ["plot.png", "plot.svg"]
    assert (one / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_text_stays_text_and_no_date_or_program_is_told(tmp_path: Path) -> None:
    text = save(figure(), tmp_path, "plot")[0].read_text(encoding="utf-8")
    assert "one &lt;set&gt;</text>" in text
    assert "dc:date" not in text and "Matplotlib v" not in text


def test_ids_of_pictures_in_one_page_differ_and_every_reference_is_met(tmp_path: Path) -> None:
    vector, _ = save(figure(), tmp_path, "plot")
    parts = [inline(vector, name, 'say "so" & <no more>') for name in ("left", "right")]
    seen: set[str] = set()
    for part in parts:
        root = ET.fromstring(part)
        assert root.tag.endswith("svg")
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == 'say "so" & <no more>'
        ids = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
        assert len(ids) == len(set(ids)) and not seen & set(ids)
        seen |= set(ids)
        targets = set(re.findall(r'(?:url\(#|href="#)([^")]+)', part))
        assert len(targets) > 3 and targets <= set(ids)
        assert "<metadata>" not in part and "<?xml" not in part


def test_sets_are_told_apart_without_colour_and_by_both_after_the_colours_begin_again() -> None:
    lines = [str(style(i)["linestyle"]) for i in range(len(COLOURS))]
    assert len(set(lines)) == len(COLOURS)
    assert len({str(style(i)) for i in range(len(COLOURS) ** 2)}) == len(COLOURS) ** 2


@pytest.mark.parametrize("grid", ["x", "both", ""])
def test_pale_lines_where_asked(grid: str) -> None:
    axes = new_figure().subplots()
    tidy(axes, grid)
    shown = [
        any(line.get_visible() for line in one.get_gridlines()) for one in (axes.xaxis, axes.yaxis)
    ]
    assert shown == [grid in ("x", "both"), grid in ("y", "both")]
    assert not axes.spines["top"].get_visible()
