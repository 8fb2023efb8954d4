"""The results of the bench: one Parquet table, and what people read of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from videoclusternet.errors import DataError
from videoclusternet.outside.files import exists, opened
from videoclusternet.runfolder import footers
from videoclusternet.runfolder.files import replacing
from videoclusternet_bench.data.published import published
from videoclusternet_bench.methods.registry import title_of
from videoclusternet_bench.metrics.intervals import plus_minus
from videoclusternet_bench.runner import Row
from videoclusternet_bench.tables.grids import Grid
from videoclusternet_bench.tables.paper_tables import paper_tables

RESULTS = "results.parquet"
MOST_ROWS = 1_000_000
AGAIN = "run the same `vcn bench` again"
COLUMNS = (
    ("bcubed_f", "B³ F", 3),
    ("bcubed_precision", "B³ P", 3),
    ("bcubed_recall", "B³ R", 3),
    ("wcp", "WCP", 3),
    ("wcp_dagger", "WCP†", 3),
    ("pcr", "PCR", 2),
    ("count_error", "count", 1),
    ("nmi", "NMI", 3),
    ("ari", "ARI", 3),
    ("pairwise_f", "pair F", 3),
    ("unknown_share", "Unknown", 3),
    ("clicks", "clicks", 0),
    ("seconds", "s", 1),
    ("peak_mib", "MiB", 0),
)
"""Measures, their headings, and decimals."""
TEXTS = ("set", "backbone", "method", "needs")
NUMBERS = ("seed", "tracks", "characters", "f_low", "f_high", *(name for name, _, _ in COLUMNS))
"""Columns that every row has."""
NOTE = (
    "Told: what a method must know besides the tracks. Rows that are told labels are yardsticks. "
    "Means over seeds ± half the 95 % interval of that mean (Student's t); in brackets 95 % "
    "bootstrap over tracks, mean over seeds. count: found less true characters. "
    "†: tracks set aside as Unknown count as errors; elsewhere they are left out. "
    "s: seconds from embeddings to partition."
)
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "td,th{padding:.25rem .6rem;border-bottom:1px solid #ccc;text-align:right}"
    "td:nth-child(-n+2),th:nth-child(-n+2){text-align:left}section{overflow-x:auto}"
)


def write_comparison(rows: Sequence[Row], folder: Path) -> Path:
    """Write ``results.parquet``, ``report.md``, ``report.tex`` and ``report.html``.

    Parameters
    ----------
    rows : sequence of dict
        Of :func:`videoclusternet_bench.compare.compare`.
    folder : Path

    Returns
    -------
    Path
        Of the page.
    """
    with replacing(folder / RESULTS) as temporary:
        pq.write_table(pa.Table.from_pylist(list(rows)), temporary)
        footers.guard(temporary)
    tables = [*grids(rows), *paper_tables(rows)]
    page = "".join(grid.html() for grid in tables)
    texts = {
        "report.md": "# Bench\n\n" + "\n".join(grid.markdown() for grid in tables),
        "report.tex": "\n".join(grid.latex() for grid in tables),
        "report.html": (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Bench</title>'
            f"<style>{STYLE}</style><h1>Bench</h1>{page}</html>\n"
        ),
    }
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder / "report.html"


def read_comparison(folder: Path) -> list[Row]:
    """Read the rows of a finished bench.

    Raises
    ------
    DataError
        When there are none.
    """
    path = folder / RESULTS
    if not exists(path):
        raise DataError(f"{folder} holds no results of a bench", "run `vcn bench DATASET` first")
    with opened(path, DataError) as stream:
        try:
            footers.check(path)
            with pq.ParquetFile(stream) as file:
                if file.metadata.num_rows > MOST_ROWS:
                    raise ValueError("too many rows")
                found = file.read().to_pylist()
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            raise DataError(f"{path} is damaged: {error}", AGAIN) from error
    for row in found:
        texts = all(isinstance(row.get(name), str) for name in TEXTS)
        numbers = all(isinstance(row.get(name), int | float) for name in NUMBERS)
        if not (texts and numbers and isinstance(row.get("threshold", ""), int | float | None)):
            raise DataError(f"{path} lacks columns, or holds others than a bench writes", AGAIN)
    if not found:
        raise DataError(f"{path} holds no row", AGAIN)
    return [dict(row) for row in found]


def summaries(rows: Sequence[Row]) -> list[Grid]:
    """Return a short table for each backbone: all sets side by side."""
    backbones = dict.fromkeys(row["backbone"] for row in rows)
    return [_over_sets([row for row in rows if row["backbone"] == b], b) for b in backbones]


def grids(rows: Sequence[Row]) -> list[Grid]:
    """Return the tables: all sets together for each backbone, then each set."""
    found = []
    for backbone in dict.fromkeys(row["backbone"] for row in rows):
        mine = [row for row in rows if row["backbone"] == backbone]
        sets = list(dict.fromkeys(row["set"] for row in mine))
        if len(sets) > 1:
            found.append(_over_sets(mine, f"All sets, {backbone}"))
        for name in sets:
            here = [row for row in mine if row["set"] == name]
            about = f"{here[0]['tracks']} tracks, {here[0]['characters']} people"
            found.append(_of_set(here, f"{name}, {backbone} ({about})"))
    return found


def _of_set(rows: Sequence[Row], title: str) -> Grid:
    header = ["method", "told", *(heading for _, heading, _ in COLUMNS)]
    body = []
    for method, mine in _by_method(rows):
        cells = [plus_minus([r[m] for r in mine], digits) for m, _, digits in COLUMNS]
        low, high = (np.mean([r[name] for r in mine]) for name in ("f_low", "f_high"))
        cells[0] += f" [{low:.3f}, {high:.3f}]"
        body.append([*_names(method, mine), *cells])
    return Grid(title, header, [*body, *_in_print(rows[0]["set"])], NOTE)


def _in_print(name: str) -> list[list[str]]:
    """Rows of what the paper prints for this set, other measures left empty."""
    found = []
    for one in published(name):
        figures = {
            "wcp": f"{one.wcp / 100:.3f}",
            "pcr": "" if one.pcr is None else f"{one.pcr:.2f}",
        }
        cells = [figures.get(measure, "") for measure, _, _ in COLUMNS]
        found.append([f"{one.method} (paper, {one.table})", "", *cells])
    return found


def _over_sets(rows: Sequence[Row], title: str) -> Grid:
    sets = list(dict.fromkeys(row["set"] for row in rows))
    over = ["mean B³ F", "worst B³ F", *sets] if len(sets) > 1 else ["B³ F"]
    header = ["method", "told", *over, "PCR", "clicks", "s"]
    body = []
    for method, mine in _by_method(rows):
        if len({r["set"] for r in mine}) < len(sets):  # it cannot see them all
            continue
        f = np.array([[r["bcubed_f"] for r in mine if r["set"] == s] for s in sets])
        pcr = [r["pcr"] for r in mine]
        seeds = len(f.T)
        body.append(
            [
                *_names(method, mine),
                plus_minus(f.mean(0), 3),
                *([f"{v:.3f}" for v in (f.mean(1).min(), *f.mean(1))] if len(sets) > 1 else []),
                f"{min(pcr):.2f} to {max(pcr):.2f}",
                f"{sum(r['clicks'] for r in mine) / seeds:.0f}",
                f"{sum(r['seconds'] for r in mine) / seeds:.1f}",
            ]
        )
    note = "PCR: least and most of all runs. Clicks and seconds are sums over the sets."
    return Grid(title, header, body, note)


def _by_method(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    names = dict.fromkeys(row["method"] for row in rows)
    return [(name, [row for row in rows if row["method"] == name]) for name in names]


def _names(method: str, rows: Sequence[Row]) -> tuple[str, str]:
    needs, threshold = rows[0]["needs"], rows[0]["threshold"]
    return title_of(method), needs if threshold is None else f"{needs} {threshold:g}"
