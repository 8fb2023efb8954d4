"""Tables of the bench: what stands in them, in three languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videoclusternet.bench.compare import judged
from videoclusternet.bench.compare_report import grids, read_comparison, write_comparison
from videoclusternet.bench.grids import Grid
from videoclusternet.bench.published import published
from videoclusternet.errors import DataError


def rows(name: str = "film", seeds: int = 3) -> list[dict[str, Any]]:
    truth = np.arange(24) % 4
    found = []
    for method, needs, wrong in (("instant", "nothing", 0), ("hac", "threshold", 3)):
        for seed in range(seeds):
            cluster = truth.copy()
            cluster[: wrong + seed * (wrong > 0)] = 9
            found.append(
                {
                    "set": name,
                    "backbone": "dlib",
                    "method": method,
                    "needs": needs,
                    "threshold": 0.085 if needs == "threshold" else None,
                    "seed": seed,
                    **judged(truth, cluster),
                    "seconds": 1.5,
                    "peak_mib": 100.0,
                }
            )
    return found


def test_a_row_per_method_with_what_it_was_told() -> None:
    (grid,) = grids(rows())
    assert [row[:2] for row in grid.rows] == [
        ["ours, instant", "nothing"],
        ["HAC, fixed threshold", "threshold 0.085"],
    ]
    instant, hac = grid.rows
    assert instant[2] == "1.000 [1.000, 1.000]"
    values = [row["bcubed_f"] for row in rows() if row["method"] == "hac"]
    assert hac[2].startswith(f"{np.mean(values):.3f} ± ") and "[" in hac[2]
    assert len({len(row) for row in (grid.header, *grid.rows)}) == 1


def test_several_sets_begin_with_their_mean() -> None:
    both = [*rows("one"), *rows("two")]
    whole, one, _ = grids(both)
    assert whole.title == "All sets, dlib" and one.title.startswith("one, dlib (24 tracks")
    assert whole.header[4:6] == ["one", "two"]
    mean = np.mean([r["bcubed_f"] for r in both if r["method"] == "hac"])
    assert whole.rows[1][2].startswith(f"{mean:.3f}")


@pytest.mark.parametrize(
    ("name", "wcp", "pcr"), [("bbt_s01e06", 0.971, ""), ("buffy_s05e02", 0.991, ""),
                             ("Soldier", 0.985, "1.04")]
)  # fmt: skip
def test_figures_in_print_stand_beside_ours(name: str, wcp: float, pcr: str) -> None:
    (grid,) = grids(rows(name))
    (paper,) = [row for row in grid.rows if row[0].startswith("VideoClusterNet* (paper")]
    assert paper[grid.header.index("WCP")] == f"{wcp:.3f}"
    assert paper[grid.header.index("PCR")] == pcr
    assert published("film") == ()


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert write_comparison(rows(), tmp_path) == tmp_path / "report.html"
    assert read_comparison(tmp_path) == rows()
    (tmp_path / "results.parquet").write_bytes(b"no table")
    with pytest.raises(DataError, match="cannot read"):
        read_comparison(tmp_path)


def test_one_table_in_three_languages() -> None:
    grid = Grid("A & B", ("name", "told", "F"), (("x_1", "a|b", "50 %"), ("<y>", "", "±")), "note")
    assert "| x_1 | a\\|b | 50 % |" in grid.markdown() and "|---|---|---|" in grid.markdown()
    assert "&lt;y&gt;" in grid.html() and "<th>told</th>" in grid.html()
    assert r"x\_1 & a|b & 50 \% \\" in grid.latex() and r"\begin{tabular}{llr}" in grid.latex()
