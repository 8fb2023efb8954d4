"""One table in three languages: Markdown, LaTeX, HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from videoclusternet.outside.text import printable

TEX = {
    **{letter: f"\\{letter}" for letter in "&%_#${}"},
    **{"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}"},
    **{"±": r"$\pm$", "†": r"$\dagger$"},
}
"""What LaTeX would not print as it stands."""
MARKDOWN = re.compile(
    r"[\\`*_<|~$]"  # also of what GitHub adds
    r"|\[(?![-+\d., ]+\](?!\())"  # a link; numbers in brackets are none
    r"|&(?=#?\w+;)"
)
LEADING = re.compile(r"[#>+=:-]")
"""What a heading, a list or a quotation begins with."""


@dataclass(frozen=True)
class Grid:
    """A table of text.

    Attributes
    ----------
    title : str
    header : sequence of str
    rows : sequence of sequences of str
    note : str
        A line below it.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def markdown(self) -> str:
        """Return a heading and a table of Markdown."""
        head, *rows = (f"| {' | '.join(map(literal, row))} |" for row in self._all())
        body = "\n".join([head, f"|{'---|' * len(self.header)}", *rows])
        title, note = literal(self.title, True), literal(self.note, True)
        return f"## {title}\n\n{body}\n" + (f"\n{note}\n" if note else "")

    def latex(self) -> str:
        """Return a table of LaTeX with the rules of ``booktabs``."""
        columns = "l" * min(2, len(self.header)) + "r" * (len(self.header) - 2)
        # Braces first: a bracket or star there would be taken for one of the line before.
        lines = (" & ".join(map(_tex, row)) + r" \\" for row in self._all())
        head, *rows = (f"{{}}{line}" if line[:1] in ("[", "*") else line for line in lines)
        caption = rf"\caption{{{_tex(self.title)}}}"
        start = [r"\begin{table}", caption, rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
        end = [r"\bottomrule", r"\end{tabular}", *([_tex(self.note)] if self.note else [])]
        return "\n".join([*start, head, r"\midrule", *rows, *end, r"\end{table}", ""])

    def html(self) -> str:
        """Return a section of HTML."""
        head, *rows = (
            "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
            for tag, row in zip(["th"] + ["td"] * len(self.rows), self._all(), strict=True)
        )
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        table = f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
        return f"<section><h2>{html.escape(self.title)}</h2>{table}{note}</section>\n"

    def _all(self) -> list[Sequence[str]]:
        return [self.header, *self.rows]


def literal(text: str, begins: bool = False) -> str:
    """Return text for Markdown that shows it as it is, in one line.

    Parameters
    ----------
    text : str
    begins : bool
        Whether it may begin a line.
    """
    found = MARKDOWN.sub(lambda sign: f"\\{sign[0]}", printable(text))
    if begins and LEADING.match(found):
        return f"\\{found}"
    return re.sub(r"^(\d{1,9})(?=[.)](\s|$))", r"\1\\", found) if begins else found


def _tex(text: str) -> str:
    return "".join(TEX.get(letter, letter) for letter in printable(text))
