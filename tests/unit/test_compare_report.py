"""Tables of the bench: what stands in them, in three languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videoclusternet.errors import DataError
from videoclusternet_bench.compare import judged
from videoclusternet_bench.data.published import published
from videoclusternet_bench.tables.comparison import grids, read_comparison, write_comparison
from videoclusternet_bench.tables.grids import Grid
from videoclusternet_bench.tables.paper_tables import paper_tables


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


def test_a_method_that_one_set_lacks_has_no_mean() -> None:
    both = [*rows("one"), *(row for row in rows("two") if row["method"] == "hac")]
    whole, one, two = grids(both)
    assert [len(grid.rows) for grid in (whole, one, two)] == [1, 2, 1]
    assert whole.rows[0][0] == "HAC, fixed threshold"


@pytest.mark.parametrize(
    ("name", "wcp", "pcr"), [("bbt_s01e06", 0.971, ""), ("buffy_s05e02", 0.991, ""),
                             ("Soldier", 0.985, "1.04")]
)  # fmt: skip
def test_figures_in_print_stand_beside_ours(name: str, wcp: float, pcr: str) -> None:
    (grid,) = grids(rows(name))
    start = "VideoClusterNet* (paper, Table "
    *_, paper = [row for row in grid.rows if row[0].startswith(start)]  # 1 before 7
    assert paper[grid.header.index("WCP")] == f"{wcp:.3f}"
    assert paper[grid.header.index("PCR")] == pcr
    assert published("film") == ()


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert write_comparison(rows(), tmp_path) == tmp_path / "report.html"
    assert read_comparison(tmp_path) == rows()
    (tmp_path / "results.parquet").write_bytes(b"no table")
    with pytest.raises(DataError, match="is damaged"):
        read_comparison(tmp_path)


def test_one_table_in_three_languages() -> None:
    grid = Grid("A & B", ("name", "told", "F"), (("x_1", "a|b", "50 %"), ("<y>", "", "±")), "note")
    assert "| x\\_1 | a\\|b | 50 % |" in grid.markdown() and "|---|---|---|" in grid.markdown()
    assert "&lt;y&gt;" in grid.html() and "<th>told</th>" in grid.html()
    assert (
        r"x\_1 & a\textbar{}b & 50 \% \\" in grid.latex()
        and r"\begin{tabular}{llr}" in grid.latex()
    )


def series(*names: str) -> list[dict[str, Any]]:
    return [row for name in names for row in rows(name)]


def titled(name: str, of: list[dict[str, Any]]) -> Grid:
    (grid,) = [grid for grid in paper_tables(of) if grid.title.startswith(f"{name}:")]
    return grid


def test_table_6_has_the_papers_episodes_and_ours_where_the_bench_has_them() -> None:
    grid = titled("Table 6", series("bbt_s01e02", "bbt_s01"))
    assert grid.header[1:] == [*(f"bbt_s01e{i:02}" for i in range(1, 7)), "bbt_s01"]
    of = {row[0]: row[1:] for row in grid.rows}
    assert of["VideoClusterNet* (paper)"] == [
        "99.70", "99.67", "98.60", "98.80", "99.10", "97.10", "98.70",
    ]  # fmt: skip
    assert of["ours, instant"] == ["", "100.00", "", "", "", "", "100.00"]
    assert not [grid for grid in paper_tables(rows()) if "Table 6" in grid.title]


def test_table_1_has_figures_of_its_own() -> None:
    grid = titled("Table 1", series("buffy_s05e02"))
    of = {row[0]: row[1:] for row in grid.rows}
    assert of["VideoClusterNet* (paper)"] == ["99.72", "97.35", "99.10", "96.10"]
    assert of["TSiam (paper)"] == ["96.40", "", "92.46", ""]


def test_table_2_takes_all_films_and_times_stand_in_table_10() -> None:
    both = series("Soldier", "mine", "bbt_s01e01")
    grid = titled("Table 2", both)
    assert grid.header == ["method", "Soldier WCP", "Soldier PCR", "mine WCP", "mine PCR"]
    assert grid.rows[0] == ["ours, instant", "100.00", "1.00", "100.00", "1.00"]
    assert grid.rows[-1] == ["VideoClusterNet* (paper)", "98.50", "1.04", "", ""]
    times = titled("Table 10", both)
    assert times.rows[0] == ["ours, instant", "1.5", "1.5", "1.5", "0.062"]
    assert times.rows[-2][1:] == ["18420.0", "", "", ""]  # 307 minutes
    assert times.rows[-1][1:] == ["81.0", "", "", ""]


def test_unknown_tracks_are_left_out_and_counted_as_errors() -> None:
    some = rows()
    for row in some:
        if row["method"] == "instant":
            row.update(unknown_share=0.25, wcp=0.9, wcp_dagger=0.675)
    titles = [row[:2] for row in titled("Table 2", some).rows]
    assert titles[:2] == [
        ["ours, instant*", "90.00"],
        ["ours, instant, Unknown as errors", "67.50"],
    ]


def test_tables_of_the_paper_are_part_of_the_report(tmp_path: Path) -> None:
    write_comparison(rows("Soldier"), tmp_path)
    for name in ("report.md", "report.tex", "report.html"):
        assert "Table 2: WCP" in (tmp_path / name).read_text()
