"""One contract for every format: what was written is read back, frame by frame."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.readback import READERS
from tests.sheets import NAMES, RATES, a_film, a_sheet, drawn, varying
from videoclusternet.errors import ConfigError
from videoclusternet.export.formats import FORMATS, Format
from videoclusternet.export.sheet import Choice, Sheet
from videoclusternet.export.write import export

SHEET_FORMATS = [
    pytest.param(one, marks=[pytest.mark.slow] if READERS[one.name].slow else [])
    for one in FORMATS
    if one.name in READERS
]
"""Those that need no pictures and no boxes; the others have tests of their own."""


def of_rate(rate: str, timecode: str) -> Sheet:
    film = a_film(2400, rate, timecode=timecode, reel="A001")
    return a_sheet([film], drawn(film, 3, 8))


def two_films(names: tuple[str, str]) -> Sheet:
    films = [a_film(900, "25", names[0], "10:00:00:00"), a_film(700, "24000/1001", names[1])]
    one, other = drawn(films[0], 3, 5), drawn(films[1], 3, 5, 1, 1)
    return a_sheet(films, {name: one[name] + other[name] for name in one})


SHEETS: dict[str, Callable[[], Sheet]] = {
    **{f"at {rate}": lambda rate=rate: of_rate(rate, "00:59:50:00") for rate in RATES},
    "drop-frame at 29.97": lambda: of_rate("30000/1001", "00:59:50;00"),
    "drop-frame at 59.94": lambda: of_rate("60000/1001", "00:59:50;00"),
    "without a start": lambda: of_rate("30000/1001", ""),
    "over midnight": lambda: of_rate("25", "23:59:20:00"),
    "over midnight, drop-frame": lambda: of_rate("30000/1001", "23:59:20;00"),
    "of varying rate": lambda: a_sheet(
        [a_film(video=varying(), timecode="00:59:50:00")],
        drawn(a_film(video=varying()), 3, 12),
    ),
    "at 15": lambda: of_rate("15", "01:00:00:00"),
    "nobody": lambda: a_sheet([a_film()], {}),
    "one character": lambda: a_sheet([a_film()], {"Anna": [(0, 0, 2400)]}),
    "one frame": lambda: a_sheet([a_film()], {"Anna": [(0, 5, 6)], "Ben": [(0, 5, 6)]}),
    "50 characters": lambda: a_sheet([a_film()], drawn(a_film(), 50, 3)),
    "odd names": lambda: a_sheet(
        [a_film(name='a "film", <odd> & 😀')],
        {name: [(0, 10 * i, 10 * i + 25)] for i, name in enumerate(NAMES)},
    ),
    "two films": lambda: two_films(("pilot", "second")),
    "handles and a gap": lambda: a_sheet(
        [a_film()], drawn(a_film(), 3, 20), Choice(handles=1.5, gap=0.5, min_seconds=0.2)
    ),
}


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("format", SHEET_FORMATS, ids=lambda one: one.name)
def test_what_was_written_is_read_back(format: Format, name: str, tmp_path: Path) -> None:
    sheet, reader = SHEETS[name](), READERS[format.name]
    if not sheet.appearances and not reader.nobody:
        with pytest.raises(ConfigError, match="nobody"):
            export(sheet, tmp_path / f"cast{format.suffix}", format.name)
        return
    paths = export(sheet, tmp_path / f"cast{format.suffix}", format.name)
    assert sorted(map(repr, reader.read(paths))) == sorted(map(repr, reader.expect(sheet)))
    assert all(path.parent == tmp_path and path.exists() for path in paths)


@pytest.mark.parametrize("format", SHEET_FORMATS, ids=lambda one: one.name)
def test_the_same_sheet_is_written_alike(format: Format, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        export(two_films(("a", "b")), tmp_path / folder / f"x{format.suffix}", format.name)
    one, other = (sorted((tmp_path / folder).rglob("*.*")) for folder in ("a", "b"))
    assert [path.name for path in one] == [path.name for path in other]
    for path, again in zip(one, other, strict=True):
        assert path.is_dir() or path.read_bytes() == again.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("format", SHEET_FORMATS, ids=lambda one: one.name)
def test_spans_at_random(format: Format, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    rate = str(rng.choice(RATES))
    hour, minute = int(rng.integers(0, 24)), int(rng.integers(0, 60))
    film = a_film(int(rng.integers(1, 5000)), rate, timecode=f"{hour:02d}:{minute:02d}:30:00")
    sheet = a_sheet([film], drawn(film, int(rng.integers(1, 9)), int(rng.integers(1, 30)), seed))
    paths = export(sheet, tmp_path / f"cast{format.suffix}", format.name)
    reader = READERS[format.name]
    assert sorted(map(repr, reader.read(paths))) == sorted(map(repr, reader.expect(sheet)))


@pytest.mark.slow
@pytest.mark.parametrize("format", SHEET_FORMATS, ids=lambda one: one.name)
def test_many_appearances_take_seconds(format: Format, tmp_path: Path) -> None:
    film = a_film(24 * 7200, "24000/1001", timecode="01:00:00:00")
    spans = {
        f"Character {i}": [(0, 97 * n + i, 97 * n + i + 40) for n in range(200)] for i in range(50)
    }
    sheet = a_sheet([film], spans)
    assert len(sheet.appearances) == 10_000
    before = time.process_time()
    export(sheet, tmp_path / f"cast{format.suffix}", format.name)
    assert time.process_time() - before <= 5
