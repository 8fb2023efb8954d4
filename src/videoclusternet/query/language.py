"""The language of queries: ``Anna & (Ben | "Smith & Sons") & !Carl``.

::

    query = all { ("|" | "or") all }
    all   = one { ("&" | "and") one }
    one   = { "!" | "not" } ( "(" query ")" | "*" | "anybody" | quoted | word { word } )

Words one after another are one name.  ``!`` binds tightest, then ``&``, then ``|``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from videoclusternet.errors import QueryError
from videoclusternet.outside.text import printable, shown

DEEPEST = 50
"""Brackets inside each other at most."""
BEFORE, AFTER = 50, 25
"""Letters of a query that an error shows on either side of the place."""
ANYBODY = "anybody"
_WORDS = {"and": "&", "or": "|", "not": "!"}
_TOKEN = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*") | (?P<mark>&&?|\|\|?|[!()*]) | (?P<word>[^\s&|!()*"]+)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Who:
    """Somebody is on screen.

    Attributes
    ----------
    name : str
        Name or number, as it was written.
    at : int
        Place in the query.
    """

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Anybody:
    """A character is on screen, whoever it is."""


@dataclass(frozen=True)
class Not:
    """Something is not so."""

    part: Node


@dataclass(frozen=True)
class And:
    """All of it is so; no part is an ``And`` itself."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """Some of it is so; no part is an ``Or`` itself."""

    parts: tuple[Node, ...]


Node = Who | Anybody | Not | And | Or


@dataclass(frozen=True)
class Question:
    """A query that was understood.

    Attributes
    ----------
    text : str
        As it was written.
    tree : Node
    """

    text: str
    tree: Node = field(compare=False)

    @property
    def names(self) -> list[Who]:
        """Everybody it names, in its order."""
        return [node for node, _ in _leaves(self.tree) if isinstance(node, Who)]

    @property
    def wanted(self) -> list[Who]:
        """Those of them who are to be on screen: not behind a ``!``."""
        return [n for n, wanted in _leaves(self.tree) if wanted and isinstance(n, Who)]

    @property
    def wants_anybody(self) -> bool:
        """Whether anybody at all is to be on screen."""
        return any(wanted and isinstance(n, Anybody) for n, wanted in _leaves(self.tree))

    def error(self, at: int, message: str, advice: str = "") -> QueryError:
        """Return the error for a place of it."""
        return QueryError(message, advice, _place(self.text, at))


def parse(text: str) -> Question:
    """Read a query.

    Parameters
    ----------
    text : str

    Raises
    ------
    QueryError
        When it cannot be understood; it shows the place.
    """
    return Question(text, _Parser(text).whole())


def written(name: str) -> str:
    """Return a name as a query has it: in quotes where it would be read as something else."""
    try:
        plain = parse(name).tree == Who(name)
    except QueryError:
        plain = False
    return name if plain else '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def _leaves(node: Node, wanted: bool = True) -> Iterator[tuple[Who | Anybody, bool]]:
    """Yield whom a query is about, and whether they are to be there."""
    if isinstance(node, Not):
        yield from _leaves(node.part, not wanted)
    elif isinstance(node, And | Or):
        for part in node.parts:
            yield from _leaves(part, wanted)
    else:
        yield node, wanted


@dataclass(frozen=True)
class _Token:
    kind: str  # & | ! ( ) * quoted word end
    text: str
    at: int


class _Parser:
    """Descends through a query, one method a rule."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._read())
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        tree = self._any()
        if self._token.kind == ")":
            raise self._error("this bracket was never opened", "take it away")
        if self._token.kind != "end":
            raise self._error(
                "& or | is missing before this", "a name with such marks in it goes into quotes"
            )
        return tree

    def _read(self) -> Iterator[_Token]:
        at = 0
        while True:
            while at < len(self._text) and self._text[at].isspace():
                at += 1
            if at == len(self._text):
                yield _Token("end", "", at)
                return
            found = _TOKEN.match(self._text, at)
            if found is None:
                raise Question(self._text, Anybody()).error(
                    at, "this quotation mark is never closed", 'write \\" for one inside a name'
                )
            kind = str(found.lastgroup)
            if kind == "mark":
                kind = found[0][0]
            elif kind == "word":
                kind = _WORDS.get(found[0].casefold(), kind)
            yield _Token(kind, found[0], at)
            at = found.end()

    def _any(self) -> Node:
        return self._joined("|", self._all, Or)

    def _all(self) -> Node:
        return self._joined("&", self._one, And)

    def _joined(self, mark: str, part: Callable[[], Node], kind: type[And] | type[Or]) -> Node:
        parts = [part()]
        while self._token.kind == mark:
            self._take()
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        # (A & B) & C is A & B & C: brackets do not change who has to be near whom.
        flat = [one.parts if isinstance(one, kind) else (one,) for one in parts]
        return kind(tuple(one for some in flat for one in some))

    def _one(self) -> Node:
        no = False
        while self._token.kind == "!":
            self._take()
            no = not no
        node = self._somebody()
        if no:
            return node.part if isinstance(node, Not) else Not(node)
        return node

    def _somebody(self) -> Node:
        token = self._token
        if token.kind == "(":
            return self._bracket()
        if token.kind == "*":
            self._take()
            return Anybody()
        if token.kind == "quoted":
            self._take()
            return self._named(re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL), token)
        words = []
        while self._token.kind == "word":
            words.append(self._take().text)
        if [word.casefold() for word in words] == [ANYBODY]:
            return Anybody()
        return self._named(" ".join(words), token)

    def _named(self, name: str, token: _Token) -> Who:
        name = " ".join(name.split())
        if not name:
            after = "" if token.kind == "end" else f" before {shown(token.text)}"
            raise self._error(
                f"a name is missing{after}", 'such as Anna & (Ben | "Smith & Sons") & !Carl', token
            )
        return Who(name, token.at)

    def _bracket(self) -> Node:
        opened = self._take()
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error("too many brackets in brackets", f"use at most {DEEPEST}", opened)
        node = self._any()
        if self._token.kind == "end":
            raise self._error("this bracket is never closed", "write ) behind it", opened)
        if self._token.kind != ")":
            raise self._error(
                "& or | is missing before this", "a name with such marks in it goes into quotes"
            )
        self._take()
        self._depth -= 1
        return node

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _error(self, message: str, advice: str, token: _Token | None = None) -> QueryError:
        return Question(self._text, Anybody()).error((token or self._token).at, message, advice)


def _place(text: str, at: int) -> tuple[str, str]:
    """Return a query, cut where it is long, and below it a caret under a place."""
    begin = max(0, at - BEFORE)
    left = ("…" if begin else "") + printable(text[begin:at])
    right = printable(text[at : at + AFTER]) + ("…" if at + AFTER < len(text) else "")
    return f"  {left}{right}", f"  {' ' * _width(left)}^"


def _width(text: str) -> int:
    """Return how many columns of a terminal a text fills."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    none = sum(unicodedata.category(letter) in ("Mn", "Me", "Cf") for letter in text)
    return len(text) + wide - none
