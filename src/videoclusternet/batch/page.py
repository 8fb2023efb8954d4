"""``batch.html``: every film of a batch with its state, a few faces, and a link to its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from videoclusternet.batch.record import STATES, Record
from videoclusternet.batch.summary import PICTURES, Member, Summary
from videoclusternet.outside.text import printable
from videoclusternet.runfolder.beside import PAGE
from videoclusternet.runfolder.files import replacing
from videoclusternet.show.cast_page import PAGE as CAST_PAGE
from videoclusternet.show.template import template_of
from videoclusternet.show.words import several, span

MOST_BYTES = 2 << 20
"""Bytes that all pictures of a page take: the more films, the fewer of each."""
EACH = 1700
"""Bytes that a picture takes, about."""


@dataclass(frozen=True)
class _Row:
    """A film on the page."""

    name: str
    path: str
    state: str
    reason: str
    page: str
    length: str
    took: str
    cast: str
    pictures: list[tuple[str, str]]
    notes: list[str]


def write_page(
    folder: Path, records: Mapping[str, Record], summaries: Mapping[str, Summary]
) -> Path:
    """Write the page into the folder of a batch and return its path.

    Parameters
    ----------
    folder : Path
    records, summaries : mapping
        By the path of the film; of those that are done there is a summary.

    Raises
    ------
    StoreError
        When it cannot be written.
    """
    most = max(1, min(PICTURES, MOST_BYTES // EACH // max(len(summaries), 1)))
    states = Counter(record.state for record in records.values())
    order = sorted(records.values(), key=_order)
    whole = sum(one.seconds for one in summaries.values())
    page = template_of("videoclusternet.batch", "batch.html.j2").render(
        title=printable(folder.resolve().name),
        counts=[(states[state], state) for state in STATES if states[state]],
        summary=[several(len(records), "film"), *([span(whole)] if whole else [])],
        rows=[_row(one, summaries.get(one.film), most) for one in order],
    )
    path = folder / PAGE
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _order(record: Record) -> tuple[int, str]:
    """Those that somebody should look at come first, then those that are under way."""
    first = ("failed", "timed out", "killed", "running", "waiting", "done")
    return first.index(record.state), record.run


def _row(record: Record, summary: Summary | None, most: int) -> _Row:
    members = summary.members if summary else ()
    named = {one.character: printable(one.name) for one in members}
    shown = summary.pictures[:most] if summary else ()
    return _Row(
        name=printable(Path(record.film).name),
        path=printable(record.film),
        state=record.state,
        reason=printable(record.reason) if record.state != "done" else "",
        page=f"{_link(record.run)}/{CAST_PAGE}" if summary else "",
        length=span(summary.seconds) if summary else "",
        took=span(record.seconds) if record.seconds else "",
        cast=_cast(summary) if summary else "",
        pictures=[(named[number], data) for number, data in shown if number in named],
        notes=[printable(note) for note in summary.notes] if summary else [],
    )


def _cast(summary: Summary) -> str:
    """How many there are, who of them has a name, and how surely a library says so."""
    names = [_called(one) for one in summary.members if one.named]
    count = several(len(summary.members), "character")
    return f"{count}: {', '.join(names)}" if names else count


def _called(member: Member) -> str:
    name = printable(member.name)
    return name if member.sure is None else f"{name} ({member.kind}, {member.sure:.2f})"


def _link(name: str) -> str:
    """Return a name as it stands in an address; ``./`` keeps a colon from being a protocol."""
    return "./" + quote(name.encode("utf-8", "surrogateescape"))
