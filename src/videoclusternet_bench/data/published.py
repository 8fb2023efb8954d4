"""What the paper prints, to stand beside what is measured here on the same set.

BBT and Buffy episodes are known by the names of their label files (``bbt_s01e01``), their
seasons taken together by the name of the season (``bbt_s01``), the films of
MovieFaceCluster by the first word of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from videoclusternet_bench.data.ids import PAPER_COUNTS


@dataclass(frozen=True)
class Published:
    """A figure of the paper.

    Attributes
    ----------
    method : str
    table : str
    wcp : float
        Percent.
    pcr : float or None
    """

    method: str
    table: str
    wcp: float
    pcr: float | None = None


class PrintedTime(NamedTuple):
    """How long the paper's method took for a film, on an A10 GPU (Table 10).

    Attributes
    ----------
    iterations : int
    minutes : float
        Of finetuning.
    seconds : float
        Of clustering.
    """

    iterations: int
    minutes: float
    seconds: float


OURS, DAGGER = "VideoClusterNet*", "VideoClusterNet, Unknown as errors"
_SERIES = {
    ("bbt_s01", "Table 6"): {
        OURS: (99.70, 99.67, 98.60, 98.80, 99.10, 97.10, 98.70),
        DAGGER: (97.4, 97.1, 93.8, 94.1, 95.6, 90.8, 92.45),
        "BCL": (98.63, 98.54, 90.61, 86.95, 89.12, 81.07, 89.63),
    },
    ("buffy_s05", "Table 7"): {
        OURS: (96.30, 99.10, 98.70, 97.42, 99.00, 96.78, 98.10),
        DAGGER: (93.3, 94.5, 94.4, 91.18, 92.4, 93.21, 91.32),
        "BCL": (92.08, 79.76, 84.00, 84.97, 89.05, 80.58, 83.62),
    },
}
"""Episodes 1 to 6, and all of them together."""
_STATE_OF_THE_ART = {
    "bbt_s01e01": {"TSiam": 96.40, "SSiam": 96.20, OURS: 99.72},
    "bbt_s01": {OURS: 97.35},
    "buffy_s05e02": {
        "TSiam": 92.46, "SSiam": 90.87, "Zhang et al.": 92.1, "MvCorr": 97.7, OURS: 99.10,
    },
    "buffy_s05": {OURS: 96.10},
}  # fmt: skip
"""Table 1; the paper's own figures there differ from those of its Tables 6 and 7."""
_FILM_METHODS = ("TSiam", "SSiam", "Zhang et al.", OURS)
_FILMS = {
    "elephant": ((90.7, 1.44), (88.1, 1.61), (91.4, 1.33), (97.2, 1.11)),
    "armed": ((84.9, 1.36), (86.6, 1.21), (85.2, 1.50), (94.1, 0.93)),
    "angel": ((77.1, 0.62), (75.5, 0.59), (73.4, 0.62), (85.9, 0.72)),
    "death": ((92.9, 1.57), (94.4, 1.28), (90.8, 0.71), (98.0, 1.14)),
    "fright": ((89.3, 0.83), (86.2, 0.78), (91.5, 0.86), (97.6, 0.92)),
    "fortress": ((68.6, 0.69), (71.1, 0.73), (65.3, 0.77), (89.3, 1.02)),
    "shadow": ((71.8, 2.11), (68.3, 2.33), (73.1, 2.00), (82.5, 1.88)),
    "soldier": ((90.7, 1.33), (88.7, 1.24), (92.6, 1.19), (98.5, 1.04)),
    "smart": ((79.6, 1.70), (82.3, 1.80), (85.8, 1.70), (93.8, 1.50)),
}
"""Table 2: films of MovieFaceCluster, WCP and PCR of four methods."""
_TIMES = {
    "elephant": PrintedTime(5, 194, 66),
    "armed": PrintedTime(6, 38, 7),
    "angel": PrintedTime(5, 110, 28),
    "death": PrintedTime(8, 397, 41),
    "fright": PrintedTime(10, 298, 62),
    "fortress": PrintedTime(9, 645, 167),
    "shadow": PrintedTime(6, 57, 14),
    "soldier": PrintedTime(5, 307, 81),
    "smart": PrintedTime(5, 48, 9),
}
"""Table 10."""


def series_names(series: str) -> tuple[str, ...]:
    """Return the sets of a series: its six episodes, and all together."""
    return (*(f"{series}e{episode:02}" for episode in range(1, 7)), series)


def published(name: str) -> tuple[Published, ...]:
    """Return what the paper prints for a set, by the set's name; empty for others."""
    found = [
        Published(method, "Table 1", wcp) for method, wcp in _STATE_OF_THE_ART.get(name, {}).items()
    ]
    for (series, table), methods in _SERIES.items():
        names = series_names(series)
        if name in names:
            found += [Published(m, table, wcp[names.index(name)]) for m, wcp in methods.items()]
    figures = zip(_FILM_METHODS, _FILMS.get(name.lower(), ()), strict=False)
    return (*found, *(Published(method, "Table 2", *pair) for method, pair in figures))


def printed_time(name: str) -> PrintedTime | None:
    """Return how long the paper's method took for a film, by its name; None for others."""
    return _TIMES.get(name.lower())


class PrintedSet(NamedTuple):
    """What the paper says of a data set; None where we have no figure of it.

    Attributes
    ----------
    table : str
    tracks : int
    people : int or None
    seconds : float or None
        Mean length of a track.
    quality : float or None
        Mean track quality.
    """

    table: str
    tracks: int
    people: int | None = None
    seconds: float | None = None
    quality: float | None = None


_FILM_SETS = {
    "elephant": (562, 18, 3.625, 0.7112),
    "armed": (119, 14, 2.912, 0.7085),
    "angel": (319, 29, 4.064, 0.7150),
    "death": (395, 7, 4.775, 0.7177),
    "fright": (457, 37, 3.702, 0.7098),
    "fortress": (917, 64, 5.357, 0.6918),
    "shadow": (143, 9, 5.458, 0.7134),
    "soldier": (594, 21, 4.058, 0.7056),
    "smart": (113, 10, 5.190, 0.7110),
}
"""Tables 2 (top) and 9: tracks, people, mean seconds, mean quality."""
_SERIES_QUALITY = {"bbt_s01": 0.7136, "buffy_s05": 0.7120}
"""Table 9: mean quality of all episodes."""


def printed_set(name: str) -> PrintedSet | None:
    """Return how the paper describes a set, by the set's name; None for others.

    Parameters
    ----------
    name : str
        Of a film of MovieFaceCluster, an episode (``bbt_s01e01``) or a season (``bbt_s01``).
    """
    if name in PAPER_COUNTS:
        return PrintedSet("Table 9", PAPER_COUNTS[name].tracks, PAPER_COUNTS[name].people)
    if name in _SERIES_QUALITY:
        tracks = sum(
            count.tracks for episode, count in PAPER_COUNTS.items() if episode[:-3] == name
        )
        return PrintedSet("Table 9", tracks, quality=_SERIES_QUALITY[name])
    if name.lower() in _FILM_SETS:
        return PrintedSet("Tables 2, 9", *_FILM_SETS[name.lower()])
    return None
