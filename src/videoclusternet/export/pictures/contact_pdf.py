"""The contact sheet as PDF: A4 pages, text that can be searched, the run's own JPEG pictures."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from fpdf import FPDF
from fpdf.fonts import TTFFont

from videoclusternet.export.lettering import fitted, font_file
from videoclusternet.export.pictures.contact import summary
from videoclusternet.export.pictures.portraits import Portrait, portraits
from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Sheet

PICTURES = 6
MARGIN, TEXT, SIDE, GAP, TOP = 12, 46, 22, 1.5, 16
"""mm: around a page, of the text beside pictures, of a picture, between them, of the title."""
WIDE, HIGH = 210, 297
"""mm, A4."""
ROWS = int((HIGH - 2 * MARGIN - TOP) // (SIDE + GAP))
"""Characters of a page."""
FONT = "sheet"
INK, SOFT = (28, 29, 33), (95, 99, 109)


def write_pdf(sheet: Sheet) -> Iterator[Piece]:
    """Write pages of ten characters each.

    Raises
    ------
    ConfigError
        When the run has no pictures.
    StoreError
        When a picture cannot be read.
    """
    people = portraits(sheet, PICTURES)
    with _quiet(), _paper(sheet) as pdf:
        for first in range(0, max(1, len(people)), ROWS):
            pdf.add_page()
            _title(pdf, sheet, first // ROWS + 1, max(1, -(-len(people) // ROWS)))
            for place, one in enumerate(people[first : first + ROWS]):
                _row(pdf, sheet, one, MARGIN + TOP + place * (SIDE + GAP))
        yield Piece(bytes(pdf.output()))


@contextmanager
def _paper(sheet: Sheet) -> Iterator[FPDF]:
    """Begin a file; the fonts that it opens are closed at the end."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))  # the same sheet, the same bytes
    for style in ("", "B"):
        pdf.add_font(FONT, style, font_file(bold=bool(style)))
    pdf.set_text_shaping(True)  # joins Arabic letters, and writes from the right where it must
    pdf.set_title(fitted(sheet.title, 200, len))
    try:
        yield pdf
    finally:
        for font in pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()


def _title(pdf: FPDF, sheet: Sheet, page: int, pages: int) -> None:
    said = summary(sheet) + (f" · {page} of {pages}" if pages > 1 else "")
    _line(pdf, sheet.title, MARGIN, MARGIN, WIDE - 2 * MARGIN, 14, bold=True)
    _line(pdf, said, MARGIN, MARGIN + 7, WIDE - 2 * MARGIN, 9)


def _row(pdf: FPDF, sheet: Sheet, one: Portrait, top: float) -> None:
    pictures = sheet.run.pictures
    _line(pdf, one.player.name, MARGIN, top, TEXT - 2, 10, bold=True)
    for number, fact in enumerate(one.facts):
        _line(pdf, fact, MARGIN, top + 5 + 4 * number, TEXT - 2, 8)
    pictures.pixels(one.crops)  # what is no picture is said here, not by the writer of PDF
    for column, row in enumerate(one.crops):
        left = MARGIN + TEXT + column * (SIDE + GAP)
        pdf.image(io.BytesIO(pictures.jpeg(row)), left, top, SIDE, SIDE)


def _line(
    pdf: FPDF, text: str, left: float, top: float, most: float, size: int, bold: bool = False
) -> None:
    """Write one line; what is not bold is grey."""
    pdf.set_font(FONT, "B" if bold else "", size)
    pdf.set_text_color(*(INK if bold else SOFT))
    pdf.set_xy(left, top)
    pdf.cell(most, 5, fitted(text, most - 2 * pdf.c_margin, pdf.get_string_width), align="L")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself which letters the font lacks: the documents say it."""
    logs = [logging.getLogger(name) for name in ("fpdf", "fontTools")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)
