"""``batch.html``: every film of a batch with its state, a few faces, and a link to its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from videoclusternet.batch.record import Record, State
from videoclusternet.batch.summary import PICTURES, Member, Summary
from videoclusternet.outside.text import natural, printable
from videoclusternet.runfolder.beside import PAGE
from videoclusternet.runfolder.files import replacing
from videoclusternet.show.cast_page import PAGE as CAST_PAGE
from videoclusternet.show.template import template_of
from videoclusternet.show.words import several, span, surely

MOST_BYTES = 2 << 20
"""Bytes that all pictures of a page take: the more films, the fewer of each."""
EACH = 1700
"""Bytes that a picture takes, about."""
ORDER: tuple[State, ...] = ("failed", "timed out", "killed", "running", "done", "waiting")
"""Films that somebody should look at come first, and those with nothing to look at last."""


@dataclass(frozen=True)
class _Face:
    """A character with its picture; what is known of it, where it has a name."""

    name: str
    named: bool
    known: str
    picture: str


@dataclass(frozen=True)
class _Row:
    """A film on the page; ``mark`` is its address there, of the first in a state."""

    mark: str
    name: str
    path: str
    state: str
    bad: bool
    reason: str
    page: str
    length: str
    took: str
    cast: str
    faces: list[_Face]
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
    every = sorted(records.values(), key=lambda one: (ORDER.index(one.state), natural(one.run)))
    first = {one.state: one.film for one in reversed(every)}
    names = Counter(Path(one.film).name for one in every)
    whole = sum(one.seconds for one in summaries.values())
    states = Counter(one.state for one in every)
    page = template_of("videoclusternet.batch", "batch.html.j2").render(
        title=printable(folder.resolve().name),
        total=several(len(records), "film"),
        length=span(whole) if whole else "",
        counts=[(states[one], one, _mark(one), _bad(one)) for one in _COUNTED if states[one]],
        changed=max((one.time for one in every), default=""),
        known=any(one.person for film in summaries.values() for one in film.members),
        rows=[
            _row(one, summaries.get(one.film), most, first, names[Path(one.film).name] > 1)
            for one in every
        ],
    )
    path = folder / PAGE
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


_COUNTED: tuple[State, ...] = ("done", *ORDER[:4], "waiting")


def _mark(state: State) -> str:
    return state.replace(" ", "-")


def _bad(state: State) -> bool:
    return state in ORDER[:3]


def _row(
    record: Record, summary: Summary | None, most: int, first: Mapping[State, str], again: bool
) -> _Row:
    """Describe a film, ``again`` where another one is called so: then by its folder too."""
    path = Path(record.film)
    members = {one.character: one for one in summary.members} if summary else {}
    shown = summary.pictures[:most] if summary else ()
    faces = [_face(members[number], data) for number, data in shown if number in members]
    others = [one for number, one in members.items() if number not in dict(shown)]
    notes = [str(path.parent)] if again else []
    return _Row(
        mark=_mark(record.state) if first[record.state] == record.film else "",
        name=printable(path.name),
        path=printable(record.film),
        state=record.state,
        bad=_bad(record.state),
        reason=printable(record.reason) if record.state != "done" else "",
        page=f"{_link(record.run)}/{CAST_PAGE}" if summary else "",
        length=span(summary.seconds) if summary else "",
        took=span(record.seconds) if record.seconds else "",
        cast=_cast(len(members), others) if summary else "",
        faces=faces,
        notes=[printable(note) for note in (*notes, *(summary.notes if summary else ()))],
    )


def _face(member: Member, picture: str) -> _Face:
    return _Face(printable(member.name), member.named, _known(member), picture)


def _cast(count: int, others: Sequence[Member]) -> str:
    """How many there are, and who has a name of those that no picture shows."""
    names = ", ".join(_called(one) for one in others if one.named)
    said = several(count, "character")
    if not names:
        return said
    return f"{said}, also {names}" if count > len(others) else f"{said}: {names}"


def _called(member: Member) -> str:
    known = _known(member)
    return f"{printable(member.name)} ({known})" if known else printable(member.name)


def _known(member: Member) -> str:
    """How a library knows somebody, and how surely; empty where it does not."""
    return "" if member.sure is None else f"{member.kind} {surely(member.sure)}"


def _link(name: str) -> str:
    """Return a name as it stands in an address; ``./`` keeps a colon from being a protocol."""
    return "./" + quote(name.encode("utf-8", "surrogateescape"))
