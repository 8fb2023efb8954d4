"""Fields of files of labels: numbers, rates, rows of CSV, with messages that say where.

In all of them ``place`` (file and line, or element) and ``what`` are for the message, and a
field that is not what it should be raises :class:`~videoclusternet.errors.DataError`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

from videoclusternet.errors import DataError
from videoclusternet.outside.files import opened_text, said
from videoclusternet.outside.text import shown

RATE = re.compile(r"\d{1,9}(\.\d{1,15}|/\d{1,9})?")
LARGEST = 2**31 - 1
"""Largest number, track or frame; int32 holds it."""


def number(text: str | None, place: str, what: str) -> float:
    """Read a finite number; ``place`` and ``what`` are for the message."""
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not abs(value) <= LARGEST:
        raise DataError(f"{place}: {what} is {text!r}, no number")
    return value


def whole(text: str | None, place: str, what: str) -> int:
    """Read a whole number."""
    value = number(text, place, what)
    if value != int(value):
        raise DataError(f"{place}: {what} is {text!r}, no whole number")
    return int(value)


def rate(text: str, place: str, what: str = "fps") -> Fraction:
    """Read a frame rate such as ``25``, ``23.976`` or ``24000/1001``, frames/s."""
    text = text.strip()
    # The pattern keeps exponents out: they make a Fraction of any size.
    try:
        found = Fraction(text) if RATE.fullmatch(text) else Fraction(0)
    except ZeroDivisionError:
        found = Fraction(0)
    if found == 0:
        raise DataError(f"{place}: {what} is {shown(text)}", "write 25, 23.976 or 24000/1001")
    return found


def size(text: str | None, place: str, what: str) -> int:
    """Read a whole number larger than 0: a side of the frame in px, or a length in frames."""
    value = whole(text, place, what)
    if value <= 0:
        raise DataError(f"{place}: {what} is {value}, not larger than 0")
    return value


def read_csv(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield place and fields by column of every row of a CSV file in UTF-8.

    Raises
    ------
    DataError
        When it cannot be read or a row has the wrong number of fields.
    """
    try:
        with opened_text(path, DataError) as stream:
            reader = csv.DictReader(stream)
            for row in reader:
                place = f"{path}, line {reader.line_num}"
                if None in row or None in row.values():
                    raise DataError(f"{place}: wrong number of fields")
                yield place, row
    except OSError as error:
        raise DataError(f"cannot read {path}: {said(error)}", "check the disk") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a CSV file: {error}") from error


def column(fields: Mapping[str, str], name: str, place: str) -> str:
    """Take a field, without spaces round it."""
    if name not in fields:
        raise DataError(f"{place}: there is no column {name!r}")
    return fields[name].strip()
