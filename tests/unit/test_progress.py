"""Progress: rows that fit, lines without control characters."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from rich.console import Console

from videoclusternet.cli.progress import ConsoleHook, LineHook
from videoclusternet.events import Event

STEPS = (
    ("scan", "frames", 123_456),
    ("A film of a very long name, the second part/cast", "comparisons", 1_234_567),
    ("fetch glintr100.onnx", "bytes", 260_694_151),
)
EVENTS = [
    event
    for step, unit, total in STEPS
    for event in (
        Event("start", step, unit=unit),
        *(Event("progress", step, done, total, unit) for done in (1, total // 2, total - 1)),
        Event("done", step),
    )
]


@pytest.mark.parametrize("width", [20, 40, 44, 79, 80, 132])
def test_a_row_is_one_line_in_any_terminal(width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, color_system=None)
    with ConsoleHook(console) as hook:
        for event in EVENTS:
            hook(event)
        hook(Event("cached", "a film of a name longer than any terminal is wide" * 3 + "/tracks"))
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    lines = [line.rstrip() for line in re.split(r"[\r\n]", plain)]
    assert max(map(len, lines)) <= width
    # Each begins with its mark: none is the rest of another.
    assert all(re.match(r"[✓\u2800-\u28ff] ", line) for line in lines if line)
    for title in ("Findi", "Group", "fetch"):
        assert any(line[2:].startswith(title) for line in lines)


def test_80_columns_have_room_for_every_title_and_number() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, color_system=None)
    with ConsoleHook(console) as hook:
        for event in EVENTS:
            hook(event)
        for step in ("cast", "views", "adapt"):
            hook(Event("progress", step, 1, 2, "frames"))
    for words in ("Finding shots and faces ", "123456/123456", "261/261 MB"):
        assert words in out.getvalue()
    assert "Grouping into characters " in out.getvalue()
    assert "Describing views of them " in out.getvalue()


@pytest.fixture
def clock() -> Iterator[list[float]]:
    """A clock that stands where it is put."""
    yield [0.0]


def test_without_a_terminal_there_are_few_plain_lines(clock: list[float]) -> None:
    lines: list[str] = []
    hook = LineHook(lines.append, lambda: clock[0])
    hook(Event("cached", "video"))
    hook(Event("start", "scan", unit="frames"))
    for second in range(100):
        clock[0] = second
        hook(Event("progress", "scan", second * 10, 1000, "frames"))
    hook(Event("done", "scan"))
    hook(Event("note", "scan", message="a film\x1b[2J\nbreaks off"))
    hook(Event("start", "S01\x07E02/links"))
    hook(Event("done", "S01\x07E02/links"))
    assert lines == [
        "Opening: already done",
        "Finding shots and faces: 300 of 1000 frames",
        "Finding shots and faces: 600 of 1000 frames",
        "Finding shots and faces: 900 of 1000 frames",
        "Finding shots and faces: 1000 frames, 1 min 39 s",
        r"a film\x1b[2J\nbreaks off",
        r"Matching tracks · S01\x07E02: <0.1 s",
    ]
