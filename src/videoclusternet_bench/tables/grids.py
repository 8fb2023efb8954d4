"""One table in three languages: Markdown, LaTeX, HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

TEX = {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "±": r"$\pm$", "†": r"$\dagger$"}


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
        lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in self._all()]
        lines.insert(1, "|".join("---" for _ in self.header))
        body = "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)
        return f"## {self.title}\n\n{body}\n" + (f"\n{self.note}\n" if self.note else "")

    def latex(self) -> str:
        """Return a table of LaTeX with the rules of ``booktabs``."""
        columns = "l" * min(2, len(self.header)) + "r" * (len(self.header) - 2)
        head, *rows = (" & ".join(map(_tex, row)) + r" \\" for row in self._all())
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


def _tex(text: str) -> str:
    return "".join(TEX.get(letter, letter) for letter in text)
