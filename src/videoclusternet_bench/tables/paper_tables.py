"""The results of a bench in the form of the paper's Tables 1, 2, 6, 7 and 10.

Sets that the paper knows stand under its names, with its figures beside ours; Table 2 and
Table 10 take all other sets as well, as the films of this bench.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from videoclusternet_bench.data.published import printed_time, published, series_names
from videoclusternet_bench.methods.registry import title_of
from videoclusternet_bench.metrics.intervals import plus_minus
from videoclusternet_bench.runner import Row
from videoclusternet_bench.tables.grids import Grid

SERIES = {
    "Table 1": ("bbt_s01e01", "bbt_s01", "buffy_s05e02", "buffy_s05"),
    "Table 6": series_names("bbt_s01"),
    "Table 7": series_names("buffy_s05"),
}
"""Sets of the tables of series, in the order of their columns."""
ABOUT = {
    "Table 1": "WCP of the series, %",
    "Table 2": "WCP, %, and predicted cluster ratio of films",
    "Table 6": "WCP of The Big Bang Theory, %",
    "Table 7": "WCP of Buffy, %",
    "Table 10": "time",
}
STAR = "*: tracks set aside as Unknown are left out; as errors: they count as such."


def paper_tables(rows: Sequence[Row]) -> list[Grid]:
    """Return the tables of the paper for which the bench has sets.

    Parameters
    ----------
    rows : sequence of dict
        Of :func:`videoclusternet_bench.compare.compare`.

    Returns
    -------
    list of Grid
        For each backbone; the paper's rows are those with ``(paper)``.
    """
    found = []
    for backbone in dict.fromkeys(row["backbone"] for row in rows):
        mine = [row for row in rows if row["backbone"] == backbone]
        sets = list(dict.fromkeys(row["set"] for row in mine))
        series = {name for names in SERIES.values() for name in names}
        films = [name for name in sets if name not in series]
        for table, names in SERIES.items():
            if set(names) & set(sets):
                found.append(_of_series(mine, table, names, backbone))
        if films:
            found.append(_of_films(mine, films, backbone))
        found.append(_of_times(mine, sets, backbone))
    return sorted(found, key=lambda grid: int(grid.title.split()[1].rstrip(":")))


def _of_series(rows: Sequence[Row], table: str, names: Sequence[str], backbone: str) -> Grid:
    body = [
        [title, *(_percent(of.get(name, []), measure) for name in names)]
        for title, measure, of in _readings(rows)
    ]
    printed: dict[str, dict[str, str]] = {}  # methods in the paper's order
    for name in names:
        for one in (one for one in published(name) if one.table == table):
            printed.setdefault(one.method, {})[name] = f"{one.wcp:.2f}"
    body += [
        [f"{method} (paper)", *(figures.get(name, "") for name in names)]
        for method, figures in sorted(
            printed.items(), key=lambda item: item[0].startswith("VideoClusterNet")
        )
    ]
    return Grid(_title(table, backbone), ["method", *names], body, STAR)


def _of_films(rows: Sequence[Row], films: Sequence[str], backbone: str) -> Grid:
    body = [
        [title, *(cell for name in films for cell in _pair(of.get(name, []), measure))]
        for title, measure, of in _readings(rows)
    ]
    methods = dict.fromkeys(
        one.method for name in films for one in published(name) if one.table == "Table 2"
    )
    for method in methods:
        cells = []
        for name in films:
            one = next((p for p in published(name) if p.method == method), None)
            cells += ["", ""] if one is None else [f"{one.wcp:.2f}", f"{one.pcr:.2f}"]
        body.append([f"{method} (paper)", *cells])
    header = ["method", *(f"{name} {measure}" for name in films for measure in ("WCP", "PCR"))]
    return Grid(_title("Table 2", backbone), header, body, STAR)


def _of_times(rows: Sequence[Row], sets: Sequence[str], backbone: str) -> Grid:
    """Seconds of a method for each set, and per track; the paper's minutes as seconds."""
    body = []
    for method, mine in _grouped(rows, "method").items():
        of = _grouped(mine, "set")
        cells = [_mean(of.get(name, []), "seconds", 1) for name in sets]
        per_track = np.mean([row["seconds"] / max(row["tracks"], 1) for row in mine])
        body.append([title_of(method), *cells, f"{per_track:.3f}"])
    printed = {name: time for name in sets if (time := printed_time(name))}
    if printed:
        rows_in_print = {
            "finetuning": {name: time.minutes * 60 for name, time in printed.items()},
            "clustering": {name: time.seconds for name, time in printed.items()},
        }
        for label, seconds in rows_in_print.items():
            cells = [f"{seconds[name]:.1f}" if name in seconds else "" for name in sets]
            body.append([f"VideoClusterNet, {label} (paper, A10 GPU)", *cells, ""])
    note = "Seconds from embeddings to partition, training included, where the bench ran."
    return Grid(_title("Table 10", backbone), ["method", *sets, "s per track"], body, note)


def _title(table: str, backbone: str) -> str:
    return f"{table}: {ABOUT[table]}; {backbone}"


def _readings(rows: Sequence[Row]) -> list[tuple[str, str, dict[str, list[Row]]]]:
    """Return title, measure and rows by set; a method with Unknown tracks has two readings."""
    found = []
    for method, mine in _grouped(rows, "method").items():
        title, of = title_of(method), _grouped(mine, "set")
        if any(row["unknown_share"] > 0 for row in mine):
            found.append((f"{title}*", "wcp", of))
            found.append((f"{title}, Unknown as errors", "wcp_dagger", of))
        else:
            found.append((title, "wcp", of))
    return found


def _grouped(rows: Sequence[Row], key: str) -> dict[str, list[Row]]:
    values = dict.fromkeys(row[key] for row in rows)
    return {value: [row for row in rows if row[key] == value] for value in values}


def _percent(rows: Sequence[Row], measure: str) -> str:
    return plus_minus([100 * row[measure] for row in rows], 2)


def _pair(rows: Sequence[Row], measure: str) -> tuple[str, str]:
    return _percent(rows, measure), _mean(rows, "pcr", 2)


def _mean(rows: Sequence[Row], measure: str, digits: int) -> str:
    return plus_minus([row[measure] for row in rows], digits)
