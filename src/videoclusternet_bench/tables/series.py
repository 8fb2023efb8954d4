"""Series of two episodes, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from videoclusternet.show.terminal import print_json, print_table, table_of
from videoclusternet_bench.series import Series


def print_series(found: Sequence[tuple[Path, Series]], as_json: bool = False) -> None:
    """Print who was found again, beside the nearest exemplar, and what became of the clusters."""
    if as_json:
        rows = [{**asdict(one), "counts": one.counts._asdict()} for _, one in found]
        print_json([{"run": str(run), **row} for (run, _), row in zip(found, rows, strict=True)])
        return
    table = table_of(
        "run", "known", "right", "other", "strange", "named", "near", "named", "F", "with", "said",
        "so",
    )  # fmt: skip
    for run, one in found:
        c = one.counts
        shares = (c.right / c.known, c.other / c.known)
        wrong = [n / max(c.strangers, 1) for n in (c.wrong, c.nearest_wrong)]
        table.add_row(
            run.stem,
            str(c.known),
            *(f"{share:.3f}" for share in shares),
            str(c.strangers),
            f"{wrong[0]:.3f}",
            f"{c.nearest_right / c.known:.3f}",
            f"{wrong[1]:.3f}",
            *(f"{np.mean(f):.3f}" for f in (one.alone, one.beside)),
            f"{one.sure:.3f}",
            f"{one.so:.3f}",
        )
    print_table(table)
    print("of tracks of people in the library, those with the right name and with another one; of")
    print("tracks of others, those with a name; both by the nearest exemplar, under the threshold")
    print("that the labels like best; B-cubed F of the second episode without the library and with")
    print("it; mean confidence of the names that were given, and the share of them that is right")
