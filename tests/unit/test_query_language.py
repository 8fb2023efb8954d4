"""The language of queries: what is read as what, and where an error points."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet.errors import ConfigError, QueryError
from videoclusternet.query.language import (
    DEEPEST,
    And,
    Anybody,
    Node,
    Not,
    Or,
    Who,
    parse,
    written,
)

A, B, C = Who("A"), Who("B"), Who("C")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("A", A),
        ("A & B", And((A, B))),
        ("A&B&&C", And((A, B, C))),
        ("A | B || C", Or((A, B, C))),
        ("A | B & C", Or((A, And((B, C))))),
        ("A & B | C", Or((And((A, B)), C))),
        ("(A | B) & C", And((Or((A, B)), C))),
        ("!A & B", And((Not(A), B))),
        ("!(A & B)", Not(And((A, B)))),
        ("!A | !B", Or((Not(A), Not(B)))),
        ("!!A", A),
        ("! ! !A", Not(A)),
        ("!(!A)", A),
        ("(A & B) & C", And((A, B, C))),
        ("A & (B & (C))", And((A, B, C))),
        ("A and B or not C", Or((And((A, B)), Not(C)))),
        ("A AND NOT B", And((A, Not(B)))),
        ("  A\t&\nB ", And((A, B))),
        ("*", Anybody()),
        ("!* | anybody", Or((Not(Anybody()), Anybody()))),
        ("Anybody & A", And((Anybody(), A))),
        ('"anybody" & "*"', And((Who("anybody"), Who("*")))),
        ("anybody else", Who("anybody else")),
        ("Anna Maria & Ben", And((Who("Anna Maria"), Who("Ben")))),
        ("Anna   Maria", Who("Anna Maria")),
        ("3 & Character 12", And((Who("3"), Who("Character 12")))),
        ('"Smith & Sons" | "and"', Or((Who("Smith & Sons"), Who("and")))),
        (r'"the \"Duke\" \\ (old)"', Who('the "Duke" \\ (old)')),
        ("O'Neill, Jr. & Zoë-Ann", And((Who("O'Neill, Jr."), Who("Zoë-Ann")))),
        ("שרה & 李雷|😀", Or((And((Who("שרה"), Who("李雷"))), Who("😀")))),
        ("Anderson & Norton", And((Who("Anderson"), Who("Norton")))),
    ],
)
def test_what_is_read(text: str, tree: Node) -> None:
    assert parse(text).tree == tree


@pytest.mark.parametrize(
    ("text", "says", "at"),
    [
        ("", "a name is missing", 0),
        ("   ", "a name is missing", 3),
        ("A &", "a name is missing", 3),
        ("A & & B", "a name is missing before '&'", 4),
        ("& A", "a name is missing before '&'", 0),
        ("A | ! ", "a name is missing", 6),
        ("A & not and B", "a name is missing before 'and'", 8),
        ("()", "a name is missing before ')'", 1),
        ('A & ""', "a name is missing before '\"\"'", 4),
        ("A !B", "& or | is missing before this", 2),
        ("A not B", "& or | is missing before this", 2),
        ("A (B)", "& or | is missing before this", 2),
        ("(A (B))", "& or | is missing before this", 3),
        ('"A" B', "& or | is missing before this", 4),
        ("A *", "& or | is missing before this", 2),
        ("A & (B | C", "this bracket is never closed", 4),
        ("A & (B | (C)", "this bracket is never closed", 4),
        ("A & B)", "this bracket was never opened", 5),
        ('A & "B', "this quotation mark is never closed", 4),
        ('A"', "this quotation mark is never closed", 1),
        (r'"A\"', "this quotation mark is never closed", 0),
        ("(" * 60 + "A" + ")" * 60, "too many brackets", DEEPEST),
    ],
)
def test_an_error_points_at_its_place(text: str, says: str, at: int) -> None:
    with pytest.raises(QueryError, match=re.escape(says)) as caught:
        parse(text)
    assert caught.value.__notes__ == [
        f"  {text[: at + 25]}{'…' * (len(text) > at + 25)}",
        "  " + " " * at + "^",
    ]
    assert isinstance(caught.value, ConfigError) and caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_the_caret_stands_below_its_letter_whatever_is_before() -> None:
    def pointed(text: str) -> tuple[str, int]:
        with pytest.raises(QueryError) as caught:
            parse(text)
        line, caret = caught.value.__notes__
        return line, len(caret) - 1

    assert pointed("李雷 & )") == ("  李雷 & )", 9)  # two columns each
    assert pointed("e\u0301 & )") == ("  e\u0301 & )", 6)  # an accent fills none
    assert pointed("\x1b & )") == ("  \\x1b & )", 9)
    line, place = pointed("x" * 200 + " & ) " + "y" * 200)
    assert line.startswith("  …") and line.endswith("…") and len(line) < 90
    assert line[place] == ")"


def test_who_is_wanted_and_who_is_not() -> None:
    asked = parse("A & !(B | !C) & !*")
    assert [w.name for w in asked.names] == ["A", "B", "C"]
    assert [w.name for w in asked.wanted] == ["A", "C"]
    assert not asked.wants_anybody
    assert parse("!(A & !*)").wants_anybody


@given(st.text(max_size=40))
def test_any_text_is_a_query_or_an_error_with_a_place(text: str) -> None:
    try:
        parse(text)
    except QueryError as error:
        assert len(error.__notes__) == 2


@given(st.text(min_size=1, max_size=20).map(lambda t: " ".join(t.split())).filter(bool))
def test_every_name_can_be_written(name: str) -> None:
    assert parse(f"A & {written(name)} | B").tree == Or((And((A, Who(name))), B))


def test_names_are_written_plainly_where_they_can_be() -> None:
    assert [written(n) for n in ("Anna Maria", "O'Neill", "Smith & Sons", "and", 'a "b" \\')] == [
        "Anna Maria",
        "O'Neill",
        '"Smith & Sons"',
        '"and"',
        r'"a \"b\" \\"',
    ]


def test_a_long_query_is_read_at_once() -> None:
    names = [f"Character {n}" for n in range(5000)]
    assert len(parse(" | ".join(names)).names) == 5000
    assert parse("!" * 20_001 + "A").tree == Not(A)
