"""One contract for every format over whole runs: whoever is on it, it can be opened again.

Times and boxes are compared elsewhere; here every writer, those of boxes and pictures as well,
meets nobody, one character, 200 of them and names that break careless writers.
"""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pysubs2
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pypdf import PdfReader

from tests.large_run import write_large_run
from tests.readback import READERS
from tests.sheets import NAMES
from videoclusternet.annotations.box_forms import find_form
from videoclusternet.errors import ConfigError
from videoclusternet.export.formats import FORMATS, Format
from videoclusternet.export.sheet import Choice, Sheet, cast_sheet, make_sheet
from videoclusternet.export.write import MARK, export
from videoclusternet.result.result import Result, open_run


def pictures(path: Path) -> None:
    with Image.open(path) as picture:
        picture.verify()


def faces(folder: Path) -> None:
    assert (folder / MARK).exists()
    for path in folder.glob("*/*.jpg"):
        pictures(path)


def coco(path: Path) -> None:
    with redirect_stdout(None):
        read = COCO(str(path))
    assert all(one["category_id"] in read.cats for one in read.anns.values())


OPENED: dict[str, Callable[[Path], Any]] = {
    "mot": find_form,
    "mot-tracks": find_form,
    "coco": coco,
    "cvat": ET.parse,
    "faces": faces,
    "wall": pictures,
    "contact": pictures,
    "contact-pdf": lambda path: PdfReader(path).pages[0].extract_text(),
    "fcpxml": ET.parse,
    "fcp7": ET.parse,
    "json": lambda path: json.loads(path.read_text()),
    "ass": lambda path: pysubs2.load(str(path)),
}
"""How a file is opened by what owns its format; those of :data:`READERS` are read whole there."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty tracks of ten characters."""
    return write_large_run(tmp_path_factory.mktemp("few") / "run", 60, len(NAMES))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four thousand tracks of two hundred characters."""
    return write_large_run(tmp_path_factory.mktemp("many") / "run", 4000, 200)


@pytest.fixture
def run(few: Path, tmp_path: Path) -> Result:
    return open_run(shutil.copytree(few, tmp_path / "run"))


def written(sheet: Sheet, format: Format, tmp_path: Path) -> list[Path]:
    """Write a sheet, and open all of it."""
    paths = export(sheet, tmp_path / f"cast{format.suffix}", format.name)
    for path in paths:
        assert path.exists()
        OPENED.get(format.name, Path.stat)(path)
    return paths


each_format = pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.name)


def test_every_format_is_read_back_or_opened() -> None:
    assert {one.name for one in FORMATS} <= set(READERS) | set(OPENED)


@each_format
def test_names_of_any_kind(format: Format, run: Result, tmp_path: Path) -> None:
    for number, name in enumerate(NAMES, 1):
        run.edits.name(number, name)
    written(cast_sheet(run, Choice(unknown=True)), format, tmp_path)


@each_format
def test_one_character_and_nobody(format: Format, run: Result, tmp_path: Path) -> None:
    written(cast_sheet(run, Choice(characters=("1",))), format, tmp_path / "one")
    nobody = make_sheet(run, [])
    if format.name not in READERS or READERS[format.name].nobody:
        written(nobody, format, tmp_path / "nobody")
        return
    with pytest.raises(ConfigError, match="nobody"):
        written(nobody, format, tmp_path / "nobody")


@pytest.mark.slow
@each_format
def test_two_hundred_characters(format: Format, many: Path, tmp_path: Path) -> None:
    sheet = cast_sheet(open_run(many))
    assert len(sheet.players) == 200
    written(sheet, format, tmp_path)
