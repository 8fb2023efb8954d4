"""Track labels of the series benchmark (BBT, Buffy), and their counts beside the paper's.

A label file (``.ids``) begins with the line ``CVHCI_TRACKLABELS_V1`` and then holds
``<track id> <name>`` per line.  There are no boxes and no pictures in it.  People without
a name are ``unknown_eEE_N``; the *protocol* says whether they count: ``named`` leaves
their tracks out, ``all`` takes each for a person of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from videoclusternet.errors import ConfigError, DataError
from videoclusternet.outside.files import is_folder, read_text
from videoclusternet.types.arrays import Int64

Protocol = Literal["named", "all"]
HEADER = "CVHCI_TRACKLABELS_V1"
UNKNOWN = "unknown_"
"""How the labels of people without a name begin."""
DIGITS = 18
"""Longest track number; int64 holds it."""


class PaperCount(NamedTuple):
    """What the paper says of an episode; None where we have no number of it."""

    tracks: int
    people: int | None


def _paper(season: str, tracks: str, people: str = "") -> dict[str, PaperCount]:
    counts = zip(
        map(int, tracks.split()), map(int, people.split()) if people else [None] * 6, strict=True
    )
    return {f"{season}e{i:02}": PaperCount(*count) for i, count in enumerate(counts, 1)}


PAPER_COUNTS: Mapping[str, PaperCount] = {
    **_paper("bbt_s01", "647 613 562 568 463 651"),
    **_paper("buffy_s05", "786 866 1185 852 733 1055", "12 13 14 15 15 18"),
}
"""Face tracks and identities by episode: Walawalkar and Garrido, *VideoClusterNet*, arXiv
2407.12214, Table 9.  Its identities of BBT are not at hand: None, so never compared."""


@dataclass(frozen=True, eq=False)
class TrackLabels:
    """Who the face tracks of one episode show.

    Attributes
    ----------
    name : str
        File name without suffix, such as ``bbt_s01e01``.
    ids : int64, shape (T,)
        Track numbers, each once, in the order of the file; they have gaps.
    labels : tuple of str, length T
    """

    name: str
    ids: Int64
    labels: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Tracks of each label, most first, then by name."""
        return _ordered(Counter(self.labels))


@dataclass(frozen=True)
class Count:
    """Tracks and people of an episode or a season.

    Attributes
    ----------
    name : str
        Episode (``bbt_s01e01``) or season (``bbt_s01``).
    tracks, named : int
        All tracks, and those with a named person.
    unknown : int
        Labels of people without a name.
    labels : dict from str to int
        Tracks of each label that counts under the protocol, aliases applied, most first.
    joined : int
        Names that aliases have taken out of ``labels``.
    paper : PaperCount or None
        None where the paper says nothing.
    """

    name: str
    tracks: int
    named: int
    unknown: int
    labels: dict[str, int]
    joined: int
    paper: PaperCount | None

    @property
    def people(self) -> int:
        """Number of people under the protocol."""
        return len(self.labels)

    @property
    def counted(self) -> int:
        """Number of tracks under the protocol."""
        return sum(self.labels.values())


def read_ids(
    path: Path, labels: Protocol = "named", aliases: Mapping[str, str] | None = None
) -> TrackLabels:
    """Read a label file.

    Parameters
    ----------
    path : Path
    labels : {'named', 'all'}
        ``named`` leaves out tracks of ``unknown_*``: the paper's counts.
    aliases : mapping, optional
        Label to the label it is taken for, such as ``{"xander2": "xander"}``; applied first.

    Returns
    -------
    TrackLabels

    Raises
    ------
    DataError
        When the file is missing or malformed; names the file and the line.
    """
    given = aliases or {}
    ids: dict[int, str] = {}
    for place, track, label in _lines(path):
        if track in ids:
            raise DataError(f"{place}: track {track} appears twice")
        ids[track] = given.get(label, label)
    kept = {track: label for track, label in ids.items() if labels == "all" or is_named(label)}
    return TrackLabels(path.stem, np.array(list(kept), dtype=np.int64), tuple(kept.values()))


def _lines(path: Path) -> Iterable[tuple[str, int, str]]:
    """Yield place, track number and label of every line behind the first."""
    text = read_text(path, DataError)
    if "\0" in text:
        raise DataError(f"{path} is not a text file: it holds a zero byte")
    if not text.strip():
        raise DataError(f"{path} is empty")
    first, *rest = text.split("\n")
    if first.strip() != HEADER:
        raise DataError(f"{path}, line 1: the first line must be {HEADER}")
    if not any(line.strip() for line in rest):
        raise DataError(f"{path} holds no track")
    for number, line in enumerate(rest, 2):
        fields = line.split()
        place = f"{path}, line {number}"
        if not fields:
            continue
        if not (fields[0].isascii() and fields[0].isdecimal()) or len(fields[0]) > DIGITS:
            raise DataError(f"{place}: {fields[0]!r} is not a track number")
        if len(fields) == 1:
            raise DataError(f"{place}: track {fields[0]} has no label")
        if len(fields) > 2:
            raise DataError(f"{place}: more than a track number and a label")
        yield place, int(fields[0]), fields[1]


def is_named(label: str) -> bool:
    """Whether a label is the name of a person."""
    return not label.startswith(UNKNOWN)


def check_protocol(text: str) -> Protocol:
    """Read the name of a protocol; anything else is a ConfigError."""
    if text == "named":
        return "named"
    if text == "all":
        return "all"
    raise ConfigError(f"no labels {text!r}", "write named or all")


