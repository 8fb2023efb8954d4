"""``vcn score``: a run beside labelled truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from videoclusternet.cli.options import path_argument

ORDER = (
    "wcp",
    "pcr",
    "bcubed_precision",
    "bcubed_recall",
    "bcubed_f",
    "nmi",
    "ari",
    "pairwise_f",
    "clusters",
    "characters",
    "tracks",
    "unknown_share",
)


def print_scores(scores: dict[str, Any], as_json: bool) -> None:
    """Print scores, the documented keys first."""
    from videoclusternet.show.terminal import print_json, print_table, table_of

    ordered = {key: scores[key] for key in (*ORDER, *(k for k in scores if k not in ORDER))}
    if as_json:
        print_json(ordered)
        return
    table = table_of("measure", "value")
    for key, value in ordered.items():
        table.add_row(key, f"{value:.4f}" if isinstance(value, float) else str(value))
    print_table(table)


def score(
    run: Annotated[Path, path_argument(metavar="RUN", help="A run folder.")],
    truth: Annotated[
        list[Path],
        path_argument(
            metavar="TRUTH...",
            help="Labelled boxes or tracks, or a folder with shots.csv and truth.csv; "
            "of each film of the run.",
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object, fractions 0-1.")
    ] = False,
) -> None:
    """Compare a run with labelled truth: purity, B-cubed, NMI, ARI, character count."""
    from videoclusternet.result.result import open_run
    from videoclusternet_bench.metrics.score_run import score_run

    print_scores(score_run(open_run(run), truth), as_json)
