"""Text from outside: one line, nothing that a terminal acts on, and JSON that reads back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet.outside.text import UNSEEN, json_line, natural, printable, say
from videoclusternet.show.terminal import print_table, table_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Der süße Brei 映画 👩\u200d🎤", "Der süße Brei 映画 👩\u200d🎤"),
        ("\x1b[2J\r\n", "\\x1b[2J\\r\\n"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("film\udcff.mp4", "film\\xff.mp4"),
        ("half \ud83d", "half \\ud83d"),
        ("\u202egpj.exe\u2028", "\\u202egpj.exe\\u2028"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_json_reads_back_and_holds_nothing_unseen(text: str) -> None:
    line = json_line({text: [text]})
    assert json.loads(line) == {text: [text]}
    assert not UNSEEN.search(line) and line.isprintable() >= text.isprintable()


def test_lines_and_tables_are_only_shown(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[31m\nb", "c")
    assert capsys.readouterr().out == "a\\x1b[31m\\nb\nc\n"
    table = table_of("name")
    table.add_row("a\x1b[31m\nb")
    print_table(table)
    assert "a\\x1b[31m\\nb" in capsys.readouterr().out


def test_names_are_sorted_by_their_numbers() -> None:
    names = ["a2b9", "a2b10", "a10", "b", "1²3", "1²20"]
    assert sorted(reversed(names), key=natural) == [*names[4:], *names[:4]]