def parse_aliases(texts: Iterable[str]) -> dict[str, str]:
    """Read aliases such as ``xander2=xander``.

    Raises
    ------
    ConfigError
        When one has no two names, or two of them leave open which label is meant.
    """
    aliases: dict[str, str] = {}
    for text in texts:
        label, _, other = (part.strip() for part in text.partition("="))
        if not label or not other or label == other or "=" in other:
            raise ConfigError(f"cannot read alias {text!r}", "write --alias xander2=xander")
        if aliases.setdefault(label, other) != other:
            raise ConfigError(f"alias {label} is both {aliases[label]} and {other}", "leave one")
    for label, other in aliases.items():
        if other in aliases:
            raise ConfigError(
                f"alias {label}={other}: {other} is itself an alias",
                f"write --alias {label}={aliases[other]}",
            )
    return aliases


def count_labels(
    path: Path, labels: Protocol = "named", aliases: Mapping[str, str] | None = None
) -> tuple[list[Count], list[Count]]:
    """Count tracks and people of every episode and season in a folder.

    Parameters
    ----------
    path : Path
        Folder of ``.ids`` files, or one of them.
    labels, aliases
        As in :func:`read_ids`.

    Returns
    -------
    episodes, seasons : list of Count
        By name; seasons with two episodes or more.  Episodes of a season share all before
        ``eNN`` in their name; a person of several episodes counts once in the season.

    Raises
    ------
    DataError
        When there is no label file, or one is malformed.
    ConfigError
        When an alias names a label that no file has.
    """
    given = aliases or {}
    files = sorted(path.glob("*.ids")) if is_folder(path) else [path]
    if not files:
        raise DataError(f"{path} holds no label file", "expected files such as bbt_s01e01.ids")
    read = [read_ids(file, "all") for file in files]
    absent = set(given) - {label for episode in read for label in episode.labels}
    if absent:
        raise ConfigError(f"alias of {min(absent)}: no file in {path} has this label")
    seasons: dict[str, list[TrackLabels]] = {}
    for episode in read:
        seasons.setdefault(re.sub(r"e\d+$", "", episode.name), []).append(episode)
    return (
        [_count(e.name, [e], labels, given) for e in read],
        [_count(name, s, labels, given) for name, s in seasons.items() if len(s) > 1],
    )


def _count(
    name: str, episodes: Sequence[TrackLabels], protocol: Protocol, aliases: Mapping[str, str]
) -> Count:
    raw = Counter(label for episode in episodes for label in episode.labels)
    merged: Counter[str] = Counter()
    for label, tracks in raw.items():
        merged[aliases.get(label, label)] += tracks
    papers = [PAPER_COUNTS.get(episode.name) for episode in episodes]
    known = [paper for paper in papers if paper is not None]
    paper = None
    if len(known) == len(papers):
        # A person may be in several episodes, so identities of a season are no sum.
        paper = PaperCount(
            sum(p.tracks for p in known), known[0].people if len(known) == 1 else None
        )
    return Count(
        name=name,
        tracks=raw.total(),
        named=sum(tracks for label, tracks in merged.items() if is_named(label)),
        unknown=sum(not is_named(label) for label in merged),
        labels=_ordered({k: n for k, n in merged.items() if protocol == "all" or is_named(k)}),
        joined=max(0, sum(map(is_named, raw)) - sum(map(is_named, merged))),
        paper=paper,
    )


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def differences(counts: Iterable[Count]) -> list[str]:
    """Say where counts differ from the paper's, and how far the labels explain it.

    Returns
    -------
    list of str
        One sentence for each difference; nothing that the files do not show.
    """
    return [
        f"{count.name}: {text}"
        for count in counts
        for text in (_tracks_differ(count), _people_differ(count), _doubles(count))
        if text
    ]


def _tracks_differ(count: Count) -> str:
    if count.paper is None or count.counted == count.paper.tracks:
        return ""
    text = f"{count.counted} tracks, the paper has {count.paper.tracks}"
    if count.named == count.paper.tracks:
        text += f": it leaves out the {count.tracks - count.named} of {UNKNOWN}*"
    return text


def _people_differ(count: Count) -> str:
    """Try the one reading that fits most: all people without a name as one more person."""
    if count.paper is None or count.paper.people is None:
        return ""
    named = sum(map(is_named, count.labels))
    if count.people == count.paper.people:
        return ""
    text = f"{count.people} people, the paper has {count.paper.people}"
    if count.people != named:
        text += f"; {named} of them have a name"
    reasons = [f"{UNKNOWN}* as one more person"] * (count.unknown > 0)
    reasons += [f"the {count.joined} joined by aliases"] * (count.joined > 0)
    if not reasons:
        return text
    total = named + (count.unknown > 0) + count.joined
    rest = count.paper.people - total
    text += f"; with {' and '.join(reasons)} there are {total}"
    return text + (f": {rest} of the paper's we cannot account for" if rest > 0 else "")


def _doubles(count: Count) -> str:
    """Labels such as ``xander2`` beside ``xander``: what joining the two costs."""
    texts = []
    for label, tracks in count.labels.items():
        base = re.sub(r"\d+$", "", label)
        if is_named(label) and base != label and base in count.labels:
            lost = min(tracks, count.labels[base])
            texts.append(
                f"{label} ({tracks} tracks) is a label apart from {base}; a clustering that joins "
                f"the two has a WCP of at most {1 - lost / count.counted:.1%}, see --alias"
            )
    return "; ".join(texts)
